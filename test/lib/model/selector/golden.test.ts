import {readFileSync} from 'node:fs'
import {describe, expect, test} from '@jest/globals'
import {canonical, evaluate, parseSelector, tryParseSelector} from '../../../../src/lib/model/selector/index.js'

interface Line {
  selector: string
  valid: boolean
  canonical?: string
  labels?: Record<string, string>
  matches?: boolean
}

const lines = readFileSync(new URL('../../../fixtures/golden/selectors.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)

describe('what libcalico-go makes of selectors', () => {
  test('the recording is there', () => {
    expect(lines.length).toBeGreaterThan(700)
    expect(lines.filter((line) => !line.valid).length).toBeGreaterThan(40)
    expect(lines.filter((line) => line.matches).length).toBeGreaterThan(100)
  })

  test.each(lines.map((line, i) => [`${i + 1}: ${line.selector.slice(0, 60)}`, line] as const))('line %s', (_, line) => {
    const {selector, error} = tryParseSelector(line.selector)
    expect(error === undefined).toBe(line.valid)
    if (!selector) return
    expect(canonical(selector)).toBe(line.canonical)
    expect(canonical(parseSelector(line.selector))).toBe(line.canonical)
    expect(evaluate(selector, line.labels ?? {})).toBe(line.matches)
    expect(evaluate(selector, new Map(Object.entries(line.labels ?? {})))).toBe(line.matches)
  })
})
