/**
 * The endpoints of Docker's containers. An endpoint, the profile that it names, its Node and its addresses become what they are in one guarded
 * transaction: whenever the driver is killed, no endpoint has an address that is free or another owner's.
 */
import {CONTAINER_ANNOTATION, type Endpoint, ENDPOINT_NAMESPACE, endpointAddresses, endpointOf} from '../client/endpoints.js'
import {newUuid} from '../client/identity.js'
import {BUILT_IN} from '../client/profiles.js'
import {getResource, keyOf, listResources, type Place, prepareChange, type Stored} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {hostInterfaceName} from '../host/interfaces.js'
import type {Codec, Draft} from '../ipam/draft.js'
import {driverHandleOf, endpointAttributes, endpointHandle, NETWORK_ANNOTATION} from '../ipam/driver-handles.js'
import {lookedAlready} from '../ipam/held.js'
import {POOLS_PREFIX} from '../ipam/lists.js'
import {requireNode} from '../ipam/node.js'
import {submit} from '../ipam/queue.js'
import {takeAddress} from '../ipam/reassign.js'
import {handleKey, IPAM_CONFIG_KEY, resourceKey} from '../model/keys.js'
import {convertName, pluginTag} from '../model/names.js'
import {API_VERSION} from '../model/resource.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {checkLabels} from '../model/validation/names.js'
import {matchesIds, workloadEndpointName, workloadEndpointNamePrefix} from '../model/workload-endpoint-name.js'
import {type Address, equalAddresses, formatAddress, formatCidr, hostCidr} from '../net/index.js'
import {newProfile} from '../rules/edit.js'
import {addMissingProfiles} from '../workload/missing-profiles.js'
import {type Removal, removeEndpoints} from '../workload/removal.js'
import {resourceCodec} from '../workload/resource-codec.js'
import {addressProblem} from './address-errors.js'

/** Orchestrator and workload of all of them: Felix takes both from the endpoint's name (datamodel-v3 §1.6, §5.10). */
const ORCHESTRATOR = 'libnetwork'

/** What Docker says of a new endpoint. */
export interface NewEndpoint {
  readonly node: string
  readonly endpointId: string
  readonly networkId: string
  /** As users call it. */
  readonly profile: string
  readonly addresses: readonly Address[]
  /** The addresses are of Calico's pools, not of Docker's own IPAM. */
  readonly fromCalico: boolean
  readonly mac: string
}

export interface CreatedEndpoint {
  readonly endpoint: WorkloadEndpoint
  /** False: it was there already, just so. */
  readonly created: boolean
  readonly createdProfile: boolean
  readonly createdNode: boolean
}

/** Where the endpoint of NODE with Docker's ENDPOINT_ID is stored. */
export const endpointPlace = (node: string, endpointId: string): Place => ({
  kind: 'WorkloadEndpoint',
  name: workloadEndpointName({node, orchestrator: ORCHESTRATOR, endpoint: endpointId}),
  namespace: ENDPOINT_NAMESPACE,
})

/** How endpoints are read and written on a draft. */
export const endpointCodec = (session: Session): Codec<WorkloadEndpoint | null> => resourceCodec<WorkloadEndpoint>(session, 'WorkloadEndpoint')

/** Whether ENDPOINT, as it is read on a draft, has ADDRESS. Of one that cannot be read it must be assumed. */
export const hasAddress = (endpoint: WorkloadEndpoint | null | undefined, address: Address): boolean =>
  endpoint === null || (endpoint !== undefined && endpointAddresses(endpoint).some((each) => equalAddresses(each, address)))

/**
 * Stores the endpoint, with its profile and Node where these are missing. Its addresses move from the handle that they were requested with to the
 * endpoint's; one that has become free meanwhile is assigned anew. A repeated call finds all of that done, and does what is missing of it.
 * @throws CalicoError, and nothing is written: `conflict` if an address is another owner's, the endpoint is stored differently, or the profile's
 *   stored name is another profile's; `invalid` for what Calico would not accept; see also commit()
 */
