/** One etcd behind a network that loses answers and connections. */
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals'
import type {BudgetOptions} from '../../../../../src/lib/datastore/budget.js'
import type {Change, Datastore} from '../../../../../src/lib/datastore/datastore.js'
import {CompactedError, OutcomeUnknownError} from '../../../../../src/lib/datastore/errors.js'
import {startEtcd, type TestEtcd} from '../../../../support/etcd.js'
import {type Proxy, startProxy} from '../../../../support/proxy.js'
import {failureOf, type Open} from './help.js'

export function network(open: Open): void {
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
}
