/**
 * The v3 kinds as they are stored (datamodel-v3 §1). Every field is optional where Calico leaves it out when empty;
 * what Calico always writes is required. Lists are ordered, and all of it is readonly: an edit makes a new object.
 */
import type {FelixConfigurationFields} from './schema/felix-configuration.js'
import type {Resource} from './resource.js'

/** `Allow`, `Deny`, `Log` or `Pass`, spelled like this. */
export type Action = 'Allow' | 'Deny' | 'Log' | 'Pass'

/** A protocol by Calico's name (`TCP`) or by number, 1–255. */
export type Protocol = string | number

/** A port: 1–65535, a range `min:max`, or a named port. */
export type Port = number | string

export interface IcmpMatch {
  /** 0–254. */
  readonly type?: number
  /** 0–255; only together with a type. */
  readonly code?: number
}

/** What a rule says about one end of the traffic. An empty one matches everything. */
export interface EntityRule {
  readonly nets?: readonly string[]
  readonly selector?: string
  readonly namespaceSelector?: string
  readonly services?: {readonly name?: string; readonly namespace?: string}
  readonly ports?: readonly Port[]
  readonly notNets?: readonly string[]
  readonly notSelector?: string
  readonly notPorts?: readonly Port[]
  readonly serviceAccounts?: {readonly names?: readonly string[]; readonly selector?: string}
}

/** A rule of a profile or policy (datamodel-v3 §1.4). */
export interface Rule {
  readonly action: Action
  readonly ipVersion?: 4 | 6
  readonly protocol?: Protocol
  readonly icmp?: IcmpMatch
  readonly notProtocol?: Protocol
  readonly notICMP?: IcmpMatch
  readonly source?: EntityRule
  readonly destination?: EntityRule
  readonly http?: {
    readonly methods?: readonly string[]
    readonly paths?: readonly {readonly exact?: string; readonly prefix?: string}[]
  }
  readonly metadata?: {readonly annotations?: Readonly<Record<string, string>>}
}

export interface ProfileSpec {
  readonly ingress?: readonly Rule[]
  readonly egress?: readonly Rule[]
  /** The labels that endpoints of this profile inherit; a tag is a label with an empty value. */
  readonly labelsToApply?: Readonly<Record<string, string>>
}

export type EncapsulationMode = 'Never' | 'Always' | 'CrossSubnet'

export interface IPPoolSpec {
  readonly cidr: string
  readonly vxlanMode?: EncapsulationMode
  readonly ipipMode?: EncapsulationMode
  readonly natOutgoing?: boolean
  readonly disabled?: boolean
  readonly disableBGPExport?: boolean
  /** Prefix length of the pool's blocks: 20–32 for IPv4, 116–128 for IPv6. */
  readonly blockSize?: number
  readonly nodeSelector?: string
  readonly namespaceSelector?: string
  readonly allowedUses?: readonly ('Workload' | 'Tunnel' | 'LoadBalancer')[]
  readonly assignmentMode?: 'Automatic' | 'Manual'
}

