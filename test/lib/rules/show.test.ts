import {describe, expect, test} from '@jest/globals'
import {execFileSync} from 'node:child_process'
import fc from 'fast-check'
import type {Rule} from '../../../src/lib/model/types.js'
import {rulesLines, ruleText} from '../../../src/lib/rules/show.js'
import {toV3} from '../../../src/lib/rules/v3.js'
import {readRuleWords} from '../../../src/lib/rules/words.js'
import {wordRule} from './arbitrary.js'

describe('a rule on one line', () => {
  test.each<[string, Rule]>([
    ['allow', {action: 'Allow', source: {}, destination: {}}],
    ['deny icmp type 8 code 0 to tag web', {action: 'Deny', protocol: 'ICMP', icmp: {type: 8, code: 0}, destination: {selector: 'has(web)'}}],
    [
      'allow tcp from ports 80,1024:65535 tag a cidr 10.0.0.0/8 to ports 443',
      {action: 'Allow', protocol: 'TCP', source: {ports: [80, '1024:65535'], selector: 'has(a)', nets: ['10.0.0.0/8']}, destination: {ports: [443]}},
    ],
    ['allow protocol sctp', {action: 'Allow', protocol: 'SCTP'}],
    ['allow protocol 47 not protocol tcp', {action: 'Allow', protocol: 47, notProtocol: 'TCP'}],
    ['allow from selector "role == \'db\'"', {action: 'Allow', source: {selector: "role == 'db'"}}],
    ["allow from selector '!has(x)'", {action: 'Allow', source: {selector: '!has(x)'}}],
    ['allow from selector "a == \'x\\"\\$y\'"', {action: 'Allow', source: {selector: 'a == \'x"$y\''}}],
    ['next-tier from tag a not cidr 10.0.0.0/8', {action: 'Pass', source: {selector: 'has(a)', notNets: ['10.0.0.0/8']}}],
    ['v3 {"action":"Allow","ipVersion":4}', {action: 'Allow', ipVersion: 4}],
  ])('%s', (text, rule) => expect(ruleText(rule)).toBe(text))
})

test('both lists, numbered from 1 in three columns', () => {
  const allow: Rule = {action: 'Allow'}
  const lines = rulesLines({inbound: [toV3({action: 'allow', from: {tag: 'p1'}, to: {}}), ...Array.from({length: 9}, () => allow)], outbound: [allow]})
  expect(lines.filter((_, index) => index < 3 || index > 9)).toEqual(['Inbound rules:', '   1 allow from tag p1', '   2 allow', '  10 allow', 'Outbound rules:', '   1 allow'])
})

test('no rules', () => {
  expect(rulesLines({inbound: [], outbound: []})).toEqual(['Inbound rules:', 'Outbound rules:'])
})

test('what is shown can be pasted into a shell', () => {
  const rules = fc.sample(wordRule, 60)
  const script = rules.map((rule) => `printf '%s\\0' ${ruleText(toV3(rule))}; printf '\\n'`).join('\n')
  const lines = execFileSync('sh', ['-c', script], {encoding: 'utf8'}).split('\n')
  rules.forEach((rule, index) => {
    const result = readRuleWords((lines[index] ?? '').split('\0').slice(0, -1))
    expect(result.ok && result.words).toEqual(rule)
  })
})
