/** Stored values as the worlds look at them. */
import type {KeyValue} from '../../../src/lib/datastore/datastore.js'
import {type Cidr, parseCidr} from '../../../src/lib/net/index.js'

const parsed = new WeakMap<KeyValue, unknown>()

/** The JSON in KV, read once. */
export function read<T>(kv: KeyValue & {readonly of?: T}): T {
  if (!parsed.has(kv)) parsed.set(kv, JSON.parse(kv.value))
  return parsed.get(kv) as T
}

/** The network in TEXT, which the world itself says. */
export function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text)
  if (!cidr) throw new TypeError(text)
  return cidr
}
