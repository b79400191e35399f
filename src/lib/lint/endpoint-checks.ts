/** Endpoints: whether anything gets in and out of them, and whether they are one of a kind. Pure. */
import {tryParseSelector} from '../model/selector/index.js'
import type {Rule, WorkloadEndpoint} from '../model/types.js'
import {type Cidr, containsCidr, formatAddress, parseCidr, parseCidrOrAddress} from '../net/index.js'
import {matcher} from '../rules/covers.js'
import {type Finding, finding, subjectLabel} from './finding.js'
import {editCommand, shellWord} from './mend.js'
import {endpointCommand, endpointWords} from './object-checks.js'
import {hasDirection, type Policy, policiesOf, specOf} from './rule-checks.js'
import {recordOf, type StoredObject} from './stored.js'
import {effectiveSetting, type Endpoint, type Group, type World} from './world.js'

const DEFAULT_ALLOW = 'projectcalico-default-allow'
const DIRECTIONS = ['ingress', 'egress'] as const
/** What a host needs of etcd is known by its usual port only. */
const ETCD_PORT = 2379

/** @param profileNames the names of all profiles that are stored, readable or not */
export function endpointFindings(world: World, profileNames: ReadonlySet<string>): Finding[] {
  const policies = policiesByGroup(world)
  return [
    ...profileFindings(world, profileNames),
    ...closedEndpoints(world, policies, profileNames),
    ...twins(world),
    ...outsidePools(world),
    ...cutOffHosts(world, policies),
  ]
}

function profileFindings({endpoints}: World, names: ReadonlySet<string>): Finding[] {
  return endpoints.flatMap(({object, profiles}) =>
    profiles.flatMap((profile, index) =>
      profile === DEFAULT_ALLOW || names.has(profile) ? [] : [finding('profile-missing', object, `spec.profiles[${index}]`, `names the profile ${profile}, which does not exist: traffic that earlier profiles do not decide is dropped`, `calicoctl profile add ${shellWord(profile)}`)],
    ),
  )
}

interface Applied {
  readonly policies: Policy[]
}

/** The policies that select each group; one whose selector is not looked through counts for all. */
function policiesByGroup(world: World): ReadonlyMap<Group, Applied> {
  const applied = new Map(world.groups.map((group) => [group, {policies: [] as Policy[]}]))
  for (const policy of policiesOf(world)) {
    const {selector: text = '', namespaceSelector, serviceAccountSelector, doNotTrack, preDNAT} = specOf(policy)
    const {selector} = tryParseSelector(text === '' || namespaceSelector !== undefined || serviceAccountSelector !== undefined ? 'all()' : text)
    if (!selector) continue
    for (const group of world.matching(selector)) {
      if (group.what === 'workload' && (doNotTrack || preDNAT)) continue
      if (policy.namespace !== undefined && group.labels.get('projectcalico.org/namespace') !== policy.namespace) continue
      applied.get(group)?.policies.push(policy)
    }
  }
  return applied
}

function closedEndpoints(world: World, applied: ReadonlyMap<Group, Applied>, names: ReadonlySet<string>): Finding[] {
  const profiles = new Map(world.of('Profile').map((profile) => [profile.name, profile]))
  const found: Finding[] = []
  const empty = new Map<string, Endpoint>()
  for (const group of world.groups) {
    const policies = applied.get(group)?.policies ?? []
    const decided = DIRECTIONS.filter((direction) => policies.some((policy) => hasDirection(specOf(policy), direction)))
    for (const endpoint of group.endpoints) {
      const {object, profiles: used} = endpoint
      if (used.length === 0 && decided.length === 0) {
        found.push(finding('endpoint-without-policy', object, 'spec.profiles', 'is empty, and no policy selects the endpoint: all its traffic is dropped', profileCommand(object)))
      } else if (used.length === 0 && decided.length === 1) {
        const open = decided[0] === 'ingress' ? 'in' : 'out'
        found.push(finding('endpoint-half-closed', object, 'spec.profiles', `is empty, and policies cover only ${open === 'in' ? 'inbound' : 'outbound'} traffic: all ${open === 'in' ? 'outbound' : 'inbound'} traffic is dropped`, profileCommand(object)))
      } else if (decided.length === 0 && used.every((name) => name !== DEFAULT_ALLOW && names.has(name) && hasNoRules(profiles.get(name)))) {
        for (const name of used) if (!empty.has(name)) empty.set(name, endpoint)
      }
    }
  }
  for (const [name, {object}] of empty) {
    const profile = profiles.get(name)
    if (profile) found.push(finding('profile-without-rules', profile, 'spec', `has no rules, and no other profile or policy applies to ${subjectLabel(object)}: all its traffic is dropped`, `calicoctl profile ${shellWord(name)} rule add outbound allow`))
  }
  return found
}

