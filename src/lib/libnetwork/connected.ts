/** Whether a container that Docker connects to a network has Calico already, from another network or by `container add`. */
import {annotationOf} from '../client/endpoint-workload.js'
import type {Session} from '../client/session.js'
import {CalicoError, isError} from '../errors.js'
import {calicoInterfacesOf, hostInterfaceName} from '../host/interfaces.js'
import {isNamespace, type NetworkNamespace, openNamespaceAt} from '../host/network-namespace.js'
import {NETWORK_ANNOTATION} from '../ipam/driver-handles.js'
import {holderText} from '../workload/locate.js'
import {findEndpoints, interfaceOf} from '../workload/workload.js'
import type {Networks} from './networks.js'

export interface ConnectedOptions {
  readonly session: Session
  readonly node: string
  readonly networks: Pick<Networks, 'find'>
  readonly endpointId: string
  /** The path of the container's namespace. Where there is none (yet), or the driver cannot see it, nothing is refused. */
  readonly sandbox: string
}

/**
 * Refuses a second endpoint with Calico's routes in the namespace at SANDBOX. One in a network of Docker's own IPAM has none of these, and is not in the way.
 * @throws CalicoError `conflict` naming the one that is there
 */
export async function refuseConnected({session, node, networks, endpointId, sandbox}: ConnectedOptions): Promise<void> {
  const namespace = open(sandbox)
  if (!namespace) return
  try {
    const interfaces = (await calicoInterfacesOf(namespace)).filter((name) => name !== hostInterfaceName(endpointId))
    if (interfaces.length === 0) return
    const endpoints = await findEndpoints(session, [{node}])
    for (const name of interfaces) {
      const endpoint = endpoints.find((each) => interfaceOf(each) === name)
      const networkId = endpoint && annotationOf(endpoint.stored.resource, NETWORK_ANNOTATION)
      const network = networkId === undefined ? undefined : await known(networks, networkId)
      if (network?.fromCalico === false) continue
      const holder = endpoint ? holderText(endpoint, [{name: network?.name ?? '', id: networkId ?? '', endpointId: endpoint.id}].filter((each) => each.name !== '')) : `the interface ${name}`
      throw new CalicoError('conflict', `A container can be in one Calico network only, and this one is already connected: it has ${holder}`, {
        hint: network?.name === undefined ? 'To disconnect it first: calicoctl container remove CONTAINER' : `To disconnect it first: docker network disconnect ${network.name} CONTAINER`,
      })
    }
  } finally {
    namespace.close()
  }
}

function open(sandbox: string): NetworkNamespace | undefined {
  if (!sandbox.startsWith('/') || !isNamespace(sandbox)) return undefined
  try {
    return openNamespaceAt(sandbox)
  } catch (error) {
    if (isError(error)) return undefined
    throw error
  }
}

async function known(networks: Pick<Networks, 'find'>, id: string): Promise<Awaited<ReturnType<Networks['find']>> | undefined> {
  try {
    return await networks.find(id)
  } catch (error) {
    if (isError(error)) return undefined
    throw error
  }
}
