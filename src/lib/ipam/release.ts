/** Releasing addresses of a block (datamodel-v3 §4.8). Pure. */
import {CalicoError} from '../errors.js'
import {formatAddress, addressAt} from '../net/index.js'
import {assignedIn, type Block, blockCidr, handleOf, sequenceNumberAt} from './block.js'

/** An address to release, and what must be true of its assignment for that. */
export interface Release {
  readonly ordinal: number
  /** It must have this handle. */
  readonly handle?: string
  /** It must have been assigned at this sequence number of the block. */
  readonly sequenceNumber?: bigint
}

export interface Released {
  /** The block without the assignments; the same object if there was nothing to release. */
  readonly block: Block
  readonly ordinals: readonly number[]
  /** Those asked for that were not assigned. */
  readonly unassigned: readonly number[]
  /** How many addresses each handle lost. */
  readonly countByHandle: ReadonlyMap<string, number>
}

/**
 * BLOCK with the addresses of RELEASES free again, in that order at the end of the list of free ones. Each is released once, however often it is named.
 * @throws CalicoError `conflict` if one of them has another handle or sequence number than asked for: whoever asks knows an earlier assignment of it
 */
export function release(block: Block, releases: readonly Release[]): Released {
  const ordinals: number[] = []
  const unassigned: number[] = []
  const countByHandle = new Map<string, number>()
  for (const {ordinal, handle, sequenceNumber} of new Map(releases.map((each) => [each.ordinal, each])).values()) {
    const stored = sequenceNumberAt(block, ordinal)
    if (sequenceNumber !== undefined && sequenceNumber !== stored) throw changedOwner(block, ordinal, `sequence number ${stored}, not ${sequenceNumber}`)
    const index = block.allocations[ordinal] ?? null
    const attribute = index === null ? undefined : block.attributes?.[index]
    if (!attribute) {
      unassigned.push(ordinal)
      continue
    }
    const found = handleOf(attribute) ?? ''
    if (handle !== undefined && handle !== found) throw changedOwner(block, ordinal, found === '' ? `no handle, not ${handle}` : `handle ${found}, not ${handle}`)
    ordinals.push(ordinal)
    if (found !== '') countByHandle.set(found, (countByHandle.get(found) ?? 0) + 1)
  }
  if (ordinals.length === 0) return {block, ordinals, unassigned, countByHandle}
  const freed = free(block, ordinals)
  const gone = new Set(ordinals.map(String))
  const sequenceNumbers = Object.entries(block.sequenceNumberForAllocation ?? {}).filter(([ordinal]) => !gone.has(ordinal))
  return {block: {...freed, sequenceNumberForAllocation: Object.fromEntries(sequenceNumbers)}, ordinals, unassigned, countByHandle}
}

/**
 * BLOCK without the assignments of HANDLE; the same object if it has none. The sequence numbers of their assignment stay, as Calico leaves them.
 * @param sequenceNumber spare those that were assigned at another one
 */
export function releaseHandle(block: Block, handle: string, {sequenceNumber}: {sequenceNumber?: bigint} = {}): {block: Block; ordinals: readonly number[]} {
  const ordinals = [...assignedIn(block)]
    .filter(({ordinal, attribute}) => handleOf(attribute) === handle && (sequenceNumber === undefined || sequenceNumberAt(block, ordinal) === sequenceNumber))
    .map(({ordinal}) => ordinal)
  return {block: ordinals.length === 0 ? block : free(block, ordinals, handle), ordinals}
}

/** BLOCK with ORDINALS free. Attributes that lose their last assignment go, and those of HANDLE that have none; those behind them move up. */
function free(block: Block, ordinals: readonly number[], handle?: string): Block {
  const before = used(block.allocations)
  const allocations = [...block.allocations]
  for (const ordinal of ordinals) allocations[ordinal] = null
  const after = used(allocations)
  const attributes = block.attributes ?? []
  const positions = new Map<number, number>()
  for (const [index, attribute] of attributes.entries()) {
    const wasUnused = !before.has(index) && (handle === undefined || handleOf(attribute) !== handle)
    if (after.has(index) || wasUnused) positions.set(index, positions.size)
  }
  return {
    ...block,
    allocations: allocations.map((index) => (index === null ? null : (positions.get(index) ?? null))),
    unallocated: [...(block.unallocated ?? []), ...ordinals],
    attributes: attributes.filter((_, index) => positions.has(index)),
  }
}

const used = (allocations: readonly (number | null)[]): Set<number | null> => new Set(allocations)

const changedOwner = (block: Block, ordinal: number, found: string): CalicoError =>
  new CalicoError('conflict', `${formatAddress(addressAt(blockCidr(block), ordinal))} has been reassigned: it has ${found}`)
