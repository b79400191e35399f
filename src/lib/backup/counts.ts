/** How many keys of each kind. */
import {IPAM_PREFIX, parseKey, RESOURCES_PREFIX} from '../model/keys.js'

/** What the key is of, in words: `ippools`, `IPAM blocks`; a kind of Calico's that we do not know by its plural. */
export function kindOfKey(key: string): string {
  if (key.startsWith(RESOURCES_PREFIX)) return key.slice(RESOURCES_PREFIX.length).split('/', 1)[0] ?? ''
  if (!key.startsWith(IPAM_PREFIX)) return 'other keys'
  const type = parseKey(key)?.type
  return type === 'block' ? 'IPAM blocks' : type === 'handle' ? 'IPAM handles' : type === 'affinity' ? 'IPAM affinities' : 'other IPAM keys'
}

/** Adds one of WHAT to COUNTS. */
export function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}
