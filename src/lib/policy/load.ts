/**
 * Reads a store's key-value pairs, or decoded objects, as Felix does (policy-evaluation §2–§5): what it cannot read is absent and noted. What a question
 * does not touch is not looked at: profiles and policies are compiled when they are first asked for.
 */
import {stringifyJson} from '../json/index.js'
import {accept, decode} from '../model/accept.js'
import {RAW_PREFIX} from '../model/hazards.js'
import {displayWorkload} from '../model/display-name.js'
import {borrowsAddresses, hostEndpointRefusals, workloadEndpointRefusals} from '../model/felix-endpoints.js'
import {parseKey} from '../model/keys.js'
import {type KindName, problemText, type Resource} from '../model/resource.js'
import {asRecord, ownField} from '../model/schema/codec.js'
import type {GlobalNetworkPolicySpec, HostEndpointSpec, NetworkPolicySpec, NodeSpec, ProfileSpec, Rule as StoredRule, WorkloadEndpointSpec} from '../model/types.js'
import {parseWorkloadEndpointName} from '../model/workload-endpoint-name.js'
import {type Address, type Cidr, formatCidr, networkOf, parseAddress, parseCidr, parseCidrOrAddress} from '../net/index.js'
import {compareUtf8} from '../utf8-order.js'
import {AddressBook} from './address-book.js'
import type {By, Direction} from './by.js'
import {Expressions, globalPolicySelector, type Labels, NAMESPACE_LABEL, NAMESPACE_PREFIX, networkPolicySelector, SERVICE_ACCOUNT_LABEL, SERVICE_ACCOUNT_PREFIX} from './expression.js'
import {NeedIndex} from './needs.js'
import {protocolNumber} from './packets.js'
import {compileRule, type Rule, StoppingRule} from './rule.js'
import {type Configuration, type Settings, settingsOf} from './settings.js'
import type {Claim, Endpoint, HostEndpoint, NamedPort, NodeInfo, Policy, Pool, Problem, Profile, Stage, Tier, TierStage, Workload, World} from './world.js'

/** A stored object: its key, and its value as text or already read from JSON. */
export interface Entry {
  readonly key: string
  readonly value: unknown
}

/** The kinds that decide about flows. */
export const POLICY_KINDS = [
  'WorkloadEndpoint',
  'Profile',
  'GlobalNetworkPolicy',
  'NetworkPolicy',
  'Tier',
  'GlobalNetworkSet',
  'NetworkSet',
  'HostEndpoint',
  'Node',
  'FelixConfiguration',
  'IPPool',
  'ClusterInformation',
] as const satisfies readonly KindName[]
type PolicyKind = (typeof POLICY_KINDS)[number]

interface Raw {
  readonly key: string
  readonly kind: PolicyKind
  readonly name: string
  readonly namespace: string | undefined
  readonly value: unknown
}

const DEFAULT_ALLOW = 'projectcalico-default-allow'
const LONGEST_INTERFACE = 15

/** What of qosControls refuses packets and connections, whatever the policy says. */
const LIMITS = ['ingressPacketRate', 'egressPacketRate', 'ingressMaxConnections', 'egressMaxConnections'] as const

/** The world that ENTRIES make; keys of other kinds are passed over. */
export function loadWorld(entries: Iterable<Entry>): World {
  return new Loader(entries).world()
}

class Loader {
  private readonly raw = new Map<PolicyKind, Map<string, Raw>>(POLICY_KINDS.map((kind) => [kind, new Map()]))
  private readonly problems: Problem[] = []
  private readonly expressions = new Expressions()
  private readonly labelSets = new Map<string, Labels>()
  private readonly labelsAsked = new Map<string, Labels>()
  private readonly claimSets = new Map<string, Claim>()
  private readonly profiles = new Map<string, Profile>()
  private readonly inherited = new Map<string, readonly (readonly [string, string])[]>()
  private readonly book = new AddressBook()
  private readonly settings: (node: string) => Settings

  constructor(entries: Iterable<Entry>) {
    for (const {key, value} of entries) {
      const place = parseKey(key)
      if (place?.type !== 'resource') continue
      const kind = place.kind as PolicyKind
      this.raw.get(kind)?.set(`${place.namespace ?? ''}/${place.name}`, {key, kind, name: place.name, namespace: place.namespace, value})
    }
    const configurations = this.of('FelixConfiguration').map((raw) => this.configuration(raw))
    this.settings = remembered((node) => settingsOf(configurations, node, this.nodeLabels(node)))
  }

