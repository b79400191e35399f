/** Stored objects as lint looks at them: the value as it is, and what Calico makes of it. Pure. */
import {JsonError, parseJson} from '../json/index.js'
import {decode} from '../model/accept.js'
import {isKindName} from '../model/kinds.js'
import {parseKey} from '../model/keys.js'
import type {KindName, Resource} from '../model/resource.js'
import {asRecord} from '../model/schema/codec.js'
import type {ResourceOf} from '../model/types.js'
import type {Subject} from './finding.js'

export interface StoredObject<K extends KindName = KindName> extends Subject {
  readonly kind: K
  readonly name: string
  readonly namespace?: string | undefined
  /** The value; undefined if it is no JSON. */
  readonly raw: unknown
  /** Why the value is no JSON, or no clean one. */
  readonly fault: string | undefined
  /** What Calico reads; undefined if it cannot be read. */
  readonly resource: ResourceOf[K] | undefined
}

/** The object of KEY and VALUE; undefined if the key is not that of an object of ours. */
export function storedObject(key: string, value: string): StoredObject | undefined {
  const place = parseKey(key)
  if (place?.type !== 'resource' || !isKindName(place.kind)) return undefined
  const {raw, fault} = readValue(value)
  const {kind, name, namespace} = place
  const decoded = raw === undefined ? undefined : decode(kind, raw)
  const resource: Resource | undefined = decoded?.resource
  return {key, kind, name, ...(namespace === undefined ? {} : {namespace}), raw, fault, resource: resource as ResourceOf[KindName] | undefined}
}

/** What Go reads in VALUE: of a key that stands twice, the last one. */
function readValue(value: string): {raw: unknown; fault: string | undefined} {
  try {
    return {raw: parseJson(value), fault: undefined}
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    if (error.fault !== 'duplicate-key') return {raw: undefined, fault: error.message}
    return {raw: JSON.parse(value) as unknown, fault: error.message}
  }
}

export const recordOf = (value: unknown): Readonly<Record<string, unknown>> => asRecord(value) ?? {}
