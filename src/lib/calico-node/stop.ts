/** `node stop` (cli-v0.20 §4.3.2). */
import {listEndpoints} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import type {Lifecycle} from '../docker/lifecycle.js'
import {CalicoError} from '../errors.js'
import {runCommand} from '../host/command.js'
import {CONTAINER_NAME} from './container.js'

/** v0.20's Docker network driver, where it is still there. */
const LIBNETWORK_NAME = 'calico-libnetwork'

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
    details: ['Their traffic goes on under the policy of now; changes of policy and routes reach them no more.'],
    hint: 'Remove them first, or stop it all the same with --force.',
    override: '--force',
  })
}

export interface Stopped {
  /** What ran and was stopped, or would be. */
  readonly stopped: readonly string[]
  /** The Engine will start the container again when it is restarted itself. */
  readonly comesBack: boolean
}

/** Stops calico-node and its companions; what does not run is no fault. Cleans nothing up. */
export async function stopNode(engine: Lifecycle, {dryRun}: {dryRun: boolean}): Promise<Stopped> {
  const stopped: string[] = []
  let comesBack = false
  for (const name of [CONTAINER_NAME, LIBNETWORK_NAME]) {
    const state = await engine.state(name)
    if (!state) continue
    comesBack ||= state.restartPolicy === 'always'
    if (!state.running && !state.restarting) continue
    stopped.push(name)
    if (!dryRun) await engine.stop(state.id)
  }
  // Of a node that systemd runs. Where there is no systemd, or no such unit, there is nothing to stop.
  if (!dryRun) await runCommand('systemctl', ['stop', 'calico-node.service'], {timeoutMs: 30_000}).catch(() => undefined)
  return {stopped, comesBack}
}
