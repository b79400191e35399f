/** What is known of one address, whatever pools there are. */
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {Operation} from '../datastore/datastore.js'
import {isError} from '../errors.js'
import {blockKey} from '../model/keys.js'
import {type Address, blockOf} from '../net/index.js'
import {type Attribute, type Block, BLOCK_PREFIXES, handleOf, isReserved, ordinalOf, ownerOf, parseBlock, sequenceNumberAt} from './block.js'

export interface AddressRecord {
  readonly address: Address
  /** CIDR of the block; undefined = the address is in none. */
  readonly block: string | undefined
  /** Whose block it is. */
  readonly owner: string | undefined
  /** undefined = it is free. */
  readonly assignment: {readonly handle: string | undefined; readonly attributes: Readonly<Record<string, string>>; readonly sequenceNumber: bigint; readonly attribute: Attribute} | undefined
}

/** The record of ADDRESS: all keys that its block could have are read in one round trip. */
export async function lookUpAddress(session: Session, address: Address): Promise<AddressRecord> {
  const {min, max} = BLOCK_PREFIXES[address.family]
  const reads = Array.from({length: max - min + 1}, (_, i): Operation => ({get: blockKey(blockOf(address, max - i))}))
  const {results} = await read(session, reads)
  const blocks = results.flat().flatMap((kv) => {
    try {
      return [parseBlock(kv)]
    } catch (error) {
      if (!isError(error, 'invalid')) throw error
      session.warn(error.message)
      return []
    }
  })
  const records = blocks.map((block) => recordIn(block, address))
  return records.find(({assignment}) => assignment) ?? records[0] ?? {address, block: undefined, owner: undefined, assignment: undefined}
}

function recordIn(block: Block, address: Address): AddressRecord {
  const ordinal = ordinalOf(block, address)
  const index = block.allocations[ordinal] ?? null
  const attribute = index === null ? undefined : block.attributes?.[index]
  return {
    address,
    block: block.cidr,
    owner: ownerOf(block)?.host,
    assignment: attribute && !isReserved(attribute) ? {handle: handleOf(attribute), attributes: attribute.secondary ?? {}, sequenceNumber: sequenceNumberAt(block, ordinal), attribute} : undefined,
  }
}
