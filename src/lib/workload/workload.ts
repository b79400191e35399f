/** A workload of this host: a Docker container or a network namespace, as v0.20 identified it (cli-v0.20 §4.12) and as v3 stores it (datamodel-v3 §1.6). */
import {annotationOf, isContainer, namespaceId, pathOf} from '../client/endpoint-workload.js'
import {CONTAINER_ANNOTATION, ENDPOINT_NAMESPACE, type Endpoint, endpointOf, endpointsUnder} from '../client/endpoints.js'
import {read, tryParse} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {endpointId} from '../model/hash.js'
import {convertName} from '../model/names.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {matchesIds, parseWorkloadEndpointName, type WorkloadEndpointIds, workloadEndpointName, workloadEndpointNamePrefix} from '../model/workload-endpoint-name.js'
import type {Place} from '../client/resources.js'

export interface Workload {
  readonly node: string
  readonly orchestrator: 'docker' | 'namespace'
  /** v0.20's id: the container's full id, or the namespace's path with `-` for `/`. */
  readonly id: string
  /** As the endpoint has it. */
  readonly stored: string
  /** What the user called it. */
  readonly typed: string
  /** Of a namespace. */
  readonly path?: string
  /** The container's own name, for people. */
  readonly name?: string
}

/** The container with this full ID. */
export const containerWorkload = (node: string, typed: string, {id, name}: {id: string; name?: string}): Workload => ({
  node,
  orchestrator: 'docker',
  id,
  stored: convertName(id),
  typed,
  ...(name === undefined ? {} : {name}),
})

/** The namespace at PATH. */
export function namespaceWorkload(node: string, path: string): Workload {
  const id = namespaceId(path)
  return {node, orchestrator: 'namespace', id, stored: convertName(id), typed: path, path}
}

/** The namespace whose workload has the id ID, as `endpoint show` prints it: `-proc-1234-ns-net`. Its path cannot be determined from that. */
export const namespaceWorkloadOfId = (node: string, id: string): Workload => ({node, orchestrator: 'namespace', id, stored: convertName(id), typed: id})

/** The host interface of ENDPOINT. */
export const interfaceOf = ({stored}: Endpoint): string => stored.resource.spec.interfaceName ?? ''

/** What the container of ENDPOINT was called when that was noted; undefined if it was not. */
export const containerNameOf = ({stored}: Endpoint): string | undefined => annotationOf(stored.resource, CONTAINER_ANNOTATION)

/** The workload of ENDPOINT, which the user called TYPED; undefined if it is not one of `container add`. */
export function workloadOf(endpoint: Endpoint, typed: string): Workload | undefined {
  const {host, orchestrator, workload, place} = endpoint
  if (orchestrator !== 'docker' && orchestrator !== 'namespace') return undefined
  const name = containerNameOf(endpoint)
  if (isContainer(endpoint)) return containerWorkload(host, typed, {id: workload, ...(name === undefined ? {} : {name})})
  const path = pathOf(endpoint)
  if (path !== undefined) return {...namespaceWorkload(host, path), typed}
  return {node: host, orchestrator: 'namespace', id: workload, stored: parseWorkloadEndpointName(place.name)?.workload ?? workload, typed}
}

/** What messages that end a command call WORKLOAD: the full id, or the path. */
export const workloadLabel = ({id, path}: Workload): string => path ?? id

/** The id of the endpoint that we give WORKLOAD (decisions.md 25). */
export const endpointIdOf = ({node, orchestrator, stored}: Workload): string => endpointId(node, orchestrator, stored)

/** Where that endpoint is stored. */
export const placeOf = (workload: Workload): Place => ({
  kind: 'WorkloadEndpoint',
  name: workloadEndpointName({...idsOf(workload), endpoint: endpointIdOf(workload)}),
  namespace: ENDPOINT_NAMESPACE,
})

const idsOf = ({node, orchestrator, stored}: Workload) => ({node, orchestrator, workload: stored})

/**
 * The handle of WORKLOAD's addresses (decisions.md 25). A container's id is its own all over the cluster; the path of a namespace is not, and so the
 * node is a part of its handle: two hosts must not share one.
 */
export const handleOf = ({node, orchestrator, stored}: Workload): string => (orchestrator === 'namespace' ? `${orchestrator}.${node}.${stored}` : `${orchestrator}.${stored}`)

/** The lock under which commands work on WORKLOAD, one at a time on its host. */
export const lockOf = (workload: Workload): string => `endpoint/${endpointIdOf(workload)}`

/**
 * The endpoints of WORKLOAD, whoever made them. v0.20 stored those of namespaces as Docker's, and so they are looked for there too.
 */
export async function endpointsOfWorkload(session: Session, workload: Workload): Promise<Endpoint[]> {
  const both = workload.orchestrator === 'namespace' ? [workload, {...workload, orchestrator: 'docker' as const}] : [workload]
  return findEndpoints(session, both.map(idsOf))
}

/** The endpoints with one of IDS, whose node must be given. Those that cannot be read are reported and left out. */
export async function findEndpoints(session: Session, ids: readonly WorkloadEndpointIds[]): Promise<Endpoint[]> {
  // With all four of its parts, a name is no beginning of another one.
  const prefixes = new Set(ids.map((each) => workloadEndpointNamePrefix({...each, endpoint: undefined})))
  const {results} = await read(session, [...prefixes].map(endpointsUnder))
  return results.flat().flatMap((kv) => {
    const stored = tryParse<WorkloadEndpoint>(session, 'WorkloadEndpoint', kv)
    if (!stored) return []
    const endpoint = endpointOf(session, stored)
    return ids.some((each) => matchesIds(endpoint.place.name, each)) ? [endpoint] : []
  })
}

export const unknownWorkload = ({typed}: Workload): CalicoError =>
  new CalicoError('not-found', `Container ${typed} is unknown to Calico.`, {hint: `To connect it: calicoctl container add ${typed} ipv4`})

export const severalEndpoints = ({typed}: Workload, endpoints: readonly Endpoint[]): CalicoError =>
  new CalicoError('conflict', `${typed} has more than one endpoint; nothing was done`, {
    details: endpoints.map(({id, place}) => `endpoint ${id} (${place.name})`),
    hint: new Set(endpoints.map(({orchestrator, workload}) => `${orchestrator}/${workload}`)).size === 1 ? `calicoctl container remove ${typed} removes all of them.` : 'To remove one of them: calicoctl endpoint remove ENDPOINT_ID',
  })
