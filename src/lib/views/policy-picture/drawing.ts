/**
 * What is drawn of a matrix: boxes of groups, and arrows between them. So that large matrices stay readable, groups that reach the same and are reached by
 * the same share a box; pairs of which the same passes share an arrow, which may have several ends; and what very many boxes have in common is a line of text in the
 * box that they reach, or that reaches them. Pure; the arrows say exactly what the cells of the matrix do ({@link pairsOf}, {@link partsOf}).
 */
import {append} from '../../append.js'
import type {Cell, Matrix, MatrixGroup} from '../../policy/matrix.js'

export interface Box {
  /** `b1`, `b2` … */
  readonly id: string
  /** At least one; several are alike. */
  readonly groups: readonly MatrixGroup[]
}

/**
 * How an arrow is drawn: as lines from its senders to its receivers; as a text in the box of each receiver (`from …`) or of each sender (`to …`); or as a
 * text in its only box: what passes in each of its groups that has two endpoints, or between any two of its groups.
 */
export type Shape = 'lines' | 'from' | 'to' | 'within' | 'among'

export interface Arrow {
  /** `a1`, `a2` … */
  readonly id: string
  /** From each of them to each of RECEIVERS that is another box. A box in both is at either end. */
  readonly senders: readonly Box[]
  readonly receivers: readonly Box[]
  /** What passes; between some of its ends there may be other arrows with more. */
  readonly flows: readonly string[]
  readonly shape: Shape
}

export interface Drawing {
  readonly boxes: readonly Box[]
  readonly arrows: readonly Arrow[]
}

/** Up to here each group has a box of its own. */
const FEW = 8
/** Ends on one side of an arrow beyond which it is no lines but text; the next number where there would be too many lines all the same, up to no lines at all. */
const CROWDS = [6, 3, 1, 0]
/** Lines that no one can follow, in all and for each box; laying them out takes minutes, too. */
const MOST_LINES = 120
const MOST_LINES_PER_BOX = 2.5
/** The same where these are all boxes that there are, as senders and as receivers. */
const EVERYONE = {from: 3, to: 5}

/** MATRIX as it is drawn. */
export function drawingOf({groups, cells}: Matrix): Drawing {
  const boxes = (groups.length > FEW ? twins(groups, cells) : groups.map((group) => [group])).map((own, index): Box => ({id: `b${index + 1}`, groups: own}))
  const numbers = new Map(boxes.flatMap((box, index) => box.groups.map((group) => [group.id, index] as const)))
  const own = new Map<string, Omit<Arrow, 'id'>>()
  const pairs = new Map<string, Pair>()
  for (const {from, to, flows} of cells) {
    const [sender, receiver] = [numbers.get(from.id), numbers.get(to.id)]
    if (sender === undefined || receiver === undefined) continue
    const box = boxes[sender]
    if (sender === receiver) {
      const shape = from === to ? 'within' : 'among'
      if (box) own.set(`${box.id} ${shape}`, {senders: [box], receivers: [box], flows, shape})
      continue
    }
    const key = `${sender} ${receiver}`
    if (!pairs.has(key)) pairs.set(key, {sender, receiver, parts: new Set(partsOf(flows))})
  }
  const inside = boxes.flatMap(({groups: [first]}, index) => (first && first.type !== 'outside' && first.unknown === undefined ? [index] : []))
  const arrows = [...own.values()]
  for (const crowd of CROWDS) {
    const between = arrowsBetween(boxes, pairs, {inside, crowd})
    const lines = between.reduce((sum, {shape, senders, receivers}) => sum + (shape === 'lines' ? senders.length + receivers.length : 0), 0)
    if (crowd > 0 && lines > Math.max(MOST_LINES, MOST_LINES_PER_BOX * boxes.length)) continue
    append(arrows, between)
    break
  }
  const order = new Map(boxes.map((box, index) => [box, index]))
  const place = (ends: readonly Box[]): number => (ends[0] ? (order.get(ends[0]) ?? 0) : 0)
  arrows.sort((a, b) => place(a.senders) - place(b.senders) || place(a.receivers) - place(b.receivers))
  return {boxes, arrows: arrows.map((arrow, index) => ({id: `a${index + 1}`, ...arrow}))}
}

