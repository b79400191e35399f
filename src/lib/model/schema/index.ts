/** The whole object of each kind: envelope, metadata, spec and status in the order in which Go writes them (datamodel-v3 §0.3, §0.5). */
import type {KindName, Metadata, Resource} from '../resource.js'
import {always, type Codec, type Field, type FieldsOf, flag, given, int64, list, refuse, struct, text, textMap} from './codec.js'
import {bgpFilter} from './bgp-filter.js'
import {bgpConfiguration, bgpPeer, node, nodeStatus} from './bgp.js'
import {calicoNodeStatus, calicoNodeStatusStatus, ipamConfiguration, kubeControllersConfiguration, kubeControllersConfigurationStatus} from './controllers.js'
import {hostEndpoint, workloadEndpoint} from './endpoints.js'
import {felixConfiguration} from './felix-configuration.js'
import {clusterInformation, conditionsStatus, globalNetworkSet, ipPool, ipReservation} from './networks.js'
import {globalNetworkPolicy, networkPolicy, profile, stagedGlobalNetworkPolicy, stagedNetworkPolicy, tier} from './policy.js'
import {stagedKubernetesNetworkPolicy} from './staged-kubernetes.js'
import {time} from './time.js'

/** A value that is carried as it is: fields of Kubernetes that mean nothing here. */
const opaqueList: Codec<unknown> = {
  decode: (value, path, findings) => {
    if (!Array.isArray(value)) refuse(findings, path, 'a list', value)
    return value
  },
  zero: () => [],
  isEmpty: (value) => Array.isArray(value) && value.length === 0,
}

/** A field that is read and never written. */
const dropped: Field<string> = {...text(), isEmpty: () => true}

interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

const ownerReference = struct<OwnerReference>({
  apiVersion: always(text()),
  kind: always(text()),
  name: always(text()),
  uid: always(text()),
  controller: given(flag),
  blockOwnerDeletion: given(flag),
})

interface StoredMetadata {
  name: string
  generateName?: string
  namespace?: string
  selfLink?: string
  uid?: string
  resourceVersion?: string
  generation?: number | bigint
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number | bigint
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  ownerReferences?: readonly OwnerReference[]
  finalizers?: readonly string[]
  managedFields?: unknown
}

const METADATA: FieldsOf<StoredMetadata> = {
  name: always(text()),
  generateName: text(),
  namespace: text(),
  selfLink: dropped,
  uid: text(),
  resourceVersion: dropped,
  generation: int64,
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: given(int64),
  labels: textMap,
  annotations: textMap,
  ownerReferences: list(ownerReference),
  finalizers: list(text()),
  managedFields: opaqueList,
}

const metadata = struct<StoredMetadata>(METADATA) as unknown as Codec<Metadata>

interface Whole {
  kind: string
  apiVersion: string
  metadata: Metadata
  spec: object
  status?: object
}

function resource<Spec extends object>(spec: Codec<Spec>, status?: Field<object>): Codec<Resource<Spec>> {
  const fields = {kind: always(text()), apiVersion: always(text()), metadata: always(metadata), spec: always(spec), ...(status ? {status} : {})}
  return struct<Whole>(fields as unknown as FieldsOf<Whole>) as Codec<object> as Codec<Resource<Spec>>
}

/** A codec that is made when it is first asked for: kinds that few commands see must not cost each start. */
function lazily<T>(make: () => Codec<T>): Codec<T> {
  let made: Codec<T> | undefined
  const codec = (): Codec<T> => (made ??= make())
  return {
    decode: (value, path, findings) => codec().decode(value, path, findings),
    zero: () => codec().zero(),
    isEmpty: (value) => codec().isEmpty(value),
    unknown: (value, path) => codec().unknown?.(value, path) ?? [],
    get fields() {
      return codec().fields
    },
  } as Codec<T>
}

export const RESOURCES: Readonly<Record<KindName, Codec<Resource>>> = {
  BGPConfiguration: resource(bgpConfiguration),
  BGPFilter: lazily(() => resource(bgpFilter())),
  BGPPeer: resource(bgpPeer),
  CalicoNodeStatus: lazily(() => resource(calicoNodeStatus(), always(calicoNodeStatusStatus()))),
  ClusterInformation: resource(clusterInformation),
  FelixConfiguration: resource(felixConfiguration),
  GlobalNetworkPolicy: resource(globalNetworkPolicy),
  GlobalNetworkSet: resource(globalNetworkSet),
  HostEndpoint: resource(hostEndpoint),
  IPAMConfiguration: lazily(() => resource(ipamConfiguration())),
  IPPool: resource(ipPool, given(conditionsStatus)),
  IPReservation: resource(ipReservation),
  KubeControllersConfiguration: lazily(() => resource(kubeControllersConfiguration(), always(kubeControllersConfigurationStatus()))),
  NetworkPolicy: lazily(() => resource(networkPolicy())),
  NetworkSet: resource(globalNetworkSet),
  Node: resource(node, always(nodeStatus)),
  Profile: resource(profile),
  StagedGlobalNetworkPolicy: lazily(() => resource(stagedGlobalNetworkPolicy())),
  StagedKubernetesNetworkPolicy: lazily(() => resource(stagedKubernetesNetworkPolicy())),
  StagedNetworkPolicy: lazily(() => resource(stagedNetworkPolicy())),
  Tier: resource(tier, always(conditionsStatus)),
  WorkloadEndpoint: resource(workloadEndpoint),
}
