/** Warnings about what the dataplane does beside the rules. */
import {describe, expect, test} from '@jest/globals'
import {parseAddress} from '../../../src/lib/net/index.js'
import {judge} from '../../../src/lib/policy/judge.js'
import {type Entry, loadWorld} from '../../../src/lib/policy/load.js'
import {flowsOfPairs} from '../../../src/lib/policy/explain.js'
import {partyAt} from '../../../src/lib/policy/parties.js'
import {findParty} from '../../../src/lib/policy/probe.js'
import {allow, judged, node, profile, workload as named} from './decided.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'

function object(plural: string, kind: string, name: string, spec: object, namespace?: string): Entry {
  return {key: `${RESOURCES}${plural}/${namespace === undefined ? '' : `${namespace}/`}${name}`, value: {kind, apiVersion: 'projectcalico.org/v3', metadata: {name, ...(namespace === undefined ? {} : {namespace}), uid: '23df7bce-00f2-4dd7-a79c-a271a36dc84f', creationTimestamp: '2026-11-21T10:04:21Z'}, spec}}
}

const workload = (name: string, node: string, addresses: readonly string[]): Entry =>
  object('workloadendpoints', 'WorkloadEndpoint', `${node}-docker-${name}-eth0`, {node, orchestrator: 'docker', workload: name, endpoint: 'eth0', ipNetworks: addresses, profiles: ['projectcalico-default-allow'], interfaceName: `cali${name}`}, 'default')

describe('IPv6 neighbour discovery (policy-evaluation §8.2)', () => {
  const store = (ingress: readonly object[]): Entry[] => [
    object('nodes', 'Node', 'h1', {bgp: {ipv4Address: '192.0.2.1/24', ipv6Address: '2001:db8::1/64'}}),
    object('nodes', 'Node', 'h2', {bgp: {ipv4Address: '192.0.2.2/24', ipv6Address: '2001:db8::2/64'}}),
    workload('a', 'h1', ['10.0.0.1/32', 'fd00::1/128']),
    workload('b', 'h2', ['10.0.0.2/32', 'fd00::2/128']),
    workload('c', 'h2', ['fd00::3/128']),
    object('hostendpoints', 'HostEndpoint', 'hep2', {node: 'h2', interfaceName: 'eth0', profiles: ['host']}),
    object('profiles', 'Profile', 'host', {ingress, egress: [{action: 'Allow', source: {}, destination: {}}]}),
  ]
  const warnings = (ingress: readonly object[], from: string, to: string): [string, string[]] => {
    const world = loadWorld(store(ingress))
    const [source, destination] = [from, to].map((text) => partyAt(world, parseAddress(text) ?? {family: 4, value: 0n})) as [ReturnType<typeof partyAt>, ReturnType<typeof partyAt>]
    const judgement = judge(world, source, destination, {family: source.address.family, protocol: 6, dport: 80, sport: 40000})
    return [judgement.verdict, judgement.warnings.map(({code}) => code)]
  }
  const icmp = (type: number): object => ({action: 'Allow', protocol: 'ICMPv6', icmp: {type}, source: {}, destination: {}})

  test('a host endpoint that denies it is warned of, on the way to the host and to its workloads, in either direction', () => {
    expect(warnings([], 'fd00::1', 'fd00::2')).toEqual(['allow', ['neighbour-discovery']])
    expect(warnings([], 'fd00::2', 'fd00::1')).toEqual(['allow', ['neighbour-discovery']])
    expect(warnings([], 'fd00::1', '2001:db8::2')).toEqual(['deny', ['neighbour-discovery']])
    expect(warnings([icmp(135)], 'fd00::1', 'fd00::2')).toEqual(['allow', ['neighbour-discovery']])
  })

  test('nothing is said where it is allowed, within a node, of IPv4 and of other nodes', () => {
    expect(warnings([icmp(135), icmp(136)], 'fd00::1', 'fd00::2')).toEqual(['allow', []])
    expect(warnings([{action: 'Allow', protocol: 58, source: {}, destination: {}}], 'fd00::1', 'fd00::2')).toEqual(['allow', []])
    expect(warnings([], 'fd00::2', 'fd00::3')).toEqual(['allow', []])
    expect(warnings([], '10.0.0.1', '10.0.0.2')).toEqual(['allow', []])
    expect(warnings([], 'fd00::1', '2001:db8:9::9')).toEqual(['allow', []])
  })
})

