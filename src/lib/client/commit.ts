/**
 * The one place where something is decided from what the store holds, and written back (design.md §3): read at one revision, decide,
 * write in one transaction that holds only if nothing it rests on has changed, else decide again from what is there now.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {Compare, KeyValue, Operation, OperationResult, Revision, TransactionResult} from '../datastore/datastore.js'
import {CompactedError, FullError, OutcomeUnknownError} from '../datastore/errors.js'
import {CalicoError, isError} from '../errors.js'
import {CALICO_PREFIX, CLUSTER_KEY, checkSameCluster, checkWritable, clusterState, guidInValue, guidOf, initialValues, type ClusterState} from './cluster.js'
import {executedAt} from './executed.js'
import {noteDone, type Outcome, type Session} from './session.js'

/** As libcalico-go's datastoreRetries. */
const MAX_TRIES = 100

/** What one round of reading found, all at one revision. */
export interface Seen {
  readonly revision: Revision
  /** One per read operation asked for. */
  readonly results: readonly OperationResult[]
  readonly cluster: ClusterState
}

/** A key to write. It is written only if the key is still as READ (undefined = it did not exist). */
export interface Write {
  readonly key: string
  readonly read: KeyValue | undefined
  /** The new value; undefined = delete. */
  readonly value: string | undefined
}

/** What is to be done with what was seen, and what the caller gets once it is done. */
export interface Decision<T> {
  /** None = nothing to do: no transaction is sent. */
  readonly writes: readonly Write[]
  /** Further conditions that the decision rests on, e.g. "no endpoint refers to it". */
  readonly guards?: readonly Compare[]
  /** For messages about an interruption or an unknown outcome, e.g. `the change of profile/web`. */
  readonly what: string
  readonly outcome: T
}

export interface Committed<T> {
  readonly outcome: T
  /** False: nothing was to be done, or this is a dry run. */
  readonly wrote: boolean
  /** The modRevision of what was written, or the revision that was read. */
  readonly revision: Revision
}

export interface CommitOptions {
  /**
   * What an earlier look found at the key of ClusterInformation and at READS: the first decision is made from it, which saves a round trip
   * where it still holds. A decision to refuse or to do nothing is never taken from memory.
   */
  readonly remembered?: TransactionResult | undefined
  /** The decision deals with ClusterInformation by itself: a locked store is not refused, an empty one not initialised. For whoever locks, unlocks and restores. */
  readonly ownCluster?: boolean
}

/**
 * Reads READS (and ClusterInformation) at one revision, lets DECIDE say what to write, and writes it if nothing it rests on has changed since;
 * otherwise decides again, at most 100 times. Initialises an empty store in the same transaction. A lost answer is settled by the history of
 * the written keys (decisions.md 10), never by sending the same transaction blindly again; so is the answer of a full store, which may have executed the write.
 *
 * @throws whatever DECIDE throws (nothing was written then); CalicoError `conflict` after 100 lost races; `unknown` if an answer was lost and
 * cannot be settled; and the datastore's own errors.
 */
export async function commit<T>(
  session: Session,
  reads: readonly Operation[],
  decide: (seen: Seen) => Decision<T> | Promise<Decision<T>>,
  options: CommitOptions = {},
): Promise<Committed<T>> {
  const lost: LostAttempt<T>[] = []
  try {
    return await untilDone(session, reads, decide, options, lost)
  } catch (error) {
    if (lost.length === 0) throw error
    const {made: committed, reported} = isError(error, 'unknown') ? {made: undefined, reported: error} : await afterLost(session, lost, error)
    if (committed) return committed
    for (const {settle} of lost) await settle(isError(reported, 'unknown') ? 'unknown' : 'not made')
    throw reported
  }
}

