/** The envelope that every v3 resource shares (datamodel-v3 §0.3). */

export const API_VERSION = 'projectcalico.org/v3'

export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  /** RFC 3339, UTC, whole seconds. */
  readonly creationTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** The key's revision in decimal: shown to users, never stored. */
  readonly resourceVersion?: string
  /** What newer Calicos may add is carried along. */
  readonly [field: string]: unknown
}

/** A stored v3 object. Objects are never changed in place: an edit is a function from one to the next. */
export interface Resource<Spec extends object = object> {
  readonly kind: string
  readonly apiVersion: string
  readonly metadata: Metadata
  readonly spec: Spec
  readonly status?: unknown
  readonly [field: string]: unknown
}

/** The v3 kinds this product reads and writes, by their name in `kind`. */
export const KIND_NAMES = [
  'BGPConfiguration',
  'BGPFilter',
  'BGPPeer',
  'CalicoNodeStatus',
  'ClusterInformation',
  'FelixConfiguration',
  'GlobalNetworkPolicy',
  'GlobalNetworkSet',
  'HostEndpoint',
  'IPAMConfiguration',
  'IPPool',
  'IPReservation',
  'KubeControllersConfiguration',
  'NetworkPolicy',
  'NetworkSet',
  'Node',
  'Profile',
  'StagedGlobalNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'StagedNetworkPolicy',
  'Tier',
  'WorkloadEndpoint',
] as const

export type KindName = (typeof KIND_NAMES)[number]

/** Something wrong with an object: the field's path as a user would write it (`spec.ingress[0].protocol`), and what is wrong with it. */
export interface Problem {
  readonly field: string
  readonly message: string
}

/** PROBLEM as a line for people: where, and what. */
export const problemText = ({field, message}: Problem): string => (field ? `${field}: ${message}` : message)
