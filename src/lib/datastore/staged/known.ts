/** What a base store holds at one revision, read when it is first asked for and kept: a stage looks at most things more than once. */
import {append} from '../../append.js'
import type {Datastore, KeyValue, Operation, Page, Revision} from '../datastore.js'

/** What has to be known before something can be judged. */
export interface Needs {
  readonly keys: ReadonlySet<string>
  /** Whole lists; true = only their keys. */
  readonly lists: ReadonlyMap<string, {readonly keysOnly: boolean}>
}

/** A base at one revision. */
export interface Known {
  /** Reads NEEDS, as far as they are not known, in few requests. @throws CompactedError if the base has forgotten the revision */
  load(needs: Needs): Promise<void>
  /** The key, which was loaded. */
  get(key: string): KeyValue | undefined
  /** The entries under PREFIX in key order, which were loaded. */
  list(prefix: string): readonly KeyValue[]
  /** The entries under PREFIX page by page in key order, of whatever size the pages are. */
  pages(prefix: string, options: {keysOnly: boolean; pageSize: number}): AsyncIterable<Page>
}

const KEYS_PER_READ = 100

interface List {
  readonly keysOnly: boolean
  readonly entries: readonly KeyValue[]
}

/** BASE at REVISION, of which SEEN is known already. */
export function knownOf(base: Datastore, revision: Revision, seen: ReadonlyMap<string, KeyValue | undefined>): Known {
  const keys = new Map(seen)
  const lists = new Map<string, List>()

  /** The list that has everything under PREFIX. */
  function listOver(prefix: string, keysOnly: boolean): List | undefined {
    const exact = lists.get(prefix)
    if (exact && (keysOnly || !exact.keysOnly)) return exact
    for (const [longer, list] of lists) if (prefix.startsWith(longer) && (keysOnly || !list.keysOnly)) return list
    return undefined
  }

  const isKnown = (key: string): boolean => keys.has(key) || listOver(key, false) !== undefined

  /** Several keys are read as they are now, which is one request; those that have changed since REVISION, or may have been deleted, again one by one. */
  async function readKeys(wanted: readonly string[]): Promise<void> {
    const then: Operation[] = wanted.map((get) => ({get}))
    const answer = await base.transact({then})
    const doubtful: string[] = []
    for (const [i, key] of wanted.entries()) {
      const kv = answer.results[i]?.[0]
      if (answer.revision === revision || (kv && kv.modRevision <= revision)) keys.set(key, kv)
      else doubtful.push(key)
    }
    await Promise.all(doubtful.map(async (key) => void keys.set(key, (await base.get(key, {revision})).kv)))
  }

  async function readList(prefix: string, keysOnly: boolean): Promise<void> {
    const entries: KeyValue[] = []
    for await (const page of base.list(prefix, {keysOnly, revision})) append(entries, page.entries)
    lists.set(prefix, {keysOnly, entries})
    if (!keysOnly) for (const kv of entries) keys.set(kv.key, kv)
  }

  return {
    async load(needs) {
      const unknownLists = [...needs.lists].filter(([prefix, {keysOnly}]) => !listOver(prefix, keysOnly))
      await Promise.all(unknownLists.map(([prefix, {keysOnly}]) => readList(prefix, keysOnly)))
      const unknownKeys = [...needs.keys].filter((key) => !isKnown(key))
      for (let start = 0; start < unknownKeys.length; start += KEYS_PER_READ) await readKeys(unknownKeys.slice(start, start + KEYS_PER_READ))
    },
    get: (key) => keys.get(key),
    list: (prefix) => (listOver(prefix, false) ?? listOver(prefix, true))?.entries.filter(({key}) => key.startsWith(prefix)) ?? [],
    async *pages(prefix, {keysOnly, pageSize}) {
      const known = listOver(prefix, keysOnly)
      if (!known) {
        yield* base.list(prefix, {keysOnly, pageSize, revision})
        return
      }
      const entries = known.entries.filter(({key}) => key.startsWith(prefix))
      yield {revision, entries: keysOnly ? entries.map((kv) => ({...kv, value: ''})) : entries}
    },
  }
}
