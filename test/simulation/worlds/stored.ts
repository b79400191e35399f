/** Stored values as the worlds look at them. */
import type {KeyValue} from '../../../src/lib/datastore/datastore.js'

const parsed = new WeakMap<KeyValue, unknown>()

/** The JSON in KV, read once. */
export function read<T>(kv: KeyValue & {readonly of?: T}): T {
  if (!parsed.has(kv)) parsed.set(kv, JSON.parse(kv.value))
  return parsed.get(kv) as T
}
