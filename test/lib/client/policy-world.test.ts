/** What a change makes of flows is judged on the store as it was when the change was decided, with nothing of what others did. */
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {readChangedWorld} from '../../../src/lib/client/policy-world.js'
import {addProfile} from '../../../src/lib/client/profiles.js'
import {newSession, type Session, type Written} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {CompactedError} from '../../../src/lib/datastore/errors.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const PROFILES = '/calico/resources/v3/projectcalico.org/profiles/'
let store: FaultyStore
let session: Session
let written: Written[]

beforeEach(async () => {
  store = await faultyStore()
  written = []
  const record = (each: Written) => {
    written.push(each)
    return Promise.resolve(() => Promise.resolve())
  }
  await addProfile(newSession(store, {warn: () => undefined}), 'there')
  session = newSession(store, {record, warn: () => undefined})
})
afterEach(() => store.close())

test('one object that decides: without and with it, whatever others have done since', async () => {
  await addProfile(session, 'web')
  await addProfile(newSession(store, {warn: () => undefined}), 'later')
  const world = await readChangedWorld(session, written)
  expect(world?.changed).toEqual([`${PROFILES}web`])
  expect([world?.before.profileNames, world?.after.profileNames].map((names) => [...(names ?? [])].sort())).toEqual([['there'], ['there', 'web']])
})

test('several transactions count as one: from what the first found to what the last left', async () => {
  await addProfile(session, 'web')
  const [made] = written
  const again = (value: string | undefined): Written => ({...made, revision: 0n, writes: [{key: `${PROFILES}web`, read: undefined, value}]}) as Written
  expect(await readChangedWorld(session, [...written, again(undefined)])).toBeUndefined()
  expect((await readChangedWorld(session, [...written, again('{}')]))?.changed).toEqual([`${PROFILES}web`])
})

test('nothing that decides about flows: no world', async () => {
  await addProfile(session, 'web')
  const [made] = written
  expect(await readChangedWorld(session, [])).toBeUndefined()
  expect(await readChangedWorld(session, [{...made, writes: [{key: '/calico/ipam/v2/handle/web', read: undefined, value: '{}'}]} as Written])).toBeUndefined()
})

test('where the datastore has forgotten that revision, what stands now is taken; any other error is one', async () => {
  await addProfile(session, 'web')
  const [made] = written
  await addProfile(newSession(store, {warn: () => undefined}), 'later')
  const failing = (error: Error): Session => {
    const list: Datastore['list'] = (prefix, options) => {
      if (options?.revision === made?.revision) throw error
      return store.list(prefix, options)
    }
    return newSession(Object.create(store, {list: {value: list}}) as Datastore, {warn: () => undefined})
  }
  const world = await readChangedWorld(failing(new CompactedError(undefined)), written)
  expect([...(world?.before.profileNames ?? [])].sort()).toEqual(['later', 'there'])
  const away = new CalicoError('unreachable', 'away')
  await expect(readChangedWorld(failing(away), written)).rejects.toBe(away)
})
