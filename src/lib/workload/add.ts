/**
 * `container add`: handle and address first, then the endpoint, then interfaces (cli-v0.20 §4.12.1). Whatever is left when the process is killed
 * is finished by the same command, undone by `container remove`, and named by `ipam check` and `endpoint gc`. What fails is rolled back.
 */
import {type Endpoint, endpointAddresses} from '../client/endpoints.js'
import {changeResource, type ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {Engine} from '../docker/engine.js'
import {CalicoError, isError} from '../errors.js'
import {connectContainer, connectionState} from '../host/container-network.js'
import {deleteVeth, hasHostInterface, hostInterfaceName} from '../host/interfaces.js'
import {withHostLock} from '../host/lock.js'
import {HOST_MAC, randomMac} from '../host/mac.js'
import {assignAddress} from '../ipam/assign-address.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {type Address, formatAddress} from '../net/index.js'
import {endpointObject, networkOf} from './endpoint-object.js'
import {type Entered, enter, findWorkload, type Found, requireRunning} from './find-workload.js'
import {alreadyHas, connectedElsewhere, locateFound, refuseConnected, refuseNetworked} from './locate.js'
import {removeEndpoints} from './removal.js'
import {storeWithAddress} from './store-with-address.js'
import {endpointIdOf, endpointsOfWorkload, handleOf, interfaceOf, lockOf, placeOf, severalEndpoints, type Workload} from './workload.js'
import {obtainAddress, satisfies, type Wanted} from './wanted-address.js'

export interface AddRequest {
  readonly node: string
  /** `<CONTAINER>`. */
  readonly container: string
  readonly wanted: Wanted
  /** A container that has such an address and its interfaces is as it is wanted, and no conflict. */
  readonly mayExist?: boolean
  /** The name of the interface in the container. */
  readonly interfaceName: string
  /** Of the new interfaces; undefined = the kernel's. */
  readonly mtu: number | undefined
}

export interface Added {
  readonly address: Address
  readonly change: ResourceChange<WorkloadEndpoint>
  readonly createdNode: boolean
  /** The endpoint was there from an earlier attempt, or from before the container was restarted; only its interfaces were missing. */
  readonly finished: boolean
}

/** Called when a step begins. */
export type OnStep = (step: string) => void

/**
 * Gives a container its endpoint and first address.
 * @throws CalicoError `conflict` if it has one, or the address or an interface name is taken; `unknown` if something failed and could not be taken
 *   back: then it says what is left; otherwise nothing is left. See also findWorkload, enter and obtainAddress.
 */
export async function addContainer(session: Session, engine: Engine, request: AddRequest, onStep: OnStep = () => undefined): Promise<Added> {
  onStep('container')
  const found = await findWorkload(engine, request.node, request.container)
  requireRunning(found)
  if ('container' in found) await refuseNetworked(session, engine, found)
  if (session.dryRun) return addEndpoint(session, engine, found, request, onStep)
  const entered = await enter(engine, found)
  const {workload, namespace} = entered
  // Of the namespace first: by another name, another process may be about to connect the very same.
  const alone = <T>(work: () => Promise<T>): Promise<T> =>
    withHostLock(`namespace/${namespace.identity}`, workload.typed, () => withHostLock(lockOf(workload), workload.typed, work))
  try {
    return await alone(async () => {
      const [existing, ...more] = await endpointsOfWorkload(session, workload)
      if (existing && more.length > 0) throw severalEndpoints(workload, [existing, ...more])
      await refuseConnected(session, engine, workload, namespace, existing)
      return existing ? finishContainer(session, entered, existing, request, onStep) : addNew(session, entered, request, onStep)
    })
  } finally {
    namespace.close()
  }
}

/** Address and endpoint of a dry run. */
async function addEndpoint(session: Session, engine: Engine, found: Found, request: AddRequest, onStep: OnStep): Promise<Added> {
  const {workload} = found
  const [existing] = await endpointsOfWorkload(session, workload)
  if (existing) return asItIs(existing, request) ?? refuseConfigured(workload)
  const {endpoints: [other], elsewhere: [elsewhere]} = await locateFound(session, engine, found)
  if (other) throw alreadyHas(workload, other)
  if (elsewhere && hasHostInterface(interfaceOf(elsewhere))) throw connectedElsewhere(workload, elsewhere)
  onStep('address')
  const {address, createdNode} = await obtainAddress(session, workload, request.wanted, [])
  const change = await createEndpoint(session, workload, newEndpoint(workload, address), address)
  return {address, change, createdNode, finished: false}
}

/** EXISTING, if it may exist and has such an address as REQUEST asks for. */
function asItIs({id, stored: {resource}}: Endpoint, {mayExist = false, wanted}: AddRequest): Added | undefined {
  const address = mayExist ? endpointAddresses(resource).find((each) => satisfies(wanted, each)) : undefined
  return address && {address, change: {kind: 'WorkloadEndpoint', name: id, action: 'unchanged', before: resource, after: resource}, createdNode: false, finished: false}
}

function refuseConfigured(workload: Workload): never {
  throw alreadyConfigured(workload)
}

const alreadyConfigured = ({typed}: Workload, hint = `To give it another address: calicoctl container ${typed} ip add`): CalicoError =>
  new CalicoError('conflict', `${typed} has already been configured with Calico Networking.`, {hint})

async function addNew(session: Session, entered: Entered, request: AddRequest, onStep: OnStep): Promise<Added> {
  const {workload} = entered
  let endpoint: WorkloadEndpoint | undefined
  let connected = false
  const writesBefore = session.writes.done.length
  session.writes.remaining = howToGoOn(workload)
  try {
    onStep('address')
    const {address, createdNode} = await obtainAddress(session, workload, request.wanted, [])
    onStep('endpoint')
    endpoint = newEndpoint(workload, address)
    const change = await createEndpoint(session, workload, endpoint, address)
    await connect(entered, change.after ?? endpoint, request, onStep)
    connected = true
    await entered.confirm()
    session.writes.remaining = undefined
    return {address, change, createdNode, finished: false}
  } catch (error) {
    if (session.writes.done.length > writesBefore || isError(error, 'unknown')) throw await takenBack(session, workload, {endpoint, connected}, error)
    session.writes.remaining = undefined
    throw error
  }
}

const howToGoOn = ({typed}: Workload): string => `The endpoint of ${typed} is not complete: run the same command again to complete it, or remove it: calicoctl container remove ${typed}`

function connect({namespace}: Entered, endpoint: WorkloadEndpoint, request: Pick<AddRequest, 'interfaceName' | 'mtu'>, onStep: OnStep): Promise<void> {
  const {spec} = endpoint
  return connectContainer(
    {
      namespace,
      host: {name: spec.interfaceName ?? '', mac: HOST_MAC},
      container: {name: request.interfaceName, mac: spec.mac ?? randomMac()},
      addresses: endpointAddresses(endpoint),
      mtu: request.mtu,
    },
    onStep,
  )
}

/** How far an attempt came. */
interface Attempt {
  /** Stored, or perhaps stored. */
  readonly endpoint: WorkloadEndpoint | undefined
  /** All interfaces were made. Where that failed, they have been rolled back already. */
  readonly connected: boolean
}

/** ERROR, after what an attempt to add WORKLOAD left in the datastore has been removed; another one if that failed. */
async function takenBack(session: Session, workload: Workload, {endpoint, connected}: Attempt, error: unknown): Promise<unknown> {
  const ours = endpoint ? [{place: placeOf(workload), id: endpointIdOf(workload), uid: endpoint.metadata.uid}] : []
  try {
    if (endpoint && connected) await deleteVeth(endpoint.spec.interfaceName ?? '')
    await removeEndpoints(session, ours, {handle: handleOf(workload), what: `the rollback of the endpoint and address of ${workload.typed}`})
    session.writes.remaining = undefined
    return error
  } catch (problem) {
    const {message, details, hint} = error instanceof CalicoError ? error : {message: String(error), details: [], hint: undefined}
    return new CalicoError('unknown', message, {
      details: [
        ...details,
        ...(hint === undefined ? [] : [hint]),
        `Rolling back the earlier steps failed too: ${problem instanceof Error ? problem.message : String(problem)}`,
        `These may be left over: addresses with the handle ${handleOf(workload)}${endpoint ? `, among them ${(endpoint.spec.ipNetworks ?? []).join(', ')}, and the endpoint ${endpointIdOf(workload)}` : ''}.`,
      ],
      hint: `When the datastore answers again, run the same command to complete it, or remove what is left over: calicoctl container remove ${workload.typed}`,
      cause: error,
    })
  }
}

/** Stores ENDPOINT with ADDRESS, which is assigned, as far as it still is (store-with-address.ts). @throws CalicoError `conflict` if there is one */
async function createEndpoint(session: Session, workload: Workload, endpoint: WorkloadEndpoint, address: Address): Promise<ResourceChange<WorkloadEndpoint>> {
  const id = endpointIdOf(workload)
  const create = (stored: WorkloadEndpoint | undefined): WorkloadEndpoint => {
    if (stored) throw alreadyConfigured(workload)
    return endpoint
  }
  if (session.dryRun) return {...(await changeResource<WorkloadEndpoint>(session, placeOf(workload), create)), name: id}
  return storeWithAddress(session, {place: placeOf(workload), id}, {workload, address}, create)
}

/** A new endpoint of WORKLOAD with ADDRESS. */
function newEndpoint(workload: Workload, address: Address): WorkloadEndpoint {
  const endpoint = endpointIdOf(workload)
  return endpointObject(workload, {endpoint, ipNetworks: [networkOf(address)], interfaceName: hostInterfaceName(endpoint), mac: randomMac()})
}

/**
 * Makes what is missing of an endpoint that is stored: a command was killed after it had stored it, or the container has been restarted since,
 * which took its interfaces away.
 */
async function finishContainer(session: Session, entered: Entered, existing: Endpoint, request: AddRequest, onStep: OnStep): Promise<Added> {
  const {workload, namespace} = entered
  const {resource} = existing.stored
  const addresses = endpointAddresses(resource)
  const name = resource.spec.interfaceName ?? ''
  if ((await connectionState(namespace, name, addresses)) === 'complete') return asItIs(existing, request) ?? refuseConfigured(workload)
  const address = addresses.find((each) => satisfies(request.wanted, each))
  if (!address) {
    throw alreadyConfigured(workload, `Its interfaces are missing, and its endpoint has ${addresses.map(formatAddress).join(', ') || 'no address'}: give this address, or first run: calicoctl container remove ${workload.typed}`)
  }
  onStep('address')
  await requireAddresses(session, workload, addresses)
  await deleteVeth(name)
  await connect(entered, resource, request, onStep)
  try {
    await entered.confirm()
  } catch (error) {
    await deleteVeth(name)
    throw error
  }
  const change = {kind: 'WorkloadEndpoint' as const, name: existing.id, action: 'unchanged' as const, before: resource, after: resource}
  return {address, change, createdNode: false, finished: true}
}

/** Makes sure that ADDRESSES are still WORKLOAD's. */
async function requireAddresses(session: Session, workload: Workload, addresses: readonly Address[]): Promise<void> {
  const {node, typed} = workload
  for (const address of addresses) {
    try {
      await assignAddress(session, {address, node, handle: handleOf(workload), attributes: {node}, createNode: true, maxPerHandle: Number.MAX_SAFE_INTEGER})
    } catch (error) {
      if (!isError(error, 'conflict')) throw error
      throw new CalicoError('conflict', `The endpoint of ${typed} has the address ${formatAddress(address)}, which is not assigned to it`, {
        hint: `To start again, first run: calicoctl container remove ${typed}`,
        cause: error,
      })
    }
  }
}
