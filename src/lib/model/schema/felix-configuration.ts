/** FelixConfiguration's fields (datamodel-v3 §1.17, §2.5): the order, type and allowed values of each. */
import {always, between, choice, type Codec, type Field, flag, given, integer, list, type Rule, struct, text, textMap, word} from './codec.js'
import {anyCase, cidrOrAddress, interfaceFilter, interfaceName, ipv4, ipv4CidrOrAddress, ipv6, logLevel, atMost, usablePort} from './rules.js'
import {isGoRegexp} from './go-regexp.js'
import {dscp, duration, port} from './values.js'

const LEAST = Number.MIN_SAFE_INTEGER
const MOST = Number.MAX_SAFE_INTEGER

/** The rule that TEXT matches PATTERN, which is only compiled when it is asked for; EXPECTED completes `must be …`. */
const like = (pattern: string, expected: string): Rule<string> => (value) =>
  new RegExp(pattern).test(value) ? undefined : `must be ${expected}, not ${JSON.stringify(value)}`

const bool = given(flag)
const int = given(integer(LEAST, MOST))
const uint32 = given(integer(0, 2 ** 32 - 1))
const intOf = (least: number, most: number): Field<number> => given(integer(LEAST, MOST), between(least, most))

/** Durations whose schema allows whole numbers of h, m, s and ms only. */
const time = given(duration, like('^(\\d+(ms|s|m|h))*$', 'made of whole hours, minutes, seconds and milliseconds ("1m30s", "500ms")'))
const fractionalTime = given(duration, like('^(\\d+(\\.\\d+)?(ms|s|m|h))*$', 'made of hours, minutes, seconds and milliseconds'))

