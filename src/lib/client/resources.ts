/**
 * The generic resource client: create, get, list, edit and delete of every v3 kind, by name. What a change means is a pure function that the
 * caller gives; validation, identity, compare-and-swap and re-application happen here, once for all kinds (design.md §3).
 */
import {isDeepStrictEqual} from 'node:util'
import type {Compare, KeyValue, Operation, Revision} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {parseJson} from '../json/json.js'
import {repeatedJson} from '../json/repeated.js'
import {accept, decode, type Situation} from '../model/accept.js'
import {hazards, type Hazard} from '../model/hazards.js'
import {kindPrefix, parseKey, resourceKey} from '../model/keys.js'
import {KINDS} from '../model/kinds.js'
import {displayName} from '../model/display-name.js'
import {problemText, type KindName, type Problem, type Resource} from '../model/resource.js'
import {checkReadable, CLUSTER_KEY, clusterState} from './cluster.js'
import {commit, type Decision, type Seen, type Write} from './commit.js'
import {withIdentity} from './identity.js'
import type {Session} from './session.js'
import {listPages} from './snapshot.js'

/** An object as it stands in the store. */
export interface Stored<R extends Resource = Resource> {
  readonly kv: KeyValue
  readonly resource: R
}

/** What a command did, or would do, to one object. */
export interface ResourceChange<R extends Resource = Resource> {
  readonly kind: KindName
  /** The name as users see it. */
  readonly name: string
  readonly action: 'created' | 'updated' | 'deleted' | 'unchanged'
  readonly before: R | undefined
  readonly after: R | undefined
}

/** Where an object is kept. NAME is the stored name. */
export interface Place {
  readonly kind: KindName
  readonly name: string
  readonly namespace?: string
}

export const keyOf = ({kind, name, namespace}: Place): string => resourceKey(kind, name, namespace)

/**
 * The object in KV; what it lacks of the envelope is taken from its key.
 * @throws CalicoError `invalid` for a value that no Calico component could read.
 */
export function parseStored<R extends Resource>(kind: KindName, kv: KeyValue): Stored<R> {
  const own = written.get(kv.key)
  if (own?.value === kv.value) return {kv, resource: own.resource as R}
  let value: unknown
  try {
    value = parseJson(kv.value)
  } catch (error) {
    throw unreadable(kv, [{field: '', message: error instanceof Error ? error.message : String(error)}])
  }
  const decoded = decode(kind, value)
  if (decoded.resource === undefined) throw unreadable(kv, decoded.problems)
  return {kv, resource: named(decoded.resource, kv.key) as R}
}

/** RESOURCE with the name that KEY has, where it has none of its own. */
function named(resource: Resource, key: string): Resource {
  if (resource.metadata.name !== '') return resource
  const place = parseKey(key)
  return place?.type === 'resource' ? {...resource, metadata: {...resource.metadata, name: place.name}} : resource
}

/** Objects that this process was the last to write, by key, with their stored values: what such a value says is the object itself. */
const written = new Map<string, {readonly value: string; readonly resource: Resource}>()

/** How many of them are kept. */
const MAX_WRITTEN = 50

/** Notes that RESOURCE, which is as `accept` makes it, is to be VALUE at KEY. @returns VALUE */
function noteWritten(key: string, value: string, resource: Resource): string {
  written.delete(key)
  written.set(key, {value, resource})
  const [oldest] = written.keys()
  if (written.size > MAX_WRITTEN && oldest !== undefined) written.delete(oldest)
  return value
}

const unreadable = (kv: KeyValue, problems: readonly Problem[]): CalicoError =>
  new CalicoError('invalid', `The stored value of ${kv.key} cannot be read`, {
    details: problems.map(problemText),
    hint: 'It was not changed. Repair or delete it with the Go calicoctl or etcdctl.',
  })

/**
 * The object as it is now, or as it was at REVISION; undefined if there is none.
 * @throws CalicoError if it cannot be read, or the store is not Calico's; CompactedError if the store no longer has REVISION
 */
