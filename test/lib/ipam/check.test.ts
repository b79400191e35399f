/** Every class of inconsistency is found, and what is safely repaired is; never what somebody has. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {autoAssign} from '../../../src/lib/ipam/auto-assign.js'
import {assignByHand} from '../../../src/lib/ipam/by-hand.js'
import {checkIpam} from '../../../src/lib/ipam/check.js'
import {FINDING_CLASSES, type Holder} from '../../../src/lib/ipam/findings.js'
import {releaseAddresses} from '../../../src/lib/ipam/release-addresses.js'
import {foundTwice, repairAll} from '../../../src/lib/ipam/repair.js'
import {runCheck} from '../../../src/lib/ipam/run-check.js'
import {type Address, parseAddress} from '../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {allAssigned, createObject, unsound} from '../../support/ipam.js'

let store: FaultyStore
let session: Session

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(text)
  return parsed
}
const BLOCK = '/calico/ipam/v2/assignment/ipv4/block/10.1.0.0-29'
const AFFINITY = '/calico/ipam/v2/host/a/ipv4/block/10.1.0.0-29'
const HANDLE = '/calico/ipam/v2/handle/'
const put = (key: string, value: string): Promise<unknown> => store.transact({then: [{put: key, value}]})
const remove = (key: string): Promise<unknown> => store.transact({then: [{delete: key}]})
const edit = async (key: string, change: (value: string) => string): Promise<unknown> => put(key, change((await store.get(key)).kv?.value ?? ''))

const endpoint = (name: string, ...addresses: string[]): Promise<void> =>
  createObject(
    session,
    'WorkloadEndpoint',
    `a-docker-${name}-eth0`,
    {node: 'a', orchestrator: 'docker', workload: name, endpoint: 'eth0', interfaceName: `cali${name}`, ipNetworks: addresses.map((text) => `${text}/32`)},
    {namespace: 'libnetwork'},
  )

beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
  await createObject(session, 'IPPool', 'pool', {cidr: '10.1.0.0/24', blockSize: 29})
  await createObject(session, 'Node', 'a', {bgp: {ipv4Address: '192.0.2.1/24', ipv4IPIPTunnelAddr: '10.1.0.2'}})
  await assignAddress(session, {address: address('10.1.0.1'), node: 'a', handle: 'docker.web', attributes: {node: 'a'}})
  await assignAddress(session, {address: address('10.1.0.2'), node: 'a', handle: 'ipip-tunnel-addr-a', attributes: {node: 'a', type: 'ipipTunnelAddress'}})
  await endpoint('web', '10.1.0.1')
})
afterEach(() => store.close())

const found = async (holders: readonly Holder[] = []): Promise<string[]> => (await checkIpam(session, {holders})).findings.map(({class: kind, subject}) => `${kind} ${subject}`).sort()
const repair = (holders: readonly Holder[] = []) => runCheck(session, {repair: true, graceMs: 0, holders})

test('a store in order has no findings', async () => {
  expect(await found()).toEqual([])
  expect((await checkIpam(session)).counts).toEqual({addresses: 2, blocks: 1, handles: 2, affinities: 1, endpoints: 1})
})

interface Case {
  readonly damage: () => Promise<unknown>
  readonly found: readonly string[]
  /** What is left after a repair; the default is nothing. */
  readonly left?: readonly string[]
}

