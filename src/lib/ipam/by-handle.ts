/** The addresses of a handle (libcalico-go's IPsByHandle, datamodel-v3 §4.7): the handle says in which blocks to look, the blocks are the truth. */
import {append} from '../append.js'
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {blockKey, handleKey} from '../model/keys.js'
import {type Address, type Cidr, parseCidr} from '../net/index.js'
import {addressesOf, parseBlock} from './block.js'
import {BLOCK, HANDLE} from './codecs.js'
import type {Draft} from './draft.js'
import {type Handle, parseHandle} from './handle.js'

/**
 * The addresses that are assigned to HANDLE, block by block.
 * @throws CalicoError `not-found` if there is no such handle; `invalid` for values that cannot be read
 */
export async function addressesByHandle(session: Session, handle: string): Promise<Address[]> {
  const first = await read(session, [{get: handleKey(handle)}])
  const kv = first.results[0]?.[0]
  if (!kv) throw noHandle(handle)
  const blocks = blocksOf(parseHandle(kv))
  const {results} = blocks.length === 0 ? {results: []} : await session.store.transact({then: blocks.map((cidr) => ({get: blockKey(cidr)}))})
  return results.flat().flatMap((stored) => addressesOf(parseBlock(stored), handle))
}

/** The addresses of HANDLE on DRAFT; none if there is no such handle. */
export async function addressesIn(draft: Draft, handle: string): Promise<Address[]> {
  const stored = await draft.get(HANDLE, handleKey(handle))
  const keys = stored ? blocksOf(stored).map((cidr) => blockKey(cidr)) : []
  await draft.load(keys)
  await draft.verify(keys)
  const addresses: Address[] = []
  for (const key of keys) {
    const block = await draft.get(BLOCK, key)
    if (block) append(addresses, addressesOf(block, handle))
  }
  return addresses
}

/** The blocks that HANDLE names, in their text's order. */
export const blocksOf = ({block}: Handle): Cidr[] => Object.keys(block).sort().flatMap((text) => parseCidr(text) ?? [])

export const noHandle = (handle: string): CalicoError => new CalicoError('not-found', `No addresses are assigned with handle ${handle}`)
