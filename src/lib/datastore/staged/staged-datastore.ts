/**
 * The third adapter of the datastore port: a store over another one, which sees the base at one revision with what was written here on top. Nothing is
 * written to the base. Its revisions go on from the base's: each transaction here that changes something has the next one.
 */
import {CalicoError} from '../../errors.js'
import {compareUtf8} from '../../utf8-order.js'
import type {Change, ChangeBatch, Compare, Datastore, KeyValue, ListOptions, Operation, Page, Revision, Transaction, TransactionResult} from '../datastore.js'
import {applyTransaction, type State} from '../embedded/state.js'
import {asItIs, type Judged, newConditions} from './conditions.js'
import {knownOf, type Needs} from './known.js'
import {stagedHistory, stagedWatch} from './staged-changes.js'

/** What became of a key by all that was staged. */
export interface StagedChange {
  readonly key: string
  /** As the base has it; undefined = it does not exist there. */
  readonly before: KeyValue | undefined
  /** undefined = deleted. */
  readonly after: string | undefined
}

/** A Datastore over another one, which keeps to itself what is written. */
export interface StagedDatastore extends Datastore {
  /** Reads KEYS from the base in few requests, so that later gets of them cost no round trip. */
  prefetch(keys: readonly string[]): Promise<void>
  /** The net effect so far, in key order; a key whose value ends as it was is left out. */
  changes(): readonly StagedChange[]
  /**
   * What must still hold in the base where `changes()` are committed, beyond that each changed key is as its `before`: what staged transactions and
   * decisions to do nothing rested on (`restOn`). Together with the changed keys it makes the outcome that of the steps one after another, alone, at
   * the moment of the commit; deletions under a prefix are not seen (decisions.md 9).
   */
  guards(): readonly Compare[]
  readonly restOn: (conditions: readonly Compare[]) => void
}

const DEFAULT_PAGE_SIZE = 1_000

/**
 * A stage over BASE at REVISION, which reads from BASE what it needs, when it needs it. To close it leaves BASE open.
 * @param seen what is known of BASE at REVISION already; undefined as value = the key does not exist
 * @throws (its verbs) CompactedError if BASE forgets REVISION meanwhile, and BASE's own errors
 */
export function stage(base: Datastore, revision: Revision, seen: ReadonlyMap<string, KeyValue | undefined> = new Map()): StagedDatastore {
  const known = knownOf(base, revision, seen)
  /** What was written here, oldest first, and what it makes of each key (undefined = deleted). */
  const log: Change[] = []
  const written = new Map<string, KeyValue | undefined>()
  const conditions = newConditions(revision)
  const judged: Judged = {isWritten: (key) => written.has(key), stored: (key) => known.get(key)}
  let now = revision
  let closed = false
  const wake: (() => void)[] = []
  /** What was read since the last write or decision not to write. */
  const read = {keys: new Set<string>(), prefixes: new Set<string>()}

  function refuseIfClosed(): void {
    if (closed) throw new CalicoError('failed', 'the datastore is closed')
  }

  function noteRead(operation: Operation): void {
    if ('get' in operation) read.keys.add(operation.get)
    else if ('list' in operation) read.prefixes.add(operation.list)
  }

  function forgetReads(): void {
    read.keys.clear()
    read.prefixes.clear()
  }

  /** What stands over the base at revision AT. */
  function writtenAt(at: Revision): ReadonlyMap<string, KeyValue | undefined> {
    if (at === now) return written
    return new Map(log.filter((change) => change.revision <= at).map(({key, kv}) => [key, kv]))
  }

  /** @throws CalicoError `failed` for a revision that is not there yet */
  function checkReached(at: Revision): void {
    if (at > now) throw new CalicoError('failed', `The staged store has not reached revision ${at.toString()}; it is at ${now.toString()}`)
  }

  async function get(key: string, {revision: at = now}: {revision?: Revision} = {}): Promise<{revision: Revision; kv: KeyValue | undefined}> {
    refuseIfClosed()
    checkReached(at)
    if (at < revision) return base.get(key, {revision: at})
    noteRead({get: key})
    const over = writtenAt(at)
    if (!over.has(key)) await known.load({keys: new Set([key]), lists: new Map()})
    return {revision: at, kv: over.has(key) ? over.get(key) : known.get(key)}
  }

  async function* list(prefix: string, {keysOnly = false, revision: at = now, pageSize = DEFAULT_PAGE_SIZE}: ListOptions = {}): AsyncIterable<Page> {
    refuseIfClosed()
    checkReached(at)
    if (at < revision) {
      yield* base.list(prefix, {keysOnly, revision: at, pageSize})
      return
    }
    noteRead({list: prefix})
    const over = new Map([...writtenAt(at)].filter(([key]) => key.startsWith(prefix)))
    const added = [...over.values()].filter((kv) => kv !== undefined).sort((a, b) => compareUtf8(a.key, b.key))
    let page: KeyValue[] = []
    let pages = 0
    const shown = (kv: KeyValue): KeyValue => (keysOnly ? {...kv, value: ''} : kv)
    for await (const kv of merged(known.pages(prefix, {keysOnly, pageSize}), over, added)) {
      page.push(shown(kv))
      if (page.length < pageSize) continue
      pages++
      yield {revision: at, entries: page}
      page = []
    }
    if (page.length > 0 || pages === 0) yield {revision: at, entries: page}
  }

  async function transact(transaction: Transaction): Promise<TransactionResult> {
    refuseIfClosed()
    await known.load(needsOf(transaction, revision, written))
    // From here on without waiting: a transaction is atomic.
    const before = stateFor(transaction)
    const {state, result} = applyTransaction(before, transaction, `The staged store over ${base.description}`)
    conditions.judged(transaction.if ?? [], result.succeeded, judged)
    for (const operation of (result.succeeded ? transaction.then : transaction.else) ?? []) noteRead(operation)
    if (state === before) return result
    forgetReads()
    for (const change of state.log) {
      log.push(change)
      written.set(change.key, change.kv)
    }
    now = result.revision
    for (const each of wake.splice(0)) each()
    return result
  }

  /** As much of the present state as TRANSACTION can see. */
  function stateFor({if: compares = [], then, else: otherwise = []}: Transaction): State {
    const keys = new Map<string, KeyValue>()
    const take = (kv: KeyValue | undefined): void => {
      if (kv) keys.set(kv.key, kv)
    }
    const operations = [...then, ...otherwise]
    for (const prefix of prefixesOf(compares, operations, revision)) {
      for (const kv of known.list(prefix)) take(kv)
    }
    for (const key of keysOf(compares, operations)) take(known.get(key))
    for (const [key, kv] of written) {
      keys.delete(key)
      take(kv)
    }
    return {revision: now, compacted: 0n, keys, log: []}
  }

  const changed = (from: Revision, prefix: string): Change[] => log.filter(({key, revision: at}) => at >= from && key.startsWith(prefix))

  return {
    description: base.description,
    get generation() {
      return base.generation
    },
    get,
    list,
    transact,
    watch: (prefix, from, signal): AsyncIterable<ChangeBatch> =>
      stagedWatch({base, revision, changed, now: () => now, refuseIfClosed, onChange: (call) => wake.push(call)}, prefix, from, signal),
    async history(key, from) {
      refuseIfClosed()
      return [...(await stagedHistory(base, revision, key, from)), ...log.filter((change) => change.key === key && change.revision >= from)]
    },
    async prefetch(keys) {
      refuseIfClosed()
      await known.load({keys: new Set(keys), lists: new Map()})
    },
    changes: () =>
      [...written.keys()]
        .map((key) => ({key, before: known.get(key), after: written.get(key)?.value}))
        .filter(({before, after}) => before?.value !== after)
        .sort((a, b) => compareUtf8(a.key, b.key)),
    guards: () => conditions.guards([...written].map(([key, kv]) => ({before: known.get(key), key, changes: known.get(key)?.value !== kv?.value}))),
    restOn(compares) {
      conditions.judged(compares, true, judged)
      const seen: Compare[] = [...[...read.keys].map((key) => asItIs(key, known.get(key))), ...[...read.prefixes].map((prefix) => ({prefix, unchangedSince: now}))]
      conditions.judged(seen, true, judged)
      forgetReads()
    },
    close() {
      closed = true
      for (const each of wake.splice(0)) each()
    },
  }
}

