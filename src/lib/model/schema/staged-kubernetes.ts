/** The fields of StagedKubernetesNetworkPolicy (more-kinds §4): Kubernetes' own types, of which Calico's client checks almost nothing. */
import type {KubernetesSelector, StagedKubernetesNetworkPolicySpec} from '../types.js'
import {always, type Codec, given, integer, list, refuse, struct, text, textMap, word} from './codec.js'

const INT32 = integer(-(2 ** 31), 2 ** 31 - 1)

/** A port by number or name. */
const numberOrName: Codec<number | string> = {
  decode: (value, path, findings) => {
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'bigint') return INT32.decode(value, path, findings)
    refuse(findings, path, 'a port or its name', value)
    return 0
  },
  zero: () => 0,
  isEmpty: () => false,
}

export function stagedKubernetesNetworkPolicy(): Codec<StagedKubernetesNetworkPolicySpec> {
  type Spec = StagedKubernetesNetworkPolicySpec
  type Port = NonNullable<NonNullable<Spec['ingress']>[number]['ports']>[number]
  type Peer = NonNullable<NonNullable<Spec['ingress']>[number]['from']>[number]
  const selector = struct<KubernetesSelector>({
    matchLabels: textMap,
    matchExpressions: list(
      struct<NonNullable<KubernetesSelector['matchExpressions']>[number]>({key: always(text()), operator: always(text()), values: list(text())}),
    ),
  })
  const ports = list(struct<Port>({protocol: given(text()), port: given(numberOrName), endPort: given(INT32)}))
  const peers = list(
    struct<Peer>({
      podSelector: given(selector),
      namespaceSelector: given(selector),
      ipBlock: given(struct<NonNullable<Peer['ipBlock']>>({cidr: always(text()), except: list(text())})),
    }),
  )
  return struct<Spec>({
    stagedAction: word('Set', 'Delete', 'Learn', 'Ignore'),
    podSelector: always(selector),
    ingress: list(struct<NonNullable<Spec['ingress']>[number]>({ports, from: peers})),
    egress: list(struct<NonNullable<Spec['egress']>[number]>({ports, to: peers})),
    policyTypes: list(text()),
  })
}
