import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {escapeLines, escapeText} from '../../../../src/lib/cli/output/escape.js'

describe('escapeText', () => {
  test.each([
    ['plain text', 'plain text'],
    ['Zürich 東京', 'Zürich 東京'],
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['a\nb\tc\r', 'a\\x0ab\\x09c\\x0d'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['\u009b31m', '\\x9b31m'],
  ])('%j', (text, expected) => expect(escapeText(text)).toBe(expected))

  test('nothing that steers a terminal is left', () => {
    fc.assert(fc.property(fc.string({unit: 'binary'}), (text) => !/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(escapeText(text))))
  })

  test('escapeLines keeps line feeds only', () => expect(escapeLines('a\u0007\nb')).toBe('a\\x07\nb'))
})
