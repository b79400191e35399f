/** What a conversion gathers: the objects to be stored, and what does not come over, each with the key that it stood at. */
import {keyOf, objectLabel, type Place, prepareChange} from '../client/resources.js'
import {CalicoError} from '../errors.js'
import {isObject} from '../json/is-object.js'
import {tryParseJson} from '../json/json.js'
import type {Resource} from '../model/resource.js'
import type {Source} from './old-store.js'

/** Kinds of items, in the order in which they are written where not all fit into one transaction: what others refer to, or rest on, comes first. */
export const ITEM_KINDS = ['Node', 'Profile', 'BGPConfiguration', 'FelixConfiguration', 'IPAMConfig', 'Block', 'BlockAffinity', 'Handle', 'IPPool', 'BGPPeer', 'WorkloadEndpoint'] as const
export type ItemKind = (typeof ITEM_KINDS)[number]

/** An object to be stored. */
export interface Item {
  readonly kind: ItemKind
  /** As users call it. */
  readonly name: string
  /** Where it goes; a pool or a peer that is there under another name is the same. */
  readonly key: string
  /** The text to store. */
  readonly value: string
  /** The parsed object. */
  readonly object: unknown
  /** The keys of the old store that it is made of. */
  readonly from: readonly string[]
}

/** Something of the old store that cannot come over. */
export interface Lost {
  /** Its key there. */
  readonly key: string
  readonly why: string
}

/** Something of the old store for which nothing has to be written. */
export type Unneeded = Lost

export interface Gathered {
  readonly source: Source
  readonly items: Map<string, Item>
  readonly lost: Lost[]
  readonly unneeded: Unneeded[]
}

export const newGathered = (source: Source): Gathered => ({source, items: new Map(), lost: [], unneeded: []})

export function lose({lost}: Gathered, key: string, why: string | CalicoError): void {
  lost.push({key, why: typeof why === 'string' ? why : [why.message.replace(/[;.,]? [Nn]othing was changed\.?$/, ''), ...why.details].join('; ')})
}

export const pass = ({unneeded}: Gathered, key: string, why: string): void => void unneeded.push({key, why})

/** Does WORK; what it refuses is noted as lost with KEY, and undefined comes back. */
export function attempt<T>(gathered: Gathered, key: string, work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    lose(gathered, key, error)
    return undefined
  }
}

/** The JSON object at KEY, which is taken; undefined, and lost, if it is none. */
export function takeObject(gathered: Gathered, key: string): Readonly<Record<string, unknown>> | undefined {
  const value = takeJson(gathered, key)
  if (value === undefined) return undefined
  if (isObject(value)) return value
  lose(gathered, key, 'its value is not a JSON object')
  return undefined
}

/** The JSON at KEY, which is taken; undefined if there is nothing, or, and lost, if it is none. */
export function takeJson(gathered: Gathered, key: string): unknown {
  const text = gathered.source.take(key)
  if (text === undefined) return undefined
  const parsed = tryParseJson(text)
  if (!parsed.error) return parsed.value
  lose(gathered, key, `its value cannot be read: ${parsed.error.message}`)
  return undefined
}

/** Tells fields of OBJECT, the value at KEY, that are not among KNOWN: they do not come over. */
export function loseUnknown(gathered: Gathered, key: string, object: object, known: readonly string[]): void {
  for (const field of Object.keys(object)) if (!known.includes(field)) lose(gathered, key, `its field ${JSON.stringify(field)} was not written by v0.20, and is not imported`)
}

/**
 * Adds RESOURCE at PLACE, made of the keys FROM, as a command would store it. False, and the first of FROM is lost, if Calico would not accept it, or
 * something else has its place.
 */
export function addResource<R extends Resource>(
  gathered: Gathered,
  place: Place & {readonly kind: ItemKind},
  resource: R,
  from: readonly string[],
  options: {readonly name?: string; readonly situation?: Parameters<typeof prepareChange>[3]; readonly finish?: (accepted: R, wanted: R) => R} = {},
): boolean {
  const [source = ''] = from
  const prepared = attempt(gathered, source, () => prepareChange<R>(place, undefined, resource, options.situation ?? {}, options.finish))
  if (!prepared?.write) return false
  const {change, write} = prepared
  return add(gathered, {kind: place.kind, name: options.name ?? change.name, key: keyOf(place), value: write.value ?? '', object: change.after, from})
}

/** Adds ITEM. False, and its source is lost, if its place is taken. */
export function add(gathered: Gathered, item: Item): boolean {
  const other = gathered.items.get(item.key)
  if (other) {
    lose(gathered, item.from[0] ?? item.key, `${labelOf(item)} was already created from ${other.from[0] ?? ''}`)
    return false
  }
  gathered.items.set(item.key, item)
  return true
}

/** How messages call ITEM. */
export const labelOf = ({kind, name}: Pick<Item, 'kind' | 'name'>): string => objectLabel(kind, name)