  world(): World {
    const nodes = new Map(this.of('Node').flatMap((raw) => this.node(raw)).map((node) => [node.name, node]))
    const workloads = this.workloads()
    const hostEndpoints = this.of('HostEndpoint').flatMap((raw) => this.hostEndpoint(raw)).sort((a, b) => compareUtf8(a.name, b.name))
    for (const endpoint of [...workloads.values(), ...hostEndpoints]) this.book.addEndpoint(endpoint)
    for (const node of nodes.values()) this.book.addNode(node)
    this.sets()
    const policies = [...this.of('GlobalNetworkPolicy'), ...this.of('NetworkPolicy')].flatMap((raw) => this.policy(raw))
    const tiers = new Map(this.of('Tier').flatMap((raw) => this.tier(raw)).map((tier) => [tier.name, tier]))
    const tier = (name: string): Tier => tiers.get(name) ?? {name, order: undefined, missing: true, pass: false}
    const ordered = inOrder(policies, tier)
    const halted = this.halted()
    let networks: readonly Cidr[] | undefined
    return {
      workloads,
      hostEndpoints,
      nodes,
      policies: ordered.flatMap(({policies: inTier}) => inTier),
      problems: this.problems,
      profile: (name) => this.profile(name),
      profileStops: (name) => this.profileStops(name),
      profileNames: this.of('Profile').map(({name}) => name),
      tier,
      settings: this.settings,
      claims: (address) => this.book.claims(address),
      workloadsAt: (address) => this.book.workloadsAt(address),
      nodeAt: (address) => this.book.nodeAt(address),
      applying: applying(ordered),
      networks: () => (networks ??= this.networks(policies)),
      pools: this.of('IPPool').flatMap((raw) => this.pool(raw)),
      ...(halted === undefined ? {} : {halted}),
    }
  }

  private of(kind: PolicyKind): Raw[] {
    return [...(this.raw.get(kind)?.values() ?? [])]
  }

  /** The labels of the Node object of NODE. */
  private nodeLabels(node: string): Map<string, string> {
    const raw = this.raw.get('Node')?.get(`/${node}`)
    const metadata = raw && asRecord(ownField(asRecord(this.parsed(raw)) ?? {}, 'metadata'))
    return textMap(ownField(metadata ?? {}, 'labels'))
  }

  private parsed({value}: Raw): unknown {
    if (typeof value !== 'string') return value
    try {
      return parseText(value)
    } catch {
      return undefined
    }
  }

  private note(raw: Raw, effect: Problem['effect'], message: string, more: Partial<Problem> = {}): void {
    this.problems.push({...problemOf(raw, effect, message), ...(effect === 'unreadable' && this.parsed(raw) === undefined ? {notJson: true} : {}), ...more})
  }

  /** The object in RAW as Felix reads it; noted, with what MORE makes of its metadata and spec, and undefined if it cannot. */
  private decoded<Spec extends object>(raw: Raw, more: (metadata: Readonly<Record<string, unknown>>, spec: Readonly<Record<string, unknown>>) => Partial<Problem> = () => ({})): Resource<Spec> | undefined {
    const problem = this.unreadable<Spec>(raw)
    if (typeof problem !== 'string') return problem
    const value = asRecord(this.parsed(raw)) ?? {}
    this.note(raw, 'unreadable', problem, more(asRecord(ownField(value, 'metadata')) ?? {}, asRecord(ownField(value, 'spec')) ?? {}))
    return undefined
  }

  private unreadable<Spec extends object>(raw: Raw): Resource<Spec> | string {
    if (typeof raw.value !== 'string') return this.decodeValue<Spec>(raw.kind, raw.value)
    let value: unknown
    try {
      value = parseText(raw.value)
    } catch (error) {
      return `not valid JSON: ${error instanceof Error ? error.message : String(error)}`
    }
    return this.decodeValue<Spec>(raw.kind, value)
  }

