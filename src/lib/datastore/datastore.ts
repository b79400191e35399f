/**
 * The datastore port: an ordered key-value store with revisions and guarded transactions, which is what etcd v3 is
 * and what the embedded store imitates. Nothing here knows what a profile is; nothing above here knows what etcd is.
 * One contract suite (test/contract) holds both adapters to this file.
 */

/** A revision of the store: a counter that every changing transaction raises by one. 64 bits, never a double. */
export type Revision = bigint

export interface KeyValue {
  readonly key: string
  readonly value: string
  /** Revision of the key's last change: what a compare-and-swap compares. */
  readonly modRevision: Revision
  /** Revision at which the key was created. */
  readonly createRevision: Revision
  /** Number of changes since the creation; 0 = the key does not exist. */
  readonly version: bigint
}

/** A condition of a transaction. All must hold for its `then` branch to run. */
export type Compare =
  /** The key has had exactly this many changes since its creation; 0n = it does not exist. */
  | {readonly key: string; readonly version: bigint}
  /** The key was last changed at this revision; 0n = it does not exist. */
  | {readonly key: string; readonly modRevision: Revision}
  /** The key exists with exactly this value. */
  | {readonly key: string; readonly value: string}
  /** No key under this prefix was created or changed after this revision. Deletions are not seen (decisions.md 9). */
  | {readonly prefix: string; readonly unchangedSince: Revision}

/** An operation of a transaction's branch. A key may be written only once in a transaction. */
export type Operation =
  | {readonly get: string}
  | {readonly list: string; readonly keysOnly?: boolean}
  /** PREVIOUS: its result is to be what was there before. */
  | {readonly put: string; readonly value: string; readonly previous?: boolean}
  | {readonly delete: string}

export interface Transaction {
  /** Conditions, at most 128. None = always true. */
  readonly if?: readonly Compare[]
  /** At most 128 operations. */
  readonly then: readonly Operation[]
  readonly else?: readonly Operation[]
}

/**
 * The answer to one operation: what a get or list found (in key order); for a delete, and for a put with `previous`, the key with its value as it was
 * before the transaction, if it was there; empty for another put.
 */
export type OperationResult = readonly KeyValue[]

export interface TransactionResult {
  /** Whether all conditions held, and so which branch ran. */
  readonly succeeded: boolean
  /** The store's revision after the transaction; if it wrote, the modRevision of all that it wrote. */
  readonly revision: Revision
  /** One per operation of the branch that ran, in its order. */
  readonly results: readonly OperationResult[]
}

export interface ListOptions {
  /** Only keys; every `value` is ''. */
  readonly keysOnly?: boolean
  /** Read as of this revision. @throws CompactedError if it is gone. */
  readonly revision?: Revision
  /** Keys per request; the default is 1,000. */
  readonly pageSize?: number
}

/** A page of a list: every page of one list is read at the same revision. */
export interface Page {
  readonly revision: Revision
  readonly entries: readonly KeyValue[]
}

/** A change of one key. `kv` = what was put; absent = deleted. */
export interface Change {
  readonly key: string
  readonly revision: Revision
  readonly kv?: KeyValue
  /** What stood there before, where the store still knows it. */
  readonly previous?: KeyValue
}

/** The changes of one or more transactions, oldest first; a transaction's changes are never split over two batches. */
export type ChangeBatch = readonly Change[]

/** How much space a store takes where it is kept. */
export interface StoreUsage {
  /** Bytes of its file. */
  readonly bytes: number
  /** Bytes of that which hold something; undefined where all do. */
  readonly bytesInUse: number | undefined
  /** Why it does not work as it should, in its own words: `NOSPACE`, `CORRUPT`. */
  readonly alarms: readonly string[]
}

/**
 * Errors of every verb, as CalicoError: `wrong-datastore` (the answer comes from another etcd cluster than the first one), `unreachable` (no answer within the budget), `denied` (TLS, user, password, permission),
 * `failed` (the store refused the request itself, e.g. too large). Only `transact` with a put or delete in it also throws
 * `OutcomeUnknownError`: the request may have been executed. Reads are retried on other endpoints within the budget; a write is
 * sent again only if it certainly was never sent.
 */
export interface Datastore {
  /** For messages: the store and where the setting came from, e.g. `etcd at http://127.0.0.1:2379 (from ETCD_ENDPOINTS)`. */
  readonly description: string

  /**
   * How often the store has been replaced by another one since it was opened (only if it was opened for long): what was remembered of
   * the one before does not hold any more. All answers of one generation come from one store.
   */
  readonly generation: number

  /** The key as it is now (or at REVISION), undefined if it does not exist. */
  get(key: string, options?: {revision?: Revision}): Promise<{revision: Revision; kv: KeyValue | undefined}>

  /** All keys that begin with PREFIX, in byte order of their UTF-8, page by page at one pinned revision. */
  list(prefix: string, options?: ListOptions): AsyncIterable<Page>

  /** Runs TRANSACTION atomically. Without put and delete it is a read of many keys at one revision. */
  transact(transaction: Transaction): Promise<TransactionResult>

  /** Changes under PREFIX from revision FROM on (inclusive), until SIGNAL aborts. Survives the loss of a connection. @throws CompactedError */
  watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<ChangeBatch>

  /** The changes of KEY from revision FROM (inclusive) up to now, oldest first. @throws CompactedError if the store no longer knows them all. */
  history(key: string, from: Revision): Promise<ChangeBatch>

  /**
   * Only of a store that stages what is written (staged/): notes that something was decided to need no write because CONDITIONS hold, and because of what
   * was read since the last write or decision. All that must still be so when what was staged is committed.
   */
  readonly restOn?: (conditions: readonly Compare[]) => void

  /** How much space the store takes; not of one that stages what is written. */
  readonly usage?: () => Promise<StoreUsage>

  /** Releases the connection. Idempotent; every call after it throws. */
  close(): void
}
