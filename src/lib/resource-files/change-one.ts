/** patch and label: one stored object becomes what an edit of it says, if it is still as it was read, and as strictly checked as one of a file. */
import {isDeepStrictEqual} from 'node:util'
import type {Compare, KeyValue, Operation} from '../datastore/datastore.js'
import {commit} from '../client/commit.js'
import {addedHazards, keyOf, objectLabel, parseStored, type Place, prepareChange, type ResourceChange, seeThose, type Stored, reportWider} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {decode, knownFields, unknownFields} from '../model/accept.js'
import {kindPrefix, parseKey} from '../model/keys.js'
import {KINDS} from '../model/kinds.js'
import {type KindName, type Problem, problemText, type Resource} from '../model/resource.js'
import {asRecord, ownField} from '../model/schema/codec.js'
import {finished, protectedReason, tierOf} from './judge.js'

/** The nearest of some words, as `lib/cli/suggest.ts` has it. */
type Nearest = (word: string, candidates: Iterable<string>) => string | undefined

/**
 * Makes the object at PLACE what EDIT says of it as a JSON value; the one that EDIT gets has its resourceVersion. The spec, labels and annotations can be
 * changed. EDIT is applied to a fresh read whenever another client was faster.
 * @throws CalicoError `not-found`; `refused` for what Calico itself provides; `invalid` with all problems; `conflict` if EDIT names another resourceVersion
 */
export async function changeOne(session: Session, place: Place, edit: (object: unknown) => unknown, nearest: Nearest): Promise<ResourceChange> {
  const {kind} = place
  const label = objectLabel(kind, place.name)
  const reason = protectedReason(place)
  if (reason !== undefined) throw new CalicoError('refused', `${label}: ${reason}. Nothing was changed.`)
  const needed = neededBy(kind)
  const reads: Operation[] = [{get: keyOf(place)}, ...(needed === undefined ? [] : [{list: kindPrefix(needed), keysOnly: true}])]
  const {outcome} = await commit(session, reads, ({results}) => {
    const [kv] = results[0] ?? []
    const others = results[1] ?? []
    if (kv === undefined) throw new CalicoError('not-found', `There is no ${label}${inNamespace(place)}. Nothing was changed.`, {hint: seeThose(kind)})
    const before = parseStored(kind, kv)
    const after = edited(kind, label, before, edit(shown(before)), nearest)
    const names = others.flatMap((other) => nameOf(other) ?? [])
    checkTier(label, before.resource, after, names)
    const situation = needed === 'BGPFilter' ? {filters: names} : {}
    const {change, write} = prepareChange(place, before, after, situation, finished)
    return {writes: write ? [write] : [], guards: write ? guards(after, others) : [], what: `the change of ${label}`, outcome: change}
  })
  reportWider(session, outcome)
  return outcome
}

const inNamespace = ({namespace = 'default'}: Place): string => (namespace === 'default' ? '' : ` in the namespace ${namespace}`)

const shown = ({kv, resource}: Stored): unknown => ({...resource, metadata: {...resource.metadata, resourceVersion: kv.modRevision.toString()}})

/** The kind of objects that those of KIND rest on. */
const neededBy = (kind: KindName): 'Tier' | 'BGPFilter' | undefined => (kind === 'BGPPeer' ? 'BGPFilter' : kind.endsWith('NetworkPolicy') ? 'Tier' : undefined)

function nameOf({key}: KeyValue): string | undefined {
  const parsed = parseKey(key)
  return parsed?.type === 'resource' ? parsed.name : undefined
}

