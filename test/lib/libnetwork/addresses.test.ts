/** The IPAM calls of Docker: their texts, and which address is whose afterwards. */
import {beforeEach, describe, expect, test} from '@jest/globals'
import {CLUSTER_KEY} from '../../../src/lib/client/cluster.js'
import {changeResource} from '../../../src/lib/client/resources.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {lookUpAddress} from '../../../src/lib/ipam/lookup.js'
import {releaseAddress, requestAddress, requestPool} from '../../../src/lib/libnetwork/addresses.js'
import {createEndpoint, deleteEndpoint} from '../../../src/lib/libnetwork/endpoints.js'
import type {IPPool} from '../../../src/lib/model/types.js'
import {type Address, parseAddress} from '../../../src/lib/net/index.js'
import {allAssigned, createObject, unsound} from '../../support/ipam.js'
import {onBothStores} from '../../support/stores.js'

const ID = 'a1'.repeat(32)
const NETWORK = 'b2'.repeat(32)
const MAC = 'EE:EE:EE:EE:EE:EE'

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(text)
  return parsed
}

onBothStores((stores) => {
  let store: Datastore
  let session: Session
  let warnings: string[]

  beforeEach(async () => {
    store = await stores.empty()
    warnings = []
    session = newSession(store, {warn: (text) => warnings.push(text)})
  })

  const pool = (name: string, cidr: string, spec: object = {}): Promise<void> => createObject(session, 'IPPool', name, {cidr, ...spec})
  const askPool = (request: Partial<Parameters<typeof requestPool>[1]>) => requestPool(session, {pool: '', subPool: '', options: {}, v6: false, ...request})
  const ask = (request: Partial<Parameters<typeof requestAddress>[2]> = {}, node = 'a') => requestAddress(session, node, {poolId: 'CalicoPoolIPv4', address: '', options: null, ...request}).then(({Address: text}) => text)
  const giveBack = (text: string, node = 'a') => releaseAddress(session, node, {poolId: 'CalicoPoolIPv4', address: text})
  const endpointWith = (...addresses: string[]) => createEndpoint(session, {node: 'a', endpointId: ID, networkId: NETWORK, profile: 'net', addresses: addresses.map(address), fromCalico: true, mac: MAC})
  const handle = async (text: string): Promise<string | undefined> => (await lookUpAddress(session, address(text))).assignment?.handle
  const change = (name: string, spec: object) => changeResource<IPPool>(session, {kind: 'IPPool', name}, (before) => before && {...before, spec: {...before.spec, ...spec}})

  describe('RequestPool', () => {
    test('without a subnet: all pools, whatever there is, and the store is not asked', async () => {
      store.close()
      expect(await askPool({})).toEqual({PoolID: 'CalicoPoolIPv4', Pool: '0.0.0.0/0', Data: {'com.docker.network.gateway': '0.0.0.0/0'}})
      expect(await askPool({v6: true, options: null})).toEqual({PoolID: 'CalicoPoolIPv6', Pool: '::/0', Data: {'com.docker.network.gateway': '::/0'}})
    })

    test('with the CIDR of a pool, however it is typed', async () => {
      await pool('four', '192.168.0.0/16')
      await pool('six', 'fd80:24e2:f998:72d6::/64')
      for (const text of ['192.168.0.0/16', '192.168.7.9/16', ' 192.168.0.0/16 ']) {
        expect(await askPool({pool: text})).toEqual({PoolID: '192.168.0.0/16', Pool: '192.168.0.0/16', Data: {'com.docker.network.gateway': '0.0.0.0/0'}})
      }
      for (const text of ['fd80:24e2:f998:72d6::/64', 'FD80:24E2:F998:72D6:0::1/64']) {
        expect(await askPool({pool: text, v6: true})).toEqual({PoolID: 'fd80:24e2:f998:72d6::/64', Pool: 'fd80:24e2:f998:72d6::/64', Data: {'com.docker.network.gateway': '::/0'}})
      }
    })

    test('what is not a usable pool is refused, naming those that are', async () => {
      await pool('four', '192.168.0.0/16')
      await pool('off', '10.1.0.0/24', {disabled: true})
      const text = 'The requested subnet must match the CIDR of a configured Calico IP Pool.'
      await expect(askPool({pool: '192.168.0.0/24'})).rejects.toMatchObject({kind: 'not-found', message: text, details: ['The IPv4 pools are: 192.168.0.0/16.'], hint: expect.stringContaining('calicoctl pool add 192.168.0.0/24') as unknown})
      await expect(askPool({pool: 'fd00::/64', v6: true})).rejects.toMatchObject({kind: 'not-found', message: text, details: ['There is no IPv6 pool.']})
      await expect(askPool({pool: '10.1.0.0/24'})).rejects.toMatchObject({kind: 'refused', message: text, details: ['The pool 10.1.0.0/24 is disabled.', 'The IPv4 pools that can be used are: 192.168.0.0/16.'], hint: 'To enable it: calicoctl pool set 10.1.0.0/24 --enabled'})
    })

    test.each([
      [{pool: '192.168.0.0/16', subPool: '192.168.7.0/24'}, 'refused', "Calico IPAM does not support sub pool configuration on 'docker create network'. Calico IP Pools should be configured first and IP assignment is from those pre-configured pools."],
      [{options: {x: 'y'}}, 'refused', 'Arbitrary options are not supported'],
      [{pool: 'bogus'}, 'invalid', 'Invalid CIDR: "bogus" is not an IPv4 network'],
      [{pool: '192.168.0.1'}, 'invalid', 'Invalid CIDR: "192.168.0.1" is not an IPv4 network'],
      [{pool: 'fd00::/64'}, 'invalid', 'Invalid CIDR: "fd00::/64" is not an IPv4 network'],
    ])('%j is refused: %s', async (request, kind, message) => {
      await expect(askPool(request)).rejects.toMatchObject({kind, message})
    })
  })

  describe('RequestAddress', () => {
    test('any address, with a handle that tells who asked and when', async () => {
      await pool('four', '192.168.0.0/26')
      const before = Date.now()
      expect(await ask()).toBe('192.168.0.0/32')
      const {assignment} = await lookUpAddress(session, address('192.168.0.0'))
      expect(assignment?.handle).toMatch(/^libnetwork\.pending\.a\.[0-9a-f-]{36}$/)
      expect(assignment?.attributes).toEqual({node: 'a', type: 'libnetwork', requestedAt: expect.any(String) as unknown})
      expect(Date.parse(assignment?.attributes.requestedAt ?? '')).toBeGreaterThanOrEqual(before)
      expect(warnings).toContain('The Node a did not exist; it was created.')
      expect(await unsound(store)).toEqual([])
    })

    test('from the pool of the network only', async () => {
      await pool('first', '10.1.0.0/26')
      await pool('second', '10.2.0.0/26')
      await pool('six', 'fd00::/122')
      expect(await ask({poolId: '10.2.0.0/26'})).toBe('10.2.0.0/32')
      expect(await ask({poolId: 'fd00::/122'})).toBe('fd00::/128')
      expect(await ask({poolId: 'CalicoPoolIPv6'})).toBe('fd00::1/128')
    })

    test('a given one comes from whatever enabled pool contains it', async () => {
      await pool('first', '10.1.0.0/26')
      await pool('second', '10.2.0.0/26')
      await pool('off', '10.3.0.0/26', {disabled: true})
      expect(await ask({poolId: '10.1.0.0/26', address: '10.2.0.7'})).toBe('10.2.0.7/32')
      for (const outside of ['10.3.0.1', '10.9.0.1', 'fd00::1']) {
        await expect(ask({address: outside})).rejects.toMatchObject({kind: 'invalid', message: `The address ${outside} is not in one of the configured Calico IP pools`})
      }
      await expect(ask({address: '10.1.0'})).rejects.toMatchObject({kind: 'invalid'})
      expect(await allAssigned(store)).toEqual(['10.2.0.7'])
    })

    test('a given one that somebody else has', async () => {
      await pool('four', '10.1.0.0/24', {blockSize: 29})
      await assignAddress(session, {address: address('10.1.0.7'), node: 'a', handle: 'vm'})
      await ask({address: '10.1.0.8'}, 'b')
      await ask({address: '10.1.0.9'})
      await endpointWith('10.1.0.9')
      for (const text of ['10.1.0.7', '10.1.0.8', '10.1.0.9']) {
        await expect(ask({address: text})).rejects.toMatchObject({kind: 'conflict', message: `The address ${text} is already in use`, hint: `To see by whom: calicoctl ipam info ${text}`})
      }
      expect(await unsound(store)).toEqual([])
    })

    test('a given one that this driver was asked for before, and for which no endpoint was given', async () => {
      await pool('four', '10.1.0.0/24')
      await ask({address: '10.1.0.7'})
      const first = await handle('10.1.0.7')
      expect(await ask({address: '10.1.0.7'})).toBe('10.1.0.7/32')
      expect(await handle('10.1.0.7')).not.toBe(first)
      await endpointWith('10.1.0.7')
      await deleteEndpoint(session, 'a', ID)
      expect(await handle('10.1.0.7')).toBe(`libnetwork.${ID}`)
      expect(await ask({address: '10.1.0.7'})).toBe('10.1.0.7/32')
      expect(await handle('10.1.0.7')).toMatch(/^libnetwork\.pending\.a\./)
      expect(await unsound(store)).toEqual([])
    })

    test('where there is none, it says why and what to do', async () => {
      const message = 'There are no available IP addresses in the configured Calico IP pools'
      await createObject(session, 'Node', 'a', {})
      await expect(ask()).rejects.toMatchObject({kind: 'refused', message, details: ['There is no enabled IPv4 pool'], hint: 'To add one: calicoctl pool add CIDR'})
      await pool('four', '10.1.0.0/29', {blockSize: 29})
      for (let i = 0; i < 8; i++) await ask()
      for (const poolId of ['CalicoPoolIPv4', '10.1.0.0/29']) await expect(ask({poolId})).rejects.toMatchObject({kind: 'refused', message, details: ['no address is free in pool 10.1.0.0/29'], hint: 'To see how many addresses are in use: calicoctl ipam show'})
      await pool('others', '10.2.0.0/24', {nodeSelector: 'rack == "2"'})
      await expect(ask()).rejects.toMatchObject({message})
      expect(await unsound(store)).toEqual([])
    })

    test('a pool that was deleted or disabled under its network', async () => {
      await pool('four', '10.1.0.0/26')
      await expect(ask({poolId: '10.2.0.0/26'})).rejects.toMatchObject({
        kind: 'not-found',
        message: 'The network references a Calico pool which has been deleted.  Please re-instate the Calico pool before using the network.',
        hint: 'To add it again: calicoctl pool add 10.2.0.0/26',
      })
      await change('four', {disabled: true})
      await expect(ask({poolId: '10.1.0.0/26'})).rejects.toMatchObject({kind: 'refused', message: 'The network references the Calico pool 10.1.0.0/26, which is disabled.', hint: 'To enable it: calicoctl pool set 10.1.0.0/26 --enabled'})
      expect(await allAssigned(store)).toEqual([])
    })

    test('a gateway, and a pool id that is none', async () => {
      await pool('four', '192.168.0.0/16')
      await expect(ask({poolId: '192.168.0.0/16', address: '192.168.0.1', options: {RequestAddressType: 'com.docker.network.gateway'}})).rejects.toMatchObject({kind: 'refused', message: 'Calico IPAM does not support specifying a gateway.'})
      await expect(ask({poolId: 'bogus'})).rejects.toMatchObject({kind: 'invalid'})
      expect(await allAssigned(store)).toEqual([])
    })

    test('a locked datastore is not taken for an exhausted pool', async () => {
      await pool('four', '10.1.0.0/26')
      const {kv} = await store.get(CLUSTER_KEY)
      await store.transact({then: [{put: CLUSTER_KEY, value: kv?.value.replace('"datastoreReady":true', '"datastoreReady":false') ?? ''}]})
      await expect(ask()).rejects.toMatchObject({message: expect.stringContaining('The datastore is locked') as unknown})
    })
  })

  describe('ReleaseAddress', () => {
    beforeEach(() => pool('four', '10.1.0.0/24'))

    test('what Docker never got, or nobody has', async () => {
      for (const text of ['0.0.0.0', '::', '10.1.0.1', '10.9.0.1', 'fd00::1', '<nil>', '']) expect([text, await giveBack(text)]).toEqual([text, 'free'])
    })

    test('an address that was asked for, once', async () => {
      await ask({address: '10.1.0.7'})
      expect(await giveBack('10.1.0.7')).toBe('released')
      expect(await giveBack('10.1.0.7')).toBe('free')
      expect(await allAssigned(store)).toEqual([])
      expect(await unsound(store)).toEqual([])
    })

    test('an address of an endpoint, only when the endpoint is gone', async () => {
      await ask({address: '10.1.0.7'})
      await endpointWith('10.1.0.7')
      expect(await giveBack('10.1.0.7')).toBe('in-use')
      await deleteEndpoint(session, 'a', ID)
      expect(await allAssigned(store)).toEqual(['10.1.0.7'])
      expect(await giveBack('10.1.0.7')).toBe('released')
      expect(await unsound(store)).toEqual([])
    })

    test('an address of a pool that is gone', async () => {
      await ask({address: '10.1.0.7'})
      await changeResource(session, {kind: 'IPPool', name: 'four'}, () => undefined)
      expect(await giveBack('10.1.0.7')).toBe('released')
    })

    test('nothing that another node, or somebody else, has', async () => {
      await ask({address: '10.1.0.7'}, 'b')
      await assignAddress(session, {address: address('10.1.0.8'), node: 'a', handle: 'docker.web', attributes: {node: 'a'}})
      await assignAddress(session, {address: address('10.1.0.9'), node: 'a'})
      await assignAddress(session, {address: address('10.1.0.10'), node: 'a', handle: `libnetwork.${ID}`, attributes: {node: 'b', type: 'libnetwork'}})
      for (const text of ['10.1.0.7', '10.1.0.8', '10.1.0.9', '10.1.0.10']) expect(await giveBack(text)).toBe('foreign')
      expect(await allAssigned(store)).toHaveLength(4)
    })
  })
})
