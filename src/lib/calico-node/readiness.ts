/** Waiting until a calico-node that has just been started is ready, or it is clear that it will not be (calico-node.md §1, §2). */
import {setTimeout as sleep} from 'node:timers/promises'
import type {ContainerState, Lifecycle} from '../docker/lifecycle.js'
import {EngineError} from '../docker/engine.js'

/** Its start-up checks have passed: BIRD and Felix run a little later. */
export const STARTED_LINE = 'Calico node started successfully'

const POLL_MS = 250
/** How many of its last lines an error shows. */
const LINES_SHOWN = 20

export type Outcome =
  | {readonly type: 'ready'}
  /** It does not stay up. */
  | {readonly type: 'ended'; readonly why: string; readonly lines: readonly string[]}
  /** It runs and is not ready in time. */
  | {readonly type: 'late'; readonly why: string; readonly lines: readonly string[]}

export interface WaitOptions {
  readonly want: 'ready' | 'started'
  readonly timeoutMs: number
  /** With BIRD. */
  readonly networking: boolean
  /** Given every line of its log. */
  readonly onLine: (line: string) => void
}

/** Waits for the container ID. @throws CalicoError if the Engine does not answer any more */
export async function waitUntilReady(engine: Lifecycle, id: string, {want, timeoutMs, networking, onLine}: WaitOptions): Promise<Outcome> {
  const deadline = performance.now() + timeoutMs
  const log = await followLog(engine, id, onLine)
  let why = want === 'started' ? `it has not said '${STARTED_LINE}'` : 'calico/node has not said why'
  try {
    for (;;) {
      const state = await engine.state(id)
      const ended = endOf(state)
      if (ended !== undefined) {
        const lines = state ? await engine.tail(id, LINES_SHOWN) : log.lines()
        return {type: 'ended', why: ended, lines}
      }
      if (want === 'started' && log.lines().some((line) => line.includes(STARTED_LINE))) return {type: 'ready'}
      if (want === 'ready') {
        const answer = await askReadiness(engine, id, networking)
        if (answer === undefined) return {type: 'ready'}
        why = answer
      }
      if (performance.now() >= deadline) return {type: 'late', why, lines: log.lines().slice(-LINES_SHOWN)}
      await sleep(POLL_MS)
    }
  } finally {
    await log.stop()
  }
}

/** Why the container is not up, undefined if it is. One that has been started anew since was not either. */
function endOf(state: ContainerState | undefined): string | undefined {
  if (!state) return 'somebody removed its container'
  if (state.running && state.restartCount === 0 && !state.restarting) return undefined
  if (state.restartCount > 0 || state.restarting) return `it ends and is started again and again (exit code ${state.exitCode})`
  return `it ended with exit code ${state.exitCode}`
}

/** Undefined if it is ready; else what is not, in calico/node's words. */
async function askReadiness(engine: Lifecycle, id: string, networking: boolean): Promise<string | undefined> {
  try {
    const {exitCode, output} = await engine.exec(id, ['calico-node', '-felix-ready', ...(networking ? ['-bird-ready'] : [])])
    if (exitCode === 0) return undefined
    return output.trim() || `its check for readiness ended with exit code ${exitCode ?? 'unknown'}`
  } catch (error) {
    // Between two starts nothing can be run in it: its state tells.
    if (error instanceof EngineError) return error.message
    throw error
  }
}

/** Follows the log of the container's present start: lines of earlier ones would tell of an earlier success. */
async function followLog(engine: Lifecycle, id: string, onLine: (line: string) => void): Promise<{lines: () => readonly string[]; stop: () => Promise<void>}> {
  const lines: string[] = []
  const abort = new AbortController()
  const since = (await engine.state(id))?.startedAt ?? ''
  const ended = engine.follow(id, {
    since,
    stop: abort.signal,
    onLine(line) {
      lines.push(line)
      if (lines.length > 200) lines.shift()
      onLine(line)
    },
  })
  // An Engine that is gone shows in its next answer.
  const settled = ended.catch(() => undefined)
  return {
    lines: () => lines,
    async stop() {
      abort.abort()
      await settled
    },
  }
}
