/**
 * Whether a history of operations on one object is linearizable: whether each could have happened at one moment between its call and its return, one after
 * another, so that all answers are what they were (Wing and Gong's search, with Lowe's memory of what was tried).
 */

/** One operation of a client. */
export interface Operation<In, Out> {
  readonly client: string
  readonly input: In
  /** Undefined: the client does not know whether it was done. It may have been at any time after its call, or never. */
  readonly output: Out | undefined
  /** Milliseconds. */
  readonly called: number
  /** Of no interest where the outcome is unknown. */
  readonly returned: number
}

/** What an object does. */
export interface Model<State, In, Out> {
  readonly initial: State
  /** The state after the operation; undefined if it cannot have answered OUTPUT in STATE, or if it is unknown and would have done nothing. */
  step(state: State, input: In, output: Out | undefined): State | undefined
  /** Tells states apart. */
  key(state: State): string
}

interface Entry {
  readonly operation: number
  readonly isCall: boolean
  /** The return of a call. */
  match: Entry | undefined
  before: Entry | undefined
  after: Entry | undefined
}

/**
 * @returns undefined if HISTORY is linearizable, else the operation that nothing explains in the longest attempt
 */
export function findViolation<State, In, Out>(model: Model<State, In, Out>, history: readonly Operation<In, Out>[]): Operation<In, Out> | undefined {
  const head = listOf(history)
  let open = history.filter(({output}) => output !== undefined).length
  let fewest = Infinity
  let stuckAt: Operation<In, Out> | undefined
  let state = model.initial
  const done = new Uint8Array(history.length)
  const tried = new Set<string>()
  const path: {readonly entry: Entry; readonly state: State}[] = []
  for (let entry = head.after; open > 0; ) {
    if (entry === undefined) throw new TypeError('a return is missing')
    const operation = history[entry.operation]
    if (operation === undefined) throw new TypeError('an operation is missing')
    if (entry.isCall) {
      const next = model.step(state, operation.input, operation.output)
      if (next !== undefined) {
        done[entry.operation] = 1
        const known = `${Buffer.from(done).toString('latin1')}\n${model.key(next)}`
        if (!tried.has(known)) {
          tried.add(known)
          path.push({entry, state})
          state = next
          if (operation.output !== undefined) open--
          lift(entry)
          entry = head.after
          continue
        }
        done[entry.operation] = 0
      }
      entry = entry.after
      continue
    }
    // It has returned, and was not done yet: what was done before was wrong.
    if (open < fewest) [fewest, stuckAt] = [open, operation]
    const last = path.pop()
    if (last === undefined) return stuckAt
    const {operation: number} = last.entry
    done[number] = 0
    if (history[number]?.output !== undefined) open++
    state = last.state
    unlift(last.entry)
    entry = last.entry.after
  }
  return undefined
}

/** The calls and returns of HISTORY in their order, behind a head. What is unknown never returns. */
function listOf(history: readonly Operation<unknown, unknown>[]): Entry {
  const events = history.flatMap(({called, returned, output}, operation) => {
    const back: Entry | undefined = output === undefined ? undefined : {operation, isCall: false, match: undefined, before: undefined, after: undefined}
    const call: Entry = {operation, isCall: true, match: back, before: undefined, after: undefined}
    return [{at: called, entry: call}, ...(back ? [{at: returned, entry: back}] : [])]
  })
  // At the same moment, calls first: they may have overlapped.
  events.sort((a, b) => a.at - b.at || Number(b.entry.isCall) - Number(a.entry.isCall))
  const head: Entry = {operation: -1, isCall: true, match: undefined, before: undefined, after: undefined}
  let last = head
  for (const {entry} of events) {
    last.after = entry
    entry.before = last
    last = entry
  }
  return head
}

function lift(entry: Entry): void {
  for (const each of [entry, entry.match]) {
    if (!each) continue
    if (each.before) each.before.after = each.after
    if (each.after) each.after.before = each.before
  }
}

function unlift(entry: Entry): void {
  for (const each of [entry.match, entry]) {
    if (!each) continue
    if (each.before) each.before.after = each
    if (each.after) each.after.before = each
  }
}
