/** The command that `policy explain` suggests for denied traffic: it lets through what was asked about, and nothing of others. */
import {describe, expect, test} from '@jest/globals'
import {readLines} from '../../../../src/lib/batch/lines.js'
import {type Entry, loadWorld} from '../../../../src/lib/policy/load.js'
import {findParty, parseTraffic} from '../../../../src/lib/policy/probe.js'
import {readRuleWords} from '../../../../src/lib/rules/words.js'
import {explain} from '../../../../src/lib/views/policy/explain.js'
import {allow, node, profile, workload} from '../../policy/decided.js'

const on = (name: string, address: string, own: string): Entry => workload(name, 'h1', address, {spec: {profiles: [own]}})
const NOTHING = {ingress: [], egress: []}

/** A store in which the profile `lock` has RULES. */
const store = (rules: {readonly ingress?: readonly object[]; readonly egress?: readonly object[]} = {}): Entry[] => [
  node('h1', '192.0.2.1'), node('h2', '192.0.2.2'),
  profile('lock', {...NOTHING, ...rules}), profile('open', {ingress: [allow()], egress: [allow()]}), profile('web', {ingress: [allow()], egress: [allow()], labelsToApply: {web: '', shop: ''}}),
  on('db', '10.0.0.1', 'lock'), on('db6', 'fd00::1', 'lock'), on('a', '10.0.0.2', 'open'), on('w', '10.0.0.3', 'web'), on('x', '10.0.0.4', 'web'),
]

function explained(entries: readonly Entry[], from: string, to: string, traffic: string): {verdict: string | undefined; command: string | undefined} {
  const world = loadWorld(entries)
  const {verdict, presentation} = explain({world, from: findParty(world, from), to: findParty(world, to), traffic: parseTraffic(traffic), family: undefined})
  const lines = presentation.columns[0]?.value({}) as readonly string[]
  return {verdict, command: lines.flatMap((line) => /^Allow it: calicoctl (.*)$/.exec(line)?.[1] ?? [])[0]}
}

describe('names who was asked about', () => {
  test.each<[string, string, string, string, string | undefined]>([
    ['8.8.8.8', 'db', 'tcp/80', 'profile lock rule add inbound allow tcp from cidr 8.8.8.8/32 to ports 80', '8.8.4.4'],
    ['2a00::8', 'db6', 'udp/53', 'profile lock rule add inbound allow udp from cidr 2a00::8/128 to ports 53', '2a00::9'],
    ['8.8.8.8', 'db', 'icmp/8', 'profile lock rule add inbound allow icmp type 8 from cidr 8.8.8.8/32', '8.8.4.4'],
    ['8.8.8.8', 'db', 'icmp/8/0', 'profile lock rule add inbound allow icmp type 8 code 0 from cidr 8.8.8.8/32', '8.8.4.4'],
    ['8.8.8.8', 'db', '47', 'profile lock rule add inbound allow protocol 47 from cidr 8.8.8.8/32', '8.8.4.4'],
    ['8.8.8.8', 'db', 'sctp/5000', 'profile lock rule add inbound allow protocol sctp from cidr 8.8.8.8/32 to ports 5000', '8.8.4.4'],
    ['w', 'db', 'tcp/80', 'profile lock rule add inbound allow tcp from tag web to ports 80', 'a'],
    ['web', 'db', 'tcp/80', 'profile lock rule add inbound allow tcp from tag web to ports 80', 'a'],
    ['tag:shop', 'db', 'tcp/80', 'profile lock rule add inbound allow tcp from tag shop to ports 80', 'a'],
    ['a', 'db', 'tcp/80', 'profile lock rule add inbound allow tcp from cidr 10.0.0.2/32 to ports 80', 'w'],
    ['host:h2', 'db', 'tcp/80', 'profile lock rule add inbound allow tcp from cidr 192.0.2.2/32 to ports 80', 'a'],
    ['any', 'db', 'tcp/80', 'profile lock rule add inbound allow tcp to ports 80', undefined],
  ])('%s to %s, %s: %s', (from, to, traffic, command, other) => {
    expect(explained(store(), from, to, traffic)).toMatchObject({command})
    const after = store({ingress: [ruleOf(command)]})
    expect(explained(after, from, to, traffic)).toMatchObject({verdict: 'allow'})
    if (other !== undefined) expect(explained(after, other, to, traffic)).toMatchObject({verdict: 'deny'})
  })

  test.each<[string, string, string, string, string | undefined]>([
    ['db', '8.8.8.8', 'tcp/80', 'profile lock rule add outbound allow tcp to ports 80 cidr 8.8.8.8/32', '8.8.4.4'],
    ['db', 'w', 'tcp/80', 'profile lock rule add outbound allow tcp to ports 80 tag web', 'a'],
    ['db', 'a', 'icmp', 'profile lock rule add outbound allow icmp to cidr 10.0.0.2/32', 'w'],
  ])('%s to %s, %s: %s', (from, to, traffic, command, other) => {
    expect(explained(store(), from, to, traffic)).toMatchObject({command})
    const after = store({egress: [ruleOf(command)]})
    if (traffic !== 'icmp') expect(explained(after, from, to, traffic)).toMatchObject({verdict: 'allow'})
    if (other !== undefined) expect(explained(after, from, other, traffic)).toMatchObject({verdict: 'deny'})
  })
})

/** The rule that COMMAND adds. */
function ruleOf(command: string): object {
  const read = readRuleWords((readLines(command).lines[0]?.words ?? []).slice(5))
  if (!read.ok) throw new Error(`no rule: ${command}`)
  return read.rule
}
