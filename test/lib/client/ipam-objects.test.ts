/** IPAM's objects by the names that `get` shows: a name leads to the key that it came from, and what cannot be read is reported. */
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {getIpamObject, IPAM_KINDS, type IpamKind, listIpamObjects} from '../../../src/lib/client/ipam-objects.js'
import {addProfile} from '../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const IPAM = '/calico/ipam/v2/'
const STORED: readonly (readonly [IpamKind, string, string])[] = [
  ['block', '10.1.0.0/26', 'assignment/ipv4/block/10.1.0.0-26'],
  ['block', 'fd00::/122', 'assignment/ipv6/block/fd00::-122'],
  ['affinity', 'a/10.1.0.0/26', 'host/a/ipv4/block/10.1.0.0-26'],
  ['affinity', 'a/fd00::/122', 'host/a/ipv6/block/fd00::-122'],
  ['affinity', 'virtual:load-balancer/10.1.0.64/26', 'virtual/load-balancer/ipv4/block/10.1.0.64-26'],
  ['handle', 'docker.web', 'handle/docker.web'],
  ['ipamconfig', 'default', 'config'],
]

let store: FaultyStore
let session: Session
const warnings: string[] = []
const put = (key: string, value: string): Promise<unknown> => store.transact({then: [{put: key, value}]})

beforeEach(async () => {
  store = await faultyStore()
  warnings.length = 0
  session = newSession(store, {warn: (warning) => warnings.push(warning), announce: () => undefined})
  await addProfile(session, 'web')
})
afterEach(() => store.close())

async function names(kind: IpamKind): Promise<string[]> {
  const found: string[] = []
  for await (const {name} of listIpamObjects(session, kind)) found.push(name)
  return found
}

test('each is listed by its name and found by it, with what is stored', async () => {
  for (const [, name, key] of STORED) await put(IPAM + key, JSON.stringify({name}))
  for (const kind of Object.keys(IPAM_KINDS) as IpamKind[]) expect(await names(kind)).toEqual(STORED.filter(([each]) => each === kind).map(([, name]) => name))
  for (const [kind, name, key] of STORED) expect(await getIpamObject(session, kind, name)).toMatchObject({name, value: {name}, kv: {key: IPAM + key}})
  expect(warnings).toEqual([])
})

test.each<[IpamKind, string]>([
  ['block', '10.9.0.0/26'],
  ['block', 'web'],
  ['affinity', 'a'],
  ['affinity', '/10.1.0.0/26'],
  ['affinity', 'virtual:/10.1.0.0/26'],
  ['affinity', 'a/web'],
  ['handle', ''],
  ['ipamconfig', 'other'],
])('%s %j is none', async (kind, name) => {
  // What a handle without a name would be.
  await put(`${IPAM}handle/`, '{}')
  expect(await getIpamObject(session, kind, name)).toBeUndefined()
})

test('an affinity without a value is an old one; other values that are no objects are reported', async () => {
  await put(`${IPAM}host/a/ipv4/block/10.1.0.0-26`, '')
  await put(`${IPAM}host/b/ipv4/block/10.1.0.64-26`, '{')
  await put(`${IPAM}host/c/ipv4/block/10.1.0.128-26`, '[]')
  await put(`${IPAM}host/d/ipv4/other`, '{}')
  expect(await getIpamObject(session, 'affinity', 'a/10.1.0.0/26')).toMatchObject({value: {}})
  expect(await names('affinity')).toEqual(['a/10.1.0.0/26'])
  expect(warnings).toEqual(['host/b/ipv4/block/10.1.0.64-26', 'host/c/ipv4/block/10.1.0.128-26', 'host/d/ipv4/other'].map((key) => `The stored value of ${IPAM}${key} cannot be read. It is ignored.`))
})
