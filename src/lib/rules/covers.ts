/**
 * Whether one rule takes all that another could match. It is judged by the criteria alone, no endpoint is asked (policy-evaluation.md §6): "yes" is certain;
 * "no" may be a rule of which only the endpoints of the moment could say more. Pure, and a chunk of its own: `rule add` asks it for one rule.
 */
import type {EntityRule, IcmpMatch, Rule} from '../model/types.js'
import {canonical, type Selector, tryParseSelector} from '../model/selector/index.js'
import {ADDRESS_BITS, type Family, firstAddress, lastAddress, parseCidrOrAddress} from '../net/index.js'

/** Inclusive ranges, in order, that neither overlap nor touch. */
type Ranges = readonly (readonly [low: bigint, high: bigint])[]

/** A rule made ready for many comparisons. */
export interface Matcher {
  readonly action: string
  readonly families: readonly Family[]
  readonly protocol: number | undefined
  readonly notProtocol: number | undefined
  readonly icmp: IcmpMatch | undefined
  readonly notICMP: IcmpMatch | undefined
  readonly ends: readonly [SideMatcher, SideMatcher]
}

interface SideMatcher {
  readonly addresses: Readonly<Record<Family, Ranges>>
  /** The endpoints and sets that it is limited to; undefined = every address. */
  readonly selected: Selector | undefined
  /** The labels in `selected`; undefined where that is more than a choice by labels. */
  readonly labels: ReadonlySet<string> | undefined
  /** With no `selected`: the set that the address must not be in. */
  readonly unselected: Selector | undefined
  /** The criteria that only equal ones are comparable with, as one text; '' = none. */
  readonly opaque: string
  readonly ports: PortSet
}

/** Ports of a side: `numbers` without the excluded ones, and names; `any` = the rule names no ports. */
interface PortSet {
  readonly any: boolean
  readonly numbers: Ranges
  readonly names: readonly string[]
  readonly notNumbers: Ranges
  readonly notNames: readonly string[]
  /** The numbers that the rule takes. */
  readonly allowed: Ranges
}

const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {tcp: 6, udp: 17, icmp: 1, icmpv6: 58, sctp: 132, udplite: 136}
const FAMILY_OF_ICMP: Readonly<Record<string, Family>> = {icmp: 4, icmpv6: 6}
const ALL_PORTS: Ranges = [[1n, 65535n]]
const FAMILIES = [4, 6] as const

/**
 * RULE made ready; undefined for a rule that cannot be judged: a value in it is not one that Felix reads. In a NetworkPolicy a negated selector is bound
 * to the namespace, and so selects among endpoints (§6.3): NAMESPACED.
 */
export function matcher(rule: Rule, {namespaced = false}: {namespaced?: boolean} = {}): Matcher | undefined {
  if (namespaced) return madeReady(rule, namespaced)
  let ready = READY.get(rule)
  if (ready === undefined) READY.set(rule, (ready = madeReady(rule, namespaced) ?? null))
  return ready ?? undefined
}

/** Rules are not changed once they are made: a batch that edits one profile many times makes each of its rules ready once. */
const READY = new WeakMap<Rule, Matcher | null>()

function madeReady(rule: Rule, namespaced: boolean): Matcher | undefined {
  const source = side(rule.source ?? {}, namespaced)
  const destination = side(rule.destination ?? {}, namespaced)
  const [protocol, notProtocol] = [protocolNumber(rule.protocol), protocolNumber(rule.notProtocol)]
  if (!source || !destination || protocol === null || notProtocol === null) return undefined
  return {
    action: (rule.action as string | undefined ?? 'Allow').toLowerCase(),
    families: familiesOf(rule),
    protocol,
    notProtocol,
    icmp: rule.icmp,
    notICMP: rule.notICMP,
    ends: [source, destination],
  }
}

