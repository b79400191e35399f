/**
 * ClusterInformation: whether this is a Calico datastore, which one, and whether it may be written (datamodel-v3 §1.1, decisions.md 8).
 * Every read and write of the client layer passes through here first.
 */
import {CalicoError} from '../errors.js'
import type {KeyValue} from '../datastore/datastore.js'
import {isObject} from '../json/is-object.js'
import {parseJson, stringifyJson} from '../json/json.js'
import {resourceKey} from '../model/keys.js'
import {API_VERSION, type Resource} from '../model/resource.js'
import type {ClusterInformation, ClusterInformationSpec, Tier} from '../model/types.js'
import {newUuid, withIdentity} from './identity.js'
import type {Session} from './session.js'

export const CLUSTER_KEY = resourceKey('ClusterInformation', 'default')

/** Everything Calico keeps lies under this prefix. */
export const CALICO_PREFIX = '/calico/'

/** The store's ClusterInformation, as a command found it. */
export type ClusterState =
  | {readonly state: 'present'; readonly stored: KeyValue; readonly information: ClusterInformation}
  /** Nothing lies under /calico/. */
  | {readonly state: 'empty'}
  /** Keys, but no ClusterInformation: not a Calico store, or a damaged one. */
  | {readonly state: 'foreign'}

/** Reads what STORED, the ClusterInformation key or its absence, says about the store. Asks the store once more only where the key is missing. */
export async function clusterState(session: Session, stored: KeyValue | undefined): Promise<ClusterState> {
  if (stored) return {state: 'present', stored, information: readInformation(stored)}
  for await (const page of session.store.list(CALICO_PREFIX, {keysOnly: true, pageSize: 1})) {
    if (page.entries.length > 0) return {state: 'foreign'}
  }
  return {state: 'empty'}
}

function readInformation(stored: KeyValue): ClusterInformation {
  let information: unknown
  try {
    information = parseJson(stored.value)
  } catch (error) {
    throw new CalicoError('wrong-datastore', `The cluster information of this datastore cannot be read: the value of ${CLUSTER_KEY} is not JSON`, {cause: error})
  }
  if (!isObject(information)) {
    throw new CalicoError('wrong-datastore', `The cluster information of this datastore cannot be read: the value of ${CLUSTER_KEY} is not an object`)
  }
  return information as unknown as ClusterInformation
}

/** The annotation of ClusterInformation that an unfinished restore leaves: the checksum of its backup. */
export const RESTORE_ANNOTATION = 'calicoctl/restore'

/** The checksum of the backup whose restore has locked the store and is not finished; undefined where there is none. */
export function unfinishedRestore(information: ClusterInformation): string | undefined {
  const {annotations} = (information as Partial<ClusterInformation>).metadata ?? {}
  const found: unknown = annotations && Object.hasOwn(annotations, RESTORE_ANNOTATION) ? annotations[RESTORE_ANNOTATION] : undefined
  return typeof found === 'string' ? found : undefined
}

export const specOf = (information: ClusterInformation): ClusterInformationSpec => (information as {spec?: ClusterInformationSpec}).spec ?? {}

/** The GUID of the cluster that INFORMATION is of. */
export const guidOf = (information: ClusterInformation): string | undefined => specOf(information).clusterGUID

/** The GUID of SESSION's cluster; undefined if it has none. @throws CalicoError `wrong-datastore` if the store is not Calico's */
export async function getGuid(session: Session): Promise<string | undefined> {
  const {kv} = await session.store.get(CLUSTER_KEY)
  const cluster = await clusterState(session, kv)
  checkReadable(session, cluster)
  return cluster.state === 'present' ? guidOf(cluster.information) : undefined
}

/** The GUID in VALUE, a ClusterInformation that initialises a store. */
export const guidInValue = (value: string | undefined): string | undefined => (value === undefined ? undefined : guidOf(parseJson(value) as ClusterInformation))

/**
 * Refuses a store that a reading command must not take for an empty one.
 * @throws CalicoError `wrong-datastore`: keys but no ClusterInformation, or another cluster than the one expected.
 */
