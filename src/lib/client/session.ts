import type {Datastore} from '../datastore/datastore.js'

/** What an interrupted command must be able to say about its writes. */
export interface WriteLog {
  /** Writes that the datastore has confirmed, in words. */
  readonly done: string[]
  /** The write that has been sent and not yet answered. */
  open: {readonly what: string; readonly settled: Promise<void>} | undefined
  /** What is still to be done after the writes so far, as a sentence; undefined where every write stands for itself. */
  remaining: string | undefined
  /** Takes back, when the command is interrupted, what it has begun outside the datastore, and says in a sentence what became of it. */
  undo?: (() => Promise<string>) | undefined
}

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
  /** Says something on stderr that the user should know although the command goes on. Told once per text. */
  readonly warn: (message: string) => void
}

export function newSession(
  store: Datastore,
  {dryRun = false, init = false, expectCluster, warn}: {dryRun?: boolean; init?: boolean; expectCluster?: string | undefined; warn: (message: string) => void},
): Session {
  const said = new Set<string>()
  return {
    store,
    dryRun,
    init,
    expectCluster,
    writes: {done: [], open: undefined, remaining: undefined},
    warn(message) {
      if (said.has(message)) return
      said.add(message)
      warn(message)
    },
  }
}