/** A condition of a status, as Kubernetes writes them. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly observedGeneration?: number
  readonly lastTransitionTime: string
  readonly reason: string
  readonly message: string
}

export interface ConditionsStatus {
  readonly conditions?: readonly Condition[]
}

export interface WorkloadEndpointPort {
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
  readonly hostPort: number
  readonly hostIP: string
}

export interface QosControls {
  readonly ingressBandwidth?: number | bigint
  readonly ingressBurst?: number | bigint
  readonly ingressPeakrate?: number | bigint
  readonly ingressMinburst?: number | bigint
  readonly egressBandwidth?: number | bigint
  readonly egressBurst?: number | bigint
  readonly egressPeakrate?: number | bigint
  readonly egressMinburst?: number | bigint
  readonly ingressPacketRate?: number | bigint
  readonly ingressPacketBurst?: number | bigint
  readonly egressPacketRate?: number | bigint
  readonly egressPacketBurst?: number | bigint
  readonly ingressMaxConnections?: number | bigint
  readonly egressMaxConnections?: number | bigint
  readonly dscp?: number | string
}

/** Identity is in metadata.name, built from node, orchestrator, workload and endpoint (datamodel-v3 §1.6). */
export interface WorkloadEndpointSpec {
  readonly orchestrator?: string
  readonly workload?: string
  readonly node?: string
  readonly containerID?: string
  readonly pod?: string
  readonly endpoint?: string
  readonly serviceAccountName?: string
  /** Single addresses: `/32`, `/128` or without a prefix length. */
  readonly ipNetworks?: readonly string[]
  readonly ipNATs?: readonly {readonly internalIP: string; readonly externalIP: string}[]
  readonly ipv4Gateway?: string
  readonly ipv6Gateway?: string
  readonly profiles?: readonly string[]
  readonly interfaceName?: string
  readonly mac?: string
  readonly ports?: readonly WorkloadEndpointPort[]
  readonly allowSpoofedSourcePrefixes?: readonly string[]
  readonly qosControls?: QosControls
}

export interface HostEndpointSpec {
  readonly node?: string
  /** At most 15 characters, or `*` for all interfaces of the host. */
  readonly interfaceName?: string
  readonly expectedIPs?: readonly string[]
  readonly profiles?: readonly string[]
  readonly ports?: readonly {readonly name: string; readonly protocol: Protocol; readonly port: number}[]
}

export interface NodeBgpSpec {
  readonly asNumber?: number
  /** CIDR that keeps the host bits: `172.17.8.101/24`. */
  readonly ipv4Address?: string
  readonly ipv6Address?: string
  readonly ipv4IPIPTunnelAddr?: string
  readonly routeReflectorClusterID?: string
}

export interface NodeSpec {
  readonly bgp?: NodeBgpSpec
  readonly ipv4VXLANTunnelAddr?: string
  readonly vxlanTunnelMACAddr?: string
  readonly ipv6VXLANTunnelAddr?: string
  readonly vxlanTunnelMACAddrV6?: string
  readonly orchRefs?: readonly {readonly nodeName?: string; readonly orchestrator: string}[]
  readonly wireguard?: {readonly interfaceIPv4Address?: string; readonly interfaceIPv6Address?: string}
  readonly addresses?: readonly {readonly address: string; readonly type?: string}[]
  readonly interfaces?: readonly {readonly name?: string; readonly addresses?: readonly string[]}[]
}

export interface NodeStatus {
  readonly wireguardPublicKey?: string
  readonly wireguardPublicKeyV6?: string
  readonly podCIDRs?: readonly string[]
}

export interface BGPPassword {
  readonly secretKeyRef?: {readonly name?: string; readonly key: string; readonly optional?: boolean}
}

export interface BGPPeerSpec {
  readonly node?: string
  readonly nodeSelector?: string
  /** `ip`, `v4:port` or `[v6]:port`. */
  readonly peerIP?: string
  readonly asNumber?: number
  readonly localASNumber?: number
  readonly peerSelector?: string
  readonly keepOriginalNextHop?: boolean
  readonly nextHopMode?: 'Auto' | 'Self' | 'Keep'
  readonly password?: BGPPassword
  readonly sourceAddress?: 'UseNodeIP' | 'None'
  /** A Go duration: `1m30s`. */
  readonly maxRestartTime?: string
  readonly keepaliveTime?: string
  readonly numAllowedLocalASNumbers?: number
  readonly ttlSecurity?: number
  readonly reachableBy?: string
  readonly filters?: readonly string[]
  readonly localWorkloadSelector?: string
  readonly reversePeering?: 'Auto' | 'Manual'
}

export interface CidrBlock {
  readonly cidr?: string
}

