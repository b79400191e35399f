/**
 * Objects that Calico's client or etcd takes but that do harm in Felix: what was measured is described in felix-behaviour.md §2. Works on stored
 * objects as they are (not decoded), because what is dangerous is often what decoding drops. What is merely invalid is for `accept`.
 */
import {parseAddress} from '../net/address.js'
import {contains, parseCidr, parseCidrOrAddress} from '../net/cidr.js'
import {accept, decode, unknownFields} from './accept.js'
import type {KindName} from './resource.js'
import {asRecord, ownField} from './schema/codec.js'
import {uncheckedLists} from './third-list.js'

/**
 * `open` = more traffic passes than the object says. `wider` = the object is right, but Felix enforces more than it says: to be warned about, not refused.
 * `node-stops` = Felix exits or loops on every node, with its old rules in place.
 * `cannot-start` = a running Felix goes on, a restarted one does not come up. `tag-lost` = endpoints of the profile lose its labels, so
 * that rules of others no longer see them. `frozen` = no node follows changes of this kind any more. `ignored` = the object or a part of it does nothing,
 * or not what it says.
 */
export type HazardLevel = 'open' | 'wider' | 'node-stops' | 'cannot-start' | 'tag-lost' | 'frozen' | 'ignored'

export interface Hazard {
  readonly level: HazardLevel
  /** Path of the field; empty for the object itself. */
  readonly field: string
  /** What is wrong and what it does, as a sentence without its subject: the field. */
  readonly message: string
  /** The object says just that, so that it may be meant: to be refused in what is new, and no more than a warning in what is stored. */
  readonly asWritten?: true
}

/** What Felix is set to, where it matters. */
export interface HazardSituation {
  /** Felix's interfacePrefix, split at commas. */
  readonly interfacePrefixes?: readonly string[]
}

type Finder = (object: unknown, situation: HazardSituation) => Hazard[]

/** Felix's own default of interfacePrefix. */
export const DEFAULT_PREFIXES = ['cali']
const LONGEST_INTERFACE = 15
const INTERFACE_PREFIX = /^[a-zA-Z0-9_-]{1,15}(,[a-zA-Z0-9_-]{1,15})*$/

const FROZEN = 'nodes ignore further changes of this kind until Felix is restarted'

/** What an object of each kind does to Felix when Felix cannot read it. Without an entry: nothing that was seen. */
const WHEN_UNREADABLE: Partial<Record<KindName, {level: HazardLevel; effect: string}>> = {
  ClusterInformation: {level: 'node-stops', effect: 'Felix stops'},
  FelixConfiguration: {level: 'cannot-start', effect: 'Felix cannot start with it'},
  GlobalNetworkPolicy: {level: 'frozen', effect: FROZEN},
  GlobalNetworkSet: {level: 'frozen', effect: FROZEN},
  HostEndpoint: {level: 'frozen', effect: FROZEN},
  NetworkPolicy: {level: 'frozen', effect: FROZEN},
  NetworkSet: {level: 'frozen', effect: FROZEN},
  Node: {level: 'frozen', effect: FROZEN},
  Profile: {level: 'frozen', effect: FROZEN},
  StagedGlobalNetworkPolicy: {level: 'frozen', effect: FROZEN},
  StagedKubernetesNetworkPolicy: {level: 'frozen', effect: FROZEN},
  StagedNetworkPolicy: {level: 'frozen', effect: FROZEN},
  Tier: {level: 'frozen', effect: FROZEN},
  WorkloadEndpoint: {level: 'frozen', effect: FROZEN},
}

const FINDERS: Partial<Record<KindName, Finder>> = {
  BGPFilter: bgpFilter,
  BGPPeer: bgpPeer,
  ClusterInformation: clusterInformation,
  FelixConfiguration: felixConfiguration,
  GlobalNetworkPolicy: (object) => rulesOf('GlobalNetworkPolicy', object),
  GlobalNetworkSet: emptyNets,
  NetworkPolicy: (object) => rulesOf('NetworkPolicy', object),
  NetworkSet: emptyNets,
  Profile: (object) => [...rulesOf('Profile', object), ...lostTag(object)],
  StagedGlobalNetworkPolicy: (object) => stagedRules('StagedGlobalNetworkPolicy', object),
  StagedNetworkPolicy: (object) => stagedRules('StagedNetworkPolicy', object),
  WorkloadEndpoint: workloadEndpoint,
}

