/** Where the receiver sees another source address than the sender has: source NAT of pools, and tunnels (policy-evaluation §8.2, §10). */
import {type Address, contains, containsCidr, formatAddress, hostCidr} from '../net/index.js'
import {divideRoute} from './between.js'
import {allFlowsOf, type FamilyFlows, flowsLike, NO_FAMILY_FLOWS, type Packet, sameFamilyFlows, unionOf} from './flow-set/flow-set.js'
import {nodeOf, type Party} from './parties.js'
import {pointsOf, type Route, routeOf} from './route.js'
import type {Pool, World} from './world.js'

interface SeenAs {
  /** As the beginning of a sentence: "because of … the receiver". */
  readonly cause: string
  /** Undefined: the datastore does not show it. */
  readonly address: Address | undefined
  readonly whose: string
}

export type Tunnel = NonNullable<Pool['tunnel']>['type'] | 'WireGuard'

/** What carries a flow between the nodes of FROM and TO; undefined: it goes as it is. */
export function tunnelBetween(world: World, from: Party, to: Party): Tunnel | undefined {
  const [sender, receiver] = [nodeOf(from), nodeOf(to)]
  if (to.type !== 'workload' || sender === undefined || receiver === undefined || sender === receiver) return undefined
  const {family} = to.address
  if (world.settings(sender).wireguard[family] && world.settings(receiver).wireguard[family]) return 'WireGuard'
  const tunnel = world.pools.find(({cidr, tunnel: own}) => own !== undefined && contains(cidr, to.address))?.tunnel
  return tunnel === undefined || (tunnel.crossSubnetOnly && sameSubnet(world, sender, receiver, family)) ? undefined : tunnel.type
}

function sameSubnet(world: World, sender: string, receiver: string, family: 4 | 6): boolean {
  const [network, other] = [world.nodes.get(sender)?.networks[family], world.nodes.get(receiver)?.addresses[family]]
  return network !== undefined && other !== undefined && containsCidr(network, hostCidr(other))
}

function seenAs(world: World, from: Party, to: Party): SeenAs | undefined {
  const {family} = from.address
  const [sender, receiver] = [nodeOf(from), nodeOf(to)]
  if (sender === undefined || sender === receiver) return undefined
  if (from.type === 'host') {
    const tunnel = tunnelBetween(world, from, to)
    return tunnel && {cause: `because of the ${tunnel} tunnel between the nodes`, address: from.node.tunnels.find(({type, address}) => type === tunnel && address.family === family)?.address, whose: "the address of the sender's tunnel interface"}
  }
  if (from.type !== 'workload') return undefined
  const nat = from.workload.nats.find(({internal}) => internal.family === family && internal.value === from.address.value)
  const inPool = (address: Address) => ({cidr}: Pool): boolean => contains(cidr, address)
  if (world.pools.some(inPool(to.address))) return undefined
  if (nat) return {cause: 'because of ipNATs of the sender', address: nat.external, whose: 'the external address'}
  if (!world.pools.some((pool) => pool.natOutgoing && inPool(from.address)(pool))) return undefined
  const {natExcludesHosts, natAddress} = world.settings(sender)
  if (to.type === 'host' && natExcludesHosts) return undefined
  const cause = 'because of a pool with natOutgoing'
  if (natAddress?.family === family) return {cause, address: natAddress, whose: "natOutgoingAddress of Felix's settings"}
  return {cause, address: world.nodes.get(sender)?.addresses[family], whose: "the address of the sender's node"}
}

/** Why it is open what the receiver's rules decide about PACKET, or about any flow; undefined if the address that they see makes no difference. */
export function receiverDoubt(world: World, from: Party, to: Party, packet?: Packet): string | undefined {
  const seen = seenAs(world, from, to)
  if (seen === undefined) return undefined
  const {cause, address, whose} = seen
  const own = atReceiver(world, from, to)
  if (address === undefined) return looksAtSource(own) ? `${cause}, the receiver sees ${whose}, which the datastore does not show` : undefined
  const other = atReceiver(world, {...from, address}, to)
  return decideAlike(own, other, from.address.family, packet) ? undefined : `${cause}, the receiver may see ${formatAddress(address)}, ${whose}, for which its rules decide differently`
}

/** What of the way is on the receiver's node. */
function atReceiver(world: World, from: Party, to: Party): Route {
  const {ingress, nodes} = routeOf(world, from, to)
  return {egress: undefined, ingress, toOwnHost: undefined, nodes: nodes.filter(({host}) => host === nodeOf(to))}
}

const looksAtSource = (route: Route): boolean =>
  pointsOf(route).some(({doNotTrack, preDnat, tiers, profiles, direction}) =>
    [...[...doNotTrack, ...preDnat, ...tiers].flatMap(({policies}) => policies), ...profiles].some(({[direction]: rules}) =>
      rules.some(({source: {nets, notNets, set, notSet}}) => [nets, notNets, set, notSet].some((criterion) => criterion !== undefined)),
    ),
  )

function decideAlike(one: Route, other: Route, family: 4 | 6, packet: Packet | undefined): boolean {
  const asked = packet ? flowsLike(packet) : allFlowsOf(family)
  const allowed = (route: Route): FamilyFlows => divideRoute(route, asked, {}).reduce((all, {flows, verdict}) => (verdict === 'allow' ? unionOf(all, flows) : all), NO_FAMILY_FLOWS)
  return sameFamilyFlows(allowed(one), allowed(other))
}
