/** What fits in one transaction is the server's affair: it is tried, and a refusal is translated. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {addProfile, listProfileNames} from '../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {together} from '../../../src/lib/client/together.js'
import {openDatastore} from '../../../src/lib/datastore/open.js'
import {startEtcd, type TestEtcd} from '../../support/etcd.js'

describe.each([
  {server: 'an etcd with its defaults', args: [], fits: 127},
  {server: 'an etcd with --max-txn-ops=300', args: ['--max-txn-ops=300'], fits: 299},
])('$server', ({args, fits}) => {
  let etcd: TestEtcd
  let session: Session
  beforeAll(async () => {
    etcd = await startEtcd({args})
    const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true})
    session = newSession(store, {warn: () => undefined})
    await addProfile(session, 'first')
  })
  afterAll(async () => {
    session.store.close()
    await etcd.stop()
  })
  const add = (count: number, name: string) =>
    together(session, 'the test', async (staged) => {
      for (let i = 0; i < count; i++) await addProfile(staged, `${name}${i}`)
    })

  test(`${fits} new objects are one transaction; one more is refused with the numbers, and nothing is written`, async () => {
    const before = (await session.store.get('/x')).revision
    await expect(add(fits + 1, 'a')).rejects.toMatchObject({
      kind: 'refused',
      details: [expect.stringMatching(new RegExp(`writes ${fits + 1} keys \\(\\d+ bytes\\) and compares ${fits + 2} `)), expect.stringContaining('larger than the server allows')],
    })
    expect((await session.store.get('/x')).revision).toBe(before)
    expect(await add(fits, 'b')).toMatchObject({wrote: true, revision: before + 1n})
    expect(await listProfileNames(session)).toHaveLength(fits + 1)
  })

  test('more than 1.5 MiB is refused with the numbers, and nothing is written', async () => {
    const before = (await session.store.get('/x')).revision
    const large = together(session, 'the test', async ({store}) => {
      for (const key of ['/calico/a', '/calico/b']) await store.transact({then: [{put: key, value: 'v'.repeat(1_100_000)}]})
    })
    await expect(large).rejects.toMatchObject({kind: 'refused', details: [expect.stringContaining('2 keys (2200018 bytes)'), expect.anything()]})
    expect((await session.store.get('/x')).revision).toBe(before)
  })
})
