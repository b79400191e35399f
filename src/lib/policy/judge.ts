/**
 * The verdict about one flow as it is told to a user: `unknown`, with the reason, where it cannot be known (policy-evaluation §10), and warnings where the
 * dataplane does something else than the objects say.
 */
import {type Address, contains, formatAddress} from '../net/index.js'
import {divideRoute, type Division} from './between.js'
import {type By, byKey, type ForwardVerdict, type SideVerdict} from './by.js'
import {evaluateRoute, type TracedSide} from './evaluate.js'
import {differenceOf, flowsLike, type Packet} from './flow-set/flow-set.js'
import {familyTexts} from './flow-set/text.js'
import {hostEndpointDoubt} from './host-endpoint-of.js'
import {invalidIcmp, UDPLITE} from './packets.js'
import {isPoliced, nodeOf, type Party} from './parties.js'
import {type Route, routeOf} from './route.js'
import type {Open} from './rule-match.js'
import {neverFlows} from './groups.js'
import type {Quirk} from './walk.js'
import type {Endpoint, Workload, World} from './world.js'

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
  const doubt = doubtAbout(world, from, to, packet)
  const warnings = [...warningsAbout(world, from, to, evaluation.quirks), ...deafNodes(world, from, to), ...ignoredBy(route, [evaluation.egress, evaluation.ingress, ...evaluation.forward])]
  const sides = {egress: evaluation.egress, ingress: evaluation.ingress, forward: evaluation.forward}
  if (doubt !== undefined) return {verdict: 'unknown', reason: doubt, ...sides, warnings, route}
  if (evaluation.missing.length > 0) return {...whatever(route, packet, evaluation.missing, sides), warnings, route}
  const natted = behindNat(world, from, to)
  if (natted) {
    const other = evaluateRoute(routeOf(world, {...from, address: natted}, to), packet)
    if (other.ingress?.verdict !== evaluation.ingress?.verdict) {
      return {verdict: 'unknown', reason: `because of a pool with natOutgoing, the receiver may see ${formatAddress(natted)}, the address of the sender's node, for which its rules decide differently`, ...sides, warnings, route}
    }
  }
  return {verdict: evaluation.verdict, ...sides, warnings, route}
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

/** Why nothing can be told about PACKET; undefined if it can. */
export function doubtAbout(world: World, from: Party, to: Party, packet?: Packet): string | undefined {
  const [sender, receiver] = [nodeOf(from), nodeOf(to)]
  if (from.type === 'workload' && to.type === 'workload' && from.workload === to.workload) return 'this is traffic of an endpoint to itself, which no rule applies to'
  if (from.type === 'host' && to.type === 'host' && sender === receiver) return 'this is traffic of a host to itself, which no rule applies to'
  for (const party of [from, to]) {
    const shared = party.type === 'workload' ? world.workloadsAt(party.address).filter((other) => other.shadowedBy === undefined) : []
    if (shared.length > 1) return `several endpoints have the address ${formatAddress(party.address)}: ${shared.map(({name}) => name).join(', ')}`
  }
  if (isSpecial(to.address)) return `${formatAddress(to.address)} is not an address of one receiver`
  if (packet?.protocol === UDPLITE) return 'the result for UDPLite depends on the kernel'
  for (const node of new Set([sender, receiver])) {
    if (node === undefined) continue
    const {unknown} = world.settings(node)
    if (unknown !== undefined) return `on node ${node}: ${unknown}`
    const stopped = stopsOn(world, node)
    if (stopped !== undefined) return `Felix stops on node ${node}, and the old rules remain: ${stopped}`
  }
  for (const party of [from, to]) {
    const reason = party.type === 'workload' ? (isPoliced(world, party.workload) ? unreadableFor(world, party.workload) : undefined) : party.type === 'host' ? hostDoubt(world, party) : undefined
    if (reason !== undefined) return reason
  }
  return undefined
}

function hostDoubt(world: World, party: Extract<Party, {type: 'host'}>): string | undefined {
  const {node, address} = party
  return hostEndpointDoubt(world, node.name, address) ?? world.hostEndpoints.filter((endpoint) => endpoint.node === node.name).map((endpoint) => unreadableFor(world, endpoint)).find((reason) => reason !== undefined)
}

/** Multicast and broadcast. */
const isSpecial = ({family, value}: Address): boolean => (family === 4 ? value >> 28n === 14n || value === 0xffffffffn || value === 0n : value >> 120n === 0xffn || value === 0n)

/** Why it is open what is enforced for ENDPOINT: objects that cannot be read, of which the former version may still be in force (felix-behaviour §2). */
function unreadableFor(world: World, endpoint: Endpoint): string | undefined {
  for (const name of endpoint.profiles) {
    const {problem} = world.profile(name)
    if (problem?.effect === 'unreadable') return `Felix cannot read profile/${name} (${problem.message}): the nodes keep an older version of it, or none after a restart`
  }
  const policy = world.problems.find(({effect, selector}) => effect === 'unreadable' && selector?.selects(endpoint.labels))
  if (policy) return `Felix cannot read ${policy.kind.toLowerCase()}/${policy.name} (${policy.message}): the nodes keep an older version of it, or none after a restart`
  return undefined
}

const stopped = new WeakMap<World, Map<string, string | undefined>>()

