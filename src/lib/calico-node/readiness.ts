/** Waiting until a calico-node is ready, or it is clear that it will not be (calico-node.md §1, §2). */
import {setTimeout as sleep} from 'node:timers/promises'
import type {ContainerState, Lifecycle} from '../docker/lifecycle.js'
import {EngineError} from '../docker/engine.js'
import {LINES_SHOWN, type NodeLog, STARTED_LINE} from './node-log.js'

const POLL_MS = 250
/** How long a container that was started again is given to end again, since the reason is in its last lines then. */
const NEXT_END_MS = 30_000

export type Outcome =
  | {readonly type: 'ready'}
  /** It does not stay up. */
  | {readonly type: 'ended'; readonly why: string; readonly lines: readonly string[]}
  /** It runs and is not ready in time. */
  | {readonly type: 'late'; readonly why: string; readonly lines: readonly string[]}
  /** What runs there is another program: there is no calico-node in its image. */
  | {readonly type: 'stranger'}

export interface WaitOptions {
  readonly want: 'ready' | 'started'
  readonly timeoutMs: number
  /** With BIRD. */
  readonly networking: boolean
  /** Of its present start. */
  readonly log: NodeLog
  /** How often the Engine had started it again before; 0 for a new container. */
  readonly restartsBefore: number
}

/** Waits for the container ID. @throws CalicoError if the Engine does not answer any more */
export async function waitUntilReady(engine: Lifecycle, id: string, {want, timeoutMs, networking, log, restartsBefore}: WaitOptions): Promise<Outcome> {
  const deadline = performance.now() + timeoutMs
  let why = want === 'started' ? `it has not logged '${STARTED_LINE}'` : 'calico/node has not logged a reason'
  let hasProgram = false
  for (;;) {
    const state = await engine.state(id)
    const ended = endOf(state, restartsBefore)
    if (ended !== undefined) {
      if (state) await untilItIsDown(engine, id, state, Math.min(deadline, performance.now() + NEXT_END_MS))
      return {type: 'ended', why: ended, lines: state ? await engine.tail(id, LINES_SHOWN) : log.lastLines()}
    }
    if (want === 'started' && log.hasStarted()) return {type: 'ready'}
    if (want === 'ready' || !hasProgram) {
      const answer = await askReadiness(engine, id, networking)
      if (answer.type === 'no-program') return {type: 'stranger'}
      hasProgram ||= answer.type !== 'unknown'
      if (want === 'ready') {
        if (answer.type === 'ready') return {type: 'ready'}
        ;({why} = answer)
      }
    }
    if (performance.now() >= deadline) return {type: 'late', why, lines: log.lastLines()}
    await sleep(POLL_MS)
  }
}

/** Waits while the container ID, found in STATE, runs once more: in the middle of a start its log does not say why the start before failed. */
async function untilItIsDown(engine: Lifecycle, id: string, state: ContainerState | undefined, deadline: number): Promise<void> {
  for (let now = state; now?.running && !now.restarting && performance.now() < deadline; now = await engine.state(id)) await sleep(POLL_MS)
}

/** Why the container is not up, undefined if it is. One that has been started anew since was not either. */
function endOf(state: ContainerState | undefined, restartsBefore: number): string | undefined {
  if (!state) return 'its container was removed'
  if (state.running && state.restartCount === restartsBefore && !state.restarting) return undefined
  if (state.restartCount > restartsBefore || state.restarting) return `it exits and is restarted repeatedly (exit code ${state.exitCode})`
  return `it ended with exit code ${state.exitCode}`
}

/** WHY in calico/node's words, or the Engine's. */
type Answer = {readonly type: 'ready'} | {readonly type: 'no-program'} | {readonly type: 'not-ready' | 'unknown'; readonly why: string}

async function askReadiness(engine: Lifecycle, id: string, networking: boolean): Promise<Answer> {
  try {
    const {exitCode, output, missing} = await engine.exec(id, ['calico-node', '-felix-ready', ...(networking ? ['-bird-ready'] : [])])
    if (missing) return {type: 'no-program'}
    if (exitCode === 0) return {type: 'ready'}
    return {type: 'not-ready', why: output.trim() || `its readiness check ended with exit code ${exitCode ?? 'unknown'}`}
  } catch (error) {
    // Between two starts nothing can be run in it: its state tells.
    if (error instanceof EngineError) return {type: 'unknown', why: error.message}
    throw error
  }
}
