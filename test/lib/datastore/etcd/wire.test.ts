/**
 * What happens on the wire, for both ways to etcd: gRPC's answers without messages, refused streams, GOAWAY, connections that are cut at every byte, large
 * messages, silence. The server is a small etcd of this test, which can do what a real one does seldom; what it has executed is counted.
 */
import {createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream} from 'node:http2'
import {connect, createServer as createTcpServer, type Socket} from 'node:net'
import {afterEach, describe, expect, jest, test} from '@jest/globals'
import type {BudgetOptions} from '../../../../src/lib/datastore/budget.js'
import type {Datastore} from '../../../../src/lib/datastore/datastore.js'
import {OutcomeUnknownError} from '../../../../src/lib/datastore/errors.js'
import {framed, unframed} from '../../../../src/lib/datastore/etcd/unary/framing.js'
import {createCodec, type Message} from '../../../../src/lib/datastore/etcd/unary/protobuf.js'
import {unaryCall} from '../../../../src/lib/datastore/etcd/unary/call.js'
import {METHODS, PROTOCOL} from '../../../../src/lib/datastore/etcd/unary/protocol.js'
import {openSession} from '../../../../src/lib/datastore/etcd/unary/session.js'
import {openDatastore} from '../../../../src/lib/datastore/open.js'
import {listen} from '../../../support/ports.js'
import {startProxy} from '../../../support/proxy.js'
import {startSilentServer} from '../../../support/silent-server.js'

const codec = createCodec(PROTOCOL)
const HEADER = {cluster_id: '1', member_id: '1', revision: '7', raft_term: '2'}

type Method = keyof typeof METHODS

/** One request as it came. */
interface Asked {
  readonly method: Method
  readonly request: Message
  readonly headers: Readonly<Record<string, unknown>>
  readonly stream: ServerHttp2Stream
  readonly session: ServerHttp2Session
  /** Which request of all but `status` this is, from 0 on. */
  readonly number: number
  /** Does it, and answers well. */
  readonly answer: () => void
}

interface Server {
  readonly url: string
  /** The keys that were written, once for each time. */
  readonly written: string[]
  readonly sessions: Set<ServerHttp2Session>
  /** How many connections there have been. */
  readonly connections: () => number
  readonly stop: () => Promise<void>
}

/** Above all time that anything may take here, however busy the machine. */
const HANGS_MS = 60_000
jest.setTimeout(3 * HANGS_MS)

const running: (() => Promise<void>)[] = []
const opened: Datastore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) store.close()
  await Promise.all(running.splice(0).map((stop) => stop()))
})

/** A server whose requests but `status` ACT deals with; the default answers well. */
async function startServer(act: (asked: Asked) => void = ({answer}) => answer(), {value = ''} = {}): Promise<Server> {
  const written: string[] = []
  const sessions = new Set<ServerHttp2Session>()
  let connections = 0
  let number = 0
  const server: Http2Server = createServer()
  server.on('session', (session) => {
    connections++
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => undefined)
  })
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = []
    stream.on('error', () => undefined)
    stream.on('data', (part: Buffer) => parts.push(part))
    const found = Object.entries(METHODS).find(([, [path]]) => path === headers[':path'])
    if (!found || !stream.session) throw new Error(`no ${headers[':path'] ?? ''} here`)
    const [name, [, requestType, responseType]] = found as [Method, (typeof METHODS)[Method]]
    const session = stream.session as ServerHttp2Session
    stream.on('end', () => {
      const request = codec.decode(requestType, unframed(parts))
      const answer = (): void => {
        for (const {request_put: put} of (request.success ?? []) as {request_put?: {key: Buffer}}[]) if (put) written.push(put.key.toString())
        const kvs = [{key: Buffer.from('/a'), value: Buffer.from(value), mod_revision: '7', create_revision: '7', version: '1'}]
        const message = name === 'range' ? {header: HEADER, kvs, count: '1'} : name === 'txn' ? {header: HEADER, succeeded: true, responses: [{response_put: {header: HEADER}}]} : {header: HEADER}
        if (stream.destroyed) return
        stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0', 'grpc-message': ''}))
        stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
        stream.end(framed(codec.encode(responseType, message)))
      }
      if (name === 'status') answer()
      else act({method: name, request, headers, stream, session, number: number++, answer})
    })
  })
  const port = await listen(server)
  const stop = (): Promise<void> => {
    for (const session of sessions) session.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  }
  running.push(stop)
  return {url: `http://127.0.0.1:${port}`, written, sessions, connections: () => connections, stop}
}

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.then((value) => ({succeeded: value}), (error: unknown) => error)

