/** What decides about flows, read from a datastore at one revision. */
import {kindPrefix, parseKey} from '../model/keys.js'
import {type Entry, loadWorld, POLICY_KINDS} from '../policy/load.js'
import type {World} from '../policy/world.js'
import {read} from './resources.js'
import type {Revision} from '../datastore/datastore.js'
import {CompactedError} from '../datastore/errors.js'
import type {Session, Written} from './session.js'
import {listPages} from './snapshot.js'

/** All objects of the store that decide about flows, AT a revision or now. @throws CalicoError if the store cannot be read or is not Calico's; CompactedError */
async function readPolicyEntries(session: Session, at?: Revision): Promise<Entry[]> {
  const revision = at ?? (await read(session, [])).revision
  const lists = await Promise.all(POLICY_KINDS.map((kind) => all(session, kindPrefix(kind), revision)))
  return lists.flat()
}

async function all(session: Session, prefix: string, revision: bigint): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const page of listPages(session, prefix, {revision})) for (const {key, value} of page.entries) entries.push({key, value})
  return entries
}

/** The store with Felix's eyes. */
export const readWorld = async (session: Session): Promise<World> => loadWorld(await readPolicyEntries(session))

/** The same store before and after a change. */
export interface ChangedWorld {
  readonly before: World
  readonly after: World
  /** The keys that differ. */
  readonly changed: readonly string[]
}

/**
 * The world that WRITTEN, transactions of one command in order, has changed, or would change: as it was when the first of them was decided, and
 * the same with all of them. What others have changed meanwhile is in neither. Undefined: nothing of it decides about flows.
 * @throws CalicoError if the store cannot be read
 */
export async function readChangedWorld(session: Session, written: readonly Written[]): Promise<ChangedWorld | undefined> {
  const edits = new Map<string, {before: string | undefined; after: string | undefined}>()
  for (const {key, read: was, value} of written.flatMap(({writes}) => writes)) {
    if (decides(key)) edits.set(key, {before: edits.has(key) ? edits.get(key)?.before : was?.value, after: value})
  }
  const changed = [...edits].filter(([, {before, after}]) => before !== after)
  const first = written.find(({writes}) => writes.some(({key}) => edits.has(key)))
  if (first === undefined || changed.length === 0) return undefined
  const stored = parsed(await entriesAt(session, first.revision))
  const others = stored.filter(({key}) => !edits.has(key))
  const world = (which: 'before' | 'after'): World => loadWorld([...others, ...parsed([...edits].map(([key, edit]) => ({key, value: edit[which]})).filter(({value}) => value !== undefined))])
  return {before: world('before'), after: world('after'), changed: changed.map(([key]) => key)}
}

/** What stood at REVISION; where the datastore has forgotten that, what stands now. */
async function entriesAt(session: Session, revision: Revision): Promise<Entry[]> {
  try {
    return await readPolicyEntries(session, revision)
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error
    return readPolicyEntries(session)
  }
}

const KINDS: ReadonlySet<string> = new Set(POLICY_KINDS)

function decides(key: string): boolean {
  const place = parseKey(key)
  return place?.type === 'resource' && KINDS.has(place.kind)
}

/** ENTRIES with their JSON read, so that it is not read for each world; what is no JSON stays a text. */
const parsed = (entries: readonly Entry[]): Entry[] =>
  entries.map((entry) => {
    if (typeof entry.value !== 'string') return entry
    try {
      return {key: entry.key, value: JSON.parse(entry.value) as unknown}
    } catch {
      return entry
    }
  })
