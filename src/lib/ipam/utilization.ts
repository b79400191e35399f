/** How many addresses are in use: by pool, by block, by the node that has the blocks (datamodel-v3 §4.12). */
import {parsePools} from '../client/pools.js'
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {isError} from '../errors.js'
import {BLOCKS_PREFIX, kindPrefix} from '../model/keys.js'
import {type Cidr, compareCidrs, containsCidr, formatCidr, parseCidr, sizeOf} from '../net/index.js'
import {type Block, ownerOf, parseBlock} from './block.js'

export interface Use {
  readonly grouping: 'IP Pool' | 'Block' | 'Node'
  /** Empty for a node. */
  readonly cidr: string
  /** Whose block it is; for a block of no one undefined. */
  readonly node: string | undefined
  readonly total: bigint
  readonly used: bigint
}

/** What to tell besides the pools. */
export interface UseOptions {
  readonly blocks: boolean
  readonly nodes: boolean
}

interface BlockUse {
  readonly cidr: Cidr
  readonly node: string | undefined
  readonly total: bigint
  readonly used: bigint
}

/** The use of all pools, by CIDR; with BLOCKS each pool is followed by its blocks, and blocks in no pool come last. */
export async function addressUse(session: Session, {blocks, nodes}: UseOptions): Promise<Use[]> {
  const {results, revision} = await read(session, [{list: kindPrefix('IPPool')}])
  const pools = parsePools(session, results[0] ?? [])
    .flatMap(({cidr}) => (cidr ? {cidr, used: 0n, blocks: [] as BlockUse[]} : []))
    .sort((a, b) => compareCidrs(a.cidr, b.cidr))
  const orphans: BlockUse[] = []
  const byNode = new Map<string, {total: bigint; used: bigint}>()
  for await (const {entries} of session.store.list(BLOCKS_PREFIX, {revision})) {
    for (const kv of entries) {
      const use = tryUse(session, kv)
      if (!use) continue
      const pool = pools.find(({cidr}) => containsCidr(cidr, use.cidr))
      if (pool) pool.used += use.used
      if (blocks) (pool?.blocks ?? orphans).push(use)
      if (use.node !== undefined) {
        const sum = byNode.get(use.node) ?? {total: 0n, used: 0n}
        byNode.set(use.node, {total: sum.total + use.total, used: sum.used + use.used})
      }
    }
  }
  const rows = (uses: readonly BlockUse[]): Use[] => [...uses].sort((a, b) => compareCidrs(a.cidr, b.cidr)).map((use) => ({...use, grouping: 'Block', cidr: formatCidr(use.cidr)}))
  return [
    ...pools.flatMap((pool): Use[] => [{grouping: 'IP Pool', cidr: formatCidr(pool.cidr), node: undefined, total: sizeOf(pool.cidr), used: pool.used}, ...rows(pool.blocks)]),
    ...rows(orphans),
    ...(nodes ? [...byNode].sort(([a], [b]) => (a < b ? -1 : 1)).map(([node, sum]): Use => ({grouping: 'Node', cidr: '', node, ...sum})) : []),
  ]
}

function tryUse(session: Session, kv: {readonly key: string; readonly value: string}): BlockUse | undefined {
  let block: Block
  try {
    block = parseBlock(kv)
  } catch (error) {
    if (!isError(error, 'invalid')) throw error
    session.warn(`${error.message}. It is ignored.`)
    return undefined
  }
  const cidr = parseCidr(block.cidr)
  if (!cidr) return undefined
  const total = BigInt(block.allocations.length)
  return {cidr, node: ownerOf(block)?.host, total, used: total - BigInt(block.unallocated?.length ?? 0)}
}
