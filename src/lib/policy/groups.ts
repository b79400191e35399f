/**
 * Groups: what no rule tells apart. Endpoints with the same labels, profiles and named ports, whose addresses are in the same networks and sets (and on the
 * same node, where host endpoints make a difference); processes of each node; and the addresses outside, by the networks that rules and sets name.
 */
import {type Address, ADDRESS_BITS, type Cidr, containsCidr, type Family, firstAddress, formatAddress, formatCidr, lastAddress} from '../net/index.js'
import {compareUtf8} from '../utf8-order.js'
import {NOTHING_PASSES, type Passing, type PartyOf, passingBetween} from './between.js'
import {type FlowSet, flowsLike, unionOf} from './flow-set/flow-set.js'
import {flowTexts} from './flow-set/text.js'
import {governorOf} from './host-endpoint-of.js'
import {invalidIcmp, IPIP} from './packets.js'
import {isPoliced, isSpecial, type Party, partyAt, workloadParty} from './parties.js'
import type {Claim, NodeInfo, Workload, World} from './world.js'

export interface Group {
  readonly type: 'workloads' | 'host' | 'outside'
  /** For people: profiles, `host:NODE`, or networks. Each once among the groups of a call. */
  readonly name: string
  /** The labels that all have, inherited ones included. */
  readonly labels: Readonly<Record<string, string>>
  readonly profiles: readonly string[]
  /** Where the node makes a difference. */
  readonly node: string | null
  /** All of them; of the outside and of hosts: none. */
  readonly workloads: readonly Workload[]
  /** Of the outside: the networks that its addresses are of; none = everything that no rule names. */
  readonly networks: readonly Cidr[]
  /** One of them. */
  readonly party: PartyOf
  /** Another one, to ask what they may do among each other; undefined if there is none. */
  readonly other?: PartyOf
}

/** The workload endpoints of WORLD in groups, by name. */
export function workloadGroups(world: World, workloads: Iterable<Workload> = world.workloads.values()): Group[] {
  const finger = fingerprintsOf(world)
  const members = new Map<string, Workload[]>()
  for (const workload of workloads) {
    const key = finger.workload(workload)
    const group = members.get(key)
    if (group) group.push(workload)
    else members.set(key, [workload])
  }
  const groups = [...members.values()].map((all) => workloadGroup(all, finger))
  return named(groups).sort((a, b) => compareUtf8(a.name, b.name))
}

function workloadGroup(all: Workload[], finger: Fingerprints): Group {
  const [first, second] = all
  if (first === undefined) throw new TypeError('a group without endpoints')
  return {
    type: 'workloads',
    name: first.profiles.join(',') || 'no profile',
    labels: Object.fromEntries(first.labels.map),
    profiles: first.profiles,
    node: finger.hostMatters(first.node) ? first.node : null,
    workloads: all,
    networks: [],
    party: (family) => workloadParty(first, family),
    ...(second ? {other: (family: Family) => workloadParty(second, family)} : {}),
  }
}

/**
 * The processes of NODE: one group for the address by which it is known, and one for each of its other interfaces that has a host endpoint of its own, by the
 * addresses that the store shows of it and those that are ASKED for.
 */
