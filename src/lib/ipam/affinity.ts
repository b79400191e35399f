/** Affinities: which host a block is kept for, seen from the host (datamodel-v3 §1.15). BIRD's routes are made from the confirmed ones. */
import {stringifyJson} from '../json/json.js'
import {parseObject, type StoredText, unreadable} from './stored.js'

const AFFINITY_STATES = ['pending', 'confirmed', 'pendingDeletion'] as const
type AffinityState = (typeof AFFINITY_STATES)[number]

/** An affinity as it is stored. Fields that a newer Calico adds are carried along. */
export interface Affinity {
  readonly state: AffinityState
  readonly deleted?: boolean
  readonly [field: string]: unknown
}

/** Old data are an empty value or `{}`, which means confirmed. @throws CalicoError `invalid` for a value that is no affinity */
export function parseAffinity(stored: StoredText): Affinity {
  const value = stored.value === '' ? {} : parseObject(stored)
  const state = value.state === undefined || value.state === '' ? 'confirmed' : AFFINITY_STATES.find((known) => known === value.state)
  if (state === undefined) throw unreadable(stored, 'Calico does not know its state')
  return {...value, state}
}

export const encodeAffinity = (affinity: Affinity): string => stringifyJson(affinity)

/** The affinity of a block that its host may use. */
export const confirmedAffinity = (): Affinity => ({state: 'confirmed', deleted: false})

/** AFFINITY, confirmed; the same object if it is. */
export const confirmed = (affinity: Affinity): Affinity => (affinity.state === 'confirmed' ? affinity : {...affinity, state: 'confirmed'})
