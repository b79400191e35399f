/** What the driver's calls rest on, for one datastore, node and host. */
import {endpointAddresses} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import {dockerNetworks} from '../docker/networks.js'
import {hasHostInterface, hostInterfaceName} from '../host/interfaces.js'
import {releaseAddress, requestAddress, requestPool} from './addresses.js'
import {refuseConnected} from './connected.js'
import type {Parts} from './driver.js'
import {createEndpoint, deleteEndpoint, findEndpoint, removeStaleEndpoint} from './endpoints.js'
import {copyContainerFacts} from './labels.js'
import {makeLink, removeLink} from './links.js'
import type {Log} from './log.js'
import {openNetworks} from './networks.js'
import {CONTAINER_MAC} from './protocol.js'
import {newReconciler, type Reconciler} from './reconcile.js'

export interface PartsOptions {
  readonly session: Session
  readonly node: string
  readonly log: Log
  /** The MTU of the interfaces, where the network has none of its own; undefined: what calico-node found for this host. */
  readonly mtu: number | undefined
  /** Labels of containers become labels of endpoints in every network. */
  readonly labelEndpoints: boolean
  /** How long it may take until Docker shows a new container, milliseconds. */
  readonly labelLimitMs: number
  /** Of the remembered networks; the default is this host's. */
  readonly networksFolder?: string
}

export interface DriverParts {
  readonly parts: Parts
  readonly reconciler: Reconciler
}

export function driverParts({session, node, log, mtu: usualMtu, labelEndpoints, labelLimitMs, networksFolder}: PartsOptions): DriverParts {
  const docker = dockerNetworks()
  const networks = openNetworks({docker, session, log, ...(networksFolder === undefined ? {} : {folder: networksFolder})})
  const describing = new Set<string>()

  function describeLater({endpointId, networkId, labels}: {endpointId: string; networkId: string; labels: boolean}): void {
    if (describing.has(endpointId)) return
    describing.add(endpointId)
    const copied = copyContainerFacts({session, node, docker, endpointId, networkId, labels: labels || labelEndpoints, log, limitMs: labelLimitMs})
    void copied.finally(() => describing.delete(endpointId))
  }

  /** For an endpoint of before this process. */
  async function describeAgain({endpointId, networkId}: {endpointId: string; networkId: string}): Promise<void> {
    try {
      const {labels} = await networks.find(networkId)
      describeLater({endpointId, networkId, labels})
    } catch (error) {
      log.debug(`The container of endpoint ${endpointId.slice(0, 12)} was not recorded: ${(error as Error).message}`)
    }
  }

  const parts: Parts = {
    requestPool: (request) => requestPool(session, request),
    requestAddress: (request) => requestAddress(session, node, request),
    releaseAddress: (request) => releaseAddress(session, node, request),
    createEndpoint: (endpoint) => createEndpoint(session, {...endpoint, node}),
    async findEndpoint(endpointId) {
      const stored = await findEndpoint(session, node, endpointId)
      return stored && {mac: stored.resource.spec.mac ?? CONTAINER_MAC.toLowerCase(), addresses: endpointAddresses(stored.resource)}
    },
    deleteEndpoint: (endpointId) => deleteEndpoint(session, node, endpointId),
    removeEndpoint: (endpointId) => removeStaleEndpoint(session, node, endpointId),
    async createNetwork(request) {
      const created = !networks.remembered().includes(request.NetworkID)
      await networks.create(request)
      return {created}
    },
    removeNetwork: (id) => networks.remove(id),
    findNetwork: (id) => networks.find(id),
    refuseConnected: (endpoint) => refuseConnected({session, node, networks, ...endpoint}),
    makeLink: ({mtu = usualMtu, ...link}) => makeLink({...link, mtu}),
    // It is asked for with every deletion of an endpoint, and mostly gone then: a program is started only for one that is there.
    removeLink: async (endpointId) => hasHostInterface(hostInterfaceName(endpointId)) && removeLink(endpointId),
    describeLater,
  }
  return {parts, reconciler: newReconciler({session, node, docker, log, networks, describe: (endpoint) => void describeAgain(endpoint)})}
}
