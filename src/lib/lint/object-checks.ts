/** What one stored object shows by itself: what Felix makes of it (felix-behaviour.md §2), and what Calico's client would say. Pure. */
import {accept, decode, unknownFields} from '../model/accept.js'
import {type Hazard, type HazardLevel, hazards} from '../model/hazards.js'
import {borrowsAddresses, hostEndpointRefusals, workloadEndpointRefusals} from '../model/felix-endpoints.js'
import {refusedByFelix, selectorProblem} from '../model/felix-refuses.js'
import type {KindName} from '../model/resource.js'
import {API_VERSION} from '../model/resource.js'
import {ownField} from '../model/schema/codec.js'
import {macAddress} from '../model/schema/rules.js'
import {parseWorkloadEndpointName} from '../model/workload-endpoint-name.js'
import {withoutEffect} from '../model/without-effect.js'
import type {Code} from './codes.js'
import {type Finding, finding} from './finding.js'
import {deleteCommand, editCommand, type Mend, rawCommand, ruleMend, shellWord} from './mend.js'
import {recordOf, type StoredObject} from './stored.js'

/** The kinds whose rules Felix reads. */
const WITH_RULES: readonly KindName[] = ['Profile', 'GlobalNetworkPolicy', 'NetworkPolicy']
const POLICIES: readonly KindName[] = ['GlobalNetworkPolicy', 'NetworkPolicy']

const CODE_OF: Readonly<Record<HazardLevel, Code>> = {
  open: 'rule-open', wider: 'rule-wider', 'node-stops': 'node-stops', 'cannot-start': 'cannot-start', 'tag-lost': 'tag-lost', frozen: 'frozen', ignored: 'ignored',
}

/** Felix's settings on the node of an endpoint. */
export interface NodeSettings {
  readonly interfacePrefixes: readonly string[]
  /** Endpoints may send from addresses of others. */
  readonly borrowing: boolean
}

/** What is to be said of OBJECT; SETTINGS are those of the endpoint's node. */
export function objectFindings(object: StoredObject, settings: NodeSettings): Finding[] {
  if (object.raw === undefined) return [unreadableValue(object)]
  const found = [...hazardFindings(object, settings.interfacePrefixes), ...refusals(object, settings), ...nameFindings(object), ...emptyRules(object)]
  // One reason for a rule or a field is enough, and the loss of the labels is the least of them.
  const worse = new Set(found.flatMap(({code, level, field}) => (level !== 'error' || code === 'tag-lost' ? [] : [placeOf(field)])))
  const all = found.filter(({code, field}) => code !== 'tag-lost' || !worse.has(placeOf(field)))
  return [...all, ...clientFindings(object, new Set(found.map(({field}) => placeOf(field)))), ...metadataFindings(object)]
}

/** The rule that FIELD lies in; a field outside of rules itself. */
const placeOf = (field: string): string => /^spec\.(?:ingress|egress)\[\d+\]/.exec(field)?.[0] ?? field

/** What the name of a workload endpoint says against it: Felix takes its identity from there. */
function nameFindings(object: StoredObject): Finding[] {
  if (object.kind !== 'WorkloadEndpoint' || object.resource === undefined) return []
  const segments = parseWorkloadEndpointName(object.name)
  const closed = 'the endpoint belongs to no node and has no connectivity'
  if (!segments) return [finding('endpoint-name', object, 'metadata.name', `is not NODE-ORCHESTRATOR-WORKLOAD-ENDPOINT with each "-" inside a part doubled: ${closed}`, endpointCommand(object))]
  if (/[A-Z]/.test(segments.node)) return [finding('endpoint-name', object, 'metadata.name', `begins with ${segments.node}, but node names have no capital letters: ${closed}`, endpointCommand(object))]
  return []
}

function unreadableValue(object: StoredObject): Finding {
  const {kind} = object
  const [hazard] = hazards(kind, undefined)
  const code = hazard ? codeOf(object, hazard) : 'unreadable'
  const effect = hazard?.message.replace(/^.*?: /, '') ?? 'Calico does not read it'
  return finding(code, object, '', `is not JSON: ${effect}`, rawCommand(object))
}

function codeOf({kind}: StoredObject, {level, asWritten}: Hazard): Code {
  if (asWritten) return 'matches-everything'
  // What an endpoint or a policy that is gone leaves behind is another matter than a profile, of which nodes keep the last version until they start again.
  if (level === 'frozen' && kind === 'Profile') return 'stale'
  if (level === 'frozen' && (kind === 'BGPFilter' || kind === 'BGPPeer')) return 'bird-refuses'
  if (level === 'open' && kind === 'WorkloadEndpoint') return 'unpoliced-interface'
  return CODE_OF[level]
}

function hazardFindings(object: StoredObject, interfacePrefixes: readonly string[]): Finding[] {
  return hazards(object.kind, object.raw, {interfacePrefixes}).map((hazard) => {
    const code = codeOf(object, hazard)
    return finding(code, object, hazard.field, hazard.message, mendFor(object, code, hazard.field))
  })
}

