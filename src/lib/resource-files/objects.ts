/** From documents to objects of ours: what each is, whether it is what its kind says, and where in the file each of its fields stands. Pure. */
import {append} from '../append.js'
import {objectLabel, type Place} from '../client/resources.js'
import {accept, decode, knownFields, unknownFields} from '../model/accept.js'
import {displayName} from '../model/display-name.js'
import {hazards, type Hazard} from '../model/hazards.js'
import {isKindName, KINDS, kindOfList} from '../model/kinds.js'
import {API_VERSION, KIND_NAMES, type KindName, type Resource} from '../model/resource.js'
import {asRecord, ownField, TOO_LARGE} from '../model/schema/codec.js'
import type {FileContent, Item} from './documents.js'
import type {FileProblem, Position} from './problem.js'

/** A field's place in its file: of its value, or of its key where the key itself is meant. */
type Locate = (field: string, part?: 'key' | 'value') => Position

/** An object of a file that is what its kind says. */
export interface FileObject {
  readonly file: string
  readonly at: Position
  readonly place: Place
  /** `profile/web` */
  readonly label: string
  /** As the file has it, decoded; its resourceVersion apart. Without what Calico's client fills in. */
  readonly wanted: Resource
  /** As it would be stored if it were new; undefined where it was not asked for, see {@link ReadOptions}. */
  readonly complete: Resource | undefined
  readonly resourceVersion: string | undefined
  /** As the file has it, not decoded: what is dangerous is often what decoding drops. */
  readonly raw: unknown
  /** What it would do to Felix. */
  readonly hazards: readonly Hazard[]
  readonly locate: Locate
}

/** OBJECT's problem with FIELD. */
export const problemOf = ({file, label, locate}: FileObject, field: string, message: string): FileProblem => ({file, position: locate(field), object: label, field, message})

export interface ReadOptions {
  /** The namespace of -n. */
  readonly namespace: string | undefined
  /** Whether values are judged, too; for a deletion only the object's name counts. */
  readonly judge: boolean
  /** The nearest of some words, as `lib/cli/suggest.ts` has it. */
  readonly nearest: (word: string, candidates: Iterable<string>) => string | undefined
}

export interface FileObjects {
  readonly objects: readonly FileObject[]
  readonly problems: readonly FileProblem[]
}

/** All objects of FILES in their order. An object with a problem is left out; the same object twice is a problem that names both places. */
export function objectsOf(files: readonly FileContent[], options: ReadOptions): FileObjects {
  const objects: FileObject[] = []
  const problems: FileProblem[] = []
  const seen = new Map<string, FileObject>()
  const pools: Resource[] = []
  const take = (object: FileObject): void => {
    const {kind, name, namespace = ''} = object.place
    const key = `${kind}/${namespace}/${name}`
    const first = seen.get(key)
    if (first) problems.push(problemOf(object, 'metadata.name', `the same object is at ${first.file}:${first.at.line}:${first.at.column}`))
    else {
      seen.set(key, object)
      objects.push(object)
      if (kind === 'IPPool') pools.push(object.complete ?? object.wanted)
    }
  }
  for (const {items, problems: found} of files) {
    append(problems, found)
    for (const item of items) readItem(item, {...options, pools}, take, (problem) => void problems.push(problem))
  }
  return {objects, problems: inOrder(problems, files)}
}

type Context = ReadOptions & {readonly pools: readonly Resource[]}
type Report = (problem: FileProblem) => void

/** The problems in the order of the files and of the places in them. */
function inOrder(problems: readonly FileProblem[], files: readonly FileContent[]): FileProblem[] {
  const rank = new Map(files.map(({file}, index) => [file, index] as const))
  const place = ({file, position}: FileProblem): readonly number[] => [rank.get(file) ?? 0, position?.line ?? 0, position?.column ?? 0]
  return [...problems].sort((a, b) => {
    const [one, other] = [place(a), place(b)]
    return one.map((number, index) => number - (other[index] ?? 0)).find((difference) => difference !== 0) ?? 0
  })
}

function readItem(item: Item, context: Context, take: (object: FileObject) => void, report: Report): void {
  const {file, at, value} = item
  for (const {offset, field, message} of item.findings) report({file, position: item.positionAt(offset), ...owner(value, field), message})
  if (item.broken) return
  const record = asRecord(value)
  if (!record) {
    report({file, position: at, field: '', message: Array.isArray(value) ? 'a list inside a list is not supported: move its objects one level up' : 'must be an object with apiVersion, kind and metadata'})
    return
  }
  const kind = ownField(record, 'kind')
  const list = typeof kind === 'string' ? kindOfList(kind) : undefined
  if (list === undefined) readObject(item, '', record, context, take, report)
  else readList(item, list.kind, record, context, take, report)
}

