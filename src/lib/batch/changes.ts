/** What lines of a batch have written, as changes of objects. */
import {initialValues} from '../client/cluster.js'
import type {Written} from '../client/session.js'
import {parseJson} from '../json/json.js'
import {displayName} from '../model/display-name.js'
import {IPAM_CONFIG_KEY, parseKey} from '../model/keys.js'
import type {Metadata} from '../model/resource.js'
import {formatCidr, parseCidr} from '../net/index.js'

/** A key that was written; undefined as value = it does not exist. */
export interface KeyEdit {
  readonly key: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** What became of an object: a v3 resource, or what IPAM keeps (IPAMBlock, BlockAffinity, IPAMHandle, IPAMConfig). */
export interface ObjectChange {
  readonly kind: string
  /** As users see it: a pool's or a block's is its CIDR. */
  readonly name: string
  readonly namespace: string | undefined
  readonly change: 'created' | 'changed' | 'deleted'
  /** The stored object; its text where that is no JSON. */
  readonly before: unknown
  readonly after: unknown
}

/** Adds WRITES to EDITS, which has what stood at each key before the first and after the last of them. */
export function addWritten(edits: Map<string, KeyEdit>, {writes}: Pick<Written, 'writes'>): void {
  for (const {key, read, value} of writes) edits.set(key, {key, before: edits.has(key) ? edits.get(key)?.before : read?.value, after: value})
}

/** EDITS in key order, without keys that ended as they were. */
export const netEdits = (edits: Iterable<KeyEdit>): KeyEdit[] => [...edits].filter(({before, after}) => before !== after).sort((a, b) => (a.key < b.key ? -1 : 1))

/** The object of EDIT and what became of it. */
export function objectChange({key, before, after}: KeyEdit): ObjectChange {
  const [old, now] = [valueOf(before), valueOf(after)]
  return {...objectOf(key, now ?? old), change: before === undefined ? 'created' : after === undefined ? 'deleted' : 'changed', before: old, after: now}
}

function objectOf(key: string, value: unknown): Pick<ObjectChange, 'kind' | 'name' | 'namespace'> {
  if (key === IPAM_CONFIG_KEY) return {kind: 'IPAMConfig', name: 'default', namespace: undefined}
  const parsed = parseKey(key)
  switch (parsed?.type) {
    case 'resource': {
      const {kind, name, namespace} = parsed
      const {metadata, spec} = (value ?? {}) as {readonly metadata?: Metadata; readonly spec?: {readonly cidr?: unknown}}
      const cidr = kind === 'IPPool' && typeof spec?.cidr === 'string' ? parseCidr(spec.cidr) : undefined
      return {kind, name: cidr ? formatCidr(cidr) : metadata?.name === name ? displayName(metadata).name : name, namespace}
    }
    case 'block':
      return {kind: 'IPAMBlock', name: parsed.cidr, namespace: undefined}
    case 'affinity':
      return {kind: 'BlockAffinity', name: `${parsed.host}/${parsed.cidr}`, namespace: undefined}
    case 'handle':
      return {kind: 'IPAMHandle', name: parsed.id, namespace: undefined}
    case undefined:
      return {kind: 'Key', name: key, namespace: undefined}
  }
}

function valueOf(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return parseJson(text)
  } catch {
    return text
  }
}

/** The keys among EDITS that made an empty store a Calico store; none where it was one already. */
export function initialisationIn(edits: readonly KeyEdit[]): ReadonlySet<string> {
  const [cluster, ...others] = initialValues().map(({key}) => key)
  const created = new Set(edits.filter(({before}) => before === undefined).map(({key}) => key))
  return cluster !== undefined && created.has(cluster) ? new Set([cluster, ...others.filter((key) => created.has(key))]) : new Set()
}