  private decodeValue<Spec extends object>(kind: PolicyKind, value: unknown): Resource<Spec> | string {
    if (kind === 'WorkloadEndpoint' && isPlainWorkload(value)) return value as Resource<Spec>
    const {resource, problems} = decode(kind, value)
    return (resource as Resource<Spec> | undefined) ?? problems.map(problemText).join('; ')
  }

  private labels(own: readonly (readonly [string, string])[], profiles: readonly string[]): Labels {
    const asked = JSON.stringify([own, profiles])
    let labels = this.labelsAsked.get(asked)
    if (labels === undefined) this.labelsAsked.set(asked, (labels = this.effectiveLabels(own, profiles)))
    return labels
  }

  private effectiveLabels(own: readonly (readonly [string, string])[], profiles: readonly string[]): Labels {
    const map = new Map<string, string>()
    for (const [key, value] of own) map.set(key, value)
    for (const profile of profiles) for (const [key, value] of this.inheritedFrom(profile)) if (!map.has(key)) map.set(key, value)
    const text = JSON.stringify([...map].sort(([a], [b]) => compareUtf8(a, b)))
    let labels = this.labelSets.get(text)
    if (labels === undefined) {
      labels = {id: this.labelSets.size, map}
      this.labelSets.set(text, labels)
    }
    return labels
  }

  private claim(labels: Labels, ports: readonly NamedPort[]): Claim {
    const text = `${labels.id} ${JSON.stringify(ports)}`
    let claim = this.claimSets.get(text)
    if (claim === undefined) {
      claim = {labels, ports}
      this.claimSets.set(text, claim)
    }
    return claim
  }

  /** The labels that PROFILE gives its endpoints: none if Felix's validation refuses it. */
  private inheritedFrom(name: string): readonly (readonly [string, string])[] {
    let labels = this.inherited.get(name)
    if (labels === undefined) {
      labels = this.labelsOfProfile(name)
      this.inherited.set(name, labels)
    }
    return labels
  }

  private labelsOfProfile(name: string): readonly (readonly [string, string])[] {
    const raw = this.raw.get('Profile')?.get(`/${name}`)
    if (raw === undefined) return []
    const value = this.parsed(raw)
    const labels = [...textMap(ownField(asRecord(ownField(asRecord(value) ?? {}, 'spec')) ?? {}, 'labelsToApply'))]
    if (labels.length === 0) return []
    const {problems} = accept('Profile', value, {operation: 'update'})
    if (problems.length === 0) return labels
    if (typeof this.decodeValue('Profile', value) === 'string') return []
    this.note(raw, 'labels-lost', problems.map(problemText).join('; '))
    return []
  }

  private workloads(): Map<string, Workload> {
    const all = this.of('WorkloadEndpoint').flatMap((raw) => this.workload(raw))
    const first = new Map<string, Workload>()
    const order = ({orchestrator, namespace, workload, endpoint}: Workload): string => [orchestrator, `${namespace}/${workload}`, endpoint].join('\0')
    const place = ({node, interfaceName}: Workload): string => `${node}\0${interfaceName}`
    for (const endpoint of all) {
      const other = first.get(place(endpoint))
      if (other === undefined || compareUtf8(order(endpoint), order(other)) < 0) first.set(place(endpoint), endpoint)
    }
    return new Map(
      all.map((endpoint) => {
        const winner = first.get(place(endpoint))
        return [`${endpoint.namespace}/${endpoint.name}`, winner === undefined || winner === endpoint ? endpoint : {...endpoint, shadowedBy: winner}]
      }),
    )
  }