function mendFor(object: StoredObject, code: Code, field: string): string | Mend {
  const {kind, name} = object
  if (kind === 'BGPPeer' && code === 'bird-refuses') return deleteCommand(object)
  if (kind === 'ClusterInformation' && field === 'spec.datastoreReady') return 'calicoctl datastore unlock'
  if (code === 'frozen' || code === 'stale' || code === 'cannot-start' || object.resource === undefined) return rawCommand(object)
  if (code === 'unpoliced-interface') return endpointCommand(object)
  if (kind === 'Profile' && code === 'tag-lost' && !/^spec\.(ingress|egress)\[/.test(field)) return field === 'metadata.name' ? `create a profile with another name, add it to the endpoints, then: calicoctl delete profile ${shellWord(name)}` : editCommand(object)
  return ruleMend(object, field)
}

/** The id of a workload endpoint, with the options that say which one of that id unless the id was made so that there is no other; undefined where its name does not tell. */
export function endpointWords({name}: StoredObject): string | undefined {
  const segments = parseWorkloadEndpointName(name)
  if (segments && /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/.test(segments.endpoint)) return segments.endpoint
  return segments && [segments.endpoint, `--host=${segments.node}`, `--orchestrator=${segments.orchestrator}`, `--workload=${segments.workload}`].map(shellWord).join(' ')
}

/** How an endpoint that is wrong is replaced: removed, and made anew by what made it. */
export function endpointCommand(object: StoredObject): string {
  if (object.kind !== 'WorkloadEndpoint') return editCommand(object)
  // A name that has no id in it is no endpoint for "endpoint remove".
  const words = endpointWords(object)
  const remove = words === undefined ? deleteCommand(object) : `calicoctl endpoint remove ${words}`
  return `${remove}, then add its container again`
}

function refusals(object: StoredObject, {borrowing}: NodeSettings): Finding[] {
  const {kind, resource} = object
  if (resource === undefined) return []
  const refuse = (field: string, message: string, mend: string | Mend): Finding => finding('refused', object, field, message, mend)
  if (WITH_RULES.includes(kind)) {
    const effect = kind === 'Profile' ? 'Felix rejects the profile and drops the traffic of its endpoints' : 'Felix rejects the policy and ignores it'
    const selectors = POLICIES.includes(kind) ? ['selector', 'namespaceSelector', 'serviceAccountSelector'] : []
    const spec = recordOf(recordOf(object.raw).spec)
    return [
      ...rulesOf(object).flatMap(({rule, field}) => refusedByFelix(rule, field).map((problem) => refuse(problem.field, `${problem.message}: ${effect}`, ruleMend(object, problem.field)))),
      ...selectors.flatMap((name) => {
        const problem = selectorProblem(spec[name])
        return problem === undefined ? [] : [refuse(`spec.${name}`, `${problem}: ${effect}`, editCommand(object))]
      }),
    ]
  }
  const spec = recordOf(recordOf(object.raw).spec)
  if (kind === 'WorkloadEndpoint') {
    const closed = 'Felix ignores the endpoint, so it has no connectivity'
    const found = workloadEndpointRefusals(spec).map(({field, message}) => refuse(field, `${message}: ${closed}`, endpointCommand(object)))
    if (found.length > 0 || borrowing || !borrowsAddresses(spec)) return found
    return [refuse('spec.allowSpoofedSourcePrefixes', `must be empty where the Felix setting workloadSourceSpoofing is not Any: ${closed}`, 'calicoctl edit felixconfiguration default: set workloadSourceSpoofing to Any')]
  }
  if (kind === 'HostEndpoint') return hostEndpointRefusals(spec).map(({field, message}) => refuse(field, `${message}: Felix ignores the host endpoint, and nothing restricts the traffic of the host`, editCommand(object)))
  return []
}

/** The rules of OBJECT as they are stored, with their fields. */
function rulesOf({raw}: StoredObject): {rule: Readonly<Record<string, unknown>>; field: string; direction: 'ingress' | 'egress'; index: number}[] {
  const spec = recordOf(recordOf(raw).spec)
  return (['ingress', 'egress'] as const).flatMap((direction) => {
    const rules = spec[direction]
    return Array.isArray(rules) ? rules.map((rule: unknown, index) => ({rule: recordOf(rule), field: `spec.${direction}[${index}]`, direction, index})) : []
  })
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

/** Rules that allow and name no criterion, and do not even have the two sides that Calico's client always writes. */
function emptyRules(object: StoredObject): Finding[] {
  if (!WITH_RULES.includes(object.kind) || object.resource === undefined) return []
  return rulesOf(object).flatMap(({rule, field}) => {
    const {action = 'Allow', source, destination, metadata: _, ...criteria} = rule
    if (!['allow', 'pass'].includes(String(action).toLowerCase()) || Object.values(criteria).some(isGiven)) return []
    if (isGiven(source) && isGiven(destination)) return []
    if ([source, destination].some((end) => Object.values(recordOf(end)).some(isGiven))) return []
    return [finding('matches-everything', object, field, 'has neither source nor destination, and therefore matches all traffic', ruleMend(object, field))]
  })
}

/** What Calico's client would refuse, and what it does not know, where nothing worse has been REPORTED of the field. */
function clientFindings(object: StoredObject, reported: ReadonlySet<string>): Finding[] {
  const {kind, raw, fault} = object
  const found: Finding[] = []
  const command = object.resource === undefined ? rawCommand(object) : editCommand(object)
  if (fault !== undefined) found.push(finding('invalid-value', object, '', `${fault}: Felix uses the last of them`, editCommand(object)))
  const unreadable = object.resource === undefined ? decode(kind, raw).problems : []
  const {problems} = unreadable.length > 0 ? {problems: unreadable} : accept(kind, raw, {operation: 'update'})
  for (const {field, message} of problems) {
    if (reported.has(placeOf(field))) continue
    // A pool that Felix cannot read is none for it, and nothing stops (measured); of the other kinds no one has looked.
    const code = unreadable.length === 0 || kind === 'IPPool' ? 'invalid-value' : 'unreadable'
    found.push(finding(code, object, field, unreadable.length === 0 ? message : `${message}: Calico ignores the object`, command))
  }
  for (const field of unknownFields(kind, raw)) {
    if (!reported.has(placeOf(field))) found.push(finding('unknown-field', object, field, 'is a field that Calico does not know: it is ignored', command))
  }
  const reason = withoutEffect(kind)
  if (reason !== undefined) found.push(finding('no-effect', object, '', `has no effect: ${reason}`, deleteCommand(object)))
  if (kind === 'HostEndpoint' && !isGiven(recordOf(recordOf(raw).spec).node)) found.push(finding('no-effect', object, 'spec.node', 'is missing: the host endpoint belongs to no node', command))
  return [...found, ...oddities(object, command)]
}

/** What Calico reads, though it would write it otherwise. */
function oddities(object: StoredObject, command: string): Finding[] {
  const spec = recordOf(recordOf(object.raw).spec)
  const {mac} = spec
  const found: Finding[] = []
  if (object.kind === 'WorkloadEndpoint' && typeof mac === 'string' && macAddress(mac) === undefined && mac !== mac.toLowerCase().replaceAll('-', ':')) {
    found.push(finding('invalid-value', object, 'spec.mac', `is not in Calico's notation: ${JSON.stringify(mac)}`, command))
  }
  if (object.kind === 'WorkloadEndpoint' && !isGiven(mac)) found.push(finding('invalid-value', object, 'spec.mac', 'is missing: the host cannot answer for this address before the endpoint has sent traffic', command))
  if (object.kind === 'Profile') {
    for (const [label, value] of Object.entries(recordOf(spec.labelsToApply))) {
      if (value === null) found.push(finding('invalid-value', object, `spec.labelsToApply.${label}`, 'is null, which is read as an empty string', command))
    }
  }
  return found
}

const ENVELOPE_LABELS = ['projectcalico.org/namespace', 'projectcalico.org/orchestrator']

/** What is missing or wrong in the envelope: Felix goes by the key, but calicoctl and calico/node stumble over it. */
function metadataFindings(object: StoredObject): Finding[] {
  const {kind, name, namespace} = object
  const raw = recordOf(object.raw)
  const metadata = recordOf(raw.metadata)
  const found: Finding[] = []
  const report = (field: string, message: string): number => found.push(finding('identity', object, field, message, object.resource === undefined ? rawCommand(object) : editCommand(object)))
  if (raw.kind !== kind) report('kind', `must be ${kind}${typeof raw.kind === 'string' ? `, not ${JSON.stringify(raw.kind)}` : ''}`)
  if (raw.apiVersion !== API_VERSION) report('apiVersion', `must be ${API_VERSION}${typeof raw.apiVersion === 'string' ? `, not ${JSON.stringify(raw.apiVersion)}` : ''}`)
  for (const field of ['uid', 'creationTimestamp']) if (!isGiven(ownField(metadata, field))) report(`metadata.${field}`, "is missing: Calico's own calicoctl and calico/node cannot change the object")
  if (metadata.name !== name) report('metadata.name', `must be ${JSON.stringify(name)}, as in the key${typeof metadata.name === 'string' ? `, not ${JSON.stringify(metadata.name)}` : ''}`)
  if (namespace !== undefined && metadata.namespace !== namespace) report('metadata.namespace', `must be ${JSON.stringify(namespace)}, as in the key`)
  if (isGiven(metadata.resourceVersion)) report('metadata.resourceVersion', 'must not be stored')
  if (kind === 'WorkloadEndpoint') {
    const labels = recordOf(metadata.labels)
    for (const label of ENVELOPE_LABELS) if (typeof labels[label] !== 'string') report(`metadata.labels.${label}`, 'is missing: selectors that use it do not match the endpoint')
  }
  return found
}
