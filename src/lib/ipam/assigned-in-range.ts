/** Which addresses of a range are assigned, found by the blocks that there are and not by asking for each address. */
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {KeyValue, Operation} from '../datastore/datastore.js'
import {isError} from '../errors.js'
import {blockKey} from '../model/keys.js'
import {type Address, ADDRESS_BITS, blockOf, type Cidr, compareAddresses, contains} from '../net/index.js'
import {assignedIn, BLOCK_PREFIXES, isReserved, parseBlock} from './block.js'
import {blocksPrefixWithin} from './block-keys.js'

/** The assigned addresses from FIRST to LAST, of each block by itself, in numeric order. What Windows nodes set aside is no one's. Values that cannot be read are reported and skipped. */
export async function assignedInRange(session: Session, first: Address, last: Address): Promise<Address[][]> {
  const around = smallestAround(first, last)
  const {min, max} = BLOCK_PREFIXES[first.family]
  // A block may be larger than the range; then it is one of few.
  const larger = Array.from({length: Math.max(0, Math.min(around.prefix, max + 1) - min)}, (_, i): Operation => ({get: blockKey(blockOf(first, min + i))}))
  const {results} = await read(session, larger)
  const found = new Map(results.flat().map((kv) => [kv.key, kv]))
  for await (const {entries} of session.store.list(blocksPrefixWithin(around))) for (const kv of entries) found.set(kv.key, kv)
  const inRange = (address: Address): boolean => compareAddresses(first, address) <= 0 && compareAddresses(address, last) <= 0
  return [...found.values()]
    .map((kv) => assignedAddresses(session, kv).filter(inRange).sort(compareAddresses))
    .filter((addresses) => addresses.length > 0)
    .sort(([a = first], [b = first]) => compareAddresses(a, b))
}

function assignedAddresses(session: Session, kv: KeyValue): Address[] {
  try {
    return [...assignedIn(parseBlock(kv))].filter(({attribute}) => !isReserved(attribute)).map(({address}) => address)
  } catch (error) {
    if (!isError(error, 'invalid')) throw error
    session.warn(error.message)
    return []
  }
}

/** The smallest network that has both addresses. */
function smallestAround(first: Address, last: Address): Cidr {
  let prefix: number = ADDRESS_BITS[first.family]
  while (!contains(blockOf(first, prefix), last)) prefix--
  return blockOf(first, prefix)
}
