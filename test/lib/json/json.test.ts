import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {JsonError, MAX_JSON_DEPTH, parseJson, shownJson, stringifyJson, stringifyYaml, tryParseJson} from '../../../src/lib/json/index.js'
import {cpuMs} from '../../support/cpu-time.js'
import {ANY_CHARACTER} from '../../support/any-character.js'

const fault = (text: string): string | undefined => tryParseJson(text).error?.fault

/** Values as a store may hold them: every kind of JSON, integers of any size in bigint where a double would not do. */
const integer = fc.bigInt(-(1n << 70n), 1n << 70n).map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value))
const double = fc.double({noNaN: true, noDefaultInfinity: true}).map((value) => (Number.isInteger(value) ? 0.5 : value))
const key = fc.oneof(fc.string({maxLength: 5}), fc.constantFrom('__proto__', 'constructor', 'toString', '":', 'a:b', '0', '10', '2', 'é', '\u2028', '\\'))
const {value} = fc.letrec((tie) => ({
  value: fc.oneof(
    {depthSize: 'medium'},
    fc.constantFrom(null, true, false, 0, ''),
    integer,
    double,
    fc.string({unit: ANY_CHARACTER}),
    fc.constantFrom('":"', '{"a":1,"a":2}', '1234567890123456789', '\\":'),
    fc.array(tie('value'), {maxLength: 5}),
    fc.uniqueArray(fc.tuple(key, tie('value')), {selector: ([name]) => name, maxLength: 5}).map((entries) => Object.fromEntries(entries)),
  ),
}))

describe('parseJson', () => {
  test('keeps a sequence number to the last digit', () => {
    const block = '{"cidr":"192.168.10.0/26","sequenceNumber":1782326400123456791,"sequenceNumberForAllocation":{"0":1782326400123456789,"1":0}}'
    expect(parseJson(block)).toEqual({
      cidr: '192.168.10.0/26',
      sequenceNumber: 1782326400123456791n,
      sequenceNumberForAllocation: {'0': 1782326400123456789n, '1': 0},
    })
    expect(stringifyJson(parseJson(block))).toBe(block)
  })

  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['0.1234567890123456789', 0.12345678901234568],
    ['1e21', 1e21],
    ['0', 0],
    ['-1', -1],
    ['1.0000000000000000', 1],
    ['"1234567890123456789"', '1234567890123456789'],
  ])('%s is what it says', (text, expected) => expect(parseJson(text)).toBe(expected))

  test.each(['', ' ', '{', '[1,]', '{"a":1,}', "{'a':1}", '01', '+1', '.5', 'NaN', 'undefined', '{"a" 1}', '"\n"', '1 2', '{"a":1782326400123456791', '\uFEFF{}', '{"a":12345678901234567890,}'])(
    '%j is not JSON',
    (text) => {
      expect(fault(text)).toBe('syntax')
      expect(() => parseJson(text)).toThrow(JsonError)
    },
  )

  test.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"b":{"c":1, "d":2, "c" :1}}', 'c'],
    ['[{"x":1},{"x":1,"\\u0078":1}]', 'x'],
    ['{"__proto__":1,"__proto__":1}', '__proto__'],
    ['{"a":{"b":1},"c":[{"b":1}],"c":1782326400123456791}', 'c'],
    ['{"":0,"":0}', ''],
    ['{"a\\"":0,"a\\"":0}', 'a"'],
  ])('%s has a key twice', (text, name) => {
    const {error} = tryParseJson(text)
    expect(error).toMatchObject({fault: 'duplicate-key', key: name})
    expect(error?.message).toContain(JSON.stringify(name))
  })

  test.each(['{"a":{"b":1},"b":{"a":1}}', '{"a":"\\":\\":","b":["\\":"]}', '[{"a":1},{"a":2}]', '{"a" \n:1,"b":": : :"}', '{"a":"{\\"x\\":1,\\"x\\":2}"}'])(
    '%s has none twice',
    (text) => expect(parseJson(text)).toEqual(JSON.parse(text)),
  )

  test('a key __proto__ is a key like any other', () => {
    for (const number of ['1', '1782326400123456791']) {
      const parsed = parseJson(`{"__proto__":{"polluted":true},"n":${number}}`) as object
      expect(Object.keys(parsed)).toEqual(['__proto__', 'n'])
      expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
      expect('polluted' in parsed).toBe(false)
      expect(stringifyJson(parsed)).toBe(`{"__proto__":{"polluted":true},"n":${number}}`)
    }
  })

  test.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ])('1,000 levels of %s are read, more are not', (open, close) => {
    const levels = open.startsWith('[{') ? 2 : 1
    const nested = (depth: number, inner: string): string => open.repeat(depth / levels) + inner + close.repeat(depth / levels)
    for (const inner of ['1', '1782326400123456791']) {
      expect(stringifyJson(parseJson(nested(MAX_JSON_DEPTH, inner)))).toBe(nested(MAX_JSON_DEPTH, inner))
      expect(fault(nested(MAX_JSON_DEPTH + levels, inner))).toBe('depth')
    }
    expect(fault(open.repeat(100_000))).toBe('depth')
  })

  test('brackets in strings are not nesting', () => {
    const text = JSON.stringify(['['.repeat(5000), '\\"[', '"{'.repeat(2000)])
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })

  test('numbers beyond all measure are refused, not turned into null', () => {
    expect(fault('{"a":1e400}')).toBe('number')
    expect(fault(`[${'9'.repeat(400)}]`)).toBe('number')
    expect(fault(`[${'9'.repeat(101)}]`)).toBe('number')
    expect(fault('1e400')).toBe('number')
    expect(fault(`{"a":${'9'.repeat(250)}.5e99}`)).toBe('number')
    expect(parseJson('{"a":"1e400","b":1e300}')).toEqual({a: '1e400', b: 1e300})
  })

  test('hostile text of 100 kB takes no time', () => {
    for (const piece of ['"', ':', '":', '" :', '{"a":', '\\', '"\\', ' ', '1', '-', '[', '[]', '"a":1,', '\u2028']) {
      const hostile = piece.repeat(100_000 / piece.length)
      for (const text of [hostile, JSON.stringify({a: hostile, b: 1}), `{"a":"${hostile}`, `["a",${hostile}`]) {
        expect(cpuMs(() => tryParseJson(text))).toBeLessThan(500)
      }
    }
  })
})

