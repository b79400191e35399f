/** Where no verdict can be given: what the store does not show, objects that Felix cannot read, and nodes on which it stops (policy-evaluation §10, felix-behaviour §2). */
import {type Address, equalAddresses, formatAddress} from '../net/index.js'
import type {Packet} from './flow-set/flow-set.js'
import {hostEndpointDoubt, uplinkDoubt} from './host-endpoint-of.js'
import {UDPLITE} from './packets.js'
import {isPoliced, isSpecial, nodeOf, type Party} from './parties.js'
import {pointsOf, type Route, routeOf, uplinkAddress} from './route.js'
import {tunnelBetween} from './seen-as.js'
import type {Endpoint, Problem, World} from './world.js'

/** Why nothing can be determined about PACKET; undefined if it can. */
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
  if (world.halted !== undefined && (sender ?? receiver) !== undefined) return `Felix stops, and the old rules remain: ${world.halted}`
  const translated = to.type === 'workload' ? undefined : translatedTo(world, to.address)
  if (translated !== undefined) return translated
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
  const absent = [from, to].map((party) => (party.type === 'outside' ? ofMissingNode(world, party.address) : undefined)).find((reason) => reason !== undefined)
  if (absent !== undefined) return absent
  const route = routeOf(world, from, to)
  return uplinksDoubt(world, from, to) ?? forHost(world, from, to, packet) ?? unreadableOnTheWay(world, from, to, route) ?? throughTunnel(world, from, to, route)
}

/** Whose external address ADDRESS is: where it leads is not followed. */
function translatedTo(world: World, address: Address): string | undefined {
  for (const {name, nats} of world.workloads.values()) {
    if (nats.some(({external}) => equalAddresses(external, address))) return `${formatAddress(address)} is translated to an address of ${name} (ipNATs) on the way`
  }
  return undefined
}

/** Ports by which workloads of OpenStack ask their host for addresses, names and metadata: DHCP, DHCPv6, DNS, and the metadata service. */
const OPENSTACK_PORTS: Readonly<Record<number, readonly number[]>> = {17: [67, 547, 53], 6: [53, 8775]}

function forHost(world: World, from: Party, to: Party, packet: Packet | undefined): string | undefined {
  if (packet === undefined || from.type !== 'workload' || to.type !== 'host' || from.workload.node !== to.node.name || !world.settings(to.node.name).openstack) return undefined
  const {protocol, dport} = packet
  const ports = OPENSTACK_PORTS[protocol] ?? []
  return ports.length > 0 && (dport === undefined || ports.includes(dport)) ? `on node ${to.node.name}: interfacePrefix has "tap", and with OpenStack Felix lets workloads reach DHCP, DNS and metadata services of their host` : undefined
}

/** The flow leaves and enters the nodes by tunnel interfaces then, and which host endpoint is theirs is not in the store. */
function throughTunnel(world: World, from: Party, to: Party, {nodes}: Route): string | undefined {
  const tunnel = tunnelBetween(world, from, to)
  const [host] = nodes
  return tunnel && host ? `the traffic goes through a ${tunnel} tunnel between the nodes, and it cannot be known what the policies of host endpoints on node ${host.host} decide about it` : undefined
}

const stale = ({kind, namespace, name, message}: Problem): string => `Felix cannot read ${kind.toLowerCase()}/${namespace === undefined ? '' : `${namespace}/`}${name} (${message}): the nodes keep an older version of it, or none after a restart`