const CASES: Readonly<Record<string, Case>> = {
  'an address of an endpoint that is gone': {damage: () => remove('/calico/resources/v3/projectcalico.org/workloadendpoints/libnetwork/a-docker-web-eth0'), found: ['leaked-address 10.1.0.1']},
  'an address without handle and endpoint': {damage: () => assignAddress(session, {address: address('10.1.0.5'), node: 'a'}), found: ['leaked-address 10.1.0.5']},
  'the tunnel address of a node that has another': {damage: () => edit('/calico/resources/v3/projectcalico.org/nodes/a', (node) => node.replace('10.1.0.2', '10.9.0.2')), found: ['leaked-address 10.1.0.2']},
  'an endpoint with an address that is free': {
    damage: () => releaseAddresses(session, [{address: address('10.1.0.1')}], {onHeld: 'release'}),
    found: ['unassigned-address 10.1.0.1'],
    left: ['unassigned-address 10.1.0.1'],
  },
  'two endpoints with one address': {damage: () => endpoint('other', '10.1.0.1'), found: ['shared-address 10.1.0.1'], left: ['shared-address 10.1.0.1']},
  'a missing handle': {damage: () => remove(`${HANDLE}docker.web`), found: ['missing-handle docker.web']},
  'a handle that counts too many': {damage: () => edit(`${HANDLE}docker.web`, (value) => value.replace(':1', ':6')), found: ['wrong-handle docker.web']},
  'a handle that Go left over': {damage: () => put(`${HANDLE}old`, '{"block":{"10.1.0.8/29":6},"deleted":false}'), found: ['wrong-handle old']},
  'a handle without blocks': {damage: () => put(`${HANDLE}old`, '{"block":{},"deleted":false}'), found: ['wrong-handle old']},
  'a missing affinity': {damage: () => remove(AFFINITY), found: ['missing-affinity a 10.1.0.0/29']},
  'an affinity that was never confirmed': {damage: () => put(AFFINITY, '{"state":"pending","deleted":false}'), found: ['unconfirmed-affinity a 10.1.0.0/29']},
  'an affinity of another host': {damage: () => put(AFFINITY.replace('/a/', '/b/'), '{"state":"confirmed","deleted":false}'), found: ['stale-affinity b 10.1.0.0/29']},
  'an affinity without block': {damage: () => put(AFFINITY.replace('0-29', '8-29'), '{"state":"pending","deleted":false}'), found: ['stale-affinity a 10.1.0.8/29']},
  'an empty block of nobody': {
    damage: () => put(BLOCK.replace('0-29', '8-29'), '{"cidr":"10.1.0.8/29","affinity":null,"allocations":[null,null,null,null,null,null,null,null],"unallocated":[0,1,2,3,4,5,6,7],"attributes":[],"deleted":false}'),
    found: ['empty-block 10.1.0.8/29'],
  },
  'free addresses that are listed twice, and assigned ones that are listed': {damage: () => edit(BLOCK, (value) => value.replace('"unallocated":[0,', '"unallocated":[0,0,1,')), found: ['free-list 10.1.0.0/29']},
  'a free address that is not listed': {damage: () => edit(BLOCK, (value) => value.replace('"unallocated":[0,', '"unallocated":[')), found: ['free-list 10.1.0.0/29']},
  'a block within another, and an address assigned in both': {
    damage: () =>
      put(BLOCK.replace('29', '28'), '{"cidr":"10.1.0.0/28","affinity":null,"allocations":[null,0,null,null,null,null,null,null,null,null,null,null,null,null,null,null],"unallocated":[0,2,3,4,5,6,7,8,9,10,11,12,13,14,15],"attributes":[{}],"deleted":false}'),
    found: ['nested-block 10.1.0.0/29', 'twice-assigned-address 10.1.0.1'],
    left: ['nested-block 10.1.0.0/29', 'twice-assigned-address 10.1.0.1'],
  },
  'values that cannot be read': {
    damage: () => put(`${HANDLE}broken`, '['),
    found: [`unreadable ${HANDLE}broken`],
    left: [`unreadable ${HANDLE}broken`],
  },
}

describe('is found, and repaired where that takes nothing from anybody', () => {
  test.each(Object.entries(CASES))('%s', async (_, {damage, found: expected, left = []}) => {
    await damage()
    expect(await found()).toEqual(expected)
    await repair()
    expect(await found()).toEqual(left)
    if (left.length === 0) expect(await unsound(store)).toEqual([])
  })

  test('a handle that is counted again keeps what a newer Calico stored in it; one that is made is as Calico makes it', async () => {
    await edit(`${HANDLE}docker.web`, (value) => value.replace(':1', ':6').replace('"deleted"', '"newer":{"x":1},"deleted"'))
    await remove(`${HANDLE}ipip-tunnel-addr-a`)
    await repair()
    const stored = async (name: string): Promise<unknown> => JSON.parse((await store.get(`${HANDLE}${name}`)).kv?.value ?? '')
    expect(await stored('docker.web')).toEqual({block: {'10.1.0.0/29': 1}, newer: {x: 1}, deleted: false})
    expect(await stored('ipip-tunnel-addr-a')).toEqual({block: {'10.1.0.0/29': 1}, deleted: false})
  })

  test('every class has a case', () => {
    const kinds = new Set(Object.values(CASES).flatMap((each) => each.found.map((text) => text.split(' ')[0])))
    expect([...kinds].sort()).toEqual(Object.keys(FINDING_CLASSES).sort())
  })
})

