/** `mesos gc`: endpoints of Mesos containers that are gone; an agent that restarts forgets them (mesos-docker §2.4). */
import type {Endpoint} from '../../client/endpoints.js'
import type {Session} from '../../client/session.js'
import {deleteVeth} from '../../host/interfaces.js'
import {withHostLock} from '../../host/lock.js'
import {type Removal, removableOf, removeEndpoints} from '../../workload/removal.js'
import {endpointsOfNode, handleOfEndpoint} from '../plugin/container.js'
import {type HostLinks, readLinks} from './links.js'

export interface Gone {
  readonly endpoint: Endpoint
  readonly reason: string
}

/** Why the container of ENDPOINT is gone; undefined if it is not, or that cannot be known. */
export function whyGone({stored}: Endpoint, links: HostLinks): string | undefined {
  const {interfaceName = ''} = stored.resource.spec
  if (interfaceName === '') return undefined
  if (!links.exists(interfaceName)) return `its interface ${interfaceName} is missing`
  const other = links.otherEnd(interfaceName)
  if (other === 'dead') return `no process uses the network namespace that its interface ${interfaceName} leads to`
  return other === 'here' ? `its interface ${interfaceName} leads to no container` : undefined
}

/** The endpoints of NODE, which is this host, whose containers are gone. */
export async function findGone(session: Session, node: string): Promise<Gone[]> {
  const endpoints = await endpointsOfNode(session, node)
  if (endpoints.length === 0) return []
  // Examined after the endpoints were read: the plugin connects a container before it stores its endpoint.
  const links = await readLinks()
  if (links.problem !== undefined) session.warn(links.problem)
  return endpoints.flatMap((endpoint) => {
    const reason = whyGone(endpoint, links)
    return reason === undefined ? [] : [{endpoint, reason}]
  })
}

/**
 * Removes FOUND with its addresses, if its container is still gone; undefined if not. The plugin works under the same lock. What is left of its
 * interface goes first: an address is not given away while someone can still use it.
 */
export function removeGone(session: Session, {endpoint}: Gone): Promise<Removal | undefined> {
  const remove = async (): Promise<Removal | undefined> => {
    if (whyGone(endpoint, await readLinks()) === undefined) return undefined
    const {resource} = endpoint.stored
    if (!session.dryRun) await deleteVeth(resource.spec.interfaceName ?? '')
    return removeEndpoints(session, [removableOf(endpoint)], {handle: handleOfEndpoint(resource), what: `the removal of the endpoint of Mesos container ${endpoint.workload}`})
  }
  return session.dryRun ? remove() : withHostLock(`endpoint/${endpoint.id}`, `container ${endpoint.workload}`, remove)
}
