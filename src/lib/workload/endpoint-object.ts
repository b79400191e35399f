/** The endpoint of a workload as it is stored (datamodel-v3 §1.6), whoever makes it: `container add`, or the import of one that v0.20 made. */
import {CONTAINER_ANNOTATION, ENDPOINT_NAMESPACE, NAMESPACE_ANNOTATION} from '../client/endpoints.js'
import {newUuid} from '../client/identity.js'
import {WORKLOAD_ANNOTATION} from '../model/display-name.js'
import {API_VERSION} from '../model/resource.js'
import type {WorkloadEndpoint, WorkloadEndpointSpec} from '../model/types.js'
import {workloadEndpointName} from '../model/workload-endpoint-name.js'
import {type Address, ADDRESS_BITS, formatAddress} from '../net/index.js'
import type {Workload} from './workload.js'

/** What an endpoint is called by: of a {@link Workload}, or of one that another orchestrator made. */
export type EndpointOwner = Pick<Workload, 'node' | 'id' | 'stored' | 'path' | 'name'> & {readonly orchestrator: string}

/** What a new endpoint says besides whose it is. */
export interface EndpointContent extends Pick<WorkloadEndpointSpec, 'ipNetworks' | 'interfaceName' | 'mac' | 'profiles'> {
  /** Its id. */
  readonly endpoint: string
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Further annotations. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** A new endpoint of OWNER. @throws CalicoError `invalid` if its ids make no name */
export function endpointObject({node, orchestrator, stored, id, path, name}: EndpointOwner, {endpoint, labels, annotations: more = {}, ...content}: EndpointContent): WorkloadEndpoint {
  const annotations = {
    ...(stored === id ? {} : {[WORKLOAD_ANNOTATION]: id}),
    ...(path === undefined ? {} : {[NAMESPACE_ANNOTATION]: path}),
    ...(name === undefined ? {} : {[CONTAINER_ANNOTATION]: name}),
    ...more,
  }
  return {
    kind: 'WorkloadEndpoint',
    apiVersion: API_VERSION,
    metadata: {
      name: workloadEndpointName({node, orchestrator, workload: stored, endpoint}),
      namespace: ENDPOINT_NAMESPACE,
      uid: newUuid(),
      ...(labels === undefined ? {} : {labels}),
      ...(Object.keys(annotations).length === 0 ? {} : {annotations}),
    },
    spec: {orchestrator, workload: stored, node, endpoint, ...content},
  }
}

/** ADDRESS as an endpoint has it. */
export const networkOf = (address: Address): string => `${formatAddress(address)}/${ADDRESS_BITS[address.family]}`
