import type {ClusterInformationSpec} from '../model/types.js'
import {read} from './resources.js'
import type {Session} from './session.js'

/** What the store says about its cluster; nothing where it is not initialised. @throws CalicoError `wrong-datastore` if it is not Calico's */
export async function readCluster(session: Session): Promise<ClusterInformationSpec> {
  const {cluster} = await read(session, [])
  const spec = cluster.state === 'present' ? (cluster.information as {spec?: ClusterInformationSpec}).spec : undefined
  const {clusterGUID, clusterType, calicoVersion, datastoreReady} = spec ?? {}
  return {
    ...(clusterGUID === undefined ? {} : {clusterGUID}),
    ...(clusterType === undefined ? {} : {clusterType}),
    ...(calicoVersion === undefined ? {} : {calicoVersion}),
    ...(datastoreReady === undefined ? {} : {datastoreReady}),
  }
}
