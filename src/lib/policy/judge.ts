/**
 * The verdict about one flow as it is reported to a user: `unknown`, with the reason, where it cannot be known (policy-evaluation §10), and warnings where the
 * dataplane does something else than the objects say.
 */
import {type Address, equalAddresses, formatAddress} from '../net/index.js'
import {divideRoute, type Division} from './between.js'
import {type By, byKey, type Direction, type ForwardVerdict, type SideVerdict} from './by.js'
import {evaluateRoute, type TracedSide} from './evaluate.js'
import {differenceOf, flowsLike, type Packet} from './flow-set/flow-set.js'
import {familyTexts} from './flow-set/text.js'
import {doubtAbout} from './doubt.js'
import {hostEndpointDoubt} from './host-endpoint-of.js'
import {invalidIcmp} from './packets.js'
import {isPoliced, nodeOf, type Party} from './parties.js'
import {pointsOf, type Route, routeOf} from './route.js'
import type {Rule} from './rule.js'
import {receiverDoubt} from './seen-as.js'
import type {Open} from './rule-match.js'
import {neverFlows} from './groups.js'
import type {Quirk} from './walk.js'
import type {Workload, World} from './world.js'

export interface Warning {
  readonly code: string
  readonly message: string
}

export interface Judgement {
  readonly verdict: 'allow' | 'deny' | 'unknown'
  /** Why it is unknown. */
  readonly reason?: string
  readonly egress: (SideVerdict & Partial<Pick<TracedSide, 'considered'>>) | null
  readonly ingress: (SideVerdict & Partial<Pick<TracedSide, 'considered'>>) | null
  readonly forward: readonly ForwardVerdict[]
  /** The sides of which it cannot be determined which host endpoint decides; they are null. */
  readonly open: readonly Direction[]
  readonly warnings: readonly Warning[]
  readonly route: Route
}

const MISSING: Readonly<Record<Open, string>> = {
  dport: 'the port, which was not given: give it as in tcp/80',
  sport: 'the source port, which was not given: give it with --sport',
  icmpType: 'the ICMP type, which was not given: give it as in icmp/8',
}

/** What becomes of PACKET from FROM to TO. */
export function judge(world: World, from: Party, to: Party, packet: Packet): Judgement {
  const route = routeOf(world, from, to)
  const evaluation = evaluateRoute(route, packet)
  const doubt = doubtAbout(world, from, to, packet) ?? receiverDoubt(world, from, to, packet)
  const warnings = [...warningsAbout(world, from, to, evaluation.quirks), ...deafNodes(world, from, to), ...ignoredBy(rulesOf(route), [evaluation.egress, evaluation.ingress, ...evaluation.forward].flatMap((side) => side?.by ?? []))]
  const isOpen = (party: Party): boolean => party.type === 'host' && hostEndpointDoubt(world, party.node.name, party.address) !== undefined
  const [outward, inward] = [from, to].map((party) => doubt !== undefined && isOpen(party))
  const open: Direction[] = [...(outward ? ['egress' as const] : []), ...(inward ? ['ingress' as const] : [])]
  const sides = {egress: outward ? null : evaluation.egress, ingress: inward ? null : evaluation.ingress, forward: evaluation.forward}
  if (doubt !== undefined) return {verdict: 'unknown', reason: doubt, ...sides, open, warnings, route}
  if (evaluation.missing.length > 0) return {...whatever(route, packet, evaluation.missing, sides), open, warnings, route}
  return {verdict: evaluation.verdict, ...sides, open, warnings, route}
}

