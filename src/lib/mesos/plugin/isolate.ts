/**
 * `isolate`: interfaces for a container whose addresses net-modules has asked for before, then its endpoint (mesos-docker §1.2, §1.7).
 *
 * An address is wired only if IPAM has it for this plugin on this node, all of the request have the same handle, which is the uid they were asked
 * for with, and no other endpoint of the node's containers has it. That is examined before anything is made, and must still hold in the transaction
 * that stores the endpoint: this one also writes the handle, so that of two containers with the same address one loses, and so does a release.
 * An address that no one has asked for is assigned in that transaction, if it is free and in a pool: whoever calls the plugin by hand need not know of uids.
 */
import {endpointAddresses, HANDLE_ANNOTATION} from '../../client/endpoints.js'
import {newUuid} from '../../client/identity.js'
import {keyOf, prepareChange} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {CalicoError, isError} from '../../errors.js'
import {connectContainer} from '../../host/container-network.js'
import {deleteVeth, findInterface, hasHostInterface, hostInterfaceName, nameTakenOnHost, otherEnd} from '../../host/interfaces.js'
import {withHostLock} from '../../host/lock.js'
import {HOST_MAC, randomMac} from '../../host/mac.js'
import {workloadMtu} from '../../host/mtu.js'
import {type NetworkNamespace, openNamespaceOfProcess} from '../../host/network-namespace.js'
import {type Block, handleOf, ordinalOf} from '../../ipam/block.js'
import {BLOCK, HANDLE, nodeCodec} from '../../ipam/codecs.js'
import type {Draft} from '../../ipam/draft.js'
import {POOLS_PREFIX} from '../../ipam/lists.js'
import {lookUpAddress} from '../../ipam/lookup.js'
import {requireNode} from '../../ipam/node.js'
import {submit} from '../../ipam/queue.js'
import {WORKLOAD_ANNOTATION} from '../../model/display-name.js'
import {blockKey, handleKey, IPAM_CONFIG_KEY, resourceKey} from '../../model/keys.js'
import {API_VERSION} from '../../model/resource.js'
import type {Profile, WorkloadEndpoint} from '../../model/types.js'
import {type Address, ADDRESS_BITS, contains, equalAddresses, formatAddress, parseCidr} from '../../net/index.js'
import {addMissingProfiles} from '../../workload/missing-profiles.js'
import {resourceCodec} from '../../workload/resource-codec.js'
import {assignFixed, attributesOf} from './addresses.js'
import {ADDRESS_TYPE, belongsTo, type Container, endpointsOfNode, lockOf, ORCHESTRATOR} from './container.js'
import type {Log} from './log.js'
import {agentAddresses, containerProfiles, hostProfileName} from './profiles.js'

export interface IsolateRequest {
  readonly container: Container
  /** The agent's, as Mesos calls it. */
  readonly hostname: string
  readonly pid: number
  readonly addresses: readonly Address[]
  readonly netgroups: readonly string[]
  /** Before the names of the net-groups' profiles. */
  readonly prefix: string
}

/** Does work that is not the datastore's, whose time does not run meanwhile. */
export type OffTheClock = <T>(work: () => Promise<T>) => Promise<T>

export interface IsolateContext {
  readonly session: Session
  /** The same store, to which nothing is written. */
  readonly dry: Session
  readonly offTheClock: OffTheClock
  readonly log: Log
}

/** The name of the interface in a container. */
const INTERFACE = 'eth0'

/**
 * Gives the container its interface and stores its endpoint.
 * @throws CalicoError; the interfaces are gone again then, and nothing is stored, unless it is `unknown`
 */
export async function isolate({session, dry, offTheClock, log}: IsolateContext, request: IsolateRequest): Promise<void> {
  const {container, pid, addresses} = request
  await withHostLock(lockOf(container), `container ${container.id}`, async () => {
    const assigned = await findAssigned(session, request)
    const endpoint = newEndpoint(request, assigned.handle)
    await store(dry, request, assigned, endpoint)
    const namespace = openNamespace(pid)
    try {
      await offTheClock(async () => {
        await removeLeftover(namespace, endpoint, log)
        await connect(namespace, endpoint, addresses)
      })
      await storeOrDisconnect(session, request, assigned, endpoint, log)
    } finally {
      namespace.close()
    }
  })
}

/** The addresses of a request as IPAM has them. */
interface Assigned {
  readonly handle: string
  readonly held: readonly Address[]
  /** Keys of the blocks of these. */
  readonly blocks: readonly string[]
  /** Those that no one has. */
  readonly free: readonly Address[]
}