/** The object that VALUE, what an edit has made of BEFORE, is; that same one where nothing differs. */
function edited(kind: KindName, label: string, before: Stored, value: unknown, nearest: Nearest): Resource {
  const record = asRecord(value)
  if (record === undefined) throw invalid(label, [{field: '', message: `must be a ${kind}`}])
  const {resourceVersion, ...metadata} = asRecord(ownField(record, 'metadata')) ?? {}
  checkRevision(label, before, resourceVersion)
  const raw = {...record, metadata}
  const problems = [...identityProblems(before.resource, raw), ...unknownProblems(kind, before.resource, raw, nearest)]
  const {resource, problems: unreadable} = decode(kind, raw)
  if (problems.length > 0 || resource === undefined) throw invalid(label, [...problems, ...unreadable])
  const hazards = addedHazards(kind, before.resource, raw as unknown as Resource).filter(({level}) => level !== 'wider')
  if (hazards.length > 0) throw invalid(label, hazards)
  return isDeepStrictEqual(resource, before.resource) ? before.resource : resource
}

const invalid = (label: string, problems: readonly Problem[]): CalicoError => new CalicoError('invalid', `${label} is invalid; nothing was changed`, {details: problems.map(problemText)})

function checkRevision(label: string, {kv}: Stored, version: unknown): void {
  if (typeof version !== 'string' || version === '') throw invalid(label, [{field: 'metadata.resourceVersion', message: 'is the required revision of the object: omit it, or give it as a string'}])
  if (version !== kv.modRevision.toString()) {
    throw new CalicoError('conflict', `${label} is at the revision ${kv.modRevision}, not at ${version}: another client has changed it. Nothing was changed.`, {hint: `To see it: calicoctl get ${label.replace('/', ' ')} -o yaml`})
  }
}

/** What cannot be changed: which object it is, and what the datastore gave it. */
function identityProblems(before: Resource, raw: Readonly<Record<string, unknown>>): Problem[] {
  const metadata = asRecord(raw.metadata) ?? {}
  const old: Readonly<Record<string, unknown>> = {...before.metadata}
  const names = [...new Set([...Object.keys(old), ...Object.keys(metadata)])].filter((name) => name !== 'labels' && name !== 'annotations')
  return [
    ...(['kind', 'apiVersion'] as const).filter((name) => !isDeepStrictEqual(raw[name], before[name])).map((field) => ({field, message: 'cannot be changed'})),
    ...names.filter((name) => !isDeepStrictEqual(ownField(metadata, name), old[name])).map((name) => ({field: `metadata.${name}`, message: 'cannot be changed: of the metadata, only labels and annotations can'})),
  ]
}

/** Unknown fields that are stored already are kept (decisions.md 12). */
function unknownProblems(kind: KindName, before: Resource, raw: unknown, nearest: Nearest): Problem[] {
  const known = new Set(unknownFields(kind, before))
  return unknownFields(kind, raw).filter((path) => !known.has(path)).map((path) => {
    const {name, known: fields} = knownFields(kind, path)
    const suggestion = nearest(name, fields)
    return {field: path, message: `is not a field of a ${KINDS[kind].kind} in this place${suggestion === undefined ? '' : `. Did you mean ${suggestion}?`}`}
  })
}

/** The tiers that every store has. */
const BUILT_IN_TIERS = ['default', 'kube-admin', 'kube-baseline']

/** A policy that is moved to a tier that does not exist does nothing (resource-files.md §12 no. 20). */
function checkTier(label: string, before: Resource, after: Resource, tiers: readonly string[]): void {
  const tier = tierOf(after)
  if (tier === undefined || tier === tierOf(before) || tiers.includes(tier) || BUILT_IN_TIERS.includes(tier)) return
  throw invalid(label, [{field: 'spec.tier', message: `refers to a tier that does not exist: ${tier}`}])
}

/** The tier or filters that AFTER names are still there. */
function guards(after: Resource, others: readonly KeyValue[]): Compare[] {
  const {filters = []} = after.spec as {filters?: readonly string[]}
  const wanted = new Set(after.kind === 'BGPPeer' ? filters : [tierOf(after)])
  return others.filter((other) => wanted.has(nameOf(other) ?? '')).slice(0, 20).map(({key, modRevision}) => ({key, modRevision}))
}
