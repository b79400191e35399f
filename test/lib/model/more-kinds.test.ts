/** What ours says of the kinds of more-kinds.md beyond the verdicts of Calico's client. */
import {describe, expect, test} from '@jest/globals'
import {accept} from '../../../src/lib/model/accept.js'
import {hazards} from '../../../src/lib/model/hazards.js'
import {API_VERSION, type KindName} from '../../../src/lib/model/resource.js'
import {withoutEffect} from '../../../src/lib/model/without-effect.js'

const object = (kind: KindName, spec: object, metadata: object = {}) => ({kind, apiVersion: API_VERSION, metadata: {name: 'x', ...metadata}, spec})

describe('a namespace', () => {
  test.each([
    ['NetworkSet', 'Bad_NS', false],
    ['NetworkSet', 'a/b', false],
    ['NetworkSet', 'a.b', false],
    ['NetworkPolicy', 'n'.repeat(63), true],
    ['NetworkPolicy', 'n'.repeat(64), false],
    ['StagedKubernetesNetworkPolicy', 'a/b', false],
    ['WorkloadEndpoint', 'a/b', false],
  ] as const)('of a new %s: %s', (kind, namespace, accepted) => {
    const fields = accept(kind, object(kind, {}, {namespace}), {operation: 'create'}).problems.map(({field}) => field)
    expect(fields.includes('metadata.namespace')).toBe(!accepted)
  })

  test('that an object has already does not stand in the way of its change', () => {
    const previous = accept('NetworkSet', object('NetworkSet', {}, {namespace: 'ns'}), {operation: 'create'}).resource
    expect(previous).toBeDefined()
    expect(accept('NetworkSet', object('NetworkSet', {nets: ['10.0.0.1']}, {namespace: 'Bad_NS'}), {operation: 'update'}).problems).toEqual([])
  })
})

describe('the tier of a policy', () => {
  const tiers = [accept('Tier', {metadata: {name: 'default'}, spec: {order: 1000000, defaultAction: 'Deny'}}, {operation: 'create'}).resource].flatMap((tier) => (tier ? [tier] : []))

  test.each(['GlobalNetworkPolicy', 'NetworkPolicy', 'StagedGlobalNetworkPolicy', 'StagedNetworkPolicy'] as const)('of a %s exists on an update too, unless it stays what it was', (kind) => {
    const before = object(kind, {tier: 'gone', selector: 'all()'}, {namespace: 'default'})
    const previous = accept(kind, before, {operation: 'create'}).resource
    if (!previous) throw new Error('refused')
    const update = (tier: string) => accept(kind, object(kind, {tier, selector: 'has(a)'}, {namespace: 'default'}), {operation: 'update', previous, others: tiers}).problems
    expect(update('nope')).toEqual([{field: 'spec.tier', message: 'refers to a tier that does not exist: nope'}])
    expect(update('gone')).toEqual([])
    expect(update('default')).toEqual([])
  })
})

describe('hazards', () => {
  const filter = (rule: object, list = 'importV4') => hazards('BGPFilter', object('BGPFilter', {[list]: [{action: 'Accept', cidr: list.endsWith('4') ? '10.0.0.0/8' : 'fd00::/8', matchOperator: 'In', ...rule}]}))

  test.each([
    [{prefixLength: {min: 24, max: 16}}, 'importV4', 'frozen'],
    [{prefixLength: {max: 4}}, 'exportV4', 'frozen'],
    [{prefixLength: {min: 65, max: 64}}, 'exportV6', 'frozen'],
    [{prefixLength: {min: 16}, matchOperator: 'Equal'}, 'importV4', 'ignored'],
    [{prefixLength: {}, matchOperator: 'NotEqual'}, 'importV6', 'ignored'],
  ])('of a filter: %j in %s is %s', (rule, list, level) => {
    expect(filter(rule, list)).toEqual([{level, field: `spec.${list}[0].prefixLength`, message: expect.stringMatching(/^(has|does)/)}])
  })

  test.each(['fe80::1', '[fe80::1]:179', 'FE80:0:0:0:0:0:0:1'])('of a peer: %s, for which BIRD needs an interface', (peerIP) => {
    expect(hazards('BGPPeer', object('BGPPeer', {peerIP, asNumber: 64513}))).toEqual([{level: 'frozen', field: 'spec.peerIP', message: 'is a link-local address, for which BIRD needs an interface: BIRD rejects its whole configuration, and the node keeps its previous one'}])
  })
  test.each(['169.254.1.1', 'fd00::1', '[fd00::1]:179', '10.0.0.1:179', 'no address', undefined])('none of a peer: %s', (peerIP) => expect(hazards('BGPPeer', object('BGPPeer', {peerIP}))).toEqual([]))

  test.each([{prefixLength: {min: 16, max: 24}}, {prefixLength: {min: 4}}, {prefixLength: {}}, {}])('none of a filter: %j', (rule) => {
    expect(filter(rule)).toEqual([])
  })

  test.each(['NetworkSet', 'GlobalNetworkSet'] as const)('empty nets of a %s', (kind) => {
    expect(hazards(kind, object(kind, {nets: ['10.0.0.1', '', null]})).map(({level, field}) => `${level} ${field}`)).toEqual(['ignored spec.nets[1]', 'ignored spec.nets[2]'])
  })

  test('a rule that matches too much is open in a policy, and nothing in a staged one', () => {
    const spec = {selector: 'all()', ingress: [{action: 'Allow', source: {nets: []}}]}
    expect(hazards('NetworkPolicy', object('NetworkPolicy', spec)).map(({level}) => level)).toEqual(['open'])
    expect(hazards('StagedNetworkPolicy', object('StagedNetworkPolicy', spec))).toEqual([])
  })

  test('a staged rule that stops Felix counts', () => {
    const spec = {selector: 'all()', ingress: [{action: 'Allow', icmp: {type: 8}}]}
    expect(hazards('StagedGlobalNetworkPolicy', object('StagedGlobalNetworkPolicy', spec)).map(({level}) => level)).toEqual(['node-stops'])
  })
})

test('withoutEffect names the kinds that nobody reads on etcd', () => {
  expect(withoutEffect('IPAMConfiguration')).toContain('calicoctl ipam configure')
  expect(withoutEffect('KubeControllersConfiguration')).toContain('Kubernetes')
  expect(withoutEffect('StagedKubernetesNetworkPolicy')).toContain('Kubernetes')
  expect(withoutEffect('NetworkPolicy')).toBeUndefined()
})