  private workload(raw: Raw): Workload[] {
    const object = this.decoded<WorkloadEndpointSpec>(raw, (_, spec) => ({addresses: addressesOf(spec)}))
    if (object === undefined) return []
    const {spec, metadata} = object
    const ids = parseWorkloadEndpointName(raw.name)
    const refuse = (message: string): [] => {
      this.note(raw, 'absent', message, {addresses: addressesOf({...spec})})
      return []
    }
    if (ids === undefined) return refuse('its name is not NODE-ORCHESTRATOR-WORKLOAD-ENDPOINT')
    const refusals = workloadEndpointRefusals({...spec})
    if (refusals.length > 0) return refuse(refusals.map(problemText).join('; '))
    if (borrowsAddresses({...spec}) && !this.settings(ids.node).borrowing) return refuse('it has allowSpoofedSourcePrefixes, and the Felix setting workloadSourceSpoofing is not Any')
    const {interfaceName = ''} = spec
    const addresses = (spec.ipNetworks ?? []).flatMap((text) => addressOf(text) ?? [])
    if (interfaceName.length > LONGEST_INTERFACE) this.note(raw, 'stops', `its interfaceName has more than ${LONGEST_INTERFACE} characters`)
    const container = metadata.annotations?.['calicoctl/container']
    const profiles = spec.profiles ?? []
    const account: [string, string][] = spec.serviceAccountName ? [[SERVICE_ACCOUNT_LABEL, spec.serviceAccountName]] : []
    const own = Object.entries(metadata.labels ?? {}).filter(([key]) => !key.startsWith(NAMESPACE_PREFIX) && !key.startsWith(SERVICE_ACCOUNT_PREFIX))
    const labels = this.labels([...own, ...account], profiles)
    return [
      {
        kind: 'WorkloadEndpoint',
        ...(container ? {container} : {}),
        shownWorkload: displayWorkload(metadata, ids.workload).name,
        name: raw.name,
        namespace: raw.namespace ?? '',
        ...ids,
        interfaceName,
        addresses,
        profiles,
        labels,
        claim: this.claim(labels, namedPorts(spec.ports)),
        nats: (spec.ipNATs ?? []).flatMap(({internalIP, externalIP}) => {
          const [internal, external] = [parseAddress(internalIP), parseAddress(externalIP)]
          return internal && external ? [{internal, external}] : []
        }),
        limits: LIMITS.filter((name) => spec.qosControls?.[name] !== undefined),
      },
    ]
  }

  private hostEndpoint(raw: Raw): HostEndpoint[] {
    const object = this.decoded<HostEndpointSpec>(raw, (_, spec) => (typeof spec.node === 'string' ? {node: spec.node} : {}))
    if (object === undefined) return []
    const {spec, metadata} = object
    if (!spec.node || (!spec.interfaceName && (spec.expectedIPs ?? []).length === 0)) {
      this.note(raw, 'absent', spec.node ? 'it has neither interfaceName nor expectedIPs' : 'it has no node')
      return []
    }
    const refusals = hostEndpointRefusals({...spec})
    if (refusals.length > 0) {
      this.note(raw, 'absent', refusals.map(problemText).join('; '))
      return []
    }
    const profiles = spec.profiles ?? []
    // Felix drops own labels with the prefixes of namespaces and service accounts from workload endpoints only.
    const labels = this.labels(Object.entries(metadata.labels ?? {}), profiles)
    return [
      {
        kind: 'HostEndpoint',
        name: raw.name,
        node: spec.node,
        interfaceName: spec.interfaceName ?? '',
        addresses: (spec.expectedIPs ?? []).flatMap((text) => parseAddress(text) ?? []),
        profiles,
        labels,
        claim: this.claim(labels, namedPorts(spec.ports)),
      },
    ]
  }

  private sets(): void {
    for (const raw of [...this.of('GlobalNetworkSet'), ...this.of('NetworkSet')]) {
      const labelsOf = (own: readonly (readonly [string, string])[]): Labels =>
        raw.namespace === undefined ? this.labels(own, []) : this.labels([...own.filter(([key]) => key !== NAMESPACE_LABEL), [NAMESPACE_LABEL, raw.namespace]], [`kns.${raw.namespace}`])
      const object = this.decoded<{nets?: readonly string[]}>(raw, (metadata) => (asRecord(this.parsed(raw)) ? {labels: labelsOf([...textMap(ownField(metadata, 'labels'))])} : {}))
      if (object === undefined) continue
      const labels = labelsOf(Object.entries(object.metadata.labels ?? {}))
      const nets = (object.spec.nets ?? []).flatMap((text) => parseCidrOrAddress(text) ?? [])
      this.book.addSet(nets.map(networkOf), this.claim(labels, []))
    }
  }

  private profile(name: string): Profile {
    let profile = this.profiles.get(name)
    if (profile === undefined) {
      profile = this.compileProfile(name)
      this.profiles.set(name, profile)
    }
    return profile
  }