export function createEndpoint(session: Session, request: NewEndpoint): Promise<CreatedEndpoint> {
  const {node, endpointId, profile, addresses, fromCalico} = request
  if (addresses.length === 0) throw new CalicoError('invalid', 'No address assigned for endpoint')
  const place = endpointPlace(node, endpointId)
  const key = keyOf(place)
  const wanted = newEndpoint(place.name, request)
  const handle = endpointHandle(endpointId)
  return submit<CreatedEndpoint>(session, {
    what: `the endpoint ${endpointId} with ${addresses.map(formatAddress).join(' and ')}`,
    reads: () => [
      {get: key},
      {get: resourceKey('Node', node)},
      {get: resourceKey('Profile', convertName(profile))},
      ...(fromCalico ? [{list: POOLS_PREFIX}, {get: IPAM_CONFIG_KEY}, {get: handleKey(handle)}] : []),
    ],
    async plan(draft) {
      const codec = endpointCodec(session)
      const stored = await draft.get(codec, key)
      if (stored === null) throw new CalicoError('conflict', `Endpoint ${endpointId} exists, but its stored value cannot be read`)
      if (stored) refuseOther(stored, wanted)
      const {created: createdNode} = await requireNode(draft, node, {create: true})
      const createdProfile = await addProfileOn(draft, profile)
      if (fromCalico) for (const address of addresses) await own(draft, {address, node, endpointId})
      draft.restOn(key)
      if (stored) return {outcome: {endpoint: stored, created: false, createdProfile, createdNode}}
      const {after = wanted} = prepareChange(place, undefined, wanted).change
      draft.set(codec, key, after)
      return {outcome: {endpoint: after, created: true, createdProfile, createdNode}}
    },
  })
}

/** The object to store. Its addresses are single ones, whatever the prefix of Docker's subnet is: Felix routes what is here. */
function newEndpoint(name: string, {node, endpointId, networkId, profile, addresses, mac}: NewEndpoint): WorkloadEndpoint {
  return {
    kind: 'WorkloadEndpoint',
    apiVersion: API_VERSION,
    metadata: {name, namespace: ENDPOINT_NAMESPACE, uid: newUuid(), annotations: {[NETWORK_ANNOTATION]: networkId}},
    spec: {
      orchestrator: ORCHESTRATOR,
      workload: ORCHESTRATOR,
      node,
      endpoint: endpointId,
      ipNetworks: addresses.map((address) => formatCidr(hostCidr(address))),
      profiles: [convertName(profile)],
      interfaceName: hostInterfaceName(endpointId),
      mac: mac.toLowerCase(),
    },
  }
}

/** Refuses STORED if it is not what WANTED says. Profiles and labels that it has got besides since do not matter. */
function refuseOther(stored: WorkloadEndpoint, wanted: WorkloadEndpoint): void {
  const {ipNetworks, mac = '', profiles: [profile = ''] = []} = wanted.spec
  const own = endpointAddresses(stored).map((address) => formatCidr(hostCidr(address)))
  const differences = [
    ...([...own].sort().join() === [...(ipNetworks ?? [])].sort().join() ? [] : [`its addresses are ${own.join(', ') || 'none'}`]),
    ...((stored.spec.mac ?? '').toLowerCase() === mac ? [] : [`its MAC address is ${stored.spec.mac ?? 'not set'}`]),
    ...((stored.spec.profiles ?? []).includes(profile) ? [] : [`its profiles are ${stored.spec.profiles?.join(', ') ?? 'none'}`]),
  ]
  if (differences.length > 0) throw new CalicoError('conflict', `Endpoint ${wanted.spec.endpoint ?? ''} already exists, but ${differences.join(' and ')}`)
}

/** Makes ADDRESS the endpoint's: of the addresses that are assigned, those that this node's driver was asked for may be. */
async function own(draft: Draft, {address, node, endpointId}: {address: Address; node: string; endpointId: string}): Promise<void> {
  const owner = {handle: endpointHandle(endpointId), attributes: endpointAttributes(node)}
  try {
    await takeAddress(draft, {address, node, owner, mayMove: (attribute) => driverHandleOf(attribute, node)?.type === 'pending'})
  } catch (error) {
    throw addressProblem(error, address)
  }
}

async function addProfileOn(draft: Draft, name: string): Promise<boolean> {
  if (name === BUILT_IN) return false
  return (await addMissingProfiles(draft, [newProfile(name, pluginTag(name))])).length > 0
}

/**
 * Makes the profile NAME with the stock rules, if there is none; one that is there stays as it is. Calico's own is always there.
 * @returns whether it was made
 * @throws CalicoError `conflict` if its stored name is another profile's
 */
export function ensureProfile(session: Session, name: string): Promise<boolean> {
  return submit<boolean>(session, {
    what: `the profile ${name}`,
    reads: () => [{get: resourceKey('Profile', convertName(name))}],
    plan: async (draft) => ({outcome: await addProfileOn(draft, name)}),
  })
}