export interface BGPConfigurationSpec {
  readonly logSeverityScreen?: string
  readonly nodeToNodeMeshEnabled?: boolean
  readonly asNumber?: number
  readonly serviceLoadBalancerIPs?: readonly CidrBlock[]
  readonly serviceExternalIPs?: readonly CidrBlock[]
  readonly serviceClusterIPs?: readonly CidrBlock[]
  readonly serviceLoadBalancerAggregation?: 'Enabled' | 'Disabled'
  readonly communities?: readonly {readonly name?: string; readonly value?: string}[]
  readonly prefixAdvertisements?: readonly {readonly cidr?: string; readonly communities?: readonly string[]}[]
  readonly listenPort?: number
  readonly nodeMeshPassword?: BGPPassword
  readonly nodeMeshMaxRestartTime?: string
  readonly bindMode?: 'None' | 'NodeIP'
  readonly ignoredInterfaces?: readonly string[]
  readonly localWorkloadPeeringIPV4?: string
  readonly localWorkloadPeeringIPV6?: string
  readonly programClusterRoutes?: 'Enabled' | 'Disabled'
  readonly ipv4NormalRoutePriority?: number
  readonly ipv6NormalRoutePriority?: number
}

/** Felix's settings: 150 fields, all optional; their types follow from the table in schema/felix-configuration.ts. */
export type FelixConfigurationSpec = FelixConfigurationFields

export interface ClusterInformationSpec {
  readonly clusterGUID?: string
  readonly clusterType?: string
  readonly calicoVersion?: string
  /** The Ready flag: false = locked; missing = Felix stops. */
  readonly datastoreReady?: boolean
  readonly variant?: string
}

export interface TierSpec {
  readonly order?: number
  readonly defaultAction?: 'Deny' | 'Pass'
}

export interface GlobalNetworkPolicySpec {
  readonly tier?: string
  readonly order?: number
  readonly ingress?: readonly Rule[]
  readonly egress?: readonly Rule[]
  readonly selector?: string
  readonly types?: readonly ('Ingress' | 'Egress')[]
  readonly doNotTrack?: boolean
  readonly preDNAT?: boolean
  readonly applyOnForward?: boolean
  readonly serviceAccountSelector?: string
  readonly namespaceSelector?: string
  readonly performanceHints?: readonly string[]
}

export interface GlobalNetworkSetSpec {
  readonly nets?: readonly string[]
}

export interface IPReservationSpec {
  readonly reservedCIDRs?: readonly string[]
}

/** A rule for routes; which family its CIDR is of follows from the list it is in. */
export interface BGPFilterRule {
  readonly cidr?: string
  readonly prefixLength?: {readonly min?: number; readonly max?: number}
  readonly source?: 'RemotePeers'
  readonly interface?: string
  readonly matchOperator?: 'Equal' | 'NotEqual' | 'In' | 'NotIn'
  readonly peerType?: 'eBGP' | 'iBGP'
  readonly communities?: {readonly values?: readonly string[]}
  readonly asPathPrefix?: readonly number[]
  readonly priority?: number
  readonly action: 'Accept' | 'Reject'
  readonly operations?: readonly BGPFilterOperation[]
}

/** Exactly one of them. */
export interface BGPFilterOperation {
  readonly addCommunity?: {readonly value?: string}
  readonly prependASPath?: {readonly prefix?: readonly number[]}
  readonly setPriority?: {readonly value?: number}
}

export interface BGPFilterSpec {
  readonly exportV4?: readonly BGPFilterRule[]
  readonly importV4?: readonly BGPFilterRule[]
  readonly exportV6?: readonly BGPFilterRule[]
  readonly importV6?: readonly BGPFilterRule[]
}

export type NetworkPolicySpec = Omit<GlobalNetworkPolicySpec, 'doNotTrack' | 'preDNAT' | 'applyOnForward' | 'namespaceSelector'>

