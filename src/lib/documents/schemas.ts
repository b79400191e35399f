/** All documents of `-o json`: what they are called, which commands print them, and their JSON schemas (draft 2020-12). */
import {KINDS} from '../model/kinds.js'
import {API_VERSION, KIND_NAMES} from '../model/resource.js'
import {BARE_DOCUMENTS, OWN_DOCUMENTS} from './own.js'
import {resourceListSchema, resourceSchema} from './resources.js'
import type {JsonSchema} from './shape.js'

export interface DocumentKind {
  /** As in the document's `kind`; what has none is called by a name of ours. */
  readonly kind: string
  /** As in the document's `apiVersion`; '' where it has none. */
  readonly apiVersion: string
  /** The commands that print it. */
  readonly commands: readonly string[]
}

const OWN_VERSION = 'calicoctl/v1'
const DRAFT = 'https://json-schema.org/draft/2020-12/schema'

/** Lists of resources that other commands than `get` show. */
const SHOWN: Readonly<Partial<Record<string, readonly string[]>>> = {
  BGPPeerList: ['bgp peer show', 'node bgp peer show'],
  IPPoolList: ['pool show'],
  NodeList: ['node show'],
  ProfileList: ['profile show'],
  WorkloadEndpointList: ['endpoint show', 'container endpoint show'],
}

interface Entry extends DocumentKind {
  readonly schema: () => JsonSchema
}

const ENTRIES: readonly Entry[] = [
  ...Object.entries(OWN_DOCUMENTS).map(([kind, {from, content}]): Entry => ({kind, apiVersion: OWN_VERSION, commands: from, schema: () => named(kind, content.schema)})),
  ...Object.entries(BARE_DOCUMENTS).map(([kind, {from, content}]): Entry => ({kind, apiVersion: '', commands: from, schema: () => content.schema})),
  ...KIND_NAMES.flatMap((kind): Entry[] => {
    const {listKind} = KINDS[kind]
    return [
      {kind, apiVersion: API_VERSION, commands: ['get'], schema: () => resourceSchema(kind)},
      {kind: listKind, apiVersion: API_VERSION, commands: ['get', ...(SHOWN[listKind] ?? [])], schema: () => resourceListSchema(kind, listKind)},
    ]
  }),
].sort((a, b) => (a.kind < b.kind ? -1 : 1))

/** SCHEMA of what a document of KIND has, with `apiVersion` and `kind`. */
function named(kind: string, schema: JsonSchema): JsonSchema {
  const {properties, required, ...rest} = schema as {properties: JsonSchema; required: readonly string[]}
  return {...rest, properties: {apiVersion: {const: OWN_VERSION}, kind: {const: kind}, ...properties}, required: ['apiVersion', 'kind', ...required]}
}

/** Every kind of document, by name. */
export const DOCUMENT_KINDS: readonly DocumentKind[] = ENTRIES.map(({kind, apiVersion, commands}) => ({kind, apiVersion, commands}))

/** The schema of documents of KIND, whole; undefined if there are none. */
export function documentSchema(kind: string): JsonSchema | undefined {
  const entry = ENTRIES.find((each) => each.kind === kind)
  return entry && {$schema: DRAFT, title: kind, ...entry.schema()}
}
