import {createServer as createHttpServer} from 'node:http'
import {connect, createServer, type Socket} from 'node:net'
import {afterAll, afterEach, beforeAll, describe, expect, jest, test} from '@jest/globals'
import {commit} from '../../../../src/lib/client/commit.js'
import {newSession} from '../../../../src/lib/client/session.js'
import type {BudgetOptions} from '../../../../src/lib/datastore/budget.js'
import type {Change, Datastore} from '../../../../src/lib/datastore/datastore.js'
import {CompactedError, FullError, OutcomeUnknownError} from '../../../../src/lib/datastore/errors.js'
import type {Way} from '../../../../src/lib/datastore/etcd/connection.js'
import {openDatastore} from '../../../../src/lib/datastore/open.js'
import type {EtcdSettings} from '../../../../src/lib/settings/types.js'
import {startEtcd, type TestEtcd} from '../../../support/etcd.js'
import {freePorts, listen} from '../../../support/ports.js'
import {startProxy, type Proxy} from '../../../support/proxy.js'
import {startSilentServer} from '../../../support/silent-server.js'

/** Above all time that a request may take here, however busy the machine: whoever needs more waits for ever. */
const HANGS_MS = 60_000

/** operator-demand §6.2, R1 to R4, at the adapter, whose requests go by WAY. */
export function faults(way: Way): void {
  jest.setTimeout(2 * HANGS_MS)
  const opened: Datastore[] = []
  /** Time enough for a busy machine, unless the end of the time is what a test waits for. */
  async function open(endpoints: readonly string[], budget: BudgetOptions = {}, options: {longLived?: boolean} = {}): Promise<Datastore> {
    const settings: EtcdSettings = {type: 'etcd', endpoints: {value: endpoints, origin: 'ETCD_ENDPOINTS'}}
    const store = await openDatastore({datastore: settings}, {budgetMs: HANGS_MS / 2, ...budget}, {...options, way})
    opened.push(store)
    return store
  }
  afterEach(() => {
    for (const store of opened.splice(0)) store.close()
  })

  const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      (value) => {
        throw new Error(`it succeeded: ${String(value)}`)
      },
      (error: unknown) => error,
    )

  /** What WORK gives, and how many milliseconds it took. */
  async function timed<T>(work: () => Promise<T>): Promise<{value: T; ms: number}> {
    const start = performance.now()
    const value = await work()
    return {value, ms: performance.now() - start}
  }

  describe('no etcd there', () => {
    test('connection refused: said at once, with endpoint, origin and next step', async () => {
      const [port = 0] = await freePorts(1)
      const store = await open([`http://127.0.0.1:${port}`], {budgetMs: 10 * HANGS_MS})
      const {value: error, ms} = await timed(() => failureOf(store.get('/a')))
      expect(error).toMatchObject({
        kind: 'unreachable',
        message: `Nothing listens at the etcd endpoint http://127.0.0.1:${port} (from ETCD_ENDPOINTS): connection refused`,
        hint: expect.stringContaining('endpoint health'),
      })
      expect(ms).toBeLessThan(HANGS_MS)
    })

    test('a write that was refused a connection is not a write of unknown outcome', async () => {
      const [port = 0] = await freePorts(1)
      const store = await open([`http://127.0.0.1:${port}`])
      const error = await failureOf(store.transact({then: [{put: '/a', value: ''}]}))
      expect(error).toMatchObject({kind: 'unreachable'})
      expect(error).not.toBeInstanceOf(OutcomeUnknownError)
    })

    test('several endpoints: each is named', async () => {
      const [one = 0, two = 0] = await freePorts(2)
      const store = await open([`http://127.0.0.1:${one}`, `http://127.0.0.1:${two}`])
      expect(await failureOf(store.get('/a'))).toMatchObject({
        kind: 'unreachable',
        message: expect.stringContaining(`127.0.0.1:${one} `),
        details: [expect.stringContaining(`127.0.0.1:${two} `)],
      })
    })

    test('an unknown host name', async () => {
      const store = await open(['http://no-such-host.invalid:2379'])
      expect(await failureOf(store.get('/a'))).toMatchObject({
        kind: 'unreachable',
        message: expect.stringMatching(/^Cannot find the host of the etcd endpoint http:\/\/no-such-host\.invalid:2379 \(from ETCD_ENDPOINTS\)/),
      })
    })

    test('a server that accepts and never answers: within the budget', async () => {
      const silent = await startSilentServer()
      const store = await open([silent.endpoint], {budgetMs: 1_000})
      const {value: error, ms} = await timed(() => failureOf(store.get('/a')))
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining(`${silent.endpoint} (from ETCD_ENDPOINTS) did not answer`)})
      expect(ms).toBeGreaterThan(900)
      expect(ms).toBeLessThan(HANGS_MS)
      const write = await failureOf((await open([silent.endpoint], {budgetMs: 500})).transact({then: [{put: '/a', value: ''}]}))
      expect(write).not.toBeInstanceOf(OutcomeUnknownError)
      expect(write).toMatchObject({kind: 'unreachable'})
      await silent.stop()
    })

    test('a web server', async () => {
      const web = createHttpServer((_, response) => response.end('hello'))
      const port = await listen(web)
      const error = await failureOf((await open([`http://127.0.0.1:${port}`])).get('/a'))
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining('is not etcd v3')})
      web.closeAllConnections()
      web.close()
    })

    test('an etcd 2', async () => {
      const old = createHttpServer((_, response) => response.end('{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'))
      const port = await listen(old)
      const error = await failureOf((await open([`http://127.0.0.1:${port}`])).get('/a'))
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining('has no v3 API: it is etcd 2.3.8')})
      old.closeAllConnections()
      old.close()
    })
  })

  /** What is before an etcd that is away: takes each connection and does ACT with it. */
  async function doorman(act: (socket: Socket) => void): Promise<{host: string; connections: () => number; stop: () => void}> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      act(socket)
    })
    const port = await listen(server)
    return {
      host: `127.0.0.1:${port}`,
      connections: () => sockets.size,
      stop() {
        for (const socket of sockets) socket.destroy()
        server.close()
      },
    }
  }

  describe.each(['http', 'https'])('%s, and what answers is not an etcd but what stands before it', (scheme) => {
    const GARBAGE = Buffer.from(Array.from({length: 64}, (_, i) => (i * 89 + 200) % 256))
    const DOORS: readonly (readonly [string, (socket: Socket) => void, string])[] = [
      ['closes', (socket) => socket.end(), 'closes them without an answer'],
      ['closes once something has come', (socket) => socket.once('data', () => socket.end()), 'closes them without an answer'],
      ['resets', (socket) => setImmediate(() => socket.resetAndDestroy()), 'closes them without an answer'],
      ['resets once something has come', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'closes them without an answer'],
      ['sends bytes without meaning', (socket) => socket.end(GARBAGE), 'neither HTTP nor TLS'],
      ['sends a byte now and then', (socket) => {
        const answer = 'HTTP/1.1 200 OK\r\nX-Filler: '
        let at = 0
        const timer = setInterval(() => socket.write(answer[at++] ?? 'x'), 50)
        socket.on('close', () => clearInterval(timer))
      }, ''],
    ]
    /** All of them at once, since they are waited for. A machine too busy to find out more than silence has twice the time, and so on. */
    const asked = new Map<string, {error: unknown; ms: number; budgetMs: number}>()
    beforeAll(async () => {
      await Promise.all(
        DOORS.map(async ([name, act, words]) => {
          const door = await doorman(act)
          for (let budgetMs = 2_000; budgetMs < HANGS_MS; budgetMs *= 2) {
            const {value: error, ms} = await timed(async () => failureOf((await open([`${scheme}://${door.host}`], {budgetMs})).get('/a')))
            asked.set(name, {error, ms, budgetMs})
            if (String(error).includes(words)) break
          }
          door.stop()
        }),
      )
    }, 3 * HANGS_MS)

    test.each(DOORS)('it %s: no answer, asked until the time is up', (name, _, words) => {
      const {error, ms = 0, budgetMs = 0} = asked.get(name) ?? {}
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining(words)})
      expect(ms).toBeGreaterThan(0.8 * budgetMs)
      expect(ms).toBeLessThan(budgetMs + HANGS_MS)
    })
  })

  test('etcd comes back behind what closes connections: answered', async () => {
    const etcd = await startEtcd()
    let away = true
    const door = await doorman((socket) => {
      if (away) socket.destroy()
      else socket.pipe(connect(Number(new URL(etcd.endpoints[0] ?? '').port), '127.0.0.1')).pipe(socket)
    })
    const read = (await open([`http://${door.host}`])).get('/a')
    while (door.connections() < 3) await new Promise((resolve) => setTimeout(resolve, 10))
    away = false
    expect((await read).kv).toBeUndefined()
    door.stop()
    await etcd.stop()
  })

  test('a proxy that says that nothing is behind it: asked until the time is up', async () => {
    const web = createHttpServer((_, response) => response.writeHead(503).end('no server is available'))
    const port = await listen(web)
    const {value: error, ms} = await timed(async () => failureOf((await open([`http://127.0.0.1:${port}`], {budgetMs: 1_500})).get('/a')))
    expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining('is not available')})
    expect(ms).toBeGreaterThan(1_300)
    web.closeAllConnections()
    web.close()
  })

  describe('one etcd behind a network', () => {
    let etcd: TestEtcd
    let proxy: Proxy
    beforeAll(async () => {
      etcd = await startEtcd()
    })
    afterAll(() => etcd.stop())
    afterEach(() => proxy.stop())
    const direct = (): Promise<Datastore> => open(etcd.endpoints, {perRequest: true})
    const behindProxy = async (budget: BudgetOptions = {}): Promise<Datastore> => {
      proxy = await startProxy(etcd.endpoints[0] ?? '')
      return open([proxy.endpoint], budget)
    }

    test('R1: the answer to a write is swallowed: outcome unknown, exactly one effect, and the history tells', async () => {
      const store = await behindProxy({budgetMs: 10_000})
      const {revision} = await store.get('/r1')
      proxy.set('swallow-replies')
      const error = await failureOf(store.transact({if: [{key: '/r1', version: 0n}], then: [{put: '/r1', value: 'mine'}]}))
      expect(error).toBeInstanceOf(OutcomeUnknownError)
      expect(error).toMatchObject({kind: 'unknown', message: expect.stringMatching(/writing \/r1/)})
      proxy.set('pass')
      proxy.reset()
      // There is time left for settling it on the same budget.
      expect((await store.get('/r1')).kv).toMatchObject({value: 'mine', version: 1n})
      expect((await (await direct()).history('/r1', revision + 1n)).map(({kv}) => kv?.value)).toEqual(['mine'])
    })

    test('R1: the connection is reset after the write was sent: outcome unknown, exactly one effect', async () => {
      const store = await behindProxy({perRequest: true})
      await store.get('/r1b')
      proxy.set('swallow-replies')
      const write = failureOf(store.transact({if: [{key: '/r1b', version: 0n}], then: [{put: '/r1b', value: 'mine'}]}))
      // Any frame of HTTP/2 would be an answer of etcd's: that it has the write is seen beside the proxy.
      const beside = await direct()
      while ((await beside.get('/r1b')).kv === undefined) await new Promise((resolve) => setTimeout(resolve, 10))
      proxy.reset()
      proxy.set('pass')
      expect(await write).toBeInstanceOf(OutcomeUnknownError)
      expect((await beside.get('/r1b')).kv).toMatchObject({version: 1n})
    })

    test('the answer to a read is lost: read again', async () => {
      const store = await behindProxy()
      await store.get('/a')
      proxy.set('swallow-replies')
      const read = store.get('/a')
      await proxy.answered()
      proxy.reset()
      proxy.set('pass')
      expect((await read).kv).toBeUndefined()
    })

    test('a slow network is not an error', async () => {
      const store = await behindProxy()
      proxy.delay(100)
      await store.transact({then: [{put: '/slow', value: '1'}]})
      expect((await store.get('/slow')).kv).toMatchObject({version: 1n})
    })

    test('one endpoint, slow: an answer may take all of the time', async () => {
      const store = await behindProxy({budgetMs: 7_000})
      // The connection takes two ways, the answer two more: over half of the time.
      proxy.delay(900)
      expect((await store.get('/slower')).kv).toBeUndefined()
    })

    test('a watch over a reset connection: every change once', async () => {
      const store = await behindProxy({perRequest: true})
      const writer = await direct()
      const {revision} = await writer.get('/w')
      const controller = new AbortController()
      const seen: Change[] = []
      const watching = (async () => {
        for await (const batch of store.watch('/w', revision + 1n, controller.signal)) {
          seen.push(...batch)
          if (seen.length >= 30) break
        }
      })()
      for (let i = 0; i < 30; i++) {
        await writer.transact({then: [{put: '/w', value: String(i)}]})
        if (i % 10 === 5) proxy.reset()
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await watching
      expect(seen.map(({kv}) => kv?.value)).toEqual(Array.from({length: 30}, (_, i) => String(i)))
    })

    test('a watch that falls behind a compaction while the connection is lost', async () => {
      const store = await behindProxy({perRequest: true})
      const writer = await direct()
      const {revision} = await writer.transact({then: [{put: '/c', value: '0'}]})
      const watching = failureOf(
        (async () => {
          for await (const batch of store.watch('/c', revision, new AbortController().signal)) {
            if (batch.at(-1)?.kv?.value !== '0') continue
            proxy.set('black-hole')
            proxy.reset()
            await writer.transact({then: [{put: '/c', value: '1'}]})
            const last = await writer.transact({then: [{put: '/c', value: '2'}]})
            await etcd.ctl('compact', String(last.revision))
            proxy.set('pass')
            proxy.reset()
          }
        })(),
      )
      expect(await watching).toBeInstanceOf(CompactedError)
    })

    test('history of more changes than etcd sends at once', async () => {
      const store = await behindProxy({perRequest: true})
      const {revision} = await store.get('/h')
      for (let i = 0; i < 30; i++) await Promise.all(Array.from({length: 40}, () => store.transact({then: [{put: '/h', value: String(i)}]})))
      await store.transact({then: [{delete: '/h'}]})
      const changes = await store.history('/h', revision + 1n)
      expect(changes).toHaveLength(1_201)
      expect(changes.at(-1)?.kv).toBeUndefined()
    })
  })

  describe('endpoints of two clusters', () => {
    let mine: TestEtcd
    let other: TestEtcd
    let proxy: Proxy
    beforeAll(async () => {
      ;[mine, other] = await Promise.all([startEtcd(), startEtcd()])
    })
    afterAll(() => Promise.all([mine.stop(), other.stop()]))
    const theirs = async (key: string): Promise<string> => other.ctl('get', key, '--print-value-only')

    test('a read and a write on the other one are refused, naming both endpoints; nothing is written', async () => {
      proxy = await startProxy(mine.endpoints[0] ?? '')
      const store = await open([proxy.endpoint, ...other.endpoints], {perRequest: true})
      await store.get('/two')
      await proxy.stop()
      for (const work of [() => store.get('/two'), () => store.transact({then: [{put: '/two', value: '1'}]}), () => store.history('/two', 1n)]) {
        const error = await failureOf(work())
        expect(error).toMatchObject({kind: 'wrong-datastore', exitCode: 6})
        for (const url of [proxy.endpoint, ...other.endpoints]) expect(String(error)).toContain(url)
      }
      expect(await theirs('/two')).toBe('')
    })

    test('for long: refused while the old cluster may still be there, or any endpoint is silent', async () => {
      proxy = await startProxy(mine.endpoints[0] ?? '')
      const store = await open([proxy.endpoint, ...other.endpoints], {perRequest: true}, {longLived: true})
      await store.get('/two')
      await proxy.stop()
      for (const work of [() => store.get('/two'), () => store.transact({then: [{put: '/two', value: '1'}]})]) expect(await failureOf(work())).toMatchObject({kind: 'wrong-datastore'})
      expect(store.generation).toBe(0)
      expect(await theirs('/two')).toBe('')
    })

    test('for long: the one endpoint has another cluster now: the request that finds it fails, the next one is answered', async () => {
      let target = mine.endpoints[0] ?? ''
      const sockets = new Set<Socket>()
      const door = await doorman((socket) => {
        sockets.add(socket)
        const upstream = connect(Number(new URL(target).port), '127.0.0.1')
        upstream.on('error', () => undefined)
        socket.on('close', () => upstream.destroy()).pipe(upstream).pipe(socket)
      })
      const store = await open([`http://${door.host}`], {perRequest: true}, {longLived: true})
      await store.get('/two')
      target = other.endpoints[0] ?? ''
      for (const socket of sockets) socket.destroy()
      expect(await failureOf(store.get('/two'))).toMatchObject({kind: 'wrong-datastore', message: expect.stringContaining('has been replaced')})
      expect(store.generation).toBe(1)
      expect((await store.transact({then: [{put: '/two/next', value: '1'}]})).succeeded).toBe(true)
      expect(await theirs('/two/next')).toBe('1\n')
      door.stop()
    })
  })

  describe('three members', () => {
    let etcd: TestEtcd
    const proxies: Proxy[] = []
    beforeAll(async () => {
      etcd = await startEtcd({members: 3})
    })
    afterAll(() => etcd.stop())
    afterEach(async () => {
      await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()))
    })
    async function proxyFor(endpoint: string | undefined): Promise<Proxy> {
      const proxy = await startProxy(endpoint ?? '')
      proxies.push(proxy)
      return proxy
    }

    test('R3: the first endpoint swallows everything from the start: reads and writes go elsewhere in time', async () => {
      const [, ...others] = etcd.endpoints
      const silent = await doorman((socket) => socket.resume())
      const first = `http://${silent.host}`
      expect((await (await open([first, ...others])).get('/r3')).kv).toBeUndefined()
      const writer = await open([first, ...others])
      const write = await writer.transact({if: [{key: '/r3', version: 0n}], then: [{put: '/r3', value: 'once'}]})
      expect(write.succeeded).toBe(true)
      // Once it has found one that answers, it stays there.
      const asked = silent.connections()
      expect((await writer.get('/r3')).kv).toMatchObject({version: 1n})
      expect(silent.connections()).toBe(asked)
      silent.stop()
    })

    test('R3: an endpoint falls silent under way: reads go elsewhere within the budget', async () => {
      const [first, ...others] = etcd.endpoints
      const proxy = await proxyFor(first)
      const store = await open([proxy.endpoint, ...others])
      await store.get('/r3b')
      proxy.set('black-hole')
      expect((await store.get('/r3b')).kv).toBeUndefined()
    })

    test('an endpoint that refuses connections: the next one takes writes and reads', async () => {
      const [port = 0] = await freePorts(1)
      const store = await open([`http://127.0.0.1:${port}`, ...etcd.endpoints])
      expect((await store.transact({then: [{put: '/dead-first', value: '1'}]})).succeeded).toBe(true)
    })

    test('R1, R2: the leader is killed under load: reads succeed, no write has two effects, none that succeeded is lost', async () => {
      const store = await open(etcd.endpoints, {perRequest: true})
      await store.transact({then: [{put: '/count', value: '0'}]})
      const leader = await etcd.leader()
      const outcomes = {done: 0, unknown: 0}
      const killed = new Promise<void>((resolve) => setTimeout(() => void leader.kill().then(resolve), 300))
      for (const end = Date.now() + 3_000; Date.now() < end || outcomes.done <= 10; ) {
        const {kv} = await store.get('/count')
        if (!kv) throw new Error('/count is gone')
        try {
          const {succeeded} = await store.transact({
            if: [{key: '/count', modRevision: kv.modRevision}],
            then: [{put: '/count', value: String(Number(kv.value) + 1)}],
          })
          expect(succeeded).toBe(true)
          outcomes.done++
        } catch (error) {
          expect(error).toBeInstanceOf(OutcomeUnknownError)
          outcomes.unknown++
        }
      }
      await killed
      const count = Number((await store.get('/count')).kv?.value)
      expect(count).toBeGreaterThanOrEqual(outcomes.done)
      expect(count).toBeLessThanOrEqual(outcomes.done + outcomes.unknown)
      await leader.start()
      await etcd.ctl('endpoint', 'health')
    })

    test('R2, R4: majority lost: unreachable, with the cause; and back again', async () => {
      const [survivor, ...others] = etcd.members
      if (!survivor) throw new Error('no members')
      await Promise.all(others.map((member) => member.kill()))
      // Until it has noticed, it does not answer.
      let error: unknown
      do error = await failureOf((await open([survivor.endpoint], {budgetMs: 1_000})).get('/a'))
      while (!String(error).includes('has no leader'))
      expect(error).toMatchObject({kind: 'unreachable', message: expect.stringContaining(`${survivor.endpoint} (from ETCD_ENDPOINTS) has no leader`)})
      const write = await failureOf((await open([survivor.endpoint], {budgetMs: 1_500})).transact({then: [{put: '/a', value: ''}]}))
      expect(write).toMatchObject({kind: 'unreachable'})
      const patient = (await open([survivor.endpoint], {budgetMs: HANGS_MS})).get('/a')
      await Promise.all(others.map((member) => member.start()))
      expect((await patient).kv).toBeUndefined()
    })

    test('a watch outlives the member it was on', async () => {
      const store = await open(etcd.endpoints, {perRequest: true})
      const {revision} = await store.get('/w')
      const seen: (string | undefined)[] = []
      const watching = (async () => {
        for await (const batch of store.watch('/w', revision + 1n, new AbortController().signal)) {
          seen.push(...batch.map(({kv}) => kv?.value))
          if (seen.includes('last')) break
        }
      })()
      const writer = await open(etcd.endpoints.slice(1), {perRequest: true})
      await writer.transact({then: [{put: '/w', value: 'first'}]})
      await new Promise((resolve) => setTimeout(resolve, 200))
      const [member] = etcd.members
      await member?.kill()
      for (const value of ['second', 'last']) {
        const deadline = Date.now() + HANGS_MS
        for (;;) {
          try {
            await writer.transact({then: [{put: '/w', value}]})
            break
          } catch (error) {
            if (Date.now() > deadline) throw error
          }
        }
      }
      await watching
      await member?.start()
      expect(seen[0]).toBe('first')
      expect(seen.at(-1)).toBe('last')
    })
  })

  describe('a full store', () => {
    test('R4: NOSPACE is named', async () => {
      const etcd = await startEtcd({args: ['--quota-backend-bytes', '2000000']})
      try {
        const store = await open(etcd.endpoints, {perRequest: true})
        let error: unknown
        for (let i = 0; i < 100 && error === undefined; i++) {
          error = await store.transact({then: [{put: `/full/${i}`, value: 'x'.repeat(100_000)}]}).then(() => undefined, (cause: unknown) => cause)
        }
        expect(error).toMatchObject({kind: 'failed', message: expect.stringContaining('NOSPACE'), hint: expect.stringContaining('alarm disarm')})
        expect(error).toBeInstanceOf(FullError)
        await store.get('/full/0')
      } finally {
        await etcd.stop()
      }
    })

    test('of many who cross the quota at once, some are executed and refused all the same: each is told what is true', async () => {
      const etcd = await startEtcd({args: ['--quota-backend-bytes', '4000000', '--backend-batch-limit', '1']})
      try {
        const store = await open(etcd.endpoints, {perRequest: true})
        const say = {warn: (message: string) => void warnings.push(message)}
        const warnings: string[] = []
        const keyOf = (i: number): string => `/calico/resources/v3/projectcalico.org/profiles/p${i}`
        const write = (i: number): Promise<'made' | 'refused'> =>
          commit(newSession(store, say), [{get: keyOf(i)}], ({results}) => ({writes: [{key: keyOf(i), read: results[0]?.[0], value: 'x'.repeat(50_000)}], what: `p${i}`, outcome: 'made' as const})).then(({outcome}) => outcome, (error: unknown) => {
            expect(error).toBeInstanceOf(FullError)
            return 'refused'
          })
        let told: string[] = []
        await write(0)
        for (let i = 1; !told.includes('refused'); i += 20) told = [...told, ...(await Promise.all(Array.from({length: 20}, (_, at) => write(i + at))))]
        const stored = await Promise.all(told.map(async (_, at) => ((await store.get(keyOf(at + 1))).kv ? 'made' : 'refused')))
        expect(told).toEqual(stored)
      } finally {
        await etcd.stop()
      }
    })
  })
}
