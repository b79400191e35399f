import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {
  canonical,
  evaluate,
  isSelectorLabel,
  MAX_SELECTOR_DEPTH,
  parseSelector,
  type Selector,
  SelectorError,
  tryParseSelector,
} from '../../../../src/lib/model/selector/index.js'
import {compareUtf8} from '../../../../src/lib/utf8-order.js'
import {cpuMs} from '../../../support/cpu-time.js'
import {ANY_CHARACTER} from '../../../support/any-character.js'

describe('parseSelector', () => {
  test('builds a tree that shows how it was written', () => {
    expect(parseSelector("has(web) && (env in {'b', 'a', 'b'} || !role == 'x') && all()")).toEqual({
      op: 'and',
      operands: [
        {op: 'has', label: 'web'},
        {
          op: 'or',
          operands: [
            {op: 'in', label: 'env', values: ['a', 'b']},
            {op: 'not', operand: {op: '==', label: 'role', value: 'x'}},
          ],
        },
        {op: 'all'},
      ],
    })
  })

  test.each([
    ["a = 'b'", 2, /expected an operator .* after label 'a' instead of "=" at character 3$/],
    ["a == 'b", 5, /a string without an end at character 6$/],
    ['a == b', 5, /expected a string in quotes instead of "b"/],
    ["a in {'b' 'c'}", 10, /expected a string in quotes or '}' instead of "'"/],
    ["(a == 'b'", 9, /expected '\)' instead of the end/],
    ["a == 'b')", 8, /unexpected "\)" after the end/],
    ['has()', 4, /expected a label instead of "\)"/],
    ['has(a b)', 6, /expected '\)' after 'has\(' instead of "b"/],
    ["a == 'b'\n", 8, /unexpected "\\n" after the end/],
    ["a == 'b' && 😀", 12, /expected a label instead of "😀"/],
    ["a notinx {'b'}", 2, /expected an operator/],
  ])('says where %j goes wrong', (text, position, message) => {
    const {error} = tryParseSelector(text)
    expect(error).toBeInstanceOf(SelectorError)
    expect(error?.position).toBe(position)
    expect(error?.message).toMatch(message)
    expect(error?.exitCode).toBe(1)
    expect(() => parseSelector(text)).toThrow(SelectorError)
  })

  test('takes a label of 512 characters and no longer one', () => {
    expect(parseSelector(`has(${'x'.repeat(512)})`)).toMatchObject({op: 'has'})
    expect(tryParseSelector(`has(${'x'.repeat(513)})`).error).toMatchObject({position: 4})
  })

  test.each([
    ['parentheses', (n: number) => `${'('.repeat(n)}a == 'b'${')'.repeat(n)}`],
    ['negations', (n: number) => `${'!('.repeat(n)}has(a)${')'.repeat(n)}`],
    ['chains', (n: number) => `${'(all() && (has(a) || '.repeat(n / 2)}has(b)${'))'.repeat(n / 2)}`],
  ])('takes 1,000 levels of %s, and refuses more', (_, nested) => {
    const selector = parseSelector(nested(MAX_SELECTOR_DEPTH))
    expect(canonical(parseSelector(canonical(selector))).length).toBeGreaterThan(5)
    expect(typeof evaluate(selector, {a: 'b'})).toBe('boolean')
    expect(tryParseSelector(nested(MAX_SELECTOR_DEPTH + 2)).error?.message).toMatch(/more than 1000 levels/)
  })

  test.each([
    ['(', '('],
    ['!', '!'],
    ['!(', '!('],
    ['space', ' '],
    ['quotes', `'"`],
    ['a b', 'a '],
    ['not', 'not '],
    ['a not', "a not in {''} || a not "],
    ['sets', "a in {'b',},"],
    ['an open set', "'b',"],
    ['has(', 'has( '],
    ['&', '&&'],
    ['a long set', `"\u{1F600}",`],
  ])('is through with 100 kB of %s in no time', (_, piece) => {
    const hostile = piece.repeat(Math.ceil(100_000 / piece.length))
    for (const text of [hostile, `a in {${hostile}`, `a == 'b' && ${hostile}`, `${hostile}a == 'b'`, `a not ${hostile}`]) {
      expect(cpuMs(() => tryParseSelector(text))).toBeLessThan(500)
    }
  })

  test('100 kB that are a selector parse, and so does what they become', () => {
    const flat = `${"a == 'b' || !!has(c) && d in {'e'} || ".repeat(3000)}all()`
    expect(canonical(parseSelector(canonical(parseSelector(flat))))).toBe(canonical(parseSelector(flat)))
    expect(evaluate(parseSelector(flat), {})).toBe(true)
  })
})

