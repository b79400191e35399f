/**
 * Releasing addresses (libcalico-go's ReleaseIPs and ReleaseByHandle, datamodel-v3 §4.8). Block and handle change together. A release may say
 * which assignment it means, so that one that comes late cannot free an address that is another owner's by now.
 */
import {append} from '../append.js'
import type {Session} from '../client/session.js'
import type {Operation} from '../datastore/datastore.js'
import {affinityKey, blockKey, BLOCKS_PREFIX, handleKey, parseKey, resourceKey} from '../model/keys.js'
import {type Address, addressAt, blockOf, type Cidr, compareCidrs, contains, equalAddresses, formatAddress, formatCidr, parseCidr} from '../net/index.js'
import {AFFINITY, BLOCK, HANDLE, nodeCodec} from './codecs.js'
import {type Block, blockCidr, handleOf, isEmpty, nextVersion, ordinalOf, ownerOf, sequenceNumberAt} from './block.js'
import {addressesIn, blocksOf, noHandle} from './by-handle.js'
import type {Draft} from './draft.js'
import {type Held, heldError, type Look, lookEverywhere} from './held.js'
import {decrement, isHandleEmpty, withoutBlock} from './handle.js'
import {POOLS_PREFIX, readPools} from './lists.js'
import {type Pool, poolOfAddress, selectsNode} from './pool.js'
import {type Step, submit} from './queue.js'
import {release, releaseHandle} from './release.js'

/** An address to release, and which assignment of it is meant. */
export interface AddressRelease {
  readonly address: Address
  /** It must have this handle. */
  readonly handle?: string
  /** It must have been assigned at this sequence number of its block. */
  readonly sequenceNumber?: bigint
}

export interface Released {
  readonly released: readonly Address[]
  /** Those that were not assigned. */
  readonly unassigned: readonly Address[]
  /** Those that stored endpoints have: they stay assigned, unless the caller insisted. */
  readonly held: readonly Held[]
}

/** What is to become of an assigned address that a stored endpoint has: it is left alone, nothing at all is released, or it is released all the same. */
export type OnHeld = 'spare' | 'refuse' | 'release'

interface ReleaseOptions {
  /** The default is to spare it. */
  readonly onHeld?: OnHeld
  /** The default is to look at all stored endpoints. */
  readonly look?: Look
}

const NOTHING: Released = {released: [], unassigned: [], held: []}

/** Addresses of one block that are released together: all of a block of the usual size, and no more handles than a transaction can take. */
const ADDRESSES_PER_STEP = 64

/** What a release may add to a transaction: block, handles, and what a block that is released has. */
const KEYS_PER_RELEASE = 5

/**
 * Releases addresses, those of one block together (of a block with more than 64 addresses, 64 at a time).
 * @throws CalicoError `conflict` if one of them has another handle or sequence number than asked for: nothing of its block is released then, and
 *   nothing of the blocks behind it (StepError names what was released before, if anything was); `refused` as OPTIONS say
 */
export async function releaseAddresses(session: Session, releases: readonly AddressRelease[], options: ReleaseOptions = {}): Promise<Released> {
  const handles = [...new Set(releases.flatMap(({handle}) => handle ?? []))].slice(0, 16)
  const done = await submit<Released>(session, {
    what: `the release of ${releases.length === 1 && releases[0] ? formatAddress(releases[0].address) : `${releases.length} addresses`}`,
    reads: () => [{list: POOLS_PREFIX}, ...handles.map((handle): Operation => ({get: handleKey(handle)}))],
    plan: (draft, previous) => planRelease(draft, releases, previous ?? NOTHING, options),
  })
  // In the order of the request, whatever the order of the blocks.
  const isReleased = new Set(done.released.map(formatAddress))
  const all = distinct(releases.map(({address}) => address))
  return {
    released: all.filter((address) => isReleased.has(formatAddress(address))),
    unassigned: all.filter((address) => !isReleased.has(formatAddress(address)) && !done.held.some((held) => equalAddresses(held.address, address))),
    held: done.held,
  }
}

/** Releases RELEASES on DRAFT, which has space for them; LOOK finds those that endpoints have, which are spared. @throws as releaseAddresses */
export async function releaseOn(draft: Draft, releases: readonly AddressRelease[], look: Look = lookEverywhere): Promise<Released> {
  return (await planRelease(draft, releases, NOTHING, {look})).outcome
}

