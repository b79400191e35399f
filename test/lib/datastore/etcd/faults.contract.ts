import {afterEach, jest} from '@jest/globals'
import type {Datastore} from '../../../../src/lib/datastore/datastore.js'
import type {Way} from '../../../../src/lib/datastore/etcd/connection.js'
import {openDatastore} from '../../../../src/lib/datastore/open.js'
import type {EtcdSettings} from '../../../../src/lib/settings/types.js'
import {clusters} from './faults/clusters.js'
import {fullStore} from './faults/full-store.js'
import {HANGS_MS, type Open} from './faults/help.js'
import {network} from './faults/network.js'
import {noEtcd} from './faults/no-etcd.js'

/** operator-demand §6.2, R1 to R4, at the adapter, whose requests go by WAY. */
export function faults(way: Way): void {
  jest.setTimeout(2 * HANGS_MS)
  const opened: Datastore[] = []
  /** Time enough for a busy machine, unless the end of the time is what a test waits for. */
  const open: Open = async (endpoints, budget = {}, options = {}) => {
    const settings: EtcdSettings = {type: 'etcd', endpoints: {value: endpoints, origin: 'ETCD_ENDPOINTS'}}
    const store = await openDatastore({datastore: settings}, {budgetMs: HANGS_MS / 2, ...budget}, {...options, way})
    opened.push(store)
    return store
  }
  afterEach(() => {
    for (const store of opened.splice(0)) store.close()
  })

  noEtcd(open)
  network(open)
  clusters(open)
  fullStore(open)
}
