import {describe, expect, test} from '@jest/globals'
import {stringify} from 'yaml'
import {append} from '../../../../src/lib/append.js'
import {documentPieces, JSON_LAYOUT, PIECE, YAML_LAYOUT} from '../../../../src/lib/cli/output/pieces.js'

const json = (value: unknown): string => JSON.stringify(value, null, 2)
const yaml = (value: unknown): string => stringify(value, {lineWidth: 0, compat: 'yaml-1.1'})

const item = (i: number): unknown =>
  [{name: `n${i}`, spec: {list: [i, 'a\nb', []], empty: {}, text: 'yes'}}, `text ${i}`, null, [i, [i]], {}, 'several\nlines\n'][i % 6]

describe.each([
  ['JSON', JSON_LAYOUT, json],
  ['YAML', YAML_LAYOUT, yaml],
])('a document in pieces of %s', (_, layout, write) => {
  test.each([0, 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7])('is the same as in one with %d items', async (count) => {
    const items = Array.from({length: count}, (_item, i) => item(i))
    const documents = [
      {kind: 'ProfileList', metadata: {resourceVersion: '7'}, items},
      {items, after: [1, 2], none: undefined, 'odd key: "x"': structuredClone(items), last: {a: {b: 1}}},
      {yes: items},
      items,
    ]
    for (const document of documents) expect((await documentPieces(document, layout, write)).join('')).toBe(write(document))
  })
})

test('append takes more items than fit on the stack', () => {
  const list = [0]
  append(list, new Array<number>(500_000).fill(1))
  expect(list).toHaveLength(500_001)
})
