/** The fields of Profile, Tier and GlobalNetworkPolicy (datamodel-v3 §1.3, §1.10, §1.11). */
import type {GlobalNetworkPolicySpec, ProfileSpec, TierSpec} from '../types.js'
import {choice, flag, float, given, list, oneOf, struct, text, textMap, word} from './codec.js'
import {resourceName, selector} from './rules.js'
import {rule} from './rule.js'

export const profile = struct<ProfileSpec>({ingress: list(rule), egress: list(rule), labelsToApply: textMap})

export const tier = struct<TierSpec>({
  order: given(float),
  defaultAction: choice('Deny', 'Pass'),
})

const TYPES = ['Ingress', 'Egress'] as const

export const globalNetworkPolicy = struct<GlobalNetworkPolicySpec>({
  tier: text(resourceName),
  order: given(float),
  ingress: list(rule),
  egress: list(rule),
  selector: text(selector),
  types: list(word(...TYPES), oneOf(TYPES)),
  doNotTrack: flag,
  preDNAT: flag,
  applyOnForward: flag,
  serviceAccountSelector: text(selector),
  namespaceSelector: text(selector),
  performanceHints: list(text(), oneOf(['AssumeNeededOnEveryNode'])),
})
