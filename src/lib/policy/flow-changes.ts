/**
 * What a change does to flows: what passes between which groups after it and did not before, and what does not any more. The groups are formed by what rules
 * of either world distinguish; only pairs of which one side is touched by the change are examined.
 */
import {parseKey} from '../model/keys.js'
import {type Address, type Cidr, type Family, formatCidr} from '../net/index.js'
import {compareUtf8} from '../utf8-order.js'
import {passingBetween, type PartyOf} from './between.js'
import {difference, type FlowSet, NO_FLOWS, union} from './flow-set/flow-set.js'
import {flowTexts} from './flow-set/text.js'
import {fingerprintsOf, neverFlows, outsidePlaces} from './groups.js'
import {hasAddress, hostParty, workloadParty} from './parties.js'
import {Reach, type Seat} from './reach.js'
import type {Claim, Endpoint, Workload, World} from './world.js'

/** One side of flows that have changed. */
export interface FlowEnd {
  readonly type: 'workloads' | 'host' | 'outside'
  /** For people: profiles, `host:NODE`, or networks; the same group has the same name in all rows. */
  readonly name: string
  /** The endpoints, `NAMESPACE/NAME`, and of hosts the nodes. */
  readonly members: readonly string[]
  /** Of the outside: networks that rules name, each without the smaller ones in it. */
  readonly networks: readonly Cidr[]
  /** Of the outside: all addresses that no rule names are among it. */
  readonly rest: boolean
}

/** Flows that have come (+) or gone (-) between each of one group and each of another; between two members of a group where both are the same. */
export interface FlowChange {
  readonly change: '+' | '-'
  readonly from: FlowEnd
  readonly to: FlowEnd
  /** Between hosts and endpoints on the same host; false: between all others. */
  readonly onNode: boolean
  /** Of the families that two of them share. */
  readonly flows: FlowSet
  /** FLOWS for people, one for each protocol: `tcp/80,443`. */
  readonly texts: readonly string[]
}

type Worlds = readonly [before: World, after: World]

/** What no rule of either world tells apart. */
interface Unit {
  readonly type: FlowEnd['type']
  /** Units with the same name may become one group. */
  readonly base: string
  readonly members: readonly string[]
  /** Of the outside. */
  readonly networks: readonly Cidr[]
  /** The node of each member. */
  readonly nodeOf: ReadonlyMap<string, string>
  /** What MEMBER is in each world; undefined where it is not. */
  readonly seat: (member: string | undefined, world: 0 | 1) => PartyOf | undefined
  /** Labels, before and after the change, to tell groups of one name apart. */
  readonly labels: ReadonlyMap<string, string>
  /** Whether the change may have changed what is decided about its flows, or what others' rules see in it. */
  readonly touched: boolean
}

/** What has changed from one unit to another: KEY is the same for what is reported in the same words. */
interface Delta {
  readonly key: string
  readonly gained: Pick<FlowChange, 'flows' | 'texts'>
  readonly lost: Pick<FlowChange, 'flows' | 'texts'>
}

/** Between a host and endpoints it makes a difference whether they are on that host. */
interface Deltas {
  /** Undefined: there is no such pair. */
  readonly apart: Delta | undefined
  readonly onNode: Delta | undefined
}

/**
 * The flows that pass in AFTER and not in BEFORE (+), and those that passed and do not any more (-), by groups.
 * @param changed the keys of all objects that differ between the two
 */
export function flowChanges(before: World, after: World, changed: Iterable<string>): FlowChange[] {
  const worlds = [before, after] as const
  const touch = touches(worlds, changed)
  const units = [...workloadUnits(worlds, touch), ...hostUnits(worlds, touch), ...outsideUnits(worlds, touch)]
  const all = allDeltas(worlds, units)
  const moved = units.filter((unit) => all.has(unit))
  return rowsOf(classesOf(moved, all), all, units)
}

/** All pairs of UNITS between which something has changed. */
function allDeltas(worlds: Worlds, units: readonly Unit[]): Map<Unit, Map<Unit, Deltas>> {
  const all = new Map<Unit, Map<Unit, Deltas>>()
  const reaches = ([0, 1] as const).map((world) => new Reach(worlds[world], units.map((unit) => seatIn(worlds, unit, world))))
  const note = (sender: number, receiver: number): void => {
    const [from, to] = [units[sender], units[receiver]]
    if (from === undefined || to === undefined || (from.type === 'outside' && to.type === 'outside')) return
    // Between a host and endpoints on it other things decide than their rules.
    if (from.type !== 'host' && to.type !== 'host' && !reaches.some((reach) => reach.may(sender, receiver))) return
    const deltas = deltasOf(worlds, from, to)
    if (isNothing(deltas.apart) && isNothing(deltas.onNode)) return
    for (const unit of [from, to]) if (!all.has(unit)) all.set(unit, new Map())
    all.get(from)?.set(to, deltas)
  }
  for (const [number, unit] of units.entries()) {
    if (!unit.touched) continue
    for (const [other, {touched}] of units.entries()) {
      note(number, other)
      if (!touched) note(other, number)
    }
  }
  return all
}

