/**
 * delete: objects by their places, in one guarded transaction; in several where they do not fit into one. What others use is kept, as `profile remove` keeps it.
 * Nodes and pools are not deleted here: they take addresses and blocks with them, in steps of their own (datamodel-v3 §1.2, §1.5).
 */
import {append} from '../append.js'
import type {Compare, KeyValue, Operation} from '../datastore/datastore.js'
import {commit, type Seen, type Write} from '../client/commit.js'
import {keyOf, objectLabel, parseStored, type Place, type ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {parseJson} from '../json/json.js'
import {displayName} from '../model/display-name.js'
import {kindPrefix, parseKey} from '../model/keys.js'
import type {Resource} from '../model/resource.js'
import {protectedReason, type Refusal, tierOf} from './judge.js'
import type {FileProblem} from './problem.js'
import {MOST_OBJECTS, rank, refuseAll} from './write.js'

/** An object to delete, and how problems with it are told. */
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
  const ordered = targets.length > MOST_OBJECTS ? [...targets].sort((a, b) => rank(b.place.kind) - rank(a.place.kind)) : targets
  const changes: ResourceChange[] = []
  for (let from = 0; from < ordered.length; from += MOST_OBJECTS) {
    try {
      append(changes, await removeTogether(session, ordered.slice(from, from + MOST_OBJECTS), ordered, options))
    } catch (error) {
      if (from === 0 || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${from} of ${ordered.length} objects were deleted, but the others were not: ${error.message}`, {details: error.details, hint: 'To delete the rest, run the same command with --skip-not-exists.', cause: error})
    }
  }
  return changes
}

async function removeTogether(session: Session, targets: readonly Target[], all: readonly Target[], {force, skipMissing}: RemoveOptions): Promise<readonly ResourceChange[]> {
  const users = usersOf(targets, force)
  const reads: Operation[] = [...targets.map(({place}) => ({get: keyOf(place)})), ...users.map((list) => ({list}))]
  const gone = new Set(all.map(({place}) => keyOf(place)))
  const {outcome} = await commit(session, reads, (seen) => {
    const uses = usesOf(users, seen, targets.length, gone)
    const refusals: Refusal[] = []
    const writes: Write[] = []
    const changes: ResourceChange[] = []
    targets.forEach(({place, resourceVersion, problem, onlyIf}, at) => {
      const kv = seen.results[at]?.[0]
      const refuse = (kind: Refusal['kind'], field: string, message: string): void => {
        refusals.push({kind, problem: problem(field, message)})
      }
      const reason = protectedReason(place) ?? (place.kind === 'Tier' && place.name === 'default' ? 'the tier default cannot be deleted' : undefined)
      if (reason !== undefined) {
        refuse('refused', '', reason)
        return
      }
      if (kv === undefined) {
        if (!skipMissing) refuse('not-found', '', 'does not exist (--skip-not-exists skips it)')
        return
      }
      if (resourceVersion !== undefined && resourceVersion !== kv.modRevision.toString()) {
        refuse('conflict', 'metadata.resourceVersion', `is ${resourceVersion}, but the datastore is at ${kv.modRevision}: another client has changed the object`)
        return
      }
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
    refuseAll(refusals)
    return {
      writes,
      guards: writes.length === 0 ? [] : users.map((prefix): Compare => ({prefix, unchangedSince: seen.revision})),
      what: `the deletion of ${changes.slice(0, 5).map(({kind, name}) => objectLabel(kind, name)).join(', ')}${changes.length > 5 ? ` and ${changes.length - 5} more` : ''}`,
      outcome: changes,
    }
  })
  return outcome
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

/** Who uses what, by `Kind/name`; users that are GONE after this are none. */
function usesOf(users: readonly string[], seen: Seen, from: number, gone: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const uses = new Map<string, string[]>()
  const note = (of: string, by: string): void => {
    uses.set(of, [...(uses.get(of) ?? []), by])
  }
  users.forEach((_, at) => {
    for (const kv of seen.results[from + at] ?? []) {
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
  })
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
