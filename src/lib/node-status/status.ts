/** How this host's calico-node is doing, from all who know a part of it: the Engine, BIRD, Felix's files, the datastore. */
import {nodeAddress, nodeAs, type NodeAs, readDefaultAs, unlessUnreadable} from '../client/node-list.js'
import {type DriverStatus, driverStatus} from '../calico-node/libnetwork-service/state.js'
import {felixProcesses} from '../calico-node/own-processes.js'
import {getResource} from '../client/resources.js'
import {readCluster} from '../client/cluster-version.js'
import type {Session} from '../client/session.js'
import type {ContainerDetails} from '../docker/details.js'
import {hasNoEngine} from '../docker/absence.js'
import {isError} from '../errors.js'
import type {ClusterInformationSpec, Node} from '../model/types.js'
import type {Family} from '../net/index.js'
import {birdStatus, type BirdStatus} from './bird.js'
import {type ContainerStatus, containerStatus, mayUseBird, RUN_FOLDER, runFolder} from './container.js'
import {compareEndpoints, type EndpointName, type EndpointStates, programmedEndpoints, storedEndpoints} from './endpoints.js'
import {problemsOf} from './problems.js'

/** What the datastore says of the node. */
export interface StoredNode {
  /** Whether there is a Node object that can be read. */
  readonly exists: boolean
  readonly address: Readonly<Record<Family, string | undefined>>
  readonly as: NodeAs
  readonly cluster: ClusterInformationSpec
  readonly endpoints: readonly EndpointName[]
}

export type DatastoreStatus = ({readonly state: 'answers'} & StoredNode) | {readonly state: 'away'; readonly message: string}

export interface NodeStatus {
  readonly running: true
  readonly node: string
  /** Undefined on a host without a Docker Engine, where no one knows it. */
  readonly container: ContainerStatus | undefined
  /** What runs Felix on such a host: its processes, for people. */
  readonly processes: readonly string[]
  readonly datastore: DatastoreStatus
  /** By family; undefined where it was not asked: BIRD is off, there is no address of that family, or only root may ask. */
  readonly bird: Readonly<Record<Family, BirdStatus | undefined>>
  readonly endpoints: EndpointStates
  /** The driver for Docker networks. */
  readonly libnetwork: DriverStatus
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[]
}

/** There is nothing to ask. */
export interface NotRunning {
  readonly running: false
  /** The container that has ended, or was never started; undefined if there is none. */
  readonly ended: ContainerDetails | undefined
  readonly libnetwork: DriverStatus
}

/** The rest of a status is worth as much without the datastore; what the user got wrong is not put up with. */
const AWAY = ['unreachable', 'wrong-datastore', 'denied'] as const

/**
 * The status of calico-node on this host, which is NODE. BIRD is asked only for ROOT, whose its
 * sockets are. A datastore that does not answer is a part of the status; so is a host on which no Docker Engine is installed.
 * @throws CalicoError if the Docker Engine does not answer
 */
export async function nodeStatus(open: () => Promise<Session>, node: string, {root}: {root: boolean}): Promise<NodeStatus | NotRunning> {
  if (hasNoEngine()) return statusOf(open, node, {root, container: undefined, processes: felixProcesses(), libnetwork: await driverStatus({engine: false})})
  const container = await containerStatus() // says first if the Engine is another host's
  const libnetwork = await driverStatus()
  if (!container || !mayRun(container)) return {running: false, ended: container?.details, libnetwork}
  return statusOf(open, node, {root, container, processes: [], libnetwork})
}

/** What this host's own processes say of calico-node. */
interface Found extends Pick<NodeStatus, 'container' | 'processes' | 'libnetwork'> {
  readonly root: boolean
}

async function statusOf(open: () => Promise<Session>, node: string, {root, container, processes, libnetwork}: Found): Promise<NodeStatus> {
  const folder = container ? runFolder(container.details) : RUN_FOLDER
  const [datastore, programmed] = await Promise.all([datastoreStatus(open, node), programmedEndpoints(folder)])
  const ask = (family: Family): Promise<BirdStatus | undefined> =>
    root && mayUseBird(container) && hasAddress(datastore, family) ? birdStatus(folder, family) : Promise.resolve(undefined)
  const [four, six] = await Promise.all([ask(4), ask(6)])
  const found = {
    running: true as const,
    node,
    container,
    processes,
    datastore,
    bird: {4: four, 6: six},
    endpoints: compareEndpoints(programmed, datastore.state === 'answers' ? datastore.endpoints : undefined),
    libnetwork,
  }
  return {...found, problems: problemsOf(found)}
}

/** As v0.20, which looked only at what `docker ps` shows: a container between two starts is there, one that has ended is not. */
const mayRun = ({details: {state}}: ContainerStatus): boolean => ['running', 'restarting', 'paused'].includes(state)

/** Without a datastore no one knows: both are asked. */
const hasAddress = (datastore: DatastoreStatus, family: Family): boolean => datastore.state === 'away' || datastore.address[family] !== undefined

async function datastoreStatus(open: () => Promise<Session>, name: string): Promise<DatastoreStatus> {
  try {
    const session = await open()
    const [cluster, stored, asNumber, endpoints] = await Promise.all([
      readCluster(session),
      unlessUnreadable(session, () => getResource<Node>(session, {kind: 'Node', name})),
      readDefaultAs(session),
      storedEndpoints(session, name),
    ])
    const node = stored?.resource
    return {state: 'answers', exists: node !== undefined, address: {4: nodeAddress(node, 4), 6: nodeAddress(node, 6)}, as: nodeAs(node, asNumber), cluster, endpoints}
  } catch (error) {
    if (!isError(error, ...AWAY)) throw error
    return {state: 'away', message: error.message}
  }
}
