/** The picture in the language of Graphviz, which places it anew: the same boxes, the same arrows. */
import {escapeText} from '../../printable.js'
import {type Arrow, type Box, type Drawing, groupsIn} from './drawing.js'
import {boxDetail, boxName, groupName, passesAll, rowText} from './words.js'

/** Groups of a box that are named in it. */
const NAMED = 12

/** LINES as a text in quotes. Graphviz reads backslashes and the entities of HTML in it. */
const quoted = (lines: readonly string[]): string => `"${lines.map((line) => escapeText(line).replaceAll('&', '&amp;').replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)).join(String.raw`\n`)}"`

const SHAPES = {workloads: 'box', host: 'component', outside: 'box'} as const
const STYLES = {workloads: 'rounded', host: 'solid', outside: 'rounded,dashed'} as const

/** DRAWING as a directed graph. */
export function dotText(drawing: Drawing): string {
  const rows = new Map<Box, string[]>(drawing.boxes.map((box) => [box, []]))
  for (const arrow of drawing.arrows) {
    if (arrow.shape === 'lines') continue
    for (const box of arrow.shape === 'from' ? arrow.receivers : arrow.senders) rows.get(box)?.push(rowText(drawing, arrow, box))
  }
  return [
    'digraph policy {',
    '  graph [rankdir=LR, charset="UTF-8"];',
    '  node [fontname="sans-serif", fontsize=12];',
    '  edge [fontname="sans-serif", fontsize=10, color="#00609c"];',
    ...drawing.boxes.map((box) => node(box, rows.get(box) ?? [])),
    ...drawing.arrows.filter(({shape}) => shape === 'lines').flatMap(edges),
    '}',
    '',
  ].join('\n')
}

function node(box: Box, rows: readonly string[]): string {
  const {groups} = box
  const [first] = groups
  const type = first?.type ?? 'outside'
  const names = groups.length > 1 ? [...groups.slice(0, NAMED).map(groupName), ...(groups.length > NAMED ? [`and ${groups.length - NAMED} more`] : [])] : [boxName(box)]
  return `  ${box.id} [shape=${SHAPES[type]}, style=${quoted([first?.unknown === undefined ? STYLES[type] : 'dotted'])}, label=${quoted([...names, groupsIn([box]) > 1 || type === 'workloads' ? `(${boxDetail(box)})` : '', ...rows].filter((line) => line !== ''))}];`
}

function edges({id, senders, receivers, flows}: Arrow): string[] {
  const look = passesAll(flows) ? ', color="#b34400", penwidth=2' : ''
  const label = quoted([flows.join(' ')])
  const [from, to] = [senders[0], receivers.find((box) => box !== senders[0])]
  const ends = [...new Set([...senders, ...receivers])]
  if (ends.length === 2 && from && to) return [`  ${from.id} -> ${to.id} [label=${label}${senders.length > 1 ? ', dir=both' : ''}${look}];`]
  const [sending, receiving] = [new Set(senders), new Set(receivers)]
  const lines = ends.map((box) => {
    if (!receiving.has(box)) return `  ${box.id} -> ${id} [arrowhead=none${look}];`
    return sending.has(box) ? `  ${box.id} -> ${id} [dir=both${look}];` : `  ${id} -> ${box.id} [dir=forward${look}];`
  })
  return [`  ${id} [shape=plain, label=${label}];`, ...lines]
}
