/** `container remove` and `endpoint remove` (cli-v0.20 §4.12.2): all that there is of a workload or endpoint, whatever is missing of it already. */
import {disconnectText, pathOf} from '../client/endpoint-workload.js'
import {type Endpoint, endpointLabel, HANDLE_ANNOTATION} from '../client/endpoints.js'
import {nodeNameInputs} from '../client/node-name.js'
import type {Session} from '../client/session.js'
import type {Engine} from '../docker/engine.js'
import {CalicoError} from '../errors.js'
import {deleteVeth, hasHostInterface} from '../host/interfaces.js'
import {withHostLock} from '../host/lock.js'
import {endpointHandle} from '../ipam/driver-handles.js'
import {formatAddress} from '../net/index.js'
import {locate, notRemovedElsewhere, requireOwn} from './locate.js'
import {removableOf, type Removal, removeEndpoints} from './removal.js'
import {endpointsOfWorkload, findEndpoints, handleOf, interfaceOf, lockOf, severalEndpoints, type Workload} from './workload.js'

export interface Removed extends Removal {
  readonly workload: Workload
  /** The host interfaces that were deleted. */
  readonly interfaces: readonly string[]
  /** Interfaces that could not be deleted, with the reason. */
  readonly problems: readonly string[]
  /** Where nothing was found: endpoints of this host that have lost their interface, of which one may be meant under another name; what to type for each. */
  readonly candidates: readonly string[]
}

/**
 * Removes what Calico has of CONTAINER, which may be gone. Interfaces first: an address is not given away while someone can still use it.
 * @throws CalicoError `refused` if its endpoint is not one of `container add`, or is stored under another name of the node; `conflict` if there are several, of different names. See also locate
 */
export async function removeContainer(session: Session, engine: Engine, {node, container}: {node: string; container: string}): Promise<Removed> {
  const located = await locate(session, engine, node, container)
  const {endpoints, elsewhere: [elsewhere]} = located
  if (elsewhere) throw notRemovedElsewhere(located.workload, elsewhere)
  const workloads = endpoints.map((endpoint) => requireOwn(located, endpoint, 'remove'))
  const [workload = located.workload, ...more] = workloads
  if (more.some(({orchestrator, id}) => orchestrator !== workload.orchestrator || id !== workload.id)) throw severalEndpoints(located.workload, endpoints)
  const removed = session.dryRun ? await removeWorkload(session, workload) : await withHostLock(lockOf(workload), workload.typed, () => removeWorkload(session, workload))
  if (removed.changes.length + removed.released.length === 0 && removed.held.length > 0) throw otherNodes(removed)
  return {...removed, candidates: removed.changes.length + removed.released.length > 0 ? [] : await disconnected(session, node)}
}

/** Addresses have the handle of WORKLOAD, and an endpoint under another name of its node or of itself has them. */
function otherNodes({workload, held}: Pick<Removed, 'workload' | 'held'>): CalicoError {
  return new CalicoError('refused', `${workload.typed} has no endpoint on node ${workload.node}, but its address is in use; nothing was removed`, {
    details: held.map(({address, by}) => `${formatAddress(address)}: ${by}`),
    hint: 'If that endpoint is left over, remove it together with its address: calicoctl endpoint remove ADDRESS',
  })
}

/** The endpoints of NODE, this host, whose interface is gone, as `container remove` takes them. */
async function disconnected(session: Session, node: string): Promise<string[]> {
  const ids = (['docker', 'namespace'] as const).map((orchestrator) => ({node, orchestrator}))
  return (await findEndpoints(session, ids)).filter((endpoint) => !hasHostInterface(interfaceOf(endpoint))).map((endpoint) => pathOf(endpoint) ?? endpoint.workload)
}

