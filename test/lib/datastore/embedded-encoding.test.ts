import {expect, test} from '@jest/globals'
import fc from 'fast-check'
import {decodeState, encodeState} from '../../../src/lib/datastore/embedded/encoding.js'
import {applyTransaction, EMPTY, type State} from '../../../src/lib/datastore/embedded/state.js'

const put = (state: State, key: string, value: string): State => applyTransaction(state, {then: [{put: key, value}]}).state

/** Long enough to be told by their differences, and with characters of two code units that such a difference may cut. */
const value = fc.array(fc.constantFrom('a', 'b', '😀', '😁', 'é', '"', '\ud83d'), {maxLength: 120}).map((parts) => parts.join(''))
const edit = fc.tuple(fc.constantFrom('/a', '/b'), fc.option(value))

test('a state that is written and read is the same, with all values of its log', () => {
  fc.assert(fc.property(fc.array(edit, {maxLength: 30}), (edits) => {
    let state = EMPTY
    for (const [key, text] of edits) {
      state = text === null ? applyTransaction(state, {then: [{delete: key}]}).state : put(state, key, text)
      const read = decodeState(encodeState(state))
      expect(read).toEqual(state)
      // What was read is written as what was made.
      expect(encodeState(read)).toBe(encodeState(state))
    }
  }))
})

test('many edits of one large value take the room of their differences', () => {
  let state = EMPTY
  let text = ''
  for (let i = 0; i < 900; i++) state = put(state, '/a', (text += `rule ${i} with its words; `))
  expect(encodeState(state).length).toBeLessThan(5 * text.length)
})

test('a file of the format before is read', () => {
  const old = {format: 'calicoctl-store/1', revision: '3', compacted: '0', keys: [['/a', 'two', '2', '3', '2']], log: [['2', '/a', null], ['3', '/a', ['one', '2', '2', '1']]]}
  const state = decodeState(JSON.stringify(old))
  expect(state.log.map(({kv, previous}) => [kv?.value, previous?.value])).toEqual([['one', undefined], ['two', 'one']])
})

test.each([[[-1, '', 0]], [[0, '', 99]], [[1, 2, 1]], [[1.5, '', 0]], [[2, '', 2]]])('a difference that does not fit (%j) is damage', (difference) => {
  const stored = {format: 'calicoctl-store/2', revision: '3', compacted: '0', keys: [['/a', 'two', '2', '3', '2']], log: [['3', '/a', [difference, '2', '2', '1']]]}
  expect(() => decodeState(JSON.stringify(stored))).toThrow()
})
