/** The picture as SVG: an image of its own, or the middle of the page. */
import {escapeText} from '../../printable.js'
import type {Arrow, Drawing} from './drawing.js'
import type {Axis, Layout, Line, PlacedArrow, PlacedBox, Point, Text} from './layout.js'
import {PICTURE_STYLE} from './style.js'
import {arrowTitle, boxDetail, boxName, passesAll} from './words.js'

/** TEXT in XML or HTML, in an element or an attribute; nothing of it steers anything. */
const markup = (text: string): string => escapeText(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** DRAWING, placed by LAYOUT, as an element `svg` with the attributes MORE. Boxes and arrows have their ids; lines and texts in boxes name their arrow in `data-arrow`. */
export function svgElement(drawing: Drawing, {width, height, boxes, arrows, headings, busy}: Layout, more: string): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"${busy ? ' class="busy"' : ''} ${more}>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    ...headings.map(textElement),
    ...arrows.map(wires),
    ...boxes.map((box) => boxElement(drawing, box)),
    ...arrows.map((arrow) => label(drawing, arrow)),
    '</svg>',
  ].join('\n')
}

/** The same as an image that stands alone. */
export const svgImage = (drawing: Drawing, layout: Layout): string => {
  const [start, ...rest] = svgElement(drawing, layout, 'role="img" aria-label="Who reaches whom"').split('\n')
  return ['<?xml version="1.0" encoding="UTF-8"?>', start, '<title>Who reaches whom</title>', `<style>${PICTURE_STYLE}</style>`, ...rest, ''].join('\n')
}

const number = (value: number): string => String(Math.round(value * 10) / 10)
const at = ({x, y}: Point): string => `${number(x)} ${number(y)}`

const kindOf = ({flows}: Arrow): string => (passesAll(flows) ? 'all' : 'some')

const button = (title: string, {id}: Arrow): string => `tabindex="0" role="button" aria-label="${markup(title)}" data-arrow="${id}"`

const wires = ({arrow, lines}: PlacedArrow): string => lines.map((line) => `<g class="wire ${kindOf(arrow)}" data-arrow="${arrow.id}" data-end="${line.box.id}">${wire(line)}</g>`).join('')

function wire({points, axis, start, end}: Line): string {
  const path = curve(points, axis)
  const [first, second, before, last] = [points[0], points[1], points.at(-2), points.at(-1)]
  const heads = [start && first && second ? head(second, first, axis) : '', end && before && last ? head(before, last, axis) : ''].filter((one) => one !== '')
  return `<path class="hit" d="${path}"/><path class="line" d="${path}"/>${heads.map((one) => `<path class="head" d="${one}"/>`).join('')}`
}

function label(drawing: Drawing, {arrow, label: {x, y, width, height, text}}: PlacedArrow): string {
  const title = arrowTitle(drawing, arrow)
  return `<g id="${arrow.id}" class="arrow ${kindOf(arrow)}" ${button(title, arrow)}><title>${markup(title)}</title><rect class="pill" x="${number(x - width / 2)}" y="${number(y - height / 2)}" width="${number(width)}" height="${number(height)}" rx="9"/><text class="label" x="${number(x)}" y="${number(y + 4)}">${markup(text)}</text></g>`
}

/** A line through POINTS that leaves and reaches each of them along AXIS. */
function curve(points: readonly Point[], axis: Axis): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  let before = first
  const parts = rest.map((point) => {
    const from = before
    before = point
    if (axis === 'x' ? Math.abs(from.y - point.y) < 0.5 : Math.abs(from.x - point.x) < 0.5) return `L${at(point)}`
    const [one, two] = axis === 'x' ? [{x: (from.x + point.x) / 2, y: from.y}, {x: (from.x + point.x) / 2, y: point.y}] : [{x: from.x, y: (from.y + point.y) / 2}, {x: point.x, y: (from.y + point.y) / 2}]
    return `C${at(one)} ${at(two)} ${at(point)}`
  })
  return `M${at(first)} ${parts.join(' ')}`
}

/** The head of a line that comes from FROM to TO along AXIS. */
function head(from: Point, to: Point, axis: Axis): string {
  const [dx, dy] = axis === 'x' ? [Math.sign(to.x - from.x) || 1, 0] : [0, Math.sign(to.y - from.y) || 1]
  const back = {x: to.x - dx * 10, y: to.y - dy * 10}
  return `M${at(to)} L${at({x: back.x - dy * 4.5, y: back.y + dx * 4.5})} L${at({x: back.x + dy * 4.5, y: back.y - dx * 4.5})} Z`
}

function boxElement(drawing: Drawing, {box, x, y, width, height, texts}: PlacedBox): string {
  const [first] = box.groups
  const title = `${boxName(box)}: ${boxDetail(box)}`
  const kind = `${first?.type ?? 'outside'}${first?.unknown === undefined ? '' : ' unknown'}`
  const under = box.groups.length > 1 ? `<rect class="frame" x="5" y="5" width="${number(width)}" height="${number(height)}" rx="8"/>` : ''
  const face = texts.filter(({arrow}) => arrow === undefined).map(textElement).join('')
  return `<g class="box ${kind}" transform="translate(${at({x, y})})"><g id="${box.id}" class="face" tabindex="0" role="button" aria-label="${markup(title)}"><title>${markup(title)}</title>${under}<rect class="frame" width="${number(width)}" height="${number(height)}" rx="8"/><rect class="edge" width="5" height="${number(height)}" rx="2"/>${face}</g>${texts.map((text) => rowElement(drawing, text, width)).join('')}</g>`
}

const textElement = ({text, style, x, y}: Text): string => `<text class="${style}" x="${number(x)}" y="${number(y)}">${markup(text)}</text>`

function rowElement(drawing: Drawing, text: Text, width: number): string {
  const {arrow, x, y} = text
  if (arrow === undefined) return ''
  const title = arrowTitle(drawing, arrow)
  return `<g class="arrow row ${kindOf(arrow)}" ${button(title, arrow)}><title>${markup(title)}</title><rect class="hit" x="${number(x - 4)}" y="${number(y - 13)}" width="${number(width - 2 * x + 8)}" height="17" rx="3"/>${textElement(text)}</g>`
}
