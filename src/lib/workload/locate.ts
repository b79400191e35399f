/**
 * Which endpoint `<CONTAINER>` has, whoever made it and whatever the network namespace was called then: a namespace is one thing, known by device
 * and inode, and so is what Calico has of it (decisions.md 37).
 */
import {annotationOf, isContainer, pathOf} from '../client/endpoint-workload.js'
import type {Endpoint} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import type {Container, ContainerNetwork, Engine} from '../docker/engine.js'
import {CalicoError, isError} from '../errors.js'
import {calicoInterfacesOf, hasHostInterface} from '../host/interfaces.js'
import {namespaceIdentity, type NetworkNamespace, openNamespaceAt} from '../host/network-namespace.js'
import {NETWORK_ANNOTATION} from '../ipam/driver-handles.js'
import {enter, findPast, type Past} from './find-workload.js'
import {elsewhereHint, endpointsElsewhere} from './elsewhere.js'
import {endpointsOfWorkload, findEndpoints, interfaceOf, severalEndpoints, unknownWorkload, type Workload, workloadOf} from './workload.js'

/** What is known of a workload. */
export interface Located {
  readonly workload: Workload
  readonly endpoints: readonly Endpoint[]
  /** The Docker networks that its container is in, those of other drivers too. */
  readonly networks: readonly ContainerNetwork[]
  /** Where it has no endpoints: those that it has under another name of its node. */
  readonly elsewhere: readonly Endpoint[]
}

/** A namespace, examined from inside. */
interface Inside {
  readonly endpoints: readonly Endpoint[]
  /** Calico's interfaces in it of which no endpoint of this host is stored. */
  readonly strays: readonly string[]
}

/** The orchestrator of the Docker driver's endpoints. */
const DOCKER_DRIVER = 'libnetwork'

/**
 * The endpoints of what WORD means, which may be gone: those that were made under its own name, else those of Docker's networks, else what is
 * connected to its network namespace, as far as this user may look into that.
 * @throws CalicoError as findPast
 */
export async function locate(session: Session, engine: Engine, node: string, word: string): Promise<Located> {
  return locateFound(session, engine, await findPast(session, engine, node, word))
}

/** As {@link locate}, for what was found. */
export async function locateFound(session: Session, engine: Engine, past: Past): Promise<Located> {
  const {workload} = past
  const own = await endpointsOfWorkload(session, workload)
  if (own.length > 0) return {workload, endpoints: own, networks: past.container?.networks ?? [], elsewhere: []}
  // A full id was not asked for yet.
  const container = past.container ?? (workload.orchestrator === 'docker' && !past.gone ? await quietly(() => engine.inspect(workload.id)) : undefined)
  const networks = container?.networks ?? []
  const ofDocker = container ? await endpointsOfContainer(session, engine, workload.node, container) : []
  if (ofDocker.length > 0) return {workload, endpoints: ofDocker, networks, elsewhere: []}
  const {endpoints, strays} = await inside(session, engine, workload, container)
  return {workload, endpoints, networks, elsewhere: endpoints.length > 0 ? [] : await endpointsElsewhere(session, workload, strays)}
}

/** What is in the namespace of WORKLOAD, whose container is CONTAINER, as far as this user may look into it. */
async function inside(session: Session, engine: Engine, workload: Workload, container: Container | undefined): Promise<Inside> {
  const namespace = await open(engine, workload, container)
  if (!namespace) return {endpoints: [], strays: []}
  try {
    return await lookInside(session, engine, workload.node, namespace)
  } finally {
    namespace.close()
  }
}

/** The one endpoint of what WORD means. @throws CalicoError `not-found`, `conflict` if there are several */
export async function locateOne(session: Session, engine: Engine, node: string, word: string): Promise<Endpoint> {
  return theEndpoint(await locate(session, engine, node, word))
}

export function theEndpoint({workload, endpoints, elsewhere: [other] = []}: Pick<Located, 'workload' | 'endpoints'> & Partial<Pick<Located, 'elsewhere'>>): Endpoint {
  const [endpoint, ...more] = endpoints
  if (!endpoint) throw other ? new CalicoError('not-found', unknownWorkload(workload).message, elsewhereParts(other)) : unknownWorkload(workload)
  if (more.length > 0) throw severalEndpoints(workload, endpoints)
  return endpoint
}

