/** Where the facts about this very host come from. */
import type {HostInterface} from '../host/candidates.js'
import {checkWritable} from '../client/cluster.js'
import {nodeNameInputs} from '../client/node-name.js'
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {engineVersions} from '../docker/version.js'
import {isError} from '../errors.js'
import {hostAddresses} from '../host/addresses.js'
import type {Settings} from '../settings/types.js'
import type {DatastoreFacts, Sources} from './check.js'
import {askMembers} from './etcd-members.js'
import {filesBelow} from './files.js'

const HTTP_LIMIT_MS = 2_000

export interface SourceOptions {
  readonly settings: Settings
  readonly session: () => Promise<Session>
  /** The value of --node. */
  readonly node: string | undefined
  /** The time for the datastore. */
  readonly timeoutMs: number | undefined
  /** calico-node or its driver for Docker networks will run in a Docker Engine. */
  readonly engine: boolean
}

/** This host, and what the settings name. What several checks ask for is asked once. */
export function thisHost({settings: {datastore}, session, node, timeoutMs = Infinity, engine}: SourceOptions): Sources {
  return {
    files: filesBelow(''),
    nodeName: nodeNameInputs(node),
    endpoints: datastore.type === 'etcd' ? datastore.endpoints.value : undefined,
    members: once(() => (datastore.type === 'etcd' ? askMembers(datastore, Math.min(timeoutMs, HTTP_LIMIT_MS)) : Promise.resolve([]))),
    datastore: once(() => datastoreFacts(session)),
    engine: () => (engine ? engineVersions() : Promise.resolve(undefined)),
    interfaces: () => hostAddresses<HostInterface>(),
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}

async function datastoreFacts(open: () => Promise<Session>): Promise<DatastoreFacts> {
  try {
    // That the store is empty is reported as what the check found.
    const session: Session = {...(await open()), warn: () => undefined, announce: () => undefined}
    const {cluster} = await read(session, [])
    checkWritable(session, cluster)
    return {state: 'answers', session, cluster: cluster.state === 'empty' ? 'empty' : 'present'}
  } catch (error) {
    if (!isError(error)) throw error
    return {state: 'fails', error}
  }
}
