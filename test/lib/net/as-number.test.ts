import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {isAsNumber, parseAsNumber, parseLenientAsNumber} from '../../../src/lib/net/index.js'

describe('AS numbers', () => {
  test.each([
    ['64512', 64512],
    ['1.10', 65546],
    ['4294967295', 4294967295],
    ['65535.65535', 4294967295],
    ['0.1', 1],
    ['007', 7],
  ])('%s is %d everywhere', (text, value) => {
    expect(parseAsNumber(text)).toBe(value)
    expect(parseLenientAsNumber(text)).toBe(value)
  })

  test.each([
    ['+5', 5],
    [' 5', 5],
    ['5\n', 5],
    [' +1 . 10 ', 65546],
    ['-0.1', 1],
  ])('%j is %d on the command line only', (text, value) => {
    expect(parseAsNumber(text)).toBeUndefined()
    expect(parseLenientAsNumber(text)).toBe(value)
  })

  test.each(['', ' ', '.', '1.', '.1', '1.2.3', '65536.0', '0.65536', '4294967296', '-1', '-1.5', '1.-1', '0x10', '1e3', '5a', '+ 5', '++5', '1_0', '٥', '9'.repeat(1e5)])('%j is none', (text) => {
    expect(parseAsNumber(text)).toBeUndefined()
    expect(parseLenientAsNumber(text)).toBeUndefined()
  })

  test.each(['0', '0.0', '00'])('%s may be stored but not set', (text) => {
    expect(parseAsNumber(text)).toBe(0)
    expect(parseLenientAsNumber(text)).toBeUndefined()
  })

  test.each(['-0', ' +0 ', '-0.0'])('%j is zero as well', (text) => expect(parseLenientAsNumber(text)).toBeUndefined())

  test('both spellings of a number are that number', () => {
    fc.assert(
      fc.property(fc.integer({min: 0, max: 4294967295}), (value) => {
        expect(parseAsNumber(String(value))).toBe(value)
        expect(parseAsNumber(`${Math.floor(value / 65536)}.${value % 65536}`)).toBe(value)
        expect(isAsNumber(value)).toBe(true)
      }),
    )
    for (const value of [-1, 1.5, 4294967296, '5', null, NaN]) expect(isAsNumber(value)).toBe(false)
  })
})
