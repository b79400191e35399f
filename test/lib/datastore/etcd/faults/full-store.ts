/** An etcd whose store is full. */
import {describe, expect, test} from '@jest/globals'
import {commit} from '../../../../../src/lib/client/commit.js'
import {newSession} from '../../../../../src/lib/client/session.js'
import {FullError} from '../../../../../src/lib/datastore/errors.js'
import {startEtcd} from '../../../../support/etcd.js'
import type {Open} from './help.js'

export function fullStore(open: Open): void {
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
