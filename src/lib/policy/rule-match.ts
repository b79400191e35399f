/** Whether a rule matches one packet: the first evaluator's view of a rule (policy-evaluation §6.1, §6.4). */
import {ICMP_OF, type Packet} from './flow-set/flow-set.js'
import {addressesMatch, namedAt, type Place} from './match-addresses.js'
import {hasPorts} from './packets.js'
import type {End, Icmp, Ports, Rule} from './rule.js'

/** What a packet leaves open and a rule asked for. */
export type Open = 'dport' | 'sport' | 'icmpType'

/** Whether RULE matches PACKET from SOURCE to DESTINATION. What the packet leaves open and the answer needs is reported to MISSING; the answer is then a guess. */
export function ruleMatches(rule: Rule, packet: Packet, source: Place, destination: Place, asWritten: boolean, missing: (what: Open) => void): boolean {
  if (!addressesMatch(rule, source, destination, asWritten)) return false
  const {family, protocol} = packet
  if (rule.protocol !== undefined && rule.protocol !== protocol) return false
  if (rule.notProtocol === protocol) return false
  if (rule.icmp?.type !== undefined && !icmpMatches(rule.icmp, packet, missing)) return false
  if (rule.notIcmp?.type !== undefined && icmpMatches(rule.notIcmp, packet, missing)) return false
  const isUnchecked = (list: string): boolean => !asWritten && rule.unchecked[family].has(list)
  return (
    portsMatch(rule.destination, 'dport', packet, destination, isUnchecked('destination.ports'), missing) &&
    portsMatch(rule.source, 'sport', packet, source, isUnchecked('source.ports'), missing)
  )
}

/** Whether PACKET is of the ICMP type, and code. */
export function icmpMatches({type, code}: Icmp, {family, protocol, icmpType, icmpCode}: Packet, missing: (what: Open) => void): boolean {
  if (protocol !== ICMP_OF[family]) return false
  if (icmpType === undefined || (code !== undefined && icmpCode === undefined)) missing('icmpType')
  return icmpType === type && (code === undefined || icmpCode === code)
}

function portsMatch(end: End, which: 'dport' | 'sport', packet: Packet, place: Place, unchecked: boolean, missing: (what: Open) => void): boolean {
  const {set, notPorts} = end
  const ports = unchecked ? undefined : end.ports
  if (ports === undefined && notPorts === undefined) return true
  if (!hasPorts(packet.protocol)) return ports === undefined
  const port = packet[which]
  if (port === undefined) missing(which)
  const isOneOf = (list: Ports): boolean =>
    port !== undefined &&
    (list.ranges.some(([from, to]) => port >= from && port <= to) || namedAt(list, place, set).some((named) => named.protocol === packet.protocol && named.port === port))
  return (ports === undefined || isOneOf(ports)) && !(notPorts !== undefined && isOneOf(notPorts))
}
