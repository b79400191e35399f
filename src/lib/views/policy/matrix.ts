/** `policy matrix`: who reaches whom, for people, for programs, and for spreadsheets. */
import type {OwnContent} from '../../documents/own.js'
import {ownDocument, type Presentation} from '../../cli/output/presentation.js'
import {escapeText} from '../../printable.js'
import type {Cell, Matrix, MatrixGroup} from '../../policy/matrix.js'
import {byText} from './explain.js'
import {formatCidr} from '../../net/index.js'

const endpoints = ({type, workloads}: MatrixGroup): string => (type === 'workloads' ? ` (${workloads.length})` : '')
const shown = (group: MatrixGroup): string => `${group.name}${endpoints(group)}`

/** MATRIX as a table with a row for each pair, and as a document. */
export const presentMatrix = ({groups, cells}: Matrix): Presentation<Cell> => ({
  rows: cells,
  columns: [
    {header: 'From', value: ({from}) => shown(from)},
    {header: 'To', value: ({to}) => shown(to)},
    {header: 'Flows', value: ({flows}) => flows.join(' ')},
    {header: 'By', wide: true, value: ({by}) => by.map(byText)},
  ],
  alignment: 'left',
  name: ({from, to}) => `${from.name}:${to.name}`,
  document: () => ownDocument('PolicyMatrix', {groups: groups.map(groupDocument), cells: cells.map(({from, to, flows, by}) => ({from: from.id, to: to.id, flows, by}))}),
})

/** GROUP as in the document of a matrix. */
const groupDocument = ({id, type, name, labels, profiles, node, networks, workloads, unknown}: MatrixGroup): OwnContent<'PolicyMatrix'>['groups'][number] => ({
  id,
  type,
  name,
  labels,
  profiles,
  node,
  ...(type === 'outside' ? {networks: networks.map(formatCidr)} : {}),
  ...(unknown === undefined ? {} : {unknown}),
  endpoints: workloads.map((workload) => workload.name),
})

/** A field of a CSV file (RFC 4180). */
const field = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** The cells of MATRIX as CSV: from,to,flows, by the names of the groups. */
export const matrixCsv = ({cells}: Matrix): string => [['from', 'to', 'flows'], ...cells.map(({from, to, flows}) => [from.name, to.name, flows.join(' ')])].map((fields) => `${fields.map((text) => field(escapeText(text))).join(',')}\n`).join('')

/** Warnings before the rest is only counted. */
const WARNINGS = 10

/** What is to be said about groups that have no cells because nothing can be determined about them; MORE says where the rest is reported. */
export function unknownNotes({groups}: Matrix, more: string): string[] {
  const notes = groups.flatMap((group) => (group.unknown === undefined ? [] : [`Warning: the traffic of ${shown(group)} cannot be determined: ${group.unknown}.`]))
  return notes.length > WARNINGS ? [...notes.slice(0, WARNINGS), `Warning: the same applies to ${notes.length - WARNINGS} more groups; ${more}.`] : notes
}
