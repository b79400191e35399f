/** `container <C> ip add` and `ip remove` (cli-v0.20 §4.12.3, §4.12.4). */
import {editEndpoint, type Endpoint, endpointAddresses} from '../client/endpoints.js'
import type {ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {Engine} from '../docker/engine.js'
import {CalicoError, isError} from '../errors.js'
import {addAddress, hasAddress, removeAddress, routeFamily} from '../host/container-network.js'
import {findInterface, otherEnd} from '../host/interfaces.js'
import {withHostLock} from '../host/lock.js'
import type {NetworkNamespace} from '../host/network-namespace.js'
import {releaseAddresses} from '../ipam/release-addresses.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {type Address, equalAddresses, formatAddress} from '../net/index.js'
import {networkOf} from './endpoint-object.js'
import {type Entered, enter, findWorkload, requireRunning} from './find-workload.js'
import {type Removal, removeAddressOf} from './removal.js'
import {locateFound, requireOwn, theEndpoint, type Wish} from './locate.js'
import {storeWithAddress} from './store-with-address.js'
import {endpointsOfWorkload, handleOf, interfaceOf, lockOf, type Workload} from './workload.js'
import {obtainAddress, satisfies, type Wanted} from './wanted-address.js'

export interface AddressChange {
  readonly address: Address
  readonly change: ResourceChange<WorkloadEndpoint>
  /** The endpoint had the address from an earlier attempt; only its interface was missing it. */
  readonly finished?: boolean
}

interface Request {
  readonly node: string
  readonly container: string
  readonly interfaceName: string
}

/** Does WORK on the endpoint of a running container, alone on this host. In a dry run the container is not entered. */
async function onEndpoint<T>(
  session: Session,
  engine: Engine,
  {node, container}: Request,
  wish: Wish,
  work: (workload: Workload, endpoint: Endpoint, entered: Entered | undefined) => Promise<T>,
): Promise<T> {
  const found = await findWorkload(engine, node, container)
  requireRunning(found)
  const look = async (): Promise<{workload: Workload; endpoint: Endpoint}> => {
    const located = await locateFound(session, engine, found)
    const endpoint = theEndpoint(located)
    return {workload: requireOwn(located, endpoint, wish), endpoint}
  }
  const {workload, endpoint} = await look()
  if (session.dryRun) return work(workload, endpoint, undefined)
  const entered = await enter(engine, found)
  try {
    return await withHostLock(lockOf(workload), workload.typed, async () => work(workload, theEndpoint({workload, endpoints: await endpointsOfWorkload(session, workload)}), entered))
  } finally {
    entered.namespace.close()
  }
}

/**
 * Gives a container another address: assigned, then in its endpoint, then on its interface. What fails is rolled back. With `mayExist`, one that it
 * has already is enough.
 * @throws CalicoError as addContainer; `not-found` without an endpoint; `invalid` without the interface
 */
export function addContainerAddress(session: Session, engine: Engine, request: Request & {readonly wanted: Wanted; readonly mayExist?: boolean}): Promise<AddressChange> {
  return onEndpoint(session, engine, request, 'ip add', async (workload, endpoint, entered) => {
    const before = endpointAddresses(endpoint.stored.resource)
    if (entered) await requireInterface(workload, endpoint, entered.namespace, request.interfaceName)
    const unfinished = entered && (await notOnInterface(entered.namespace, request, before))
    if (unfinished) {
      await putOnInterface(entered.namespace, endpoint, request.interfaceName, unfinished)
      return {...unchanged(endpoint, unfinished), finished: true}
    }
    const existing = request.mayExist ? before.find((each) => satisfies(request.wanted, each)) : undefined
    if (existing) return unchanged(endpoint, existing)
    session.writes.remaining = `Run the same command again to complete it, or remove everything: calicoctl container remove ${workload.typed}`
    const {address} = await obtainAddress(session, workload, request.wanted, before)
    let stored = false
    try {
      const change = await storeAddress(session, workload, endpoint, address)
      stored = true
      if (entered) {
        await putOnInterface(entered.namespace, endpoint, request.interfaceName, address)
        await entered.confirm()
      }
      session.writes.remaining = undefined
      return {address, change: {...change, name: endpoint.id}}
    } catch (error) {
      throw await takenBack(session, workload, endpoint, {address, stored, entered, interfaceName: request.interfaceName}, error)
    }
  })
}

function storeAddress(session: Session, workload: Workload, endpoint: Endpoint, address: Address): Promise<ResourceChange<WorkloadEndpoint>> {
  if (session.dryRun) return editEndpoint(session, endpoint, (resource) => withAddress(resource, address))
  return storeWithAddress(session, endpoint, {workload, address}, (stored) => {
    if (!stored) throw new CalicoError('not-found', `Endpoint ${endpoint.id} was removed meanwhile`)
    return withAddress(stored, address)
  })
}

const unchanged = ({id, stored: {resource}}: Endpoint, address: Address): AddressChange => ({address, change: {kind: 'WorkloadEndpoint', name: id, action: 'unchanged', before: resource, after: resource}})

async function requireInterface(workload: Workload, endpoint: Endpoint, namespace: NetworkNamespace, name: string): Promise<void> {
  if (await findInterface(namespace, name)) return
  const {typed} = workload
  const outer = await findInterface(undefined, interfaceOf(endpoint))
  if (outer && (await otherEnd(outer, namespace))) throw new CalicoError('invalid', `${typed} has no interface ${name}; nothing was changed`, {hint: 'With --interface, give the interface that was created by container add.'})
  const [address] = endpointAddresses(endpoint.stored.resource)
  throw new CalicoError('invalid', `${typed} is not connected: its interface was removed when it was stopped or restarted; nothing was changed`, {
    hint: `Connect it again with the addresses of its endpoint, then run this command again: calicoctl container add ${typed} ${address ? formatAddress(address) : 'ipv4'}`,
  })
}

/** The address of the endpoint that is asked for by name but is not on the interface: an earlier attempt was killed in between. */
async function notOnInterface(namespace: NetworkNamespace, {wanted, interfaceName}: Request & {readonly wanted: Wanted}, addresses: readonly Address[]): Promise<Address | undefined> {
  const address = wanted.type === 'address' ? addresses.find((each) => satisfies(wanted, each)) : undefined
  return address && !(await hasAddress(namespace, interfaceName, address)) ? address : undefined
}

/** Puts ADDRESS on interface NAME. The first one of its family brings the default route of that family. */
async function putOnInterface(namespace: NetworkNamespace, endpoint: Endpoint, name: string, address: Address): Promise<void> {
  await addAddress(namespace, name, address)
  const others = endpointAddresses(endpoint.stored.resource).filter((each) => !equalAddresses(each, address))
  if (!others.some(({family}) => family === address.family)) await routeFamily(namespace, interfaceOf(endpoint), name, address.family)
}

function withAddress(endpoint: WorkloadEndpoint, address: Address): WorkloadEndpoint {
  if (endpointAddresses(endpoint).some((each) => equalAddresses(each, address))) return endpoint
  return {...endpoint, spec: {...endpoint.spec, ipNetworks: [...(endpoint.spec.ipNetworks ?? []), networkOf(address)]}}
}

interface Attempt {
  readonly address: Address
  /** The endpoint has the address. */
  readonly stored: boolean
  readonly entered: Entered | undefined
  readonly interfaceName: string
}

async function takenBack(session: Session, workload: Workload, endpoint: Endpoint, {address, stored, entered, interfaceName}: Attempt, error: unknown): Promise<unknown> {
  const handle = handleOf(workload)
  try {
    if (entered && stored) await removeAddress(entered.namespace, interfaceName, address)
    if (stored || isError(error, 'unknown')) await removeAddressOf(session, endpoint, address, handle)
    else await releaseAddresses(session, [{address, handle}])
    session.writes.remaining = undefined
    return error
  } catch (problem) {
    const {message, details} = error instanceof CalicoError ? error : {message: String(error), details: []}
    return new CalicoError('unknown', message, {
      details: [...details, `Rolling back the earlier steps failed too: ${problem instanceof Error ? problem.message : String(problem)}`],
      hint: `${formatAddress(address)} may still be assigned with the handle ${handle}. Run the command again to complete it.`,
      cause: error,
    })
  }
}

/**
 * Takes an address from a container: off its interface, then out of its endpoint and released, in one transaction.
 * @throws CalicoError `not-found` if the endpoint does not have it
 */
export function removeContainerAddress(session: Session, engine: Engine, request: Request & {readonly address: Address}): Promise<Removal> {
  return onEndpoint(session, engine, request, 'ip remove', async (workload, endpoint, entered) => {
    const {address} = request
    const text = formatAddress(address)
    if (!endpointAddresses(endpoint.stored.resource).some((each) => equalAddresses(each, address))) {
      throw new CalicoError('not-found', `${workload.typed} does not have the address ${text}.`, {hint: `To see its addresses: calicoctl container ${workload.typed} endpoint show`})
    }
    if (entered) await removeAddress(entered.namespace, request.interfaceName, address)
    try {
      return await removeAddressOf(session, endpoint, address, handleOf(workload))
    } catch (error) {
      if (!entered) throw error
      const {message, details} = error instanceof CalicoError ? error : {message: String(error), details: []}
      throw new CalicoError('unknown', `${text} was only removed from the interface: ${message}`, {details, hint: 'It is still assigned, and the endpoint still has it. Run the command again.', cause: error})
    }
  })
}