/** The hazards of OBJECT, a stored or new object of KIND. A command refuses those that it would add (decisions.md 11). */
export function hazards(kind: KindName, object: unknown, situation: HazardSituation = {}): Hazard[] {
  const unreadable = WHEN_UNREADABLE[kind]
  if (unreadable) {
    const {problems} = decode(kind, object)
    if (problems.length > 0) {
      return problems.map(({field, message}) => ({level: unreadable.level, field, message: `${message}: ${unreadable.effect}`}))
    }
  }
  return FINDERS[kind]?.(object, situation) ?? []
}

/** The hazards of a stored value as text, which may be no JSON; undefined = there is no such object. */
export function hazardsOfText(kind: KindName, text: string | undefined, situation: HazardSituation = {}): Hazard[] {
  if (text === undefined) {
    return kind === 'ClusterInformation' ? [{level: 'node-stops', field: '', message: 'does not exist: Felix stops'}] : []
  }
  let object: unknown
  try {
    object = JSON.parse(text)
  } catch {
    const unreadable = WHEN_UNREADABLE[kind]
    return unreadable ? [{level: unreadable.level, field: '', message: `is not JSON: ${unreadable.effect}`}] : []
  }
  return hazards(kind, object, situation)
}

const specOf = (object: unknown): Readonly<Record<string, unknown>> => asRecord(ownField(asRecord(object) ?? {}, 'spec')) ?? {}

function clusterInformation(object: unknown): Hazard[] {
  const ready = ownField(specOf(object), 'datastoreReady')
  if (ready === true) return []
  return [{level: 'node-stops', field: 'spec.datastoreReady', message: `must be true, not ${ready === false ? 'false' : 'absent'}: Felix stops`}]
}

/** Annotations with this prefix are parameters of Felix, by their names in any case; they override the fields of the spec (datamodel-v3 §1.17). */
export const RAW_PREFIX = 'config.projectcalico.org/'

/** The values of Felix's parameter NAME in OBJECT, the one that counts last: that of the field of the spec, and those of annotations. */
export function felixParameters(object: unknown, name: string): {readonly field: string; readonly value: string}[] {
  const annotations = asRecord(ownField(asRecord(ownField(asRecord(object) ?? {}, 'metadata')) ?? {}, 'annotations')) ?? {}
  const raw = Object.keys(annotations).filter((key) => key.toLowerCase() === (RAW_PREFIX + name).toLowerCase())
  const all = [[`spec.${name}`, ownField(specOf(object), name)] as const, ...raw.map((key) => [`metadata.annotations.${key}`, annotations[key]] as const)]
  return all.flatMap(([field, value]) => (typeof value === 'string' ? [{field, value}] : []))
}

function felixConfiguration(object: unknown): Hazard[] {
  const stops = (field: string, message: string): Hazard => ({level: 'node-stops', field, message: `${message}: Felix stops`})
  return [
    ...felixParameters(object, 'interfacePrefix').flatMap(({field, value}) =>
      value === '' || INTERFACE_PREFIX.test(value) ? [] : stops(field, `must be prefixes of at most 15 letters, digits, "_" and "-", separated by commas, not ${JSON.stringify(value)}`),
    ),
    ...felixParameters(object, 'iptablesFilterDenyAction').flatMap(({field, value}) => (value.toLowerCase() === 'reject' ? stops(field, `must be Drop, not ${JSON.stringify(value)}`) : [])),
  ]
}

