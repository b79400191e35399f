/**
 * Where the addresses for a host come from (datamodel-v3 §4.2 steps 2–5, §4.3): its own blocks in key order; a new block; an empty block of another
 * host that has been so for a minute; and, unless affinity is strict, any block with a free address. All on one draft.
 */
import {append} from '../append.js'
import {CalicoError} from '../errors.js'
import {affinitiesPrefix, affinityKey, blockKey} from '../model/keys.js'
import {type Address, type Cidr, containsCidr, type Family, formatCidr} from '../net/index.js'
import {confirmed} from './affinity.js'
import {type Assignee, freeCount} from './assign.js'
import {type Block, blockCidr, hostAffinity, isEmpty, nextVersion, ownerOf} from './block.js'
import {blocksPrefixWithin} from './block-keys.js'
import {AFFINITY, BLOCK} from './codecs.js'
import {DEFAULT_MAX_BLOCKS, type IpamConfig} from './config.js'
import type {Draft} from './draft.js'
import {claim, giveFree} from './give.js'
import {type AffinityEntry, readBlocksOf, tryGet} from './lists.js'
import {type Labels, type Pool, selectsNode} from './pool.js'
import type {Reservations} from './reservations.js'
import {blocksFrom, inWalkOrder, startIndex} from './walk.js'

/** All that the search for addresses of one family goes by. */
export interface Search {
  readonly draft: Draft
  readonly family: Family
  readonly host: string
  readonly assignee: Assignee
  readonly config: IpamConfig
  /** Those that may be used, in the order in which to try them. */
  readonly pools: readonly Pool[]
  readonly reserved: Reservations
  /** The host's, of this family, in key order. */
  readonly affinities: readonly AffinityEntry[]
  /** The request's own limit of blocks; 0 = none. */
  readonly maxBlocks: number
}

export interface Found {
  readonly addresses: readonly Address[]
  /** Why there are not more. */
  readonly reasons: readonly string[]
  /** The transaction is full: the rest comes from the next one. */
  readonly more: boolean
  /** The configuration ended the search. */
  readonly error?: CalicoError
}

/** An empty block is not taken from its host before this: two hosts would fight over it (EmptyBlockMinReclaimAge). */
const RECLAIM_AGE_MS = 60_000
/** What a further block may add to a transaction: itself, its affinity, another host's, the handle, and conditions. */
const KEYS_PER_BLOCK = 6

/** Up to COUNT addresses for SEARCH. */
export async function findAddresses(search: Search, count: number): Promise<Found> {
  const {config, host, pools} = search
  const own = await fromOwnBlocks(search, count)
  const addresses = [...own.addresses]
  let {owned} = own
  if (own.more) return {addresses, reasons: [], more: true}
  const limit = blockLimit(search)
  while (addresses.length < count) {
    if (owned >= limit) {
      const why = `node ${host} has ${owned} IPv${search.family} blocks, and ${limit} is its limit`
      return {addresses, reasons: [why], more: false, error: new CalicoError('refused', `No new block can be claimed: ${why}`, {hint: limitHint(search)})}
    }
    if (!config.auto_allocate_blocks) {
      const why = `node ${host} has no block with a free address, and automatic allocation of blocks is off`
      return {addresses, reasons: [why], more: false, error: new CalicoError('refused', `No new block can be claimed: ${why}`, {hint: 'The setting is auto_allocate_blocks in the IPAM configuration.'})}
    }
    if (!search.draft.hasRoom(KEYS_PER_BLOCK)) return {addresses, reasons: [], more: true}
    const given = await fromNewBlock(search, count - addresses.length)
    if (given.length === 0) break
    owned++
    append(addresses, given)
  }
  if (addresses.length >= count) return {addresses, reasons: [], more: false}
  if (config.strict_affinity) return {addresses, reasons: ['no block is left to claim, and with strict affinity blocks of other nodes cannot be used'], more: false}
  const borrowed = await fromAnyBlock(search, count - addresses.length)
  append(addresses, borrowed.addresses)
  const reasons = borrowed.more || addresses.length >= count ? [] : [`no address is free in ${pools.length === 1 ? 'pool' : 'pools'} ${pools.map(({cidr}) => formatCidr(cidr)).join(', ')}`]
  return {addresses, reasons, more: borrowed.more}
}

