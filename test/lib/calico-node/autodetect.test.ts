import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {candidateLines, candidates, choose, isFoundAgain, type Method, methodText, parseMethod, prefixOf, unsuitable} from '../../../src/lib/calico-node/autodetect.js'
import type {HostInterface} from '../../../src/lib/host/candidates.js'
import {formatAddress, parseAddress} from '../../../src/lib/net/index.js'

const inet = (local: string, prefixlen: number, scope = 'global') => ({family: local.includes(':') ? 'inet6' : 'inet', local, prefixlen, scope})

const HOST: readonly HostInterface[] = [
  {ifname: 'lo', flags: ['LOOPBACK', 'UP'], addr_info: [inet('127.0.0.1', 8, 'host'), inet('::1', 128, 'host')]},
  {ifname: 'docker0', flags: ['UP'], addr_info: [inet('172.17.0.1', 16)]},
  {ifname: 'eth0', flags: ['UP'], addr_info: [inet('192.0.2.2', 24), inet('fe80::1', 64, 'link'), inet('fd00::2', 64)]},
  {ifname: 'eth1', flags: ['UP'], addr_info: [inet('198.51.100.2', 25)]},
  {ifname: 'eth2', flags: [], addr_info: [inet('203.0.113.2', 24)]},
]

const method = (text: string): Method => {
  const parsed = parseMethod(text)
  if (parsed === undefined || typeof parsed === 'string') throw new Error(String(parsed))
  return parsed
}
const allowed = (text: string, family: 4 | 6 = 4, reached?: string): string[] =>
  candidates(HOST, family, method(text), reached === undefined ? undefined : parseAddress(reached)).flatMap(({rejected, address}) => (rejected === undefined ? [formatAddress(address)] : []))

describe('the addresses that a method allows', () => {
  test.each<[string, string[]]>([
    ['autodetect', ['192.0.2.2', '198.51.100.2']],
    ['first-found', ['192.0.2.2', '198.51.100.2']],
    ['interface=eth1', ['198.51.100.2']],
    ['interface=docker.*,eth1', ['172.17.0.1', '198.51.100.2']],
    ['skip-interface=eth0', ['198.51.100.2']],
    ['cidr=198.51.100.0/24,10.0.0.0/8', ['198.51.100.2']],
    ['interface=eth2', []],
  ])('%s', (text, expected) => expect(allowed(text)).toEqual(expected))

  test('can-reach: that of the route', () => expect(allowed('can-reach=8.8.8.8', 4, '198.51.100.2')).toEqual(['198.51.100.2']))
  test('of IPv6: not link-local ones', () => expect(allowed('autodetect', 6)).toEqual(['fd00::2']))
})

describe('the choice', () => {
  test('autodetect does not guess', () => expect(choose(candidates(HOST, 4, method('autodetect')), method('autodetect')).type).toBe('ambiguous'))
  test('autodetect keeps the stored address', () => {
    expect(choose(candidates(HOST, 4, method('autodetect')), method('autodetect'), parseAddress('198.51.100.2'))).toMatchObject({type: 'chosen', candidate: {interfaceName: 'eth1'}})
    expect(choose(candidates(HOST, 4, method('autodetect')), method('autodetect'), parseAddress('172.17.0.1')).type).toBe('ambiguous')
  })
  test('first-found takes the first', () => expect(choose(candidates(HOST, 4, method('first-found')), method('first-found'))).toMatchObject({candidate: {interfaceName: 'eth0'}}))
  test('none is none', () => expect(choose(candidates(HOST, 4, method('interface=eth2')), method('interface=eth2')).type).toBe('none'))

  test('every candidate is told, with its reason', () => {
    const all = candidates(HOST, 4, method('interface=eth0'))
    expect(candidateLines(all, choose(all, method('interface=eth0')))).toEqual([
      '127.0.0.1/8 on lo: loopback',
      '172.17.0.1/16 on docker0: docker0 does not match the given interfaces',
      '192.0.2.2/24 on eth0: chosen',
      '198.51.100.2/25 on eth1: eth1 does not match the given interfaces',
      '203.0.113.2/24 on eth2: eth2 is down',
    ])
  })
})

