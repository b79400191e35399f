/** Endpoints (cli-v0.20 §2.2, datamodel-v3 §3.5), as `container add`, the Docker driver and the Mesos plugin store theirs, with the ids and interfaces that they have. */
import {pathOfId} from '../client/endpoint-workload.js'
import {ENDPOINT_NAMESPACE, HANDLE_ANNOTATION} from '../client/endpoints.js'
import {CalicoError} from '../errors.js'
import {endpointAttributes, endpointHandle, NETWORK_ANNOTATION} from '../ipam/driver-handles.js'
import {shownJson} from '../json/index.js'
import {ADDRESS_TYPE, ORCHESTRATOR as MESOS} from '../mesos/plugin/container.js'
import {convertName} from '../model/names.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {type Address, ADDRESS_BITS, type Family, formatAddress, parseCidrOrAddress} from '../net/index.js'
import {endpointObject, type EndpointOwner, networkOf} from '../workload/endpoint-object.js'
import {handleOf, type Workload} from '../workload/workload.js'
import {addResource, attempt, type Gathered, loseUnknown, takeObject} from './gather.js'
import {OLD_ROOT} from './old-store.js'
import {isNetworkId} from './profiles.js'

/** The orchestrator of endpoints of the Docker driver. */
const DOCKER_NETWORK = 'libnetwork'

/** What an address of an endpoint is assigned with. */
export interface Holder {
  readonly node: string
  readonly address: Address
  /** The key of the endpoint in the old store. */
  readonly from: string
  /** The handle by which our commands give its addresses back. */
  readonly handle: string
  /** Whether the handle that the old store says is kept: nothing of ours expects another one. */
  readonly keeps: boolean
  readonly attributes: Readonly<Record<string, string>>
}

/** Who has an address, by its text. */
export type Holders = Map<string, Holder>

const FIELDS = ['state', 'name', 'mac', 'profile_ids', 'profile_id', 'labels', 'ipv4_nets', 'ipv6_nets', 'ipv4_gateway', 'ipv6_gateway', 'active_instance_id']

/**
 * The endpoints of HOSTS.
 * @param oldHandle the handle that the old store has for an address
 */
export function convertEndpoints(gathered: Gathered, hosts: ReadonlyMap<string, string>, oldHandle: (address: Address) => string | undefined): Holders {
  const holders: Holders = new Map()
  for (const [host, node] of hosts) {
    const folder = `${OLD_ROOT}/v1/host/${host}/workload`
    for (const orchestrator of gathered.source.names(folder)) {
      for (const workload of gathered.source.names(`${folder}/${orchestrator}`)) {
        const endpoints = `${folder}/${orchestrator}/${workload}/endpoint`
        for (const id of gathered.source.names(endpoints)) convertEndpoint(gathered, holders, {key: `${endpoints}/${id}`, node, orchestrator, workload, id}, oldHandle)
      }
    }
  }
  return holders
}

interface OldEndpoint {
  readonly key: string
  readonly node: string
  readonly orchestrator: string
  readonly workload: string
  readonly id: string
}

function convertEndpoint(gathered: Gathered, holders: Holders, old: OldEndpoint, oldHandle: (address: Address) => string | undefined): void {
  const {key, node, id} = old
  const stored = takeObject(gathered, key)
  if (!stored) return
  const made = attempt(gathered, key, () => {
    const content = readContent(stored, old.orchestrator === DOCKER_NETWORK)
    if (stored.state !== undefined && stored.state !== 'active') throw new CalicoError('invalid', `its state is ${shownJson(stored.state)}, and current endpoints are always active`)
    for (const address of content.addresses) {
      const other = holders.get(formatAddress(address))
      if (other) throw new CalicoError('invalid', `its address ${formatAddress(address)} is also the address of another endpoint: ${other.from}`)
    }
    const owned = content.addresses.map(oldHandle).find((handle) => handle !== undefined && isHandle(handle))
    return {content, owner: ownerOf(old, owned)}
  })
  if (!made) return
  const {content: {addresses, profiles, ...content}, owner} = made
  const annotations = {...owner.annotations, ...(old.orchestrator === DOCKER_NETWORK && isNetworkId(profiles[0]) ? {[NETWORK_ANNOTATION]: profiles[0]} : {})}
  const names = [...new Set(profiles.map(convertName))]
  const object = attempt(gathered, key, () =>
    endpointObject(owner.owner, {
      endpoint: convertName(id),
      ...content,
      ...(addresses.length > 0 ? {ipNetworks: addresses.map(networkOf)} : {}),
      ...(names.length > 0 ? {profiles: names} : {}),
      annotations,
    }),
  )
  if (!object) return
  const place = {kind: 'WorkloadEndpoint' as const, name: object.metadata.name, namespace: ENDPOINT_NAMESPACE}
  if (!addResource<WorkloadEndpoint>(gathered, place, object, [key])) return
  for (const address of addresses) holders.set(formatAddress(address), {node, address, from: key, handle: owner.handle, keeps: owner.keeps, attributes: owner.attributes})
  loseUnknown(gathered, key, stored, FIELDS)
}