/** As {@link commit}; puts each try whose answer was lost into LOST. */
async function untilDone<T>(
  session: Session,
  reads: readonly Operation[],
  decide: (seen: Seen) => Decision<T> | Promise<Decision<T>>,
  {remembered, ownCluster = false}: CommitOptions,
  lost: LostAttempt<T>[],
): Promise<Committed<T>> {
  const check = ownCluster ? () => undefined : checkWritable
  const operations: readonly Operation[] = [{get: CLUSTER_KEY}, ...reads]
  const guess = remembered && (await decideFromMemory(session, remembered, decide, check))
  let answer = guess ? undefined : await session.store.transact({then: operations})
  let first: ClusterState | undefined
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const seen = answer ? await understand(session, answer) : guess?.seen
    if (seen === undefined) throw new TypeError('there is an answer or a guess')
    const late = await madeAfterAll(session, lost)
    if (late) return late
    check(session, seen.cluster)
    if (answer) checkSameCluster(session, (first ??= seen.cluster), seen.cluster)
    const decision = answer || !guess ? await decided(session, () => decide(seen)) : guess.decision
    // What DECIDE read for itself may be younger than what was seen: that there is nothing to do may be the work of a try whose answer was lost.
    const meanwhile = decision.writes.length === 0 ? await madeAfterAll(session, lost) : undefined
    if (meanwhile) return meanwhile
    if (decision.writes.length === 0) session.store.restOn?.(decision.guards ?? [])
    if (session.dryRun) session.rehearse?.({writes: decision.writes, revision: seen.revision, cluster: undefined})
    if (decision.writes.length === 0 || session.dryRun) return {outcome: decision.outcome, wrote: false, revision: seen.revision}
    const writes = [...decision.writes, ...(ownCluster ? [] : await initialisation(session, seen, decision.writes))]
    const cluster = guidOfCluster(seen.cluster, writes)
    await session.prepare?.(cluster)
    const settle = (await session.record?.({writes, revision: seen.revision, cluster})) ?? ignore
    try {
      const result = await tracked(session, decision.what, async () => {
        const answered = await session.store.transact({
          if: [...conditions(seen, writes), ...(decision.guards ?? [])],
          then: writes.map(({key, value}) => (value === undefined ? {delete: key} : {put: key, value})),
          else: operations,
        })
        await settle(answered.succeeded ? answered.revision : 'not made')
        return answered
      })
      if (result.succeeded) {
        for (const attempt of lost) await attempt.settle('not made')
        return {outcome: decision.outcome, wrote: true, revision: result.revision}
      }
      answer = result
    } catch (error) {
      const isFull = error instanceof FullError
      if (!isFull && !(error instanceof OutcomeUnknownError)) {
        if (error instanceof CalicoError) await settle('not made')
        throw afterConflict(error, tries)
      }
      const attempt = {decision, writes, after: seen.revision, settle, error}
      if (isFull) return await madeOnFull(session, attempt, lost)
      lost.push(attempt)
      answer = await readAgain(session, operations, attempt)
    }
    if (tries > 1) await sleep(Math.random() * Math.min(5 * tries, 100))
  }
  throw new CalicoError('conflict', 'Another client keeps changing the same objects; nothing was changed', {hint: 'Run the command again.'})
}

/**
 * What DECIDE says about what is remembered; undefined where it would refuse or do nothing: that takes a look at the store itself.
 * Whatever it says is written only if all that it rests on is still so.
 */
async function decideFromMemory<T>(
  session: Session,
  remembered: TransactionResult,
  decide: (seen: Seen) => Decision<T> | Promise<Decision<T>>,
  check: typeof checkWritable,
): Promise<{seen: Seen; decision: Decision<T>} | undefined> {
  if (session.dryRun || !remembered.results[0]?.[0]) return undefined
  try {
    const seen = await understand(session, remembered)
    check(session, seen.cluster)
    const decision = await decide(seen)
    return decision.writes.length > 0 ? {seen, decision} : undefined
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return undefined
  }
}

/** What DECIDE says. A refusal, too, rests on what was read for it, should the caller go on all the same. */
async function decided<T>({store}: Session, decide: () => Decision<T> | Promise<Decision<T>>): Promise<Decision<T>> {
  try {
    return await decide()
  } catch (error) {
    store.restOn?.([])
    throw error
  }
}

async function understand(session: Session, answer: TransactionResult): Promise<Seen> {
  const [[stored] = [], ...results] = answer.results
  return {revision: answer.revision, results, cluster: await clusterState(session, stored)}
}

/**
 * What must still hold: every written key as it was read, and the same, unlocked cluster. That is compared by its value, which names it:
 * in two clusters that were set up alike it has the same revision (decisions.md 39).
 */
