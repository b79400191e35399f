/** What Felix reports is of one moment, and has a lease in etcd: a backup neither has it nor gives it back. On both stores. */
import {expect, test} from '@jest/globals'
import {backupBytes, backupParts, type Entry} from '../../../src/lib/backup/format.js'
import {checkBackup, restoreBackup} from '../../../src/lib/backup/restore.js'
import {saveBackup} from '../../../src/lib/backup/save.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {resourceKey} from '../../../src/lib/model/keys.js'
import {onBothStores} from '../../support/stores.js'

const CLUSTER = resourceKey('ClusterInformation', 'default')
const PROFILE = resourceKey('Profile', 'web')
const STATUS = '/calico/felix/v2/no-region/host/h1/status'
const INFORMATION = '{"kind":"ClusterInformation","apiVersion":"projectcalico.org/v3","metadata":{"name":"default"},"spec":{"clusterGUID":"g","datastoreReady":true}}'

async function given(store: Datastore): Promise<Session> {
  await store.transact({then: [{put: CLUSTER, value: INFORMATION}, {put: PROFILE, value: '{"metadata":{"name":"web"},"spec":{}}'}, {put: STATUS, value: '{"uptime":1}'}]})
  return newSession(store, {warn: () => undefined})
}

async function* pieces(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  yield* parts
}

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return parts
}

async function* onePage(entries: readonly Entry[]): AsyncGenerator<readonly Entry[]> {
  await Promise.resolve()
  yield entries
}

onBothStores((stores) => {
  test('they are not saved, and what is there stays when a backup is restored', async () => {
    const store = await stores.empty()
    const session = await given(store)
    let parts: Uint8Array[] = []
    expect(await saveBackup(session, async (bytes) => void (parts = await collected(bytes)))).toMatchObject({keys: 2})
    const saved: string[] = []
    for await (const part of backupParts(pieces(parts), 'backup')) if ('entries' in part) saved.push(...part.entries.map(({key}) => key))
    expect(saved).toEqual([CLUSTER, PROFILE])

    await store.transact({then: [{put: STATUS, value: '{"uptime":2}'}, {delete: PROFILE}]})
    await restoreBackup(session, await checkBackup({name: 'backup', open: () => pieces(parts)}), {replace: true})
    expect((await store.get(STATUS)).kv?.value).toBe('{"uptime":2}')
    expect((await store.get(PROFILE)).kv).toBeDefined()
  })

  test('a backup that has them does not give them back', async () => {
    const store = await stores.empty()
    const session = newSession(store, {warn: () => undefined, announce: () => undefined})
    const entries = [{key: STATUS, value: '{"uptime":1}'}, {key: CLUSTER, value: INFORMATION}, {key: PROFILE, value: '{"metadata":{"name":"web"},"spec":{}}'}]
    const parts = await collected(backupBytes({clusterGUID: 'g', revision: '7', savedAt: '2026-01-01T00:00:00Z'}, onePage(entries)))
    await restoreBackup(session, await checkBackup({name: 'backup', open: () => pieces(parts)}), {replace: false})
    expect((await store.get(PROFILE)).kv).toBeDefined()
    expect((await store.get(STATUS)).kv).toBeUndefined()
  })
})
