import type {OwnContent, OwnKind} from '../../documents/own.js'
import {shortId} from '../../model/display-name.js'
import type {Resource} from '../../model/resource.js'
import type {Alignment} from './table.js'

/** The formats of `-o`. */
export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'plain', 'name'] as const
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

export interface Column<Row> {
  readonly header: string
  /** The cell's text, or its lines. A line feed in a text is none of these: it is escaped. */
  readonly value: (row: Row) => string | readonly string[]
  /** Only in `wide` and `plain`. */
  readonly wide?: boolean
  /** On a terminal that is too narrow for the whole table: the cell with its ids shortened. */
  readonly short?: (row: Row) => string | readonly string[]
  /** On a terminal that is too narrow: sentences, which are folded before other columns are left out. */
  readonly prose?: boolean
  /** On a terminal that is too narrow: the higher, the earlier the column is left out; absent = never. */
  readonly rank?: number
  /** Command lines to be copied: on a terminal where one would have to be folded in its column, the rows of the table are written as blocks of lines. */
  readonly command?: boolean
  /** What `plain` has in place of a value that tables abbreviate. */
  readonly plain?: (row: Row) => string
}

/** Draws ROWS as a table of COLUMNS that fits the screen; its lines. */
export type Grid = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], alignment?: Alignment) => Promise<readonly string[]>

/** What a showing command found, and how each format shows it. */
export interface Presentation<Row> {
  readonly rows: Iterable<Row> | AsyncIterable<Row>
  readonly columns: readonly Column<Row>[]
  /** The object's name for `-o name`, as other commands take it. */
  readonly name: (row: Row) => string
  /** What `-o json` and `-o yaml` show, given the rows. */
  readonly document: (rows: readonly Row[]) => unknown
  /** Where the document is no more than a frame around a list, with an item for each row: so it can be written while the rows come. */
  readonly growing?: {readonly list: string; readonly itemOf: (row: Row) => unknown}
  /** The columns of `-o table` on a terminal, where they are not the `columns`. */
  readonly terminal?: readonly Column<Row>[]
  /** v0.20 had this table: in a pipe it is as it was, with cells that are blank. */
  readonly former?: boolean
  /** Replaces the grid of `-o table` where v0.20 showed something else: its lines. GRID draws the tables in it. */
  readonly text?: (rows: readonly Row[], grid: Grid) => readonly string[] | Promise<readonly string[]>
  /** The `text` is sentences: on a terminal, a line too long for it goes on in the next one, further in. */
  readonly sentences?: boolean
  /** Whether `-o wide` shows the `text` too, with all columns. */
  readonly wideText?: boolean
  /** BGP peers are left-aligned (cli-v0.20 §1.6). */
  readonly alignment?: Alignment
  /** Whether v0.20 printed a blank line after the grid. */
  readonly blankAfter?: boolean
}

/** Where output is seen, and where notes about it go. */
export interface Screen {
  /** How wide the terminal is, 0 if that is unknown; undefined = stdout is no terminal. */
  readonly width?: number | undefined
  /** Receives what a shell must not get, as a warning. */
  readonly warn: (text: string) => void
  /** Receives what a table leaves out, in lines, after the table. */
  readonly leftOut?: (lines: readonly string[]) => void
}

/** CELL in lines. */
export const cellLines = (cell: string | readonly string[]): readonly string[] => (typeof cell === 'string' ? [cell] : cell)

/** A list of resources as Go's calicoctl shows it (decisions.md 4); REVISION is the one at which they were read. */
export function resourceList(listKind: string, items: readonly Resource[], revision?: bigint): unknown {
  return {kind: listKind, apiVersion: 'projectcalico.org/v3', metadata: revision === undefined ? {} : {resourceVersion: revision.toString()}, items}
}

/** What is not a resource, as a document of ours (decisions.md 4): CONTENT has the shape that `calicoctl schema` prints for KIND. */
export function ownDocument<K extends OwnKind>(kind: K, content: OwnContent<K>): {readonly apiVersion: 'calicoctl/v1'; readonly kind: K} & OwnContent<K> {
  return {apiVersion: 'calicoctl/v1', kind, ...content}
}

/** TEXT with each id in it so shortened: those of handles, names of stored endpoints and the like. */
export const shortIds = (text: string): string => text.replaceAll(/(?<![0-9a-z])[0-9a-f]{20,}(?![0-9a-z])/g, shortId)

/** NETWORKS as addresses, where they are single ones; a line each. */
export const shortNetworks = (networks: readonly string[]): readonly string[] => networks.map((network) => network.replace(/\/(32|128)$/, ''))
