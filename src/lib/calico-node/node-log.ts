/** The log of a calico-node while it starts: what of it is shown, and when (cli-v0.20 §4.3.1, calico-node.md §2). */
import type {Lifecycle} from '../docker/lifecycle.js'

/** Its start-up checks have passed: BIRD and Felix run a little later. */
export const STARTED_LINE = 'Calico node started successfully'

/** How many of its lines are shown at once, of a start or of a failure; the container keeps all of them. */
export const LINES_SHOWN = 20

export interface NodeLog {
  /** The last of its lines, {@link LINES_SHOWN} at most. */
  lastLines(): readonly string[]
  /** Whether it has said STARTED_LINE. */
  hasStarted(): boolean
  /** Settles when the container ends, or the Engine. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

export interface LogOptions {
  /** Of a container that is new, or of one that has run for some time. */
  readonly from: 'start' | 'now'
  /** Show everything after the start-up checks; else nothing, as v0.20. */
  readonly foreground: boolean
  /** Given every line that is shown. */
  readonly onLine: (line: string) => void
}

/**
 * Follows the log of the container ID. Lines are held back until STARTED_LINE, which is shown at once with the last ones before it: a program may wait for it.
 * A start that fails shows none; its last lines are the error's.
 */
export function followLog(engine: Lifecycle, id: string, {from, foreground, onLine}: LogOptions): NodeLog {
  const lines: string[] = []
  let started = from === 'now'
  const abort = new AbortController()
  const take = (line: string): void => {
    lines.push(line)
    if (lines.length > LINES_SHOWN) lines.shift()
    if (started) {
      if (foreground) onLine(line)
      return
    }
    if (!line.includes(STARTED_LINE)) return
    started = true
    lines.forEach(onLine)
  }
  // An Engine that is gone shows in its next answer.
  const ended = engine.follow(id, {from, stop: abort.signal, onLine: take}).catch(() => undefined)
  return {
    lastLines: () => lines,
    hasStarted: () => started,
    ended,
    async stop() {
      abort.abort()
      await ended
    },
  }
}
