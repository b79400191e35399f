/** Why a rule does not match a packet: each criterion that fails, and what the packet would have to have. */
import {append} from '../append.js'
import {formatAddress, formatCidr, contains} from '../net/index.js'
import {canonical} from '../model/selector/index.js'
import {ICMP_OF, type Packet} from './flow-set/flow-set.js'
import {isMember, namedAt, type Place} from './match-addresses.js'
import {hasPorts, protocolName} from './packets.js'
import type {Icmp, Ports, Rule} from './rule.js'
import {icmpMatches} from './rule-match.js'

const portsText = ({ranges, names}: Ports): string => [...ranges.map(([from, to]) => (from === to ? String(from) : `${from}:${to}`)), ...names].join(',')

/** All that PACKET from SOURCE to DESTINATION would have to be for RULE to match, as ends of a sentence; empty if it does match, undefined if no packet of this family would. */
export function whyNot(rule: Rule, packet: Packet, source: Place, destination: Place): string[] | undefined {
  const {family, protocol} = packet
  if (rule.never || !rule.families[family]) return undefined
  const found: string[] = []
  if (rule.protocol !== undefined && rule.protocol !== protocol) found.push(`the protocol were ${protocolName(rule.protocol)}`)
  if (rule.notProtocol === protocol) found.push(`the protocol were not ${protocolName(protocol)}`)
  if (rule.icmp?.type !== undefined && !icmpMatches(rule.icmp, packet, ignore)) append(found, icmpReasons(rule.icmp, packet))
  // A packet of another protocol passes notICMP and notPorts; with the protocol of the rule it would have what they ask for.
  const passesIcmp = protocol === ICMP_OF[family] ? !rule.notIcmp || !icmpMatches(rule.notIcmp, packet, ignore) : rule.protocol !== ICMP_OF[family]
  if (rule.notIcmp?.type !== undefined && !passesIcmp) found.push(`the ICMP type${rule.notIcmp.code === undefined ? '' : ' and code'} were not ${icmpText(rule.notIcmp)}`)
  return [...found, ...endReasons(rule, 'source', source, packet, packet.sport), ...endReasons(rule, 'destination', destination, packet, packet.dport)]
}

const ignore = (): void => undefined

const icmpText = ({type, code}: Icmp): string => [type, code].filter((value) => value !== undefined).join('/')

function icmpReasons({type, code}: Icmp, {icmpType, icmpCode}: Packet): string[] {
  return [...(icmpType === type ? [] : [`the ICMP type were ${type}`]), ...(code === undefined || icmpCode === code ? [] : [`the ICMP code were ${code}`])]
}

function endReasons(rule: Rule, name: 'source' | 'destination', place: Place, packet: Packet, port: number | undefined): string[] {
  const {nets, notNets, set, notSet, ports, notPorts} = rule[name]
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
  if (ports && !has(ports)) found.push(`the ${word} were ${portsText(ports)}`)
  const passes = hasPorts(packet.protocol) ? !notPorts || !has(notPorts) : rule.protocol === undefined || !hasPorts(rule.protocol)
  if (notPorts && !passes) found.push(`the ${word} were none of ${portsText(notPorts)}`)
  return found
}
