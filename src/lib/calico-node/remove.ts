/**
 * `node remove` (cli-v0.20 §4.3.3): everything that the datastore has of a node, in the order of Go's node delete (datamodel-v3 §1.2). Each step can be
 * repeated, and the Node itself goes last, so that a command that was interrupted is finished by the same one.
 */
import {append} from '../append.js'
import {releaseHostAffinities} from '../client/affinities.js'
import {type Endpoint, endpointLabel, listEndpoints} from '../client/endpoints.js'
import {changeResource, getResource, listResources, type Place, type ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError, isError} from '../errors.js'
import {deleteVeth} from '../host/interfaces.js'
import {releaseAddresses, releaseByHandle} from '../ipam/release-addresses.js'
import {parseKey} from '../model/keys.js'
import type {Resource} from '../model/resource.js'
import type {BGPPeer, HostEndpoint, Node} from '../model/types.js'
import {type Address, equalAddresses, formatAddress, parseAddress} from '../net/index.js'
import {removeStale} from '../workload/remove.js'

export interface NodeRemoval {
  readonly changes: readonly ResourceChange[]
  readonly released: readonly Address[]
  /** Blocks that the node gave back. */
  readonly blocks: readonly string[]
  readonly warnings: readonly string[]
}

/** The endpoints of NODE. */
export async function endpointsOf(session: Session, node: string): Promise<Endpoint[]> {
  const endpoints: Endpoint[] = []
  for await (const endpoint of listEndpoints(session, {host: node})) endpoints.push(endpoint)
  return endpoints
}

/** Refuses to remove a node that has ENDPOINTS. @throws CalicoError `refused` */
export function refuseRemoval(endpoints: readonly Endpoint[], node: string): void {
  if (endpoints.length === 0) return
  const shown = endpoints.slice(0, 10)
  throw new CalicoError('refused', `Node ${node} has ${endpoints.length === 1 ? 'an endpoint' : `${endpoints.length} endpoints`}; nothing was removed`, {
    details: [...shown.map(endpointLabel), ...(endpoints.length > shown.length ? [`and ${endpoints.length - shown.length} more`] : [])],
    hint: 'Remove them first, or with the node: --remove-endpoints.',
    override: '--remove-endpoints',
  })
}

/**
 * Removes NODE with ENDPOINTS, all that it has. LOCAL: it is this host, whose interfaces go too.
 * @throws CalicoError `unknown` if it failed after something had been removed
 */
export async function removeNode(session: Session, node: string, endpoints: readonly Endpoint[], {local}: {local: boolean}): Promise<NodeRemoval> {
  const before = session.writes.done.length
  try {
    return await removeAll(session, node, endpoints, local)
  } catch (error) {
    if (!(error instanceof CalicoError) || session.writes.done.length === before) throw error
    throw new CalicoError('unknown', `Node ${node} was not removed completely: ${error.message}`, {
      details: [...error.details, `Done: ${session.writes.done.slice(before).join(', ')}.`],
      hint: 'To remove the rest, run the same command again.',
      cause: error,
    })
  }
}

async function removeAll(session: Session, node: string, endpoints: readonly Endpoint[], local: boolean): Promise<NodeRemoval> {
  const changes: ResourceChange[] = []
  const released: Address[] = []
  const warnings: string[] = []
  session.writes.remaining = `Node ${node} was not removed completely. To remove the rest, run the same command again`
  const stored = await getResource<Node>(session, {kind: 'Node', name: node})
  for (const endpoint of endpoints) {
    if (local && !session.dryRun) await deleteVeth(endpoint.stored.resource.spec.interfaceName ?? '')
    const removal = await removeStale(session, endpoint)
    append(changes, removal.changes)
    append(released, removal.released)
    for (const {address, by} of removal.held) warnings.push(`${formatAddress(address)} was not released: ${by} uses it.`)
    append(released, await releaseOthers(session, endpoint, removal.foreign, warnings))
  }
  append(released, await releaseTunnels(session, node, stored?.resource, warnings))
  const blocks: string[] = []
  for (const {deleted, disowned} of await releaseHostAffinities(session, node)) append(blocks, [...deleted, ...disowned])
  for (const place of await objectsOf(session, node)) {
    const change = await changeResource(session, place, () => undefined)
    if (change.action !== 'unchanged') changes.push(change)
  }
  session.writes.remaining = undefined
  return {changes, released, blocks, warnings}
}

