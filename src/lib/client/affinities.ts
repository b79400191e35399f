/**
 * Giving blocks back (datamodel-v3 §4.9): a block that its host no longer keeps is deleted if it is empty, else it becomes no one's and its
 * addresses stay assigned. Block and affinity change in one guarded transaction, so that no one ever sees one without the other;
 * what libcalico-go reaches in three writes through `pendingDeletion` is reached in one.
 */
import type {Compare, KeyValue, Revision} from '../datastore/datastore.js'
import {isError} from '../errors.js'
import {blocksPrefixWithin} from '../ipam/block-keys.js'
import {type Block, blockCidr, encodeBlock, isEmpty, nextVersion, ownerOf, parseBlock, withoutAffinity} from '../ipam/block.js'
import {affinitiesPrefix, affinityKey, blockKey, IPAM_PREFIX, parseKey} from '../model/keys.js'
import {type Cidr, containsCidr, formatCidr, parseCidr} from '../net/index.js'
import {commit, type Write} from './commit.js'
import type {Session} from './session.js'

/** Reads, writes and conditions of one transaction; etcd allows 128, some of which commit() needs itself. */
const MAX_KEYS = 120

/** Which affinities to release. */
export interface AffinityScope {
  /** Only those of blocks within this network. */
  readonly within: Cidr
  /** Only those of this host; otherwise those of all owners, and empty blocks that no one keeps are deleted too. */
  readonly host?: string
  /** Asked before a block is touched, with the block as it is then; may throw to refuse. */
  readonly check?: (block: Block) => void
}

/** What a release did. CIDRs of blocks; in a dry run, what it would do. */
export interface AffinityRelease {
  readonly deleted: readonly string[]
  /** Blocks with assigned addresses that belong to no one now. */
  readonly disowned: readonly string[]
  /** The blocks that are still there, by key, each at the revision at which it was last examined. Only without a host. */
  readonly left: ReadonlyMap<string, Revision>
}

/** A block that may have to be released, and the affinities that point to it. */
interface Candidate {
  readonly cidr: Cidr
  readonly affinities: readonly string[]
}

/** What became of one block. */
interface BlockOutcome {
  readonly key: string
  readonly cidr: string
  readonly did: 'deleted' | 'disowned' | 'nothing'
  /** The block's revision when it was read; undefined = it was not there. */
  readonly seen: Revision | undefined
}

/**
 * Releases the affinities in SCOPE, several blocks in a transaction. An affinity whose block is another's, or missing, is deleted.
 * Values that cannot be read are reported and left alone, with their affinities.
 * @throws what SCOPE.check throws: the blocks of earlier transactions stay released
 */
export async function releaseAffinities(session: Session, scope: AffinityScope): Promise<AffinityRelease> {
  const {candidates, others} = await findCandidates(session, scope)
  const deleted: string[] = []
  const disowned: string[] = []
  const left = new Map(others)
  for (const batch of batches(candidates)) {
    const {outcome, wrote, revision} = await releaseBatch(session, scope, batch)
    for (const {key, cidr, did, seen} of outcome) {
      if (did === 'deleted') deleted.push(cidr)
      if (did === 'disowned') disowned.push(cidr)
      if (did !== 'deleted' && seen !== undefined) left.set(key, did === 'disowned' && wrote ? revision : seen)
    }
  }
  return {deleted, disowned, left}
}

/** Releases all affinities of HOST, of both families: its blocks with assigned addresses become no one's, the others go. */
export async function releaseHostAffinities(session: Session, host: string): Promise<AffinityRelease[]> {
  const released: AffinityRelease[] = []
  for (const within of [{family: 4, value: 0n, prefix: 0}, {family: 6, value: 0n, prefix: 0}] as const) released.push(await releaseAffinities(session, {within, host}))
  return released
}

/** The blocks to be released, and the revisions of those that no one keeps anyway. */
async function findCandidates(session: Session, {within, host, check}: AffinityScope): Promise<{candidates: Candidate[]; others: Map<string, Revision>}> {
  const affinities = new Map<string, Set<string>>()
  const others = new Map<string, Revision>()
  const add = (cidr: string, keys: readonly string[]): unknown => affinities.set(cidr, new Set([...(affinities.get(cidr) ?? []), ...keys]))
  const prefixes = host === undefined ? [`${IPAM_PREFIX}host/`, `${IPAM_PREFIX}virtual/`] : [affinitiesPrefix(host, within.family)]
  for (const prefix of prefixes) {
    for await (const {entries} of session.store.list(prefix, {keysOnly: true})) {
      for (const {key} of entries) {
        const parsed = parseKey(key)
        if (parsed?.type === 'affinity' && isWithin(within, parsed.cidr)) add(parsed.cidr, [key])
      }
    }
  }
  if (host === undefined) {
    for await (const {kv, block} of blocksWithin(session, within)) {
      if (block) check?.(block)
      else reportUnreadable(session, kv)
      const owner = block && ownerOf(block)
      if (block && (owner || isEmpty(block))) add(block.cidr, owner ? [affinityKey(owner.host, blockCidr(block), owner.type)] : [])
      else others.set(kv.key, kv.modRevision)
    }
  }
  const candidates = [...affinities].flatMap(([text, keys]) => {
    const cidr = parseCidr(text)
    return cidr ? [{cidr, affinities: [...keys]}] : []
  })
  return {candidates, others}
}