function seatIn(worlds: Worlds, {type, members: [first], seat}: Unit, world: 0 | 1): Seat {
  return {workload: type === 'workloads' ? worlds[world].workloads.get(first ?? '') : undefined, party: seat(first, world) ?? (() => undefined)}
}

const isNothing = (delta: Delta | undefined): boolean => delta === undefined || delta.key === ''

function deltasOf(worlds: Worlds, from: Unit, to: Unit): Deltas {
  const [host, workloads] = from.type === 'host' ? [from, to] : [to, from]
  if (host.type !== 'host' || workloads.type !== 'workloads') {
    const [one] = from.members
    const other = from === to ? to.members[1] : to.members[0]
    return {apart: from === to && other === undefined && from.type !== 'outside' ? undefined : deltaOf(worlds, from, one, to, other), onNode: undefined}
  }
  const pair = (wanted: boolean): Delta | undefined => {
    for (const member of workloads.members) {
      const node = host.members.find((name) => (name === workloads.nodeOf.get(member)) === wanted)
      if (node !== undefined) return from === host ? deltaOf(worlds, from, node, to, member) : deltaOf(worlds, from, member, to, node)
    }
    return undefined
  }
  return {apart: pair(false), onNode: pair(true)}
}

function deltaOf(worlds: Worlds, from: Unit, sender: string | undefined, to: Unit, receiver: string | undefined): Delta {
  const families = new Set<Family>()
  const [before, after] = ([0, 1] as const).map((world) => {
    const [source, destination] = [from.seat(sender, world), to.seat(receiver, world)]
    if (!source || !destination) return NO_FLOWS
    for (const family of [4, 6] as const) if (source(family) && destination(family)) families.add(family)
    return passingBetween(worlds[world], source, destination).flows
  }) as [FlowSet, FlowSet]
  const [gained, lost] = before === after ? [NO_FLOWS, NO_FLOWS] : [difference(after, before), difference(before, after)]
  const [plus, minus] = [gained, lost].map((flows) => flowTexts(flows, {never: neverFlows(), families: [...families]})) as [string[], string[]]
  return {key: plus.length + minus.length === 0 ? '' : `${plus.join(' ')} - ${minus.join(' ')}`, gained: {flows: gained, texts: plus}, lost: {flows: lost, texts: minus}}
}

/** What the change may have touched. */
interface Touch {
  /** What every rule may decide differently now: no unit is left out. */
  readonly everything: boolean
  /** The endpoints that have changed themselves, `NAMESPACE/NAME`. */
  readonly workloads: ReadonlySet<string>
  /** Whether the rules of ENDPOINT in WORLD are among what has changed. */
  readonly rulesOf: (endpoint: Endpoint) => boolean
  readonly node: (name: string) => boolean
  /** Whether what selectors see at ADDRESS has changed. */
  readonly address: (address: Address) => boolean
}

/** Kinds of which it is reported below whom a change of them touches; a pool touches no one: it changes addresses, not what rules say of them. */
const KNOWN_KINDS = new Set(['WorkloadEndpoint', 'Profile', 'GlobalNetworkPolicy', 'NetworkPolicy', 'Tier', 'GlobalNetworkSet', 'NetworkSet', 'HostEndpoint', 'Node', 'FelixConfiguration', 'IPPool'])