export function checkReadable(session: Session, cluster: ClusterState): void {
  if (cluster.state === 'foreign' && !session.init) {
    throw new CalicoError('wrong-datastore', `This is not a Calico datastore: ${session.store.description} contains keys under /calico/ but no ClusterInformation (${CLUSTER_KEY})`, {
      hint: 'Check the endpoints: calicoctl config view. To initialise this datastore for Calico, use --init.',
    })
  }
  if (cluster.state === 'empty') {
    if (session.expectCluster !== undefined) throw unexpectedCluster(session, 'it is not initialised')
    session.announce(`This datastore contains no Calico data yet (${session.store.description}).`)
  }
  if (cluster.state === 'present' && session.expectCluster !== undefined) {
    const guid = specOf(cluster.information).clusterGUID
    if (guid !== session.expectCluster) throw unexpectedCluster(session, guid === undefined ? 'it has no GUID' : `its GUID is ${guid}`)
  }
}

/**
 * Refuses NOW where one change has met FIRST, another Calico cluster, before: what was read from one must not be decided on and written in another.
 * @throws CalicoError `wrong-datastore`
 */
export function checkSameCluster(session: Session, first: ClusterState, now: ClusterState): void {
  if (first.state !== 'present') return
  const [before, after] = [first, now].map((cluster) => (cluster.state === 'present' ? specOf(cluster.information).clusterGUID : undefined))
  if (now.state === 'present' && (before === undefined || after === undefined || before === after)) return
  throw new CalicoError('wrong-datastore', `The datastore was replaced during this change: ${before === undefined ? 'a cluster' : `the cluster ${before}`} was read, and now it ${after === undefined ? 'contains no cluster' : `contains ${after}`} (${session.store.description}). Nothing was changed.`, {
    hint: 'Check that all endpoints belong to one cluster: calicoctl config view',
  })
}

const unexpectedCluster = (session: Session, why: string): CalicoError =>
  new CalicoError('wrong-datastore', `This is not the expected cluster ${session.expectCluster ?? ''}: ${why} (${session.store.description})`, {
    hint: 'Check the endpoints and the expected cluster: calicoctl config view',
  })

/** The store is locked, for a while: whoever has locked it unlocks it. */
export class LockedError extends CalicoError {}

/**
 * Refuses a store that must not be written.
 * @throws CalicoError as {@link checkReadable}; LockedError (`refused`): the store is locked (`datastoreReady: false`, set by a migration, an operator or a restore).
 */
export function checkWritable(session: Session, cluster: ClusterState): void {
  if (cluster.state === 'empty' && session.expectCluster === undefined) return
  checkReadable(session, cluster)
  if (cluster.state === 'present' && specOf(cluster.information).datastoreReady === false) {
    const restoring = unfinishedRestore(cluster.information) !== undefined
    throw new LockedError('refused', `The datastore is locked (${session.store.description}). Nothing was changed.`, {
      hint: restoring
        ? 'It is locked by a restore that is not complete. To complete it, with the same file: calicoctl datastore restore FILE'
        : 'It was locked by a migration or an administrator. To unlock it when they are done: calicoctl datastore unlock',
    })
  }
}

/** A key to be written with what it was read as; see commit.ts. */
export interface InitialValue {
  readonly key: string
  readonly value: string
}

/** The tiers that every initialised store has. */
export const BUILT_IN_TIERS: readonly {readonly name: string; readonly spec: Tier['spec']}[] = [
  {name: 'default', spec: {order: 1_000_000, defaultAction: 'Deny'}},
  {name: 'kube-admin', spec: {order: 1000, defaultAction: 'Pass'}},
  {name: 'kube-baseline', spec: {order: 10_000_000, defaultAction: 'Pass'}},
]

/**
 * What makes an uninitialised store a Calico store: ClusterInformation with a new GUID and `datastoreReady: true`, and the built-in tiers
 * (Calico's "ensure initialised", datamodel-v3 §1.1). calicoVersion stays empty: the Go calicoctl refuses to run against another version than its own.
 */
export function initialValues(): InitialValue[] {
  const object = (kind: 'ClusterInformation' | 'Tier', name: string, rest: object): InitialValue => ({
    key: resourceKey(kind, name),
    value: stringifyJson({kind, apiVersion: API_VERSION, metadata: withIdentity({name}), ...rest} satisfies Partial<Resource>),
  })
  return [
    object('ClusterInformation', 'default', {spec: {clusterGUID: newUuid().replaceAll('-', ''), datastoreReady: true}}),
    ...BUILT_IN_TIERS.map(({name, spec}) => object('Tier', name, {spec, status: {}})),
  ]
}
