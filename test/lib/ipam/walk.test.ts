import {afterEach, expect, jest, test} from '@jest/globals'
import {poolOf, type Pool} from '../../../src/lib/ipam/pool.js'
import {blocksFrom, inWalkOrder, startIndex} from '../../../src/lib/ipam/walk.js'
import type {IPPool} from '../../../src/lib/model/types.js'
import {formatCidr, parseCidr} from '../../../src/lib/net/index.js'

function pool(cidr: string, blockSize: number): Pool {
  const found = poolOf({kind: 'IPPool', metadata: {name: 'pool'}, spec: {cidr, blockSize}} as unknown as IPPool)
  if (!found) throw new Error(cidr)
  return found
}
afterEach(() => {
  jest.restoreAllMocks()
})

// The hashes are those of the FNV reference for FNV-1 in 32 bits.
test.each([
  ['', 0x811c9dc5n],
  ['a', 0x050c5d7en],
  ['foobar', 0x31f0b262n],
])('host %j enters a pool where its hash says', (host, hash) => {
  expect(startIndex(pool('fd00::/64', 122), host)).toBe(hash)
  expect(startIndex(pool('10.0.0.0/8', 20), host)).toBe(hash % 4096n)
  expect(startIndex(pool('10.0.0.0/26', 26), host)).toBe(0n)
})

test('a pool of single addresses is entered anywhere', () => {
  for (const random of [0, 0.5, 0.999_999_999]) {
    jest.spyOn(Math, 'random').mockReturnValue(random)
    expect(startIndex(pool('10.0.0.0/24', 32), 'a')).toBe(BigInt(Math.floor(random * 256 * 2 ** 24)) % 256n)
  }
})

test.each([0n, 1n, 3n])('from block %s on and round; what exists is met in the same order', (start) => {
  const all = pool('10.1.0.0/24', 26)
  const blocks = [...blocksFrom(all, start)]
  const texts = ['10.1.0.0/26', '10.1.0.64/26', '10.1.0.128/26', '10.1.0.192/26']
  expect(blocks.map(formatCidr)).toEqual([...texts.slice(Number(start)), ...texts.slice(0, Number(start))])
  expect(inWalkOrder(all, start, [...blocks].reverse())).toEqual(blocks)
})

test('blocks of other sizes come where their first address does, by their text where that is the same', () => {
  const cidrs = ['10.1.0.200/29', '10.1.0.64/27', '10.1.0.64/28', '10.1.0.0/25', '10.1.0.96/27', '10.1.0.192/28'].map((text) => parseCidr(text) ?? {family: 4 as const, value: 0n, prefix: 0})
  expect(inWalkOrder(pool('10.1.0.0/24', 26), 1n, cidrs).map(formatCidr)).toEqual(['10.1.0.64/27', '10.1.0.64/28', '10.1.0.96/27', '10.1.0.192/28', '10.1.0.200/29', '10.1.0.0/25'])
})
