import {expect, test} from '@jest/globals'
import fc from 'fast-check'
import {newKept} from '../../../src/lib/client/kept.js'

const text = fc.oneof(fc.string({unit: 'grapheme'}), fc.constantFrom('', '1 2 3 4 ', 'ä€😀', '\n', 'x'.repeat(300_000)))
const number = fc.bigInt(0n, (1n << 63n) - 1n)
const stored = fc.record({key: text, value: text, modRevision: number, createRevision: number, version: number})

test('whatever is kept comes back as it was, also what fills a block or is larger than one', () => {
  fc.assert(
    fc.property(fc.array(stored, {maxLength: 30}), (all) => {
      const kept = newKept()
      all.forEach(kept.add)
      expect(all.map((_, number) => kept.at(number))).toEqual(all)
    }),
  )
  const large = {key: 'k', value: 'ä'.repeat(1_000_000), modRevision: 1n, createRevision: 1n, version: 1n}
  const kept = newKept()
  for (const each of [large, {...large, value: ''}, large]) kept.add(each)
  expect([0, 1, 2].map((number) => kept.at(number).value)).toEqual([large.value, '', large.value])
})
