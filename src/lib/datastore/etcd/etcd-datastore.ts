import type {IRangeRequest} from 'etcd3'
import type {EtcdSettings} from '../../settings/types.js'
import type {Budget} from '../budget.js'
import type {Compare, Datastore, ListOptions, Operation, Page, Revision, Transaction, TransactionResult} from '../datastore.js'
import {CalicoError} from '../../errors.js'
import {ForbiddenError} from '../errors.js'
import {connect, type ConnectionOptions} from './connection.js'
import {compareMessage, isWrite, keyValue, operationMessage, operationResults, prefixRange} from './messages.js'
import {history, watch} from './watch.js'

const DEFAULT_PAGE_SIZE = 1_000

/** The etcd v3 adapter of the datastore port. Connects at the first request. */
export function openEtcd(settings: EtcdSettings, budget: Budget, options: ConnectionOptions = {}): Datastore {
  const connection = connect(settings, budget, options)

  async function* list(prefix: string, {keysOnly = false, revision, pageSize = DEFAULT_PAGE_SIZE}: ListOptions = {}): AsyncIterable<Page> {
    const {key: first, range_end} = prefixRange(prefix)
    const subject = `listing the keys under ${prefix}`
    let pinned: Revision | undefined = revision
    let key = first
    for (;;) {
      const request: IRangeRequest = {
        key,
        range_end,
        limit: pageSize,
        keys_only: keysOnly,
        ...(pinned !== undefined && {revision: String(pinned)}),
      }
      const {header, kvs, more} = await connection.read(subject, (client, options) => client.range(request, options))
      pinned ??= BigInt(header.revision)
      yield {revision: pinned, entries: kvs.map((kv) => keyValue(kv, keysOnly))}
      const last = kvs.at(-1)
      if (!more || last === undefined) return
      key = Buffer.concat([last.key, Buffer.from([0])])
    }
  }

  async function transact({if: conditions = [], then, else: otherwise = []}: Transaction): Promise<TransactionResult> {
    const request = {
      compare: conditions.map(compareMessage),
      success: then.map(operationMessage),
      failure: otherwise.map(operationMessage),
    }
    const operations = [...then, ...otherwise]
    const send = operations.some(isWrite) ? connection.write : connection.read
    const {header, succeeded, results} = await send(subjectOf(operations), async (client, options) => {
      const answer = await client.txn(request, options)
      return {header: answer.header, succeeded: answer.succeeded, results: operationResults(answer.succeeded ? then : otherwise, answer)}
    }).catch(async (error: unknown) => {
      throw error instanceof ForbiddenError ? ((await missingRight(conditions, operations, error)) ?? error) : error
    })
    return {succeeded, revision: BigInt(header.revision), results}
  }

  /**
   * ERROR for that one of the keys of a transaction which is forbidden: etcd does not tell. Each is asked for by itself in a branch that is never executed,
   * whose rights etcd judges all the same. Undefined if that does not tell either.
   */
  async function missingRight(conditions: readonly Compare[], operations: readonly Operation[], error: ForbiddenError): Promise<CalicoError | undefined> {
    const reads: Operation[] = conditions.map((compare) => ('prefix' in compare ? {list: compare.prefix, keysOnly: true} : {get: compare.key}))
    const asked = new Map([...operations, ...reads].map((operation) => [subjectOf([operation]), operation] as const))
    for (const [subject, operation] of asked) {
      try {
        await connection.read(subject, (client, options) => client.txn({compare: [], success: [], failure: [operationMessage(operation)]}, options))
      } catch (problem) {
        if (problem instanceof ForbiddenError) return error.about(subject)
        if (problem instanceof CalicoError) return undefined
        throw problem
      }
    }
    return undefined
  }

  return {
    description: `etcd at ${settings.endpoints.value.join(', ')} (from ${settings.endpoints.origin})`,
    get generation() {
      return connection.generation()
    },
    async get(key, {revision} = {}) {
      const request: IRangeRequest = {key: Buffer.from(key), ...(revision !== undefined && {revision: String(revision)})}
      const {header, kvs} = await connection.read(`reading ${key}`, (client, options) => client.range(request, options))
      return {revision: BigInt(header.revision), kv: kvs[0] && keyValue(kvs[0])}
    },
    list,
    transact,
    watch: (prefix, from, signal) => watch(connection, budget, prefix, from, signal),
    history: (key, from) => history(connection, budget.forRequest(), key, from),
    async usage() {
      const {dbSize, dbSizeInUse, errors} = await connection.read('the size of the database', (client, options) => client.status(options))
      return {bytes: Number(dbSize), bytesInUse: Number(dbSizeInUse), alarms: errors.map((error) => /\balarm:(\w+)/.exec(error)?.[1] ?? error)}
    },
    close: connection.close,
  }
}

/** `writing A, B and 3 more`, for messages. */
function subjectOf(operations: readonly Operation[]): string {
  const named = operations.filter(isWrite)
  const [verb, keys] =
    named.length > 0
      ? ['writing', named.map((operation) => ('put' in operation ? operation.put : 'delete' in operation ? operation.delete : ''))]
      : ['reading', operations.map((operation) => ('get' in operation ? operation.get : 'list' in operation ? `${operation.list}…` : ''))]
  const shown = keys.slice(0, 3).join(', ')
  return `${verb} ${shown}${keys.length > 3 ? ` and ${keys.length - 3} more` : ''}`
}
