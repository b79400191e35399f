/** The fields of Profile, Tier and the policies (datamodel-v3 §1.3, §1.10, §1.11; more-kinds §3, §4). */
import type {GlobalNetworkPolicySpec, NetworkPolicySpec, ProfileSpec, StagedGlobalNetworkPolicySpec, StagedNetworkPolicySpec, TierSpec} from '../types.js'
import {choice, type Codec, type FieldsOf, flag, float, given, list, oneOf, struct, text, textMap, word} from './codec.js'
import {resourceName, selector} from './rules.js'
import {ruleList} from './rule.js'

export const profile = struct<ProfileSpec>({ingress: ruleList, egress: ruleList, labelsToApply: textMap})

export const tier = struct<TierSpec>({
  order: given(float),
  defaultAction: choice('Deny', 'Pass'),
})

const TYPES = ['Ingress', 'Egress'] as const

const GLOBAL_FIELDS: FieldsOf<GlobalNetworkPolicySpec> = {
  tier: text(resourceName),
  order: given(float),
  ingress: ruleList,
  egress: ruleList,
  selector: text(selector),
  types: list(word(...TYPES), oneOf(TYPES)),
  doNotTrack: flag,
  preDNAT: flag,
  applyOnForward: flag,
  serviceAccountSelector: text(selector),
  namespaceSelector: text(selector),
  performanceHints: list(text(), oneOf(['AssumeNeededOnEveryNode'])),
}

export const globalNetworkPolicy = struct<GlobalNetworkPolicySpec>(GLOBAL_FIELDS)

const stagedAction = word('Set', 'Delete', 'Learn', 'Ignore')

function namespacedFields(): FieldsOf<NetworkPolicySpec> {
  const {tier, order, ingress, egress, selector, types, serviceAccountSelector, performanceHints} = GLOBAL_FIELDS
  return {tier, order, ingress, egress, selector, types, serviceAccountSelector, performanceHints}
}

export const networkPolicy = (): Codec<NetworkPolicySpec> => struct<NetworkPolicySpec>(namespacedFields())

export const stagedNetworkPolicy = (): Codec<StagedNetworkPolicySpec> => struct<StagedNetworkPolicySpec>({stagedAction, ...namespacedFields()})

export const stagedGlobalNetworkPolicy = (): Codec<StagedGlobalNetworkPolicySpec> => struct<StagedGlobalNetworkPolicySpec>({stagedAction, ...GLOBAL_FIELDS})
