/** The second evaluator: all flows between two places at once, divided by what decides about them (policy-evaluation §6). */
import {type By, byKey, type Direction, type SideVerdict, sideVerdict, type Verdict} from './by.js'
import {allFlowsOf, differenceOf, type FamilyFlows, intersectionOf, isNoFlow, unionOf} from './flow-set/flow-set.js'
import type {Point} from './point.js'
import {endMatches, namedAt, type Place} from './match-addresses.js'
import {hasNames, ruleFlows} from './rule-flows.js'
import type {Rule} from './rule.js'

/** Flows about which the same is decided in the same way. */
export interface Piece {
  readonly flows: FamilyFlows
  readonly side: SideVerdict
  /** A doNotTrack or preDNAT policy decided. */
  readonly early: boolean
}

export interface Spread {
  /** Disjoint. */
  readonly pieces: readonly Piece[]
  /** Flows about which nothing was decided. */
  readonly rest: FamilyFlows
}

export interface SpreadOptions {
  readonly asWritten?: boolean
  /** Keep flows apart that differ in what was passed or logged on the way. */
  readonly trace?: boolean
}

/** Flows that have come the same way. */
interface Stream {
  readonly flows: FamilyFlows
  readonly passed: readonly By[]
  readonly logged: readonly By[]
  readonly mark: boolean
}

/** What tiers have left undecided, and what they decided. */
interface AfterTiers {
  readonly pieces: readonly Piece[]
  readonly streams: readonly Stream[]
  /** With what each list of profiles decides about the streams. */
  readonly whole: Map<string, Spread>
}

const remembered = new WeakMap<Point['tiers'], Map<string, AfterTiers>>()

/** What POINT decides about all flows of its family; remembered by which of its rules the two places fit: first of the tiers', then of the profiles'. */
export function spreadAll(point: Point): Spread {
  const all = allFlowsOf(point.source.address.family)
  if (point.sameAs === undefined) return spread(point, all)
  let known = remembered.get(point.tiers)
  if (known === undefined) remembered.set(point.tiers, (known = new Map<string, AfterTiers>()))
  const key = `${point.sameAs} ${fitting(point, point.tiers, () => point.tiers.flatMap(({policies}) => policies.flatMap((policy) => policy[point.direction])))}`
  let after = known.get(key)
  if (after === undefined) {
    const run = new Run(point, {})
    const streams = run.tiersOnly(all)
    known.set(key, (after = {pieces: run.pieces, streams, whole: new Map()}))
  }
  // What no flow comes to makes no difference.
  const profilesKey = after.streams.length === 0 ? '' : point.profiles.map((profile) => `${profile.name} ${fitting(point, profile, () => profile[point.direction])}`).join('\n')
  let result = after.whole.get(profilesKey)
  if (result === undefined) {
    const run = new Run(point, {})
    run.profiles(after.streams)
    after.whole.set(profilesKey, (result = {pieces: [...after.pieces, ...run.pieces], rest: together([])}))
  }
  return result
}

/** Rules in order, and which of them fit which places: bit N of the Nth rule. */
interface FittingRules {
  readonly rules: readonly Rule[]
  /** Those with named ports, each with its bit. */
  readonly named: readonly {readonly rule: Rule; readonly bit: bigint}[]
  readonly source: WeakMap<Place['address'], bigint>
  readonly destination: WeakMap<Place['address'], bigint>
}

const fits: Readonly<Record<Direction, WeakMap<object, FittingRules>>> = {ingress: new WeakMap(), egress: new WeakMap()}

/** Which of RULES, which OWNER has, fit the two places of POINT, and what their named ports are there. */
function fitting({direction, source, destination}: Point, owner: object, rules: () => readonly Rule[]): string {
  let list = fits[direction].get(owner)
  if (list === undefined) {
    const all = rules()
    const named = all.flatMap((rule, index) => (hasNames(rule) ? [{rule, bit: 1n << BigInt(index)}] : []))
    fits[direction].set(owner, (list = {rules: all, named, source: new WeakMap(), destination: new WeakMap()}))
  }
  const both = fittingAt(list, 'source', source) & fittingAt(list, 'destination', destination)
  if (both === 0n) return ''
  const names = list.named.flatMap(({rule, bit}) => ((both & bit) === 0n ? [] : [namesAt(rule, source, destination)]))
  return both.toString(32) + (names.length === 0 ? '' : JSON.stringify(names))
}

