import {expect, test} from '@jest/globals'
import {newSession} from '../../../src/lib/client/session.js'
import {memoryOf} from '../../../src/lib/ipam/memory.js'
import {faultyStore} from '../../support/faulty-store.js'

test('what was remembered of a datastore is forgotten when another one has taken its place', async () => {
  const store = await faultyStore()
  let generation = 0
  const session = newSession(Object.defineProperty({...store}, 'generation', {get: () => generation}), {warn: () => undefined})
  memoryOf(session).keys.set('/a', undefined)
  expect(memoryOf(session).keys.size).toBe(1)
  generation++
  expect(memoryOf(session).keys.size).toBe(0)
  store.close()
})