/** The arrows for PAIRS of BOXES. */
function arrowsBetween(boxes: readonly Box[], pairs: ReadonlyMap<string, Pair>, view: View): Omit<Arrow, 'id'>[] {
  const left = new Map([...pairs].map(([key, pair]) => [key, {...pair, parts: new Set(pair.parts)}]))
  const ends = (numbers: readonly number[]): Box[] => numbers.flatMap((index) => boxes[index] ?? [])
  return byFlows(left, view).flatMap(({flows, arcs}) => bundles(arcs, view).map(({senders, receivers}) => ({senders: ends(senders), receivers: ends(receivers), flows, shape: shapeOf(senders, receivers, view)})))
}

/** What decides about shapes: the numbers of all boxes that can reach each other, and the ends of one side that are the most for lines. */
interface View {
  readonly inside: readonly number[]
  readonly crowd: number
}

/** A list of ports, or of types, of a text of flows: what stands before it, its items, and what stands after it. */
const ITEMS = /^([a-z0-9]+\/)([\d:]+(?:,[\d:]+)+)(.*)$/

/** FLOWS in the smallest parts that can be distinguished by their texts: `tcp/80,443` is `tcp/80` and `tcp/443`. */
export const partsOf = (flows: readonly string[]): string[] =>
  flows.flatMap((text) => {
    const [, before = '', items = '', after = ''] = ITEMS.exec(text) ?? []
    return items === '' ? [text] : items.split(',').map((item) => `${before}${item}${after}`)
  })

const ITEM = /^([a-z0-9]+\/)([\d:]+)(.*)$/

/** PARTS as the texts that {@link partsOf} divides into them. */
function flowsOf(parts: Iterable<string>): string[] {
  const texts: {before: string; items: string; after: string}[] = []
  for (const part of parts) {
    const [, before = '', items = part, after = ''] = ITEM.exec(part) ?? []
    const last = texts.at(-1)
    if (before !== '' && last?.before === before && last.after === after) last.items += `,${items}`
    else texts.push({before, items, after})
  }
  return texts.map(({before, items, after}) => `${before}${items}${after}`)
}

/** Boxes of which the first reaches the second; what of it is not yet drawn. */
interface Pair {
  readonly sender: number
  readonly receiver: number
  readonly parts: Set<string>
}

/**
 * What passes between PAIRS, by its flows. What very many have in common is apart from what else passes between two of them, so that `everyone: udp/53` can be
 * said although some may do more; all else of a pair stays together. No flow of a pair is there twice. PAIRS are empty then.
 */
function byFlows(pairs: ReadonlyMap<string, Pair>, view: View): {flows: readonly string[]; arcs: Arcs}[] {
  const found = new Map<string, {flows: readonly string[]; arcs: Arcs}>()
  const add = (flows: readonly string[], sender: number, receiver: number): void => {
    const key = flows.join(' ')
    let known = found.get(key)
    if (known === undefined) found.set(key, (known = {flows, arcs: new Arcs()}))
    known.arcs.add(sender, receiver)
  }
  for (const {senders, receivers, parts} of crowds(pairs, view)) {
    const flows = flowsOf(parts)
    const all = [...pairsIn({senders, receivers})].map(([sender, receiver]) => pairs.get(`${sender} ${receiver}`))
    // A part of it may belong to a larger crowd.
    if (!all.every((pair) => pair && parts.every((part) => pair.parts.has(part)))) continue
    for (const pair of all) {
      for (const part of parts) pair?.parts.delete(part)
      if (pair) add(flows, pair.sender, pair.receiver)
    }
  }
  for (const {sender, receiver, parts} of pairs.values()) if (parts.size > 0) add(flowsOf(parts), sender, receiver)
  return [...found.values()]
}

/** What is no lines in a picture: from very many to one, or from one to very many; the largest first. */
function crowds(pairs: ReadonlyMap<string, Pair>, view: View): (Bundle & {readonly parts: readonly string[]})[] {
  const byPart = new Map<string, Arcs>()
  for (const {sender, receiver, parts} of pairs.values()) {
    for (const part of parts) {
      const arcs = byPart.get(part) ?? new Arcs()
      byPart.set(part, arcs)
      arcs.add(sender, receiver)
    }
  }
  const found = new Map<string, Bundle & {parts: string[]}>()
  const add = (bundle: Bundle, part: string): void => {
    if (shapeOf(bundle.senders, bundle.receivers, view) === 'lines') return
    const key = `${bundle.senders.join(' ')} > ${bundle.receivers.join(' ')}`
    const known = found.get(key)
    if (known) known.parts.push(part)
    else found.set(key, {...bundle, parts: [part]})
  }
  for (const [part, {byReceiver, bySender}] of byPart) {
    for (const [receiver, senders] of byReceiver) add({senders: inOrder(senders), receivers: [receiver]}, part)
    for (const [sender, receivers] of bySender) add({senders: [sender], receivers: inOrder(receivers)}, part)
  }
  return [...found.values()].sort((a, b) => sizeOf(b) - sizeOf(a))
}

