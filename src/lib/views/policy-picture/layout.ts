/** Where boxes and arrows are drawn, in pixels: dagre places what hangs together, and the parts are packed into rows; boxes without lines come last. */
import {Graph, layout} from '@dagrejs/dagre'
import {append} from '../../append.js'
import type {Arrow, Box, Drawing} from './drawing.js'
import {boxDetail, boxName, count, flowText, groupName, rowText, shortened} from './words.js'

export interface Point {
  readonly x: number
  readonly y: number
}

export type Axis = 'x' | 'y'

interface Rectangle extends Point {
  readonly width: number
  readonly height: number
}

export interface Text extends Point {
  readonly text: string
  readonly style: 'name' | 'detail' | 'member' | 'row' | 'heading'
  /** The arrow that it stands for. */
  readonly arrow?: Arrow
}

/** X and Y: of its upper left corner; those of its texts begin there, too. */
export interface PlacedBox extends Rectangle {
  readonly box: Box
  readonly texts: readonly Text[]
}

export interface Line {
  /** Between them it goes in curves that leave and reach each of them along AXIS. */
  readonly points: readonly Point[]
  readonly axis: Axis
  /** The end of the arrow that it leads to or comes from. */
  readonly box: Box
  /** Heads at its first and its last point. */
  readonly start: boolean
  readonly end: boolean
}

export interface PlacedArrow {
  readonly arrow: Arrow
  readonly lines: readonly Line[]
  /** What passes, where its lines meet. X and Y: its middle. */
  readonly label: Rectangle & {readonly text: string}
}

interface Part {
  readonly width: number
  readonly height: number
  readonly boxes: readonly PlacedBox[]
  readonly arrows: readonly PlacedArrow[]
}

export interface Layout extends Part {
  readonly headings: readonly Text[]
  /** There are so many lines that each is faint until one of its ends is chosen. */
  readonly busy: boolean
}

const NAME_SIZE = 14
const TEXT_SIZE = 12
const LINE = 18
const PADDING = 12
const LONGEST_NAME = 34
/** Lines of a box that name its groups, and that say what else passes. */
const MOST_MEMBER_LINES = 4
const MOST_ROWS = 6
const MEMBER_LINE = 40
const MARGIN = 24
const GAP = 36
const HEADING = 34
const RATIO = 1.6
const NARROWEST = 900
const LABEL_HEIGHT = 20
const CLEAR_LINES = 100
/** Lines of one part beyond which dagre is asked for a quicker, less even order of its columns. */
const QUICK_LINES = 250
/** The same beyond which the columns are further apart. */
const ROOMY_LINES = 60
/** Parts that are wider than that from left to right are drawn from top to bottom instead, if they come nearer to the form of a screen so. */
const WIDE = 1200
/** Boxes of a part beyond which it is not: who scrolls, scrolls down. */
const MOST_DOWN = 80

