/** Tables without borders, as the Go calicoctl prints them (`-o ps`), and of chosen columns (`-o custom-columns=A,B`). */
import type {Stored} from '../../client/resources.js'
import {CalicoError} from '../../errors.js'
import type {KindInfo} from '../../model/kinds.js'
import {escapeText} from '../../printable.js'
import type {Column, Presentation} from '../../cli/output/presentation.js'
import {resourceColumns} from '../kind-columns.js'

/** Between two columns, and behind the last one. */
const GAP = '   '

/** Columns that no table shows by itself. */
const FURTHER: Readonly<Partial<Record<string, readonly Column<Stored>[]>>> = {
  WorkloadEndpoint: [{header: 'ORCHESTRATOR', value: ({resource}) => (resource.spec as {orchestrator?: string}).orchestrator ?? ''}],
}

/** The columns with the HEADINGS, of all that objects of KIND have. @throws CalicoError `invalid` naming those that there are */
export function chosenColumns({kind, namespaced}: KindInfo, headings: readonly string[]): readonly Column<Stored>[] {
  const all = [...resourceColumns(kind, {namespace: namespaced}), ...(FURTHER[kind] ?? [])]
  return headings.map((heading) => {
    const found = all.find(({header}) => header === heading)
    if (found === undefined) throw new CalicoError('invalid', `A ${kind} has no column '${heading}'.`, {hint: `Its columns: ${all.map(({header}) => header).join(', ')}`})
    return found
  })
}

/** PRESENTATION as a table without borders, of COLUMNS. */
export const bare = <Row, P extends Presentation<Row>>(presentation: P, columns: readonly Column<Row>[]): P => ({
  ...presentation,
  columns,
  text: (rows) => {
    const cells = [columns.map(({header}) => header), ...rows.map((row) => cellsOf(columns, row))]
    return bareLines(cells, widthsOf(cells))
  },
})

/** What ROW has in COLUMNS, as it is shown. */
export const cellsOf = <Row>(columns: readonly Column<Row>[], row: Row): string[] =>
  columns.map(({value}) => {
    const cell = value(row)
    return escapeText(typeof cell === 'string' ? cell : cell.join(','))
  })

/** The width of each column of CELLS. */
export const widthsOf = (cells: readonly (readonly string[])[]): number[] => (cells[0] ?? []).map((_, at) => cells.reduce((most, row) => Math.max(most, row[at]?.length ?? 0), 0))

/** CELLS as lines, columns at least as wide as WIDTHS. */
export const bareLines = (cells: readonly (readonly string[])[], widths: readonly number[]): string[] => cells.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0) + GAP).join(''))