export interface Staged {
  readonly stagedAction?: 'Set' | 'Delete' | 'Learn' | 'Ignore'
}
export interface StagedNetworkPolicySpec extends Staged, NetworkPolicySpec {}
export interface StagedGlobalNetworkPolicySpec extends Staged, GlobalNetworkPolicySpec {}

/** A selector as Kubernetes writes it. */
export interface KubernetesSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {readonly key: string; readonly operator: string; readonly values?: readonly string[]}[]
}

interface KubernetesPorts {
  readonly ports?: readonly {readonly protocol?: string; readonly port?: number | string; readonly endPort?: number}[]
}

interface KubernetesPeer {
  readonly podSelector?: KubernetesSelector
  readonly namespaceSelector?: KubernetesSelector
  readonly ipBlock?: {readonly cidr: string; readonly except?: readonly string[]}
}

export interface StagedKubernetesNetworkPolicySpec extends Staged {
  readonly podSelector: KubernetesSelector
  readonly ingress?: readonly (KubernetesPorts & {readonly from?: readonly KubernetesPeer[]})[]
  readonly egress?: readonly (KubernetesPorts & {readonly to?: readonly KubernetesPeer[]})[]
  readonly policyTypes?: readonly string[]
}

/** A request to a node to report about itself. */
export interface CalicoNodeStatusSpec {
  readonly node?: string
  readonly classes?: readonly ('Agent' | 'BGP' | 'Routes')[]
  /** 0 = once. */
  readonly updatePeriodSeconds?: number
}

interface BirdStatus {
  readonly state?: 'Ready' | 'NotReady'
  readonly version?: string
  readonly routerID?: string
  readonly lastBootTime?: string
  readonly lastReconfigurationTime?: string
}

interface BirdPeer {
  readonly peerIP?: string
  readonly type?: 'NodeMesh' | 'NodePeer' | 'GlobalPeer'
  readonly state?: 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established' | 'Close'
  readonly since?: string
}

interface BirdRoute {
  readonly type?: 'FIB' | 'RIB'
  readonly destination?: string
  readonly gateway?: string
  readonly interface?: string
  readonly learnedFrom?: {readonly sourceType?: 'Kernel' | 'Static' | 'Direct' | 'NodeMesh' | 'BGPPeer'; readonly peerIP?: string}
}

/** The node's answer. */
export interface CalicoNodeStatusStatus {
  /** RFC 3339; null = not yet answered. */
  readonly lastUpdated: string | null
  readonly agent: {readonly birdV4: BirdStatus; readonly birdV6: BirdStatus}
  readonly bgp: {
    readonly numberEstablishedV4: number
    readonly numberNotEstablishedV4: number
    readonly numberEstablishedV6: number
    readonly numberNotEstablishedV6: number
    readonly peersV4?: readonly BirdPeer[]
    readonly peersV6?: readonly BirdPeer[]
  }
  readonly routes: {readonly routesV4?: readonly BirdRoute[]; readonly routesV6?: readonly BirdRoute[]}
}

type Switch = 'Enabled' | 'Disabled'

interface Periodic {
  readonly reconcilerPeriod?: string
}

export interface KubeControllersConfigurationSpec {
  readonly logSeverityScreen?: 'Debug' | 'Info' | 'Warning' | 'Error' | 'Fatal'
  readonly healthChecks?: Switch
  readonly etcdV3CompactionPeriod?: string
  readonly prometheusMetricsPort?: number
  readonly controllers: {
    readonly node?: Periodic & {
      readonly syncLabels?: Switch
      readonly hostEndpoint?: {
        readonly autoCreate?: Switch
        readonly createDefaultHostEndpoint?: Switch
        readonly templates?: readonly {
          readonly generateName?: string
          readonly interfaceCIDRs?: readonly string[]
          readonly interfacePattern?: string
          readonly labels?: Readonly<Record<string, string>>
          readonly nodeSelector?: string
        }[]
      }
      readonly leakGracePeriod?: string
    }
    readonly policy?: Periodic
    readonly workloadEndpoint?: Periodic
    readonly serviceAccount?: Periodic
    readonly namespace?: Periodic
    readonly loadBalancer?: {readonly assignIPs?: 'AllServices' | 'RequestedServicesOnly'}
    readonly policyMigration?: {readonly enabled?: Switch}
  }
  readonly debugProfilePort?: number
}