/** About how wide TEXT is at SIZE, in the fonts that browsers take: rather too wide than too narrow. */
function textWidth(text: string, size: number): number {
  let width = 0
  for (const character of text) width += /[ijlt.,:;'|!fr()[\]/ ]/.test(character) ? 0.42 : /[mwMW@%…→←]/.test(character) ? 0.98 : /[A-Z]/.test(character) ? 0.74 : character > '\u2e80' ? 1.05 : 0.64
  return width * size
}

/** DRAWING with places. */
export function placed(drawing: Drawing): Layout {
  const rows = rowsByBox(drawing)
  const sized = drawing.boxes.map((box) => sizedBox(drawing, box, rows.get(box) ?? []))
  const arrows = drawing.arrows.filter(({shape}) => shape === 'lines')
  const parts = components(sized, arrows)
  const connected = parts.filter((part) => part.boxes.length > 1).map((part) => component(part.boxes, part.arrows))
  const single = parts.filter(({boxes}) => boxes.length === 1).flatMap(({boxes}) => boxes)
  const mentioned = new Set(drawing.arrows.flatMap(({shape, senders, receivers}) => (shape === 'within' || shape === 'among' ? [] : [...senders, ...receivers])))
  const [some, none] = [single.filter(({box}) => mentioned.has(box)), single.filter(({box}) => !mentioned.has(box))]
  const area = [...connected, ...single].reduce((sum, {width, height}) => sum + (width + GAP) * (height + GAP), 0)
  const wide = Math.max(NARROWEST, Math.sqrt(area * RATIO), ...connected.map(({width}) => width))
  const sections: readonly {heading?: string; parts: readonly Part[]}[] = [
    {parts: [...connected].sort((a, b) => b.boxes.length - a.boxes.length || b.height - a.height)},
    {...(connected.length > 0 ? {heading: 'The traffic of these is written in the boxes'} : {}), parts: some.map(alone)},
    {...(connected.length + some.length > 0 ? {heading: 'No traffic is allowed between these and any other group'} : {}), parts: none.map(alone)},
  ]
  const boxes: PlacedBox[] = []
  const lines: PlacedArrow[] = []
  const headings: Text[] = []
  let [y, width] = [MARGIN, 0]
  for (const {heading, parts: own} of sections) {
    if (own.length === 0) continue
    if (heading !== undefined) {
      headings.push({text: heading, style: 'heading', x: MARGIN, y: y + 13})
      width = Math.max(width, textWidth(heading, TEXT_SIZE))
      y += HEADING
    }
    const packed = pack(own, wide)
    append(boxes, packed.boxes.map((box) => moved(box, MARGIN, y)))
    append(lines, packed.arrows.map((arrow) => movedArrow(arrow, MARGIN, y)))
    width = Math.max(width, packed.width)
    y += packed.height + GAP
  }
  const busy = lines.reduce((sum, arrow) => sum + arrow.lines.length, 0) > CLEAR_LINES
  return {width: Math.ceil(width + 2 * MARGIN), height: Math.ceil(y - GAP + MARGIN), boxes, arrows: lines, headings, busy}
}

/** The arrows that are texts in boxes. */
function rowsByBox({arrows}: Drawing): ReadonlyMap<Box, readonly Arrow[]> {
  const rows = new Map<Box, Arrow[]>()
  for (const arrow of arrows) {
    if (arrow.shape === 'lines') continue
    for (const box of arrow.shape === 'from' ? arrow.receivers : arrow.senders) {
      const known = rows.get(box)
      if (known) known.push(arrow)
      else rows.set(box, [arrow])
    }
  }
  return rows
}

function sizedBox(drawing: Drawing, box: Box, arrows: readonly Arrow[]): PlacedBox {
  const several = box.groups.length > 1
  const name = several ? `${count(box.groups.length, 'group')} alike` : boxName(box)
  const texts: Omit<Text, 'x' | 'y'>[] = [{text: shortened(name, LONGEST_NAME), style: 'name'}, ...(several ? memberLines(box).map((text) => ({text, style: 'member' as const})) : [])]
  texts.push({text: shortened(several ? boxDetail(box).replace(/^\d+ groups, /, '') : boxDetail(box), LONGEST_NAME + 6), style: 'detail'})
  const shown = arrows.length > MOST_ROWS ? arrows.slice(0, MOST_ROWS - 1) : arrows
  for (const arrow of shown) texts.push({text: rowText(drawing, arrow, box), style: 'row', arrow})
  if (shown.length < arrows.length) texts.push({text: `and ${arrows.length - shown.length} more; choose the box to see them`, style: 'detail'})
  const width = Math.max(96, ...texts.map(({text, style}) => textWidth(text, style === 'name' ? NAME_SIZE * 1.08 : TEXT_SIZE))) + 2 * PADDING
  return {box, x: 0, y: 0, width: Math.ceil(width), height: PADDING + texts.length * LINE + PADDING - 4, texts: texts.map((text, index) => ({...text, x: PADDING, y: PADDING + index * LINE + 12}))}
}

/** The names of the groups of BOX in a few lines. */
function memberLines({groups}: Box): string[] {
  const lines: string[] = []
  let [line, left] = ['', groups.length]
  for (const group of groups) {
    const name = shortened(groupName(group), MEMBER_LINE - 2)
    const longer = line === '' ? name : `${line}, ${name}`
    if (longer.length > MEMBER_LINE) {
      lines.push(`${line},`)
      if (lines.length === MOST_MEMBER_LINES) return [...lines.slice(0, -1), `${lines.at(-1) ?? ''} and ${left} more`]
      line = name
    } else line = longer
    left--
  }
  return [...lines, line]
}

/** What hangs together by ARROWS. */
function components(boxes: readonly PlacedBox[], arrows: readonly Arrow[]): {boxes: PlacedBox[]; arrows: Arrow[]}[] {
  const leader = new Map<Box, Box>(boxes.map(({box}) => [box, box]))
  const find = (box: Box): Box => {
    let top = box
    for (let next = leader.get(top); next !== undefined && next !== top; next = leader.get(top)) top = next
    leader.set(box, top)
    return top
  }
  for (const {senders, receivers} of arrows) {
    const [first, ...more] = [...senders, ...receivers]
    if (first) for (const box of more) leader.set(find(box), find(first))
  }
  const parts = new Map<Box, {boxes: PlacedBox[]; arrows: Arrow[]}>()
  for (const one of boxes) {
    const top = find(one.box)
    const part = parts.get(top) ?? {boxes: [], arrows: []}
    parts.set(top, part)
    part.boxes.push(one)
  }
  for (const arrow of arrows) for (const first of arrow.senders.slice(0, 1)) parts.get(find(first))?.arrows.push(arrow)
  return [...parts.values()]
}

/** The line from END of ARROW to its label, or back: all that are not only receivers are left of it, half of those that are both right of it. */
interface Spoke {
  readonly box: Box
  readonly sends: boolean
  readonly receives: boolean
  /** The direction in which dagre lays it. */
  readonly inward: boolean
}

function spokesOf({senders, receivers}: Arrow): Spoke[] {
  const [sending, receiving] = [new Set(senders), new Set(receivers)]
  const both = senders.filter((box) => receiving.has(box))
  const oneWay = both.length === 0
  return [...new Set([...senders, ...receivers])].map((box) => {
    const [sends, receives] = [sending.has(box), receiving.has(box)]
    return {box, sends, receives, inward: sends && (!receives || (oneWay ? true : both.indexOf(box) < both.length / 2))}
  })
}

function component(boxes: readonly PlacedBox[], arrows: readonly Arrow[]): Part {
  const across = directed(boxes, arrows, 'LR')
  if (across.width <= WIDE || boxes.length > MOST_DOWN) return across
  const down = directed(boxes, arrows, 'TB')
  const extent = ({width, height}: Part): number => Math.max(width / RATIO, height)
  return extent(down) < extent(across) ? down : across
}

function directed(boxes: readonly PlacedBox[], arrows: readonly Arrow[], rankdir: 'LR' | 'TB'): Part {
  const graph = newGraph()
  const lines = arrows.reduce((sum, {senders, receivers}) => sum + senders.length + receivers.length, 0)
  graph.setGraph({rankdir, nodesep: 20, ranksep: lines > ROOMY_LINES ? 70 : rankdir === 'LR' ? 44 : 36, edgesep: 12, marginx: 0, marginy: 0, ...(lines > QUICK_LINES ? {ranker: 'tight-tree'} : {})})
  for (const {box, width, height} of boxes) graph.setNode(box.id, {width, height})
  const labels = new Map(arrows.map((arrow) => [arrow, {text: flowText(arrow.flows), width: Math.ceil(textWidth(flowText(arrow.flows), TEXT_SIZE) + 16), height: LABEL_HEIGHT}]))
  const spokes = new Map(arrows.map((arrow) => [arrow, spokesOf(arrow)]))
  for (const arrow of arrows) {
    const {width, height} = labels.get(arrow) ?? {width: 0, height: 0}
    graph.setNode(arrow.id, {width, height})
    for (const {box, inward} of spokes.get(arrow) ?? []) graph.setEdge(inward ? box.id : arrow.id, inward ? arrow.id : box.id, {width: 0, height: 0})
  }
  place(graph)
  const {width = 0, height = 0} = graph.graph() as {width?: number; height?: number}
  const middle = (id: string): Point => graph.node(id) as Point
  const axis = rankdir === 'LR' ? 'x' : 'y'
  const nodes = new Map<string, Rectangle>([...boxes.map(({box, ...size}) => [box.id, {...size, ...middle(box.id)}] as const), ...arrows.map((arrow) => [arrow.id, {width: 0, height: 0, ...labels.get(arrow), ...middle(arrow.id)}] as const)])
  const route = router(nodes, axis)
  const paths = route(arrows.flatMap((arrow) => (spokes.get(arrow) ?? []).map(({box, inward}) => {
    const [from, to] = inward ? [box.id, arrow.id] : [arrow.id, box.id]
    return {from, to, points: (graph.edge(from, to) as {points: readonly Point[]}).points}
  })))
  return {
    width,
    height,
    boxes: boxes.map((one) => ({...one, x: middle(one.box.id).x - one.width / 2, y: middle(one.box.id).y - one.height / 2})),
    arrows: arrows.map((arrow) => {
      const own = spokes.get(arrow) ?? []
      const pair = own.length === 2
      return {
        arrow,
        label: {...middle(arrow.id), ...(labels.get(arrow) ?? {text: '', width: 0, height: 0})},
        lines: own.map(({box, sends, receives, inward}) => {
          const points = paths.get(inward ? `${box.id} ${arrow.id}` : `${arrow.id} ${box.id}`) ?? []
          // From the box to the label, or from the label to the box. Between two boxes the label has no heads of its own.
          const atLabel = sends && !pair
          return {points, axis, box, start: inward ? receives : atLabel, end: inward ? atLabel : receives}
        }),
      }
    }),
  }
}

/** What is used of dagre. Its own types lead to files that its package does not have. */
interface DagreGraph {
  setGraph(settings: object): void
  setNode(id: string, size: object): void
  setEdge(from: string, to: string, size: object): void
  graph(): unknown
  node(id: string): unknown
  edge(from: string, to: string): unknown
}
const newGraph = (): DagreGraph => new (Graph as unknown as new (options: object) => DagreGraph)({multigraph: true})
const place = layout as unknown as (graph: DagreGraph) => void

interface Edge {
  readonly from: string
  readonly to: string
  /** Where dagre has it cross each column. */
  readonly points: readonly Point[]
}

/** The part of the side of a box over which its lines are spread. */
const SPREAD = 0.6

/**
 * Routes edges between NODES, whose columns stand along AXIS, by `FROM TO`: straight through a column, so that no line passes behind what stands there, and
 * curved only between two columns. The lines of a side of a node begin apart, in the order of where they go.
 */
function router(nodes: ReadonlyMap<string, Rectangle>, axis: Axis): (edges: readonly Edge[]) => Map<string, Point[]> {
  const other = axis === 'x' ? 'y' : 'x'
  const [length, breadth] = axis === 'x' ? (['width', 'height'] as const) : (['height', 'width'] as const)
  const place = (along: number, across: number): Point => (axis === 'x' ? {x: along, y: across} : {x: across, y: along})
  const columns = new Map<number, number>()
  for (const node of nodes.values()) columns.set(Math.round(node[axis]), Math.max(columns.get(Math.round(node[axis])) ?? 0, node[length] / 2))
  const reach = (along: number): number | undefined => columns.get(Math.round(along))
  return (edges) => {
    const sides = new Map<string, {key: string; goes: number}[]>()
    const turned = edges.map((edge) => {
      const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)]
      if (!from || !to) return undefined
      const forward = Math.sign(to[axis] - from[axis]) || 1
      const inner = edge.points.slice(1, -1).filter((point) => reach(point[axis]) !== undefined)
      for (const [end, sign, next] of [[edge.from, forward, inner[0] ?? to], [edge.to, -forward, inner.at(-1) ?? from]] as const) {
        const side = `${end} ${sign}`
        const known = sides.get(side) ?? []
        sides.set(side, known)
        known.push({key: `${edge.from} ${edge.to}`, goes: next[other]})
      }
      return {edge, from, to, forward, inner}
    })
    for (const side of sides.values()) side.sort((a, b) => a.goes - b.goes)
    /** Where the line KEY begins on that side of NODE. */
    const offset = (id: string, node: Rectangle, sign: number, key: string): number => {
      const side = sides.get(`${id} ${sign}`) ?? []
      const index = side.findIndex((one) => one.key === key)
      return node[breadth] * SPREAD * ((index + 0.5) / side.length - 0.5)
    }
    return new Map(
      turned.flatMap((one) => {
        if (!one) return []
        const {edge, from, to, forward, inner} = one
        const key = `${edge.from} ${edge.to}`
        const [start, end] = [from[other] + offset(edge.from, from, forward, key), to[other] + offset(edge.to, to, -forward, key)]
        const points = [place(from[axis] + (forward * from[length]) / 2, start), place(from[axis] + forward * (reach(from[axis]) ?? 0), start)]
        for (const point of inner) {
          const half = forward * (reach(point[axis]) ?? 0)
          points.push(place(point[axis] - half, point[other]), place(point[axis] + half, point[other]))
        }
        points.push(place(to[axis] - forward * (reach(to[axis]) ?? 0), end), place(to[axis] - (forward * to[length]) / 2, end))
        return [[key, points.filter((point, index) => index === 0 || Math.hypot(point.x - (points[index - 1]?.x ?? 0), point.y - (points[index - 1]?.y ?? 0)) > 0.5)] as const]
      }),
    )
  }
}

