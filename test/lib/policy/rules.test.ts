/** policy-evaluation.md, rule by rule, where no recorded verdict of the public golden lines shows it: both evaluators, from the page alone. */
import {describe, expect, test} from '@jest/globals'
import type {Entry} from '../../../src/lib/policy/load.js'
import {allow, ANY, type Decided, decided, deny, hostEndpoint, judged, namespaced, node, object, policy, profile, set, settings, tier, workload} from './decided.js'

const [H1, H2, A, B, C, FAR] = ['192.0.2.1', '192.0.2.2', '10.65.0.1', '10.65.0.2', '10.65.0.3', '203.0.113.9']
const [A6, B6, H16, H26] = ['fd00::1', 'fd00::2', '2001:db8::1', '2001:db8::2']
const NODES = [node('h1', H1, H16), node('h2', H2, H26)]
const OPEN = 'Allow Profile projectcalico-default-allow 0'
const TIER = tier('default', {order: 1_000_000, defaultAction: 'Deny'})

type Options = Parameters<typeof workload>[3]
const a = (options: Options = {}): Entry => workload('a', 'h1', [A, A6], options)
const b = (options: Options = {}): Entry => workload('b', 'h2', [B, B6], options)
const pair = (...more: readonly Entry[]): Entry[] => [...NODES, TIER, a(), b({labels: {to: 'b'}}), ...more]
/** What decides at b, which has RULES as its only ingress policy. */
const at = (rules: readonly object[], flow = 'tcp/80', from = A, ...more: readonly Entry[]): string => decided(pair(policy('p', {selector: "to == 'b'", ingress: rules}), ...more), from, from.includes(':') ? B6 : B, flow).in
const [YES, NO] = ['Allow GlobalNetworkPolicy p 0', 'Deny Tier default']

describe('§1 sides', () => {
  const closed = {spec: {profiles: []}}
  test('both sides are always given', () => expect(decided([...NODES, a(closed), b(closed)], A, B, 'tcp/80')).toEqual({verdict: 'deny', out: 'Deny NoMatch', in: 'Deny NoMatch'}))
  test('an address of no endpoint, and a host without a host endpoint, have none', () => {
    expect(decided([...NODES, b(closed)], FAR, B, 'tcp/80')).toEqual({verdict: 'deny', out: '-', in: 'Deny NoMatch'})
    expect(decided([...NODES, a()], A, H2, 'tcp/80')).toEqual({verdict: 'allow', out: OPEN, in: '-'})
    expect(decided(NODES, FAR, H2, 'tcp/80')).toEqual({verdict: 'allow', out: '-', in: '-'})
  })
  test('an address stands for the endpoint that has it before the node that has it', () => expect(decided([node('h1', A), node('h2', H2), a(closed)], A, FAR, 'tcp/80').out).toBe('Deny NoMatch'))
})

describe('§2 one interface twice (h56)', () => {
  const twin = (name: string, address: string, spec: object = {}): Entry => workload(name, 'h2', address, {labels: {twin: name}, spec: {interfaceName: 'calitwin', ...spec}})
  test('the endpoint that sorts first is enforced, and the other\'s addresses are selected all the same', () => {
    const rules = [...NODES, a({labels: {from: 'a'}}), twin('x', B, {profiles: []}), twin('y', C), policy('p', {selector: "from == 'a'", types: ['Egress'], egress: [allow({destination: {selector: "twin == 'y'"}})]})]
    expect(decided(rules, A, C, 'tcp/80')).toEqual({verdict: 'deny', out: YES, in: 'Deny NoMatch'})
    expect(decided(rules, A, B, 'tcp/80')).toEqual({verdict: 'deny', out: NO, in: 'Deny NoMatch'})
  })
  test('by orchestrator, then by namespace and workload, then by endpoint', () => {
    const other = (orchestrator: string, namespace: string, name: string, endpoint: string, address: string, profiles: readonly string[]): Entry =>
      object('WorkloadEndpoint', `workloadendpoints/${namespace}/h2-${orchestrator}-${name}-${endpoint}`, {ipNetworks: [address], interfaceName: 'calitwin', profiles})
    type Ids = [string, string, string, string]
    const into = (to: string, one: Ids, two: Ids, closed: number): string =>
      decided([...NODES, a(), ...[one, two].map((ids, index) => other(...ids, index === 0 ? B : C, index === closed ? [] : ['projectcalico-default-allow']))], A, to, 'tcp/80').in
    // The one whose lack of profiles closes both is enforced.
    const first = (one: Ids, two: Ids): string => ['one', 'two'].filter((_, index) => [B, C].every((to) => into(to, one, two, index) === 'Deny NoMatch')).join()
    expect(first(['a', 'z', 'z', 'z'], ['b', 'a', 'a', 'a'])).toBe('one')
    expect(first(['a', 'b', 'a', 'a'], ['a', 'a', 'z', 'z'])).toBe('two')
    expect(first(['a', 'a', 'w1', 'z'], ['a', 'a', 'w2', 'a'])).toBe('one')
    expect(first(['a', 'a', 'w', 'e2'], ['a', 'a', 'w', 'e1'])).toBe('two')
  })
  test('the same interface on another node is another one', () => expect(decided([...NODES, workload('x', 'h1', A, {spec: {interfaceName: 'calitwin', profiles: []}}), twin('y', C)], FAR, C, 'tcp/80').in).toBe(OPEN))
})

