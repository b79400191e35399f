import {asRecord, ownField} from '../../model/schema/codec.js'
import type {NodeSpec} from '../../model/types.js'
import {type Address, equalAddresses, networkOf, parseCidr} from '../../net/index.js'
import type {HostEndpoint, NodeInfo} from '../world.js'
import {addressOf, textMap} from './fields.js'
import type {Raw, StoredObjects} from './stored.js'

/** The labels of the Node object of NODE. */
export function nodeLabels(stored: StoredObjects, node: string): Map<string, string> {
  const raw = stored.get('Node', node)
  const metadata = raw && asRecord(ownField(asRecord(stored.parsed(raw)) ?? {}, 'metadata'))
  return textMap(ownField(metadata ?? {}, 'labels'))
}

/** The nodes that Felix can read, by name; HOST_ENDPOINTS: those of all nodes. */
export function loadNodes(stored: StoredObjects, hostEndpoints: readonly HostEndpoint[]): Map<string, NodeInfo> {
  const expected = new Map<string, Address[]>()
  for (const {node: name, addresses} of hostEndpoints) expected.set(name, [...(expected.get(name) ?? []), ...addresses])
  return new Map(stored.of('Node').flatMap((raw) => node(stored, raw)).map((one) => [one.name, {...one, more: unknownOf(one, expected.get(one.name) ?? [])}]))
}

/** Those of EXPECTED that the node does not have itself, each once. */
function unknownOf({addresses, interfaces}: Omit<NodeInfo, 'more'>, expected: readonly Address[]): Address[] {
  const known = [...Object.values(addresses), ...interfaces.flatMap((one) => one.addresses)]
  return expected.filter((address, index) => ![...known, ...expected.slice(0, index)].some((other) => equalAddresses(other, address)))
}

function node(stored: StoredObjects, raw: Raw): Omit<NodeInfo, 'more'>[] {
  const object = stored.decoded<NodeSpec>(raw)
  if (object === undefined) return []
  const {bgp, addresses = [], interfaces = []} = object.spec
  const typed = (family: 4 | 6): Address | undefined =>
    ['InternalIP', 'ExternalIP'].flatMap((type) => addresses.filter((entry) => entry.type === type).flatMap(({address}) => addressOf(address) ?? [])).find((address) => address.family === family)
  const [v4, v6] = [addressOf(bgp?.ipv4Address) ?? typed(4), addressOf(bgp?.ipv6Address) ?? typed(6)]
  const {spec} = object
  const tunnels = [
    ['IPIP', bgp?.ipv4IPIPTunnelAddr],
    ['VXLAN', spec.ipv4VXLANTunnelAddr],
    ['VXLAN', spec.ipv6VXLANTunnelAddr],
    ['WireGuard', spec.wireguard?.interfaceIPv4Address],
    ['WireGuard', spec.wireguard?.interfaceIPv6Address],
  ] as const
  const network = (family: 4 | 6, text: string | undefined): object => {
    const cidr = text?.includes('/') ? parseCidr(text) : undefined
    return cidr?.family === family ? {[family]: networkOf(cidr)} : {}
  }
  return [
    {
      name: raw.name,
      addresses: {...(v4 ? {4: v4} : {}), ...(v6 ? {6: v6} : {})},
      networks: {...network(4, bgp?.ipv4Address), ...network(6, bgp?.ipv6Address)},
      tunnels: tunnels.flatMap(([type, text]) => {
        const address = addressOf(text)
        return address ? [{type, address}] : []
      }),
      interfaces: interfaces.flatMap(({name, addresses: own = []}) => (name ? [{name, addresses: own.flatMap((text) => addressOf(text) ?? [])}] : [])),
    },
  ]
}