/** What the Engine tells of CONTAINER: its endpoints in Calico's networks, or those of the container whose network it shares. */
async function endpointsOfContainer(session: Session, engine: Engine, node: string, {networks, networkMode}: Container): Promise<Endpoint[]> {
  const ids = networks.flatMap(({endpointId}) => (/^[0-9a-f]{64}$/.test(endpointId) ? [{node, orchestrator: DOCKER_DRIVER, endpoint: endpointId}] : []))
  const found = ids.length === 0 ? [] : await findEndpoints(session, ids)
  const other = /^container:([0-9a-f]{64})$/.exec(networkMode)?.[1]
  if (found.length > 0 || other === undefined) return found
  const shared = await quietly(() => engine.inspect(other))
  const own = await findEndpoints(session, [{node, orchestrator: 'docker', workload: other}])
  return own.length > 0 || !shared ? own : endpointsOfContainer(session, engine, node, {...shared, networkMode: ''})
}

async function open(engine: Engine, workload: Workload, container: Container | undefined): Promise<NetworkNamespace | undefined> {
  const {path} = workload
  if (path !== undefined) return quietly(() => Promise.resolve(openNamespaceAt(path)))
  return container && mayEnter() ? quietly(async () => (await enter(engine, {workload, container})).namespace) : undefined
}

const mayEnter = (): boolean => process.geteuid?.() === 0

/** What WORK gives; undefined where that cannot be known here. */
async function quietly<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isError(error)) return undefined
    throw error
  }
}

/** The endpoints of NODE, this host, that are connected to NAMESPACE, or were made for it and have lost their interface; without OWN, which is known. */
async function lookInside(session: Session, engine: Engine, node: string, namespace: NetworkNamespace, own?: Endpoint): Promise<Inside> {
  const interfaces = mayEnter() ? await calicoInterfacesOf(namespace) : []
  const all = await findEndpoints(session, [{node}])
  const endpoints: Endpoint[] = []
  for (const endpoint of all.filter(({place}) => place.name !== own?.place.name)) if (interfaces.includes(interfaceOf(endpoint)) || (await isOf(engine, endpoint, namespace))) endpoints.push(endpoint)
  return {endpoints, strays: interfaces.filter((name) => !all.some((endpoint) => interfaceOf(endpoint) === name))}
}

/** Whether ENDPOINT, which is not connected to NAMESPACE, was made for it. What is connected elsewhere was not; a container is asked for only where it is not. */
async function isOf(engine: Engine, endpoint: Endpoint, namespace: NetworkNamespace): Promise<boolean> {
  if (hasHostInterface(interfaceOf(endpoint))) return false
  const path = pathOf(endpoint)
  if (path !== undefined) return namespaceIdentity(path) === namespace.identity
  if (!isContainer(endpoint) || !engine.local) return false
  const container = await quietly(() => engine.inspect(endpoint.workload))
  return container?.running === true && namespaceIdentity(`/proc/${container.pid}/ns/net`) === namespace.identity
}

/** How messages name ENDPOINT to someone who called its workload otherwise. */
export function holderText(endpoint: Endpoint, networks: readonly ContainerNetwork[] = []): string {
  const {id, orchestrator, workload, stored} = endpoint
  const {interfaceName, ipNetworks = []} = stored.resource.spec
  const path = pathOf(endpoint)
  const whose =
    orchestrator === DOCKER_DRIVER ? `of the Docker network ${networkNameOf(endpoint, networks)}` : `of ${orchestrator === 'docker' ? 'container' : orchestrator === 'namespace' ? 'the namespace' : `${orchestrator} workload`} ${path ?? workload}`
  return `the endpoint ${id} ${whose} (interface ${interfaceName ?? 'unknown'}, addresses ${ipNetworks.map((network) => network.split('/', 1)[0]).join(', ') || 'none'})`
}

function networkNameOf({id, stored}: Endpoint, networks: readonly ContainerNetwork[]): string {
  return networks.find(({endpointId}) => endpointId === id)?.name ?? annotationOf(stored.resource, NETWORK_ANNOTATION)?.slice(0, 12) ?? 'that it is in'
}

/** What of an endpoint that is not `container add`'s someone wanted to change. */
export type Wish = 'add' | 'ip add' | 'ip remove' | 'remove'

/** What to do instead in the Docker network NETWORK. */
const IN_A_NETWORK: Readonly<Record<Wish, (typed: string, network: string) => string>> = {
  add: (typed, network) => `It already has an address. To change its profiles: calicoctl container ${typed} profile append. To connect it without the network, first run: docker network disconnect ${network} ${typed}`,
  'ip add': (typed, network) => `For another address: docker network disconnect ${network} ${typed}, then docker network connect --ip ADDRESS ${network} ${typed}`,
  'ip remove': (typed, network) => `To remove the address: docker network disconnect ${network} ${typed}`,
  remove: (typed, network) => `To disconnect it: docker network disconnect ${network} ${typed}`,
}

/**
 * The workload of ENDPOINT, if it is one of `container add`.
 * @throws CalicoError `refused` for one of Docker's, Mesos' or another's, who would go on believing in it; it says what to do instead
 */