function conditions(seen: Seen, writes: readonly Write[]): Compare[] {
  const compares: Compare[] = writes.map(({key, read}) => (read ? {key, modRevision: read.modRevision} : {key, version: 0n}))
  if (seen.cluster.state === 'present') {
    compares.push({key: CLUSTER_KEY, value: seen.cluster.stored.value})
  } else if (seen.cluster.state === 'empty') {
    compares.push({prefix: CALICO_PREFIX, unchangedSince: seen.revision})
  }
  return compares
}

/** What a store without ClusterInformation lacks to be Calico's, beyond what is MADE already. Where it holds keys already (--init), the tiers may be there. */
async function initialisation(session: Session, {cluster}: Seen, made: readonly Write[]): Promise<Write[]> {
  if (cluster.state === 'present') return []
  // What is staged is reported when it is committed.
  if (!session.store.restOn) session.announce(`Initialising this datastore for Calico (${session.store.description}).`)
  if (made.some(({key, value}) => key === CLUSTER_KEY && value !== undefined)) return []
  // A change may bring the tiers itself.
  const values = initialValues().filter(({key}) => !made.some((write) => write.key === key))
  const {results} = await session.store.transact({then: values.map(({key}) => ({get: key}))})
  return values.filter((_, i) => results[i]?.length === 0).map(({key, value}) => ({key, value, read: undefined}))
}

/** Without a journal. */
const ignore = (): Promise<void> => Promise.resolve()

/** The GUID of CLUSTER, or the one that WRITES give it. */
const guidOfCluster = (cluster: ClusterState, writes: readonly Write[]): string | undefined =>
  cluster.state === 'present' ? guidOf(cluster.information) : guidInValue(writes.find(({key}) => key === CLUSTER_KEY)?.value)

/** Lets an interrupted command know that a write is under way. */
async function tracked(session: Session, what: string, send: () => Promise<TransactionResult>): Promise<TransactionResult> {
  let settle = (): void => undefined
  session.writes.open = {what, settled: new Promise<void>((resolve) => (settle = resolve))}
  try {
    const result = await send()
    if (result.succeeded) noteDone(session.writes, what)
    return result
  } finally {
    session.writes.open = undefined
    settle()
  }
}

/** A transaction whose answer was lost. */
interface LostAttempt<T> {
  readonly decision: Decision<T>
  readonly writes: readonly Write[]
  /** The revision that it was decided on: if executed, then after this one. */
  readonly after: Revision
  /** Tells the journal what became of it. */
  readonly settle: (outcome: Outcome) => Promise<void>
  readonly error: OutcomeUnknownError | FullError
}

/** The answers of LOST never came. What stands in the store now tells whether one of them was executed; what the caller gets of that one. */
async function madeAfterAll<T>(session: Session, lost: readonly LostAttempt<T>[]): Promise<Committed<T> | undefined> {
  for (const attempt of lost) {
    const landed = await wasExecuted(session, attempt)
    if (landed !== undefined) return made(session, attempt, landed, lost)
  }
  return undefined
}

/** A full store has answered ATTEMPT, and may have executed it. @throws its answer, if it has not; if that cannot be found out, ATTEMPT is one of LOST */
async function madeOnFull<T>(session: Session, attempt: LostAttempt<T>, lost: LostAttempt<T>[]): Promise<Committed<T>> {
  const landed = await wasExecuted(session, attempt).catch((error: unknown) => {
    lost.push(attempt)
    throw error
  })
  if (landed === undefined) {
    await attempt.settle('not made')
    throw attempt.error
  }
  const {message, hint} = attempt.error
  session.warn(`${message}, but ${attempt.decision.what} was made.${hint === undefined ? '' : ` ${hint}`}`)
  return made(session, attempt, landed, lost)
}

/** What the caller gets of ATTEMPT, which was executed at REVISION although its answer was lost; the others of LOST then cannot be. */
async function made<T>(session: Session, attempt: LostAttempt<T>, revision: Revision, lost: readonly LostAttempt<T>[]): Promise<Committed<T>> {
  noteDone(session.writes, attempt.decision.what)
  await attempt.settle(revision)
  for (const other of lost) if (other !== attempt) await other.settle('not made')
  return {outcome: attempt.decision.outcome, wrote: true, revision}
}

