/** What a draft writes holds only for what its decisions have seen. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {type Codec, type Draft, newDraft} from '../../../src/lib/ipam/draft.js'
import {emptyMemory, type Memory} from '../../../src/lib/ipam/memory.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const TEXT: Codec<string> = {parse: ({value}) => value, encode: (value) => value}
const LARGE: Codec<string> = {...TEXT, bytes: (value) => value.length}
const [A, B, C] = ['/t/a', '/t/b', '/t/c'] as const

let store: FaultyStore
let session: Session
let memory: Memory
let draft: Draft
const put = (key: string, value: string): Promise<unknown> => store.transact({then: [{put: key, value}]})
const revision = async (key: string): Promise<bigint | undefined> => (await store.get(key)).kv?.modRevision
const fresh = (): Draft => newDraft(session, memory, [])

beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
  memory = emptyMemory()
  for (const key of [A, B]) await put(key, 'first')
  draft = fresh()
})
afterEach(() => store.close())

describe('what is read anew, for another decision of the same draft, does not renew the one before', () => {
  test('of a key that is written', async () => {
    const seen = await revision(A)
    await draft.get(TEXT, A)
    draft.set(TEXT, A, 'ours')
    await put(A, 'theirs')
    // As a list does that is read then.
    await draft.list('/t/')
    expect(draft.writes()).toEqual([{key: A, read: expect.objectContaining({modRevision: seen}), value: 'ours'}])
    draft.set(TEXT, A, 'ours again')
    expect(draft.writes()).toEqual([{key: A, read: expect.objectContaining({modRevision: seen}), value: 'ours again'}])
  })

  test('of a key that a decision rests on, whether it is written later or not', async () => {
    const seen = await revision(A)
    // Remembered of an earlier transaction.
    await fresh().get(TEXT, A)
    draft.restOn(A)
    await put(A, 'theirs')
    expect(await draft.verify([A])).toBe(true)
    draft.restOn(A)
    expect(draft.guards()).toEqual([{key: A, modRevision: seen}])
    draft.set(TEXT, A, 'ours')
    expect(draft.guards()).toEqual([])
    expect(draft.writes()).toEqual([{key: A, read: expect.objectContaining({modRevision: seen}), value: 'ours'}])
  })

  test('of a key that was missing', async () => {
    await draft.get(TEXT, C)
    draft.restOn(C)
    await put(C, 'theirs')
    await draft.list('/t/')
    expect(draft.guards()).toEqual([{key: C, version: 0n}])
    draft.set(TEXT, C, 'ours')
    expect(draft.writes()).toEqual([{key: C, read: undefined, value: 'ours'}])
  })

  test('of what came under a prefix: the oldest look counts, in whatever order', () => {
    for (const [one, two] of [[5n, 7n], [7n, 5n]] as const) {
      const other = fresh()
      other.restOnPrefix('/t/', one)
      other.restOnPrefix('/t/', two)
      expect(other.guards()).toEqual([{prefix: '/t/', unchangedSince: 5n}])
    }
  })

  test('a key that a decision rests on before it has been read counts as it is read first', async () => {
    draft.restOn(A)
    await draft.get(TEXT, A)
    draft.restOn(A)
    const seen = await revision(A)
    await put(A, 'theirs')
    await draft.list('/t/')
    expect(draft.guards()).toEqual([{key: A, modRevision: seen}])
  })
})

describe('writes', () => {
  test('a key that was never read is not written', () => {
    draft.set(TEXT, C, 'ours')
    expect(() => draft.writes()).toThrow('/t/c is to be written, but was never read')
  })

  test('what was made and taken away again is not written, and must have been missing', async () => {
    await draft.get(TEXT, C)
    draft.set(TEXT, C, 'ours')
    draft.set(TEXT, C, undefined)
    expect([draft.writes(), draft.guards()]).toEqual([[], [{key: C, version: 0n}]])
    expect(await draft.get(TEXT, C)).toBeUndefined()
  })

  test('a key that is taken for missing is written only if it is; one that this draft makes is not forgotten', async () => {
    draft.takeAsMissing([C])
    draft.set(TEXT, C, 'ours')
    draft.takeAsMissing([C])
    expect(await draft.get(TEXT, C)).toBe('ours')
    expect(draft.writes()).toEqual([{key: C, read: undefined, value: 'ours'}])
  })

  test('whoever adds to a list that is remembered must know all of it', async () => {
    expect(await draft.list('/t/')).toEqual([A, B])
    const {revision: seen} = await store.transact({then: [{get: A}]})
    await draft.get(TEXT, C)
    draft.set(TEXT, C, 'ours')
    expect(draft.guards()).toEqual([{prefix: '/t/', unchangedSince: seen}])
    expect(await draft.list('/t/')).toEqual([A, B, C])
    draft.set(TEXT, A, undefined)
    expect(await draft.list('/t/')).toEqual([B, C])
    expect([...(await draft.names('/t/'))].sort()).toEqual([B, C])
  })

  test('a list that was never read is none to rest on', () => {
    draft.restOnList('/t/')
    expect(() => draft.guards()).toThrow('/t/ is rested on, but was never listed')
  })

  test('what was written is remembered, with the value that it was made of', async () => {
    await draft.get(TEXT, A)
    draft.set(TEXT, A, 'ours')
    const writes = draft.writes()
    const {revision: at} = await store.transact({then: [{put: A, value: 'ours'}]})
    draft.written(writes, at)
    const next = newDraft(session, memory, [])
    await put(A, 'theirs')
    expect(await next.get(TEXT, A)).toBe('ours')
    expect(await next.verify([A])).toBe(true)
    expect(await next.get(TEXT, A)).toBe('theirs')
    // Once looked at, it is not looked at again.
    await put(A, 'theirs again')
    expect(await next.verify([A])).toBe(false)
  })
})

test('marks: what was changed and rested on since is as if it had never been', async () => {
  await draft.list('/t/')
  draft.set(TEXT, A, 'one')
  const before = [draft.writes(), draft.guards()]
  const undo = draft.mark()
  draft.set(TEXT, A, 'two')
  draft.set(TEXT, B, undefined)
  draft.restOn(B)
  draft.restOnList('/t/')
  draft.restOnPrefix('/u/', 1n)
  undo()
  expect([draft.writes(), draft.guards()]).toEqual(before)
  expect(await draft.list('/t/')).toEqual([A, B])
})

describe('room', () => {
  test('an empty draft has space for anything; others for 110 conditions and keys', async () => {
    expect(draft.hasRoom(1000)).toBe(true)
    await draft.get(TEXT, A)
    draft.set(TEXT, A, 'ours')
    expect([draft.hasRoom(109), draft.hasRoom(110)]).toEqual([true, false])
    draft.restOn(B)
    await draft.list('/t/')
    draft.restOnList('/t/')
    draft.restOnPrefix('/u/', 1n)
    expect([draft.hasRoom(106), draft.hasRoom(107)]).toEqual([true, false])
  })

  test('and for 1,000,000 bytes; a dry run writes none', async () => {
    await draft.load([A, B])
    draft.set(LARGE, A, 'x'.repeat(999_799))
    draft.set(TEXT, B, 'a small one')
    expect(draft.hasRoom(1)).toBe(true)
    draft.set(LARGE, A, 'x'.repeat(999_800))
    expect(draft.hasRoom(1)).toBe(false)
    draft.set(TEXT, B, undefined)
    expect(draft.hasRoom(1)).toBe(true)
    const dry = newDraft(newSession(store, {dryRun: true, warn: () => undefined}), memory, [])
    dry.set(LARGE, A, 'x'.repeat(2_000_000))
    expect(dry.hasRoom(1000)).toBe(true)
  })
})

test('two values of which nothing is to be had stay so until one of them changes', async () => {
  await draft.load([A, B])
  draft.settle(A, B)
  expect([fresh().isSettled(A, B), fresh().isSettled(B, A), fresh().isSettled(A, C)]).toEqual([true, false, false])
  const other = fresh()
  other.set(TEXT, B, 'ours')
  expect(other.isSettled(A, B)).toBe(false)
  await put(A, 'theirs')
  await draft.list('/t/')
  expect(draft.isSettled(A, B)).toBe(false)
})
