/** What cannot be known is said, with its reason, and nothing else is (policy-evaluation §10, felix-behaviour §2). */
import {describe, expect, test} from '@jest/globals'
import {evaluateFlow} from '../../../src/lib/policy/evaluate.js'
import {judge} from '../../../src/lib/policy/judge.js'
import {type Entry, loadWorld} from '../../../src/lib/policy/load.js'
import {policyMatrix} from '../../../src/lib/policy/matrix.js'
import {allow, ANY, deny, hostEndpoint, judged, node, object, policy, raw, set, settings, tier, workload} from './decided.js'
import {goldenLines, packetOf, partyOf, worldOf} from './golden.js'

const [H1, H2, A, B, FAR] = ['192.0.2.1', '192.0.2.2', '10.65.0.1', '10.65.0.2', '203.0.113.9']
const NODES = [node('h1', H1), node('h2', H2)]
const BOTH = [...NODES, workload('a', 'h1', A), workload('b', 'h2', B)]

const told = (store: readonly Entry[], from = A, to = B, flow = 'tcp/80'): string => {
  const {verdict, reason} = judged(store, from, to, flow)
  return reason === undefined ? verdict : `${verdict}: ${reason}`
}
const warned = (store: readonly Entry[], from = A, to = B): string[] => judged(store, from, to, 'tcp/80').warnings.map(({code}) => code)

test('every recorded verdict is told as it is: nothing in those stores is unknown', () => {
  const wrong: unknown[] = []
  for (const line of goldenLines()) {
    const world = worldOf(line)
    for (const probe of line.probes) {
      const packet = packetOf(probe)
      const [from, to] = [partyOf(world, probe.from, packet.family), partyOf(world, probe.to, packet.family)]
      const {verdict, reason} = judge(world, from, to, packet)
      if (verdict !== probe.verdict) wrong.push([line.id, probe.from, probe.to, packet, verdict, reason, evaluateFlow(world, from, to, packet).verdict])
    }
  }
  expect(wrong).toEqual([])
})

