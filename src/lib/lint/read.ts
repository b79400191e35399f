/** Reading a store for lint: page by page, and also where something of it is so wrong that other commands refuse it. */
import {CLUSTER_KEY, checkReadable, clusterState, type ClusterState} from '../client/cluster.js'
import type {Session} from '../client/session.js'
import {listPages} from '../client/snapshot.js'
import {CalicoError} from '../errors.js'
import {ALL_RESOURCES, createLint, type Lint, OLD_PREFIXES} from './lint.js'

/** Values per request: a page is kept no longer than it takes to look through it. */
const PAGE = 1_000

/**
 * All that is in the store, ready to `finish`.
 * @throws CalicoError `wrong-datastore` where there is no data of Calico's, or another cluster's than the expected one
 */
export async function lintStore(session: Session): Promise<Lint> {
  const lint = createLint()
  const cluster = await readCluster(session)
  for await (const {entries} of listPages(session, ALL_RESOURCES, {pageSize: PAGE})) for (const {key, value} of entries) lint.add(key, value)
  for (const prefix of OLD_PREFIXES) {
    for await (const {entries} of listPages(session, prefix, {keysOnly: true})) for (const {key} of entries) lint.addOld(key)
  }
  if (cluster === undefined) return lint
  if (cluster.state === 'foreign' && lint.count() > 0 && session.expectCluster === undefined) {
    session.announce(`This datastore contains keys under /calico/ but no ClusterInformation (${CLUSTER_KEY}): other commands refuse to use it.`)
  } else checkReadable(session, cluster)
  return lint
}

/** Whether the store is Calico's; undefined where its ClusterInformation cannot be read, which is a finding like others unless a certain cluster is expected. */
async function readCluster(session: Session): Promise<ClusterState | undefined> {
  const {kv} = await session.store.get(CLUSTER_KEY)
  try {
    return await clusterState(session, kv)
  } catch (error) {
    if (!(error instanceof CalicoError) || error.kind !== 'wrong-datastore' || kv === undefined || session.expectCluster !== undefined) throw error
    return undefined
  }
}
