/** Pools, reservations and blocks as a draft knows them. */
import {append} from '../append.js'
import {isError} from '../errors.js'
import {affinitiesPrefix, blockKey, kindPrefix, parseKey} from '../model/keys.js'
import {type Cidr, containsCidr, type Family, parseCidr} from '../net/index.js'
import {blocksPrefixWithin} from './block-keys.js'
import {type Codec, type Draft} from './draft.js'
import {poolCodec, reservationCodec} from './codecs.js'
import type {Pool} from './pool.js'
import {type Reservations, reservations} from './reservations.js'

export const POOLS_PREFIX = kindPrefix('IPPool')
export const RESERVATIONS_PREFIX = kindPrefix('IPReservation')

/** All pools by name; those that cannot be read are reported and skipped. */
export async function readPools(draft: Draft): Promise<Pool[]> {
  const codec = poolCodec(draft.session)
  const pools: Pool[] = []
  for (const key of await draft.list(POOLS_PREFIX)) {
    const pool = await draft.get(codec, key)
    if (pool) pools.push(pool)
  }
  return pools
}

export async function readReservations(draft: Draft): Promise<Reservations> {
  const codec = reservationCodec(draft.session)
  const cidrs: Cidr[] = []
  for (const key of await draft.list(RESERVATIONS_PREFIX)) append(cidrs, (await draft.get(codec, key)) ?? [])
  return reservations(cidrs)
}

/** An affinity's key and the block that it is about. */
export interface AffinityEntry {
  readonly key: string
  readonly block: Cidr
  /** The block's key. */
  readonly blockKey: string
}

/** The affinities of HOST of one family, in key order. */
export async function readAffinities(draft: Draft, host: string, family: Family): Promise<AffinityEntry[]> {
  const keys = await draft.list(affinitiesPrefix(host, family))
  return keys.flatMap((key) => entryOf(key) ?? [])
}

/** The blocks of POOL that exist. */
export async function readBlocksOf(draft: Draft, pool: Pool): Promise<Cidr[]> {
  const names = await draft.names(blocksPrefixWithin(pool.cidr))
  return [...names].flatMap((key) => {
    const block = cidrOf(key)
    return block && containsCidr(pool.cidr, block) ? [block] : []
  })
}

/** Keys that were taken apart before: a host's affinities are looked through at every call. */
const known = new Map<string, AffinityEntry | undefined>()
const MAX_KNOWN = 10_000

function entryOf(key: string): AffinityEntry | undefined {
  if (known.has(key)) return known.get(key)
  if (known.size >= MAX_KNOWN) known.clear()
  const block = cidrOf(key)
  const entry = block && {key, block, blockKey: blockKey(block)}
  known.set(key, entry)
  return entry
}

/** The block that KEY, of a block or an affinity, is about. */
function cidrOf(key: string): Cidr | undefined {
  const parsed = parseKey(key)
  return parsed?.type === 'block' || parsed?.type === 'affinity' ? parseCidr(parsed.cidr) : undefined
}

/** As Draft.get, but a value that cannot be read is reported and undefined: it is nothing to take addresses from, and nothing to change. */
export async function tryGet<T>(draft: Draft, codec: Codec<T>, key: string): Promise<T | undefined | 'unreadable'> {
  try {
    return await draft.get(codec, key)
  } catch (error) {
    if (!isError(error, 'invalid')) throw error
    draft.session.warn(`${error.message}. It is ignored.`)
    return 'unreadable'
  }
}
