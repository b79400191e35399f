/** All readable objects of a store, and what follows from them together: labels, who selects whom, settings of Felix. Pure. */
import {DEFAULT_PREFIXES, felixParameters} from '../model/hazards.js'
import type {KindName} from '../model/resource.js'
import type {ResourceOf} from '../model/types.js'
import {evaluate, type Selector, tryParseSelector} from '../model/selector/index.js'
import {parseWorkloadEndpointName} from '../model/workload-endpoint-name.js'
import type {StoredObject} from './stored.js'

/** An endpoint that Felix knows. */
export interface Endpoint {
  readonly object: StoredObject<'WorkloadEndpoint'> | StoredObject<'HostEndpoint'>
  readonly node: string
  readonly profiles: readonly string[]
}

/**
 * What selectors may match: endpoints or sets whose labels, as far as any selector asks for them, are the same. `profile` = no endpoint is there, but those
 * of a profile would have these labels.
 */
export interface Group {
  readonly what: 'workload' | 'host' | 'set' | 'profile'
  readonly labels: ReadonlyMap<string, string>
  readonly endpoints: Endpoint[]
}

export interface World {
  /** The objects of KIND that can be read. */
  readonly of: <K extends KindName>(kind: K) => readonly Readable<K>[]
  readonly endpoints: readonly Endpoint[]
  readonly groups: readonly Group[]
  /** Those of the groups that SELECTOR matches. */
  readonly matching: (selector: Selector) => Iterable<Group>
  /** The labels that profiles would give if Felix had not lost them, or dropped the profile. */
  readonly lostLabels: ReadonlySet<string>
}

export type Readable<K extends KindName> = StoredObject<K> & {readonly resource: ResourceOf[K]}

const NAMESPACE = 'projectcalico.org/namespace'
const SERVICE_ACCOUNT = 'projectcalico.org/serviceaccount'

/** @param absent the keys of objects that Felix does without @param unlabelled those of profiles whose labels it does not give */
export function worldOf(objects: readonly StoredObject[], absent: ReadonlySet<string>, unlabelled: ReadonlySet<string>): World {
  const byKind = new Map<KindName, StoredObject[]>()
  for (const object of objects) {
    if (object.resource === undefined || absent.has(object.key)) continue
    const list = byKind.get(object.kind)
    if (list) list.push(object)
    else byKind.set(object.kind, [object])
  }
  const of = <K extends KindName>(kind: K): readonly Readable<K>[] => (byKind.get(kind) ?? []) as unknown as readonly Readable<K>[]
  const endpoints = endpointsOf(of)
  const lostLabels = new Set(objects.flatMap(({kind, key, resource}) => (kind === 'Profile' && unlabelled.has(key) ? Object.keys((resource as ResourceOf['Profile'] | undefined)?.spec.labelsToApply ?? {}) : [])))
  const groups = groupsOf(of, endpoints, unlabelled, labelsAskedFor(of))
  return {of, endpoints, groups, matching: finder(groups), lostLabels}
}

function endpointsOf(of: World['of']): Endpoint[] {
  const workloads = of('WorkloadEndpoint').flatMap((object) => {
    const node = parseWorkloadEndpointName(object.name)?.node
    return node === undefined ? [] : [{object, node, profiles: object.resource.spec.profiles ?? []}]
  })
  const hosts = of('HostEndpoint').flatMap((object) => {
    const {node, profiles = []} = object.resource.spec
    return node === undefined ? [] : [{object, node, profiles}]
  })
  return [...workloads, ...hosts]
}

/** Every label that a selector of a rule or a policy asks for: of others, no difference matters. */
function labelsAskedFor(of: World['of']): ReadonlySet<string> {
  const labels = new Set([NAMESPACE])
  const texts = new Set<string>()
  const note = (text: string | undefined): void => {
    if (text !== undefined && text !== '') texts.add(text)
  }
  const policies = [...of('GlobalNetworkPolicy'), ...of('NetworkPolicy')]
  for (const {resource} of policies) note(resource.spec.selector)
  for (const {resource: {spec: {ingress = [], egress = []}}} of [...of('Profile'), ...policies]) {
    for (const {source, destination} of [...ingress, ...egress]) for (const side of [source, destination]) note(side?.selector)
  }
  for (const text of texts) {
    const {selector} = tryParseSelector(text)
    if (selector) collectLabels(selector, labels)
  }
  return labels
}

function collectLabels(selector: Selector, labels: Set<string>): void {
  if ('label' in selector) labels.add(selector.label)
  else if ('operands' in selector) for (const operand of selector.operands) collectLabels(operand, labels)
  else if ('operand' in selector) collectLabels(selector.operand, labels)
}

