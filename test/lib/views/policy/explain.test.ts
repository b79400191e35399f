/** Which rules `policy explain` suggests: those that would be asked, and match but for one thing. */
import {expect, test} from '@jest/globals'
import {loadWorld} from '../../../../src/lib/policy/load.js'
import {findParty, parseTraffic} from '../../../../src/lib/policy/probe.js'
import {explain} from '../../../../src/lib/views/policy/explain.js'
import {allow, deny, policy, profile, tier, workload} from '../../policy/decided.js'

const PORT_80 = allow({protocol: 'TCP', destination: {ports: [80]}})
const WORLD = loadWorld([
  tier('first', {order: 1}), tier('second', {order: 2}),
  policy('first.a', {tier: 'first', selector: "own == 'tiers'", ingress: [PORT_80]}),
  policy('second.b', {tier: 'second', selector: "own == 'tiers'", ingress: [PORT_80]}),
  profile('web', {ingress: [PORT_80]}), profile('late', {ingress: [PORT_80, deny({protocol: 'UDP'})]}),
  workload('a', 'h1', '10.0.0.1'), workload('t', 'h1', '10.0.0.2', {labels: {own: 'tiers'}, spec: {profiles: ['web']}}),
  workload('w', 'h1', '10.0.0.3', {spec: {profiles: ['web', 'late']}}), workload('m', 'h1', '10.0.0.4', {spec: {profiles: ['web', 'gone', 'late']}}),
])
const hints = (to: string, flow: string): string[] => {
  const {presentation} = explain({world: WORLD, from: findParty(WORLD, 'a'), to: findParty(WORLD, to), traffic: parseTraffic(flow), family: undefined})
  const lines = (presentation.text as (rows: unknown) => readonly string[])(presentation.rows)
  return lines.filter((line) => /would allow|^Allow it/.test(line))
}

test('rules behind the tier that denies, or behind a missing profile, are not suggested', () => {
  expect(hints('t', 'tcp/81')).toEqual(['globalnetworkpolicy first.a in tier first, inbound rule 1 would allow it if the port were 80.'])
  expect(hints('m', 'tcp/81')).toEqual(['profile web, inbound rule 1 would allow it if the port were 80.'])
  expect(hints('w', 'tcp/81').slice(1)).toEqual(['web', 'late'].map((name) => `profile ${name}, inbound rule 1 would allow it if the port were 80.`))
})

test('rules of which more than one thing differs are not suggested; port 0, which no rule can name, is allowed with all ports', () => {
  expect(hints('w', '47').filter((line) => line.includes('would'))).toEqual([])
  expect(hints('w', 'tcp/0')[0]).toBe('Allow it: calicoctl profile late rule add inbound allow tcp from cidr 10.0.0.1/32')
})
