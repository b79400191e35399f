/** What a stage does beyond the port's contract (test/contract/staged.test.ts): the base goes on while it is used. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import type {Compare, Datastore, Transaction} from '../../../src/lib/datastore/datastore.js'
import {CompactedError} from '../../../src/lib/datastore/errors.js'
import {LOG_LENGTH} from '../../../src/lib/datastore/embedded/state.js'
import {stage, type StagedDatastore} from '../../../src/lib/datastore/staged/staged-datastore.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

let base: FaultyStore
let store: StagedDatastore
let revision: bigint
beforeEach(async () => {
  base = await faultyStore()
  for (const key of ['/a', '/b', '/c']) await base.transact({then: [{put: key, value: 'old'}]})
  ;({revision} = await base.get('/a'))
  store = stage(base, revision)
})
afterEach(() => base.close())

const put = (on: Datastore, key: string, value: string) => on.transact({then: [{put: key, value}]})
const values = async (on: Datastore, keys: readonly string[]): Promise<(string | undefined)[]> =>
  (await on.transact({then: keys.map((get) => ({get}))})).results.map(([kv]) => kv?.value)
async function listed(on: Datastore, prefix: string): Promise<string[]> {
  const all: string[] = []
  for await (const {entries} of on.list(prefix, {pageSize: 2})) for (const {key, value} of entries) all.push(`${key}=${value}`)
  return all
}

describe('the base at one revision', () => {
  beforeEach(async () => {
    await base.transact({then: [{put: '/a', value: 'new'}, {delete: '/b'}, {put: '/d', value: 'new'}]})
  })

  test('several keys at once, whatever has happened to them since', async () => {
    expect(await values(store, ['/a', '/b', '/c', '/d'])).toEqual(['old', 'old', 'old', undefined])
  })

  test('one key, and a list, with what was staged in its place', async () => {
    expect((await store.get('/b')).kv?.value).toBe('old')
    expect(await listed(store, '/')).toEqual(['/a=old', '/b=old', '/c=old'])
    await store.transact({then: [{put: '/bb', value: 'staged'}, {put: '/c', value: 'staged'}, {delete: '/a'}, {put: '/', value: 'first'}, {put: '/z', value: 'last'}]})
    expect(await listed(store, '/')).toEqual(['/=first', '/b=old', '/bb=staged', '/c=staged', '/z=last'])
    const {results} = await store.transact({then: [{list: '/', keysOnly: true}]})
    expect(results[0]?.map(({key}) => key)).toEqual(['/', '/b', '/bb', '/c', '/z'])
  })

  test('history and watch: the base’s changes up to its revision, then the staged ones', async () => {
    await put(store, '/a', 'staged')
    expect((await store.history('/a', 1n)).map(({revision: at, kv}) => [at, kv?.value])).toEqual([[revision - 2n, 'old'], [revision + 1n, 'staged']])
    const seen: string[] = []
    for await (const batch of store.watch('/', 1n, AbortSignal.timeout(5_000))) {
      for (const {key, kv} of batch) seen.push(`${key}=${kv?.value ?? ''}`)
      if (seen.length > 3) break
    }
    expect(seen).toEqual(['/a=old', '/b=old', '/c=old', '/a=staged'])
  })

  test('a base that has forgotten the revision says so', async () => {
    for (let i = 0; i < LOG_LENGTH; i += 100) await base.transact({then: Array.from({length: 100}, (_, j) => ({put: `/e/${j}`, value: String(i)}))})
    await expect(values(store, ['/a', '/d'])).rejects.toThrow(CompactedError)
    await expect(listed(store, '/')).rejects.toThrow(CompactedError)
  })
})

test('nothing is written to the base, and closing leaves it open', async () => {
  base.writes.length = 0
  await put(store, '/a', 'staged')
  await store.transact({then: [{delete: '/b'}]})
  store.close()
  await expect(store.get('/a')).rejects.toMatchObject({kind: 'failed'})
  expect(await values(base, ['/a', '/b'])).toEqual(['old', 'old'])
  expect(base.writes).toEqual([])
})

test('what was fetched before costs no round trip', async () => {
  const asked: Transaction[] = []
  const counted: Datastore = {...base, transact: (transaction) => (asked.push(transaction), base.transact(transaction)), get: () => Promise.reject(new Error('asked'))}
  const counting = stage(counted, revision)
  await counting.prefetch(['/a', '/b', '/c', '/missing'])
  expect(asked).toHaveLength(1)
  expect(await values(counting, ['/a', '/missing'])).toEqual(['old', undefined])
  expect((await counting.get('/b')).kv?.value).toBe('old')
  await counting.transact({if: [{key: '/missing', version: 0n}, {prefix: '/', unchangedSince: revision}], then: [{put: '/c', value: 'x'}]})
  expect(asked).toHaveLength(1)
})

describe('changes', () => {
  test('the net effect in key order', async () => {
    await put(store, '/c', 'one')
    await put(store, '/c', 'two')
    await put(store, '/new', 'x')
    await put(store, '/gone', 'x')
    await store.transact({then: [{delete: '/gone'}, {delete: '/a'}]})
    await put(store, '/b', 'x')
    await put(store, '/b', 'old')
    const kv = async (key: string) => (await base.get(key)).kv
    expect(store.changes()).toEqual([
      {key: '/a', before: await kv('/a'), after: undefined},
      {key: '/c', before: await kv('/c'), after: 'two'},
      {key: '/new', before: undefined, after: 'x'},
    ])
    // /b and /gone end as they were: they must be so then, too.
    expect(store.guards()).toEqual([{key: '/gone', version: 0n}, {key: '/b', modRevision: revision - 1n}])
  })
})

describe('guards', () => {
  const guards: readonly (readonly [string, readonly Compare[], readonly Compare[]])[] = [
    ['what was asked for, of keys that are not written', [{key: '/b', value: 'old'}], [{key: '/b', value: 'old'}]],
    ['nothing twice', [{key: '/b', value: 'old'}, {key: '/b', value: 'old'}], [{key: '/b', value: 'old'}]],
    ['a key that is written is compared anyway', [{key: '/a', value: 'old'}], []],
    ['an outer prefix covers an inner one and what is missing under it', [{prefix: '/', unchangedSince: 4n}, {prefix: '/b', unchangedSince: 4n}, {key: '/x', version: 0n}], [{prefix: '/', unchangedSince: 4n}]],
    ['a prefix does not cover what is there: deletions are not seen', [{prefix: '/', unchangedSince: 4n}, {key: '/b', version: 1n}], [{prefix: '/', unchangedSince: 4n}, {key: '/b', version: 1n}]],
  ]
  test.each(guards)('%s', async (_, conditions, expected) => {
    expect(revision).toBe(4n)
    const {succeeded} = await store.transact({if: conditions, then: [{put: '/a', value: 'x'}]})
    expect(succeeded).toBe(true)
    expect(store.guards()).toEqual(expected)
  })

  test('the modification revision makes other conditions on a key needless', async () => {
    await store.transact({if: [{key: '/b', value: 'old'}, {key: '/b', modRevision: revision - 1n}, {key: '/b', version: 1n}], then: [{put: '/a', value: 'x'}]})
    expect(store.guards()).toEqual([{key: '/b', modRevision: revision - 1n}])
  })

  test('conditions that did not hold: what they were about stays as it is', async () => {
    const {succeeded} = await store.transact({if: [{key: '/b', version: 7n}], then: [], else: [{put: '/a', value: 'x'}]})
    expect(succeeded).toBe(false)
    expect(store.guards()).toEqual([{key: '/b', modRevision: revision - 1n}])
  })

  test('a decision to do nothing rests on what was read for it, not on what was read for a write', async () => {
    await store.get('/c')
    await put(store, '/a', 'x')
    await values(store, ['/b', '/missing'])
    await listed(store, '/list/')
    store.restOn([{key: '/other', version: 0n}])
    expect(store.guards()).toEqual([
      {prefix: '/list/', unchangedSince: revision},
      {key: '/other', version: 0n},
      {key: '/b', modRevision: revision - 1n},
      {key: '/missing', version: 0n},
    ])
  })

  test('a condition that a staged write breaks does not hold', async () => {
    await put(store, '/a', 'x')
    expect((await store.transact({if: [{prefix: '/', unchangedSince: revision}], then: []})).succeeded).toBe(false)
    expect((await store.transact({if: [{prefix: '/', unchangedSince: revision + 1n}, {key: '/a', modRevision: revision + 1n}, {key: '/a', version: 2n}], then: []})).succeeded).toBe(true)
  })
})
