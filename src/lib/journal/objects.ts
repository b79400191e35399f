/** What the keys of a change are of. */
import {initialValues} from '../client/cluster.js'
import {objectLabel} from '../client/resources.js'
import {displayName} from '../model/display-name.js'
import {IPAM_PREFIX, parseKey} from '../model/keys.js'
import {formatCidr, parseCidr} from '../net/index.js'
import {isKindName} from '../model/kinds.js'
import type {Metadata} from '../model/resource.js'
import type {KeyChange} from './read.js'

/** The object of a key, as users call it. */
export interface ObjectName {
  readonly kind: string
  readonly name: string
  readonly namespace: string | undefined
}

/** The object that KEY is of; VALUES, what it was or is, may have the name that users gave it. */
export function objectOf(key: string, ...values: readonly (string | undefined)[]): ObjectName | undefined {
  const parsed = parseKey(key)
  if (parsed?.type !== 'resource') return undefined
  const {kind, name, namespace} = parsed
  const {metadata, spec} = values.flatMap((value) => resourceIn(value)).at(-1) ?? {}
  const cidr = kind === 'IPPool' && typeof spec?.cidr === 'string' ? parseCidr(spec.cidr) : undefined
  if (cidr) return {kind, namespace, name: formatCidr(cidr)}
  return {kind, namespace, name: metadata?.name === name ? displayName(metadata).name : name}
}

/** As in the notes of commands: `profile/web`; the key of what is no object. */
export function labelOf({key, before, after}: KeyChange): string {
  const object = objectOf(key, before, after)
  if (!object) return key
  return isKindName(object.kind) ? objectLabel(object.kind, object.name) : `${object.kind.toLowerCase()}/${object.name}`
}

export const isIpam = (key: string): boolean => key.startsWith(IPAM_PREFIX)

/** As far as it is needed for a name. */
interface Named {
  readonly metadata?: Metadata
  readonly spec?: {readonly cidr?: unknown}
}

function resourceIn(value: string | undefined): Named[] {
  if (value === undefined) return []
  try {
    const resource = JSON.parse(value) as Named | null
    return typeof resource?.metadata?.name === 'string' ? [resource] : []
  } catch {
    return []
  }
}

/** The word for a change of a key. */
export const wordOf = ({before, after}: Pick<KeyChange, 'before' | 'after'>): 'created' | 'updated' | 'deleted' => (before === undefined ? 'created' : after === undefined ? 'deleted' : 'updated')

/** The keys among CHANGES that made an empty store a Calico store: none where it was one already. */
export function initialisationIn(changes: readonly KeyChange[]): readonly string[] {
  const keys = initialValues().map(({key}) => key)
  const made = changes.filter(({key, before}) => before === undefined && keys.includes(key)).map(({key}) => key)
  return keys[0] !== undefined && made.includes(keys[0]) ? made : []
}
