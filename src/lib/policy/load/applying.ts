/** In which order policies apply, and which of them apply to an endpoint (policy-evaluation §5). */
import {compareUtf8} from '../../utf8-order.js'
import type {Labels} from '../expression.js'
import {NeedIndex} from '../needs.js'
import type {Endpoint, Policy, Stage, Tier, TierStage, World} from '../world.js'

const orderOf = ({order}: {readonly order: number | undefined}): number => order ?? Infinity

/** `name/namespace/kind`, by which policies of equal order are sorted. */
const policyText = ({name, namespace = '', kind}: Policy): string => `${name}/${namespace}/${kind}`

/** POLICIES by tier, tiers and policies in Felix's order (policy-evaluation §5). */
export function inOrder(policies: readonly Policy[], tier: (name: string) => Tier): TierStage[] {
  const tiers = [...new Set(policies.map((policy) => policy.tier))].map(tier)
  tiers.sort((a, b) => Number(a.missing) - Number(b.missing) || compareOrders(a, b) || compareUtf8(a.name, b.name))
  return tiers.map((one) => ({
    tier: one,
    policies: policies.filter((policy) => policy.tier === one.name).sort((a, b) => compareOrders(a, b) || compareUtf8(policyText(a), policyText(b))),
  }))
}

const compareOrders = (a: {readonly order: number | undefined}, b: {readonly order: number | undefined}): number => {
  const [x, y] = [orderOf(a), orderOf(b)]
  return x === y ? 0 : x < y ? -1 : 1
}

const isOf = (policy: Policy, stage: Stage): boolean => {
  switch (stage) {
    case 'doNotTrack':
    case 'preDNAT':
      return policy.stage === stage
    case 'forward':
      return policy.stage === 'normal' && policy.forward
    default:
      return policy.stage === 'normal'
  }
}

/** The policies of ORDERED that apply to an endpoint, by tier; what is found for one set of labels is remembered. */
export function applying(ordered: readonly TierStage[]): World['applying'] {
  const known = new Map<Labels, Map<string, readonly TierStage[]>>()
  const numbers = new Map(ordered.flatMap(({policies}) => policies).map((policy, number) => [policy, number]))
  const interned = new Map<string, readonly TierStage[]>()
  const tiers = ordered.map(({tier, policies}) => ({tier, policies: new NeedIndex(policies, ({selector}) => selector.selector)}))
  return ({labels}: Endpoint, direction, stage) => {
    let byLabels = known.get(labels)
    if (byLabels === undefined) {
      byLabels = new Map()
      known.set(labels, byLabels)
    }
    const what = `${direction} ${stage}`
    let stages = byLabels.get(what)
    if (stages === undefined) {
      stages = tiers.flatMap(({tier, policies}) => {
        const chosen = policies.candidates(labels.map).filter((policy) => policy.directions.includes(direction) && isOf(policy, stage) && policy.selector.selects(labels))
        return chosen.length > 0 ? [{tier, policies: chosen}] : []
      })
      // The same list for all to whom the same applies: what is found out about it is remembered by it.
      const text = `${what} ${stages.flatMap(({policies}) => policies.map((policy) => numbers.get(policy) ?? 0)).join()}`
      const same = interned.get(text)
      if (same) stages = same
      else interned.set(text, stages)
      byLabels.set(what, stages)
    }
    return stages
  }
}
