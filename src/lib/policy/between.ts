/** All flows from one party to another, divided by what decides about them; and those that pass. */
import type {By, Direction, ForwardVerdict, SideVerdict, Verdict} from './by.js'
import {byKey} from './by.js'
import {allFlowsOf, type FamilyFlows, type FlowSet, flowSet, intersectionOf, isNoFlow, NO_FAMILY_FLOWS, NO_FLOWS, union, unionOf} from './flow-set/flow-set.js'
import {hostParty, type Party, workloadParty} from './parties.js'
import type {Point} from './point.js'
import {type Route, routeOf, type Step} from './route.js'
import {spread, type Spread, spreadAll, type SpreadOptions} from './spread.js'
import type {World} from './world.js'

/** Flows about which all sides decide the same in the same way. */
export interface Division {
  readonly flows: FamilyFlows
  readonly verdict: Verdict
  readonly egress: SideVerdict | null
  readonly ingress: SideVerdict | null
  readonly forward: readonly ForwardVerdict[]
}

interface Part {
  readonly flows: FamilyFlows
  readonly egress: SideVerdict | null
  readonly ingress: SideVerdict | null
  readonly forward: readonly ForwardVerdict[]
}

/** FLOWS (every one, if not given) from FROM to TO, divided: disjoint, and together all of them. */
export function divide(world: World, from: Party, to: Party, flows: FamilyFlows = allFlowsOf(from.address.family), options: SpreadOptions = {trace: true}): Division[] {
  return divideRoute(routeOf(world, from, to), flows, options)
}

export function divideRoute(route: Route, flows: FamilyFlows, options: SpreadOptions): Division[] {
  let parts: Part[] = [{flows, egress: null, ingress: null, forward: []}]
  if (route.egress) parts = bySide(parts, route.egress, 'egress', options)
  const {toOwnHost} = route
  if (toOwnHost) parts = parts.map((part) => (part.egress?.by.kind === 'ICMPv6Router' ? part : {...part, ingress: toOwnHost}))
  else if (route.ingress) parts = bySide(parts, route.ingress, 'ingress', options)
  for (const {host, steps} of route.nodes) parts = parts.flatMap((part) => alongNode(host, steps, part, options))
  return parts.map((part) => ({...part, verdict: [part.egress, part.ingress, ...part.forward].some((decided) => decided?.verdict === 'deny') ? 'deny' : 'allow'}))
}

function bySide(parts: readonly Part[], point: Point, direction: Direction, options: SpreadOptions): Part[] {
  const all = parts.reduce<FamilyFlows>((flows, part) => unionOf(flows, part.flows), NO_FAMILY_FLOWS)
  const {pieces} = spread(point, all, options)
  return parts.flatMap((part) =>
    pieces.flatMap(({flows, side}) => {
      const common = intersectionOf(part.flows, flows)
      return isNoFlow(common) ? [] : [{...part, flows: common, [direction]: side}]
    }),
  )
}

/** PART divided by the host endpoints that it passes on HOST. */
function alongNode(host: string, steps: readonly Step[], part: Part, options: SpreadOptions): Part[] {
  const done: Part[] = []
  let going: {part: Part; accepted: readonly string[]}[] = [{part, accepted: []}]
  for (const step of steps) {
    if (step.type === 'side') {
      for (const {part: each} of going) if (each[step.side]?.verdict === 'deny') done.push(each)
      going = going.filter(({part: each}) => each[step.side]?.verdict !== 'deny')
      continue
    }
    const {point} = step
    const hostEndpoint = point.hostEndpoint ?? ''
    going = going.flatMap(({part: each, accepted}) => {
      if (accepted.includes(hostEndpoint)) return [{part: each, accepted}]
      const {pieces, rest} = spread(point, each.flows, options)
      const next = isNoFlow(rest) ? [] : [{part: {...each, flows: rest}, accepted}]
      for (const {flows, side, early} of pieces) {
        if (side.by.kind === 'Conntrack') {
          done.push({...each, flows})
          continue
        }
        const decided = {...each, flows, forward: [...each.forward, {host, ...side, hostEndpoint}]}
        if (side.verdict === 'deny') done.push(decided)
        else next.push({part: decided, accepted: early ? [...accepted, hostEndpoint] : accepted})
      }
      return next
    })
  }
  return [...done, ...going.map(({part: each}) => each)]
}