  private profileStops(name: string): string | undefined {
    const raw = this.raw.get('Profile')?.get(`/${name}`)
    return raw && (this.profiles.has(name) || mentions(raw, MAY_STOP)) ? this.profile(name).stops : undefined
  }

  private compileProfile(name: string): Profile {
    const missing = {name, missing: true, ingress: [], egress: []}
    if (name === DEFAULT_ALLOW) return {name, missing: false, ingress: [this.everything(name, 'ingress')], egress: [this.everything(name, 'egress')]}
    const raw = this.raw.get('Profile')?.get(`/${name}`)
    if (raw === undefined) return missing
    const object = this.unreadable<ProfileSpec>(raw)
    if (typeof object === 'string') return {...missing, problem: problemOf(raw, 'unreadable', object)}
    const {ingress, egress} = object.spec
    const by = {kind: 'Profile', name} as const
    const compiled = this.compile({ingress, egress}, by, undefined)
    if (compiled.refused !== undefined) return {...missing, problem: problemOf(raw, 'absent', compiled.refused)}
    return {name, missing: false, ...compiled.rules, ...(compiled.stops === undefined ? {} : {stops: compiled.stops, problem: problemOf(raw, 'stops', compiled.stops)})}
  }

  private everything(name: string, direction: Direction): Rule {
    return compileRule({action: 'Allow'}, {kind: 'Profile', name, direction, index: 0}, undefined, this.expressions)
  }

  private compile(
    {ingress = [], egress = []}: {ingress: readonly StoredRule[] | undefined; egress: readonly StoredRule[] | undefined},
    by: Omit<By, 'action' | 'direction' | 'index'>,
    namespace: string | undefined,
  ): {rules: {ingress: Rule[]; egress: Rule[]}; refused?: string; stops?: string} {
    const rules = {ingress: [] as Rule[], egress: [] as Rule[]}
    let stops: string | undefined
    for (const [direction, list] of [
      ['ingress', ingress],
      ['egress', egress],
    ] as const) {
      for (const [index, rule] of list.entries()) {
        try {
          rules[direction].push(compileRule(rule, {...by, direction, index}, namespace, this.expressions))
        } catch (error) {
          if (!(error instanceof Error)) throw error
          const message = `${direction} rule ${index + 1}: ${error.message}`
          if (!(error instanceof StoppingRule)) return {rules, refused: message}
          stops ??= message
        }
      }
    }
    return {rules, ...(stops === undefined ? {} : {stops})}
  }

