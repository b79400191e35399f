/** A small etcd in memory, for the warm-up at build: range, put, delete and transactions over gRPC, in the order of their coming. */
import {createServer} from 'node:http2'

/** @typedef {import('../../src/lib/datastore/etcd/unary/protobuf.js').Codec} Codec */
/** @typedef {import('../../src/lib/datastore/etcd/unary/protobuf.js').Protocol} Protocol */
/** @typedef {{key: Buffer, value: Buffer, create_revision: string, mod_revision: string, version: string}} KeyValue */

/**
 * Serves on a free port of the loopback interface.
 * @param {Protocol} protocol
 * @param {Codec} codec
 * @returns {Promise<{endpoint: string, close: () => void}>}
 */
export async function startFakeEtcd(protocol, codec) {
  const handlers = /** @type {Record<string, (request: any) => import('../../src/lib/datastore/etcd/unary/protobuf.js').Message>} */ (createStore())
  const server = createServer()
  server.on('stream', (stream, headers) => {
    /** @type {Buffer[]} */
    const parts = []
    stream.on('error', () => undefined)
    stream.on('data', (part) => parts.push(Buffer.from(part)))
    stream.on('end', () => {
      const [, service = '', method = ''] = String(headers[':path']).split('/')
      const [, request, response] = protocol.services[service]?.find(([name]) => name === method) ?? []
      const handler = handlers[method]
      stream.on('wantTrailers', () => stream.sendTrailers(handler ? {'grpc-status': '0'} : {'grpc-status': '12', 'grpc-message': `no ${method} here`}))
      stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
      if (!handler || !request || !response) stream.end()
      else stream.end(frame(codec.encode(response, handler(codec.decode(request, Buffer.concat(parts).subarray(5))))))
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {endpoint: `http://127.0.0.1:${address.port}`, close: () => server.close()}
}

/** A gRPC message: not compressed, its length, its bytes. @param {Buffer} message */
function frame(message) {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** etcd's unary calls by name, over one map. */
function createStore() {
  /** @type {Map<string, KeyValue>} by the key's bytes in hexadecimal, whose order is etcd's */
  const keys = new Map()
  let revision = 1
  const header = () => ({cluster_id: '1', member_id: '1', revision: String(revision), raft_term: '2'})

  /** @param {{key: Buffer, range_end: Buffer}} range */
  const within = ({key, range_end: end}) =>
    [...keys.values()]
      .filter((kv) => (end.length === 0 ? kv.key.equals(key) : Buffer.compare(kv.key, key) >= 0 && (end.equals(Buffer.from([0])) || Buffer.compare(kv.key, end) < 0)))
      .sort((a, b) => Buffer.compare(a.key, b.key))

  const store = {
    /** @param {{key: Buffer, range_end: Buffer, limit: string, keys_only: boolean}} request */
    Range(request) {
      const found = within(request)
      const limit = Number(request.limit) || found.length
      const kvs = found.slice(0, limit).map((kv) => (request.keys_only ? {...kv, value: Buffer.alloc(0)} : kv))
      return {header: header(), kvs, more: found.length > limit, count: String(found.length)}
    },
    /** @param {{key: Buffer, value: Buffer}} request */
    Put({key, value}) {
      const id = key.toString('hex')
      const old = keys.get(id)
      const now = String(revision)
      keys.set(id, {key: Buffer.from(key), value: Buffer.from(value), create_revision: old?.create_revision ?? now, mod_revision: now, version: String(Number(old?.version ?? 0) + 1)})
      return {header: header()}
    },
    /** @param {{key: Buffer, range_end: Buffer}} request */
    DeleteRange(request) {
      const found = within(request)
      for (const {key} of found) keys.delete(key.toString('hex'))
      return {header: header(), deleted: String(found.length), prev_kvs: found}
    },
    /** @param {{compare: any[], success: any[], failure: any[]}} request */
    Txn({compare, success, failure}) {
      const succeeded = compare.every((condition) => {
        const targets = within(condition)
        if (condition.range_end.length === 0 && targets.length === 0) return holds(condition, undefined)
        return targets.every((kv) => holds(condition, kv))
      })
      const operations = succeeded ? success : failure
      if (operations.some(({request}) => request !== 'request_range')) revision++
      const responses = operations.map((operation) => {
        const [name, method] = CALLS[/** @type {keyof typeof CALLS} */ (operation.request)]
        return {[`response_${name}`]: store[method](operation[operation.request])}
      })
      return {header: header(), succeeded, responses}
    },
  }
  return store
}

/** @satisfies {Record<string, [string, 'Range' | 'Put' | 'DeleteRange']>} */
const CALLS = {request_range: ['range', 'Range'], request_put: ['put', 'Put'], request_delete_range: ['delete_range', 'DeleteRange']}

/** @param {any} condition @param {KeyValue | undefined} kv */
function holds(condition, kv) {
  /** @type {Record<string, [actual: bigint, wanted: string]>} */
  const numbers = {
    Version: [BigInt(kv?.version ?? 0), condition.version],
    Create: [BigInt(kv?.create_revision ?? 0), condition.create_revision],
    Mod: [BigInt(kv?.mod_revision ?? 0), condition.mod_revision],
  }
  const pair = numbers[condition.target]
  const order = pair ? Number(pair[0] - BigInt(pair[1])) : kv ? Buffer.compare(kv.value, condition.value) : NaN
  return {Equal: order === 0, Greater: order > 0, Less: order < 0, NotEqual: order !== 0}[/** @type {'Equal'} */ (condition.result)]
}
