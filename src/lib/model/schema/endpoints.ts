/** The fields of WorkloadEndpoint and HostEndpoint (datamodel-v3 §1.6, §1.7, §2.4). */
import type {HostEndpointSpec, QosControls, WorkloadEndpointPort, WorkloadEndpointSpec} from '../types.js'
import {always, given, int64, integer, list, struct, text} from './codec.js'
import {
  atMost,
  cidrOrAddress,
  containerId,
  every,
  interfaceName,
  ipAddress,
  ipv4,
  ipv6,
  macAddress,
  network,
  resourceName,
} from './rules.js'
import {dscp, protocol} from './values.js'

const portNumber = always(integer(0, 65535))

const qosControls = struct<QosControls>({
  ingressBandwidth: int64,
  ingressBurst: int64,
  ingressPeakrate: int64,
  ingressMinburst: int64,
  egressBandwidth: int64,
  egressBurst: int64,
  egressPeakrate: int64,
  egressMinburst: int64,
  ingressPacketRate: int64,
  ingressPacketBurst: int64,
  egressPacketRate: int64,
  egressPacketBurst: int64,
  ingressMaxConnections: int64,
  egressMaxConnections: int64,
  dscp: given(dscp),
})

export const workloadEndpoint = struct<WorkloadEndpointSpec>({
  orchestrator: text(resourceName),
  workload: text(resourceName),
  node: text(resourceName),
  containerID: text(containerId),
  pod: text(resourceName),
  endpoint: text(resourceName),
  serviceAccountName: text(resourceName),
  ipNetworks: list(text(), network),
  ipNATs: list(
    struct<NonNullable<WorkloadEndpointSpec['ipNATs']>[number]>({internalIP: always(text(ipAddress)), externalIP: always(text(ipAddress))}),
  ),
  ipv4Gateway: text(ipv4),
  ipv6Gateway: text(ipv6),
  profiles: list(text(), resourceName),
  interfaceName: text(interfaceName),
  mac: text(macAddress),
  ports: list(
    struct<WorkloadEndpointPort>({
      name: always(text()),
      protocol: always(protocol),
      port: portNumber,
      hostPort: portNumber,
      hostIP: always(text(network)),
    }),
  ),
  allowSpoofedSourcePrefixes: list(text(), cidrOrAddress),
  qosControls: given(qosControls),
})

export const hostEndpoint = struct<HostEndpointSpec>({
  node: text(every(resourceName, atMost(253))),
  interfaceName: text(interfaceName),
  expectedIPs: list(text(), ipAddress),
  profiles: list(text(), resourceName),
  ports: list(
    struct<NonNullable<HostEndpointSpec['ports']>[number]>({name: always(text()), protocol: always(protocol), port: portNumber}),
  ),
})