/** A tier, set, host endpoint or workload endpoint that cannot be read and may decide about the flow along ROUTE. */
function unreadableOnTheWay(world: World, from: Party, to: Party, route: Route): string | undefined {
  const unreadable = world.problems.filter(({effect}) => effect === 'unreadable')
  if (unreadable.length === 0) return undefined
  const points = pointsOf(route)
  const stages = points.flatMap(({doNotTrack, preDnat, tiers}) => [...doNotTrack, ...preDnat, ...tiers])
  const rules = points.flatMap(({doNotTrack, preDnat, tiers, profiles, direction}) => [...[...doNotTrack, ...preDnat, ...tiers].flatMap(({policies}) => policies), ...profiles].flatMap(({[direction]: list}) => list))
  const expressions = rules.flatMap(({source, destination}) => [source.set, source.notSet, destination.set, destination.notSet].filter((one) => one !== undefined))
  const forwards = world.policies.some(({forward, stage}) => forward || stage !== 'normal')
  const matters = ({kind, name, labels, node, addresses = []}: Problem): boolean => {
    switch (kind) {
      case 'Tier':
        return stages.some(({tier}) => tier.name === name)
      case 'GlobalNetworkSet':
      case 'NetworkSet':
        return expressions.some((expression) => labels === undefined || expression.selects(labels))
      case 'HostEndpoint':
        return [from, to].some((party) => (party.type === 'host' || (party.type === 'workload' && forwards)) && (node === undefined || node === nodeOf(party)))
      case 'WorkloadEndpoint':
        return [from, to].some((party) => addresses.some((address) => equalAddresses(address, party.address)))
      default:
        return false
    }
  }
  const problem = unreadable.find(matters)
  return problem && stale(problem)
}

/** Which host endpoints a flow between machines meets at the node of a workload. */
function uplinksDoubt(world: World, from: Party, to: Party): string | undefined {
  if (world.hostEndpoints.length === 0) return undefined
  for (const [party, other] of [[from, to], [to, from]] as const) {
    if (party.type !== 'workload' || party.workload.node === nodeOf(other)) continue
    const {node} = party.workload
    const doubt = uplinkDoubt(world, node, uplinkAddress(world.nodes.get(node), party.address.family))
    if (doubt !== undefined) return doubt
  }
  return undefined
}

/** Without a Node it cannot be known whether a host is there that has ADDRESS. */
function ofMissingNode(world: World, address: Address): string | undefined {
  const endpoint = world.hostEndpoints.find(({node, addresses}) => !world.nodes.has(node) && addresses.some((other) => equalAddresses(other, address)))
  return endpoint && `${formatAddress(address)} is an address of host endpoint ${endpoint.name}, whose node ${endpoint.node} does not exist`
}

function hostDoubt(world: World, party: Extract<Party, {type: 'host'}>): string | undefined {
  const {node, address} = party
  return claimedTwice(world, party) ?? hostEndpointDoubt(world, node.name, address) ?? world.hostEndpoints.filter((endpoint) => endpoint.node === node.name).map((endpoint) => unreadableFor(world, endpoint)).find((reason) => reason !== undefined)
}

/** An address that no Node has, but host endpoints of several nodes. */
function claimedTwice(world: World, {node, address}: Extract<Party, {type: 'host'}>): string | undefined {
  if (!node.more.some((other) => equalAddresses(other, address))) return undefined
  const nodes = new Set(world.hostEndpoints.flatMap((endpoint) => (endpoint.addresses.some((other) => equalAddresses(other, address)) ? [endpoint.node] : [])))
  return nodes.size > 1 ? `host endpoints of several nodes have the address ${formatAddress(address)}: ${[...nodes].join(', ')}` : undefined
}

/** Why it is open what is enforced for ENDPOINT: objects that cannot be read, of which the former version may still be in force (felix-behaviour §2). */
function unreadableFor(world: World, endpoint: Endpoint): string | undefined {
  for (const name of endpoint.profiles) {
    const {problem} = world.profile(name)
    if (problem?.effect === 'unreadable') return stale(problem)
  }
  // A policy that is not even JSON is absent, as was recorded (golden h48): there is a warning of it.
  const policy = world.problems.find(({kind, effect, selector, notJson}) => effect === 'unreadable' && kind.endsWith('Policy') && !notJson && (selector?.selects(endpoint.labels) ?? true))
  return policy && stale(policy)
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
