/** What the commands on containers share (cli-v0.20 §4.12). */
import {Args, Flags} from '@oclif/core'
import {CalicoError} from '../errors.js'
import {dockerEngine, engineTimeLimitMs, type Engine} from '../docker/engine.js'
import {interfaceNameProblem} from '../host/interfaces.js'
import {requireNetworkAdministrator} from '../host/privileges.js'
import type {Removal} from '../workload/removal.js'
import type {Wanted} from '../workload/wanted-address.js'
import {checked} from '../cli/base-command.js'
import {EndpointProfileCommand} from './endpoint-profile-command.js'
import {readWanted} from './ipam-assign.js'
import {nodeFlag, ownNode} from './node-option.js'
import {removalNotes} from './removal-notes.js'

export const containerArgument = () =>
  Args.string({required: true, ignoreStdin: true, description: 'The container: its name, its id (at least the first 4 characters), or the path of a network namespace, for example /proc/1234/ns/net.'})

/** v0.20 took its keywords in any case. */
const readAnyCase = (text: string): Wanted => readWanted(/^ipv[46]$/i.test(text) ? text.toLowerCase() : text)

export const wantedArgument = () =>
  Args.custom<Wanted>({parse: checked(readAnyCase)})({required: true, ignoreStdin: true, description: 'An address, ipv4 or ipv6 for any free address, or the CIDR of a pool.'})

function readInterface(text: string): string {
  const problem = interfaceNameProblem(text)
  if (problem !== undefined) throw new CalicoError('invalid', `--interface: '${text}' is not a valid interface name: ${problem}.`)
  return text
}

export const interfaceFlag = (description: string) => Flags.custom({parse: checked(readInterface)})({description, helpValue: 'INTERFACE'})

/** v0.20's. */
export const DEFAULT_INTERFACE = 'eth1'

const SMALLEST_MTU = 68

function readMtu(text: string): number {
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (!(mtu >= SMALLEST_MTU && mtu <= 65_535)) throw new CalicoError('invalid', `--mtu: '${text}' is not an MTU: ${SMALLEST_MTU} to 65535.`)
  return mtu
}

export const mtuFlag = () => Flags.custom<number>({parse: checked(readMtu)})({description: 'The MTU of the interfaces. Default: the one that calico-node detected (/var/lib/calico/mtu).', helpValue: 'BYTES'})

/** A command on a container of this host. */
export abstract class ContainerCommand extends EndpointProfileCommand {
  static override baseFlags = {...EndpointProfileCommand.baseFlags, node: nodeFlag()}

  #engine: Engine | undefined

  /** The Docker Engine; to be asked after the command line was read, since --timeout may give it more time. */
  protected get engine(): Engine {
    return (this.#engine ??= dockerEngine({note: (text) => this.note(text), timeLimitMs: engineTimeLimitMs(this.globals.timeout)}))
  }

  /** This host's node name. @throws CalicoError `refused` if --node or a variable names another one (decisions.md 23) */
  protected get node(): string {
    return ownNode((this.globals as {node?: string}).node)
  }

  /** Refuses to go on without the rights to change interfaces; a dry run needs none. */
  protected requireRights(): void {
    if (!this.dryRun) requireNetworkAdministrator(`calicoctl ${this.id?.replaceAll(':', ' ') ?? ''}`)
  }

  /** Says, with --debug, how long each step takes. */
  protected steps(): (step: string) => void {
    if (!this.globals.debug) return () => undefined
    let before: string | undefined
    let since = performance.now()
    const step = (name: string): void => {
      const now = performance.now()
      if (before !== undefined) this.note(`${before}: ${(now - since).toFixed(1)} ms`)
      before = name
      since = now
    }
    return step
  }

  protected noteRemoval(removal: Removal): void {
    for (const note of removalNotes(removal, {dryRun: this.dryRun})) this.note(note)
  }
}
