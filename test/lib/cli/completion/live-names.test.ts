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
    expect(await ask('global-peer')).toEqual(['192.0.2.1'])
    await put('BGPPeer', 'n', {peerIP: '192.0.2.2', node: 'h1', asNumber: 1})
    await put('BGPPeer', 's', {peerIP: '192.0.2.3', nodeSelector: 'all()', asNumber: 1})
    expect(await ask('global-peer')).toEqual(['192.0.2.1'])
    expect(await ask('node-peer', {node: 'H1'})).toEqual(['192.0.2.2'])
    expect(await ask('node-peer', {node: 'h2'})).toEqual([])
    expect(await ask('node')).toEqual(['h1'])
    expect(await ask('tier')).toContain('t1')
    expect(await ask('endpoint')).toEqual(['e1'])
    expect([await ask('orchestrator'), await ask('workload')]).toEqual([['docker'], ['w']])
    await store.transact({then: [{put: '/calico/ipam/v2/handle/docker.w', value: '{"handleID":"docker.w","block":{}}'}, {put: '/calico/ipam/v2/host/h1/ipv4/block/10.0.0.0-26', value: '{"state":"confirmed"}'}]})
    expect(await ask('handle')).toEqual(['docker.w'])
    expect(await ask('of:affinities')).toEqual(['h1/10.0.0.0/26'])
    expect(await ask('of:pools')).toEqual(['p'])
    expect([await ask('of:wep'), await ask('of:wep', {namespace: 'blue'})]).toEqual([['default/h1-docker-w-e1'], []])
    expect(await ask('of:nonsense')).toEqual([])
    expect([await ask('kind'), await ask('document'), await ask('lint-code')]).toEqual([expect.arrayContaining(['profile']), expect.arrayContaining(['ProfileList']), expect.arrayContaining(['rule-open'])])
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
