/** Removing pools without force and without hurry: no new addresses, then wait until no one has one, then remove. */
import {setTimeout as sleep} from 'node:timers/promises'
import type {KeyValue, Revision} from '../datastore/datastore.js'
import {CompactedError} from '../datastore/errors.js'
import {CalicoError, isError} from '../errors.js'
import {blocksPrefixWithin} from '../ipam/block-keys.js'
import type {IPPool} from '../model/types.js'
import {type Cidr, formatCidr} from '../net/index.js'
import {findHolders, holderLines} from './addresses-in-use.js'
import {checkNumber, deletion, findPools, type GivenBack, giveBackAndDelete, halfDone, labels, NOTHING_REMOVED, type PoolRemoval, setDisabled, reportLateClaims} from './pool-removal.js'
import {distinctNetworks, type Pool, poolLabel} from './pools.js'
import {parseStored} from './resources.js'
import type {Session} from './session.js'

/** Addresses are released in bursts: between a change of a block and the next look at all of them. */
const BURST_MS = 200

/** The longest time without a look, whatever the store reports. */
const LONGEST_WAIT_MS = 60_000

export interface DrainOptions {
  readonly waitMs: number
  /** Skips what is no pool. */
  readonly ifExists?: boolean
  /** Called at first, and whenever the number of addresses in use has changed: with LINES, who has them, at first only. */
  readonly onHolders: (count: number, lines: readonly string[]) => void
  /** Does WORK, a wait that is not the datastore's time. */
  readonly offTheClock: <T>(work: () => Promise<T>) => Promise<T>
}

/**
 * Disables the pools of CIDRS, waits until none of their addresses is in use, and removes them. Whatever ends it before that leaves them disabled.
 * It looks again when a block changes. In a dry run only tells who has addresses.
 * @throws CalicoError `refused` when the time is up, naming the holders; `conflict` if someone enables a pool meanwhile; `invalid` on a stage, on which
 *   no one gives an address back; else as removePools
 */
export async function drainPools(session: Session, cidrs: readonly Cidr[], {waitMs, ifExists = false, onHolders, offTheClock}: DrainOptions): Promise<PoolRemoval> {
  if (session.store.restOn) throw new CalicoError('invalid', 'pool remove --drain waits for other clients, and cannot be part of one transaction', {hint: 'Run it separately, or in a batch without --atomic.'})
  const wanted = distinctNetworks(cidrs)
  checkNumber(wanted)
  const {networks, pools} = await findPools(session, wanted, {ifExists})
  if (pools.length === 0) return NOTHING_REMOVED
  if (session.dryRun) {
    const holders = await findHolders(session, networks)
    if (holders.count > 0) onHolders(holders.count, await holderLines(session, holders))
    return {changes: pools.map(deletion), disowned: []}
  }
  const end = performance.now() + waitMs
  await setDisabled(session, pools, true, `the disabling of ${labels(pools)}`)
  try {
    const left = await drained(session, networks, pools, {end, onHolders, offTheClock})
    return await afterwards(session, networks, pools, left)
  } catch (error) {
    throw isError(error, 'refused', 'conflict', 'unknown') ? error : halfDone(pools, error)
  } finally {
    session.writes.remaining = undefined
  }
}

/** Waits until no address is in use and removes POOLS, which are disabled. */
async function drained(session: Session, networks: readonly Cidr[], pools: readonly Pool[], {end, onHolders, offTheClock}: Omit<DrainOptions, 'waitMs'> & {end: number}): Promise<GivenBack> {
  const stays = pools.length === 1 ? 'stays disabled and is not deleted' : 'stay disabled and are not deleted'
  for (let before: number | undefined; ; ) {
    const revision = await stillDisabled(session, pools)
    const holders = await findHolders(session, networks)
    if (holders.count === 0) {
      session.writes.remaining = `${labels(pools)} ${stays}. To continue: ${drainLine(networks)}`
      try {
        return await giveBackAndDelete(session, networks, pools, false)
      } catch (error) {
        // An allocator that had read the pool before it was disabled was faster.
        if (!isError(error, 'refused')) throw error
        continue
      }
    }
    const lines = await holderLines(session, holders)
    if (holders.count !== before) onHolders(holders.count, before === undefined ? lines : [])
    before = holders.count
    session.writes.remaining = `${labels(pools)} ${stays}. Addresses still in use (${holders.count})${lines.length === holders.count ? `: ${lines.join('; ')}` : ''}. To continue: ${drainLine(networks)}`
    const left = end - performance.now()
    if (left <= 0) throw late(networks, pools, holders.count, lines)
    await offTheClock(() => blocksChange(session, networks, revision, Math.min(left, LONGEST_WAIT_MS)))
  }
}

async function afterwards(session: Session, networks: readonly Cidr[], pools: readonly Pool[], {disowned, left}: GivenBack): Promise<PoolRemoval> {
  session.writes.remaining = undefined
  await reportLateClaims(session, networks, pools, left)
  return {changes: pools.map(deletion), disowned}
}

/** The store's revision, at which none of POOLS is enabled; one that another client has deleted is skipped. @throws CalicoError `conflict` */
async function stillDisabled(session: Session, pools: readonly Pool[]): Promise<Revision> {
  const {revision, results} = await session.store.transact({then: pools.map(({stored}) => ({get: stored.kv.key}))})
  const enabled = pools.filter((_, index) => results[index]?.some((kv: KeyValue) => parseStored<IPPool>('IPPool', kv).resource.spec.disabled !== true))
  if (enabled.length === 0) return revision
  throw new CalicoError('conflict', `Another client has enabled ${enabled.map(poolLabel).join(', ')} again during the wait. Nothing was deleted.`)
}

/** Waits until a block of NETWORKS is written or deleted after the revision AFTER, for MS at most. */
async function blocksChange({store}: Session, networks: readonly Cidr[], after: Revision, ms: number): Promise<void> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), ms)
  try {
    for await (const changes of store.watch(commonPrefix(networks.map(blocksPrefixWithin)), after + 1n, stop.signal)) {
      if (changes.length === 0) continue
      await sleep(Math.min(BURST_MS, ms))
      return
    }
  } catch (error) {
    // What happened since is not known any more: the next look will tell.
    if (!(error instanceof CompactedError)) throw error
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

/** What all of TEXTS begin with. */
function commonPrefix(texts: readonly string[]): string {
  return texts.reduce((prefix, text) => {
    let length = 0
    while (length < prefix.length && prefix[length] === text[length]) length++
    return prefix.slice(0, length)
  })
}

/** The command that drains the pools of NETWORKS. */
export const drainLine = (networks: readonly Cidr[]): string => `calicoctl pool remove ${networks.map(formatCidr).join(' ')} --drain`

function late(networks: readonly Cidr[], pools: readonly Pool[], count: number, lines: readonly string[]): CalicoError {
  const [they, them] = pools.length === 1 ? ['It stays', 'it'] : ['They stay', 'them']
  return new CalicoError('refused', `Addresses of ${labels(pools)} are still in use (${count}). ${they} disabled, so that no new addresses are assigned, and nothing was deleted`, {
    details: lines,
    hint: `To wait again: ${drainLine(networks)}. To assign addresses from ${them} again: calicoctl pool set ${networks.map(formatCidr).join(' ')} --enabled`,
  })
}