/** The stored blocks within NETWORK, page by page; without `block` where the value cannot be read. */
export async function* blocksWithin(session: Session, network: Cidr): AsyncGenerator<{kv: KeyValue; block: Block | undefined}> {
  for await (const {entries} of session.store.list(blocksPrefixWithin(network))) {
    for (const kv of entries) if (isBlockWithin(network, kv.key)) yield {kv, block: tryBlock(kv)}
  }
}

/** Whether KEY is that of a block within NETWORK. */
export function isBlockWithin(network: Cidr, key: string): boolean {
  const parsed = parseKey(key)
  return parsed?.type === 'block' && isWithin(network, parsed.cidr)
}

function isWithin(network: Cidr, text: string): boolean {
  const cidr = parseCidr(text)
  return cidr !== undefined && containsCidr(network, cidr)
}

function tryBlock(kv: KeyValue): Block | undefined {
  try {
    return parseBlock(kv)
  } catch (error) {
    if (!isError(error, 'invalid')) throw error
    return undefined
  }
}

const reportUnreadable = (session: Session, {key}: KeyValue): void => session.warn(`The stored value of ${key} cannot be read. It was not changed.`)

/** CANDIDATES in groups that fit into one transaction each, no block twice in one. */
function* batches(candidates: readonly Candidate[]): Generator<Candidate[]> {
  let batch: Candidate[] = []
  let keys = 0
  for (const candidate of candidates.flatMap(portions)) {
    const more = 1 + candidate.affinities.length
    if (batch.length > 0 && keys + more > MAX_KEYS) {
      yield batch
      batch = []
      keys = 0
    }
    batch.push(candidate)
    keys += more
  }
  if (batch.length > 0) yield batch
}

/** CANDIDATE, or, with more stale affinities than a transaction takes, portions of it that each fill one: what is left after the first is stale. */
function portions({cidr, affinities}: Candidate): Candidate[] {
  const size = MAX_KEYS - 1
  return Array.from({length: Math.max(1, Math.ceil(affinities.length / size))}, (_, index) => ({cidr, affinities: affinities.slice(index * size, (index + 1) * size)}))
}

function releaseBatch(session: Session, scope: AffinityScope, batch: readonly Candidate[]): ReturnType<typeof commit<BlockOutcome[]>> {
  const reads = batch.flatMap(({cidr, affinities}) => [{get: blockKey(cidr)}, ...affinities.map((key) => ({get: key}))])
  return commit(session, reads, ({results}) => {
    const found = new Map(results.flat().map((kv) => [kv.key, kv]))
    const steps = batch.map((candidate) => releaseBlock(session, scope, candidate, found))
    return {
      writes: steps.flatMap(({writes}) => writes),
      guards: steps.flatMap(({guards}) => guards),
      what: `the release of ${batch.length === 1 ? 'a block' : `${batch.length} blocks`} within ${formatCidr(scope.within)}`,
      outcome: steps.map(({outcome}) => outcome),
    }
  })
}

/** What is to be written for one candidate, given what the store holds now. */
function releaseBlock(
  session: Session,
  {host, check}: AffinityScope,
  {cidr, affinities}: Candidate,
  found: ReadonlyMap<string, KeyValue>,
): {writes: Write[]; guards: Compare[]; outcome: BlockOutcome} {
  const key = blockKey(cidr)
  const kv = found.get(key)
  const block = kv && tryBlock(kv)
  const outcome = {key, cidr: formatCidr(cidr), seen: kv?.modRevision}
  if (kv && !block) {
    reportUnreadable(session, kv)
    return {writes: [], guards: [], outcome: {...outcome, did: 'nothing'}}
  }
  if (block) check?.(block)
  const stored = affinities.flatMap((each) => found.get(each) ?? [])
  const writes: Write[] = stored.map((read) => ({key: read.key, read, value: undefined}))
  if (!kv || !block || !isReleased(block, host, stored.length > 0)) {
    // Only affinities go. What makes them stale is that the block is missing or another's: it must stay so.
    const guards: Compare[] = writes.length === 0 ? [] : [kv ? {key, modRevision: kv.modRevision} : {key, version: 0n}]
    return {writes, guards, outcome: {...outcome, did: 'nothing'}}
  }
  const did = isEmpty(block) ? 'deleted' : 'disowned'
  // One that has just lost its affinity and still has addresses is done with.
  if (did === 'disowned' && block.affinity === null && stored.length === 0) return {writes: [], guards: [], outcome: {...outcome, did: 'nothing'}}
  const value = did === 'deleted' ? undefined : encodeBlock(nextVersion(withoutAffinity(block)))
  return {writes: [{key, read: kv, value}, ...writes], guards: [], outcome: {...outcome, did}}
}

/** Whether BLOCK itself is released, not only a stale affinity to it. */
function isReleased(block: Block, host: string | undefined, hasAffinity: boolean): boolean {
  if (block.affinity === null) return hasAffinity || host === undefined
  const owner = ownerOf(block)
  if (owner === undefined) return host === undefined && isEmpty(block)
  return host === undefined || (owner.type === 'host' && owner.host === host)
}
