/** Stores with pools and nodes, and what must be true of them whatever was assigned and released. */
import {changeResource} from '../../src/lib/client/resources.js'
import type {Session} from '../../src/lib/client/session.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {assignedIn, type Block, countByHandle, parseBlock} from '../../src/lib/ipam/block.js'
import {parseHandle} from '../../src/lib/ipam/handle.js'
import {BLOCKS_PREFIX, HANDLES_PREFIX} from '../../src/lib/model/keys.js'
import {API_VERSION, type KindName} from '../../src/lib/model/resource.js'
import {formatAddress} from '../../src/lib/net/index.js'

/** Creates the object NAME of KIND. */
export async function createObject(session: Session, kind: KindName, name: string, spec: object, {namespace, labels}: {namespace?: string; labels?: Record<string, string>} = {}): Promise<void> {
  const metadata = {name, ...(namespace === undefined ? {} : {namespace}), ...(labels === undefined ? {} : {labels})}
  const place = {kind, name, ...(namespace === undefined ? {} : {namespace})}
  await changeResource(session, place, () => ({kind, apiVersion: API_VERSION, metadata, spec}))
}

export async function blocksOf(store: Datastore): Promise<Block[]> {
  const blocks: Block[] = []
  for await (const {entries} of store.list(BLOCKS_PREFIX)) blocks.push(...entries.map(parseBlock))
  return blocks
}

/** Every assigned address of STORE, in no order. */
export async function allAssigned(store: Datastore): Promise<string[]> {
  return (await blocksOf(store)).flatMap((block) => [...assignedIn(block)].map(({address}) => formatAddress(address)))
}

/**
 * Blocks and handles of STORE that are not sound, in words: an ordinal is free once or assigned once, an attribute is referred to, a handle counts
 * what the blocks have.
 */
export async function unsound(store: Datastore): Promise<string[]> {
  const problems: string[] = []
  const counted = new Map<string, Record<string, number>>()
  for (const block of await blocksOf(store)) {
    const free = block.allocations.flatMap((index, ordinal) => (index === null ? ordinal : []))
    const listed = [...(block.unallocated ?? [])].sort((a, b) => a - b)
    if (listed.join() !== free.join()) problems.push(`${block.cidr}: free are ${free.join()}, listed ${listed.join()}`)
    const used = new Set(block.allocations.filter((index) => index !== null))
    if (used.size !== (block.attributes ?? []).length) problems.push(`${block.cidr}: ${used.size} of ${(block.attributes ?? []).length} attributes are used`)
    for (const [handle, count] of countByHandle(block)) counted.set(handle, {...counted.get(handle), [block.cidr]: count})
  }
  for await (const {entries} of store.list(HANDLES_PREFIX)) {
    for (const kv of entries) {
      const id = kv.key.slice(HANDLES_PREFIX.length)
      const {block} = parseHandle(kv)
      const text = (counts: Readonly<Record<string, number>> = {}): string => Object.entries(counts).sort().join(' ')
      if (text(block) !== text(counted.get(id))) problems.push(`handle ${id} counts ${text(block)}, the blocks ${text(counted.get(id))}`)
      counted.delete(id)
    }
  }
  return [...problems, ...[...counted.keys()].map((id) => `there is no handle ${id}`)]
}