async function planRelease(draft: Draft, releases: readonly AddressRelease[], previous: Released, {onHeld = 'spare', look = lookEverywhere}: ReleaseOptions): Promise<Step<Released>> {
  const pools = await readPools(draft)
  const released = [...previous.released]
  const unassigned = [...previous.unassigned]
  const done = new Set([...released, ...unassigned].map(formatAddress))
  const open = releases.filter(({address}) => !done.has(formatAddress(address)))
  const all = await groupByBlock(draft, pools, open)
  const keys = [...all.keys()]
  // Neither "it was free" nor "it is another owner's" must be said of what was so once.
  await draft.verify(keys.filter((key) => key !== ''))
  const found = await look(draft, await assignedAmong(draft, all))
  if (onHeld === 'refuse' && found.length > 0) throw heldError(found)
  const held = [...previous.held, ...found.filter(({address}) => !previous.held.some((other) => equalAddresses(other.address, address)))]
  const isSpared = ({address}: AddressRelease): boolean => onHeld === 'spare' && held.some((each) => equalAddresses(each.address, address))
  const byBlock = new Map([...all].map(([key, group]) => [key, held.length === 0 ? group : group.filter((each) => !isSpared(each))]))
  for (const [key, group] of [...byBlock].flatMap(([key, all]) => inSteps(all).map((group) => [key, group] as const))) {
    if (!draft.hasRoom(KEYS_PER_RELEASE + group.length)) return {outcome: {released, unassigned, held}, more: true}
    const {block, freed} = await releaseIn(draft, pools, key, group)
    for (const address of distinct(group.map((each) => each.address))) {
      const isFreed = block !== undefined && contains(blockCidr(block), address) && freed.has(ordinalOf(block, address))
      ;(isFreed ? released : unassigned).push(address)
    }
  }
  return {outcome: {released, unassigned, held}}
}

/** The addresses of GROUPS, by key of their block, that are assigned as their release says. */
async function assignedAmong(draft: Draft, groups: ReadonlyMap<string, readonly AddressRelease[]>): Promise<Address[]> {
  const assigned: Address[] = []
  for (const [key, group] of groups) {
    const block = key === '' ? undefined : await draft.get(BLOCK, key)
    if (!block) continue
    const cidr = blockCidr(block)
    for (const {address, handle, sequenceNumber} of group) {
      const ordinal = contains(cidr, address) ? ordinalOf(block, address) : undefined
      const index = ordinal === undefined ? null : (block.allocations[ordinal] ?? null)
      const attribute = index === null ? undefined : block.attributes?.[index]
      if (ordinal === undefined || !attribute) continue
      const isMeant = (handle === undefined || handle === (handleOf(attribute) ?? '')) && (sequenceNumber === undefined || sequenceNumber === sequenceNumberAt(block, ordinal))
      if (isMeant) assigned.push(address)
    }
  }
  return assigned
}

const inSteps = (releases: readonly AddressRelease[]): AddressRelease[][] =>
  Array.from({length: Math.ceil(releases.length / ADDRESSES_PER_STEP)}, (_, index) => releases.slice(index * ADDRESSES_PER_STEP, (index + 1) * ADDRESSES_PER_STEP))

const distinct = (addresses: readonly Address[]): Address[] => [...new Map(addresses.map((address) => [formatAddress(address), address])).values()]

/** RELEASES by the key of the block, in the order of the first of each. The empty key stands for "in no block". */
async function groupByBlock(draft: Draft, pools: readonly Pool[], releases: readonly AddressRelease[]): Promise<Map<string, AddressRelease[]>> {
  const groups = new Map<string, AddressRelease[]>()
  const blockAround = blockFinder(draft, pools)
  for (const each of releases) {
    const cidr = await blockAround(each.address)
    const key = cidr ? blockKey(cidr) : ''
    groups.set(key, [...(groups.get(key) ?? []), each])
  }
  return groups
}

/**
 * Finds the block of an address: the one that its pool in POOLS has for it, or, where there is none, whatever block there is around the address;
 * the pool may be gone, or its blocks may have had another size once. Undefined: it can be in none.
 */
export function blockFinder(draft: Draft, pools: readonly Pool[]): (address: Address) => Promise<Cidr | undefined> {
  let others: Cidr[] | undefined
  return async (address) => {
    const pool = poolOfAddress(pools, address)
    const cidr = pool && blockOf(address, pool.blockSize)
    if (cidr && !(await missing(draft, cidr))) return cidr
    others ??= await allBlocks(draft)
    return others.find((block) => contains(block, address)) ?? cidr
  }
}

async function missing(draft: Draft, cidr: Cidr): Promise<boolean> {
  const key = blockKey(cidr)
  await draft.load([key])
  if ((await draft.get(BLOCK, key)) !== undefined) return false
  await draft.verify([key])
  return (await draft.get(BLOCK, key)) === undefined
}

/** Every block of the store, the smallest first. */
async function allBlocks(draft: Draft): Promise<Cidr[]> {
  const blocks = [...(await draft.names(BLOCKS_PREFIX))].flatMap((key) => {
    const parsed = parseKey(key)
    return (parsed?.type === 'block' ? parseCidr(parsed.cidr) : undefined) ?? []
  })
  return blocks.sort((a, b) => b.prefix - a.prefix || compareCidrs(a, b))
}

interface ReleasedIn {
  readonly block: Block | undefined
  readonly freed: ReadonlySet<number>
}

