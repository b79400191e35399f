/**
 * Removing pools without losing sight of an address (decisions.md 20).
 *
 * A pool may go once no block is left in its network. Someone may assign an address of it at any moment until then, in three ways:
 *
 * - Before the pool is disabled. Disabling comes first, so that no one who reads the pool afterwards takes an address from it.
 * - By having read the pool while it was still enabled. This tool's own allocator writes only if the pool is as it read it, so that disabling
 *   defeats it. libcalico-go does not look again; it claims or changes a block a moment later. A block is released only in a transaction that
 *   holds the block as it was read, so such an assignment is always seen; it ends the removal, and the pool is enabled again.
 *   The pools are deleted only in a transaction that holds if no block in their networks was created or changed since all of them were accounted for.
 * - After the deletion, by a libcalico-go that has been slow. No condition in the store can prevent that, nor does libcalico-go's own wait of half
 *   a second. The blocks are therefore examined once more at the end, and a new one is reported.
 *
 * With `force`, blocks with addresses become no one's and stay, as in v0.20; the same conditions make sure that each has been.
 */
import type {KeyValue, Revision} from '../datastore/datastore.js'
import {CalicoError, isError} from '../errors.js'
import {blocksPrefixWithin} from '../ipam/block-keys.js'
import {assignedIn, type Block, isEmpty} from '../ipam/block.js'
import {stringifyJson} from '../json/json.js'
import {blocksPrefix, kindPrefix, parseKey} from '../model/keys.js'
import type {IPPool} from '../model/types.js'
import {type Cidr, formatAddress, formatCidr} from '../net/index.js'
import {findHolders, holderLines, ownerText} from './addresses-in-use.js'
import {isBlockWithin, releaseAffinities} from './affinities.js'
import {commit, type Seen, type Write} from './commit.js'
import {distinctNetworks, parsePools, type Pool, poolLabel, poolsFor, requireAll} from './pools.js'
import {parseStored, read, type ResourceChange} from './resources.js'
import type {Session} from './session.js'

/** Pools that one line may remove: all of them go in one transaction, with a condition each. */
const MAX_POOLS = 100

/** Conditions on blocks in that transaction: with those of the pools they stay below etcd's 128. */
const MAX_PREFIXES = 20

/** Times that blocks are released while others keep claiming new ones. */
const MAX_ROUNDS = 100

/** What a removal did, or would do. */
export interface PoolRemoval {
  readonly changes: readonly ResourceChange<IPPool>[]
  /** Blocks that still have addresses; they belong to no pool and no host now. */
  readonly disowned: readonly string[]
}

/**
 * Removes the pools of CIDRS: disables all of them, gives their blocks back and deletes all of them.
 * Interrupted or failed half-way it can be run again.
 * @param options.ifExists skips those of CIDRS that are no pool
 * @throws CalicoError `not-found` if one of CIDRS is no pool; `refused` if addresses are in use and FORCE is not given: nothing is changed then;
 * `conflict` if someone enables a pool meanwhile; `unknown` if only a part was done
 */
export async function removePools(session: Session, cidrs: readonly Cidr[], {force, ifExists = false}: {force: boolean; ifExists?: boolean}): Promise<PoolRemoval> {
  const wanted = distinctNetworks(cidrs)
  checkNumber(wanted)
  const {networks, pools} = await findPools(session, wanted, {ifExists})
  if (pools.length === 0) return NOTHING_REMOVED
  if (!force) await refuseHolders(session, networks)
  if (session.dryRun) return {changes: pools.map(deletion), disowned: []}
  const disabled = await setDisabled(session, pools, true, `the disabling of ${labels(pools)}`)
  session.writes.remaining = `The removal of ${labels(pools)} is not finished: ${disabledText(pools)} disabled and must still be deleted. Run the command again`
  let blocks: GivenBack
  try {
    blocks = await giveBackAndDelete(session, networks, pools, force)
  } catch (error) {
    throw isError(error, 'refused') ? await undone(session, disabled, error) : halfDone(pools, error)
  } finally {
    session.writes.remaining = undefined
  }
  await reportLateClaims(session, networks, pools, blocks.left)
  return {changes: pools.map(deletion), disowned: blocks.disowned}
}

/** @throws CalicoError `invalid` for more NETWORKS than one line may remove */
export function checkNumber(networks: readonly Cidr[]): void {
  if (networks.length > MAX_POOLS) throw new CalicoError('invalid', `${networks.length} pools were given; one command can remove at most ${MAX_POOLS}.`)
}