function readList(item: Item, kind: KindName, record: Readonly<Record<string, unknown>>, context: Context, take: (object: FileObject) => void, report: Report): void {
  const locate = locator(item, '')
  const fail = (field: string, message: string, part: 'key' | 'value' = 'value'): void => report({file: item.file, position: locate(field, part), object: KINDS[kind].listKind, field, message})
  if (ownField(record, 'apiVersion') !== API_VERSION) fail('apiVersion', `must be ${API_VERSION}`)
  for (const name of Object.keys(record)) {
    if (!LIST_FIELDS.includes(name)) fail(name, `is not a field of a list${didYouMean(context.nearest(name, LIST_FIELDS))}`, 'key')
  }
  const metadata = ownField(record, 'metadata') ?? {}
  const fields = asRecord(metadata)
  if (fields === undefined) fail('metadata', 'must be an object')
  for (const name of Object.keys(fields ?? {})) {
    if (!LIST_METADATA.includes(name)) fail(`metadata.${name}`, `is not a field of a list's metadata${didYouMean(context.nearest(name, LIST_METADATA))}`, 'key')
  }
  const items = ownField(record, 'items') ?? []
  if (!Array.isArray(items)) {
    fail('items', 'must be a list')
    return
  }
  items.forEach((value: unknown, index) => {
    const field = `items[${index}]`
    const entry = asRecord(value)
    if (!entry) fail(field, `must be a ${kind}`)
    else if (isKindName(ownField(entry, 'kind')) && ownField(entry, 'kind') !== kind) fail(`${field}.kind`, `must be ${kind} in a ${KINDS[kind].listKind}`)
    else readObject(item, field, entry, context, take, report)
  })
}

const LIST_FIELDS = ['kind', 'apiVersion', 'metadata', 'items']
const LIST_METADATA = ['selfLink', 'resourceVersion', 'continue', 'remainingItemCount']

/** The object at PREFIX of ITEM: '' is the item itself. */
function readObject(item: Item, prefix: string, record: Readonly<Record<string, unknown>>, context: Context, take: (object: FileObject) => void, report: Report): void {
  const {file} = item
  const locate = locator(item, prefix)
  const at = prefix === '' ? item.at : locate('')
  const object = nameIn(record)
  const problems: FileProblem[] = []
  const fail = (field: string, message: string, part: 'key' | 'value' = 'value'): void => {
    problems.push({file, position: locate(field, part), object, field, message})
  }
  const kind = readKind(record, context, fail)
  if (kind === undefined) {
    problems.forEach(report)
    return
  }
  const info = KINDS[kind]

  const unknown = unknownFields(kind, record)
  for (const path of unknown) {
    const {name, known} = knownFields(kind, path)
    fail(path, `is not a field of a ${kind} in this place${didYouMean(context.nearest(name, known))}`, 'key')
  }
  const metadata = asRecord(ownField(record, 'metadata')) ?? {}
  const named = ownField(metadata, 'namespace')
  const inFile = typeof named === 'string' && named !== '' ? named : undefined
  const namespace = info.namespaced ? (inFile ?? context.namespace ?? 'default') : undefined
  if (!info.namespaced && inFile !== undefined) fail('metadata.namespace', `must not be set: the kind ${kind} has no namespaces`)
  if (!info.namespaced && context.namespace !== undefined) fail('metadata.namespace', `-n cannot be used: the kind ${kind} has no namespaces`)
  if (info.namespaced && inFile !== undefined && context.namespace !== undefined && inFile !== context.namespace) fail('metadata.namespace', `must be ${context.namespace}, as given with -n, not ${inFile}`)
  // One that exists under a name that is wrong now can still be deleted.
  else if (!context.judge && namespace?.includes('/')) fail('metadata.namespace', `must be without "/", not ${JSON.stringify(namespace)}`)

  const readable = named === undefined || named === null || typeof named === 'string'
  const placed = namespace === undefined || !readable ? record : {...record, metadata: {...metadata, namespace}}
  const decoded = decode(kind, placed)
  const accepted = context.judge ? accept(kind, placed, {operation: 'create', ...(kind === 'IPPool' ? {others: context.pools} : {})}) : decoded
  for (const {field, message} of accepted.problems) fail(field, quoted(item, prefix, field, message))
  const wanted = decoded.resource
  for (const {offset, field, message} of item.ambiguous) {
    const own = within(field, prefix)
    if (own !== undefined && !problems.some((problem) => problem.field === own)) problems.push({file, position: item.positionAt(offset), object, field: own, message})
  }
  const name = (accepted.resource ?? wanted)?.metadata.name
  if (!context.judge && wanted && !name) fail('metadata.name', 'must be set')
  if (problems.length > 0 || wanted === undefined || name === undefined) {
    problems.forEach(report)
    return
  }

  const version = ownField(metadata, 'resourceVersion')
  const place: Place = {kind, name, ...(namespace === undefined ? {} : {namespace})}
  take({
    file,
    at,
    place,
    label: objectLabel(kind, namespace === undefined || namespace === 'default' ? displayName({...wanted.metadata, name}).name : `${namespace}/${name}`),
    wanted,
    complete: accepted.resource,
    resourceVersion: typeof version === 'string' && version !== '' ? version : undefined,
    raw: placed,
    hazards: context.judge ? hazards(kind, placed) : [],
    locate,
  })
}

