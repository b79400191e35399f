/** The fields of IPPool, IPReservation, GlobalNetworkSet and ClusterInformation (datamodel-v3 §1.1, §1.5, §1.12, §2.3). */
import type {ClusterInformationSpec, Condition, ConditionsStatus, GlobalNetworkSetSpec, IPPoolSpec, IPReservationSpec} from '../types.js'
import {always, between, choice, type Codec, flag, given, integer, list, oneOf, struct, text, word} from './codec.js'
import {cidrOrAddress, selector} from './rules.js'
import {time} from './time.js'

const MODES = ['Never', 'Always', 'CrossSubnet'] as const
const USES = ['Workload', 'Tunnel', 'LoadBalancer'] as const

export const ipPool = struct<IPPoolSpec>({
  cidr: always(text()),
  vxlanMode: word(...MODES),
  ipipMode: word(...MODES),
  natOutgoing: flag,
  disabled: flag,
  disableBGPExport: flag,
  blockSize: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, between(0, 128)),
  nodeSelector: text(selector),
  namespaceSelector: text(selector),
  allowedUses: list(word(...USES), oneOf(USES)),
  assignmentMode: choice('Automatic', 'Manual'),
})

/** The status of pools and tiers. */
export const conditionsStatus: Codec<ConditionsStatus> = struct<ConditionsStatus>({
  conditions: list(
    struct<Condition>({
      type: always(text()),
      status: always(text()) as Codec<string> as Codec<Condition['status']>,
      observedGeneration: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      lastTransitionTime: always(time),
      reason: always(text()),
      message: always(text()),
    }),
  ),
})

export const ipReservation = struct<IPReservationSpec>({reservedCIDRs: list(text(), cidrOrAddress)})

export const globalNetworkSet = struct<GlobalNetworkSetSpec>({nets: list(text(), cidrOrAddress)})

export const clusterInformation = struct<ClusterInformationSpec>({
  clusterGUID: text(),
  clusterType: text(),
  calicoVersion: text(),
  datastoreReady: given(flag),
  variant: text(),
})