export async function getResource<R extends Resource>(session: Session, place: Place, revision?: Revision): Promise<Stored<R> | undefined> {
  if (revision !== undefined) {
    const {kv} = await session.store.get(keyOf(place), {revision})
    return kv && parseStored<R>(place.kind, kv)
  }
  const {results} = await read(session, [{get: keyOf(place)}])
  const kv = results[0]?.[0]
  return kv && parseStored<R>(place.kind, kv)
}

/** Reads OPERATIONS at one revision from a store that is Calico's. */
export async function read(session: Session, operations: readonly Operation[]): Promise<Seen> {
  const answer = await session.store.transact({then: [{get: CLUSTER_KEY}, ...operations]})
  const [[stored] = [], ...results] = answer.results
  const cluster = await clusterState(session, stored)
  checkReadable(session, cluster)
  return {revision: answer.revision, results, cluster}
}

/**
 * All objects of KIND whose key goes on with UNDER (a namespace with its slash, or the beginning of a name), in key order, page by page at one
 * revision, which AT receives: that of the store now, or REVISION. Values that cannot be read are reported and skipped.
 */
export async function* listResources<R extends Resource>(
  session: Session,
  kind: KindName,
  {under = '', at, revision}: {under?: string; at?: (revision: Revision) => void; revision?: Revision | undefined} = {},
): AsyncGenerator<Stored<R>> {
  const readable = read(session, [])
  readable.catch(() => undefined)
  for await (const page of listPages(session, kindPrefix(kind) + under, revision === undefined ? {} : {revision})) {
    await readable
    at?.(page.revision)
    for (const kv of page.entries) {
      const stored = tryParse<R>(session, kind, kv)
      if (stored) yield stored
    }
  }
  await readable
}

/** As {@link parseStored}; undefined, and a warning, where the value cannot be read. */
export function tryParse<R extends Resource>(session: Session, kind: KindName, kv: KeyValue): Stored<R> | undefined {
  try {
    return parseStored<R>(kind, kv)
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    session.warn(`${error.message}: ${error.details.join('; ')}. It is ignored.`)
    return undefined
  }
}

/** Further things a change reads and rests on. */
export interface ChangeOptions<R extends Resource> {
  /** Read at the same revision; their results are given to CHANGE. */
  readonly reads?: readonly Operation[]
  /** Conditions that the decision rests on, beyond the object itself. */
  readonly guards?: (seen: Seen) => readonly Compare[]
  /** What validation must know beyond the object. */
  readonly situation?: (seen: Seen, before: R | undefined) => Partial<Situation>
  /** The accepted object as it is to be stored: without what Calico's client fills in, WANTED does not say and ours does not store (decisions.md 22). */
  readonly finish?: (accepted: R, wanted: R) => R
}

/**
 * Makes the object at PLACE what CHANGE says: undefined before = it does not exist, undefined after = delete it, the same object = nothing to do.
 * CHANGE is applied anew to a fresh read whenever another client was faster; it may throw to refuse.
 * @throws CalicoError `invalid` if the result would not be accepted by Calico or has a hazard that the stored object has not; see also commit().
 */
export async function changeResource<R extends Resource>(
  session: Session,
  place: Place,
  change: (before: R | undefined, seen: Seen) => R | undefined | Promise<R | undefined>,
  {reads = [], guards, situation, finish}: ChangeOptions<R> = {},
): Promise<ResourceChange<R>> {
  const key = keyOf(place)
  const remembered = reads.length === 0 ? session.recall?.(key) : undefined
  const decide = async (all: Seen): Promise<Decision<ResourceChange<R>>> => {
    const [[kv] = [], ...results] = all.results
    const seen = {...all, results}
    const before = kv && parseStored<R>(place.kind, kv)
    const after = await change(before?.resource, seen)
    const {write, ...prepared} = prepareChange(place, before, after, situation?.(seen, before?.resource), finish)
    return {
      writes: write ? [write] : [],
      guards: guards?.(seen) ?? [],
      what: `the change of ${objectLabel(place.kind, prepared.change.name)}`,
      outcome: prepared.change,
    }
  }
  const {outcome} = await commit(session, [{get: key}, ...reads], decide, {remembered})
  reportWider(session, outcome)
  return outcome
}

