/** The one place where addresses of a block become someone's: block, handle and, where it is missing, the configuration, all on one draft. */
import {affinityKey, blockKey, handleKey, IPAM_CONFIG_KEY, resourceKey} from '../model/keys.js'
import {type Address, addressAt, type Cidr} from '../net/index.js'
import {confirmedAffinity} from './affinity.js'
import {assignFree, type Assignee, assignOrdinal} from './assign.js'
import {type Block, blockCidr, hostAffinity, newBlock, nextVersion} from './block.js'
import {AFFINITY, BLOCK, CONFIG, HANDLE} from './codecs.js'
import {DEFAULT_CONFIG} from './config.js'
import type {Draft} from './draft.js'
import {increment, newHandle} from './handle.js'
import {RESERVATIONS_PREFIX} from './lists.js'
import type {Pool} from './pool.js'
import type {Reservations} from './reservations.js'

/** A block that HOST claims now; its affinity is written, the block is the caller's to store. */
export function claim(draft: Draft, cidr: Cidr, host: string): Block {
  draft.set(AFFINITY, affinityKey(host, cidr), confirmedAffinity())
  const now = new Date()
  const nanoseconds = BigInt(now.getTime()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n)
  return newBlock(cidr, hostAffinity(host), {claimTime: `${now.toISOString().slice(0, 19)}Z`, sequenceNumber: nanoseconds})
}

/** Assigns up to COUNT free addresses of BLOCK, which is as it stands in DRAFT or newer. Stores nothing if none is free. */
export async function giveFree(draft: Draft, pool: Pool, block: Block, count: number, assignee: Assignee, reserved: Reservations): Promise<Address[]> {
  if ((block.unallocated ?? []).length === 0) return []
  const cidr = blockCidr(block)
  const near = reserved.within(cidr)
  const {block: assigned, ordinals} = assignFree(block, count, assignee, (address) => near.has(address))
  if (ordinals.length === 0) return []
  draft.restOnList(RESERVATIONS_PREFIX)
  await store(draft, pool, assigned, ordinals.length, assignee)
  return ordinals.map((ordinal) => addressAt(cidr, ordinal))
}

/** Assigns the address at ORDINAL of BLOCK; false if it is assigned already. */
export async function giveOrdinal(draft: Draft, pool: Pool, block: Block, ordinal: number, assignee: Assignee): Promise<boolean> {
  const assigned = assignOrdinal(block, ordinal, assignee)
  if (assigned) await store(draft, pool, assigned, 1, assignee)
  return assigned !== undefined
}

async function store(draft: Draft, pool: Pool, assigned: Block, count: number, {handle}: Assignee): Promise<void> {
  draft.set(BLOCK, blockKey(blockCidr(assigned)), nextVersion(assigned))
  draft.restOn(resourceKey('IPPool', pool.name))
  if (handle !== undefined) {
    const key = handleKey(handle)
    draft.set(HANDLE, key, increment((await draft.get(HANDLE, key)) ?? newHandle(), assigned.cidr, count))
  }
  await writeMissingConfig(draft)
}

/** Calico's client stores the default configuration the first time it looks for one; ours when it writes something. */
export async function writeMissingConfig(draft: Draft): Promise<void> {
  if ((await draft.get(CONFIG, IPAM_CONFIG_KEY)) === undefined) draft.set(CONFIG, IPAM_CONFIG_KEY, DEFAULT_CONFIG)
}
