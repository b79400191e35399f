/** All that would have to differ for a rule to match: what is left out would make a hint wrong. */
import {describe, expect, test} from '@jest/globals'
import {parseAddress} from '../../../src/lib/net/index.js'
import {Expressions} from '../../../src/lib/policy/expression.js'
import {packetOf, parseTraffic} from '../../../src/lib/policy/probe.js'
import {compileRule} from '../../../src/lib/policy/rule.js'
import {ruleMatches} from '../../../src/lib/policy/rule-match.js'
import {whyNot} from '../../../src/lib/policy/why-not.js'

function reasons(criteria: object, flow: string, address = '192.0.2.1'): readonly string[] | undefined {
  const rule = compileRule({action: 'Allow', source: {}, destination: {}, ...criteria}, {kind: 'Profile', name: 'p', direction: 'ingress', index: 0}, undefined, new Expressions())
  const own = parseAddress(address)
  if (own === undefined) throw new TypeError(address)
  const place = {address: own, claims: []}
  const packet = packetOf(parseTraffic(flow), own.family)
  const found = whyNot(rule, packet, place, place)
  expect(ruleMatches(rule, packet, place, place, true, () => undefined)).toBe(found?.length === 0)
  return found
}

const to = (ports: unknown): object => ({protocol: 'TCP', destination: {ports}})
const notTo = {protocol: 'TCP', destination: {notPorts: [80]}}

describe('what differs', () => {
  test.each<[object, string, readonly string[]]>([
    [to([80]), 'tcp/80', []],
    [to([8000, '9000:9010']), '47', ['the protocol were tcp', 'the port were 8000,9000:9010']],
    [to([80]), 'udp/80', ['the protocol were tcp']],
    [to([80]), 'tcp', ['the port were 80']],
    [{protocol: 'TCP', source: {ports: [53]}}, 'icmp/8', ['the protocol were tcp', 'the source port were 53']],
    [notTo, 'tcp/80', ['the port were none of 80']],
    [notTo, '47', ['the protocol were tcp', 'the port were none of 80']],
    [notTo, 'udp/81', ['the protocol were tcp']],
    [{protocol: 'ICMP', icmp: {type: 8, code: 0}}, 'icmp/8/1', ['the ICMP code were 0']],
    [{protocol: 'ICMP', icmp: {type: 8, code: 0}}, 'tcp/1', ['the protocol were icmp', 'the ICMP type were 8', 'the ICMP code were 0']],
    [{protocol: 'ICMP', notICMP: {type: 8, code: 0}}, 'icmp/8/0', ['the ICMP type and code were not 8/0']],
    [{protocol: 'ICMP', notICMP: {type: 8, code: 0}}, 'icmp/8/1', []],
    [{protocol: 'ICMP', notICMP: {type: 8}}, 'udp/1', ['the protocol were icmp', 'the ICMP type were not 8']],
    [{notProtocol: 'UDP'}, 'udp/1', ['the protocol were not udp']],
    [{source: {nets: ['10.0.0.0/8']}}, 'udp/1', ['the source 192.0.2.1 were in 10.0.0.0/8']],
  ])('%j, %s', (criteria, flow, expected) => expect(reasons(criteria, flow)).toEqual(expected))

  test('nothing, where no packet of the family would match', () => {
    expect(reasons({ipVersion: 4}, 'tcp/80', '2001:db8::1')).toBeUndefined()
    expect(reasons({source: {services: {name: 'x', namespace: 'y'}}}, 'tcp/80')).toBeUndefined()
  })
})
