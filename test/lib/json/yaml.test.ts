import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {parse, stringify} from 'yaml'
import {stringifyYaml, YAML_OPTIONS} from '../../../src/lib/json/yaml.js'
import {goldenLines} from '../model/golden.js'

/** Texts of which each object has its own, and what nearly is one: hex digits may be a number, and times and revisions are in quotes. */
const OWN = [
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  /^[0-9e]{8}(-[0-9]{4}){3}-[0-9]{12}$/,
  /^\d{1,3}(\.\d{1,3}){1,4}(\/\d{1,3})?$/,
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d)?Z?$/,
  /^[0-9a-f]{12,64}$/,
  /^\d{2}[0-9be]{10,30}$/,
  /^\d{6,20}e\d{6,20}$/,
  /^0[bxo]?[01]{3,20}$/,
  /^-?\d{1,30}$/,
]

describe('stringifyYaml writes what the library writes', () => {
  test('of the recorded objects', async () => {
    for (const {object} of goldenLines<{object: unknown}>('validation.jsonl')) expect(await stringifyYaml(object)).toBe(stringify(object, YAML_OPTIONS))
  })

  const text = fc.oneof(fc.constantFrom('', 'y', 'no', 'NULL', '~', '1', '010', '1e3', '.5', '0x1', '12:30', '2026-01-01', '2026-01-01T00:00:00Z', '-', '- a', 'a: b', 'a #b', '#', '---', '...', '---x', '<<', '=', 'a\nb', ' a', 'a ', 'has(x)', "role == 'db'", '10.0.0.0/8', 'a/b', '{}', '[]', '!x', '&x', '*x', '%x', '@x', '`x', '"', "'", '\\', '\u007f', '\u200b', 'é', '😀', '\ud83d', 'all()', '_', '/', '?', '? x', 'x:', ':x', 'x,y', '\t'), fc.string(), ...OWN.map((form) => fc.stringMatching(form)))
  const {value} = fc.letrec((tie) => ({
    value: fc.oneof({depthSize: 'small'}, text, fc.integer(), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.double(), fc.array(tie('value'), {maxLength: 4}), fc.dictionary(text, tie('value'), {maxKeys: 4})),
  }))
  test('of -0, which is not 0', async () => expect(await stringifyYaml({a: [-0, 0]})).toBe(stringify({a: [-0, 0]}, YAML_OPTIONS)))
  test('of anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.array(value), fc.dictionary(fc.constantFrom('a', 'spec', 'y', 'b-c', '1'), value)), async (object) => {
        expect(await stringifyYaml(object)).toBe(stringify(object, YAML_OPTIONS))
      }),
      {numRuns: 1_000},
    )
  })

  test('and it is read as it was', async () => {
    const object = {a: [{b: 'no', c: [[1, 'x'], []]}, {}, 'y'], d: {e: {}, f: ''}}
    expect(parse(await stringifyYaml(object))).toEqual(object)
  })
  test('but for what the library could not write: more than 200 levels', async () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'x' : levels % 2 === 0 ? [nested(levels - 1)] : {k: nested(levels - 1)})
    expect(await stringifyYaml(nested(200))).toBe(stringify(nested(200), YAML_OPTIONS))
    await expect(stringifyYaml(nested(201))).rejects.toThrow('200 levels deep')
  })
})
