import {escapeText} from '../../printable.js'
import {breathe, PIECE} from './pieces.js'
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

/** The table of {@link drawTable} as one text, without a line feed at its end. */
export async function renderTable(headers: readonly Cell[], rows: Rows, alignment?: Alignment): Promise<string> {
  let text = ''
  for await (const piece of drawTable(headers, rows, alignment)) text += piece
  return text.slice(0, -1)
}

type Rows = AsyncIterable<readonly Cell[]> | Iterable<readonly Cell[]>

/**
 * A table as v0.20 drew it (cli-v0.20 §1.6), in pieces of lines: a rule, the header, a rule, the rows, a rule; cells centred, or left-aligned for BGP peers.
 * A cell is a text or several lines; what is not printable in them is escaped. Of each row, no more than one text is kept until the widths are known.
 */
export async function* drawTable(headers: readonly Cell[], rows: Rows, alignment: Alignment = 'center'): AsyncGenerator<string> {
  const {default: Table} = await import('cli-table3')
  const head = headers.map(escapedLines)
  const widths = head.map(widest)
  const packed: string[] = []
  /** The starts of pieces in which a character may take more or less than one column. */
  const uneven = new Set<number>()
  for await (const row of rows) {
    const cells = row.map(escapedLines)
    for (const [column, lines] of cells.entries()) widths[column] = Math.max(widths[column] ?? 0, widest(lines))
    if (!isAscii(cells)) uneven.add(packed.length - (packed.length % DRAWN_TOGETHER))
    packed.push(pack(cells))
    if (packed.length % PIECE === 0) await breathe()
  }
  const aligned = (row: readonly (readonly string[])[]): string[] => row.map((lines, column) => lines.map((line) => align(line, widths[column] ?? 0, alignment)).join('\n'))
  const pieceAt = (start: number): string[][] => packed.slice(start, start + DRAWN_TOGETHER).map((row) => aligned(unpack(row)))
  const draw = (some: readonly string[][], {colWidths = [], withHead = false}: {colWidths?: readonly number[]; withHead?: boolean}): {lines: string[]; colWidths: readonly number[]} => {
    const table = new Table({...(withHead && {head: aligned(head)}), chars: BORDERS, colWidths: [...colWidths], style: {head: [], border: [], compact: true}})
    for (const row of some) table.push(row)
    const lines = table.toString().split('\n')
    return {lines, colWidths: table.options.colWidths.map((w) => w ?? 0)}
  }
  const only = draw([], {withHead: true})
  if (packed.length === 0) {
    const [top = '', ...rest] = only.lines
    yield linesText([top, ...rest.slice(0, greatest(head.map(({length}) => length))), top, top])
    return
  }
  // cli-table3 takes time by the square of the rows: it draws pieces of the table, all with the columns that the whole of it needs.
  let colWidths = only.colWidths
  for (const start of uneven) {
    const needed = draw(pieceAt(start), {}).colWidths
    colWidths = colWidths.map((w, column) => Math.max(w, needed[column] ?? 0))
    await breathe()
  }
  const rule = `+${colWidths.map((w) => '-'.repeat(w)).join('+')}+`
  yield linesText([...draw([], {colWidths, withHead: true}).lines.slice(0, -1), rule])
  for (let start = 0; start < packed.length; start += DRAWN_TOGETHER) {
    const piece = pieceAt(start)
    // Much faster, and the same.
    yield linesText(uneven.has(start) ? draw(piece, {colWidths}).lines.slice(1, -1) : piece.map((row) => asciiLines(row, colWidths)))
    await breathe()
  }
  yield linesText([rule])
}

const escapedLines = (cell: Cell): string[] => (typeof cell === 'string' ? [cell] : cell).map(escapeText)

const linesText = (lines: readonly string[]): string => `${lines.join('\n')}\n`

/** CELLS, in lines of printable texts, as one text. */
const pack = (cells: readonly (readonly string[])[]): string => cells.map((lines) => lines.join('\n')).join('\0')
const unpack = (row: string): string[][] => row.split('\0').map((cell) => cell.split('\n'))

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

const widest = (lines: readonly string[]): number => greatest(lines.map(textWidth))

/** TEXT centred in WIDTH columns as prettytable does: an odd surplus goes right if the text's length is odd, else left. */
function align(text: string, columns: number, alignment: Alignment): string {
  const surplus = columns - textWidth(text)
  if (alignment === 'left') return text + ' '.repeat(surplus)
  const left = Math.floor(surplus / 2) + (surplus % 2 === 1 && textWidth(text) % 2 === 0 ? 1 : 0)
  return ' '.repeat(left) + text + ' '.repeat(surplus - left)
}
