import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {accept, decode, type Situation, unknownFields} from '../../../src/lib/model/accept.js'
import {hazards, hazardsOfText} from '../../../src/lib/model/hazards.js'
import {isKindName} from '../../../src/lib/model/kinds.js'
import {KIND_NAMES} from '../../../src/lib/model/resource.js'
import type {IPPool, Profile} from '../../../src/lib/model/types.js'
import {goldenLines, type Json} from './golden.js'

const CREATE: Situation = {operation: 'create'}

const profile = (spec: Json, metadata: Json = {name: 'p'}) => ({kind: 'Profile', metadata, spec})

function accepted(kind: (typeof KIND_NAMES)[number], object: unknown, situation = CREATE) {
  const {resource, problems} = accept(kind, object, situation)
  expect(problems).toEqual([])
  return resource
}

/** Objects that are nearly right: those of the golden files with one value replaced. */
const recorded = goldenLines<{kind: string; object: Json}>('validation.jsonl').filter(({kind}) => isKindName(kind))

function withValueAt(object: unknown, position: number, value: unknown): unknown {
  let left = position
  const visit = (node: unknown): unknown => {
    if (left-- === 0) return value
    if (Array.isArray(node)) return node.map(visit)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, visit(child)]))
  }
  return visit(object)
}

const nearlyRight = fc
  .record({line: fc.nat(recorded.length - 1), position: fc.nat(20), value: fc.jsonValue({maxDepth: 2})})
  .map(({line, position, value}) => ({kind: recorded[line]?.kind, object: withValueAt(recorded[line]?.object, position, value)}))

describe('properties', () => {
  test('accept and hazards take any JSON for any kind without throwing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KIND_NAMES), fc.jsonValue(), fc.constantFrom('create', 'update'), (kind, object, operation) => {
        const {problems} = accept(kind, object, {operation})
        expect(Array.isArray(problems)).toBe(true)
        hazards(kind, object)
        unknownFields(kind, object)
        hazardsOfText(kind, JSON.stringify(object))
      }),
      {numRuns: 500},
    )
  })

  test('accept takes nearly right objects without throwing, and its result is a fixed point', () => {
    fc.assert(
      fc.property(nearlyRight, ({kind, object}) => {
        if (!isKindName(kind)) return
        hazards(kind, object)
        const first = accept(kind, object, CREATE).resource
        if (!first) return
        expect(JSON.stringify(accepted(kind, first, {operation: 'update', previous: first}))).toBe(JSON.stringify(first))
        expect(JSON.stringify(decode(kind, first).resource)).toBe(JSON.stringify(first))
      }),
      {numRuns: 2000},
    )
  })
})

describe('what is not Calico’s stays', () => {
  const object = profile(
    {ingress: [{newField: {a: 1}, action: 'Allow'}], future: ['x'], labelsToApply: {p: ''}},
    {future: true, name: 'p'},
  )

  test('unknown fields are kept, after the known ones', () => {
    expect(JSON.stringify(accepted('Profile', {...object, more: 1}))).toBe(
      '{"kind":"Profile","apiVersion":"projectcalico.org/v3","metadata":{"name":"p","future":true},' +
        '"spec":{"ingress":[{"action":"Allow","source":{},"destination":{},"newField":{"a":1}}],"labelsToApply":{"p":""},"future":["x"]},"more":1}',
    )
  })

  test('and can be named', () => {
    expect(unknownFields('Profile', {...object, more: 1})).toEqual(['metadata.future', 'spec.ingress[0].newField', 'spec.future', 'more'])
    expect(unknownFields('Profile', profile({labelsToApply: {anything: ''}}))).toEqual([])
  })

  test('keys that mean something to JavaScript are data', () => {
    const hostile = JSON.parse('{"metadata":{"name":"p"},"spec":{"__proto__":{"x":1},"constructor":2}}') as unknown
    const resource = accepted('Profile', hostile)
    expect(JSON.stringify(resource?.spec)).toBe('{"__proto__":{"x":1},"constructor":2}')
    const {problems} = accept('Profile', JSON.parse('{"metadata":{"name":"p"},"spec":{"labelsToApply":{"__proto__":""}}}'), CREATE)
    expect(problems.map(({field}) => field)).toEqual(['spec.labelsToApply["__proto__"]'])
  })

  test('the object given is not changed', () => {
    const frozen = JSON.parse(JSON.stringify(object), (_, value: unknown) => Object.freeze(value)) as unknown
    expect(accept('Profile', frozen, CREATE).problems).toEqual([])
  })
})

