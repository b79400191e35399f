/** What must fit together in a rule whose values are right by themselves: the same as Calico asks, and one thing more, as in v0.20. */
import {expect, test} from '@jest/globals'
import {accept} from '../../../src/lib/model/accept.js'
import type {Rule} from '../../../src/lib/model/types.js'
import {crossProblems} from '../../../src/lib/rules/cross-check.js'

const IN_V020 = ' CIDRs only'
const NAMES = ['TCP', 'UDP', 'ICMP', 'ICMPv6', 'SCTP', 'UDPLite']
const accepted = (rule: Rule): boolean => accept('Profile', {metadata: {name: 'web'}, spec: {ingress: [rule]}}, {operation: 'create'}).problems.length === 0

/** The rules with one value of each of FIELDS, undefined = without that field, that crossProblems judges otherwise than Calico. */
function judgedOtherwise(fields: Readonly<Record<string, readonly unknown[]>>): string[] {
  const entries = Object.entries(fields).reduce<[string, unknown][][]>((all, [field, values]) => all.flatMap((rest) => values.map((value) => [...rest, [field, value] as [string, unknown]])), [[]])
  const rules = entries.map((each) => Object.fromEntries([['action', 'Allow'], ...each.filter(([, value]) => value !== undefined)]) as unknown as Rule)
  return rules.filter((rule) => accepted(rule) !== crossProblems(rule).every((problem) => problem.endsWith(IN_V020))).map((rule) => JSON.stringify(rule))
}

test.each([
  ['ports', {
    protocol: [undefined, ...NAMES, ...Array.from({length: 255}, (_, i) => i + 1), '6', '17', '132', '58'],
    source: [{}, {ports: []}, {ports: [80]}, {notPorts: [80]}],
  }],
  ['ports of the destination', {protocol: [undefined, ...NAMES], destination: [{}, {ports: []}, {ports: [80]}, {notPorts: [80]}]}],
  ['ICMP', {protocol: [undefined, ...NAMES, 1, 58], icmp: [undefined, {}, {type: 3}, {code: 3}, {type: 3, code: 3}], notICMP: [undefined, {type: 3}, {code: 3}, {type: 3, code: 3}]}],
  ['IP versions', {protocol: [undefined, 'TCP', 'ICMP', 'ICMPv6'], notProtocol: [undefined, 'TCP', 'ICMP', 'ICMPv6'], ipVersion: [undefined, 4, 6]}],
  ['networks', {
    protocol: [undefined, 'ICMP', 'ICMPv6'],
    ipVersion: [undefined, 4, 6],
    source: [{}, {nets: ['10.0.0.0/8']}, {notNets: ['fd00::/8']}, {notNets: ['0.0.0.0/0']}, {nets: ['0.0.0.0/0']}, {nets: ['10.0.0.0/8', 'fd00::/8']}],
    destination: [{}, {nets: ['fd00::/8']}, {notNets: ['10.0.0.0/8']}, {notNets: ['::/0']}],
  }],
])('%s: what Calico accepts', (_, fields) => expect(judgedOtherwise(fields)).toEqual([]))

test.each([
  ['ICMP', 'fd00::/8', ['icmp can be used with IPv4 CIDRs only']],
  ['ICMP', '10.0.0.0/8', []],
  ['ICMPv6', '10.0.0.0/8', ['icmpv6 can be used with IPv6 CIDRs only']],
  ['ICMPv6', 'fd00::/8', []],
  ['TCP', 'fd00::/8', []],
])('%s with %s, as in v0.20', (protocol, network, problems) => {
  for (const side of [{nets: [network]}, {notNets: [network]}]) {
    expect(crossProblems({action: 'Allow', protocol, source: side})).toEqual(problems)
    expect(crossProblems({action: 'Allow', protocol, destination: side})).toEqual(problems)
    expect(crossProblems({action: 'Allow', notProtocol: protocol, source: side})).toEqual([])
  }
})
