/**
 * What one process last saw of the keys that it edits, so that the next edit of the same object need not read it again. Never trusted: a decision made from
 * it is written only if the object and the cluster are still so, and a refusal, or that nothing is to be done, is never taken from it (commit.ts, `remembered`).
 */
import type {Datastore, KeyValue, Revision, Transaction, TransactionResult} from '../datastore/datastore.js'
import {CLUSTER_KEY} from './cluster.js'

/** A key and ClusterInformation as they were at one revision. */
interface LastSeen {
  readonly kv: KeyValue
  readonly cluster: KeyValue
  readonly revision: Revision
  /** Milliseconds of `performance.now()`. */
  readonly at: number
}

/** How many keys are kept: their values may be large. */
const MAX_KEYS = 100

/** What is older is read again: the store may soon have compacted the history that settles a lost answer. */
const MAX_AGE_MS = 10_000

export interface SeeingStore {
  /** The store, which notes what passes. */
  readonly store: Datastore
  /** What {@link CLUSTER_KEY} and KEY were when they were last seen, as the answer to the two gets; undefined if that is not known, or KEY did not exist. */
  readonly recall: (key: string) => TransactionResult | undefined
}

/** STORE, and what passes through it from now on. */
export function seeing(store: Datastore, now: () => number = () => performance.now()): SeeingStore {
  const seen = new Map<string, LastSeen>()
  let cluster: KeyValue | undefined

  const note = (key: string, last: LastSeen | undefined): void => {
    seen.delete(key)
    if (last === undefined) return
    seen.set(key, last)
    const [oldest] = seen.keys()
    if (seen.size > MAX_KEYS && oldest !== undefined) seen.delete(oldest)
  }

  const transact = async (transaction: Transaction): Promise<TransactionResult> => {
    const writes = transaction.then.flatMap((operation) => ('put' in operation ? [operation.put] : 'delete' in operation ? [operation.delete] : []))
    const before = new Map(writes.map((key) => [key, seen.get(key)?.kv]))
    // While it is under way, and where its answer is lost, nothing is known of what it writes.
    for (const key of writes) seen.delete(key)
    const answer = await store.transact(transaction)
    const {succeeded, revision, results} = answer
    const operations = (succeeded ? transaction.then : transaction.else) ?? []
    const at = operations.findIndex((operation) => 'get' in operation && operation.get === CLUSTER_KEY)
    if (at >= 0) [cluster] = results[at] ?? []
    const holds = at >= 0 || (succeeded && comparesCluster(transaction, cluster))
    for (const [i, operation] of operations.entries()) {
      const kv = 'get' in operation ? results[i]?.[0] : 'put' in operation && succeeded ? putOver(before.get(operation.put), operation, transaction, revision) : undefined
      const key = 'get' in operation ? operation.get : 'put' in operation ? operation.put : 'delete' in operation ? operation.delete : undefined
      if (key !== undefined && key !== CLUSTER_KEY) note(key, holds && kv && cluster ? {kv, cluster, revision, at: now()} : undefined)
    }
    return answer
  }

  return {
    store: Object.create(store, {transact: {value: transact}}) as Datastore,
    recall(key) {
      const last = seen.get(key)
      if (!last || now() - last.at > MAX_AGE_MS) return undefined
      return {succeeded: true, revision: last.revision, results: [[last.cluster], [last.kv]]}
    },
  }
}

/** Whether TRANSACTION holds only if ClusterInformation is still CLUSTER. */
const comparesCluster = ({if: compares = []}: Transaction, cluster: KeyValue | undefined): boolean =>
  compares.some((compare) => 'value' in compare && compare.key === CLUSTER_KEY && compare.value === cluster?.value)

/** What a put at REVISION has made of its key, which was BEFORE; undefined where the transaction has not compared that. */
function putOver(before: KeyValue | undefined, {put: key, value}: {readonly put: string; readonly value: string}, {if: compares = []}: Transaction, revision: Revision): KeyValue | undefined {
  for (const compare of compares) {
    if (!('key' in compare) || compare.key !== key) continue
    if ('version' in compare && compare.version === 0n) return {key, value, modRevision: revision, createRevision: revision, version: 1n}
    if ('modRevision' in compare && compare.modRevision === before?.modRevision) return {key, value, modRevision: revision, createRevision: before.createRevision, version: before.version + 1n}
  }
  return undefined
}