export interface KubeControllersConfigurationStatus {
  readonly runningConfig?: KubeControllersConfigurationSpec
  readonly environmentVars?: Readonly<Record<string, string>>
}

/** Read by no one on etcd: IPAM's settings are a key of their own (IPAM_CONFIG_KEY). */
export interface IPAMConfigurationSpec {
  readonly strictAffinity: boolean
  readonly maxBlocksPerHost?: number
  readonly autoAllocateBlocks: boolean
  readonly kubeVirtVMAddressPersistence?: Switch
}

export type BGPFilter = Resource<BGPFilterSpec>
export type NetworkPolicy = Resource<NetworkPolicySpec>
export type NetworkSet = Resource<GlobalNetworkSetSpec>
export type StagedGlobalNetworkPolicy = Resource<StagedGlobalNetworkPolicySpec>
export type StagedNetworkPolicy = Resource<StagedNetworkPolicySpec>
export type StagedKubernetesNetworkPolicy = Resource<StagedKubernetesNetworkPolicySpec>
export type CalicoNodeStatus = Resource<CalicoNodeStatusSpec> & {readonly status: CalicoNodeStatusStatus}
export type KubeControllersConfiguration = Resource<KubeControllersConfigurationSpec> & {readonly status: KubeControllersConfigurationStatus}
export type IPAMConfiguration = Resource<IPAMConfigurationSpec>
export type Profile = Resource<ProfileSpec>
export type IPPool = Resource<IPPoolSpec> & {readonly status?: ConditionsStatus}
export type WorkloadEndpoint = Resource<WorkloadEndpointSpec>
export type HostEndpoint = Resource<HostEndpointSpec>
export type Node = Resource<NodeSpec> & {readonly status?: NodeStatus}
export type BGPPeer = Resource<BGPPeerSpec>
export type BGPConfiguration = Resource<BGPConfigurationSpec>
export type FelixConfiguration = Resource<FelixConfigurationSpec>
export type ClusterInformation = Resource<ClusterInformationSpec>
export type Tier = Resource<TierSpec> & {readonly status?: ConditionsStatus}
export type GlobalNetworkPolicy = Resource<GlobalNetworkPolicySpec>
export type GlobalNetworkSet = Resource<GlobalNetworkSetSpec>
export type IPReservation = Resource<IPReservationSpec>

/** Kind name → type of its resources, for generic code: `ResourceOf['IPPool']`. */
export interface ResourceOf {
  BGPConfiguration: BGPConfiguration
  BGPFilter: BGPFilter
  BGPPeer: BGPPeer
  CalicoNodeStatus: CalicoNodeStatus
  ClusterInformation: ClusterInformation
  FelixConfiguration: FelixConfiguration
  GlobalNetworkPolicy: GlobalNetworkPolicy
  GlobalNetworkSet: GlobalNetworkSet
  HostEndpoint: HostEndpoint
  IPAMConfiguration: IPAMConfiguration
  IPPool: IPPool
  IPReservation: IPReservation
  KubeControllersConfiguration: KubeControllersConfiguration
  NetworkPolicy: NetworkPolicy
  NetworkSet: NetworkSet
  Node: Node
  Profile: Profile
  StagedGlobalNetworkPolicy: StagedGlobalNetworkPolicy
  StagedKubernetesNetworkPolicy: StagedKubernetesNetworkPolicy
  StagedNetworkPolicy: StagedNetworkPolicy
  Tier: Tier
  WorkloadEndpoint: WorkloadEndpoint
}
