import type {Resource} from '../../model/resource.js'

/** The formats of `-o`. */
export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'plain', 'name'] as const
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

export interface Column<Row> {
  readonly header: string
  /** The cell's text, or its lines. A line feed in a text is none of these: it is escaped. */
  readonly value: (row: Row) => string | readonly string[]
  /** Only in `wide` and `plain`. */
  readonly wide?: boolean
}

/** What a showing command found, and how each format shows it. */
export interface Presentation<Row> {
  readonly rows: Iterable<Row> | AsyncIterable<Row>
  readonly columns: readonly Column<Row>[]
  /** The object's name for `-o name`, as other commands take it. */
  readonly name: (row: Row) => string
  /** What `-o json` and `-o yaml` show, given the rows. */
  readonly document: (rows: readonly Row[]) => unknown
  /** Replaces the grid of `-o table` where v0.20 showed something else: its lines. */
  readonly text?: (rows: readonly Row[]) => readonly string[] | Promise<readonly string[]>
  /** BGP peers are left-aligned (cli-v0.20 §1.6). */
  readonly alignment?: 'center' | 'left'
  /** Whether v0.20 printed a blank line after the grid. */
  readonly blankAfter?: boolean
}

/** A list of resources as Go's calicoctl shows it (decisions.md 4); REVISION is the one at which they were read. */
export function resourceList(listKind: string, items: readonly Resource[], revision?: bigint): unknown {
  return {kind: listKind, apiVersion: 'projectcalico.org/v3', metadata: revision === undefined ? {} : {resourceVersion: revision.toString()}, items}
}

/** What is not a resource, as a document of ours (decisions.md 4). */
export function ownDocument(kind: string, content: object): unknown {
  return {apiVersion: 'calicoctl/v1', kind, ...content}
}
