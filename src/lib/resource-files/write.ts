/**
 * create, apply, replace: what files say, written in one guarded transaction; where it does not fit into one, in several, in the order in which objects
 * need each other. All objects are judged before the first of these.
 */
import type {Compare, KeyValue, Operation, Revision} from '../datastore/datastore.js'
import {commit, type Seen, type Write} from '../client/commit.js'
import {MOST_BYTES, MOST_OBJECTS, portions, rank} from '../client/portions.js'
import {keyOf, parseStored, read, type ResourceChange, reportWider} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {stringifyJson} from '../json/json.js'
import {BLOCKS_PREFIX, kindPrefix, parseKey} from '../model/keys.js'
import type {Resource} from '../model/resource.js'
import {type Around, judge, type Judged, type JudgeOptions, type Refusal, tierOf} from './judge.js'
import {refuse} from './load.js'
import type {FileObject} from './objects.js'

export interface WriteOptions extends JudgeOptions {
  /** Receives how many transactions it takes, where that is more than one. */
  readonly progress: (text: string) => void
}

/**
 * Writes OBJECTS as VERB says; one change for each, in their order.
 * @throws CalicoError with all problems and their places, and nothing written: `invalid`, `refused` (protected), `conflict` or
 * `not-found`; `unknown` if it failed between two transactions
 */
export async function writeObjects(session: Session, objects: readonly FileObject[], options: WriteOptions): Promise<readonly ResourceChange[]> {
  const changes = fitInOne(objects) ? await writeTogether(session, objects, objects, options) : await writeMany(session, objects, options)
  for (const change of changes) reportWider(session, change)
  return changes
}

/** Whether OBJECTS fit into one transaction of any datastore. */
export const fitInOne = (objects: readonly FileObject[]): boolean =>
  objects.length <= MOST_OBJECTS && objects.reduce((sum, {complete}) => sum + Buffer.byteLength(stringifyJson(complete)), 0) <= MOST_BYTES

/** Writes OBJECTS, some of ALL, in one transaction. */
async function writeTogether(session: Session, objects: readonly FileObject[], all: readonly FileObject[], options: WriteOptions & {known?: Verdicts}): Promise<readonly ResourceChange[]> {
  const lists = listsFor(objects)
  const {outcome} = await commit(session, [...objects.map(({place}) => ({get: keyOf(place)})), ...lists.map(({operation}) => operation)], (seen) => {
    const around = aroundOf(lists, seen.results.slice(objects.length), all)
    const {changes, writes} = judgeAll(objects, seen.results.map(([kv]) => kv), around, options)
    return {writes, guards: writes.length === 0 ? [] : guardsOf(lists, seen, objects, writes), what: describe(changes), outcome: changes}
  })
  return outcome
}

const describe = (changes: readonly ResourceChange[]): string => {
  const written = changes.filter(({action}) => action !== 'unchanged').map(({kind, name}) => `${kind.toLowerCase()}/${name}`)
  return `the change of ${written.length > 5 ? `${written.slice(0, 4).join(', ')} and ${written.length - 4} more objects` : written.join(', ')}`
}

/** What was judged of objects, with the revision that each had then. */
type Verdicts = Map<FileObject, {readonly modRevision: Revision | undefined; readonly judged: Judged}>

/** Judges all of OBJECTS by what stands in STORED beside each. @throws CalicoError with all refusals */
function judgeAll(objects: readonly FileObject[], stored: readonly (KeyValue | undefined)[], around: Around, {known, ...options}: JudgeOptions & {known?: Verdicts}): {changes: ResourceChange[]; writes: Write[]} {
  const judged = objects.map((object, index): Judged => {
    const kv = stored[index]
    const before = known?.get(object)
    if (before && before.modRevision === kv?.modRevision) return before.judged
    // What rests on nothing but itself is judged once.
    const alone = known !== undefined && listsFor([object]).length === 0
    const verdict = judge(object, kv, alone ? {} : around, options)
    if (alone) known.set(object, {modRevision: kv?.modRevision, judged: verdict})
    return verdict
  })
  refuseAll(judged.flatMap(({refusals = []}) => refusals))
  const done = judged.flatMap((each) => (each.refusals === undefined ? [each] : []))
  return {changes: done.map(({change}) => change), writes: done.flatMap(({write}) => (write ? [write] : []))}
}