describe('source NAT of pools', () => {
  const pool = (cidr: string, spec: object = {}): Entry => object('IPPool', `ippools/${cidr.replace(/\W/g, '-')}`, {cidr, natOutgoing: true, ...spec})
  const host2 = hostEndpoint('e', {node: 'h2', interfaceName: 'eth0', profiles: ['in']})
  const takes = (...nets: string[]): Entry => object('Profile', 'profiles/in', {ingress: [allow({source: {nets}})], egress: ANY})
  const store = (...more: Entry[]): Entry[] => [...BOTH, host2, pool('10.65.0.0/16'), ...more]
  const UNKNOWN = `unknown: because of a pool with natOutgoing, the receiver may see ${H1}, the address of the sender's node, for which its rules decide differently`

  test('matters where the receiver\'s rules tell the two addresses apart', () => {
    expect(told(store(takes('10.65.0.0/16')), A, H2)).toBe(UNKNOWN)
    expect(told(store(takes('10.65.0.0/16', '192.0.2.0/24')), A, H2)).toBe('allow')
    expect(told(store(takes('172.16.0.0/16')), A, H2)).toBe('deny')
  })
  test('matters for the flow that was asked about only', () => {
    const profile = object('Profile', 'profiles/in', {ingress: [allow({protocol: 'TCP', destination: {ports: [22, 80]}, source: {nets: ['10.65.0.0/16']}}), allow({protocol: 'TCP', destination: {ports: [81]}})], egress: ANY})
    expect(told(store(profile), A, H2, 'tcp/81')).toBe('allow')
    expect(told(store(profile), A, H2, 'tcp/80')).toBe(UNKNOWN)
    expect(told(store(profile), A, H2, 'tcp')).toBe(UNKNOWN)
  })
  test('spares other nodes with natOutgoingExclusions, and the own node always', () => {
    expect(told(store(takes('10.65.0.0/16'), settings({natOutgoingExclusions: 'IPPoolsAndHostIPs'})), A, H2)).toBe('allow')
    expect(told(store(takes('10.65.0.0/16'), settings({natOutgoingExclusions: 'IPPoolsOnly'})), A, H2)).toBe(UNKNOWN)
    expect(told(store(takes('10.65.0.0/16'), settings({defaultEndpointToHostAction: 'Accept'})), B, H2)).toBe('allow')
  })
  test('puts in natOutgoingAddress where that is set', () => {
    expect(told(store(takes('10.65.0.0/16'), settings({natOutgoingAddress: '198.51.100.7'})), A, H2)).toContain('198.51.100.7')
    expect(told(store(takes('10.65.0.0/16', '198.51.100.7/32'), settings({natOutgoingAddress: '198.51.100.7'})), A, H2)).toBe('allow')
  })
  test('is said where the sender\'s node has no known address, if the receiver\'s rules look at it', () => {
    const withoutAddress = [object('Node', 'nodes/h1', {}), node('h2', H2), workload('a', 'h1', A), host2, pool('10.65.0.0/16')]
    expect(told([...withoutAddress, takes('10.65.0.0/16')], A, H2)).toContain('which the datastore does not show')
    expect(told([...withoutAddress, object('Profile', 'profiles/in', {ingress: ANY, egress: ANY})], A, H2)).toBe('allow')
    expect(told([...withoutAddress, takes('10.65.0.0/16')], A, FAR)).toBe('allow')
  })
  test('also concerns endpoints outside all pools on other nodes, and none in a pool', () => {
    const outside = workload('c', 'h2', '10.99.0.1', {spec: {profiles: ['in']}})
    expect(told(store(takes('10.65.0.0/16'), outside), A, '10.99.0.1')).toBe(UNKNOWN)
    expect(told(store(takes('10.65.0.0/16'), outside, pool('10.99.0.0/16', {natOutgoing: false})), A, '10.99.0.1')).toBe('allow')
    expect(told([...store(takes('10.65.0.0/16')), workload('d', 'h1', '10.99.0.2', {spec: {profiles: ['in']}})], A, '10.99.0.2')).toBe('allow')
  })
  test('addresses that ipNATs translate', () => {
    const nat = workload('c', 'h2', '10.65.0.3', {spec: {ipNATs: [{internalIP: '10.65.0.3', externalIP: '198.51.100.3'}]}})
    expect(told([...BOTH, nat], A, '198.51.100.3')).toContain('is translated to an address of h2-docker-c-eth0')
    expect(told([...BOTH, nat], A, '10.65.0.3')).toBe('allow')
  })
})

describe('tunnels between the nodes', () => {
  const pool = (spec: object): Entry => object('IPPool', 'ippools/p', {cidr: '10.65.0.0/16', ...spec})
  const everywhere = (labels: Readonly<Record<string, string>>): Entry[] => [
    hostEndpoint('all', {node: 'h2', interfaceName: '*', profiles: ['projectcalico-default-allow']}, labels),
    policy('f', {selector: 'has(host)', applyOnForward: true, ingress: ANY}),
  ]
  const [forward, labelled] = [everywhere({}), everywhere({host: ''})]

  test.each<[string, object]>([
    ['IPIP', {ipipMode: 'Always'}],
    ['VXLAN', {vxlanMode: 'Always'}],
  ])('%s, where host endpoints have policies of forwarded traffic', (type, spec) => {
    expect(told([...BOTH, ...labelled, pool(spec)])).toContain(`unknown: the traffic goes through a ${type} tunnel between the nodes`)
    expect(told([...BOTH, ...forward, pool(spec)])).toBe('allow')
    expect(told([...BOTH, ...labelled, pool({ipipMode: 'Never', vxlanMode: 'Never'})])).toBe('allow')
  })
  test('CrossSubnet: only between different networks', () => {
    expect(told([...BOTH, ...labelled, pool({ipipMode: 'CrossSubnet'})])).toBe('allow')
    expect(told([node('h1', '198.51.100.1'), node('h2', H2), workload('a', 'h1', A), workload('b', 'h2', B), ...labelled, pool({ipipMode: 'CrossSubnet'})])).toContain('IPIP tunnel')
  })
  test('WireGuard, if both nodes have it', () => {
    expect(told([...BOTH, ...labelled, settings({wireguardEnabled: true})])).toContain('WireGuard tunnel')
    expect(told([...BOTH, ...labelled, settings({wireguardEnabled: true}, 'node.h1')])).toBe('allow')
  })
  test('a host is seen by the address of its tunnel interface', () => {
    const target = workload('c', 'h2', '10.65.0.3', {spec: {profiles: ['in']}})
    const takes = (net: string): Entry => object('Profile', 'profiles/in', {ingress: [allow({source: {nets: [net]}})], egress: []})
    const store = (...more: Entry[]): Entry[] => [node('h2', H2), target, pool({ipipMode: 'Always'}), ...more]
    const withTunnel = object('Node', 'nodes/h1', {bgp: {ipv4Address: `${H1}/24`, ipv4IPIPTunnelAddr: '10.65.0.128'}})
    expect(told(store(withTunnel, takes(`${H1}/32`)), H1, '10.65.0.3')).toBe("unknown: because of the IPIP tunnel between the nodes, the receiver may see 10.65.0.128, the address of the sender's tunnel interface, for which its rules decide differently")
    expect(told(store(withTunnel, takes('0.0.0.0/0')), H1, '10.65.0.3')).toBe('allow')
    expect(told(store(node('h1', H1), takes(`${H1}/32`)), H1, '10.65.0.3')).toContain('which the datastore does not show')
  })
})

