/** The flows that a rule matches between two places, as a set: the second evaluator's view of a rule. */
import type {Family} from '../net/index.js'
import {
  allFlowsOf,
  differenceOf,
  type FamilyFlows,
  intersectionOf,
  MAX_ICMP,
  MAX_PORT,
  NO_FAMILY_FLOWS,
  onlyProtocol,
  PORT_PROTOCOL_NAMES,
  PORT_PROTOCOLS,
} from './flow-set/flow-set.js'
import {combineRanges, DIFFERENCE, product, type Ranges, rangesOf, rectangle} from './flow-set/region.js'
import {addressesMatch, namedAt, type Place} from './match-addresses.js'
import type {Icmp, Ports, Rule} from './rule.js'

const EVERY_PORT: Ranges = [0, MAX_PORT]
const EVERY_CODE: Ranges = [0, MAX_ICMP]

/** What rules without named ports match, once their addresses do. */
const known = new WeakMap<Rule, Map<string, FamilyFlows>>()

/** The flows of RULE from SOURCE to DESTINATION. */
export function ruleFlows(rule: Rule, source: Place, destination: Place, asWritten: boolean): FamilyFlows {
  if (!addressesMatch(rule, source, destination, asWritten)) return NO_FAMILY_FLOWS
  const {family} = source.address
  if (hasNames(rule)) return protocolFlows(rule, family, source, destination, asWritten)
  let answers = known.get(rule)
  if (answers === undefined) known.set(rule, (answers = new Map<string, FamilyFlows>()))
  const key = `${family}${asWritten ? 'w' : ''}`
  let flows = answers.get(key)
  if (flows === undefined) {
    flows = protocolFlows(rule, family, source, destination, asWritten)
    answers.set(key, flows)
  }
  return flows
}

/** Whether RULE has named ports, which mean something else at each endpoint. */
export const hasNames = ({source, destination}: Rule): boolean => [source.ports, source.notPorts, destination.ports, destination.notPorts].some((ports) => ports !== undefined && ports.names.length > 0)

function protocolFlows(rule: Rule, family: Family, source: Place, destination: Place, asWritten: boolean): FamilyFlows {
  const all = allFlowsOf(family)
  let flows = rule.protocol === undefined ? all : onlyProtocol(all, family, rule.protocol)
  if (rule.notProtocol !== undefined) flows = differenceOf(flows, onlyProtocol(all, family, rule.notProtocol))
  if (rule.icmp?.type !== undefined) flows = intersectionOf(flows, icmpFlows(rule.icmp))
  if (rule.notIcmp?.type !== undefined) flows = differenceOf(flows, icmpFlows(rule.notIcmp))
  return withPorts(rule, flows, source, destination, (list) => !asWritten && rule.unchecked[family].has(list))
}

const icmpFlows = ({type = 0, code}: Icmp): FamilyFlows => ({...NO_FAMILY_FLOWS, icmp: rectangle(type, type, code === undefined ? EVERY_CODE : [code, code])})

function withPorts(rule: Rule, flows: FamilyFlows, source: Place, destination: Place, isUnchecked: (list: string) => boolean): FamilyFlows {
  const ends = [
    {name: 'destination', end: rule.destination, place: destination},
    {name: 'source', end: rule.source, place: source},
  ]
  const asked = ends.map(({name, end, place}) => ({
    ports: end.ports && !isUnchecked(`${name}.ports`) ? end.ports : undefined,
    notPorts: end.notPorts,
    of: (ports: Ports, protocol: number): Ranges =>
      rangesOf([...ports.ranges, ...namedAt(ports, place, end.set).flatMap((named) => (named.protocol === protocol ? [[named.port, named.port] as const] : []))]),
  }))
  if (asked.every(({ports, notPorts}) => ports === undefined && notPorts === undefined)) return flows
  const allowed: FamilyFlows = {
    ...allFlowsOf(source.address.family),
    ...Object.fromEntries(
      PORT_PROTOCOL_NAMES.map((protocol) => {
        const [xs, ys] = asked.map(({ports, notPorts, of}) => {
          const wanted = ports ? of(ports, PORT_PROTOCOLS[protocol]) : EVERY_PORT
          return notPorts ? combineRanges(wanted, of(notPorts, PORT_PROTOCOLS[protocol]), DIFFERENCE) : wanted
        })
        return [protocol, product(xs ?? [], ys ?? [])]
      }),
    ),
  }
  const without = asked.some(({ports}) => ports !== undefined)
  return intersectionOf(flows, without ? {...allowed, icmp: [], others: 0n} : allowed)
}

