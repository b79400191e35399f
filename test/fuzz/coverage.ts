/** Which parts of this program have run, told by V8: so that the fuzzer keeps the inputs that reach something new. */
import {Session} from 'node:inspector'

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface Script {
  readonly url: string
  readonly functions: readonly {readonly ranges: readonly Range[]}[]
}

export interface Coverage {
  /** The characters of the program that have run since the last call, as pairs of begin and end, in ascending order. */
  reached(): readonly (readonly [number, number])[]
}

/** Begins to count, in the script of URL. */
export function startCoverage(url: string): Coverage {
  const session = new Session()
  session.connect()
  const post = (method: string, parameters: object = {}): unknown => {
    let result: unknown
    // Of a session of this thread, the answer is there when post() returns.
    session.post(method, parameters, (error: Error | null, value: unknown) => {
      if (error) throw error
      result = value
    })
    return result
  }
  post('Profiler.enable')
  post('Profiler.startPreciseCoverage', {callCount: true, detailed: true, allowTriggeredUpdates: false})
  return {
    reached() {
      const {result} = post('Profiler.takePreciseCoverage') as {result: readonly Script[]}
      const script = result.find((each) => each.url === url)
      return script ? executed(script) : []
    },
  }
}

/** What has run of SCRIPT: each range has the count of the innermost that it lies in. */
function executed({functions}: Script): readonly (readonly [number, number])[] {
  const ranges = functions.flatMap((each) => each.ranges).sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  const found: [number, number][] = []
  const open: Range[] = []
  let at = 0
  const upTo = (end: number): void => {
    if (end > at && (open.at(-1)?.count ?? 0) > 0) {
      const last = found.at(-1)
      if (last?.[1] === at) last[1] = end
      else found.push([at, end])
    }
    at = Math.max(at, end)
  }
  const close = (before: number): void => {
    for (let top = open.at(-1); top && top.endOffset <= before; top = open.at(-1)) {
      upTo(top.endOffset)
      open.pop()
    }
  }
  for (const range of ranges) {
    close(range.startOffset)
    upTo(range.startOffset)
    open.push(range)
  }
  close(Infinity)
  return found
}

/** The characters that have ever run. */
export interface Seen {
  /** How many of RANGES are new. */
  fresh(ranges: readonly (readonly [number, number])[]): number
  add(ranges: readonly (readonly [number, number])[]): void
}

export function newSeen(): Seen {
  let seen = new Uint8Array(1 << 20)
  return {
    fresh(ranges) {
      let count = 0
      for (const [start, end] of ranges) for (let at = start; at < end; at++) if (seen[at] !== 1) count++
      return count
    },
    add(ranges) {
      for (const [start, end] of ranges) {
        if (end > seen.length) {
          const larger = new Uint8Array(2 * end)
          larger.set(seen)
          seen = larger
        }
        seen.fill(1, start, end)
      }
    },
  }
}