describe('what is not leaked', () => {
  test('addresses of `ipam assign`', async () => {
    await assignByHand(session, {type: 'family', family: 4, node: 'a', ownNode: false, handle: undefined, count: 2, maxBlocks: 0})
    await repair()
    expect(await found()).toEqual([])
    expect(await allAssigned(store)).toHaveLength(4)
  })

  test('addresses of other holders, such as running containers', async () => {
    await assignAddress(session, {address: address('10.1.0.5'), node: 'a', handle: 'docker.other'})
    const holders = [{address: address('10.1.0.5'), description: 'container other'}]
    expect(await found(holders)).toEqual([])
    await repair(holders)
    expect(await allAssigned(store)).toContain('10.1.0.5')
  })

  test('addresses that an endpoint names which cannot be read', async () => {
    await put('/calico/resources/v3/projectcalico.org/workloadendpoints/default/a-docker-x-y', '{"spec": {"ipNetworks": ["10.1.0.5/32"')
    await assignAddress(session, {address: address('10.1.0.5'), node: 'a', handle: 'docker.x'})
    await repair()
    expect(await allAssigned(store)).toContain('10.1.0.5')
  })

  test('addresses that a newer Calico keeps back', async () => {
    await edit(BLOCK, (value) => value.replace('"allocations":[null,', '"allocations":[2,').replace('"unallocated":[0,', '"unallocated":[').replace('],"sequenceNumber"', ',{"releasedAt":"2026-11-21T11:00:00Z"}],"sequenceNumber"'))
    await edit(BLOCK, (value) => value.replace('"unallocated":[3,', '"unallocated":[').replace('"deleted":false', '"cooldown":{"3":1},"deleted":false'))
    expect(await found()).toEqual([])
  })
})

describe('the two looks', () => {
  const leak = (handle: string): Promise<unknown> => assignAddress(session, {address: address('10.1.0.5'), node: 'a', handle})

  test('an address that was assigned anew between them is spared', async () => {
    await leak('one')
    const first = await checkIpam(session)
    await releaseAddresses(session, [{address: address('10.1.0.5')}])
    await leak('one')
    const second = await checkIpam(session)
    expect(second.findings).toHaveLength(1)
    expect(foundTwice(first.findings, second.findings)).toEqual([])
  })

  test('an address that got an endpoint after the second look is spared', async () => {
    await leak('one')
    const {findings, revision} = await checkIpam(session)
    await endpoint('late', '10.1.0.5')
    expect(await repairAll(session, findings, revision)).toEqual([])
    expect(await allAssigned(store)).toContain('10.1.0.5')
    expect(await found()).toEqual([])
  })

  test('an address that was assigned anew after the second look is spared', async () => {
    await leak('one')
    const {findings, revision} = await checkIpam(session)
    await releaseAddresses(session, [{address: address('10.1.0.5')}])
    await leak('two')
    expect(await repairAll(session, findings, revision)).toEqual([])
    expect(await allAssigned(store)).toContain('10.1.0.5')
  })

  test('a repair goes on although endpoints change meanwhile', async () => {
    await leak('one')
    let endpoints = 0
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      if (endpoints++ === 0) await endpoint('meanwhile')
      return send(transaction)
    }
    await repair()
    expect(await found()).toEqual([])
    expect(await allAssigned(store)).not.toContain('10.1.0.5')
  })

  test('many leaks are repaired, several in a transaction', async () => {
    await autoAssign(session, {ipv4: 100, node: 'a', handle: 'many'})
    const {repaired} = await repair()
    expect(repaired.length).toBeGreaterThanOrEqual(100)
    expect(await found()).toEqual([])
    expect((await allAssigned(store)).sort()).toEqual(['10.1.0.1', '10.1.0.2'])
  })

  test('a dry run writes nothing', async () => {
    await leak('one')
    store.writes.length = 0
    const {repaired} = await runCheck(newSession(store, {dryRun: true, warn: () => undefined}), {repair: true, graceMs: 0, holders: []})
    expect(repaired).toHaveLength(1)
    expect(store.writes).toEqual([])
  })
})
