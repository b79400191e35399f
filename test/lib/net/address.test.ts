import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {
  canonicalAddress,
  compareAddresses,
  equalAddresses,
  formatAddress,
  ipv6Groups,
  parseAddress,
  parseTypedAddress,
} from '../../../src/lib/net/index.js'
import {address} from './arbitraries.js'
import {ip} from './parsed.js'
import {cpuMs} from '../../support/cpu-time.js'

describe('parseAddress and formatAddress', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['FD80:24E2:F998:72D6::1', 'fd80:24e2:f998:72d6::1'],
    ['fd80:0:0:0:1:0:0:40', 'fd80::1:0:0:40'],
    ['fd80:0:0:1:0:0:0:40', 'fd80:0:0:1::40'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['0001:0002::', '1:2::'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['::10.0.0.1', '::a00:1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s is %s', (text, canonical) => expect(canonicalAddress(text)).toBe(canonical))

  test.each([
    '', ' ', '10', '10.0.0', '10.0.0.0.1', '10.0.0.256', '010.0.0.1', '10.0.0.01', '0x10', ' 10.0.0.1', '10.0.0.1 ', '10.0.0.1\n', '10.0.0.-1',
    '10.0.0.1/32', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::', 'fe80::1%eth0', '::1%1', '12345::', '::g',
    '::ffff:010.0.0.1', '::256.0.0.1', '10.0.0.1::', '::1.2.3', ':1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:', '٣.0.0.1', '1:2:3:4:5:6:7:1.2.3.4', `${'0'.repeat(100)}::1`,
  ])('%j is not an address', (text) => expect(parseAddress(text)).toBeUndefined())

  test('are inverse to each other', () => {
    fc.assert(fc.property(address, (value) => expect(parseAddress(formatAddress(value))).toEqual(value)))
  })

  test('hostile text is refused at once', () => {
    for (const text of [':'.repeat(1e5), '1:'.repeat(5e4), '1.'.repeat(5e4), 'f'.repeat(1e5), '0x'.repeat(5e4)]) {
      const spent = cpuMs(() => {
        expect(parseAddress(text)).toBeUndefined()
        expect(parseTypedAddress(text)).toBeUndefined()
      })
      expect(spent).toBeLessThan(100)
    }
  })
})

test('addresses sort as numbers, IPv4 first', () => {
  const sorted = ['9.0.0.0', '10.0.0.0', '100.0.0.0', '::1', '9::', '10::']
  const shuffled = [...sorted].reverse().map(ip)
  expect(shuffled.sort(compareAddresses).map(formatAddress)).toEqual(sorted)
  fc.assert(fc.property(address, address, (a, b) => (compareAddresses(a, b) === 0) === equalAddresses(a, b)))
})

test('ipv6Groups are the eight groups', () => {
  expect(ipv6Groups(ip('aa:bb::1').value)).toEqual([0xaa, 0xbb, 0, 0, 0, 0, 0, 1])
})
