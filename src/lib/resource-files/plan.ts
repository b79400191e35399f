/** A change that is kept in a file before it is made: what it writes, what it rests on, and in which cluster (design-whole.md §3). */
import {clusterState, CLUSTER_KEY, specOf} from '../client/cluster.js'
import {keyOf, parseStored, type ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {Compare, KeyValue, Revision} from '../datastore/datastore.js'
import type {StagedDatastore} from '../datastore/staged/staged-datastore.js'
import {CalicoError} from '../errors.js'
import {parseJson, stringifyJson} from '../json/json.js'
import {displayName} from '../model/display-name.js'
import {hexDigest} from '../model/hash.js'
import {parseKey} from '../model/keys.js'
import {isKindName} from '../model/kinds.js'
import type {Resource} from '../model/resource.js'
import {asRecord} from '../model/schema/codec.js'
import {stagedChanges, type Wanted} from './apply.js'
import {labelOf, placeOf} from './sets.js'
import type {WriteOptions} from './write.js'

/** What becomes of a key: its value before and after; null = it does not exist. */
interface PlannedWrite {
  readonly key: string
  readonly before: string | null
  readonly after: string | null
}

/** An object that is as the files say already. */
interface Unchanged {
  readonly key: string
  readonly modRevision: Revision
}

export interface Plan {
  /** The cluster's; null where it has none. Where the plan initialises the datastore, that of the new cluster. */
  readonly clusterGUID: string | null
  /** What the change rests on beside the keys that it writes. */
  readonly guards: readonly Compare[]
  readonly writes: readonly PlannedWrite[]
  /** What the plan takes for right as it is. It is examined when the plan is applied; the transaction does not compare it, or no large plan would fit. */
  readonly unchanged: readonly Unchanged[]
}

/** Writes that etcd takes in one transaction unless it is configured otherwise, with the conditions that go with them. */
export const USUAL_WRITES = 120

const API_VERSION = 'calicoctl/v1'

/** The change that WANTED means now, as a plan, and what it does to each object. Nothing is written: SESSION is a dry run. */
export async function makePlan(session: Session, wanted: Wanted, options: WriteOptions): Promise<{plan: Plan; changes: readonly ResourceChange[]}> {
  const {together} = await import('../client/together.js')
  const {outcome} = await together(session, 'the plan', async (staged, store) => {
    const changes = await stagedChanges(staged, wanted, options)
    const writes = store.changes().map(({key, before, after}) => ({key, before: before?.value ?? null, after: after ?? null}))
    const written = new Set(writes.map(({key}) => key))
    const unchanged: Unchanged[] = []
    const keys = wanted.objects.map(({place}) => keyOf(place)).filter((key) => !written.has(key))
    await store.prefetch(keys)
    for (const key of keys) {
      const {kv} = await store.get(key)
      if (kv) unchanged.push({key, modRevision: kv.modRevision})
    }
    const guarded = new Set(unchanged.map(({key}) => key))
    const guards = store.guards().filter((guard) => !('key' in guard) || (guard.key !== CLUSTER_KEY && !guarded.has(guard.key)))
    return {plan: {clusterGUID: await guidIn(staged, store), guards, writes, unchanged}, changes}
  })
  return outcome
}

/** The GUID of the cluster as STORE has it with what is staged. */
async function guidIn(session: Session, store: StagedDatastore): Promise<string | null> {
  const cluster = await clusterState(session, (await store.get(CLUSTER_KEY)).kv)
  return cluster.state === 'present' ? (specOf(cluster.information).clusterGUID ?? null) : null
}

/** PLAN as the text of its file. */
export function planText(plan: Plan): string {
  const content = {apiVersion: API_VERSION, kind: 'Plan', ...plan}
  return `${stringifyJson({...content, sha256: checksum(content)}, 2)}\n`
}

const checksum = (content: object): string => hexDigest('sha256', stringifyJson(content))

/**
 * The plan that TEXT, the content of FILE, is.
 * @throws CalicoError `invalid` if it is none, of another version, or was changed since it was written
 */
export function readPlan(text: string, file: string): Plan {
  const fail = (why: string, hint = 'Create the plan again: calicoctl plan -f FILE… --out FILE'): never => {
    throw new CalicoError('invalid', `${file} cannot be applied as a plan: ${why}; nothing was changed`, {hint})
  }
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
  const record = asRecord(value)
  if (record?.kind !== 'Plan') return fail('it is not a plan', 'A plan is made by: calicoctl plan -f FILE… --out FILE. Files of objects are given with -f.')
  if (record.apiVersion !== API_VERSION) return fail(`it was written by another version of calicoctl (${typeof record.apiVersion === 'string' ? record.apiVersion : 'without apiVersion'})`)
  const {sha256, ...content} = record
  if (typeof sha256 !== 'string') return fail('its checksum is missing')
  if (sha256 !== checksum(content)) return fail('it was modified after it was written: its checksum is wrong')
  return planOf(content) ?? fail('it is not complete')
}

function planOf({clusterGUID, guards, writes, unchanged}: Readonly<Record<string, unknown>>): Plan | undefined {
  const [allGuards, allWrites, allUnchanged] = [listOf(guards, guardOf), listOf(writes, writeOf), listOf(unchanged, unchangedOf)]
  if (!allGuards || !allWrites || !allUnchanged || (clusterGUID !== null && typeof clusterGUID !== 'string')) return undefined
  return new Set(allWrites.map(({key}) => key)).size < allWrites.length ? undefined : {clusterGUID, guards: allGuards, writes: allWrites, unchanged: allUnchanged}
}

/** Each of the list VALUE as READ has it; undefined if it is no list, or READ refuses one. */
function listOf<T>(value: unknown, read: (record: Readonly<Record<string, unknown>>) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined
  const items = value.flatMap((each) => read(asRecord(each) ?? {}) ?? [])
  return items.length === value.length ? items : undefined
}

const isKey = (key: unknown): key is string => typeof key === 'string' && key.startsWith('/calico/')
const isValue = (value: unknown): value is string | null => value === null || typeof value === 'string'

function writeOf({key, before, after}: Readonly<Record<string, unknown>>): PlannedWrite | undefined {
  return isKey(key) && isValue(before) && isValue(after) ? {key, before, after} : undefined
}

function unchangedOf({key, modRevision}: Readonly<Record<string, unknown>>): Unchanged | undefined {
  const revision = whole(modRevision)
  return isKey(key) && revision !== undefined ? {key, modRevision: revision} : undefined
}

function guardOf({key, prefix, version, modRevision, value, unchangedSince}: Readonly<Record<string, unknown>>): Compare | undefined {
  const [exact, changes, since] = [whole(modRevision), whole(version), whole(unchangedSince)]
  if (isKey(prefix) && since !== undefined) return {prefix, unchangedSince: since}
  if (!isKey(key)) return undefined
  if (exact !== undefined) return {key, modRevision: exact}
  if (changes !== undefined) return {key, version: changes}
  return typeof value === 'string' ? {key, value} : undefined
}

/** Revisions are 64 bits: numbers as far as those go, then digits. */
function whole(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined
}

/**
 * Makes the change that PLAN is, exactly, in one guarded transaction; one change for each object that it is about. Where all of it has been made already,
 * all are unchanged.
 * @param file how the plan is called in messages
 * @throws CalicoError `wrong-datastore` in another cluster; `conflict`, naming it, if something has changed since the plan was made; `refused` if it does not
 * fit into one transaction. Nothing is written then.
 */
export async function applyPlan(session: Session, plan: Plan, file: string): Promise<readonly ResourceChange[]> {
  const {together} = await import('../client/together.js')
  const {outcome} = await together(session, `the change planned in ${file}`, async (staged, store) => {
    await checkCluster(staged, store, plan, file)
    const {writes, guards, unchanged} = plan
    await store.prefetch([...writes, ...unchanged, ...guards.flatMap((guard) => ('key' in guard ? [guard] : []))].map(({key}) => key))
    const found = new Map<string, KeyValue | undefined>()
    for (const {key} of writes) found.set(key, (await store.get(key)).kv)
    if (writes.length > 0 && writes.every(({key, after}) => (found.get(key)?.value ?? null) === after)) {
      // What it takes for right is compared again; the guards do not hold after the writes.
      const since = await movedRest(store, {guards: [], unchanged})
      if (since.length === 0) return changesOf(plan, true)
      throw new CalicoError('conflict', `What ${file} writes is in the datastore already, but other objects of it have changed since it was made:`, {details: since.sort(), hint: NEW_PLAN})
    }
    const moved = [...movedWrites(writes, found), ...(await movedRest(store, plan))]
    if (moved.length > 0) {
      throw new CalicoError('conflict', `The datastore has changed since ${file} was made; nothing was changed:`, {
        details: [...new Set(moved)].sort(),
        hint: NEW_PLAN,
      })
    }
    // These hold; what is written rests on them.
    for (let from = 0; from < guards.length; from += 100) await store.transact({if: guards.slice(from, from + 100), then: []})
    for (const {key, after} of writes) await store.transact({then: [after === null ? {delete: key} : {put: key, value: after}]})
    return changesOf(plan, false)
  })
  return outcome
}

const NEW_PLAN = 'Create the plan again and check its changes: calicoctl plan -f FILE… --out FILE'

async function checkCluster(session: Session, store: StagedDatastore, {clusterGUID, writes}: Plan, file: string): Promise<void> {
  const found = await guidIn(session, store)
  const {kv} = await store.get(CLUSTER_KEY)
  const initialises = writes.some(({key}) => key === CLUSTER_KEY)
  if (kv ? found === clusterGUID : initialises || (clusterGUID === null && writes.length === 0)) return
  throw new CalicoError('wrong-datastore', `${file} was made for another cluster, ${clusterGUID ?? 'which has no GUID'}; nothing was changed`, {
    details: [kv ? `This one is ${found ?? 'one without a GUID'} (${session.store.description}).` : `This datastore is not initialised (${session.store.description}).`],
    hint: 'Check the endpoints with: calicoctl config view',
  })
}

/** The keys of WRITES that are not as they were, in words. */
function movedWrites(writes: readonly PlannedWrite[], found: ReadonlyMap<string, KeyValue | undefined>): string[] {
  return writes.flatMap(({key, before}) => {
    const now = found.get(key)
    return (now?.value ?? null) === before ? [] : [`${labelOfKey(key, now?.value ?? before)}: ${now === undefined ? 'deleted' : before === null ? 'created' : 'changed'} since`]
  })
}

/** What else PLAN takes for given and is not so, in words. */
async function movedRest(store: StagedDatastore, {guards, unchanged}: Pick<Plan, 'guards' | 'unchanged'>): Promise<string[]> {
  const moved: string[] = []
  for (const guard of [...unchanged, ...guards]) {
    if ('prefix' in guard) {
      for await (const {entries} of store.list(guard.prefix, {keysOnly: true})) {
        for (const {key, modRevision} of entries) if (modRevision > guard.unchangedSince) moved.push(`${labelOfKey(key, null)}: created or changed since`)
      }
      continue
    }
    const {kv} = await store.get(guard.key)
    if (holds(guard, kv)) continue
    const wasThere = !('modRevision' in guard && guard.modRevision === 0n) && !('version' in guard && guard.version === 0n)
    moved.push(`${labelOfKey(guard.key, kv?.value ?? null)}: ${kv === undefined ? 'deleted' : wasThere ? 'changed' : 'created'} since`)
  }
  return moved
}

function holds(guard: Extract<Compare, {key: string}>, kv: KeyValue | undefined): boolean {
  if ('modRevision' in guard) return (kv?.modRevision ?? 0n) === guard.modRevision
  if ('version' in guard) return (kv?.version ?? 0n) === guard.version
  return kv?.value === guard.value
}

/** What KEY is of, as users call it; VALUE may say how it was typed. */
function labelOfKey(key: string, value: string | null): string {
  const parsed = parseKey(key)
  if (parsed?.type !== 'resource' || !isKindName(parsed.kind)) return key
  const place = placeOf(parsed.kind, key)
  const resource = value === null ? undefined : resourceIn(key, value)
  return place ? labelOf(place, resource ?? ({metadata: {name: parsed.name}} as Resource)) : key
}

/** The object that VALUE is at KEY; undefined where it is none that can be read. */
function resourceIn(key: string, value: string): Resource | undefined {
  const parsed = parseKey(key)
  if (parsed?.type !== 'resource' || !isKindName(parsed.kind)) return undefined
  try {
    return parseStored(parsed.kind, {key, value, modRevision: 0n, createRevision: 0n, version: 0n}).resource
  } catch (error) {
    if (error instanceof CalicoError) return undefined
    throw error
  }
}

/** What PLAN does to each object; DONE: it has been done before. Objects of the store itself, and addresses, are not reported. */
function changesOf({writes, unchanged}: Plan, done: boolean): readonly ResourceChange[] {
  const initialises = writes.some(({key, before}) => key === CLUSTER_KEY && before === null)
  const written = writes.flatMap(({key, before, after}): ResourceChange[] => {
    const parsed = parseKey(key)
    if (parsed?.type !== 'resource' || !isKindName(parsed.kind) || key === CLUSTER_KEY) return []
    if (initialises && parsed.kind === 'Tier' && ['default', 'kube-admin', 'kube-baseline'].includes(parsed.name)) return []
    const [was, is] = [before === null ? undefined : resourceIn(key, before), after === null ? undefined : resourceIn(key, after)]
    const name = displayName((is ?? was)?.metadata ?? {name: parsed.name}).name
    if (done) return [{kind: parsed.kind, name, action: 'unchanged', before: is, after: is}]
    return [{kind: parsed.kind, name, action: after === null ? 'deleted' : before === null ? 'created' : 'updated', before: was, after: is}]
  })
  const same = unchanged.flatMap(({key}): ResourceChange[] => {
    const parsed = parseKey(key)
    return parsed?.type === 'resource' && isKindName(parsed.kind) ? [{kind: parsed.kind, name: parsed.name, action: 'unchanged', before: undefined, after: undefined}] : []
  })
  return [...written, ...same]
}
