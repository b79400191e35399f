/** CalicoNodeStatus, KubeControllersConfiguration, IPAMConfiguration and StagedKubernetesNetworkPolicy: rules over several fields (more-kinds §4–7). */
import type {CalicoNodeStatus, KubeControllersConfiguration, StagedKubernetesNetworkPolicy} from '../types.js'
import type {KindRules, Report, Situation} from './kind.js'
import {checkDeletion} from './policy.js'
import type {Resource} from '../resource.js'

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

const LONGEST_TEMPLATE_NAME = 253

export const kubeControllersConfigurationRules: KindRules<KubeControllersConfiguration> = {
  complete: (configuration) => {
    const {spec} = configuration
    const {node, loadBalancer, policyMigration} = spec.controllers
    return {
      ...configuration,
      spec: {
        ...spec,
        healthChecks: spec.healthChecks ?? 'Enabled',
        prometheusMetricsPort: spec.prometheusMetricsPort ?? 9094,
        controllers: {
          ...spec.controllers,
          ...(node ? {node: {...node, leakGracePeriod: node.leakGracePeriod ?? '15m0s'}} : {}),
          ...(loadBalancer ? {loadBalancer: {...loadBalancer, assignIPs: loadBalancer.assignIPs ?? 'AllServices'}} : {}),
          ...(policyMigration ? {policyMigration: {...policyMigration, enabled: policyMigration.enabled ?? 'Enabled'}} : {}),
        },
      },
    }
  },
  check: (configuration, report, situation) => {
    checkSingleton(configuration, report, situation)
    const templates = configuration.spec.controllers.node?.hostEndpoint?.templates ?? []
    templates.forEach(({generateName, interfaceCIDRs, interfacePattern}, index) => {
      const field = `spec.controllers.node.hostEndpoint.templates[${index}]`
      if (generateName === undefined) report(`${field}.generateName`, 'must be set')
      else if (generateName.length > LONGEST_TEMPLATE_NAME) report(`${field}.generateName`, `must have at most ${LONGEST_TEMPLATE_NAME} characters`)
      if (templates.findIndex((other) => other.generateName === generateName) < index) report(`${field}.generateName`, 'is used twice')
      if (!interfaceCIDRs && interfacePattern === undefined) report(field, 'needs interfaceCIDRs or interfacePattern')
    })
  },
}

export const stagedKubernetesNetworkPolicyRules: KindRules<StagedKubernetesNetworkPolicy> = {
  complete: (policy) => ({...policy, spec: {...policy.spec, stagedAction: policy.spec.stagedAction ?? 'Set'}}),
  check: ({spec}, report) => {
    for (const direction of ['ingress', 'egress'] as const) {
      spec[direction]?.forEach(({ports}, index) =>
        ports?.forEach(({port, endPort}, place) => {
          const field = `spec.${direction}[${index}].ports[${place}]`
          if (typeof port === 'number' && (port < 0 || port > 65535)) report(`${field}.port`, `must be 0 to 65535, not ${port}`)
          if (typeof port === 'number' && endPort !== undefined && (endPort < port || endPort > 65535)) {
            report(`${field}.endPort`, `must be ${port} to 65535, not ${endPort}`)
          }
        }),
      )
    }
    const empty = Object.keys(spec.podSelector).length === 0
    checkDeletion(spec, ['stagedAction', ...(empty ? ['podSelector'] : [])], report)
  },
}
