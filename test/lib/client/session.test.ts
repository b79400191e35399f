import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession, noteDone} from '../../../src/lib/client/session.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

let store: FaultyStore
beforeEach(async () => {
  store = await faultyStore()
})
afterEach(() => store.close())

describe('what a session keeps of the past', () => {
  test('a command\'s: all writes, each warning once', () => {
    const told: string[] = []
    const session = newSession(store, {warn: (text) => told.push(text)})
    for (let i = 0; i < 1_000; i++) {
      noteDone(session.writes, `write ${i}`)
      session.warn(`warning ${i}`)
    }
    session.warn('warning 0')
    expect(session.writes.done).toHaveLength(1_000)
    expect(told).toHaveLength(1_000)
  })

  test('a server\'s: the latest writes; a warning comes again after many others', () => {
    const told: string[] = []
    const session = newSession(store, {warn: (text) => told.push(text), longLived: true})
    for (let i = 0; i < 1_000; i++) noteDone(session.writes, `write ${i}`)
    expect(session.writes.done).toEqual(Array.from({length: 100}, (_, i) => `write ${900 + i}`))
    session.warn('first')
    session.warn('first')
    expect(told).toEqual(['first'])
    for (let i = 0; i < 100; i++) session.warn(`warning ${i}`)
    session.warn('first')
    expect(told.filter((text) => text === 'first')).toHaveLength(2)
  })
})
