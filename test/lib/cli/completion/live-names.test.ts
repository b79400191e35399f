import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {candidates} from '../../../../src/lib/cli/completion/candidates.js'
import {liveNames} from '../../../../src/lib/cli/completion/live-names.js'
import {addProfile} from '../../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../../src/lib/client/session.js'
import {kindPrefix} from '../../../../src/lib/model/keys.js'
import type {KindName} from '../../../../src/lib/model/resource.js'
import {faultyStore, type FaultyStore} from '../../../support/faulty-store.js'
import {TABLE} from '../grammar/table.js'

let store: FaultyStore
let session: Session

beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
  await addProfile(session, 'web')
  await addProfile(session, 'Web_2')
})
afterEach(() => store.close())

const put = (kind: KindName, name: string, spec: object, annotations: Record<string, string> = {}) => {
  const metadata = {name, uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', annotations}
  return store.transact({then: [{put: kindPrefix(kind) + name, value: JSON.stringify({kind, apiVersion: 'projectcalico.org/v3', metadata, spec})}]})
}
const names = (limitMs = 5_000) => liveNames(() => Promise.resolve(session), limitMs)

describe('names from the datastore', () => {
  test('profiles as they were typed, and their tags', async () => {
    expect(await names()('profile')).toEqual(['Web_2', 'web'])
    expect(await names()('tag')).toEqual(['Web_2', 'web'])
  })

  test('of every kind', async () => {
    await put('IPPool', 'p', {cidr: '10.0.0.0/8'})
    await put('BGPPeer', 'b', {peerIP: '192.0.2.1', asNumber: 1})
    await put('Node', 'h1', {})
    await put('Tier', 't1', {order: 1})
    await put('WorkloadEndpoint', 'default/h1-docker-w-e1', {node: 'h1', orchestrator: 'docker', workload: 'w', endpoint: 'e1', interfaceName: 'cali1'})
    const ask = names()
    expect(await ask('pool')).toEqual(['10.0.0.0/8'])
    expect(await ask('peer')).toEqual(['192.0.2.1'])
    expect(await ask('node')).toEqual(['h1'])
    expect(await ask('tier')).toContain('t1')
    expect(await ask('endpoint')).toEqual(['e1'])
  })

  test('a store that cannot be opened, or fails, has none', async () => {
    expect(await liveNames(() => Promise.reject(new Error('away')), 5_000)('profile')).toEqual([])
    store.close()
    expect(await names()('profile')).toEqual([])
  })

  test('a store that does not answer costs no more than the limit', async () => {
    expect(await liveNames(() => new Promise<Session>(() => undefined), 50)('profile')).toEqual([])
  })

  test('hostile ones are never offered', async () => {
    const hostile = '$(touch pwned)'
    await put('Profile', 'touch-pwned', {labelsToApply: {[hostile]: ''}}, {'calicoctl/name': hostile})
    await put('IPPool', 'evil', {cidr: hostile})
    await put('BGPPeer', 'evil', {peerIP: '`touch pwned`'})
    const offered = async (...words: string[]) => candidates(words, '', TABLE, names())
    expect(await offered('profile', 'web', 'tag', 'remove')).toEqual(['Web_2', 'web'])
    expect(await offered('profile', 'remove')).toEqual(['Web_2', 'touch-pwned', 'web'])
    expect(await offered('pool', 'remove')).toEqual([])
    expect(await offered('bgp', 'peer', 'remove')).toEqual([])
  })
})
