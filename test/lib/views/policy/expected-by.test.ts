/** What a probe may say of the rule that decides, and how that is named. */
import {describe, expect, test} from '@jest/globals'
import type {By} from '../../../../src/lib/policy/by.js'
import {ruleLabel} from '../../../../src/lib/policy/judge.js'
import {deciderText, isExpected, readExpectedBy} from '../../../../src/lib/views/policy/expected-by.js'

function read(value: unknown): {by: object | undefined; problems: string[]} {
  const problems: string[] = []
  const by = readExpectedBy(value, (name, message) => problems.push(`${name}: ${message}`))
  return {by, problems}
}

describe('reading', () => {
  test.each([
    ['profile', 'Profile'], ['PROFILES', 'Profile'], ['globalnetworkpolicy', 'GlobalNetworkPolicy'], ['gnp', 'GlobalNetworkPolicy'], ['global-network-policy', 'GlobalNetworkPolicy'], ['networkpolicy', 'NetworkPolicy'],
    ['the end of tier', 'Tier'], ['tier', 'Tier'], ['no rule matches', 'NoMatch'], ['no-match', 'NoMatch'], ['default', 'NoMatch'], ['failsafe', 'Failsafe'], ['endpointToHost', 'EndpointToHost'], ['ICMPV6ROUTER', 'ICMPv6Router'], ['connection tracking', 'Conntrack'],
  ])('the kind %s is %s', (kind, stored) => expect(read({kind})).toEqual({by: {kind: stored}, problems: []}))

  test('all properties, directions by the words of rules, numbers of any size', () => {
    expect(read({kind: 'Profile', name: 'web', direction: 'Inbound', index: 2n, action: 'ALLOW', missing: false})).toEqual({by: {kind: 'Profile', name: 'web', direction: 'ingress', index: 2, action: 'allow', missing: false}, problems: []})
    expect(read({kind: 'tier', tier: 'default'}).by).toEqual({kind: 'Tier', name: 'default'})
    expect([read(undefined), read(null)]).toEqual([{by: undefined, problems: []}, {by: undefined, problems: []}])
  })

  test.each<[unknown, string]>([
    ['profile web', ': must be an object with properties of a rule: kind, tier, namespace, name, missing, direction, index, action'],
    [{foo: 'bar'}, 'foo: is unknown: give kind, tier, namespace, name, missing, direction, index, action'],
    [{nmae: 'bar'}, 'nmae: is unknown. Did you mean name?'],
    [{constructor: 'bar'}, 'constructor: is unknown: give kind, tier, namespace, name, missing, direction, index, action'],
    [{kind: 'profil'}, 'kind: must be one of Profile, GlobalNetworkPolicy, NetworkPolicy, Tier, NoMatch, Failsafe, EndpointToHost, Encapsulation, Conntrack, ICMPv6Router. Did you mean Profile?'],
    [{kind: 'Node'}, 'kind: must be one of Profile, GlobalNetworkPolicy, NetworkPolicy, Tier, NoMatch, Failsafe, EndpointToHost, Encapsulation, Conntrack, ICMPv6Router'],
    [{name: 7n}, 'name: must be a text'], [{tier: ''}, 'tier: must be a text'], [{index: -1}, 'index: must be a whole number: 0 for rule 1'], [{index: 'first'}, 'index: must be a whole number: 0 for rule 1'],
    [{direction: 'up'}, 'direction: must be ingress (inbound) or egress (outbound)'], [{direction: 'constructor'}, 'direction: must be ingress (inbound) or egress (outbound)'], [{missing: 'yes'}, 'missing: must be true or false'], [{action: 1}, 'action: must be a text, for example Allow or Deny'],
  ])('%p is refused', (value, problem) => expect(read(value).problems).toEqual([problem]))
})

const PROFILE: By = {kind: 'Profile', name: 'web', direction: 'ingress', index: 1, action: 'Allow'}
const POLICY: By = {kind: 'NetworkPolicy', namespace: 'a', name: 'b', tier: 't', direction: 'egress', index: 0, action: 'Deny'}
const MISSING: By = {kind: 'Profile', name: 'web', missing: true, direction: 'ingress', action: 'Deny'}

test('the words for a rule are those of other messages; what they leave out is there where it is asked for', () => {
  for (const by of [PROFILE, POLICY, {...POLICY, kind: 'GlobalNetworkPolicy', namespace: undefined} as unknown as By, {kind: 'Tier', name: 't', direction: 'ingress', action: 'Deny'} as const, {kind: 'Failsafe', direction: 'ingress', action: 'Allow'} as const]) {
    expect(deciderText(by, undefined)).toBe(ruleLabel(by))
  }
  expect(deciderText(MISSING, undefined)).toBe('profile web, which does not exist')
  expect(deciderText({kind: 'NoMatch', direction: 'ingress', action: 'Deny'}, {direction: 'egress', action: 'allow'})).toBe('no rule matches, inbound, action deny')
  expect([{kind: 'Profile'}, {name: 'web', index: 1}, {tier: 't'}, {index: 0, direction: 'egress'}, {kind: 'Tier'}, {}].map((by) => deciderText(by as Partial<By>, by as Partial<By>))).toEqual(['a profile', 'web, rule 2', 'in tier t', 'outbound rule 1', 'the end of a tier', 'any rule'])
  expect(deciderText(PROFILE, {missing: true})).toBe('profile web, inbound rule 2')
})

test('a rule is the expected one if it has all of the properties', () => {
  expect([{}, {kind: 'Profile'}, {name: 'web', index: 1, action: 'allow', missing: false}].map((wanted) => isExpected(wanted as Partial<By>, PROFILE))).toEqual([true, true, true])
  expect([{kind: 'Tier'}, {index: 0}, {action: 'deny'}, {missing: true}, {tier: 't'}].map((wanted) => isExpected(wanted as Partial<By>, PROFILE))).toEqual([false, false, false, false, false])
  expect(isExpected({missing: true}, MISSING)).toBe(true)
})