function fittingAt({rules, ...known}: FittingRules, end: 'source' | 'destination', place: Place): bigint {
  let bits = known[end].get(place.address)
  if (bits === undefined) {
    const {family} = place.address
    bits = BigInt(`0b0${rules.map((rule) => (!rule.never && rule.families[family] && endMatches(rule, end, place, false) ? '1' : '0')).reverse().join('')}`)
    known[end].set(place.address, bits)
  }
  return bits
}

const namesAt = (rule: Rule, source: Place, destination: Place): unknown =>
  ([[rule.source, source], [rule.destination, destination]] as const).flatMap(([end, place]) => [end.ports, end.notPorts].map((ports) => ports && namedAt(ports, place, end.set)))

/** What POINT decides about FLOWS. */
export function spread(point: Point, flows: FamilyFlows, options: SpreadOptions = {}): Spread {
  const run = new Run(point, options)
  const rest = run.all(flows)
  return {pieces: run.pieces, rest}
}

class Run {
  readonly pieces: Piece[] = []
  private early = false

  constructor(
    private readonly point: Point,
    private readonly options: SpreadOptions,
  ) {}

  all(flows: FamilyFlows): FamilyFlows {
    const {point} = this
    const {failsafe} = point
    const start = this.streams([{flows: differenceOf(flows, failsafe), passed: [], logged: [], mark: false}])
    this.early = true
    let streams = this.tiers(this.tiers(start, point.doNotTrack, false), point.preDnat, false)
    this.early = false
    streams = this.streams([...streams.map((stream) => ({...stream, mark: false})), {flows: intersectionOf(flows, failsafe), passed: [], logged: [], mark: false}])
    if (point.early) return together(streams)
    streams = this.builtInAndTiers(streams)
    if (point.atEnd === undefined) return together(streams)
    this.profiles(streams)
    return together([])
  }

  /** What is left of FLOWS behind the tiers, at a point without host endpoint. */
  tiersOnly(flows: FamilyFlows): Stream[] {
    return this.builtInAndTiers(this.streams([{flows, passed: [], logged: [], mark: false}]))
  }

  private builtInAndTiers(start: readonly Stream[]): Stream[] {
    const {point} = this
    const {direction, failsafe} = point
    let streams = this.take(start, point.router, 'allow', {kind: 'ICMPv6Router', direction, action: 'Allow'})
    streams = this.take(streams, point.encapsulated, 'deny', {kind: 'Encapsulation', direction, action: 'Deny'})
    streams = this.take(streams, point.invalid, 'deny', {kind: 'Conntrack', direction, action: 'Deny'})
    if (point.failsafeAllows) streams = this.take(streams, failsafe, 'allow', {kind: 'Failsafe', direction, action: 'Allow'})
    return this.tiers(streams, point.tiers, true)
  }

  /** STREAMS without those that carry nothing; those that differ in nothing that counts are one. */
  private streams(streams: readonly Stream[]): Stream[] {
    const kept = streams.filter(({flows}) => !isNoFlow(flows))
    if (kept.length < 2) return kept
    const byWay = new Map<string, Stream>()
    for (const stream of kept) {
      const way = `${stream.mark} ${this.options.trace ? JSON.stringify([stream.passed.map(byKey), stream.logged.map(byKey)]) : ''}`
      const other = byWay.get(way)
      byWay.set(way, other ? {...other, flows: unionOf(other.flows, stream.flows)} : stream)
    }
    return [...byWay.values()]
  }

  private decide({passed, logged}: Stream, flows: FamilyFlows, verdict: Verdict, by: By): void {
    if (isNoFlow(flows)) return
    const side = this.options.trace ? sideVerdict(verdict, by, passed, logged, this.point.hostEndpoint) : sideVerdict(verdict, by, [], [], this.point.hostEndpoint)
    this.pieces.push({flows, side, early: this.early})
  }

