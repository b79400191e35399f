/** A rule in the terms of the command line: what v0.20's words and our additions can say of a v3 rule. Pure data. */

/** `low:high` for a range, low below high; 1–65535. */
export type PortMatch = number | `${number}:${number}`

/** What a rule says about one end of the traffic. An empty one matches everything. */
export interface RuleSide {
  readonly ports?: readonly PortMatch[]
  readonly tag?: string
  /** A network as Calico writes it: canonical, host bits off, always with its prefix length. */
  readonly cidr?: string
  readonly selector?: string
  readonly notPorts?: readonly PortMatch[]
  readonly notTag?: string
  readonly notCidr?: string
  readonly notSelector?: string
}

/** v0.20's names of the actions; words can be typed for the first two only. */
type RuleAction = 'allow' | 'deny' | 'log' | 'next-tier'

/** v0.20's name of a protocol (`tcp`, `icmpv6`, …) or its number, 1–255. */
export type RuleProtocol = 'tcp' | 'udp' | 'icmp' | 'icmpv6' | 'sctp' | 'udplite' | number

export interface WordRule {
  readonly action: RuleAction
  readonly protocol?: RuleProtocol
  readonly notProtocol?: RuleProtocol
  /** Type and code 0–254. */
  readonly icmp?: {readonly type: number; readonly code?: number}
  readonly from: RuleSide
  readonly to: RuleSide
}

/** v0.20's action → Calico's (datamodel-v3 §3.3). */
export const ACTIONS = {allow: 'Allow', deny: 'Deny', log: 'Log', 'next-tier': 'Pass'} as const

/** v0.20's protocol name → Calico's. */
export const PROTOCOLS = {tcp: 'TCP', udp: 'UDP', icmp: 'ICMP', icmpv6: 'ICMPv6', sctp: 'SCTP', udplite: 'UDPLite'} as const

/** The name in NAMES, v0.20's → Calico's, under which Calico knows STORED. */
export function nameOf<N extends string>(names: Readonly<Record<N, string>>, stored: unknown): N | undefined {
  return (Object.keys(names) as N[]).find((name) => names[name] === stored)
}
