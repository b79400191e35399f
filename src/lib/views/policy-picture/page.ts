/** The picture as one HTML page, which needs nothing but a browser: its one style and script stand in it, and its policy allows only these two. */
import {createHash} from 'node:crypto'
import {escapeJson, escapeText} from '../../printable.js'
import {formatAddress, formatCidr} from '../../net/index.js'
import {type By, byKey} from '../../policy/by.js'
import type {Cell, Matrix, MatrixGroup} from '../../policy/matrix.js'
import {byText} from '../policy/explain.js'
import {type Arrow, type Box, type Drawing, pairsOf} from './drawing.js'
import type {Layout} from './layout.js'
import {PAGE_SCRIPT} from './script.js'
import {PAGE_STYLE, PICTURE_STYLE} from './style.js'
import {svgElement} from './svg.js'
import {arrowTitle, boxDetail, boxName, count, endpointsOf, groupName, isMutual} from './words.js'

/** Pairs of groups up to which the page has the rules of each pair; beyond, those of each arrow. */
const MOST_PAIRS = 10_000

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** VALUE as JSON that may stand in a script element. */
const scriptJson = (value: unknown): string => escapeJson(JSON.stringify(value)).replaceAll('<', String.raw`\u003c`)

/** DRAWING of MATRIX, placed by LAYOUT, as a page. */
export function htmlPage(matrix: Matrix, drawing: Drawing, layout: Layout): string {
  const style = `${PICTURE_STYLE}\n${PAGE_STYLE}`
  const endpoints = drawing.boxes.reduce((sum, box) => sum + endpointsOf(box), 0)
  const alike = drawing.boxes.some((box) => box.groups.length > 1)
  const help = [
    'A box is a group of endpoints that the rules treat alike. An arrow is the traffic that is allowed from one group to another; without an arrow, no traffic is allowed.',
    ...(alike ? ['Groups with the same incoming and outgoing flows share a box.'] : []),
    ...(drawing.arrows.some(({shape}) => shape === 'from' || shape === 'to') ? ['Flows that many groups have in common are a line in a box: ← incoming, → outgoing.'] : []),
    ...(layout.busy ? ['Because there are many arrows, they are faint: point at a box or choose it to highlight its arrows.'] : []),
    'Choose an arrow or a line in a box to see its rules, a box to see its endpoints.',
  ]
  const keys = [['/', 'find'], ['Tab', 'next'], ['← ↑ → ↓', 'the nearest in that direction'], ['Enter', 'choose; again: go to its text'], ['Esc', 'back'], ['+', 'larger'], ['-', 'smaller'], ['0', 'all of it']]
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(PAGE_SCRIPT)}; base-uri 'none'; form-action 'none'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>Who reaches whom</title>',
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<header>',
    '<h1>Who reaches whom</h1>',
    '<div class="find" role="search"><input id="search" type="search" autocomplete="off" spellcheck="false" placeholder="Find a group, endpoint, profile or address" aria-label="Find a group, endpoint, profile or address" aria-controls="results"><ul id="results" aria-label="Found" hidden></ul></div>',
    '<div><button type="button" id="smaller" aria-label="Smaller">−</button> <button type="button" id="larger" aria-label="Larger">+</button> <button type="button" id="fit">Fit</button></div>',
    '<ul class="legend"><li><span></span>some flows</li><li class="every"><span></span>all flows</li></ul>',
    '</header>',
    '<main>',
    `<div id="canvas">${svgElement(drawing, layout, 'id="picture" role="group" aria-label="Groups of endpoints, and the traffic between them"')}</div>`,
    '<aside id="panel" aria-label="What is chosen" tabindex="-1">',
    '<div id="chosen" aria-live="polite" hidden></div>',
    `<div id="nothing"><h2>${count(matrix.groups.length, 'group')}, ${count(endpoints, 'endpoint')}</h2>${matrix.groups.some(({type}) => type !== 'outside') ? '' : `<p><strong>${NO_ENDPOINTS}</strong></p>`}${help.map((text) => `<p>${text}</p>`).join('')}<p class="quiet">${keys.map(([key, does]) => `<kbd>${key ?? ''}</kbd> ${does ?? ''}`).join('<br>')}</p><details><summary>All boxes</summary><ul class="links" id="all"></ul></details></div>`,
    '</aside>',
    '</main>',
    `<script type="application/json" id="data">${scriptJson(pageData(matrix, drawing, layout))}</script>`,
    `<script>${PAGE_SCRIPT}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

export const NO_ENDPOINTS = 'There are no endpoints in the datastore, and no hosts with a host endpoint: only addresses outside are drawn.'

/** What the page's script shows; all texts are escaped. */
function pageData(matrix: Matrix, drawing: Drawing, layout: Layout): object {
  const rules = new Map<string, {number: number; text: string}>()
  const ruleNumber = (by: By): number => {
    const key = byKey(by)
    let known = rules.get(key)
    if (known === undefined) rules.set(key, (known = {number: rules.size, text: `${by.direction === 'egress' ? 'sender' : 'receiver'}: ${escapeText(byText(by))}`}))
    return known.number
  }
  const numbers = new Map(matrix.groups.map((group, index) => [group, index]))
  const cells = new Map(matrix.cells.map((cell) => [`${cell.from.id} ${cell.to.id}`, cell]))
  const cellsOf = (arrow: Arrow): Cell[] => [...pairsOf(arrow)].flatMap(([from, to]) => cells.get(`${from.id} ${to.id}`) ?? [])
  const places = new Map(layout.boxes.map(({box, x, y, width, height}) => [box, [x, y, width, height].map(Math.round)]))
  const near = arrowsByBox(drawing.arrows)
  const arrows = Object.fromEntries(drawing.arrows.map((arrow) => [arrow.id, arrowData(drawing, arrow, cellsOf(arrow), {ruleNumber, numbers, detailed: matrix.cells.length <= MOST_PAIRS})]))
  const boxes = Object.fromEntries(
    drawing.boxes.map((box) => [box.id, {name: escapeText(boxName(box)), detail: escapeText(boxDetail(box)), at: places.get(box), lines: (near.get(box) ?? []).filter(({shape}) => shape === 'lines').length, groups: box.groups.map((group) => numbers.get(group)), arrows: (near.get(box) ?? []).map(({id}) => id)}]),
  )
  return {groups: matrix.groups.map(groupData), boxes, arrows, rules: [...rules.values()].map(({text}) => text)}
}

function arrowsByBox(arrows: readonly Arrow[]): ReadonlyMap<Box, readonly Arrow[]> {
  const near = new Map<Box, Arrow[]>()
  for (const arrow of arrows) {
    for (const box of new Set([...arrow.senders, ...arrow.receivers])) {
      const known = near.get(box)
      if (known) known.push(arrow)
      else near.set(box, [arrow])
    }
  }
  return near
}

interface Numbering {
  readonly ruleNumber: (by: By) => number
  readonly numbers: ReadonlyMap<MatrixGroup, number>
  /** With the rules of each pair. */
  readonly detailed: boolean
}

function arrowData(drawing: Drawing, arrow: Arrow, cells: readonly Cell[], {ruleNumber, numbers, detailed}: Numbering): object {
  const counts = new Map<number, number>()
  const passesMore = ({flows: all}: Cell): boolean => all.join(' ') !== arrow.flows.join(' ')
  const exact = cells.filter((cell) => !passesMore(cell))
  // The rules of a cell are those of all that passes between the two. Where that is more than the arrow says, some may be of the rest.
  const more = cells.length - exact.length
  const pairs = cells.map((cell) => {
    const {from, to, by} = cell
    const own = [...new Set(by.map(ruleNumber))]
    if (exact.length === 0 || !passesMore(cell)) for (const rule of own) counts.set(rule, (counts.get(rule) ?? 0) + 1)
    return [numbers.get(from), numbers.get(to), passesMore(cell) ? cell.flows.map(escapeText).join(' ') : '', ...own]
  })
  const {senders, receivers, flows, shape} = arrow
  return {
    title: escapeText(arrowTitle(drawing, arrow)),
    shape,
    mutual: isMutual(arrow),
    from: senders.map(({id}) => id),
    to: receivers.map(({id}) => id),
    flows: flows.map(escapeText),
    count: exact.length || cells.length,
    ...(more > 0 ? {more} : {}),
    rules: [...counts],
    ...(detailed && (cells.length > 1 || more > 0) ? {pairs} : {}),
  }
}

function groupData(group: MatrixGroup): object {
  const {type, labels, profiles, node, networks, workloads, unknown} = group
  return {
    name: escapeText(groupName(group)),
    ...(unknown === undefined ? {} : {unknown: escapeText(unknown)}),
    ...(node === null || type === 'host' ? {} : {node: escapeText(node)}),
    ...(profiles.length > 0 ? {profiles: profiles.map(escapeText)} : {}),
    ...(Object.keys(labels).length > 0 ? {labels: Object.entries(labels).map(([label, value]) => escapeText(value === '' ? label : `${label}=${value}`))} : {}),
    ...(networks.length > 0 ? {networks: networks.map(formatCidr)} : {}),
    ...(workloads.length > 0 ? {endpoints: workloads.map((workload) => [...new Set([workload.name, workload.container, workload.shownWorkload].filter((text) => text !== undefined)), ...workload.addresses.map(formatAddress)].map(escapeText).join(' '))} : {}),
  }
}