describe('§3 labels', () => {
  const rule = (selector: string): object[] => [allow({source: {selector}})]
  const from = (options: Options, selector: string, ...more: readonly Entry[]): string =>
    decided([...NODES, TIER, a(options), b({labels: {to: 'b'}}), policy('p', {selector: "to == 'b'", ingress: rule(selector)}), ...more], A, B, 'tcp/80').in
  const gives = (name: string, labelsToApply: object): Entry => profile(name, {ingress: ANY, egress: ANY, labelsToApply})
  const two = [gives('one', {k: ''}), gives('two', {k: 'late', l: 'two'})]

  test('the first that has the key wins, also with the value \'\' (h09)', () => {
    expect(from({spec: {profiles: ['one', 'two']}}, "k == ''", ...two)).toBe(YES)
    expect(from({spec: {profiles: ['one', 'two']}}, "k == 'late'", ...two)).toBe(NO)
    expect(from({spec: {profiles: ['two', 'one']}}, "k == 'late'", ...two)).toBe(YES)
    expect(from({spec: {profiles: ['one', 'two']}, labels: {k: 'own'}}, "k == 'own' && l == 'two'", ...two)).toBe(YES)
    expect(from({spec: {profiles: ['two']}, labels: {k: ''}}, "k == '' && has(k)", ...two)).toBe(YES)
  })
  test('profiles that are missing give none, and those that Felix\'s validation refuses lose theirs', () => {
    expect(from({spec: {profiles: ['gone', 'two']}}, 'has(l)', ...two)).toBe(YES)
    const lost = profile('lost', {ingress: [{action: 'allow', source: {}, destination: {}}], egress: ANY, labelsToApply: {k: 'lost'}})
    expect(from({spec: {profiles: ['lost', 'two']}}, "k == 'late'", lost, ...two)).toBe(YES)
  })
  test('serviceAccountName is a label, over one of the same name', () => {
    expect(from({spec: {serviceAccountName: 'sa'}, labels: {'projectcalico.org/serviceaccount': 'other'}}, "projectcalico.org/serviceaccount == 'sa'")).toBe(YES)
  })
  test('a profile may give labels with the prefixes of namespaces and service accounts', () => {
    const store = (source: object): string => decided([...NODES, TIER, a({spec: {profiles: ['ns']}}), b({labels: {to: 'b'}}), gives('ns', {'pcns.env': 'x', 'pcsa.role': 'y'}), policy('p', {selector: "to == 'b'", ingress: [allow({source})]})], A, B, 'tcp/80').in
    expect(store({namespaceSelector: "env == 'x'"})).toBe(YES)
    expect(store({serviceAccounts: {selector: "role == 'y'"}})).toBe(YES)
    expect(store({serviceAccounts: {names: ['a'], selector: "role == 'y'"}})).toBe(NO)
  })
  test('a NetworkSet has the label of its namespace and what kns.NAMESPACE gives; a GlobalNetworkSet neither', () => {
    const own = object('NetworkSet', 'networksets/shop/s', {nets: ['203.0.113.0/24']}, {labels: {'projectcalico.org/namespace': 'other'}})
    const kns = gives('kns.shop', {'pcns.env': 'x'})
    const rules = (source: object, ...more: readonly Entry[]): string => at([allow({source})], 'tcp/80', FAR, kns, ...more)
    expect(rules({selector: "projectcalico.org/namespace == 'shop'"}, own)).toBe(YES)
    expect(rules({namespaceSelector: "env == 'x'"}, own)).toBe(YES)
    expect(rules({namespaceSelector: 'global()'}, own)).toBe(NO)
    expect(rules({namespaceSelector: 'global()'}, set('g', ['203.0.113.0/24'], {}))).toBe(YES)
    expect(rules({namespaceSelector: 'all()'}, set('g', ['203.0.113.0/24'], {}))).toBe(NO)
  })
})

describe('§4 which policies apply', () => {
  const into = (spec: object): string => decided(pair(policy('p', spec)), A, B, 'tcp/80').in
  test('a policy without rules shuts its direction (h50), no types are both (h35), and the other direction\'s rules are dead', () => {
    expect(into({selector: 'all()'})).toBe(NO)
    expect(into({selector: 'all()', types: [], ingress: ANY})).toBe(YES)
    expect(decided(pair(policy('p', {selector: 'all()', types: [], ingress: ANY})), A, B, 'tcp/80').out).toBe(NO)
    expect(decided(pair(object('GlobalNetworkPolicy', 'globalnetworkpolicies/p', {ingress: ANY})), A, B, 'tcp/80')).toEqual({verdict: 'deny', out: NO, in: YES})
    expect(decided(pair(policy('p', {types: ['Egress'], ingress: [deny()], egress: ANY})), A, B, 'tcp/80')).toEqual({verdict: 'allow', out: YES, in: OPEN})
    expect(into({types: ['ingress'], ingress: ANY})).toBe(YES)
  })
  test('without a selector, or with an empty one, it applies to everything, host endpoints included', () => {
    for (const selector of [{}, {selector: ''}, {selector: 'all()'}]) {
      expect(into({...selector, ingress: ANY})).toBe(YES)
      expect(decided(pair(hostEndpoint('e', {node: 'h2', interfaceName: 'eth0'}), policy('p', {...selector, ingress: ANY})), A, H2, 'tcp/80').in).toBe(`e, ${YES}`)
    }
  })
  test('a namespaceSelector turns every all() of the whole expression into "has a namespace"', () => {
    const spec = {selector: 'all()', namespaceSelector: 'all()', ingress: []}
    expect(into(spec)).toBe(NO)
    expect(decided(pair(hostEndpoint('e', {node: 'h2', interfaceName: 'eth0', profiles: ['projectcalico-default-allow']}), policy('p', spec)), A, H2, 'tcp/80').in).toBe(`e, ${OPEN}`)
    expect(into({selector: '!all()', namespaceSelector: 'all()', ingress: []})).toBe(OPEN)
  })
  test('doNotTrack and preDNAT policies do nothing to a workload, and applyOnForward changes nothing there (h41)', () => {
    expect(into({applyOnForward: true, doNotTrack: true, ingress: [deny()]})).toBe(OPEN)
    expect(into({applyOnForward: true, preDNAT: true, ingress: [deny()]})).toBe(OPEN)
    expect(into({applyOnForward: true, ingress: ANY})).toBe(YES)
  })
  test('a NetworkPolicy applies in its namespace only', () => {
    const np = (namespace: string): string => decided(pair(namespaced(namespace, 'p', {ingress: []})), A, B, 'tcp/80').in
    expect([np('default'), np('shop')]).toEqual([NO, OPEN])
  })
})