async function findAssigned(session: Session, {container, addresses}: IsolateRequest): Promise<Assigned> {
  const records = await Promise.all(addresses.map((address) => lookUpAddress(session, address)))
  const handles = new Set<string>()
  const blocks = new Set<string>()
  const held: Address[] = []
  const free: Address[] = []
  for (const {address, block, assignment} of records) {
    const cidr = block === undefined ? undefined : parseCidr(block)
    if (!assignment || !cidr) {
      free.push(address)
      continue
    }
    const {handle, attributes} = assignment
    if (handle === undefined || attributes.type !== ADDRESS_TYPE || attributes.node !== container.node) throw foreign(address, handle)
    held.push(address)
    handles.add(handle)
    blocks.add(blockKey(cidr))
  }
  const [handle = `${ORCHESTRATOR}.${container.workload}`, ...others] = handles
  if (others.length > 0) throw new CalicoError('conflict', `The IP addresses belong to different tasks: they were assigned with the uids ${[...handles].join(', ')}`)
  return {handle, held, blocks: [...blocks], free}
}

const notAssigned = (address: Address): CalicoError => new CalicoError('conflict', `IP '${formatAddress(address)}' has been released since then.`)

const foreign = (address: Address, handle: string | undefined): CalicoError =>
  new CalicoError('conflict', `IP '${formatAddress(address)}' is assigned to ${handle ?? 'another user'}, not to a task of this agent.`)

function openNamespace(pid: number): NetworkNamespace {
  try {
    return openNamespaceOfProcess(pid)
  } catch (error) {
    const {code} = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error
    throw new CalicoError('failed', `Namespace pseudofile /proc/${pid}/ns/net does not exist.`, {cause: error})
  }
}

function newEndpoint({container, addresses}: IsolateRequest, handle: string): WorkloadEndpoint {
  const {node, id, workload, endpointId: endpoint, place} = container
  return {
    kind: 'WorkloadEndpoint',
    apiVersion: API_VERSION,
    metadata: {
      name: place.name,
      ...(place.namespace === undefined ? {} : {namespace: place.namespace}),
      uid: newUuid(),
      annotations: {[HANDLE_ANNOTATION]: handle, ...(workload === id ? {} : {[WORKLOAD_ANNOTATION]: id})},
    },
    spec: {
      orchestrator: ORCHESTRATOR,
      workload,
      node,
      endpoint,
      ipNetworks: addresses.map((address) => `${formatAddress(address)}/${ADDRESS_BITS[address.family]}`),
      interfaceName: hostInterfaceName(endpoint),
      mac: randomMac(),
    },
  }
}

/** Stores ENDPOINT and the profiles that are missing, in one transaction; in a dry run, finds out whether that would be done. */
async function store(session: Session, request: IsolateRequest, {handle, held, blocks, free}: Assigned, endpoint: WorkloadEndpoint): Promise<{profiles: readonly string[]; createdNode: boolean}> {
  const {container} = request
  const {node, place} = container
  const key = keyOf(place)
  const nodeKey = resourceKey('Node', node)
  return submit(session, {
    what: `the endpoint of container ${container.id}`,
    reads: () => [{get: handleKey(handle)}, {get: key}, {get: nodeKey}, ...blocks.map((get) => ({get})), ...(free.length === 0 ? [] : [{get: IPAM_CONFIG_KEY}, {list: POOLS_PREFIX}])],
    async plan(draft) {
      if (held.length > 0) await keepAddresses(draft, handle, blocks, held)
      // After the handle: whoever stored an endpoint with one of these addresses has written that one too.
      refuseConflicts(await endpointsOfNode(session, node), request)
      const codec = resourceCodec<WorkloadEndpoint>(session, 'WorkloadEndpoint')
      if ((await draft.get(codec, key)) !== undefined) throw alreadyConfigured()
      const {created: createdNode} = await requireNode(draft, node, {create: true})
      await assignFixed(draft, {node, uid: handle, attributes: attributesOf(node), addresses: free})
      const {names, profiles} = await profilesOn(draft, request, nodeKey)
      const added = await addMissingProfiles(draft, profiles)
      draft.set(codec, key, prepareChange(place, undefined, {...endpoint, spec: {...endpoint.spec, profiles: names}}).change.after)
      return {outcome: {profiles: added, createdNode}}
    },
  })
}

