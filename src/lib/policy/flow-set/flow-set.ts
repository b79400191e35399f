/**
 * Exact sets of flows: address family × protocol × destination and source ports (TCP, UDP, SCTP) or ICMP type and code. A flow is its first packet
 * (policy-evaluation §1). Values: nothing changes one; equal sets have equal canonical texts and `sameFlows` says so.
 */
import type {Family} from '../../net/index.js'
import {combineRegions, DIFFERENCE, INTERSECTION, NOWHERE, rectangle, type Region, regionHas, sameRegion, UNION} from './region.js'

/** Protocols that have ports in Calico. */
export const PORT_PROTOCOLS = {tcp: 6, udp: 17, sctp: 132} as const
export type PortProtocol = keyof typeof PORT_PROTOCOLS
export const PORT_PROTOCOL_NAMES = ['tcp', 'udp', 'sctp'] as const satisfies readonly PortProtocol[]

export const MAX_PORT = 65535
export const MAX_ICMP = 255

/** The protocol number whose packets have ICMP types in a family. */
export const ICMP_OF = {4: 1, 6: 58} as const

/** The flows of one address family. */
export interface FamilyFlows {
  /** x: destination port, y: source port. */
  readonly tcp: Region
  readonly udp: Region
  readonly sctp: Region
  /** x: type, y: code; of the family's own ICMP. */
  readonly icmp: Region
  /** All other protocols: bit N of protocol number N. */
  readonly others: bigint
}

export interface FlowSet {
  readonly v4: FamilyFlows
  readonly v6: FamilyFlows
}

/** One flow, complete. */
export interface Packet {
  readonly family: Family
  /** 1–255. */
  readonly protocol: number
  readonly dport?: number
  readonly sport?: number
  readonly icmpType?: number
  readonly icmpCode?: number
}

export const ALL_PORTS: Region = rectangle(0, MAX_PORT, [0, MAX_PORT])
export const ALL_ICMP: Region = rectangle(0, MAX_ICMP, [0, MAX_ICMP])

const everyProtocol = (1n << 256n) - 2n
const bit = (protocol: number): bigint => 1n << BigInt(protocol)
const withPorts = Object.values(PORT_PROTOCOLS).reduce((bits, protocol) => bits | bit(protocol), 0n)

/** Protocols that are in `others` of a family. */
const OTHERS = {4: everyProtocol & ~withPorts & ~bit(ICMP_OF[4]), 6: everyProtocol & ~withPorts & ~bit(ICMP_OF[6])} as const

export const NO_FAMILY_FLOWS: FamilyFlows = {tcp: NOWHERE, udp: NOWHERE, sctp: NOWHERE, icmp: NOWHERE, others: 0n}

/** Every flow of FAMILY. */
export const allFlowsOf = (family: Family): FamilyFlows => ({tcp: ALL_PORTS, udp: ALL_PORTS, sctp: ALL_PORTS, icmp: ALL_ICMP, others: OTHERS[family]})

export const NO_FLOWS: FlowSet = {v4: NO_FAMILY_FLOWS, v6: NO_FAMILY_FLOWS}

/** FLOWS of one family as a set. */
export const flowSet = (family: Family, flows: FamilyFlows): FlowSet => (family === 4 ? {v4: flows, v6: NO_FAMILY_FLOWS} : {v4: NO_FAMILY_FLOWS, v6: flows})

export const familyFlows = (set: FlowSet, family: Family): FamilyFlows => (family === 4 ? set.v4 : set.v6)

/** The flows of PROTOCOL in FLOWS, and no others. */
export function onlyProtocol(flows: FamilyFlows, family: Family, protocol: number): FamilyFlows {
  const name = PORT_PROTOCOL_NAMES.find((candidate) => PORT_PROTOCOLS[candidate] === protocol)
  if (name !== undefined) return {...NO_FAMILY_FLOWS, [name]: flows[name]}
  if (protocol === ICMP_OF[family]) return {...NO_FAMILY_FLOWS, icmp: flows.icmp}
  return {...NO_FAMILY_FLOWS, others: flows.others & bit(protocol)}
}

const unionRegions = (a: Region, b: Region): Region => (a.length === 0 || a === b ? b : b.length === 0 || isWhole(a) ? a : combineRegions(a, b, UNION))

