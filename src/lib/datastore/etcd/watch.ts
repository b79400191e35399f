import {once} from 'node:events'
import {setTimeout as sleep} from 'node:timers/promises'
import type {IWatchCreateRequest, IWatchResponse} from 'etcd3'
import {isError} from '../../errors.js'
import {createBudget, type Budget} from '../budget.js'
import type {ChangeBatch, Revision} from '../datastore.js'
import {CompactedError} from '../errors.js'
import {backOffMs, type Connection} from './connection.js'
import {change, keyValue, prefixRange} from './messages.js'

/** etcd splits what it sends to a watcher that lags behind only between revisions, and after this many of them (its watchBatchMaxRevs). */
const REVISIONS_PER_RESPONSE = 1_000
/** etcd brings a new watcher up to date within 100 ms; versions below 3.4.25 and 3.5.8 answer a progress request before they have. */
const SETTLE_MS = 300

/** The changes under PREFIX from FROM on. A lost stream is opened again where it stopped, as often as it takes. */
export async function* watch(connection: Connection, budget: Budget, prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<ChangeBatch> {
  let next = from < 1n ? 1n : from
  let own = budget.forRequest()
  const found = {endpoint: false}
  const onOpen = (): void => void (found.endpoint = true)
  for (let round = 0; !signal.aborted; round++) {
    const request = {...prefixRange(prefix), start_revision: String(next), prev_kv: true}
    try {
      for await (const {events} of openWatch(connection, `watching ${prefix}`, request, {signal, own, onOpen})) {
        round = 0
        const last = events.at(-1)
        if (last === undefined) continue
        next = BigInt(last.kv.mod_revision) + 1n
        yield events.map(change)
      }
    } catch (error) {
      if (!found.endpoint || !isError(error, 'unreachable')) throw error
    }
    own = createBudget({budgetMs: budget.total})
    await sleep(backOffMs(round), undefined, {signal}).catch(() => undefined)
  }
}

/**
 * The changes of KEY from FROM to now. Where the stream ends is known from a read: the key's last change if it exists now; if it
 * was deleted, the answer that covers the store's present revision.
 */
export async function history(connection: Connection, own: Budget, key: string, from: Revision): Promise<ChangeBatch> {
  for (let round = 0; ; round++) {
    try {
      return await readHistory(connection, own, key, from)
    } catch (error) {
      if (!isError(error, 'unreachable') || own.remaining() <= 0) throw error
      await sleep(Math.min(backOffMs(round), own.remaining()))
    }
  }
}

async function readHistory(connection: Connection, own: Budget, key: string, from: Revision): Promise<ChangeBatch> {
  const subject = `reading the history of ${key}`
  const now = await connection.read(subject, (client, options) => client.range({key: Buffer.from(key)}, options), own)
  const present = BigInt(now.header.revision)
  const last = now.kvs[0] && keyValue(now.kvs[0])
  if (from > present || (last && last.modRevision < from)) return []
  const start = last ? from : await lastChangeBefore(connection, own, key, from)
  const changes: ChangeBatch[] = []
  const request = {key: Buffer.from(key), start_revision: String(start ?? from), prev_kv: true}
  const timeout = AbortSignal.timeout(Math.ceil(own.remaining()))
  for await (const response of openWatch(connection, subject, request, {signal: timeout, own, askProgress: last === undefined})) {
    changes.push(response.events.map(change))
    const isLast = last
      ? response.events.some((event) => BigInt(event.kv.mod_revision) === last.modRevision)
      : coversPresent(response, present)
    if (isLast) return changes.flat().filter(({revision}) => revision >= from && revision <= present)
  }
  throw connection.explain(subject, new Error('4 DEADLINE_EXCEEDED: the watch did not reach the present'))
}

/** Whether RESPONSE brings the watcher up to PRESENT: it is not the bare confirmation of the watch, nor one of several parts. */
function coversPresent({created, header, events}: IWatchResponse, present: Revision): boolean {
  const revisions = new Set(events.map((event) => event.kv.mod_revision)).size
  return !created && BigInt(header.revision) >= present && revisions < REVISIONS_PER_RESPONSE
}

/**
 * Where to start the watch on a deleted key, so that it certainly has something to report: the last change before FROM. Undefined
 * if there is none or etcd does not keep it any more.
 */
async function lastChangeBefore(connection: Connection, own: Budget, key: string, from: Revision): Promise<Revision | undefined> {
  if (from <= 1n) return undefined
  const request = {key: Buffer.from(key), revision: String(from - 1n)}
  try {
    const {kvs} = await connection.read(`reading ${key}`, (client, options) => client.range(request, options), own)
    return kvs[0] && BigInt(kvs[0].mod_revision)
  } catch (error) {
    if (error instanceof CompactedError) return undefined
    throw error
  }
}

interface WatchOptions {
  readonly signal: AbortSignal
  /** How long finding an endpoint may take. */
  readonly own: Budget
  /** Ask how far the watcher is whenever nothing comes for a while. The answer has no events. */
  readonly askProgress?: boolean
  /** Called once an endpoint has been found. */
  readonly onOpen?: () => void
}

/** The answers of one watch stream, until SIGNAL aborts or the server ends it. @throws CompactedError, CalicoError */
async function* openWatch(
  connection: Connection,
  subject: string,
  create_request: IWatchCreateRequest,
  {signal, own, askProgress = false, onOpen}: WatchOptions,
): AsyncIterable<IWatchResponse> {
  const stream = await connection.stream(subject, (client) => client.watch(), own)
  onOpen?.()
  const arrived: IWatchResponse[] = []
  const wake = new EventTarget()
  const end: {reached: boolean; error?: Error} = {reached: false}
  const notify = (): boolean => wake.dispatchEvent(new Event('change'))
  stream.on('data', (response) => {
    arrived.push(response)
    notify()
  })
  stream.on('error', (error) => {
    end.error ??= error
    notify()
  })
  stream.on('end', () => {
    end.reached = true
    notify()
  })
  const stopped = (): boolean => signal.aborted
  const cancel = (): void => stream.cancel()
  signal.addEventListener('abort', cancel)
  let asked: NodeJS.Timeout | undefined
  /** Whether the watcher has been asked since it sent something: an answer to an older question says nothing. */
  const question = {open: false}
  const askLater = (): void => {
    clearTimeout(asked)
    question.open = false
    asked = setTimeout(() => {
      question.open = true
      stream.write({progress_request: {}})
    }, SETTLE_MS)
  }
  try {
    if (stopped()) return
    stream.write({create_request})
    for (;;) {
      const response = arrived.shift()
      if (stopped()) return
      if (response?.canceled) throw canceledError(connection, subject, response)
      if (response === undefined) {
        if (end.error) throw connection.explain(subject, end.error)
        if (end.reached) return
        await once(wake, 'change')
      } else {
        const isAnswer = !response.created && response.events.length === 0
        if (isAnswer && !question.open) continue
        if (askProgress) askLater()
        yield response
      }
    }
  } finally {
    clearTimeout(asked)
    signal.removeEventListener('abort', cancel)
    stream.cancel()
  }
}

function canceledError(connection: Connection, subject: string, {compact_revision, cancel_reason}: IWatchResponse): Error {
  if (compact_revision !== '0') return new CompactedError(BigInt(compact_revision))
  return connection.explain(subject, new Error(cancel_reason === '' ? 'the server cancelled the watch' : cancel_reason))
}