describe('§5 order', () => {
  const first = (...policies: readonly Entry[]): string => decided(pair(...policies), A, B, 'tcp/80').in
  const global = (name: string, spec: object = {}): Entry => policy(name, {selector: "to == 'b'", ingress: ANY, ...spec})

  test.each([
    [['a', 'a-b', 'a.c', 'a0'], 'a-b'],
    [['a', 'a.c', 'a0'], 'a.c'],
    [['a', 'a0'], 'a'],
    [['b', 'A'], 'A'],
  ])('of equal order %j: %s', (names, wanted) => {
    for (const list of [names, [...names].reverse()]) expect(first(...list.map((name) => global(name)))).toBe(`Allow GlobalNetworkPolicy ${wanted} 0`)
  })
  test('a global policy before one of a namespace with its name; orders may be negative or fractions; none is last', () => {
    expect(first(namespaced('default', 'same', {ingress: ANY}), global('same'))).toBe('Allow GlobalNetworkPolicy same 0')
    expect(first(namespaced('default', 'sam', {ingress: ANY}), global('same'))).toBe('Allow NetworkPolicy default/sam 0')
    expect(first(global('a', {order: 0}), global('b', {order: -1.5}), global('c', {order: -1}))).toBe('Allow GlobalNetworkPolicy b 0')
    expect(first(global('a'), global('b', {order: 1e9}))).toBe('Allow GlobalNetworkPolicy b 0')
  })
  test('tiers by order, then by name; those without a Tier object behind all others, by name, ending in Deny', () => {
    const inTier = (name: string, own: string, ingress: readonly object[] = ANY): Entry => global(name, {tier: own, ingress})
    expect(first(inTier('x', 't1'), inTier('y', 't2'), tier('t1', {order: 5}), tier('t2', {order: 4}))).toBe('Allow GlobalNetworkPolicy y 0')
    expect(first(inTier('x', 't2'), inTier('y', 't1'), tier('t1', {order: 5}), tier('t2', {order: 5}))).toBe('Allow GlobalNetworkPolicy y 0')
    expect(first(inTier('x', 't1'), inTier('y', 't2'), tier('t1', {}), tier('t2', {order: 5}))).toBe('Allow GlobalNetworkPolicy y 0')
    expect(first(inTier('x', 'agone'), inTier('y', 'z'), tier('z', {}))).toBe('Allow GlobalNetworkPolicy y 0')
    expect(first(inTier('x', 'gone2', []), inTier('y', 'gone1', [{action: 'Pass', source: {}, destination: {}}]))).toBe('Pass GlobalNetworkPolicy y 0, Deny Tier gone2')
  })
  test('a tier\'s name before that of the policy means nothing', () => expect(first(global('t1.x', {order: 2}), global('y', {tier: 't1', order: 1}), tier('t1', {order: 2_000_000}))).toBe('Allow GlobalNetworkPolicy t1.x 0'))
  test('any default action of a tier but Pass is Deny', () => {
    expect(first(global('p', {tier: 't', ingress: []}), tier('t', {order: 1, defaultAction: 'Pass'}))).toBe(`Pass Tier t, ${OPEN}`)
    expect(first(global('p', {tier: 't', ingress: []}), tier('t', {order: 1}))).toBe('Deny Tier t')
  })
})

describe('§6 profiles', () => {
  const pass = {action: 'Pass', source: {}, destination: {}}
  const through = (profiles: readonly string[], ...more: readonly Entry[]): string => decided([...NODES, a(), b({spec: {profiles}}), ...more], A, B, 'tcp/80').in
  const one = (name: string, ...ingress: readonly object[]): Entry => profile(name, {ingress, egress: []})
  const never = {protocol: 'UDP'}

  test('a Pass rule that matched makes those of later profiles end theirs, unless it is the last rendered rule', () => {
    const ended = one('q', {...pass, ...never}, allow())
    expect(through(['p', 'q', 'r'], one('p', pass), ended, one('r', allow()))).toBe('Pass Profile p 0, Pass Profile q 0, Allow Profile r 0')
    expect(through(['q', 'r'], ended, one('r', allow()))).toBe('Allow Profile q 1')
    expect(through(['p', 'q', 'r'], one('p', pass), one('q', {...pass, ...never}), one('r', allow()))).toBe('Pass Profile p 0, Allow Profile r 0')
    expect(through(['p', 'q', 'r'], one('p', pass), one('q', {...pass, ...never}, allow({ipVersion: 6})), one('r', allow()))).toBe('Pass Profile p 0, Allow Profile r 0')
  })
  test('the missing profile denies at its place, unless one before decides', () => {
    expect(through(['p', 'gone'], one('p', allow()))).toBe('Allow Profile p 0')
    expect(through(['gone', 'p'], one('p', allow()))).toBe('Deny Profile gone (missing)')
  })
})