/** What passes, and the rules by which it does. */
export interface Passing {
  readonly flows: FlowSet
  /** What allowed some of the flows, each once, in the order of the way: egress, ingress, host endpoints. */
  readonly by: readonly By[]
}

export const NOTHING_PASSES: Passing = {flows: NO_FLOWS, by: []}

/** The flows of one family that pass from FROM to TO, and by what. */
export function passing(world: World, from: Party, to: Party): Passing {
  const {family} = from.address
  const route = routeOf(world, from, to)
  const {egress, ingress, toOwnHost, nodes} = route
  const remembersAll = [egress, ingress].every((point) => point === undefined || point.sameAs !== undefined)
  if (!remembersAll || toOwnHost || nodes.length > 0) return passed(family, divideRoute(route, allFlowsOf(family), {}))
  const [sent, received] = [egress, ingress].map((point) => (point ? spreadAll(point) : NOTHING_DECIDED[family])) as [Spread, Spread]
  let known = remembered.get(sent)
  if (known === undefined) remembered.set(sent, (known = new WeakMap<Spread, Passing>()))
  let result = known.get(received)
  if (result === undefined) known.set(received, (result = passed(family, combined(sent, received))))
  return result
}

/** A side where there is nothing to decide. */
const NOTHING_DECIDED: Readonly<Record<4 | 6, Spread>> = {4: {pieces: [], rest: allFlowsOf(4)}, 6: {pieces: [], rest: allFlowsOf(6)}}

interface Allowed {
  readonly flows: FamilyFlows
  readonly side: SideVerdict | null
}

const allowedOf = ({pieces, rest}: Spread): Allowed[] => [...pieces.filter(({side}) => side.verdict === 'allow'), ...(isNoFlow(rest) ? [] : [{flows: rest, side: null}])]

/** What both sides allow, where nothing else decides. */
const combined = (sent: Spread, received: Spread): Division[] => {
  const others = allowedOf(received)
  return allowedOf(sent).flatMap(({flows, side}) =>
    others.flatMap((other) => {
      const common = intersectionOf(flows, other.flows)
      return isNoFlow(common) ? [] : [{flows: common, verdict: 'allow' as const, egress: side, ingress: other.side, forward: []}]
    }),
  )
}

const remembered = new WeakMap<Spread, WeakMap<Spread, Passing>>()

function passed(family: 4 | 6, divisions: readonly Division[]): Passing {
  const allowed = divisions.filter(({verdict}) => verdict === 'allow')
  const flows = allowed.reduce<FamilyFlows>((all, division) => unionOf(all, division.flows), NO_FAMILY_FLOWS)
  const sides = [(division: Division) => [division.egress], (division: Division) => [division.ingress], (division: Division) => division.forward]
  const by = sides.flatMap((side) => allowed.flatMap((division) => side(division).flatMap((decided) => (decided ? [decided.by] : []))))
  return {flows: flowSet(family, flows), by: [...new Map(by.map((one) => [byKey(one), one])).values()]}
}

/** A party of each family: what an endpoint, a node or the outside is, whichever addresses it has. */
export type PartyOf = (family: 4 | 6) => Party | undefined

/** What passes from one to the other in both families. */
export function passingBetween(world: World, from: PartyOf, to: PartyOf): Passing {
  return ([4, 6] as const)
    .flatMap((family) => {
      const [sender, receiver] = [from(family), to(family)]
      return sender && receiver ? [passing(world, sender, receiver)] : []
    })
    .reduce((all, one) => ({flows: union(all.flows, one.flows), by: [...new Map([...all.by, ...one.by].map((by) => [byKey(by), by])).values()]}), NOTHING_PASSES)
}

export const workloadOf =
  (workload: Parameters<typeof workloadParty>[0]): PartyOf =>
  (family) =>
    workloadParty(workload, family)

export const hostOf =
  (node: Parameters<typeof hostParty>[0]): PartyOf =>
  (family) =>
    hostParty(node, family)
