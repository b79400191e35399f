/** Pools that stand for Docker networks with Docker's own IPAM. */
import {beforeEach, describe, expect, test} from '@jest/globals'
import {addPools} from '../../../src/lib/client/pools.js'
import {changeResource} from '../../../src/lib/client/resources.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {autoAssign} from '../../../src/lib/ipam/auto-assign.js'
import {checkIpam} from '../../../src/lib/ipam/check.js'
import {requestPool} from '../../../src/lib/libnetwork/addresses.js'
import {addDockerPools, type DockerPools, removeDockerPools} from '../../../src/lib/libnetwork/docker-pools.js'
import {createEndpoint} from '../../../src/lib/libnetwork/endpoints.js'
import type {IPPool} from '../../../src/lib/model/types.js'
import {type Address, type Cidr, parseAddress, parseCidr} from '../../../src/lib/net/index.js'
import {createObject} from '../../support/ipam.js'
import {onBothStores} from '../../support/stores.js'

const NETWORK = 'b2'.repeat(32)
const OTHER = 'd4'.repeat(32)
const POOLS = '/calico/resources/v3/projectcalico.org/ippools/'

const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('there is none')
  return value
}
const cidr = (text: string): Cidr => must(parseCidr(text))
const address = (text: string): Address => must(parseAddress(text))

