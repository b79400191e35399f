/** Random stores and packets: few labels, ports and addresses, so that rules meet packets often. */
import fc from 'fast-check'
import type {Entry} from '../../../src/lib/policy/load.js'
import type {Packet} from '../../../src/lib/policy/flow-set/flow-set.js'

const P = '/calico/resources/v3/projectcalico.org/'

const port = fc.constantFrom<number | string>(80, 81, 443, '79:82', '1:1024', 65535)
const named = fc.constantFrom<number | string>('http', 'dns')
const selector = fc.constantFrom('has(a)', "role == 'x'", '!has(a)', "b in {'1', '2'}", 'all()', "role != 'y'")
const net = fc.constantFrom('10.65.0.0/16', '10.65.1.0/24', '10.65.1.1/32', '172.30.1.0/24', '0.0.0.0/0', 'fd98:5::/64', 'fd98:5::1/128')

const optional = <T>(value: fc.Arbitrary<T>, name: string, weight = 4): fc.Arbitrary<object> => fc.oneof({weight, arbitrary: fc.constant({})}, {weight: 1, arbitrary: value.map((given) => ({[name]: given}))})

const merged = (...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<object> => fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object)

const end = (ports: fc.Arbitrary<number | string> | undefined): fc.Arbitrary<object> =>
  merged(
    optional(fc.array(net, {minLength: 1, maxLength: 3}), 'nets'),
    optional(fc.array(net, {minLength: 1, maxLength: 2}), 'notNets', 9),
    optional(selector, 'selector', 3),
    optional(selector, 'notSelector', 9),
    ...(ports ? [optional(fc.array(ports, {minLength: 1, maxLength: 3}), 'ports', 2), optional(fc.array(ports, {minLength: 1, maxLength: 2}), 'notPorts', 9)] : []),
  )

const protocolRule = (protocol: object, ports: fc.Arbitrary<number | string> | undefined, more: fc.Arbitrary<object> = fc.constant({})): fc.Arbitrary<object> =>
  fc.tuple(end(ports), end(ports), more).map(([source, destination, rest]) => ({...protocol, source, destination, ...rest}))

const icmp = fc.oneof(
  fc.constantFrom({icmp: {type: 8}}, {icmp: {type: 8, code: 0}}, {notICMP: {type: 8}}, {notICMP: {type: 13, code: 1}}, {icmp: {}}),
  fc.constant({}),
)

const criteria = fc.oneof(
  {weight: 4, arbitrary: protocolRule({protocol: 'TCP'}, fc.oneof(port, named))},
  {weight: 2, arbitrary: protocolRule({protocol: 'UDP'}, fc.oneof(port, named))},
  {weight: 1, arbitrary: protocolRule({protocol: 'ICMP'}, undefined, icmp)},
  {weight: 1, arbitrary: protocolRule({notProtocol: 'TCP'}, undefined)},
  {weight: 1, arbitrary: protocolRule({}, named)},
  {weight: 1, arbitrary: protocolRule({protocol: 47}, undefined)},
  {weight: 1, arbitrary: protocolRule({ipVersion: 6}, undefined)},
)

const rule = fc.tuple(fc.constantFrom('Allow', 'Allow', 'Deny', 'Log', 'Pass'), criteria).map(([action, rest]) => ({action, ...rest}))
const rules = fc.array(rule, {maxLength: 4})

const labels = merged(optional(fc.constant(''), 'a', 1), optional(fc.constantFrom('x', 'y'), 'role', 1), optional(fc.constantFrom('1', '3'), 'b', 2))

const object = (plural: string, kind: string, name: string, spec: object, metadata: object = {}): Entry => {
  const namespace = (metadata as {namespace?: string}).namespace
  return {key: `${P}${plural}/${namespace === undefined ? '' : `${namespace}/`}${name}`, value: {kind, apiVersion: 'projectcalico.org/v3', metadata: {name, ...metadata}, spec}}
}

const profiles = fc.tuple(...['p0', 'p1', 'p2'].map((name) => fc.record({ingress: rules, egress: rules, labelsToApply: labels}).map((spec) => object('profiles', 'Profile', name, spec))))

const policySpec = fc.tuple(
  fc.record({ingress: rules, egress: rules, selector, types: fc.constantFrom(['Ingress'], ['Egress'], ['Ingress', 'Egress'])}),
  optional(fc.constantFrom('t1', 't2', 'gone'), 'tier', 1),
  optional(fc.constantFrom(1, 2, -1), 'order', 1),
  fc.constantFrom({}, {}, {}, {applyOnForward: true}, {applyOnForward: true, preDNAT: true}, {applyOnForward: true, doNotTrack: true}),
).map((parts) => Object.assign({}, ...parts) as object)

