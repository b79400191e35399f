import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CLUSTER_KEY} from '../../../src/lib/client/cluster.js'
import {commit} from '../../../src/lib/client/commit.js'
import {addProfile, editProfile, listProfiles, removeProfile} from '../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {together} from '../../../src/lib/client/together.js'
import {CompactedError, OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {resourceKey} from '../../../src/lib/model/keys.js'
import {addTag, removeTag, tagsOf} from '../../../src/lib/rules/edit.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

let store: FaultyStore
let session: Session
let said: string[]
beforeEach(async () => {
  store = await faultyStore()
  said = []
  session = newSession(store, {warn: (text) => void said.push(text)})
})
afterEach(() => store.close())

const names = async (from: Session = session): Promise<string[]> => (await listProfiles(from)).map(({name}) => name)
const tag = (on: Session, profile: string, name: string) => editProfile(on, profile, (before) => ({profile: addTag(before, name)}))
const untag = (on: Session, profile: string, name: string) => editProfile(on, profile, (before) => ({profile: removeTag(before, name) ?? before}))
const tags = async (name: string): Promise<string[]> => (await listProfiles(session)).filter((each) => each.name === name).flatMap(({stored}) => tagsOf(stored.resource))
const other = (): Session => newSession(store, {warn: () => undefined})

/** What the next writes of the store meet instead of an answer, one after another. */
function meanwhile(...steps: (() => Promise<unknown>)[]): void {
  const usual = store.onWrite
  store.onWrite = async (send, transaction) => {
    const step = steps.shift()
    store.onWrite = usual
    await step?.()
    if (steps.length > 0) meanwhile(...steps)
    return send(transaction)
  }
}

describe('together', () => {
  test('later edits see earlier ones, and all of them are one transaction', async () => {
    await addProfile(session, 'old')
    store.writes.length = 0
    const {outcome, changes, wrote, revision} = await together(session, 'the test', async (staged) => {
      await addProfile(staged, 'a')
      await tag(staged, 'a', 'x')
      await removeProfile(staged, 'old', {check: true})
      return names(staged)
    })
    expect(outcome).toEqual(['a'])
    expect(store.writes).toHaveLength(1)
    expect(wrote).toBe(true)
    expect(changes.map(({key, before, after}) => [key.split('/').at(-1), before !== undefined, after !== undefined])).toEqual([
      ['a', false, true],
      ['old', true, false],
    ])
    expect((await store.get(resourceKey('Profile', 'a'))).kv).toMatchObject({version: 1n, modRevision: revision})
    expect(await names()).toEqual(['a'])
    expect(session.writes.done.at(-1)).toBe('the test')
    expect(session.writes.done).toHaveLength(2)
  })

  test('an empty store is initialised once, in the same transaction, and it is said once', async () => {
    await together(session, 'the test', async (staged) => {
      await addProfile(staged, 'a')
      await addProfile(staged, 'b')
    })
    expect(store.writes).toHaveLength(1)
    expect((await store.get(CLUSTER_KEY)).kv?.version).toBe(1n)
    expect(said.filter((text) => text.includes('Initialising'))).toHaveLength(1)
    expect(await names()).toEqual(['a', 'b'])
  })

  test('a dry run sends nothing and gives the changes', async () => {
    const dry = newSession(store, {dryRun: true, warn: (text) => void said.push(text)})
    const {changes, wrote} = await together(dry, 'the test', (staged) => addProfile(staged, 'a'))
    expect(wrote).toBe(false)
    expect(changes.map(({key}) => key)).toContain(resourceKey('Profile', 'a'))
    expect(store.writes).toEqual([])
    expect(said.join()).not.toContain('Initialising')
  })

  test('what ends as it was is not written', async () => {
    await addProfile(session, 'a')
    store.writes.length = 0
    const {wrote, changes} = await together(session, 'the test', async (staged) => {
      await tag(staged, 'a', 'x')
      await untag(staged, 'a', 'x')
      await addProfile(staged, 'b')
      await removeProfile(staged, 'b', {check: true})
    })
    expect({wrote, changes}).toEqual({wrote: false, changes: []})
    expect(store.writes).toEqual([])
  })

  test('a step that fails: nothing is written', async () => {
    await addProfile(session, 'a')
    store.writes.length = 0
    const failing = together(session, 'the test', async (staged) => {
      await addProfile(staged, 'b')
      await tag(staged, 'missing', 'x')
    })
    await expect(failing).rejects.toMatchObject({kind: 'not-found'})
    expect(store.writes).toEqual([])
  })

  test('somebody else changes one of the objects meanwhile: all steps are done again on what is there then', async () => {
    await addProfile(session, 'a')
    const runs: number[] = []
    meanwhile(() => tag(other(), 'a', 'theirs'))
    await together(session, 'the test', async (staged) => {
      runs.push(1)
      await tag(staged, 'a', 'ours')
      await addProfile(staged, 'b')
    })
    expect(runs).toHaveLength(2)
    expect(await tags('a')).toEqual(['a', 'ours', 'theirs'])
  })

  test('a step that had nothing to do is done again when that is no longer so', async () => {
    await addProfile(session, 'a')
    await tag(session, 'a', 'x')
    meanwhile(() => untag(other(), 'a', 'x'))
    await together(session, 'the test', async (staged) => {
      await tag(staged, 'a', 'x')
      await addProfile(staged, 'b')
    })
    expect(await tags('a')).toEqual(['a', 'x'])
  })

  test('steps that take each other back are done again on what is there then', async () => {
    await addProfile(session, 'a')
    meanwhile(() => removeProfile(other(), 'a', {check: false}))
    const doing = together(session, 'the test', async (staged) => {
      await tag(staged, 'a', 'x')
      await untag(staged, 'a', 'x')
      await addProfile(staged, 'b')
    })
    await expect(doing).rejects.toMatchObject({kind: 'not-found'})
    expect(await names()).toEqual([])
  })

  test('a lost answer is settled: done is done, and not done twice', async () => {
    await addProfile(session, 'a')
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await send(transaction)
      throw new OutcomeUnknownError('no answer')
    }
    const {wrote, revision} = await together(session, 'the test', async (staged) => {
      await removeProfile(staged, 'a', {check: true})
      await addProfile(staged, 'b')
    })
    expect(wrote).toBe(true)
    expect((await store.get(resourceKey('Profile', 'b'))).kv?.modRevision).toBe(revision)
    expect(store.writes).toHaveLength(2)
  })

  test('a lost answer of a transaction that was not executed: it is sent again', async () => {
    await addProfile(session, 'a')
    store.onWrite = () => {
      store.onWrite = (again, next) => again(next)
      throw new OutcomeUnknownError('no answer')
    }
    await together(session, 'the test', (staged) => addProfile(staged, 'b'))
    expect(await names()).toEqual(['a', 'b'])
  })

  test('a lost answer, and somebody else who made a part of the same changes: the rest is made, too', async () => {
    await addProfile(session, 'a')
    await addProfile(session, 'b')
    store.onWrite = async () => {
      store.onWrite = (again, next) => again(next)
      await tag(other(), 'a', 'x')
      throw new OutcomeUnknownError('no answer')
    }
    const {wrote} = await together(session, 'the test', async (staged) => {
      await tag(staged, 'a', 'x')
      await tag(staged, 'b', 'x')
    })
    expect(wrote).toBe(true)
    expect([await tags('a'), await tags('b')]).toEqual([['a', 'x'], ['b', 'x']])
  })

  test('a lost answer to deletions only, one of which somebody else made: the others are made, too', async () => {
    for (const name of ['a', 'b', 'c']) await addProfile(session, name)
    store.onWrite = async () => {
      store.onWrite = (again, next) => again(next)
      await removeProfile(other(), 'a', {check: false})
      throw new OutcomeUnknownError('no answer')
    }
    await together(session, 'the test', async (staged) => {
      for (const name of ['a', 'b']) await removeProfile(staged, name, {check: true})
    })
    expect(await names()).toEqual(['c'])
  })

  test('a store that is locked meanwhile is not written', async () => {
    await addProfile(session, 'a')
    const lock = async (): Promise<void> => {
      const {kv} = await store.get(CLUSTER_KEY)
      await store.transact({then: [{put: CLUSTER_KEY, value: (kv?.value ?? '').replace('"datastoreReady":true', '"datastoreReady":false')}]})
    }
    meanwhile(lock)
    await expect(together(session, 'the test', (staged) => addProfile(staged, 'b'))).rejects.toMatchObject({kind: 'refused'})
    expect(await names()).toEqual(['a'])
  })

  test('the revision that is read is compacted away meanwhile: all steps are done again', async () => {
    await addProfile(session, 'a')
    let runs = 0
    await together(session, 'the test', async (staged) => {
      runs++
      await addProfile(staged, 'b')
      if (runs === 1) throw new CompactedError(undefined)
    })
    expect(runs).toBe(2)
    expect(await names()).toEqual(['a', 'b'])
  })

  test('too many keys for one transaction: refused with the numbers, nothing written', async () => {
    await addProfile(session, 'a')
    store.writes.length = 0
    const before = await store.get(CLUSTER_KEY)
    const many = together(session, 'the change of many', async (staged) => {
      for (let i = 0; i < 129; i++) await addProfile(staged, `p${i}`)
    })
    await expect(many).rejects.toMatchObject({kind: 'refused', message: expect.stringContaining('The change of many'), details: [expect.stringMatching(/129 keys \(\d+ bytes\)/), expect.stringContaining('128')]})
    expect((await store.get(CLUSTER_KEY)).revision).toBe(before.revision)
  })

  test('a raw write that nobody compared is still written only if its key is as it was', async () => {
    await addProfile(session, 'a')
    meanwhile(() => commit(other(), [], () => ({writes: [{key: '/calico/x', read: undefined, value: 'theirs'}], what: 'x', outcome: undefined})))
    await together(session, 'the test', async (staged) => {
      const {kv} = await staged.store.get('/calico/x')
      await staged.store.transact({then: [{put: '/calico/x', value: `${kv?.value ?? ''}+ours`}]})
    })
    expect((await store.get('/calico/x')).kv?.value).toBe('theirs+ours')
  })
})
