import {describe} from '@jest/globals'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {stage} from '../../src/lib/datastore/staged/staged-datastore.js'
import {onBothStores} from '../support/stores.js'
import {datastoreContract} from './datastore.contract.js'

describe('staged', () => {
  onBothStores((stores) => {
    datastoreContract(async () => {
      const base = await stores.empty()
      await base.transact({then: [{put: '/base/a', value: 'stays'}, {put: '/base/\u{10ffff}', value: 'too'}]})
      const {revision} = await base.get('/base/a')
      const shared = stage(base, revision)
      return {
        open: () => Promise.resolve(client(shared)),
        stop: () => Promise.resolve(),
      }
    })
  })
})

/** A client of the stage SHARED that is closed by itself. */
function client(shared: Datastore): Datastore {
  let closed: Datastore | undefined
  const now = (): Datastore => closed ?? shared
  return {
    description: shared.description,
    generation: shared.generation,
    get: (...args) => now().get(...args),
    list: (...args) => now().list(...args),
    transact: (...args) => now().transact(...args),
    watch: (...args) => now().watch(...args),
    history: (...args) => now().history(...args),
    close() {
      closed = stage(shared, 1n)
      closed.close()
    },
  }
}