export function hostGroups(world: World, node: NodeInfo, asked: readonly Address[] = []): Group[] {
  const governor = (address: Address): string => governorOf(world, node.name, address)
  const listed = node.interfaces.flatMap(({addresses}) => addresses).filter((address) => !['', '?'].includes(governor(address)))
  const byGovernor = new Map<string, Address[]>()
  for (const address of [...node.more, ...listed, ...asked]) byGovernor.set(governor(address), [...(byGovernor.get(governor(address)) ?? []), address])
  const own = Object.values(node.addresses)
  const [first = ''] = byGovernor.keys()
  const main = own.length > 0 ? own : (byGovernor.get(first) ?? [])
  for (const address of main) byGovernor.delete(governor(address))
  const group = (name: string, addresses: readonly Address[]): Group => {
    const [governed] = addresses
    const endpoints = world.hostEndpoints.filter((candidate) => candidate.node === node.name)
    const endpoint = governed && governor(governed) !== '?' ? endpoints.find((candidate) => candidate.name === governor(governed)) : endpoints[0]
    const party: PartyOf = (family) => {
      const address = addresses.find((candidate) => candidate.family === family)
      return address && {type: 'host', node, address}
    }
    return {type: 'host', name, labels: Object.fromEntries(endpoint?.labels.map ?? []), profiles: endpoint?.profiles ?? [], node: node.name, workloads: [], networks: [], party}
  }
  const others = [...byGovernor.values()].map((addresses) => group(`host:${node.name}/${addresses.slice(0, 1).map(formatAddress).join()}`, addresses))
  return [group(`host:${node.name}`, main), ...others]
}

/** Addresses outside that no rule tells apart. */
export interface OutsidePlace {
  /** That they are of; none = everything that no rule names. */
  readonly networks: readonly Cidr[]
  /** One of them of each family. */
  readonly parties: Partial<Readonly<Record<Family, Party>>>
}

/** The addresses outside of all WORLDS, distinguished where rules or sets of one of them do. */
export function outsidePlaces(worlds: readonly World[]): OutsidePlace[] {
  const fingers = worlds.map(fingerprintsOf)
  const networks = [...new Map(worlds.flatMap((world) => world.networks()).map((cidr) => [formatCidr(cidr), cidr])).values()]
  const places = new Map<string, {networks: Cidr[]; parties: Partial<Record<Family, Party>>}>()
  const add = (address: Address | undefined, network: Cidr | undefined): void => {
    if (address === undefined) return
    const key = fingers.map((finger) => finger.address(address)).join('\n')
    const place = places.get(key) ?? {networks: [], parties: {}}
    places.set(key, place)
    if (network) place.networks.push(network)
    place.parties[address.family] ??= {type: 'outside', address}
  }
  for (const family of [4, 6] as const) add(restOfWorld(worlds, networks, family), undefined)
  const inside = smallerNetworks(networks)
  for (const network of networks) add(freeAddress(worlds, network, inside(network)), network)
  return [...places.values()]
}

/** The addresses outside: one group for each set of networks that rules and sets name, and the rest of the world. */
export function outsideGroups(world: World): Group[] {
  return named(
    outsidePlaces([world]).map(({networks: own, parties}) => ({
      type: 'outside' as const,
      name: own.length > 0 ? own.map(formatCidr).join(',') : 'outside',
      labels: {},
      profiles: [],
      node: null,
      workloads: [],
      networks: own,
      party: (family: Family) => parties[family],
    })),
  )
}

/** Tries that an address of a network is looked for with, where endpoints and smaller networks fill it. */
const TRIES = 64

/** Finds which of NETWORKS lie in one of them, without comparing all with all. */
function smallerNetworks(networks: readonly Cidr[]): (network: Cidr) => Cidr[] {
  const sorted = ([4, 6] as const).map((family) => networks.filter((network) => network.family === family).sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0)))
  return (network) => {
    const own = sorted[network.family === 4 ? 0 : 1] ?? []
    const last = lastAddress(network).value
    let [low, high] = [0, own.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((own[middle]?.value ?? 0n) < network.value) low = middle + 1
      else high = middle
    }
    const found: Cidr[] = []
    for (let other = own[low]; other !== undefined && other.value <= last; other = own[++low]) if (other.prefix > network.prefix) found.push(other)
    return found
  }
}

const network4 = (first: bigint, last: bigint): readonly [bigint, bigint] => [first << 24n, (last << 24n) + 0xffffffn]

/** Where addresses of single senders and receivers are: without loopback, multicast and what is reserved. */
const UNICAST: Readonly<Record<Family, readonly (readonly [first: bigint, last: bigint])[]>> = {
  4: [network4(1n, 126n), network4(128n, 223n)],
  6: [[0x2000n << 112n, (0x4000n << 112n) - 1n], [0xfc00n << 112n, (0xfe00n << 112n) - 1n]],
}

