/** Claiming and releasing blocks for a host by network (libcalico-go's ClaimAffinity, ReleaseAffinity, RemoveIPAMHost; datamodel-v3 §4.9). */
import {releaseAffinities, type AffinityRelease} from '../client/affinities.js'
import {read, tryParse} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {affinityKey, blockKey, IPAM_CONFIG_KEY, kindPrefix} from '../model/keys.js'
import type {IPPool} from '../model/types.js'
import {type Cidr, containsCidr, formatCidr, networkOf, subnetsOf} from '../net/index.js'
import {type Block, hostAffinity, isEmpty} from './block.js'
import {confirmed} from './affinity.js'
import {AFFINITY, BLOCK} from './codecs.js'
import {claim, writeMissingConfig} from './give.js'
import {readPools} from './lists.js'
import {type Pool, poolOf} from './pool.js'
import {type Step, submit} from './queue.js'
import type {Draft} from './draft.js'

export interface Claims {
  readonly claimed: readonly Cidr[]
  /** Blocks that another client has. */
  readonly failed: readonly Cidr[]
}

/** What a claim may add to a transaction. */
const KEYS_PER_CLAIM = 4

/**
 * Gives HOST every block of NETWORK that no one has.
 * @throws CalicoError `invalid` if NETWORK is in no enabled pool, or smaller than a block
 */
export function claimAffinity(session: Session, network: Cidr, host: string): Promise<Claims> {
  return submit<Claims>(session, {
    what: `the claim of ${formatCidr(network)} for ${host}`,
    reads: () => [{list: kindPrefix('IPPool')}, {get: IPAM_CONFIG_KEY}],
    plan: (draft, previous) => planClaim(draft, networkOf(network), host, previous ?? {claimed: [], failed: []}),
  })
}

async function planClaim(draft: Draft, network: Cidr, host: string, previous: Claims): Promise<Step<Claims>> {
  const pool = poolAround(await readPools(draft), network)
  const claimed = [...previous.claimed]
  const failed = [...previous.failed]
  let at = 0
  for (const cidr of subnetsOf(network, pool.blockSize)) {
    if (at++ < previous.claimed.length + previous.failed.length) continue
    if (!draft.hasRoom(KEYS_PER_CLAIM)) return {outcome: {claimed, failed}, more: true}
    const [key, affinity] = [blockKey(cidr), affinityKey(host, cidr)]
    await draft.load([key, affinity])
    await draft.verify([key])
    const block = await draft.get(BLOCK, key)
    if (block && block.affinity !== hostAffinity(host)) {
      failed.push(cidr)
      continue
    }
    if (block) {
      // That the block is the host's must be so when its affinity is written.
      draft.restOn(key)
      draft.set(AFFINITY, affinity, confirmed((await draft.get(AFFINITY, affinity)) ?? {state: 'confirmed', deleted: false}))
    } else draft.set(BLOCK, key, claim(draft, cidr, host))
    await writeMissingConfig(draft)
    claimed.push(cidr)
  }
  return {outcome: {claimed, failed}}
}

/** @throws CalicoError `invalid` if NETWORK is in no enabled pool, or smaller than a block of its pool */
function poolAround(pools: readonly Pool[], network: Cidr): Pool {
  const pool = pools.find(({enabled, cidr}) => enabled && containsCidr(cidr, network))
  if (!pool) throw new CalicoError('invalid', `${formatCidr(network)} is not in an enabled pool`)
  if (network.prefix > pool.blockSize) throw new CalicoError('invalid', `${formatCidr(network)} is smaller than a block of its pool, which is a /${pool.blockSize}`)
  return pool
}

/**
 * Releases the affinities of HOST to the blocks within NETWORK. Blocks that are not its own are left alone.
 * @param mustBeEmpty refuse blocks with assigned addresses
 * @throws CalicoError `invalid` as claimAffinity; `refused` for a block that is not empty: those before it stay released
 */
export async function releaseAffinity(session: Session, network: Cidr, host: string, {mustBeEmpty = false}: {mustBeEmpty?: boolean} = {}): Promise<AffinityRelease> {
  const {results} = await read(session, [{list: kindPrefix('IPPool')}])
  const pools = (results[0] ?? []).flatMap((kv) => {
    const stored = tryParse<IPPool>(session, 'IPPool', kv)
    return (stored && poolOf(stored.resource)) ?? []
  })
  poolAround(pools, networkOf(network))
  return releaseAffinities(session, {within: networkOf(network), host, ...(mustBeEmpty ? {check: refuseUsed(host)} : {})})
}

const refuseUsed = (host: string) => (block: Block): void => {
  if (block.affinity === hostAffinity(host) && !isEmpty(block)) throw new CalicoError('refused', `Block ${block.cidr} is not empty`)
}