describe('settings', () => {
  test('OpenStack: what workloads need of their host', () => {
    const store = [...NODES, workload('a', 'h1', A, {spec: {interfaceName: 'tapa'}}), settings({interfacePrefix: 'cali,tap'})]
    expect(told(store, A, H1, 'udp/67')).toContain('OpenStack')
    expect(told(store, A, H1, 'tcp/80')).toBe('deny')
    expect(told(store, A, H2, 'udp/67')).toBe('allow')
  })
  test('a locked datastore, and a ClusterInformation that cannot be read', () => {
    const cluster = (spec: object): Entry => object('ClusterInformation', 'clusterinformations/default', spec)
    expect(told([...BOTH, cluster({datastoreReady: true})])).toBe('allow')
    expect(told([...BOTH, cluster({datastoreReady: false})])).toContain('the datastore is locked')
    expect(told([...BOTH, cluster({})])).toContain('the datastore is locked')
    expect(told([...BOTH, raw('clusterinformations/default', '{')])).toContain('Felix cannot read clusterinformation/default')
    expect(told([...BOTH, cluster({datastoreReady: false})], FAR, '198.51.100.9')).toBe('allow')
  })
  test('limits of qosControls are a warning', () => {
    const limited = (qosControls: object): Entry[] => [...NODES, workload('a', 'h1', A), workload('b', 'h2', B, {spec: {qosControls}})]
    expect(warned(limited({ingressMaxConnections: 5}))).toEqual(['limits'])
    expect(warned(limited({ingressBandwidth: 1000000}))).toEqual([])
  })
})

