import {describe} from '@jest/globals'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {startEtcd} from '../support/etcd.js'
import {datastoreContract} from './datastore.contract.js'

describe.each(['http2', 'etcd3'] as const)('etcd, with requests by %s', (way) => {
  datastoreContract(async () => {
    const etcd = await startEtcd()
    return {
      open: () => openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true}, {way}),
      async compact(store) {
        const {revision} = await store.get('/x')
        await etcd.ctl('compact', String(revision))
      },
      stop: () => etcd.stop(),
    }
  })
})
