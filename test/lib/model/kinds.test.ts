import {describe, expect, test} from '@jest/globals'
import {findKind, isKindName, kindOfList, KINDS} from '../../../src/lib/model/kinds.js'
import {KIND_NAMES} from '../../../src/lib/model/resource.js'

describe('KINDS', () => {
  test('has every kind under its name, and no word twice', () => {
    expect(Object.keys(KINDS)).toEqual([...KIND_NAMES])
    const words = Object.values(KINDS).flatMap(({kind, plural, aliases}) => [kind.toLowerCase(), plural, ...aliases])
    expect(new Set(words).size).toBe(words.length)
  })

  test('which kinds have a namespace', () => {
    expect(Object.values(KINDS).filter(({namespaced}) => namespaced).map(({kind}) => kind)).toEqual(['NetworkPolicy', 'NetworkSet', 'StagedKubernetesNetworkPolicy', 'StagedNetworkPolicy', 'WorkloadEndpoint'])
  })
})

describe('findKind', () => {
  test.each([
    ['profile', 'Profile'],
    ['profiles', 'Profile'],
    ['IPPool', 'IPPool'],
    ['pool', 'IPPool'],
    ['IPPOOLS', 'IPPool'],
    ['wep', 'WorkloadEndpoint'],
    ['gnp', 'GlobalNetworkPolicy'],
    ['felixconfig', 'FelixConfiguration'],
    ['bgppeers', 'BGPPeer'],
    ['no', 'Node'],
    ['pol', 'NetworkPolicy'],
    ['Policies', 'NetworkPolicy'],
    ['netsets', 'NetworkSet'],
    ['bf', 'BGPFilter'],
    ['sgnp', 'StagedGlobalNetworkPolicy'],
    ['skpol', 'StagedKubernetesNetworkPolicy'],
    ['stagedpolicies', 'StagedNetworkPolicy'],
    ['kubecontrollersconfig', 'KubeControllersConfiguration'],
    ['nodestatus', 'CalicoNodeStatus'],
  ])('%s means %s', (word, kind) => {
    expect(findKind(word)?.kind).toBe(kind)
  })

  test.each(['', 'polic', 'pools ', 'constructor', '__proto__'])('%j means nothing', (word) => {
    expect(findKind(word)).toBeUndefined()
  })
})

test('kindOfList takes the exact list kind only', () => {
  expect(kindOfList('ProfileList')?.kind).toBe('Profile')
  expect(kindOfList('profilelist')).toBeUndefined()
})

test('isKindName takes the exact spelling only', () => {
  expect(isKindName('Profile')).toBe(true)
  for (const other of ['profile', 'toString', '', 7, undefined]) expect(isKindName(other)).toBe(false)
})
