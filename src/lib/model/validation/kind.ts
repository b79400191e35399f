/** What a kind adds to its table of fields: what Calico's client fills in on every write, and rules over several fields. */
import type {Resource} from '../resource.js'

/** What validation must know beyond the object. Without a list, the rules that need it are not asked. */
export interface Situation {
  readonly operation: 'create' | 'update'
  /** An update: the object as it is stored now. */
  readonly previous?: Resource
  /** Other objects: the pools for an IPPool, the tiers for a policy of any kind that has one. */
  readonly others?: readonly Resource[]
  /** CIDRs of the IPAM blocks that exist, for a new IPPool. */
  readonly blocks?: readonly string[]
  /** Names of the BGPFilters that exist, for a BGPPeer. */
  readonly filters?: readonly string[]
}

/** Notes a problem: the field's path and what is wrong with it. */
export type Report = (field: string, message: string) => void

export interface KindRules<R extends Resource = Resource> {
  /** The resource with all that the client fills in, also on an update. Values may still be invalid. */
  readonly complete?: (resource: R, situation: Situation) => R
  /** Rules over several fields, and those that need the situation. Single values have been judged; invalid ones can still be there. */
  readonly check?: (resource: R, report: Report, situation: Situation) => void
}
