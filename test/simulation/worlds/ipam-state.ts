/** IPAM's keys as the invariants look at them. */
import type {Change, KeyValue} from '../../../src/lib/datastore/datastore.js'
import {entriesUnder, type State} from '../../../src/lib/datastore/embedded/state.js'
import {assignedIn, type Block, countByHandle, handleOf, parseBlock} from '../../../src/lib/ipam/block.js'
import {parseHandle} from '../../../src/lib/ipam/handle.js'
import {BLOCKS_PREFIX, HANDLES_PREFIX} from '../../../src/lib/model/keys.js'
import {formatAddress} from '../../../src/lib/net/index.js'

const parsed = new WeakMap<KeyValue, {readonly block: Block; readonly owners: ReadonlyMap<string, string>}>()

function look(kv: KeyValue): {readonly block: Block; readonly owners: ReadonlyMap<string, string>} {
  let seen = parsed.get(kv)
  if (!seen) {
    const block = parseBlock(kv)
    seen = {block, owners: new Map([...assignedIn(block)].map(({address, attribute}) => [formatAddress(address), handleOf(attribute) ?? '']))}
    parsed.set(kv, seen)
  }
  return seen
}

/** The handle of every assigned address of STATE. */
export const ownersIn = (state: State): Map<string, string> => new Map(entriesUnder(state, BLOCKS_PREFIX).flatMap((kv) => [...look(kv).owners]))

/** What CHANGE, of a block, does to addresses: `+ HANDLE`, `- HANDLE` for each that gets or loses one. A handle's own key follows from that. */
export function addressNeeds({key, kv, previous}: Change): string[] {
  if (!key.startsWith(BLOCKS_PREFIX)) return []
  const [before, after] = [previous, kv].map((each) => (each ? look(each).owners : new Map<string, string>()))
  const needs = new Set<string>()
  for (const [address, handle] of before ?? []) if (after?.get(address) !== handle) needs.add(`- ${handle}`)
  for (const [address, handle] of after ?? []) if (before?.get(address) !== handle) needs.add(`+ ${handle}`)
  return [...needs]
}

/** What is not sound in STATE's blocks and handles, in words: each ordinal is free once or assigned, a handle counts what the blocks have, no address is in two blocks. */
export function unsoundIn(state: State): string[] {
  const problems: string[] = []
  const counted = new Map<string, Record<string, number>>()
  const seen = new Set<string>()
  for (const kv of entriesUnder(state, BLOCKS_PREFIX)) {
    const {block, owners} = look(kv)
    const free = block.allocations.flatMap((index, ordinal) => (index === null ? ordinal : []))
    const listed = [...(block.unallocated ?? [])].sort((a, b) => a - b)
    if (listed.join() !== free.join()) problems.push(`${block.cidr}: free are ${free.join()}, listed ${listed.join()}`)
    for (const address of owners.keys()) {
      if (seen.has(address)) problems.push(`${address} is assigned in two blocks`)
      seen.add(address)
    }
    for (const [handle, count] of countByHandle(block)) counted.set(handle, {...counted.get(handle), [block.cidr]: count})
  }
  const text = (counts: Readonly<Record<string, number>> = {}): string => Object.entries(counts).sort().join(' ')
  for (const kv of entriesUnder(state, HANDLES_PREFIX)) {
    const id = kv.key.slice(HANDLES_PREFIX.length)
    const {block} = parseHandle(kv)
    if (text(block) !== text(counted.get(id))) problems.push(`the handle ${id} counts ${text(block)}, the blocks ${text(counted.get(id))}`)
    counted.delete(id)
  }
  return [...problems, ...[...counted.keys()].map((id) => `there is no handle ${id}`)]
}
