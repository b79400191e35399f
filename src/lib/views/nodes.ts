/** How nodes are shown: v0.20's table, and the Node objects in the other formats (cli-v0.20 §4.3.4). */
import type {Peer} from '../client/bgp-peers.js'
import {type ListedNode, type NodeAs, peersOf} from '../client/node-list.js'
import {formatAddress, type Family} from '../net/index.js'
import {type Presentation, resourceList} from '../cli/output/presentation.js'
import {shownResource} from '../cli/output/shown.js'

/** The number, and whether it is only inherited. */
export const asText = ({asNumber, inherited}: NodeAs): string => `${asNumber}${inherited ? ' (inherited)' : ''}`

export function presentNodes(nodes: readonly ListedNode[]): Presentation<ListedNode> {
  return {
    rows: nodes,
    columns: [
      {header: 'Hostname', value: ({name}) => name},
      {header: 'Bird IPv4', value: ({ipv4}) => ipv4 ?? ''},
      {header: 'Bird IPv6', value: ({ipv6}) => ipv6 ?? ''},
      {header: 'AS Num', value: asText, rank: 1},
      {header: 'BGP Peers v4', value: (node) => peersText(node, 4), rank: 2},
      {header: 'BGP Peers v6', value: (node) => peersText(node, 6), rank: 3},
      {header: 'Tunnels', value: tunnelsText, wide: true},
      {header: 'Route reflector', value: ({stored}) => stored?.resource.spec.bgp?.routeReflectorClusterID ?? '', wide: true},
    ],
    name: ({name}) => name,
    document: (all) => resourceList('NodeList', all.flatMap(({stored}) => (stored ? [shownResource(stored)] : []))),
    former: true,
    blankAfter: true,
  }
}

const peersText = (node: ListedNode, family: Family): string[] => peersOf(node, family).map(peerText)

/** A peer on a port is shown with it, as it is stored. */
function peerText({plain, address, stored}: Peer): string {
  const {peerIP = '', asNumber} = stored.resource.spec
  const text = plain && address ? formatAddress(address) : peerIP
  return asNumber === undefined ? text : `${text} as ${asNumber}`
}

function tunnelsText({stored}: ListedNode): string[] {
  const {bgp, ipv4VXLANTunnelAddr, ipv6VXLANTunnelAddr, wireguard} = stored?.resource.spec ?? {}
  const tunnels = [
    ['ipip', bgp?.ipv4IPIPTunnelAddr],
    ['vxlan', ipv4VXLANTunnelAddr],
    ['vxlan', ipv6VXLANTunnelAddr],
    ['wireguard', wireguard?.interfaceIPv4Address],
    ['wireguard', wireguard?.interfaceIPv6Address],
  ] as const
  return tunnels.flatMap(([kind, address]) => (address === undefined ? [] : [`${kind} ${address}`]))
}

/** What the table of NODES cannot show, for people; undefined if nothing. */
export function nodesNote(nodes: readonly ListedNode[]): string | undefined {
  const chosen = nodes.flatMap(({peers}) => peers).filter(({address}) => address === undefined).length
  const missing = nodes.filter(({stored}) => stored === undefined).map(({name}) => name)
  const parts = [
    ...(missing.length === 0 ? [] : [`There are BGP peers for nodes that do not exist: ${missing.join(', ')}.`]),
    ...(chosen === 0 ? [] : [`${chosen} more ${chosen === 1 ? 'peer is' : 'peers are'} chosen by selectors; see: calicoctl node bgp peer show -o wide --node NAME`]),
  ]
  return parts.length === 0 ? undefined : parts.join(' ')
}