const inOrder = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b)

/** The pairs of groups that ARROW says something of. */
export function* pairsOf({senders, receivers, shape}: Arrow): Generator<readonly [MatrixGroup, MatrixGroup]> {
  for (const sender of senders) {
    for (const from of sender.groups) {
      if (shape === 'within') {
        if (from.other) yield [from, from]
        continue
      }
      for (const receiver of receivers) {
        if ((sender === receiver) !== (shape === 'among')) continue
        for (const to of receiver.groups) if (from !== to) yield [from, to]
      }
    }
  }
}

/** The number of groups in BOXES. */
export const groupsIn = (boxes: readonly Box[]): number => boxes.reduce((sum, {groups}) => sum + groups.length, 0)

/** Kinds of mutual passage of one group that are tried. */
const MUTUAL = 3

/**
 * GROUPS, those together that pass the same to and from every other, and between each other: nothing, or all the same. What passes within a group must be
 * the same in all that have two endpoints.
 */
function twins(groups: readonly MatrixGroup[], cells: readonly Cell[]): MatrixGroup[][] {
  const texts = new Map<string, number>()
  const numberOf = (text: string): number => {
    let number = texts.get(text)
    if (number === undefined) texts.set(text, (number = texts.size))
    return number
  }
  const outward = new Map(groups.map((group) => [group, new Map<MatrixGroup, number>()]))
  const inward = new Map(groups.map((group) => [group, new Map<MatrixGroup, number>()]))
  const own = new Map<MatrixGroup, number>()
  for (const {from, to, flows} of cells) {
    const number = numberOf(flows.join(' '))
    if (from === to) own.set(from, number)
    else {
      outward.get(from)?.set(to, number)
      inward.get(to)?.set(from, number)
    }
  }
  /** The same for twins that pass MUTUAL between each other. */
  const signature = (group: MatrixGroup, mutual: number | undefined): string => {
    const side = (passed: ReadonlyMap<MatrixGroup, number> | undefined): string => {
      const entries = [...(passed ?? [])].map(([{id}, number]) => `${id}:${number}`)
      if (mutual !== undefined) entries.push(`${group.id}:${mutual}`)
      return entries.sort().join(' ')
    }
    return JSON.stringify([group.type, group.unknown, mutual, side(outward.get(group)), side(inward.get(group))])
  }
  const bySignature = new Map<string, MatrixGroup[]>()
  for (const group of groups) {
    const mutual = new Set([...(outward.get(group) ?? [])].flatMap(([other, number]) => (inward.get(group)?.get(other) === number ? [number] : [])))
    for (const one of [undefined, ...[...mutual].slice(0, MUTUAL)]) into(bySignature, signature(group, one), group)
  }
  const placed = new Map<MatrixGroup, MatrixGroup[]>()
  for (const together of [...bySignature.values()].sort((a, b) => b.length - a.length)) {
    const free = together.filter((group) => !placed.has(group))
    if (free.length < 2) continue
    for (const alike of sameWithin(free, own)) for (const group of alike) placed.set(group, alike)
  }
  return [...new Set(groups.map((group) => placed.get(group) ?? [group]))]
}

/** GROUPS by what passes within them; those of one endpoint, in which nothing can, are with the first. */
function sameWithin(groups: readonly MatrixGroup[], own: ReadonlyMap<MatrixGroup, number>): MatrixGroup[][] {
  const order = new Map(groups.map((group, index) => [group, index]))
  const byOwn = new Map<number | undefined, MatrixGroup[]>()
  for (const group of groups) if (group.other) into(byOwn, own.get(group), group)
  const alone = groups.filter(({other}) => other === undefined)
  const [first = [], ...more] = byOwn.values()
  append(first, alone)
  first.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))
  return [first, ...more]
}

function into<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key)
  if (known) known.push(value)
  else map.set(key, [value])
}

/** Pairs of numbers of boxes, found by either end. No box is paired with itself. */
class Arcs {
  readonly bySender = new Map<number, Set<number>>()
  readonly byReceiver = new Map<number, Set<number>>()