describe('objects that Felix cannot read', () => {
  const broken = (key: string): Entry[] => [raw(key, '{"spec": '), raw(key, '[]')]
  const unknown = (name: string): RegExp => new RegExp(`^unknown: Felix cannot read ${name} \\(.+\\): the nodes keep an older version of it, or none after a restart$`, 's')

  test('a tier matters where a policy of it applies', () => {
    const own = policy('p', {tier: 't', selector: "workload == 'b'", ingress: ANY})
    const store = (labels: Readonly<Record<string, string>>): Entry[] => [...NODES, workload('a', 'h1', A), workload('b', 'h2', B, {labels}), own]
    for (const one of [...broken('tiers/t'), object('Tier', 'tiers/t', {order: 'first'})]) {
      expect(told([...store({workload: 'b'}), one])).toMatch(unknown('tier/t'))
      expect(told([...store({}), one])).toBe('allow')
    }
    expect(told([...store({workload: 'b'}), tier('t', {order: 1})])).toBe('allow')
  })

  test('a set matters where a rule may select it', () => {
    const rules = policy('p', {selector: "workload == 'b'", ingress: [allow({source: {selector: 'has(friend)'}}), deny({source: {selector: 'has(foe)'}}), allow()]})
    const store = [...NODES, workload('a', 'h1', A), workload('b', 'h2', B, {labels: {workload: 'b'}}), workload('c', 'h2', '10.65.0.3'), rules]
    const odd = (labels: object): Entry => object('GlobalNetworkSet', 'globalnetworksets/s', {nets: 'all'}, {labels})
    expect(told([...store, odd({foe: ''})])).toMatch(unknown('globalnetworkset/s'))
    expect(told([...store, odd({other: ''})])).toBe('allow')
    expect(told([...store, odd({foe: ''})], A, '10.65.0.3')).toBe('allow')
    expect(told([...store, raw('globalnetworksets/s', '{')])).toMatch(unknown('globalnetworkset/s'))
    expect(told([...store, raw('networksets/shop/s', '{')])).toMatch(unknown('networkset/shop/s'))
  })

  test('a host endpoint matters to its node, and to what is forwarded only where policies do that', () => {
    const odd = object('HostEndpoint', 'hostendpoints/e', {node: 'h2', interfaceName: 5})
    expect(told([...BOTH, odd], A, H2)).toMatch(unknown('hostendpoint/e'))
    expect(told([...BOTH, odd], FAR, H1)).toBe('allow')
    expect(told([...BOTH, odd])).toBe('allow')
    expect(told([...BOTH, odd, policy('f', {selector: 'has(host)', applyOnForward: true, ingress: []})])).toMatch(unknown('hostendpoint/e'))
    expect(told([...BOTH, raw('hostendpoints/e', '{')], FAR, H1)).toMatch(unknown('hostendpoint/e'))
  })

  test('a workload endpoint matters to its address', () => {
    const odd = object('WorkloadEndpoint', 'workloadendpoints/default/h2-docker-c-eth0', {ipNetworks: ['10.65.0.3/32'], profiles: 'web'})
    expect(told([...BOTH, odd], A, '10.65.0.3')).toMatch(unknown('workloadendpoint/default/h2-docker-c-eth0'))
    expect(told([...BOTH, odd])).toBe('allow')
  })

  test('an endpoint that Felix reads and refuses is said to be the address\'s', () => {
    expect(warned([...BOTH, workload('c', 'h2', '10.65.0.3', {spec: {mac: 'xx'}})], A, '10.65.0.3')).toEqual(['absent-endpoint'])
  })

  test('a policy: where what it selects cannot be read either, all endpoints; if it is no JSON at all, it is absent (golden h48) with a warning', () => {
    expect(told([...BOTH, object('GlobalNetworkPolicy', 'globalnetworkpolicies/p', {selector: 5})])).toMatch(unknown('globalnetworkpolicy/p'))
    expect(told([...BOTH, raw('globalnetworkpolicies/p', '[]')])).toMatch(unknown('globalnetworkpolicy/p'))
    expect(told([...BOTH, raw('globalnetworkpolicies/p', '{')])).toBe('allow')
    expect(warned([...BOTH, raw('globalnetworkpolicies/p', '{')])).toEqual(['unreadable'])
    expect(told([...BOTH, object('NetworkPolicy', 'networkpolicies/shop/p', {order: 'x'})])).toBe('allow')
    expect(told([...BOTH, object('NetworkPolicy', 'networkpolicies/default/p', {order: 'x'})])).toMatch(unknown('networkpolicy/default/p'))
  })

  test('groups of the matrix have the reason, whichever side it is of', () => {
    const egress = policy('p', {tier: 't', selector: 'all()', types: ['Egress'], egress: ANY})
    const {groups} = policyMatrix(loadWorld([...BOTH, egress, raw('tiers/t', '{')]))
    expect(groups.filter(({type}) => type === 'workloads').map(({unknown: reason}) => reason)).toEqual([expect.stringContaining('Felix cannot read tier/t')])
  })
})

test('sets that can be read are no doubt', () => {
  expect(told([...BOTH, set('s', ['203.0.113.0/24', 'nonsense'], {friend: ''})])).toBe('allow')
})
