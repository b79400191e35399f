import {describe, expect, test} from '@jest/globals'
import {confirmed, confirmedAffinity, encodeAffinity, parseAffinity} from '../../../src/lib/ipam/affinity.js'
import {decrement, encodeHandle, increment, isHandleEmpty, newHandle, parseHandle, withoutBlock} from '../../../src/lib/ipam/handle.js'

const A = '10.1.0.0/26'
const B = '10.1.0.64/26'
const stored = (value: string) => ({key: '/calico/ipam/v2/some/key', value})

describe('handles', () => {
  test('count up and down, and lose an entry that comes to nothing', () => {
    const two = increment(increment(newHandle(), A, 2), B, 1)
    expect(encodeHandle(two)).toBe('{"block":{"10.1.0.0/26":2,"10.1.0.64/26":1},"deleted":false}')
    expect(decrement(two, A, 1).block).toEqual({[A]: 1, [B]: 1})
    expect(decrement(two, A, 2).block).toEqual({[B]: 1})
    expect(decrement(two, A, 5).block).toEqual({[B]: 1})
    expect(decrement(two, '10.9.0.0/26', 1)).toBe(two)
    expect(withoutBlock(two, A).block).toEqual({[B]: 1})
    expect(isHandleEmpty(withoutBlock(withoutBlock(two, A), B))).toBe(true)
    expect(isHandleEmpty(two)).toBe(false)
  })

  test('keep what they do not know', () => {
    const value = '{"block":{"10.1.0.0/26":1},"deleted":false,"epoch":18446744073709551615}'
    expect(encodeHandle(parseHandle(stored(value)))).toBe(value)
    expect(encodeHandle(increment(parseHandle(stored(value)), A, 1))).toBe(value.replace('":1}', '":2}'))
  })

  test.each(['', '[]', '{"block":[]}', '{"block":{"10.1.0.0/26":"1"}}', '{"block":{"10.1.0.0/26":0.5}}'])('%p is refused, naming the key', (value) => {
    expect(() => parseHandle(stored(value))).toThrow(/some\/key/)
  })
})

describe('affinities', () => {
  test.each([
    ['', 'confirmed'],
    ['{}', 'confirmed'],
    ['{"state":"","deleted":false}', 'confirmed'],
    ['{"state":"pending","deleted":false}', 'pending'],
    ['{"state":"pendingDeletion","deleted":false}', 'pendingDeletion'],
  ])('%p is %s', (value, state) => {
    expect(parseAffinity(stored(value)).state).toBe(state)
  })

  test('are confirmed without losing what they do not know', () => {
    expect(encodeAffinity(confirmed(parseAffinity(stored('{"state":"pending","deleted":false,"since":12345678901234567890}'))))).toBe('{"state":"confirmed","deleted":false,"since":12345678901234567890}')
    const already = confirmedAffinity()
    expect(confirmed(already)).toBe(already)
    expect(encodeAffinity(already)).toBe('{"state":"confirmed","deleted":false}')
  })

  test.each(['x', '"confirmed"', '{"state":"lost"}', '{"state":1}'])('%p is refused', (value) => {
    expect(() => parseAffinity(stored(value))).toThrow(/cannot be read/)
  })
})