  private policy(raw: Raw): Policy[] {
    const object = this.unreadable<GlobalNetworkPolicySpec & NetworkPolicySpec>(raw)
    if (typeof object === 'string') {
      this.noteUnreadable(raw, object)
      return []
    }
    const {spec} = object
    const tier = spec.tier ?? 'default'
    const kind = raw.kind as Policy['kind']
    const compiled = this.compile({ingress: spec.ingress, egress: spec.egress}, {kind, tier, ...(raw.namespace === undefined ? {} : {namespace: raw.namespace}), name: raw.name}, raw.namespace)
    const refuse = (message: string): [] => {
      this.note(raw, 'absent', message)
      return []
    }
    if (compiled.refused !== undefined) return refuse(compiled.refused)
    let selector
    try {
      selector = raw.namespace === undefined ? globalPolicySelector(spec) : networkPolicySelector(spec, raw.namespace)
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error))
    }
    if (compiled.stops !== undefined) this.note(raw, 'stops', compiled.stops)
    const types = (spec.types ?? []).map((type) => type.toLowerCase())
    const directions = (['ingress', 'egress'] as const).filter((direction) => types.length === 0 || types.includes(direction))
    return [
      {
        kind,
        name: raw.name,
        ...(raw.namespace === undefined ? {} : {namespace: raw.namespace}),
        tier,
        order: spec.order,
        directions,
        selector: this.expressions.of(selector),
        stage: spec.doNotTrack ? 'doNotTrack' : spec.preDNAT ? 'preDNAT' : 'normal',
        forward: spec.applyOnForward ?? false,
        ...compiled.rules,
        ...(compiled.stops === undefined ? {} : {stops: compiled.stops}),
      },
    ]
  }

  /** Notes a policy that cannot be read, with what it would apply to. */
  private noteUnreadable(raw: Raw, message: string): void {
    const problem: Problem = {...problemOf(raw, 'unreadable', message), ...(this.parsed(raw) === undefined ? {notJson: true} : {})}
    const spec = asRecord(ownField(asRecord(this.parsed(raw)) ?? {}, 'spec'))
    const text = (name: string): object => (typeof spec?.[name] === 'string' ? {[name]: spec[name]} : {})
    const isOpen = ['selector', 'namespaceSelector', 'serviceAccountSelector'].some((name) => !['string', 'undefined'].includes(typeof (spec?.[name] ?? undefined)))
    if (spec === undefined || isOpen) {
      this.problems.push(problem)
      return
    }
    const selectors = {...text('selector'), ...text('namespaceSelector'), ...text('serviceAccountSelector')}
    try {
      this.problems.push({...problem, selector: this.expressions.of(raw.namespace === undefined ? globalPolicySelector(selectors) : networkPolicySelector(selectors, raw.namespace))})
    } catch {
      this.problems.push(problem)
    }
  }

  private tier(raw: Raw): Tier[] {
    const object = this.decoded<{order?: number; defaultAction?: string}>(raw)
    return object ? [{name: raw.name, order: object.spec.order, missing: false, pass: object.spec.defaultAction === 'Pass'}] : []
  }

  private node(raw: Raw): NodeInfo[] {
    const object = this.decoded<NodeSpec>(raw)
    if (object === undefined) return []
    const {bgp, addresses = [], interfaces = []} = object.spec
    const typed = (family: 4 | 6): Address | undefined =>
      ['InternalIP', 'ExternalIP'].flatMap((type) => addresses.filter((entry) => entry.type === type).flatMap(({address}) => addressOf(address) ?? [])).find((address) => address.family === family)
    const [v4, v6] = [addressOf(bgp?.ipv4Address) ?? typed(4), addressOf(bgp?.ipv6Address) ?? typed(6)]
    const {spec} = object
    const tunnels = [
      ['IPIP', bgp?.ipv4IPIPTunnelAddr],
      ['VXLAN', spec.ipv4VXLANTunnelAddr],
      ['VXLAN', spec.ipv6VXLANTunnelAddr],
      ['WireGuard', spec.wireguard?.interfaceIPv4Address],
      ['WireGuard', spec.wireguard?.interfaceIPv6Address],
    ] as const
    const network = (family: 4 | 6, text: string | undefined): object => {
      const cidr = text?.includes('/') ? parseCidr(text) : undefined
      return cidr?.family === family ? {[family]: networkOf(cidr)} : {}
    }
    return [
      {
        name: raw.name,
        addresses: {...(v4 ? {4: v4} : {}), ...(v6 ? {6: v6} : {})},
        networks: {...network(4, bgp?.ipv4Address), ...network(6, bgp?.ipv6Address)},
        tunnels: tunnels.flatMap(([type, text]) => {
          const address = addressOf(text)
          return address ? [{type, address}] : []
        }),
        interfaces: interfaces.flatMap(({name, addresses: own = []}) => (name ? [{name, addresses: own.flatMap((text) => addressOf(text) ?? [])}] : [])),
      },
    ]
  }

  private configuration(raw: Raw): Configuration {
    const object = this.unreadable<Record<string, unknown>>(raw)
    if (typeof object === 'string') {
      this.note(raw, 'unreadable', object)
      return {name: raw.name, parameters: new Map(), problem: object}
    }
    const {spec} = object
    const parameters = new Map(Object.entries(spec).map(([name, value]) => [name.toLowerCase(), value]))
    for (const [key, value] of Object.entries(object.metadata.annotations ?? {})) {
      if (key.toLowerCase().startsWith(RAW_PREFIX)) parameters.set(key.slice(RAW_PREFIX.length).toLowerCase(), value)
    }
    return {name: raw.name, parameters, ...(typeof spec.nodeSelector === 'string' ? {nodeSelector: spec.nodeSelector} : {})}
  }

  private pool(raw: Raw): Pool[] {
    const spec = asRecord(ownField(asRecord(this.parsed(raw)) ?? {}, 'spec')) ?? {}
    const text = ownField(spec, 'cidr')
    const cidr = typeof text === 'string' ? parseCidr(text) : undefined
    if (cidr === undefined) return []
    const mode = (name: string): string => {
      const value = ownField(spec, name)
      return typeof value === 'string' && value !== 'Never' ? value : ''
    }
    const tunnels = [{type: 'IPIP', mode: mode('ipipMode')}, {type: 'VXLAN', mode: mode('vxlanMode')}] as const
    const tunnel = tunnels.find((one) => one.mode !== '')
    return [{cidr: networkOf(cidr), natOutgoing: ownField(spec, 'natOutgoing') === true, ...(tunnel ? {tunnel: {type: tunnel.type, crossSubnetOnly: tunnel.mode === 'CrossSubnet'}} : {})}]
  }

  /** Why Felix does not follow the store on any node (felix-behaviour §2). Where there is no ClusterInformation, the objects need not be a whole store. */
  private halted(): string | undefined {
    const raw = this.raw.get('ClusterInformation')?.get('/default')
    if (raw === undefined) return undefined
    const object = this.unreadable<{datastoreReady?: boolean}>(raw)
    if (typeof object === 'string') return `Felix cannot read clusterinformation/default (${object})`
    return object.spec.datastoreReady === true ? undefined : 'the datastore is locked: datastoreReady of clusterinformation/default is not true'
  }

  /** The networks of all rules that exist, and of all sets. */
  private networks(policies: readonly Policy[]): readonly Cidr[] {
    const profiles = this.of('Profile').filter((raw) => mentions(raw, HAS_NETS)).map(({name}) => this.profile(name))
    const rules = [...policies, ...profiles].flatMap(({ingress, egress}) => [...ingress, ...egress])
    const lists = rules.flatMap(({source, destination}) => [source.nets, source.notNets, destination.nets, destination.notNets])
    const all = [...lists.flatMap((nets) => (nets ? [...nets[4], ...nets[6]] : [])), ...this.book.setNetworks()]
    return [...new Map(all.map((cidr) => [formatCidr(cidr), cidr])).values()]
  }
}