function workloadEndpoint(object: unknown, {interfacePrefixes = DEFAULT_PREFIXES}: HazardSituation): Hazard[] {
  const name = ownField(specOf(object), 'interfaceName')
  const field = 'spec.interfaceName'
  if (typeof name !== 'string' || name === '') return []
  if (name.length > LONGEST_INTERFACE) {
    return [{level: 'node-stops', field, message: `must have at most ${LONGEST_INTERFACE} characters, not ${name.length}: Felix stops`}]
  }
  if (interfacePrefixes.some((prefix) => name.startsWith(prefix))) return []
  const expected = interfacePrefixes.map((prefix) => JSON.stringify(prefix)).join(' or ')
  return [{level: 'open', field, message: `must begin with ${expected}, not ${JSON.stringify(name)}: Felix applies no policy at all to it`}]
}

/** The labels that endpoints would inherit from a profile which Felix reads and then refuses. */
function lostTag(object: unknown): Hazard[] {
  const labels = asRecord(ownField(specOf(object), 'labelsToApply')) ?? {}
  if (Object.keys(labels).length === 0) return []
  return accept('Profile', object, {operation: 'update'}).problems.map(({field, message}) => ({
    level: 'tag-lost',
    field,
    message: `${message}: the labels of this profile are not applied to endpoints (${Object.keys(labels).join(', ')})`,
  }))
}

/** A staged policy drops no packet: only what stops Felix counts. */
const stagedRules = (kind: 'StagedGlobalNetworkPolicy' | 'StagedNetworkPolicy', object: unknown): Hazard[] =>
  rulesOf(kind, object).filter(({level}) => level === 'node-stops')

/** Empty members of a network set, which Calico's client takes for networks. */
function emptyNets(object: unknown): Hazard[] {
  const nets = ownField(specOf(object), 'nets')
  if (!Array.isArray(nets)) return []
  return nets.flatMap((net: unknown, index) =>
    net === '' || net === null ? [{level: 'ignored' as const, field: `spec.nets[${index}]`, message: 'is empty, which is not a network'}] : [],
  )
}

/** What BIRD makes of the lengths of a filter's prefixes (more-kinds §1). */
function bgpFilter(object: unknown): Hazard[] {
  return ['exportV4', 'importV4', 'exportV6', 'importV6'].flatMap((name) => {
    const rules = ownField(specOf(object), name)
    return Array.isArray(rules) ? rules.flatMap((rule: unknown, index) => prefixLengths(asRecord(rule) ?? {}, `spec.${name}[${index}]`, name.endsWith('4') ? 32 : 128)) : []
  })
}

/** What BIRD does with a configuration that it cannot read. */
const REJECTED = 'BIRD rejects its whole configuration, and the node keeps its previous one'

/** `neighbor fe80::1` without an interface is an error for BIRD 1.6; calico-node's template never has one. */
function bgpPeer(object: unknown): Hazard[] {
  const text = ownField(specOf(object), 'peerIP')
  const address = typeof text === 'string' ? parseAddress(/^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? text) : undefined
  const linkLocal = parseCidr('fe80::/10')
  if (!address || !linkLocal || !contains(linkLocal, address)) return []
  return [{level: 'frozen', field: 'spec.peerIP', message: `is a link-local address, for which BIRD needs an interface: ${REJECTED}`}]
}

function prefixLengths(rule: Readonly<Record<string, unknown>>, field: string, longest: number): Hazard[] {
  const lengths = asRecord(ownField(rule, 'prefixLength'))
  const network = ownField(rule, 'cidr')
  const cidr = typeof network === 'string' ? parseCidr(network) : undefined
  if (!lengths || !cidr) return []
  const [min, max] = [ownField(lengths, 'min') ?? cidr.prefix, ownField(lengths, 'max') ?? longest]
  const place = `${field}.prefixLength`
  const found: Hazard[] = []
  if (typeof min === 'number' && typeof max === 'number') {
    if (min > max) found.push({level: 'frozen', field: place, message: `has a min (${min}) greater than its max (${max}): ${REJECTED}`})
    else if (max < cidr.prefix) found.push({level: 'frozen', field: place, message: `has a max (${max}) less than the prefix length of the CIDR (${cidr.prefix}): ${REJECTED}`})
  }
  const operator = ownField(rule, 'matchOperator')
  if (operator === 'Equal' || operator === 'NotEqual') {
    found.push({level: 'ignored', field: place, message: `does not restrict prefix lengths with ${operator}, which then does not compare as written: use In or NotIn`})
  }
  return found
}

