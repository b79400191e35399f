import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import type {Codec, Findings} from '../../../src/lib/model/schema/codec.js'
import {isGoRegexp} from '../../../src/lib/model/schema/go-regexp.js'
import {canonicalTime} from '../../../src/lib/model/schema/time.js'
import {asNumber, asNumberFromText, formatDuration, parseDuration, port, protocol} from '../../../src/lib/model/schema/values.js'

/** What CODEC makes of VALUE, or `refused`. */
function decoded(codec: Codec<unknown>, value: unknown): unknown {
  const findings: Findings = {unreadable: [], invalid: []}
  const result = codec.decode(value, 'x', findings)
  return findings.unreadable.length > 0 ? 'refused' : result
}

describe('ports', () => {
  test.each([
    [443, 443],
    ['443', 443],
    ['8080:8080', 8080],
    ['1024:2048', '1024:2048'],
    ['01:02', '1:2'],
    ['http', 'http'],
    [0, 0],
    ['90:80', 'refused'],
    ['80-90', '80-90'],
    ['65536', 'refused'],
    [65536, 'refused'],
    [1.5, 'refused'],
    ['', 'refused'],
    ['a b', 'refused'],
    [true, 'refused'],
  ])('%j is %j', (value, expected) => {
    expect(decoded(port, value)).toEqual(expected)
  })
})

describe('protocols and AS numbers', () => {
  test.each([['17', 17], ['TCP', 'TCP'], [6, 6], ['256', '256'], [256, 'refused'], [-1, 'refused'], [null, 'refused']])('protocol %j is %j', (value, expected) => {
    expect(decoded(protocol, value)).toEqual(expected)
  })

  test.each([
    ['1.10', 65546],
    ['64512', 64512],
    [4294967295, 4294967295],
    [64512n, 64512],
    ['65535.65535', 4294967295],
    ['65536.0', 'refused'],
    ['1.2.3', 'refused'],
    [4294967296, 'refused'],
    ['', 'refused'],
    [' 1', 'refused'],
  ])('AS number %p is %p', (value, expected) => {
    expect(decoded(asNumber, value)).toEqual(expected)
  })

  test('every number is read back from both of its forms', () => {
    fc.assert(
      fc.property(fc.integer({min: 0, max: 2 ** 32 - 1}), (number) => {
        expect(asNumberFromText(String(number))).toBe(number)
        expect(asNumberFromText(`${Math.floor(number / 65536)}.${number % 65536}`)).toBe(number)
      }),
    )
  })
})

describe('durations', () => {
  test.each([
    ['90s', '1m30s'],
    ['5m', '5m0s'],
    ['0', '0s'],
    ['1.5s', '1.5s'],
    ['100us', '100µs'],
    ['1h', '1h0m0s'],
    ['1500ms', '1.5s'],
    ['-90s', '-1m30s'],
    ['.5s', '500ms'],
    ['1h1ns', '1h0m0.000000001s'],
    ['2562047h47m16.854775807s', '2562047h47m16.854775807s'],
  ])('%s is written %s', (text, expected) => {
    expect(formatDuration(parseDuration(text) ?? -1n)).toBe(expected)
  })

  test.each(['', '30', '1d', 's', '1s ', '--1s', '1.s.', '2562047h47m16.854775808s', '1e3s'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.bigInt({min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n}), (nanoseconds) => {
        expect(parseDuration(formatDuration(nanoseconds))).toBe(nanoseconds)
      }),
    )
  })
})

describe('times', () => {
  test.each([
    ['2026-06-24T18:32:35Z', '2026-06-24T18:32:35Z'],
    ['2026-06-24T18:32:35.999Z', '2026-06-24T18:32:35Z'],
    ['2026-06-24T20:32:35+02:00', '2026-06-24T18:32:35Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['2026-02-29T00:00:00Z', undefined],
    ['2026-06-24', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('%j is %j', (text, expected) => {
    expect(canonicalTime(text)).toBe(expected)
  })

  test('without a fraction of a second, which needs no calendar, as with one', () => {
    const [few, digits] = [fc.integer({min: 0, max: 62}), fc.stringMatching(/^\d{4}$/)]
    const two = (n: number): string => String(n).padStart(2, '0')
    fc.assert(
      fc.property(digits, fc.integer({min: 0, max: 13}), fc.integer({min: 0, max: 32}), few, few, few, (year, month, day, hour, minute, second) => {
        const time = `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`
        expect(canonicalTime(`${time}Z`)).toBe(canonicalTime(`${time}.5Z`))
      }),
      {numRuns: 2_000},
    )
  })
})

describe('regular expressions as Go reads them', () => {
  test.each(['^(eth|ens).*', '(?i)calico', '(?P<name>a)', '[[:alpha:]]+', 'a{2,5}', '\\Qa[b\\E', 'a*?', ''])('%s is one', (pattern) => {
    expect(isGoRegexp(pattern)).toBe(true)
  })

  test.each(['[a', 'a(', 'a)', '*a', 'a**', '(?=a)', '(?<!a)', '(a)\\1', 'a{1001}'])('%s is none', (pattern) => {
    expect(isGoRegexp(pattern)).toBe(false)
  })
})
