/** What a change does to flows: held to both evaluators for every pair of endpoints, hosts and addresses on random changes of random stores. */
import {isDeepStrictEqual} from 'node:util'
import {expect, test} from '@jest/globals'
import fc from 'fast-check'
import {type Address, ADDRESS_BITS, containsCidr, parseAddress} from '../../../src/lib/net/index.js'
import {passing} from '../../../src/lib/policy/between.js'
import {evaluateFlow} from '../../../src/lib/policy/evaluate.js'
import {type FlowChange, flowChanges, type FlowEnd} from '../../../src/lib/policy/flow-changes.js'
import {flowTexts} from '../../../src/lib/policy/flow-set/text.js'
import {neverFlows} from '../../../src/lib/policy/groups.js'
import {loadWorld} from '../../../src/lib/policy/load.js'
import {hostParty, type Party, partyAt} from '../../../src/lib/policy/parties.js'
import type {World} from '../../../src/lib/policy/world.js'
import {differenceOf, type FamilyFlows, familyFlows, hasPacket, NO_FAMILY_FLOWS, unionOf} from '../../../src/lib/policy/flow-set/flow-set.js'
import type {Entry} from '../../../src/lib/policy/load.js'
import {ADDRESSES, entries, packets} from './random-world.js'

/** `expect(FOUND).toEqual(EXPECTED)`, which takes most of the time of this test where they are equal. */
function same(found: object, expected: object): void {
  if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected)
}

const address = (text: string): Address => parseAddress(text) ?? {family: 4, value: 0n}

/** A change: each object of one store that is there afterwards is as before, gone, or that of another store. */
const changes = fc.tuple(entries, entries, fc.array(fc.constantFrom('kept', 'kept', 'kept', 'kept', 'changed', 'gone'), {minLength: 40, maxLength: 40}), fc.constantFrom(...['Profile', 'GlobalNetworkPolicy', 'WorkloadEndpoint', 'GlobalNetworkSet', 'HostEndpoint', undefined])).map(([before, other, fates, only]) => {
  const keys = [...new Set([...before, ...other].map(({key}) => key))]
  const after: Entry[] = []
  const changed: string[] = []
  for (const [index, key] of keys.entries()) {
    const [was, is] = [before, other].map((list) => list.find((entry) => entry.key === key))
    const kind = ((was ?? is)?.value as {kind: string}).kind
    const fate = only === undefined || only === kind ? fates[index % fates.length] : 'kept'
    const now = fate === 'kept' ? was : fate === 'gone' ? undefined : is
    if (now) after.push(now)
    if (now !== was) changed.push(key)
  }
  return {before, after, changed}
})

/** What has KEY in WORLD. */
function partyOf(world: World, text: string): Party | undefined {
  const own = address(text)
  const party = partyAt(world, own)
  return party.type === 'host' ? hostParty(party.node, own.family) : party
}

/** Whether END has the party at TEXT. */
function has(end: FlowEnd, text: string, worlds: readonly World[]): boolean {
  const own = address(text)
  const parties = worlds.flatMap((world) => partyOf(world, text) ?? [])
  const named = parties.find(({type}) => type !== 'outside')
  if (named?.type === 'workload') return end.type === 'workloads' && end.members.includes(`${named.workload.namespace}/${named.workload.name}`)
  if (named?.type === 'host') return end.type === 'host' && end.members.includes(named.node.name)
  if (end.type !== 'outside') return false
  const networks = worlds.flatMap((world) => world.networks()).filter((cidr) => cidr.family === own.family && containsCidr(cidr, {...own, prefix: ADDRESS_BITS[own.family]}))
  const smallest = networks.sort((a, b) => b.prefix - a.prefix)[0]
  return smallest === undefined ? end.rest : end.networks.some(({family, prefix, value}) => family === smallest.family && prefix === smallest.prefix && value === smallest.value)
}

/** Of FLOWS what can pass at all. */
const real = (flows: FamilyFlows, family: 4 | 6): FamilyFlows => differenceOf(flows, familyFlows(neverFlows(), family))

const nodeAt = (worlds: readonly World[], text: string): string | undefined => worlds.flatMap((world) => partyOf(world, text) ?? []).flatMap((party) => (party.type === 'workload' ? [party.workload.node] : party.type === 'host' ? [party.node.name] : []))[0]

test('on random changes the list is exactly what both evaluators tell of every pair', () => {
  let rows = 0
  fc.assert(
    fc.property(changes, fc.array(packets, {minLength: 6, maxLength: 6}), ({before, after, changed}, probes) => {
      const worlds = [loadWorld(before), loadWorld(after)] as const
      const list = flowChanges(...worlds, changed)
      rows += list.length
      for (const family of [4, 6] as const) {
        for (const source of ADDRESSES[family]) {
          for (const destination of ADDRESSES[family]) {
            if (source === destination) continue
            const pairs = worlds.map((world) => [partyOf(world, source), partyOf(world, destination)] as const)
            // An address that was an endpoint's and is nobody's: no group has it.
            const types = (side: 0 | 1): Set<string | undefined> => new Set(pairs.map((pair) => pair[side]?.type))
            const was = (side: 0 | 1): boolean => types(side).size > 1
            const flowsIn = (world: 0 | 1): FamilyFlows => {
              const [from, to] = pairs[world] ?? []
              if (!from || !to || (was(0) && from.type === 'outside') || (was(1) && to.type === 'outside') || (from.type === 'outside' && to.type === 'outside')) return NO_FAMILY_FLOWS
              return familyFlows(passing(worlds[world], from, to).flows, family)
            }
            const [passedBefore, passesAfter] = [flowsIn(0), flowsIn(1)]
            const sameNode = nodeAt(worlds, source) === nodeAt(worlds, destination)
            const fits = (row: FlowChange): boolean => {
              if (!has(row.from, source, worlds) || !has(row.to, destination, worlds)) return false
              const mixed = new Set([row.from.type, row.to.type])
              return !(mixed.has('host') && mixed.has('workloads')) || row.onNode === sameNode
            }
            const listed = (change: '+' | '-'): FamilyFlows => list.filter((row) => row.change === change && fits(row)).reduce<FamilyFlows>((all, row) => unionOf(all, familyFlows(row.flows, family)), NO_FAMILY_FLOWS)
            const [gained, lost] = [listed('+'), listed('-')]
            const place = {source, destination}
            same({...place, gained: real(gained, family)}, {...place, gained: real(differenceOf(passesAfter, passedBefore), family)})
            same({...place, lost: real(lost, family)}, {...place, lost: real(differenceOf(passedBefore, passesAfter), family)})
            if (was(0) || was(1)) continue
            for (const probe of probes) {
              const packet = {family, ...probe}
              if (hasPacket(familyFlows(neverFlows(), family), packet)) continue
              const [verdictBefore, verdictAfter] = worlds.map((world, index) => {
                const [from, to] = pairs[index] ?? []
                return from && to && !(from.type === 'outside' && to.type === 'outside') ? evaluateFlow(world, from, to, packet).verdict : 'deny'
              })
              same({...place, packet, gained: hasPacket(gained, packet), lost: hasPacket(lost, packet)}, {...place, packet, gained: verdictBefore === 'deny' && verdictAfter === 'allow', lost: verdictBefore === 'allow' && verdictAfter === 'deny'})
            }
          }
        }
      }
      for (const {flows, texts} of list) expect({texts, empty: flowTexts(flows).length === 0}).toEqual({texts, empty: texts.length === 0})
    }),
    {numRuns: 60},
  )
  expect(rows).toBeGreaterThan(50)
})
