import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import type {Rule} from '../../../src/lib/model/types.js'
import {fromV3, toV3} from '../../../src/lib/rules/v3.js'
import {goldenRules, wordRule} from './arbitrary.js'

test('words → v3 → words gives the same rule', () => {
  fc.assert(fc.property(wordRule, (rule) => expect(fromV3(toV3(rule))).toEqual(rule)))
})

test('a golden rule that words can say is the v3 rule of these words, or differs in spelling only', () => {
  const said = goldenRules.flatMap((rule) => {
    const words = fromV3(rule)
    return words ? [{rule, words}] : []
  })
  expect(said.length).toBeGreaterThan(20)
  for (const {rule, words} of said) {
    const v3 = toV3(words)
    expect(fromV3(v3)).toEqual(words)
    expect(v3.action).toBe(rule.action)
    expect(v3.source?.ports).toEqual(rule.source?.ports)
    expect(v3.destination?.nets?.length).toBe(rule.destination?.nets?.length)
  }
})

describe('reading', () => {
  test.each<[string, Rule, object]>([
    ['a rule without sides', {action: 'Allow'}, {action: 'allow', from: {}, to: {}}],
    ['the selector of the upgrade tool', {action: 'Allow', source: {selector: "web == ''"}}, {action: 'allow', from: {tag: 'web'}, to: {}}],
    ['white space in a selector', {action: 'Allow', source: {selector: ' has( web ) '}}, {action: 'allow', from: {tag: 'web'}, to: {}}],
    [
      'a tag and a selector',
      {action: 'Allow', source: {selector: "(a == 'b' || has(c)) && tag1 == ''"}},
      {action: 'allow', from: {tag: 'tag1', selector: "a == 'b' || has(c)"}, to: {}},
    ],
    ['a chain without parentheses', {action: 'Allow', source: {selector: 'has(a) && has(b)'}}, {action: 'allow', from: {selector: 'has(a) && has(b)'}, to: {}}],
    [
      'parentheses that do not enclose the first part',
      {action: 'Allow', source: {selector: '(has(a)) && (has(b)) && has(c)'}},
      {action: 'allow', from: {selector: '(has(a)) && (has(b)) && has(c)'}, to: {}},
    ],
    [
      'an alternative in parentheses',
      {action: 'Allow', source: {selector: '(has(a)) || (has(b)) && has(c)'}},
      {action: 'allow', from: {selector: '(has(a)) || (has(b)) && has(c)'}, to: {}},
    ],
    ['a label that is not a tag', {action: 'Allow', source: {selector: 'has(a/b)'}}, {action: 'allow', from: {selector: 'has(a/b)'}, to: {}}],
    ['a tag not to come from', {action: 'Pass', source: {notSelector: 'has(a)'}}, {action: 'next-tier', from: {notTag: 'a'}, to: {}}],
    [
      'a negated tag and selector',
      {action: 'Log', source: {notSelector: '(has(x)) && has(a)'}},
      {action: 'log', from: {notSelector: '(has(x)) && has(a)'}, to: {}},
    ],
    ['the first protocol number', {action: 'Allow', protocol: 1}, {action: 'allow', protocol: 1, from: {}, to: {}}],
    ['the last protocol number', {action: 'Allow', protocol: 255}, {action: 'allow', protocol: 255, from: {}, to: {}}],
    ['a protocol number as a string', {action: 'Allow', protocol: '6'}, {action: 'allow', protocol: 6, from: {}, to: {}}],
  ])('%s', (_, rule, words) => expect(fromV3(rule)).toEqual(words))

  test.each<[string, object]>([
    ['an IP version', {ipVersion: 4}],
    ['several networks', {source: {nets: ['10.0.0.0/8', '11.0.0.0/8']}}],
    ['an empty list of networks, which matches everything', {source: {nets: []}}],
    ['an empty list of ports', {protocol: 'TCP', source: {ports: []}}],
    ['an empty selector, which matches everything', {source: {selector: ''}}],
    ['a selector that does not parse', {source: {selector: 'has('}}],
    ['a selector of what is in no namespace', {source: {notSelector: 'has(a) && global()'}}],
    ['a named port', {protocol: 'TCP', source: {ports: ['http']}}],
    ['host bits', {source: {nets: ['10.0.0.1/8']}}],
    ['a bare address', {source: {nets: ['10.0.0.1']}}],
    ['a namespace selector', {source: {namespaceSelector: 'all()'}}],
    ['an unknown field of the rule', {src_tag: 'web'}],
    ['an unknown field of a side', {source: {tag: 'web'}}],
    ['annotations', {metadata: {annotations: {a: 'b'}}}],
    ['what is not ICMP', {protocol: 'ICMP', notICMP: {type: 8}}],
    ['ICMP without a type', {protocol: 'ICMP', icmp: {}}],
    ['ICMP code 255', {protocol: 'ICMP', icmp: {type: 3, code: 255}}],
    ['ICMP without its protocol', {icmp: {type: 3}}],
    ['ports without protocol', {source: {ports: [80]}}],
    ['networks of two families', {source: {nets: ['10.0.0.0/8']}, destination: {nets: ['fd00::/8']}}],
    ['a protocol that Calico does not know', {protocol: 'tcp'}],
    ['protocol 0', {protocol: 0}],
    ['protocol 256', {protocol: 256}],
    ['an unknown action', {action: 'allow'}],
  ])('words cannot say %s', (_, rule) => expect(fromV3({action: 'Allow', ...rule})).toBeUndefined())
})
