/** Which stored objects count for Felix, and what it reads in them (policy-evaluation §2, §3). Read in Calico v3.32.1's own update processors. */
import {describe, expect, test} from '@jest/globals'
import type {Entry} from '../../../src/lib/policy/load.js'
import {allow, ANY, decided, hostEndpoint, node, object, policy, raw, set, settings, workload} from './decided.js'

const NODES = [node('h1', '192.0.2.1'), node('h2', '192.0.2.2')]
const [A, B, OUTSIDE] = ['10.65.0.1', '10.65.0.2', '203.0.113.9']

const verdict = (store: readonly Entry[], from = A, to = B): string => decided(store, from, to, 'tcp/80').verdict

describe('own labels with the prefixes of namespaces and service accounts (§3)', () => {
  const from = (selector: object): Entry => policy('p', {selector: "workload == 'b'", ingress: [allow({source: selector})]})
  const target = workload('b', 'h2', B, {labels: {workload: 'b'}})

  test.each([
    ['namespaceSelector', {namespaceSelector: "env == 'x'"}, 'pcns.env'],
    ['serviceAccounts', {serviceAccounts: {selector: "env == 'x'"}}, 'pcsa.env'],
  ])('%s: those of sets and host endpoints count, those of workload endpoints are dropped', (_, selector, label) => {
    const labels = {[label]: 'x'}
    const store = (...more: Entry[]): Entry[] => [...NODES, target, from(selector), ...more]
    expect(verdict(store(workload('a', 'h1', A, {labels})))).toBe('deny')
    expect(verdict(store(set('s', ['203.0.113.0/24'], labels)), OUTSIDE)).toBe('allow')
    expect(verdict(store(object('NetworkSet', 'networksets/shop/s', {nets: ['203.0.113.0/24']}, {labels})), OUTSIDE)).toBe('allow')
    expect(verdict(store(hostEndpoint('e', {node: 'h1', interfaceName: 'eth0', expectedIPs: ['192.0.2.1'], profiles: ['projectcalico-default-allow']}, labels)), '192.0.2.1')).toBe('allow')
  })

  test('a policy applies to a host endpoint by such a label of its own', () => {
    const store = (labels: Readonly<Record<string, string>>): Entry[] => [
      ...NODES,
      workload('a', 'h1', A),
      hostEndpoint('e', {node: 'h2', interfaceName: 'eth0', profiles: ['projectcalico-default-allow']}, labels),
      policy('p', {selector: 'all()', namespaceSelector: "env == 'x'", types: ['Ingress'], ingress: []}),
    ]
    expect(verdict(store({'projectcalico.org/namespace': 'n', 'pcns.env': 'x'}), A, '192.0.2.2')).toBe('deny')
    expect(verdict(store({'projectcalico.org/namespace': 'n'}), A, '192.0.2.2')).toBe('allow')
  })
})

describe('workload endpoints that Felix takes for absent (§2)', () => {
  const store = (spec: object, ...more: Entry[]): Entry[] => [...NODES, workload('a', 'h1', A), workload('b', 'h2', B, {spec}), ...more]
  /** An endpoint that Felix does not have is an address of nobody: no side polices it. */
  const ABSENT = {verdict: 'allow', out: 'Allow Profile projectcalico-default-allow 0', in: '-'}
  const PRESENT = {...ABSENT, in: ABSENT.out}

  test.each<[string, object]>([
    ['a MAC address that is none', {mac: 'xx'}],
    ['a gateway that is no address', {ipv4Gateway: 'nonsense'}],
    ['an IPv6 gateway that is no address', {ipv6Gateway: 'nonsense'}],
    ['an allowed source that is no prefix', {allowSpoofedSourcePrefixes: ['nonsense']}],
    ['sources of others, where workloadSourceSpoofing is not Any', {allowSpoofedSourcePrefixes: ['10.66.0.0/24']}],
    ['a port of a protocol that has none', {ports: [{name: 'http', protocol: 'ICMP', port: 80}]}],
    ['a port whose protocol is a number', {ports: [{name: 'http', protocol: 6, port: 80}]}],
    ['a port without a number', {ports: [{name: 'http', protocol: 'TCP', port: 0}]}],
    ['a port whose name is none', {ports: [{name: 'ht tp', protocol: 'TCP', port: 80}]}],
    ['no address', {ipNetworks: []}],
    ['an address that is none', {ipNetworks: [`${B}/32`, 'nonsense']}],
    ['no interface', {interfaceName: ''}],
  ])('%s', (_, spec) => expect(decided(store(spec), A, B, 'tcp/80')).toEqual(ABSENT))

  test.each<[string, object, Entry[]]>([
    ['a gateway with a prefix length, or of the other family', {ipv4Gateway: '10.65.0.0/24', ipv6Gateway: '10.65.0.1'}, []],
    ['a MAC address of eight bytes, or with dashes', {mac: '02-00-00-00-00-00-00-01'}, []],
    ['sources of others, where workloadSourceSpoofing is Any', {allowSpoofedSourcePrefixes: ['10.66.0.0/24', '10.67.0.1']}, [settings({workloadSourceSpoofing: 'Any'})]],
    ['a port without a name, whatever else it says', {ports: [{name: '', protocol: 'ICMP', port: 0}]}, []],
    ['a port of TCP in any case', {ports: [{name: 'http', protocol: 'tcp', port: 80}]}, []],
  ])('%s is no reason', (_, spec, more) => expect(decided(store(spec, ...more), A, B, 'tcp/80')).toEqual(PRESENT))
})

