import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {newSession} from '../../../src/lib/client/session.js'
import {openDatastore} from '../../../src/lib/datastore/open.js'
import {datastoreItem} from '../../../src/lib/diagnostics/datastore-item.js'
import {NO_SECRETS} from '../../../src/lib/redact.js'
import {startEtcd, type TestEtcd} from '../../support/etcd.js'

let etcd: TestEtcd
beforeAll(async () => {
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())

test('a role that may read what is under /calico/, and nothing else, is enough', async () => {
  await etcd.ctl('put', '/calico/resources/v3/projectcalico.org/profiles/web', '{"metadata":{"name":"web"}}')
  for (const args of ['user add root:root', 'user grant-role root root', 'user add rw:pw', 'role add calico', 'role grant-permission --prefix=true calico readwrite /calico/', 'user grant-role rw calico', 'auth enable']) await etcd.ctl(...args.split(' '))
  const origin = 'the test'
  const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin}, username: {value: 'rw', origin}, password: {value: 'pw', origin}}})
  const found = await datastoreItem(() => Promise.resolve(newSession(store, {warn: () => undefined})), NO_SECRETS).collect()
  store.close()
  expect(found).not.toHaveProperty('missing')
  expect(JSON.stringify(found, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))).toContain('profiles/web')
})
