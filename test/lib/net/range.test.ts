import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {coverRange, formatCidr, isNetwork, lastAddress} from '../../../src/lib/net/index.js'
import {range} from './arbitraries.js'
import {ip} from './parsed.js'

const cover = (first: string, last: string): string[] => coverRange(ip(first), ip(last)).map(formatCidr)

describe('coverRange', () => {
  test.each([
    ['172.24.0.0', '172.24.25.255', ['172.24.0.0/20', '172.24.16.0/21', '172.24.24.0/23']],
    ['10.0.0.0', '10.0.0.255', ['10.0.0.0/24']],
    ['10.0.0.5', '10.0.0.5', ['10.0.0.5/32']],
    ['10.0.0.1', '10.0.0.6', ['10.0.0.1/32', '10.0.0.2/31', '10.0.0.4/31', '10.0.0.6/32']],
    ['0.0.0.0', '255.255.255.255', ['0.0.0.0/0']],
    ['0.0.0.0', '0.0.0.2', ['0.0.0.0/31', '0.0.0.2/32']],
    ['255.255.255.255', '255.255.255.255', ['255.255.255.255/32']],
    ['::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['::/0']],
    ['fd00::', 'fd00::7f', ['fd00::/121']],
  ])('%s to %s', (first, last, expected) => expect(cover(first, last)).toEqual(expected))

  test('is exactly the range, without a gap, in networks that cannot be joined', () => {
    fc.assert(
      fc.property(range, ([first, last]) => {
        const networks = coverRange(first, last)
        let next = first.value
        networks.forEach((network, i) => {
          expect(isNetwork(network)).toBe(true)
          expect(network.value).toBe(next)
          next = lastAddress(network).value + 1n
          const after = networks[i + 1]
          if (after?.prefix === network.prefix) expect(isNetwork({...network, prefix: network.prefix - 1})).toBe(false)
        })
        expect(next).toBe(last.value + 1n)
      }),
    )
  })

  test('the longest covers are 62 and 254 networks', () => {
    expect(cover('0.0.0.1', '255.255.255.254')).toHaveLength(62)
    expect(cover('::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe')).toHaveLength(254)
  })

  test('refuses what is not a range', () => {
    expect(() => cover('10.0.0.2', '10.0.0.1')).toThrow(RangeError)
    expect(() => cover('10.0.0.2', 'fd00::1')).toThrow(RangeError)
  })
})