describe('evaluate', () => {
  const fresh = Object.create(null) as Record<string, string>

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is a label only where it is one', (label) => {
    const selector = parseSelector(`has(${label})`)
    expect(evaluate(selector, {})).toBe(false)
    expect(evaluate(selector, fresh)).toBe(false)
    expect(evaluate(selector, JSON.parse(`{"${label}":""}`) as Record<string, string>)).toBe(true)
    expect(evaluate(selector, new Map([[label, '']]))).toBe(true)
    expect(evaluate(parseSelector(`${label} != 'x'`), {})).toBe(true)
  })
})

describe('order of set values', () => {
  test('is that of their UTF-8', () => {
    const bytes = (a: string, b: string) => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    fc.assert(fc.property(fc.string({unit: ANY_CHARACTER}), fc.string({unit: ANY_CHARACTER}), (a, b) => Math.sign(compareUtf8(a, b)) === bytes(a, b)))
    expect(canonical(parseSelector("a in {'\u{10000}','\uFFFD','z'}"))).toBe('a in {"z", "\uFFFD", "\u{10000}"}')
  })
})

describe('properties', () => {
  const label = fc.constantFrom('a', 'b', 'c', 'in', 'has', 'all', 'not', 'x/y.z_-')
  const value = fc.oneof(fc.constantFrom('', 'a', 'ab', 'b'), fc.string({maxLength: 4}).filter((text) => !(text.includes('"') && text.includes("'"))))
  const {tree} = fc.letrec<{tree: Selector}>((tie) => ({
    tree: fc.oneof(
      {depthSize: 'medium'},
      fc.record({op: fc.constantFrom('all' as const, 'global' as const)}),
      fc.record({op: fc.constant('has' as const), label}),
      fc.record({op: fc.constantFrom('==' as const, '!=' as const, 'contains' as const, 'starts with' as const, 'ends with' as const), label, value}),
      fc.record({
        op: fc.constantFrom('in' as const, 'not in' as const),
        label,
        values: fc.uniqueArray(value, {maxLength: 4}).map((values) => values.sort(compareUtf8)),
      }),
      fc.record({op: fc.constant('not' as const), operand: tie('tree')}),
      fc.record({op: fc.constantFrom('and' as const, 'or' as const), operands: fc.array(tie('tree'), {minLength: 2, maxLength: 4})}),
    ),
  }))
  const labels = fc.dictionary(label, value)
  const noDoubleNot = (selector: Selector): boolean => !canonical(selector).includes('!!')

  test('reading back what a tree is written as gives the tree', () => {
    fc.assert(fc.property(tree.filter(noDoubleNot), (selector) => expect(parseSelector(canonical(selector))).toEqual(selector)))
  })

  test('the canonical form means the same and is stable once read back', () => {
    fc.assert(
      fc.property(tree, labels, (selector, map) => {
        const again = parseSelector(canonical(selector))
        expect(evaluate(again, map)).toBe(evaluate(selector, map))
        expect(evaluate(again, new Map(Object.entries(map)))).toBe(evaluate(selector, map))
        expect(canonical(parseSelector(canonical(again)))).toBe(canonical(again))
      }),
    )
  })

  test('any text is a selector or an error that points into it', () => {
    const words = fc.array(
      fc.constantFrom('a', ' ', "'x'", '"', '==', '!=', '!', '(', ')', '&&', '||', 'in', 'not', '{', '}', ',', 'has(', 'all()', 'contains', 'starts', 'with', '\t', 'é'),
      {maxLength: 12},
    )
    fc.assert(
      fc.property(fc.oneof(words.map((list) => list.join('')), fc.string()), (text) => {
        const {selector, error} = tryParseSelector(text)
        if (selector) expect(tryParseSelector(canonical(selector)).error).toBeUndefined()
        else expect(error.position >= 0 && error.position <= text.length).toBe(true)
      }),
      {numRuns: 2000},
    )
  })

  test('isSelectorLabel says what has(…) takes', () => {
    fc.assert(
      fc.property(fc.string({maxLength: 6}), (text) => {
        const {selector} = tryParseSelector(`has(${text})`)
        expect(isSelectorLabel(text)).toBe(selector?.op === 'has' && selector.label === text)
      }),
    )
  })
})
