import {describe} from '@jest/globals'
import {simulatedStore} from '../simulation/store.js'
import {datastoreContract} from './datastore.contract.js'

describe('simulated', () => {
  datastoreContract(() => {
    const store = simulatedStore()
    return Promise.resolve({
      open: () => Promise.resolve(store.client((_, execute) => Promise.resolve().then(execute))),
      compact: () => {
        store.compact()
        return Promise.resolve()
      },
      stop: () => Promise.resolve(),
    })
  })
})