describe('a packet whose port was not given', () => {
  const judgement = (...rules: readonly object[]) => {
    const world = loadWorld([
      object('nodes', 'Node', 'h1', {bgp: {ipv4Address: '192.0.2.1/24'}}),
      workload('a', 'h1', ['10.0.0.1/32']),
      workload('b', 'h1', ['10.0.0.2/32']),
      object('tiers', 'Tier', 'default', {order: 1_000_000}),
      object('globalnetworkpolicies', 'GlobalNetworkPolicy', 'default.p', {tier: 'default', selector: 'all()', types: ['Ingress'], ingress: rules}),
    ])
    const [source, destination] = ['10.0.0.1', '10.0.0.2'].map((text) => partyAt(world, parseAddress(text) ?? {family: 4, value: 0n})) as [ReturnType<typeof partyAt>, ReturnType<typeof partyAt>]
    return judge(world, source, destination, {family: 4, protocol: 6})
  }
  const rule = (action: string, ports?: readonly number[]): object => ({action, protocol: 'TCP', source: {}, destination: ports === undefined ? {} : {ports}})

  test('one verdict for every port: it is that, and a rule that gives it for some port is named', () => {
    const {verdict, reason, ingress} = judgement(rule('Allow', [80]), rule('Allow'))
    expect([verdict, reason, ingress?.verdict]).toEqual(['allow', undefined, 'allow'])
    expect(ingress?.by.index).toBe(0)
  })
  test('one rule for every port: it alone is named', () => {
    const {verdict, ingress} = judgement(rule('Deny'), rule('Allow', [80]))
    expect([verdict, ingress?.verdict, ingress?.by.index]).toEqual(['deny', 'deny', 0])
  })
  test('one rule for every port: also named with the rules that were asked before it', () => {
    const {ingress} = judgement(rule('Log', [80]), rule('Deny'))
    expect(ingress?.considered?.map(({index, matched}) => [index, matched])).toEqual([[0, false], [1, true]])
  })
  test('another verdict for some port: unknown, with the ports that are allowed', () => {
    const {verdict, reason} = judgement(rule('Allow', [80]), rule('Deny'))
    expect(verdict).toBe('unknown')
    expect(reason).toContain('the port, which was not given')
    expect(reason).toContain('(allowed: tcp/80)')
  })
})

describe('objects that Felix reads otherwise than they are meant', () => {
  const deny = [{action: 'Deny', source: {}, destination: {}}]
  const policy = (name: string, spec: object): Entry => object('globalnetworkpolicies', 'GlobalNetworkPolicy', name, {types: ['Ingress'], ...spec})
  const told = (...more: readonly Entry[]): [string, string[]] => {
    const world = loadWorld([
      object('nodes', 'Node', 'h1', {bgp: {ipv4Address: '192.0.2.1/24'}}),
      object('nodes', 'Node', 'h2', {bgp: {ipv4Address: '192.0.2.2/24'}}),
      object('tiers', 'Tier', 'default', {order: 1_000_000}),
      workload('a', 'h1', ['10.0.0.1/32']),
      workload('b', 'h2', ['10.0.0.2/32']),
      ...more,
    ])
    const [source, destination] = ['10.0.0.1', '10.0.0.2'].map((text) => partyAt(world, parseAddress(text) ?? {family: 4, value: 0n})) as [ReturnType<typeof partyAt>, ReturnType<typeof partyAt>]
    const {verdict, warnings} = judge(world, source, destination, {family: 4, protocol: 6, dport: 80, sport: 40000})
    return [verdict, warnings.map(({code}) => code)]
  }

  test('nothing is said of a healthy store; a policy that denies denies', () => {
    expect(told()).toEqual(['allow', []])
    expect(told(policy('p', {selector: 'all()', ingress: deny}))).toEqual(['deny', []])
  })

  test('a policy whose selector, or whose rule\'s selector, does not parse is absent, and named', () => {
    expect(told(policy('p', {selector: 'has (', ingress: deny}))).toEqual(['allow', ['ignored']])
    expect(told(policy('p', {selector: 'all()', ingress: [{action: 'Deny', source: {selector: "a == "}, destination: {}}]}))).toEqual(['allow', ['ignored']])
  })

  test('an unknown field in a rule is passed over by Felix, and named where the rule decides', () => {
    expect(told(policy('p', {selector: 'all()', ingress: [{action: 'Deny', source: {tag: 'x'}, destination: {}}]}))).toEqual(['deny', ['ignored-field']])
    expect(told(policy('p', {selector: 'all()', ingress: [{action: 'Deny', protocol: 'UDP', source: {tag: 'x'}, destination: {}}, {action: 'Allow', source: {}, destination: {}}]}))).toEqual(['allow', []])
  })

  test('a policy that cannot be read and would apply leaves it unknown; elsewhere it changes nothing', () => {
    expect(told(policy('p', {selector: 'all()', ingress: [{action: 'Deny', protocol: 'TCP', destination: {ports: [70000]}}]}))[0]).toBe('unknown')
    expect(told(policy('p', {selector: 'has(nobody)', ingress: [{action: 'Deny', protocol: 'TCP', destination: {ports: [70000]}}]}))[0]).toBe('allow')
  })

  test('kinds of a newer Calico, and staged policies, decide nothing', () => {
    expect(told(object('stagedglobalnetworkpolicies', 'StagedGlobalNetworkPolicy', 'p', {tier: 'default', selector: 'all()', types: ['Ingress'], ingress: deny}))).toEqual(['allow', []])
    expect(told(object('quantumpolicies', 'QuantumPolicy', 'p', {selector: 'all()', ingress: deny}))).toEqual(['allow', []])
  })

  test('an endpoint on a node that does not exist is judged, and said to be', () => {
    const world = loadWorld([workload('a', 'h9', ['10.0.0.1/32'])])
    const party = partyAt(world, parseAddress('10.0.0.1') ?? {family: 4, value: 0n})
    const {verdict, warnings} = judge(world, {type: 'outside', address: {family: 4, value: 0x08080808n}}, party, {family: 4, protocol: 6, dport: 80, sport: 40000})
    expect([verdict, warnings.map(({code}) => code)]).toEqual(['allow', ['no-node']])
  })
})