/** The endpoint of NODE with Docker's ENDPOINT_ID; undefined if there is none. */
export const findEndpoint = (session: Session, node: string, endpointId: string): Promise<Stored<WorkloadEndpoint> | undefined> =>
  getResource<WorkloadEndpoint>(session, endpointPlace(node, endpointId))

/** The endpoints of Docker's containers on NODE, in key order. */
export async function* listEndpointsOf(session: Session, node: string): AsyncGenerator<Endpoint> {
  const ids = {node, orchestrator: ORCHESTRATOR}
  for await (const stored of listResources<WorkloadEndpoint>(session, 'WorkloadEndpoint', {under: `${ENDPOINT_NAMESPACE}/${workloadEndpointNamePrefix(ids)}`})) {
    const endpoint = endpointOf(session, stored)
    if (matchesIds(endpoint.place.name, ids)) yield endpoint
  }
}

/**
 * Deletes the endpoint; its addresses stay its own until Docker gives them back (releaseAddress), so that no one else gets them before.
 * @returns false if there was none
 */
export function deleteEndpoint(session: Session, node: string, endpointId: string): Promise<boolean> {
  const key = keyOf(endpointPlace(node, endpointId))
  return submit<boolean>(session, {
    what: `the deletion of endpoint ${endpointId}`,
    reads: () => [{get: key}],
    async plan(draft) {
      const codec = endpointCodec(session)
      const stored = await draft.get(codec, key)
      draft.restOn(key)
      if (stored !== undefined) draft.set(codec, key, undefined)
      return {outcome: stored !== undefined}
    },
  })
}

/** Removes an endpoint that Docker does not know any more, with all addresses that have its handle. */
export async function removeStaleEndpoint(session: Session, node: string, endpointId: string): Promise<Removal> {
  const stored = await findEndpoint(session, node, endpointId)
  const endpoint = {place: endpointPlace(node, endpointId), id: endpointId, uid: stored?.resource.metadata.uid}
  // Only addresses with the endpoint's own handle are released, and it goes: the others need not be listed for that at each call.
  return removeEndpoints(session, [endpoint], {handle: endpointHandle(endpointId), look: lookedAlready, what: `the removal of endpoint ${endpointId}`})
}

/** What becomes known of a container only after its endpoint was made. */
export interface ContainerFacts {
  /** Its name. */
  readonly container?: string
  readonly labels?: Readonly<Record<string, string>>
}

/**
 * Adds the container's name and LABELS to the endpoint, if it is still there. Labels that Calico does not allow, or that are Calico's own, are reported
 * and left out.
 */
export async function describeEndpoint(session: Session, node: string, endpointId: string, {container, labels = {}}: ContainerFacts): Promise<void> {
  const place = endpointPlace(node, endpointId)
  const key = keyOf(place)
  const allowed = allowedLabels(session, endpointId, labels)
  await submit<undefined>(session, {
    what: `the labels of endpoint ${endpointId}`,
    reads: () => [{get: key}],
    async plan(draft) {
      const codec = endpointCodec(session)
      const stored = await draft.get(codec, key)
      draft.restOn(key)
      if (!stored) return {outcome: undefined}
      const {metadata} = stored
      const annotations = container === undefined ? metadata.annotations : {...metadata.annotations, [CONTAINER_ANNOTATION]: container}
      const described: WorkloadEndpoint = {...stored, metadata: {...metadata, labels: {...metadata.labels, ...allowed}, ...(annotations ? {annotations} : {})}}
      const kv = {key, value: '', modRevision: 0n, createRevision: 0n, version: 0n}
      const {change} = prepareChange(place, {kv, resource: stored}, described)
      if (change.action === 'updated') draft.set(codec, key, change.after)
      return {outcome: undefined}
    },
  })
}

function allowedLabels(session: Session, endpointId: string, labels: Readonly<Record<string, string>>): Record<string, string> {
  const allowed: Record<string, string> = {}
  for (const [key, value] of Object.entries(labels)) {
    const problems: string[] = key.includes('projectcalico.org/') ? ['is reserved by Calico'] : []
    checkLabels({[key]: value}, '', (_, message) => problems.push(message))
    if (problems.length === 0) allowed[key] = value
    else session.warn(`The label ${JSON.stringify(key)} of the container with endpoint ${endpointId.slice(0, 12)} is ignored: it ${problems.join(', and it ')}.`)
  }
  return allowed
}