onBothStores((stores) => {
  let store: Datastore
  let session: Session
  let warnings: string[]

  beforeEach(async () => {
    store = await stores.empty()
    warnings = []
    session = newSession(store, {warn: (text) => warnings.push(text)})
  })

  const add = (texts: string, more: Partial<DockerPools> = {}) => addDockerPools(session, {networkId: NETWORK, networkName: 'db', cidrs: texts.split(' ').map(cidr), ipip: false, natOutgoing: false, ...more})
  /** Enables the pool, as somebody can with the Go calicoctl; ours refuses it. */
  async function putToUse(more: Partial<IPPool['spec']> = {}): Promise<void> {
    await expect(addPools(session, [cidr('172.30.0.0/16')], {ipip: false, natOutgoing: true})).rejects.toMatchObject({kind: 'refused'})
    await changeResource<IPPool>(session, {kind: 'IPPool', name: '172-30-0-0-16'}, (pool) => {
      const {disabled: _, ...spec} = must(pool).spec
      return {...must(pool), spec: {...spec, ...more}}
    })
  }
  interface StoredPool {
    readonly metadata: {readonly annotations?: Record<string, string>}
    readonly spec: Record<string, unknown>
  }
  async function pools(): Promise<Record<string, StoredPool>> {
    const {results} = await store.transact({then: [{list: POOLS}]})
    return Object.fromEntries(must(results[0]).map(({key, value}) => [key.slice(POOLS.length), JSON.parse(value) as StoredPool]))
  }
  const revision = async (): Promise<bigint> => (await store.get('/x')).revision

  describe('a network that is made', () => {
    test('gets a disabled pool for each subnet, with its id', async () => {
      await add('172.30.0.0/16 fd30::/64')
      const found = await pools()
      expect(Object.keys(found)).toEqual(['172-30-0-0-16', 'fd30---64'])
      expect(found['172-30-0-0-16']).toMatchObject({
        metadata: {annotations: {'calicoctl/network': NETWORK, 'calicoctl/network-name': 'db'}},
        spec: {cidr: '172.30.0.0/16', disabled: true, ipipMode: 'Never', vxlanMode: 'Never'},
      })
      expect(found['172-30-0-0-16']?.spec).not.toHaveProperty('natOutgoing')
    })

    test('with options, and smaller than a block', async () => {
      await add('172.30.0.0/29', {ipip: true, natOutgoing: true})
      expect((await pools())['172-30-0-0-29']?.spec).toMatchObject({ipipMode: 'Always', natOutgoing: true, disabled: true})
      await expect(add('fd30::/64', {networkId: OTHER, ipip: true})).rejects.toMatchObject({kind: 'invalid', message: 'The subnet fd30::/64: IPIP is not possible with IPv6.'})
    })

    test('again: nothing is written, whatever an operator has changed since; a subnet that is missing is made', async () => {
      await add('172.30.0.0/16')
      await putToUse({natOutgoing: true})
      const before = await revision()
      await add('172.30.0.0/16')
      expect(await revision()).toBe(before)
      await add('172.30.0.0/16 172.31.0.0/16')
      expect(Object.keys(await pools())).toEqual(['172-30-0-0-16', '172-31-0-0-16'])
    })

    test('no addresses come from it', async () => {
      await add('172.30.0.0/16')
      await expect(autoAssign(session, {ipv4: 1, node: 'a', createNode: true})).rejects.toMatchObject({kind: 'refused'})
      await expect(assignAddress(session, {address: address('172.30.0.9'), node: 'a'})).rejects.toMatchObject({kind: 'invalid'})
      await expect(requestPool(session, {pool: '172.30.0.0/16', subPool: '', options: {}, v6: false})).rejects.toMatchObject({
        kind: 'refused',
        details: ["The pool 172.30.0.0/16 belongs to the Docker network db, which uses Docker's own IPAM."],
      })
    })

    test('a check does not miss the assignments of its endpoints', async () => {
      await add('172.30.0.0/16')
      await createEndpoint(session, {node: 'a', endpointId: 'a1'.repeat(32), networkId: NETWORK, profile: 'db', addresses: [address('172.30.0.2')], fromCalico: false, mac: 'ee:ee:ee:ee:ee:ee'})
      expect((await checkIpam(session)).findings).toEqual([])
      await putToUse()
      expect((await checkIpam(session)).findings).toMatchObject([{class: 'unassigned-address', subject: '172.30.0.2'}])
    })
  })

  describe('an overlap is refused, and nothing is written', () => {
    beforeEach(async () => {
      await createObject(session, 'IPPool', 'calicos', {cidr: '10.0.0.0/8'})
      await add('172.30.0.0/16')
    })

    test.each([
      ['10.1.0.0/16', 'The subnet 10.1.0.0/16 overlaps the Calico pool 10.0.0.0/8 (calicos).', []],
      ['10.0.0.0/8', 'The subnet 10.0.0.0/8 overlaps the Calico pool 10.0.0.0/8 (calicos).', []],
      ['172.30.0.0/16', 'The subnet 172.30.0.0/16 overlaps the Calico pool 172.30.0.0/16 (172-30-0-0-16, of the Docker network db).', []],
      ['192.168.0.0/16 192.168.7.0/24', 'The subnet 192.168.0.0/16 overlaps 192.168.7.0/24, a subnet of the same network.', []],
      [
        '10.1.0.0/16 172.30.5.0/24',
        'The subnets of the network cannot be used',
        ['10.1.0.0/16 overlaps the Calico pool 10.0.0.0/8 (calicos).', '172.30.5.0/24 overlaps the Calico pool 172.30.0.0/16 (172-30-0-0-16, of the Docker network db).'],
      ],
    ])('%s', async (texts, message, details) => {
      const before = await revision()
      await expect(add(`192.0.2.0/24 ${texts}`, {networkId: OTHER, networkName: 'other'})).rejects.toMatchObject({kind: 'invalid', message, details})
      expect(await revision()).toBe(before)
    })

    test('also of two that are made at once', async () => {
      const results = await Promise.allSettled(['192.168.0.0/16', '192.168.0.0/17', '192.168.64.0/18'].map((text, i) => add(text, {networkId: `${i}`.repeat(64)})))
      expect(results.filter(({status}) => status === 'fulfilled')).toHaveLength(1)
      expect(Object.keys(await pools())).toHaveLength(3)
    })
  })

  describe('a network that is removed', () => {
    test('takes its own pools with it, once, and no others', async () => {
      await createObject(session, 'IPPool', 'calicos', {cidr: '10.0.0.0/8', disabled: true})
      await add('172.30.0.0/16 fd30::/64')
      await add('172.31.0.0/16', {networkId: OTHER})
      await removeDockerPools(session, NETWORK)
      await removeDockerPools(session, NETWORK)
      expect(Object.keys(await pools())).toEqual(['172-31-0-0-16', 'calicos'])
      expect(warnings.filter((text) => text.includes('pool'))).toEqual([])
    })

    test('leaves a pool that has been put to use since, and says so', async () => {
      await add('172.30.0.0/16 172.31.0.0/16')
      await putToUse()
      await removeDockerPools(session, NETWORK)
      expect(Object.keys(await pools())).toEqual(['172-30-0-0-16'])
      expect(warnings).toContain('The pool 172.30.0.0/16 was created for a Docker network that no longer exists, but it has been enabled since, so it is kept. To remove it: calicoctl pool remove 172.30.0.0/16')
      await assignAddress(session, {address: address('172.30.0.9'), node: 'a'})
      const key = `${POOLS}172-30-0-0-16`
      const {kv} = await store.get(key)
      await store.transact({then: [{put: key, value: must(kv).value.replace('"spec":{', '"spec":{"disabled":true,')}]})
      await removeDockerPools(session, NETWORK)
      expect(warnings.some((text) => text.includes('its addresses are assigned'))).toBe(true)
      expect(Object.keys(await pools())).toHaveLength(1)
    })
  })
})