function touches(worlds: Worlds, changed: Iterable<string>): Touch {
  const places = [...changed].flatMap((key) => {
    const place = parseKey(key)
    return place?.type === 'resource' ? [place] : []
  })
  const profiles = new Set(places.filter(({kind}) => kind === 'Profile').map(({name}) => name))
  const policyNames = new Set(places.filter(({kind}) => kind.endsWith('NetworkPolicy')).map(({kind, namespace = '', name}) => `${kind} ${namespace}/${name}`))
  const tiers = new Set(places.filter(({kind}) => kind === 'Tier').map(({name}) => name))
  const policies = worlds.map((world) => world.policies.filter(({kind, namespace = '', name, tier}) => policyNames.has(`${kind} ${namespace}/${name}`) || tiers.has(tier)))
  // A selector remembers its answers by labels, which are of its own world.
  const worldOf = (endpoint: Endpoint, world: 0 | 1): boolean => policies[world]?.some(({selector}) => selector.selects(endpoint.labels)) ?? false
  const rulesOf = (endpoint: Endpoint): boolean => endpoint.profiles.some((name) => profiles.has(name)) || worldOf(endpoint, 0) || worldOf(endpoint, 1)
  const hosts = changedNodes(worlds, places)
  const hostLabels = worlds.map((world) => new Map(world.hostEndpoints.map((endpoint) => [endpoint.name, textOfLabels(endpoint.labels.map)])))
  for (const world of worlds) {
    for (const endpoint of world.hostEndpoints) if (rulesOf(endpoint) || hostLabels[0]?.get(endpoint.name) !== hostLabels[1]?.get(endpoint.name)) hosts.add(endpoint.node)
  }
  return {
    everything: places.some(({kind}) => !KNOWN_KINDS.has(kind)),
    workloads: new Set(places.filter(({kind}) => kind === 'WorkloadEndpoint').map(({namespace = '', name}) => `${namespace}/${name}`)),
    rulesOf,
    node: (name) => hosts.has(name),
    address: (address) => textOfClaims(worlds[0].claims(address)) !== textOfClaims(worlds[1].claims(address)),
  }
}

/** The nodes on which something else holds now than their endpoints' rules. */
function changedNodes(worlds: Worlds, places: readonly {readonly kind: string; readonly name: string}[]): Set<string> {
  const of = (kind: string): Set<string> => new Set(places.filter((place) => place.kind === kind).map(({name}) => name))
  const [nodes, endpoints, configurations] = [of('Node'), of('HostEndpoint'), of('FelixConfiguration')]
  for (const world of worlds) for (const {name, node} of world.hostEndpoints) if (endpoints.has(name)) nodes.add(node)
  if (configurations.size + of('Node').size === 0) return nodes
  const all = new Set(worlds.flatMap((world) => [...world.nodes.keys(), ...[...world.workloads.values(), ...world.hostEndpoints].map(({node}) => node)]))
  const [before, after] = worlds.map((world) => (node: string) => JSON.stringify(world.settings(node), (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)))
  for (const name of all) if (before?.(name) !== after?.(name)) nodes.add(name)
  return nodes
}

const textOfLabels = (labels: ReadonlyMap<string, string>): string => JSON.stringify([...labels].sort(([a], [b]) => compareUtf8(a, b)))

const claimTexts = new WeakMap<Claim, string>()

const textOfClaims = (claims: readonly Claim[]): string =>
  claims
    .map((claim) => {
      let text = claimTexts.get(claim)
      if (text === undefined) claimTexts.set(claim, (text = `${textOfLabels(claim.labels.map)} ${JSON.stringify(claim.ports)}`))
      return text
    })
    .sort(compareUtf8)
    .join('\n')

function workloadUnits(worlds: Worlds, touch: Touch): Unit[] {
  const fingers = worlds.map(fingerprintsOf)
  const units = new Map<string, string[]>()
  for (const name of new Set(worlds.flatMap(({workloads}) => [...workloads.keys()]))) {
    const key = worlds.map(({workloads}, world) => {
      const workload = workloads.get(name)
      return workload ? (fingers[world]?.workload(workload) ?? '') : ''
    }).join('\n')
    const unit = units.get(key)
    if (unit) unit.push(name)
    else units.set(key, [name])
  }
  return [...units.values()].map((members): Unit => {
    const [first = ''] = members
    const [before, after] = worlds.map(({workloads}) => workloads.get(first))
    const seen = after ?? before
    return {
      type: 'workloads',
      base: before && after && profilesOf(before) !== profilesOf(after) ? `${profilesOf(after)} (was ${profilesOf(before)})` : seen ? profilesOf(seen) : '',
      members,
      networks: [],
      nodeOf: new Map(members.map((name) => [name, (worlds[1].workloads.get(name) ?? worlds[0].workloads.get(name))?.node ?? ''])),
      seat: (member, world) => {
        const workload = worlds[world].workloads.get(member ?? '')
        return workload && ((family) => workloadParty(workload, family))
      },
      labels: seen?.labels.map ?? new Map(),
      touched: touch.everything || !before || !after || isTouched(before, after, touch) || members.some((name) => isTouchedAlone(worlds, name, touch)),
    }
  })
}

const profilesOf = ({profiles}: Workload): string => profiles.join(',') || 'no profile'