/** POOLS as messages call them. */
export const labels = (pools: readonly Pool[]): string => [...new Set(pools.map(poolLabel))].join(', ')

const disabledText = (pools: readonly Pool[]): string => (pools.length === 1 ? 'the pool is' : 'the pools are')

/** What the removal of POOL is reported as. */
export const deletion = (pool: Pool): ResourceChange<IPPool> => ({kind: 'IPPool', name: poolLabel(pool), action: 'deleted', before: pool.stored.resource, after: undefined})

/** Where none of the pools exists. */
export const NOTHING_REMOVED: PoolRemoval = {changes: [], disowned: []}

/** The pools of WANTED, several for one network if someone stored several, and the networks that have one: with IFEXISTS these may be fewer. @throws CalicoError `not-found` */
export async function findPools(session: Session, wanted: readonly Cidr[], {ifExists}: {ifExists: boolean}): Promise<{networks: readonly Cidr[]; pools: readonly Pool[]}> {
  const {results} = await read(session, [{list: kindPrefix('IPPool')}])
  const all = parsePools(session, results[0] ?? [])
  if (!ifExists) requireAll(all, wanted)
  const found = wanted.map((cidr) => ({cidr, pools: poolsFor(all, cidr)})).filter(({pools}) => pools.length > 0)
  return {networks: found.map(({cidr}) => cidr), pools: found.flatMap(({pools}) => pools)}
}

async function refuseHolders(session: Session, networks: readonly Cidr[]): Promise<void> {
  const holders = await findHolders(session, networks)
  if (holders.count === 0) return
  throw inUse(`Addresses of ${networks.map(formatCidr).join(', ')} are in use (${holders.count}); nothing was changed`, await holderLines(session, holders))
}

const inUse = (message: string, details: readonly string[]): CalicoError =>
  new CalicoError('refused', message, {details, override: '--force', hint: 'Remove the workloads first, and release addresses that no workload has (calicoctl ipam release), or use --force: the addresses then belong to no pool.'})

/** Disables those of POOLS that are enabled, or enables those that are disabled, in one transaction. @returns those that it changed. A pool that has gone meanwhile is skipped. */
export async function setDisabled(session: Session, pools: readonly Pool[], disabled: boolean, what: string): Promise<readonly Pool[]> {
  const {outcome} = await commit(session, pools.map(({stored}) => ({get: stored.kv.key})), ({results}) => {
    const changes = pools.flatMap((pool, index) => {
      const kv = results[index]?.[0]
      const write = kv && disabling(kv, disabled)
      return write ? [{pool, write}] : []
    })
    return {writes: changes.map(({write}) => write), what, outcome: changes.map(({pool}) => pool)}
  })
  return outcome
}

/** Not validated: a pool with a defect must be removable, and one that was is restored as it was. */
export function disabling(kv: KeyValue, disabled: boolean): Write | undefined {
  const {resource} = parseStored<IPPool>('IPPool', kv)
  const {disabled: before = false, ...spec} = resource.spec
  if (before === disabled) return undefined
  return {key: kv.key, read: kv, value: stringifyJson({...resource, spec: {...spec, ...(disabled ? {disabled} : {})}})}
}

export interface GivenBack {
  readonly disowned: readonly string[]
  /** The blocks that stay, by key, at the revision at which they were examined. */
  readonly left: ReadonlyMap<string, Revision>
}

/** Gives the blocks of NETWORKS back until nothing but those that may stay is left, and deletes POOLS at that very moment. */
export async function giveBackAndDelete(session: Session, networks: readonly Cidr[], pools: readonly Pool[], force: boolean): Promise<GivenBack> {
  const disowned = new Set<string>()
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const left = new Map<string, Revision>()
    for (const within of networks) {
      const released = await releaseAffinities(session, {within, ...(force ? {} : {check: refuseAssigned})})
      for (const cidr of released.disowned) disowned.add(cidr)
      for (const [key, revision] of released.left) left.set(key, revision)
    }
    if (await deleteIfUnchanged(session, networks, pools, left)) return {disowned: [...disowned], left}
  }
  throw new CalicoError('conflict', `Blocks in ${networks.map(formatCidr).join(', ')} keep being claimed by nodes`, {hint: 'Run the command again.'})
}

