import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Datastore, Transaction, TransactionResult} from '../../src/lib/datastore/datastore.js'
import {openDatastore} from '../../src/lib/datastore/open.js'

type Send = (transaction: Transaction) => Promise<TransactionResult>

/** A datastore whose writes can be disturbed; everything else is the embedded store's own. */
export interface FaultyStore extends Datastore {
  /** Called instead of each writing transaction; gets the real thing to call, or not. */
  onWrite: (send: Send, transaction: Transaction) => Promise<TransactionResult>
  /** The transactions with a put or delete that were asked for. */
  readonly writes: Transaction[]
  /** Replaced by a test that loses more than writes. */
  onHistory: Datastore['history']
}

const isWrite = ({then, else: otherwise = []}: Transaction): boolean => [...then, ...otherwise].some((operation) => 'put' in operation || 'delete' in operation)

/** An embedded store in a folder of its own, removed by `close`. */
export async function faultyStore(): Promise<FaultyStore> {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-store-'))
  const inner = await openDatastore({datastore: {type: 'embedded', path: {value: join(folder, 'store.json'), origin: 'test'}}})
  const store: FaultyStore = {
    description: inner.description,
    generation: 0,
    get: (key, options) => inner.get(key, options),
    list: (prefix, options) => inner.list(prefix, options),
    watch: (prefix, from, signal) => inner.watch(prefix, from, signal),
    history: (key, from) => store.onHistory(key, from),
    onHistory: (key, from) => inner.history(key, from),
    writes: [],
    onWrite: (send, transaction) => send(transaction),
    transact(transaction) {
      if (!isWrite(transaction)) return inner.transact(transaction)
      store.writes.push(transaction)
      return store.onWrite((sent) => inner.transact(sent), transaction)
    },
    close() {
      inner.close()
      rmSync(folder, {recursive: true, force: true})
    },
  }
  return store
}
