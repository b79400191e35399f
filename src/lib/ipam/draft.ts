/**
 * A working copy of IPAM's keys, on which a decision is made before it is written as one guarded transaction. Keys are read when they are first
 * asked for, from memory, from what the transaction read, or from the store; those that are written are compared with what was read of them,
 * and so is whatever a plan says that it rests on: mixing keys of different revisions is safe for that reason.
 */
import type {Write} from '../client/commit.js'
import type {Session} from '../client/session.js'
import type {Compare, KeyValue, Operation, Revision} from '../datastore/datastore.js'
import {HANDLES_PREFIX} from '../model/keys.js'
import {type Memory, remember, rememberWrites} from './memory.js'

/** How values of one kind are read and written. */
export interface Codec<T> {
  readonly parse: (stored: KeyValue) => T
  readonly encode: (value: T) => string
  /** About how many bytes VALUE takes; the default is few. */
  readonly bytes?: (value: T) => number
}

export interface Draft {
  readonly session: Session
  /** The value at KEY as it is now, with the changes of this draft. @throws what CODEC throws for a value that cannot be read */
  readonly get: <T>(codec: Codec<T>, key: string) => Promise<T | undefined>
  /** Makes KEY, which was read before, VALUE; undefined = deletes it. */
  readonly set: <T>(codec: Codec<T>, key: string, value: T | undefined) => void
  /** The keys under PREFIX in order, with the changes of this draft. Their values are read too. */
  readonly list: (prefix: string) => Promise<readonly string[]>
  /** Reads KEYS and the keys under PREFIXES together, those that are not known yet. */
  readonly load: (keys: readonly string[], prefixes?: readonly string[]) => Promise<void>
  /** Whether one of KEYS has been read, now or earlier. */
  readonly isKnown: (keys: readonly string[]) => boolean
  /** Every key under PREFIX that the store has, of which only the names are read, once for this draft; with the changes of this draft. */
  readonly names: (prefix: string) => Promise<ReadonlySet<string>>
  /** Takes KEYS for missing, as lists that were read show; that they are is compared when they are written. */
  readonly takeAsMissing: (keys: readonly string[]) => void
  /** Looks at KEYS in the store, unless this draft itself has done so or changes them. True: some of them are not as they were remembered. */
  readonly verify: (keys: readonly string[]) => Promise<boolean>
  /** Notes that of the values that KEY and OTHER have now nothing is to be had. */
  readonly settle: (key: string, other: string) => void
  /** Whether that was noted of the values that they have now. */
  readonly isSettled: (key: string, other: string) => boolean
  /** The decision holds only as long as KEY is as it was read. */
  readonly restOn: (key: string) => void
  /** The decision holds only as long as nothing under PREFIX, which was listed, is added or changed. */
  readonly restOnList: (prefix: string) => void
  /** The decision holds only as long as nothing under PREFIX was added or changed after REVISION. */
  readonly restOnPrefix: (prefix: string, revision: Revision) => void
  /** Whether KEYS more can be written in the same transaction. A draft without changes has space. */
  readonly hasRoom: (keys: number) => boolean
  /** Makes the draft what it was when `mark` was taken. */
  readonly mark: () => () => void
  readonly writes: () => Write[]
  readonly guards: () => Compare[]
  /** Takes into memory that `writes` were made at REVISION. */
  readonly written: (writes: readonly Write[], revision: Revision) => void
}

/** etcd's default is 128 compares and as many operations; ClusterInformation, pool and so on need some. */
const MAX_COMPARES = 110
/** etcd refuses requests above 1.5 MiB. */
const MAX_BYTES = 1_000_000
const SMALL_VALUE = 200
const KEYS_PER_READ = 100

interface Changed {
  readonly value: unknown
  /** What stood there when it was changed first. */
  readonly base: Base
  readonly encode: () => string | undefined
  readonly bytes: number
}

/** A value that a decision was made on; `unread` as long as it has not been read. */
type Base = {readonly kv: KeyValue | undefined} | 'unread'

/** Lists in order: the same one is asked for at every call. */
const sorted = new WeakMap<ReadonlySet<string>, readonly string[]>()

/** What values were found together, so that there is nothing to be done about them; see Draft.settle. */
const settled = new WeakMap<KeyValue, KeyValue>()

