/** What kinds of object a store holds, known to us or not (operator-demand R20): a newer Calico's are listed, never touched. */
import {RESOURCES_PREFIX} from '../model/keys.js'
import {KINDS} from '../model/kinds.js'
import type {KindName} from '../model/resource.js'
import {read} from './resources.js'
import type {Session} from './session.js'

export interface KindCount {
  /** As in the keys: `ippools`. */
  readonly plural: string
  /** The kind, if it is one that we read. */
  readonly kind: KindName | undefined
  readonly count: number
}

/** Every kind that has objects in the store, by plural in key order, and how many of them. */
export async function countKinds(session: Session): Promise<KindCount[]> {
  await read(session, [])
  const counts = new Map<string, number>()
  for await (const page of session.store.list(RESOURCES_PREFIX, {keysOnly: true})) {
    for (const {key} of page.entries) {
      const plural = key.slice(RESOURCES_PREFIX.length).split('/', 1)[0] ?? ''
      counts.set(plural, (counts.get(plural) ?? 0) + 1)
    }
  }
  const known = Object.values(KINDS)
  return [...counts].map(([plural, count]) => ({plural, count, kind: known.find((info) => info.plural === plural)?.kind}))
}
