/** The tables of a presentation, as wide as the terminal allows. */
import {escapeText} from '../../printable.js'
import {fit, type FitColumn, type Fitted} from './fit.js'
import {blockLines} from './blocks.js'
import {breathe, piecesOf} from './pieces.js'
import {cellLines, type Column, type Grid, type Presentation, type Screen} from './presentation.js'
import {type Cell, drawTable, renderTable} from './table.js'
import {foldText, textWidth} from './text-width.js'

/** The width where a terminal tells none. */
const USUAL_WIDTH = 80

/** The rows of PRESENTATION as its table, or as its text with tables in it. */
export async function* renderTables<Row>(presentation: Presentation<Row>, format: 'table' | 'wide', {width, leftOut: report}: Screen): AsyncGenerator<string> {
  const {columns, terminal = columns, former = false, alignment: usual, text, sentences = false, wideText = false, blankAfter = false} = presentation
  const onTerminal = width !== undefined
  const lineWidth = width !== undefined && width > 0 ? width : USUAL_WIDTH
  const isWide = format === 'wide'
  const fits = onTerminal && !isWide
  const asText = text !== undefined && (!isWide || wideText)
  const missing = new Set<string>()
  const blank = former && !isWide && !onTerminal ? [''] : ['<none>']
  const shownOf = <R>(some: readonly Column<R>[]): Column<R>[] => some.filter(({wide}) => !wide || isWide)
  if (!fits && !asText) {
    const shown = shownOf(columns)
    yield* drawTable(shown.map(({header}) => header), cellsOf(presentation.rows, (row) => shown.map(({value}) => notBlank(cellLines(value(row)), blank))), usual)
    if (blankAfter) yield '\n'
    return
  }
  const all: Row[] = []
  for await (const row of presentation.rows) all.push(row)
  const grid: Grid = async (some, rows, alignment = usual) => {
    const shown = shownOf(some)
    const cells = (value: (row: never) => string | readonly string[]): Promise<(readonly string[])[]> => mapped(rows, (row) => notBlank(cellLines(value(row as never)).map(escapeText), blank))
    const whole: FitColumn[] = []
    for (const {header, value, short, prose, rank, command} of shown) whole.push({header, cells: await cells(value), ...(fits && {short: short && (await cells(short)), prose, rank, command})})
    const fitted = fits ? fit(whole, lineWidth) : undefined
    if (fitted?.folded === true && whole.some((column) => column.command === true && isFolded(column, fitted.columns))) return blockLines(whole, lineWidth)
    const drawn: readonly {readonly header: Cell; readonly cells: readonly (readonly string[])[]}[] = fitted?.columns ?? whole
    for (const header of fitted?.leftOut ?? []) missing.add(header)
    const table = await renderTable(drawn.map(({header}) => header), rows.map((_, at) => drawn.map((column) => column.cells[at] ?? [])), fitted?.folded === true ? 'left' : alignment)
    return table.split('\n')
  }
  const lines = asText ? (await text(all, grid)).map(escapeText).flatMap((line) => (onTerminal && sentences ? folded(line, lineWidth) : [line])) : await grid(fits ? terminal : columns, all)
  for (const piece of piecesOf(lines)) yield piece.map((line) => `${line}\n`).join('')
  if (blankAfter && !asText) yield '\n'
  if (missing.size > 0) report?.(foldText(`Columns left out to fit the terminal: ${[...missing].join(', ')}. For all columns, use -o wide.`, lineWidth))
}

/** The cells that MAKE makes of each of ROWS, of which none is kept. */
async function* cellsOf<Row>(rows: Iterable<Row> | AsyncIterable<Row>, make: (row: Row) => readonly Cell[]): AsyncGenerator<readonly Cell[]> {
  for await (const row of rows) yield make(row)
}

/** LINE folded to LINEWIDTH: its further parts are indented by two more. */
function folded(line: string, lineWidth: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? ''
  if (textWidth(line) <= lineWidth) return [line]
  return foldText(line.slice(indent.length), lineWidth - indent.length - 2).map((each, at) => `${indent}${at === 0 ? '' : '  '}${each}`)
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