/** Whether the change touches what holds for BEFORE, which is AFTER now. */
function isTouched(before: Workload, after: Workload, touch: Touch): boolean {
  const [was, is] = [before.shadowedBy ?? before, after.shadowedBy ?? after]
  return (
    was.name !== is.name ||
    was.profiles.join() !== is.profiles.join() ||
    textOfLabels(was.labels.map) !== textOfLabels(is.labels.map) ||
    touch.rulesOf(was) ||
    touch.rulesOf(is) ||
    [...before.addresses, ...after.addresses].some(touch.address)
  )
}

/** What may differ among members of a unit: whether the object itself has changed, and what is on its node. */
const isTouchedAlone = ([before, after]: Worlds, name: string, touch: Touch): boolean => {
  const workload = after.workloads.get(name) ?? before.workloads.get(name)
  return workload !== undefined && (touch.node(workload.node) || touch.workloads.has(name))
}

function hostUnits(worlds: Worlds, touch: Touch): Unit[] {
  const fingers = worlds.map(fingerprintsOf)
  const units = new Map<string, string[]>()
  for (const name of new Set(worlds.flatMap(({nodes}) => [...nodes.values()].filter(hasAddress).map((node) => node.name)))) {
    const key = worlds.map(({nodes}, world) => {
      const node = nodes.get(name)
      return node ? (fingers[world]?.host(node) ?? '') : ''
    }).join('\n')
    const unit = units.get(key)
    if (unit) unit.push(name)
    else units.set(key, [name])
  }
  return [...units.values()].map((members): Unit => {
    const addresses = worlds.flatMap(({nodes}) => members.flatMap((name) => [...Object.values(nodes.get(name)?.addresses ?? {}), ...(nodes.get(name)?.more ?? [])]))
    return {
      type: 'host',
      base: '',
      members,
      networks: [],
      nodeOf: new Map(members.map((name) => [name, name])),
      seat: (member, world) => {
        const node = worlds[world].nodes.get(member ?? '')
        return node && ((family) => hostParty(node, family))
      },
      labels: new Map(),
      touched: touch.everything || members.some(touch.node) || addresses.some(touch.address),
    }
  })
}

const outsideUnits = (worlds: Worlds, touch: Touch): Unit[] =>
  outsidePlaces(worlds).map(({networks, parties}): Unit => ({
    type: 'outside',
    base: '',
    members: [],
    networks,
    nodeOf: new Map(),
    seat: () => (family) => parties[family],
    labels: new Map(),
    touched: touch.everything || Object.values(parties).some(({address}) => touch.address(address)),
  }))

/** MOVED in classes: units of one name between which no change tells a difference are one. */
function classesOf(moved: readonly Unit[], all: ReadonlyMap<Unit, ReadonlyMap<Unit, Deltas>>): Unit[][] {
  const [key, onNode] = (['apart', 'onNode'] as const).map(
    (part) => (from: Unit, to: Unit) => all.get(from)?.get(to)?.[part]?.key ?? '',
  ) as [(from: Unit, to: Unit) => string, (from: Unit, to: Unit) => string]
  const hasPairs = ({type, members}: Unit): boolean => type !== 'outside' && members.length > 1
  const sameToOthers = (a: Unit, b: Unit): boolean =>
    moved.every((c) => c === a || c === b || (key(a, c) === key(b, c) && key(c, a) === key(c, b) && onNode(a, c) === onNode(b, c) && onNode(c, a) === onNode(c, b)))
  const sameAmong = (a: Unit, b: Unit): boolean => new Set([key(a, b), key(b, a), ...[a, b].filter(hasPairs).map((unit) => key(unit, unit))]).size === 1
  const classes: Unit[][] = []
  for (const unit of moved) {
    const fitting = classes.find(([first]) => first?.type === unit.type && first.base === unit.base && sameToOthers(first, unit) && sameAmong(first, unit))
    if (fitting) fitting.push(unit)
    else classes.push([unit])
  }
  return classes
}

