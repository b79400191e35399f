/** Whether the datastore answers, learnt from the requests that are sent to it anyway. */
import {createBudget, type Budget} from '../datastore/budget.js'
import type {Datastore, Page} from '../datastore/datastore.js'
import {isError} from '../errors.js'

export interface StoreState {
  /** Whether the last request that was sent to it got an answer; undefined before the first. */
  readonly answers: boolean | undefined
  /** How long it has not answered, milliseconds; undefined while it does. */
  readonly awayMs: number | undefined
  /** Takes notice of a request's end: an error of the datastore's own is an answer, too. */
  note(error: unknown): void
  /** Calls LISTENER whenever the datastore comes to answer or ceases to. */
  onChange(listener: (answers: boolean) => void): void
}

export function newStoreState(now: () => number = () => performance.now()): StoreState {
  let answers: boolean | undefined
  let awaySince = 0
  const listeners: ((answers: boolean) => void)[] = []
  return {
    get answers() {
      return answers
    },
    get awayMs() {
      return answers === false ? now() - awaySince : undefined
    },
    note(error) {
      // A lost answer tells nothing about the next request.
      if (isError(error, 'unknown')) return
      const isThere = !isError(error, 'unreachable')
      if (isThere === answers) return
      answers = isThere
      awaySince = now()
      for (const listener of listeners) listener(isThere)
    },
    onChange: (listener) => void listeners.push(listener),
  }
}

/** While the datastore is known to be away: Docker's requests come one after another, and each would wait. */
const AWAY_MS = 1_000
/** The same, when it has been away for so long that it is asked in the background anyway, and waiting is in vain. */
const LONG_AWAY_MS = 250
const LONG_MS = 10_000

/** How long it is worth to wait for the datastore: NORMAL_MS, or less while it is known not to answer. */
export const patience = ({awayMs}: Pick<StoreState, 'awayMs'>, normalMs: number): number =>
  awayMs === undefined ? normalMs : Math.min(normalMs, awayMs < LONG_MS ? AWAY_MS : LONG_AWAY_MS)

/** The share of a request's time that one request to the datastore may take, so that its own error is reported, which says more. */
const SHARE = 0.8

/** The time of each request to the datastore, for requests of Docker's that have NORMAL_MS. */
export function stateBudget(state: StoreState, normalMs: number): Budget {
  const budget: Budget = {
    total: normalMs * SHARE,
    remaining: () => normalMs * SHARE,
    forRequest: () => createBudget({budgetMs: patience(state, normalMs) * SHARE}),
    exclude: (work) => work(),
  }
  return budget
}

/** STORE, with STATE informed about every request. */
export function observed(store: Datastore, state: StoreState): Datastore {
  const noted = async <T>(request: Promise<T>): Promise<T> => {
    try {
      const answer = await request
      state.note(undefined)
      return answer
    } catch (error) {
      state.note(error)
      throw error
    }
  }
  async function* notedPages(pages: AsyncIterable<Page>): AsyncIterable<Page> {
    const iterator = pages[Symbol.asyncIterator]()
    for (;;) {
      const step: IteratorResult<Page, unknown> = await noted(iterator.next())
      if (step.done === true) return
      yield step.value
    }
  }
  return {
    description: store.description,
    get generation() {
      return store.generation
    },
    get: (key, options) => noted(store.get(key, options)),
    list: (prefix, options) => notedPages(store.list(prefix, options)),
    transact: (transaction) => noted(store.transact(transaction)),
    watch: (prefix, from, signal) => store.watch(prefix, from, signal),
    history: (key, from) => noted(store.history(key, from)),
    close: () => store.close(),
  }
}
