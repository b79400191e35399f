import {describe, expect, test} from '@jest/globals'
import {parseDuration} from '../../../src/lib/cli/duration.js'

describe('parseDuration', () => {
  test.each([
    ['2s', 2000], ['500ms', 500], ['1m', 60_000], ['1m30s', 90_000], ['10', 10_000], ['0.5', 500], ['1.5s', 1500], ['1h', 3_600_000],
  ])('%s = %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds))

  test.each(['', 'abc', '5x', '-1s', '1m 30s', 's', '1..5', 'Infinity', '9'.repeat(40)])('%j is not a duration', (text) => expect(parseDuration(text)).toBeUndefined())
})
