/** Whether the datastore answers, learnt from the requests that are sent to it anyway. */
import {createBudget, type Budget} from '../datastore/budget.js'
import type {Datastore, Page} from '../datastore/datastore.js'
import {isError} from '../errors.js'

export interface StoreState {
  /** Whether the last request that was sent to it got an answer; undefined before the first. */
  readonly answers: boolean | undefined
  /** Takes notice of a request's end: an error of the datastore's own is an answer, too. */
  note(error: unknown): void
  /** Calls LISTENER whenever the datastore comes to answer or ceases to. */
  onChange(listener: (answers: boolean) => void): void
}

export function newStoreState(): StoreState {
  let answers: boolean | undefined
  const listeners: ((answers: boolean) => void)[] = []
  return {
    get answers() {
      return answers
    },
    note(error) {
      // A lost answer tells nothing about the next request.
      if (isError(error, 'unknown')) return
      const now = !isError(error, 'unreachable')
      if (now === answers) return
      answers = now
      for (const listener of listeners) listener(now)
    },
    onChange: (listener) => void listeners.push(listener),
  }
}

/** Milliseconds for each request to the datastore: SHORT as long as it is known not to answer, so that those who wait are not held up for nothing. */
export function stateBudget(state: StoreState, {normalMs, shortMs}: {normalMs: number; shortMs: number}): Budget {
  const budget: Budget = {
    total: normalMs,
    remaining: () => normalMs,
    forRequest: () => createBudget({budgetMs: state.answers === false ? shortMs : normalMs}),
    exclude: (work) => work(),
  }
  return budget
}

/** STORE, with STATE told about every request. */
export function observed(store: Datastore, state: StoreState): Datastore {
  const told = async <T>(request: Promise<T>): Promise<T> => {
    try {
      const answer = await request
      state.note(undefined)
      return answer
    } catch (error) {
      state.note(error)
      throw error
    }
  }
  async function* toldPages(pages: AsyncIterable<Page>): AsyncIterable<Page> {
    const iterator = pages[Symbol.asyncIterator]()
    for (;;) {
      const {done, value} = await told(iterator.next())
      if (done) return
      yield value
    }
  }
  return {
    description: store.description,
    get: (key, options) => told(store.get(key, options)),
    list: (prefix, options) => toldPages(store.list(prefix, options)),
    transact: (transaction) => told(store.transact(transaction)),
    watch: (prefix, from, signal) => store.watch(prefix, from, signal),
    history: (key, from) => told(store.history(key, from)),
    close: () => store.close(),
  }
}
