import {CalicoError} from '../../errors.js'
import type {Change, Compare, KeyValue, Operation, OperationResult, Revision, Transaction, TransactionResult} from '../datastore.js'
import {CompactedError, TooLargeError} from '../errors.js'
import {compareUtf8} from '../../utf8-order.js'

/** The contents of the embedded store and what a transaction does to them, with etcd's rules and limits. Pure. */
export interface State {
  readonly revision: Revision
  /** Changes up to this revision are forgotten; the state at it can still be read. */
  readonly compacted: Revision
  readonly keys: ReadonlyMap<string, KeyValue>
  /** The changes after `compacted`, oldest first. */
  readonly log: readonly Change[]
}

/** etcd begins with revision 1, too. */
export const EMPTY: State = {revision: 1n, compacted: 0n, keys: new Map(), log: []}

/** How many changes are kept (decisions.md 16); whole transactions only. */
export const LOG_LENGTH = 1_000
/** etcd's defaults for --max-txn-ops and --max-request-bytes: what a rehearsal must not exceed either. */
const MAX_OPERATIONS = 128
const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024

/** STATE as it was at REVISION. @throws CompactedError */
export function stateAt(state: State, revision: Revision): State {
  if (revision === state.revision) return state
  if (revision > state.revision) {
    throw new CalicoError('failed', `The embedded store has not reached revision ${revision.toString()}; it is at ${state.revision.toString()}`)
  }
  if (revision < state.compacted) throw new CompactedError(state.compacted)
  const keys = new Map(state.keys)
  for (const {key, revision: changed, previous} of state.log.toReversed()) {
    if (changed <= revision) break
    if (previous) keys.set(key, previous)
    else keys.delete(key)
  }
  return {...state, revision, keys, log: state.log.filter((change) => change.revision <= revision)}
}

/** The entries whose key begins with PREFIX, in key order. */
export const entriesUnder = ({keys}: Pick<State, 'keys'>, prefix: string): KeyValue[] =>
  [...keys.values()].filter(({key}) => key.startsWith(prefix)).sort((a, b) => compareUtf8(a.key, b.key))

/** The changes of matching keys from revision FROM on. @throws CompactedError if some of them are forgotten. */
export function changesSince({compacted, log}: State, from: Revision, matches: (key: string) => boolean): Change[] {
  if (from <= compacted && compacted > 0n) throw new CompactedError(compacted)
  return log.filter(({key, revision}) => revision >= from && matches(key))
}

/**
 * Runs TRANSACTION on STATE. The same state comes back if nothing changes.
 * @param who the store that refuses what etcd would refuse, as the beginning of a sentence
 * @throws CalicoError `failed`
 */
export function applyTransaction(state: State, transaction: Transaction, who = 'The embedded store'): {state: State; result: TransactionResult} {
  const why = objection(transaction)
  if (why) throw refusal(who, why)
  const succeeded = (transaction.if ?? []).every((compare) => holds(state, compare))
  const branch = succeeded ? transaction.then : (transaction.else ?? [])
  const revision = state.revision + 1n
  const changes: Change[] = []
  // Only what may change is copied: most transactions read.
  const keys = branch.some((operation) => 'put' in operation || 'delete' in operation) ? new Map(state.keys) : (state.keys as Map<string, KeyValue>)
  const results = branch.map((operation) => run(keys, changes, revision, operation))
  if (changes.length === 0) return {state, result: {succeeded, revision: state.revision, results}}
  return {state: trim({...state, revision, keys, log: [...state.log, ...changes]}), result: {succeeded, revision, results}}
}

function holds({keys}: State, compare: Compare): boolean {
  if ('prefix' in compare) {
    for (const {key, modRevision} of keys.values()) if (modRevision > compare.unchangedSince && key.startsWith(compare.prefix)) return false
    return true
  }
  const kv = keys.get(compare.key)
  if ('version' in compare) return (kv?.version ?? 0n) === compare.version
  if ('modRevision' in compare) return (kv?.modRevision ?? 0n) === compare.modRevision
  return kv?.value === compare.value
}

function run(keys: Map<string, KeyValue>, changes: Change[], revision: Revision, operation: Operation): OperationResult {
  if ('get' in operation) return [keys.get(operation.get)].filter((kv) => kv !== undefined)
  if ('list' in operation) {
    const found = entriesUnder({keys}, operation.list)
    return operation.keysOnly ? found.map((kv) => ({...kv, value: ''})) : found
  }
  const key = 'put' in operation ? operation.put : operation.delete
  const previous = keys.get(key)
  if ('put' in operation) {
    const kv = {
      key,
      value: operation.value,
      modRevision: revision,
      createRevision: previous?.createRevision ?? revision,
      version: (previous?.version ?? 0n) + 1n,
    }
    keys.set(key, kv)
    changes.push({key, revision, kv, ...(previous && {previous})})
    return operation.previous && previous ? [previous] : []
  }
  if (!previous) return []
  keys.delete(key)
  changes.push({key, revision, previous})
  return [previous]
}

function trim(state: State): State {
  const excess = state.log.length - LOG_LENGTH
  const compacted = excess > 0 ? state.log[excess - 1]?.revision : undefined
  if (compacted === undefined) return state
  return {...state, compacted, log: state.log.filter(({revision}) => revision > compacted)}
}

/** Why a transaction is refused. */
interface Objection {
  readonly text: string
  readonly tooLarge?: boolean
}

const refusal = (who: string, {text, tooLarge}: Objection): CalicoError => {
  const message = `${who} refuses the transaction: ${text}`
  return tooLarge ? new TooLargeError(message) : new CalicoError('failed', message)
}

/** What etcd refuses: too many operations, a key written twice, an empty key, too many bytes. */
function objection({if: conditions = [], then, else: otherwise = []}: Transaction): Objection | undefined {
  const most = Math.max(conditions.length, then.length, otherwise.length)
  if (most > MAX_OPERATIONS) return {text: `it has ${most} operations, ${MAX_OPERATIONS} are allowed`, tooLarge: true}
  const bytes = [...then, ...otherwise].reduce((sum, operation) => sum + ('put' in operation ? Buffer.byteLength(operation.put) + Buffer.byteLength(operation.value) : 0), 0)
  if (bytes > MAX_REQUEST_BYTES) return {text: `it has ${bytes} bytes, ${MAX_REQUEST_BYTES} are allowed`, tooLarge: true}
  return branchObjection(then) ?? branchObjection(otherwise)
}

function branchObjection(branch: readonly Operation[]): Objection | undefined {
  const put = new Set<string>()
  for (const operation of branch) {
    if (!('put' in operation)) continue
    if (operation.put === '') return {text: 'a key is empty'}
    if (put.has(operation.put)) return {text: `the key ${operation.put} is written twice`}
    put.add(operation.put)
  }
  const both = branch.find((operation) => 'delete' in operation && put.has(operation.delete))
  return both && 'delete' in both ? {text: `the key ${both.delete} is written twice`} : undefined
}
