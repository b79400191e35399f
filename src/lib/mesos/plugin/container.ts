/** A Mesos container as the datastore has it: its endpoint, and the handle of its addresses (decisions.md 25). */
import {ENDPOINT_NAMESPACE, type Endpoint, endpointOf, endpointsUnder, HANDLE_ANNOTATION} from '../../client/endpoints.js'
import {type Place, read, tryParse} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {endpointId} from '../../model/hash.js'
import {convertName} from '../../model/names.js'
import type {WorkloadEndpoint} from '../../model/types.js'
import {matchesIds, workloadEndpointName, workloadEndpointNamePrefix} from '../../model/workload-endpoint-name.js'

export const ORCHESTRATOR = 'mesos'

/** The attribute `type` of addresses that the plugin has assigned. */
export const ADDRESS_TYPE = 'mesos'

export interface Container {
  readonly node: string
  /** As Mesos calls it. */
  readonly id: string
  /** As the endpoint has it. */
  readonly workload: string
  readonly endpointId: string
  readonly place: Place
}

/** @throws CalicoError `invalid` if its endpoint's name would be too long */
export function containerOf(node: string, id: string): Container {
  const workload = convertName(id)
  const endpoint = endpointId(node, ORCHESTRATOR, workload)
  const name = workloadEndpointName({node, orchestrator: ORCHESTRATOR, workload, endpoint})
  return {node, id, workload, endpointId: endpoint, place: {kind: 'WorkloadEndpoint', name, namespace: ENDPOINT_NAMESPACE}}
}

/** The lock under which one process at a time works on CONTAINER. */
export const lockOf = ({endpointId: id}: Container): string => `endpoint/${id}`

/** The endpoints of all Mesos containers of NODE as they are now. Those that cannot be read are reported and left out. */
export async function endpointsOfNode(session: Session, node: string): Promise<Endpoint[]> {
  const ids = {node, orchestrator: ORCHESTRATOR}
  const {results} = await read(session, [endpointsUnder(workloadEndpointNamePrefix(ids))])
  return results.flat().flatMap((kv) => {
    const stored = tryParse<WorkloadEndpoint>(session, 'WorkloadEndpoint', kv)
    const endpoint = stored && endpointOf(session, stored)
    return endpoint && matchesIds(endpoint.place.name, ids) ? [endpoint] : []
  })
}

/** Whether ENDPOINT is one of CONTAINER, whatever its id. */
export const belongsTo = ({place}: Endpoint, {node, workload}: Container): boolean => matchesIds(place.name, {node, orchestrator: ORCHESTRATOR, workload})

/** The handle that ENDPOINT says its addresses have. */
export function handleOfEndpoint({metadata}: WorkloadEndpoint): string | undefined {
  const {annotations = {}} = metadata
  const handle = Object.hasOwn(annotations, HANDLE_ANNOTATION) ? annotations[HANDLE_ANNOTATION] : undefined
  return handle === '' ? undefined : handle
}
