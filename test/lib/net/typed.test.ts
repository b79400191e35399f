/** Addresses and CIDRs as users type them: in full, and what is said of v0.20's short forms. */
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {ADDRESS_BITS, formatAddress, formatCidr, parseTypedAddress, parseTypedCidr, shortFormProblem, sizeOf} from '../../../src/lib/net/index.js'
import {address, cidr} from './arbitraries.js'

const says = (full: string): string => `is not written in full: v0.20 read it as ${full}; if you mean that, write ${full}`

describe('parseTypedCidr', () => {
  test.each([
    ['10.0.0.0/255.255.0.0', '10.0.0.0/16'],
    ['10.0.0.0/0.0.255.255', '10.0.0.0/16'],
    ['1.2.3.4/0', '1.2.3.4/0'],
    ['1.2.3.4/08', '1.2.3.4/8'],
    ['1.2.3.4/ 8', '1.2.3.4/8'],
    [' 10.0.0.0 /8 ', '10.0.0.0/8'],
    ['10.0.0.0/+8', '10.0.0.0/8'],
    ['1.2.3.4/255.255.255.255', '1.2.3.4/32'],
    ['1.2.3.4/0.0.0.0', '1.2.3.4/0'],
    ['1.2.3.4/128.0.0.0', '1.2.3.4/1'],
    ['1.2.3.4/127.255.255.255', '1.2.3.4/1'],
    ['1.2.3.4/0.0.0.1', '1.2.3.4/31'],
    ['10.0.0.1', '10.0.0.1/32'],
    ['::1', '::1/128'],
    ['::1/64', '::1/64'],
    ['fd00::1/ffff::', 'fd00::1/16'],
    ['fd00::/::ffff', 'fd00::/112'],
    ['fd00::/::', 'fd00::/0'],
    ['10.1.2.3/8', '10.1.2.3/8'],
  ])('%j is %s, as v0.20 took it, and no short form', (text, formatted) => {
    const parsed = parseTypedCidr(text)
    expect(parsed && formatCidr(parsed)).toBe(formatted)
    expect(shortFormProblem(text, 'cidr')).toBeUndefined()
  })

  test.each([
    '', '/8', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/-1', '0x10/8', '10.0.0.0/255.0.255.0', '10.0.0.0-10.0.0.5', '10.0.0.*', '256', '10.256', '::1/129', 'fe80::1%eth0/64',
    '1.2.3.4/255.255.255', '1.2.3.4/0xff', '10.', '10..1', '.10', '10.0.0.0/8/9', '10.0.0.0/1e1', '1.2.3.4/10.0.0.1', '1.2.3.4.0/8', 'fd00::/255.0.0.0', '1.2.3.4/::', `${'1'.repeat(1e5)}/8`, 'web',
  ])('%j is none, and no short form either', (text) => {
    expect(parseTypedCidr(text)).toBeUndefined()
    expect(shortFormProblem(text, 'cidr')).toBeUndefined()
  })

  test.each([
    ['10', '10.0.0.0/32'],
    ['10.1', '10.1.0.0/32'],
    ['10.1.2', '10.1.2.0/32'],
    ['10/8', '10.0.0.0/8'],
    ['192.168/16', '192.168.0.0/16'],
    ['192.168/255.255.0.0', '192.168.0.0/16'],
    ['010.0.0.0/8', '10.0.0.0/8'],
    ['08', '8.0.0.0/32'],
  ])('%j is refused, and what v0.20 made of it is named: %s', (text, full) => {
    expect(parseTypedCidr(text)).toBeUndefined()
    expect(shortFormProblem(text, 'cidr')).toBe(says(full))
  })

  test('takes every strict CIDR for what it is, and its mask', () => {
    fc.assert(
      fc.property(cidr, (value) => {
        expect(parseTypedCidr(formatCidr(value))).toEqual(value)
        const mask = (1n << BigInt(ADDRESS_BITS[value.family])) - sizeOf(value)
        if (value.family === 4) expect(parseTypedCidr(`${formatAddress(value)}/${formatAddress({family: 4, value: mask})}`)).toEqual(value)
      }),
    )
  })
})

describe('parseTypedAddress', () => {
  test.each([
    ['1.2.3', '1.2.0.3'],
    ['10', '0.0.0.10'],
    ['0x10', '0.0.0.16'],
    ['0X1F.1', '31.0.0.1'],
    ['017', '0.0.0.15'],
    ['010.1.1.1', '8.1.1.1'],
    ['1.0x10.3', '1.16.0.3'],
    ['4294967295', '255.255.255.255'],
    ['1.65536', '1.1.0.0'],
    ['1.2.65535', '1.2.255.255'],
  ])('%j is refused, and what v0.20 made of it is named: %s', (text, full) => {
    expect(parseTypedAddress(text)).toBeUndefined()
    expect(shortFormProblem(text, 'address')).toBe(says(full))
  })

  test.each([
    '', ' ', '4294967296', '08.1.1.1', '256.1.1.1', '1.256.1.1', '1.2.65536', '1.16777216', '1..2', '1.2.3.4.', '-1', '+1', '1e3', '1.2.3.4.5', '1.2.3.4 x', '::1%eth0', '1.2.3.4/8', '0x1000000000', 'web',
    `${'0'.repeat(1e5)}1`,
  ])('%j is not an address, and no short form either', (text) => {
    expect(parseTypedAddress(text)).toBeUndefined()
    expect(shortFormProblem(text, 'address')).toBeUndefined()
  })

  test('takes every strict address for what it is, with spaces around it too', () => {
    fc.assert(
      fc.property(address, (value) => {
        expect(parseTypedAddress(` ${formatAddress(value)} `)).toEqual(value)
        expect(shortFormProblem(formatAddress(value), 'address')).toBeUndefined()
      }),
    )
  })
})
