/** What a verb means for one object of a file, given what the store holds: the change and the key to write, or why not. Pure. */
import {isDeepStrictEqual} from 'node:util'
import type {KeyValue} from '../datastore/datastore.js'
import {withIdentity} from '../client/identity.js'
import {BUILT_IN} from '../client/profiles.js'
import {addedHazards, keyOf, parseStored, type ResourceChange, type Stored} from '../client/resources.js'
import type {Write} from '../client/commit.js'
import {CalicoError, type ErrorKind} from '../errors.js'
import {stringifyJson} from '../json/json.js'
import {accept} from '../model/accept.js'
import {displayName} from '../model/display-name.js'
import type {Metadata, Problem, Resource} from '../model/resource.js'
import {asRecord, ownField} from '../model/schema/codec.js'
import {type FileObject, problemOf} from './objects.js'
import type {FileProblem} from './problem.js'

export type Verb = 'create' | 'apply' | 'replace'

/** Objects that others rest on: in the store, and in the files. Undefined where nothing asks for them. */
export interface Around {
  readonly pools?: readonly Resource[]
  /** CIDRs of IPAM's blocks. */
  readonly blocks?: readonly string[]
  readonly tiers?: readonly string[]
  readonly filters?: readonly string[]
}

/** A problem and the kind of failure that it is. */
export interface Refusal {
  readonly kind: Extract<ErrorKind, 'invalid' | 'conflict' | 'not-found' | 'refused'>
  readonly problem: FileProblem
}

export type Judged = {readonly change: ResourceChange; readonly write: Write | undefined; readonly refusals?: undefined} | {readonly refusals: readonly Refusal[]}

/** etcd's limit for one request. */
const LARGEST_VALUE = 1.5 * 1024 * 1024

export interface JudgeOptions {
  readonly verb: Verb
  /** What exists is left as it is, for create. */
  readonly skipExists: boolean
}

/** Why no file may say anything of OBJECT; undefined if it may. */
export function protectedReason({kind, name}: FileObject['place']): string | undefined {
  if (kind === 'ClusterInformation') return 'ClusterInformation is written by Calico itself, not from files'
  if (kind === 'Profile' && name === BUILT_IN) return 'this profile is provided by Calico itself and cannot be created, changed or deleted'
  if (kind === 'NetworkPolicy' && name.startsWith(OF_KUBERNETES)) return 'this policy is the form of a Kubernetes NetworkPolicy here, and can only be created, changed or deleted there'
  return undefined
}

/** How the names of policies begin that Calico makes from those of Kubernetes. */
const OF_KUBERNETES = 'knp.default.'

/** What VERB does with OBJECT where KV is stored under its key. */
export function judge(object: FileObject, kv: KeyValue | undefined, around: Around, {verb, skipExists}: JudgeOptions): Judged {
  const {place, wanted, resourceVersion, raw} = object
  const {kind} = place
  const refuse = (as: Refusal['kind'], field: string, message: string): Judged => ({refusals: [{kind: as, problem: problemOf(object, field, message)}]})
  const name = displayName({...wanted.metadata, name: place.name}).name

  const reason = protectedReason(place)
  if (reason !== undefined) {
    if (kind !== 'Profile' || !skipExists) return refuse('refused', '', reason)
    return {change: {kind, name, action: 'unchanged', before: undefined, after: undefined}, write: undefined}
  }
  const before = tryStored(object, kv)
  if (before instanceof CalicoError) return refuse('invalid', '', `${before.message}: ${before.details.join('; ')}`)
  if (verb === 'create' && resourceVersion !== undefined) return refuse('invalid', 'metadata.resourceVersion', 'must not be set for a new object')
  if (verb === 'create' && before) {
    if (!skipExists) return refuse('conflict', '', 'already exists (apply changes it; --skip-exists skips it)')
    return {change: {kind, name, action: 'unchanged', before: before.resource, after: before.resource}, write: undefined}
  }
  if (verb === 'replace' && !before) return refuse('not-found', '', 'does not exist (create or apply creates it)')
  if (before && resourceVersion !== undefined && resourceVersion !== before.kv.modRevision.toString()) {
    return refuse('conflict', 'metadata.resourceVersion', `is ${resourceVersion}, but the datastore is at ${before.kv.modRevision}: another client has changed the object`)
  }
  if (before && isPlain(object) && isAsStored(object, before.resource)) return {change: {kind, name, action: 'unchanged', before: before.resource, after: before.resource}, write: undefined}
  if (!before && isPlain(object) && Object.keys(around).length === 0) return creation(object, name)
  const after = before ? updated(object, before.resource) : created(object, wanted)
  const {pools, ...rest} = around
  const accepted = accept(kind, {...after, metadata: withIdentity(after.metadata)}, {
    operation: before ? 'update' : 'create',
    ...(before ? {previous: before.resource} : {}),
    ...(kind === 'IPPool' && pools ? {others: pools} : {}),
    ...(rest.blocks ? {blocks: rest.blocks} : {}),
    ...(rest.filters ? {filters: rest.filters} : {}),
  })
  const problems: readonly Problem[] = [
    ...accepted.problems,
    ...missingTier(accepted.resource ?? after, around),
    ...addedHazards(kind, before?.resource, raw as Resource).filter(({level}) => level !== 'wider'),
  ]
  if (problems.length > 0 || accepted.resource === undefined) return {refusals: problems.map(({field, message}) => ({kind: 'invalid', problem: problemOf(object, field, message)}))}
  const resource = finished(accepted.resource, wanted)
  if (before && isDeepStrictEqual(anonymous(resource), anonymous(before.resource))) {
    return {change: {kind, name, action: 'unchanged', before: before.resource, after: before.resource}, write: undefined}
  }
  return writing(object, {kind, name, action: before ? 'updated' : 'created', before: before?.resource, after: resource}, kv)
}

