import {describe, expect, test} from '@jest/globals'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {newStoreState, observed, patience, stateBudget} from '../../../src/lib/libnetwork/store-state.js'
import {faultyStore} from '../../support/faulty-store.js'

const away = new CalicoError('unreachable', 'no answer')

describe('newStoreState', () => {
  test('tells changes, once each', () => {
    const state = newStoreState()
    const told: boolean[] = []
    state.onChange((answers) => told.push(answers))
    expect(state.answers).toBeUndefined()
    for (const error of [undefined, undefined, new CalicoError('denied', 'no'), away, away, new OutcomeUnknownError('lost'), undefined]) state.note(error)
    expect(told).toEqual([true, false, true])
    // A lost answer tells neither.
    state.note(new OutcomeUnknownError('lost'))
    expect(state.answers).toBe(true)
    state.note(away)
    state.note(new OutcomeUnknownError('lost'))
    expect(state.answers).toBe(false)
  })
})

describe('observed', () => {
  test('every request tells', async () => {
    const store = await faultyStore()
    try {
      const broken: Datastore = {
        ...store,
        get: () => Promise.reject(away),
        transact: () => Promise.reject(away),
        history: () => Promise.reject(away),
        async *list() {
          yield* await Promise.reject<[]>(away)
        },
      }
      const uses: ((on: Datastore) => Promise<unknown>)[] = [
        (on) => on.get('a'),
        (on) => on.transact({then: [{get: 'a'}]}),
        (on) => on.history('a', 0n),
        async (on) => {
          const pages = []
          for await (const page of on.list('')) pages.push(page)
          return pages
        },
      ]
      await store.transact({then: [{put: 'a', value: '1'}]})
      for (const use of uses) {
        const state = newStoreState()
        expect(await use(observed(store, state))).toEqual(await use(store))
        expect(state.answers).toBe(true)
        await expect(use(observed(broken, state))).rejects.toBe(away)
        expect(state.answers).toBe(false)
      }
    } finally {
      store.close()
    }
  })
})

test('patience: less while the store is known to be away, little when it has been for long', () => {
  let time = 0
  const state = newStoreState(() => time)
  const budget = stateBudget(state, 5_000)
  const both = (): number[] => [patience(state, 5_000), budget.forRequest().total]
  expect(both()).toEqual([5_000, 4_000])
  time = 1_000
  state.note(away)
  expect([state.awayMs, ...both()]).toEqual([0, 1_000, 800])
  time = 10_999
  state.note(away)
  expect([state.awayMs, ...both()]).toEqual([9_999, 1_000, 800])
  time = 11_000
  expect([state.awayMs, ...both()]).toEqual([10_000, 250, 200])
  expect(patience(state, 100)).toBe(100)
  state.note(undefined)
  expect([state.awayMs, ...both()]).toEqual([undefined, 5_000, 4_000])
})
