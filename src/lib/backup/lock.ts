/** Locking and unlocking a store: `datastoreReady` of its ClusterInformation. Calico's components read a locked store no further, and nothing of ours writes it. */
import {checkReadable, CLUSTER_KEY, type ClusterState, initialValues, RESTORE_ANNOTATION, specOf, unfinishedRestore} from '../client/cluster.js'
import {commit, type Write} from '../client/commit.js'
import type {ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {parseJson, stringifyJson} from '../json/json.js'
import type {ClusterInformation} from '../model/types.js'

type Change = ResourceChange<ClusterInformation>

/** INFORMATION that says whether the store is READY, and which restore has locked it; all else as it was. */
export function withReady(information: ClusterInformation, ready: boolean, restore?: string): ClusterInformation {
  const {annotations: before = {}, ...metadata} = information.metadata
  const {[RESTORE_ANNOTATION]: _, ...others} = before
  const annotations = restore === undefined ? others : {...others, [RESTORE_ANNOTATION]: restore}
  return {...information, metadata: {...metadata, ...(Object.keys(annotations).length > 0 ? {annotations} : {})}, spec: {...specOf(information), datastoreReady: ready}}
}

/**
 * Locks the store; one that is empty is initialised so.
 * @throws CalicoError `wrong-datastore` as everywhere
 */
export const lockDatastore = (session: Session): Promise<Change> => setReady(session, false)

/**
 * Unlocks the store.
 * @throws CalicoError `wrong-datastore` if it is not initialised; `refused` if a restore that is not finished has locked it, unless FORCE is given
 */
export const unlockDatastore = (session: Session, {force}: {force: boolean}): Promise<Change> => setReady(session, true, force)

async function setReady(session: Session, ready: boolean, force = false): Promise<Change> {
  const {outcome} = await commit(session, [], ({cluster}) => {
    checkReadable(session, cluster)
    const {change, writes} = cluster.state === 'present' ? changed(cluster, ready, force) : initialised(session, ready)
    return {writes, what: `the ${ready ? 'unlocking' : 'locking'} of the datastore`, outcome: change}
  }, {ownCluster: true})
  return outcome
}

function changed({stored, information}: ClusterState & {state: 'present'}, ready: boolean, force: boolean): {change: Change; writes: Write[]} {
  const change = {kind: 'ClusterInformation', name: 'default', before: information} as const
  const {datastoreReady = true} = specOf(information)
  if (datastoreReady === ready) return {change: {...change, action: 'unchanged', after: information}, writes: []}
  if (ready && !force && unfinishedRestore(information) !== undefined) {
    throw new CalicoError('refused', 'A restore has locked the datastore and is not finished: only a part of the backup is restored. Nothing was changed.', {
      override: '--force',
      hint: 'To complete it, with the same file: calicoctl datastore restore FILE. To unlock the datastore as it is: calicoctl datastore unlock --force',
    })
  }
  const after = withReady(information, ready)
  return {change: {...change, action: 'updated', after}, writes: [{key: CLUSTER_KEY, read: stored, value: stringifyJson(after)}]}
}

function initialised(session: Session, ready: boolean): {change: Change; writes: Write[]} {
  if (ready) throw new CalicoError('wrong-datastore', `There is nothing to unlock: this datastore is not initialised (${session.store.description})`)
  const writes = initialValues().map(({key, value}): Write => ({key, read: undefined, value: key === CLUSTER_KEY ? stringifyJson(withReady(parseJson(value) as ClusterInformation, false)) : value}))
  const after = parseJson(writes.find(({key}) => key === CLUSTER_KEY)?.value ?? '{}') as ClusterInformation
  return {change: {kind: 'ClusterInformation', name: 'default', action: 'created', before: undefined, after}, writes}
}
