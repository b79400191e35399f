/** Flows and parties by the words of users: which endpoint, container, workload, profile, host or address is meant, and in which family two of them talk. */
import {describe, expect, test} from '@jest/globals'
import type {CalicoError} from '../../../src/lib/errors.js'
import {type Entry, loadWorld} from '../../../src/lib/policy/load.js'
import {familyOf, findParty, packetOf, parseTraffic, protocolOf, type Selection, trafficText} from '../../../src/lib/policy/probe.js'
import {allow, node, object, profile, workload} from './decided.js'

describe('traffic', () => {
  test.each<[string, object, string]>([
    ['tcp', {protocol: 6}, 'tcp'], ['tcp/1', {protocol: 6, dport: 1}, 'tcp/1'], ['udp/0', {protocol: 17, dport: 0}, 'udp/0'], ['17/65535', {protocol: 17, dport: 65_535}, 'udp/65535'], ['47', {protocol: 47}, '47'], ['255', {protocol: 255}, '255'],
    ['icmp', {protocol: 1}, 'icmp'], ['icmp/0', {protocol: 1, icmpType: 0}, 'icmp/0'], ['icmpv6/255/0', {protocol: 58, icmpType: 255, icmpCode: 0}, 'icmpv6/255/0'],
  ])('%s', (text, traffic, written) => {
    expect(parseTraffic(text)).toEqual(traffic)
    expect(trafficText(parseTraffic(text))).toBe(written)
  })
  test.each([
    ['tcp/65536', "'65536' is not a valid port: give 0 to 65535"], ['tcp/80/1', "'tcp/80/1': give tcp/PORT"], ['tcp/', "'' is not a valid port"], ['tcp/8x', "'8x' is not a valid port"],
    ['47/80', "'47/80': protocol 47 has no ports"], ['icmp/256', "'256' is not a valid ICMP type: give 0 to 255"], ['icmp/8/256', "'256' is not a valid ICMP code"], ['icmp/8/0/0', "'icmp/8/0/0': give icmp, icmp/TYPE or icmp/TYPE/CODE"],
    ['0', "'0' is not a valid protocol number: give 1 to 255"], ['256', "'256' is not a valid protocol number"], ['', "'' is not a protocol"], ['ftp/21', "'ftp' is not a protocol: give tcp, udp"],
  ])('%s is refused', (text, message) => expect(() => parseTraffic(text)).toThrow(expect.objectContaining({kind: 'invalid', message: expect.stringContaining(message) as unknown})))
  test('a source port is written behind it', () => expect([trafficText({protocol: 6, dport: 80, sport: 4000}), trafficText({protocol: protocolOf('UDPLite')})]).toEqual(['tcp/80 from port 4000', 'udplite']))
  test('in a family it is a packet', () => expect(packetOf({protocol: 6, dport: 80}, 4)).toEqual({family: 4, protocol: 6, dport: 80}))
})

const CONTAINER = '0123456789abcdef'.repeat(4)
const named = (name: string, on: string, address: string | readonly string[], spec: object = {}, namespace = 'default'): Entry => workload(name, on, address, {namespace, spec: {profiles: ['p'], endpoint: `e-${name}`, ...spec}})
/** The object NAME of an endpoint is `NODE-docker-WORKLOAD-ENDPOINT`. */
const endpoint = (name: string, on: string, address: string | readonly string[], spec: object = {}): Entry =>
  object('WorkloadEndpoint', `workloadendpoints/default/${on}-docker-${name}-e--${name}`, {...(named(name, on, address, spec).value as {spec: object}).spec, endpoint: `e-${name}`}, {labels: {...((named(name, on, address).value as {metadata: {labels: object}}).metadata.labels)}})
const WORLD = loadWorld([
  node('h1', '192.0.2.1', '2001:db8::1'), node('h2', '192.0.2.2'), object('Node', 'nodes/bare', {}),
  profile('p', {ingress: [allow()], egress: [allow()]}), profile('empty', {ingress: [allow()]}),
  endpoint('web', 'h1', ['10.0.0.1', 'fd00::1']), endpoint('web2', 'h1', '10.0.0.2'), endpoint('six', 'h2', 'fd00::6', {profiles: ['only', 'projectcalico-default-allow']}), endpoint(CONTAINER, 'h2', '10.0.0.9', {endpoint: 'long', profiles: ['p']}),
  object('WorkloadEndpoint', 'workloadendpoints/default/broken', {node: 'h1'}),
])

