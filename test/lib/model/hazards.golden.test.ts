import {describe, expect, test} from '@jest/globals'
import {type HazardLevel, hazardsOfText} from '../../../src/lib/model/hazards.js'
import {KINDS} from '../../../src/lib/model/kinds.js'
import {goldenLines} from './golden.js'

interface Line {
  case: string
  writes: Record<string, string | null>
  verdict: string
}

interface Baseline {
  baseline: Record<string, string>
}

const [first, ...lines] = goldenLines<Line | Baseline>('felix-defects.jsonl') as [Baseline, ...Line[]]

/** What a verdict of felix-defects.jsonl says about each level. */
const LEVELS: readonly (readonly [RegExp, HazardLevel])[] = [
  [/^OPEN/, 'open'],
  [/^NODE STOPS/, 'node-stops'],
  [/^FELIX CANNOT START/, 'cannot-start'],
  [/tag is lost/, 'tag-lost'],
  [/^stale now/, 'frozen'],
]

/** The case deletes the tiers only; the harness wrote ClusterInformation away with them, which is a case of its own. */
const ALSO_DELETED = ['Tiers: all deleted']

function levelsOf({writes, case: name}: Line): Set<HazardLevel> {
  const found = Object.entries(writes).flatMap(([key, value]) => {
    const plural = key.split('/')[5]
    const kind = Object.values(KINDS).find((info) => info.plural === plural)?.kind
    if (!kind) throw new Error(`unknown key ${key}`)
    if (value === null && ALSO_DELETED.includes(name)) return []
    return hazardsOfText(kind, value ?? undefined)
  })
  for (const {message} of found) expect(message).not.toBe('')
  return new Set(found.map(({level}) => level))
}

describe('hazards finds what the real Felix stumbled over, and nothing else', () => {
  test('the healthy baseline has none', () => {
    expect(Object.keys(first.baseline).length).toBeGreaterThan(5)
    expect(levelsOf({case: 'baseline', writes: first.baseline, verdict: 'works'})).toEqual(new Set())
  })

  test.each(lines)('$case: $verdict', (line) => {
    const found = levelsOf(line)
    const expected = LEVELS.filter(([pattern]) => pattern.test(line.verdict)).map(([, level]) => level)
    for (const level of expected) expect(found).toContain(level)
    if (/^(no effect|works)/.test(line.verdict)) expect(found).toEqual(new Set())
    // A profile over which Felix stops is also one that it would refuse.
    if (expected.includes('node-stops')) found.delete('tag-lost')
    if (expected.length > 0) expect([...found].sort()).toEqual([...expected].sort())
  })
})
