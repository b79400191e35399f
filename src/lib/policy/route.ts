/** The way of a flow: the points that decide about it, in the order in which it comes to them (policy-evaluation §1, §7, §8). */
import type {Address, Family} from '../net/index.js'
import {type By, type Direction, type SideVerdict, sideVerdict} from './by.js'
import {failsafeFlows} from './failsafe.js'
import {type FamilyFlows, flowsLike, NO_FAMILY_FLOWS, unionOf} from './flow-set/flow-set.js'
import {hostEndpointOf, type Interface, interfaceOf, isWildcard} from './host-endpoint-of.js'
import type {Place} from './match-addresses.js'
import {invalidIcmp, IPIP, routerIcmp} from './packets.js'
import {isPoliced, nodeOf, type Party} from './parties.js'
import type {Point} from './point.js'
import type {Settings} from './settings.js'
import type {HostEndpoint, NodeInfo, Workload, World} from './world.js'

/** Something on a node that a flow passes: a host endpoint, or the place where a side is decided. */
export type Step = {readonly type: 'host'; readonly point: Point} | {readonly type: 'side'; readonly side: Direction}

export interface Route {
  readonly egress: Point | undefined
  readonly ingress: Point | undefined
  /** From a workload to its own host: what becomes of it there, whatever the packet is. */
  readonly toOwnHost: SideVerdict | undefined
  /** Per node, in order. */
  readonly nodes: readonly {readonly host: string; readonly steps: readonly Step[]}[]
}

/** The way from FROM to TO, whose addresses are of one family. */
export function routeOf(world: World, from: Party, to: Party): Route {
  return new Router(world, from, to).route()
}

/** All points of ROUTE. */
export const pointsOf = ({egress, ingress, nodes}: Route): Point[] =>
  [egress, ingress, ...nodes.flatMap(({steps}) => steps.flatMap((step) => (step.type === 'host' ? [step.point] : [])))].filter((point) => point !== undefined)

class Router {
  private readonly source: Place
  private readonly destination: Place

  constructor(
    private readonly world: World,
    private readonly from: Party,
    private readonly to: Party,
  ) {
    this.source = {address: from.address, claims: world.claims(from.address)}
    this.destination = {address: to.address, claims: world.claims(to.address)}
  }

  route(): Route {
    const {from, to, world} = this
    const [sender, receiver] = [nodeOf(from), nodeOf(to)]
    const sameNode = sender !== undefined && sender === receiver
    const policed = (party: Party): Workload | undefined => (party.type === 'workload' && isPoliced(world, party.workload) ? party.workload : undefined)
    const [fromWorkload, toWorkload] = [policed(from), policed(to)]
    const toOwnHost = sameNode && to.type === 'host' && fromWorkload ? this.ownHost(world.settings(fromWorkload.node)) : undefined
    const hostToOwn = sameNode && from.type === 'host'
    const egress = fromWorkload ? this.workload(fromWorkload, 'egress', toOwnHost !== undefined) : from.type === 'host' && !hostToOwn ? this.host(from.node.name, from.address, 'egress') : undefined
    const ingress =
      toWorkload && !hostToOwn
        ? this.workload(toWorkload, 'ingress', false)
        : to.type === 'host' && !toOwnHost && !hostToOwn
          ? this.host(to.node.name, to.address, 'ingress', sameNode ? from : undefined)
          : undefined
    const nodes = [...new Set([sender, receiver])].flatMap((host) => (host === undefined ? [] : [{host, steps: hostToOwn ? [] : this.steps(host)}]))
    return {egress, ingress, toOwnHost, nodes: nodes.filter(({steps}) => steps.some(({type}) => type === 'host'))}
  }

  private ownHost({endpointToHost}: Settings): SideVerdict {
    const by: By = {kind: 'EndpointToHost', direction: 'ingress', action: endpointToHost}
    return sideVerdict(endpointToHost === 'Drop' ? 'deny' : 'allow', by, [], [])
  }

  private point(node: string, direction: Direction, rest: Partial<Point>): Point {
    const {family} = this.source.address
    return {
      node,
      direction,
      source: this.source,
      destination: this.destination,
      doNotTrack: [],
      preDnat: [],
      router: NO_FAMILY_FLOWS,
      encapsulated: NO_FAMILY_FLOWS,
      invalid: rest.invalid ?? (this.world.settings(node).dropInvalid ? invalidIcmp(family) : NO_FAMILY_FLOWS),
      failsafe: NO_FAMILY_FLOWS,
      failsafeAllows: false,
      tiers: [],
      profiles: [],
      atEnd: 'deny',
      early: false,
      ...rest,
    }
  }

  private workload(workload: Workload, direction: Direction, toOwnHost: boolean): Point {
    const {world} = this
    const {family} = this.source.address
    const enforced = workload.shadowedBy ?? workload
    return this.point(workload.node, direction, {
      ...builtInOf(world.settings(workload.node), direction, family, toOwnHost),
      tiers: world.applying(enforced, direction, 'workload'),
      profiles: enforced.profiles.map((name) => world.profile(name)),
    })
  }

