import {describe, expect, test} from '@jest/globals'
import {stringify} from 'yaml'
import {append} from '../../../../src/lib/append.js'
import {documentPieces, growingPieces, JSON_LAYOUT, PIECE, YAML_LAYOUT} from '../../../../src/lib/cli/output/pieces.js'

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

  test.each([0, 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7])('and so it is if it grows by %d rows', async (count) => {
    const rows = Array.from({length: count}, (_item, i) => i)
    const frames = [
      (items: readonly unknown[]) => ({kind: 'ProfileList', metadata: {resourceVersion: '7'}, none: undefined, items}),
      (items: readonly unknown[]) => ({items, after: [1, 2], last: {a: {b: 1}}}),
    ]
    for (const frame of frames) {
      let text = ''
      for await (const piece of growingPieces(rows, {document: (some) => frame(some.map(item)), list: 'items', itemOf: item}, layout, write)) text += piece
      expect(text).toBe(write(frame(rows.map(item))))
    }
  })

  test('where the rows fail after the first piece, it is not closed', async () => {
    async function* failing(): AsyncGenerator<number> {
      for (let i = 0; i < 2 * PIECE; i++) yield i
      await Promise.reject(new Error('the connection is lost'))
    }
    let text = ''
    const pieces = growingPieces(failing(), {document: (some) => ({items: some}), list: 'items', itemOf: (row) => row}, layout, write)
    await expect(
      (async () => {
        for await (const piece of pieces) text += piece
      })(),
    ).rejects.toThrow('lost')
    expect(text).not.toBe('')
    expect(text.endsWith(layout.listEnd + layout.end) && layout.end !== '').toBe(false)
  })

  test('where they fail before it, nothing is written', async () => {
    let pieces = 0
    const rows = (async function* (): AsyncGenerator<number> {
      yield 1
      await Promise.reject(new Error('the connection is lost'))
    })()
    await expect(
      (async () => {
        for await (const _piece of growingPieces(rows, {document: (some) => ({items: some}), list: 'items', itemOf: (row) => row}, layout, write)) pieces++
      })(),
    ).rejects.toThrow('lost')
    expect(pieces).toBe(0)
  })
})

test('append takes more items than fit on the stack', () => {
  const list = [0]
  append(list, new Array<number>(500_000).fill(1))
  expect(list).toHaveLength(500_001)
})
