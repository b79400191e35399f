/**
 * Node for tests, without jest's tracking of promises. jest-circus notes in an AsyncLocalStorage, of which it makes one for each test file and ends none,
 * which test an unhandled rejection belongs to; in Node 20 each promise then costs a call for each of them, a fifth of the time of the pure tests. Tests of a
 * file run one after the other, so the one that runs is known without it; a concurrent test (`test.concurrent`) would need it.
 */
import asyncHooks from 'node:async_hooks'
import {TestEnvironment} from 'jest-environment-node'

const {AsyncLocalStorage} = asyncHooks

/** What jest-circus uses of an AsyncLocalStorage, for one run at a time and those within it. */
class OneAtATime {
  /** @type {unknown} */
  #store

  getStore() {
    return this.#store
  }

  /**
   * @param {unknown} store
   * @param {() => Promise<unknown>} callback
   */
  async run(store, callback) {
    const before = this.#store
    this.#store = store
    try {
      return await callback()
    } finally {
      this.#store = before
    }
  }
}

export default class extends TestEnvironment {
  /** @param {ConstructorParameters<typeof TestEnvironment>} args */
  constructor(...args) {
    super(...args)
    // @ts-expect-error less than the whole class
    asyncHooks.AsyncLocalStorage = OneAtATime
  }

  /** @param {{readonly name: string}} event */
  handleTestEvent({name}) {
    // jest-circus has been loaded; tests get the real one.
    if (name === 'setup') asyncHooks.AsyncLocalStorage = AsyncLocalStorage
  }
}