/** The address families for which RULE exists at all (policy-evaluation §6.2); none = no packet can match it. */
export function familiesOf(rule: Rule): Family[] {
  const byName = typeof rule.protocol === 'string' ? FAMILY_OF_ICMP[rule.protocol.toLowerCase()] : undefined
  const version = rule.ipVersion ?? byName
  const lists = [rule.source, rule.destination].flatMap((entity) => [entity?.nets ?? [], entity?.notNets ?? []])
  return FAMILIES.filter((family) => (version === undefined || version === family) && lists.every((nets) => nets.length === 0 || isOf(nets, family)))
}

/** Nets that do not parse are left out, and a list with nothing left matches everything (§2). */
const isOf = (nets: readonly string[], family: Family): boolean => {
  const known = nets.flatMap((net) => parseCidrOrAddress(net) ?? [])
  return known.length === 0 || known.some((cidr) => cidr.family === family)
}

/** Whether every packet that LATER could match is taken by EARLIER, so that LATER never decides where EARLIER is asked first. */
export function covers(earlier: Matcher, later: Matcher): boolean {
  if (earlier.action === 'log' || later.families.length === 0) return false
  if (areApart(earlier.ends[0], later.ends[0]) || areApart(earlier.ends[1], later.ends[1])) return false
  return (
    later.families.every((family) => earlier.families.includes(family)) &&
    coversProtocol(earlier, later) &&
    coversIcmp(earlier, later) &&
    coversSide(earlier.ends[0], later.ends[0], later.families) &&
    coversSide(earlier.ends[1], later.ends[1], later.families)
  )
}

/** The number, counted from 1, of the first of RULES that takes all that RULE could match; 0 = none. */
export function firstCovering(rules: readonly Rule[], rule: Rule): number {
  const wanted = matcher(rule)
  if (!wanted) return 0
  return rules.findIndex((other) => {
    const earlier = matcher(other)
    return earlier !== undefined && covers(earlier, wanted)
  }) + 1
}

/**
 * Which of EARLIER together take all that LATER could match, though none does alone: `ports 1:100` and `ports 101:65535` take every TCP packet. None if they
 * leave something, or if it takes too many parts to tell.
 */
export function coveringTogether<T>(earlier: readonly T[], matcherOf: (item: T) => Matcher | undefined, later: Matcher): T[] {
  if (later.families.length === 0) return []
  let left: readonly Box[] = later.families.map((family) => boxOf(later, family, true))
  const taking: T[] = []
  for (const item of earlier) {
    const match = matcherOf(item)
    if (!match || !coversButNumbers(match, later)) continue
    const boxes = new Map(match.families.map((family) => [family, boxOf(match, family, false)]))
    const parts = left.flatMap((box) => {
      const taken = boxes.get(box.family)
      return taken ? without(box, taken) : [box]
    })
    if (parts.length === left.length && parts.every((part, index) => part === left[index])) continue
    taking.push(item)
    if (parts.length === 0) return taking
    if (parts.length > MOST_BOXES) return []
    left = parts
  }
  return []
}

/** Parts of one rule that are examined. */
const MOST_BOXES = 200

/** What a rule asks in numbers: a flow is in it whose every number is in the ranges of that place. */
interface Box {
  readonly family: Family
  /** Protocols, source and destination addresses, source and destination ports. */
  readonly ranges: readonly Ranges[]
}

const ALL_PROTOCOLS: Ranges = [[1n, 255n]]

/** MATCH in FAMILY. Named ports may be any number: MOST takes them for all of them, else for none. */
function boxOf({protocol, notProtocol, ends}: Matcher, family: Family, most: boolean): Box {
  const only = (number: number): Ranges => [[BigInt(number), BigInt(number)]]
  const protocols = protocol === undefined ? ALL_PROTOCOLS : only(protocol)
  const ports = ({ports: {any, names, notNumbers, allowed}}: SideMatcher): Ranges => (most && !any && names.length > 0 ? minus(ALL_PORTS, notNumbers) : allowed)
  return {family, ranges: [notProtocol === undefined ? protocols : minus(protocols, only(notProtocol)), ...ends.map(({addresses}) => addresses[family]), ...ends.map(ports)]}
}

