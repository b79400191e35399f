import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {fit, type FitColumn} from '../../../../src/lib/cli/output/fit.js'
import {renderTable} from '../../../../src/lib/cli/output/table.js'
import {foldText, textWidth} from '../../../../src/lib/cli/output/text-width.js'

const column = (header: string, texts: readonly string[], more: Partial<FitColumn> = {}): FitColumn => ({header, cells: texts.map((text) => [text]), ...more})
const headers = ({columns}: ReturnType<typeof fit>): string[] => columns.map(({header}) => header.join(' '))

describe('fit', () => {
  test('what has room stays whole, ids too', () => {
    const id = 'a'.repeat(32)
    expect(fit([column('Name', ['a']), column('ID', [id], {short: [['a'.repeat(12)]], rank: 1})], 80)).toEqual({columns: [{header: ['Name'], cells: [['a']]}, {header: ['ID'], cells: [[id]]}], leftOut: [], folded: false})
  })

  test('ids are shortened before a column is left out', () => {
    const {columns, leftOut} = fit([column('Name', ['a']), column('ID', ['a'.repeat(64)], {short: [['a'.repeat(12)]], rank: 1})], 40)
    expect({cells: columns.map(({cells}) => cells), leftOut}).toEqual({cells: [[['a']], [['a'.repeat(12)]]], leftOut: []})
  })

  test('columns are left out by rank, and what still fits comes back', () => {
    const fitted = fit([column('A', ['a'.repeat(10)]), column('B', ['b'.repeat(10)], {rank: 1}), column('C', ['c'.repeat(30)], {rank: 2}), column('D', ['d'], {rank: 3})], 40)
    expect({shown: headers(fitted), leftOut: fitted.leftOut}).toEqual({shown: ['A', 'B', 'D'], leftOut: ['C']})
  })

  test('sentences are folded before a column is left out', () => {
    const fitted = fit([column('Name', ['a']), column('Problem', ['the quick brown fox jumps over the lazy dog'], {prose: true}), column('State', ['up'], {rank: 1})], 50)
    expect({shown: headers(fitted), leftOut: fitted.leftOut, folded: fitted.folded}).toEqual({shown: ['Name', 'Problem', 'State'], leftOut: [], folded: true})
    expect(fitted.columns[1]?.cells).toEqual([['the quick brown fox jumps over', 'the lazy dog']])
  })

  test('a long name is folded, not cut', () => {
    const {columns} = fit([column('Name', ['rack1-host1.datacentre-one.example.com'])], 20)
    expect(columns[0]?.cells).toEqual([['rack1-host1.', 'datacentre-one.', 'example.com']])
  })

  test('any table fits, and without ids nothing of what is shown is lost', async () => {
    const text = fc.oneof(fc.string({maxLength: 60}).map((some) => some.replaceAll(/[^\x21-\x7e]/g, 'x')), fc.constantFrom('日本語のテキスト', '', 'words in a row, with commas', 'a'.repeat(64)))
    const table = fc.integer({min: 1, max: 5}).chain((count) => fc.record({rows: fc.array(fc.array(text, {minLength: count, maxLength: count}), {maxLength: 4}), ranks: fc.array(fc.nat(3), {minLength: count, maxLength: count}), prose: fc.array(fc.boolean(), {minLength: count, maxLength: count})}))
    await fc.assert(
      fc.asyncProperty(table, fc.integer({min: 60, max: 200}), async ({rows, ranks, prose}, room) => {
        const columns = ranks.map((rank, at) => column(`Header ${at}`, rows.map((row) => row[at] ?? ''), {rank: at === 0 ? 0 : rank, prose: prose[at]}))
        const fitted = fit(columns, room)
        const drawn = await renderTable(fitted.columns.map(({header}) => header), rows.map((_, at) => fitted.columns.map(({cells}) => cells[at] ?? [])))
        expect(Math.max(...drawn.split('\n').map(textWidth))).toBeLessThanOrEqual(room)
        expect([...headers(fitted), ...fitted.leftOut].sort()).toEqual(columns.map(({header}) => header).sort())
        for (const {header, cells} of fitted.columns) {
          const whole = columns.find((each) => each.header === header.join(' '))
          expect(cells.map((lines) => lines.join('').replaceAll(' ', ''))).toEqual(whole?.cells.map((lines) => lines.join('').replaceAll(' ', '')))
        }
      }),
    )
  })
})

test('foldText: no line is wider, nothing but spaces is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'bb', ' ', '-', '日', 'long', '/', ',')), fc.integer({min: 2, max: 12}), (parts, width) => {
      const text = parts.join('')
      const lines = foldText(text, width)
      expect(Math.max(0, ...lines.map((line) => textWidth(line.trim())))).toBeLessThanOrEqual(width)
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
    }),
  )
})

test.each([['abc', 3], ['日本', 4], ['e\u0301', 1], ['é', 1], ['', 0]])('textWidth of %j is %i', (text, width) => {
  expect(textWidth(text)).toBe(width)
})