/** Orchestrators whose addresses have a handle that we know: with another one, the address is another owner's by now. */
const KNOWN_HANDLES: readonly string[] = ['docker', 'namespace']

/** Releases ADDRESSES that ENDPOINT of another orchestrator had, as Go's node delete does, unless another endpoint has them. */
async function releaseOthers(session: Session, endpoint: Endpoint, addresses: readonly Address[], warnings: string[]): Promise<readonly Address[]> {
  if (addresses.length === 0) return []
  if (KNOWN_HANDLES.includes(endpoint.orchestrator)) {
    for (const address of addresses) warnings.push(`${formatAddress(address)} was not released: it is assigned to another user.`)
    return []
  }
  const {released, held} = await releaseAddresses(session, addresses.map((address) => ({address})))
  for (const {address, by} of held) warnings.push(`${formatAddress(address)} was not released: ${by} uses it.`)
  return released
}

/** Handles of the addresses of a node's tunnels, before its name. */
const TUNNELS = ['ipip-tunnel-addr-', 'vxlan-tunnel-addr-', 'vxlan-v6-tunnel-addr-', 'wireguard-tunnel-addr-', 'wireguard-v6-tunnel-addr-']

/** Releases what the tunnels of NODE have: by their handles, and, from before they had any, by what its object says. */
async function releaseTunnels(session: Session, node: string, object: Node | undefined, warnings: string[]): Promise<Address[]> {
  const released: Address[] = []
  for (const prefix of TUNNELS) {
    try {
      append(released, (await releaseByHandle(session, prefix + node)).released)
    } catch (error) {
      if (!isError(error, 'not-found', 'refused')) throw error
      if (error.kind === 'refused') warnings.push([error.message, ...error.details].join('; '))
    }
  }
  const {bgp, ipv4VXLANTunnelAddr, ipv6VXLANTunnelAddr, wireguard} = object?.spec ?? {}
  const texts = [bgp?.ipv4IPIPTunnelAddr, ipv4VXLANTunnelAddr, ipv6VXLANTunnelAddr, wireguard?.interfaceIPv4Address, wireguard?.interfaceIPv6Address]
  for (const address of texts.flatMap((text) => (text === undefined ? [] : (parseAddress(text) ?? [])))) {
    if (released.some((each) => equalAddresses(each, address))) continue
    try {
      const done = await releaseAddresses(session, [{address, handle: ''}])
      append(released, done.released)
      for (const {by} of done.held) warnings.push(`The tunnel address ${formatAddress(address)} was not released: ${by} uses it.`)
    } catch (error) {
      if (!isError(error, 'conflict', 'invalid')) throw error
      warnings.push(`The tunnel address ${formatAddress(address)} was not released: ${error.message}`)
    }
  }
  return released
}

/** The objects that are NODE's alone, in the order in which they are deleted. */
async function objectsOf(session: Session, node: string): Promise<Place[]> {
  const places: Place[] = []
  for await (const stored of listResources<BGPPeer>(session, 'BGPPeer')) if (stored.resource.spec.node === node) places.push({kind: 'BGPPeer', name: nameOf(stored)})
  places.push({kind: 'FelixConfiguration', name: `node.${node}`}, {kind: 'BGPConfiguration', name: `node.${node}`})
  for await (const stored of listResources<HostEndpoint>(session, 'HostEndpoint')) if (stored.resource.spec.node === node) places.push({kind: 'HostEndpoint', name: nameOf(stored)})
  return [...places, {kind: 'Node', name: node}]
}

function nameOf({kv, resource}: {readonly kv: {readonly key: string}; readonly resource: Resource}): string {
  const key = parseKey(kv.key)
  return key?.type === 'resource' ? key.name : resource.metadata.name
}
