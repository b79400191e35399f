/** The rules of every kind. Nothing in here does work at load; the tables are small. */
import type {KindName, Resource} from '../resource.js'
import {bgpConfigurationRules} from './bgp-configuration.js'
import {bgpPeerRules} from './bgp-peer.js'
import {felixConfigurationRules} from './felix-configuration.js'
import {globalNetworkPolicyRules} from './global-network-policy.js'
import {hostEndpointRules} from './host-endpoint.js'
import {ipPoolRules} from './ip-pool.js'
import type {KindRules} from './kind.js'
import {nodeRules} from './node.js'
import {profileRules} from './profile.js'
import {tierRules} from './tier.js'
import {workloadEndpointRules} from './workload-endpoint.js'

const clusterInformationRules: KindRules = {
  check: ({metadata}, report, {operation}) => {
    if (operation === 'create' && metadata.name !== 'default') report('metadata.name', `must be default, not ${JSON.stringify(metadata.name)}`)
  },
}

const globalNetworkSetRules: KindRules = {
  check: ({metadata}, report) => {
    if (metadata.labels && Object.hasOwn(metadata.labels, 'projectcalico.org/namespace')) {
      report('metadata.labels["projectcalico.org/namespace"]', 'is not allowed on a network set')
    }
  },
}

/** Each kind's rules, applied to resources of that kind only: that is what makes the types match. */
const asRules = <R extends Resource>(rules: KindRules<R>): KindRules => rules as unknown as KindRules

export const KIND_RULES: Readonly<Record<KindName, KindRules>> = {
  BGPConfiguration: asRules(bgpConfigurationRules),
  BGPPeer: asRules(bgpPeerRules),
  ClusterInformation: clusterInformationRules,
  FelixConfiguration: asRules(felixConfigurationRules),
  GlobalNetworkPolicy: asRules(globalNetworkPolicyRules),
  GlobalNetworkSet: globalNetworkSetRules,
  HostEndpoint: asRules(hostEndpointRules),
  IPPool: asRules(ipPoolRules),
  IPReservation: {},
  Node: asRules(nodeRules),
  Profile: asRules(profileRules),
  Tier: asRules(tierRules),
  WorkloadEndpoint: asRules(workloadEndpointRules),
}
