import {describe, expect, test} from '@jest/globals'
import {parseDuration, readDuration} from '../../../src/lib/cli/duration.js'

describe('parseDuration', () => {
  test.each([
    ['2s', 2000], ['500ms', 500], ['1m', 60_000], ['1m30s', 90_000], ['10', 10_000], ['0.5', 500], ['1.5s', 1500], ['1h', 3_600_000],
  ])('%s = %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds))

  test.each(['', 'abc', '5x', '-1s', '1m 30s', 's', '1..5', 'Infinity', '9'.repeat(40)])('%j is not a duration', (text) => expect(parseDuration(text)).toBeUndefined())
})

describe('readDuration', () => {
  const timeout = readDuration('--timeout')
  test.each([['24h', 86_400_000], ['1m', 60_000]])('%s', (text, milliseconds) => expect(timeout(text)).toBe(milliseconds))
  test.each([
    ['600h', "--timeout: '600h' is too long: give at most 24h."],
    ['86401', "--timeout: '86401' is too long: give at most 24h."],
    ['9'.repeat(30), 'is too long'],
    ['0', "--timeout: '0' is not a duration"],
    ['-1', "--timeout: '-1' is not a duration"],
    ['soon', 'is not a duration'],
  ])('%s is refused', (text, words) => expect(() => timeout(text)).toThrow(words))
  test('0, and a longer time, where the option has it', () => {
    const wait = readDuration('--wait', {zero: true, most: 480})
    expect([wait('0'), wait('480h')]).toEqual([0, 480 * 3_600_000])
    expect(() => wait('481h')).toThrow("--wait: '481h' is too long: give at most 480h.")
    expect(readDuration('--confirm-within', {most: Infinity})('9999h')).toBe(9999 * 3_600_000)
  })
})