/** What to do next where an object of KIND does not exist. */
export const seeThose = (kind: KindName): string => `To see those that exist: calicoctl get ${kind.toLowerCase()}${KINDS[kind].namespaced ? ' -A' : ''}`

/** How an object is called in messages: `profile/web`. */
export const objectLabel = (kind: string, name: string): string => `${kind.toLowerCase()}/${name}`

/**
 * What writing AFTER over BEFORE means: the change to tell, and the key to write (none if nothing changes). Validates AFTER with all that
 * Calico's client would check and fill in, and refuses hazards that BEFORE does not have (decisions.md 11, 12).
 * @throws CalicoError `invalid` with all problems.
 */
export function prepareChange<R extends Resource>(
  place: Place,
  before: Stored<R> | undefined,
  after: R | undefined,
  situation: Partial<Situation> = {},
  finish?: (accepted: R, wanted: R) => R,
): {change: ResourceChange<R>; write?: Write} {
  const {kind} = place
  const name = displayName((after ?? before?.resource)?.metadata ?? {name: place.name}).name
  const change = {kind, name, before: before?.resource, after}
  if (after === before?.resource) return {change: {...change, action: 'unchanged'}}
  const key = keyOf(place)
  if (after === undefined) return {change: {...change, action: 'deleted'}, write: {key, read: before?.kv, value: undefined}}
  const identified = {...after, metadata: withIdentity(after.metadata)}
  const accepted = accept(kind, identified, {
    ...situation,
    operation: before ? 'update' : 'create',
    ...(before ? {previous: before.resource} : {}),
  })
  if (accepted.resource === undefined) throw refused(kind, name, accepted.problems)
  const resource = finish ? finish(accepted.resource as R, after) : (accepted.resource as R)
  const added = addedHazards(kind, before?.resource, resource).filter(({level}) => level !== 'wider')
  if (added.length > 0) throw refused(kind, name, added)
  if (before && isDeepStrictEqual(resource, before.resource)) return {change: {...change, after: before.resource, action: 'unchanged'}}
  const value = repeatedJson(resource)
  return {
    change: {...change, after: resource, action: before ? 'updated' : 'created'},
    write: {key, read: before?.kv, value: finish ? value : noteWritten(key, value, resource)},
  }
}

/** Warns of what CHANGE adds that Felix enforces wider than it is written: it is what the user means, and no reason to refuse it. */
export function reportWider(session: Session, {kind, name, action, before, after}: ResourceChange): void {
  if (after === undefined || action === 'unchanged') return
  for (const hazard of addedHazards(kind, before, after)) if (hazard.level === 'wider') session.warn(`${objectLabel(kind, name)}: ${problemText(hazard)}.`)
}

/** The hazards of AFTER beyond those of BEFORE, whatever places in lists they have moved to. */
export function addedHazards(kind: KindName, before: Resource | undefined, after: Resource): Hazard[] {
  const known = before ? hazardsOf(kind, before).map(wherever) : []
  return hazardsOf(kind, after).filter((hazard) => {
    const at = known.indexOf(wherever(hazard))
    if (at >= 0) known.splice(at, 1)
    return at < 0
  })
}

/** As `hazards`, which takes longest of all that an edit does; objects never change. */
function hazardsOf(kind: KindName, object: Resource): readonly Hazard[] {
  let known = found.get(object)
  if (known === undefined) found.set(object, (known = hazards(kind, object)))
  return known
}

const found = new WeakMap<Resource, readonly Hazard[]>()

const wherever = ({level, field, message}: Hazard): string => `${level} ${field.replaceAll(/\[\d+\]/g, '[]')} ${message}`

const refused = (kind: KindName, name: string, problems: readonly Problem[]): CalicoError =>
  new CalicoError('invalid', `${KINDS[kind].kind} ${name} is invalid; nothing was changed`, {details: problems.map(problemText)})
