/** What decides: the shape of `by`, `passed` and `logged` (policy-evaluation §9; golden/README). */

export type Direction = 'ingress' | 'egress'
export type Verdict = 'allow' | 'deny'
export type RuleAction = 'Allow' | 'Deny' | 'Log' | 'Pass'

/** A rule, or what stands in its place; `index` is 0-based in the stored list. */
export interface By {
  readonly kind: 'GlobalNetworkPolicy' | 'NetworkPolicy' | 'Profile' | 'Tier' | 'NoMatch' | 'Failsafe' | 'EndpointToHost' | 'Encapsulation' | 'Conntrack' | 'ICMPv6Router'
  readonly tier?: string
  readonly namespace?: string
  readonly name?: string
  /** The profile does not exist. */
  readonly missing?: true
  readonly direction: Direction
  readonly index?: number
  readonly action: string
}

/** What one side of a flow, or a host endpoint on its way, decides. */
export interface SideVerdict {
  readonly verdict: Verdict
  readonly by: By
  /** Pass rules and passing tiers on the way, in order; absent if none. */
  readonly passed?: readonly By[]
  /** Log rules that matched; absent if none. */
  readonly logged?: readonly By[]
  /** The host endpoint whose side it is. */
  readonly hostEndpoint?: string
}

/** A host endpoint on the way that decided something. */
export interface ForwardVerdict extends SideVerdict {
  readonly host: string
  readonly hostEndpoint: string
}

/** BY as one text: the same exactly for the same deciding thing. */
export const byKey = ({kind, tier = '', namespace = '', name = '', missing, direction, index, action}: By): string =>
  [kind, tier, namespace, name, missing ? 'missing' : '', direction, index ?? '', action].join('\0')

/** A side as golden/README writes it: without what is empty. */
export function sideVerdict(verdict: Verdict, by: By, passed: readonly By[], logged: readonly By[], hostEndpoint?: string): SideVerdict {
  return {
    ...(hostEndpoint === undefined ? {} : {hostEndpoint}),
    verdict,
    by,
    ...(passed.length > 0 ? {passed} : {}),
    ...(logged.length > 0 ? {logged} : {}),
  }
}
