import {describe, expect, test} from '@jest/globals'
import {parseJson} from '../../../src/lib/json/json.js'
import {DOCUMENT_KINDS, documentSchema} from '../../../src/lib/documents/schemas.js'
import {isKindName, KINDS} from '../../../src/lib/model/kinds.js'
import {schemaFaults} from '../../support/schemas.js'
import {goldenLines} from '../model/golden.js'

interface Line {
  readonly kind: string
  readonly stored?: string
}

describe('the schemas of resources', () => {
  test('take every object that Calico has stored', () => {
    const lines = ['validation.jsonl', 'validation-more.jsonl'].flatMap((name) => goldenLines<Line>(name)).filter(({kind, stored}) => stored !== undefined && isKindName(kind))
    expect(new Set(lines.map(({kind}) => kind)).size).toBeGreaterThan(15)
    expect(lines.flatMap(({kind, stored = ''}) => schemaFaults({...(parseJson(stored) as object), kind}))).toEqual([])
  })

  test('say what a field is', () => {
    const pool = documentSchema('IPPool') as {properties: {spec: {properties: object; required: string[]}}}
    expect(pool.properties.spec).toMatchObject({required: ['cidr'], properties: {cidr: {type: 'string'}, natOutgoing: {type: 'boolean'}, blockSize: {type: 'integer'}, allowedUses: {type: 'array', items: {type: 'string'}}}})
    expect(documentSchema('WorkloadEndpoint')).toMatchObject({properties: {spec: {properties: {qosControls: {properties: {ingressBandwidth: {type: 'integer', format: 'int64'}}}, ports: {items: {properties: {protocol: {type: ['string', 'integer']}}}}}}}})
    expect(documentSchema('Tier')).toMatchObject({properties: {spec: {properties: {order: {type: 'number'}}}}})
    expect(schemaFaults({kind: 'IPPool', apiVersion: 'projectcalico.org/v3', metadata: {name: 'p'}, spec: {cidr: 7}})).toEqual([expect.stringContaining('IPPool/spec/cidr must be string')])
  })
})

test('there is a schema of each kind, and of each list', () => {
  const kinds = DOCUMENT_KINDS.map(({kind}) => kind)
  expect(new Set(kinds).size).toBe(kinds.length)
  for (const {kind, listKind} of Object.values(KINDS)) expect(kinds).toEqual(expect.arrayContaining([kind, listKind]))
  for (const kind of kinds) expect(documentSchema(kind)).toMatchObject({$schema: 'https://json-schema.org/draft/2020-12/schema', title: kind, type: 'object'})
  expect(documentSchema('Nothing')).toBeUndefined()
})

test('what ends in List has items', () => {
  for (const {kind} of DOCUMENT_KINDS.filter(({kind}) => kind.endsWith('List'))) expect(documentSchema(kind)).toMatchObject({properties: {items: {type: 'array'}}, required: expect.arrayContaining(['items']) as unknown})
})

test('an own document with a field that nobody has described is found', () => {
  expect(schemaFaults({apiVersion: 'calicoctl/v1', kind: 'TagList', profile: 'p', tags: [], items: []})).toEqual([])
  expect(schemaFaults({apiVersion: 'calicoctl/v1', kind: 'TagList', profile: 'p', tags: [], items: [], more: 1})).toEqual([expect.stringContaining('additional properties')])
})
