/** Answers that do not fit the question: whatever stands before etcd may have mixed them up. */
import {expect, test} from '@jest/globals'
import type {Operation} from '../../../../src/lib/datastore/datastore.js'
import {operationResults} from '../../../../src/lib/datastore/etcd/messages.js'
import {createCodec} from '../../../../src/lib/datastore/etcd/unary/protobuf.js'
import {PROTOCOL} from '../../../../src/lib/datastore/etcd/unary/protocol.js'

const codec = createCodec(PROTOCOL)
const KV = {key: Buffer.from('/a'), value: Buffer.from('x'), mod_revision: '7', create_revision: '5', version: '2'}
const RESULT = {key: '/a', value: 'x', modRevision: 7n, createRevision: 5n, version: 2n}
const GET: Operation = {get: '/a'}
const LIST: Operation = {list: '/', keysOnly: true}
const PUT: Operation = {put: '/a', value: 'y', previous: true}
const DELETE: Operation = {delete: '/a'}
const RANGE = {response_range: {kvs: [KV]}}
const WRITTEN = {response_put: {prev_kv: KV}}
const DELETED = {response_delete_range: {prev_kvs: [KV]}}

/** RESPONSES as they come from the wire. */
const answer = (...responses: readonly object[]): Parameters<typeof operationResults>[1] => codec.decode('etcdserverpb.TxnResponse', codec.encode('etcdserverpb.TxnResponse', {responses})) as unknown as Parameters<typeof operationResults>[1]

test('each operation has its own result', () => {
  expect(operationResults([GET, LIST, PUT, DELETE], answer(RANGE, RANGE, WRITTEN, DELETED))).toEqual([[RESULT], [{...RESULT, value: ''}], [RESULT], [RESULT]])
  expect(operationResults([PUT, DELETE], answer({response_put: {}}, {response_delete_range: {}}))).toEqual([[], []])
})

test.each<[string, readonly Operation[], readonly object[]]>([
  ['none', [GET], []], ['too many', [GET], [RANGE, RANGE]], ['one of nothing', [GET], [{}]], ['that of a write for a read', [GET], [WRITTEN]], ['that of a read for a write', [PUT], [RANGE]], ['that of a put for a delete', [DELETE], [WRITTEN]], ['that of a delete for a put', [PUT], [DELETED]],
])('%s is refused', (_, operations, responses) => expect(() => operationResults(operations, answer(...responses))).toThrow(/the answer has (\d results|the result of another)/))
