/** CalicoNodeStatus, KubeControllersConfiguration, IPAMConfiguration and StagedKubernetesNetworkPolicy: rules over several fields (more-kinds §4–7). */
import type {CalicoNodeStatus, KubeControllersConfiguration, StagedKubernetesNetworkPolicy} from '../types.js'
import type {KindRules, Report, Situation} from './kind.js'
import {checkDeletion} from './policy.js'
import type {Problem, Resource} from '../resource.js'
import {port} from '../schema/values.js'

/** There is one object of its kind, called default. */
export function checkSingleton({metadata}: Resource, report: Report, {operation}: Situation): void {
  if (operation === 'create' && metadata.name !== 'default') report('metadata.name', `must be default, not ${JSON.stringify(metadata.name)}`)
}

/** An empty list of classes passes Calico's client and is dropped, so that the object cannot be updated any more: ours refuses it. */
export const calicoNodeStatusRules: KindRules<CalicoNodeStatus> = {
  check: ({spec}, report) => {
    if (!spec.node) report('spec.node', 'must be set')
    if (!spec.classes) report('spec.classes', 'must name at least one of Agent, BGP and Routes')
    if (new Set(spec.classes).size < (spec.classes?.length ?? 0)) report('spec.classes', 'has an entry twice')
    if (spec.updatePeriodSeconds === undefined) report('spec.updatePeriodSeconds', 'must be set; 0 means once')
  },
}

type KubeControllers = KubeControllersConfiguration['spec']

/** What the schema fills in, wherever these settings stand. */
function withSchemaDefaults(spec: KubeControllers): KubeControllers {
  const {loadBalancer, policyMigration} = spec.controllers
  return {
    ...spec,
    healthChecks: spec.healthChecks ?? 'Enabled',
    controllers: {
      ...spec.controllers,
      ...(loadBalancer ? {loadBalancer: {...loadBalancer, assignIPs: loadBalancer.assignIPs ?? 'AllServices'}} : {}),
      ...(policyMigration ? {policyMigration: {...policyMigration, enabled: policyMigration.enabled ?? 'Enabled'}} : {}),
    },
  }
}

/** What Calico's client adds to the spec. */
function withClientDefaults(spec: KubeControllers): KubeControllers {
  const {node} = spec.controllers
  return {
    ...spec,
    prometheusMetricsPort: spec.prometheusMetricsPort ?? 9094,
    controllers: {...spec.controllers, ...(node ? {node: {...node, leakGracePeriod: node.leakGracePeriod ?? '15m0s'}} : {})},
  }
}

export const kubeControllersConfigurationRules: KindRules<KubeControllersConfiguration> = {
  complete: (configuration) => {
    const {spec, status} = configuration
    return {
      ...configuration,
      spec: withClientDefaults(withSchemaDefaults(spec)),
      status: {...status, ...(status.runningConfig ? {runningConfig: withSchemaDefaults(status.runningConfig)} : {})},
    }
  },
  check: (configuration, report, situation) => {
    checkSingleton(configuration, report, situation)
    const templates = configuration.spec.controllers.node?.hostEndpoint?.templates ?? []
    templates.forEach(({generateName, interfaceCIDRs, interfacePattern}, index) => {
      const field = `spec.controllers.node.hostEndpoint.templates[${index}]`
      if (generateName === undefined) report(`${field}.generateName`, 'must be set')
      if (templates.findIndex((other) => other.generateName === generateName) < index) report(`${field}.generateName`, 'is used twice')
      if (!interfaceCIDRs && interfacePattern === undefined) report(field, 'needs interfaceCIDRs or interfacePattern')
    })
  },
}

const MOST_POLICY_TYPES = 2

/** Whether Calico's client reads TEXT as a port of a rule: what Kubernetes' port and endPort become there. */
function isPort(text: string): boolean {
  const unreadable: Problem[] = []
  port.decode(text, '', {unreadable})
  return unreadable.length === 0
}

export const stagedKubernetesNetworkPolicyRules: KindRules<StagedKubernetesNetworkPolicy> = {
  complete: (policy) => ({...policy, spec: {...policy.spec, stagedAction: policy.spec.stagedAction ?? 'Set'}}),
  check: ({spec}, report) => {
    for (const direction of ['ingress', 'egress'] as const) {
      spec[direction]?.forEach(({ports}, index) =>
        ports?.forEach(({port: first, endPort}, place) => {
          if (first === undefined) return
          const last = endPort === undefined ? '' : `:${endPort}`
          const [alone, range] = [String(first), `${first}${last}`].map(isPort)
          const field = `spec.${direction}[${index}].ports[${place}]`
          if (!alone) report(`${field}.port`, `must be a port from 0 to 65535 or a port name, not ${JSON.stringify(first)}`)
          else if (!range) report(`${field}.endPort`, `must be ${/^\d+$/.test(String(first)) ? `${first} to 65535` : 'absent with a named port'}, not ${endPort ?? ''}`)
        }),
      )
    }
    if ((spec.policyTypes?.length ?? 0) > MOST_POLICY_TYPES) report('spec.policyTypes', `must have at most ${MOST_POLICY_TYPES} entries`)
    const empty = Object.keys(spec.podSelector).length === 0
    checkDeletion(spec, ['stagedAction', ...(empty ? ['podSelector'] : [])], report)
  },
}