/** An address of NETWORK that no one has and none of INSIDE, the smaller networks, contains: one that can be that of a single receiver, where there is any; undefined if there is none near the ends. */
function freeAddress(worlds: readonly World[], network: Cidr, inside: readonly Cidr[]): Address | undefined {
  const {family} = network
  const [from, to] = [firstAddress(network).value, lastAddress(network).value]
  const isFit = (address: Address): boolean => isFree(worlds, address) && !inside.some((other) => containsCidr(other, {...address, prefix: ADDRESS_BITS[family]}))
  const beside = inside.flatMap((other) => [lastAddress(other).value + 1n, firstAddress(other).value - 1n])
  const within = (low: bigint, high: bigint): Address[] => {
    const values = [low, high, ...beside]
    for (let i = 1n; i <= TRIES; i++) values.push(low + i, high - i)
    return values.flatMap((value) => (value >= low && value <= high ? [{family, value}] : []))
  }
  for (const [first, last] of UNICAST[family]) {
    const [low, high] = [first > from ? first : from, last < to ? last : to]
    const found = low > high ? undefined : within(low, high).find(isFit)
    if (found) return found
  }
  const rest = within(from, to).filter(isFit)
  return rest.find((address) => !isSpecial(address)) ?? rest[0]
}

const isFree = (worlds: readonly World[], address: Address): boolean => worlds.every((world) => partyAt(world, address).type === 'outside')

function restOfWorld(worlds: readonly World[], networks: readonly Cidr[], family: Family): Address | undefined {
  const own = networks.filter((network) => network.family === family)
  const far = Array.from({length: 220}, (_, i) => (family === 4 ? (BigInt(i + 4) << 24n) + 0x010101n : (0x2000n << 112n) + (BigInt(i + 0x4000) << 96n) + 1n))
  const local = family === 4 ? [] : [(0xfd00n << 112n) + 1n]
  // Where they name nearly everything, what is left lies beside one of them.
  const beside = own.flatMap((network) => [lastAddress(network).value + 1n, firstAddress(network).value - 1n])
  const candidates = [...far, ...local, ...beside].filter((value) => UNICAST[family].some(([first, last]) => first <= value && value <= last)).map((value) => ({family, value}))
  return candidates.find((address) => isFree(worlds, address) && !own.some((network) => containsCidr(network, {...address, prefix: ADDRESS_BITS[family]})))
}

/** GROUPS with names of which each is there once. */
function named(groups: readonly Group[]): Group[] {
  const counts = new Map<string, number>()
  for (const {name} of groups) counts.set(name, (counts.get(name) ?? 0) + 1)
  const seen = new Map<string, number>()
  return groups.map((group) => {
    if ((counts.get(group.name) ?? 0) < 2) return group
    const number = (seen.get(group.name) ?? 0) + 1
    seen.set(group.name, number)
    return {...group, name: `${group.name}#${number}`}
  })
}

const fingerprints = new WeakMap<World, Fingerprints>()

/** Texts by which what no rule of WORLD tells apart is found. */
export function fingerprintsOf(world: World): Fingerprints {
  let known = fingerprints.get(world)
  if (known === undefined) fingerprints.set(world, (known = new Fingerprints(world)))
  return known
}

/** Texts that are the same for what no rule tells apart. */
class Fingerprints {
  private readonly claims = new Map<Claim, number>()
  private readonly nets: Readonly<Record<Family, Map<number, Set<bigint>>>> = {4: new Map(), 6: new Map()}
  /** Somewhere: then it is open what holds on a node. */
  private readonly felixStops: boolean
  private readonly nodes = new Map<string, {key: string; matters: boolean}>()

