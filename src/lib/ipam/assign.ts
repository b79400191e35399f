/** Assigning addresses of a block (datamodel-v3 §4.5, §4.6). Pure: who may take from which block is the allocator's to decide. */
import type {Address} from '../net/index.js'
import {addressAt} from '../net/index.js'
import {type Attribute, type Block, blockCidr} from './block.js'

/** Whom to assign to: a handle, if there is one, and attributes of the owner. */
export interface Assignee {
  readonly handle?: string
  /** Absent and {} are distinguished as Calico does: {} never shares an attribute with an earlier assignment. Pass nothing for none. */
  readonly attributes?: Readonly<Record<string, string>>
}

/**
 * BLOCK with up to COUNT of its free addresses assigned to ASSIGNEE, in the order of its list of free ones; reserved ones are skipped.
 * The ordinals may be fewer than COUNT, or none: then BLOCK is returned unchanged.
 */
export function assignFree(block: Block, count: number, assignee: Assignee, isReserved: (address: Address) => boolean = () => false): {block: Block; ordinals: number[]} {
  const ordinals: number[] = []
  for (const ordinal of freeOrdinals(block, isReserved)) {
    if (ordinals.length >= count) break
    ordinals.push(ordinal)
  }
  return {block: ordinals.length === 0 ? block : assign(block, ordinals, assignee), ordinals}
}

/** BLOCK with the address at ORDINAL assigned to ASSIGNEE; undefined if it is assigned already. */
export function assignOrdinal(block: Block, ordinal: number, assignee: Assignee): Block | undefined {
  return block.allocations[ordinal] === null ? assign(block, [ordinal], assignee) : undefined
}

/** How many addresses assignFree could give. */
export function freeCount(block: Block, isReserved: (address: Address) => boolean = () => false): number {
  return [...freeOrdinals(block, isReserved)].length
}

/** The list of free ordinals. One that it names twice, or that is not free, must not lead to a second assignment. */
function* freeOrdinals(block: Block, isReserved: (address: Address) => boolean): Generator<number> {
  const cidr = blockCidr(block)
  for (const ordinal of new Set(block.unallocated)) {
    if (block.allocations[ordinal] === null && !isReserved(addressAt(cidr, ordinal))) yield ordinal
  }
}

function assign(block: Block, ordinals: readonly number[], assignee: Assignee): Block {
  const {attributes, index} = findOrAppend(block.attributes ?? [], assignee)
  const allocations = [...block.allocations]
  const sequenceNumbers: Record<string, bigint> = {...block.sequenceNumberForAllocation}
  for (const ordinal of ordinals) {
    allocations[ordinal] = index
    sequenceNumbers[String(ordinal)] = block.sequenceNumber ?? 0n
  }
  const taken = new Set(ordinals)
  return {
    ...block,
    allocations,
    unallocated: (block.unallocated ?? []).filter((ordinal) => !taken.has(ordinal)),
    attributes,
    sequenceNumberForAllocation: sequenceNumbers,
  }
}

/** The index of the attribute that says exactly what ASSIGNEE does; it is appended if there is none. */
function findOrAppend(attributes: readonly Attribute[], assignee: Assignee): {attributes: readonly Attribute[]; index: number} {
  const index = attributes.findIndex((attribute) => saysTheSame(attribute, assignee))
  return index === -1 ? {attributes: [...attributes, attributeOf(assignee)], index: attributes.length} : {attributes, index}
}

const attributeOf = ({handle, attributes = {}}: Assignee): Attribute => ({
  ...(handle === undefined ? {} : {handle_id: handle}),
  ...(Object.keys(attributes).length === 0 ? {} : {secondary: {...attributes}}),
})

/** An attribute with a field that we do not know says more than ASSIGNEE does. */
function saysTheSame({handle_id: handle, secondary, alternateOwnerAttrs, ...unknown}: Attribute, assignee: Assignee): boolean {
  return (handle ?? undefined) === assignee.handle && sameStrings(secondary, assignee.attributes) && (alternateOwnerAttrs ?? undefined) === undefined && Object.keys(unknown).length === 0
}

function sameStrings(a: Readonly<Record<string, string>> | null | undefined, b: Readonly<Record<string, string>> | undefined): boolean {
  if (!a || !b) return !a && !b
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
}