describe('problems', () => {
  test('all are told together, each with its field', () => {
    const {problems} = accept(
      'Profile',
      profile({
        ingress: [{action: 'allow', protocol: 'tcp', source: {nets: ['10.0.0.1'], selector: 'a = b'}}],
        labelsToApply: {'x-': ''},
      }),
      CREATE,
    )
    expect(problems.map(({field}) => field).sort()).toEqual([
      'spec.ingress[0].action',
      'spec.ingress[0].protocol',
      'spec.ingress[0].source.nets[0]',
      'spec.ingress[0].source.selector',
      'spec.labelsToApply["x-"]',
    ])
  })

  test('of a long list of rules that was read before, and of an object that was made of them', () => {
    const rules = Array.from({length: 20}, (_, n) => ({action: n === 7 ? 'allow' : 'Allow', source: {selector: n === 13 ? 'a = b' : 'all()'}}))
    const read = decode('Profile', profile({ingress: rules})).resource as Profile
    const fields = (object: unknown): string[] => accept('Profile', object, CREATE).problems.map(({field}) => field).sort()
    expect(fields(read)).toEqual(['spec.ingress[13].source.selector', 'spec.ingress[7].action'])
    expect(fields({...read, spec: {...read.spec, ingress: read.spec.ingress?.slice(1)}})).toEqual(['spec.ingress[12].source.selector', 'spec.ingress[6].action'])
  })

  test('a wrong JSON type is told as such', () => {
    expect(accept('Profile', profile({ingress: {}}), CREATE).problems).toEqual([{field: 'spec.ingress', message: 'must be a list, not an object'}])
    expect(accept('IPPool', {metadata: {name: 'p'}, spec: {cidr: '10.0.0.0/8', natOutgoing: 'true'}}, CREATE).problems).toEqual([
      {field: 'spec.natOutgoing', message: 'must be true or false, not "true"'},
    ])
    expect(accept('Node', 'x', CREATE).problems[0]?.message).toBe('must be an object, not "x"')
  })
})

describe('what depends on the store', () => {
  const pool = (name: string, cidr: string, more: Json = {}) => ({metadata: {name}, spec: {cidr, ...more}})
  const stored = accepted('IPPool', pool('a', '10.0.0.0/16')) as IPPool

  test('a new pool must not overlap another one, but may be checked against itself', () => {
    const fields = (name: string, cidr: string) => accept('IPPool', pool(name, cidr), {...CREATE, others: [stored]}).problems.map(({field}) => field).sort()
    expect(fields('b', '10.0.128.0/17')).toEqual(['spec.cidr'])
    expect(fields('b', '10.1.0.0/16')).toEqual([])
    expect(fields('a', '10.0.0.0/16')).toEqual([])
  })

  test('blocks of another size forbid a new pool', () => {
    expect(accept('IPPool', pool('b', '10.1.0.0/24', {blockSize: 28}), {...CREATE, blocks: ['10.1.0.0/26']}).problems).toHaveLength(1)
    expect(accept('IPPool', pool('b', '10.1.0.0/24'), {...CREATE, blocks: ['10.1.0.0/26', '10.2.0.0/28']}).problems).toEqual([])
  })

  test('CIDR and block size cannot change; a stored pool without defaults is compared with them', () => {
    const update = (object: Json, previous = stored) => accept('IPPool', object, {operation: 'update', previous}).problems.map(({field}) => field).sort()
    expect(update(pool('a', '10.0.0.0/17'))).toEqual(['spec.cidr'])
    expect(update(pool('a', '10.0.0.0/16', {blockSize: 27}))).toEqual(['spec.blockSize'])
    expect(update(pool('a', '10.0.0.0/16', {blockSize: 26}), pool('a', '10.0.0.0/16') as unknown as IPPool)).toEqual([])
  })

  test('resourceVersion is never stored; kind and apiVersion are set', () => {
    const resource = accepted('Profile', {kind: 'x', apiVersion: 'v1', metadata: {name: 'p', resourceVersion: '7', uid: 'u'}}) as Profile
    expect(resource).toEqual({kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {name: 'p', uid: 'u'}, spec: {}})
  })

  test('64-bit numbers stay exact', () => {
    const endpoint = {
      metadata: {namespace: 'default'},
      spec: {node: 'n', orchestrator: 'o', workload: 'w', endpoint: 'e', interfaceName: 'cali1', qosControls: {ingressBandwidth: 9007199254740993n}},
    }
    expect(accepted('WorkloadEndpoint', endpoint)?.spec).toMatchObject({qosControls: {ingressBandwidth: 9007199254740993n}})
  })
})
