/**
 * Blocks: the unit in which a pool's addresses are given to hosts, and the place where each assignment is recorded (datamodel-v3 §1.14).
 * Values, never changed in place: assign.ts and release.ts make one block from another.
 */
import {isObject} from '../json/is-object.js'
import {stringifyJson} from '../json/json.js'
import {type Address, addressAt, type Cidr, formatCidr, indexIn, isNetwork, networkOf, parseCidr, sizeOf} from '../net/index.js'
import {isIndex, parseObject, type StoredText, uint64, unreadable} from './stored.js'

/** Whom an address is assigned to. Several addresses of a block share one, by its index. */
export interface Attribute {
  readonly handle_id?: string
  /** The owner's attributes: `node`, `type` and so on (datamodel-v3 §4.11). */
  readonly secondary?: Readonly<Record<string, string>>
  readonly alternateOwnerAttrs?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** A block as it is stored, with exact sequence numbers. Fields that a newer Calico adds are carried along. */
export interface Block {
  /** Canonical, `192.168.10.0/26`. */
  readonly cidr: string
  /** `host:<node>`, `virtual:load-balancer`, or null = none. v0.20's '' is *not* none (trap T9): it stays as it is, and no one has it. */
  readonly affinity: string | null
  /** RFC 3339; absent on old blocks and on those without affinity. */
  readonly affinity_claim_time?: string
  /** By ordinal, which is the address's index in the block: null = free, else an index of `attributes`. */
  readonly allocations: readonly (number | null)[]
  /** The free ordinals: taken from the front, released at the end. Absent reads as none free, as Calico reads it. */
  readonly unallocated?: readonly number[] | null
  readonly attributes?: readonly Attribute[] | null
  /** Raised by one at every change; a block starts with the time of its creation in nanoseconds. Absent = 0. */
  readonly sequenceNumber?: bigint
  /** The block's sequence number at the assignment, by ordinal in decimal. */
  readonly sequenceNumberForAllocation?: Readonly<Record<string, bigint>> | null
  readonly deleted?: boolean
  readonly [field: string]: unknown
}

/** Addresses with this handle (in any case) are set aside by Windows nodes; a block with no others counts as empty. */
const WINDOWS_RESERVED_HANDLE = 'windows-reserved-ipam-handle'

/** Sizes that a pool's blocks may have, as prefix lengths: at most 4,096 addresses. */
export const BLOCK_PREFIXES = {4: {min: 20, max: 32}, 6: {min: 116, max: 128}} as const

/**
 * The block in STORED.
 * @throws CalicoError `invalid` for a value that is no block or contradicts itself: what refers to a missing attribute, or has not one allocation per address
 */
export function parseBlock(stored: StoredText): Block {
  const value = parseObject(stored)
  const problem = (why: string) => unreadable(stored, why)
  const cidr = typeof value.cidr === 'string' ? parseCidr(value.cidr) : undefined
  if (!cidr || !isNetwork(cidr)) throw problem('cidr is not a network')
  const {min, max} = BLOCK_PREFIXES[cidr.family]
  if (cidr.prefix < min || cidr.prefix > max) throw problem(`a block cannot be a /${cidr.prefix}`)
  if (value.affinity !== undefined && value.affinity !== null && typeof value.affinity !== 'string') throw problem('affinity is not a string')
  if (!isAttributes(value.attributes)) throw problem('attributes is not a list of attributes')
  const size = Number(sizeOf(cidr))
  const last = (value.attributes?.length ?? 0) - 1
  if (!Array.isArray(value.allocations) || value.allocations.length !== size) throw problem(`allocations is not a list of ${size}`)
  if (!value.allocations.every((index) => index === null || isIndex(index, last))) throw problem('allocations has an index that no attribute has')
  const free: unknown = value.unallocated ?? []
  if (!Array.isArray(free) || !free.every((ordinal) => isIndex(ordinal, size - 1))) throw problem(`unallocated is not a list of ordinals below ${size}`)
  const sequenceNumber = value.sequenceNumber === undefined ? 0n : uint64(value.sequenceNumber)
  if (sequenceNumber === undefined) throw problem('sequenceNumber is not a 64-bit number')
  const sequenceNumbers = readSequenceNumbers(value.sequenceNumberForAllocation)
  if (sequenceNumbers === undefined) throw problem('sequenceNumberForAllocation has a value that is not a 64-bit number')
  return {
    ...value,
    ...(value.sequenceNumber === undefined ? {} : {sequenceNumber}),
    ...(value.sequenceNumberForAllocation === undefined ? {} : {sequenceNumberForAllocation: sequenceNumbers}),
    affinity: value.affinity ?? null,
  } as Block
}

/** BLOCK as the text that is stored. */
export const encodeBlock = (block: Block): string => stringifyJson(block)

function isAttributes(value: unknown): value is readonly Attribute[] | null | undefined {
  if (value === null || value === undefined) return true
  return Array.isArray(value) && value.every((entry) => isObject(entry) && isOptional(entry.handle_id, (id) => typeof id === 'string') && isOptional(entry.secondary, isStrings) && isOptional(entry.alternateOwnerAttrs, isStrings))
}

const isOptional = (value: unknown, test: (value: unknown) => boolean): boolean => value === undefined || value === null || test(value)

const isStrings = (value: unknown): boolean => isObject(value) && Object.values(value).every((entry) => typeof entry === 'string')

function readSequenceNumbers(value: unknown): Record<string, bigint> | null | undefined {
  if (value === undefined || value === null) return null
  if (!isObject(value)) return undefined
  const numbers: Record<string, bigint> = {}
  for (const [ordinal, entry] of Object.entries(value)) {
    const number = uint64(entry)
    if (number === undefined) return undefined
    numbers[ordinal] = number
  }
  return numbers
}

/**
 * A block that no one has assigned from yet.
 * @param affinity whose it is, e.g. hostAffinity('host-1')
 * @param claimTime RFC 3339, whole seconds
 * @param sequenceNumber nanoseconds since 1970, so that a block that is deleted and made again does not repeat its numbers
 */
export function newBlock(cidr: Cidr, affinity: string, {claimTime, sequenceNumber}: {claimTime: string; sequenceNumber: bigint}): Block {
  const size = Number(sizeOf(cidr))
  return {
    cidr: formatCidr(networkOf(cidr)),
    affinity,
    affinity_claim_time: claimTime,
    allocations: Array<null>(size).fill(null),
    unallocated: Array.from({length: size}, (_, ordinal) => ordinal),
    attributes: null,
    sequenceNumber,
    sequenceNumberForAllocation: {},
    deleted: false,
  }
}

/** The affinity that a block of HOST has. */
export const hostAffinity = (host: string): string => `host:${host}`

/** Whom a block belongs to by its `affinity`; undefined if it belongs to no one. */
export function ownerOf({affinity}: Block): {readonly type: 'host' | 'virtual'; readonly host: string} | undefined {
  const [, type, host] = /^(host|virtual):(.+)$/s.exec(affinity ?? '') ?? []
  return host !== undefined && (type === 'host' || type === 'virtual') ? {type, host} : undefined
}

export function blockCidr({cidr}: Block): Cidr {
  const parsed = parseCidr(cidr)
  if (!parsed) throw new RangeError(`${cidr} is not a block's CIDR`)
  return parsed
}

/** The ordinal of ADDRESS. @throws RangeError for one that is not in the block */
export function ordinalOf(block: Block, address: Address): number {
  const index = indexIn(blockCidr(block), address)
  if (index === undefined) throw new RangeError(`the address is not in block ${block.cidr}`)
  return Number(index)
}

/** The addresses that are assigned, with their attributes, by ordinal. */
export function* assignedIn(block: Block): Generator<{readonly ordinal: number; readonly address: Address; readonly attribute: Attribute}> {
  const cidr = blockCidr(block)
  for (const [ordinal, index] of block.allocations.entries()) {
    const attribute = index === null ? undefined : block.attributes?.[index]
    if (attribute) yield {ordinal, address: addressAt(cidr, ordinal), attribute}
  }
}

/** Whether no address is assigned, those that Windows nodes set aside excepted. */
export function isEmpty(block: Block): boolean {
  for (const {attribute} of assignedIn(block)) if (!isReserved(attribute)) return false
  return true
}

/** Whether an address is not assigned to anybody but set aside by a Windows node. */
export const isReserved = ({handle_id: handle}: Attribute): boolean => handle?.toLowerCase() === WINDOWS_RESERVED_HANDLE

/** The handle of an attribute as it is compared: some old ones have a carriage return and more behind it. Undefined = none. */
export const handleOf = ({handle_id: handle}: Attribute): string | undefined => handle?.split('\r', 1)[0]

/** How many addresses each handle has in BLOCK. */
export function countByHandle(block: Block): Map<string, number> {
  const counts = new Map<string, number>()
  for (const {attribute} of assignedIn(block)) {
    const handle = handleOf(attribute)
    if (handle) counts.set(handle, (counts.get(handle) ?? 0) + 1)
  }
  return counts
}

/** The addresses of HANDLE in BLOCK, by ordinal. */
export function addressesOf(block: Block, handle: string): Address[] {
  return [...assignedIn(block)].filter(({attribute}) => handleOf(attribute) === handle).map(({address}) => address)
}

/** The block's sequence number at the assignment of ORDINAL; 0 if none is recorded. */
export const sequenceNumberAt = ({sequenceNumberForAllocation: numbers}: Block, ordinal: number): bigint => numbers?.[String(ordinal)] ?? 0n

/** BLOCK as it is to be stored in place of the one it was made from: every stored change raises the sequence number by one. */
export const nextVersion = (block: Block): Block => ({...block, sequenceNumber: BigInt.asUintN(64, (block.sequenceNumber ?? 0n) + 1n)})

/** BLOCK as no one's; its assignments stay. */
export function withoutAffinity({affinity_claim_time: _, ...block}: Block): Block {
  return {...block, affinity: null}
}

const BLOCK_FIELDS: ReadonlySet<string> = new Set(['cidr', 'affinity', 'affinity_claim_time', 'allocations', 'unallocated', 'attributes', 'sequenceNumber', 'sequenceNumberForAllocation', 'deleted', 'hostAffinity'])
const ATTRIBUTE_FIELDS: ReadonlySet<string> = new Set(['handle_id', 'secondary', 'alternateOwnerAttrs'])

/** Whether a newer Calico has added something to BLOCK, of which we do not know what it means for its addresses. */
export const hasUnknownFields = (block: Block): boolean => Object.keys(block).some((field) => !BLOCK_FIELDS.has(field))

/** Whether a newer Calico says more about an assignment than we know, e.g. that the address was released and cools down. */
export const saysMore = (attribute: Attribute): boolean => Object.keys(attribute).some((field) => !ATTRIBUTE_FIELDS.has(field))