/** The verdict where it is the same whatever the packet left open. */
function whatever(route: Route, packet: Packet, missing: readonly Open[], sides: Pick<Judgement, 'egress' | 'ingress' | 'forward'>): Pick<Judgement, 'verdict' | 'reason' | 'egress' | 'ingress' | 'forward'> {
  const {family} = packet
  const like = differenceOf(flowsLike(packet), packet.icmpType === undefined ? invalidIcmp(family) : {tcp: [], udp: [], sctp: [], icmp: [], others: 0n})
  const divisions = divideRoute(route, like, {trace: true})
  const [first, ...more] = divisions
  if (first && more.every(({verdict}) => verdict === first.verdict)) {
    const {egress, ingress, forward} = more.every((one) => sameDeciders(one, first)) ? sides : first
    return {verdict: first.verdict, egress, ingress, forward}
  }
  const passes = divisions.filter(({verdict}) => verdict === 'allow').flatMap(({flows}) => familyTexts(flows, family, family === 4 ? neverFlows().v4 : neverFlows().v6))
  return {verdict: 'unknown', reason: `it depends on ${missing.map((what) => MISSING[what]).join(', and on ')} (allowed: ${[...new Set(passes)].join(' ')})`, ...sides}
}

const deciders = ({egress, ingress, forward}: Division): string => [egress, ingress, ...forward].map((side) => (side ? byKey(side.by) : '')).join('\n')
const sameDeciders = (a: Division, b: Division): boolean => deciders(a) === deciders(b)

/** How a rule is called in texts: `profile web, inbound rule 2`. */
export function ruleLabel({kind, tier, namespace, name, direction, index}: By): string {
  const side = direction === 'ingress' ? 'inbound' : 'outbound'
  const rule = index === undefined ? '' : `, ${side} rule ${index + 1}`
  switch (kind) {
    case 'Profile':
      return `profile ${name ?? ''}${rule}`
    case 'GlobalNetworkPolicy':
      return `globalnetworkpolicy ${name ?? ''} in tier ${tier ?? ''}${rule}`
    case 'NetworkPolicy':
      return `networkpolicy ${namespace ?? ''}/${name ?? ''} in tier ${tier ?? ''}${rule}`
    case 'Tier':
      return `the end of tier ${name ?? ''}`
    default:
      return kind
  }
}

/** All rules that ROUTE asks. */
const rulesOf = (route: Route): Rule[] =>
  pointsOf(route).flatMap(({doNotTrack, preDnat, tiers, profiles, direction}) => [...[...doNotTrack, ...preDnat, ...tiers].flatMap(({policies}) => policies), ...profiles].flatMap(({[direction]: list}) => list))

/** Warnings of those of RULES that decide, by DECIDING, of which Felix passes something over: they match more, or other flows, than they say. */
function ignoredBy(rules: readonly Rule[], deciding: readonly By[]): Warning[] {
  const odd = rules.filter(({ignored}) => ignored.length > 0)
  const keys = new Set(deciding.map(byKey))
  return odd.flatMap(({by, ignored}) => (keys.has(byKey(by)) ? [{code: 'ignored-field', message: `${ruleLabel(by)} is enforced without ${ignored.join(', ')}, which Felix does not know: it may match other flows than intended.`}] : []))
}

/** ICMPv6 by which neighbours find each other. */
const NEIGHBOUR_TYPES = [135, 136]

/** A neighbour of whom nothing is known. */
const NEIGHBOUR: Address = {family: 6, value: (0xfe80n << 112n) + 1n}

/** Warnings of nodes on the way whose host endpoint takes no IPv6 neighbour discovery in: no IPv6 reaches them then, whatever is allowed (policy-evaluation §8.2). */
function deafNodes(world: World, from: Party, to: Party): Warning[] {
  if (from.address.family === 4 || world.hostEndpoints.length === 0) return []
  const names = [nodeOf(from), nodeOf(to)]
  return [...new Set(names)].flatMap((name): Warning[] => {
    const node = name === undefined ? undefined : world.nodes.get(name)
    if (node === undefined || names[0] === names[1] || hostEndpointDoubt(world, node.name, node.addresses[6]) !== undefined) return []
    const neighbour = world.nodes.get(names.find((other) => other !== name) ?? '')?.addresses[6] ?? NEIGHBOUR
    const route = routeOf(world, {type: 'outside', address: neighbour}, {type: 'host', node, address: node.addresses[6] ?? {...NEIGHBOUR, value: NEIGHBOUR.value + 1n}})
    const denied = NEIGHBOUR_TYPES.map((icmpType) => evaluateRoute(route, {family: 6, protocol: 58, icmpType, icmpCode: 0}).ingress).find((side) => side?.verdict === 'deny')
    if (!denied) return []
    const message = `The host endpoint ${denied.hostEndpoint ?? ''} of node ${node.name} denies IPv6 neighbour discovery: other machines cannot find the node, and no IPv6 reaches it or its workloads, whatever the rules allow. Allow ICMPv6 types ${NEIGHBOUR_TYPES.join(' and ')} in a policy of the host endpoint.`
    return [{code: 'neighbour-discovery', message}]
  })
}

