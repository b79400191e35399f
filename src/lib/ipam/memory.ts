/**
 * What this process last read or wrote of IPAM's keys, per session. Never trusted: a decision made from it is written only in a transaction that
 * compares every key it rests on, and a refusal is never taken from it (commit.ts, `remembered`).
 */
import type {KeyValue, Operation, OperationResult, Revision, TransactionResult} from '../datastore/datastore.js'
import type {Write} from '../client/commit.js'
import type {Session} from '../client/session.js'
import {BLOCKS_PREFIX, HANDLES_PREFIX} from '../model/keys.js'

/** Keys under one prefix. */
interface RememberedList {
  readonly keys: ReadonlySet<string>
  /** At which they were all that there were. */
  readonly revision: Revision
}

export interface Memory {
  /** Of the datastore that it is about (`Datastore.generation`). */
  readonly generation: number
  /** The latest revision heard of. */
  revision: Revision
  /** undefined as value = known not to exist. */
  readonly keys: Map<string, KeyValue | undefined>
  readonly lists: Map<string, RememberedList>
  /** Blocks that seem to have free addresses. */
  readonly openBlocks: Set<string>
}

/** Blocks take the most memory: a process that meets more of them (it fills a large pool) starts anew. */
const MAX_KEYS = 4096

export const emptyMemory = (generation = 0): Memory => ({generation, revision: 0n, keys: new Map(), lists: new Map(), openBlocks: new Set()})

const memories = new WeakMap<Session, Memory>()

/** What SESSION remembers, at the beginning of a transaction. */
export function memoryOf(session: Session): Memory {
  let memory = memories.get(session)
  const {generation} = session.store
  if (memory?.generation !== generation) memories.set(session, (memory = emptyMemory(generation)))
  if (memory.keys.size > MAX_KEYS) shrink(memory)
  return memory
}

/** There is a handle for each workload: those go first. */
function shrink(memory: Memory): void {
  for (const key of memory.keys.keys()) if (key.startsWith(HANDLES_PREFIX)) memory.keys.delete(key)
  if (memory.keys.size > MAX_KEYS / 2) forget(memory)
}

export function forget(memory: Memory): void {
  memory.keys.clear()
  memory.lists.clear()
  memory.openBlocks.clear()
}

/** Takes in what OPERATIONS found at REVISION. */
export function remember(memory: Memory, operations: readonly Operation[], results: readonly OperationResult[], revision: Revision): void {
  memory.revision = revision
  for (const [i, operation] of operations.entries()) {
    const found = results[i] ?? []
    if ('get' in operation) {
      memory.keys.set(operation.get, found[0])
      note(memory, found[0], operation.get)
    } else if ('list' in operation && !operation.keysOnly) {
      for (const known of memory.lists.get(operation.list)?.keys ?? []) memory.keys.set(known, undefined)
      for (const kv of found) memory.keys.set(kv.key, kv)
      memory.lists.set(operation.list, {keys: new Set(found.map(({key}) => key)), revision})
    }
  }
}

/** Takes in that WRITES were made at REVISION. */
export function rememberWrites(memory: Memory, writes: readonly Pick<Write, 'key' | 'value'>[], revision: Revision): void {
  memory.revision = revision
  for (const {key, value} of writes) {
    const before = memory.keys.get(key)
    const kv = value === undefined ? undefined : {key, value, modRevision: revision, createRevision: before?.createRevision ?? revision, version: (before?.version ?? 0n) + 1n}
    memory.keys.set(key, kv)
    note(memory, kv, key)
    for (const [prefix, list] of memory.lists) {
      if (!key.startsWith(prefix)) continue
      const keys = new Set(list.keys)
      if (value === undefined) keys.delete(key)
      else keys.add(key)
      memory.lists.set(prefix, {keys, revision})
    }
  }
}

/**
 * What OPERATIONS would find if nothing has changed; undefined if that is not known. A handle that was never heard of is taken to be new,
 * which most are.
 */
export function recall(memory: Memory, operations: readonly Operation[]): TransactionResult | undefined {
  const results: OperationResult[] = []
  for (const operation of operations) {
    if ('get' in operation) {
      if (!memory.keys.has(operation.get)) {
        if (!operation.get.startsWith(HANDLES_PREFIX)) return undefined
        memory.keys.set(operation.get, undefined)
      }
      const kv = memory.keys.get(operation.get)
      results.push(kv ? [kv] : [])
    } else if ('list' in operation) {
      const list = memory.lists.get(operation.list)
      if (!list) return undefined
      results.push([...list.keys].sort().flatMap((key) => memory.keys.get(key) ?? []))
    } else return undefined
  }
  return {succeeded: true, revision: memory.revision, results}
}

/** Notes whether a block has free addresses, by its text: no more than a guess. */
function note(memory: Memory, kv: KeyValue | undefined, key: string): void {
  if (!key.startsWith(BLOCKS_PREFIX)) return
  if (kv && !kv.value.includes('"unallocated":[]')) memory.openBlocks.add(key)
  else memory.openBlocks.delete(key)
}
