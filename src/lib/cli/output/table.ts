import {escapeText} from '../../printable.js'
import {breathe, piecesOf} from './pieces.js'
import {textWidth} from './text-width.js'

export type Alignment = 'center' | 'left'

/** A text, or its lines. */
export type Cell = string | readonly string[]

/** The ASCII borders of v0.20's tables; scripts split its rows on `|`. */
const BORDERS = {
  'top': '-', 'top-mid': '+', 'top-left': '+', 'top-right': '+',
  'bottom': '-', 'bottom-mid': '+', 'bottom-left': '+', 'bottom-right': '+',
  'left': '|', 'left-mid': '+', 'mid': '-', 'mid-mid': '+', 'right': '|', 'right-mid': '+', 'middle': '|',
}

/**
 * A table as v0.20 drew it (cli-v0.20 §1.6): a rule, the header, a rule, the rows, a rule; cells centred, or left-aligned for BGP peers.
 * A cell is a text or several lines; what is not printable in them is escaped. Ends without a line feed.
 */
export async function renderTable(headers: readonly Cell[], rows: readonly (readonly Cell[])[], alignment: Alignment = 'center'): Promise<string> {
  const {default: Table} = await import('cli-table3')
  const cells: string[][][] = []
  for (const piece of piecesOf([headers, ...rows])) {
    for (const row of piece) cells.push(row.map((cell) => (typeof cell === 'string' ? [cell] : cell).map(escapeText)))
    await breathe()
  }
  const widths = headers.map((_, column) => greatest(cells.map((row) => greatest((row[column] ?? ['']).map(textWidth)))))
  const aligned = (row: readonly string[][]): string[] => row.map((lines, column) => lines.map((line) => align(line, widths[column] ?? 0, alignment)).join('\n'))
  const [head = [], ...body] = cells
  const draw = (some: readonly string[][], {colWidths = [], withHead = false}: {colWidths?: readonly number[]; withHead?: boolean}): {lines: string[]; colWidths: readonly number[]} => {
    const table = new Table({...(withHead && {head: aligned(head)}), chars: BORDERS, colWidths: [...colWidths], style: {head: [], border: [], compact: true}})
    for (const row of some) table.push(row)
    const lines = table.toString().split('\n')
    return {lines, colWidths: table.options.colWidths.map((w) => w ?? 0)}
  }
  const only = draw([], {withHead: true})
  if (body.length === 0) {
    const [top = '', ...rest] = only.lines
    return [top, ...rest.slice(0, greatest(head.map(({length}) => length))), top, top].join('\n')
  }
  // cli-table3 takes time by the square of the rows: it draws pieces of the table, all with the columns that the whole of it needs.
  const pieces = [...piecesOf(body, DRAWN_TOGETHER)]
  let colWidths = only.colWidths
  for (const piece of pieces) {
    const needed = piece.every(isAscii) ? widths.map((w) => w + PADDING) : draw(piece.map(aligned), {}).colWidths
    colWidths = colWidths.map((w, column) => Math.max(w, needed[column] ?? 0))
    await breathe()
  }
  const rule = `+${colWidths.map((w) => '-'.repeat(w)).join('+')}+`
  const texts = [...draw([], {colWidths, withHead: true}).lines.slice(0, -1), rule]
  for (const piece of pieces) {
    const rows = piece.map(aligned)
    // Much faster, and the same.
    if (piece.every(isAscii)) texts.push(rows.map((row) => asciiLines(row, colWidths)).join('\n'))
    else texts.push(draw(rows, {colWidths}).lines.slice(1, -1).join('\n'))
    await breathe()
  }
  return [...texts, rule].join('\n')
}

/** ROW of texts in which each character takes one column, as cli-table3 draws it. */
function asciiLines(row: readonly string[], colWidths: readonly number[]): string {
  const cells = row.map((text) => text.split('\n'))
  const height = greatest(cells.map(({length}) => length))
  const lineOf = (number: number): string => cells.map((lines, column) => ` ${(lines[number] ?? '').padEnd((colWidths[column] ?? 0) - PADDING)} `).join('|')
  return Array.from({length: height}, (_, number) => `|${lineOf(number)}|`).join('\n')
}

const DRAWN_TOGETHER = 20

/** cli-table3's, left and right. */
export const PADDING = 2

/** Whether each character of ROW takes one column. */
const isAscii = (row: readonly (readonly string[])[]): boolean => row.every((lines) => lines.every((line) => /^[\x20-\x7e]*$/.test(line)))

/** The greatest of NUMBERS, of which there may be many; 0 if there is none. */
function greatest(numbers: readonly number[]): number {
  let most = 0
  for (const number of numbers) if (number > most) most = number
  return most
}

/** TEXT centred in WIDTH columns as prettytable does: an odd surplus goes right if the text's length is odd, else left. */
function align(text: string, columns: number, alignment: Alignment): string {
  const surplus = columns - textWidth(text)
  if (alignment === 'left') return text + ' '.repeat(surplus)
  const left = Math.floor(surplus / 2) + (surplus % 2 === 1 && textWidth(text) % 2 === 0 ? 1 : 0)
  return ' '.repeat(left) + text + ' '.repeat(surplus - left)
}