function groupsOf(of: World['of'], endpoints: readonly Endpoint[], unlabelled: ReadonlySet<string>, asked: ReadonlySet<string>): Group[] {
  const given = new Map<string, Readonly<Record<string, string>>>()
  for (const {key, name, resource} of of('Profile')) if (!unlabelled.has(key)) given.set(name, resource.spec.labelsToApply ?? {})
  const groups = new Map<string, Group>()
  const join = (what: Group['what'], labels: ReadonlyMap<string, string>, endpoint?: Endpoint): void => {
    const id = JSON.stringify([what, ...[...labels].sort(([a], [b]) => (a < b ? -1 : 1))])
    let group = groups.get(id)
    if (!group) groups.set(id, (group = {what, labels, endpoints: []}))
    if (endpoint) group.endpoints.push(endpoint)
  }
  const projected = (sources: readonly Readonly<Record<string, string>>[], own = true): Map<string, string> => {
    const labels = new Map<string, string>()
    sources.forEach((source, at) => {
      for (const label of Object.keys(source)) {
        // An endpoint's own labels of these kinds are dropped (policy-evaluation §3).
        if (!asked.has(label) || labels.has(label) || (own && at === 0 && /^pc(?:ns|sa)\./.test(label))) continue
        labels.set(label, source[label] ?? '')
      }
    })
    return labels
  }
  for (const endpoint of endpoints) {
    const {object, profiles} = endpoint
    const {metadata, spec} = object.resource as ResourceOf['WorkloadEndpoint']
    const account = object.kind === 'WorkloadEndpoint' && spec.serviceAccountName !== undefined ? {[SERVICE_ACCOUNT]: spec.serviceAccountName} : {}
    const inherited = profiles.flatMap((profile) => {
      const labels = given.get(profile)
      return labels ? [labels] : []
    })
    join(object.kind === 'HostEndpoint' ? 'host' : 'workload', projected([{...metadata.labels, ...account}, ...inherited]), endpoint)
  }
  for (const {resource} of of('GlobalNetworkSet')) join('set', projected([resource.metadata.labels ?? {}], false))
  for (const {namespace = '', resource} of of('NetworkSet')) {
    const inherited = given.get(`kns.${namespace}`)
    join('set', projected([{...resource.metadata.labels, [NAMESPACE]: namespace}, ...(inherited ? [inherited] : [])], false))
  }
  for (const labels of given.values()) join('profile', projected([labels], false))
  return [...groups.values()]
}

/** A label without which SELECTOR matches nothing; undefined if there is no single one. */
function required(selector: Selector): string | undefined {
  switch (selector.op) {
    case 'has':
    case '==':
    case 'in':
    case 'contains':
    case 'starts with':
    case 'ends with':
      return selector.label
    case 'and':
      for (const operand of selector.operands) {
        const label = required(operand)
        if (label !== undefined) return label
      }
      return undefined
    default:
      return undefined
  }
}

function finder(groups: readonly Group[]): World['matching'] {
  const byLabel = new Map<string, Group[]>()
  for (const group of groups) {
    for (const label of group.labels.keys()) {
      const list = byLabel.get(label)
      if (list) list.push(group)
      else byLabel.set(label, [group])
    }
  }
  return function* (selector) {
    const label = required(selector)
    for (const group of label === undefined ? groups : (byLabel.get(label) ?? [])) if (evaluate(selector, group.labels)) yield group
  }
}

const OF_NODE = 'node.'

/** The value of Felix's setting NAME on a node, as READ finds it in one FelixConfiguration: that of the node, else of a selector that fits it, else of all (policy-evaluation §8.3). */
export function effectiveSetting<T>(world: Pick<World, 'of'>, read: (object: StoredObject) => T | undefined): (node: string) => T | undefined {
  const configurations = world.of('FelixConfiguration')
  const values = new Map(configurations.map((object) => [object.name, read(object)]))
  const labels = new Map(world.of('Node').map(({name, resource}) => [name, resource.metadata.labels ?? {}]))
  const scoped = configurations.flatMap((object) => {
    const {nodeSelector} = object.resource.spec as {nodeSelector?: string}
    const selector = nodeSelector === undefined ? undefined : tryParseSelector(nodeSelector).selector
    const value = read(object)
    return selector && value !== undefined ? [{selector, value}] : []
  })
  return (node) => values.get(OF_NODE + node) ?? scoped.find(({selector}) => evaluate(selector, labels.get(node) ?? {}))?.value ?? values.get('default')
}

/** What the names of interfaces of workloads begin with, on each node. */
export function interfacePrefixes(world: Pick<World, 'of'>): (node: string) => readonly string[] {
  const prefixOf = effectiveSetting(world, ({raw}) => felixParameters(raw, 'interfacePrefix').at(-1)?.value)
  return (node) => {
    const text = prefixOf(node)
    return text === undefined || text === '' ? DEFAULT_PREFIXES : text.split(',')
  }
}
