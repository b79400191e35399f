/** Endpoints of a workload of this host that are stored under another name of its node: it was connected with another --node or another variable. */
import {type Endpoint, listEndpoints} from '../client/endpoints.js'
import {nodeNameInputs} from '../client/node-name.js'
import type {Session} from '../client/session.js'
import {hasHostInterface} from '../host/interfaces.js'
import {interfaceOf, type Workload} from './workload.js'

/**
 * The endpoints of WORKLOAD under other nodes than its own: those of INTERFACES, which are in its namespace; else those with its id: a container's is its own
 * all over the cluster, and the path of a namespace is meant where the endpoint's interface is on this host.
 */
export async function endpointsElsewhere(session: Session, {node, orchestrator, id}: Workload, interfaces: readonly string[]): Promise<Endpoint[]> {
  const found: Endpoint[] = []
  const collect = async (endpoints: AsyncIterable<Endpoint>, isMeant: (endpoint: Endpoint) => boolean): Promise<void> => {
    for await (const endpoint of endpoints) if (endpoint.host !== node && isMeant(endpoint)) found.push(endpoint)
  }
  if (interfaces.length > 0) await collect(listEndpoints(session, {}), (endpoint) => interfaces.includes(interfaceOf(endpoint)))
  if (found.length > 0) return found
  const isContainer = orchestrator === 'docker'
  await collect(listEndpoints(session, {workload: id}), (endpoint) => (isContainer ? endpoint.orchestrator === 'docker' : ['docker', 'namespace'].includes(endpoint.orchestrator) && hasHostInterface(interfaceOf(endpoint))))
  return found
}

/** How to work on ENDPOINT, of another node: by that node's name, where calico-node has left no other one on this host. */
export function elsewhereHint(endpoint: Endpoint): string {
  const {host, id} = endpoint
  const own = nodeNameInputs().file?.toLowerCase() ?? ''
  const isHere = hasHostInterface(interfaceOf(endpoint))
  if (own === '') return `${isHere ? 'Run the command with the name of that node' : 'If that is another host, run the command there. If it is this host under another name, run it with that name'}: --node ${host}, or CALICO_NODENAME=${host}`
  if (!isHere) return `Run the command on that host. If that host no longer exists: calicoctl endpoint remove ${id}`
  return `calicoctl works on this host as node ${own} only (/var/lib/calico/nodename). To remove the endpoint of node ${host}, which disconnects the workload: calicoctl endpoint remove ${id} --force`
}
