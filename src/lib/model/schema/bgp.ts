/** The fields of Node, BGPPeer and BGPConfiguration (datamodel-v3 §1.2, §1.8, §1.9, §2.5). */
import type {BGPConfigurationSpec, BGPPassword, BGPPeerSpec, CidrBlock, NodeBgpSpec, NodeSpec, NodeStatus} from '../types.js'
import {always, between, choice, type Codec, flag, given, integer, list, struct, text, word} from './codec.js'
import {
  atMost,
  cidrWithPrefix,
  every,
  ignoredInterface,
  ipAddress,
  ipv4,
  ipv4CidrOrAddress,
  ipv6,
  ipv6CidrOrAddress,
  logLevel,
  macAddress,
  network,
  resourceName,
  selector,
} from './rules.js'
import {asNumber, duration} from './values.js'

const LEAST = Number.MIN_SAFE_INTEGER
const MOST = Number.MAX_SAFE_INTEGER

const bgp = struct<NodeBgpSpec>({
  asNumber: given(asNumber),
  ipv4Address: text(ipv4CidrOrAddress),
  ipv6Address: text(ipv6CidrOrAddress),
  ipv4IPIPTunnelAddr: text(ipv4),
  routeReflectorClusterID: text(ipv4),
})

export const node = struct<NodeSpec>({
  bgp: given(bgp),
  ipv4VXLANTunnelAddr: text(ipv4),
  vxlanTunnelMACAddr: text(macAddress),
  ipv6VXLANTunnelAddr: text(ipv6),
  vxlanTunnelMACAddrV6: text(macAddress),
  orchRefs: list(struct<NonNullable<NodeSpec['orchRefs']>[number]>({nodeName: text(), orchestrator: always(text())})),
  wireguard: given(
    struct<NonNullable<NodeSpec['wireguard']>>({interfaceIPv4Address: text(ipv4), interfaceIPv6Address: text(ipv6)}),
  ),
  addresses: list(struct<NonNullable<NodeSpec['addresses']>[number]>({address: always(text()), type: text()})),
  interfaces: list(struct<NonNullable<NodeSpec['interfaces']>[number]>({name: text(), addresses: list(text())})),
})

const WIREGUARD_KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/
const wireguardKey = text((value) => (WIREGUARD_KEY.test(value) ? undefined : 'must be a WireGuard key: 32 bytes in base64'))

export const nodeStatus: Codec<NodeStatus> = struct<NodeStatus>({
  wireguardPublicKey: wireguardKey,
  wireguardPublicKeyV6: wireguardKey,
  podCIDRs: list(text()),
})

const password = struct<BGPPassword>({
  secretKeyRef: given(
    struct<NonNullable<BGPPassword['secretKeyRef']>>({name: text(), key: always(text()), optional: given(flag)}),
  ),
})

const wholeTime = given(duration)
const selectorText = text(every(selector, atMost(4096)))

export const bgpPeer = struct<BGPPeerSpec>({
  node: text(every(resourceName, atMost(253))),
  nodeSelector: selectorText,
  peerIP: text(),
  asNumber,
  localASNumber: given(asNumber),
  peerSelector: selectorText,
  keepOriginalNextHop: flag,
  nextHopMode: choice('Auto', 'Self', 'Keep'),
  password: given(password),
  sourceAddress: word('UseNodeIP', 'None'),
  maxRestartTime: wholeTime,
  keepaliveTime: wholeTime,
  numAllowedLocalASNumbers: given(integer(-(2 ** 31), 2 ** 31 - 1)),
  ttlSecurity: given(integer(0, 255)),
  reachableBy: text(ipAddress),
  filters: list(text(), resourceName),
  localWorkloadSelector: selectorText,
  reversePeering: choice('Auto', 'Manual'),
})

const cidrBlocks = list(struct<CidrBlock>({cidr: text(every(network, cidrWithPrefix))}))
const routePriority = given(integer(LEAST, MOST), between(1, 2147483646))

export const bgpConfiguration = struct<BGPConfigurationSpec>({
  logSeverityScreen: text(logLevel),
  nodeToNodeMeshEnabled: given(flag),
  asNumber: given(asNumber),
  serviceLoadBalancerIPs: cidrBlocks,
  serviceExternalIPs: cidrBlocks,
  serviceClusterIPs: cidrBlocks,
  serviceLoadBalancerAggregation: choice('Enabled', 'Disabled'),
  communities: list(struct<NonNullable<BGPConfigurationSpec['communities']>[number]>({name: text(), value: text()})),
  prefixAdvertisements: list(
    struct<NonNullable<BGPConfigurationSpec['prefixAdvertisements']>[number]>({
      cidr: text(every(network, cidrWithPrefix)),
      communities: list(text()),
    }),
  ),
  listenPort: integer(0, 65535),
  nodeMeshPassword: given(password),
  nodeMeshMaxRestartTime: given(duration),
  bindMode: choice('None', 'NodeIP'),
  ignoredInterfaces: list(text(), ignoredInterface),
  localWorkloadPeeringIPV4: text(ipv4),
  localWorkloadPeeringIPV6: text(ipv6),
  programClusterRoutes: choice('Enabled', 'Disabled'),
  ipv4NormalRoutePriority: routePriority,
  ipv6NormalRoutePriority: routePriority,
})
