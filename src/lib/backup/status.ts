/** What a store is and holds. */
import {CALICO_PREFIX, specOf, unfinishedRestore} from '../client/cluster.js'
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {StoreUsage} from '../datastore/datastore.js'
import {listPages} from '../client/snapshot.js'
import {count, kindOfKey} from './counts.js'

export interface DatastoreStatus {
  readonly datastore: string
  readonly state: 'ready' | 'locked' | 'empty' | 'foreign'
  /** The checksum of the backup whose restore is not finished. */
  readonly unfinishedRestore: string | undefined
  readonly clusterGUID: string | undefined
  readonly calicoVersion: string | undefined
  readonly revision: string
  readonly keys: number
  /** By kind, in key order. */
  readonly counts: ReadonlyMap<string, number>
  /** Undefined in a batch that is one transaction, or only rehearsed. */
  readonly database: StoreUsage | undefined
}

export async function datastoreStatus(session: Session): Promise<DatastoreStatus> {
  const {cluster, revision} = await read(session, [])
  const information = cluster.state === 'present' ? cluster.information : undefined
  const {clusterGUID, calicoVersion, datastoreReady} = information ? specOf(information) : {}
  const counts = new Map<string, number>()
  let keys = 0
  for await (const {entries} of listPages(session, CALICO_PREFIX, {keysOnly: true})) {
    keys += entries.length
    for (const {key} of entries) count(counts, kindOfKey(key))
  }
  const database = await session.store.usage?.()
  return {
    database,
    datastore: session.store.description,
    state: cluster.state === 'present' ? (datastoreReady === false ? 'locked' : 'ready') : cluster.state,
    unfinishedRestore: information && unfinishedRestore(information),
    clusterGUID, calicoVersion, revision: String(revision), keys, counts,
  }
}
