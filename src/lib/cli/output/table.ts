import {escapeText} from '../../printable.js'
import {breathe, piecesOf} from './pieces.js'
import {textWidth} from './text-width.js'

export type Alignment = 'center' | 'left'

/** A text, or its lines. */
export type Cell = string | readonly string[]

/**
 * A table as v0.20 drew it (cli-v0.20 §1.6): a rule, the header, a rule, the rows, a rule; cells centred, or left-aligned for BGP peers.
 * A cell is a text or several lines; what is not printable in them is escaped. Ends without a line feed.
 */
export async function renderTable(headers: readonly Cell[], rows: readonly (readonly Cell[])[], alignment: Alignment = 'center'): Promise<string> {
  const cells: (readonly string[])[][] = []
  const widths = headers.map(() => 0)
  for (const piece of piecesOf([headers, ...rows])) {
    for (const row of piece) {
      const lines = row.map((cell) => (typeof cell === 'string' ? [cell] : cell).map(escapeText))
      for (const [column, texts] of lines.entries()) for (const text of texts) widths[column] = Math.max(widths[column] ?? 0, textWidth(text))
      cells.push(lines)
    }
    await breathe()
  }
  const rule = `+${widths.map((width) => '-'.repeat(width + PADDING)).join('+')}+`
  const drawn = (row: readonly (readonly string[])[]): string => rowLines(row, widths, alignment)
  const [head = [], ...body] = cells
  const texts = [rule, drawn(head), rule]
  for (const piece of piecesOf(body)) {
    texts.push(piece.map(drawn).join('\n'))
    await breathe()
  }
  return [...texts, rule].join('\n')
}

/** A space on the left and one on the right. */
export const PADDING = 2

/** ROW as lines: as many as its highest cell has. */
function rowLines(row: readonly (readonly string[])[], widths: readonly number[], alignment: Alignment): string {
  let height = 1
  for (const {length} of row) if (length > height) height = length
  const lines: string[] = []
  for (let number = 0; number < height; number++) lines.push(`| ${row.map((cell, column) => align(cell[number] ?? '', widths[column] ?? 0, alignment)).join(' | ')} |`)
  return lines.join('\n')
}

/** TEXT centred in WIDTH columns as prettytable does: an odd surplus goes right if the text's length is odd, else left. */
function align(text: string, columns: number, alignment: Alignment): string {
  const surplus = columns - textWidth(text)
  if (alignment === 'left') return text + ' '.repeat(surplus)
  const left = Math.floor(surplus / 2) + (surplus % 2 === 1 && textWidth(text) % 2 === 0 ? 1 : 0)
  return ' '.repeat(left) + text + ' '.repeat(surplus - left)
}
