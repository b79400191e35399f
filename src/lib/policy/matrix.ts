/**
 * All groups against all groups: what passes, and by which rules. Pairs of which a side allows nothing whatever the flow are known by an index of the
 * rules' selectors and never asked: most of a large matrix is empty.
 */
import {type Address, type Cidr, contains, containsCidr, type Family} from '../net/index.js'
import {divide, passing, type Passing, type PartyOf} from './between.js'
import {type By, byKey} from './by.js'
import {allFlowsOf, type FamilyFlows, type FlowSet, flowSet, intersectionOf, isEmpty, NO_FLOWS, onlyProtocol, union} from './flow-set/flow-set.js'
import {flowTexts} from './flow-set/text.js'
import {type Group, hostGroups, neverFlows, outsideGroups, sharedFamilies, workloadGroups} from './groups.js'
import {doubtAbout} from './doubt.js'
import {governorOf} from './host-endpoint-of.js'
import {hasAddress, type Party, workloadParty} from './parties.js'
import type {Member, Selection} from './probe.js'
import {Reach} from './reach.js'
import type {Workload, World} from './world.js'

export interface MatrixGroup extends Group {
  /** `g1`, `g2` …: the same in every matrix of the same world. */
  readonly id: string
  /** Why nothing can be determined about it; it has no cells then. */
  readonly unknown?: string
}

export interface Cell {
  readonly from: MatrixGroup
  readonly to: MatrixGroup
  /** What passes, never nothing: `tcp/80,443`, `icmp/8`, `all`. */
  readonly flows: readonly string[]
  /** The rules by which it does. */
  readonly by: readonly By[]
}

export interface Matrix {
  readonly groups: readonly MatrixGroup[]
  /** Pairs of which something passes, by the numbers of their groups. */
  readonly cells: readonly Cell[]
}

export interface MatrixOptions {
  /** Only groups of which it has a member may send; undefined: all. */
  readonly from?: Selection
  /** The same for those that receive. */
  readonly to?: Selection
  /** Only flows of this protocol, a number. */
  readonly protocol?: number
}

/**
 * Who reaches whom in WORLD. Between a group and a host stands what passes between an endpoint on another node and that host, where the group has one.
 * Outside is not asked about outside.
 */
export function policyMatrix(world: World, {from, to, protocol}: MatrixOptions = {}): Matrix {
  const groups = allGroups(world, [from, to])
  const [senders, receivers] = [from, to].map((selection) => (selection ? selectedGroups(world, groups, selection) : new Set(groups)))
  const pairs = new Pairs(world, groups, protocol)
  const cells: Cell[] = []
  for (const [receiver, target] of groups.entries()) {
    if (!receivers?.has(target) || target.unknown !== undefined) continue
    for (const sender of pairs.sendersTo(receiver)) {
      const source = groups[sender]
      if (source === undefined || !senders?.has(source) || source.unknown !== undefined) continue
      const cell = pairs.cell(source, target)
      if (cell) cells.push(cell)
    }
  }
  const order = new Map(groups.map((group, index) => [group, index]))
  const place = (group: MatrixGroup): number => order.get(group) ?? 0
  cells.sort((a, b) => place(a.from) - place(b.from) || place(a.to) - place(b.to))
  return {groups: groups.filter((group) => senders?.has(group) === true || receivers?.has(group) === true), cells}
}

/** The groups of WORLD: endpoints, the hosts that have host endpoints or are in SELECTIONS, and the outside. */
function allGroups(world: World, selections: readonly (Selection | undefined)[]): MatrixGroup[] {
  const asked = new Map<string, Address[]>()
  for (const party of selections.flatMap((selection) => selection?.members ?? []).flatMap((member) => partyOf(member) ?? [])) {
    if (party.type === 'host') asked.set(party.node.name, [...(asked.get(party.node.name) ?? []), party.address])
  }
  const policed = new Set(world.hostEndpoints.map(({node}) => node))
  const hosts = [...world.nodes.values()].filter((node) => hasAddress(node) && (policed.has(node.name) || asked.has(node.name)))
  const numbered = [...workloadGroups(world), ...hosts.flatMap((node) => hostGroups(world, node, asked.get(node.name))), ...outsideGroups(world)]
  const names = new Set<string>()
  return numbered.map((group, index) => {
    let {name} = group
    for (let number = 2; names.has(name); number++) name = `${group.name}#${number}`
    names.add(name)
    const unknown = groupDoubt(world, group)
    return {...group, name, id: `g${index + 1}`, ...(unknown === undefined ? {} : {unknown})}
  })
}

