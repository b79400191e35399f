/** `policy explain`: what becomes of a flow between all that two words stand for. Pure. */
import type {Family} from '../net/index.js'
import {passingBetween, type Passing} from './between.js'
import {type By, byKey} from './by.js'
import {evaluateRoute} from './evaluate.js'
import {sameFlows} from './flow-set/flow-set.js'
import {flowTexts} from './flow-set/text.js'
import {neverFlows} from './groups.js'
import {doubtAbout} from './doubt.js'
import {judge, type Judgement, type Warning, warningsBetween} from './judge.js'
import type {Party} from './parties.js'
import {familyOf, type Member, packetOf, type Selection, type Traffic} from './probe.js'
import {receiverDoubt} from './seen-as.js'
import type {World} from './world.js'

export interface Pair {
  readonly from: Member
  readonly to: Member
  readonly sender: Party
  readonly receiver: Party
}

export interface JudgedPair extends Pair {
  readonly judgement: Judgement
}

export type TotalVerdict = Judgement['verdict'] | 'mixed'

/** The pairs of FROM and TO in FAMILY: not the outside with itself, and of a single endpoint not with itself unless it is all that was asked for. */
function pairsOf(from: Selection, to: Selection, family: Family): Pair[] {
  const alone = from.single && to.single
  return from.members.flatMap((source) =>
    to.members.flatMap((target) => {
      const [sender, receiver] = endsOf(source, target, family, alone)
      if (!sender || !receiver || (!alone && sender.type === 'outside' && receiver.type === 'outside')) return []
      return [{from: source, to: target, sender, receiver}]
    }),
  )
}

/** Who talks to whom where FROM talks to TO: unless they are ALONE, an endpoint that both stand for to another one of its group. */
function endsOf(from: Member, to: Member, family: Family, alone: boolean): readonly [Party | undefined, Party | undefined] {
  const [sender, receiver] = [from.party(family), to.party(family)]
  if (alone || sender?.type !== 'workload' || receiver?.type !== 'workload' || sender.workload !== receiver.workload) return [sender, receiver]
  const other = to.other?.(family)
  return other ? [sender, other] : [from.other?.(family), receiver]
}

/** What becomes of TRAFFIC between each pair. @throws CalicoError `invalid` if they have no address family in common */
export function judgePairs(world: World, from: Selection, to: Selection, traffic: Traffic, wanted?: Family): {family: Family; pairs: JudgedPair[]; verdict: TotalVerdict} {
  const family = familyOf(from, to, traffic.protocol, wanted)
  const pairs = pairsOf(from, to, family).map((pair) => ({...pair, judgement: judge(world, pair.sender, pair.receiver, packetOf(traffic, family))}))
  const verdicts = new Set(pairs.map(({judgement}) => judgement.verdict))
  const [verdict = 'unknown'] = verdicts
  return {family, pairs, verdict: verdicts.size > 1 ? 'mixed' : verdict}
}

export interface PairFlows {
  readonly from: Member
  readonly to: Member
  readonly passing: Passing
  readonly texts: readonly string[]
  /** Why it cannot be determined. */
  readonly doubt: string | undefined
  readonly warnings: readonly Warning[]
}

/** All that passes between each pair, in the families that both have. */
export function flowsOfPairs(world: World, from: Selection, to: Selection, wanted?: Family): {pairs: PairFlows[]; same: boolean} {
  familyOf(from, to, undefined, wanted)
  const families = ([4, 6] as const).filter((family) => wanted === undefined || family === wanted)
  const byEnds = new Map<string, {from: Member; to: Member; pairs: Pair[]}>()
  for (const family of families) {
    for (const pair of pairsOf(from, to, family)) {
      const key = JSON.stringify([pair.from.json, pair.to.json])
      const entry = byEnds.get(key)
      if (entry) entry.pairs.push(pair)
      else byEnds.set(key, {from: pair.from, to: pair.to, pairs: [pair]})
    }
  }
  const pairs = [...byEnds.values()].map(({from: source, to: target, pairs: own}) => {
    const partyIn =
      (end: 'sender' | 'receiver') =>
      (family: Family): Party | undefined =>
        own.find(({[end]: party}) => party.address.family === family)?.[end]
    const passed = passingBetween(world, partyIn('sender'), partyIn('receiver'))
    return {
      from: source,
      to: target,
      passing: passed,
      texts: flowTexts(passed.flows, {never: neverFlows(), families: own.map(({sender}) => sender.address.family)}),
      doubt: own.map(({sender, receiver}) => doubtAbout(world, sender, receiver) ?? receiverDoubt(world, sender, receiver)).find((doubt) => doubt !== undefined),
      warnings: own.flatMap(({sender, receiver}) => warningsBetween(world, sender, receiver, passed.by)),
    }
  })
  const [first] = pairs
  const same = pairs.every((pair) => pair.doubt === first?.doubt && (first === undefined || sameFlows(pair.passing.flows, first.passing.flows)))
  return {pairs, same}
}

/** What becomes of PAIR's flow without the rule BY. */
export function withoutRule({judgement}: JudgedPair, traffic: Traffic, family: Family, by: By): {verdict: 'allow' | 'deny'; by: By | undefined} {
  const {verdict, egress, ingress, forward} = evaluateRoute(judgement.route, packetOf(traffic, family), {without: new Set([byKey(by)])})
  const deciding = [egress, ingress, ...forward].find((side) => side?.verdict === verdict && side.by.direction === by.direction)
  return {verdict, by: deciding?.by}
}