/** What a rule over which Felix stops has, and what one with networks has. Keys are read in any case. */
const MAY_STOP = /"(?:icmp|notICMP|notProtocol)"|"action"\s*:\s*"(?!(?:allow|deny|log|pass)")/i
const HAS_NETS = /"(?:nets|notNets)"/i

/** Whether the text of RAW may have PATTERN: spares decoding thousands of objects that have not. */
function mentions({value}: Raw, pattern: RegExp): boolean {
  const text = typeof value === 'string' ? value : stringifyJson(value)
  return text.includes('\\') || pattern.test(text)
}

/** As Go reads JSON: of a key that stands twice, the last one counts. */
const parseText = (text: string): unknown => JSON.parse(text) as unknown

const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/
const TEXTS = ['orchestrator', 'workload', 'node', 'containerID', 'pod', 'endpoint', 'serviceAccountName', 'ipv4Gateway', 'ipv6Gateway', 'interfaceName', 'mac']
const LISTS = ['ipNetworks', 'profiles']

/** Whether VALUE is an endpoint of the most common form, which needs no decoding: there may be ten thousands of them. */
function isPlainWorkload(value: unknown): value is Resource {
  const {kind, apiVersion, metadata, spec, ...more} = asRecord(value) ?? {}
  const {name, namespace, uid, creationTimestamp, labels, annotations, ...further} = asRecord(metadata) ?? {}
  const fields = asRecord(spec)
  const isText = (text: unknown): boolean => typeof text === 'string'
  const isTextMap = (map: unknown): boolean => map === undefined || (asRecord(map) !== undefined && Object.values(map as object).every(isText))
  return (
    [kind, apiVersion, name, namespace, uid].every(isText) &&
    typeof creationTimestamp === 'string' &&
    TIME.test(creationTimestamp) &&
    isTextMap(labels) &&
    isTextMap(annotations) &&
    Object.keys(more).length + Object.keys(further).length === 0 &&
    fields !== undefined &&
    Object.entries(fields).every(([field, each]) => (TEXTS.includes(field) ? isText(each) : LISTS.includes(field) && Array.isArray(each) && each.every(isText)))
  )
}

const problemOf = ({key, kind, name, namespace}: Pick<Raw, 'key' | 'kind' | 'name' | 'namespace'>, effect: Problem['effect'], message: string): Problem => ({
  key,
  kind,
  name,
  ...(namespace === undefined ? {} : {namespace}),
  effect,
  message,
})