describe('§6.1 criteria', () => {
  test.each<[string, object, string, string]>([
    ['protocol by number', {protocol: 6}, 'tcp/80', YES],
    ['protocol in any case', {protocol: 'tcp'}, 'tcp/80', YES],
    ['UDPLite is 136', {protocol: 'UDPLite'}, '136', YES],
    ['SCTP is 132', {protocol: 132}, 'sctp/80', YES],
    ['notProtocol', {notProtocol: 'TCP'}, 'udp/80', YES],
    ['notProtocol, the same', {notProtocol: 6}, 'tcp/80', NO],
    ['icmp: {} always holds', {protocol: 'ICMP', icmp: {}}, 'icmp/8', YES],
    ['icmp, the type', {protocol: 'ICMP', icmp: {type: 8}}, 'icmp/8/3', YES],
    ['icmp, another code', {protocol: 'ICMP', icmp: {type: 8, code: 1}}, 'icmp/8/0', NO],
    ['icmp, code 0', {protocol: 'ICMP', icmp: {type: 8, code: 0}}, 'icmp/8/0', YES],
    ['notICMP, another type', {protocol: 'ICMP', notICMP: {type: 13}}, 'icmp/8', YES],
    ['notICMP, another code', {protocol: 'ICMP', notICMP: {type: 8, code: 1}}, 'icmp/8/0', YES],
    ['notICMP, the type', {protocol: 'ICMP', notICMP: {type: 8}}, 'icmp/8', NO],
    ['empty lists and selectors ask nothing', {protocol: 'TCP', source: {nets: [], notNets: [], selector: '', notSelector: ''}, destination: {ports: [], notPorts: []}}, 'tcp/80', YES],
    ['services never match', {destination: {services: {name: 'x'}}}, 'tcp/80', NO],
    ['http is not seen', {protocol: 'TCP', http: {methods: ['PUT']}}, 'tcp/80', YES],
    ['metadata is nothing', {metadata: {annotations: {x: 'y'}}}, 'tcp/80', YES],
    ['a port in a range', {protocol: 'TCP', destination: {ports: ['79:81']}}, 'tcp/81', YES],
    ['notPorts', {protocol: 'TCP', destination: {notPorts: ['79:81', 443]}}, 'tcp/443', NO],
    ['notPorts, another', {protocol: 'TCP', destination: {notPorts: ['79:81', 443]}}, 'tcp/82', YES],
    ['ports and notPorts', {protocol: 'TCP', destination: {ports: ['1:100'], notPorts: [80]}}, 'tcp/80', NO],
    ['source ports', {protocol: 'TCP', source: {ports: [40000]}}, 'tcp/80', YES],
    ['source notPorts', {protocol: 'TCP', source: {notPorts: ['30000:50000']}}, 'tcp/80', NO],
    ['bare addresses and host bits in nets', {source: {nets: ['10.65.0.1', '10.66.0.9/16']}}, 'tcp/80', YES],
    ['a missing action is Allow', {action: ''}, 'tcp/80', YES],
  ])('%s', (_, rule, flow, expected) => expect(at([{...allow(), ...rule}], flow)).toBe(expected))
})

describe('§6.2 families (h24)', () => {
  test.each<[string, object, string, string]>([
    ['ipVersion 4', {ipVersion: 4}, 'allow', 'deny'],
    ['ICMP by name', {protocol: 'ICMP'}, 'deny', 'deny'],
    ['"anything but" an IPv4 net never matches IPv6', {source: {notNets: ['172.16.0.0/12']}}, 'allow', 'deny'],
    ['nets of both families are each for their own', {source: {nets: ['10.65.0.0/16', 'fd00::/64']}}, 'allow', 'allow'],
    ['nets of IPv6 only', {source: {nets: ['fd00::/64']}}, 'deny', 'allow'],
    ['a net of IPv4 at one end and of IPv6 at the other: neither', {source: {nets: ['10.65.0.0/16']}, destination: {nets: ['fd00::/64']}}, 'deny', 'deny'],
    ['notNets with everything never match', {source: {notNets: ['0.0.0.0/0', 'fd01::/64']}}, 'deny', 'allow'],
    ['notNets of everything of IPv6', {source: {notNets: ['172.16.0.0/12', '::/0']}}, 'allow', 'deny'],
    ['nets that do not parse are left out: nothing is left', {source: {nets: ['nonsense']}}, 'allow', 'allow'],
    ['nets that do not parse are left out: the others hold', {source: {nets: ['nonsense', '172.16.0.0/12']}}, 'deny', 'deny'],
    ['nets that do not parse in notNets', {source: {notNets: ['nonsense']}}, 'allow', 'allow'],
  ])('%s', (_, rule, v4, v6) => {
    const verdict = (from: string): string => (at([{...allow(), ...rule}], 'tcp/80', from) === YES ? 'allow' : 'deny')
    expect([verdict(A), verdict(A6)]).toEqual([v4, v6])
  })
  test('protocol 1 and 58 by number, and notProtocol, do not bind the family', () => {
    expect(at([allow({protocol: 1})], 'icmp/8')).toBe(YES)
    expect(at([allow({protocol: 58})], 'icmpv6/128', A6)).toBe(YES)
    expect(at([allow({protocol: 1})], '1', A6)).toBe(YES)
    expect(at([allow({notProtocol: 'ICMP'})], 'tcp/80', A6)).toBe(YES)
  })
})