const policies = fc.array(policySpec, {maxLength: 5}).map((specs) => specs.map((spec, index) => object('globalnetworkpolicies', 'GlobalNetworkPolicy', `g${index}`, spec)))
const tiers = fc
  .tuple(fc.constantFrom('Pass', 'Deny'), fc.constantFrom('Pass', 'Deny'))
  .map(([first, second]) => [object('tiers', 'Tier', 't1', {order: 10, defaultAction: first}), object('tiers', 'Tier', 't2', {order: 20, defaultAction: second})])

const profileList = fc.array(fc.constantFrom('p0', 'p1', 'p2', 'none', 'projectcalico-default-allow'), {maxLength: 3})

const ENDPOINTS = [
  {name: 'h1-docker-a-eth0', node: 'h1', ips: ['10.65.1.1/32', 'fd98:5::1/128']},
  {name: 'h1-docker-b-eth0', node: 'h1', ips: ['10.65.1.2/32']},
  {name: 'h2-docker-c-eth0', node: 'h2', ips: ['10.65.2.1/32', 'fd98:5::2/128']},
]

const workloads = fc.tuple(
  ...ENDPOINTS.map(({name, node, ips}) =>
    fc.tuple(profileList, labels, fc.boolean()).map(([list, own, ports]) =>
      object(
        'workloadendpoints',
        'WorkloadEndpoint',
        name,
        {
          node,
          ipNetworks: ips,
          profiles: list,
          interfaceName: `cali${name.slice(10, 11)}`,
          ...(ports ? {ports: [{name: 'http', protocol: 'TCP', port: 80}, {name: 'dns', protocol: 'UDP', port: 443}]} : {}),
        },
        {namespace: 'default', labels: own},
      ),
    ),
  ),
)

const hostEndpoints = fc.tuple(
  ...['h1', 'h2'].map((node) =>
    fc
      .tuple(fc.constantFrom('eth0', '*', undefined), profileList, labels)
      .map(([interfaceName, list, own]) => (interfaceName === undefined ? [] : [object('hostendpoints', 'HostEndpoint', `e-${node}`, {node, interfaceName, profiles: list}, {labels: own})])),
  ),
)

const nodes = ['h1', 'h2'].map((node, index) =>
  object('nodes', 'Node', node, {
    bgp: {ipv4Address: `10.98.0.${index + 1}/24`, ipv6Address: `fd98::${index + 1}/64`},
    interfaces: [{name: 'eth0', addresses: [`10.98.0.${index + 1}`, `fd98::${index + 1}`]}],
  }),
)

const sets = optional(fc.array(net, {maxLength: 2}), 'nets', 1).map((spec) => object('globalnetworksets', 'GlobalNetworkSet', 's', spec, {labels: {a: ''}}))
const settings = fc
  .constantFrom(undefined, 'Accept', 'Return')
  .map((action) => (action === undefined ? [] : [object('felixconfigurations', 'FelixConfiguration', 'default', {defaultEndpointToHostAction: action})]))

/** A store. */
export const entries: fc.Arbitrary<Entry[]> = fc
  .tuple(profiles, policies, tiers, workloads, hostEndpoints, sets, settings)
  .map(([p, g, t, w, h, s, f]) => [...p, ...g, ...t, ...w, ...h.flat(), s, ...f, ...nodes])

export const ADDRESSES = {4: ['10.65.1.1', '10.65.1.2', '10.65.2.1', '10.98.0.1', '10.98.0.2', '172.30.1.5', '8.8.8.8'], 6: ['fd98:5::1', 'fd98:5::2', 'fd98::1', 'fd98::2', 'fd98:77::1']}

const somePort = fc.constantFrom(22, 79, 80, 81, 82, 443, 1024, 1025, 4789, 65535)
const ports = fc.record({dport: somePort, sport: somePort})
const types = fc.constantFrom({icmpType: 8, icmpCode: 0}, {icmpType: 8, icmpCode: 1}, {icmpType: 13, icmpCode: 1}, {icmpType: 0, icmpCode: 0}, {icmpType: 128, icmpCode: 0}, {icmpType: 133, icmpCode: 0})

/** A packet without its family. */
export const packets: fc.Arbitrary<Omit<Packet, 'family'>> = fc.oneof(
  fc.tuple(fc.constantFrom(6, 6, 17, 132), ports).map(([protocol, rest]) => ({protocol, ...rest})),
  fc.tuple(fc.constantFrom(1, 58), types).map(([protocol, rest]) => ({protocol, ...rest})),
  fc.constantFrom({protocol: 47}, {protocol: 4}, {protocol: 50}),
)