/** What must be known of the base before TRANSACTION can be judged. */
function needsOf({if: compares = [], then, else: otherwise = []}: Transaction, revision: Revision, written: ReadonlyMap<string, unknown>): Needs {
  const operations = [...then, ...otherwise]
  const lists = new Map<string, {keysOnly: boolean}>()
  for (const compare of compares) if ('prefix' in compare && compare.unchangedSince < revision) lists.set(compare.prefix, {keysOnly: true})
  for (const operation of operations) {
    if (!('list' in operation)) continue
    const keysOnly = (lists.get(operation.list)?.keysOnly ?? true) && (operation.keysOnly ?? false)
    lists.set(operation.list, {keysOnly})
  }
  const keys = keysOf(compares, operations).filter((key) => key !== '' && !written.has(key))
  return {keys: new Set(keys), lists}
}

const keysOf = (compares: readonly Compare[], operations: readonly Operation[]): string[] => [
  ...compares.flatMap((compare) => ('key' in compare ? [compare.key] : [])),
  ...operations.flatMap((operation) => ('get' in operation ? [operation.get] : 'put' in operation ? [operation.put] : 'delete' in operation ? [operation.delete] : [])),
]

/** Those whose entries in the base matter: a condition that nothing has changed since the base's revision holds for all that is in the base. */
const prefixesOf = (compares: readonly Compare[], operations: readonly Operation[], revision: Revision): string[] => [
  ...compares.flatMap((compare) => ('prefix' in compare && compare.unchangedSince < revision ? [compare.prefix] : [])),
  ...operations.flatMap((operation) => ('list' in operation && operation.keysOnly ? [operation.list] : [])),
  // Those with values last: they are what the others lack.
  ...operations.flatMap((operation) => ('list' in operation && !operation.keysOnly ? [operation.list] : [])),
]

/** The entries of PAGES without those that OVER replaces or deletes, and ADDED, which is in key order, among them. */
async function* merged(pages: AsyncIterable<Page>, over: ReadonlyMap<string, unknown>, added: readonly KeyValue[]): AsyncGenerator<KeyValue> {
  let next = 0
  for await (const {entries} of pages) {
    for (const kv of entries) {
      for (let first = added[next]; first && compareUtf8(first.key, kv.key) <= 0; first = added[next]) {
        yield first
        next++
      }
      if (!over.has(kv.key)) yield kv
    }
  }
  yield* added.slice(next)
}