describe('§6.3 selectors', () => {
  const friend = set('s', ['10.65.0.1/32'], {friend: ''})
  test('an address claimed by two is a member if either is selected; notSelector with and without a selector differ there (h12)', () => {
    const from = (source: object): string => at([allow({source})], 'tcp/80', A, friend)
    expect(from({selector: 'has(friend)'})).toBe(YES)
    expect(from({selector: "projectcalico.org/orchestrator == 'docker'"})).toBe(YES)
    expect(from({selector: "has(friend) && projectcalico.org/orchestrator == 'docker'"})).toBe(NO)
    expect(from({notSelector: 'has(friend)'})).toBe(NO)
    expect(from({selector: 'all()', notSelector: 'has(friend)'})).toBe(YES)
    expect(from({selector: 'has(friend)', notSelector: 'has(friend)'})).toBe(NO)
    expect(from({notSelector: 'has(nobody)'})).toBe(YES)
  })
  test('in a NetworkPolicy the namespace is a positive expression beside notSelector', () => {
    const store = (source: object, labels: Readonly<Record<string, string>> = {}): Entry[] => [...NODES, TIER, a({labels}), b(), namespaced('default', 'p', {ingress: [allow({source})]})]
    expect(decided(store({notSelector: 'has(x)'}), A, B, 'tcp/80').verdict).toBe('allow')
    expect(decided(store({notSelector: 'has(x)'}, {x: ''}), A, B, 'tcp/80').verdict).toBe('deny')
    expect(decided(store({notSelector: 'has(x)'}), FAR, B, 'tcp/80').verdict).toBe('deny')
    expect(decided(store({}), FAR, B, 'tcp/80').verdict).toBe('allow')
    expect(decided(store({nets: ['203.0.113.0/24']}), FAR, B, 'tcp/80').verdict).toBe('allow')
  })
  test('a host endpoint without expectedIPs has no address to be selected by (h71)', () => {
    const host = (spec: object): Entry => hostEndpoint('e', {node: 'h1', interfaceName: 'eth0', profiles: ['projectcalico-default-allow'], ...spec}, {host: ''})
    expect(at([allow({source: {selector: 'has(host)'}})], 'tcp/80', H1, host({expectedIPs: [H1]}))).toBe(YES)
    expect(at([allow({source: {selector: 'has(host)'}})], 'tcp/80', H1, host({}))).toBe(NO)
    expect(at([allow({source: {notSelector: 'has(host)'}})], 'tcp/80', H1, host({}))).toBe(YES)
  })
  test('global() in a notSelector is the same as all() (h81)', () => {
    expect(at([allow({source: {notSelector: 'global()'}})])).toBe(NO)
    expect(at([allow({source: {notSelector: 'global()'}})], 'tcp/80', FAR)).toBe(YES)
    expect(at([allow({source: {notSelector: 'all()'}})], 'tcp/80', FAR)).toBe(YES)
  })
  test('endpoints whose interface Felix does not know are members too', () => expect(decided([...NODES, TIER, workload('a', 'h1', A, {labels: {x: ''}, spec: {interfaceName: 'eth7'}}), b({labels: {to: 'b'}}), policy('p', {selector: "to == 'b'", ingress: [allow({source: {selector: 'has(x)'}})]})], A, B, 'tcp/80')).toEqual({verdict: 'allow', out: '-', in: YES}))
  test('nets of sets: host bits, any length, everything', () => {
    for (const net of ['203.0.113.77/24', '203.0.113.9', '0.0.0.0/0', '203.0.113.8/31']) expect([net, at([allow({source: {selector: 'has(s)'}})], 'tcp/80', FAR, set('s', [net], {s: ''}))]).toEqual([net, YES])
    expect(at([allow({source: {selector: 'has(s)'}})], 'tcp/80', FAR, set('s', ['203.0.113.10/31', 'nonsense'], {s: ''}))).toBe(NO)
  })
  test('serviceAccounts {} asks nothing', () => expect(at([allow({source: {serviceAccounts: {}}})], 'tcp/80', FAR)).toBe(YES))
})