const featureDetectOverride = like('^([\\w-]+=(true|false|),)*([\\w-]+=(true|false|))?$', 'a list such as "Feature=true,Other=false"')
const featureGates = like('^([\\w-]+=[^=]+,)*([\\w-]+=[^=]+)?$', 'a list such as "Feature=enabled,Other=2"')
const logPrefix = like('^[a-zA-Z0-9%: /_-]*$', 'made of letters, digits, blanks and % : / _ -')
const logActionRateLimit = like('^[1-9]\\d{0,3}/(second|minute|hour|day)$', 'a rate such as "10/minute"')
const openstackRegion = like('^(?=.{1,46}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'a DNS label of at most 46 characters')
const prometheusHost = like('^[a-zA-Z0-9:._+-]{1,64}$', 'a host name or address')
const goRegexp: Rule<string> = (value) => (isGoRegexp(value) ? undefined : `must be a regular expression as Go reads it, not ${JSON.stringify(value)}`)
const interfaceKeys: Rule<Readonly<Record<string, string>>> = (value) => {
  const wrong = Object.keys(value).find((key) => key === '*' || interfaceName(key) !== undefined)
  return wrong === undefined ? undefined : `must have interface names as keys, not ${JSON.stringify(wrong)}`
}

/** Calico's client cannot check this field without crashing. */
const unusable: Field<number> = given(integer(LEAST, MOST), () => 'cannot be set through Calico v3.32: its client crashes on it')

export interface ProtoPort {
  readonly protocol?: string
  readonly port: number
  readonly net?: string
}

const protoPort = struct<ProtoPort>({protocol: text(), port: always(integer(0, 65535)), net: text()})

const healthTimeoutOverride = struct<{readonly name: string; readonly timeout: string}>({
  name: always(text()),
  timeout: always(duration),
})

const routeTableRange = struct<{readonly min: number; readonly max: number}>({
  min: always(integer(LEAST, MOST)),
  max: always(integer(LEAST, MOST)),
})

const conntrackTimeout = given(
  text(),
  like('^((\\d*(\\.\\d*)?(us|[msh]))+|Auto)$', 'a duration such as "60s", or Auto'),
)

/** Timeouts of BPF's connection tracking. */
export interface ConntrackTimeouts {
  readonly creationGracePeriod?: string
  readonly tcpSynSent?: string
  readonly tcpEstablished?: string
  readonly tcpFinsSeen?: string
  readonly tcpResetSeen?: string
  readonly udpTimeout?: string
  readonly genericTimeout?: string
  readonly icmpTimeout?: string
}

const conntrackTimeouts = struct<ConntrackTimeouts>({
  creationGracePeriod: conntrackTimeout,
  tcpSynSent: conntrackTimeout,
  tcpEstablished: conntrackTimeout,
  tcpFinsSeen: conntrackTimeout,
  tcpResetSeen: conntrackTimeout,
  udpTimeout: conntrackTimeout,
  genericTimeout: conntrackTimeout,
  icmpTimeout: conntrackTimeout,
})

/** One entry per field; `satisfies` keeps the type of each, from which FelixConfigurationFields follows. */
const FIELDS = {
  nodeSelector: given(text(), atMost(1024)),
  useInternalDataplaneDriver: bool,
  dataplaneDriver: text(),
  dataplaneWatchdogTimeout: given(duration),
  ipv6Support: bool,
  routeRefreshInterval: time,
  interfaceRefreshInterval: time,
  iptablesRefreshInterval: time,
  iptablesPostWriteCheckInterval: time,
  iptablesLockProbeInterval: time,
  featureDetectOverride: text(featureDetectOverride),
  featureGates: text(featureGates),
  ipsetsRefreshInterval: time,
  maxIpsetSize: int,
  iptablesBackend: choice('Legacy', 'NFT', 'Auto'),
  xdpRefreshInterval: time,
  netlinkTimeout: time,
  metadataAddr: text(),
  metadataPort: int,
  openstackRegion: text(openstackRegion),
  interfacePrefix: text(),
  interfaceExclude: text(),
  chainInsertMode: text(anyCase(['Insert', 'Append'])),
  defaultEndpointToHostAction: word('Drop', 'Accept', 'Return'),
  iptablesFilterAllowAction: word('Accept', 'Return'),
  iptablesMangleAllowAction: word('Accept', 'Return'),
  iptablesFilterDenyAction: word('Drop', 'Reject'),
  logPrefix: text(logPrefix),
  logActionRateLimit: given(text(), logActionRateLimit),
  logActionRateLimitBurst: intOf(0, 9999),
  logFilePath: text(),
  logSeverityFile: text(logLevel),
  logSeverityScreen: text(logLevel),
  logSeveritySys: text(logLevel),
  logDebugFilenameRegex: text(goRegexp),
  ipipEnabled: bool,
  ipipMTU: int,
  vxlanEnabled: bool,
  vxlanMTU: int,
  vxlanMTUV6: int,
  vxlanPort: int,
  vxlanVNI: int,
  allowVXLANPacketsFromWorkloads: bool,
  allowIPIPPacketsFromWorkloads: bool,
  reportingInterval: time,
  reportingTTL: time,
  endpointReportingEnabled: bool,
  endpointReportingDelay: time,
  endpointStatusPathPrefix: text(),
  iptablesMarkMask: uint32,
  disableConntrackInvalidCheck: bool,
  healthEnabled: bool,
  healthHost: given(text()),
  healthPort: int,
  healthTimeoutOverrides: list(healthTimeoutOverride),
  prometheusMetricsEnabled: bool,
  prometheusMetricsHost: text(prometheusHost),
  prometheusMetricsPort: int,
  prometheusGoMetricsEnabled: bool,
  prometheusProcessMetricsEnabled: bool,
  prometheusWireGuardMetricsEnabled: bool,
  prometheusMetricsCAFile: given(text()),
  prometheusMetricsCertFile: given(text()),
  prometheusMetricsKeyFile: given(text()),
  prometheusMetricsClientAuth: choice('RequireAndVerifyClientCert', 'RequireAnyClientCert', 'VerifyClientCertIfGiven', 'NoClientCert'),
  failsafeInboundHostPorts: given(list(protoPort)),
  failsafeOutboundHostPorts: given(list(protoPort)),
  kubeNodePortRanges: given(list(port, usablePort)),
  policySyncPathPrefix: text(),
  usageReportingEnabled: bool,
  usageReportingInitialDelay: time,
  usageReportingInterval: time,
  natPortRange: given(port, usablePort),
  natOutgoingAddress: text(ipv4),
  natOutgoingExclusions: choice('IPPoolsOnly', 'IPPoolsAndHostIPs'),
  deviceRouteSourceAddress: text(ipv4),
  deviceRouteSourceAddressIPv6: text(ipv6),
  deviceRouteProtocol: int,
  removeExternalRoutes: bool,
  programClusterRoutes: choice('Enabled', 'Disabled'),
  ipForwarding: word('Enabled', 'Disabled'),
  externalNodesList: given(list(text(), ipv4CidrOrAddress)),
  debugMemoryProfilePath: text(),
  debugDisableLogDropping: bool,
  debugSimulateCalcGraphHangAfter: time,
  debugSimulateDataplaneHangAfter: time,
  debugSimulateDataplaneApplyDelay: time,
  debugHost: given(text()),
  debugPort: intOf(0, 65535),
  iptablesNATOutgoingInterfaceFilter: text(interfaceFilter),
  sidecarAccelerationEnabled: bool,
  xdpEnabled: bool,
  genericXDPEnabled: bool,
  nftablesMode: choice('Disabled', 'Enabled', 'Auto'),
  nftablesRefreshInterval: given(duration),
  nftablesFilterAllowAction: word('Accept', 'Return'),
  nftablesMangleAllowAction: word('Accept', 'Return'),
  nftablesFilterDenyAction: word('Drop', 'Reject'),
  nftablesMarkMask: uint32,
  bpfEnabled: bool,
  bpfDisableUnprivileged: bool,
  bpfJITHardening: choice('Auto', 'Strict'),
  bpfLogLevel: always(word('Off', 'Info', 'Debug')),
  bpfConntrackLogLevel: word('Off', 'Debug'),
  bpfConntrackMode: choice('Auto', 'Userspace', 'BPFProgram'),
  bpfConntrackTimeouts: given(conntrackTimeouts),
  bpfLogFilters: given(textMap, interfaceKeys),
  bpfCTLBLogFilter: text(),
  bpfDataIfacePattern: text(goRegexp),
  bpfL3IfacePattern: text(goRegexp),
  bpfConnectTimeLoadBalancingEnabled: bool,
  bpfConnectTimeLoadBalancing: choice('TCP', 'Enabled', 'Disabled'),
  bpfHostNetworkedNATWithoutCTLB: choice('Enabled', 'Disabled'),
  bpfExternalServiceMode: word('Tunnel', 'DSR'),
  bpfDSROptoutCIDRs: given(list(text(), cidrOrAddress)),
  bpfExtToServiceConnmark: intOf(0, 4294967295),
  bpfKubeProxyIptablesCleanupEnabled: bool,
  bpfKubeProxyMinSyncPeriod: time,
  bpfKubeProxyHealthzPort: intOf(0, 65535),
  bpfPSNATPorts: given(port, usablePort),
  bpfMapSizeNATFrontend: int,
  bpfMapSizeNATBackend: int,
  bpfMapSizeNATAffinity: int,
  bpfMapSizeRoute: int,
  bpfMapSizeConntrack: int,
  bpfMapSizePerCpuConntrack: int,
  bpfMapSizeConntrackScaling: text(anyCase(['Disabled', 'DoubleIfFull'])),
  bpfMapSizeConntrackCleanupQueue: intOf(1, MOST),
  bpfMapSizeIPSets: int,
  bpfMapSizeIfState: int,
  bpfHostConntrackBypass: bool,
  bpfEnforceRPF: text(anyCase(['Disabled', 'Strict', 'Loose'])),
  bpfPolicyDebugEnabled: bool,
  bpfForceTrackPacketsFromIfaces: given(list(text(), interfaceFilter)),
  bpfDisableGROForIfaces: text(goRegexp),
  bpfExcludeCIDRsFromNAT: given(list(text(), cidrOrAddress)),
  bpfExportBufferSizeMB: unusable,
  istioAmbientMode: choice('Enabled', 'Disabled'),
  istioDSCPMark: given(dscp),
  cgroupV2Path: text(),
  flowLogsPolicyEvaluationMode: choice('None', 'Continuous'),
  bpfRedirectToPeer: word('Enabled', 'Disabled'),
  bpfAttachType: choice('TC', 'TCX'),
  flowLogsFlushInterval: time,
  flowLogsCollectorDebugTrace: bool,
  flowLogsGoldmaneServer: given(text()),
  flowLogsLocalReporter: choice('Disabled', 'Enabled'),
  bpfProfiling: word('Enabled', 'Disabled'),
  routeSource: text(anyCase(['WorkloadIPs', 'CalicoIPAM'])),
  routeTableRanges: given(list(routeTableRange)),
  routeTableRange: given(routeTableRange),
  routeSyncDisabled: bool,
  ipv4NormalRoutePriority: intOf(1, 2147483646),
  ipv4ElevatedRoutePriority: intOf(1, 2147483646),
  ipv6NormalRoutePriority: intOf(1, 2147483646),
  ipv6ElevatedRoutePriority: intOf(1, 2147483646),
  liveMigrationRouteConvergenceTime: fractionalTime,
  wireguardEnabled: bool,
  wireguardEnabledV6: bool,
  wireguardThreadingEnabled: bool,
  wireguardListeningPort: intOf(1, 65535),
  wireguardListeningPortV6: intOf(1, 65535),
  wireguardRoutingRulePriority: intOf(1, 32765),
  wireguardInterfaceName: text(interfaceName),
  wireguardInterfaceNameV6: text(interfaceName),
  wireguardMTU: int,
  wireguardMTUV6: int,
  wireguardHostEncryptionEnabled: bool,
  wireguardKeepAlive: time,
  awsSrcDstCheck: choice('DoNothing', 'Enable', 'Disable'),
  serviceLoopPrevention: word('Drop', 'Reject', 'Disabled'),
  workloadSourceSpoofing: word('Disabled', 'Any'),
  mtuIfacePattern: text(goRegexp),
  floatingIPs: choice('Enabled', 'Disabled'),
  windowsManageFirewallRules: choice('Enabled', 'Disabled'),
  goGCThreshold: intOf(-1, MOST),
  goMemoryLimitMB: intOf(-1, MOST),
  goMaxProcs: intOf(-1, MOST),
  requireMTUFile: bool,
  bpfMaglevMaxEndpointsPerService: intOf(1, 3000),
  bpfMaglevMaxServices: intOf(1, 3000),
} satisfies Readonly<Record<string, Codec<unknown>>>

type ValueOf<F> = F extends Codec<infer T> ? T : never

/** The fields of FelixConfiguration with their types, all optional. */
export type FelixConfigurationFields = {readonly [K in keyof typeof FIELDS]?: ValueOf<(typeof FIELDS)[K]>}

export const felixConfiguration = struct<FelixConfigurationFields>(FIELDS)