describe('host endpoints that Felix takes for absent (§2)', () => {
  const into = (spec: object): string => decided([...NODES, workload('a', 'h1', A), hostEndpoint('e', {node: 'h2', interfaceName: 'eth0', ...spec})], A, '192.0.2.2', 'tcp/80').in

  test.each<[string, object]>([
    ['an interface name that is too long', {interfaceName: 'a-very-long-name', expectedIPs: ['192.0.2.2']}],
    ['a profile whose name is none', {profiles: ['a b']}],
    ['a port without a name', {ports: [{name: '', protocol: 'TCP', port: 80}]}],
    ['a port whose protocol is a number', {ports: [{name: 'http', protocol: 6, port: 80}]}],
  ])('%s', (_, spec) => expect(into(spec)).toBe('-'))

  test('others are enforced', () => expect(into({ports: [{name: 'http', protocol: 'TCP', port: 80}]})).toBe('e, Deny NoMatch'))
})

describe('policies (§2, §5)', () => {
  test('a tier that is named by an empty text is the default one', () => {
    const store = [...NODES, workload('a', 'h1', A), workload('b', 'h2', B), object('Tier', 'tiers/default', {order: 1, defaultAction: 'Pass'})]
    const named = (tier: object): Entry => policy('p', {selector: 'all()', ingress: [], ...tier})
    const passed = {verdict: 'allow', out: 'Allow Profile projectcalico-default-allow 0', in: 'Pass Tier default, Allow Profile projectcalico-default-allow 0'}
    for (const tier of [{}, {tier: ''}, {tier: 'default'}]) expect(decided([...store, named(tier)], A, B, 'tcp/80')).toEqual(passed)
  })

  test('keys that are none of Calico\'s, and kinds that it does not know, are passed over', () => {
    const closing = JSON.stringify(policy('p', {selector: 'all()', ingress: []}).value)
    const store = [...NODES, workload('a', 'h1', A), workload('b', 'h2', B)]
    for (const key of ['globalnetworkpolicies/n/p', 'globalnetworkpoliciez/p', 'globalnetworkpolicies/', 'networkpolicies/p']) expect([key, verdict([...store, raw(key, closing)])]).toEqual([key, 'allow'])
    expect(verdict([...store, raw('globalnetworkpolicies/p', closing)])).toBe('deny')
  })

  test('unknown fields are passed over, and nothing in a staged policy counts', () => {
    const store = [...NODES, workload('a', 'h1', A), workload('b', 'h2', B), policy('p', {selector: 'all()', later: true, ingress: [allow({...ANY[0], nobody: 'knows'})]})]
    expect(verdict(store)).toBe('allow')
    expect(verdict([...store, object('StagedGlobalNetworkPolicy', 'stagedglobalnetworkpolicies/q', {order: 1, selector: 'all()', types: ['Ingress'], ingress: []})])).toBe('allow')
  })
})