  add(sender: number, receiver: number): void {
    for (const [side, own, other] of [[this.bySender, sender, receiver], [this.byReceiver, receiver, sender]] as const) {
      const known = side.get(own)
      if (known) known.add(other)
      else side.set(own, new Set([other]))
    }
  }

  has(sender: number, receiver: number): boolean {
    return this.bySender.get(sender)?.has(receiver) ?? false
  }

  delete(sender: number, receiver: number): void {
    for (const [side, own, other] of [[this.bySender, sender, receiver], [this.byReceiver, receiver, sender]] as const) {
      const known = side.get(own)
      known?.delete(other)
      if (known?.size === 0) side.delete(own)
    }
  }
}

/** From each of SENDERS to each of RECEIVERS but itself; numbers of boxes, in order. */
interface Bundle {
  readonly senders: readonly number[]
  readonly receivers: readonly number[]
}

/** How a bundle is drawn. */
function shapeOf(senders: readonly number[], receivers: readonly number[], {inside, crowd}: View): Shape {
  const everyone = (some: readonly number[], others: readonly number[], least: number): boolean => {
    const all = new Set(some)
    return some.length >= least && others.every((other) => inside.every((one) => one === other || all.has(one)))
  }
  if (senders.length > crowd || everyone(senders, receivers, EVERYONE.from)) return 'from'
  if (receivers.length > crowd || everyone(receivers, senders, EVERYONE.to)) return 'to'
  return 'lines'
}

/** ARCS divided into bundles: those that save most lines first, until none is left. ARCS is empty then. */
function bundles(arcs: Arcs, view: View): Bundle[] {
  const found: Bundle[] = []
  while (arcs.bySender.size > 0) {
    const judged = [...candidates(arcs)].map((bundle) => {
      const pairs = sizeOf(bundle)
      return {bundle, pairs, saved: pairs - costOf(bundle, view)}
    })
    judged.sort((a, b) => b.saved - a.saved || b.pairs - a.pairs)
    // What an earlier one has taken a pair of is judged again in the next round.
    for (const {bundle} of judged) {
      if (![...pairsIn(bundle)].every(([sender, receiver]) => arcs.has(sender, receiver))) continue
      for (const [sender, receiver] of pairsIn(bundle)) arcs.delete(sender, receiver)
      found.push(bundle)
    }
  }
  return found.sort((a, b) => (a.senders[0] ?? 0) - (b.senders[0] ?? 0) || (a.receivers[0] ?? 0) - (b.receivers[0] ?? 0))
}

function* pairsIn({senders, receivers}: Bundle): Generator<readonly [number, number]> {
  for (const sender of senders) for (const receiver of receivers) if (sender !== receiver) yield [sender, receiver]
}

/** Pairs of BUNDLE. */
function sizeOf({senders, receivers}: Bundle): number {
  const both = new Set(senders)
  return senders.length * receivers.length - receivers.filter((one) => both.has(one)).length
}

/** The lines that BUNDLE takes. */
function costOf({senders, receivers}: Bundle, view: View): number {
  const shape = shapeOf(senders, receivers, view)
  if (shape === 'from') return receivers.length
  if (shape === 'to') return senders.length
  const ends = new Set([...senders, ...receivers]).size
  return ends === 2 ? 1 : senders.length === 1 || receivers.length === 1 ? ends - 1 : ends
}

/** Bundles of ARCS: those of all that have the same at their other ends, in either direction; a group of which each reaches all others is one, too. */
function* candidates(arcs: Arcs): Generator<Bundle> {
  for (const [side, bundle] of [
    [arcs.byReceiver, (own: number[], others: number[]): Bundle => ({senders: others, receivers: own})],
    [arcs.bySender, (own: number[], others: number[]): Bundle => ({senders: own, receivers: others})],
  ] as const) {
    const same = new Map<string, {own: number[]; others: number[]}>()
    const mutual = new Map<string, {own: number[]; others: number[]}>()
    for (const [own, set] of [...side].sort(([a], [b]) => a - b)) {
      const others = inOrder(set)
      for (const [map, all] of [[same, others], [mutual, inOrder([...others, own])]] as const) {
        const key = all.join(' ')
        const known = map.get(key)
        if (known) known.own.push(own)
        else map.set(key, {own: [own], others: all})
      }
    }
    for (const {own, others} of same.values()) yield bundle(own, others)
    for (const {own, others} of mutual.values()) if (own.length > 1) yield bundle(own, others)
  }
}
