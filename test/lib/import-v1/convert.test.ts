/** Endpoints and assigned addresses of v0.20 become what `container add` and `container ip add` store for them. The other commands: test/e2e/import.test.ts. */
import {describe, expect, test} from '@jest/globals'
import {newSession} from '../../../src/lib/client/session.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {parseBlock} from '../../../src/lib/ipam/block.js'
import {convertStore} from '../../../src/lib/import-v1/convert.js'
import {readDump} from '../../../src/lib/import-v1/old-store.js'
import {judge} from '../../../src/lib/import-v1/judge.js'
import {pluginTag} from '../../../src/lib/model/names.js'
import {parseAddress} from '../../../src/lib/net/index.js'
import {containerWorkload, handleOf, namespaceWorkload} from '../../../src/lib/workload/workload.js'
import {endpointObject} from '../../../src/lib/workload/endpoint-object.js'
import {createObject} from '../../support/ipam.js'
import {onBothStores} from '../../support/stores.js'
import {dumpOf, ENDPOINT_ID, oldBlock, oldEndpoint, type OldKeys, oldNode, oldProfile, WORKLOAD} from '../../support/v020-store.js'

const POOL: OldKeys = {'/calico/v1/ipam/v4/pool/192.168.0.0-16': '{"cidr": "192.168.0.0/16"}'}
const convert = (keys: OldKeys) => convertStore(readDump(Buffer.from(dumpOf(keys)), 'the dump'), Date.parse('2026-01-01T00:00:00Z'))

const KEYS: OldKeys = {
  ...POOL,
  ...oldNode('host-1', '172.17.8.101'),
  ...oldEndpoint('host-1', {nets: ['192.168.10.1/32', '192.168.10.2/32']}),
  ...oldEndpoint('host-1', {workload: '-proc-77-ns-net', id: 'aaaa0a7e5a6d11e6b1d40242ac110002', nets: ['192.168.10.0/32']}),
  ...oldBlock('192.168.10.0/26', 'host-1', {0: 0, 1: 0, 2: 0}),
}

onBothStores((stores) => {
  test('what the allocator of our commands stores for the same addresses, the import finds unchanged', async () => {
    const store = await stores.empty()
    const session = newSession(store, {warn: () => undefined})
    await createObject(session, 'Node', 'host-1', {})
    await createObject(session, 'IPPool', '192-168-0-0-16', {cidr: '192.168.0.0/16'})
    const container = handleOf(containerWorkload('host-1', 'c', {id: WORKLOAD}))
    const namespace = handleOf(namespaceWorkload('host-1', '/proc/77/ns/net'))
    for (const [text, handle] of [['192.168.10.0', namespace], ['192.168.10.1', container], ['192.168.10.2', container]] as const) {
      const address = parseAddress(text)
      if (address) await assignAddress(session, {address, node: 'host-1', handle, attributes: {node: 'host-1'}, createNode: true})
    }
    const {items, lost} = convert(KEYS)
    expect(lost).toEqual([])
    const ipam = items.filter(({kind}) => ['Block', 'BlockAffinity', 'Handle', 'IPAMConfig'].includes(kind))
    const judged = await Promise.all(ipam.map(async (item) => `${item.kind}: ${JSON.stringify(judge(item, (await store.get(item.key)).kv, {pools: [], peers: []}))}`))
    expect(judged.sort()).toEqual(['Block: "unchanged"', 'BlockAffinity: "unchanged"', 'Handle: "unchanged"', 'Handle: "unchanged"', 'IPAMConfig: "unchanged"'])
    const keys: string[] = []
    for await (const page of store.list('/calico/ipam/')) keys.push(...page.entries.map(({key}) => key))
    expect(ipam.map(({key}) => key).sort()).toEqual(keys)
    // And not because it never differs.
    const block = ipam.find(({kind}) => kind === 'Block')
    const kv = block && (await store.get(block.key)).kv
    expect(block && kv && judge(block, {...kv, value: kv.value.replace('"node":"host-1"', '"node":"host-2"')}, {pools: [], peers: []})).toEqual({differs: 'its addresses or its node differ'})
  })
})

