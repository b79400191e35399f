/** Workload and host endpoints as Felix reads them (policy-evaluation §2 and §3). */
import {displayWorkload} from '../../model/display-name.js'
import {borrowsAddresses, hostEndpointRefusals, workloadEndpointRefusals} from '../../model/felix-endpoints.js'
import {problemText} from '../../model/resource.js'
import type {HostEndpointSpec, WorkloadEndpointSpec} from '../../model/types.js'
import {parseWorkloadEndpointName} from '../../model/workload-endpoint-name.js'
import {parseAddress} from '../../net/index.js'
import {compareUtf8} from '../../utf8-order.js'
import {NAMESPACE_PREFIX, SERVICE_ACCOUNT_LABEL, SERVICE_ACCOUNT_PREFIX} from '../expression.js'
import type {Settings} from '../settings.js'
import type {HostEndpoint, Workload} from '../world.js'
import {addressesOf, addressOf, namedPorts} from './fields.js'
import type {EffectiveLabels} from './labels.js'
import type {Raw, StoredObjects} from './stored.js'

/** What the endpoints of a store are read with. */
interface Loading {
  readonly stored: StoredObjects
  readonly labels: EffectiveLabels
  readonly settings: (node: string) => Settings
}

const LONGEST_INTERFACE = 15

/** What of qosControls refuses packets and connections, whatever the policy says. */
const LIMITS = ['ingressPacketRate', 'egressPacketRate', 'ingressMaxConnections', 'egressMaxConnections'] as const

/** The workload endpoints by `namespace/name`. Of several on one interface of a node, Felix enforces the first in order; the others say which. */
export function loadWorkloads(loading: Loading): Map<string, Workload> {
  const {stored} = loading
  const all = stored.of('WorkloadEndpoint').flatMap((raw) => workload(loading, raw))
  const first = new Map<string, Workload>()
  const order = ({orchestrator, namespace, workload, endpoint}: Workload): string => [orchestrator, `${namespace}/${workload}`, endpoint].join('\0')
  const place = ({node, interfaceName}: Workload): string => `${node}\0${interfaceName}`
  for (const endpoint of all) {
    const other = first.get(place(endpoint))
    if (other === undefined || compareUtf8(order(endpoint), order(other)) < 0) first.set(place(endpoint), endpoint)
  }
  return new Map(
    all.map((endpoint) => {
      const winner = first.get(place(endpoint))
      return [`${endpoint.namespace}/${endpoint.name}`, winner === undefined || winner === endpoint ? endpoint : {...endpoint, shadowedBy: winner}]
    }),
  )
}

function workload({stored, labels, settings}: Loading, raw: Raw): Workload[] {
  const object = stored.decoded<WorkloadEndpointSpec>(raw, (_, spec) => ({addresses: addressesOf(spec)}))
  if (object === undefined) return []
  const {spec, metadata} = object
  const ids = parseWorkloadEndpointName(raw.name)
  const refuse = (message: string): [] => {
    stored.note(raw, 'absent', message, {addresses: addressesOf({...spec})})
    return []
  }
  if (ids === undefined) return refuse('its name is not NODE-ORCHESTRATOR-WORKLOAD-ENDPOINT')
  const refusals = workloadEndpointRefusals({...spec})
  if (refusals.length > 0) return refuse(refusals.map(problemText).join('; '))
  if (borrowsAddresses({...spec}) && !settings(ids.node).borrowing) return refuse('it has allowSpoofedSourcePrefixes, and the Felix setting workloadSourceSpoofing is not Any')
  const {interfaceName = ''} = spec
  const addresses = (spec.ipNetworks ?? []).flatMap((text) => addressOf(text) ?? [])
  if (interfaceName.length > LONGEST_INTERFACE) stored.note(raw, 'stops', `its interfaceName has more than ${LONGEST_INTERFACE} characters`)
  const container = metadata.annotations?.['calicoctl/container']
  const profiles = spec.profiles ?? []
  const account: [string, string][] = spec.serviceAccountName ? [[SERVICE_ACCOUNT_LABEL, spec.serviceAccountName]] : []
  const own = Object.entries(metadata.labels ?? {}).filter(([key]) => !key.startsWith(NAMESPACE_PREFIX) && !key.startsWith(SERVICE_ACCOUNT_PREFIX))
  const effective = labels.of([...own, ...account], profiles)
  return [
    {
      kind: 'WorkloadEndpoint',
      ...(container ? {container} : {}),
      shownWorkload: displayWorkload(metadata, ids.workload).name,
      name: raw.name,
      namespace: raw.namespace ?? '',
      ...ids,
      interfaceName,
      addresses,
      profiles,
      labels: effective,
      claim: labels.claim(effective, namedPorts(spec.ports)),
      nats: (spec.ipNATs ?? []).flatMap(({internalIP, externalIP}) => {
        const [internal, external] = [parseAddress(internalIP), parseAddress(externalIP)]
        return internal && external ? [{internal, external}] : []
      }),
      limits: LIMITS.filter((name) => spec.qosControls?.[name] !== undefined),
    },
  ]
}

/** The host endpoints by name. */
export function loadHostEndpoints(loading: Loading): HostEndpoint[] {
  return loading.stored.of('HostEndpoint').flatMap((raw) => hostEndpoint(loading, raw)).sort((a, b) => compareUtf8(a.name, b.name))
}

function hostEndpoint({stored, labels}: Loading, raw: Raw): HostEndpoint[] {
  const object = stored.decoded<HostEndpointSpec>(raw, (_, spec) => (typeof spec.node === 'string' ? {node: spec.node} : {}))
  if (object === undefined) return []
  const {spec, metadata} = object
  if (!spec.node || (!spec.interfaceName && (spec.expectedIPs ?? []).length === 0)) {
    stored.note(raw, 'absent', spec.node ? 'it has neither interfaceName nor expectedIPs' : 'it has no node')
    return []
  }
  const refusals = hostEndpointRefusals({...spec})
  if (refusals.length > 0) {
    stored.note(raw, 'absent', refusals.map(problemText).join('; '))
    return []
  }
  const profiles = spec.profiles ?? []
  // Felix drops own labels with the prefixes of namespaces and service accounts from workload endpoints only.
  const effective = labels.of(Object.entries(metadata.labels ?? {}), profiles)
  return [
    {
      kind: 'HostEndpoint',
      name: raw.name,
      node: spec.node,
      interfaceName: spec.interfaceName ?? '',
      addresses: (spec.expectedIPs ?? []).flatMap((text) => parseAddress(text) ?? []),
      profiles,
      labels: effective,
      claim: labels.claim(effective, namedPorts(spec.ports)),
    },
  ]
}
