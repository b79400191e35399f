/** Why a rule does not match a packet: each criterion that fails, and what the packet would have to have. */
import {formatAddress, formatCidr, contains} from '../net/index.js'
import {canonical} from '../model/selector/index.js'
import type {Packet} from './flow-set/flow-set.js'
import {isMember, namedAt, type Place} from './match-addresses.js'
import {hasPorts, protocolName} from './packets.js'
import type {End, Ports, Rule} from './rule.js'

const portsText = ({ranges, names}: Ports): string => [...ranges.map(([from, to]) => (from === to ? String(from) : `${from}:${to}`)), ...names].join(',')

/** What PACKET from SOURCE to DESTINATION would have to be for RULE to match, as ends of a sentence; empty if it does match. */
export function whyNot(rule: Rule, packet: Packet, source: Place, destination: Place): string[] {
  const {family, protocol, icmpType} = packet
  const found: string[] = []
  if (rule.never) found.push('it asks for a Kubernetes service, which never matches')
  if (!rule.families[family]) found.push(`it does not exist for IPv${family}`)
  if (rule.protocol !== undefined && rule.protocol !== protocol) found.push(`the protocol were ${protocolName(rule.protocol)}`)
  if (rule.notProtocol === protocol) found.push(`the protocol were not ${protocolName(protocol)}`)
  if (rule.icmp?.type !== undefined && rule.icmp.type !== icmpType) found.push(`the ICMP type were ${rule.icmp.type}`)
  if (rule.notIcmp?.type !== undefined && rule.notIcmp.type === icmpType) found.push(`the ICMP type were not ${rule.notIcmp.type}`)
  return [...found, ...endReasons(rule.source, 'source', source, packet, packet.sport), ...endReasons(rule.destination, 'destination', destination, packet, packet.dport)]
}

function endReasons({nets, notNets, set, notSet, ports, notPorts}: End, name: 'source' | 'destination', place: Place, packet: Packet, port: number | undefined): string[] {
  const {address} = place
  const {family} = address
  const found: string[] = []
  if (nets && !nets[family].some((net) => contains(net, address))) found.push(`the ${name} ${formatAddress(address)} were in ${nets[family].map(formatCidr).join(', ') || 'one of its networks'}`)
  if (notNets?.[family].some((net) => contains(net, address))) found.push(`the ${name} ${formatAddress(address)} were in none of ${notNets[family].map(formatCidr).join(', ')}`)
  if (set && !isMember(place, set)) found.push(`the ${name} matched ${canonical(set.selector)}`)
  if (notSet && isMember(place, notSet)) found.push(`the ${name} did not match ${canonical(notSet.selector)}`)
  const has = (list: Ports): boolean =>
    port !== undefined && (list.ranges.some(([from, to]) => port >= from && port <= to) || namedAt(list, place, set).some((named) => named.protocol === packet.protocol && named.port === port))
  const word = name === 'source' ? 'source port' : 'port'
  if (ports && hasPorts(packet.protocol) && !has(ports)) found.push(`the ${word} were ${portsText(ports)}`)
  if (notPorts && hasPorts(packet.protocol) && has(notPorts)) found.push(`the ${word} were none of ${portsText(notPorts)}`)
  return found
}