describe.each(['http2', 'etcd3'] as const)('by %s', (way) => {
  async function open(url: string, budget: BudgetOptions = {}): Promise<Datastore> {
    const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: [url], origin: 'the test'}}}, {budgetMs: HANGS_MS, ...budget}, {way})
    opened.push(store)
    return store
  }
  const write = (store: Datastore, key = '/a'): Promise<unknown> => store.transact({if: [{key, version: 0n}], then: [{put: key, value: '1'}]})

  test('an answer without a message is a refusal: not executed, made by the next try', async () => {
    const server = await startServer(({number, stream, answer}) => {
      if (number === 0) stream.respond({':status': 200, 'content-type': 'application/grpc', 'grpc-status': '8', 'grpc-message': 'etcdserver: too many requests'}, {endStream: true})
      else answer()
    })
    expect(await write(await open(server.url))).toMatchObject({succeeded: true})
    expect(server.written).toEqual(['/a'])
  })

  test('a stream that is refused was not executed: it is sent again', async () => {
    const server = await startServer(({number, stream, answer}) => (number === 0 ? stream.close(7) : answer()))
    expect(await write(await open(server.url))).toMatchObject({succeeded: true})
    expect(server.written).toEqual(['/a'])
  })

  test('GOAWAY that passes the stream over: not executed, sent again on another connection', async () => {
    const server = await startServer(({number, stream, session, answer}) => {
      if (number === 0) session.goaway(0, (stream.id ?? 0) - 2)
      else answer()
    })
    expect(await write(await open(server.url))).toMatchObject({succeeded: true})
    expect(server.written).toEqual(['/a'])
    expect(server.connections()).toBe(2)
  })

  test('GOAWAY while the answer is on its way: it comes; the next request has another connection', async () => {
    const server = await startServer(({number, session, answer}) => {
      if (number === 0) session.goaway(0)
      setImmediate(answer)
    })
    const store = await open(server.url)
    expect(await write(store)).toMatchObject({succeeded: true})
    expect(await write(store, '/b')).toMatchObject({succeeded: true})
    expect(server.written).toEqual(['/a', '/b'])
    expect(server.connections()).toBe(2)
  })

  test.each<[string, (asked: Asked) => void]>([
    ['the connection is closed', ({session}) => session.destroy()],
    ['the stream is reset', ({stream}) => stream.close(2)],
    ['the stream ends without a status', ({stream}) => stream.respond({':status': 200}, {endStream: true})],
    ['the stream ends within the message', ({stream}) => {
      stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}))
      stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
      stream.end(Buffer.from([0, 0, 0, 0, 9, 1]))
    }],
    ['there is no message', ({stream}) => stream.respond({':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0'}, {endStream: true})],
    ['the message is compressed', ({stream}) => {
      stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}))
      stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
      stream.end(Buffer.from([1, 0, 0, 0, 1, 0]))
    }],
    ['the message is none of etcd\'s', ({stream}) => {
      stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}))
      stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
      stream.end(framed(Buffer.from([0x0a, 5, 1])))
    }],
    ['the message has no header', ({stream}) => {
      stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}))
      stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
      stream.end(framed(Buffer.alloc(0)))
    }],
    ['a proxy has lost etcd', ({stream}) => stream.respond({':status': 502}, {endStream: true})],
  ])('%s after the request: a write is in doubt and not sent again, a read is', async (_, act) => {
    const server = await startServer((asked) => (asked.number === 1 ? asked.answer() : act(asked)))
    const store = await open(server.url)
    expect(await failureOf(write(store))).toBeInstanceOf(OutcomeUnknownError)
    expect(server.written).toEqual([])
    const reader = await startServer((asked) => (asked.number === 0 ? act(asked) : asked.answer()), {value: 'x'})
    expect((await (await open(reader.url)).get('/a')).kv).toMatchObject({value: 'x'})
  })

  test('an answer without the results that were asked for: a write is in doubt', async () => {
    const server = await startServer(({stream}) => {
      stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}))
      stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
      stream.end(framed(codec.encode('etcdserverpb.TxnResponse', {header: HEADER, succeeded: true, responses: []})))
    })
    expect(await failureOf(write(await open(server.url)))).toBeInstanceOf(OutcomeUnknownError)
  })

  test('no answer: the time is up, and the connection not used again', async () => {
    const server = await startServer(({number, answer}) => (number === 0 ? undefined : answer()), {value: 'x'})
    const store = await open(server.url, {perRequest: true, budgetMs: 400})
    expect(await failureOf(store.get('/a'))).toMatchObject({kind: 'unreachable', message: expect.stringContaining('did not answer in time')})
    // A busy machine may need several tries.
    let found = await failureOf(store.get('/a'))
    while (found instanceof Error) found = await failureOf(store.get('/a'))
    expect(found).toMatchObject({succeeded: {kv: {value: 'x'}}})
    expect(server.connections()).toBeGreaterThan(1)
  })

  test('requests at once where nobody answers: each is told that the time is up', async () => {
    const silent = await startSilentServer()
    running.push(() => silent.stop())
    const store = await open(silent.endpoint, {budgetMs: 400})
    const failures = await Promise.all(Array.from({length: 5}, () => failureOf(store.get('/a'))))
    expect(failures).toEqual(failures.map(() => expect.objectContaining({kind: 'unreachable', message: expect.stringContaining('did not answer in time')})))
  })

  test('cut at every byte of the answers: what succeeded was made once, what failed is in doubt', async () => {
    const server = await startServer()
    const whole = await replyBytes(server.url)
    // The last is not cut: which bytes there are beside the answers (acknowledgements) depends on the way, and on the moment.
    const cuts = [...Array.from({length: whole + 2}, (_, n) => n), Infinity]
    const outcomes = new Map<number, unknown>()
    for (let start = 0; start < cuts.length; start += 40) {
      await Promise.all(
        cuts.slice(start, start + 40).map(async (n) => {
          const proxy = await cuttingProxy(server.url, n)
          outcomes.set(n, await failureOf(write(await open(proxy.url), `/cut/${n}`)))
          await proxy.stop()
        }),
      )
    }
    for (const [n, outcome] of outcomes) {
      const times = server.written.filter((key) => key === `/cut/${n}`).length
      if (outcome instanceof OutcomeUnknownError) expect([n, times <= 1]).toEqual([n, true])
      else expect([n, outcome, times]).toEqual([n, {succeeded: expect.objectContaining({succeeded: true})}, 1])
    }
    // Something was in doubt, something was sent again, and the whole of it succeeded.
    expect([...outcomes.values()].some((outcome) => outcome instanceof OutcomeUnknownError)).toBe(true)
    expect(outcomes.get(0)).not.toBeInstanceOf(OutcomeUnknownError)
    expect(outcomes.get(Infinity)).not.toBeInstanceOf(OutcomeUnknownError)
  })

  test('an answer of 30 MB', async () => {
    const value = 'äx'.repeat(10_000_000)
    const server = await startServer(undefined, {value})
    const {kv} = await (await open(server.url)).get('/a')
    expect(kv?.value === value).toBe(true)
  })

  test('a request of 3 MB that is refused before all of it is read', async () => {
    const server = createServer()
    server.on('session', (session) => session.on('error', () => undefined))
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined)
      if (String(headers[':path']).endsWith('Status')) {
        stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}))
        stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
        stream.end(framed(codec.encode('etcdserverpb.StatusResponse', {header: HEADER})))
      } else stream.respond({':status': 200, 'content-type': 'application/grpc', 'grpc-status': '8', 'grpc-message': 'grpc: received message larger than max (3000000 vs. 2097152)'}, {endStream: true})
    })
    const port = await listen(server)
    running.push(() => new Promise((resolve) => server.close(() => resolve())))
    const store = await open(`http://127.0.0.1:${port}`)
    expect(await failureOf(store.transact({then: [{put: '/a', value: 'x'.repeat(3_000_000)}]}))).toMatchObject({kind: 'failed', message: expect.stringContaining('larger than the server allows')})
    store.close()
  })

  test('200 requests at once have one connection', async () => {
    const server = await startServer(({answer}) => void setImmediate(answer), {value: 'x'})
    const store = await open(server.url)
    const found = await Promise.all(Array.from({length: 200}, () => store.get('/a')))
    expect(found.every(({kv}) => kv?.value === 'x')).toBe(true)
    expect(server.connections()).toBe(1)
  })

  test('a host that has several addresses', async () => {
    const server = await startServer(undefined, {value: 'x'})
    expect((await (await open(server.url.replace('127.0.0.1', 'localhost'))).get('/a')).kv).toMatchObject({value: 'x'})
  })

  test('each request has the time that is left, and asks for no compression', async () => {
    const seen: unknown[] = []
    const server = await startServer(({headers, answer}) => {
      seen.push({timeout: /^\d{1,8}[mS]$/.test(String(headers['grpc-timeout'])), leader: headers.hasleader, te: headers.te, type: headers['content-type'], authority: headers[':authority'], method: headers[':method']})
      answer()
    })
    await (await open(server.url)).get('/a')
    expect(seen).toEqual([{timeout: true, leader: 'true', te: 'trailers', type: 'application/grpc', authority: server.url.slice(7), method: 'POST'}])
  })
})

