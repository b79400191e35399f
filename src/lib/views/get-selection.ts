/** Which objects `get` shows, in which order, and as they were when: -l, --sort-by, --at and --export. */
import {read, type Stored} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {Revision} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {asRecord, ownField} from '../model/schema/codec.js'
import {evaluate, parseSelector, type Selector} from '../model/selector/index.js'
import type {Resource} from '../model/resource.js'
import {OUTPUT_FORMATS, type OutputFormat} from '../cli/output/presentation.js'
import {compareUtf8} from '../utf8-order.js'

/** The selector of -l that TEXT spells. @throws CalicoError `invalid` */
export function readSelector(text: string): Selector {
  try {
    return parseSelector(text)
  } catch (error) {
    throw new CalicoError('invalid', `--selector: '${text}' is not a selector: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The revision of --at. @throws CalicoError `invalid` */
export function readRevision(text: string): Revision {
  if (/^[1-9]\d{0,18}$/.test(text) && BigInt(text) < 2n ** 63n) return BigInt(text)
  throw new CalicoError('invalid', `--at: '${text}' is not a revision. Give a number, such as the resourceVersion of an object.`)
}

/** The path of --sort-by: names of fields with dots between them; a dot before the first is allowed. @throws CalicoError `invalid` */
export function readPath(text: string): readonly string[] {
  const parts = text.replace(/^\./, '').split('.')
  if (parts.every((part) => part !== '')) return parts
  throw new CalicoError('invalid', `--sort-by: '${text}' is not a path. Give names of fields with dots between them, such as spec.order.`)
}

/** What `-o` of get asks for: a format of all commands, or a table without borders, of COLUMNS where they are chosen. */
export interface GetOutput {
  readonly format: OutputFormat
  readonly bare?: {readonly columns: readonly string[] | undefined}
}

/** The format of -o. @throws CalicoError `invalid` */
export function readOutput(text: string): GetOutput {
  const columns = /^custom-columns=(.*)$/.exec(text)?.[1]
  if (columns !== undefined) {
    const headings = columns.split(',')
    if (headings.some((heading) => heading === '')) throw new CalicoError('invalid', '-o custom-columns= needs the headings of columns, with commas between them: custom-columns=NAME,CIDR')
    return {format: 'table', bare: {columns: headings}}
  }
  if (text === 'ps') return {format: 'table', bare: {columns: undefined}}
  if (/^go-template(-file)?(=|$)/.test(text)) throw new CalicoError('invalid', "-o go-template is not available: use -o json and jq", {hint: "For example: calicoctl get profile -o json | jq -r '.items[].metadata.name'"})
  const format = text === 'yml' ? 'yaml' : OUTPUT_FORMATS.find((name) => name === text)
  if (format === undefined) throw new CalicoError('invalid', `-o: '${text}' is not a format. Give one of ${OUTPUT_FORMATS.join(', ')}, ps, or custom-columns=HEADING,HEADING.`)
  return {format}
}

/** Refuses a REVISION that the store has not come to yet. @throws CalicoError `invalid` */
export async function checkPast(session: Session, revision: Revision): Promise<void> {
  const {revision: now} = await read(session, [])
  if (revision > now) throw new CalicoError('invalid', `--at: the current revision of the datastore is ${now}; revision ${revision} does not exist yet.`)
}

/** Those of OBJECTS whose labels SELECTOR matches. */
export async function* selected(objects: AsyncIterable<Stored>, selector: Selector): AsyncGenerator<Stored> {
  for await (const stored of objects) if (evaluate(selector, stored.resource.metadata.labels ?? {})) yield stored
}

/** What PATH leads to in VALUE. A key may itself contain dots, as those of labels do: the longest that is there counts. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return value
  const record = Array.isArray(value) ? (value as unknown as Readonly<Record<string, unknown>>) : asRecord(value)
  if (!record) return undefined
  for (let length = path.length; length > 0; length--) {
    const found = ownField(record, path.slice(0, length).join('.'))
    const deeper = found === undefined ? undefined : valueAt(found, path.slice(length))
    if (deeper !== undefined) return deeper
  }
  return undefined
}

/** Numbers before texts, texts in byte order, other values after them, what is missing last. */
function compareValues(a: unknown, b: unknown): number {
  const [rankA, rankB] = [rank(a), rank(b)]
  if (rankA !== rankB) return rankA - rankB
  if (typeof a === 'string' && typeof b === 'string') return compareUtf8(a, b)
  if (rankA === 0) return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
  return 0
}

const rank = (value: unknown): number => {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return 0
  if (typeof value === 'string') return 1
  return value === undefined || value === null ? 3 : 2
}

/** OBJECTS in the order that --sort-by asks for with PATH. Warns if none has anything there. */
export function sorted(session: Session, objects: AsyncIterable<Stored>, path: readonly string[]): AsyncGenerator<Stored> {
  return orderedBy(objects, (resource) => valueAt(resource, path), () => session.warn(`No object has the field ${path.join('.')} of --sort-by.`))
}

/** OBJECTS in the order of what VALUEOF says of each; equal ones stay in the order they came in. Tells NONE if it says nothing of any. */
export async function* orderedBy(objects: AsyncIterable<Stored>, valueOf: (resource: Resource) => unknown, none?: () => void): AsyncGenerator<Stored> {
  const all: {readonly stored: Stored; readonly value: unknown}[] = []
  for await (const stored of objects) all.push({stored, value: valueOf(stored.resource)})
  if (all.length > 0 && all.every(({value}) => value === undefined)) none?.()
  all.sort((a, b) => compareValues(a.value, b.value))
  for (const {stored} of all) yield stored
}

/** RESOURCE as --export shows it: without what belongs to this store and not to the object. The namespace stays. */
export function exported<R extends Resource>(resource: R): R {
  const {uid: _, resourceVersion: __, creationTimestamp: ___, deletionTimestamp: ____, deletionGracePeriodSeconds: _____, ...metadata} = resource.metadata
  return {...resource, metadata}
}