const hasNoRules = (profile: {readonly resource: {readonly spec: {readonly ingress?: readonly Rule[]; readonly egress?: readonly Rule[]}}} | undefined): boolean =>
  profile !== undefined && DIRECTIONS.every((direction) => (profile.resource.spec[direction] ?? []).length === 0)

function profileCommand(object: StoredObject): string {
  const [id = '', ...filters] = (object.kind === 'WorkloadEndpoint' ? endpointWords(object) : undefined)?.split(' --') ?? []
  return id === '' ? editCommand(object) : [`calicoctl endpoint ${id} profile append PROFILE`, ...filters].join(' --')
}

const addressesOf = (endpoint: Pick<WorkloadEndpoint, 'spec'>): readonly {readonly field: string; readonly cidr: Cidr}[] =>
  (endpoint.spec.ipNetworks ?? []).flatMap((text, index) => {
    const cidr = parseCidrOrAddress(text)
    return cidr ? [{field: `spec.ipNetworks[${index}]`, cidr}] : []
  })

/** Endpoints with an address or an interface that an earlier one has. */
function twins({endpoints}: World): Finding[] {
  const byAddress = new Map<string, Endpoint>()
  const byInterface = new Map<string, Endpoint>()
  const found: Finding[] = []
  for (const endpoint of endpoints) {
    const {object, node} = endpoint
    if (object.kind !== 'WorkloadEndpoint' || !object.resource) continue
    for (const {field, cidr} of addressesOf(object.resource)) {
      const address = formatAddress(cidr)
      const other = byAddress.get(address)
      if (!other) byAddress.set(address, endpoint)
      else if (other.node === node) found.push(finding('address-twice-on-node', object, field, `is ${address}, the same as ${subjectLabel(other.object)} on the same node: only one of them is reachable`, endpointCommand(object)))
      else found.push(finding('address-twice', object, field, `is ${address}, the same as ${subjectLabel(other.object)} on the node ${other.node}: which one is reached depends on the sender`, endpointCommand(object)))
    }
    const {interfaceName} = object.resource.spec
    const place = `${node} ${interfaceName ?? ''}`
    const other = byInterface.get(place)
    if (interfaceName === undefined) continue
    if (other) found.push(finding('interface-twice', object, 'spec.interfaceName', `is ${interfaceName}, the same as ${subjectLabel(other.object)}: Felix enforces the policy of only one of them`, endpointCommand(object)))
    else byInterface.set(place, endpoint)
  }
  return found
}

function outsidePools(world: World): Finding[] {
  const pools = world.of('IPPool').flatMap(({resource}) => parseCidr(resource.spec.cidr) ?? [])
  return world.endpoints.flatMap(({object}) => {
    if (object.kind !== 'WorkloadEndpoint' || !object.resource) return []
    return addressesOf(object.resource).flatMap(({field, cidr}) => {
      const ofFamily = pools.filter(({family}) => family === cidr.family)
      if (ofFamily.length === 0 || ofFamily.some((pool) => containsCidr(pool, {...cidr, prefix: cidr.family === 4 ? 32 : 128}))) return []
      return [finding('address-outside-pools', object, field, `is ${formatAddress(cidr)}, which is in no pool: nodes do not announce a route to it`, 'calicoctl pool add CIDR')]
    })
  })
}