export function requireOwn({workload: known, networks}: Located, endpoint: Endpoint, wish: Wish): Workload {
  const {typed} = known
  const workload = workloadOf(endpoint, typed)
  if (!workload) throw managed(typed, endpoint, networks, wish)
  return workload.id === known.id ? known : workload
}

function managed(typed: string, endpoint: Endpoint, networks: readonly ContainerNetwork[], wish: Wish): CalicoError {
  const {orchestrator} = endpoint
  const details = [`It has ${holderText(endpoint, networks)}.`]
  if (orchestrator === DOCKER_DRIVER) {
    const network = networkNameOf(endpoint, networks)
    const message = `${typed} is in the Docker network ${network}, whose driver manages its endpoint; nothing was changed`
    return new CalicoError('refused', message, {details, hint: `${IN_A_NETWORK[wish](typed, network)}.`})
  }
  return new CalicoError('refused', `${typed} has an endpoint that is managed by ${orchestrator}; nothing was changed`, {
    details,
    hint: wish === 'add' ? `To change its profiles: calicoctl container ${typed} profile append` : `It is removed together with its ${orchestrator === 'mesos' ? 'task' : 'container'}.`,
  })
}

/**
 * Makes sure that nothing but WORKLOAD's own endpoint, whose interface is OWN, is in NAMESPACE.
 * @throws CalicoError `conflict` naming the endpoint that is there, or the interface that is left of one
 */
export async function refuseConnected(session: Session, engine: Engine, workload: Workload, namespace: NetworkNamespace, own: Endpoint | undefined): Promise<void> {
  const {endpoints: [other], strays} = await lookInside(session, engine, workload.node, namespace, own)
  if (other) throw alreadyHas(workload, other)
  const [stray] = strays
  if (stray === undefined) return
  const [elsewhere] = await endpointsElsewhere(session, workload, strays)
  if (elsewhere) throw connectedElsewhere(workload, elsewhere)
  throw new CalicoError('conflict', `${workload.typed} was connected to Calico before: its interface ${stray} is left over, but the datastore has no endpoint for it`, {
    details: [`${stray} is one end of a veth pair whose other end is in ${workload.typed}.`],
    hint: `If that endpoint will not be restored, remove the interface, then run the command again: ip link del ${stray}`,
  })
}

/** What an error says of ENDPOINT, of another name of the node. */
const elsewhereParts = (endpoint: Endpoint): {details: string[]; hint: string} => ({details: [elsewhereText(endpoint)], hint: elsewhereHint(endpoint)})

/** That a workload has ENDPOINT under another node, a sentence. */
export const elsewhereText = (endpoint: Endpoint): string => `The datastore has ${holderText(endpoint)} on node ${endpoint.host}.`

/** WORKLOAD cannot be connected: it has ENDPOINT under another name of its node. */
export const connectedElsewhere = ({typed, node}: Workload, endpoint: Endpoint): CalicoError =>
  new CalicoError('conflict', `${typed} is already connected to Calico, as a workload of node ${endpoint.host}, not of node ${node}`, elsewhereParts(endpoint))

/** WORKLOAD has nothing to remove, but ENDPOINT under another name of its node. */
export const notRemovedElsewhere = ({typed, node}: Workload, endpoint: Endpoint): CalicoError =>
  new CalicoError('refused', `${typed} has no endpoint on node ${node}, but one on node ${endpoint.host}; nothing was removed`, elsewhereParts(endpoint))

/** @throws CalicoError `refused` if CONTAINER, called TYPED, is in a Docker network of Calico's; `conflict` if it shares the network of one that is connected */
export async function refuseNetworked(session: Session, engine: Engine, {workload, container}: {workload: Workload; container: Container}): Promise<void> {
  const [endpoint] = await endpointsOfContainer(session, engine, workload.node, container)
  if (!endpoint) return
  if (container.networks.some(({endpointId}) => endpointId === endpoint.id)) throw managed(workload.typed, endpoint, container.networks, 'add')
  throw alreadyHas(workload, endpoint)
}

/** WORKLOAD cannot be connected: it has ENDPOINT. */
export function alreadyHas({typed}: Workload, endpoint: Endpoint): CalicoError {
  const workload = workloadOf(endpoint, typed)
  const remedy = workload ? `Its endpoint was made under another name of the same network namespace. To give it another address: calicoctl container ${typed} ip add` : `To change its profiles: calicoctl container ${typed} profile append`
  return new CalicoError('conflict', `${typed} has already been configured with Calico Networking.`, {details: [`Its network namespace has ${holderText(endpoint)}.`], hint: remedy})
}
