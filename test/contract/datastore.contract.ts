import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {changes} from './datastore/changes.js'
import {collect, type Contract, pages, type Subject} from './datastore/contract.js'
import {reading} from './datastore/reading.js'
import {writing} from './datastore/writing.js'

/** The contract of src/lib/datastore/datastore.ts: every adapter passes this suite. */
export function datastoreContract(start: () => Promise<Subject>): void {
  let subject: Subject
  let store: Datastore
  let tests = 0

  beforeAll(async () => {
    subject = await start()
    store = await subject.open()
  })
  afterAll(async () => {
    store.close()
    await subject.stop()
  })

  const contract: Contract = {
    get subject() {
      return subject
    },
    get store() {
      return store
    },
    freshPrefix: () => `/contract/${tests++}/`,
    put: async (key, value) => (await store.transact({then: [{put: key, value}]})).revision,
    remove: async (key) => (await store.transact({then: [{delete: key}]})).revision,
  }

  reading(contract)
  writing(contract)
  changes(contract)

  describe('close', () => {
    test('every verb throws afterwards; closing twice is allowed', async () => {
      const client = await subject.open()
      await client.get('/x')
      client.close()
      client.close()
      await expect(client.get('/x')).rejects.toMatchObject({kind: 'failed'})
      await expect(client.transact({then: [{put: '/x', value: ''}]})).rejects.toMatchObject({kind: 'failed'})
      await expect(pages(client, '/x')).rejects.toMatchObject({kind: 'failed'})
      await expect(client.history('/x', 1n)).rejects.toMatchObject({kind: 'failed'})
      await expect(collect(client, '/x', 1n, 1)).rejects.toMatchObject({kind: 'failed'})
    })
  })

  test('the description names the store and the origin of the setting', () => {
    expect(store.description).toMatch(/etcd|embedded/)
    expect(store.description).toContain('(from the test)')
  })
}