/** The kind that RECORD says it is of; undefined, and reported, where that is none of ours. */
function readKind(record: Readonly<Record<string, unknown>>, {nearest}: Context, fail: (field: string, message: string) => void): KindName | undefined {
  const [kind, version] = [ownField(record, 'kind'), ownField(record, 'apiVersion')]
  if (kind === 'List' && version === 'v1') {
    fail('kind', "a Kubernetes List is not supported: write its objects as separate documents, with --- between them")
    return undefined
  }
  if (version === undefined || version === null) fail('apiVersion', `must be set: ${API_VERSION}`)
  else if (version !== API_VERSION) fail('apiVersion', `must be ${API_VERSION}, not ${typeof version === 'string' ? version : 'this'}${version === 'v1' ? ", which was calicoctl 1.x's" : ''}`)
  if (isKindName(kind)) return version === API_VERSION ? kind : undefined
  if (kind === undefined || kind === null) fail('kind', 'must be set')
  else if (typeof kind !== 'string') fail('kind', 'must be a string')
  else fail('kind', `is not a kind that calicoctl reads: ${kind}${didYouMean(nearest(kind, KIND_NAMES))}`)
  return undefined
}

const didYouMean = (suggestion: string | undefined): string => (suggestion === undefined ? '' : `. Did you mean ${suggestion}?`)

/** MESSAGE, with the remedy where a scalar lacks quotes, and a number that is too large as the file has it. */
function quoted(item: Item, prefix: string, field: string, message: string): string {
  const source = item.plain.get(join(prefix, field))
  if (source === undefined) return message
  if (message.startsWith('must be a string')) return `must be a string, which ${source} without quotes is not: write "${source}"`
  const [begin, end] = message.split(TOO_LARGE)
  if (end !== '') return message
  return /^[-+]?\.inf$/i.test(source) ? `${begin}${source}` : `${begin}${source.length > 40 ? `${source.slice(0, 40)}…` : source}, which is too large`
}

/** What an object calls itself, for problems that make it unreadable: `profile/web`; undefined where it does not. */
function nameIn(value: unknown): string | undefined {
  const record = asRecord(value) ?? {}
  const kind = ownField(record, 'kind')
  const name = ownField(asRecord(ownField(record, 'metadata')) ?? {}, 'name')
  if (typeof kind !== 'string') return undefined
  return typeof name === 'string' && name !== '' ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()
}

/** Which object of VALUE, an object or a list object, has FIELD, and how the field is called there. */
function owner(value: unknown, field: string): {object: string | undefined; field: string} {
  const [, index, rest] = /^items\[(\d+)\]\.(.*)$/s.exec(field) ?? []
  const items = ownField(asRecord(value) ?? {}, 'items')
  if (index === undefined || rest === undefined || !Array.isArray(items)) return {object: nameIn(value), field}
  return {object: nameIn(items[Number(index)]), field: rest}
}

const join = (prefix: string, field: string): string => (prefix === '' ? field : field === '' ? prefix : `${prefix}.${field}`)

/** FIELD without PREFIX, undefined if it is not below it. */
function within(field: string, prefix: string): string | undefined {
  if (prefix === '') return field
  return field.startsWith(`${prefix}.`) ? field.slice(prefix.length + 1) : undefined
}

/** Where the fields of the object at PREFIX of ITEM stand. What is not in the file is where that stands which it belongs to. */
function locator({values, keys, at, positionAt}: Item, prefix: string): Locate {
  return (field, part = 'value') => {
    for (let path = join(prefix, field); path !== ''; path = path.replace(/(?:^|\.)[^.[\]]*$|\[[^[]*\]$/, '')) {
      const offset = (part === 'key' ? keys.get(path) : undefined) ?? values.get(path) ?? keys.get(path)
      if (offset !== undefined) return positionAt(offset)
      if (!/[.[]/.test(path)) break
    }
    return at
  }
}
