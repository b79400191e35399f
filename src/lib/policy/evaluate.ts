/** One flow from one party to another: what each side and each host endpoint on the way decides. */
import {append} from '../append.js'
import type {Direction, ForwardVerdict, SideVerdict, Verdict} from './by.js'
import type {Packet} from './flow-set/flow-set.js'
import type {Party} from './parties.js'
import type {Open} from './rule-match.js'
import {type Route, routeOf} from './route.js'
import {type Considered, type Quirk, walk, type WalkOptions} from './walk.js'
import type {World} from './world.js'

/** A side with the rules that were examined. */
export interface TracedSide extends SideVerdict {
  readonly considered: readonly Considered[]
}

export interface Evaluation {
  readonly verdict: Verdict
  /** Null: nothing polices this side. */
  readonly egress: TracedSide | null
  readonly ingress: TracedSide | null
  /** Host endpoints on the way that decided something. */
  readonly forward: readonly ForwardVerdict[]
  readonly quirks: readonly Quirk[]
  /** What the packet left open although a rule asked for it: then the verdict is a guess. */
  readonly missing: readonly Open[]
}

/** The verdict about PACKET from FROM to TO, whose addresses are of the packet's family. */
export function evaluateFlow(world: World, from: Party, to: Party, packet: Packet, options: WalkOptions = {}): Evaluation {
  return evaluateRoute(routeOf(world, from, to), packet, options)
}

export function evaluateRoute(route: Route, packet: Packet, options: WalkOptions = {}): Evaluation {
  const quirks: Quirk[] = []
  const missing = new Set<Open>()
  const at = (point: Route['egress']): ReturnType<typeof walk> | undefined => {
    if (point === undefined) return undefined
    const walked = walk(point, packet, options)
    append(quirks, walked.quirks)
    for (const what of walked.missing) missing.add(what)
    return walked
  }
  const side = (walked: ReturnType<typeof walk> | undefined): TracedSide | null => (walked?.side ? {...walked.side, considered: walked.considered} : null)
  const egress = side(at(route.egress))
  const taken = egress?.by.kind === 'ICMPv6Router'
  const ingress = route.toOwnHost ? (taken ? null : {...route.toOwnHost, considered: []}) : side(at(route.ingress))
  const sides: Record<Direction, TracedSide | null> = {egress, ingress}
  const forward = route.nodes.flatMap(({host, steps}) => alongNode(host, steps, sides, packet, at))
  const denied = [egress, ingress, ...forward].some((decided) => decided?.verdict === 'deny')
  return {verdict: denied ? 'deny' : 'allow', egress, ingress, forward, quirks, missing: [...missing]}
}

function alongNode(
  host: string,
  steps: Route['nodes'][number]['steps'],
  sides: Readonly<Record<Direction, SideVerdict | null>>,
  packet: Packet,
  at: (point: Route['egress']) => ReturnType<typeof walk> | undefined,
): ForwardVerdict[] {
  const decided: ForwardVerdict[] = []
  const accepted = new Set<string | undefined>()
  for (const step of steps) {
    if (step.type === 'side') {
      if (sides[step.side]?.verdict === 'deny') break
      continue
    }
    if (accepted.has(step.point.hostEndpoint)) continue
    const walked = at(step.point)
    // What connection tracking drops here is dropped by the workload's side as well, and reported there.
    if (walked?.side === undefined || walked.side.by.kind === 'Conntrack') {
      if (walked?.side) break
      continue
    }
    decided.push({host, ...walked.side, hostEndpoint: step.point.hostEndpoint ?? ''})
    if (walked.side.verdict === 'deny') break
    if (walked.early) accepted.add(step.point.hostEndpoint)
  }
  return decided
}

