import {escapeText} from '../../printable.js'
import {breathe, piecesOf} from './pieces.js'

type Alignment = 'center' | 'left'

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
export async function renderTable(headers: readonly string[], rows: readonly (readonly (string | readonly string[])[])[], alignment: Alignment = 'center'): Promise<string> {
  const {default: Table} = await import('cli-table3')
  const cells: string[][][] = []
  for (const piece of piecesOf([headers, ...rows])) {
    for (const row of piece) cells.push(row.map((cell) => (typeof cell === 'string' ? [cell] : cell).map(escapeText)))
    await breathe()
  }
  const widths = headers.map((_, column) => greatest(cells.map((row) => greatest((row[column] ?? ['']).map(width)))))
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
    const [top = '', header = ''] = only.lines
    return [top, header, top, top].join('\n')
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
const PADDING = 2

/** Whether each character of ROW takes one column. */
const isAscii = (row: readonly (readonly string[])[]): boolean => row.every((lines) => lines.every((line) => /^[\x20-\x7e]*$/.test(line)))

/** The greatest of NUMBERS, of which there may be many; 0 if there is none. */
function greatest(numbers: readonly number[]): number {
  let most = 0
  for (const number of numbers) if (number > most) most = number
  return most
}

/** Columns that TEXT takes; escaped text has no control characters, and wide characters are cli-table3's to count. */
const width = (text: string): number => text.length

/** TEXT centred in WIDTH columns as prettytable does: an odd surplus goes right if the text's length is odd, else left. */
function align(text: string, columns: number, alignment: Alignment): string {
  if (alignment === 'left') return text.padEnd(columns)
  const surplus = columns - width(text)
  const left = Math.floor(surplus / 2) + (surplus % 2 === 1 && width(text) % 2 === 0 ? 1 : 0)
  return ' '.repeat(left) + text + ' '.repeat(surplus - left)
}