/** What has Felix stop on NODE. */
function stopsOn(world: World, node: string): string | undefined {
  let known = stopped.get(world)
  if (known === undefined) stopped.set(world, (known = new Map<string, string | undefined>()))
  if (!known.has(node)) known.set(node, findStop(world, node))
  return known.get(node)
}

const byNode = new WeakMap<World, Map<string, Endpoint[]>>()

function endpointsOn(world: World, node: string): readonly Endpoint[] {
  let nodes = byNode.get(world)
  if (nodes === undefined) {
    nodes = new Map()
    for (const endpoint of [...world.workloads.values(), ...world.hostEndpoints]) {
      const list = nodes.get(endpoint.node)
      if (list) list.push(endpoint)
      else nodes.set(endpoint.node, [endpoint])
    }
    byNode.set(world, nodes)
  }
  return nodes.get(node) ?? []
}

function findStop(world: World, node: string): string | undefined {
  const endpoints = endpointsOn(world, node)
  const long = world.problems.find(({kind, effect, name}) => kind === 'WorkloadEndpoint' && effect === 'stops' && endpoints.some((endpoint) => endpoint.name === name))
  if (long) return `workloadendpoint/${long.name}: ${long.message}`
  const policy = world.policies.find(({stops, selector}) => stops !== undefined && endpoints.some(({labels}) => selector.selects(labels)))
  if (policy) return `${policy.kind.toLowerCase()}/${policy.name}: ${policy.stops ?? ''}`
  for (const name of new Set(endpoints.flatMap(({profiles}) => profiles))) {
    const stops = world.profileStops(name)
    if (stops !== undefined) return `profile/${name}: ${stops}`
  }
  return undefined
}

/** The address that the receiver sees where a pool's natOutgoing changes it: the sender's node's. */
function behindNat(world: World, from: Party, to: Party): Address | undefined {
  if (from.type !== 'workload' || to.type === 'workload') return undefined
  const isIn = (address: Address) => ({cidr}: World['pools'][number]): boolean => contains(cidr, address)
  if (!world.pools.some((pool) => pool.natOutgoing && isIn(from.address)(pool)) || world.pools.some(isIn(to.address))) return undefined
  return world.nodes.get(from.workload.node)?.addresses[from.address.family]
}

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

/** Warnings of deciding rules of which Felix passes something over: they match more, or other flows, than they say. */
function ignoredBy(route: Route, sides: readonly (SideVerdict | null)[]): Warning[] {
  const points = [route.egress, route.ingress, ...route.nodes.flatMap(({steps}) => steps.flatMap((step) => (step.type === 'host' ? [step.point] : [])))].filter((point) => point !== undefined)
  const rules = points.flatMap(({doNotTrack, preDnat, tiers, profiles, direction}) => [...[...doNotTrack, ...preDnat, ...tiers].flatMap(({policies}) => policies), ...profiles].flatMap(({[direction]: list}) => list))
  const odd = rules.filter(({ignored}) => ignored.length > 0)
  const deciding = new Set(sides.flatMap((side) => (side ? [byKey(side.by)] : [])))
  return odd.flatMap(({by, ignored}) => (deciding.has(byKey(by)) ? [{code: 'ignored-field', message: `${ruleLabel(by)} is enforced without ${ignored.join(', ')}, which Felix does not know: it may match other flows than intended.`}] : []))
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
    if (node === undefined || names[0] === names[1]) return []
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

function warningsAbout(world: World, from: Party, to: Party, quirks: readonly Quirk[]): Warning[] {
  const found: Warning[] = quirks.map((quirk) => ({code: quirk.code, message: quirkText(quirk)}))
  const workloads = [from, to].flatMap((party): Workload[] => (party.type === 'workload' ? [party.workload] : []))
  for (const workload of workloads) {
    const {name, node, interfaceName, shadowedBy} = workload
    if (!isPoliced(world, workload)) found.push({code: 'not-policed', message: `The interface ${interfaceName} of ${name} does not begin with ${world.settings(node).interfacePrefixes.join(' or ')}: Felix applies no policy at all to it.`})
    if (shadowedBy) found.push({code: 'shadowed', message: `${name} has the same interface as ${shadowedBy.name}, which is enforced instead.`})
    if (!world.nodes.has(node)) found.push({code: 'no-node', message: `${name} is on node ${node}, which has no Node object.`})
    for (const profile of workload.profiles) {
      const {missing, problem} = world.profile(profile)
      if (missing) found.push({code: 'missing-profile', message: problem ? `Felix rejects profile ${profile} of ${name}, whose traffic is then dropped: ${problem.message}.` : `Profile ${profile} of ${name} does not exist: traffic that earlier profiles do not decide is dropped.`})
      const lost = world.problems.find((other) => other.kind === 'Profile' && other.effect === 'labels-lost' && other.name === profile)
      if (lost) found.push({code: 'labels-lost', message: `Endpoints of profile ${profile} do not get its labels (tags), because Felix rejects it: ${lost.message}.`})
    }
  }
  for (const {kind, name, effect, message, selector} of world.problems) {
    if (!/Policy$|Set$/.test(kind) || effect === 'stops' || selector) continue
    found.push({code: effect === 'unreadable' ? 'unreadable' : 'ignored', message: `${kind.toLowerCase()}/${name} is ignored, because Felix cannot use it: ${message}.`})
  }
  return [...new Map(found.map((warning) => [warning.message, warning])).values()]
}
