/** Every recorded fault of a stored object (felix-defects.jsonl), found with the level that its verdict has. */
import {describe, expect, test} from '@jest/globals'
import {type Level, LEVELS} from '../../../src/lib/lint/codes.js'
import {goldenLines} from '../model/golden.js'
import {exampleStore, lintOf} from './store.js'

interface Line {
  readonly case: string
  readonly writes: Readonly<Record<string, string | null>>
  readonly verdict: string
}

const [first, ...lines] = goldenLines<Line | {readonly baseline: Readonly<Record<string, string>>}>('felix-defects.jsonl') as [{readonly baseline: Readonly<Record<string, string>>}, ...Line[]]

const HEALTHY: Readonly<Record<string, string>> = {...exampleStore({}), ...first.baseline}

const VERDICTS: readonly (readonly [RegExp, Level | undefined])[] = [
  [/^(OPEN|NODE STOPS|FELIX CANNOT START|closed|wider|KIND FROZEN)|tag is lost/i, 'error'],
  [/^(stale now|rule matches nothing|as written: matches everything)/, 'warning'],
  [/^(no effect|works)/, 'info'],
]

/** What no store can show: only the host knows how its interfaces are called. */
const SEEN_ON_THE_HOST_ONLY = ['WEP: interfaceName not the real one (calixyz)']

function after(writes: Line['writes']): Record<string, string> {
  const store: Record<string, string> = {...HEALTHY}
  for (const [key, value] of Object.entries(writes)) {
    if (value === null) Reflect.deleteProperty(store, key)
    else store[key] = value
  }
  return store
}

test('the healthy baseline has no finding of any level, initialised or not', () => {
  expect(lintOf(HEALTHY)).toEqual([])
  expect(lintOf(first.baseline).map(({code}) => code)).toEqual(['not-initialised'])
})

describe('recorded faults', () => {
  test('are all there', () => expect(lines.length).toBeGreaterThan(70))
  test.each(lines.filter((line) => !SEEN_ON_THE_HOST_ONLY.includes(line.case)))('$case: $verdict', (line) => {
    const expected = VERDICTS.find(([verdict]) => verdict.test(line.verdict))?.[1]
    const found = lintOf(after(line.writes))
    expect(expected).toBeDefined()
    expect({level: found[0]?.level, found: found.map(({code, field, message}) => `${code} ${field} ${message}`)}).toMatchObject({level: expected})
    for (const {message, command} of found) expect([message, command]).not.toContain('')
    expect([...found].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level)).map(({level}) => level)).toEqual(found.map(({level}) => level))
  })
})
