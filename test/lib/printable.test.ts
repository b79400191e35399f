import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {parse} from 'yaml'
import {render} from '../../src/lib/cli/output/render.js'
import {escapeJson, escapeLines, escapeText, escapeYaml} from '../../src/lib/printable.js'
import {ANY_CHARACTER} from '../support/any-character.js'

const BANNED = /[\p{C}\p{Zl}\p{Zp}]/u

describe('escapeText', () => {
  test.each([
    ['plain text', 'plain text'],
    ['Zürich 東京', 'Zürich 東京'],
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['a\nb\tc\r', 'a\\x0ab\\x09c\\x0d'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['\u009b31m', '\\x9b31m'],
    ['we\u00adb\u3164', 'we\\xadb\\u3164'],
    ['a\u2028b\u2029c\u0085', 'a\\u2028b\\u2029c\\x85'],
    ['\ue000\u0378\u{e0041}\ud800', '\\ue000\\u0378\\u{e0041}\\ud800'],
    ['🐅', '🐅'],
  ])('%j', (text, expected) => expect(escapeText(text)).toBe(expected))

  test('nothing that steers a terminal is left', () => {
    fc.assert(fc.property(fc.string({unit: ANY_CHARACTER}), (text) => !BANNED.test(escapeText(text))))
  })

  test('escapeLines keeps line feeds only', () => expect(escapeLines('a\u0007\nb')).toBe('a\\x07\nb'))
})

test('JSON stays the same value, and has nothing in it that is not printable', () => {
  fc.assert(
    fc.property(fc.jsonValue({stringUnit: ANY_CHARACTER}), (any) => {
      const json = escapeJson(JSON.stringify(any, undefined, 2))
      expect(json.replaceAll('\n', '')).not.toMatch(BANNED)
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(any)))
    }),
  )
})

test('YAML too', async () => {
  const presentation = (any: unknown) => ({rows: [1], columns: [], name: String, document: () => any})
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({stringUnit: ANY_CHARACTER}), async (any) => {
      let yaml = ''
      for await (const piece of render(presentation(any), 'yaml', {warn: () => undefined})) yaml += piece
      expect(yaml.replaceAll('\n', '')).not.toMatch(BANNED)
      expect(JSON.stringify(parse(yaml))).toBe(JSON.stringify(any))
    }),
  )
  expect(escapeYaml('"\u202e\u{e0041}"')).toBe('"\\u202e\\U000e0041"')
})
