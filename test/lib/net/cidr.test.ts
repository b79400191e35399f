import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {
  addressAt,
  ADDRESS_BITS,
  blockOf,
  canonicalNetwork,
  compareCidrs,
  contains,
  containsCidr,
  equalNetworks,
  firstAddress,
  formatAddress,
  formatCidr,
  hostCidr,
  indexIn,
  isNetwork,
  lastAddress,
  networkOf,
  overlaps,
  parseCidr,
  parseCidrOrAddress,
  sizeOf,
  subnetAt,
  subnetCount,
  subnetsOf,
} from '../../../src/lib/net/index.js'
import {address, cidr} from './arbitraries.js'
import {ip, network} from './parsed.js'

describe('parseCidr', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.1.2.3/8'],
    ['10.0.0.0/08', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['FD80::/64', 'fd80::/64'],
    ['::/0', '::/0'],
    ['fd80:24e2:f998:72d6::/122', 'fd80:24e2:f998:72d6::/122'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.0/128', '10.0.0.0/32'],
    ['::ffff:10.0.0.0/95', '::ffff:a00:0/95'],
  ])('%s is %s', (text, formatted) => expect(formatCidr(network(text))).toBe(formatted))

  test.each([
    '', '/', '10.0.0.0', '10.0.0.0/', '/8', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/+8', '10.0.0.0/ 8', '10.0.0.0/8 ', ' 10.0.0.0/8', '10.0.0/8', '10/8',
    '010.0.0.0/8', '10.0.0.0/255.0.0.0', '10.0.0.0/8/8', '::/129', 'fe80::%eth0/64', '10.0.0.0/0x8', '::ffff:10.0.0.0/129', `10.0.0.0/${'0'.repeat(1e5)}8`, '10.0.0.0/٨',
  ])('%j is not a CIDR', (text) => expect(parseCidr(text)).toBeUndefined())

  test('a bare address is one only where either is allowed', () => {
    expect(parseCidrOrAddress('10.0.0.1')).toEqual(network('10.0.0.1/32'))
    expect(parseCidrOrAddress('fd00::1')).toEqual(network('fd00::1/128'))
    expect(parseCidrOrAddress('10.0.0.1/24')).toEqual(network('10.0.0.1/24'))
    expect(parseCidrOrAddress('10')).toBeUndefined()
    expect(canonicalNetwork('FD80::1/64')).toBe('fd80::/64')
    expect(canonicalNetwork('x')).toBeUndefined()
  })

  test('and formatCidr are inverse to each other', () => {
    fc.assert(fc.property(cidr, (value) => expect(parseCidr(formatCidr(value))).toEqual(value)))
  })
})

describe('arithmetic', () => {
  test('masking is idempotent, and leaves what lies in the network', () => {
    fc.assert(
      fc.property(cidr, (value) => {
        const masked = networkOf(value)
        expect(networkOf(masked)).toEqual(masked)
        expect(isNetwork(masked)).toBe(true)
        expect(isNetwork(value)).toBe(masked.value === value.value)
        expect(contains(value, {family: value.family, value: value.value})).toBe(true)
        expect(equalNetworks(value, masked)).toBe(true)
        expect(sizeOf(value)).toBe(lastAddress(value).value - firstAddress(value).value + 1n)
      }),
    )
  })

  test('overlap is containment one way or the other', () => {
    fc.assert(
      fc.property(cidr, fc.oneof(cidr, fc.constant(undefined)), fc.nat(), (a, other, n) => {
        const b = other ?? {...a, prefix: Math.max(0, a.prefix - (n % 5))}
        const apart = a.family !== b.family || firstAddress(a).value > lastAddress(b).value || firstAddress(b).value > lastAddress(a).value
        expect(overlaps(a, b)).toBe(!apart)
        expect(overlaps(b, a)).toBe(!apart)
        const inside = a.family === b.family && firstAddress(a).value <= firstAddress(b).value && lastAddress(b).value <= lastAddress(a).value
        expect(containsCidr(a, b)).toBe(inside)
      }),
    )
  })

  test('index and address are inverse to each other', () => {
    fc.assert(
      fc.property(cidr, fc.bigInt(0n, (1n << 128n) - 1n), address, (value, n, other) => {
        const index = n % sizeOf(value)
        expect(indexIn(value, addressAt(value, index))).toBe(index)
        expect(indexIn(value, other) === undefined).toBe(!contains(value, other))
      }),
    )
    expect(() => addressAt(network('10.0.0.0/26'), 64)).toThrow(RangeError)
    expect(() => addressAt(network('10.0.0.0/26'), -1)).toThrow(RangeError)
    expect(formatAddress(addressAt(network('10.0.0.5/26'), 63))).toBe('10.0.0.63')
  })

  test('the block of an address', () => {
    expect(formatCidr(blockOf(ip('192.168.10.77'), 26))).toBe('192.168.10.64/26')
    expect(formatCidr(blockOf(ip('fd80:24e2:f998:72d6:21c:e4a8:2e99:3bff'), 122))).toBe('fd80:24e2:f998:72d6:21c:e4a8:2e99:3bc0/122')
    expect(formatCidr(hostCidr(ip('10.0.0.1')))).toBe('10.0.0.1/32')
  })

  test('the subnets of a network fill it without a gap', () => {
    expect([...subnetsOf(network('10.0.0.0/24'), 26)].map(formatCidr)).toEqual(['10.0.0.0/26', '10.0.0.64/26', '10.0.0.128/26', '10.0.0.192/26'])
    expect([...subnetsOf(network('10.0.0.0/24'), 23)]).toEqual([])
    expect(subnetCount(network('fd00::/16'), 122)).toBe(1n << 106n)
    expect(formatCidr(subnetAt(network('fd00::/16'), 122, (1n << 106n) - 1n))).toBe('fd00:ffff:ffff:ffff:ffff:ffff:ffff:ffc0/122')
    expect(() => subnetAt(network('10.0.0.0/24'), 26, 4)).toThrow(RangeError)
    fc.assert(
      fc.property(cidr, fc.integer({min: 0, max: 6}), (value, more) => {
        const prefix = Math.min(ADDRESS_BITS[value.family], value.prefix + more)
        const subnets = [...subnetsOf(value, prefix)]
        let next = networkOf(value).value
        for (const subnet of subnets) {
          expect(subnet.value).toBe(next)
          next += sizeOf(subnet)
        }
        expect(next).toBe(lastAddress(value).value + 1n)
      }),
    )
  })

  test('CIDRs sort as numbers', () => {
    const sorted = ['9.0.0.0/8', '10.0.0.0/8', '10.0.0.0/16', '10.1.0.0/16', '::/0', 'fd00::/8']
    expect([...sorted].reverse().map(network).sort(compareCidrs).map(formatCidr)).toEqual(sorted)
  })
})
