import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import type {Rule} from '../../../src/lib/model/types.js'
import {sameRule} from '../../../src/lib/rules/compare.js'
import {readRulesDocument, rulesDocument, toV020} from '../../../src/lib/rules/v020-json.js'
import {toV3} from '../../../src/lib/rules/v3.js'
import {goldenProfiles, goldenRules, wordRule} from './arbitrary.js'

const nearest = (word: string): string => `near ${word}`
const read = (inbound: unknown, outbound: unknown = []): ReturnType<typeof readRulesDocument> =>
  readRulesDocument({id: 'web', inbound_rules: inbound, outbound_rules: outbound}, 'web', nearest)

describe('v0.20 keys ⇄ v3', () => {
  test.each<[object, Rule]>([
    [{action: 'allow'}, {action: 'Allow', source: {}, destination: {}}],
    [{action: 'next-tier', ip_version: 6}, {action: 'Pass', ipVersion: 6, source: {}, destination: {}}],
    [
      {action: 'log', protocol: 'icmp', icmp_type: 8, icmp_code: 0, src_tag: 'a', dst_selector: "b == 'c'"},
      {action: 'Log', protocol: 'ICMP', icmp: {type: 8, code: 0}, source: {selector: 'has(a)'}, destination: {selector: "b == 'c'"}},
    ],
    [
      {action: 'deny', protocol: 6, '!protocol': 'udplite', src_nets: ['10.0.0.0/8', '11.0.0.0/8'], '!src_net': '10.1.0.0/16', src_ports: [80, '1024:2048'], '!dst_ports': [22]},
      {
        action: 'Deny',
        protocol: 6,
        notProtocol: 'UDPLite',
        source: {nets: ['10.0.0.0/8', '11.0.0.0/8'], notNets: ['10.1.0.0/16'], ports: [80, '1024:2048']},
        destination: {notPorts: [22]},
      },
    ],
    [
      {action: 'allow', protocol: 'icmpv6', '!icmp_type': 1, src_tag: 'a', src_selector: 'has(b)', '!dst_tag': 'c'},
      {action: 'Allow', protocol: 'ICMPv6', notICMP: {type: 1}, source: {selector: '(has(b)) && has(a)'}, destination: {notSelector: 'has(c)'}},
    ],
    [{action: 'allow', '!src_selector': '(has(b)) && has(a)'}, {action: 'Allow', source: {notSelector: '(has(b)) && has(a)'}, destination: {}}],
  ])('%j', (old, rule) => {
    expect(toV020(rule)).toEqual(old)
    expect(read([old])).toEqual({ok: true, rules: {inbound: [rule], outbound: []}})
  })

  test('the example of the upgrade tool: host bits go, the tag stays', () => {
    const result = read([{action: 'allow', protocol: 'tcp', src_tag: 'tag1', src_net: '192.168.0.129/25', dst_ports: ['080']}])
    expect(result.ok && result.rules.inbound).toEqual([
      {action: 'Allow', protocol: 'TCP', source: {nets: ['192.168.0.128/25'], selector: 'has(tag1)'}, destination: {ports: [80]}},
    ])
  })

  test('a single net goes behind the list of nets', () => {
    expect(read([{action: 'allow', src_net: '10.1', '!dst_nets': ['11/8']}])).toMatchObject({
      ok: false,
      problems: [expect.stringContaining('"src_net": "10.1" is not written in full: v0.20 read it as 10.1.0.0/32'), expect.stringContaining('write 11.0.0.0/8')],
    })
    const result = read([{action: 'allow', src_net: '10.0.0.1', src_nets: ['11.0.0.0/8']}])
    expect(result.ok && result.rules.inbound[0]?.source?.nets).toEqual(['11.0.0.0/8', '10.0.0.1/32'])
  })
})

describe('what v0.20 keys cannot say goes through as a v3 rule', () => {
  test.each<[string, object]>([
    ['annotations', {metadata: {annotations: {a: 'b'}}}],
    ['a named port', {protocol: 'TCP', source: {ports: ['http']}}],
    ['a namespace selector', {source: {namespaceSelector: 'all()'}}],
    ['HTTP', {http: {methods: ['GET']}}],
    ['a field that nobody knows', {later: {than: 'us'}}],
    ['ICMP code 255', {protocol: 'ICMP', icmp: {type: 3, code: 255}}],
    ['empty ICMP', {protocol: 'ICMP', icmp: {}}],
  ])('%s', (_, more) => {
    const rule = {action: 'Allow', ...more} as Rule
    expect(toV020(rule)).toEqual({v3: rule})
    expect(read([{v3: rule}])).toEqual({ok: true, rules: {inbound: [rule], outbound: []}})
  })
})

test.each<[string, Rule]>([
  ['source.nets[0]', {action: 'Allow', source: {nets: ['10.0.0.1/8']}}],
  ['source.nets', {action: 'Allow', source: {nets: []}}],
  ['destination.selector', {action: 'Allow', destination: {selector: ''}}],
])('a stored rule that Calico refuses or that opens too much (%s) is shown as it is, and refused as input', (field, rule) => {
  expect(toV020(rule)).toEqual({v3: rule})
  expect(read([{v3: rule}])).toEqual({ok: false, problems: [expect.stringContaining(`inbound_rules[0]: v3: ${field}: `)]})
})