describe('§6.4 named ports', () => {
  const ports = [
    {name: 'web', protocol: 'TCP', port: 80},
    {name: 'web', protocol: 'TCP', port: 8080},
    {name: 'dns', protocol: 'UDP', port: 53},
    {name: 'dns', protocol: 'TCP', port: 53},
  ]
  const named = (rule: object, flow: string): string => decided([...NODES, TIER, a({spec: {ports}, labels: {from: 'a'}}), b({spec: {ports}, labels: {to: 'b'}}), policy('p', {selector: "to == 'b'", ingress: [allow(rule)]})], A, B, flow).in
  test.each<[string, object, string, string]>([
    ['all of a name', {protocol: 'TCP', destination: {ports: ['web']}}, 'tcp/8080', YES],
    ['of the rule\'s protocol', {protocol: 'TCP', destination: {ports: ['dns']}}, 'tcp/53', YES],
    ['not of another', {protocol: 'UDP', destination: {ports: ['web']}}, 'udp/80', NO],
    ['without a protocol: any', {destination: {ports: ['dns']}}, 'udp/53', YES],
    ['without a protocol: none of ICMP', {destination: {ports: ['dns']}}, 'icmp/8', NO],
    ['without a protocol: ICMP passes notPorts', {destination: {notPorts: ['dns']}}, 'icmp/8', YES],
    ['notPorts', {destination: {notPorts: ['dns']}}, 'udp/53', NO],
    ['names and numbers are alternatives', {protocol: 'TCP', destination: {ports: ['web', 81]}}, 'tcp/81', YES],
    ['of the source', {protocol: 'TCP', source: {ports: ['web']}}, 'tcp/9 from 8080', YES],
    ['of the source, not the destination', {protocol: 'TCP', source: {ports: ['web']}}, 'tcp/8080 from 9', NO],
    ['only of what the selector selects', {protocol: 'TCP', destination: {selector: "to == 'c'", ports: ['web']}}, 'tcp/80', NO],
    ['only of what the selector selects, for notPorts too', {protocol: 'TCP', destination: {selector: "to == 'b'", notPorts: ['web']}}, 'tcp/80', NO],
  ])('%s', (_, rule, flow, expected) => expect(named(rule, flow)).toBe(expected))
  test('the ports of a host endpoint need expectedIPs', () => {
    const into = (spec: object): string => decided([...NODES, TIER, a(), hostEndpoint('e', {node: 'h2', interfaceName: 'eth0', ports, ...spec}), policy('p', {selector: 'all()', ingress: [allow({protocol: 'TCP', destination: {ports: ['web']}})]})], A, H2, 'tcp/80').in
    expect([into({expectedIPs: [H2]}), into({})]).toEqual([`e, ${YES}`, `e, ${NO}`])
  })
})

describe('§6.5 the third list', () => {
  const many = (count: number, from = 1): number[] => Array.from({length: count}, (_, index) => from + 2 * index)
  const two = {source: {nets: ['10.65.0.0/24', '10.66.0.0/24']}, destination: {nets: ['172.16.0.0/24', '172.17.0.0/24']}}
  const rule = (ports: readonly (number | string)[], more: {source?: object; destination?: object} = {}): object => allow({protocol: 'TCP', source: {...two.source, ...more.source}, destination: {...two.destination, ports, ...more.destination}})
  /** Whether the destination nets, which do not have b, are forgotten. */
  const forgotten = (...args: Parameters<typeof rule>): boolean => at([rule(...args)], 'tcp/80') === YES

  test('destination ports, source nets and destination nets: the last are not checked', () => {
    expect(forgotten(['http', 80])).toBe(true)
    expect(forgotten([79, 80])).toBe(false)
    expect(forgotten(['http'])).toBe(false)
  })
  test('numbers are a block where they fill more than 15 slots, of which a range takes two', () => {
    expect(forgotten([...many(14, 101), 80])).toBe(false)
    expect(forgotten([...many(15, 101), 80])).toBe(true)
    expect(forgotten(['79:81', ...many(13, 101)])).toBe(false)
    expect(forgotten(['79:81', ...many(14, 101)])).toBe(true)
    expect(forgotten([...many(14, 101), '79:81'])).toBe(true)
  })
  test('two names are two matches', () => expect(decided(pair(policy('p', {selector: "to == 'b'", ingress: [rule(['http', 'web'])]}), workload('c', 'h2', C)), A, B, 'tcp/80').in).toBe(NO))
  test('a list that is not checked is a quirk, and the others still hold', () => {
    const source = {nets: ['10.66.0.0/24', '10.67.0.0/24']}
    expect(at([rule(['http', 80], {source})], 'tcp/80')).toBe(NO)
    expect(at([rule(['http', 81])], 'tcp/80')).toBe(NO)
    expect(at([rule(['http', 80], {source: {notNets: ['10.65.0.1/32']}})], 'tcp/80')).toBe(NO)
    expect(at([rule(['http', 80], {destination: {selector: "to == 'c'"}})], 'tcp/80')).toBe(NO)
    expect(judged(pair(policy('p', {selector: "to == 'b'", ingress: [rule(['http', 80])]})), A, B, 'tcp/80').warnings.map(({code}) => code)).toEqual(['third-list'])
  })
  test('source ports are the first block: then destination nets of two are the fourth', () => {
    const four = {protocol: 'TCP', source: {ports: [...many(15, 101), 40000], nets: two.source.nets}, destination: {ports: ['http', 80], nets: two.destination.nets}}
    expect(at([allow(four)], 'tcp/80')).toBe(YES)
    expect(at([allow({...four, source: {...four.source, nets: ['10.66.0.0/24', '10.67.0.0/24']}})], 'tcp/80')).toBe(YES)
    expect(at([allow({...four, destination: {...four.destination, ports: ['http', 81]}})], 'tcp/80')).toBe(NO)
  })
})

