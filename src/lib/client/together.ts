/** Many edits as one: done on a stage, one after another, and written in one guarded transaction (design-whole.md §1). */
import type {Compare, KeyValue, Revision} from '../datastore/datastore.js'
import {CompactedError, TooLargeError} from '../datastore/errors.js'
import {stage, type StagedChange, type StagedDatastore} from '../datastore/staged/staged-datastore.js'
import {CalicoError} from '../errors.js'
import {CLUSTER_KEY} from './cluster.js'
import {commit, type Committed, type Decision, type Seen} from './commit.js'
import {newSession, type Session} from './session.js'

export interface Together<T> {
  /** What WORK gave. */
  readonly outcome: T
  /** The net effect, in key order. */
  readonly changes: readonly StagedChange[]
  /** False: nothing was to be done, or this is a dry run. */
  readonly wrote: boolean
  /** The modRevision of what was written, or the revision that was read. */
  readonly revision: Revision
}

/** How often WORK is begun again because the datastore has forgotten the revision that it reads. */
const MAX_COMPACTIONS = 3

/**
 * Does WORK with a session on a stage over SESSION's store, then writes the net effect in one transaction as commit() does: if something has changed that
 * it rests on, WORK is done again on what is there now; a lost answer is settled; an empty store is initialised. In a dry run nothing is sent.
 * WORK may use sessions of its own on the stage, and must not keep anything outside it from one time to the next.
 * @param what for messages, e.g. `the batch changes.txt`
 * @throws whatever WORK throws (nothing was written then); CalicoError `refused` with the numbers if it does not fit in one transaction of this datastore;
 * and what commit() throws
 */
export async function together<T>(session: Session, what: string, work: (staged: Session, store: StagedDatastore) => Promise<T>): Promise<Together<T>> {
  let last: Decision<unknown> | undefined
  const decide = async (seen: Seen): Promise<Decision<Pick<Together<T>, 'outcome' | 'changes'>>> => {
    const store = stage(session.store, seen.revision, knownOf(seen))
    try {
      const outcome = await work(newSession(store, {init: session.init, expectCluster: session.expectCluster, warn: session.warn, announce: session.announce}), store)
      const changes = store.changes()
      const writes = changes.map(({key, before, after}) => ({key, read: before, value: after}))
      const decision = {what, writes, guards: store.guards().filter((guard) => !isClusterGuard(guard, seen)), outcome: {outcome, changes}}
      last = decision
      return decision
    } finally {
      store.close()
    }
  }
  try {
    const {outcome, ...rest} = await untilNotCompacted(() => commit(session, [], decide))
    return {...outcome, ...rest}
  } catch (error) {
    throw error instanceof TooLargeError && last ? tooLarge(what, last, error) : error
  }
}

/** What {@link together} would give, on what is there now; nothing is sent. @throws what together() throws before it writes */
export async function rehearse<T>({store, init, expectCluster, warn}: Session, what: string, work: (staged: Session) => Promise<T>): Promise<T> {
  return (await together(newSession(store, {dryRun: true, init, expectCluster, warn, announce: () => undefined}), what, work)).outcome
}

async function untilNotCompacted<T>(attempt: () => Promise<Committed<T>>): Promise<Committed<T>> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof CompactedError) || tries > MAX_COMPACTIONS) throw error
    }
  }
}

const knownOf = ({cluster}: Seen): ReadonlyMap<string, KeyValue | undefined> => new Map([[CLUSTER_KEY, cluster.state === 'present' ? cluster.stored : undefined]])

/** What commit() compares by itself: the cluster by its value. */
const isClusterGuard = (guard: Compare, {cluster}: Seen): boolean => cluster.state === 'present' && 'value' in guard && guard.key === CLUSTER_KEY && guard.value === cluster.stored.value

function tooLarge(what: string, {writes, guards = []}: Decision<unknown>, cause: TooLargeError): CalicoError {
  const bytes = writes.reduce((sum, {key, value = ''}) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  return new CalicoError('refused', `${what.slice(0, 1).toUpperCase()}${what.slice(1)} does not fit in one transaction of this datastore; nothing was changed`, {
    details: [`It writes ${writes.length} keys (${bytes} bytes) and compares ${writes.length + guards.length + 1} keys and prefixes.`, cause.message],
    hint: 'etcd allows 128 operations, 128 comparisons and 1.5 MiB unless --max-txn-ops and --max-request-bytes are set higher. Split the change into several parts.',
    cause,
  })
}
