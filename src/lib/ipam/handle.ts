/** Handles: which blocks an owner has addresses in, and how many (datamodel-v3 §1.16, §4.7). An index over the blocks, which are the truth. */
import {isObject} from '../json/is-object.js'
import {stringifyJson} from '../json/json.js'
import {parseObject, type StoredText, unreadable} from './stored.js'

/** A handle as it is stored. Fields that a newer Calico adds are carried along. */
export interface Handle {
  /** Number of addresses by the block's CIDR. */
  readonly block: Readonly<Record<string, number>>
  readonly deleted?: boolean
  readonly [field: string]: unknown
}

/** @throws CalicoError `invalid` for a value that is no handle */
export function parseHandle(stored: StoredText): Handle {
  const value = parseObject(stored)
  const block = value.block ?? {}
  if (!isObject(block) || !Object.values(block).every((count) => Number.isSafeInteger(count))) throw unreadable(stored, 'block is not a map from CIDR to number')
  return {...value, block: block as Record<string, number>}
}

export const encodeHandle = (handle: Handle): string => stringifyJson(handle)

/** A handle without addresses. */
export const newHandle = (): Handle => ({block: {}, deleted: false})

/** HANDLE with COUNT more addresses in the block CIDR. */
export function increment(handle: Handle, cidr: string, count: number): Handle {
  return {...handle, block: {...handle.block, [cidr]: (handle.block[cidr] ?? 0) + count}}
}

/** HANDLE with COUNT addresses fewer in the block CIDR; at 0 or below its entry goes. Without an entry, HANDLE itself. */
export function decrement(handle: Handle, cidr: string, count: number): Handle {
  const left = (handle.block[cidr] ?? 0) - count
  return left > 0 ? {...handle, block: {...handle.block, [cidr]: left}} : withoutBlock(handle, cidr)
}

/** HANDLE without its entry for the block CIDR; HANDLE itself if it has none. */
export function withoutBlock(handle: Handle, cidr: string): Handle {
  if (!Object.hasOwn(handle.block, cidr)) return handle
  const {[cidr]: _, ...block} = handle.block
  return {...handle, block}
}

/** Whether the handle has no block, and so is to be deleted. */
export const isHandleEmpty = ({block}: Handle): boolean => Object.keys(block).length === 0
