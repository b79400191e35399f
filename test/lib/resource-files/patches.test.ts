import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {CalicoError} from '../../../src/lib/errors.js'
import {type PatchType, readPatch} from '../../../src/lib/resource-files/patches.js'

const apply = (type: PatchType, object: unknown, patch: unknown): unknown => readPatch(type, patch)(object)
function failure(work: () => unknown): CalicoError {
  try {
    work()
  } catch (error) {
    if (error instanceof CalicoError) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** The table of RFC 7386, appendix A, as far as the patch is an object. */
describe('merge', () => {
  test.each([
    [{a: 'b'}, {a: 'c'}, {a: 'c'}],
    [{a: 'b'}, {b: 'c'}, {a: 'b', b: 'c'}],
    [{a: 'b'}, {a: null}, {}],
    [{a: 'b', b: 'c'}, {a: null}, {b: 'c'}],
    [{a: ['b']}, {a: 'c'}, {a: 'c'}],
    [{a: 'c'}, {a: ['b']}, {a: ['b']}],
    [{a: {b: 'c'}}, {a: {b: 'd', c: null}}, {a: {b: 'd'}}],
    [{a: [{b: 'c'}]}, {a: [1]}, {a: [1]}],
    [{e: null}, {a: 1}, {e: null, a: 1}],
    [{}, {a: {bb: {ccc: null}}}, {a: {bb: {}}}],
    [{a: {x: 1}}, {a: {$patch: 'replace', y: 2}}, {a: {x: 1, $patch: 'replace', y: 2}}],
  ])('%j patched with %j', (object, patch, expected) => expect(apply('merge', object, patch)).toEqual(expected))
})

describe('strategic', () => {
  test.each([
    [{a: {x: 1, y: [1, 2]}}, {a: {y: [3]}}, {a: {x: 1, y: [3]}}],
    [{a: {x: 1}}, {a: {$patch: 'replace', y: 2}}, {a: {y: 2}}],
    [{a: {x: 1}, b: 1}, {a: {$patch: 'delete'}}, {a: {}, b: 1}],
    [{a: {x: 1, y: 2, z: 3}}, {a: {$retainKeys: ['x', 'z'], z: 4}}, {a: {x: 1, z: 4}}],
    [{}, {a: {b: {c: null}}}, {a: {b: {}}}],
    [{a: 1}, null, {a: 1}],
    [{a: 1}, {}, {a: 1}],
  ])('%j patched with %j', (object, patch, expected) => expect(apply('strategic', object, patch)).toEqual(expected))

  test.each([
    [{a: {$patch: 'remove'}}, /\$patch: "remove" in a/],
    [{a: {$patch: 'merge', y: 2}}, /\$patch: "merge" in a: it must be replace or delete/],
    [{a: {$patch: 'replace', $retainKeys: ['y'], y: 2}}, /\$retainKeys in a beside \$patch: replace/],
    [{a: {b: {'$setElementOrder/c': []}}}, /\$setElementOrder\/c in a\.b/],
    [{$retainKeys: ['a'], b: 1}, /b, which \$retainKeys/],
    [{$retainKeys: 'a'}, /not a list of names/],
    ['text', /is an object with the fields to change/],
    [[1], /not a list/],
  ])('%j is refused', (patch, message) => expect(failure(() => apply('strategic', {}, patch))).toMatchObject({kind: 'invalid', message: expect.stringMatching(message) as unknown}))
})

/** Examples of RFC 6902, appendix A. */
describe('json', () => {
  test.each([
    [{foo: 'bar'}, [{op: 'add', path: '/baz', value: 'qux'}], {baz: 'qux', foo: 'bar'}],
    [{foo: ['bar', 'baz']}, [{op: 'add', path: '/foo/1', value: 'qux'}], {foo: ['bar', 'qux', 'baz']}],
    [{baz: 'qux', foo: 'bar'}, [{op: 'remove', path: '/baz'}], {foo: 'bar'}],
    [{foo: ['bar', 'qux', 'baz']}, [{op: 'remove', path: '/foo/1'}], {foo: ['bar', 'baz']}],
    [{baz: 'qux', foo: 'bar'}, [{op: 'replace', path: '/baz', value: 'boo'}], {baz: 'boo', foo: 'bar'}],
    [{foo: ['a', 'b', 'c']}, [{op: 'replace', path: '/foo/2', value: 'd'}], {foo: ['a', 'b', 'd']}],
    [{foo: {bar: 'baz', waldo: 'fred'}, qux: {corge: 'grault'}}, [{op: 'move', from: '/foo/waldo', path: '/qux/thud'}], {foo: {bar: 'baz'}, qux: {corge: 'grault', thud: 'fred'}}],
    [{foo: ['all', 'grass', 'cows', 'eat']}, [{op: 'move', from: '/foo/1', path: '/foo/3'}], {foo: ['all', 'cows', 'eat', 'grass']}],
    [{baz: 'qux', foo: ['a', 2, 'c']}, [{op: 'test', path: '/baz', value: 'qux'}, {op: 'test', path: '/foo/1', value: 2}], {baz: 'qux', foo: ['a', 2, 'c']}],
    [{foo: 'bar'}, [{op: 'add', path: '/child', value: {grandchild: {}}}], {foo: 'bar', child: {grandchild: {}}}],
    [{foo: 'bar'}, [{op: 'add', path: '/baz', value: 'qux', xyz: 123}], {foo: 'bar', baz: 'qux'}],
    [{'/': 9, '~1': 10}, [{op: 'test', path: '/~01', value: 10}, {op: 'test', path: '/~1', value: 9}], {'/': 9, '~1': 10}],
    [{foo: ['bar']}, [{op: 'add', path: '/foo/-', value: ['abc', 'def']}], {foo: ['bar', ['abc', 'def']]}],
    [{a: {b: 1}}, [{op: 'copy', from: '/a', path: '/c'}, {op: 'replace', path: '/c/b', value: 2}], {a: {b: 1}, c: {b: 2}}],
    [{a: 1}, [{op: 'replace', path: '', value: {b: 2}}], {b: 2}],
    [{a: null}, [{op: 'test', path: '/a', value: null}], {a: null}],
    [{'': 1}, [{op: 'replace', path: '/', value: 2}], {'': 2}],
  ])('%j patched with %j', (object, patch, expected) => expect(apply('json', object, patch)).toEqual(expected))

  test.each([
    [[{op: 'add', path: '/baz/bat', value: 'qux'}], 'invalid', /Operation 1 of the patch: the object has nothing at \/baz\/bat/],
    [[{op: 'remove', path: '/nothing'}], 'invalid', /nothing at \/nothing/],
    [[{op: 'remove', path: ''}], 'invalid', /nothing at/],
    [[{op: 'replace', path: '/list/2', value: 1}], 'invalid', /nothing at/],
    [[{op: 'add', path: '/list/3', value: 1}], 'invalid', /nothing at/],
    [[{op: 'add', path: '/list/01', value: 1}], 'invalid', /nothing at/],
    [[{op: 'remove', path: '/list/-'}], 'invalid', /nothing at/],
    [[{op: 'replace', path: '/__proto__', value: 1}], 'invalid', /nothing at/],
    [[{op: 'test', path: '/foo', value: 'x'}], 'conflict', /\/foo is "bar", not "x"/],
    [[{op: 'spoil', path: '/foo'}], 'invalid', /"op" must be one of/],
    [[{op: 'add', path: '/foo'}], 'invalid', /needs a "value"/],
    [[{op: 'add', path: 'foo', value: 1}], 'invalid', /JSON pointer/],
    [[{op: 'add', path: '/a~2', value: 1}], 'invalid', /JSON pointer/],
    [[{op: 'move', from: '/foo', path: '/foo/bar'}], 'invalid', /into itself/],
    [[{op: 'move', path: '/foo'}], 'invalid', /"from" must be/],
    [[7], 'invalid', /"op" must be/],
    [{}, 'invalid', /is a list of operations/],
  ] as const)('%j is refused', (patch, kind, message) => expect(failure(() => apply('json', {foo: 'bar', list: [1, 2]}, patch))).toMatchObject({kind, message: expect.stringMatching(message) as unknown}))
})

test('no patch changes the object that it is given, nor any prototype', () => {
  const value = fc.jsonValue({maxDepth: 4})
  fc.assert(fc.property(fc.dictionary(fc.string(), value), fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), value), (object, patch) => {
    const before = structuredClone(object) as unknown
    for (const type of ['strategic', 'merge'] as const) {
      try {
        apply(type, object, patch)
      } catch (error) {
        if (!(error instanceof CalicoError)) throw error
      }
    }
    expect(object).toEqual(before)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  }), {numRuns: 200})
})

test('a merge patch of what differs makes the one object the other', () => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), {maxLength: 3}))
  const flat = fc.dictionary(fc.string({maxLength: 3}), fc.oneof(leaf, fc.dictionary(fc.string({maxLength: 3}), leaf, {maxKeys: 3})), {maxKeys: 4})
  fc.assert(fc.property(flat, flat, (from, to) => {
    const gone = Object.fromEntries(Object.keys(from).filter((key) => !Object.hasOwn(to, key)).map((key) => [key, null]))
    const deep = Object.fromEntries(Object.entries(to).map(([key, value]): [string, unknown] => {
      const old: unknown = Object.hasOwn(from, key) ? from[key] : undefined
      if (typeof value !== 'object' || Array.isArray(value) || typeof old !== 'object' || old === null || Array.isArray(old)) return [key, value]
      return [key, {...Object.fromEntries(Object.keys(old).filter((name) => !Object.hasOwn(value, name)).map((name) => [name, null])), ...value}]
    }))
    expect(apply('merge', from, {...gone, ...deep})).toEqual(to)
  }), {numRuns: 300})
})
