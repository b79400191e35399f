import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {allFlowsOf, difference, differenceOf, type FamilyFlows, type FlowSet, hasPacket, intersection, intersectionOf, isEmpty, NO_FAMILY_FLOWS, type Packet, sameFlows, union, unionOf} from '../../../src/lib/policy/flow-set/flow-set.js'
import {product, rangesOf} from '../../../src/lib/policy/flow-set/region.js'
import {flowTexts} from '../../../src/lib/policy/flow-set/text.js'
import {neverFlows} from '../../../src/lib/policy/groups.js'

const span = (most: number): fc.Arbitrary<readonly [number, number]> => fc.tuple(fc.integer({min: 0, max: most}), fc.integer({min: 0, max: 3})).map(([from, length]) => [from, Math.min(most, from + length)] as const)
const ranges = (most: number): fc.Arbitrary<readonly number[]> => fc.array(span(most), {maxLength: 3}).map(rangesOf)
const region = (most: number): fc.Arbitrary<FamilyFlows['tcp']> => fc.tuple(ranges(most), ranges(most)).map(([xs, ys]) => product(xs, ys))
const half: fc.Arbitrary<FamilyFlows> = fc
  .record({tcp: region(12), udp: region(12), sctp: fc.constant([]), icmp: region(12), others: fc.constantFrom(0n, 2n ** 47n, 2n ** 47n + 2n ** 50n)})
  .chain((one) => fc.record({tcp: region(12)}).map(({tcp}) => unionOf(one, {...NO_FAMILY_FLOWS, tcp})))
const set: fc.Arbitrary<FlowSet> = fc.record({v4: half, v6: half})
const packet: fc.Arbitrary<Packet> = fc.record({family: fc.constantFrom(4 as const, 6 as const), protocol: fc.constantFrom(1, 6, 17, 47, 50, 58), dport: fc.nat(15), sport: fc.nat(15), icmpType: fc.nat(15), icmpCode: fc.nat(15)})
const has = (flows: FlowSet, one: Packet): boolean => hasPacket(one.family === 4 ? flows.v4 : flows.v6, one)

test('other protocols are those from 1 to 255 that have no set of their own', () => {
  const others = (family: 4 | 6): number[] => Array.from({length: 300}, (_, protocol) => protocol).filter((protocol) => ((allFlowsOf(family).others >> BigInt(protocol)) & 1n) === 1n)
  const without = (...own: readonly number[]): number[] => Array.from({length: 255}, (_, at) => at + 1).filter((protocol) => !own.includes(protocol))
  expect([others(4), others(6)]).toEqual([without(1, 6, 17, 132), without(58, 6, 17, 132)])
})

describe('sets of flows', () => {
  test('union, intersection and difference have exactly the packets that they should', () => {
    fc.assert(
      fc.property(set, set, fc.array(packet, {minLength: 10, maxLength: 10}), (a, b, packets) => {
        for (const one of packets) {
          expect(has(union(a, b), one)).toBe(has(a, one) || has(b, one))
          expect(has(intersection(a, b), one)).toBe(has(a, one) && has(b, one))
          expect(has(difference(a, b), one)).toBe(has(a, one) && !has(b, one))
        }
      }),
    )
  })

  test('equal sets are the same value, however they came about', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        expect(sameFlows(union(difference(a, b), intersection(a, b)), a)).toBe(true)
        expect(union(difference(a, b), intersection(a, b))).toEqual(a)
        expect(isEmpty(difference(a, a))).toBe(true)
        expect(sameFlows(a, b)).toBe(isEmpty(difference(a, b)) && isEmpty(difference(b, a)))
      }),
    )
  })

  const of = (v4: Partial<FamilyFlows>, v6: Partial<FamilyFlows> = {}): FlowSet => ({v4: {...NO_FAMILY_FLOWS, ...v4}, v6: {...NO_FAMILY_FLOWS, ...v6}})
  const ports = (xs: readonly number[], ys: readonly number[] = [0, 65535]): FamilyFlows['tcp'] => product(xs, ys)

  test.each<[string[], FlowSet, object]>([
    [[], of({}), {}],
    [['tcp/80,443'], of({tcp: ports([80, 80, 443, 443])}), {families: [4]}],
    [['tcp/1:1024'], of({tcp: ports([1, 1024])}), {families: [4]}],
    [['tcp/80 (IPv4)'], of({tcp: ports([80, 80])}), {}],
    [['tcp/80', 'udp/53 (IPv6)'], of({tcp: ports([80, 80])}, {tcp: ports([80, 80]), udp: ports([53, 53])}), {}],
    [['udp/53 from 1024:65535'], of({udp: ports([53, 53], [1024, 65535])}), {families: [4]}],
    [['tcp from 7'], of({tcp: ports([0, 65535], [7, 7])}), {families: [4]}],
    [['icmp/8', '47'], of({icmp: product([8, 8], [0, 255]), others: 2n ** 47n}), {families: [4]}],
    [['icmp/8/0'], of({icmp: product([8, 8], [0, 0])}), {families: [4]}],
    [['icmp/8', 'icmpv6/128'], of({icmp: product([8, 8], [0, 255])}, {icmp: product([128, 128], [0, 255])}), {}],
    [['all'], {v4: allFlowsOf(4), v6: allFlowsOf(6)}, {}],
    [['all'], {v4: differenceOf(allFlowsOf(4), neverFlows().v4), v6: NO_FAMILY_FLOWS}, {families: [4], never: neverFlows()}],
    [['icmp'], of({icmp: differenceOf(allFlowsOf(4), neverFlows().v4).icmp}), {families: [4], never: neverFlows()}],
    [['udp'], of({udp: intersectionOf(allFlowsOf(4), differenceOf(allFlowsOf(4), neverFlows().v4)).udp}), {families: [4], never: neverFlows()}],
  ])('is written %j', (texts, flows, options) => {
    expect(flowTexts(flows, options)).toEqual(texts)
  })
})