/** @throws CalicoError with all REFUSALS; its kind is the gravest one's */
export function refuseAll(refusals: readonly Refusal[]): void {
  const kind = (['invalid', 'refused', 'conflict', 'not-found'] as const).find((each) => refusals.some((refusal) => refusal.kind === each))
  refuse(refusals.map(({problem}) => problem), kind)
}

async function writeMany(session: Session, objects: readonly FileObject[], options: WriteOptions): Promise<readonly ResourceChange[]> {
  const lists = listsFor(objects)
  const {results: listed} = await read(session, lists.map(({operation}) => operation))
  const around = aroundOf(lists, listed, objects)
  const stored: (KeyValue | undefined)[] = []
  for (let from = 0; from < objects.length; from += MOST_OBJECTS) {
    const {results} = await read(session, objects.slice(from, from + MOST_OBJECTS).map(({place}) => ({get: keyOf(place)})))
    for (const [kv] of results) stored.push(kv)
  }
  const known: Verdicts = new Map()
  const {changes} = judgeAll(objects, stored, around, {...options, known})
  const pending = objects.flatMap((object, index) => (changes[index]?.action === 'unchanged' ? [] : [{object, index}])).sort((a, b) => rank(a.object.place.kind) - rank(b.object.place.kind))
  if (session.dryRun || pending.length === 0) return changes
  const chunks = portions(pending, ({index}) => Buffer.byteLength(stringifyJson(changes[index]?.after)))
  if (chunks.length > 1) options.progress(`${pending.length} objects differ: they are written in ${chunks.length} transactions, dependencies first.`)
  const result = [...changes]
  let done = 0
  for (const chunk of chunks) {
    if (chunks.length > 1) session.writes.remaining = `${pending.length - done} of ${pending.length} objects have not been written yet. To write them, run the same command again`
    try {
      const written = await writeTogether(session, chunk.map(({object}) => object), objects, {...options, known})
      written.forEach((change, at) => (result[chunk[at]?.index ?? -1] = change))
    } catch (error) {
      throw done === 0 ? error : halfDone(error, done, pending.length, chunk.map(({object: {label}}) => label))
    }
    done += chunk.length
  }
  session.writes.remaining = undefined
  return result
}

/** ERROR met the transaction of FAILED after DONE of ALL objects had been written. */
function halfDone(error: unknown, done: number, all: number, failed: readonly string[]): unknown {
  if (!(error instanceof CalicoError)) return error
  const named = failed.slice(0, 10).join(', ')
  const unknown = error.kind === 'unknown'
  const untried = all - done - failed.length
  const more = (count: number): string => (count > 0 ? ` and ${count} more` : '')
  return new CalicoError('unknown', unknown ? `${done} of ${all} objects were written; it is not known whether ${failed.length} more were: ${error.message}` : `${done} of ${all} objects were written, but the others were not: ${error.message}`, {
    details: [
      ...error.details,
      ...(error.hint === undefined ? [] : [error.hint]),
      ...(unknown ? [`Written or not: ${named}${more(failed.length - 10)}`, ...(untried > 0 ? [`Not tried: ${untried} objects`] : [])] : [`Not written: ${named}${more(all - done - Math.min(10, failed.length))}`]),
    ],
    hint: 'The written objects are kept. To write the rest, run the same command with apply.',
    cause: error,
  })
}

type ListName = 'pools' | 'blocks' | 'tiers' | 'filters'
interface NeededList {
  readonly name: ListName
  readonly operation: Operation
}