interface Need {
  readonly what: string
  readonly direction: 'ingress' | 'egress'
  readonly port: number
}

/** Host endpoints where neither a failsafe port nor any rule that applies lets through what the host itself needs. */
function cutOffHosts(world: World, applied: ReadonlyMap<Group, Applied>): Finding[] {
  const failsafe = {
    ingress: effectiveSetting(world, ({raw}) => failsafeOf(raw, 'failsafeInboundHostPorts')),
    egress: effectiveSetting(world, ({raw}) => failsafeOf(raw, 'failsafeOutboundHostPorts')),
  }
  const speakers = new Set(world.of('Node').flatMap(({name, resource}) => (resource.spec.bgp ? [name] : [])))
  const profiles = new Map(world.of('Profile').map(({name, resource}) => [name, resource.spec]))
  return world.groups.flatMap((group) => (group.what === 'host' ? group.endpoints.flatMap((endpoint) => cutOff(endpoint, group)) : []))

  function cutOff({object, node, profiles: used}: Endpoint, group: Group): Finding[] {
    const policies = applied.get(group)?.policies ?? []
    if (used.includes(DEFAULT_ALLOW)) return []
    const needs: Need[] = [
      {what: 'SSH', direction: 'ingress', port: 22},
      ...(speakers.has(node) ? ([{what: 'BGP', direction: 'ingress', port: 179}, {what: 'BGP', direction: 'egress', port: 179}] as const) : []),
      {what: 'etcd', direction: 'egress', port: ETCD_PORT},
    ]
    return needs.flatMap(({what, direction, port}) => {
      const ports = failsafe[direction](node) ?? DEFAULT_FAILSAFE[direction]
      if (ports === 'unknown' || ports.includes(port)) return []
      const rules = [
        ...policies.flatMap((policy) => (hasDirection(specOf(policy), direction) ? (specOf(policy)[direction] ?? []) : [])),
        ...used.flatMap((name) => profiles.get(name)?.[direction] ?? []),
      ]
      if (rules.some((rule) => mayAllow(rule, port))) return []
      const way = direction === 'ingress' ? `into the host on port ${port}` : `out of the host to port ${port}`
      return [finding('host-cut-off', object, 'spec', `blocks ${what} ${way}: it is not a failsafe port of ${node}, and no rule allows it`, `calicoctl edit felixconfiguration default: add the port to ${direction === 'ingress' ? 'failsafeInboundHostPorts' : 'failsafeOutboundHostPorts'}`)]
    })
  }
}

/** Felix's failsafe ports of TCP (policy-evaluation §8.2). */
const DEFAULT_FAILSAFE = {ingress: [22, 179, 2379, 2380, 5473, 6443, 6666, 6667], egress: [179, 2379, 2380, 5473, 6443, 6666, 6667]} as const

/** The failsafe ports of TCP in a FelixConfiguration; `unknown` where an annotation sets them in Felix's own words. */
function failsafeOf(raw: unknown, name: 'failsafeInboundHostPorts' | 'failsafeOutboundHostPorts'): readonly number[] | 'unknown' | undefined {
  const annotations = Object.keys(recordOf(recordOf(recordOf(raw).metadata).annotations))
  if (annotations.some((key) => key.toLowerCase() === `config.projectcalico.org/${name}`.toLowerCase())) return 'unknown'
  const ports = recordOf(recordOf(raw).spec)[name]
  if (!Array.isArray(ports)) return undefined
  return ports.flatMap((each: unknown) => {
    const {protocol, port} = recordOf(each)
    return typeof port === 'number' && String(protocol).toLowerCase() === 'tcp' ? [port] : []
  })
}

/** Whether RULE may allow TCP to PORT, of or to whomever. */
function mayAllow(rule: Rule, port: number): boolean {
  const match = matcher(rule)
  if (!match) return true
  if (match.action !== 'allow' || (match.protocol ?? 6) !== 6 || match.notProtocol === 6) return false
  const {any, names, numbers} = match.ends[1].ports
  return any || names.length > 0 || numbers.some(([low, high]) => low <= BigInt(port) && BigInt(port) <= high)
}
