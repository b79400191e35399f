/** The part of the contract about reading: get, list, and which keys and values there may be. */
import {describe, expect, test} from '@jest/globals'
import type {Page} from '../../../src/lib/datastore/datastore.js'
import {type Contract, fill, listed, number, pages} from './contract.js'

export function reading(on: Contract): void {
  const {freshPrefix, put, remove} = on

  describe('get', () => {
    test('a key that does not exist', async () => {
      const {kv, revision} = await on.store.get(`${freshPrefix()}nothing`)
      expect(kv).toBeUndefined()
      expect(revision).toBeGreaterThanOrEqual(1n)
    })

    test('value, revisions and version through the life of a key', async () => {
      const key = `${freshPrefix()}k`
      const created = await put(key, 'one')
      const changed = await put(key, 'two')
      expect(changed).toBe(created + 1n)
      expect(await on.store.get(key)).toEqual({
        revision: changed,
        kv: {key, value: 'two', createRevision: created, modRevision: changed, version: 2n},
      })
      await remove(key)
      expect((await on.store.get(key)).kv).toBeUndefined()
      const again = await put(key, 'three')
      expect((await on.store.get(key)).kv).toEqual({key, value: 'three', createRevision: again, modRevision: again, version: 1n})
    })

    test('at an earlier revision', async () => {
      const key = `${freshPrefix()}k`
      const first = await put(key, 'one')
      const second = await put(key, 'two')
      const third = await remove(key)
      expect((await on.store.get(key, {revision: first - 1n})).kv).toBeUndefined()
      expect((await on.store.get(key, {revision: first})).kv?.value).toBe('one')
      expect((await on.store.get(key, {revision: second})).kv).toMatchObject({value: 'two', version: 2n})
      expect((await on.store.get(key, {revision: third})).kv).toBeUndefined()
    })

    test('at a revision that is not there yet', async () => {
      const {revision} = await on.store.get('/x')
      await expect(on.store.get('/x', {revision: revision + 1_000n})).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('revision')})
    })

    test('a key is not a prefix', async () => {
      const prefix = freshPrefix()
      await put(`${prefix}ab`, 'x')
      expect((await on.store.get(`${prefix}a`)).kv).toBeUndefined()
    })
  })

  describe('keys and values', () => {
    const awkward = ['ü', '日本語', '😀', '\u{10ffff}', '\uffff', 'a b', 'a\nb', 'a\0b', '__proto__', 'constructor', '"quoted"', '\\', '%', '..', 'x'.repeat(2_000)]

    test.each(awkward)('key and value %j come back as they were', async (text) => {
      const key = `${freshPrefix()}${text}`
      const revision = await put(key, text)
      const kv = {key, value: text, createRevision: revision, modRevision: revision, version: 1n}
      expect((await on.store.get(key)).kv).toEqual(kv)
      expect(await listed(on.store, key)).toEqual([kv])
      expect(await on.store.history(key, revision)).toEqual([{key, revision, kv}])
    })

    test('an empty value is a value', async () => {
      const key = `${freshPrefix()}k`
      await put(key, '')
      expect((await on.store.get(key)).kv).toMatchObject({value: '', version: 1n})
      expect((await on.store.transact({if: [{key, value: ''}], then: [{get: key}]})).succeeded).toBe(true)
    })

    test('keys are in the order of their UTF-8 bytes', async () => {
      const prefix = freshPrefix()
      const names = ['\u{1f600}', '\uffff', '\ue000', 'é', 'z', 'a', 'Z', '\x7f', 'a0', 'a/', '']
      await on.store.transact({then: names.map((name) => ({put: prefix + name, value: name}))})
      const inOrder = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect((await listed(on.store, prefix)).map(({value}) => value)).toEqual(inOrder)
      const {results} = await on.store.transact({then: [{list: prefix}]})
      expect(results[0]?.map(({value}) => value)).toEqual(inOrder)
    })
  })

  describe('list', () => {
    test('nothing under the prefix: one empty page that tells the revision', async () => {
      const {revision} = await on.store.get('/x')
      expect(await pages(on.store, freshPrefix())).toEqual([{revision, entries: []}])
    })

    test('takes what begins with the prefix, and nothing beside it', async () => {
      const base = freshPrefix()
      const names = ['a', 'a/', 'a/x', 'a0', 'a\u{10ffff}', 'b', 'A']
      await on.store.transact({then: names.map((name) => ({put: base + name, value: ''}))})
      const under = async (prefix: string): Promise<string[]> => (await listed(on.store, base + prefix)).map(({key}) => key.slice(base.length))
      expect(await under('a')).toEqual(['a', 'a/', 'a/x', 'a0', 'a\u{10ffff}'])
      expect(await under('a/')).toEqual(['a/', 'a/x'])
      expect(await under('a\u{10ffff}')).toEqual(['a\u{10ffff}'])
      expect(await under('c')).toEqual([])
    })

    test('the empty prefix takes everything', async () => {
      const key = `${freshPrefix()}k`
      await put(key, '')
      expect((await listed(on.store, '')).map((kv) => kv.key)).toContain(key)
    })

    test('in pages of the size asked for, each key once', async () => {
      const prefix = freshPrefix()
      await fill(on.store, prefix, 25)
      const all = await pages(on.store, prefix, {pageSize: 10})
      expect(all.map(({entries}) => entries.length)).toEqual([10, 10, 5])
      expect(new Set(all.flatMap(({entries}) => entries.map(({key}) => key))).size).toBe(25)
    })

    test('a last page that is exactly full', async () => {
      const prefix = freshPrefix()
      await fill(on.store, prefix, 20)
      expect((await pages(on.store, prefix, {pageSize: 10})).flatMap(({entries}) => entries)).toHaveLength(20)
    })

    test('1,000 keys a page unless told otherwise', async () => {
      const prefix = freshPrefix()
      await fill(on.store, prefix, 1_100)
      expect((await pages(on.store, prefix)).map(({entries}) => entries.length)).toEqual([1_000, 100])
    })

    test('all pages show one revision while others write', async () => {
      const prefix = freshPrefix()
      await fill(on.store, prefix, 30)
      const {revision} = await on.store.get('/x')
      const other = await on.subject.open()
      const seen: Page[] = []
      for await (const page of on.store.list(prefix, {pageSize: 10})) {
        seen.push(page)
        await other.transact({then: [{put: `${prefix}0029`, value: 'changed'}, {delete: `${prefix}0028`}, {put: `${prefix}0029a`, value: 'new'}]})
        await other.transact({then: [{put: `${prefix}0028`, value: 'created again'}]})
      }
      other.close()
      expect(seen.map((page) => page.revision)).toEqual([revision, revision, revision])
      const entries = seen.flatMap((page) => page.entries)
      expect(entries.map(({key}) => key)).toEqual(Array.from({length: 30}, (_, i) => `${prefix}${number(i)}`))
      expect(entries.every(({modRevision}) => modRevision <= revision)).toBe(true)
      expect(entries.at(-1)?.value).toBe('29')
    })

    test('at an earlier revision', async () => {
      const prefix = freshPrefix()
      await put(`${prefix}a`, '1')
      const revision = await put(`${prefix}b`, '1')
      await on.store.transact({then: [{put: `${prefix}a`, value: '2'}, {delete: `${prefix}b`}, {put: `${prefix}c`, value: '2'}]})
      expect((await listed(on.store, prefix, {revision})).map(({key, value}) => key.slice(prefix.length) + value)).toEqual(['a1', 'b1'])
    })

    test('keys only: revisions without values', async () => {
      const prefix = freshPrefix()
      const revision = await put(`${prefix}a`, 'long')
      expect(await listed(on.store, prefix, {keysOnly: true})).toEqual([
        {key: `${prefix}a`, value: '', createRevision: revision, modRevision: revision, version: 1n},
      ])
    })

    test('more than 4 MiB, in one page and in one transaction', async () => {
      const prefix = freshPrefix()
      const value = 'v'.repeat(1_000_000)
      for (let i = 0; i < 6; i++) await put(`${prefix}${i}`, value)
      const [page, ...more] = await pages(on.store, prefix)
      expect(more).toEqual([])
      expect(page?.entries.map((kv) => kv.value.length)).toEqual(Array(6).fill(1_000_000))
      const {results} = await on.store.transact({then: [{list: prefix}]})
      expect(results[0]?.reduce((sum, kv) => sum + kv.value.length, 0)).toBe(6_000_000)
      await on.store.transact({then: (page?.entries ?? []).map(({key}) => ({delete: key}))})
      await on.subject.compact?.(on.store)
    })
  })
}
