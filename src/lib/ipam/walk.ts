/** In which order a host looks for blocks in a pool (datamodel-v3 §4.3): from a place of its own on, so that hosts seldom meet. Pure. */
import {type Cidr, firstAddress, formatCidr, sizeOf, subnetAt, subnetCount} from '../net/index.js'
import type {Pool} from './pool.js'

/** The block of POOL, which has some, that HOST looks at first, as an index. Pools of single-address blocks are entered anywhere: a host has many of those. */
export function startIndex({cidr, blockSize}: Pool, host: string): bigint {
  const single = sizeOf({...cidr, prefix: blockSize}) === 1n
  return BigInt(single ? Math.floor(Math.random() * 0x1_0000_0000) : fnv1(host)) % subnetCount(cidr, blockSize)
}

/** Every block of POOL once, from START on and round. */
export function* blocksFrom({cidr, blockSize}: Pool, start: bigint): Generator<Cidr> {
  const count = subnetCount(cidr, blockSize)
  for (let i = 0n; i < count; i++) yield subnetAt(cidr, blockSize, (start + i) % count)
}

/** EXISTING, blocks within POOL, in the order in which blocksFrom meets them; blocks of another size than POOL's come where their first address does. */
export function inWalkOrder(pool: Pool, start: bigint, existing: readonly Cidr[]): Cidr[] {
  const size = sizeOf({...pool.cidr, prefix: pool.blockSize})
  const count = subnetCount(pool.cidr, pool.blockSize)
  const base = firstAddress(pool.cidr).value
  const position = (block: Cidr): bigint => (((block.value - base) / size - start) % count + count) % count
  return existing.map((block) => ({block, at: position(block), text: formatCidr(block)})).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.text < b.text ? -1 : 1)).map(({block}) => block)
}

/** FNV-1 in 32 bits, which Calico seeds its walk with. */
function fnv1(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0
  return hash
}