describe('endpoints', () => {
  const endpoints = convert(KEYS).items.filter(({kind}) => kind === 'WorkloadEndpoint').map(({object}) => object as ReturnType<typeof endpointObject>)

  test('of a container and of a namespace, as container add makes them', () => {
    const content = {ipNetworks: ['192.168.10.1/32', '192.168.10.2/32'], interfaceName: `cali${ENDPOINT_ID.slice(0, 11)}`, mac: 'aa:bb:cc:dd:ee:01'}
    const ours = [
      endpointObject(containerWorkload('host-1', 'c', {id: WORKLOAD}), {endpoint: ENDPOINT_ID, ...content}),
      endpointObject(namespaceWorkload('host-1', '/proc/77/ns/net'), {endpoint: 'aaaa0a7e5a6d11e6b1d40242ac110002', ...content, ipNetworks: ['192.168.10.0/32'], interfaceName: 'caliaaaa0a7e5a6'}),
    ]
    const facts = ({metadata: {name, annotations}, spec}: (typeof ours)[number]) => ({name, annotations, spec})
    expect(endpoints.map(facts).sort((a, b) => a.name.localeCompare(b.name))).toEqual(ours.map(facts).sort((a, b) => a.name.localeCompare(b.name)))
  })
})

describe('blocks', () => {
  const blockOf = (keys: OldKeys) => {
    const {items, lost} = convert(keys)
    const item = items.find(({kind}) => kind === 'Block')
    return {lost, block: item && parseBlock({key: item.key, value: item.value})}
  }

  test.each([
    ['a list of free addresses that is missing', {unallocated: undefined}, Array.from({length: 62}, (_, at) => at + 2)],
    ['one that names taken, foreign and the same ones', {unallocated: [5, 5, 0, 99, -1, 'x', 4]}, [5, 4, ...Array.from({length: 62}, (_, at) => at + 2).filter((at) => at !== 4 && at !== 5)]],
  ])('%s', (_, change, free) => {
    const [[key, value] = ['', '']] = Object.entries(oldBlock('192.168.10.0/26', undefined, {0: 0, 1: 0}))
    const {block} = blockOf({...POOL, [key]: JSON.stringify({...(JSON.parse(value) as object), ...change})})
    expect(block?.unallocated).toEqual(free)
    expect(block?.affinity).toBeNull()
  })

  test('an empty block that is nobody\'s is not stored; one of a host is', () => {
    expect(blockOf({...POOL, ...oldBlock('192.168.10.0/26', undefined, {})}).block).toBeUndefined()
    expect(blockOf({...POOL, ...oldBlock('192.168.10.0/26', 'host-1', {})}).block?.affinity).toBe('host:host-1')
  })

  test.each(['a/b', '', 'x\r1'])('the handle %j, which Calico could not find again', (handle) => {
    const {lost, block} = blockOf({...POOL, ...oldBlock('192.168.10.0/26', 'host-1', {3: 0}, [{handle_id: handle, secondary: {}}])})
    expect(lost).toEqual([{key: '/calico/ipam/v2/assignment/ipv4/block/192.168.10.0-26', why: expect.stringContaining('handle')}])
    expect(block?.attributes).toEqual([{handle_id: 'calicoctl.imported-192-168-10-3', secondary: {node: 'host-1', type: 'manual'}}])
  })
})

test('nothing of a v0.20 store is passed over in silence: each key is in an object, lost, or not needed', () => {
  const keys = {...KEYS, '/calico/v1/new': 'x', '/calico/v1/policy/profile/p/other': 'x', '/calico/ipam/v2/host/h1/x': '', '/calico/bgp/v1/host/host-1/a/b': 'x'}
  const {items, lost, unneeded} = convert(keys)
  const told = new Set([...items.flatMap(({from}) => from), ...lost.map(({key}) => key), ...unneeded.map(({key}) => key)])
  const index = /\/ipam\/v2\/(host\/[^/]+\/ipv\d\/block|handle)\//
  const empty = (key: string): boolean => ['ip_addr_v6'].some((end) => key.endsWith(end))
  expect(Object.keys(keys).filter((key) => !told.has(key) && !index.test(key) && !empty(key))).toEqual([])
})

