/** The schemas of v3 resources, and of lists of them, from the codecs that read and write them. */
import type {Codec, Field, Findings} from '../model/schema/codec.js'
import {RESOURCES} from '../model/schema/index.js'
import {API_VERSION, type KindName} from '../model/resource.js'
import type {JsonSchema} from './shape.js'

/** What a codec may be given, and what each of these is in JSON. A whole number that no double holds tells those of 64 bits. */
const PROBES: readonly unknown[] = ['a', '1s', '2026-01-01T00:00:00Z', 1, 1.5, 2n ** 60n + 1n, true]

/** The JSON types of the values that CODEC makes of what it can read. */
function typesOf(codec: Codec<unknown>): ReadonlySet<string> {
  const made = PROBES.flatMap((probe) => {
    const findings: Findings = {unreadable: [], invalid: []}
    const value = codec.decode(probe, '', findings)
    return findings.unreadable.length > 0 ? [] : [value]
  })
  return new Set(made.map((value) => (typeof value === 'bigint' ? 'int64' : typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value)))
}

function leaf(codec: Codec<unknown>): JsonSchema {
  const types = typesOf(codec)
  if (types.has('int64')) return {type: 'integer', format: 'int64'}
  if (types.has('number')) return {type: 'number'}
  const [first, ...more] = types
  return {type: more.length === 0 ? first : [...types]}
}

/** What CODEC makes, as a schema. Objects are open: fields of newer Calicos are kept, and shown. */
function schemaOf(codec: Codec<unknown>): JsonSchema {
  if (codec.item) return {type: 'array', items: schemaOf(codec.item)}
  const {fields} = codec
  if (fields) {
    const entries = Object.entries(fields) as [string, Field<unknown>][]
    return {
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, field]) => [name, schemaOf(field)])),
      required: entries.filter(([, {written}]) => written === 'always').map(([name]) => name),
      additionalProperties: true,
    }
  }
  const zero = codec.zero()
  if (Array.isArray(zero)) return {type: 'array'}
  if (zero === null) return {type: ['string', 'null']} // a time that is not set
  if (typeof zero === 'object') return {type: 'object', additionalProperties: {type: 'string'}}
  return leaf(codec)
}

const exactly = (kind: string): JsonSchema => ({kind: {const: kind}, apiVersion: {const: API_VERSION}})

/** An object of KIND as `get KIND NAME -o json` shows it. */
export function resourceSchema(kind: KindName): JsonSchema {
  const {properties, ...whole} = schemaOf(RESOURCES[kind]) as {properties: JsonSchema}
  // --export leaves the status out.
  return {...whole, properties: {...properties, ...exactly(kind)}, required: ['kind', 'apiVersion', 'metadata', 'spec']}
}

/** A list of KIND as `get KIND -o json` shows it. */
export const resourceListSchema = (kind: KindName, listKind: string): JsonSchema => ({
  type: 'object',
  properties: {...exactly(listKind), metadata: {type: 'object', properties: {resourceVersion: {type: 'string', format: 'int64', pattern: '^[0-9]*$'}}, additionalProperties: false}, items: {type: 'array', items: resourceSchema(kind)}},
  required: ['kind', 'apiVersion', 'metadata', 'items'],
  additionalProperties: false,
})
