/** Which host endpoint an address of a host meets where the Node lists no interfaces: explain and the matrix say the same, and never more than the store shows (policy-evaluation §8.1). */
import {describe, expect, test} from '@jest/globals'
import {type Entry, loadWorld} from '../../../src/lib/policy/load.js'
import {policyMatrix} from '../../../src/lib/policy/matrix.js'
import {findParty} from '../../../src/lib/policy/probe.js'
import {ANY, hostEndpoint, judged, node, object, policy, profile, workload} from './decided.js'

const [OWN, SECOND, THIRD, FAR, W] = ['10.0.0.1', '172.16.0.1', '192.168.7.1', '8.8.8.8', '10.65.0.1']
const LOCK = [profile('lock', {}), profile('open', {ingress: ANY, egress: ANY})]
const hep = (name: string, spec: object): Entry => hostEndpoint(name, {node: 'bm1', profiles: ['lock'], ...spec})
const BARE = object('Node', 'nodes/bm1', {})
const NODE = node('bm1', OWN)
const ETH1 = hep('bm1-eth1', {interfaceName: 'eth1', expectedIPs: [SECOND]})

/** The verdict about tcp/80 from outside to ADDRESS, with the host endpoint that decides; of an unknown one the reason. */
function into(store: readonly Entry[], address: string): string {
  const {verdict, reason, ingress} = judged([...LOCK, ...store], FAR, address, 'tcp/80')
  return [verdict, reason ?? ingress?.hostEndpoint].filter((part) => part !== undefined).join(' ')
}

/** What the matrix says of tcp/80 to ADDRESS: the same words. */
function inMatrix(store: readonly Entry[], address: string): string {
  const world = loadWorld([...LOCK, ...store])
  const {groups, cells} = policyMatrix(world, {from: findParty(world, FAR), to: findParty(world, address)})
  const hosts = groups.filter(({type}) => type === 'host')
  expect(hosts).toHaveLength(1)
  if (hosts[0]?.unknown !== undefined) return 'unknown'
  const flows = cells.flatMap((cell) => cell.flows)
  return flows.includes('all') ? 'allow' : 'deny'
}

const unknown = (address: string, names: string): string => `unknown the datastore does not show which interface of node bm1 has the address ${address}, and its interfaces have different host endpoints (${names})`