/** Makes sure on DRAFT that HANDLE has ADDRESSES, and goes on having them until this is written. */
async function keepAddresses(draft: Draft, handle: string, blocks: readonly string[], addresses: readonly Address[]): Promise<void> {
  const key = handleKey(handle)
  const stored = await draft.get(HANDLE, key)
  if (!stored) throw new CalicoError('conflict', `There is no handle ${handle}for the assigned addresses`, {hint: 'See: calicoctl ipam check'})
  await draft.load(blocks)
  await draft.verify(blocks)
  const all = (await Promise.all(blocks.map((block) => draft.get(BLOCK, block)))).flatMap((block) => block ?? [])
  for (const address of addresses) if (!all.some((block) => has(block, handle, address))) throw notAssigned(address)
  draft.set(HANDLE, key, stored)
}

function has(block: Block, handle: string, address: Address): boolean {
  const cidr = parseCidr(block.cidr)
  if (!cidr || !contains(cidr, address)) return false
  const index = block.allocations[ordinalOf(block, address)] ?? null
  const attribute = index === null ? undefined : block.attributes?.[index]
  return attribute !== undefined && handleOf(attribute) === handle
}

function refuseConflicts(endpoints: Awaited<ReturnType<typeof endpointsOfNode>>, {container, addresses}: IsolateRequest): void {
  if (endpoints.some((endpoint) => belongsTo(endpoint, container))) throw alreadyConfigured()
  for (const {stored, workload} of endpoints) {
    const taken = endpointAddresses(stored.resource).find((own) => addresses.some((address) => equalAddresses(own, address)))
    if (taken) throw new CalicoError('conflict', `IP '${formatAddress(taken)}' belongs to container ${workload}, which has an endpoint with it.`)
  }
}

const alreadyConfigured = (): CalicoError => new CalicoError('conflict', 'This container has already been configured with Calico Networking.')

async function profilesOn(draft: Draft, {hostname, netgroups, prefix}: IsolateRequest, nodeKey: string): Promise<ReturnType<typeof containerProfiles>> {
  const codec = resourceCodec<Profile>(draft.session, 'Profile')
  const isThere = (await draft.get(codec, resourceKey('Profile', hostProfileName(hostname)))) !== undefined
  const agent = isThere ? [] : await agentAddresses((await draft.get(nodeCodec(draft.session), nodeKey)) ?? undefined)
  return containerProfiles(hostname, netgroups, prefix, agent)
}

/** Deletes what an `isolate` of this container that was killed has made: it stored no endpoint, and its interface is in the same namespace. */
async function removeLeftover(namespace: NetworkNamespace, {spec}: WorkloadEndpoint, log: Log): Promise<void> {
  const name = spec.interfaceName ?? ''
  const outer = hasHostInterface(name) ? await findInterface(undefined, name) : undefined
  if (!outer) return
  if (!(await otherEnd(outer, namespace))) throw await nameTakenOnHost(name)
  await deleteVeth(name)
  log(`deleted ${name}, left over from an earlier attempt`)
}

async function connect(namespace: NetworkNamespace, {spec}: WorkloadEndpoint, addresses: readonly Address[]): Promise<void> {
  try {
    await connectContainer({
      namespace,
      host: {name: spec.interfaceName ?? '', mac: HOST_MAC},
      container: {name: INTERFACE, mac: spec.mac ?? ''},
      addresses,
      mtu: workloadMtu(),
    })
  } catch (error) {
    // The hint of it is for people, who can choose another name.
    throw isError(error, 'conflict') ? new CalicoError('conflict', error.message, {details: error.details, cause: error}) : error
  }
}

async function storeOrDisconnect(session: Session, request: IsolateRequest, assigned: Assigned, endpoint: WorkloadEndpoint, log: Log): Promise<void> {
  try {
    const {profiles, createdNode} = await store(session, request, assigned, endpoint)
    if (createdNode) log(`created node ${request.container.node}`)
    if (profiles.length > 0) log(`created profiles ${profiles.join(', ')}`)
  } catch (error) {
    const name = endpoint.spec.interfaceName ?? ''
    try {
      await deleteVeth(name)
    } catch (problem) {
      const {message, details} = error instanceof CalicoError ? error : {message: String(error), details: []}
      throw new CalicoError('unknown', message, {details: [...details, `The interface ${name} could not be deleted: ${problem instanceof Error ? problem.message : String(problem)}`], cause: error})
    }
    throw error
  }
}
