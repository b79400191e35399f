/** Assigning one address by name (libcalico-go's AssignIP, datamodel-v3 §4.6): selectors, uses, reservations and limits are not examined. */
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {affinityKey, blockKey, handleKey, IPAM_CONFIG_KEY, resourceKey} from '../model/keys.js'
import {type Address, blockOf, equalAddresses, formatAddress} from '../net/index.js'
import {addressesIn} from './by-handle.js'
import {type Block, handleOf, hostAffinity, ordinalOf, ownerOf} from './block.js'
import {BLOCK, CONFIG} from './codecs.js'
import {DEFAULT_CONFIG} from './config.js'
import type {Draft} from './draft.js'
import {claim, giveOrdinal} from './give.js'
import {POOLS_PREFIX, readPools} from './lists.js'
import {requireNode} from './node.js'
import {poolOfAddress} from './pool.js'
import {submit} from './queue.js'

export interface AddressRequest {
  readonly address: Address
  /** The node to assign for: its stored name. If the address is in no block yet, the node gets the block. */
  readonly node: string
  readonly handle?: string
  /** As in AssignRequest. */
  readonly attributes?: Readonly<Record<string, string>>
  /** As in AssignRequest; with it, assigning an address that the handle has already is no error. */
  readonly maxPerHandle?: number
  /** As in AssignRequest; without it the Node need not exist. */
  readonly createNode?: boolean
}

export interface AddressAssignment {
  /** False: the handle had the address already. */
  readonly assigned: boolean
  readonly createdNode: boolean
}

/**
 * Assigns the address.
 * @throws CalicoError `invalid` if it is in no enabled pool; `conflict` if it is assigned already; `refused` if affinity is strict and the block is not
 *   the node's; see also commit()
 */
export function assignAddress(session: Session, request: AddressRequest): Promise<AddressAssignment> {
  const {address, handle, node, createNode = false} = request
  if (handle === '') throw new CalicoError('invalid', 'A handle cannot be empty')
  return submit<AddressAssignment>(session, {
    what: `the assignment of ${formatAddress(address)}`,
    reads: () => [
      {get: IPAM_CONFIG_KEY},
      {list: POOLS_PREFIX},
      ...(handle === undefined ? [] : [{get: handleKey(handle)}]),
      ...(createNode ? [{get: resourceKey('Node', node)}] : []),
    ],
    async plan(draft) {
      const createdNode = createNode ? (await requireNode(draft, node, {create: true})).created : false
      return {outcome: {assigned: await assignOn(draft, request), createdNode}}
    },
  })
}

/** Assigns the address on DRAFT, together with what else is to change; false: the handle had it already. `createNode` is the caller's. @throws as assignAddress */
export async function assignOn(draft: Draft, {address, node, handle, attributes, maxPerHandle = 0}: AddressRequest): Promise<boolean> {
  const text = formatAddress(address)
  const pool = poolOfAddress((await readPools(draft)).filter(({enabled}) => enabled), address)
  if (!pool) throw new CalicoError('invalid', `${text} is not in an enabled pool`, {hint: 'To see the pools: calicoctl pool show'})
  const config = (await draft.get(CONFIG, IPAM_CONFIG_KEY)) ?? DEFAULT_CONFIG
  draft.restOn(IPAM_CONFIG_KEY)
  const cidr = blockOf(address, pool.blockSize)
  const key = blockKey(cidr)
  await draft.load([key, affinityKey(node, cidr)])
  // A refusal must not come from what was true once.
  await draft.verify([key])
  const stored = await draft.get(BLOCK, key)
  if (stored && config.strict_affinity && stored.affinity !== hostAffinity(node)) throw strict(text, stored)
  const held = await alreadyHeld(draft, stored, {address, handle, maxPerHandle})
  if (held) return false
  const block = stored ?? claim(draft, cidr, node)
  const assignee = {...(handle === undefined ? {} : {handle}), ...(attributes === undefined ? {} : {attributes})}
  if (await giveOrdinal(draft, pool, block, ordinalOf(block, address), assignee)) return true
  throw new CalicoError('conflict', `${text} is already assigned`, {hint: `To see by whom: calicoctl ipam info ${text}`})
}

function strict(text: string, block: Block): CalicoError {
  const owner = ownerOf(block)
  return new CalicoError('refused', `${text} is in a block of ${owner ? `node ${owner.host}` : 'no node'}, and strict affinity is set`, {hint: 'To allow it: calicoctl ipam configure --strict-affinity=false'})
}

/** Whether the handle has the address. @throws CalicoError `conflict` if it has others, and may have no more */
async function alreadyHeld(draft: Draft, block: Block | undefined, {address, handle, maxPerHandle}: {address: Address; handle: string | undefined; maxPerHandle: number}): Promise<boolean> {
  if (handle === undefined || maxPerHandle === 0) return false
  const index = block?.allocations[ordinalOf(block, address)] ?? null
  const attribute = index === null ? undefined : block?.attributes?.[index]
  if (attribute && handleOf(attribute) === handle) return true
  const held = (await addressesIn(draft, handle)).filter(({family}) => family === address.family)
  if (held.some((each) => equalAddresses(each, address))) return true
  if (held.length < maxPerHandle) return false
  throw new CalicoError('conflict', `Handle ${handle} already has ${held.map(formatAddress).join(', ')}`)
}