  constructor(private readonly world: World) {
    this.felixStops = world.policies.some(({stops}) => stops !== undefined) || world.profileNames.some((name) => world.profileStops(name) !== undefined) || world.problems.some(({effect}) => effect === 'stops')
    for (const {family, prefix, value} of world.networks()) {
      const ofLength = this.nets[family].get(prefix)
      if (ofLength) ofLength.add(value)
      else this.nets[family].set(prefix, new Set([value]))
    }
  }

  address(address: Address): string {
    const nets = [...this.nets[address.family]].flatMap(([prefix, values]) => {
      const shift = BigInt(ADDRESS_BITS[address.family] - prefix)
      const value = (address.value >> shift) << shift
      return values.has(value) ? [`${value}/${prefix}`] : []
    })
    const claims = this.world.claims(address).map((claim) => this.claim(claim))
    return JSON.stringify([claims.sort((a, b) => a - b), nets.length > 0 ? [address.family, nets.sort()] : []])
  }

  workload(workload: Workload): string {
    const {world} = this
    const enforced = workload.shadowedBy ?? workload
    const places = ([4, 6] as const).map((family) => workload.addresses.find((address) => address.family === family))
    return JSON.stringify([
      enforced.labels.id,
      enforced.profiles,
      workload.profiles,
      isPoliced(world, workload),
      places.map((address) => (address ? [this.address(address), world.workloadsAt(address).length > 1] : '')),
      this.node(workload.node).key,
    ])
  }

  /** Of the processes of NODE: where it has host endpoints, it is like no other. */
  host(node: NodeInfo): string {
    const {world} = this
    const own = world.hostEndpoints.some((endpoint) => endpoint.node === node.name) ? node.name : ''
    return JSON.stringify([own, this.node(node.name).key, ([4, 6] as const).map((family) => (node.addresses[family] ? this.address(node.addresses[family]) : ''))])
  }

  /** Whether flows from and to endpoints of NODE meet host endpoints there. */
  hostMatters(node: string): boolean {
    return this.node(node).matters
  }

  private claim(claim: Claim): number {
    let id = this.claims.get(claim)
    if (id === undefined) this.claims.set(claim, (id = this.claims.size))
    return id
  }

  private node(name: string): {key: string; matters: boolean} {
    let node = this.nodes.get(name)
    if (node === undefined) {
      const {world} = this
      const matters = world.hostEndpoints.some(
        (endpoint) =>
          endpoint.node === name &&
          (['forward', 'preDNAT', 'doNotTrack'] as const).some((stage) => (['ingress', 'egress'] as const).some((direction) => world.applying(endpoint, direction, stage).length > 0)),
      )
      const {vxlanPort, allowVxlan, allowIpip, dropInvalid, unknown} = world.settings(name)
      node = {matters, key: JSON.stringify([vxlanPort, allowVxlan, allowIpip, dropInvalid, unknown, matters || this.felixStops ? name : ''])}
      this.nodes.set(name, node)
    }
    return node
  }
}

/** What passes from one of FROM to one of TO, and by which rules; among the members of one group, between two of them. */
export function flowsBetween(world: World, from: Group, to: Group): Passing {
  if (from !== to) return passingBetween(world, from.party, to.party)
  return from.other ? passingBetween(world, from.party, from.other) : NOTHING_PASSES
}

/** What never passes between endpoints, whatever the policy says: ICMP that opens no flow, and encapsulation that a workload sends (policy-evaluation §7). */
export const neverFlows = (): FlowSet => {
  const of = (family: Family): FlowSet['v4'] => unionOf(invalidIcmp(family), unionOf(flowsLike({family, protocol: 17, dport: 4789}), flowsLike({family, protocol: IPIP})))
  return {v4: of(4), v6: of(6)}
}

/** The families that both have addresses of. */
export const sharedFamilies = (from: Group, to: Group): Family[] => ([4, 6] as const).filter((family) => from.party(family) && to.party(family))

/** FLOWS between two groups as texts. */
export const textsBetween = (flows: FlowSet, from: Group, to: Group): string[] => flowTexts(flows, {never: neverFlows(), families: sharedFamilies(from, to)})