describe('by http2 alone', () => {
  afterEach(() => void jest.useRealTimers())

  test('a server that falls silent within a request is given up after 10 seconds, although there is time left', async () => {
    let tell: (session: ServerHttp2Session) => void = () => undefined
    const asked = new Promise<ServerHttp2Session>((resolve) => void (tell = resolve))
    const proxy = await startProxy((await startServer(({session}) => tell(session))).url)
    running.push(() => proxy.stop())
    jest.useFakeTimers({doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'performance', 'Date', 'hrtime']})
    const session = openSession(proxy.endpoint, undefined)
    await session.opened(Date.now() + 60_000)
    const [path, requestType] = METHODS.range
    const failure = failureOf(unaryCall(session, {':method': 'POST', ':path': path}, framed(codec.encode(requestType, {key: Buffer.from('/a')})), Date.now() + 60_000))
    const peer = await asked
    // A server that lives answers the ping, and has all the time it needs.
    const pinged = new Promise((resolve) => peer.once('ping', resolve))
    await jest.advanceTimersByTimeAsync(7_000)
    await pinged
    await new Promise((resolve) => peer.ping(resolve))
    await jest.advanceTimersByTimeAsync(6_000)
    expect(session.reason()).toBeUndefined()
    proxy.set('black-hole')
    await jest.advanceTimersByTimeAsync(1_000)
    await jest.advanceTimersByTimeAsync(3_000)
    expect(String(await failure)).toContain('Connection dropped: the server does not answer a ping')
    expect(session.usable()).toBe(false)
  })
})

/** How many bytes the server at URL sends for one write by way of http2, from the beginning of a connection on. */
async function replyBytes(url: string): Promise<number> {
  const proxy = await cuttingProxy(url, Infinity)
  const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: [proxy.url], origin: 'the test'}}}, {}, {way: 'http2'})
  await store.transact({then: [{put: '/measure', value: '1'}]})
  store.close()
  await proxy.stop()
  return proxy.passed()
}

/** A proxy that ends its first connection once it has passed on N bytes of answers. */
async function cuttingProxy(url: string, n: number): Promise<{url: string; passed: () => number; stop: () => Promise<void>}> {
  const sockets = new Set<Socket>()
  let connections = 0
  let passed = 0
  const server = createTcpServer((client) => {
    const cuts = connections++ === 0
    const upstream = connect(Number(new URL(url).port), '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      const rest = cuts ? n - passed : Infinity
      passed += Math.min(rest, chunk.length)
      client.write(chunk.subarray(0, Math.min(rest, chunk.length)))
      // What the server has been sent meanwhile reaches it.
      if (chunk.length >= rest) client.end(() => setTimeout(() => client.destroy(), 50))
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    passed: () => passed,
    stop() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
