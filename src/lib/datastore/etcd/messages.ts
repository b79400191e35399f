import type {ICompare, IEvent, IKeyValue, IRequestOp, IResponseOp, ITxnResponse} from 'etcd3'
import type {Change, Compare, KeyValue, Operation, OperationResult} from '../datastore.js'

/** The port's terms in etcd's messages and back. Keys and values are UTF-8; revisions are decimal strings on etcd3's side, bigint on ours. */

const EVERYTHING = Buffer.from([0])

export interface KeyRange {
  key: Buffer
  range_end: Buffer
}

/** The range of all keys that begin with PREFIX: its end is PREFIX with its last byte below 0xff raised by one and cut behind it. */
export function prefixRange(prefix: string): KeyRange {
  const key = Buffer.from(prefix)
  let last = key.length - 1
  while (last >= 0 && key[last] === 0xff) last--
  if (last < 0) return {key: key.length === 0 ? EVERYTHING : key, range_end: EVERYTHING}
  const end = Buffer.from(key.subarray(0, last + 1))
  end[last] = (end[last] ?? 0) + 1
  return {key, range_end: end}
}

export function keyValue(kv: IKeyValue, keysOnly = false): KeyValue {
  return {
    key: kv.key.toString(),
    value: keysOnly ? '' : kv.value.toString(),
    modRevision: BigInt(kv.mod_revision),
    createRevision: BigInt(kv.create_revision),
    version: BigInt(kv.version),
  }
}

/** etcd's form of a condition. "Unchanged since R" is "every mod_revision under the prefix is below R + 1". */
export function compareMessage(compare: Compare): ICompare {
  if ('prefix' in compare) {
    // etcd3's type ICompare does not know range_end, its protocol file does.
    return {target: 'Mod', result: 'Less', mod_revision: String(compare.unchangedSince + 1n), ...prefixRange(compare.prefix)}
  }
  const key = Buffer.from(compare.key)
  if ('version' in compare) return {target: 'Version', result: 'Equal', key, version: String(compare.version)}
  if ('modRevision' in compare) return {target: 'Mod', result: 'Equal', key, mod_revision: String(compare.modRevision)}
  return {target: 'Value', result: 'Equal', key, value: Buffer.from(compare.value)}
}

export function operationMessage(operation: Operation): IRequestOp {
  if ('get' in operation) return {request_range: {key: Buffer.from(operation.get)}}
  if ('list' in operation) {
    return {request_range: {...prefixRange(operation.list), sort_target: 'Key', sort_order: 'Ascend', keys_only: operation.keysOnly ?? false}}
  }
  if ('put' in operation) return {request_put: {key: Buffer.from(operation.put), value: Buffer.from(operation.value), ...(operation.previous && {prev_kv: true})}}
  return {request_delete_range: {key: Buffer.from(operation.delete), prev_kv: true}}
}

/** What became of OPERATIONS, those of the branch that was executed. @throws Error for an answer that is not one to them */
export function operationResults(operations: readonly Operation[], {responses}: Pick<ITxnResponse, 'responses'>): OperationResult[] {
  if (responses.length !== operations.length) throw new RangeError(`the answer has ${responses.length} results, ${operations.length} were requested`)
  return operations.map((operation, at) => operationResult(operation, responses[at] ?? {}))
}

/** RESPONSE has what the server says that it has. */
function operationResult(operation: Operation, {response_range: range, response_put: put, response_delete_range: deleted}: Partial<IResponseOp>): OperationResult {
  if ('put' in operation && put) {
    const previous = existing(put.prev_kv)
    return previous ? [keyValue(previous)] : []
  }
  if ('delete' in operation && deleted) return deleted.prev_kvs.map((kv) => keyValue(kv))
  if (('get' in operation || 'list' in operation) && range) return range.kvs.map((kv) => keyValue(kv, 'list' in operation && operation.keysOnly))
  throw new Error('the answer has the result of another operation')
}

export function change(event: IEvent): Change {
  const previous = existing(event.prev_kv)
  return {
    key: event.kv.key.toString(),
    revision: BigInt(event.kv.mod_revision),
    ...(event.type === 'Put' && {kv: keyValue(event.kv)}),
    ...(previous && {previous: keyValue(previous)}),
  }
}

/** PREV_KV where etcd still knew one: the field is null (or empty) otherwise, whatever its type says. */
function existing(previous: IKeyValue | null | undefined): IKeyValue | undefined {
  return !previous || previous.mod_revision === '0' ? undefined : previous
}

/** Whether TRANSACTION changes anything in either branch. */
export const isWrite = (operation: Operation): boolean => 'put' in operation || 'delete' in operation