describe('ICMP without a type', () => {
  const told = (ingress: readonly object[], flow: string, v6 = false): string => {
    const store = [...['h1', 'h2'].map((name, index) => node(name, `192.0.2.${index + 1}`, `2001:db8::${index + 1}`)), named('a', 'h1', ['10.65.0.1', 'fd00::1'], {spec: {profiles: ['p']}}), named('b', 'h2', ['10.65.0.2', 'fd00::2'], {spec: {profiles: ['p']}}), profile('p', {ingress, egress: [allow()]})]
    const {verdict, egress, ingress: into} = judged(store, v6 ? 'fd00::1' : '10.65.0.1', v6 ? 'fd00::2' : '10.65.0.2', flow)
    return [verdict, egress?.by.kind, into?.by.kind].join(' ')
  }
  test('is what becomes of every type that opens a flow', () => {
    expect(told([allow()], 'icmp')).toBe('allow Profile Profile')
    expect(told([allow()], 'icmpv6', true)).toBe('allow Profile Profile')
    expect(told([allow({protocol: 'ICMP'})], 'icmp')).toBe('allow Profile Profile')
    expect(told([], 'icmp')).toBe('deny Profile NoMatch')
    expect(told([allow()], 'icmp/0')).toBe('deny Conntrack Conntrack')
  })
  test('is unknown where a rule tells those apart', () => {
    expect(told([allow({protocol: 'ICMP', icmp: {type: 8}})], 'icmp')).toMatch(/^unknown/)
    expect(told([allow({protocol: 'ICMP', icmp: {type: 3}})], 'icmp')).toMatch(/^deny/)
  })
})

describe('warnings about all flows of a pair', () => {
  test('name what decides otherwise than it is written, and endpoints of which something is wrong', () => {
    const wide = {protocol: 'TCP', source: {nets: ['10.65.0.0/24', '10.66.0.0/24']}, destination: {nets: ['172.16.0.0/24', '172.17.0.0/24'], ports: ['http', 80]}}
    const store = [...['h1', 'h2'].map((name, index) => node(name, `192.0.2.${index + 1}`)), named('a', 'h1', '10.65.0.1', {spec: {profiles: ['projectcalico-default-allow', 'gone']}}), named('b', 'h2', '10.65.0.2', {spec: {profiles: ['p']}}), profile('p', {ingress: [allow(wide), allow({protocol: 'UDP', source: {tag: 'x'}})], egress: []})]
    const world = loadWorld(store)
    const [first] = flowsOfPairs(world, findParty(world, 'a'), findParty(world, 'b')).pairs
    expect(first?.warnings.map(({code}) => code)).toEqual(['third-list', 'missing-profile', 'ignored-field'])
  })
})
