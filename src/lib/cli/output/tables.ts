/** The tables of a presentation, as wide as the terminal allows. */
import {escapeText} from '../../printable.js'
import {fit, type FitColumn, type Fitted} from './fit.js'
import {blockLines} from './blocks.js'
import {breathe, piecesOf} from './pieces.js'
import {cellLines, type Grid, type Presentation, type Screen} from './presentation.js'
import {type Cell, renderTable} from './table.js'
import {foldText} from './text-width.js'

/** The width where a terminal tells none. */
const USUAL_WIDTH = 80

/** ALL rows of PRESENTATION as its table, or as its text with tables in it. */
export async function* renderTables<Row>(presentation: Presentation<Row>, all: readonly Row[], format: 'table' | 'wide', {width, leftOut: tell}: Screen): AsyncGenerator<string> {
  const {columns, terminal = columns, former = false, alignment: usual, text, sentences = false, wideText = false, blankAfter = false} = presentation
  const onTerminal = width !== undefined
  const lineWidth = width !== undefined && width > 0 ? width : USUAL_WIDTH
  const isWide = format === 'wide'
  const missing = new Set<string>()
  const blank = former && !isWide && !onTerminal ? [''] : ['<none>']
  const grid: Grid = async (some, rows, alignment = usual) => {
    const shown = some.filter(({wide}) => !wide || isWide)
    const cells = (value: (row: never) => string | readonly string[]): Promise<(readonly string[])[]> => mapped(rows, (row) => notBlank(cellLines(value(row as never)).map(escapeText), blank))
    const whole: FitColumn[] = []
    for (const {header, value, short, prose, rank, command} of shown) whole.push({header, cells: await cells(value), ...(onTerminal && !isWide && {short: short && (await cells(short)), prose, rank, command})})
    const fitted = onTerminal && !isWide ? fit(whole, lineWidth) : undefined
    if (fitted?.folded === true && whole.some((column) => column.command === true && isFolded(column, fitted.columns))) return blockLines(whole, lineWidth)
    const drawn: readonly {readonly header: Cell; readonly cells: readonly (readonly string[])[]}[] = fitted?.columns ?? whole
    for (const header of fitted?.leftOut ?? []) missing.add(header)
    const table = await renderTable(drawn.map(({header}) => header), rows.map((_, at) => drawn.map((column) => column.cells[at] ?? [])), fitted?.folded === true ? 'left' : alignment)
    return table.split('\n')
  }
  const asText = text !== undefined && (!isWide || wideText)
  const lines = asText ? (await text(all, grid)).map(escapeText).flatMap((line) => (onTerminal && sentences ? folded(line, lineWidth) : [line])) : await grid(onTerminal && !isWide ? terminal : columns, all)
  for (const piece of piecesOf(lines)) yield piece.map((line) => `${line}\n`).join('')
  if (blankAfter && !asText) yield '\n'
  if (missing.size > 0) tell?.(foldText(`Columns left out to fit the terminal: ${[...missing].join(', ')}. For all columns, use -o wide.`, lineWidth))
}

/** LINE folded to LINEWIDTH, each part indented as it is. */
function folded(line: string, lineWidth: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? ''
  return foldText(line.slice(indent.length), lineWidth - indent.length).map((each) => `${indent}${each}`)
}

/** Whether a cell of COLUMN has more lines among FITTED, the columns that are shown. */
const isFolded = ({header, cells}: FitColumn, fitted: Fitted['columns']): boolean =>
  fitted.some((shown) => shown.header.join(' ') === header && shown.cells.some(({length}, row) => length !== cells[row]?.length))

/** What MAKE makes of each of ROWS; others have their turn meanwhile. */
async function mapped<Row, T>(rows: readonly Row[], make: (row: Row) => T): Promise<T[]> {
  const made: T[] = []
  for (const piece of piecesOf(rows)) {
    for (const row of piece) made.push(make(row))
    await breathe()
  }
  return made
}

const notBlank = (lines: readonly string[], blank: readonly string[]): readonly string[] => (lines.every((line) => line === '') ? blank : lines)
