import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import type {Change, ChangeBatch, Datastore, KeyValue, Operation, Page} from '../../src/lib/datastore/datastore.js'
import {CompactedError} from '../../src/lib/datastore/errors.js'

/** What a test of the port needs from an adapter. */
export interface Subject {
  /** Another client of the same store. */
  open(): Promise<Datastore>
  /** Makes the store forget everything before its present revision; absent = it never does. */
  compact?: (store: Datastore) => Promise<void>
  stop(): Promise<void>
}

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

  /** A prefix that no other test uses. */
  const freshPrefix = (): string => `/contract/${tests++}/`
  const put = async (key: string, value: string): Promise<bigint> => (await store.transact({then: [{put: key, value}]})).revision
  const remove = async (key: string): Promise<bigint> => (await store.transact({then: [{delete: key}]})).revision

  describe('get', () => {
    test('a key that does not exist', async () => {
      const {kv, revision} = await store.get(`${freshPrefix()}nothing`)
      expect(kv).toBeUndefined()
      expect(revision).toBeGreaterThanOrEqual(1n)
    })

    test('value, revisions and version through the life of a key', async () => {
      const key = `${freshPrefix()}k`
      const created = await put(key, 'one')
      const changed = await put(key, 'two')
      expect(changed).toBe(created + 1n)
      expect(await store.get(key)).toEqual({
        revision: changed,
        kv: {key, value: 'two', createRevision: created, modRevision: changed, version: 2n},
      })
      await remove(key)
      expect((await store.get(key)).kv).toBeUndefined()
      const again = await put(key, 'three')
      expect((await store.get(key)).kv).toEqual({key, value: 'three', createRevision: again, modRevision: again, version: 1n})
    })

    test('at an earlier revision', async () => {
      const key = `${freshPrefix()}k`
      const first = await put(key, 'one')
      const second = await put(key, 'two')
      const third = await remove(key)
      expect((await store.get(key, {revision: first - 1n})).kv).toBeUndefined()
      expect((await store.get(key, {revision: first})).kv?.value).toBe('one')
      expect((await store.get(key, {revision: second})).kv).toMatchObject({value: 'two', version: 2n})
      expect((await store.get(key, {revision: third})).kv).toBeUndefined()
    })

    test('at a revision that is not there yet', async () => {
      const {revision} = await store.get('/x')
      await expect(store.get('/x', {revision: revision + 1_000n})).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('revision')})
    })

    test('a key is not a prefix', async () => {
      const prefix = freshPrefix()
      await put(`${prefix}ab`, 'x')
      expect((await store.get(`${prefix}a`)).kv).toBeUndefined()
    })
  })

  describe('keys and values', () => {
    const awkward = ['ü', '日本語', '😀', '\u{10ffff}', '\uffff', 'a b', 'a\nb', 'a\0b', '__proto__', 'constructor', '"quoted"', '\\', '%', '..', 'x'.repeat(2_000)]

    test.each(awkward)('key and value %j come back as they were', async (text) => {
      const key = `${freshPrefix()}${text}`
      const revision = await put(key, text)
      const kv = {key, value: text, createRevision: revision, modRevision: revision, version: 1n}
      expect((await store.get(key)).kv).toEqual(kv)
      expect(await listed(store, key)).toEqual([kv])
      expect(await store.history(key, revision)).toEqual([{key, revision, kv}])
    })

    test('an empty value is a value', async () => {
      const key = `${freshPrefix()}k`
      await put(key, '')
      expect((await store.get(key)).kv).toMatchObject({value: '', version: 1n})
      expect((await store.transact({if: [{key, value: ''}], then: [{get: key}]})).succeeded).toBe(true)
    })

    test('keys are in the order of their UTF-8 bytes', async () => {
      const prefix = freshPrefix()
      const names = ['\u{1f600}', '\uffff', '\ue000', 'é', 'z', 'a', 'Z', '\x7f', 'a0', 'a/', '']
      await store.transact({then: names.map((name) => ({put: prefix + name, value: name}))})
      const inOrder = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect((await listed(store, prefix)).map(({value}) => value)).toEqual(inOrder)
      const {results} = await store.transact({then: [{list: prefix}]})
      expect(results[0]?.map(({value}) => value)).toEqual(inOrder)
    })
  })

  describe('list', () => {
    test('nothing under the prefix: one empty page that tells the revision', async () => {
      const {revision} = await store.get('/x')
      expect(await pages(store, freshPrefix())).toEqual([{revision, entries: []}])
    })

    test('takes what begins with the prefix, and nothing beside it', async () => {
      const base = freshPrefix()
      const names = ['a', 'a/', 'a/x', 'a0', 'a\u{10ffff}', 'b', 'A']
      await store.transact({then: names.map((name) => ({put: base + name, value: ''}))})
      const under = async (prefix: string): Promise<string[]> => (await listed(store, base + prefix)).map(({key}) => key.slice(base.length))
      expect(await under('a')).toEqual(['a', 'a/', 'a/x', 'a0', 'a\u{10ffff}'])
      expect(await under('a/')).toEqual(['a/', 'a/x'])
      expect(await under('a\u{10ffff}')).toEqual(['a\u{10ffff}'])
      expect(await under('c')).toEqual([])
    })

    test('the empty prefix takes everything', async () => {
      const key = `${freshPrefix()}k`
      await put(key, '')
      expect((await listed(store, '')).map((kv) => kv.key)).toContain(key)
    })

    test('in pages of the size asked for, each key once', async () => {
      const prefix = freshPrefix()
      await fill(store, prefix, 25)
      const all = await pages(store, prefix, {pageSize: 10})
      expect(all.map(({entries}) => entries.length)).toEqual([10, 10, 5])
      expect(new Set(all.flatMap(({entries}) => entries.map(({key}) => key))).size).toBe(25)
    })

    test('a last page that is exactly full', async () => {
      const prefix = freshPrefix()
      await fill(store, prefix, 20)
      expect((await pages(store, prefix, {pageSize: 10})).flatMap(({entries}) => entries)).toHaveLength(20)
    })

    test('1,000 keys a page unless told otherwise', async () => {
      const prefix = freshPrefix()
      await fill(store, prefix, 1_100)
      expect((await pages(store, prefix)).map(({entries}) => entries.length)).toEqual([1_000, 100])
    })

    test('all pages show one revision while others write', async () => {
      const prefix = freshPrefix()
      await fill(store, prefix, 30)
      const {revision} = await store.get('/x')
      const other = await subject.open()
      const seen: Page[] = []
      for await (const page of store.list(prefix, {pageSize: 10})) {
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
      await store.transact({then: [{put: `${prefix}a`, value: '2'}, {delete: `${prefix}b`}, {put: `${prefix}c`, value: '2'}]})
      expect((await listed(store, prefix, {revision})).map(({key, value}) => key.slice(prefix.length) + value)).toEqual(['a1', 'b1'])
    })

    test('keys only: revisions without values', async () => {
      const prefix = freshPrefix()
      const revision = await put(`${prefix}a`, 'long')
      expect(await listed(store, prefix, {keysOnly: true})).toEqual([
        {key: `${prefix}a`, value: '', createRevision: revision, modRevision: revision, version: 1n},
      ])
    })

    test('more than 4 MiB, in one page and in one transaction', async () => {
      const prefix = freshPrefix()
      const value = 'v'.repeat(1_000_000)
      for (let i = 0; i < 6; i++) await put(`${prefix}${i}`, value)
      const [page, ...more] = await pages(store, prefix)
      expect(more).toEqual([])
      expect(page?.entries.map((kv) => kv.value.length)).toEqual(Array(6).fill(1_000_000))
      const {results} = await store.transact({then: [{list: prefix}]})
      expect(results[0]?.reduce((sum, kv) => sum + kv.value.length, 0)).toBe(6_000_000)
      await store.transact({then: (page?.entries ?? []).map(({key}) => ({delete: key}))})
      await subject.compact?.(store)
    })
  })

  describe('transact', () => {
    test('runs the else branch when a condition fails, and nothing of the then branch', async () => {
      const prefix = freshPrefix()
      const revision = await put(`${prefix}a`, 'x')
      const result = await store.transact({
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
      expect((await store.get(`${prefix}b`)).kv).toBeUndefined()
    })

    test('without else branch: failed conditions change nothing', async () => {
      const key = `${freshPrefix()}a`
      expect(await store.transact({if: [{key, version: 7n}], then: [{put: key, value: ''}]})).toMatchObject({succeeded: false, results: []})
    })

    describe('conditions', () => {
      test('version: 0 = does not exist; else the number of changes', async () => {
        const key = `${freshPrefix()}k`
        expect(await holds(store, {key, version: 0n})).toBe(true)
        expect(await holds(store, {key, version: 1n})).toBe(false)
        await put(key, '1')
        await put(key, '2')
        expect(await holds(store, {key, version: 2n})).toBe(true)
        expect(await holds(store, {key, version: 0n})).toBe(false)
        await remove(key)
        expect(await holds(store, {key, version: 0n})).toBe(true)
      })

      test('mod revision: that of the last change; 0 = does not exist', async () => {
        const key = `${freshPrefix()}k`
        expect(await holds(store, {key, modRevision: 0n})).toBe(true)
        const first = await put(key, '1')
        const second = await put(key, '1')
        expect(await holds(store, {key, modRevision: first})).toBe(false)
        expect(await holds(store, {key, modRevision: second})).toBe(true)
        await put(`${key}x`, 'another key')
        expect(await holds(store, {key, modRevision: second})).toBe(true)
      })

      test('value: exactly this text; a missing key has none', async () => {
        const key = `${freshPrefix()}k`
        expect(await holds(store, {key, value: ''})).toBe(false)
        await put(key, 'ü')
        expect(await holds(store, {key, value: 'ü'})).toBe(true)
        expect(await holds(store, {key, value: 'u\u0308'})).toBe(false)
      })

      test('prefix unchanged: no creation and no change after the revision; deletions are not seen', async () => {
        const prefix = freshPrefix()
        const {revision} = await store.get('/x')
        expect(await holds(store, {prefix, unchangedSince: revision})).toBe(true)
        expect(await holds(store, {prefix, unchangedSince: 0n})).toBe(true)
        const created = await put(`${prefix}a`, '1')
        expect(await holds(store, {prefix, unchangedSince: created - 1n})).toBe(false)
        expect(await holds(store, {prefix, unchangedSince: created})).toBe(true)
        await put(`${prefix.slice(0, -1)}beside`, 'x')
        expect(await holds(store, {prefix, unchangedSince: created})).toBe(true)
        const changed = await put(`${prefix}a`, '2')
        expect(await holds(store, {prefix, unchangedSince: created})).toBe(false)
        expect(await holds(store, {prefix, unchangedSince: changed})).toBe(true)
        await remove(`${prefix}a`)
        expect(await holds(store, {prefix, unchangedSince: created})).toBe(true)
      })

      test('all must hold', async () => {
        const prefix = freshPrefix()
        await put(`${prefix}a`, '1')
        const conditions = [{key: `${prefix}a`, value: '1'}, {key: `${prefix}b`, version: 0n}]
        expect((await store.transact({if: conditions, then: []})).succeeded).toBe(true)
        expect((await store.transact({if: [...conditions, {key: `${prefix}a`, version: 2n}], then: []})).succeeded).toBe(false)
      })
    })

    test('its writes share one revision, its reads see them, in the order of the operations', async () => {
      const prefix = freshPrefix()
      const before = await put(`${prefix}old`, 'x')
      const {revision, results} = await store.transact({
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
      const {revision, results} = await store.transact({
        then: [{put: `${prefix}a`, value: 'three', previous: true}, {put: `${prefix}b`, value: '', previous: true}, {put: `${prefix}c`, value: ''}],
      })
      const was = {key: `${prefix}a`, createRevision: created}
      expect(results).toEqual([[{...was, value: 'two', modRevision: before, version: 2n}], [], []])
      const again = await store.transact({
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
      const {revision} = await store.get('/x')
      expect(await store.transact({then: [{delete: `${freshPrefix()}nothing`}]})).toEqual({succeeded: true, revision, results: [[]]})
    })

    test('128 conditions and 128 operations pass, one more is refused and nothing is written', async () => {
      const prefix = freshPrefix()
      const names = Array.from({length: 129}, (_, i) => `${prefix}${number(i)}`)
      const most = names.slice(1)
      const operations = (keys: readonly string[]): Operation[] => keys.map((key) => ({put: key, value: key}))
      const tooMany = store.transact({then: operations(names)})
      await expect(tooMany).rejects.toMatchObject({kind: 'failed'})
      await expect(store.transact({if: names.map((key) => ({key, version: 0n})), then: []})).rejects.toMatchObject({kind: 'failed'})
      expect(await listed(store, prefix)).toEqual([])
      expect((await store.transact({if: most.map((key) => ({key, version: 0n})), then: operations(most)})).succeeded).toBe(true)
      expect(await listed(store, prefix)).toHaveLength(128)
    })

    test('writing a key twice is refused', async () => {
      const key = `${freshPrefix()}k`
      await expect(store.transact({then: [{put: key, value: '1'}, {put: key, value: '2'}]})).rejects.toMatchObject({kind: 'failed'})
      await expect(store.transact({then: [{put: key, value: '1'}, {delete: key}]})).rejects.toMatchObject({kind: 'failed'})
      expect((await store.get(key)).kv).toBeUndefined()
    })

    test('an empty key is refused', async () => {
      await expect(put('', 'x')).rejects.toMatchObject({kind: 'failed'})
    })

    test('a request above 1.5 MiB is refused, and nothing is written', async () => {
      const key = `${freshPrefix()}k`
      await expect(put(key, 'v'.repeat(2_200_000))).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('refuses')})
      expect((await store.get(key)).kv).toBeUndefined()
    })

    test('of many who create one key, one succeeds', async () => {
      const key = `${freshPrefix()}k`
      const others = await Promise.all([subject.open(), subject.open(), subject.open()])
      const creations = Array.from({length: 30}, (_, i) =>
        (others[i % 3] ?? store).transact({if: [{key, version: 0n}], then: [{put: key, value: String(i)}], else: [{get: key}]}),
      )
      const results = await Promise.all(creations)
      const winners = results.flatMap(({succeeded}, i) => (succeeded ? [String(i)] : []))
      expect(winners).toHaveLength(1)
      expect((await store.get(key)).kv).toMatchObject({value: winners[0], version: 1n})
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
      const clients = await Promise.all(Array.from({length: 5}, () => subject.open()))
      await Promise.all(clients.map(countUp))
      for (const client of clients) client.close()
      expect((await store.get(key)).kv).toMatchObject({value: '50', version: 51n})
    })
  })

  describe('watch', () => {
    test('from a past revision: what was, then what comes', async () => {
      const prefix = freshPrefix()
      const first = await put(`${prefix}a`, '1')
      const second = await put(`${prefix}a`, '2')
      await put(`${prefix.slice(0, -1)}beside`, 'x')
      const watching = collect(store, prefix, first, 4)
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
      const watching = collect(store, prefix, now + 2n, 1)
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
      setTimeout(() => void store.transact({then: operations}), 200)
      for await (const batch of store.watch(prefix, from, controller.signal)) {
        batches.push(batch)
        if (batches.flat().length > 100) break
      }
      controller.abort()
      expect(batches.flat()).toHaveLength(101)
      expect(batches.find((batch) => batch.some(({revision}) => revision > from))?.filter(({revision}) => revision > from)).toHaveLength(100)
    })

    test('ends when the signal aborts, also while nothing happens', async () => {
      const signal = AbortSignal.timeout(200)
      const {revision} = await store.get('/x')
      const batches: ChangeBatch[] = []
      for await (const batch of store.watch(freshPrefix(), revision + 1n, signal)) batches.push(batch)
      expect(batches).toEqual([])
    })

    test('with a signal that has aborted already: nothing', async () => {
      const prefix = freshPrefix()
      const from = await put(`${prefix}a`, '1')
      for await (const batch of store.watch(prefix, from, AbortSignal.abort())) expect(batch).toBe('never')
    })

    test('two watches at a time', async () => {
      const [one, two] = [freshPrefix(), freshPrefix()]
      const from = await put(`${one}a`, '1')
      const both = Promise.all([collect(store, one, from, 1), collect(store, two, from, 1)])
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
      const changes = await store.history(key, second)
      expect(changes.map(({revision, kv}) => [revision, kv?.value])).toEqual([
        [second, '2'],
        [third, undefined],
        [fourth, '4'],
      ])
    })

    test('nothing has changed since', async () => {
      const key = `${freshPrefix()}k`
      const revision = await put(key, '1')
      expect(await store.history(key, revision + 1n)).toEqual([])
      await put(`${key}x`, 'beside')
      expect(await store.history(key, revision + 1n)).toEqual([])
    })

    test('a key that was deleted, once and again', async () => {
      const key = `${freshPrefix()}k`
      const first = await put(key, '1')
      await put(key, '2')
      await remove(key)
      await put(key, '3')
      const last = await remove(key)
      const values = (changes: ChangeBatch): (string | undefined)[] => changes.map(({kv}) => kv?.value)
      expect(values(await store.history(key, first))).toEqual(['1', '2', undefined, '3', undefined])
      expect(values(await store.history(key, first + 1n))).toEqual(['2', undefined, '3', undefined])
      expect(values(await store.history(key, last))).toEqual([undefined])
      expect(await store.history(key, last + 1n)).toEqual([])
    })

    test('a key that never existed', async () => {
      const {revision} = await store.get('/x')
      expect(await store.history(`${freshPrefix()}never`, revision)).toEqual([])
    })

    test('many changes', async () => {
      const key = `${freshPrefix()}k`
      const first = await put(key, '0')
      for (let i = 1; i < 100; i++) await put(key, String(i))
      expect((await store.history(key, first)).map(({kv}) => Number(kv?.value))).toEqual(Array.from({length: 100}, (_, i) => i))
    })
  })

  describe('compaction', () => {
    test('get, list, watch and history of a forgotten revision', async () => {
      const prefix = freshPrefix()
      const first = await put(`${prefix}a`, '1')
      await put(`${prefix}a`, '2')
      await remove(`${prefix}a`)
      const kept = await put(`${prefix}b`, '1')
      if (!subject.compact) return
      await subject.compact(store)
      await expect(store.get(`${prefix}a`, {revision: first})).rejects.toThrow(CompactedError)
      await expect(pages(store, prefix, {revision: first})).rejects.toThrow(CompactedError)
      await expect(collect(store, prefix, first, 1)).rejects.toThrow(CompactedError)
      await expect(store.history(`${prefix}a`, first)).rejects.toThrow(CompactedError)
      expect((await store.get(`${prefix}b`)).kv).toMatchObject({value: '1', modRevision: kept})
      // Nothing has changed since, so nothing is missing.
      expect(await store.history(`${prefix}b`, kept + 1n)).toEqual([])
    })

    test('under a list: the next page says so, or still shows the pinned revision', async () => {
      const prefix = freshPrefix()
      await fill(store, prefix, 30)
      const {revision} = await store.get('/x')
      const seen: KeyValue[] = []
      let compacted = false
      try {
        for await (const page of store.list(prefix, {pageSize: 10})) {
          expect(page.revision).toBe(revision)
          seen.push(...page.entries)
          if (seen.length !== 10) continue
          await put(`${prefix}0015`, 'changed')
          await subject.compact?.(store)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(CompactedError)
        compacted = true
      }
      expect(seen).toHaveLength(compacted ? 10 : 30)
      expect(seen.every(({modRevision}) => modRevision <= revision)).toBe(true)
    })
  })

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

const number = (i: number): string => String(i).padStart(4, '0')
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Creates COUNT keys under PREFIX, numbered in key order, with their number as value. */
export async function fill(store: Datastore, prefix: string, count: number): Promise<void> {
  for (let start = 0; start < count; start += 100) {
    const names = Array.from({length: Math.min(100, count - start)}, (_, i) => start + i)
    await store.transact({then: names.map((i) => ({put: `${prefix}${number(i)}`, value: String(i)}))})
  }
}

async function pages(store: Datastore, prefix: string, options?: Parameters<Datastore['list']>[1]): Promise<Page[]> {
  const all: Page[] = []
  for await (const page of store.list(prefix, options)) all.push(page)
  return all
}

const listed = async (...args: Parameters<typeof pages>): Promise<KeyValue[]> => (await pages(...args)).flatMap(({entries}) => entries)

const holds = async (store: Datastore, compare: NonNullable<Parameters<Datastore['transact']>[0]['if']>[number]): Promise<boolean> =>
  (await store.transact({if: [compare], then: []})).succeeded

/** The first COUNT changes that a watch reports. */
async function collect(store: Datastore, prefix: string, from: bigint, count: number): Promise<Change[]> {
  const controller = new AbortController()
  const changes: Change[] = []
  try {
    for await (const batch of store.watch(prefix, from, controller.signal)) {
      changes.push(...batch)
      if (changes.length >= count) break
    }
  } finally {
    controller.abort()
  }
  return changes
}
