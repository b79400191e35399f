/** The four kinds of policy with Calico's rules: global and namespaced, each also staged (datamodel-v3 §1.11; more-kinds §3, §4). */
import type {Resource} from '../resource.js'
import type {GlobalNetworkPolicySpec, Rule, Staged} from '../types.js'
import type {KindRules, Report, Situation} from './kind.js'
import {checkNamespacedPolicyName, checkPolicyName} from './names.js'
import {checkRules} from './rules.js'

const MOST_HTTP_MATCHES = 20
const LONGEST_PATH = 1024

/** Calico's own record of the name as it was given. */
const METADATA_ANNOTATION = 'projectcalico.org/metadata'
const TIER_LABEL = 'projectcalico.org/tier'

type PolicySpec = GlobalNetworkPolicySpec & Staged
type Policy = Resource<PolicySpec>

/** How the kinds of policy differ. */
interface PolicyKind {
  /** Whether it has the fields that only global policies have. */
  readonly global: boolean
  readonly staged: boolean
}

/** The policy with its tier, the label of it, its types, and Calico's record of its name. Of a staged deletion the types are dropped. */
function complete(policy: Policy, {staged}: PolicyKind): Policy {
  const {metadata, spec} = policy
  const tier = spec.tier ?? 'default'
  const action = spec.stagedAction ?? 'Set'
  const {types, ...others} = spec
  return {
    ...policy,
    metadata: {
      ...metadata,
      labels: {...metadata.labels, [TIER_LABEL]: tier},
      annotations: {...metadata.annotations, [METADATA_ANNOTATION]: JSON.stringify({name: metadata.name})},
    },
    spec: {
      ...others,
      ...(staged ? {stagedAction: action} : {}),
      tier,
      ...(staged && action === 'Delete' ? {} : {types: types ?? typesFor(spec)}),
    },
  }
}

function typesFor({ingress, egress}: GlobalNetworkPolicySpec): NonNullable<GlobalNetworkPolicySpec['types']> {
  if (!egress) return ['Ingress']
  return ingress ? ['Ingress', 'Egress'] : ['Egress']
}

function check(policy: Policy, report: Report, situation: Situation, {global, staged}: PolicyKind): void {
  const {metadata, spec} = policy
  if (global) checkPolicyName(metadata.name, report)
  else checkNamespacedPolicyName(metadata.name, report)
  checkRules(spec.ingress, 'spec.ingress', report)
  checkRules(spec.egress, 'spec.egress', report)
  checkTypes(spec, report)
  if (global) checkHooks(spec, report)
  checkServices(spec, report, global)
  spec.egress?.forEach(({http}, index) => {
    if (http) report(`spec.egress[${index}].http`, 'is not allowed in egress rules')
  })
  spec.ingress?.forEach((rule, index) => checkHttpSize(rule, `spec.ingress[${index}].http`, report))
  for (const name of ['selector', 'serviceAccountSelector', ...(global ? (['namespaceSelector'] as const) : [])] as const) {
    if (spec[name]?.includes('global()')) report(`spec.${name}`, "cannot use global(), which only a rule's namespaceSelector may")
  }
  const hints = spec.performanceHints ?? []
  if (new Set(hints).size < hints.length) report('spec.performanceHints', 'has an entry twice')
  if (staged) checkDeletion(spec, ['stagedAction', 'tier'], report)
  checkTier(policy, report, situation)
}

/** The tier exists. Calico's client asks on a create only; with an update too, no policy moves to where it does nothing (more-kinds §3). */
function checkTier({spec}: Policy, report: Report, {operation, previous, others}: Situation): void {
  const tier = spec.tier ?? 'default'
  const stays = operation === 'update' && ((previous?.spec as PolicySpec | undefined)?.tier ?? 'default') === tier
  if (!stays && others && !others.some((other) => other.metadata.name === tier)) report('spec.tier', `refers to a tier that does not exist: ${tier}`)
}

/** A staged deletion says nothing of what it deletes: fields other than ALLOWED are absent. */
export function checkDeletion(spec: Staged, allowed: readonly string[], report: Report): void {
  if (spec.stagedAction !== 'Delete') return
  for (const field of Object.keys(spec)) if (!allowed.includes(field)) report(`spec.${field}`, 'must be absent with stagedAction Delete')
}

function checkTypes(spec: GlobalNetworkPolicySpec, report: Report): void {
  const types = spec.types ?? []
  if (new Set(types).size < types.length) report('spec.types', 'has a type twice')
}

/** Where global policies can be applied besides the usual place. */
function checkHooks(spec: GlobalNetworkPolicySpec, report: Report): void {
  const types = spec.types ?? []
  if (spec.doNotTrack && spec.preDNAT) report('spec.preDNAT', 'cannot be combined with doNotTrack')
  if (spec.preDNAT && spec.egress) report('spec.egress', 'must be absent in a policy with preDNAT')
  if (spec.preDNAT && types.includes('Egress')) report('spec.types', 'cannot have Egress in a policy with preDNAT')
  if ((spec.preDNAT || spec.doNotTrack) && !spec.applyOnForward) report('spec.applyOnForward', 'must be true with preDNAT or doNotTrack')
}

/** Services are matched at the far end only. A namespaced policy means those of its own namespace, a GLOBAL one must name theirs. */
function checkServices({ingress = [], egress = []}: GlobalNetworkPolicySpec, report: Report, global: boolean): void {
  const sides = [
    {rules: ingress, path: 'spec.ingress', far: 'source', near: 'destination'},
    {rules: egress, path: 'spec.egress', far: 'destination', near: 'source'},
  ] as const
  for (const {rules, path, far, near} of sides) {
    rules.forEach((rule, index) => {
      if (rule[near]?.services) report(`${path}[${index}].${near}.services`, 'is not allowed here')
      const services = rule[far]?.services
      if (global && services && !services.namespace) report(`${path}[${index}].${far}.services.namespace`, 'must be set')
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

/** The rules of a kind of policy. */
export const policyRules = (kind: PolicyKind): KindRules<Policy> => ({
  complete: (policy) => complete(policy, kind),
  check: (policy, report, situation) => check(policy, report, situation, kind),
})
