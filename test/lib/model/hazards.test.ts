import {describe, expect, test} from '@jest/globals'
import {hazards, hazardsOfText} from '../../../src/lib/model/hazards.js'
import {fixtureLines} from './golden.js'

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

  test('protocol beside notProtocol stops Felix, whatever the action', () => {
    for (const action of ['Allow', 'Deny', 'Log']) expect(found('Profile', {action, protocol: 'TCP', notProtocol: 'UDP'})).toEqual(['node-stops spec.ingress[0].notProtocol'])
    expect(found('GlobalNetworkPolicy', {action: 'Allow', protocol: 6, notProtocol: 17})).toEqual(['node-stops spec.ingress[0].notProtocol'])
    expect(found('Profile', {action: 'Allow', notProtocol: 'UDP'})).toEqual([])
    expect(found('Profile', {action: 'Allow', protocol: 'TCP', notProtocol: null})).toEqual([])
  })

  test('notICMP needs ICMP by name', () => {
    for (const protocol of ['ICMP', 'ICMPv6']) expect(found('Profile', {action: 'Allow', protocol, notICMP: {type: 8}})).toEqual([])
    for (const protocol of [1, 58, 'TCP', undefined]) expect(found('Profile', {action: 'Deny', protocol, notICMP: {type: 8}})).toEqual(['node-stops spec.ingress[0].notICMP'])
  })

  test('the third list is not checked: a warning, not a refusal', () => {
    const nets = ['10.0.0.0/24', '10.0.1.0/24']
    const rule = {action: 'Allow', protocol: 'TCP', source: {nets}, destination: {nets, ports: ['http', 81]}}
    expect(found('Profile', rule)).toEqual(['wider spec.ingress[0]'])
    expect(hazards('Profile', profile(rule))[0]?.message).toContain('destination.nets is not checked')
    expect(hazards('Profile', profile({...rule, source: {nets, ports: ['a', 'b']}}))[0]?.message).toContain('source.nets and destination.nets are not checked')
    // Two lists, or what is none: one group of 15 slots, of which a range takes two; one net of the family; another family alone.
    const numbers = Array.from({length: 15}, (_, at) => at + 1)
    expect(found('Profile', {...rule, destination: {nets, ports: numbers}})).toEqual([])
    expect(found('Profile', {...rule, destination: {nets, ports: [...numbers.slice(1), '80:90']}})).toEqual(['wider spec.ingress[0]'])
    expect(found('Profile', {...rule, destination: {nets, ports: [...numbers, 16]}})).toEqual(['wider spec.ingress[0]'])
    expect(found('Profile', {...rule, source: {nets: ['10.0.0.0/24', 'fd00::/64']}})).toEqual([])
    expect(found('Profile', {...rule, ipVersion: 6})).toEqual([])
    expect(found('Profile', {...rule, destination: {notNets: nets, ports: ['http', 81]}})).toEqual([])
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

test('a value that is not a JSON freezes its kind, or stops what needs it', () => {
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

test('Felix does not stand Reject as its deny action, nor as a raw parameter, which overrides the field', () => {
  const found = (spec: object, annotations = {}) => hazards('FelixConfiguration', {metadata: {name: 'default', annotations}, spec}).map(({level, field}) => `${level} ${field}`)
  expect(found({iptablesFilterDenyAction: 'Drop'})).toEqual([])
  expect(found({iptablesFilterDenyAction: 'Reject'})).toEqual(['node-stops spec.iptablesFilterDenyAction'])
  expect(found({}, {'config.projectcalico.org/IptablesFilterDenyAction': 'REJECT'})).toEqual(['node-stops metadata.annotations.config.projectcalico.org/IptablesFilterDenyAction'])
  expect(found({}, {'config.projectcalico.org/iptablesfilterdenyaction': 'DROP'})).toEqual([])
  expect(found({}, {'config.projectcalico.org/InterfacePrefix': 'cali!'})).toEqual(['node-stops metadata.annotations.config.projectcalico.org/InterfacePrefix'])
})

test('every recorded rule that is enforced wider than written is found', () => {
  // The rules of those lines of golden/policy.jsonl that have a probe with the quirk "third-list".
  const lines = fixtureLines<{readonly id: string; readonly rules: readonly object[]}>('model/third-list.jsonl')
  expect(lines.length).toBeGreaterThan(10)
  for (const {id, rules} of lines) {
    const levels = rules.flatMap((rule) => hazards('Profile', profile(rule)).map(({level}) => level))
    expect({id, levels}).toEqual({id, levels: expect.arrayContaining(['wider'])})
  }
})
