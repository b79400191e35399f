/** Global network policies (datamodel-v3 §1.11). */
import type {GlobalNetworkPolicy, GlobalNetworkPolicySpec, Rule} from '../types.js'
import type {KindRules, Report, Situation} from './kind.js'
import {checkPolicyName} from './names.js'
import {checkRules} from './rules.js'

const MOST_HTTP_MATCHES = 20
const LONGEST_PATH = 1024

/** Calico's own record of the name as it was given. */
const METADATA_ANNOTATION = 'projectcalico.org/metadata'
const TIER_LABEL = 'projectcalico.org/tier'

function complete(policy: GlobalNetworkPolicy): GlobalNetworkPolicy {
  const {metadata, spec} = policy
  const tier = spec.tier ?? 'default'
  return {
    ...policy,
    metadata: {
      ...metadata,
      labels: {...metadata.labels, [TIER_LABEL]: tier},
      annotations: {...metadata.annotations, [METADATA_ANNOTATION]: JSON.stringify({name: metadata.name})},
    },
    spec: {...spec, tier, types: spec.types ?? typesFor(spec)},
  }
}

function typesFor({ingress, egress}: GlobalNetworkPolicySpec): NonNullable<GlobalNetworkPolicySpec['types']> {
  if (!egress) return ['Ingress']
  return ingress ? ['Ingress', 'Egress'] : ['Egress']
}

function check({metadata, spec}: GlobalNetworkPolicy, report: Report, {operation, others}: Situation): void {
  checkPolicyName(metadata.name, report)
  checkRules(spec.ingress, 'spec.ingress', report)
  checkRules(spec.egress, 'spec.egress', report)
  checkTypes(spec, report)
  checkServices(spec, report)
  spec.egress?.forEach(({http}, index) => {
    if (http) report(`spec.egress[${index}].http`, 'is not allowed in egress rules')
  })
  spec.ingress?.forEach((rule, index) => checkHttpSize(rule, `spec.ingress[${index}].http`, report))
  for (const name of ['selector', 'serviceAccountSelector', 'namespaceSelector'] as const) {
    if (spec[name]?.includes('global()')) report(`spec.${name}`, "cannot use global(), which only a rule's namespaceSelector may")
  }
  const hints = spec.performanceHints ?? []
  if (new Set(hints).size < hints.length) report('spec.performanceHints', 'has an entry twice')
  const tier = spec.tier ?? 'default'
  if (operation === 'create' && others && !others.some((other) => other.metadata.name === tier)) {
    report('spec.tier', `names a tier that does not exist: ${tier}`)
  }
}

function checkTypes(spec: GlobalNetworkPolicySpec, report: Report): void {
  const types = spec.types ?? []
  if (new Set(types).size < types.length) report('spec.types', 'has a type twice')
  if (spec.doNotTrack && spec.preDNAT) report('spec.preDNAT', 'cannot be combined with doNotTrack')
  if (spec.preDNAT && spec.egress) report('spec.egress', 'must be absent in a policy with preDNAT')
  if (spec.preDNAT && types.includes('Egress')) report('spec.types', 'cannot have Egress in a policy with preDNAT')
  if ((spec.preDNAT || spec.doNotTrack) && !spec.applyOnForward) report('spec.applyOnForward', 'must be true with preDNAT or doNotTrack')
}

/** Services are matched at the far end only, and need a namespace. */
function checkServices({ingress = [], egress = []}: GlobalNetworkPolicySpec, report: Report): void {
  const sides = [
    {rules: ingress, path: 'spec.ingress', far: 'source', near: 'destination'},
    {rules: egress, path: 'spec.egress', far: 'destination', near: 'source'},
  ] as const
  for (const {rules, path, far, near} of sides) {
    rules.forEach((rule, index) => {
      if (rule[near]?.services) report(`${path}[${index}].${near}.services`, 'is not allowed here')
      const services = rule[far]?.services
      if (services && !services.namespace) report(`${path}[${index}].${far}.services.namespace`, 'must be set')
    })
  }
}

function checkHttpSize({http}: Rule, field: string, report: Report): void {
  for (const name of ['methods', 'paths'] as const) {
    if ((http?.[name]?.length ?? 0) > MOST_HTTP_MATCHES) report(`${field}.${name}`, `must have at most ${MOST_HTTP_MATCHES} entries`)
  }
  http?.paths?.forEach(({exact = '', prefix = ''}, index) => {
    if (exact.length > LONGEST_PATH || prefix.length > LONGEST_PATH) report(`${field}.paths[${index}]`, `must have at most ${LONGEST_PATH} characters`)
  })
}

export const globalNetworkPolicyRules: KindRules<GlobalNetworkPolicy> = {complete, check}
