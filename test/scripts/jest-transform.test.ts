/** Globals in modules under jest: constants of each module. */
import {expect, test} from '@jest/globals'
import {GLOBALS, withConstants} from '../../scripts/jest-transform.mjs'

test.each([
  ['export const a = 1', 'export const a = 1'],
  ['Math.max(Math.PI, 1)\nnew Map()', 'const {Math, Map} = globalThis;Math.max(Math.PI, 1)\nnew Map()'],
  ['a.Object(b.Map, $Set, MapX)', 'a.Object(b.Map, $Set, MapX)'],
  ['[...Array(3)]', 'const {Array} = globalThis;[...Array(3)]'],
])('%j becomes %j', (code, expected) => expect(withConstants(code)).toBe(expected))

test('all of them are globals', () => {
  expect(GLOBALS.filter((name) => !(name in globalThis))).toEqual([])
})
