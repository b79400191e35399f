/** The part of the contract about transactions. */
import {describe, expect, test} from '@jest/globals'
import type {Datastore, Operation} from '../../../src/lib/datastore/datastore.js'
import {type Contract, holds, listed, number} from './contract.js'

export function writing(on: Contract): void {
  const {freshPrefix, put, remove} = on

  describe('transact', () => {
    test('runs the else branch when a condition fails, and nothing of the then branch', async () => {
      const prefix = freshPrefix()
      const revision = await put(`${prefix}a`, 'x')
      const result = await on.store.transact({
        if: [{key: `${prefix}a`, value: 'y'}],
        then: [{put: `${prefix}b`, value: 'then'}],
        else: [{get: `${prefix}a`}, {list: prefix}],
      })
      expect(result).toEqual({
        succeeded: false,
        revision,
        results: [
          [{key: `${prefix}a`, value: 'x', createRevision: revision, modRevision: revision, version: 1n}],
          [{key: `${prefix}a`, value: 'x', createRevision: revision, modRevision: revision, version: 1n}],
        ],
      })
      expect((await on.store.get(`${prefix}b`)).kv).toBeUndefined()
    })

    test('without else branch: failed conditions change nothing', async () => {
      const key = `${freshPrefix()}a`
      expect(await on.store.transact({if: [{key, version: 7n}], then: [{put: key, value: ''}]})).toMatchObject({succeeded: false, results: []})
    })

    describe('conditions', () => {
      test('version: 0 = does not exist; else the number of changes', async () => {
        const key = `${freshPrefix()}k`
        expect(await holds(on.store, {key, version: 0n})).toBe(true)
        expect(await holds(on.store, {key, version: 1n})).toBe(false)
        await put(key, '1')
        await put(key, '2')
        expect(await holds(on.store, {key, version: 2n})).toBe(true)
        expect(await holds(on.store, {key, version: 0n})).toBe(false)
        await remove(key)
        expect(await holds(on.store, {key, version: 0n})).toBe(true)
      })

      test('mod revision: that of the last change; 0 = does not exist', async () => {
        const key = `${freshPrefix()}k`
        expect(await holds(on.store, {key, modRevision: 0n})).toBe(true)
        const first = await put(key, '1')
        const second = await put(key, '1')
        expect(await holds(on.store, {key, modRevision: first})).toBe(false)
        expect(await holds(on.store, {key, modRevision: second})).toBe(true)
        await put(`${key}x`, 'another key')
        expect(await holds(on.store, {key, modRevision: second})).toBe(true)
      })

      test('value: exactly this text; a missing key has none', async () => {
        const key = `${freshPrefix()}k`
        expect(await holds(on.store, {key, value: ''})).toBe(false)
        await put(key, 'ü')
        expect(await holds(on.store, {key, value: 'ü'})).toBe(true)
        expect(await holds(on.store, {key, value: 'u\u0308'})).toBe(false)
      })

      test('prefix unchanged: no creation and no change after the revision; deletions are not seen', async () => {
        const prefix = freshPrefix()
        const {revision} = await on.store.get('/x')
        expect(await holds(on.store, {prefix, unchangedSince: revision})).toBe(true)
        expect(await holds(on.store, {prefix, unchangedSince: 0n})).toBe(true)
        const created = await put(`${prefix}a`, '1')
        expect(await holds(on.store, {prefix, unchangedSince: created - 1n})).toBe(false)
        expect(await holds(on.store, {prefix, unchangedSince: created})).toBe(true)
        await put(`${prefix.slice(0, -1)}beside`, 'x')
        expect(await holds(on.store, {prefix, unchangedSince: created})).toBe(true)
        const changed = await put(`${prefix}a`, '2')
        expect(await holds(on.store, {prefix, unchangedSince: created})).toBe(false)
        expect(await holds(on.store, {prefix, unchangedSince: changed})).toBe(true)
        await remove(`${prefix}a`)
        expect(await holds(on.store, {prefix, unchangedSince: created})).toBe(true)
      })

      test('all must hold', async () => {
        const prefix = freshPrefix()
        await put(`${prefix}a`, '1')
        const conditions = [{key: `${prefix}a`, value: '1'}, {key: `${prefix}b`, version: 0n}]
        expect((await on.store.transact({if: conditions, then: []})).succeeded).toBe(true)
        expect((await on.store.transact({if: [...conditions, {key: `${prefix}a`, version: 2n}], then: []})).succeeded).toBe(false)
      })
    })

    test('its writes share one revision, its reads see them, in the order of the operations', async () => {
      const prefix = freshPrefix()
      const before = await put(`${prefix}old`, 'x')
      const {revision, results} = await on.store.transact({
        then: [{get: `${prefix}a`}, {put: `${prefix}a`, value: '1'}, {get: `${prefix}a`}, {delete: `${prefix}old`}, {put: `${prefix}b`, value: '2'}, {list: prefix, keysOnly: true}],
      })
      expect(revision).toBe(before + 1n)
      const created = {createRevision: revision, modRevision: revision, version: 1n}
      expect(results).toEqual([
        [],
        [],
        [{key: `${prefix}a`, value: '1', ...created}],
        [{key: `${prefix}old`, value: 'x', createRevision: before, modRevision: before, version: 1n}],
        [],
        [
          {key: `${prefix}a`, value: '', ...created},
          {key: `${prefix}b`, value: '', ...created},
        ],
      ])
    })

    test('a put with `previous` gives what was there, with its value; another put gives nothing', async () => {
      const prefix = freshPrefix()
      const created = await put(`${prefix}a`, 'one')
      const before = await put(`${prefix}a`, 'two')
      const {revision, results} = await on.store.transact({
        then: [{put: `${prefix}a`, value: 'three', previous: true}, {put: `${prefix}b`, value: '', previous: true}, {put: `${prefix}c`, value: ''}],
      })
      const was = {key: `${prefix}a`, createRevision: created}
      expect(results).toEqual([[{...was, value: 'two', modRevision: before, version: 2n}], [], []])
      const again = await on.store.transact({
        if: [{key: `${prefix}a`, value: 'nothing'}],
        then: [],
        else: [{put: `${prefix}a`, value: 'four', previous: true}, {delete: `${prefix}b`}, {put: `${prefix}c`, value: 'x'}],
      })
      expect(again.results).toEqual([
        [{...was, value: 'three', modRevision: revision, version: 3n}],
        [{key: `${prefix}b`, value: '', createRevision: revision, modRevision: revision, version: 1n}],
        [],
      ])
    })

    test('deleting what is not there changes nothing', async () => {
      const {revision} = await on.store.get('/x')
      expect(await on.store.transact({then: [{delete: `${freshPrefix()}nothing`}]})).toEqual({succeeded: true, revision, results: [[]]})
    })

    test('128 conditions and 128 operations pass, one more is refused and nothing is written', async () => {
      const prefix = freshPrefix()
      const names = Array.from({length: 129}, (_, i) => `${prefix}${number(i)}`)
      const most = names.slice(1)
      const operations = (keys: readonly string[]): Operation[] => keys.map((key) => ({put: key, value: key}))
      const tooMany = on.store.transact({then: operations(names)})
      await expect(tooMany).rejects.toMatchObject({kind: 'failed'})
      await expect(on.store.transact({if: names.map((key) => ({key, version: 0n})), then: []})).rejects.toMatchObject({kind: 'failed'})
      expect(await listed(on.store, prefix)).toEqual([])
      expect((await on.store.transact({if: most.map((key) => ({key, version: 0n})), then: operations(most)})).succeeded).toBe(true)
      expect(await listed(on.store, prefix)).toHaveLength(128)
    })

    test('writing a key twice is refused', async () => {
      const key = `${freshPrefix()}k`
      await expect(on.store.transact({then: [{put: key, value: '1'}, {put: key, value: '2'}]})).rejects.toMatchObject({kind: 'failed'})
      await expect(on.store.transact({then: [{put: key, value: '1'}, {delete: key}]})).rejects.toMatchObject({kind: 'failed'})
      expect((await on.store.get(key)).kv).toBeUndefined()
    })

    test('an empty key is refused', async () => {
      await expect(put('', 'x')).rejects.toMatchObject({kind: 'failed'})
    })

    test('a request above 1.5 MiB is refused, and nothing is written', async () => {
      const key = `${freshPrefix()}k`
      await expect(put(key, 'v'.repeat(2_200_000))).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('refuses')})
      expect((await on.store.get(key)).kv).toBeUndefined()
    })

    test('of many who create one key, one succeeds', async () => {
      const key = `${freshPrefix()}k`
      const others = await Promise.all([on.subject.open(), on.subject.open(), on.subject.open()])
      const creations = Array.from({length: 30}, (_, i) =>
        (others[i % 3] ?? on.store).transact({if: [{key, version: 0n}], then: [{put: key, value: String(i)}], else: [{get: key}]}),
      )
      const results = await Promise.all(creations)
      const winners = results.flatMap(({succeeded}, i) => (succeeded ? [String(i)] : []))
      expect(winners).toHaveLength(1)
      expect((await on.store.get(key)).kv).toMatchObject({value: winners[0], version: 1n})
      for (const {succeeded, results: answers} of results) if (!succeeded) expect(answers[0]?.[0]?.value).toBe(winners[0])
      for (const other of others) other.close()
    })

    test('of many who count one number up by compare-and-swap, none is lost', async () => {
      const key = `${freshPrefix()}n`
      await put(key, '0')
      const countUp = async (client: Datastore): Promise<void> => {
        for (let done = 0; done < 10; ) {
          const {kv} = await client.get(key)
          if (kv === undefined) throw new Error(`${key} is gone`)
          const {succeeded} = await client.transact({
            if: [{key, modRevision: kv.modRevision}],
            then: [{put: key, value: String(Number(kv.value) + 1)}],
          })
          if (succeeded) done++
        }
      }
      const clients = await Promise.all(Array.from({length: 5}, () => on.subject.open()))
      await Promise.all(clients.map(countUp))
      for (const client of clients) client.close()
      expect((await on.store.get(key)).kv).toMatchObject({value: '50', version: 51n})
    })
  })
}