function rowsOf(classes: readonly Unit[][], all: ReadonlyMap<Unit, ReadonlyMap<Unit, Deltas>>, units: readonly Unit[]): FlowChange[] {
  const names = namesOf(classes, units)
  const rows: FlowChange[] = []
  const end = (units: readonly Unit[], members: readonly string[]): FlowEnd => ({
    type: units[0]?.type ?? 'outside',
    name: names.get(units) ?? '',
    members,
    networks: units.flatMap(({networks}) => networks),
    rest: units.some(isRest),
  })
  const add = (from: readonly Unit[], to: readonly Unit[], part: keyof Deltas): void => {
    const deltas = from.flatMap((unit) => to.flatMap((other) => all.get(unit)?.get(other)?.[part] ?? []))
    if (deltas.every((delta) => isNothing(delta))) return
    const [senders, receivers] = membersOf(from, to, part)
    for (const [change, moved] of [['+', deltas.map(({gained}) => gained)], ['-', deltas.map(({lost}) => lost)]] as const) {
      const texts = moved[0]?.texts ?? []
      if (texts.length > 0) rows.push({change, from: end(from, senders), to: end(to, receivers), onNode: part === 'onNode', flows: moved.reduce((flows, one) => union(flows, one.flows), NO_FLOWS), texts})
    }
  }
  const classOf = new Map(classes.flatMap((units) => units.map((unit) => [unit, units] as const)))
  for (const from of classes) {
    const reached = new Set(from.flatMap((unit) => [...(all.get(unit)?.keys() ?? [])]).flatMap((unit) => [classOf.get(unit) ?? []]))
    for (const to of reached) for (const part of ['apart', 'onNode'] as const) add(from, to, part)
  }
  return rows.sort((a, b) => compareUtf8(a.from.name, b.from.name) || compareUtf8(a.to.name, b.to.name) || compareUtf8(a.change, b.change))
}

/** The members of both sides that have a partner there: between a host and endpoints APART, those that are not on it, or those that are. */
function membersOf(from: readonly Unit[], to: readonly Unit[], part: keyof Deltas): [string[], string[]] {
  const [senders, receivers] = [from, to].map((units) => units.flatMap(({members}) => members)) as [string[], string[]]
  const types = new Set([from[0]?.type, to[0]?.type])
  if (!types.has('host') || !types.has('workloads')) return [senders, receivers]
  const nodeOf = new Map([...from, ...to].flatMap((unit) => [...unit.nodeOf]))
  const among = (own: readonly string[], others: readonly string[]): string[] => {
    const nodes = new Set(others.map((name) => nodeOf.get(name)))
    return own.filter((name) => (part === 'onNode' ? nodes.has(nodeOf.get(name)) : nodes.size > 1 || !nodes.has(nodeOf.get(name))))
  }
  return [among(senders, receivers), among(receivers, senders)]
}

const isRest = ({type, networks}: Unit): boolean => type === 'outside' && networks.length === 0

/** Hosts that are named one by one. */
const MOST_HOSTS = 3

/** What each of CLASSES is called; ALL: every unit there is. */
function namesOf(classes: readonly Unit[][], all: readonly Unit[]): Map<readonly Unit[], string> {
  const names = new Map<readonly Unit[], string>()
  const isAll = (units: readonly Unit[]): boolean => units.length === all.filter(({type}) => type === units[0]?.type).length
  for (const units of classes) {
    const members = units.flatMap((unit) => unit.members)
    const networks = units.flatMap((unit) => unit.networks)
    switch (units[0]?.type) {
      case 'host':
        names.set(units, members.length > 1 && isAll(units) ? 'hosts' : members.length > MOST_HOSTS ? `host:${members.slice(0, MOST_HOSTS).join(',host:')},…` : members.map((name) => `host:${name}`).join(','))
        break
      case 'outside':
        names.set(units, isAll(units) || networks.length === 0 ? 'outside' : [...(units.some(isRest) ? ['outside'] : []), ...networks.map(formatCidr)].join(','))
        break
      default:
        names.set(units, units[0]?.base ?? '')
    }
  }
  for (const name of new Set(names.values())) {
    const same = classes.filter((units) => names.get(units) === name)
    if (same.length > 1) distinguish(same, name, names)
  }
  return names
}

/** Names classes of one NAME by the labels in which they differ, else by numbers. */
function distinguish(same: readonly Unit[][], name: string, names: Map<readonly Unit[], string>): void {
  const keys = [...new Set(same.flatMap((units) => units.flatMap(({labels}) => [...labels.keys()])))].sort(compareUtf8)
  const values = (units: readonly Unit[], key: string): Set<string | undefined> => new Set(units.map(({labels}) => labels.get(key)))
  const differing = keys.filter((key) => new Set(same.map((units) => [...values(units, key)].join('\0'))).size > 1)
  const qualified = same.map((units) => differing.flatMap((key) => [...values(units, key)].flatMap((value) => (value === undefined ? [] : [value === '' ? key : `${key}=${value}`]))).join(','))
  const distinct = new Set(qualified).size === same.length
  for (const [index, units] of same.entries()) names.set(units, distinct ? (qualified[index] === '' ? name : `${name} [${qualified[index] ?? ''}]`) : `${name}#${index + 1}`)
}