describe('a network of v0.20\'s Docker driver for which Docker assigns the addresses', () => {
  const network = 'ab12'.repeat(16)
  const endpoint = 'cd34'.repeat(16)
  const subnets: OldKeys = {
    '/calico/v1/ipam/v4/pool/172.30.0.0-16': '{"cidr": "172.30.0.0/16", "ipam": false, "masquerade": true}',
    '/calico/v1/ipam/v6/pool/fd01::-64': '{"cidr": "fd01::/64", "ipam": false}',
  }
  const request = {NetworkID: network, Options: {'com.docker.network.generic': {}}, IPv4Data: [{AddressSpace: 'x', Gateway: '172.30.0.1/16', Pool: '172.30.0.0/16'}], IPv6Data: [{Gateway: 'fd01::1/64', Pool: 'fd01::/64'}]}
  const others: OldKeys = {
    ...POOL,
    ...oldNode('host-1', '172.17.8.101'),
    ...oldProfile(network),
    ...oldEndpoint('host-1', {orchestrator: 'libnetwork', workload: 'libnetwork', id: endpoint, nets: ['172.30.0.2/16'], nets6: ['fd01::2/64'], profiles: [network]}),
  }
  const convertWith = (keys: OldKeys) => {
    const {items, lost, unneeded} = convert({...others, ...subnets, ...keys})
    return {lost, unneeded: unneeded.map(({key}) => key), of: (kind: string) => items.filter((item) => item.kind === kind).map(({object}) => object)}
  }

  test('its subnets are pools as our driver makes them, its endpoints keep their addresses, and Calico assigns none of them', () => {
    const {lost, unneeded, of} = convertWith({[`/calico/libnetwork/v1/${network}`]: JSON.stringify(request)})
    expect(lost).toEqual([])
    expect(unneeded).toContain(`/calico/libnetwork/v1/${network}`)
    const annotations = {'calicoctl/network': network}
    expect(of('IPPool')).toEqual(expect.arrayContaining([
      expect.objectContaining({metadata: expect.objectContaining({annotations}) as unknown, spec: expect.objectContaining({cidr: '172.30.0.0/16', disabled: true, natOutgoing: true, ipipMode: 'Never'}) as unknown}),
      expect.objectContaining({metadata: expect.objectContaining({annotations}) as unknown, spec: expect.objectContaining({cidr: 'fd01::/64', disabled: true}) as unknown}),
    ]))
    expect(of('WorkloadEndpoint')).toEqual([expect.objectContaining({spec: expect.objectContaining({ipNetworks: ['172.30.0.2/32', 'fd01::2/128'], profiles: [network]}) as unknown})])
    expect([...of('Block'), ...of('Handle')]).toEqual([])
  })

  test('without the network, in a dump of /calico/v1 alone, the pools are disabled, and nothing is lost', () => {
    const {lost, of} = convertWith({})
    expect(lost).toEqual([])
    expect(of('IPPool')).toEqual(expect.arrayContaining([expect.objectContaining({metadata: expect.not.objectContaining({annotations: expect.anything() as unknown}) as unknown, spec: expect.objectContaining({cidr: '172.30.0.0/16', disabled: true}) as unknown})]))
  })

  test.each([['no JSON', network, 'x'], ['another key', 'x', JSON.stringify(request)]])('what is not a network is told: %s', (_, id, value) => {
    expect(convertWith({[`/calico/libnetwork/v1/${id}`]: value}).lost).toEqual([expect.objectContaining({key: `/calico/libnetwork/v1/${id}`})])
  })

  test('an address with a prefix of another endpoint is told as before', () => {
    expect(convertWith(oldEndpoint('host-1', {id: 'eeee0a7e5a6d11e6b1d40242ac110002', nets: ['192.168.0.7/16']})).lost).toEqual([expect.objectContaining({why: expect.stringContaining('not an IPv4 address') as unknown})])
  })
})

test('a network of v0.20\'s Docker driver: its id is too long for a tag, and is the one that our driver would write', () => {
  const network = 'ab12'.repeat(16)
  const endpoint = 'cd34'.repeat(16)
  const {items, lost} = convert({
    ...POOL,
    ...oldProfile(network),
    ...oldEndpoint('host-1', {orchestrator: 'libnetwork', workload: 'libnetwork', id: endpoint, nets: ['192.168.10.9/32'], profiles: [network]}),
    ...oldBlock('192.168.10.0/26', 'host-1', {9: 0}),
  })
  expect(lost).toEqual([])
  const object = (kind: string): unknown => items.find((item) => item.kind === kind)?.object
  const tag = pluginTag(network)
  expect(object('Profile')).toMatchObject({metadata: {name: network}, spec: {labelsToApply: {[tag]: ''}, ingress: [{action: 'Allow', source: {selector: `has(${tag})`}}]}})
  expect(object('WorkloadEndpoint')).toMatchObject({metadata: {name: `host--1-libnetwork-libnetwork-${endpoint}`, annotations: {'calicoctl/network': network}}, spec: {profiles: [network], endpoint, workload: 'libnetwork'}})
  expect(object('Handle')).toEqual({block: {'192.168.10.0/26': 1}, deleted: false})
  expect(items.map(({kind, name}) => `${kind} ${name}`)).toContain(`Handle libnetwork.${endpoint}`)
  expect(object('Block')).toMatchObject({attributes: [{secondary: {node: 'host-1', type: 'libnetwork'}}]})
})
