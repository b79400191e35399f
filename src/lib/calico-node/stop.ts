/** `node stop` (cli-v0.20 §4.3.2). */
import {append} from '../append.js'
import {listEndpoints} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import type {Lifecycle} from '../docker/lifecycle.js'
import {CalicoError, isError} from '../errors.js'
import {runCommand} from '../host/command.js'
import {runsInUnit} from '../host/own-unit.js'
import {CONTAINER_NAME} from './container.js'
import {DRIVER_NAME, DRIVER_UNIT} from './libnetwork-service/plan.js'
import {stopDriver} from './libnetwork-service/service.js'

/** How many endpoints NODE has. */
export async function countEndpoints(session: Session, node: string): Promise<number> {
  let count = 0
  for await (const _ of listEndpoints(session, {host: node})) count++
  return count
}

/** Refuses to stop a node whose endpoints would live on without changes of policy. @throws CalicoError `refused` */
export function refuseEndpoints(count: number, node: string): void {
  if (count === 0) return
  throw new CalicoError('refused', `Node ${node} has ${count === 1 ? 'an active endpoint' : `${count} active endpoints`}; it was not stopped`, {
    details: ['Their traffic continues under the current policy; later changes of policy and routes are not applied to them.'],
    hint: 'Remove them first, or use --force to stop the node anyway.',
    override: '--force',
  })
}

export interface Stopped {
  /** What ran and was stopped, or would be: `Container calico-node`, … */
  readonly stopped: readonly string[]
  /** The driver for Docker networks is one of them. */
  readonly driver: boolean
  /** It is a unit, which systemd starts again at the next boot. */
  readonly driverUnit: boolean
  /** The Engine will start the container again when it is restarted itself. */
  readonly comesBack: boolean
}

/** Stops calico-node, then the driver for Docker networks; what does not run is no fault. Cleans nothing up. ENGINE is undefined on a host without one. */
export async function stopNode(engine: Lifecycle | undefined, {dryRun}: {dryRun: boolean}): Promise<Stopped> {
  const stopped: string[] = []
  const state = await engine?.state(CONTAINER_NAME)
  const driverState = await engine?.state(DRIVER_NAME)
  if (state && (state.running || state.restarting)) {
    stopped.push(`Container ${CONTAINER_NAME}`)
    if (!dryRun) await engine?.stop(state.id)
  }
  if (!dryRun) await stopUnit()
  const forms = await stopDriver(engine, {dryRun})
  append(stopped, forms.map((form) => (form === 'unit' ? `Unit ${DRIVER_UNIT}` : `Container ${DRIVER_NAME}`)))
  return {stopped, driver: forms.length > 0, driverUnit: forms.includes('unit'), comesBack: [state, driverState].some((each) => each?.restartPolicy === 'always')}
}

const UNIT = 'calico-node.service'
const UNIT_LIMIT_MS = 30_000

/**
 * Stops the unit of a node that systemd runs. Where there is no systemd, or no such unit, there is nothing to stop; and where it is stopping already, this
 * command may be what it waits for (`ExecStop=calicoctl node stop`).
 */
async function stopUnit(): Promise<void> {
  if (runsInUnit(UNIT)) return
  try {
    if ((await runCommand('systemctl', ['show', UNIT, '--property=ActiveState'])).includes('=deactivating')) return
    await runCommand('systemctl', ['stop', UNIT], {timeoutMs: UNIT_LIMIT_MS})
  } catch (error) {
    if (!isError(error)) throw error
  }
}