  /** Decides what of STREAMS is in FLOWS. */
  private take(streams: readonly Stream[], flows: FamilyFlows, verdict: Verdict, by: By): Stream[] {
    if (isNoFlow(flows)) return [...streams]
    for (const stream of streams) this.decide(stream, intersectionOf(stream.flows, flows), verdict, by)
    return this.streams(streams.map((stream) => ({...stream, flows: differenceOf(stream.flows, flows)})))
  }

  private tiers(start: readonly Stream[], stages: Point['tiers'], ends: boolean): Stream[] {
    const {direction} = this.point
    let streams = [...start]
    for (const {tier, policies} of stages) {
      const passing: Stream[] = []
      let inside: Stream[] = streams.map((stream) => ({...stream, mark: false}))
      for (const policy of policies) {
        for (const rule of policy[direction]) {
          if (inside.length === 0) break
          inside = this.rule(inside, rule, passing)
        }
      }
      if (!ends) streams = this.streams([...passing, ...inside])
      else if (tier.pass) {
        const by: By = {kind: 'Tier', name: tier.name, direction, action: 'Pass'}
        streams = this.streams([...passing, ...inside.map((stream) => ({...stream, passed: [...stream.passed, by]}))])
      } else {
        for (const stream of inside) this.decide(stream, stream.flows, 'deny', {kind: 'Tier', name: tier.name, direction, action: 'Deny'})
        streams = this.streams(passing)
      }
    }
    return streams
  }

  /** STREAMS past RULE; what it passes goes to PASSING. */
  private rule(streams: readonly Stream[], rule: Rule, passing: Stream[]): Stream[] {
    const {source, destination} = this.point
    const matching = ruleFlows(rule, source, destination, this.options.asWritten ?? false)
    if (isNoFlow(matching)) return [...streams]
    const going: Stream[] = []
    for (const stream of streams) {
      const hit = intersectionOf(stream.flows, matching)
      if (isNoFlow(hit)) {
        going.push(stream)
        continue
      }
      going.push({...stream, flows: differenceOf(stream.flows, matching)})
      if (rule.action === 'Log') going.push({...stream, flows: hit, logged: [...stream.logged, rule.by]})
      else if (rule.action === 'Pass') passing.push({...stream, flows: hit, passed: [...stream.passed, rule.by], mark: true})
      else this.decide(stream, hit, rule.action === 'Allow' ? 'allow' : 'deny', rule.by)
    }
    return this.streams(going)
  }

  /** What the profiles of the point decide about the streams of START: everything. */
  profiles(start: readonly Stream[]): void {
    const {direction, source, profiles} = this.point
    const {family} = source.address
    let streams = [...start]
    for (const profile of profiles) {
      if (profile.missing) {
        for (const stream of streams) this.decide(stream, stream.flows, 'deny', {kind: 'Profile', name: profile.name, missing: true, direction, action: 'Deny'})
        return
      }
      const passing: Stream[] = []
      const rendered = profile[direction].filter((rule) => rule.families[family])
      for (const [index, rule] of rendered.entries()) {
        streams = this.rule(streams, rule, passing)
        // A Pass rule ends the profile also for what was marked before, though it does not match (§6).
        if (rule.action !== 'Pass' || index === rendered.length - 1 || this.options.asWritten) continue
        for (const stream of streams) if (stream.mark) passing.push({...stream, passed: [...stream.passed, rule.by]})
        streams = streams.filter(({mark}) => !mark)
      }
      streams = this.streams([...passing, ...streams])
    }
    for (const stream of streams) this.decide(stream, stream.flows, 'deny', {kind: 'NoMatch', direction, action: 'Deny'})
  }
}

const together = (streams: readonly Stream[]): FamilyFlows =>
  streams.reduce<FamilyFlows>((all, {flows}) => unionOf(all, flows), {tcp: [], udp: [], sctp: [], icmp: [], others: 0n})