describe('nothing is lost between the two', () => {
  test('golden profiles', () => {
    expect(goldenRules.length).toBeGreaterThan(50)
    for (const {metadata, spec} of goldenProfiles) {
      const lists = {inbound: spec.ingress ?? [], outbound: spec.egress ?? []}
      const document: unknown = JSON.parse(JSON.stringify(rulesDocument(metadata.name, lists)))
      const result = readRulesDocument(document, metadata.name, nearest)
      if (!result.ok) throw new Error(`${JSON.stringify(spec)}: ${result.problems.join('; ')}`)
      for (const direction of ['inbound', 'outbound'] as const) {
        expect(result.rules[direction]).toHaveLength(lists[direction].length)
        lists[direction].forEach((rule, index) => {
          const back = result.rules[direction][index]
          if (!back || !sameRule(back, rule)) throw new Error(`${JSON.stringify(rule)} came back as ${JSON.stringify(back)}`)
        })
      }
    }
  })

  test('rules that words can say need no v3 form', () => {
    fc.assert(
      fc.property(wordRule, (words) => {
        const rule = toV3(words)
        const old = toV020(rule)
        expect(old).not.toHaveProperty('v3')
        expect(read([], [old])).toEqual({ok: true, rules: {inbound: [], outbound: [rule]}})
      }),
    )
  })
})

describe('a document with mistakes', () => {
  test.each<[string, unknown, string[]]>([
    ['no object', [], ['must be a JSON object']],
    ['null', null, ['must be a JSON object']],
    ['no lists', {id: 'web'}, ['"inbound_rules" is missing', '"outbound_rules" is missing']],
    ['lists of another type', {inbound_rules: {}, outbound_rules: 'x'}, ['"inbound_rules" must be a list', '"outbound_rules" must be a list']],
    ['another profile', {id: 'db', inbound_rules: [], outbound_rules: []}, ['"id" is "db", but the profile is "web"']],
    ['an unknown key', {rules: [], inbound_rules: [], outbound_rules: []}, ['unknown key "rules"; did you mean "near rules"?']],
  ])('%s', (_, document, texts) => {
    const result = readRulesDocument(document, 'web', nearest)
    if (result.ok) throw new Error('it was taken')
    expect(result.problems).toHaveLength(texts.length)
    texts.forEach((text, index) => expect(result.problems[index]).toContain(text))
  })

  test('all mistakes of all rules are told', () => {
    const result = read(
      [
        {action: 'accept', src_tags: 'a'},
        7,
        {protocol: 'tcp'},
        {action: 'allow', protocol: 'gre', ip_version: 5, icmp_type: 255, src_tag: 'b@d', src_net: 7, src_nets: [], src_selector: 'has(', dst_ports: [], '!dst_ports': [0, 'http']},
      ],
      [{action: 'allow', '!src_tag': 'a', '!src_selector': 'has(b)'}, {action: 'allow', src_ports: [80]}, {v3: 'x'}, {v3: {action: 'allow', protocol: 'tcp'}, action: 'allow'}],
    )
    expect(result.ok ? [] : result.problems).toEqual([
      'inbound_rules[0]: unknown key "src_tags"; did you mean "near src_tags"?',
      'inbound_rules[0]: "action": "accept" is not an action: give allow, deny, log, next-tier',
      'inbound_rules[1]: a rule must be a JSON object',
      'inbound_rules[2]: "action" is missing',
      expect.stringContaining('inbound_rules[3]: "icmp_type": ICMP type "255"'),
      'inbound_rules[3]: "src_net": 7 is not a string',
      expect.stringContaining('inbound_rules[3]: "src_nets": give a list'),
      expect.stringContaining('inbound_rules[3]: "src_tag": "b@d" is not a valid tag'),
      expect.stringContaining('inbound_rules[3]: "src_selector": selector "has("'),
      expect.stringContaining('inbound_rules[3]: "dst_ports": give a list'),
      expect.stringContaining('inbound_rules[3]: "!dst_ports": port 0'),
      expect.stringContaining('inbound_rules[3]: "!dst_ports": "http" is not a port'),
      expect.stringContaining('inbound_rules[3]: "ip_version": 5'),
      expect.stringContaining('inbound_rules[3]: "protocol": "gre"'),
      expect.stringContaining('outbound_rules[0]: "!src_tag" and "!src_selector" cannot be combined'),
      'outbound_rules[1]: ports need the protocol tcp, udp or sctp (or 6, 17 or 132)',
      'outbound_rules[2]: "v3" must be a Calico v3 rule',
      'outbound_rules[3]: "v3" must be the only key of its rule',
      expect.stringContaining('outbound_rules[3]: v3: protocol'),
      expect.stringContaining('outbound_rules[3]: v3: action'),
    ].map((text) => text as unknown))
  })

  test('the id may be missing', () => {
    expect(readRulesDocument({inbound_rules: [], outbound_rules: []}, 'web', nearest)).toEqual({ok: true, rules: {inbound: [], outbound: []}})
  })

  test('nothing that JSON can say crashes it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.dictionary(fc.constantFrom('action', 'src_net', 'src_ports', '!dst_tag', 'icmp_type', 'protocol'), fc.jsonValue()), (any, rule) => {
        expect(typeof readRulesDocument(any, 'web', nearest).ok).toBe('boolean')
        expect(typeof read([rule, any]).ok).toBe('boolean')
      }),
    )
  })
})