describe('§7 decided before policy', () => {
  const INVALID = 'Deny Conntrack'
  test.each<[string, string, string]>([
    ...[8, 13, 15, 17].map((type): [string, string, string] => [A, `icmp/${type}`, OPEN]),
    ...[0, 3, 5, 9, 10, 11, 14].map((type): [string, string, string] => [A, `icmp/${type}`, INVALID]),
    ...[128, 130, 131, 132, 133, 134, 135, 136, 139, 143].map((type): [string, string, string] => [A6, `icmpv6/${type}`, OPEN]),
    ...[1, 3, 127, 129, 137, 138, 140, 142, 144].map((type): [string, string, string] => [A6, `icmpv6/${type}`, INVALID]),
  ])('from %s, %s: %s', (from, flow, expected) => expect(decided(pair(), from, from === A ? B : B6, flow).in).toBe(expected))

  test('not with disableConntrackInvalidCheck', () => expect(decided(pair(settings({disableConntrackInvalidCheck: true})), A, B, 'icmp/0')).toEqual({verdict: 'allow', out: OPEN, in: OPEN}))
  test('encapsulation that a workload sends', () => {
    const out = (flow: string, spec: object = {}): string => decided(pair(settings(spec)), A, B, flow).out
    expect([out('udp/4789'), out('4'), out('udp/4790'), out('tcp/4789')]).toEqual(['Deny Encapsulation', 'Deny Encapsulation', OPEN, OPEN])
    expect([out('udp/4789', {allowVXLANPacketsFromWorkloads: true}), out('4', {allowVXLANPacketsFromWorkloads: true}), out('4', {allowIPIPPacketsFromWorkloads: true})]).toEqual([OPEN, 'Deny Encapsulation', OPEN])
    expect([out('udp/4789', {vxlanPort: 4790}), out('udp/4790', {vxlanPort: 4790})]).toEqual([OPEN, 'Deny Encapsulation'])
    expect(decided(pair(), FAR, B, 'udp/4789').in).toBe(OPEN)
  })
  test('IPv6 router and neighbour messages from a workload to its host', () => {
    const own = [...NODES, a({spec: {profiles: []}})]
    expect(decided(own, A6, H16, 'icmpv6/135')).toEqual({verdict: 'allow', out: 'Allow ICMPv6Router', in: '-'})
    expect(decided(own, A6, H16, 'icmpv6/128')).toEqual({verdict: 'deny', out: 'Deny NoMatch', in: 'Drop EndpointToHost'})
    expect(decided(own, A6, H26, 'icmpv6/135').out).toBe('Deny NoMatch')
  })
  test('an endpoint whose interface lacks the prefix is not policed in either direction', () => {
    const odd = (interfaceName: string, ...more: readonly Entry[]): Decided => decided([...NODES, workload('a', 'h1', A, {spec: {profiles: [], interfaceName}}), b({spec: {profiles: []}}), ...more], B, A, 'tcp/80')
    expect(odd('eth5').in).toBe('-')
    expect(odd('tap5').in).toBe('-')
    expect(odd('tap5', settings({interfacePrefix: 'cali,tap'})).in).toBe('Deny NoMatch')
  })
})

