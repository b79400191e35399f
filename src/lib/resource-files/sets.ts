/** Sets of applied objects: an annotation says which set an object belongs to, and what a set has beyond the files can be deleted. */
import type {Resource} from '../model/resource.js'
import {KIND_NAMES, type KindName} from '../model/resource.js'
import {displayName} from '../model/display-name.js'
import {kindPrefix} from '../model/keys.js'
import {keyOf, objectLabel, type Place, read, tryParse} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {listPages} from '../client/snapshot.js'
import {parseKey} from '../model/keys.js'
import {isBuiltInTier} from '../model/validation/tier.js'
import type {FileObject} from './objects.js'
import type {Target} from './remove.js'

/** Of every object that `apply --set NAME` has written; its value is NAME. */
const SET_ANNOTATION = 'calicoctl/set'

/** The set that RESOURCE belongs to; undefined where it belongs to none. */
export function setOf({metadata: {annotations = {}}}: Resource): string | undefined {
  return Object.hasOwn(annotations, SET_ANNOTATION) ? annotations[SET_ANNOTATION] : undefined
}

/** Why NAME cannot be a set's name; undefined if it can. */
export const setNameProblem = (name: string): string | undefined =>
  /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(name) ? undefined : `the name of a set has up to 63 letters, digits, "-", "_" and ".", and begins and ends with a letter or digit, which '${name}' does not`

/** OBJECTS as members of SET; as they are where it is undefined. */
export function inSet(objects: readonly FileObject[], set: string | undefined): readonly FileObject[] {
  if (set === undefined) return objects
  const mark = (resource: Resource): Resource => ({...resource, metadata: {...resource.metadata, annotations: {...resource.metadata.annotations, [SET_ANNOTATION]: set}}})
  return objects.map((object) => ({...object, wanted: mark(object.wanted), complete: object.complete && mark(object.complete)}))
}

/** An object that a set has and the files do not have. */
export interface LeftOver extends Target {
  readonly label: string
  readonly resource: Resource
}

/**
 * The objects in the datastore that belong to SET and are not among OBJECTS, in the order of their kinds and names. A deletion of one spares it if it
 * belongs to the set no more by then.
 */
export async function leftOver(session: Session, set: string, objects: readonly FileObject[]): Promise<readonly LeftOver[]> {
  await read(session, [])
  const kept = new Set(objects.map(({place}) => keyOf(place)))
  const found: LeftOver[] = []
  for (const kind of KIND_NAMES) {
    if (kind === 'ClusterInformation') continue
    for await (const {entries} of listPages(session, kindPrefix(kind))) {
      for (const kv of entries) {
        // Most objects are of no set: they need not be read closely.
        if (kept.has(kv.key) || !kv.value.includes('calicoctl')) continue
        const stored = tryParse(session, kind, kv)
        const place = placeOf(kind, kv.key)
        if (stored === undefined || place === undefined || setOf(stored.resource) !== set || (kind === 'Tier' && isBuiltInTier(place.name))) continue
        found.push({...target(place, stored.resource), onlyIf: (resource) => setOf(resource) === set})
      }
    }
  }
  return found
}

function target(place: Place, resource: Resource): LeftOver {
  const label = labelOf(place, resource)
  return {place, resource, label, resourceVersion: undefined, problem: (field, message) => ({file: label, position: undefined, field, message})}
}

/** `profile/web`, with its namespace where that is not the default one. */
export function labelOf({kind, name, namespace}: Place, resource: Resource): string {
  const shown = displayName({...resource.metadata, name}).name
  return objectLabel(kind, namespace === undefined || namespace === 'default' ? shown : `${namespace}/${shown}`)
}

/** The place that KEY is of; undefined where it is none of KIND. */
export function placeOf(kind: KindName, key: string): Place | undefined {
  const parsed = parseKey(key)
  if (parsed?.type !== 'resource' || parsed.kind !== kind) return undefined
  return {kind, name: parsed.name, ...(parsed.namespace === undefined ? {} : {namespace: parsed.namespace})}
}
