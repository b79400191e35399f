import {describe, expect, test} from '@jest/globals'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {newStoreState, observed, stateBudget} from '../../../src/lib/libnetwork/store-state.js'
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

test('stateBudget: short while the store is known to be away', () => {
  const state = newStoreState()
  const budget = stateBudget(state, {normalMs: 4_000, shortMs: 800})
  expect(budget.forRequest().total).toBe(4_000)
  state.note(away)
  expect(budget.forRequest().total).toBe(800)
  state.note(undefined)
  expect(budget.forRequest().total).toBe(4_000)
})
