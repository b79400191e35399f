/** Which columns of a table fit a terminal, and how their cells are written there: pure, on texts that are escaped already. */
import {PADDING} from './table.js'
import {foldText, textWidth} from './text-width.js'

/** One column of a table, with the cells of all rows. */
export interface FitColumn {
  readonly header: string
  /** Each cell in lines, whole. */
  readonly cells: readonly (readonly string[])[]
  /** The same with ids shortened; absent = there is nothing to shorten. */
  readonly short?: readonly (readonly string[])[] | undefined
  /** Sentences: they are written in several lines before anything is left out. */
  readonly prose?: boolean | undefined
  /** The higher, the earlier it is left out; 0 or absent = never. */
  readonly rank?: number | undefined
  /** Command lines, see Column. */
  readonly command?: boolean | undefined
}

/** A table as it fits. */
export interface Fitted {
  readonly columns: readonly {readonly header: readonly string[]; readonly cells: readonly (readonly string[])[]}[]
  /** The headers of the columns that did not fit, in their order. */
  readonly leftOut: readonly string[]
  /** Whether cells were written in more lines than they have. */
  readonly folded: boolean
}

/** Sentences get at least so many columns before something else is left out for them. */
const PROSE_WIDTH = 24

/** Nothing is made narrower than this. */
const LEAST_WIDTH = 6

/**
 * COLUMNS in a table that is at most LINEWIDTH wide. One step after the other, until it fits: ids are shortened; sentences and headers are folded; columns are left out by
 * rank, and those that still fit come back; at last, any cell is folded, the widest column first. What is shown is never cut but for ids.
 */
export function fit(columns: readonly FitColumn[], lineWidth: number): Fitted {
  if (total(columns.map(wholeWidth)) <= lineWidth) return {columns: columns.map(({header, cells}) => ({header: [header], cells})), leftOut: [], folded: false}
  const measured = columns.map((column): Measured => measure({...column, cells: column.short ?? column.cells}))
  const least = (kept: readonly Measured[]): number => total(kept.map(({least: width}) => width))
  let kept = measured
  for (const column of byRank(measured)) {
    if (least(kept) <= lineWidth) break
    kept = kept.filter((each) => each !== column)
  }
  for (const column of byRank(measured).reverse()) {
    const more = measured.filter((each) => each === column || kept.includes(each))
    if (!kept.includes(column) && least(more) <= lineWidth) kept = more
  }
  const widths = share(kept, lineWidth)
  const shown = kept.map(({column: {header, cells}}, at) => {
    const width = widths[at] ?? LEAST_WIDTH
    return {header: foldText(header, width), cells: cells.map((lines) => (lines.every((line) => textWidth(line) <= width) ? lines : lines.flatMap((line) => foldText(line, width))))}
  })
  return {
    columns: shown,
    leftOut: measured.filter((column) => !kept.includes(column)).map(({column: {header}}) => header),
    folded: shown.some(({cells}, at) => cells.some(({length}, row) => length !== kept[at]?.column.cells[row]?.length)),
  }
}

interface Measured {
  readonly column: FitColumn
  /** All cells in one line each. */
  readonly whole: number
  /** The header, with it. */
  readonly wanted: number
  /** What it needs before others are left out for it. */
  readonly least: number
}

function measure(column: FitColumn): Measured {
  const {header, cells, prose = false} = column
  const whole = widest(cells)
  const word = Math.max(...header.split(' ').map(textWidth))
  return {column, whole, wanted: Math.max(whole, textWidth(header)), least: Math.max(word, prose ? Math.min(whole, PROSE_WIDTH) : whole)}
}

/** The width of each of COLUMNS: what it wants where that fits, else less, the widest first, sentences before all others. */
function share(columns: readonly Measured[], lineWidth: number): number[] {
  const widths = columns.map(({wanted}) => wanted)
  const shrink = (least: readonly number[]): void => {
    while (total(widths) > lineWidth) {
      const able = widths.flatMap((width, at) => (width > (least[at] ?? 0) ? [at] : []))
      if (able.length === 0) return
      const widest = able.reduce((most, at) => ((widths[at] ?? 0) > (widths[most] ?? 0) ? at : most))
      widths[widest] = (widths[widest] ?? 0) - 1
    }
  }
  shrink(columns.map(({column: {prose = false}, least, wanted}) => (prose ? least : wanted)))
  shrink(columns.map(({least}) => least))
  shrink(columns.map(() => LEAST_WIDTH))
  return widths
}

const byRank = (columns: readonly Measured[]): Measured[] => columns.filter(({column: {rank = 0}}) => rank > 0).sort((a, b) => (b.column.rank ?? 0) - (a.column.rank ?? 0))

const wholeWidth = ({header, cells}: FitColumn): number => Math.max(textWidth(header), widest(cells))

function widest(cells: readonly (readonly string[])[]): number {
  let most = 0
  for (const lines of cells) for (const line of lines) most = Math.max(most, textWidth(line))
  return most
}

/** The width of a table whose columns have WIDTHS. */
function total(widths: readonly number[]): number {
  let sum = 1
  for (const width of widths) sum += width + PADDING + 1
  return sum
}