async function releaseIn(draft: Draft, pools: readonly Pool[], key: string, group: readonly AddressRelease[]): Promise<ReleasedIn> {
  const block = key === '' ? undefined : await draft.get(BLOCK, key)
  if (!block) return {block, freed: new Set()}
  const {block: after, ordinals, countByHandle} = release(
    block,
    group.map(({address, ...rest}) => ({...rest, ordinal: ordinalOf(block, address)})),
  )
  if (ordinals.length > 0) {
    await storeBlock(draft, pools, after)
    await draft.load([...countByHandle.keys()].map(handleKey))
    for (const [handle, count] of countByHandle) {
      const stored = await draft.get(HANDLE, handleKey(handle))
      if (stored) storeHandle(draft, handle, stored, decrement(stored, block.cidr, count))
    }
  }
  return {block, freed: new Set(ordinals)}
}

/**
 * Releases all addresses of HANDLE. One that a stored endpoint has is released only if INSIST is given.
 * @returns the addresses that were released, and those of them that endpoints have
 * @throws CalicoError `not-found` if there is no such handle; `refused` if an endpoint has one of its addresses: nothing is released then
 */
export async function releaseByHandle(session: Session, handle: string, {insist = false}: {insist?: boolean} = {}): Promise<Pick<Released, 'released' | 'held'>> {
  return submit<Released>(session, {
    what: `the release of the addresses of ${handle}`,
    reads: () => [{list: POOLS_PREFIX}, {get: handleKey(handle)}],
    plan: (draft, previous) => planReleaseOfHandle(draft, handle, previous, insist),
  })
}

async function planReleaseOfHandle(draft: Draft, handle: string, previous: Released | undefined, insist: boolean): Promise<Step<Released>> {
  const stored = await draft.get(HANDLE, handleKey(handle))
  if (!stored) {
    if (previous) return {outcome: previous}
    throw noHandle(handle)
  }
  const pools = await readPools(draft)
  const released = [...(previous?.released ?? [])]
  const blocks = blocksOf(stored)
  const keys = blocks.map((cidr) => blockKey(cidr))
  await draft.load(keys)
  const found = await lookEverywhere(draft, await addressesIn(draft, handle))
  if (found.length > 0 && !insist) throw heldError(found)
  const held = [...(previous?.held ?? []), ...found.filter(({address}) => !previous?.held.some((other) => equalAddresses(other.address, address)))]
  const freed = async (key: string): Promise<ReturnType<typeof releaseHandle> | undefined> => {
    const block = await draft.get(BLOCK, key)
    return block && releaseHandle(block, handle)
  }
  let left = stored
  for (const cidr of blocks) {
    if (!draft.hasRoom(KEYS_PER_RELEASE)) {
      storeHandle(draft, handle, stored, left)
      return {outcome: {released, unassigned: [], held}, more: true}
    }
    const key = blockKey(cidr)
    let result = await freed(key)
    // That there is nothing to release must be so now.
    if (!result?.ordinals.length && (await draft.verify([key]))) result = await freed(key)
    // As Calico does, what the handle says of a block that has none of its addresses is left; `ipam check` tells of it.
    if (!result || result.ordinals.length === 0) continue
    const all = blockCidr(result.block)
    append(released, result.ordinals.map((ordinal) => addressAt(all, ordinal)))
    await storeBlock(draft, pools, result.block)
    left = withoutBlock(left, formatCidr(cidr))
  }
  storeHandle(draft, handle, stored, left)
  return {outcome: {released, unassigned: [], held}}
}

function storeHandle(draft: Draft, id: string, before: {readonly block: Readonly<Record<string, number>>}, after: typeof before): void {
  if (after !== before) draft.set(HANDLE, handleKey(id), isHandleEmpty(after) ? undefined : after)
}

/** Stores BLOCK, from which addresses were released: an empty one goes if it is no one's, or if its pool is no longer for its host. */
async function storeBlock(draft: Draft, pools: readonly Pool[], block: Block): Promise<void> {
  const cidr = blockCidr(block)
  const key = blockKey(cidr)
  if (!isEmpty(block)) {
    draft.set(BLOCK, key, nextVersion(block))
    return
  }
  const owner = ownerOf(block)
  const isUnselected = owner?.type === 'host' && (await isPoolForOthers(draft, pools, cidr, owner.host))
  if (isUnselected) {
    const affinity = affinityKey(owner.host, cidr)
    if ((await draft.get(AFFINITY, affinity)) !== undefined) draft.set(AFFINITY, affinity, undefined)
  }
  draft.set(BLOCK, key, block.affinity === null || isUnselected ? undefined : nextVersion(block))
}

/** Whether the pool around CIDR does not select HOST, whose Node exists. */
async function isPoolForOthers(draft: Draft, pools: readonly Pool[], cidr: Cidr, host: string): Promise<boolean> {
  const pool = pools.find((each) => each.enabled && contains(each.cidr, cidr))
  if (!pool || pool.nodeSelector === '' || pool.nodeSelector === 'all()') return false
  const key = resourceKey('Node', host)
  await draft.verify([key])
  const node = await draft.get(nodeCodec(draft.session), key)
  if (!node) return false
  draft.restOn(key)
  return !selectsNode(pool, node.metadata.labels ?? {})
}
