/** What must fit together in a rule, beyond each value by itself (cli-v0.20 §4.4.5, datamodel-v3 §2.2). */
import {type Family, parseCidrOrAddress} from '../net/index.js'
import type {EntityRule, Rule} from '../model/types.js'

/** Protocols whose ports Calico matches, by Calico's names and by number. */
const WITH_PORTS: ReadonlySet<unknown> = new Set(['TCP', 'UDP', 'SCTP', 6, 17, 132, '6', '17', '132'])

/** The IP version that a protocol belongs to. */
const FAMILY_OF_PROTOCOL: Readonly<Record<string, Family>> = {ICMP: 4, ICMPv6: 6}

/** Why Calico, or v0.20, would not take RULE, in the words of the command line. Values that are wrong by themselves are skipped. */
export function crossProblems(rule: Rule): string[] {
  const {protocol, notProtocol, ipVersion, icmp, notICMP, source = {}, destination = {}} = rule
  const sides = [source, destination]
  const problems: string[] = []
  if (sides.some(hasPorts) && !WITH_PORTS.has(protocol)) problems.push('ports need the protocol tcp, udp or sctp (or 6, 17 or 132)')
  if (icmp && protocol !== 'ICMP' && protocol !== 'ICMPv6') problems.push('an ICMP type needs the protocol icmp or icmpv6')
  for (const match of [icmp, notICMP]) if (match?.code !== undefined && match.type === undefined) problems.push('an ICMP code needs a type')
  const families = new Set(sides.flatMap((side) => [...(side.nets ?? []), ...(side.notNets ?? [])].flatMap(familyOf)))
  if (families.size > 1) problems.push('all CIDRs of a rule must be of one IP version')
  for (const name of new Set([protocol, notProtocol])) {
    const family = FAMILY_OF_PROTOCOL[String(name)]
    if (family === undefined) continue
    const icmpName = family === 4 ? 'icmp' : 'icmpv6'
    if (name === protocol && families.has(family === 4 ? 6 : 4)) problems.push(`${icmpName} can be used with IPv${family} CIDRs only`)
    if (ipVersion !== undefined && ipVersion !== family) problems.push(`${icmpName} is a protocol of IPv${family}`)
  }
  if (ipVersion !== undefined && families.size === 1 && !families.has(ipVersion)) problems.push(`the CIDRs of a rule for IPv${ipVersion} must be IPv${ipVersion}`)
  if (sides.some((side) => side.notNets?.some(isEverything))) problems.push('"not cidr" with a prefix length of 0 excludes everything')
  return problems
}

const hasPorts = ({ports, notPorts}: EntityRule): boolean => (ports?.length ?? 0) + (notPorts?.length ?? 0) > 0

function familyOf(text: string): Family[] {
  const cidr = parseCidrOrAddress(text)
  return cidr ? [cidr.family] : []
}

const isEverything = (text: string): boolean => parseCidrOrAddress(text)?.prefix === 0
