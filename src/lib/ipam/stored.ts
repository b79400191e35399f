/** What all values under /calico/ipam/v2/ have in common: bare JSON objects of which we know some fields and carry the rest. */
import {CalicoError} from '../errors.js'
import {isObject} from '../json/is-object.js'
import {parseJson} from '../json/json.js'

/** A key of the store with its value, as far as reading it needs them. */
export interface StoredText {
  readonly key: string
  readonly value: string
}

/**
 * The JSON object in STORED.
 * @throws CalicoError `invalid` if it is none
 */
export function parseObject(stored: StoredText): Record<string, unknown> {
  let value: unknown
  try {
    value = parseJson(stored.value)
  } catch (error) {
    throw unreadable(stored, error instanceof Error ? error.message : String(error))
  }
  if (!isObject(value)) throw unreadable(stored, 'it is not an object')
  return value
}

/** The error for a value that no Calico component could read; it must be left as it is. */
export const unreadable = ({key}: StoredText, why: string): CalicoError =>
  new CalicoError('invalid', `The stored value of ${key} cannot be read: ${why}`, {hint: 'It was not changed. Repair or delete it with etcdctl.'})

/** Whether VALUE is a whole number from 0 to LIMIT. */
export const isIndex = (value: unknown, limit: number): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= limit

const MAX_UINT64 = 0xffff_ffff_ffff_ffffn

/** VALUE, a number of a stored object, as a 64-bit unsigned one; undefined if it is none. */
export function uint64(value: unknown): bigint | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
  return typeof value === 'bigint' && value >= 0n && value <= MAX_UINT64 ? value : undefined
}