/** Addresses of no one, to ask about the other end alone. */
const ELSEWHERE: Readonly<Record<Family, Address>> = {4: {family: 4, value: 0x08080808n}, 6: {family: 6, value: (0x2a00n << 112n) + 8n}}

function groupDoubt(world: World, group: Group): string | undefined {
  for (const family of [4, 6] as const) {
    const party = group.party(family)
    if (party === undefined) continue
    const elsewhere: Party = {type: 'outside', address: ELSEWHERE[family]}
    const doubt = doubtAbout(world, elsewhere, party) ?? doubtAbout(world, party, elsewhere)
    if (doubt !== undefined) return doubt
  }
  return undefined
}

const partyOf = ({party}: Member): Party | undefined => party(4) ?? party(6)

/** The groups of which SELECTION has a member. */
function selectedGroups(world: World, groups: readonly MatrixGroup[], selection: Selection): Set<MatrixGroup> {
  const ofWorkload = new Map<Workload, MatrixGroup>(groups.flatMap((group) => group.workloads.map((workload) => [workload, group] as const)))
  const found = new Set<MatrixGroup>()
  for (const member of selection.members) {
    const party = partyOf(member)
    if (party === undefined) continue
    const group =
      party.type === 'workload' ? ofWorkload.get(party.workload) : party.type === 'host' ? hostGroupOf(world, groups, party) : outsideGroupOf(world, groups, party.address)
    if (group) found.add(group)
  }
  return found
}

/** The group of the processes of a node to which PARTY belongs: that of its interface, as far as host endpoints make a difference. */
function hostGroupOf(world: World, groups: readonly MatrixGroup[], {node, address}: Extract<Party, {type: 'host'}>): MatrixGroup | undefined {
  const own = groups.filter((group) => group.type === 'host' && group.node === node.name)
  const governor = governorOf(world, node.name, address)
  const addressesOf = ({party}: MatrixGroup): Address[] => ([4, 6] as const).flatMap((family) => party(family)?.address ?? [])
  return own.find((group) => addressesOf(group).some((other) => governorOf(world, node.name, other) === governor)) ?? own[0]
}

function outsideGroupOf(world: World, groups: readonly MatrixGroup[], address: Address): MatrixGroup | undefined {
  const outside = groups.filter(({type}) => type === 'outside')
  let smallest: Cidr | undefined
  for (const network of world.networks()) if (contains(network, address) && (smallest === undefined || network.prefix > smallest.prefix)) smallest = network
  const wanted = smallest
  return wanted ? outside.find(({networks}) => networks.some((network) => network.prefix === wanted.prefix && containsCidr(network, wanted))) : outside.find(({networks}) => networks.length === 0)
}

class Pairs {
  private readonly reach: Reach
  private readonly all: readonly number[]
  /** Those who may be asked about the outside, which may have thousands of groups: all others. */
  private readonly inside: readonly number[]
  private readonly hosts: readonly number[]
  private readonly never = neverFlows()
  private readonly known = new Map<Passing | undefined, Map<Passing | undefined, Pick<Cell, 'flows' | 'by'> | undefined>>()
  private readonly narrowed = new WeakMap<Passing, Passing>()

  constructor(
    private readonly world: World,
    private readonly groups: readonly MatrixGroup[],
    private readonly protocol: number | undefined,
  ) {
    this.all = groups.map((_, index) => index)
    this.inside = this.all.filter((number) => groups[number]?.type !== 'outside')
    this.hosts = this.all.filter((number) => groups[number]?.type === 'host')
    this.reach = new Reach(world, groups.map(({type, workloads: [workload], party}) => ({workload: type === 'workloads' ? workload : undefined, party})))
  }

