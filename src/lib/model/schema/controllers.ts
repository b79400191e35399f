/** The fields of the kinds that others than Felix and confd read: CalicoNodeStatus, KubeControllersConfiguration and IPAMConfiguration (more-kinds §5–7). */
import type {CalicoNodeStatusSpec, CalicoNodeStatusStatus, IPAMConfigurationSpec, KubeControllersConfigurationSpec, KubeControllersConfigurationStatus} from '../types.js'
import {always, between, choice, type Codec, type Field, flag, given, integer, list, oneOf, struct, text, textMap, word} from './codec.js'
import {atMost, resourceName} from './rules.js'
import {time} from './time.js'
import {duration} from './values.js'

const LEAST = Number.MIN_SAFE_INTEGER
const MOST = Number.MAX_SAFE_INTEGER
const CLASSES = ['Agent', 'BGP', 'Routes'] as const

/** A time that is written as null while there is none. */
const timeOrNull: Field<string | null> = {
  decode: (value, path, findings) => {
    const decoded = time.decode(value, path, findings)
    return time.isEmpty(decoded) ? null : decoded
  },
  zero: () => null,
  isEmpty: (value) => value === null,
  written: 'always',
}

export function calicoNodeStatus(): Codec<CalicoNodeStatusSpec> {
  return struct<CalicoNodeStatusSpec>({
    node: text(resourceName),
    classes: list(word(...CLASSES), oneOf(CLASSES)),
    updatePeriodSeconds: given(integer(0, 2 ** 32 - 1), between(0, 86400)),
  })
}

export function calicoNodeStatusStatus(): Codec<CalicoNodeStatusStatus> {
  type Status = CalicoNodeStatusStatus
  type Peer = NonNullable<Status['bgp']['peersV4']>[number]
  type Route = NonNullable<Status['routes']['routesV4']>[number]
  const count = always(integer(LEAST, MOST))
  const daemon = always(
    struct<Status['agent']['birdV4']>({
      state: word('Ready', 'NotReady'),
      version: text(),
      routerID: text(),
      lastBootTime: text(),
      lastReconfigurationTime: text(),
    }),
  )
  const peers = list(
    struct<Peer>({
      peerIP: text(),
      type: word('NodeMesh', 'NodePeer', 'GlobalPeer'),
      state: word('Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established', 'Close'),
      since: text(),
    }),
  )
  const routes = list(
    struct<Route>({
      type: word('FIB', 'RIB'),
      destination: text(),
      gateway: text(),
      interface: text(),
      learnedFrom: always(
        struct<NonNullable<Route['learnedFrom']>>({sourceType: word('Kernel', 'Static', 'Direct', 'NodeMesh', 'BGPPeer'), peerIP: text()}),
      ),
    }),
  )
  return struct<Status>({
    lastUpdated: timeOrNull,
    agent: always(struct<Status['agent']>({birdV4: daemon, birdV6: daemon})),
    bgp: always(
      struct<Status['bgp']>({
        numberEstablishedV4: count,
        numberNotEstablishedV4: count,
        numberEstablishedV6: count,
        numberNotEstablishedV6: count,
        peersV4: peers,
        peersV6: peers,
      }),
    ),
    routes: always(struct<Status['routes']>({routesV4: routes, routesV6: routes})),
  })
}

/** What the tags of Go's client and the schema of the CRD both allow. */
const logLevel = word('Debug', 'Info', 'Warning', 'Error', 'Fatal')

export function kubeControllersConfiguration(): Codec<KubeControllersConfigurationSpec> {
  type Controllers = KubeControllersConfigurationSpec['controllers']
  type HostEndpoint = NonNullable<NonNullable<Controllers['node']>['hostEndpoint']>
  const period = given(duration)
  const port = given(integer(LEAST, MOST), between(0, 65535))
  const switched = word('Enabled', 'Disabled')
  const periodic = given(struct<NonNullable<Controllers['policy']>>({reconcilerPeriod: period}))
  const hostEndpoint = struct<HostEndpoint>({
    autoCreate: switched,
    createDefaultHostEndpoint: switched,
    templates: list(
      struct<NonNullable<HostEndpoint['templates']>[number]>({
        generateName: text(atMost(253)),
        interfaceCIDRs: list(text()),
        interfacePattern: text(),
        labels: textMap,
        nodeSelector: text(),
      }),
    ),
  })
  return struct<KubeControllersConfigurationSpec>({
    logSeverityScreen: logLevel,
    healthChecks: switched,
    etcdV3CompactionPeriod: period,
    prometheusMetricsPort: port,
    controllers: always(
      struct<Controllers>({
        node: given(
          struct<NonNullable<Controllers['node']>>({
            reconcilerPeriod: period,
            syncLabels: switched,
            hostEndpoint: given(hostEndpoint),
            leakGracePeriod: period,
          }),
        ),
        policy: periodic,
        workloadEndpoint: periodic,
        serviceAccount: periodic,
        namespace: periodic,
        loadBalancer: given(struct<NonNullable<Controllers['loadBalancer']>>({assignIPs: word('AllServices', 'RequestedServicesOnly')})),
        policyMigration: given(struct<NonNullable<Controllers['policyMigration']>>({enabled: switched})),
      }),
    ),
    debugProfilePort: port,
  })
}

/** Written by calico-kube-controllers for people to read: the settings in force, in the form of the spec. */
export function kubeControllersConfigurationStatus(): Codec<KubeControllersConfigurationStatus> {
  return struct<KubeControllersConfigurationStatus>({runningConfig: given(kubeControllersConfiguration()), environmentVars: textMap})
}

export function ipamConfiguration(): Codec<IPAMConfigurationSpec> {
  return struct<IPAMConfigurationSpec>({
    strictAffinity: always(flag),
    maxBlocksPerHost: integer(-(2 ** 31), 2 ** 31 - 1, between(0, 1_000_000)),
    autoAllocateBlocks: always(flag),
    kubeVirtVMAddressPersistence: choice('Enabled', 'Disabled'),
  })
}
