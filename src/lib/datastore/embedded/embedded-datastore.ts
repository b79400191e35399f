import {setTimeout as sleep} from 'node:timers/promises'
import {CalicoError} from '../../errors.js'
import type {EmbeddedSettings} from '../../settings/types.js'
import type {Budget} from '../budget.js'
import type {Change, ChangeBatch, Datastore, ListOptions, Page, Revision, Transaction, TransactionResult} from '../datastore.js'
import {storeFile} from './file.js'
import {withLock} from './lock.js'
import {applyTransaction, changesSince, entriesUnder, stateAt, type State} from './state.js'

const DEFAULT_PAGE_SIZE = 1_000
const POLL_MS = 100

/**
 * The datastore port on one file, for trying the tool, rehearsing a provisioning script, and tests (design.md §3). Readers need no
 * lock, because the file is only ever replaced as a whole; writers take turns.
 */
export function openEmbedded({path}: EmbeddedSettings, budget: Budget): Datastore {
  const file = storeFile(path.value)
  let closed = false
  /** The writes of this process, one after another. */
  let lastWrite: Promise<unknown> = Promise.resolve()

  function refuseIfClosed(): void {
    if (closed) throw new CalicoError('failed', 'the datastore is closed')
  }

  function read(revision?: Revision): State {
    refuseIfClosed()
    const state = file.read()
    return revision === undefined ? state : stateAt(state, revision)
  }

  async function write(transaction: Transaction): Promise<TransactionResult> {
    refuseIfClosed()
    file.prepareFolder()
    return withLock(`${path.value}.lock`, budget.forRequest(), async () => {
      const before = read()
      const {state, result} = applyTransaction(before, transaction)
      if (state !== before) await file.write(state)
      return result
    })
  }

  async function transact(transaction: Transaction): Promise<TransactionResult> {
    const writes = [...transaction.then, ...(transaction.else ?? [])].some((operation) => 'put' in operation || 'delete' in operation)
    if (!writes) return applyTransaction(read(), transaction).result
    const turn = lastWrite.then(() => write(transaction))
    lastWrite = turn.catch(() => undefined)
    return turn
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous, this adapter has nothing to wait for
  async function* list(prefix: string, {keysOnly = false, revision, pageSize = DEFAULT_PAGE_SIZE}: ListOptions = {}): AsyncIterable<Page> {
    const state = read(revision)
    const found = entriesUnder(state, prefix)
    for (let start = 0; start === 0 || start < found.length; start += pageSize) {
      const entries = found.slice(start, start + pageSize)
      yield {revision: state.revision, entries: keysOnly ? entries.map((kv) => ({...kv, value: ''})) : entries}
    }
  }

  async function* watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<ChangeBatch> {
    let next = from
    while (!signal.aborted) {
      const state = read()
      if (next <= state.revision) {
        const changes = changesSince(state, next, (key) => key.startsWith(prefix))
        next = state.revision + 1n
        if (changes.length > 0) yield changes
      }
      await sleep(POLL_MS, undefined, {signal}).catch(() => undefined)
    }
  }

  function history(key: string, from: Revision): Change[] {
    const state = read()
    const last = state.keys.get(key)
    if (from > state.revision || (last && last.modRevision < from)) return []
    return changesSince(state, from, (candidate) => candidate === key)
  }

  return {
    description: `the embedded store ${path.value} (from ${path.origin})`,
    generation: 0,
    get: (key, {revision} = {}) =>
      promised(() => {
        const state = read(revision)
        return {revision: state.revision, kv: state.keys.get(key)}
      }),
    list,
    transact,
    watch,
    history: (key, from) => promised(() => history(key, from)),
    usage: () => promised(() => ({bytes: file.size(), bytesInUse: undefined, alarms: []})),
    close: () => void (closed = true),
  }
}

/** The result of WORK, or what it threw, as a promise. */
const promised = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work())
  })
