/** The objects of a store as Felix gets them: decoded when they are asked for, and what it cannot read is noted. */
import {decode} from '../../model/accept.js'
import {parseKey} from '../../model/keys.js'
import {type KindName, problemText, type Resource} from '../../model/resource.js'
import {asRecord, ownField} from '../../model/schema/codec.js'
import type {Problem} from '../world.js'
import {isPlainWorkload} from './plain-workload.js'

/** A stored object: its key, and its value as text or already read from JSON. */
export interface Entry {
  readonly key: string
  readonly value: unknown
}

/** The kinds that decide about flows. */
export const POLICY_KINDS = [
  'WorkloadEndpoint',
  'Profile',
  'GlobalNetworkPolicy',
  'NetworkPolicy',
  'Tier',
  'GlobalNetworkSet',
  'NetworkSet',
  'HostEndpoint',
  'Node',
  'FelixConfiguration',
  'IPPool',
  'ClusterInformation',
] as const satisfies readonly KindName[]
type PolicyKind = (typeof POLICY_KINDS)[number]

/** A stored object that is not decoded yet. */
export interface Raw {
  readonly key: string
  readonly kind: PolicyKind
  readonly name: string
  readonly namespace: string | undefined
  readonly value: unknown
}

/** The objects of the kinds that decide about flows, and the problems that were found in them so far. */
export class StoredObjects {
  readonly problems: Problem[] = []
  private readonly byKind = new Map<PolicyKind, Map<string, Raw>>(POLICY_KINDS.map((kind) => [kind, new Map()]))

  /** Keys of other kinds in ENTRIES are skipped. */
  constructor(entries: Iterable<Entry>) {
    for (const {key, value} of entries) {
      const place = parseKey(key)
      if (place?.type !== 'resource') continue
      const kind = place.kind as PolicyKind
      this.byKind.get(kind)?.set(`${place.namespace ?? ''}/${place.name}`, {key, kind, name: place.name, namespace: place.namespace, value})
    }
  }

  /** The object NAME of KIND, which has no namespace; undefined if there is none. */
  get(kind: PolicyKind, name: string): Raw | undefined {
    return this.byKind.get(kind)?.get(`/${name}`)
  }

  /** All objects of KIND. */
  of(kind: PolicyKind): Raw[] {
    return [...(this.byKind.get(kind)?.values() ?? [])]
  }

  /** The JSON of RAW; undefined if it is none. */
  parsed({value}: Raw): unknown {
    if (typeof value !== 'string') return value
    try {
      return parseText(value)
    } catch {
      return undefined
    }
  }

  /** Notes a problem of RAW. */
  note(raw: Raw, effect: Problem['effect'], message: string, more: Partial<Problem> = {}): void {
    this.problems.push({...problemOf(raw, effect, message), ...(effect === 'unreadable' && this.parsed(raw) === undefined ? {notJson: true} : {}), ...more})
  }

  /** The object in RAW as Felix reads it; noted, with what MORE makes of its metadata and spec, and undefined if it cannot. */
  decoded<Spec extends object>(raw: Raw, more: (metadata: Readonly<Record<string, unknown>>, spec: Readonly<Record<string, unknown>>) => Partial<Problem> = () => ({})): Resource<Spec> | undefined {
    const problem = this.read<Spec>(raw)
    if (typeof problem !== 'string') return problem
    const value = asRecord(this.parsed(raw)) ?? {}
    this.note(raw, 'unreadable', problem, more(asRecord(ownField(value, 'metadata')) ?? {}, asRecord(ownField(value, 'spec')) ?? {}))
    return undefined
  }

  /** The object in RAW as Felix reads it, or why it cannot; nothing is noted. */
  read<Spec extends object>(raw: Raw): Resource<Spec> | string {
    if (typeof raw.value !== 'string') return this.decodeValue<Spec>(raw.kind, raw.value)
    let value: unknown
    try {
      value = parseText(raw.value)
    } catch (error) {
      return `not valid JSON: ${error instanceof Error ? error.message : String(error)}`
    }
    return this.decodeValue<Spec>(raw.kind, value)
  }

  /** VALUE, which is JSON already, as an object of KIND as Felix reads it, or why it cannot. */
  decodeValue<Spec extends object>(kind: PolicyKind, value: unknown): Resource<Spec> | string {
    if (kind === 'WorkloadEndpoint' && isPlainWorkload(value)) return value as Resource<Spec>
    const {resource, problems} = decode(kind, value)
    return (resource as Resource<Spec> | undefined) ?? problems.map(problemText).join('; ')
  }
}

/** A problem of a stored object. */
export const problemOf = ({key, kind, name, namespace}: Pick<Raw, 'key' | 'kind' | 'name' | 'namespace'>, effect: Problem['effect'], message: string): Problem => ({
  key,
  kind,
  name,
  ...(namespace === undefined ? {} : {namespace}),
  effect,
  message,
})

/** As Go reads JSON: of a key that stands twice, the last one counts. */
const parseText = (text: string): unknown => JSON.parse(text) as unknown