/** The parts of BOX that are not in TAKEN; BOX itself where they have nothing in common. */
function without(box: Box, taken: Box): Box[] {
  const common = box.ranges.map((own, place) => minus(own, minus(own, taken.ranges[place] ?? [])))
  if (common.some((ranges) => ranges.length === 0)) return [box]
  return box.ranges.flatMap((own, place) => {
    const rest = minus(own, taken.ranges[place] ?? [])
    return rest.length === 0 ? [] : [{family: box.family, ranges: box.ranges.map((other, at) => (at < place ? (common[at] ?? []) : at === place ? rest : other))}]
  })
}

/** Whether EARLIER takes of LATER what its numbers (protocol, ports, networks) leave it. */
function coversButNumbers(earlier: Matcher, later: Matcher): boolean {
  return (
    earlier.action !== 'log' &&
    coversIcmp(earlier, later) &&
    ([0, 1] as const).every((end) => {
      const [mine, other] = [earlier.ends[end], later.ends[end]]
      return !areApart(mine, other) && (mine.opaque === '' || mine.opaque === other.opaque) && coversSelection(mine, other) && mine.ports.notNames.every((name) => other.ports.notNames.includes(name))
    })
  )
}

/** The numbers, counted from 1, of those of RULES that take all that RULE could match: one if one does, else several together; none = something is left. */
export function coveringRules(rules: readonly Rule[], rule: Rule): number[] {
  const first = firstCovering(rules, rule)
  if (first > 0) return [first]
  const wanted = matcher(rule)
  return wanted ? coveringTogether(rules.map((_, index) => index), (index) => rules[index] && matcher(rules[index]), wanted).map((index) => index + 1) : []
}

/** Rules of a list in which it is examined what several take together for each of them. */
const MOST_TOGETHER = 100

/**
 * The numbers, counted from 1, of the RULES behind number AT that never match because of it; without it they could. In a long list, those to which it leaves
 * nothing alone.
 */
export function coveredBy(rules: readonly Rule[], at: number): number[] {
  const [rule] = rules.slice(at - 1, at)
  const taker = rule && matcher(rule)
  if (!taker) return []
  const covering = rules.length > MOST_TOGETHER ? (before: readonly Rule[], later: Rule) => firstCovering(before, later) > 0 : (before: readonly Rule[], later: Rule) => coveringRules(before, later).length > 0
  return rules.flatMap((later, index) => {
    const wanted = index < at ? undefined : matcher(later)
    if (!wanted || !(covers(taker, wanted) || (rules.length <= MOST_TOGETHER && coversButNumbers(taker, wanted)))) return []
    const before = rules.slice(0, index)
    return covering(before, later) && !covering(before.toSpliced(at - 1, 1), later) ? [index + 1] : []
  })
}

/** True where EARLIER selects by labels of which LATER asks for none: so it is with most rules of a long list. */
function areApart({labels: asked}: SideMatcher, {labels: given}: SideMatcher): boolean {
  if (!asked || !given) return false
  for (const label of asked) if (given.has(label)) return false
  return true
}

function coversProtocol(earlier: Matcher, later: Matcher): boolean {
  if (earlier.protocol !== undefined && earlier.protocol !== later.protocol) return false
  const {notProtocol} = earlier
  return notProtocol === undefined || notProtocol === later.notProtocol || (later.protocol !== undefined && later.protocol !== notProtocol)
}

