/** Tiers (datamodel-v3 §1.10). */
import type {Tier, TierSpec} from '../types.js'
import type {KindRules} from './kind.js'
import {checkTierName} from './names.js'
import {checkConditions} from './conditions.js'

/** The order of a tier that has none. */
export const DEFAULT_TIER_ORDER = 1_000_000

/** The tiers that Calico makes itself; their specs cannot be changed. */
const BUILT_IN: Readonly<Record<string, Required<TierSpec>>> = {
  default: {order: DEFAULT_TIER_ORDER, defaultAction: 'Deny'},
  'kube-admin': {order: 1000, defaultAction: 'Pass'},
  'kube-baseline': {order: 10_000_000, defaultAction: 'Pass'},
}

/** Whether Calico itself makes the tier called NAME. */
export const isBuiltInTier = (name: string): boolean => Object.hasOwn(BUILT_IN, name)

export const tierRules: KindRules<Tier> = {
  complete: (tier) => ({...tier, spec: {...tier.spec, order: tier.spec.order ?? DEFAULT_TIER_ORDER, defaultAction: tier.spec.defaultAction ?? 'Deny'}}),
  check: ({metadata, spec, status}, report) => {
    checkConditions(status, report)
    checkTierName(metadata.name, report)
    const fixed = isBuiltInTier(metadata.name) ? BUILT_IN[metadata.name] : undefined
    if (!fixed) return
    if (spec.order !== fixed.order) report('spec.order', `must be ${fixed.order} for the tier ${metadata.name}, not ${spec.order ?? 'absent'}`)
    if (spec.defaultAction !== fixed.defaultAction) report('spec.defaultAction', `must be ${fixed.defaultAction} for the tier ${metadata.name}`)
  },
}