function addressOf(text: string | undefined): Address | undefined {
  const cidr = text === undefined ? undefined : parseCidrOrAddress(text)
  return cidr && {family: cidr.family, value: cidr.value}
}

/** The addresses of a workload endpoint of which nobody knows whether Felix can read it. */
function addressesOf(spec: Readonly<Record<string, unknown>>): Address[] {
  const networks = ownField(spec, 'ipNetworks')
  return Array.isArray(networks) ? (networks as unknown[]).flatMap((text) => (typeof text === 'string' ? (addressOf(text) ?? []) : [])) : []
}

function textMap(value: unknown): Map<string, string> {
  return new Map(Object.entries(asRecord(value) ?? {}).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text] as const] : [])))
}

function namedPorts(ports: readonly {readonly name: string; readonly protocol: string | number; readonly port: number}[] = []): NamedPort[] {
  return ports.flatMap(({name, protocol, port}) => {
    const number = typeof protocol === 'number' ? protocol : protocolNumber(protocol)
    return number === undefined ? [] : [{name, protocol: number, port}]
  })
}

function remembered<T>(compute: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>()
  return (name) => {
    let value = known.get(name)
    if (value === undefined) {
      value = compute(name)
      known.set(name, value)
    }
    return value
  }
}

const orderOf = ({order}: {readonly order: number | undefined}): number => order ?? Infinity

/** `name/namespace/kind`, by which policies of equal order are sorted. */
const policyText = ({name, namespace = '', kind}: Policy): string => `${name}/${namespace}/${kind}`

/** POLICIES by tier, tiers and policies in Felix's order (policy-evaluation §5). */
function inOrder(policies: readonly Policy[], tier: (name: string) => Tier): TierStage[] {
  const tiers = [...new Set(policies.map((policy) => policy.tier))].map(tier)
  tiers.sort((a, b) => Number(a.missing) - Number(b.missing) || compareOrders(a, b) || compareUtf8(a.name, b.name))
  return tiers.map((one) => ({
    tier: one,
    policies: policies.filter((policy) => policy.tier === one.name).sort((a, b) => compareOrders(a, b) || compareUtf8(policyText(a), policyText(b))),
  }))
}

const compareOrders = (a: {readonly order: number | undefined}, b: {readonly order: number | undefined}): number => {
  const [x, y] = [orderOf(a), orderOf(b)]
  return x === y ? 0 : x < y ? -1 : 1
}

const isOf = (policy: Policy, stage: Stage): boolean => {
  switch (stage) {
    case 'doNotTrack':
    case 'preDNAT':
      return policy.stage === stage
    case 'forward':
      return policy.stage === 'normal' && policy.forward
    default:
      return policy.stage === 'normal'
  }
}

function applying(ordered: readonly TierStage[]): World['applying'] {
  const known = new Map<Labels, Map<string, readonly TierStage[]>>()
  const numbers = new Map(ordered.flatMap(({policies}) => policies).map((policy, number) => [policy, number]))
  const interned = new Map<string, readonly TierStage[]>()
  const tiers = ordered.map(({tier, policies}) => ({tier, policies: new NeedIndex(policies, ({selector}) => selector.selector)}))
  return ({labels}: Endpoint, direction, stage) => {
    let byLabels = known.get(labels)
    if (byLabels === undefined) {
      byLabels = new Map()
      known.set(labels, byLabels)
    }
    const what = `${direction} ${stage}`
    let stages = byLabels.get(what)
    if (stages === undefined) {
      stages = tiers.flatMap(({tier, policies}) => {
        const chosen = policies.candidates(labels.map).filter((policy) => policy.directions.includes(direction) && isOf(policy, stage) && policy.selector.selects(labels))
        return chosen.length > 0 ? [{tier, policies: chosen}] : []
      })
      // The same list for all to whom the same applies: what is found out about it is remembered by it.
      const text = `${what} ${stages.flatMap(({policies}) => policies.map((policy) => numbers.get(policy) ?? 0)).join()}`
      const same = interned.get(text)
      if (same) stages = same
      else interned.set(text, stages)
      byLabels.set(what, stages)
    }
    return stages
  }
}