const alone = (box: PlacedBox): Part => ({width: box.width, height: box.height, boxes: [box], arrows: []})

const moved = <T extends Point>(one: T, dx: number, dy: number): T => ({...one, x: one.x + dx, y: one.y + dy})

const movedArrow = ({arrow, lines, label}: PlacedArrow, dx: number, dy: number): PlacedArrow => ({arrow, label: moved(label, dx, dy), lines: lines.map((line) => ({...line, points: line.points.map((point) => moved(point, dx, dy))}))})

/** PARTS in rows of at most WIDE, in their order. */
function pack(parts: readonly Part[], wide: number): Part {
  const boxes: PlacedBox[] = []
  const arrows: PlacedArrow[] = []
  let [x, y, row, width] = [0, 0, 0, 0]
  for (const part of parts) {
    if (x > 0 && x + part.width > wide) [x, y, row] = [0, y + row + GAP, 0]
    const [dx, dy] = [x, y]
    append(boxes, part.boxes.map((box) => moved(box, dx, dy)))
    append(arrows, part.arrows.map((arrow) => movedArrow(arrow, dx, dy)))
    width = Math.max(width, x + part.width)
    x += part.width + GAP
    row = Math.max(row, part.height)
  }
  return {width, height: y + row, boxes, arrows}
}
