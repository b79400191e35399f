/** The first evaluator: one packet, rule by rule, with its trace (policy-evaluation §6). */
import {type By, byKey, type SideVerdict, sideVerdict} from './by.js'
import {hasPacket, ICMP_OF, isNoFlow, type Packet, unionOf} from './flow-set/flow-set.js'
import type {Point} from './point.js'
import {type Open, ruleMatches} from './rule-match.js'
import type {Rule} from './rule.js'

/** A rule that was examined. */
export interface Considered extends By {
  readonly matched: boolean
}

/** Where the dataplane did something else than the objects say. */
export interface Quirk {
  readonly code: 'profile-pass' | 'third-list'
  readonly by: By
}

export interface Walked {
  /** Undefined: nothing decided, the packet goes on. */
  readonly side: SideVerdict | undefined
  /** Whether a doNotTrack or preDNAT policy decided. */
  readonly early: boolean
  readonly considered: readonly Considered[]
  readonly quirks: readonly Quirk[]
  readonly missing: ReadonlySet<Open>
}

export interface WalkOptions {
  /** As the objects say, not as the dataplane does (§6, §6.5). */
  readonly asWritten?: boolean
  /** Rules that are to be taken for absent, by `byKey`. */
  readonly without?: ReadonlySet<string>
}

const MARK: Readonly<Record<'Allow' | 'Deny', 'allow' | 'deny'>> = {Allow: 'allow', Deny: 'deny'}

/** What POINT decides about PACKET. */
export function walk(point: Point, packet: Packet, {asWritten = false, without}: WalkOptions = {}): Walked {
  const trace = new Trace(point, packet, asWritten, without)
  const side = decide(point, packet, trace)
  return {side, early: trace.early, considered: trace.considered, quirks: trace.quirks, missing: trace.missing}
}

function decide(point: Point, packet: Packet, trace: Trace): SideVerdict | undefined {
  const {direction, failsafe} = point
  const {protocol, dport} = packet
  const built = (kind: By['kind'], action: 'Allow' | 'Deny'): SideVerdict => trace.side(MARK[action], {kind, direction, action})
  const spared = hasPacket(failsafe, packet)
  if (dport === undefined && (failsafe.tcp.length > 0 || failsafe.udp.length > 0) && (protocol === 6 || protocol === 17)) trace.missing.add('dport')
  if (!spared) {
    trace.early = true
    const side = trace.tiers(point.doNotTrack, false) ?? trace.tiers(point.preDnat, false)
    if (side) return side
    trace.clear()
  }
  if (point.early) return undefined
  // Of ICMP without a type both may hold: what is asked then is each type that opens a flow.
  const typed = protocol !== ICMP_OF[packet.family] || packet.icmpType !== undefined
  if (!typed && !isNoFlow(unionOf(point.router, point.invalid))) trace.missing.add('icmpType')
  if (typed && hasPacket(point.router, packet)) return built('ICMPv6Router', 'Allow')
  if (hasPacket(point.encapsulated, packet)) return built('Encapsulation', 'Deny')
  if (typed && hasPacket(point.invalid, packet)) return built('Conntrack', 'Deny')
  if (spared && point.failsafeAllows) return built('Failsafe', 'Allow')
  return trace.tiers(point.tiers, true) ?? (point.atEnd === undefined ? undefined : trace.profiles())
}

class Trace {
  readonly considered: Considered[] = []
  readonly quirks: Quirk[] = []
  readonly missing = new Set<Open>()
  early = false
  private readonly passed: By[] = []
  private readonly logged: By[] = []
  /** The packet's pass mark: left set by a Pass rule of the last tier. */
  private mark = false

  constructor(
    private readonly point: Point,
    private readonly packet: Packet,
    private readonly asWritten: boolean,
    private readonly without: ReadonlySet<string> | undefined,
  ) {}

  side(verdict: 'allow' | 'deny', by: By): SideVerdict {
    return sideVerdict(verdict, by, this.passed, this.logged, this.point.hostEndpoint)
  }

  /** Behind the early stages: they leave no mark. */
  clear(): void {
    this.early = false
    this.mark = false
  }

  /** Tiers in order; ENDS: a tier that no rule decided ends in its default action. */
  tiers(stages: Point['tiers'], ends: boolean): SideVerdict | undefined {
    const {direction} = this.point
    for (const {tier, policies} of stages) {
      this.mark = false
      const outcome = this.policies(policies.map((policy) => policy[direction]))
      if (outcome === 'pass' || (outcome === undefined && !ends)) continue
      if (outcome !== undefined) return outcome
      if (!tier.pass) return this.side('deny', {kind: 'Tier', name: tier.name, direction, action: 'Deny'})
      this.passed.push({kind: 'Tier', name: tier.name, direction, action: 'Pass'})
    }
    return undefined
  }

  private policies(lists: readonly (readonly Rule[])[]): SideVerdict | 'pass' | undefined {
    for (const rule of lists.flat()) {
      if (!this.matches(rule)) continue
      if (rule.action === 'Log') this.logged.push(rule.by)
      else if (rule.action === 'Pass') {
        this.passed.push(rule.by)
        this.mark = true
        return 'pass'
      } else return this.side(MARK[rule.action], rule.by)
    }
    return undefined
  }

  profiles(): SideVerdict {
    const {direction} = this.point
    for (const profile of this.point.profiles) {
      if (profile.missing) return this.side('deny', {kind: 'Profile', name: profile.name, missing: true, direction, action: 'Deny'})
      const side = this.profile(profile[direction])
      if (side) return side
    }
    return this.side('deny', {kind: 'NoMatch', direction, action: 'Deny'})
  }

  /** One profile: a Pass rule ends it if it matches or, with the mark set before, even if it does not (§6). */
  private profile(rules: readonly Rule[]): SideVerdict | undefined {
    const rendered = rules.filter((rule) => rule.families[this.packet.family])
    for (const [index, rule] of rendered.entries()) {
      const matched = this.matches(rule)
      if (rule.action === 'Pass') {
        const marked = this.mark && !this.asWritten && index < rendered.length - 1
        if (!matched && !marked) continue
        if (!matched) this.quirks.push({code: 'profile-pass', by: rule.by})
        this.passed.push(rule.by)
        this.mark = true
        return undefined
      }
      if (!matched) continue
      if (rule.action === 'Log') this.logged.push(rule.by)
      else return this.side(MARK[rule.action], rule.by)
    }
    return undefined
  }

  private matches(rule: Rule): boolean {
    const {source, destination} = this.point
    const {packet} = this
    if (this.without?.has(byKey(rule.by))) return false
    const matched = ruleMatches(rule, packet, source, destination, this.asWritten, (what) => this.missing.add(what))
    if (matched && !this.asWritten && rule.unchecked[packet.family].size > 0 && !ruleMatches(rule, packet, source, destination, true, () => undefined)) {
      this.quirks.push({code: 'third-list', by: rule.by})
    }
    this.considered.push({...rule.by, matched})
    return matched
  }
}

