/** The part of the contract about changes: watches, history, and what compaction takes away. */
import {describe, expect, test} from '@jest/globals'
import type {ChangeBatch, KeyValue} from '../../../src/lib/datastore/datastore.js'
import {CompactedError} from '../../../src/lib/datastore/errors.js'
import {collect, type Contract, delay, fill, number, pages} from './contract.js'

export function changes(on: Contract): void {
  const {freshPrefix, put, remove} = on

  describe('watch', () => {
    test('from a past revision: what was, then what comes', async () => {
      const prefix = freshPrefix()
      const first = await put(`${prefix}a`, '1')
      const second = await put(`${prefix}a`, '2')
      await put(`${prefix.slice(0, -1)}beside`, 'x')
      const watching = collect(on.store, prefix, first, 4)
      await delay(200)
      const third = await remove(`${prefix}a`)
      const fourth = await put(`${prefix}b`, 'new')
      const a1 = {key: `${prefix}a`, value: '1', createRevision: first, modRevision: first, version: 1n}
      const a2 = {...a1, value: '2', modRevision: second, version: 2n}
      expect(await watching).toEqual([
        {key: `${prefix}a`, revision: first, kv: a1},
        {key: `${prefix}a`, revision: second, kv: a2, previous: a1},
        {key: `${prefix}a`, revision: third, previous: a2},
        {key: `${prefix}b`, revision: fourth, kv: {key: `${prefix}b`, value: 'new', createRevision: fourth, modRevision: fourth, version: 1n}},
      ])
    })

    test('from a future revision: only what comes then', async () => {
      const prefix = freshPrefix()
      const now = await put(`${prefix}a`, '1')
      const watching = collect(on.store, prefix, now + 2n, 1)
      await delay(200)
      await put(`${prefix}a`, '2')
      await put(`${prefix}a`, '3')
      expect((await watching).map(({kv}) => kv?.value)).toEqual(['3'])
    })

    test('the changes of a transaction come in one batch', async () => {
      const prefix = freshPrefix()
      const from = await put(`${prefix}a`, '1')
      const batches: ChangeBatch[] = []
      const controller = new AbortController()
      const operations = Array.from({length: 100}, (_, i) => ({put: `${prefix}${number(i)}`, value: ''}))
      setTimeout(() => void on.store.transact({then: operations}), 200)
      for await (const batch of on.store.watch(prefix, from, controller.signal)) {
        batches.push(batch)
        if (batches.flat().length > 100) break
      }
      controller.abort()
      expect(batches.flat()).toHaveLength(101)
      expect(batches.find((batch) => batch.some(({revision}) => revision > from))?.filter(({revision}) => revision > from)).toHaveLength(100)
    })

    test('ends when the signal aborts, also while nothing happens', async () => {
      const signal = AbortSignal.timeout(200)
      const {revision} = await on.store.get('/x')
      const batches: ChangeBatch[] = []
      for await (const batch of on.store.watch(freshPrefix(), revision + 1n, signal)) batches.push(batch)
      expect(batches).toEqual([])
    })

    test('with a signal that has aborted already: nothing', async () => {
      const prefix = freshPrefix()
      const from = await put(`${prefix}a`, '1')
      for await (const batch of on.store.watch(prefix, from, AbortSignal.abort())) expect(batch).toBe('never')
    })

    test('two watches at a time', async () => {
      const [one, two] = [freshPrefix(), freshPrefix()]
      const from = await put(`${one}a`, '1')
      const both = Promise.all([collect(on.store, one, from, 1), collect(on.store, two, from, 1)])
      await put(`${two}a`, '2')
      expect((await both).flat().map(({kv}) => kv?.value)).toEqual(['1', '2'])
    })
  })

  describe('history', () => {
    test('all changes of the key since the revision, and no other key’s', async () => {
      const key = `${freshPrefix()}k`
      await put(key, '1')
      const second = await put(key, '2')
      await put(`${key}x`, 'beside')
      const third = await remove(key)
      const fourth = await put(key, '4')
      const changes = await on.store.history(key, second)
      expect(changes.map(({revision, kv}) => [revision, kv?.value])).toEqual([
        [second, '2'],
        [third, undefined],
        [fourth, '4'],
      ])
    })

    test('nothing has changed since', async () => {
      const key = `${freshPrefix()}k`
      const revision = await put(key, '1')
      expect(await on.store.history(key, revision + 1n)).toEqual([])
      await put(`${key}x`, 'beside')
      expect(await on.store.history(key, revision + 1n)).toEqual([])
    })

    test('a key that was deleted, once and again', async () => {
      const key = `${freshPrefix()}k`
      const first = await put(key, '1')
      await put(key, '2')
      await remove(key)
      await put(key, '3')
      const last = await remove(key)
      const values = (changes: ChangeBatch): (string | undefined)[] => changes.map(({kv}) => kv?.value)
      expect(values(await on.store.history(key, first))).toEqual(['1', '2', undefined, '3', undefined])
      expect(values(await on.store.history(key, first + 1n))).toEqual(['2', undefined, '3', undefined])
      expect(values(await on.store.history(key, last))).toEqual([undefined])
      expect(await on.store.history(key, last + 1n)).toEqual([])
    })

    test('a key that never existed', async () => {
      const {revision} = await on.store.get('/x')
      expect(await on.store.history(`${freshPrefix()}never`, revision)).toEqual([])
    })

    test('many changes', async () => {
      const key = `${freshPrefix()}k`
      const first = await put(key, '0')
      for (let i = 1; i < 100; i++) await put(key, String(i))
      expect((await on.store.history(key, first)).map(({kv}) => Number(kv?.value))).toEqual(Array.from({length: 100}, (_, i) => i))
    })
  })

  describe('compaction', () => {
    test('get, list, watch and history of a forgotten revision', async () => {
      const prefix = freshPrefix()
      const first = await put(`${prefix}a`, '1')
      await put(`${prefix}a`, '2')
      await remove(`${prefix}a`)
      const kept = await put(`${prefix}b`, '1')
      if (!on.subject.compact) return
      await on.subject.compact(on.store)
      await expect(on.store.get(`${prefix}a`, {revision: first})).rejects.toThrow(CompactedError)
      await expect(pages(on.store, prefix, {revision: first})).rejects.toThrow(CompactedError)
      await expect(collect(on.store, prefix, first, 1)).rejects.toThrow(CompactedError)
      await expect(on.store.history(`${prefix}a`, first)).rejects.toThrow(CompactedError)
      expect((await on.store.get(`${prefix}b`)).kv).toMatchObject({value: '1', modRevision: kept})
      // Nothing has changed since, so nothing is missing.
      expect(await on.store.history(`${prefix}b`, kept + 1n)).toEqual([])
    })

    test('under a list: the next page says so, or still shows the pinned revision', async () => {
      const prefix = freshPrefix()
      await fill(on.store, prefix, 30)
      const {revision} = await on.store.get('/x')
      const seen: KeyValue[] = []
      let compacted = false
      try {
        for await (const page of on.store.list(prefix, {pageSize: 10})) {
          expect(page.revision).toBe(revision)
          seen.push(...page.entries)
          if (seen.length !== 10) continue
          await put(`${prefix}0015`, 'changed')
          await on.subject.compact?.(on.store)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(CompactedError)
        compacted = true
      }
      expect(seen).toHaveLength(compacted ? 10 : 30)
      expect(seen.every(({modRevision}) => modRevision <= revision)).toBe(true)
    })
  })
}
