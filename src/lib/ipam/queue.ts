/**
 * Calls of one process are combined (decisions.md 28): while a transaction is under way, further calls wait; those that wait are then decided
 * one after another on one draft and written together. Each gets its own result, in the order in which they came.
 */
import {append} from '../append.js'
import {commit, type Seen, type Write} from '../client/commit.js'
import type {Session} from '../client/session.js'
import type {Operation} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {type Draft, newDraft} from './draft.js'
import {forget, type Memory, memoryOf, recall, remember} from './memory.js'
import {CLUSTER_KEY} from '../client/cluster.js'

/** What one step of a job came to. */
export interface Step<T> {
  readonly outcome: T
  /** The job is not done: the transaction is full. It is planned again after it, with this outcome as PREVIOUS. */
  readonly more?: boolean
}

/** A call that changes IPAM's keys. */
export interface Job<T> {
  /** For messages about an interruption or an unknown outcome: `the assignment of 2 addresses`. */
  readonly what: string
  /** What it surely has to read. */
  readonly reads: (memory: Memory) => readonly Operation[]
  /** Decides on DRAFT what to do. May be called again, on other data, when another client was faster. What it throws, its caller gets. */
  readonly plan: (draft: Draft, previous: T | undefined) => Promise<Step<T>>
}

interface Waiting {
  readonly job: Job<unknown>
  readonly settle: (value: unknown) => void
  readonly fail: (error: unknown) => void
  previous: unknown
}

/** What planning one job came to. */
type Planned = {readonly step: Step<unknown>} | {readonly error: unknown} | {readonly postponed: true}

/** An error in a later step of a job: what the steps before it did is done. */
export class StepError extends CalicoError {
  constructor(
    override readonly cause: CalicoError,
    /** The outcome of the last step that was written. */
    readonly outcome: unknown,
  ) {
    super(cause.kind, cause.message, {details: cause.details, cause, ...(cause.hint === undefined ? {} : {hint: cause.hint})})
  }
}

const queues = new WeakMap<Session, Waiting[]>()

/** Calls in one transaction: each reads up to five keys or ranges. */
const MAX_JOBS = 24

/**
 * Does JOB, together with others of the same session.
 * @throws what its plan throws; StepError where an earlier step was written; see also commit()
 */
export function submit<T>(session: Session, job: Job<T>): Promise<T> {
  return new Promise<T>((settle, fail) => {
    const waiting: Waiting = {job: job as Job<unknown>, settle: settle as (value: unknown) => void, fail, previous: undefined}
    const queue = queues.get(session)
    if (queue) {
      queue.push(waiting)
      return
    }
    const started = [waiting]
    queues.set(session, started)
    void work(session, started)
  })
}

async function work(session: Session, queue: Waiting[]): Promise<void> {
  while (queue.length > 0) {
    // Calls that are made in the same turn come along: callers that have just got a result often have the next one ready.
    await new Promise(setImmediate)
    const batch = queue.splice(0, MAX_JOBS)
    append(queue, await doTogether(session, batch))
    if (queue.length === 0) await new Promise(setImmediate)
  }
  queues.delete(session)
}

/** Does BATCH in one transaction. Never throws; gives those that need another one. */
async function doTogether(session: Session, batch: readonly Waiting[]): Promise<Waiting[]> {
  const memory = memoryOf(session)
  const operations = distinct(batch.flatMap(({job}) => job.reads(memory)))
  let tries = 0
  try {
    let last: {outcome: readonly Planned[]; draft: Draft; writes: readonly Write[]} | undefined
    const decide = async ({results, revision, cluster}: Seen) => {
      const isFresh = tries > 0 || !remembered
      tries++
      if (isFresh) {
        // What is remembered besides has led to nothing, or is not needed.
        if (tries > 1) forget(memory)
        remember(memory, operations, results, revision)
        memory.keys.set(CLUSTER_KEY, cluster.state === 'present' ? cluster.stored : undefined)
      }
      const draft = newDraft(session, memory, isFresh ? operations : [])
      const outcome = await planAll(draft, batch, {trusted: isFresh})
      const writes = draft.writes()
      last = {outcome, draft, writes}
      return {writes, guards: draft.guards(), what: describe(batch), outcome}
    }
    const remembered = recall(memory, [{get: CLUSTER_KEY}, ...operations])
    const {outcome, wrote, revision} = await commit(session, operations, decide, {remembered})
    // What was written is the last that was decided, unless that was decided only because the answer to an earlier one was lost, which was made after all.
    if (wrote && last?.outcome === outcome) last.draft.written(last.writes, revision)
    else if (wrote) forget(memory)
    const isPostponed = new Set(batch.filter((_, i) => outcome[i] !== undefined && 'postponed' in outcome[i]))
    const open = batch.filter((waiting, i) => !conclude(waiting, outcome[i]))
    // Those that have had nothing yet come before those that want more.
    return [...open.filter((waiting) => isPostponed.has(waiting)), ...open.filter((waiting) => !isPostponed.has(waiting))]
  } catch (error) {
    forget(memory)
    for (const {fail, previous} of batch) fail(previous !== undefined && error instanceof CalicoError ? new StepError(error, previous) : error)
    return []
  }
}

async function planAll(draft: Draft, batch: readonly Waiting[], {trusted}: {trusted: boolean}): Promise<Planned[]> {
  const outcome: Planned[] = []
  for (const {job, previous} of batch) {
    if (!draft.hasRoom(8)) {
      outcome.push({postponed: true})
      continue
    }
    const undo = draft.mark()
    try {
      outcome.push({step: await job.plan(draft, previous)})
    } catch (error) {
      // From memory alone nothing is refused.
      if (!trusted) throw error
      undo()
      outcome.push({error})
    }
  }
  return outcome
}

/** Tells the caller of WAITING what came of it; false if it has to wait on. */
function conclude(waiting: Waiting, planned: Planned | undefined): boolean {
  if (planned === undefined || 'postponed' in planned) return false
  if ('error' in planned) {
    const {error} = planned
    waiting.fail(waiting.previous !== undefined && error instanceof CalicoError ? new StepError(error, waiting.previous) : error)
    return true
  }
  const {outcome, more} = planned.step
  waiting.previous = outcome
  if (!more) waiting.settle(outcome)
  return !more
}

const describe = (batch: readonly Waiting[]): string => {
  const [first] = batch
  return batch.length === 1 && first ? first.job.what : `${batch.length} changes of addresses`
}

function distinct(operations: readonly Operation[]): Operation[] {
  const byName = new Map(operations.map((operation) => ['get' in operation ? operation.get : 'list' in operation ? `${operation.list}*` : '', operation]))
  return [...byName.values()]
}