/** What must be known beside OBJECTS themselves. */
function listsFor(objects: readonly FileObject[]): NeededList[] {
  const lists: NeededList[] = []
  if (objects.some(({place}) => place.kind === 'IPPool')) lists.push({name: 'pools', operation: {list: kindPrefix('IPPool')}}, {name: 'blocks', operation: {list: BLOCKS_PREFIX, keysOnly: true}})
  if (objects.some(({wanted}) => tierOf(wanted) !== undefined)) lists.push({name: 'tiers', operation: {list: kindPrefix('Tier'), keysOnly: true}})
  if (objects.some(({wanted}) => filtersOf(wanted).length > 0)) lists.push({name: 'filters', operation: {list: kindPrefix('BGPFilter'), keysOnly: true}})
  return lists
}

const filtersOf = ({kind, spec}: Resource): readonly string[] => (kind === 'BGPPeer' ? ((spec as {filters?: readonly string[]}).filters ?? []) : [])

/** The built-in tiers, which a new store gets with its first write. */
const BUILT_IN_TIERS = ['default', 'kube-admin', 'kube-baseline']

function aroundOf(lists: readonly NeededList[], results: readonly (readonly KeyValue[])[], all: readonly FileObject[]): Around {
  const found = (name: ListName): readonly KeyValue[] | undefined => {
    const at = lists.findIndex((list) => list.name === name)
    return at < 0 ? undefined : (results[at] ?? [])
  }
  const names = (name: ListName, kind: string, more: readonly string[] = []): readonly string[] | undefined => {
    const stored = found(name)
    if (stored === undefined) return undefined
    const keys = stored.flatMap(({key}) => {
      const parsed = parseKey(key)
      return parsed?.type === 'resource' ? [parsed.name] : []
    })
    return [...keys, ...more, ...all.flatMap(({place}) => ((place.kind as string) === kind ? [place.name] : []))]
  }
  const pools = found('pools')
  const [tiers, filters] = [names('tiers', 'Tier', BUILT_IN_TIERS), names('filters', 'BGPFilter')]
  return {
    ...(pools ? {pools: pools.flatMap((kv) => readable(kv))} : {}),
    ...(pools ? {blocks: (found('blocks') ?? []).flatMap(({key}) => {
      const parsed = parseKey(key)
      return parsed?.type === 'block' ? [parsed.cidr] : []
    })} : {}),
    ...(tiers ? {tiers} : {}),
    ...(filters ? {filters} : {}),
  }
}

function readable(kv: KeyValue): Resource[] {
  try {
    return [parseStored('IPPool', kv).resource]
  } catch (error) {
    if (error instanceof CalicoError) return []
    throw error
  }
}

/** What must still be so when OBJECTS are written: no new pool beside a new pool, and the tiers and filters that are named. */
function guardsOf(lists: readonly NeededList[], seen: Seen, objects: readonly FileObject[], writes: readonly Write[]): Compare[] {
  const guards: Compare[] = []
  const written = new Set(writes.map(({key}) => key))
  lists.forEach(({name}, at) => {
    const stored = seen.results[objects.length + at] ?? []
    if (name === 'pools' && writes.some(({key, read: before}) => before === undefined && key.startsWith(kindPrefix('IPPool')))) guards.push({prefix: kindPrefix('IPPool'), unchangedSince: seen.revision})
    if (name !== 'tiers' && name !== 'filters') return
    const wanted = new Set(objects.flatMap(({wanted: resource}) => (name === 'tiers' ? (tierOf(resource) ?? []) : filtersOf(resource))))
    for (const {key, modRevision} of stored) {
      const parsed = parseKey(key)
      if (parsed?.type === 'resource' && wanted.has(parsed.name) && !written.has(key) && guards.length < 20) guards.push({key, modRevision})
    }
  })
  return guards
}
