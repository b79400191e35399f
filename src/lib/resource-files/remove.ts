/**
 * delete: objects by their places, in one guarded transaction; in several where they do not fit into one. What others use is kept, as `profile remove` keeps it.
 * Nodes and pools are not deleted here: they take addresses and blocks with them, in steps of their own (datamodel-v3 §1.2, §1.5).
 */
import {append} from '../append.js'
import type {Compare, KeyValue, Operation} from '../datastore/datastore.js'
import {commit, type Write} from '../client/commit.js'
import {MOST_OBJECTS, rank} from '../client/portions.js'
import {keyOf, objectLabel, parseStored, type Place, read, type ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {parseJson} from '../json/json.js'
import {displayName} from '../model/display-name.js'
import {kindPrefix, parseKey} from '../model/keys.js'
import type {Resource} from '../model/resource.js'
import {isBuiltInTier} from '../model/validation/tier.js'
import {protectedReason, type Refusal, tierOf} from './judge.js'
import type {FileProblem} from './problem.js'
import {refuseAll} from './write.js'

/** An object to delete, and how problems with it are reported. */
export interface Target {
  readonly place: Place
  /** The revision that it must be at, in decimal. */
  readonly resourceVersion: string | undefined
  readonly problem: (field: string, message: string) => FileProblem
  /** Asked about the stored object: false = it is spared. */
  readonly onlyIf?: (stored: Resource) => boolean
}

export interface RemoveOptions {
  /** What others use is deleted, too. */
  readonly force: boolean
  /** What is not there is none. */
  readonly skipMissing: boolean
  readonly atomic: boolean
}

/**
 * Deletes TARGETS, which are no nodes and pools; one change for each that was there.
 * @throws CalicoError with every problem, and nothing deleted: `not-found`, `refused` (in use, protected; too much for one transaction), `conflict`; `unknown` if it failed between two transactions
 */
export async function removeObjects(session: Session, targets: readonly Target[], options: RemoveOptions): Promise<readonly ResourceChange[]> {
  if (targets.length > MOST_OBJECTS && options.atomic) {
    const {together} = await import('../client/together.js')
    return (await together(session, 'the deletion of these objects', (staged) => removeObjects(staged, targets, {...options, atomic: false}))).outcome
  }
  if (targets.length <= MOST_OBJECTS) return removeTogether(session, targets, targets, options)
  refuseAll(await removalRefusals(session, targets, options))
  const ordered = [...targets].sort((a, b) => rank(b.place.kind) - rank(a.place.kind))
  const changes: ResourceChange[] = []
  for (let from = 0; from < ordered.length; from += MOST_OBJECTS) {
    session.writes.remaining = `${ordered.length - from} of ${ordered.length} objects have not been deleted yet. To delete them, run the same command again with --skip-not-exists`
    try {
      append(changes, await removeTogether(session, ordered.slice(from, from + MOST_OBJECTS), ordered, options))
    } catch (error) {
      if (from === 0 || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${from} of ${ordered.length} objects were deleted, but the others were not: ${error.message}`, {details: error.details, hint: 'To delete the rest, run the same command with --skip-not-exists.', cause: error})
    }
  }
  session.writes.remaining = undefined
  return changes
}

/** Why TARGETS cannot be deleted as things stand, every reason in their order; nothing is written. */
export async function removalRefusals(session: Session, targets: readonly Target[], options: Omit<RemoveOptions, 'atomic'>): Promise<readonly Refusal[]> {
  const users = usersOf(targets, options.force)
  const uses = usesOf(users.length === 0 ? [] : (await read(session, users.map((list) => ({list})))).results, keysOf(targets))
  const refusals: Refusal[] = []
  for (let from = 0; from < targets.length; from += MOST_OBJECTS) {
    const part = targets.slice(from, from + MOST_OBJECTS)
    const {results} = await read(session, part.map(({place}) => ({get: keyOf(place)})))
    append(refusals, judgeTargets(part, results, uses, options).refusals)
  }
  return refusals
}

const keysOf = (targets: readonly Target[]): ReadonlySet<string> => new Set(targets.map(({place}) => keyOf(place)))

async function removeTogether(session: Session, targets: readonly Target[], all: readonly Target[], options: Omit<RemoveOptions, 'atomic'>): Promise<readonly ResourceChange[]> {
  const users = usersOf(targets, options.force)
  const reads: Operation[] = [...targets.map(({place}) => ({get: keyOf(place)})), ...users.map((list) => ({list}))]
  const gone = keysOf(all)
  const {outcome} = await commit(session, reads, ({results, revision}) => {
    const {refusals, writes, changes} = judgeTargets(targets, results, usesOf(results.slice(targets.length), gone), options)
    refuseAll(refusals)
    return {
      writes,
      guards: writes.length === 0 ? [] : users.map((prefix): Compare => ({prefix, unchangedSince: revision})),
      what: `the deletion of ${changes.slice(0, 5).map(({kind, name}) => objectLabel(kind, name)).join(', ')}${changes.length > 5 ? ` and ${changes.length - 5} more` : ''}`,
      outcome: changes,
    }
  })
  return outcome
}

/** What becomes of TARGETS, each of which STORED has in its place, where USES are known. */
function judgeTargets(targets: readonly Target[], stored: readonly (readonly KeyValue[])[], uses: ReadonlyMap<string, readonly string[]>, {skipMissing}: Pick<RemoveOptions, 'skipMissing'>): {refusals: Refusal[]; writes: Write[]; changes: ResourceChange[]} {
  const refusals: Refusal[] = []
  const writes: Write[] = []
  const changes: ResourceChange[] = []
  targets.forEach(({place, resourceVersion, problem, onlyIf}, at) => {
    const kv = stored[at]?.[0]
    const refuse = (kind: Refusal['kind'], field: string, message: string): void => {
      refusals.push({kind, problem: problem(field, message)})
    }
    const reason = protectedReason(place) ?? (place.kind === 'Tier' && isBuiltInTier(place.name) ? 'this tier is provided by Calico itself and cannot be deleted' : undefined)
    if (reason !== undefined) {
      refuse('refused', '', reason)
      return
    }
    const found = foundRefusal(kv, resourceVersion, skipMissing)
    if (found !== undefined) refuse(found.kind, found.field, found.message)
    if (found !== undefined || kv === undefined) return
    const before = readable(place, kv)
    if (onlyIf !== undefined && !(before && onlyIf(before))) return
    const by = uses.get(`${place.kind}/${place.name}`)
    if (by !== undefined) {
      refuse('refused', '', `in use by ${shown(by)}${place.kind === 'Tier' ? '' : ' (--force deletes it anyway)'}`)
      return
    }
    writes.push({key: kv.key, read: kv, value: undefined})
    changes.push({kind: place.kind, name: before ? displayName({...before.metadata, name: place.name}).name : place.name, action: 'deleted', before, after: undefined})
  })
  return {refusals, writes, changes}
}

/** Why what stands as KV cannot be deleted where RESOURCEVERSION is asked for; undefined where it can, or is to be skipped. */
export function foundRefusal(kv: KeyValue | undefined, resourceVersion: string | undefined, skipMissing: boolean): {readonly kind: Refusal['kind']; readonly field: string; readonly message: string} | undefined {
  if (kv === undefined) return skipMissing ? undefined : {kind: 'not-found', field: '', message: 'does not exist (--skip-not-exists skips it)'}
  if (resourceVersion === undefined || resourceVersion === kv.modRevision.toString()) return undefined
  return {kind: 'conflict', field: 'metadata.resourceVersion', message: `is ${resourceVersion}, but the datastore is at ${kv.modRevision}: another client has changed the object`}
}

const shown = (by: readonly string[]): string => `${by.slice(0, 5).join(', ')}${by.length > 5 ? ` and ${by.length - 5} more` : ''}`

/** An unreadable value can be deleted, too. */
function readable(place: Place, kv: KeyValue): Resource | undefined {
  try {
    return parseStored(place.kind, kv).resource
  } catch (error) {
    if (error instanceof CalicoError) return undefined
    throw error
  }
}

/** Prefixes of the objects that may use TARGETS. */
function usersOf(targets: readonly Target[], force: boolean): readonly string[] {
  const kinds = new Set(targets.map(({place}) => place.kind as string))
  return [
    ...(kinds.has('Profile') && !force ? [kindPrefix('WorkloadEndpoint'), kindPrefix('HostEndpoint')] : []),
    ...(kinds.has('BGPFilter') && !force ? [kindPrefix('BGPPeer')] : []),
    ...(kinds.has('Tier') ? ['GlobalNetworkPolicy', 'NetworkPolicy', 'StagedGlobalNetworkPolicy', 'StagedNetworkPolicy'].map((kind) => kindPrefix(kind as 'GlobalNetworkPolicy')) : []),
  ]
}

/** Who of USERS uses what, by `Kind/name`; those that are GONE after this are none. */
function usesOf(users: readonly (readonly KeyValue[])[], gone: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const uses = new Map<string, string[]>()
  const note = (of: string, by: string): void => {
    uses.set(of, [...(uses.get(of) ?? []), by])
  }
  for (const stored of users) {
    for (const kv of stored) {
      if (gone.has(kv.key)) continue
      const key = parseKey(kv.key)
      const value = parsed(kv)
      if (key?.type !== 'resource' || value === undefined) continue
      const label = `${key.kind.toLowerCase()}/${key.name}`
      const spec = value.spec as {profiles?: unknown; filters?: unknown} | undefined
      if (key.kind === 'WorkloadEndpoint' || key.kind === 'HostEndpoint') for (const profile of texts(spec?.profiles)) note(`Profile/${profile}`, label)
      if (key.kind === 'BGPPeer') for (const filter of texts(spec?.filters)) note(`BGPFilter/${filter}`, label)
      const tier = tierOf({...value, kind: key.kind, spec: value.spec})
      if (tier !== undefined) note(`Tier/${tier}`, label)
    }
  }
  return uses
}

const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [])

function parsed(kv: KeyValue): Resource | undefined {
  try {
    const value = parseJson(kv.value)
    return typeof value === 'object' && value !== null && 'spec' in value && typeof value.spec === 'object' && value.spec !== null ? (value as Resource) : undefined
  } catch {
    return undefined
  }
}