describe('traffic to a host', () => {
  test.each<[string, Entry[], string, string]>([
    ['an address that a host endpoint expects', [NODE, ETH1], SECOND, 'deny bm1-eth1'],
    ['the node\'s own, which is on no known interface', [NODE, ETH1], OWN, unknown(OWN, 'bm1-eth1, none')],
    ['a Node without an address', [BARE, ETH1], SECOND, 'deny bm1-eth1'],
    ['host endpoints of all interfaces: an address that they expect', [NODE, hep('all', {interfaceName: '*', expectedIPs: [SECOND]})], SECOND, 'deny all'],
    ['host endpoints of all interfaces: another one', [NODE, hep('all', {interfaceName: '*', expectedIPs: [SECOND]})], OWN, 'deny all'],
    ['one for all interfaces, and one for a certain one', [NODE, ETH1, hep('all', {interfaceName: '*'})], SECOND, 'deny bm1-eth1'],
    ['one for all interfaces, and one that may be that of the address', [NODE, ETH1, hep('all', {interfaceName: '*'})], OWN, unknown(OWN, 'bm1-eth1, all')],
    ['two interfaces, each with its address: the first', [NODE, ETH1, hep('bm1-eth0', {interfaceName: 'eth0', expectedIPs: [OWN], profiles: ['open']})], OWN, 'allow bm1-eth0'],
    ['two interfaces, each with its address: the second', [NODE, ETH1, hep('bm1-eth0', {interfaceName: 'eth0', expectedIPs: [OWN], profiles: ['open']})], SECOND, 'deny bm1-eth1'],
    ['without interfaceName: the address', [NODE, hep('e', {expectedIPs: [SECOND]})], SECOND, 'deny e'],
    ['without interfaceName: another address', [NODE, hep('e', {expectedIPs: [SECOND]})], OWN, unknown(OWN, 'none, e')],
    ['no expectedIPs at all: the only interface that is known', [NODE, hep('e', {interfaceName: 'eth0'})], OWN, 'deny e'],
    ['the node\'s own address is expected', [NODE, hep('e', {interfaceName: 'eth0', expectedIPs: [OWN]})], OWN, 'deny e'],
    ['one address is expected on two interfaces', [NODE, ETH1, hep('other', {interfaceName: 'eth2', expectedIPs: [SECOND]})], SECOND, unknown(SECOND, 'bm1-eth1, other')],
    ['an address without a host endpoint, elsewhere', [NODE, ETH1], THIRD, 'allow'],
    ['a node that does not exist', [ETH1], SECOND, `unknown ${SECOND} is an address of host endpoint bm1-eth1, whose node bm1 does not exist`],
    ['two nodes with the address', [NODE, node('bm2', '10.0.0.2'), ETH1, hostEndpoint('bm2-eth1', {node: 'bm2', interfaceName: 'eth1', expectedIPs: [SECOND]})], SECOND, `unknown host endpoints of several nodes have the address ${SECOND}: bm1, bm2`],
  ])('%s', (_, store, address, expected) => {
    expect(into(store, address)).toBe(expected)
    if (address !== THIRD && store.some(({key}) => key.endsWith('nodes/bm1'))) expect(inMatrix(store, address)).toBe(expected.split(' ')[0])
  })

  test('the other family of an interface whose address is the node\'s own', () => {
    const dual = (expectedIPs: readonly string[]): Entry[] => [...LOCK, node('bm1', OWN, 'fd00::1'), hep('e', {interfaceName: 'eth0', expectedIPs})]
    const to6 = (expectedIPs: readonly string[]): string => judged(dual(expectedIPs), '2a00::8', 'fd00::1', 'tcp/80').verdict
    expect([to6([OWN]), to6([OWN, 'fd00::1']), to6([SECOND]), to6([OWN, 'fd00::2'])]).toEqual(['deny', 'deny', 'unknown', 'unknown'])
  })
})

test('the matrix has a group for each interface that makes a difference', () => {
  const world = loadWorld([...LOCK, NODE, ETH1, hep('bm1-eth2', {interfaceName: 'eth2', expectedIPs: [THIRD], profiles: ['open']}), workload('w', 'h2', W), node('h2', '10.0.0.2')])
  const {groups, cells} = policyMatrix(world)
  expect(groups.filter(({type}) => type === 'host').map(({name, unknown: reason}) => [name, reason !== undefined])).toEqual([['host:bm1', true], [`host:bm1/${SECOND}`, false], [`host:bm1/${THIRD}`, false]])
  const names = cells.map(({from, to, flows}) => `${from.name} -> ${to.name}: ${flows.includes('all') ? 'all' : 'failsafe ports'}`)
  expect(names.filter((name) => name.startsWith('outside -> host:'))).toEqual([`outside -> host:bm1/${SECOND}: failsafe ports`, `outside -> host:bm1/${THIRD}: all`])
  expect(cells.filter(({from, to}) => from.type === 'host' && to.type === 'host')).toEqual([])
})

test('a flow through a host whose interface is not known is unknown only where it makes a difference', () => {
  const forward = (selector: string): Entry => policy('f', {selector, applyOnForward: true, ingress: []})
  const store = (...more: Entry[]): Entry[] => [...LOCK, NODE, hostEndpoint('bm1-eth1', {node: 'bm1', interfaceName: 'eth1', expectedIPs: [SECOND]}, {host: ''}), workload('w', 'bm1', W), ...more]
  const verdict = (...more: Entry[]): string => judged(store(...more), FAR, W, 'tcp/80').verdict
  expect(verdict()).toBe('allow')
  expect(verdict(forward('has(host)'))).toBe('unknown')
  expect(verdict(forward('has(other)'))).toBe('allow')
})
