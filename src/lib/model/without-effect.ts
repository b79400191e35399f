/** Kinds that can be stored in etcd and that no one reads there without Kubernetes (more-kinds §5–8): what writes one says so. */
import type {KindName} from './resource.js'

const WITHOUT_EFFECT: Partial<Record<KindName, string>> = {
  IPAMConfiguration: "nothing reads it in etcd: IPAM's settings there are changed with calicoctl ipam configure",
  KubeControllersConfiguration: 'only calico-kube-controllers reads it, which needs Kubernetes',
  StagedKubernetesNetworkPolicy: 'its selectors are over pods, which exist with Kubernetes only',
}

/** Why an object of KIND changes nothing on etcd, as the rest of a sentence (`it has no effect: …`); undefined for kinds that have an effect. */
export const withoutEffect = (kind: KindName): string | undefined => WITHOUT_EFFECT[kind]