/** The stricter one of the request's limit and the configuration's. */
function blockLimit({config: {maxBlocksPerHost: configured = 0}, maxBlocks: requested}: Search): number {
  const limits = [requested, configured].filter((limit) => limit > 0)
  return limits.length > 0 ? Math.min(...limits) : DEFAULT_MAX_BLOCKS
}

const limitHint = ({config: {maxBlocksPerHost = 0}, maxBlocks}: Search): string =>
  maxBlocksPerHost > 0 && (maxBlocks === 0 || maxBlocksPerHost <= maxBlocks) ? 'The limit is maxBlocksPerHost of the IPAM configuration.' : 'To allow more, use --max-blocks.'

/** The pool of SEARCH around BLOCK. */
const poolAround = ({pools}: Pick<Search, 'pools'>, block: Cidr): Pool | undefined => pools.find(({cidr}) => containsCidr(cidr, block))

async function fromOwnBlocks(search: Search, count: number): Promise<{addresses: Address[]; owned: number; more: boolean}> {
  const {draft, reserved} = search
  const entries = search.affinities.filter(({block}) => poolAround(search, block))
  const usable = entries.filter(({block}) => !reserved.cover(block))
  const keys = usable.map((entry) => entry.blockKey)
  // If they turn out to be full, a new one is needed: what exists is read along with them.
  await draft.load(keys, keys.length > 0 && !draft.isKnown(keys) ? search.pools.map(({cidr}) => blocksPrefixWithin(cidr)) : [])
  const addresses: Address[] = []
  /** False: the transaction is full. */
  const takeAll = async (): Promise<boolean> => {
    for (const entry of usable) {
      if (addresses.length >= count) return true
      if (draft.isSettled(entry.blockKey, entry.key)) continue
      if (!draft.hasRoom(KEYS_PER_BLOCK)) return false
      append(addresses, await fromOwnBlock(search, entry, count - addresses.length))
    }
    return true
  }
  let hadRoom = await takeAll()
  // Those that were full when this process last looked may have got free addresses.
  if (hadRoom && addresses.length < count && (await draft.verify(keys))) hadRoom = await takeAll()
  return {addresses, owned: entries.length, more: !hadRoom && addresses.length < count}
}

async function fromOwnBlock(search: Search, {key: affinity, block: cidr, blockKey: key}: AffinityEntry, count: number): Promise<Address[]> {
  const {draft, host} = search
  const state = await tryGet(draft, AFFINITY, affinity)
  const block = await tryGet(draft, BLOCK, key)
  if (state === 'unreadable' || state === undefined || block === 'unreadable') return []
  if (block === undefined) return give(search, claim(draft, cidr, host), count)
  if (block.affinity !== hostAffinity(host)) {
    // The affinity is out of date: that it is so must still hold when it goes.
    draft.restOn(key)
    draft.set(AFFINITY, affinity, undefined)
    return []
  }
  if (state.state !== 'confirmed') {
    // As Calico does: the block is stored anew, so that whoever was about to take it away notices.
    const own = nextVersion(block)
    draft.set(AFFINITY, affinity, confirmed(state))
    const given = await give(search, own, count)
    if (given.length === 0) draft.set(BLOCK, key, own)
    return given
  }
  const given = await give(search, block, count)
  if (given.length > 0) draft.restOn(affinity)
  else if ((block.unallocated ?? []).length === 0) draft.settle(key, affinity)
  return given
}

function give({draft, assignee, reserved, pools}: Search, block: Block, count: number): Promise<Address[]> {
  const pool = poolAround({pools}, blockCidr(block))
  return pool ? giveFree(draft, pool, block, count, assignee, reserved) : Promise.resolve([])
}

