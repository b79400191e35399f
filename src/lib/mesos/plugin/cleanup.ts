/** `cleanup`: a container's endpoint and addresses, together (mesos-docker §1.3). */
import {type Endpoint, endpointAddresses} from '../../client/endpoints.js'
import {keyOf} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {CalicoError} from '../../errors.js'
import {deleteVeth} from '../../host/interfaces.js'
import {withHostLock} from '../../host/lock.js'
import {lookAmong} from '../../ipam/held.js'
import {equalAddresses, formatAddress} from '../../net/index.js'
import {removableOf, removeEndpoints} from '../../workload/removal.js'
import {belongsTo, type Container, endpointsOfNode, handleOfEndpoint, lockOf} from './container.js'
import type {Log} from './log.js'

/**
 * Removes all that there is of CONTAINER. Of its addresses, those are released that its own handle has: net-modules may have released them before,
 * and another container may have one of them by now.
 * @throws CalicoError `not-found` without an endpoint, unless IDEMPOTENT
 */
export async function cleanup(session: Session, container: Container, {idempotent}: {idempotent: boolean}, log: Log): Promise<void> {
  await withHostLock(lockOf(container), `container ${container.id}`, async () => {
    const all = await endpointsOfNode(session, container.node)
    const endpoints = all.filter((endpoint) => belongsTo(endpoint, container))
    if (endpoints.length === 0) {
      const text = `No endpoint found with container-id: ${container.id}`
      if (!idempotent) throw new CalicoError('not-found', text)
      log(text)
    }
    for (const endpoint of endpoints) {
      const {resource} = endpoint.stored
      await disconnect(resource.spec.interfaceName ?? '', log)
      const look = lookAmong(all.filter((other) => other !== endpoint && mayShare(other, endpoint)).map(({place}) => keyOf(place)))
      const {released, foreign, held} = await removeEndpoints(session, [removableOf(endpoint)], {handle: handleOfEndpoint(resource), look, what: `the removal of container ${container.id}`})
      log(`removed endpoint ${endpoint.id}, released ${released.map(formatAddress).join(', ') || 'nothing'}`)
      if (foreign.length > 0) log(`${foreign.map(formatAddress).join(', ')} not released: no longer assigned to this container`)
      for (const {address, by} of held) log(`${formatAddress(address)} not released: ${by} uses it`)
    }
  })
}

/** Whether OTHER may have an address that would be released with ENDPOINT: an agent's endpoints are the ones that share its handles. */
function mayShare({stored: {resource: other}}: Endpoint, {stored: {resource}}: Endpoint): boolean {
  const handle = handleOfEndpoint(resource)
  const own = endpointAddresses(resource)
  return (handle !== undefined && handleOfEndpoint(other) === handle) || endpointAddresses(other).some((address) => own.some((each) => equalAddresses(each, address)))
}

/** The interface goes first, so that no one uses an address that is given away. The kernel deletes it with the namespace at the latest. */
async function disconnect(name: string, log: Log): Promise<void> {
  try {
    if (await deleteVeth(name)) log(`deleted ${name}`)
  } catch (error) {
    log(`the interface ${name} was not deleted: ${error instanceof Error ? error.message : String(error)}`)
  }
}
