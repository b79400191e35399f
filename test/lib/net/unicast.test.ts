import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {addressAt, networkOf, notHostIn, notUnicast, peerAddressProblem, poolNetworkProblem, sizeOf} from '../../../src/lib/net/index.js'
import {address} from './arbitraries.js'
import {ip, network as cidr} from './parsed.js'

describe('addresses that no host has', () => {
  test.each([
    ['0.0.0.0', 'the unspecified address'], ['0.0.0.1', "an address of 0.0.0.0/8, which means 'this network'"], ['127.0.0.1', 'a loopback address'], ['127.255.255.255', 'a loopback address'],
    ['169.254.1.1', 'a link-local address'], ['224.0.0.1', 'a multicast address'], ['239.255.255.255', 'a multicast address'], ['240.0.0.1', 'a reserved address (240.0.0.0/4)'],
    ['255.255.255.255', 'the broadcast address'], ['::', 'the unspecified address'], ['::1', 'a loopback address'], ['::2', 'a reserved address (::/96)'], ['fe80::1', 'a link-local address'],
    ['febf::1', 'a link-local address'], ['ff02::1', 'a multicast address'],
  ])('%s: %s', (text, what) => expect(notUnicast(ip(text))).toBe(what))
  test.each(['1.0.0.1', '10.0.0.1', '126.255.255.255', '128.0.0.1', '169.253.255.255', '169.255.0.0', '223.255.255.255', 'fd00::1', '2001:db8::1', '64:ff9b::1', 'fec0::1', 'fe7f::1'])('%s is none of them', (text) => expect(notUnicast(ip(text))).toBeUndefined())
})

describe('addresses that no host has in a network', () => {
  test.each([['192.0.2.0/24', '192.0.2.0', true], ['192.0.2.7/24', '192.0.2.255', true], ['192.0.2.0/24', '192.0.2.1', false], ['192.0.2.0/24', '192.0.3.0', false], ['192.0.2.0/31', '192.0.2.0', false], ['192.0.2.1/32', '192.0.2.1', false], ['fd00::/64', 'fd00::', true], ['fd00::/64', 'fd00::ffff:ffff:ffff:ffff', false], ['fd00::/127', 'fd00::', false], ['0.0.0.0/0', '0.0.0.0', false]])('%s: %s is one: %s', (network, text, expected) => {
    expect(notHostIn(cidr(network), ip(text)) !== undefined).toBe(expected)
  })
  test('in every IPv4 network of four addresses or more they are two', () => {
    fc.assert(fc.property(address, fc.integer({min: 24, max: 30}), ({value}, prefix) => {
      const network = networkOf({family: 4, value: value & 0xffffffffn, prefix})
      const none = Array.from({length: Number(sizeOf(network))}, (_, i) => addressAt(network, i)).filter((each) => notHostIn(network, each) !== undefined)
      expect(none.map(({value: each}) => each)).toEqual([network.value, network.value + sizeOf(network) - 1n])
    }), {numRuns: 30})
  })
})

describe('a pool cannot be', () => {
  test.each([
    ['0.0.0.0/8', '0.0.0.0, the unspecified address'], ['0.1.0.0/16', '0.1.0.0, an address of 0.0.0.0/8'], ['0.0.0.0/0', '0.0.0.0, the unspecified address'],
    ['127.0.0.0/8', '127.0.0.0, a loopback address'], ['126.0.0.0/7', '127.0.0.0, a loopback address'],
    ['169.254.0.0/16', '169.254.0.0, a link-local address'], ['169.254.7.0/24', '169.254.7.0, a link-local address'],
    ['224.0.0.0/24', '224.0.0.0, a multicast address'], ['240.0.0.0/8', '240.0.0.0, a reserved address'], ['192.0.0.0/2', '224.0.0.0, a multicast address'],
    ['::1/128', '::1, a loopback address'], ['::/64', '::, the unspecified address'], ['fe80::/64', 'fe80::, a link-local address'], ['ff00::/16', 'ff00::, a multicast address'], ['fe00::/7', 'fe80::, a link-local address'],
  ])('%s', (text, why) => expect(poolNetworkProblem(cidr(text))).toMatch(`${text} cannot be a pool: it contains ${why}`))

  test.each(['1.0.0.0/8', '10.0.0.0/8', '126.0.0.0/8', '128.0.0.0/8', '169.253.0.0/16', '169.255.0.0/16', '192.0.0.0/3', '223.255.255.0/24', 'fd00::/8', 'fec0::/10', '2001:db8::/32'])('but %s can', (text) =>
    expect(poolNetworkProblem(cidr(text))).toBeUndefined())
})

describe('a BGP peer cannot be', () => {
  test.each(['0.0.0.0', '0.0.0.1', '127.0.0.1', '224.0.0.5', '239.255.255.255', '240.0.0.1', '255.255.255.255', '::', '::1', 'ff02::5'])('%s', (text) =>
    expect(peerAddressProblem(ip(text))).toBe(`${text} cannot be a BGP peer: it is ${notUnicast(ip(text)) ?? ''}`))

  test.each(['fe80::1', 'febf::1'])('%s, for which BIRD needs an interface', (text) => expect(peerAddressProblem(ip(text))).toMatch(/cannot be a BGP peer: it is a link-local address, for which BIRD needs an interface/))

  test.each(['10.0.0.1', '169.254.169.1', '192.0.2.1', '223.255.255.255', 'fd00::1', '2001:db8::1'])('but %s can', (text) => expect(peerAddressProblem(ip(text))).toBeUndefined())
})
