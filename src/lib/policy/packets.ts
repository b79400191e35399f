/** Protocols by name and number, and the ICMP that connection tracking takes for a new flow (policy-evaluation §6.1, §7). */
import type {Family} from '../net/index.js'
import {type FamilyFlows, MAX_ICMP, NO_FAMILY_FLOWS, PORT_PROTOCOLS} from './flow-set/flow-set.js'
import {product, type Ranges} from './flow-set/region.js'

export const UDPLITE = 136
export const IPIP = 4

const NUMBERS: Readonly<Record<string, number>> = {icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132, udplite: UDPLITE}

/** The number of the protocol called NAME, in any case; undefined for a name that Calico does not have. */
export const protocolNumber = (name: string): number | undefined => (Object.hasOwn(NUMBERS, name.toLowerCase()) ? NUMBERS[name.toLowerCase()] : undefined)

/** PROTOCOL as probes and texts have it: `tcp`, `icmpv6`, or the number. */
export const protocolName = (protocol: number): string => Object.keys(NUMBERS).find((name) => NUMBERS[name] === protocol) ?? String(protocol)

export const hasPorts = (protocol: number): boolean => (Object.values(PORT_PROTOCOLS) as number[]).includes(protocol)

/** ICMP types that open a flow: connection tracking calls all others invalid. */
const OPENING: Readonly<Record<Family, Ranges>> = {
  4: [8, 8, 13, 13, 15, 15, 17, 17],
  6: [128, 128, 130, 136, 139, 139, 143, 143],
}

/** IPv6 router and neighbour messages that a workload's host takes whatever the policy says. */
const ROUTER: Ranges = [130, 133, 135, 136]

const icmpFlows = (types: Ranges): FamilyFlows => ({...NO_FAMILY_FLOWS, icmp: product(types, [0, MAX_ICMP])})

const without = (types: Ranges): Ranges => {
  const gaps: number[] = []
  let from = 0
  for (let i = 0; i < types.length; i += 2) {
    if ((types[i] ?? 0) > from) gaps.push(from, (types[i] ?? 0) - 1)
    from = (types[i + 1] ?? 0) + 1
  }
  if (from <= MAX_ICMP) gaps.push(from, MAX_ICMP)
  return gaps
}

/** All flows that connection tracking drops as invalid. */
export const invalidIcmp = (family: Family): FamilyFlows => icmpFlows(without(OPENING[family]))

export const routerIcmp = (family: Family): FamilyFlows => (family === 6 ? icmpFlows(ROUTER) : NO_FAMILY_FLOWS)
