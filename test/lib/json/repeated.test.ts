import {expect, test} from '@jest/globals'
import fc from 'fast-check'
import {stringifyJson} from '../../../src/lib/json/json.js'
import {repeatedJson} from '../../../src/lib/json/repeated.js'

const item = fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.bigInt({min: 2n ** 53n, max: 2n ** 64n}), fc.constant(undefined)))
const list = fc.oneof(fc.array(item, {maxLength: 3}), fc.array(item, {minLength: 16, maxLength: 20}), fc.array(fc.oneof(item, fc.jsonValue()), {minLength: 14, maxLength: 20}))
const object = fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), list, fc.constant(undefined), fc.dictionary(fc.string(), fc.oneof(list, fc.jsonValue(), fc.constant(undefined)))))

test('it is the JSON that is written without memory, the first time and the second', () => {
  fc.assert(
    fc.property(object, (value) => {
      expect(repeatedJson(value)).toBe(stringifyJson(value))
      expect(repeatedJson({...value, again: true})).toBe(stringifyJson({...value, again: true}))
    }),
  )
})