function coversIcmp(earlier: Matcher, later: Matcher): boolean {
  const {icmp, notICMP} = earlier
  if (icmp?.type !== undefined && (icmp.type !== later.icmp?.type || (icmp.code !== undefined && icmp.code !== later.icmp.code))) return false
  if (notICMP === undefined) return true
  const {icmp: wanted, notICMP: without} = later
  const apart = wanted?.type !== undefined && notICMP.type !== undefined
    && (wanted.type !== notICMP.type || (wanted.code !== undefined && notICMP.code !== undefined && wanted.code !== notICMP.code))
  const excluded = without !== undefined && without.type === notICMP.type && (without.code === undefined || without.code === notICMP.code)
  return apart || excluded
}

function coversSide(earlier: SideMatcher, later: SideMatcher, families: readonly Family[]): boolean {
  return (
    (earlier.opaque === '' || earlier.opaque === later.opaque) &&
    // Most rules of a long list differ in these: they are asked first.
    coversSelection(earlier, later) &&
    coversPorts(earlier.ports, later.ports) &&
    families.every((family) => within(later.addresses[family], earlier.addresses[family]))
  )
}

function coversSelection(earlier: SideMatcher, later: SideMatcher): boolean {
  if (earlier.selected) return later.selected !== undefined && implies(later.selected, earlier.selected)
  if (!earlier.unselected) return true
  // What is in no set of a selector is known of a negation that stands alone only (§6.3).
  return later.unselected !== undefined && implies(earlier.unselected, later.unselected)
}

function coversPorts(earlier: PortSet, later: PortSet): boolean {
  const excludedToo = earlier.notNames.every((name) => later.notNames.includes(name))
  if (!excludedToo || !within(later.allowed, earlier.allowed)) return false
  if (later.any || later.names.length === 0) return true
  const everyNumber = within(minus(ALL_PORTS, later.notNumbers), earlier.allowed)
  return everyNumber || (later.names.every((name) => earlier.names.includes(name)) && within(earlier.notNumbers, later.notNumbers))
}

/** The labels that SELECTOR asks for; undefined where it has parts that ask for none. */
function labelsOf(selector: Selector): ReadonlySet<string> | undefined {
  const labels = new Set<string>()
  const everyPartHasOne = (part: Selector): boolean => {
    if ('label' in part) return labels.add(part.label).size > 0
    if ('operands' in part) return part.operands.every(everyPartHasOne)
    return part.op === 'not' && everyPartHasOne(part.operand)
  }
  return everyPartHasOne(selector) ? labels : undefined
}

/** Whether what A selects is certainly selected by B. */
function implies(a: Selector, b: Selector): boolean {
  if (b.op === 'all' || canonical(a) === canonical(b)) return true
  if (a.op === 'or') return a.operands.every((operand) => implies(operand, b))
  if (b.op === 'and') return b.operands.every((operand) => implies(a, operand))
  if (a.op === 'and' && a.operands.some((operand) => implies(operand, b))) return true
  if (b.op === 'or') return b.operands.some((operand) => implies(a, operand))
  switch (a.op) {
    case '==':
      return (b.op === 'has' && b.label === a.label) || (b.op === 'in' && b.label === a.label && b.values.includes(a.value))
        || (b.op === '!=' && b.label === a.label && b.value !== a.value)
    case 'in':
      return (b.op === 'has' && b.label === a.label) || (b.op === 'in' && b.label === a.label && a.values.every((value) => b.values.includes(value)))
        || (b.op === '==' && b.label === a.label && a.values.every((value) => value === b.value))
    case 'contains':
    case 'starts with':
    case 'ends with':
      return b.op === 'has' && b.label === a.label
    case 'not':
      return (b.op === '!=' || b.op === 'not in') && a.operand.op === 'has' && a.operand.label === b.label
    default:
      return false
  }
}