function quirkText({code, by}: Quirk): string {
  if (code === 'third-list') return `${ruleLabel(by)} matches more flows than it says: it has three or more lists of alternatives, and Felix checks only the first two. Split it into several rules.`
  return `${ruleLabel(by)} does not match, but ends its profile anyway, because a Pass rule matched before.`
}

/** The warnings about all flows from FROM to TO of which BY are the rules that let some pass. */
export function warningsBetween(world: World, from: Party, to: Party, by: readonly By[]): Warning[] {
  const {family} = from.address
  const route = routeOf(world, from, to)
  const rules = rulesOf(route)
  const passing = new Set(by.map(byKey))
  const quirks = rules.flatMap((rule): Quirk[] => (passing.has(byKey(rule.by)) && rule.unchecked[family].size > 0 ? [{code: 'third-list', by: rule.by}] : []))
  return [...warningsAbout(world, from, to, quirks), ...deafNodes(world, from, to), ...ignoredBy(rules, by)]
}

function warningsAbout(world: World, from: Party, to: Party, quirks: readonly Quirk[]): Warning[] {
  const found: Warning[] = quirks.map((quirk) => ({code: quirk.code, message: quirkText(quirk)}))
  const workloads = [from, to].flatMap((party): Workload[] => (party.type === 'workload' ? [party.workload] : []))
  for (const workload of workloads) {
    const {name, node, interfaceName, shadowedBy} = workload
    if (!isPoliced(world, workload)) found.push({code: 'not-policed', message: `The interface ${interfaceName} of ${name} does not begin with ${world.settings(node).interfacePrefixes.join(' or ')}: Felix applies no policy at all to it.`})
    if (shadowedBy) found.push({code: 'shadowed', message: `${name} has the same interface as ${shadowedBy.name}, which is enforced instead.`})
    if (workload.limits.length > 0) found.push({code: 'limits', message: `${name} has qosControls (${workload.limits.join(', ')}), which may refuse traffic that the rules allow.`})
    if (!world.nodes.has(node)) found.push({code: 'no-node', message: `${name} is on node ${node}, which has no Node object.`})
    for (const profile of workload.profiles) {
      const {missing, problem} = world.profile(profile)
      if (missing) found.push({code: 'missing-profile', message: problem ? `Felix rejects profile ${profile} of ${name}, whose traffic is then dropped: ${problem.message}.` : `Profile ${profile} of ${name} does not exist: traffic that earlier profiles do not decide is dropped.`})
      const lost = world.problems.find((other) => other.kind === 'Profile' && other.effect === 'labels-lost' && other.name === profile)
      if (lost) found.push({code: 'labels-lost', message: `Endpoints of profile ${profile} do not get its labels (tags), because Felix rejects it: ${lost.message}.`})
    }
  }
  for (const party of [from, to]) {
    if (party.type !== 'outside') continue
    const absent = world.problems.find(({kind, effect, addresses = []}) => kind === 'WorkloadEndpoint' && effect === 'absent' && addresses.some((address) => equalAddresses(address, party.address)))
    if (absent) found.push({code: 'absent-endpoint', message: `${formatAddress(party.address)} is the address of ${absent.name}, but Felix rejects this endpoint and drops all its traffic: ${absent.message}.`})
  }
  for (const {kind, name, effect, message, selector} of world.problems) {
    if (!/Policy$|Set$/.test(kind) || effect === 'stops' || selector) continue
    found.push({code: effect === 'unreadable' ? 'unreadable' : 'ignored', message: `${kind.toLowerCase()}/${name} is ignored, because Felix cannot use it: ${message}.`})
  }
  return [...new Map(found.map((warning) => [warning.message, warning])).values()]
}