/** What values were parsed as, or made from. Neither ever changes. */
const parsed = new WeakMap<KeyValue, {readonly value: unknown}>()

/**
 * A draft over MEMORY.
 * @param fresh operations whose results have just been read into MEMORY
 */
export function newDraft(session: Session, memory: Memory, fresh: readonly Operation[]): Draft {
  const verified = new Set<string>()
  const namesUnder = new Map<string, ReadonlySet<string>>()
  let changes = new Map<string, Changed>()
  /**
   * With what was there when the decision was made. What is read of it later, for another decision of the same draft, may be newer: then the transaction
   * must fail, and not hold for a value that this decision has never seen.
   */
  let restsOn = new Map<string, Base>()
  let restsOnLists = new Set<string>()
  let restsOnPrefixes = new Map<string, Revision>()
  for (const operation of fresh) if ('get' in operation) verified.add(operation.get)

  const baseOf = (key: string): Base => (memory.keys.has(key) ? {kv: memory.keys.get(key)} : 'unread')
  const valueOf = (key: string, base: Base): KeyValue | undefined => (base === 'unread' ? memory.keys.get(key) : base.kv)

  function rest(key: string): void {
    const known = restsOn.get(key)
    if (known === undefined || known === 'unread') restsOn.set(key, baseOf(key))
  }

  async function read(operations: readonly Operation[]): Promise<void> {
    for (let start = 0; start < operations.length; start += KEYS_PER_READ) {
      const some = operations.slice(start, start + KEYS_PER_READ)
      const {results, revision} = await session.store.transact({then: some})
      remember(memory, some, results, revision)
      for (const [j, operation] of some.entries()) {
        if ('get' in operation) verified.add(operation.get)
        else if ('list' in operation && operation.keysOnly) namesUnder.set(operation.list, new Set(results[j]?.map(({key}) => key)))
      }
    }
  }
  const load = (keys: readonly string[], prefixes: readonly string[] = []): Promise<void> =>
    read([
      ...prefixes.filter((prefix) => !namesUnder.has(prefix)).map((prefix) => ({list: prefix, keysOnly: true})),
      ...[...new Set(keys)].filter((key) => !memory.keys.has(key) && !changes.has(key)).map((get) => ({get})),
    ])

  /** Only the revisions are read of what has not changed: blocks are large. */
  async function verify(keys: readonly string[]): Promise<boolean> {
    const doubtful = [...new Set(keys)].filter((key) => !verified.has(key) && !changes.has(key))
    const changed: string[] = []
    for (let start = 0; start < doubtful.length; start += KEYS_PER_READ) {
      const some = doubtful.slice(start, start + KEYS_PER_READ)
      const {results} = await session.store.transact({then: some.map((key) => ({list: key, keysOnly: true}))})
      for (const [i, key] of some.entries()) {
        const now = results[i]?.find((kv) => kv.key === key)?.modRevision
        if (memory.keys.get(key)?.modRevision !== now) changed.push(key)
        else verified.add(key)
      }
    }
    await read(changed.map((get) => ({get})))
    return changed.length > 0
  }

  async function names(prefix: string): Promise<ReadonlySet<string>> {
    await load([], [prefix])
    return withChanges(prefix, namesUnder.get(prefix) ?? new Set())
  }

  async function get<T>(codec: Codec<T>, key: string): Promise<T | undefined> {
    const changed = changes.get(key)
    if (changed) return changed.value as T | undefined
    await load([key])
    // A handle may have been taken for new, or be remembered without a block that it has got since: what is not written of it must be so too.
    if (key.startsWith(HANDLES_PREFIX)) rest(key)
    const kv = memory.keys.get(key)
    if (kv === undefined) return undefined
    const known = parsed.get(kv)
    if (known) return known.value as T
    const value = codec.parse(kv)
    parsed.set(kv, {value})
    return value
  }

  async function list(prefix: string): Promise<readonly string[]> {
    if (!memory.lists.has(prefix)) await read([{list: prefix}])
    const stored = memory.lists.get(prefix)?.keys ?? new Set()
    const keys = withChanges(prefix, stored)
    const known = sorted.get(keys)
    if (known) return known
    const inOrder = [...keys].sort()
    sorted.set(keys, inOrder)
    return inOrder
  }

  /** STORED, keys under PREFIX, with the changes of this draft: itself if there are none. */
  function withChanges(prefix: string, stored: ReadonlySet<string>): ReadonlySet<string> {
    const changed = [...changes].filter(([key]) => key.startsWith(prefix))
    if (changed.length === 0) return stored
    const keys = new Set(stored)
    for (const [key, {value}] of changed) {
      if (value === undefined) keys.delete(key)
      else keys.add(key)
    }
    return keys
  }

  const writes = (): Write[] =>
    [...changes].flatMap(([key, {encode, base}]) => {
      if (!memory.keys.has(key)) throw new TypeError(`${key} is to be written, but was never read`)
      const before = valueOf(key, base)
      const value = encode()
      return before === undefined && value === undefined ? [] : [{key, read: before, value}]
    })

  function guards(): Compare[] {
    const compares: Compare[] = []
    for (const [key, {value, base}] of changes) {
      // Made and taken away again on this draft: nothing is written, but it must have been missing indeed.
      if (value === undefined && valueOf(key, base) === undefined) compares.push({key, version: 0n})
    }
    for (const [key, base] of restsOn) {
      if (changes.has(key)) continue
      const kv = valueOf(key, base)
      compares.push(kv ? {key, modRevision: kv.modRevision} : {key, version: 0n})
    }
    // Whoever adds to a list that it knows must know all of it, so that memory stays right.
    const written = [...memory.lists.keys()].filter((prefix) => [...changes.keys()].some((key) => key.startsWith(prefix)))
    for (const prefix of new Set([...restsOnLists, ...written])) {
      const list = memory.lists.get(prefix)
      if (!list) throw new TypeError(`${prefix} is rested on, but was never listed`)
      compares.push({prefix, unchangedSince: list.revision})
    }
    for (const [prefix, unchangedSince] of restsOnPrefixes) compares.push({prefix, unchangedSince})
    return compares
  }

  return {
    session,
    get,
    set(codec, key, value) {
      const base = changes.get(key)?.base ?? restsOn.get(key) ?? 'unread'
      changes.set(key, {value, base: base === 'unread' ? baseOf(key) : base, encode: () => (value === undefined ? undefined : codec.encode(value)), bytes: value === undefined ? 0 : (codec.bytes?.(value) ?? SMALL_VALUE)})
    },
    list,
    load,
    isKnown: (keys) => keys.some((key) => memory.keys.has(key)),
    names,
    takeAsMissing: (keys) => {
      for (const key of keys) if (!changes.has(key)) memory.keys.set(key, undefined)
    },
    verify,
    settle(key, other) {
      const [one, two] = [memory.keys.get(key), memory.keys.get(other)]
      if (one && two && !changes.has(key) && !changes.has(other)) settled.set(one, two)
    },
    isSettled(key, other) {
      const [one, two] = [memory.keys.get(key), memory.keys.get(other)]
      return one !== undefined && two !== undefined && !changes.has(key) && !changes.has(other) && settled.get(one) === two
    },
    restOn: rest,
    restOnList: (prefix) => void restsOnLists.add(prefix),
    restOnPrefix(prefix, revision) {
      const known = restsOnPrefixes.get(prefix)
      if (known === undefined || revision < known) restsOnPrefixes.set(prefix, revision)
    },
    hasRoom(keys) {
      if (changes.size === 0 || session.dryRun) return true
      let bytes = 0
      for (const change of changes.values()) bytes += change.bytes
      return changes.size + restsOn.size + restsOnLists.size + restsOnPrefixes.size + keys <= MAX_COMPARES && bytes < MAX_BYTES
    },
    mark() {
      const [oldChanges, oldKeys, oldLists, oldPrefixes] = [new Map(changes), new Map(restsOn), new Set(restsOnLists), new Map(restsOnPrefixes)]
      return () => {
        changes = oldChanges
        restsOn = oldKeys
        restsOnLists = oldLists
        restsOnPrefixes = oldPrefixes
      }
    },
    writes,
    guards,
    written(made, revision) {
      rememberWrites(memory, made, revision)
      for (const {key} of made) {
        const kv = memory.keys.get(key)
        if (kv) parsed.set(kv, {value: changes.get(key)?.value})
      }
    },
  }
}
