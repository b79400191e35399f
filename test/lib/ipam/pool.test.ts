import {describe, expect, test} from '@jest/globals'
import {poolOf} from '../../../src/lib/ipam/pool.js'
import type {IPPool} from '../../../src/lib/model/types.js'

const pool = (spec: object, more: object = {}): IPPool => ({kind: 'IPPool', metadata: {name: 'pool'}, spec, ...more}) as unknown as IPPool

describe('the size of the blocks', () => {
  test.each([
    ['10.1.0.0/24', undefined, 26],
    ['10.1.0.0/24', 0, 26],
    ['10.1.0.0/26', undefined, 26],
    ['10.0.0.0/8', 20, 20],
    ['10.1.0.0/24', 24, 24],
    ['10.1.0.0/24', 32, 32],
    ['10.1.0.1/32', 32, 32],
    ['fd00::/64', undefined, 122],
    ['fd00::/64', 116, 116],
    ['fd00::/120', 120, 120],
    ['fd00::/120', 128, 128],
  ])('%s with blockSize %s: /%s', (cidr, blockSize, size) => {
    expect(poolOf(pool({cidr, blockSize}), (problem) => expect(problem).toBe(''))).toMatchObject({blockSize: size, enabled: true})
  })

  test.each([
    ['10.1.0.0/24', 23, 26],
    ['10.1.0.0/27', undefined, 26],
    ['10.0.0.0/8', 19, 26],
    ['10.1.0.0/24', 33, 26],
    ['10.1.0.0/24', -1, 26],
    ['fd00::/64', 115, 122],
    ['fd00::/64', 129, 122],
    ['fd00::/123', undefined, 122],
  ])('%s with blockSize %s: no addresses are taken from it, and that is said', (cidr, blockSize, size) => {
    const said: string[] = []
    expect(poolOf(pool({cidr, blockSize}), (problem) => said.push(problem))).toMatchObject({blockSize: size, enabled: false})
    expect(said).toEqual([`Pool ${cidr} cannot have blocks of /${blockSize ?? size}: no addresses are taken from it.`])
    // One that is off gives none anyway.
    expect(poolOf(pool({cidr, blockSize, disabled: true}), (problem) => said.push(problem))?.enabled).toBe(false)
    expect(said).toHaveLength(1)
  })
})

test.each([
  [{}, true],
  [{spec: {disabled: true}}, false],
  [{metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}}, false],
  [{status: {conditions: [{type: 'Allocatable', status: 'False'}]}}, false],
  [{status: {conditions: [{type: 'Allocatable', status: 'True'}, {type: 'Other', status: 'False'}]}}, true],
])('%j: enabled %s', (more: {spec?: object; metadata?: object; status?: object}, enabled) => {
  expect(poolOf({...pool({cidr: '10.1.0.0/24', ...more.spec}), ...(more.status ? {status: more.status} : {}), metadata: {name: 'pool', ...more.metadata}})?.enabled).toBe(enabled)
})

test.each([
  [{}, {automatic: true, allowedUses: ['Workload', 'Tunnel'], nodeSelector: '', namespaceSelector: ''}],
  [{assignmentMode: 'Automatic', allowedUses: []}, {automatic: true, allowedUses: ['Workload', 'Tunnel']}],
  [{assignmentMode: 'Manual', allowedUses: ['Tunnel'], nodeSelector: 'has(a)', namespaceSelector: 'has(b)'}, {automatic: false, allowedUses: ['Tunnel'], nodeSelector: 'has(a)', namespaceSelector: 'has(b)'}],
])('%j', (spec, expected) => expect(poolOf(pool({cidr: '10.1.0.0/24', ...spec}))).toMatchObject(expected))

test('a CIDR that is none', () => expect(poolOf(pool({cidr: 'web'}))).toBeUndefined())
