import {expect, test} from '@jest/globals'
import {classify} from '../../../../src/lib/datastore/etcd/failure.js'

test.each([
  // A good status and no message: etcd has answered, nobody knows what. Sent again, a write could be made twice.
  ['12 UNIMPLEMENTED: No message received', 'unknown'],
  ['12 UNIMPLEMENTED: unknown service etcdserverpb.KV', 'not-executed'],
  ['14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED', 'never-sent'],
  ['14 UNAVAILABLE: Received HTTP status code 502', 'unknown'],
  ['14 UNAVAILABLE: etcdserver: leader changed', 'unknown'],
])('%s: %s', (message, fate) => {
  expect(classify(new Error(message))).toMatchObject({fate, text: message.replace(/^\d+ [A-Z]+: /, '')})
})