  /** The side of processes of NODE; LOCAL: a party on the same node that Felix does not police. */
  private host(node: string, address: Address, direction: Direction, local?: Party): Point | undefined {
    const {world} = this
    const endpoint = hostEndpointOf(world, node, local?.type === 'workload' ? interfaceOfWorkload(local.workload) : interfaceOf(world, node, address))
    if (endpoint === undefined) return undefined
    return this.point(node, direction, {
      ...this.early(endpoint, direction, false),
      failsafe: this.failsafe(endpoint.node, direction),
      failsafeAllows: true,
      hostEndpoint: endpoint.name,
      tiers: world.applying(endpoint, direction, 'normal'),
      profiles: endpoint.profiles.map((name) => world.profile(name)),
    })
  }

  /** doNotTrack and preDNAT policies of ENDPOINT (§8.5). */
  private early(endpoint: HostEndpoint, direction: Direction, fromWorkload: boolean): Pick<Point, 'doNotTrack' | 'preDnat'> {
    const {world} = this
    return {
      doNotTrack: isWildcard(endpoint) || fromWorkload ? [] : world.applying(endpoint, direction, 'doNotTrack'),
      preDnat: direction === 'ingress' ? world.applying(endpoint, direction, 'preDNAT') : [],
    }
  }

  private failsafe(node: string, direction: Direction): FamilyFlows {
    const {failsafeInbound, failsafeOutbound} = this.world.settings(node)
    return direction === 'ingress' ? failsafeFlows(failsafeInbound, this.source.address) : failsafeFlows(failsafeOutbound, this.destination.address)
  }

  /** What a flow meets on HOST, apart from the side of the host's own processes. */
  private steps(host: string): Step[] {
    const {from, to} = this
    if (from.type === 'host' && from.node.name === host) return []
    const leaves = to.type === 'host' && to.node.name === host
    const [sends, receives] = [attached(from, host), attached(to, host)]
    const steps: Step[] = []
    const policedSender = sends !== undefined && isPoliced(this.world, sends)
    // What is for the host itself meets its host endpoints as a side; of a workload's only preDNAT policies.
    if (!leaves || policedSender) this.push(steps, this.forward(host, this.uplink(host, sends), 'ingress', policedSender, leaves))
    if (sends !== undefined) steps.push({type: 'side', side: 'egress'})
    if (leaves) return steps
    if (receives !== undefined) steps.push({type: 'side', side: 'ingress'})
    this.push(steps, this.forward(host, this.uplink(host, receives), 'egress', policedSender, false))
    return steps
  }

  /** The interface by which a flow comes to (leaves) HOST: that of the workload there, else the one to the other nodes. */
  private uplink(host: string, workload: Workload | undefined): Interface {
    if (workload) return interfaceOfWorkload(workload)
    return interfaceOf(this.world, host, uplinkAddress(this.world.nodes.get(host), this.source.address.family))
  }

  private push(steps: Step[], point: Point | undefined): void {
    if (point) steps.push({type: 'host', point})
  }

  private forward(host: string, through: Interface, direction: Direction, fromWorkload: boolean, early: boolean): Point | undefined {
    const {world} = this
    const endpoint = hostEndpointOf(world, host, through)
    if (endpoint === undefined) return undefined
    const stages = direction === 'egress' ? {doNotTrack: [], preDnat: []} : this.early(endpoint, direction, fromWorkload)
    const tiers = early ? [] : world.applying(endpoint, direction, 'forward')
    if (tiers.length + stages.doNotTrack.length + stages.preDnat.length === 0) return undefined
    return this.point(host, direction, {...stages, failsafe: this.failsafe(host, direction), hostEndpoint: endpoint.name, tiers, atEnd: undefined, early})
  }
}

type BuiltIn = Required<Pick<Point, 'encapsulated' | 'router' | 'invalid' | 'sameAs'>>

const builtIn = new WeakMap<Settings, Map<string, BuiltIn>>()

/** What is decided before policy on a side of a workload (§7), where SETTINGS hold. */
function builtInOf(settings: Settings, direction: Direction, family: Family, toOwnHost: boolean): BuiltIn {
  let known = builtIn.get(settings)
  if (known === undefined) builtIn.set(settings, (known = new Map<string, BuiltIn>()))
  const key = `${direction} ${family} ${toOwnHost}`
  let result = known.get(key)
  if (result === undefined) {
    const {allowIpip, allowVxlan, vxlanPort, dropInvalid} = settings
    const vxlan = allowVxlan ? NO_FAMILY_FLOWS : flowsLike({family, protocol: 17, dport: vxlanPort})
    result = {
      encapsulated: direction === 'ingress' ? NO_FAMILY_FLOWS : unionOf(vxlan, allowIpip ? NO_FAMILY_FLOWS : flowsLike({family, protocol: IPIP})),
      router: direction === 'egress' && toOwnHost ? routerIcmp(family) : NO_FAMILY_FLOWS,
      invalid: dropInvalid ? invalidIcmp(family) : NO_FAMILY_FLOWS,
      sameAs: JSON.stringify([key, allowVxlan, vxlanPort, allowIpip, dropInvalid]),
    }
    known.set(key, result)
  }
  return result
}

const interfaceOfWorkload = ({interfaceName}: Workload): Interface => ({name: interfaceName, addresses: []})

/** The address by which NODE talks to other machines, as far as the store says. */
export const uplinkAddress = (node: NodeInfo | undefined, family: Family): Address | undefined => node?.addresses[family] ?? Object.values(node?.addresses ?? {})[0]

const attached = (party: Party, host: string): Workload | undefined => (party.type === 'workload' && party.workload.node === host ? party.workload : undefined)