/** CHANGE, which writes OBJECT over KV. */
function writing(object: FileObject, change: ResourceChange, kv: KeyValue | undefined): Judged {
  const value = stringifyJson(change.after)
  const bytes = Buffer.byteLength(value)
  if (bytes > LARGEST_VALUE) return {refusals: [{kind: 'invalid', problem: problemOf(object, '', `has ${bytes} bytes, more than the ${LARGEST_VALUE} that etcd accepts`)}]}
  return {change, write: {key: keyOf(object.place), read: kv, value}}
}

/** Whether all that there is to check in OBJECT by itself was checked when it was read, and it is stored as it was completed then. */
const isPlain = ({complete, hazards, place: {kind}}: FileObject): boolean => complete !== undefined && hazards.length === 0 && kind !== 'BGPConfiguration'

/** Whether BEFORE has all that OBJECT says, once that is completed: then there is nothing to judge. */
function isAsStored(object: FileObject, before: Resource): boolean {
  const {complete} = object
  return complete !== undefined && isDeepStrictEqual(anonymous(updated({...object, wanted: complete}, before)), anonymous(before))
}

/** OBJECT made new, which rests on nothing around it. */
function creation(object: FileObject, name: string): Judged {
  const {place: {kind}, wanted, complete = wanted} = object
  const resource = created(object, complete)
  return writing(object, {kind, name, action: 'created', before: undefined, after: {...resource, metadata: withIdentity(resource.metadata)}}, undefined)
}

function tryStored({place}: FileObject, kv: KeyValue | undefined): Stored | CalicoError | undefined {
  try {
    return kv && parseStored(place.kind, kv)
  } catch (error) {
    if (error instanceof CalicoError) return error
    throw error
  }
}

/** A new object: of the metadata, only the name, labels and annotations are the file's to say. */
function created({place: {name, namespace}}: FileObject, as: Resource): Resource {
  const {labels, annotations} = as.metadata
  return {...as, metadata: {name, ...(namespace === undefined ? {} : {namespace}), ...given('labels', labels), ...given('annotations', annotations)}}
}

/** Ours: what a file does not name stays. */
const OWN_ANNOTATION = 'calicoctl/'

/** BEFORE with the file's spec, labels and annotations. The status is the file's only where it names one. */
function updated({wanted, raw}: FileObject, before: Resource): Resource {
  const {labels: _, annotations = {}, ...kept} = before.metadata
  const own = Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith(OWN_ANNOTATION)))
  const metadata: Metadata = {...kept, ...given('labels', wanted.metadata.labels), ...given('annotations', {...own, ...wanted.metadata.annotations})}
  const status = ownField(asRecord(raw) ?? {}, 'status') === undefined ? {} : {status: wanted.status}
  return {...before, metadata, spec: wanted.spec, ...status}
}

const given = (field: string, map: Readonly<Record<string, string>> | undefined): object => (map && Object.keys(map).length > 0 ? {[field]: map} : {})

/** Without what is given to every object at its creation. */
function anonymous({metadata, ...rest}: Resource): unknown {
  const {uid: _, creationTimestamp: __, ...others} = metadata
  return {...rest, metadata: others}
}

/** Calico's client fills in a log level that would mask the cluster's in the settings of one node (decisions.md 22). */
export function finished(accepted: Resource, wanted: Resource): Resource {
  if (accepted.kind !== 'BGPConfiguration' || !accepted.metadata.name.startsWith('node.') || Object.hasOwn(wanted.spec, 'logSeverityScreen')) return accepted
  const {logSeverityScreen: _, ...spec} = accepted.spec as {logSeverityScreen?: unknown}
  return {...accepted, spec}
}

/** A policy in a tier that is not there does nothing. Calico's client looks at that only when the policy is created. */
function missingTier(resource: Resource, {tiers}: Around): Problem[] {
  const tier = tierOf(resource)
  return tier === undefined || tiers === undefined || tiers.includes(tier) ? [] : [{field: 'spec.tier', message: `refers to a tier that does not exist: ${tier}`}]
}

/** The tier that RESOURCE, a policy, belongs to; undefined for everything else. */
export function tierOf({kind, spec}: Resource): string | undefined {
  if (!kind.endsWith('NetworkPolicy') || kind === 'StagedKubernetesNetworkPolicy') return undefined
  const {tier} = spec as {tier?: string}
  return tier === undefined || tier === '' ? 'default' : tier
}