  /** Those that may reach the group of number RECEIVER, and some that may not. */
  sendersTo(receiver: number): number[] {
    const target = this.groups[receiver]
    const may = [...(this.reach.of(receiver, 'ingress') ?? (target?.type === 'outside' ? this.inside : this.all))].filter((sender) => this.reach.of(sender, 'egress')?.has(receiver) ?? true)
    const own = this.hosts.filter((number) => target && isOwnHost(this.groups[number], target))
    const local = target?.type === 'host' ? this.all.filter((number) => isOwnHost(target, this.groups[number])) : []
    return own.length + local.length === 0 ? may : [...new Set([...may, ...own, ...local])]
  }

  /** What passes from FROM to TO; undefined if nothing does. */
  cell(from: MatrixGroup, to: MatrixGroup): Cell | undefined {
    if (from.type === 'outside' && to.type === 'outside') return undefined
    // No rule applies to what a host sends to itself.
    if (from.type === 'host' && to.type === 'host' && from.node === to.node) return undefined
    const parties = partiesOf(from, to)
    if (parties === undefined) return undefined
    const [v4, v6] = ([4, 6] as const).map((family) => this.passing(parties, family))
    if (v4 === undefined && v6 === undefined) return undefined
    let known = this.known.get(v4)
    if (known === undefined) this.known.set(v4, (known = new Map<Passing | undefined, Pick<Cell, 'flows' | 'by'> | undefined>()))
    if (!known.has(v6)) known.set(v6, this.cellOf([v4, v6].flatMap((one) => one ?? []), sharedFamilies(from, to)))
    const cell = known.get(v6)
    return cell && {from, to, ...cell}
  }

  private cellOf(parts: readonly Passing[], families: readonly Family[]): Pick<Cell, 'flows' | 'by'> | undefined {
    const flows = parts.reduce<FlowSet>((all, part) => union(all, part.flows), NO_FLOWS)
    if (isEmpty(flows)) return undefined
    const by = new Map(parts.flatMap((part) => part.by).map((one) => [byKey(one), one]))
    return {flows: flowTexts(flows, {never: this.never, families}), by: [...by.values()]}
  }

  private passing([from, to]: readonly [PartyOf, PartyOf], family: Family): Passing | undefined {
    const [sender, receiver] = [from(family), to(family)]
    if (!sender || !receiver) return undefined
    const all = passing(this.world, sender, receiver)
    if (this.protocol === undefined) return all
    let narrowed = this.narrowed.get(all)
    if (narrowed === undefined) {
      const flows = onlyProtocol(allFlowsOf(family), family, this.protocol)
      narrowed = {flows: flowSet(family, intersectionOf(family === 4 ? all.flows.v4 : all.flows.v6, flows)), by: allowing(this.world, sender, receiver, flows)}
      this.narrowed.set(all, narrowed)
    }
    return narrowed
  }
}

/** What allows some of FLOWS. */
function allowing(world: World, from: Party, to: Party, flows: FamilyFlows): By[] {
  const allowed = divide(world, from, to, flows, {}).filter(({verdict}) => verdict === 'allow')
  return (['egress', 'ingress', 'forward'] as const).flatMap((side) => allowed.flatMap((division) => division[side] ?? []).map(({by}) => by))
}

/** Who stands for the two groups; undefined if there are no two. */
function partiesOf(from: Group, to: Group): readonly [PartyOf, PartyOf] | undefined {
  if (from === to) return from.other && [from.party, from.other]
  return [awayFrom(from, to), awayFrom(to, from)]
}

/** One of GROUP that is not on the node of the host OTHER, if there is one. */
function awayFrom(group: Group, other: Group): PartyOf {
  if (other.type !== 'host' || group.type !== 'workloads') return group.party
  const away = group.workloads.find(({node}) => node !== other.node)
  return away ? (family) => workloadParty(away, family) : group.party
}

/** Whether all of OTHER are on the node whose processes HOST is: their rules are not all that decides between the two. */
const isOwnHost = (host: Group | undefined, other: Group | undefined): boolean => host?.type === 'host' && other?.type === 'workloads' && other.workloads.every(({node}) => node === host.node)
