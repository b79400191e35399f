import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import type {Profile, Rule} from '../../../src/lib/model/types.js'
import {addRule, addTag, newProfile, removeRule, removeRuleAt, removeTag, replaceRules, rulesOf, tagsOf} from '../../../src/lib/rules/edit.js'
import {readRulesDocument, rulesDocument} from '../../../src/lib/rules/v020-json.js'
import {toV3} from '../../../src/lib/rules/v3.js'
import {readRuleWords} from '../../../src/lib/rules/words.js'
import {goldenProfiles, wordRule} from './arbitrary.js'

function rule(line: string): Rule {
  const result = readRuleWords(line.split(' '))
  if (!result.ok) throw new Error(line)
  return result.rule
}

const web = newProfile('web')
const inbound = (profile: Profile): readonly Rule[] => rulesOf(profile).inbound

test('a new profile lets its own tag in and everything out', () => {
  expect(web).toEqual({
    kind: 'Profile',
    apiVersion: 'projectcalico.org/v3',
    metadata: {name: 'web'},
    spec: {
      ingress: [{action: 'Allow', source: {selector: 'has(web)'}, destination: {}}],
      egress: [{action: 'Allow', source: {}, destination: {}}],
      labelsToApply: {web: ''},
    },
  })
})

test('a new profile keeps the name that was typed as its tag and in an annotation', () => {
  expect(newProfile('PROF_TEST')).toMatchObject({
    metadata: {name: 'prof-test-c85b7b95', annotations: {'calicoctl/name': 'PROF_TEST'}},
    spec: {ingress: [{source: {selector: 'has(PROF_TEST)'}}], labelsToApply: {PROF_TEST: ''}},
  })
})

describe('adding a rule', () => {
  test('at the end, or so that it becomes number N', () => {
    const first = addRule('inbound', rule('deny tcp'))(web)
    expect(first.at).toBe(2)
    const second = addRule('inbound', rule('deny udp'), 1)(first.profile)
    expect(second.at).toBe(1)
    const third = addRule('inbound', rule('deny icmp'), 4)(second.profile)
    expect(inbound(third.profile)).toEqual([rule('deny udp'), rule('allow from tag web'), rule('deny tcp'), rule('deny icmp')])
    expect(rulesOf(third.profile).outbound).toBe(rulesOf(web).outbound)
  })

  test.each([0, 3, -1, 1.5e9])('nothing is inserted at %d', (at) => {
    expect(() => addRule('inbound', rule('deny'), at)(web)).toThrow(expect.objectContaining({kind: 'invalid', message: expect.stringContaining(`Position ${at} is out of range`)}))
  })

  test('one that is there already changes nothing, wherever it is to go', () => {
    expect(addRule('inbound', rule('allow from tag web'))(web)).toEqual({profile: web, at: 1})
    expect(addRule('inbound', rule('allow from tag web'), 99)(web).profile).toBe(web)
    const upgraded: Profile = {...web, spec: {ingress: [{action: 'Allow', source: {selector: "web == ''"}}]}}
    expect(addRule('inbound', rule('allow from tag web'))(upgraded).profile).toBe(upgraded)
  })

  test('a profile without lists', () => {
    const empty: Profile = {...web, spec: {}}
    expect(addRule('outbound', rule('allow'))(empty).profile.spec).toEqual({egress: [rule('allow')]})
    expect(() => addRule('outbound', rule('allow'), 2)(empty)).toThrow('the only valid outbound position in profile web is 1')
  })

  test('unknown fields are carried along', () => {
    const newer = {...web, later: 1, spec: {...web.spec, alsoLater: {}}}
    expect(addRule('inbound', rule('deny'))(newer).profile).toMatchObject({later: 1, spec: {alsoLater: {}}})
  })
})

