import {isDeepStrictEqual} from 'node:util'
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {parseAddress} from '../../../src/lib/net/index.js'
import {divide, passing} from '../../../src/lib/policy/between.js'
import {evaluateFlow} from '../../../src/lib/policy/evaluate.js'
import {type FamilyFlows, familyFlows, hasPacket, NO_FAMILY_FLOWS, unionOf} from '../../../src/lib/policy/flow-set/flow-set.js'
import {loadWorld} from '../../../src/lib/policy/load.js'
import {partyAt} from '../../../src/lib/policy/parties.js'
import type {World} from '../../../src/lib/policy/world.js'
import {ADDRESSES, entries, packets} from './random-world.js'

const at = (world: World, text: string): ReturnType<typeof partyAt> => partyAt(world, parseAddress(text) ?? {family: 4, value: 0n})

describe('the two evaluators agree on random stores', () => {
  const pair = fc.oneof(fc.tuple(fc.constant(4 as const), fc.constantFrom(...ADDRESSES[4]), fc.constantFrom(...ADDRESSES[4])), fc.tuple(fc.constant(6 as const), fc.constantFrom(...ADDRESSES[6]), fc.constantFrom(...ADDRESSES[6])))

  test.each([
    [false, 600],
    [true, 150],
  ])('asWritten: %s', (asWritten, numRuns) => {
    fc.assert(
      fc.property(entries, fc.array(pair, {minLength: 3, maxLength: 3}), fc.array(packets, {minLength: 8, maxLength: 8}), (store, pairs, probes) => {
        const world = loadWorld(store)
        for (const [family, source, destination] of pairs) {
          if (source === destination) continue
          const [from, to] = [at(world, source), at(world, destination)]
          const divisions = divide(world, from, to, undefined, {trace: true, asWritten})
          if (!asWritten) {
            const allowed = divisions.filter(({verdict}) => verdict === 'allow').reduce<FamilyFlows>((all, {flows}) => unionOf(all, flows), NO_FAMILY_FLOWS)
            expect(familyFlows(passing(world, from, to).flows, family)).toEqual(allowed)
          }
          for (const probe of probes) {
            const packet = {family, ...probe}
            const {verdict, egress, ingress, forward} = evaluateFlow(world, from, to, packet, {asWritten})
            const bare = (side: typeof egress): unknown => side && {...side, considered: undefined}
            const fitting = divisions.filter(({flows}) => hasPacket(flows, packet))
            const found = fitting.map((one) => ({...one, flows: undefined, egress: one.egress && {...one.egress, considered: undefined}, ingress: one.ingress && {...one.ingress, considered: undefined}}))
            const expected = [{flows: undefined, egress: bare(egress), ingress: bare(ingress), forward, verdict}]
            if (!isDeepStrictEqual(found, expected)) expect({source, destination, packet, found}).toEqual({source, destination, packet, found: expected})
          }
        }
      }),
      {numRuns},
    )
  })
})
