/** Ranges of addresses, as `pool range add` takes them. */
import {type Address, ADDRESS_BITS} from './address.js'
import type {Cidr} from './cidr.js'

/**
 * The fewest networks that together are exactly the addresses FIRST to LAST, in numeric order (cli-v0.20 §4.6.2). At most 62 for IPv4, 254 for IPv6.
 * @throws RangeError if FIRST is above LAST or of another family
 */
export function coverRange(first: Address, last: Address): Cidr[] {
  if (first.family !== last.family || first.value > last.value) throw new RangeError('a range needs a first and a last address of one family')
  const bits = ADDRESS_BITS[first.family]
  const cover: Cidr[] = []
  let next = first.value
  while (next <= last.value) {
    // The largest network that begins at `next` and does not go beyond the last address.
    let free = next === 0n ? bits : Math.min(bits, trailingZeros(next))
    while (next + (1n << BigInt(free)) - 1n > last.value) free--
    cover.push({family: first.family, value: next, prefix: bits - free})
    next += 1n << BigInt(free)
  }
  return cover
}

/** Number of zero bits below the lowest one of VALUE, which is not 0. */
function trailingZeros(value: bigint): number {
  return (value & -value).toString(2).length - 1
}
