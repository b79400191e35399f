/** Several etcds: of two clusters, and the members of one. */
import {connect, type Socket} from 'node:net'
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals'
import {OutcomeUnknownError} from '../../../../../src/lib/datastore/errors.js'
import {startEtcd, type TestEtcd} from '../../../../support/etcd.js'
import {freePorts} from '../../../../support/ports.js'
import {type Proxy, startProxy} from '../../../../support/proxy.js'
import {doorman, failureOf, HANGS_MS, type Open} from './help.js'

export function clusters(open: Open): void {
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
}
