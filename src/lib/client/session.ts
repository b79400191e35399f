import type {Datastore, KeyValue, Revision, TransactionResult} from '../datastore/datastore.js'

/** What an interrupted command must be able to say about its writes. */
export interface WriteLog {
  /** Writes that the datastore has confirmed, in words; of a long-lived session, the latest of them. */
  readonly done: string[]
  /** How many of them are kept; all of them where this is undefined. */
  readonly keep?: number | undefined
  /** The write that has been sent and not yet answered. */
  open: {readonly what: string; readonly settled: Promise<void>} | undefined
  /** What is still to be done after the writes so far, as a sentence; undefined where every write stands for itself. */
  remaining: string | undefined
  /** Reverts, when the command is interrupted, what it has begun outside the datastore, and says in a sentence what became of it. */
  undo?: (() => Promise<string>) | undefined
}

/** A transaction that is about to be sent, for the journal. */
export interface Written {
  /** Each key with what stands there now (undefined = it does not exist) and the new value (undefined = deleted). A key is written only if it is still as it was read. */
  readonly writes: readonly {readonly key: string; readonly read: KeyValue | undefined; readonly value: string | undefined}[]
  /** The revision that it was decided on. */
  readonly revision: Revision
  /** The GUID of the cluster that is written. */
  readonly cluster: string | undefined
}

/** What became of a transaction: the revision at which it was executed; it was not, and will not be; or the answer was lost, and no one can tell. */
export type Outcome = Revision | 'not made' | 'unknown'

/** Is called with a transaction before it is sent; what it returns is called with the outcome, unless the process ends before that is known. */
export type Recorder = (written: Written) => Promise<(outcome: Outcome) => Promise<void>>

/** One command's use of a datastore: the store, what the user allowed, and where to say things. */
export interface Session {
  readonly store: Datastore
  /** Compute and validate everything, write nothing. */
  readonly dryRun: boolean
  /** The user said that a store without ClusterInformation may be initialised although it holds keys (decisions.md 8). */
  readonly init: boolean
  /** The cluster GUID that the store must have. */
  readonly expectCluster: string | undefined
  readonly writes: WriteLog
  /** Is informed of each transaction; what it throws ends the change before anything is written. */
  readonly record?: Recorder | undefined
  /** Is awaited before each transaction that writes, with the GUID of the cluster; what it throws ends the change before anything is written. */
  readonly prepare?: ((cluster: string | undefined) => Promise<void>) | undefined
  /** Is informed of each transaction that a dry run would have sent. */
  readonly rehearse?: ((written: Written) => void) | undefined
  /** What ClusterInformation and KEY were when this process last saw them: a first decision may be made from it (commit.ts, `remembered`). */
  readonly recall?: ((key: string) => TransactionResult | undefined) | undefined
  /** Says something on stderr that the user should know although the command goes on. Each text once. */
  readonly warn: (message: string) => void
  /** As WARN, for what the store itself is (empty, initialised just now): said to those too who want no warnings (decisions.md 38). */
  readonly announce: (message: string) => void
}

/** What a session that lives for months may keep of writes and warnings. */
const LONG_LIVED_KEEPS = 100

export interface SessionOptions {
  readonly dryRun?: boolean
  readonly init?: boolean
  readonly expectCluster?: string | undefined
  readonly record?: Recorder | undefined
  readonly prepare?: ((cluster: string | undefined) => Promise<void>) | undefined
  readonly rehearse?: ((written: Written) => void) | undefined
  readonly recall?: Session['recall']
  readonly warn: (message: string) => void
  /** Where it is missing, WARN does this, too. */
  readonly announce?: (message: string) => void
  /** A server's: what it remembers of the past is bounded. A warning may then come again. */
  readonly longLived?: boolean
}

export function newSession(store: Datastore, {dryRun = false, init = false, expectCluster, record, prepare, rehearse, recall, warn, announce = warn, longLived = false}: SessionOptions): Session {
  const said = new Set<string>()
  const once = (say: (message: string) => void) => (message: string): void => {
    if (said.has(message)) return
    if (longLived && said.size >= LONG_LIVED_KEEPS) said.clear()
    said.add(message)
    say(message)
  }
  return {
    store,
    dryRun,
    init,
    expectCluster,
    record,
    prepare,
    rehearse,
    recall,
    writes: {done: [], keep: longLived ? LONG_LIVED_KEEPS : undefined, open: undefined, remaining: undefined},
    warn: once(warn),
    announce: once(announce),
  }
}

/** Notes that the datastore has confirmed WHAT. */
export function noteDone({done, keep = Infinity}: WriteLog, what: string): void {
  done.push(what)
  if (done.length > keep) done.shift()
}