/** Whether Calico can find TEXT again as the id of a handle. */
export const isHandle = (text: string): boolean => text !== '' && !/[/\r\n\0]/.test(text) && text.length <= 512

interface Owned {
  readonly owner: EndpointOwner
  readonly handle: string
  readonly keeps: boolean
  readonly attributes: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** Whose the endpoint is, in our commands' terms. OLD_HANDLE: that of its addresses. @throws CalicoError `invalid` for one that they do not have */
function ownerOf({node, orchestrator, workload: id, id: endpoint}: OldEndpoint, oldHandle: string | undefined): Owned {
  const stored = convertName(id)
  if (orchestrator === 'k8s' || orchestrator === 'cni') throw new CalicoError('invalid', `it is an endpoint of ${orchestrator === 'k8s' ? 'Kubernetes' : 'a CNI plugin'}, which creates it again when the workload is started with Calico's current plugin`)
  // v0.20 stored namespaces as Docker's.
  if (orchestrator === 'docker' || orchestrator === 'namespace') {
    const isNamespace = orchestrator === 'namespace' || id.startsWith('-')
    const path = isNamespace ? pathOfId(id) : undefined
    const workload: Workload = {node, orchestrator: isNamespace ? 'namespace' : 'docker', id, stored, typed: id, ...(path === undefined ? {} : {path})}
    return {owner: workload, handle: handleOf(workload), keeps: false, attributes: {node}, annotations: {}}
  }
  if (orchestrator === DOCKER_NETWORK) {
    return {owner: {node, orchestrator, id: orchestrator, stored: orchestrator}, handle: endpointHandle(convertName(endpoint)), keeps: false, attributes: endpointAttributes(node), annotations: {}}
  }
  const name = convertName(orchestrator)
  const handle = oldHandle ?? `${name}.${stored}`
  return {
    owner: {node, orchestrator: name, id, stored},
    handle,
    keeps: true,
    attributes: name === MESOS ? {node, type: ADDRESS_TYPE} : {node},
    annotations: {[HANDLE_ANNOTATION]: handle},
  }
}

/**
 * What the value of an endpoint says.
 * @param withPrefix whether its addresses may have the prefix length of their network, as v0.20's Docker driver left them where Docker assigns them
 * @throws CalicoError `invalid` with all that is wrong with it
 */
function readContent({name, mac, profile_id: legacy, profile_ids: ids, labels, ipv4_nets: v4, ipv6_nets: v6}: Readonly<Record<string, unknown>>, withPrefix: boolean) {
  const problems: string[] = []
  const addresses = [...readNets(v4, {family: 4, withPrefix}, problems), ...readNets(v6, {family: 6, withPrefix}, problems)]
  const profiles = legacy === undefined || legacy === null ? (ids ?? []) : [legacy]
  if (!Array.isArray(profiles) || !profiles.every((profile) => typeof profile === 'string')) problems.push('"profile_ids" is not a list of names')
  if (typeof name !== 'string') problems.push('"name", its interface, is missing')
  if (mac !== undefined && mac !== null && typeof mac !== 'string') problems.push('"mac" is not a string')
  const labelled = labels ?? {}
  if (typeof labelled !== 'object' || !Object.values(labelled).every((value) => typeof value === 'string')) problems.push('"labels" is not a map of strings')
  if (problems.length > 0) throw new CalicoError('invalid', problems.join('; '))
  return {
    addresses,
    profiles: profiles as string[],
    interfaceName: name as string,
    ...(typeof mac === 'string' && mac !== '' ? {mac} : {}),
    ...(Object.keys(labelled).length > 0 ? {labels: labelled as Record<string, string>} : {}),
  }
}

function readNets(nets: unknown, {family, withPrefix}: {family: Family; withPrefix: boolean}, problems: string[]): Address[] {
  if (nets === undefined || nets === null) return []
  const field = `"ipv${family}_nets"`
  if (!Array.isArray(nets)) {
    problems.push(`${field} is not a list`)
    return []
  }
  return nets.flatMap((net: unknown) => {
    const cidr = typeof net === 'string' ? parseCidrOrAddress(net) : undefined
    if (cidr?.family === family && (withPrefix || cidr.prefix === ADDRESS_BITS[family])) return [{family, value: cidr.value}]
    problems.push(`${field} has ${shownJson(net)}, which is not an IPv${family} address`)
    return []
  })
}