/**
 * What is to be reported where ERROR ends a change after the answers to LOST were lost. That nothing was changed is true only if none of them was executed by
 * now, and none can be executed later: a request may arrive long after its answer was given up.
 */
async function afterLost<T>(session: Session, lost: readonly LostAttempt<T>[], error: unknown): Promise<{made?: Committed<T>; reported?: unknown}> {
  for (const attempt of lost.toReversed()) {
    try {
      // In this order: what cannot be executed any more may have been executed just now.
      const isOver = await cannotComeLate(session, attempt)
      const landed = await wasExecuted(session, attempt)
      if (landed !== undefined) return {made: await made(session, attempt, landed, lost)}
      if (!isOver) return {reported: mayComeLate(attempt, error)}
    } catch (problem) {
      return {reported: isError(problem, 'unknown') ? problem : cannotTell(attempt, problem)}
    }
  }
  return {reported: error}
}

/** Whether ATTEMPT, if it has not been executed by now, never will be: a key that it compares has changed, and no revision comes again. */
async function cannotComeLate<T>({store}: Session, {writes, decision: {guards = []}}: LostAttempt<T>): Promise<boolean> {
  const compared = new Map([
    ...writes.flatMap(({key, read}) => (read ? [[key, read.modRevision] as const] : [])),
    ...guards.flatMap((guard) => ('modRevision' in guard && guard.modRevision > 0n ? [[guard.key, guard.modRevision] as const] : [])),
  ])
  const keys = [...compared.keys()]
  for (let start = 0; start < keys.length; start += KEYS_PER_READ) {
    const some = keys.slice(start, start + KEYS_PER_READ)
    const {results} = await store.transact({then: some.map((get) => ({get}))})
    if (some.some((key, i) => results[i]?.[0]?.modRevision !== compared.get(key))) return true
  }
  return false
}

const KEYS_PER_READ = 100

const mayComeLate = <T>({decision, error: lost}: LostAttempt<T>, error: unknown): CalicoError =>
  new CalicoError('unknown', `The response to a write was lost, and the write may still be executed: ${decision.what} may or may not be made`, {
    details: [lost.message, ...(error instanceof CalicoError ? [`Another attempt failed: ${error.message}`] : [])],
    hint: 'Check the object before you run the command again.',
    cause: error,
  })

/** Reads again after a lost answer, which takes what is left of the time. */
async function readAgain<T>(session: Session, operations: readonly Operation[], lost: LostAttempt<T>): Promise<TransactionResult> {
  try {
    return await session.store.transact({then: operations})
  } catch (error) {
    throw cannotTell(lost, error)
  }
}

/** The revision at which LOST was executed, undefined if it was not (yet). */
async function wasExecuted<T>(session: Session, lost: LostAttempt<T>): Promise<Revision | undefined> {
  try {
    return await executedAt(session, lost.writes, lost.after)
  } catch (error) {
    throw cannotTell(lost, error)
  }
}

function cannotTell<T>(lost: LostAttempt<T>, cause: unknown): CalicoError {
  const why =
    cause instanceof CompactedError
      ? 'the datastore has compacted the history that is needed to find out'
      : isError(cause, 'wrong-datastore')
        ? 'another etcd cluster now answers'
        : 'the datastore no longer answers'
  const before = lost.error instanceof FullError ? 'A full datastore may have executed a write that it refused, and' : 'The response to a write was lost and'
  return new CalicoError('unknown', `${before} ${why}: ${lost.decision.what} may or may not have been made`, {
    details: [lost.error.message],
    hint: 'Check the object before you run the command again.',
    cause,
  })
}

/** A deadline that comes while others keep winning the race is a conflict, not an absent datastore (decisions.md 15). */
function afterConflict(error: unknown, tries: number): unknown {
  if (tries > 1 && isError(error, 'unreachable')) {
    return new CalicoError('conflict', 'Another client kept changing the same objects until the timeout; nothing was changed', {
      details: [error.message],
      hint: 'Run the command again, or use a larger --timeout.',
      cause: error,
    })
  }
  return error
}