describe('an address that is given', () => {
  const more: readonly HostInterface[] = [
    ...HOST,
    {ifname: 'lo', flags: ['UP'], addr_info: [inet('203.0.113.77', 32)]},
    {ifname: 'br-0123456789ab', flags: ['UP'], addr_info: [inet('172.18.0.1', 16)]},
    {ifname: 'br-lan', flags: ['UP'], addr_info: [inet('10.9.0.1', 24), {...inet('fd09::1234', 64), temporary: true}]},
    {ifname: 'p2p', flags: ['UP'], addr_info: [inet('10.8.0.0', 31)]},
  ]
  test.each<[string, string]>([
    ['172.17.0.1', 'docker0 belongs to containers or to Calico'], ['172.18.0.1', 'br-0123456789ab belongs to containers or to Calico'], ['203.0.113.2', 'eth2 is down'], ['fd09::1234', 'a temporary address'],
    ['192.0.2.0', 'it is the address of the network itself 192.0.2.0/24 on eth0'], ['198.51.100.127', 'it is the broadcast address of the network 198.51.100.0/25 on eth1'],
  ])('%s: %s', (text, reason) => expect(unsuitable(more, parseAddress(text) ?? fail())).toBe(reason))
  test.each(['192.0.2.2', '192.0.2.77', '203.0.113.77', '10.9.0.1', 'fd00::2', '10.8.0.0', '10.8.0.1', '8.8.8.8'])('%s can be the node\'s', (text) => expect(unsuitable(more, parseAddress(text) ?? fail())).toBeUndefined())
})

describe('what calico-node would find again at its next start', () => {
  const found = (host: readonly HostInterface[], text: string, address: string): boolean => {
    const all = candidates(host, address.includes(':') ? 6 : 4, method(text))
    return isFoundAgain(all, method(text), all.find((each) => formatAddress(each.address) === address) ?? fail())
  }
  const two: readonly HostInterface[] = [{ifname: 'eth0', flags: ['UP'], addr_info: [inet('10.0.0.1', 24), inet('10.5.5.5', 24)]}]
  const temporary: readonly HostInterface[] = [{ifname: 'eth0', flags: ['UP'], addr_info: [{...inet('fd00::aa', 64), temporary: true}, inet('fd00::1', 64)]}]
  test('the only one, and the first that a method allows', () => {
    expect(found(two.map((each) => ({...each, addr_info: each.addr_info?.slice(1) ?? []})), 'autodetect', '10.5.5.5')).toBe(true)
    expect(found(two, 'first-found', '10.0.0.1')).toBe(true)
  })
  test('not one of several that was chosen by somebody else; not behind a temporary one', () => {
    expect(found(two, 'autodetect', '10.5.5.5')).toBe(false)
    expect(found(two, 'autodetect', '10.0.0.1')).toBe(false)
    expect(found(temporary, 'autodetect', 'fd00::1')).toBe(false)
  })
})

describe('methods', () => {
  test.each(['interface=(', 'skip-interface=', 'cidr=10.0.0.0/40', 'can-reach=-x', 'kubernetes-internal-ip=x'])('%s is wrong', (text) => expect(typeof parseMethod(text)).toBe('string'))
  test.each([['can-reach=10.1', '10.0.0.1'], ['cidr=10.0.0.0/8,192.168/16', '192.168.0.0/16']])('%s is wrong, and the full form is named: %s', (text, full) => expect(parseMethod(text)).toContain(`if you mean that, write ${full}`))
  test.each(['192.0.2.1', 'foo', ''])("'%s' is not a method", (text) => expect(parseMethod(text)).toBeUndefined())
  test('are given on as they were typed', () => {
    for (const text of ['first-found', 'interface=eth0,bond.*', 'skip-interface=eth1', 'can-reach=db.example.com', 'cidr=10.0.0.0/8,fd00::/8']) expect(methodText(method(text))).toBe(text)
  })
})

test('the prefix of a local address; none of a foreign one', () => {
  expect(prefixOf(HOST, parseAddress('198.51.100.2') ?? fail())).toBe(25)
  expect(prefixOf(HOST, parseAddress('198.51.100.3') ?? fail())).toBeUndefined()
})

function fail(): never {
  throw new Error('no address')
}

test('what is chosen was a candidate that nothing speaks against, whatever the host', () => {
  const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => octets.join('.'))
  const hosts = fc.array(fc.record({ifname: fc.constantFrom('eth0', 'lo', 'docker0', 'cali123', 'bond1'), flags: fc.constantFrom(['UP'], []), addr_info: fc.array(fc.record({local: address, prefixlen: fc.nat(32), scope: fc.constantFrom('global', 'link', 'host')}))}))
  fc.assert(fc.property(hosts, fc.constantFrom('autodetect', 'first-found', 'skip-interface=eth', 'cidr=10.0.0.0/8'), (host, text) => {
    const all = candidates(host, 4, method(text))
    const choice = choose(all, method(text))
    if (choice.type === 'chosen') expect(choice.candidate.rejected).toBeUndefined()
    if (choice.type === 'none') expect(all.every(({rejected}) => rejected !== undefined)).toBe(true)
    expect(candidateLines(all, choice)).toHaveLength(all.length)
  }))
})
