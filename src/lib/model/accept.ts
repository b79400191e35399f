/**
 * What Calico's client makes of an object before it stores it: decode it by its type, normalise it, fill in what the client fills in, and
 * validate it as libcalico-go v3.32.1 does (datamodel-v3 §0.3–0.5, §2; decisions.md 11, 12). A result of `accept` is what may be stored.
 */
import {KINDS} from './kinds.js'
import {API_VERSION, type KindName, type Problem, type Resource} from './resource.js'
import {asRecord, type Codec, type Findings, ownField} from './schema/codec.js'
import {RESOURCES} from './schema/index.js'
import {KIND_RULES} from './validation/index.js'
import {checkAnnotations, checkLabels, checkName, checkNamespace} from './validation/names.js'
import type {Report, Situation} from './validation/kind.js'

export type {Situation} from './validation/kind.js'

/** Either the resource, or what is wrong with the object: never both. */
export type Accepted = {readonly resource: Resource; readonly problems: readonly []} | {readonly resource?: undefined; readonly problems: readonly Problem[]}

/**
 * OBJECT as a resource of KIND, as Calico reads a stored value: normalised and in the order of its type, unknown fields kept (after the
 * known ones), kind and apiVersion set, resourceVersion dropped. Values are not judged. Problems: what Calico could not read at all.
 */
export function decode(kind: KindName, object: unknown): Accepted {
  const unreadable: Problem[] = []
  const resource = read(kind, object, {unreadable})
  return unreadable.length > 0 ? {problems: unreadable} : {resource, problems: []}
}

/**
 * OBJECT as the resource of KIND to store, completed with all that Calico's client fills in on a write, or every problem that it has.
 * uid and creationTimestamp are kept if given; giving them to a new object is the caller's. Unknown fields are kept (see unknownFields).
 */
export function accept(kind: KindName, object: unknown, situation: Situation): Accepted {
  const unreadable: Problem[] = []
  const problems: Problem[] = []
  const resource = read(kind, object, {unreadable, invalid: problems})
  if (unreadable.length > 0) return {problems: distinct([...unreadable, ...problems])}
  const {complete, check} = KIND_RULES[kind]
  const completed = complete ? read(kind, complete(resource, situation), {unreadable: []}) : resource
  const report: Report = (field, message) => problems.push({field, message})
  checkMetadata(kind, completed, situation, report)
  check?.(completed, report, situation)
  return problems.length > 0 ? {problems: distinct(problems)} : {resource: completed, problems: []}
}

/** Paths of the fields of OBJECT that Calico v3.32 does not know: refused in what users bring, kept in what is stored (decisions.md 12). */
export function unknownFields(kind: KindName, object: unknown): string[] {
  return RESOURCES[kind].unknown?.(object, '') ?? []
}

/** An unknown field of {@link unknownFields}, PATH, as its own name, and the names that are known in its place: for a suggestion. */
export function knownFields(kind: KindName, path: string): {name: string; known: readonly string[]} {
  let codec: Codec<unknown> | undefined = RESOURCES[kind]
  let rest = path
  while (codec !== undefined) {
    const index: RegExpExecArray | null = /^\[\d+\]\.?/.exec(rest)
    if (index) {
      rest = rest.slice(index[0].length)
      codec = codec.item
      continue
    }
    const {fields} = codec
    if (fields === undefined) break
    const name = /^[^.[]+/.exec(rest)?.[0] ?? ''
    if (!Object.hasOwn(fields, name)) return {name: rest, known: Object.keys(fields)}
    codec = fields[name]
    rest = rest.slice(name.length).replace(/^\./, '')
  }
  return {name: rest, known: []}
}

function read(kind: KindName, object: unknown, findings: Findings): Resource {
  const record = asRecord(object)
  const decoded = RESOURCES[kind].decode(record ? {...record, kind: '', apiVersion: ''} : object, '', findings)
  if (record) for (const name of ['kind', 'apiVersion']) checkText(ownField(record, name), name, findings)
  return {...decoded, kind, apiVersion: API_VERSION}
}

/** Calico's client overwrites kind and apiVersion, but cannot read an object in which they are no texts. */
function checkText(value: unknown, field: string, findings: Findings): void {
  if (value !== undefined && value !== null && typeof value !== 'string') findings.unreadable.push({field, message: 'must be a string'})
}

function checkMetadata(kind: KindName, {metadata}: Resource, {operation}: Situation, report: Report): void {
  checkName(metadata.name, report)
  if (KINDS[kind].namespaced && !metadata.namespace) report('metadata.namespace', 'must be set')
  else if (KINDS[kind].namespaced && operation === 'create') checkNamespace(kind, metadata.namespace ?? '', report)
  if (metadata.labels) checkLabels(metadata.labels, 'metadata.labels', report)
  if (metadata.annotations) checkAnnotations(metadata.annotations, 'metadata.annotations', report)
}

const distinct = (problems: readonly Problem[]): Problem[] =>
  problems.filter(({field, message}, index) => problems.findIndex((other) => other.field === field && other.message === message) === index)
