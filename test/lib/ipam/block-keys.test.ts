import {expect, test} from '@jest/globals'
import fc from 'fast-check'
import {blocksPrefixWithin} from '../../../src/lib/ipam/block-keys.js'
import {blockKey} from '../../../src/lib/model/keys.js'
import {type Cidr, parseCidr, subnetAt, subnetCount} from '../../../src/lib/net/index.js'

const V4 = '/calico/ipam/v2/assignment/ipv4/block/'
const V6 = '/calico/ipam/v2/assignment/ipv6/block/'

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text)
  if (!cidr) throw new Error(text)
  return cidr
}

test.each([
  ['10.0.0.0/8', `${V4}10.`],
  ['10.1.0.0/15', `${V4}10.`],
  ['10.1.0.0/16', `${V4}10.1.`],
  ['10.1.64.0/18', `${V4}10.1.`],
  ['10.1.2.0/24', `${V4}10.1.2.`],
  ['10.1.2.4/32', `${V4}10.1.2.`],
  ['0.0.0.0/0', V4],
  ['fd80:24e2:f998:72d6::/64', `${V6}fd80:24e2:f998:72d6:`],
  ['fd80::/64', `${V6}fd80:`],
  ['fd80:0:1::/48', `${V6}fd80:`],
  ['fd80::/8', V6],
  ['::/64', V6],
])('the blocks of %s begin with %s', (cidr, prefix) => {
  expect(blocksPrefixWithin(cidrOf(cidr))).toBe(prefix)
})

/** Groups of which many are zero, so that addresses are written in all their ways. */
const ipv6 = fc.array(fc.constantFrom(0n, 0n, 1n, 0xfd80n, 0xffffn), {minLength: 8, maxLength: 8}).map((groups) => groups.reduce<bigint>((all, group) => (all << 16n) | group, 0n))

test('every block of a network has the prefix', () => {
  const network: fc.Arbitrary<Cidr> = fc.oneof(
    fc.record({family: fc.constant(4 as const), value: fc.bigInt(0n, (1n << 32n) - 1n), prefix: fc.integer({min: 0, max: 26})}),
    fc.record({family: fc.constant(6 as const), value: ipv6, prefix: fc.integer({min: 0, max: 122})}),
  )
  fc.assert(
    fc.property(network, fc.bigInt(0n, (1n << 128n) - 1n), (cidr, random) => {
      const size = cidr.family === 4 ? 26 : 122
      const block = subnetAt(cidr, size, random % subnetCount(cidr, size))
      // An IPv4-mapped network is an IPv4 one, never this.
      fc.pre(cidr.family === 4 || block.value >> 32n !== 0xffffn)
      expect(blockKey(block).startsWith(blocksPrefixWithin(cidr))).toBe(true)
    }),
  )
})