/** Addresses of a block that the host gets now; none if there is no block to be had. */
async function fromNewBlock(search: Search, count: number): Promise<Address[]> {
  const {draft, host, family, pools, reserved} = search
  const affinities = new Set(await draft.list(affinitiesPrefix(host, family)))
  draft.restOnList(affinitiesPrefix(host, family))
  await draft.load([], pools.map(({cidr}) => blocksPrefixWithin(cidr)))
  for (const pool of pools) {
    const names = await draft.names(blocksPrefixWithin(pool.cidr))
    for (const cidr of blocksFrom(pool, startIndex(pool, host))) {
      if (names.has(blockKey(cidr)) || reserved.cover(cidr)) continue
      draft.takeAsMissing([blockKey(cidr), ...(affinities.has(affinityKey(host, cidr)) ? [] : [affinityKey(host, cidr)])])
      return give(search, claim(draft, cidr, host), count)
    }
  }
  return reclaim(search, count)
}

/** Every block is someone's: takes one that is the host's already though no affinity says so, or an empty one of another host. */
async function reclaim(search: Search, count: number): Promise<Address[]> {
  const {draft, host} = search
  for (const block of await existingBlocks(search)) {
    if (block.affinity !== hostAffinity(host) || freeCount(block, search.reserved.has) === 0) continue
    const affinity = affinityKey(host, blockCidr(block))
    if ((await draft.get(AFFINITY, affinity)) !== undefined) continue
    return give(search, adopt(draft, affinity, block), count)
  }
  for (const block of await existingBlocks(search)) {
    const owner = ownerOf(block)
    if (!owner || !isEmpty(block) || freeCount(block, search.reserved.has) === 0 || isYoung(block)) continue
    const cidr = blockCidr(block)
    const other = affinityKey(owner.host, cidr, owner.type)
    await draft.load([other, affinityKey(host, cidr)])
    if ((await tryGet(draft, AFFINITY, other)) !== undefined) draft.set(AFFINITY, other, undefined)
    return give(search, claim(draft, cidr, host), count)
  }
  return []
}

function adopt(draft: Draft, affinity: string, block: Block): Block {
  draft.set(AFFINITY, affinity, {state: 'confirmed', deleted: false})
  return nextVersion(block)
}

/** A missing or unreadable time counts as old. */
function isYoung({affinity_claim_time: claimed}: Block): boolean {
  return claimed !== undefined && Date.now() - Date.parse(claimed) < RECLAIM_AGE_MS
}

/** The blocks of all pools as they are in the store now, those that are wholly reserved left out, pool by pool in the order of the walk. */
async function existingBlocks(search: Search): Promise<Block[]> {
  const {draft, host, pools, reserved} = search
  const cidrs: Cidr[] = []
  for (const pool of pools) append(cidrs, inWalkOrder(pool, startIndex(pool, host), await readBlocksOf(draft, pool)).filter((cidr) => !reserved.cover(cidr)))
  const keys = cidrs.map((cidr) => blockKey(cidr))
  await draft.load(keys)
  await draft.verify(keys)
  const blocks: Block[] = []
  for (const key of keys) {
    const block = await tryGet(draft, BLOCK, key)
    if (block !== undefined && block !== 'unreadable') blocks.push(block)
  }
  return blocks
}

async function fromAnyBlock(search: Search, count: number): Promise<{addresses: Address[]; more: boolean}> {
  const addresses: Address[] = []
  for (const block of await existingBlocks(search)) {
    if (addresses.length >= count) break
    if (!search.draft.hasRoom(KEYS_PER_BLOCK)) return {addresses, more: true}
    append(addresses, await give(search, block, count - addresses.length))
  }
  return {addresses, more: false}
}

/**
 * Gives back the host's empty blocks of enabled pools that are no longer for it (datamodel-v3 §4.2 step 2).
 * @param requested pools that were asked for by name: their blocks stay
 */
export async function releaseUnselected(search: Search, all: readonly Pool[], requested: readonly Cidr[], labels: Labels): Promise<void> {
  const {draft, host} = search
  for (const {key, block: cidr} of search.affinities) {
    if (poolAround(search, cidr)) continue
    const pool = all.find((each) => each.enabled && containsCidr(each.cidr, cidr))
    if (!pool || selectsNode(pool, labels) || requested.some((each) => containsCidr(each, cidr))) continue
    const block = await tryGet(draft, BLOCK, blockKey(cidr))
    if (block === undefined || block === 'unreadable' || block.affinity !== hostAffinity(host) || !isEmpty(block)) continue
    draft.set(BLOCK, blockKey(cidr), undefined)
    draft.set(AFFINITY, key, undefined)
  }
}
