import fc from 'fast-check'
import {describe, expect, test} from '@jest/globals'
import {nearest} from '../../../src/lib/cli/suggest.js'

const WORDS = ['profile', 'pool', 'endpoint', 'container', 'node', 'bgp', 'status', 'version']

describe('nearest', () => {
  test.each([
    ['profiel', 'profile'],
    ['profle', 'profile'],
    ['Profile', 'profile'],
    ['pol', 'pool'],
    ['bpg', 'bgp'],
    ['contaner', 'container'],
    ['nodes', 'node'],
    ['kubernetes', undefined],
    ['', undefined],
    ['xyz', undefined],
  ])('%s → %s', (word, expected) => expect(nearest(word, WORDS)).toBe(expected))

  test('the nearest of several', () => expect(nearest('ipv5', ['ipip', 'ipv4', 'ip'])).toBe('ipv4'))

  test('a word is nearest to itself; one letter more, less or swapped finds it again', () => {
    fc.assert(
      fc.property(fc.constantFrom(...WORDS), fc.nat(), fc.constantFrom('insert', 'delete', 'swap', 'none'), (word, place, slip) => {
        const at = place % (word.length - 1)
        const typed = {
          none: word,
          insert: `${word.slice(0, at)}x${word.slice(at)}`,
          delete: word.slice(0, at) + word.slice(at + 1),
          swap: word.slice(0, at) + (word[at + 1] ?? '') + (word[at] ?? '') + word.slice(at + 2),
        }[slip]
        expect(nearest(typed, WORDS)).toBe(word)
      }),
    )
  })
})