describe('§8 hosts', () => {
  const host = (name: string, spec: object, labels: Readonly<Record<string, string>> = {}): Entry => hostEndpoint(name, {node: 'h2', ...spec}, labels)
  const into = (...more: readonly Entry[]): string => decided(pair(...more), A, H2, 'tcp/80').in.split(',')[0] ?? ''
  const listed = (...names: string[]): Entry => node('h2', H2, H26, {interfaces: names.map((name, index) => ({name, addresses: index === 0 ? [H2, H26] : [`198.51.100.${index}`]}))})

  test('§8.1 which host endpoint', () => {
    expect(into(host('b', {interfaceName: 'eth0'}), host('a', {expectedIPs: [H2]}))).toBe('a')
    expect(into(host('a', {interfaceName: 'eth0'}), host('b', {expectedIPs: [H2]}), listed('eth0'))).toBe('a')
    expect(into(host('a', {interfaceName: 'eth1', expectedIPs: [H2]}), listed('eth0', 'eth1'))).toBe('-')
    expect(into(host('z', {interfaceName: 'eth0'}), host('a', {interfaceName: '*'}), listed('eth0'))).toBe('z')
    expect(into(host('z', {interfaceName: '*'}), host('y', {interfaceName: '*'}), listed('eth0'))).toBe('y')
    expect(into(host('a', {interfaceName: 'eth0', node: 'h1'}))).toBe('-')
  })
  test('§8.2 failsafe ports, of either direction', () => {
    const shut = [hostEndpoint('e1', {node: 'h1', interfaceName: 'eth0'}), host('e2', {interfaceName: 'eth0'})]
    const flow = (text: string): string[] => {
      const {out, in: ingress} = decided(pair(...shut), H1, H2, text)
      return [out, ingress].map((side) => (side.endsWith('Allow Failsafe') ? 'failsafe' : 'shut'))
    }
    for (const port of [179, 2379, 2380, 5473, 6443, 6666, 6667]) expect([port, flow(`tcp/${port}`)]).toEqual([port, ['failsafe', 'failsafe']])
    expect([flow('tcp/22'), flow('udp/68'), flow('udp/53'), flow('udp/67'), flow('tcp/53'), flow('udp/22'), flow('icmp/8')]).toEqual([
      ['shut', 'failsafe'], ['shut', 'failsafe'], ['failsafe', 'shut'], ['failsafe', 'shut'], ['shut', 'shut'], ['shut', 'shut'], ['shut', 'shut'],
    ])
  })
  test('§8.2 failsafe ports with a net hold in its family only; [] = none', () => {
    const port = (net: object): Entry => settings({failsafeInboundHostPorts: [{protocol: 'TCP', port: 80, ...net}]})
    const shut = host('e', {interfaceName: 'eth0'})
    const from = (source: string, setting: Entry, flow = 'tcp/80'): string => decided(pair(shut, setting), source, source.includes(':') ? H26 : H2, flow).in
    expect([from(A, port({net: '10.65.0.0/16'})), from(FAR, port({net: '10.65.0.0/16'})), from(A6, port({net: '10.65.0.0/16'})), from(A6, port({})), from(A, settings({failsafeInboundHostPorts: []}), 'tcp/22')]).toEqual([
      'e, Allow Failsafe', 'e, Deny NoMatch', 'e, Deny NoMatch', 'e, Allow Failsafe', 'e, Deny NoMatch',
    ])
  })
  test('§8.2 a host and its own workload', () => {
    const all = [hostEndpoint('all', {node: 'h1', interfaceName: '*'})]
    expect(decided(pair(...all), H1, A, 'tcp/80')).toEqual({verdict: 'allow', out: '-', in: '-'})
    for (const [action, verdict] of [['Drop', 'deny'], ['Accept', 'allow'], ['Return', 'allow'], ['accept', 'allow']] as const) {
      expect(decided(pair(...all, settings({defaultEndpointToHostAction: action})), A, H1, 'tcp/80')).toEqual({verdict, out: OPEN, in: `${action === 'accept' ? 'Accept' : action} EndpointToHost`})
    }
  })
  test('§8.3 settings: default, then objects with a nodeSelector, then the node\'s own', () => {
    const labelled = object('Node', 'nodes/h1', {bgp: {ipv4Address: `${H1}/24`}}, {labels: {rack: '1'}})
    const action = (...more: readonly Entry[]): string => decided([labelled, a(), ...more], A, H1, 'tcp/80').in
    const general = settings({defaultEndpointToHostAction: 'Accept'})
    const rack = settings({defaultEndpointToHostAction: 'Return', nodeSelector: "rack == '1'"}, 'rack')
    const own = settings({defaultEndpointToHostAction: 'Drop'}, 'node.h1')
    expect(action()).toBe('Drop EndpointToHost')
    expect(action(general)).toBe('Accept EndpointToHost')
    expect(action(rack, general)).toBe('Return EndpointToHost')
    expect(action(own, rack, general)).toBe('Drop EndpointToHost')
    expect(action(settings({defaultEndpointToHostAction: 'Return', nodeSelector: "rack == '2'"}, 'rack'), general)).toBe('Accept EndpointToHost')
    expect(action(settings({defaultEndpointToHostAction: 'Return'}, 'node.h2'), general)).toBe('Accept EndpointToHost')
  })

  const forwarding = (spec: object = {}): Entry => policy('f', {selector: 'has(host)', applyOnForward: true, ingress: [deny()], ...spec})
  test('§8.4 between two workloads of one node a specific host endpoint is not asked, one for all interfaces is (h68)', () => {
    const local = (interfaceName: string): Decided => decided([...NODES, TIER, b(), workload('c', 'h2', C), host('e', {interfaceName}, {host: ''}), forwarding()], B, C, 'tcp/80')
    expect(local('eth0')).toEqual({verdict: 'allow', out: OPEN, in: OPEN})
    expect(local('*')).toEqual({verdict: 'deny', out: OPEN, in: OPEN, way: ['h2 e, Deny GlobalNetworkPolicy f 0']})
  })
  test('§8.4 through a host: no profiles and no failsafe ports, nothing without such policies, and a tier that only the other direction has', () => {
    const through = (flow: string, ...more: readonly Entry[]): Decided => decided(pair(host('e', {interfaceName: 'eth0', profiles: []}, {host: ''}), ...more), A, B, flow)
    expect(through('tcp/80')).toEqual({verdict: 'allow', out: OPEN, in: OPEN})
    expect(through('tcp/22', forwarding()).way).toEqual(['h2 e, Deny GlobalNetworkPolicy f 0'])
    expect(through('tcp/80', forwarding({ingress: []})).way).toEqual(['h2 e, Deny Tier default'])
    expect(through('tcp/80', forwarding({types: ['Egress']}))).toEqual({verdict: 'allow', out: OPEN, in: OPEN})
    expect(through('tcp/80', forwarding({applyOnForward: false}))).toEqual({verdict: 'allow', out: OPEN, in: OPEN})
  })
  test('§8.5 preDNAT and doNotTrack: before all others, never at a tier\'s end, not where a failsafe port spares the packet', () => {
    const early = (stage: object, ingress: readonly object[], flow = 'tcp/80', interfaceName = 'eth0'): string =>
      decided(pair(host('e', {interfaceName, profiles: ['projectcalico-default-allow']}, {host: ''}), policy('p', {selector: 'has(host)', applyOnForward: true, ingress, ...stage})), FAR, H2, flow).in
    for (const stage of [{preDNAT: true}, {doNotTrack: true}]) {
      expect(early(stage, [deny()])).toBe('e, Deny GlobalNetworkPolicy p 0')
      expect(early(stage, [])).toBe(`e, ${OPEN}`)
      expect(early(stage, [deny()], 'tcp/22')).toBe('e, Allow Failsafe')
    }
    expect(early({doNotTrack: true}, [deny()], 'tcp/80', '*')).toBe(`e, ${OPEN}`)
    expect(early({preDNAT: true}, [deny()], 'tcp/80', '*')).toBe('e, Deny GlobalNetworkPolicy p 0')
  })
})