describe('who is meant', () => {
  const found = (word: string): string => {
    const {label, single, members} = findParty(WORLD, word)
    return `${label}${single ? '' : ` (${members.length})`}`
  }
  test.each([
    ['e-web', 'endpoint e-web of docker workload web on h1'], ['h1-docker-web-e--web', 'endpoint e-web of docker workload web on h1'], ['default/h1-docker-web-e--web', 'endpoint e-web of docker workload web on h1'],
    ['e-web2', 'endpoint e-web2 of docker workload web2 on h1'], ['e-s', 'endpoint e-six of docker workload six on h2'], ['h2-docker-s', 'endpoint e-six of docker workload six on h2'],
    ['web', 'endpoint e-web of docker workload web on h1'], [CONTAINER, `endpoint e-0123456789 of docker workload ${CONTAINER.slice(0, 12)} on h2`], [CONTAINER.slice(0, 12), `endpoint e-0123456789 of docker workload ${CONTAINER.slice(0, 12)} on h2`],
    ['10.0.0.2', 'endpoint e-web2 of docker workload web2 on h1'], ['fd00::1', 'endpoint e-web of docker workload web on h1'], ['192.0.2.1', 'host h1'], ['8.8.8.8', '8.8.8.8'], ['host:H1', 'host h1'],
    ['p', 'profile p (3)'], ['profile:p', 'profile p (3)'], ['only', 'profile only (1)'], ['any', 'any (5)'],
  ])('%s: %s', (word, label) => expect(found(word)).toBe(label))

  test.each<[string, CalicoError['kind'], string]>([
    ['e-w', 'conflict', "'e-w' is ambiguous: it matches 2 endpoints:"], ['h1-docker', 'conflict', 'it matches 2 endpoints:'], ['x', 'not-found', "There is no endpoint, container, workload or profile 'x'"], ['e', 'not-found', "There is no endpoint, container, workload or profile 'e'"],
    [CONTAINER.slice(0, 11), 'not-found', 'There is no endpoint'], ['profile:x', 'not-found', "There is no profile 'x', and no endpoint refers to it"], ['empty', 'not-found', "No endpoint has the profile 'empty'"], ['tag:x', 'not-found', "No endpoint has the tag 'x'"],
    ['host:h9', 'not-found', "There is no node 'h9'"], ['host:bare', 'not-found', 'The node bare has no address in the datastore'], ['10.0.0.256', 'invalid', "'10.0.0.256' is not an IP address"], ['fd00::g', 'not-found', 'There is no endpoint'], ['1:2', 'invalid', 'is not an IP address'],
    ['10.0.0', 'not-found', 'There is no endpoint'], ['broken', 'not-found', 'Felix cannot use the endpoint broken: '],
  ])('%s: %s', (word, kind, message) => expect(() => findParty(WORLD, word)).toThrow(expect.objectContaining({kind, message: expect.stringContaining(message) as unknown})))

  test('one stands for itself, and has the families of its addresses; an address has its own', () => {
    const [one, address, host, outside] = ['e-web', 'fd00::1', 'host:h1', '8.8.8.8'].map((word) => findParty(WORLD, word).members[0])
    expect([one, address, host, outside].map((member) => [member?.endpoints, member?.json, ([4, 6] as const).map((family) => member?.party(family)?.type)])).toEqual([
      [1, {endpoint: 'h1-docker-web-e--web'}, ['workload', 'workload']], [1, {ip: 'fd00::1'}, [undefined, 'workload']], [0, {host: 'h1'}, ['host', 'host']], [0, {ip: '8.8.8.8'}, ['outside', undefined]],
    ])
  })
})

describe('the family in which two talk', () => {
  const [both, four, six, host] = ['e-web', 'e-web2', 'e-six', 'host:h1'].map((word) => findParty(WORLD, word)) as [Selection, Selection, Selection, Selection]
  test.each([
    [both, host, undefined, undefined, 4], [both, host, undefined, 6, 6], [both, host, 58, undefined, 6], [both, host, 1, undefined, 4], [both, host, 1, 4, 4], [both, six, undefined, undefined, 6], [both, four, 6, undefined, 4],
  ] as const)('%#', (from, to, protocol, wanted, family) => expect(familyOf(from, to, protocol, wanted)).toBe(family))
  test.each([
    [both, host, 1, 6, 'icmp does not exist in IPv6: give icmpv6'], [both, host, 58, 4, 'icmpv6 does not exist in IPv4: give icmp'], [four, six, undefined, undefined, 'have no addresses of one family in common'], [four, six, undefined, 4, 'have no addresses of one family in common'],
    [both, four, undefined, 6, 'have no addresses of IPv6 in common'], [both, four, 58, undefined, 'icmpv6 is of IPv6, but'], [both, six, 1, undefined, 'in common: give icmpv6'],
  ] as const)('none: %#', (from, to, protocol, wanted, message) => expect(() => familyOf(from, to, protocol, wanted)).toThrow(message))
})
