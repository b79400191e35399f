/** The rules of every kind. Nothing in here does work at load; the tables are small. */
import type {KindName, Resource} from '../resource.js'
import {bgpConfigurationRules} from './bgp-configuration.js'
import {bgpFilterRules} from './bgp-filter.js'
import {bgpPeerRules} from './bgp-peer.js'
import {calicoNodeStatusRules, checkSingleton, kubeControllersConfigurationRules, stagedKubernetesNetworkPolicyRules} from './controllers.js'
import {felixConfigurationRules} from './felix-configuration.js'
import {hostEndpointRules} from './host-endpoint.js'
import {ipPoolRules} from './ip-pool.js'
import type {KindRules} from './kind.js'
import {nodeRules} from './node.js'
import {policyRules} from './policy.js'
import {profileRules} from './profile.js'
import {tierRules} from './tier.js'
import {workloadEndpointRules} from './workload-endpoint.js'

/** Of network sets, global or not. */
const networkSetRules: KindRules = {
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
  BGPFilter: asRules(bgpFilterRules),
  BGPPeer: asRules(bgpPeerRules),
  CalicoNodeStatus: asRules(calicoNodeStatusRules),
  ClusterInformation: {check: checkSingleton},
  FelixConfiguration: asRules(felixConfigurationRules),
  GlobalNetworkPolicy: asRules(policyRules({global: true, staged: false})),
  GlobalNetworkSet: networkSetRules,
  HostEndpoint: asRules(hostEndpointRules),
  IPAMConfiguration: {check: checkSingleton},
  IPPool: asRules(ipPoolRules),
  IPReservation: {},
  KubeControllersConfiguration: asRules(kubeControllersConfigurationRules),
  NetworkPolicy: asRules(policyRules({global: false, staged: false})),
  NetworkSet: networkSetRules,
  Node: asRules(nodeRules),
  Profile: asRules(profileRules),
  StagedGlobalNetworkPolicy: asRules(policyRules({global: true, staged: true})),
  StagedKubernetesNetworkPolicy: asRules(stagedKubernetesNetworkPolicyRules),
  StagedNetworkPolicy: asRules(policyRules({global: false, staged: true})),
  Tier: asRules(tierRules),
  WorkloadEndpoint: asRules(workloadEndpointRules),
}
