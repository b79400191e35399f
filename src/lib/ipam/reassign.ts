/**
 * Moving an assigned address from one owner to another. What is stored afterwards is what a release and an assignment right after it would have
 * left, sequence numbers included: whoever means the earlier assignment cannot free this one. But no one else can have the address in between.
 */
import {CalicoError} from '../errors.js'
import {blockKey, handleKey} from '../model/keys.js'
import {type Address, formatAddress} from '../net/index.js'
import {type Assignee, assignOrdinal} from './assign.js'
import {assignOn} from './assign-address.js'
import {type Attribute, type Block, blockCidr, handleOf, nextVersion, ordinalOf} from './block.js'
import {BLOCK, HANDLE} from './codecs.js'
import type {Draft} from './draft.js'
import {decrement, type Handle, increment, isHandleEmpty, newHandle} from './handle.js'
import {readPools} from './lists.js'
import {release} from './release.js'
import {blockFinder} from './release-addresses.js'

/** BLOCK with the address at ORDINAL, which is assigned, assigned to ASSIGNEE. Pure. */
export function reassign(block: Block, ordinal: number, assignee: Assignee): Block {
  const assigned = assignOrdinal(nextVersion(release(block, [{ordinal}]).block), ordinal, assignee)
  if (!assigned) throw new TypeError('what was released is free')
  return nextVersion(assigned)
}

/** Whom an address is to belong to. */
export interface Owner extends Assignee {
  readonly handle: string
}

/** An address that OWNER is to have. */
export interface Taking {
  readonly address: Address
  /** The node that gets the block, if the address is in none yet. */
  readonly node: string
  readonly owner: Owner
  /** Whether an assignment to another client may be moved. Keys that this rests on are its own to note on the draft. */
  readonly mayMove: (attribute: Attribute) => boolean | Promise<boolean>
}

/**
 * Makes the address its owner's on DRAFT: it is assigned if it is free, and moved if it may be.
 * @returns `held`: the owner had it already
 * @throws CalicoError `conflict` if it is another owner's; for one that is free, as assignAddress
 */
export async function takeAddress(draft: Draft, {address, node, owner, mayMove}: Taking): Promise<'assigned' | 'moved' | 'held'> {
  const {handle, attributes} = owner
  const blockAround = blockFinder(draft, await readPools(draft))
  for (;;) {
    const cidr = await blockAround(address)
    const key = cidr && blockKey(cidr)
    const block = key === undefined ? undefined : await draft.get(BLOCK, key)
    const attribute = block && attributeAt(block, ordinalOf(block, address))
    const isHeld = attribute !== undefined && handleOf(attribute) === handle
    if (block && attribute && !isHeld && (await mayMove(attribute))) {
      await move(draft, block, address, owner)
      return 'moved'
    }
    // Neither that it is free, nor its owner's, nor another owner's, must be said of what was so once.
    if (key !== undefined && (await draft.verify([key]))) continue
    if (key === undefined || !attribute) {
      await assignOn(draft, {address, node, handle, ...(attributes === undefined ? {} : {attributes})})
      return 'assigned'
    }
    if (!isHeld) throw taken(address, attribute)
    draft.restOn(key)
    return 'held'
  }
}

function attributeAt({allocations, attributes}: Block, ordinal: number): Attribute | undefined {
  const index = allocations[ordinal] ?? null
  return index === null ? undefined : attributes?.[index]
}

function taken(address: Address, attribute: Attribute): CalicoError {
  const handle = handleOf(attribute)
  return new CalicoError('conflict', `${formatAddress(address)} is already assigned, ${handle ? `with the handle ${handle}` : 'without a handle'}`, {
    hint: `To see by whom: calicoctl ipam info ${formatAddress(address)}`,
  })
}

async function move(draft: Draft, block: Block, address: Address, owner: Owner): Promise<void> {
  const ordinal = ordinalOf(block, address)
  const from = handleOf(attributeAt(block, ordinal) ?? {})
  draft.set(BLOCK, blockKey(blockCidr(block)), reassign(block, ordinal, owner))
  if (from) await changeHandle(draft, from, (handle) => handle && decrement(handle, block.cidr, 1))
  await changeHandle(draft, owner.handle, (handle) => increment(handle ?? newHandle(), block.cidr, 1))
}

async function changeHandle(draft: Draft, id: string, change: (handle: Handle | undefined) => Handle | undefined): Promise<void> {
  const key = handleKey(id)
  const before = await draft.get(HANDLE, key)
  const after = change(before)
  if (after !== before) draft.set(HANDLE, key, after && isHandleEmpty(after) ? undefined : after)
}