function side(entity: EntityRule, namespaced: boolean): SideMatcher | undefined {
  const ports = portSet(entity)
  const selected = selectorOf(entity.selector)
  const not = selectorOf(entity.notSelector)
  if (!ports || selected === null || not === null) return undefined
  const {namespaceSelector, serviceAccounts, services} = entity
  const opaque = [namespaceSelector, serviceAccounts, services].some((criterion) => criterion !== undefined) ? JSON.stringify([namespaceSelector, serviceAccounts, services]) : ''
  // Beside a positive criterion notSelector narrows its set; an opaque one is positive, too.
  const positive = selected !== undefined || opaque !== '' || namespaced
  const narrowed: Selector | undefined = not !== undefined && selected !== undefined ? {op: 'and', operands: [selected, {op: 'not', operand: not}]} : selected
  const all = narrowed ?? (positive && not ? {op: 'not', operand: not} : undefined)
  return {
    addresses: {4: addressesOf(entity, 4), 6: addressesOf(entity, 6)},
    selected: all,
    labels: all && labelsOf(all),
    unselected: positive ? undefined : not,
    opaque,
    ports,
  }
}

/** null = it does not parse. */
function selectorOf(text: string | undefined): Selector | undefined | null {
  if (text === undefined || text === '') return undefined
  return tryParseSelector(text).selector ?? null
}

function addressesOf({nets = [], notNets = []}: EntityRule, family: Family): Ranges {
  const read = (texts: readonly string[]): Ranges =>
    united(texts.flatMap((text) => {
      const cidr = parseCidrOrAddress(text)
      return cidr?.family === family ? [[firstAddress(cidr).value, lastAddress(cidr).value] as const] : []
    }))
  const all: Ranges = [[0n, (1n << BigInt(ADDRESS_BITS[family])) - 1n]]
  const limited = nets.some((net) => parseCidrOrAddress(net) !== undefined)
  return minus(limited ? read(nets) : all, read(notNets))
}

function portSet({ports = [], notPorts = []}: EntityRule): PortSet | undefined {
  const yes = readPorts(ports)
  const no = readPorts(notPorts)
  if (!yes || !no) return undefined
  const any = ports.length === 0
  return {any, numbers: yes.numbers, names: yes.names, notNumbers: no.numbers, notNames: no.names, allowed: minus(any ? ALL_PORTS : yes.numbers, no.numbers)}
}

function readPorts(ports: readonly unknown[]): {numbers: Ranges; names: string[]} | undefined {
  const numbers: (readonly [bigint, bigint])[] = []
  const names: string[] = []
  for (const port of ports) {
    const [, low, high = low] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(String(port)) ?? []
    if (low === undefined || high === undefined) names.push(String(port))
    else if (Number(low) <= Number(high)) numbers.push([BigInt(low), BigInt(high)])
    else return undefined
  }
  return {numbers: united(numbers), names}
}

/** null = no protocol that Calico knows. */
function protocolNumber(protocol: string | number | undefined): number | undefined | null {
  if (protocol === undefined) return undefined
  const text = String(protocol)
  return /^\d{1,3}$/.test(text) ? Number(text) : (PROTOCOL_NUMBERS[text.toLowerCase()] ?? null)
}

function united(ranges: readonly (readonly [bigint, bigint])[]): Ranges {
  const result: [bigint, bigint][] = []
  for (const [low, high] of [...ranges].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const last = result.at(-1)
    if (last && low <= last[1] + 1n) last[1] = high > last[1] ? high : last[1]
    else result.push([low, high])
  }
  return result
}

function minus(from: Ranges, away: Ranges): Ranges {
  let left: (readonly [bigint, bigint])[] = [...from]
  for (const [low, high] of away) {
    left = left.flatMap(([a, b]) => (b < low || a > high ? [[a, b] as const] : [...(a < low ? [[a, low - 1n] as const] : []), ...(b > high ? [[high + 1n, b] as const] : [])]))
  }
  return left
}

/** Whether all of INNER is in OUTER; each inner range must lie in one outer range, which do not touch. */
const within = (inner: Ranges, outer: Ranges): boolean => inner.every(([low, high]) => outer.some(([a, b]) => a <= low && high <= b))