async function removeWorkload(session: Session, workload: Workload): Promise<Omit<Removed, 'candidates'>> {
  const endpoints = await endpointsOfWorkload(session, workload)
  const interfaces: string[] = []
  const problems: string[] = []
  for (const {stored} of session.dryRun ? [] : endpoints) {
    const {interfaceName = ''} = stored.resource.spec
    try {
      if (await deleteVeth(interfaceName)) interfaces.push(interfaceName)
    } catch (error) {
      problems.push(`The interface ${interfaceName} was not deleted: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  try {
    const removal = await removeEndpoints(session, endpoints.map(removableOf), {handle: handleOf(workload), what: `the removal of ${workload.typed}`})
    return {...removal, workload, interfaces, problems}
  } catch (error) {
    if (interfaces.length === 0) throw error
    const {message, details} = error instanceof CalicoError ? error : {message: String(error), details: []}
    throw new CalicoError('unknown', `Only the interfaces of ${workload.typed} were removed (${interfaces.join(', ')}): ${message}`, {
      details,
      hint: `Its endpoint and addresses are still there. Run the command again: calicoctl container remove ${workload.typed}`,
      cause: error,
    })
  }
}

/** Orchestrators that look after their endpoints themselves, and would go on believing in them. */
const MANAGED: readonly string[] = ['k8s', 'cni']

/**
 * Removes ENDPOINT, of whatever host, with its addresses.
 * @throws CalicoError `refused`, unless FORCE: Kubernetes or a CNI plugin looks after it, or its interface is on this host
 */
export async function removeEndpoint(session: Session, endpoint: Endpoint, {node, force}: {node: string; force: boolean}): Promise<Removal> {
  const {orchestrator, stored} = endpoint
  const {interfaceName = ''} = stored.resource.spec
  if (!force) {
    if (MANAGED.includes(orchestrator)) {
      throw new CalicoError('refused', `The ${endpointLabel(endpoint)} was not removed: it is managed by ${orchestrator}`, {hint: 'Remove its pod or container, or use --force.'})
    }
    // Whatever this host is called now: the interface is called after the endpoint.
    if (hasHostInterface(interfaceName)) {
      throw new CalicoError('refused', `The ${endpointLabel(endpoint)} was not removed: it is connected, its interface ${interfaceName} is on this host`, {
        hint: `${instead(endpoint, node)}With --force it is removed anyway; the container then has no connection.`,
      })
    }
  }
  return removeEndpoints(session, [removableOf(endpoint)], {handle: handleOfEndpoint(endpoint), what: `the removal of ${endpointLabel(endpoint)}`})
}

/** What disconnects ENDPOINT, which is on this host, called NODE now; nothing where `container remove` does not work under the name that it has. */
function instead(endpoint: Endpoint, node: string): string {
  const {host, orchestrator} = endpoint
  if (host !== node && (nodeNameInputs().file ?? '') !== '') return ''
  const command = disconnectText(endpoint, host === node ? '' : ` --node ${host}`)
  return command === undefined ? `It is removed together with its ${orchestrator === 'mesos' ? 'task' : 'container'}. ` : `To disconnect and remove it: ${command}. `
}

/** The handle of the addresses of ENDPOINT, if it is one of ours. */
function handleOfEndpoint({host: node, orchestrator, id, stored}: Endpoint): string | undefined {
  const {metadata, spec} = stored.resource
  const {workload = ''} = spec
  switch (orchestrator) {
    case 'docker':
    case 'namespace':
      return handleOf({node, orchestrator, stored: workload, id: workload, typed: workload})
    case 'libnetwork':
      return endpointHandle(id)
    case 'mesos':
      return metadata.annotations && Object.hasOwn(metadata.annotations, HANDLE_ANNOTATION) ? metadata.annotations[HANDLE_ANNOTATION] : undefined
    default:
      return undefined
  }
}

/** As {@link removeEndpoint}, for one that no one has any more: with the handle's other addresses. */
export const removeStale = (session: Session, endpoint: Endpoint): Promise<Removal> =>
  removeEndpoints(session, [removableOf(endpoint)], {
    handle: handleOfEndpoint(endpoint),
    what: `the removal of ${endpointLabel(endpoint)}`,
  })
