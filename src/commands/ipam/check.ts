import {Flags} from '@oclif/core'
import {checked} from '../../lib/cli/base-command.js'
import {readDuration} from '../../lib/cli/duration.js'
import {HostEditCommand} from '../../lib/cli/edit-command.js'
import {presentCheck, repairLine} from '../../lib/views/ipam-check.js'
import {ownNode} from '../../lib/views/node-option.js'
import {chosenFormat, outputFlags} from '../../lib/cli/show-command.js'
import {dockerEngine} from '../../lib/docker/engine.js'
import {CalicoError} from '../../lib/errors.js'
import {FINDING_CLASSES} from '../../lib/ipam/findings.js'
import {runCheck} from '../../lib/ipam/run-check.js'
import {containerHolders} from '../../lib/workload/container-holders.js'

const DEFAULT_GRACE_MS = 5_000
/** For each look: 100,000 addresses take some seconds, more on a busy machine. */
const DEFAULT_TIMEOUT_MS = 60_000
/** The two looks of a repair, and those after it. */
const LOOKS = 5

export default class IpamCheck extends HostEditCommand {
  static override summary = 'Check that blocks, handles, affinities, endpoints and nodes agree.'
  static override description = [
    'The exit code is 10 if problems were found. --repair checks twice, waits for --grace in between, and repairs the problems that can be repaired safely: an address is released only if both checks find the same unused assignment and no endpoint changes meanwhile. Addresses of `ipam assign` are never released.',
    'The problems that it finds:',
    ...Object.entries(FINDING_CLASSES).map(([name, meaning]) => `- ${name}: ${meaning}`),
  ].join('\n')
  static readonly exitCodes = {0: 'No problems were found, or all were repaired.', 2: '--docker must be run as root.', 10: 'Problems were found, or could not be repaired.'}
  static override examples = ['<%= config.bin %> ipam check', '<%= config.bin %> ipam check -o json', '<%= config.bin %> ipam check --repair --grace 1m']
  static override flags = {
    ...outputFlags,
    docker: Flags.boolean({description: 'Also check the running Docker containers of this host, which may use addresses without an endpoint (needs root).'}),
    repair: Flags.boolean({description: 'Repair the problems that can be repaired safely.'}),
    grace: Flags.custom<number>({parse: checked(readDuration('--grace', {zero: true}))})({description: 'The time between the two checks of --repair (2s, 500ms, 1m). Default: 5s.', helpValue: 'TIME'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(IpamCheck)
    // Whose containers these are must be certain (decisions.md 23).
    if (flags.docker) ownNode(undefined)
    const graceMs = flags.repair ? (flags.grace ?? DEFAULT_GRACE_MS) : 0
    // The time between the looks is not the datastore's.
    this.globals = {...this.globals, timeout: (this.globals.timeout ?? DEFAULT_TIMEOUT_MS * (flags.repair ? LOOKS : 1)) + graceMs}
    const result = await runCheck(await this.session(), {repair: flags.repair, graceMs, holders: flags.docker ? () => containerHolders(dockerEngine()) : []})
    await this.presentAs(presentCheck(result, {dryRun: this.dryRun, docker: flags.docker}), chosenFormat(flags))
    const {addresses, blocks, handles, affinities, endpoints} = result.counts
    const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`
    this.note(`Checked ${counted(addresses, 'assigned address', 'assigned addresses')} in ${counted(blocks, 'block', 'blocks')}, ${counted(handles, 'handle', 'handles')}, ${counted(affinities, 'affinity', 'affinities')}, ${counted(endpoints, 'endpoint', 'endpoints')}.`)
    const left = result.findings.length - (this.dryRun ? 0 : result.repaired.length)
    if (result.repaired.length > 0) this.note(`${result.repaired.length} ${this.dryRun ? 'would be ' : ''}repaired`)
    const repairable = flags.repair ? 0 : result.findings.filter(({repair}) => repair !== undefined).length
    const hint = repairable === 0 ? undefined : `${repairable === left ? 'To repair' : `To repair ${repairable} of them`}: ${repairLine(flags)}`
    if (left > 0) throw new CalicoError('problems', left === 1 ? '1 problem was found' : `${left} problems were found`, hint === undefined ? {} : {hint})
  }
}