function rulesOf(kind: 'Profile' | 'GlobalNetworkPolicy' | 'NetworkPolicy' | 'StagedGlobalNetworkPolicy' | 'StagedNetworkPolicy', object: unknown): Hazard[] {
  const unknown = unknownFields(kind, object)
  return (['ingress', 'egress'] as const).flatMap((direction) => {
    const rules = ownField(specOf(object), direction)
    if (!Array.isArray(rules) || harmless.has(rules)) return []
    const all = rules.flatMap((rule: unknown, index) => {
      const record = asRecord(rule) ?? {}
      if (harmless.has(record)) return []
      const found = ruleHazards(record, `spec.${direction}[${index}]`, unknown)
      if (found.length === 0) harmless.add(record)
      return found
    })
    if (all.length === 0) harmless.add(rules)
    return all
  })
}

/** Rules and lists of them, which never change, that have no hazard: an edit of one of many need not look at the others again. */
const harmless = new WeakSet()

const ICMP_NAMES = ['icmp', 'icmpv6']

/** Actions with which a rule that matches too much is no danger. */
const HARMLESS = ['deny', 'log']

function ruleHazards(rule: Readonly<Record<string, unknown>>, field: string, unknown: readonly string[]): Hazard[] {
  const found: Hazard[] = []
  const [icmp, protocol] = [ownField(rule, 'icmp') ?? undefined, ownField(rule, 'protocol') ?? undefined]
  if (icmp !== undefined && protocol === undefined) {
    found.push({level: 'node-stops', field: `${field}.icmp`, message: 'needs the protocol ICMP or ICMPv6 in the same rule: Felix stops'})
  }
  const {notProtocol, notICMP} = rule
  if ((notProtocol ?? undefined) !== undefined && protocol !== undefined) {
    found.push({level: 'node-stops', field: `${field}.notProtocol`, message: 'must not be used together with protocol in one rule: Felix stops'})
  }
  if ((notICMP ?? undefined) !== undefined && !(typeof protocol === 'string' && ICMP_NAMES.includes(protocol.toLowerCase()))) {
    found.push({level: 'node-stops', field: `${field}.notICMP`, message: 'needs the protocol ICMP or ICMPv6, by name, in the same rule: Felix stops'})
  }
  const unchecked = uncheckedLists(rule)
  if (unchecked.length > 0) {
    found.push({level: 'wider', field, message: `${unchecked.join(' and ')} ${unchecked.length === 1 ? 'is' : 'are'} not checked after the lists before have matched, because the rule has more than two lists: Felix matches more traffic than the rule says. Split it into several rules with fewer alternatives each`})
  }
  const action = ownField(rule, 'action')
  if (typeof action === 'string' && HARMLESS.includes(action.toLowerCase())) return found
  const open = (place: string, message: string) => found.push({level: 'open', field: place, message})
  const asWritten = (place: string, message: string) => found.push({level: 'open', field: place, message, asWritten: true})
  for (const path of unknown) {
    if (path.startsWith(`${field}.`)) open(path, 'is a field that Felix does not know: it is ignored, and the rule matches more traffic than it says')
  }
  for (const end of ['source', 'destination']) {
    const entity = asRecord(ownField(rule, end)) ?? {}
    const nets = ownField(entity, 'nets')
    if (Array.isArray(nets)) {
      if (nets.length === 0) asWritten(`${field}.${end}.nets`, 'is empty: the rule matches every address')
      nets.forEach((net: unknown, index) => {
        if (typeof net === 'string' && !parseCidrOrAddress(net)) {
          open(`${field}.${end}.nets[${index}]`, `is not a network (${JSON.stringify(net)}): the rule matches every address`)
        }
      })
    }
    if (ownField(entity, 'selector') === '') asWritten(`${field}.${end}.selector`, 'is empty: the rule matches every endpoint')
  }
  return found
}
