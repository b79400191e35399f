import {escapeText} from '../../printable.js'

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
  const cells = [headers, ...rows].map((row) => row.map((cell) => (typeof cell === 'string' ? [cell] : cell).map(escapeText)))
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => Math.max(...(row[column] ?? ['']).map(width)))))
  const [head = [], ...body] = cells.map((row) => row.map((lines, column) => lines.map((line) => align(line, widths[column] ?? 0, alignment)).join('\n')))
  const rule = `+${widths.map((w) => '-'.repeat(w + 2)).join('+')}+`
  const table = new Table({head, chars: BORDERS, style: {head: [], border: [], compact: true}})
  if (body.length === 0) {
    const [top = rule, header = ''] = table.toString().split('\n')
    return [top, header, rule, rule].join('\n')
  }
  table.push(...body)
  return table.toString()
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