describe('round trips', () => {
  test('what was written is read back, to the last digit and in the same order', () => {
    fc.assert(
      fc.property(value, (given) => {
        const text = stringifyJson(given)
        expect(parseJson(text)).toEqual(given)
        expect(stringifyJson(parseJson(text))).toBe(text)
      }),
      {numRuns: 500},
    )
  })

  test('numbers of 19 digits', () => {
    fc.assert(
      fc.property(fc.bigInt(10n ** 18n, 10n ** 19n - 1n), fc.bigInt(0n, 1n << 64n), (a, b) => {
        const text = `{"a":${a},"b":[${-b}, {"c":"${a}"}]}`
        expect(stringifyJson(parseJson(text))).toBe(text.replace(' ', ''))
      }),
    )
  })

  test('agrees with JSON.parse and JSON.stringify where these lose nothing', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const expected: unknown = JSON.parse(text)
        const {error, ...result} = tryParseJson(text)
        if (error === undefined && !/\d{16}/.test(text)) {
          expect(result).toEqual({value: expected})
          expect(stringifyJson(expected)).toBe(JSON.stringify(expected))
        }
      }),
    )
  })

  test('a duplicate key is found wherever it stands', () => {
    fc.assert(
      fc.property(value, value, key, fc.boolean(), (a, b, name, wrapped) => {
        const member = `${JSON.stringify(name)}:${stringifyJson(a)}`
        const text = `{${member},"other key":${stringifyJson(b)}, ${member}}`
        expect(tryParseJson(wrapped ? `[0,${text}]` : text).error).toMatchObject({fault: 'duplicate-key', key: name})
      }),
    )
  })
})

describe('stringifyJson', () => {
  test('leaves out what is undefined, and refuses what has no JSON', () => {
    expect(stringifyJson({a: undefined, b: 1n, c: [1n << 63n]})).toBe('{"b":1,"c":[9223372036854775808]}')
    expect(stringifyJson({a: undefined, b: 1})).toBe('{"b":1}')
    for (const nothing of [undefined, () => 1, Symbol('x')]) expect(() => stringifyJson(nothing)).toThrow(TypeError)
  })
})

describe('YAML', () => {
  const deep = (levels: number): unknown => Array.from({length: levels}).reduce<unknown>((value, _, i) => (i % 2 === 0 ? {a: value} : [value]), 1)
  test('texts that readers take for something else are quoted; nothing becomes an alias', async () => {
    const same = {a: 'yes'}
    expect(await stringifyYaml({x: same, w: same, z: '1e3'})).toBe('x:\n  a: "yes"\nw:\n  a: "yes"\nz: "1e3"\n')
    // The types value and merge of YAML 1.1.
    expect(await stringifyYaml({a: '=', b: ['<<', '=='], '=': 1})).toBe('a: "="\nb:\n  - "<<"\n  - ==\n"=": 1\n')
  })
  test('200 levels are written', async () => expect((await stringifyYaml(deep(200))).length).toBeGreaterThan(200))
  test.each([201, 980, 100_000])('%d levels are an error, with the way out', async (levels) => {
    await expect(stringifyYaml(deep(levels))).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('more than 200 levels') as unknown, hint: expect.stringContaining('-o json') as unknown})
  })
})

test.each<[unknown, string]>([[undefined, 'undefined'], [null, 'null'], ['a', '"a"'], [14294966666667296n, '14294966666667296'], [['', 14294966666667296n, {a: 1n}], '["",14294966666667296,{"a":1}]']])('shownJson: %p is %s in a message', (shown, text) => {
  expect(shownJson(shown)).toBe(text)
})