const intersectRegions = (a: Region, b: Region): Region =>
  a.length === 0 || b === ALL_PORTS || b === ALL_ICMP || a === b ? a : b.length === 0 || isWhole(a) ? b : combineRegions(a, b, INTERSECTION)

const subtractRegions = (a: Region, b: Region): Region => (a.length === 0 || b.length === 0 ? a : a === b || isWhole(b) ? NOWHERE : combineRegions(a, b, DIFFERENCE))

const isWhole = (region: Region): boolean => region === ALL_PORTS || region === ALL_ICMP

const each = (a: FamilyFlows, b: FamilyFlows, combine: (x: Region, y: Region) => Region, others: bigint): FamilyFlows => ({
  tcp: combine(a.tcp, b.tcp),
  udp: combine(a.udp, b.udp),
  sctp: combine(a.sctp, b.sctp),
  icmp: combine(a.icmp, b.icmp),
  others,
})

export const unionOf = (a: FamilyFlows, b: FamilyFlows): FamilyFlows => each(a, b, unionRegions, a.others | b.others)
export const intersectionOf = (a: FamilyFlows, b: FamilyFlows): FamilyFlows => each(a, b, intersectRegions, a.others & b.others)
export const differenceOf = (a: FamilyFlows, b: FamilyFlows): FamilyFlows => each(a, b, subtractRegions, a.others & ~b.others)

export const isNoFlow = ({tcp, udp, sctp, icmp, others}: FamilyFlows): boolean => others === 0n && tcp.length + udp.length + sctp.length + icmp.length === 0

export const sameFamilyFlows = (a: FamilyFlows, b: FamilyFlows): boolean =>
  a === b || (a.others === b.others && sameRegion(a.tcp, b.tcp) && sameRegion(a.udp, b.udp) && sameRegion(a.sctp, b.sctp) && sameRegion(a.icmp, b.icmp))

const both = (combine: (a: FamilyFlows, b: FamilyFlows) => FamilyFlows) => (a: FlowSet, b: FlowSet): FlowSet => ({v4: combine(a.v4, b.v4), v6: combine(a.v6, b.v6)})

/** The flows that are in either set. */
export const union = both(unionOf)
/** The flows that are in both sets. */
export const intersection = both(intersectionOf)
/** The flows of the first set that are not in the second. */
export const difference = both(differenceOf)

export const isEmpty = ({v4, v6}: FlowSet): boolean => isNoFlow(v4) && isNoFlow(v6)

/** Whether the two are the same set. */
export const sameFlows = (a: FlowSet, b: FlowSet): boolean => sameFamilyFlows(a.v4, b.v4) && sameFamilyFlows(a.v6, b.v6)

/** Whether FLOWS, of PACKET's family, has PACKET. What PACKET leaves open (ports, type) counts as 0. */
export function hasPacket(flows: FamilyFlows, {family, protocol, dport = 0, sport = 0, icmpType = 0, icmpCode = 0}: Packet): boolean {
  const name = PORT_PROTOCOL_NAMES.find((candidate) => PORT_PROTOCOLS[candidate] === protocol)
  if (name !== undefined) return regionHas(flows[name], dport, sport)
  if (protocol === ICMP_OF[family]) return regionHas(flows.icmp, icmpType, icmpCode)
  return (flows.others & bit(protocol)) !== 0n
}

/** Every flow that fits PACKET: what it leaves open is any. */
export function flowsLike({family, protocol, dport, sport, icmpType, icmpCode}: Packet): FamilyFlows {
  const name = PORT_PROTOCOL_NAMES.find((candidate) => PORT_PROTOCOLS[candidate] === protocol)
  const span = (value: number | undefined, most: number): [number, number] => (value === undefined ? [0, most] : [value, value])
  if (name !== undefined) return {...NO_FAMILY_FLOWS, [name]: rectangle(...span(dport, MAX_PORT), span(sport, MAX_PORT))}
  if (protocol === ICMP_OF[family]) return {...NO_FAMILY_FLOWS, icmp: rectangle(...span(icmpType, MAX_ICMP), span(icmpCode, MAX_ICMP))}
  return {...NO_FAMILY_FLOWS, others: bit(protocol)}
}
