/** The v3 kinds: how each is called in keys, lists and on command lines. No validator is imported here: every command loads this. */
import type {KindName} from './resource.js'

export interface KindInfo {
  readonly kind: KindName
  /** The path segment under `/calico/resources/v3/projectcalico.org/` (datamodel-v3 §0.2). */
  readonly plural: string
  /** The kind of a list of them: `ProfileList`. */
  readonly listKind: string
  readonly namespaced: boolean
  /** Further words that mean this kind on a command line, lower case: those of Go's calicoctl. */
  readonly aliases: readonly string[]
}

const kind = (name: KindName, plural: string, aliases: readonly string[], namespaced = false): KindInfo =>
  ({kind: name, plural, listKind: `${name}List`, namespaced, aliases})

export const KINDS: Readonly<Record<KindName, KindInfo>> = {
  BGPConfiguration: kind('BGPConfiguration', 'bgpconfigurations', ['bgpconfig', 'bgpconfigs']),
  BGPFilter: kind('BGPFilter', 'bgpfilters', ['bgpf', 'bgpfs', 'bf', 'bfs']),
  BGPPeer: kind('BGPPeer', 'bgppeers', ['bgpp', 'bgpps', 'bp', 'bps']),
  CalicoNodeStatus: kind('CalicoNodeStatus', 'caliconodestatuses', ['nodestatus', 'nodestatuses']),
  ClusterInformation: kind('ClusterInformation', 'clusterinformations', ['clusterinfo', 'clusterinfos']),
  FelixConfiguration: kind('FelixConfiguration', 'felixconfigurations', ['felixconfig', 'felixconfigs']),
  GlobalNetworkPolicy: kind('GlobalNetworkPolicy', 'globalnetworkpolicies', ['gnp', 'gnps']),
  GlobalNetworkSet: kind('GlobalNetworkSet', 'globalnetworksets', ['gnetsets', 'gnetset', 'gns']),
  HostEndpoint: kind('HostEndpoint', 'hostendpoints', ['hep', 'heps']),
  IPAMConfiguration: kind('IPAMConfiguration', 'ipamconfigurations', ['ipamconfigurations.projectcalico.org']),
  IPPool: kind('IPPool', 'ippools', ['ipp', 'ipps', 'pool', 'pools']),
  IPReservation: kind('IPReservation', 'ipreservations', ['reservation', 'reservations']),
  KubeControllersConfiguration: kind('KubeControllersConfiguration', 'kubecontrollersconfigurations', ['kubecontrollersconfig', 'kubecontrollersconfigs']),
  NetworkPolicy: kind('NetworkPolicy', 'networkpolicies', ['policy', 'policies', 'np', 'nps', 'pol', 'pols'], true),
  NetworkSet: kind('NetworkSet', 'networksets', ['netset', 'netsets'], true),
  Node: kind('Node', 'nodes', ['no', 'nos']),
  Profile: kind('Profile', 'profiles', ['pro', 'pros']),
  StagedGlobalNetworkPolicy: kind('StagedGlobalNetworkPolicy', 'stagedglobalnetworkpolicies', ['sgnp', 'sgnps']),
  StagedKubernetesNetworkPolicy: kind(
    'StagedKubernetesNetworkPolicy',
    'stagedkubernetesnetworkpolicies',
    ['stagedkubernetespolicy', 'stagedkubernetespolicies', 'sknp', 'sknps', 'skpol', 'skpols'],
    true,
  ),
  StagedNetworkPolicy: kind('StagedNetworkPolicy', 'stagednetworkpolicies', ['stagedpolicy', 'stagedpolicies', 'snp', 'snps', 'spol', 'spols'], true),
  Tier: kind('Tier', 'tiers', []),
  WorkloadEndpoint: kind('WorkloadEndpoint', 'workloadendpoints', ['wep', 'weps'], true),
}

/** The kind that WORD means as Go's calicoctl reads it: kind, plural or alias in any case (`IPPool`, `pools`, `wep`); undefined if none. */
export function findKind(word: string): KindInfo | undefined {
  const wanted = word.toLowerCase()
  return Object.values(KINDS).find(
    (info) => info.kind.toLowerCase() === wanted || info.plural === wanted || info.aliases.includes(wanted),
  )
}

/** The kind whose list is called LIST_KIND (`ProfileList`); undefined if none. */
export function kindOfList(listKind: string): KindInfo | undefined {
  return Object.values(KINDS).find((info) => info.listKind === listKind)
}

/** Whether NAME is one of the kinds, spelled exactly as in an object's `kind`. */
export function isKindName(name: unknown): name is KindName {
  return typeof name === 'string' && Object.hasOwn(KINDS, name)
}