describe('removing a rule', () => {
  test('the first that is equal', () => {
    const twice = {...web, spec: {...web.spec, ingress: [rule('deny'), rule('deny tcp'), rule('deny')]}}
    const {profile, at} = removeRule('inbound', rule('deny'))(twice)
    expect(at).toBe(1)
    expect(inbound(profile)).toEqual([rule('deny tcp'), rule('deny')])
  })

  test('port lists must be in the same order', () => {
    const {profile} = addRule('inbound', rule('allow tcp to ports 80,443'))(web)
    expect(() => removeRule('inbound', rule('allow tcp to ports 443,80'))(profile)).toThrow(expect.objectContaining({kind: 'not-found', message: 'Rule not found. Profile web has no inbound rule: allow tcp to ports 443,80'}))
    expect(removeRule('inbound', rule('allow tcp to ports 80,443'))(profile).profile).toEqual(web)
  })

  test('by its number', () => {
    expect(removeRuleAt('inbound', 1)(web)).toMatchObject({at: 1, profile: {spec: {ingress: []}}})
    for (const at of [0, 2, -1]) expect(() => removeRuleAt('inbound', at)(web)).toThrow(expect.objectContaining({kind: 'invalid'}))
    expect(() => removeRuleAt('inbound', 1)({...web, spec: {}})).toThrow('has no inbound rules')
  })

  test('add, then remove, any rule', () => {
    fc.assert(
      fc.property(wordRule, (words) => {
        const added = addRule('outbound', toV3(words))(web)
        const back = removeRule('outbound', toV3(words))(added.profile).profile
        expect(added.profile === web ? web.spec.egress : back.spec.egress).toEqual(web.spec.egress)
      }),
    )
  })
})

describe('replacing the rules', () => {
  test('with what rule json shows of them changes nothing at all', () => {
    const profiles = [...goldenProfiles, {...web, spec: {ingress: [{action: 'Allow', source: {selector: "web == ''"}} as const]}}]
    for (const profile of profiles) {
      const document = rulesDocument('x', rulesOf(profile))
      const read = readRulesDocument(document, 'x', () => undefined)
      expect(read.ok && replaceRules(profile, read.rules)).toBe(profile)
    }
  })

  test('keeps the stored spelling of those that stay', () => {
    const upgraded: Rule = {action: 'Allow', source: {selector: "web == ''"}}
    const profile = replaceRules({...web, spec: {...web.spec, ingress: [upgraded]}}, {inbound: [rule('deny'), rule('allow from tag web')], outbound: []})
    expect(profile.spec).toEqual({ingress: [rule('deny'), upgraded], egress: [], labelsToApply: {web: ''}})
  })
})

test('a field that Calico does not know is taken only where it is stored already', () => {
  const newer = {action: 'Allow', source: {}, destination: {}, later: {than: 'us'}} as unknown as Rule
  const profile: Profile = {...web, spec: {...web.spec, ingress: [newer]}}
  expect(replaceRules(profile, {inbound: [structuredClone(newer), rule('deny')], outbound: []}).spec.ingress).toEqual([newer, rule('deny')])
  expect(() => replaceRules(web, {inbound: [newer], outbound: []})).toThrow(
    expect.objectContaining({kind: 'invalid', details: ['inbound_rules[0]: v3: unknown field later']}),
  )
})

describe('tags', () => {
  const labelled: Profile = {...web, spec: {labelsToApply: {web: '', role: 'db', B: ''}}}

  test('are the labels without a value', () => expect(tagsOf(labelled)).toEqual(['B', 'web']))
  test('of a profile without labels', () => expect(tagsOf({...web, spec: {}})).toEqual([]))
  test('adding', () => expect(addTag({...web, spec: {}}, 'constructor').spec).toEqual({labelsToApply: {constructor: ''}}))
  test('adding one that is there', () => expect(addTag(labelled, 'B')).toBe(labelled))
  test('a label with a value is in the way', () => expect(() => addTag(labelled, 'role')).toThrow(expect.objectContaining({kind: 'conflict'})))
  test('removing', () => expect(removeTag(labelled, 'B')?.spec).toEqual({labelsToApply: {web: '', role: 'db'}}))
  test.each(['x', 'role', 'constructor'])('%s cannot be removed', (tag) => expect(removeTag(labelled, tag)).toBeUndefined())
})
