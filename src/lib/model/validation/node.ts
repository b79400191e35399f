/** Nodes (datamodel-v3 §1.2, §2.5). */
import type {Node, NodeBgpSpec} from '../types.js'
import type {KindRules} from './kind.js'

const BGP_FIELDS: readonly (keyof NodeBgpSpec)[] = ['asNumber', 'ipv4Address', 'ipv6Address', 'ipv4IPIPTunnelAddr', 'routeReflectorClusterID']

export const nodeRules: KindRules<Node> = {
  check: ({spec: {bgp}}, report) => {
    if (bgp && BGP_FIELDS.every((name) => bgp[name] === undefined)) report('spec.bgp', 'must have a field set, or be absent')
  },
}
