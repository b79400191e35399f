/** `endpoint gc`: endpoints of this host that no one has any more (operator-demand §1 row 1). */
import {isContainer, pathOf} from '../client/endpoint-workload.js'
import {type Endpoint, listEndpoints} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import type {Engine} from '../docker/engine.js'
import {CalicoError} from '../errors.js'
import {hasHostInterface} from '../host/interfaces.js'
import {withHostLock} from '../host/lock.js'
import {isNamespace} from '../host/network-namespace.js'
import type {Removal} from './removal.js'
import {removeStale} from './remove.js'

/** An endpoint with which something is wrong. */
export interface Stale {
  readonly endpoint: Endpoint
  readonly reason: string
  /** No one has it: it may go. */
  readonly removable: boolean
}

/** What the runtime says of containers, by full id. */
type Containers = ReadonlyMap<string, {readonly running: boolean}>

/**
 * What is wrong with the endpoints of NODE, which is this host. The Engine is asked only where there are endpoints of containers.
 * @throws CalicoError as Engine.list; `invalid` for an Engine that is not this host's
 */
export async function findStale(session: Session, engine: Engine, node: string): Promise<Stale[]> {
  const endpoints: Endpoint[] = []
  for await (const endpoint of listEndpoints(session, {host: node})) if (LOOKED_AFTER.includes(endpoint.orchestrator)) endpoints.push(endpoint)
  if (endpoints.length === 0) return []
  // Asked after the endpoints were read: a container that comes in between has no endpoint among them.
  const containers = endpoints.some(isContainer) ? await listContainers(engine) : new Map<string, {running: boolean}>()
  return endpoints.flatMap((endpoint) => judge(endpoint, containers) ?? [])
}

const LOOKED_AFTER: readonly string[] = ['docker', 'namespace']

async function listContainers(engine: Engine): Promise<Containers> {
  if (!engine.local) throw new CalicoError('invalid', `The Docker Engine at ${engine.address} is not this host's; it does not know the containers of this host`, {hint: 'Unset DOCKER_HOST, or run the command on that host.'})
  return engine.list()
}

function judge(endpoint: Endpoint, containers: Containers): Stale | undefined {
  const {interfaceName = ''} = endpoint.stored.resource.spec
  const connected = hasHostInterface(interfaceName)
  const gone = isContainer(endpoint) ? !containers.has(endpoint.workload) && 'the container does not exist' : goneNamespace(endpoint)
  if (gone !== false) {
    // What still has its interface may be someone's whom this Engine does not know.
    return connected ? {endpoint, reason: `${gone}, but its interface ${interfaceName} is still there`, removable: false} : {endpoint, reason: gone, removable: true}
  }
  if (connected) return undefined
  if (isContainer(endpoint) && containers.get(endpoint.workload)?.running === false) return {endpoint, reason: 'the container is stopped; run container add again when it is running', removable: false}
  return {endpoint, reason: `its interface ${interfaceName} is missing; container add restores it, container remove removes the endpoint`, removable: false}
}

/** Why the namespace of ENDPOINT is gone; false if it is not, or its path is not known. */
function goneNamespace(endpoint: Endpoint): string | false {
  const path = pathOf(endpoint)
  return path !== undefined && !isNamespace(path) && `there is no network namespace ${path}`
}

/** Removes FOUND, if it is still what it was found to be. Undefined: it is not, by now. */
export function collect(session: Session, engine: Engine, {endpoint}: Stale): Promise<Removal | undefined> {
  return withHostLock(`endpoint/${endpoint.id}`, `endpoint ${endpoint.id}`, async () => {
    const containers = isContainer(endpoint) ? await listContainers(engine) : new Map<string, {running: boolean}>()
    return judge(endpoint, containers)?.removable === true ? removeStale(session, endpoint) : undefined
  })
}
