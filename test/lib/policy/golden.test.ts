import {isDeepStrictEqual} from 'node:util'
import {describe, expect, test} from '@jest/globals'
import {divide} from '../../../src/lib/policy/between.js'
import {evaluateFlow, type Evaluation, type TracedSide} from '../../../src/lib/policy/evaluate.js'
import {hasPacket} from '../../../src/lib/policy/flow-set/flow-set.js'
import {goldenLines, packetOf, partyOf, worldOf} from './golden.js'

const lines = goldenLines()

const bare = (side: TracedSide | null): unknown => {
  if (side === null) return null
  const {considered: _, ...rest} = side
  return rest
}

const answer = ({verdict, egress, ingress, forward}: Evaluation): unknown => ({verdict, egress: bare(egress), ingress: bare(ingress), ...(forward.length > 0 ? {forward} : {})})

describe('every recorded verdict (golden/policy.jsonl), from the evaluator of single flows', () => {
  test.each(lines.map((line) => [line.id, line] as const))('%s', (_, line) => {
    const world = worldOf(line)
    const wrong: unknown[] = []
    const compare = (probe: unknown, found: unknown, expected: unknown): void => {
      if (!isDeepStrictEqual(found, expected)) wrong.push({probe, found, expected})
    }
    for (const probe of line.probes) {
      const {verdict, egress, ingress, forward, asWritten} = probe
      const packet = packetOf(probe)
      const [from, to] = [partyOf(world, probe.from, packet.family), partyOf(world, probe.to, packet.family)]
      const evaluation = evaluateFlow(world, from, to, packet)
      compare(probe, answer(evaluation), {verdict, egress, ingress, ...(forward ? {forward} : {})})
      compare(probe, evaluation.missing, [])
      compare(probe, evaluation.quirks[0]?.code, probe.quirk)
      if (asWritten) compare(probe, answer(evaluateFlow(world, from, to, packet, {asWritten: true})), asWritten)
    }
    expect(wrong).toEqual([])
  })
})

describe('every recorded verdict (golden/policy.jsonl), from the evaluator of all flows', () => {
  test.each(lines.map((line) => [line.id, line] as const))('%s', (_, line) => {
    const world = worldOf(line)
    const wrong: unknown[] = []
    const divided = new Map<string, ReturnType<typeof divide>>()
    for (const probe of line.probes) {
      const {verdict, egress, ingress, forward = []} = probe
      const packet = packetOf(probe)
      const pair = JSON.stringify([probe.from, probe.to, packet.family])
      const divisions = divided.get(pair) ?? divide(world, partyOf(world, probe.from, packet.family), partyOf(world, probe.to, packet.family))
      divided.set(pair, divisions)
      const fitting = divisions.filter(({flows}) => hasPacket(flows, packet)).map(({flows: _, ...rest}) => rest)
      if (!isDeepStrictEqual(fitting, [{verdict, egress, ingress, forward}])) wrong.push({probe, fitting})
    }
    expect(wrong).toEqual([])
  })
})
