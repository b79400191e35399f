/** What the driver's calls rest on, for one datastore, node and host. */
import {endpointAddresses} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {releaseAddress, requestAddress, requestPool} from './addresses.js'
import type {Parts} from './driver.js'
import {createEndpoint, deleteEndpoint, findEndpoint, removeStaleEndpoint} from './endpoints.js'
import {makeLink, removeLink} from './links.js'
import type {Log} from './log.js'
import {CONTAINER_MAC} from './protocol.js'

export interface PartsOptions {
  readonly session: Session
  readonly node: string
  readonly log: Log
  /** The MTU of the interfaces, where the network has none of its own; undefined: what calico-node found for this host. */
  readonly mtu: number | undefined
  readonly labelEndpoints: boolean
  readonly labelLimitMs: number
}

export function driverParts({session, node, mtu: usualMtu}: PartsOptions): {parts: Parts; round: () => Promise<{removedEndpoints: number; releasedAddresses: number}>} {
  const missing = (what: string): CalicoError => new CalicoError('failed', `${what} are not part of this version`)
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
    createNetwork: () => Promise.reject(missing('networks')),
    removeNetwork: () => Promise.reject(missing('networks')),
    findNetwork: () => Promise.reject(missing('networks')),
    makeLink: ({mtu = usualMtu, ...link}) => makeLink({...link, mtu}),
    removeLink,
    describeLater: () => undefined,
  }
  return {parts, round: () => Promise.resolve({removedEndpoints: 0, releasedAddresses: 0})}
}