/** Refuses a block that someone has assigned from since the removal began. */
function refuseAssigned(block: Block): void {
  if (isEmpty(block)) return
  throw inUse(
    `An address of ${block.cidr} was assigned while the pool was being removed`,
    [...assignedIn(block)].map(({address, attribute}) => `${formatAddress(address)}: ${ownerText(attribute)}`),
  )
}

/** Deletes POOLS if the blocks in NETWORKS are exactly those of LEFT, unchanged; whether it did. */
async function deleteIfUnchanged(session: Session, networks: readonly Cidr[], pools: readonly Pool[], left: ReadonlyMap<string, Revision>): Promise<boolean> {
  const prefixes = blockPrefixes(networks)
  const reads = [...pools.map(({stored}) => ({get: stored.kv.key})), ...prefixes.map((list) => ({list, keysOnly: true}))]
  const {outcome} = await commit(session, reads, (seen) => {
    const blocks = seen.results.slice(pools.length).flat()
    const known = blocks.every(({key, modRevision}) => !networks.some((network) => isBlockWithin(network, key)) || left.get(key) === modRevision)
    return {
      writes: known ? deletions(pools, seen) : [],
      guards: prefixes.map((prefix) => ({prefix, unchangedSince: seen.revision})),
      what: `the deletion of ${labels(pools)}`,
      outcome: known,
    }
  })
  return outcome
}

/** Prefixes that the keys of all blocks within NETWORKS share, few enough for one transaction. */
function blockPrefixes(networks: readonly Cidr[]): string[] {
  const all = [...new Set(networks.map(blocksPrefixWithin))]
  const outer = all.filter((prefix) => !all.some((other) => other !== prefix && prefix.startsWith(other)))
  return outer.length <= MAX_PREFIXES ? outer : [...new Set(networks.map(({family}) => blocksPrefix(family)))]
}

function deletions(pools: readonly Pool[], {results}: Seen): Write[] {
  return pools.flatMap((pool, index) => {
    const kv = results[index]?.[0]
    if (!kv) return []
    if (parseStored<IPPool>('IPPool', kv).resource.spec.disabled !== true) {
      throw new CalicoError('conflict', `Another client has enabled the pool ${poolLabel(pool)} again while it was being removed`)
    }
    return [{key: kv.key, read: kv, value: undefined}]
  })
}

/** Looks for blocks that a slow allocator has claimed since the blocks were accounted for. */
export async function reportLateClaims(session: Session, networks: readonly Cidr[], pools: readonly Pool[], left: ReadonlyMap<string, Revision>): Promise<void> {
  const {results} = await read(session, networks.map((network) => ({list: blocksPrefixWithin(network), keysOnly: true})))
  const late = networks.flatMap((network, index) => (results[index] ?? []).filter(({key}) => isBlockWithin(network, key) && !left.has(key)))
  if (late.length === 0) return
  const blocks = late.map(({key}) => {
    const parsed = parseKey(key)
    return parsed?.type === 'block' ? parsed.cidr : key
  })
  throw new CalicoError('unknown', `Deleted ${labels(pools)}, but a node claimed ${blocks.join(', ')} at the same time`, {
    details: ['Addresses assigned from there keep working, but belong to no pool.'],
    hint: `To release them: calicoctl pool add ${networks.map(formatCidr).join(' ')}, and remove it again.`,
  })
}

/** The error for a removal that was refused after POOLS had been disabled: they are enabled again. */
async function undone(session: Session, pools: readonly Pool[], refusal: CalicoError): Promise<unknown> {
  if (pools.length === 0) return refusal
  try {
    await setDisabled(session, pools, false, `the enabling of ${labels(pools)}`)
    const {message, details, hint} = refusal
    return new CalicoError('refused', `${message}; ${labels(pools)} ${pools.length === 1 ? 'is' : 'are'} enabled again`, {details, ...(hint === undefined ? {} : {hint}), cause: refusal})
  } catch (error) {
    return halfDone(pools, error)
  }
}

/** The error for a removal that failed after the pools had been disabled. */
export function halfDone(pools: readonly Pool[], error: unknown): unknown {
  if (!(error instanceof CalicoError)) return error
  return new CalicoError('unknown', `${labels(pools)}: the removal is not finished; ${disabledText(pools)} disabled but not deleted`, {
    details: [error.message, ...error.details],
    hint: `Run the command again to continue. To keep ${pools.length === 1 ? 'the pool' : 'the pools'} instead: calicoctl pool set ${[...new Set(pools.map(poolLabel))].join(' ')} --enabled`,
    cause: error,
  })
}
