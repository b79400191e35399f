import {describe, expect, test} from '@jest/globals'
import {hazards, hazardsOfText} from '../../../src/lib/model/hazards.js'

const profile = (rule: object) => ({metadata: {name: 'p'}, spec: {ingress: [rule]}})
const found = (kind: 'Profile' | 'GlobalNetworkPolicy', rule: object) => hazards(kind, profile(rule)).map(({level, field}) => `${level} ${field}`)

describe('rules', () => {
  test('an empty match that was typed as such is none', () => {
    expect(found('Profile', {action: 'Allow'})).toEqual([])
    expect(found('Profile', {action: 'Allow', source: {}, destination: {}})).toEqual([])
  })

  test('a rule that denies or logs more than it says opens nothing', () => {
    for (const action of ['Deny', 'deny', 'Log']) expect(found('Profile', {action, source: {nets: [], tag: 'x'}})).toEqual([])
    expect(found('Profile', {action: 'Pass', destination: {tag: 'x'}})).toEqual(['open spec.ingress[0].destination.tag'])
  })

  test('bare addresses and host bits lose the tag, but match what they say', () => {
    expect(found('Profile', {action: 'Allow', source: {nets: ['10.0.0.1', '10.0.0.1/8']}})).toEqual([])
    expect(found('Profile', {action: 'Allow', source: {nets: ['10.0.0.0/8', '']}})).toEqual(['open spec.ingress[0].source.nets[1]'])
  })

  test('policies are looked at like profiles', () => {
    expect(found('GlobalNetworkPolicy', {action: 'Allow', icmp: {type: 8}, source: {selector: ''}})).toEqual([
      'node-stops spec.ingress[0].icmp',
      'open spec.ingress[0].source.selector',
    ])
  })

  test('numeric ICMP is refused by validation, not a hazard', () => {
    expect(found('Profile', {action: 'Allow', protocol: 1, icmp: {type: 8}})).toEqual([])
  })
})

describe('endpoints', () => {
  const endpoint = (interfaceName: string) => ({metadata: {name: 'n-o-w-e', namespace: 'default'}, spec: {interfaceName}})

  test('the prefix is what Felix is set to', () => {
    expect(hazards('WorkloadEndpoint', endpoint('tap1')).map(({level}) => level)).toEqual(['open'])
    expect(hazards('WorkloadEndpoint', endpoint('tap1'), {interfacePrefixes: ['cali', 'tap']})).toEqual([])
    expect(hazards('WorkloadEndpoint', endpoint('cali1'), {interfacePrefixes: ['tap']}).map(({level}) => level)).toEqual(['open'])
  })

  test('15 characters fit, 16 stop Felix', () => {
    expect(hazards('WorkloadEndpoint', endpoint('cali56789012345'))).toEqual([])
    expect(hazards('WorkloadEndpoint', endpoint('cali567890123456')).map(({level}) => level)).toEqual(['node-stops'])
  })
})

describe('ClusterInformation', () => {
  const ready = (datastoreReady: unknown) => hazards('ClusterInformation', {metadata: {name: 'default'}, spec: {datastoreReady}}).map(({level}) => level)

  test('only true keeps Felix running', () => {
    expect(ready(true)).toEqual([])
    for (const value of [false, undefined, null, 'true']) expect(ready(value)).toEqual(['node-stops'])
  })
})

test('a value that is no JSON freezes its kind, or stops what needs it', () => {
  const levels = (kind: Parameters<typeof hazardsOfText>[0]) => hazardsOfText(kind, '{broken').map(({level}) => level)
  expect(levels('Profile')).toEqual(['frozen'])
  expect(levels('FelixConfiguration')).toEqual(['cannot-start'])
  expect(levels('ClusterInformation')).toEqual(['node-stops'])
  expect(levels('IPPool')).toEqual([])
  expect(hazardsOfText('Profile', undefined)).toEqual([])
})

test('Felix takes several prefixes', () => {
  const prefix = (interfacePrefix: string) => hazards('FelixConfiguration', {metadata: {name: 'default'}, spec: {interfacePrefix}})
  expect(prefix('cali,tap')).toEqual([])
  expect(prefix('cali,').map(({level, field}) => `${level} ${field}`)).toEqual(['node-stops spec.interfacePrefix'])
})
