/** Nothing releases an address that a stored endpoint has, unless the endpoint goes, or loses the address, in the same transaction. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {findEndpoint} from '../../../src/lib/client/endpoints.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {heldAddresses} from '../../../src/lib/ipam/held.js'
import {releaseMany, releaseRange} from '../../../src/lib/ipam/release-many.js'
import {releaseAddresses, releaseByHandle} from '../../../src/lib/ipam/release-addresses.js'
import {type Address, formatAddress, parseAddress} from '../../../src/lib/net/index.js'
import {removeAddressOf, removableOf, removeEndpoints} from '../../../src/lib/workload/removal.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {allAssigned, createObject, unsound} from '../../support/ipam.js'
import {onBothStores} from '../../support/stores.js'

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(text)
  return parsed
}
const quiet = (store: Datastore): Session => newSession(store, {warn: () => undefined})
const ENDPOINTS = '/calico/resources/v3/projectcalico.org/workloadendpoints/'

async function setUp(session: Session): Promise<void> {
  await createObject(session, 'IPPool', 'pool', {cidr: '10.1.0.0/24', blockSize: 29})
  await createObject(session, 'IPPool', 'six', {cidr: 'fd80::/112', blockSize: 122})
  await createObject(session, 'Node', 'a', {})
  for (const [text, handle] of [['10.1.0.1', 'h1'], ['10.1.0.2', 'h1'], ['10.1.0.9', 'h2'], ['fd80::1', 'h6']] as const) await assignAddress(session, {address: address(text), node: 'a', handle, attributes: {node: 'a'}})
}

const endpoint = (session: Session, name: string, ...networks: string[]): Promise<void> =>
  createObject(session, 'WorkloadEndpoint', `a-docker-${name}-e${name}`, {node: 'a', orchestrator: 'docker', workload: name, endpoint: `e${name}`, interfaceName: `cali${name}`, ipNetworks: networks}, {namespace: 'libnetwork'})

onBothStores((stores) => {
  let store: Datastore
  let session: Session
  beforeEach(async () => {
    store = await stores.empty()
    session = quiet(store)
    await setUp(session)
  })
  afterEach(async () => expect(await unsound(store)).toEqual([]))

  const insist = {onHeld: 'release'} as const
  const refuse = {onHeld: 'refuse'} as const
  const refusal = (text: string) => ({kind: 'refused', override: '--force', message: expect.stringContaining(text) as unknown})

  test('by address: spared, refused or, where the caller insists, released; the endpoint is named', async () => {
    await endpoint(session, 'web', '10.1.0.1/32')
    const wanted = [{address: address('10.1.0.1')}, {address: address('10.1.0.2')}]
    await expect(releaseAddresses(session, wanted, refuse)).rejects.toMatchObject(refusal('10.1.0.1 was not released: endpoint eweb of docker workload web on a uses it'))
    expect(await allAssigned(store)).toHaveLength(4)
    const spared = await releaseAddresses(session, wanted)
    expect([spared.released.map(formatAddress), spared.unassigned, spared.held.map(({by}) => by)]).toEqual([['10.1.0.2'], [], ['endpoint eweb of docker workload web on a']])
    const done = await releaseAddresses(session, wanted, insist)
    expect([done.released.map(formatAddress), done.unassigned.map(formatAddress), done.held.length]).toEqual([['10.1.0.1'], ['10.1.0.2'], 1])
    // It is free now: there is nothing to refuse.
    expect((await releaseAddresses(session, wanted, refuse)).released).toEqual([])
  })

  test('an address that two endpoints have is held as long as one of them has it', async () => {
    for (const name of ['one', 'two', 'three']) await endpoint(session, name, '10.1.0.1/32')
    const wanted = [{address: address('10.1.0.1')}]
    const holders = async (): Promise<number> => (await releaseAddresses(session, wanted)).held.length
    expect(await holders()).toBe(3)
    for (const [left, name] of [[2, 'one'], [1, 'two']] as const) {
      await store.transact({then: [{delete: `${ENDPOINTS}libnetwork/a-docker-${name}-e${name}`}]})
      expect(await holders()).toBe(left)
    }
  })

  test('another assignment than the one that is meant is a conflict, whoever has the address', async () => {
    await endpoint(session, 'web', '10.1.0.1/32')
    await expect(releaseAddresses(session, [{address: address('10.1.0.1'), handle: 'other'}], refuse)).rejects.toMatchObject({kind: 'conflict'})
    await expect(releaseAddresses(session, [{address: address('10.1.0.1'), sequenceNumber: 99n}])).rejects.toMatchObject({kind: 'conflict'})
  })

  test('by handle: all or none', async () => {
    await endpoint(session, 'web', '10.1.0.2/32')
    await expect(releaseByHandle(session, 'h1')).rejects.toMatchObject(refusal('10.1.0.2'))
    expect(await allAssigned(store)).toHaveLength(4)
    const {released, held} = await releaseByHandle(session, 'h1', {insist: true})
    expect([released.map(formatAddress), held.map(({address: each}) => formatAddress(each))]).toEqual([['10.1.0.1', '10.1.0.2'], ['10.1.0.2']])
  })

  test('several blocks, and a range: nothing at all where one is held', async () => {
    await endpoint(session, 'web', '10.1.0.9')
    const wanted = [{address: address('10.1.0.1')}, {address: address('10.1.0.9')}]
    await expect(releaseMany(session, wanted, 'refuse')).rejects.toMatchObject({kind: 'refused'})
    await expect(releaseRange(session, address('10.1.0.0'), address('10.1.0.255'), 'refuse')).rejects.toMatchObject({kind: 'refused'})
    expect(await allAssigned(store)).toHaveLength(4)
    expect((await releaseRange(session, address('10.1.0.0'), address('10.1.0.255'), 'release')).held).toHaveLength(1)
    expect(await allAssigned(store)).toEqual(['fd80::1'])
  })

  test.each(['fd80::1/128', 'FD80:0::1/128', 'fd80::1'])('as the endpoint spells it: %s', async (network) => {
    await endpoint(session, 'six', network)
    expect((await releaseAddresses(session, [{address: address('fd80::1')}])).released).toEqual([])
  })

  test('an endpoint that cannot be read may have what its text names', async () => {
    await store.transact({then: [{put: `${ENDPOINTS}default/a-docker-x-y`, value: '{"spec": {"ipNetworks": ["10.1.0.1/32"]'}]})
    await expect(releaseAddresses(session, [{address: address('10.1.0.1')}], refuse)).rejects.toMatchObject(refusal('cannot be read'))
  })

  test('what was made, changed or deleted since the last look is seen, by the same session too', async () => {
    const other = quiet(await stores.another())
    expect(await heldAddresses(session, [address('10.1.0.1')])).toEqual([])
    await endpoint(other, 'web', '10.1.0.1/32')
    expect(await heldAddresses(session, [address('10.1.0.1')])).toHaveLength(1)
    const found = await findEndpoint(other, 'eweb', {})
    await removeAddressOf(other, found, address('10.1.0.1'), 'h1')
    expect(await heldAddresses(session, [address('10.1.0.1')])).toEqual([])
    await endpoint(other, 'db', '10.1.0.2/32')
    await removeEndpoints(other, [removableOf(await findEndpoint(other, 'edb', {}))], {handle: undefined, what: 'the removal'})
    expect(await heldAddresses(session, [address('10.1.0.2')])).toEqual([])
  })

  describe('endpoints that share an address', () => {
    beforeEach(async () => {
      await endpoint(session, 'web', '10.1.0.1/32')
      await endpoint(session, 'twin', '10.1.0.1/32')
    })
    test('the first that goes leaves it assigned, the last releases it', async () => {
      const remove = async (id: string) => removeEndpoints(session, [removableOf(await findEndpoint(session, id, {}))], {handle: 'h1', what: 'the removal'})
      const first = await remove('eweb')
      // Its handle's other address goes: nobody has that.
      expect([first.changes.length, first.released.map(formatAddress), first.held.map(({by}) => by)]).toEqual([1, ['10.1.0.2'], ['endpoint etwin of docker workload twin on a']])
      expect(await allAssigned(store)).toContain('10.1.0.1')
      expect((await remove('etwin')).released.map(formatAddress)).toEqual(['10.1.0.1'])
    })
    test('both in one transaction release it', async () => {
      const both = [await findEndpoint(session, 'eweb', {}), await findEndpoint(session, 'etwin', {})]
      expect((await removeEndpoints(session, both.map(removableOf), {handle: 'h1', what: 'the removal'})).held).toEqual([])
      expect(await allAssigned(store)).not.toContain('10.1.0.1')
    })
    test('the address that is taken from one of them stays the other\'s', async () => {
      const {held, changes} = await removeAddressOf(session, await findEndpoint(session, 'eweb', {}), address('10.1.0.1'), 'h1')
      expect([held.length, changes.map(({action}) => action)]).toEqual([1, ['updated']])
      expect(await allAssigned(store)).toContain('10.1.0.1')
    })
  })
})

describe('an endpoint that is stored between the look and the write', () => {
  let store: FaultyStore
  let session: Session
  beforeEach(async () => {
    store = await faultyStore()
    session = quiet(store)
    await setUp(session)
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await endpoint(quiet(store), 'late', '10.1.0.1/32')
      return send(transaction)
    }
  })
  afterEach(() => store.close())

  test.each([
    ['by address', (on: Session) => releaseAddresses(on, [{address: address('10.1.0.1')}], {onHeld: 'refuse'})],
    ['by handle', (on: Session) => releaseByHandle(on, 'h1')],
  ])('%s: is seen', async (_, release) => {
    await expect(release(session)).rejects.toMatchObject({kind: 'refused'})
    expect(await allAssigned(store)).toContain('10.1.0.1')
  })
  test('with the removal of other endpoints: is seen', async () => {
    const {held} = await removeEndpoints(session, [], {handle: 'h1', what: 'the removal'})
    expect(held.map(({by}) => by)).toEqual(['endpoint elate of docker workload late on a'])
    expect(await allAssigned(store)).toContain('10.1.0.1')
  })
})
