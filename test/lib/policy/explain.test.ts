/** The pairs that words of users stand for, and what becomes of all of them. */
import {describe, expect, test} from '@jest/globals'
import {flowsOfPairs, judgePairs} from '../../../src/lib/policy/explain.js'
import {loadWorld} from '../../../src/lib/policy/load.js'
import {findParty, parseTraffic} from '../../../src/lib/policy/probe.js'
import {allow, node, profile, workload} from './decided.js'

const on = (name: string, address: string, own: string) => workload(name, 'h1', address, {spec: {profiles: [own]}, labels: {team: own}})
const WORLD = loadWorld([
  node('h1', '192.0.2.1'),
  profile('open', {ingress: [allow()], egress: [allow()]}),
  profile('web', {ingress: [allow({protocol: 'TCP', destination: {ports: [80]}})], egress: [allow()]}),
  on('a', '10.0.0.1', 'open'), on('b', '10.0.0.2', 'web'), on('c', '10.0.0.3', 'web'), on('alone', 'fd00::1', 'open'),
])
function judged(from: string, to: string, traffic: string): {verdict: string; pairs: string[]} {
  const {verdict, pairs} = judgePairs(WORLD, findParty(WORLD, from), findParty(WORLD, to), parseTraffic(traffic))
  return {verdict, pairs: pairs.map(({sender, receiver, judgement}) => [...[sender, receiver].map((party) => (party.type === 'workload' ? party.workload.shownWorkload : party.type)), judgement.verdict].join(' '))}
}

describe('pairs', () => {
  test.each<[string, string, string, string, string[]]>([
    ['a', 'b', 'tcp/80', 'allow', ['a b allow']], ['a', 'b', 'tcp/81', 'deny', ['a b deny']],
    // Nobody knows of an endpoint and itself, where that is all that was asked for.
    ['b', 'b', 'tcp/81', 'unknown', ['b b unknown']],
    // Within a group the first stands for all, and talks to another one of them; so does one of them, whichever it is and whatever it is called by.
    ['web', 'web', 'tcp/80', 'allow', ['b c allow']], ['b', 'web', 'tcp/81', 'deny', ['b c deny']], ['web', 'b', 'tcp/80', 'allow', ['c b allow']], ['c', 'web', 'tcp/80', 'allow', ['c b allow']], ['10.0.0.2', 'web', 'tcp/80', 'allow', ['b c allow']],
    ['b', 'any', 'tcp/80', 'allow', ['b a allow', 'b c allow', 'b outside allow']],
    // A group of one has nobody else.
    ['open', 'profile:open', 'tcp/80', 'unknown', []],
    ['a', 'any', 'tcp/81', 'mixed', ['a b deny', 'a outside allow']],
    ['8.8.8.8', 'any', 'tcp/80', 'allow', ['outside a allow', 'outside b allow']],
    ['8.8.8.8', '1.1.1.1', 'tcp/80', 'allow', ['outside outside allow']],
  ])('%s to %s, %s: %s', (from, to, traffic, verdict, pairs) => expect(judged(from, to, traffic)).toEqual({verdict, pairs}))

  test('without traffic, what passes of each', () => {
    const {pairs} = flowsOfPairs(WORLD, findParty(WORLD, 'a'), findParty(WORLD, 'any'))
    expect(pairs.map(({to, texts}) => `${to.label}: ${texts.join(' ')}`)).toEqual(['2 endpoints of profile web, such as endpoint eth0 of docker workload b on h1: tcp/80', 'outside, anywhere else: all'])
    expect(flowsOfPairs(WORLD, findParty(WORLD, 'b'), findParty(WORLD, 'web')).pairs.map(({texts}) => texts.join(' '))).toEqual(['tcp/80'])
  })
})
