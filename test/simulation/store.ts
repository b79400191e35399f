/**
 * A simulated store: the datastore port on a value in memory, with etcd's rules (those of the embedded store, which the contract suite holds to etcd's).
 * Every request goes through a network, which decides when it arrives, whether it does, and what becomes of the answer.
 */
import type {Change, ChangeBatch, Datastore, ListOptions, Operation, Page, Revision, Transaction, TransactionResult} from '../../src/lib/datastore/datastore.js'
import {applyTransaction, changesSince, EMPTY, entriesUnder, type State, stateAt} from '../../src/lib/datastore/embedded/state.js'
import {CalicoError} from '../../src/lib/errors.js'

/** A request on its way to the store. */
export interface Sent {
  readonly verb: 'get' | 'list' | 'transact' | 'history' | 'watch'
  /** For the schedule: what is asked. */
  readonly what: () => string
  readonly writes: boolean
  /** The keys that it makes, if they are not there. */
  readonly creates?: readonly string[]
}

/** What carries requests and answers: calls EXECUTE when the request arrives, if it does, as often as it does. */
export type Network = <T>(sent: Sent, execute: () => T) => Promise<T>

export interface SimulatedStore {
  readonly state: State
  /** Forgets everything before the present revision. */
  compact(): void
  /** A client of the store. */
  client(network: Network, onExecuted?: (before: State, after: State) => void): Datastore
}

const DEFAULT_PAGE_SIZE = 1_000

/** TAMPER: what a broken store makes of a transaction; for tests of the checker. */
export function simulatedStore({tamper = (transaction) => transaction}: {tamper?: (transaction: Transaction) => Transaction} = {}): SimulatedStore {
  let state = EMPTY
  const wake = new Set<() => void>()

  function execute(transaction: Transaction, onExecuted: ((before: State, after: State) => void) | undefined): TransactionResult {
    const before = state
    const applied = applyTransaction(before, tamper(transaction), 'The simulated etcd')
    state = applied.state
    if (state !== before) {
      for (const each of [...wake]) each()
      onExecuted?.(before, state)
    }
    return applied.result
  }

  function client(network: Network, onExecuted?: (before: State, after: State) => void): Datastore {
    let closed = false
    const ask = async <T>(sent: Sent, run: () => T): Promise<T> => {
      if (closed) throw new CalicoError('failed', 'the datastore is closed')
      return network(sent, run)
    }

    async function* list(prefix: string, {keysOnly = false, revision, pageSize = DEFAULT_PAGE_SIZE}: ListOptions = {}): AsyncIterable<Page> {
      let pinned = revision
      for (let start = 0; ; start += pageSize) {
        const {page, isLast} = await ask({verb: 'list', what: () => `${prefix}* from ${start}`, writes: false}, () => {
          const seen = pinned === undefined ? state : stateAt(state, pinned)
          const found = entriesUnder(seen, prefix)
          const entries = found.slice(start, start + pageSize)
          return {page: {revision: seen.revision, entries: keysOnly ? entries.map((kv) => ({...kv, value: ''})) : entries}, isLast: start + pageSize >= found.length}
        })
        pinned = page.revision
        yield page
        if (isLast) return
      }
    }

    async function* watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<ChangeBatch> {
      for (let next = from; !signal.aborted; ) {
        const seen = next
        const {changes, revision} = await ask({verb: 'watch', what: () => `${prefix}* from ${seen}`, writes: false}, () => ({
          changes: seen <= state.revision ? changesSince(state, seen, (key) => key.startsWith(prefix)) : [],
          revision: state.revision,
        }))
        if (revision >= next) next = revision + 1n
        if (changes.length > 0) {
          yield changes
          continue
        }
        if (next <= state.revision) continue
        await new Promise<void>((resolve) => {
          const done = (): void => {
            wake.delete(done)
            signal.removeEventListener('abort', done)
            resolve()
          }
          wake.add(done)
          signal.addEventListener('abort', done)
          if (signal.aborted) done()
        })
      }
    }

    function history(key: string, from: Revision): Change[] {
      const last = state.keys.get(key)
      if (from > state.revision || (last && last.modRevision < from)) return []
      return changesSince(state, from, (candidate) => candidate === key)
    }

    return {
      description: 'the simulated etcd (from the test)',
      generation: 0,
      get: (key, {revision} = {}) =>
        ask({verb: 'get', what: () => key, writes: false}, () => {
          const seen = revision === undefined ? state : stateAt(state, revision)
          return {revision: seen.revision, kv: seen.keys.get(key)}
        }),
      list,
      transact: (transaction) => ask({verb: 'transact', what: () => describe(transaction), writes: isWrite(transaction), creates: (transaction.if ?? []).flatMap((compare) => ('version' in compare ? compare.key : []))}, () => execute(transaction, onExecuted)),
      watch,
      history: (key, from) => ask({verb: 'history', what: () => `${key} from ${from}`, writes: false}, () => history(key, from)),
      close: () => void (closed = true),
    }
  }

  return {
    get state() {
      return state
    },
    compact: () => void (state = {...state, compacted: state.revision, log: []}),
    client,
  }
}

const isWrite = ({then, else: otherwise = []}: Transaction): boolean => [...then, ...otherwise].some((operation) => 'put' in operation || 'delete' in operation)

const short = (key: string): string => key.replace('/calico/resources/v3/projectcalico.org/', '').replace('/calico/ipam/v2/', 'ipam/')

function describe({if: compares = [], then}: Transaction): string {
  const text = (operation: Operation): string =>
    'get' in operation ? `get ${short(operation.get)}` : 'list' in operation ? `list ${short(operation.list)}*` : 'put' in operation ? `put ${short(operation.put)}` : `delete ${short(operation.delete)}`
  return `${compares.length > 0 ? `(if ${compares.length}) ` : ''}${then.map(text).join(', ')}`
}
