/** How `policy explain` is shown: the verdict, what decided on each side, how to change that, and the rules in the order in which they were asked. */
import {append} from '../../append.js'
import type {OwnContent} from '../../documents/own.js'
import {ownDocument, type Presentation} from '../../cli/output/presentation.js'
import type {By, SideVerdict} from '../../policy/by.js'
import {flowsOfPairs, type JudgedPair, judgePairs, type PairFlows, type TotalVerdict, withoutRule} from '../../policy/explain.js'
import {ruleLabel, type Warning} from '../../policy/judge.js'
import {protocolName} from '../../policy/packets.js'
import {type Selection, type Traffic, trafficText} from '../../policy/probe.js'
import type {Rule} from '../../policy/rule.js'
import {whyNot} from '../../policy/why-not.js'
import type {World} from '../../policy/world.js'
import {type Family, formatCidr, hostCidr} from '../../net/index.js'
import type {Party} from '../../policy/parties.js'
import {tagProblem} from '../../model/names.js'
import type {RuleProtocol, RuleSide, WordRule} from '../../rules/rule.js'
import {ruleText} from '../../rules/show.js'
import {toV3} from '../../rules/v3.js'

export interface Question {
  readonly world: World
  readonly from: Selection
  readonly to: Selection
  readonly traffic: Traffic | undefined
  readonly family: Family | undefined
}

/** A question about certain traffic. */
type Asked = Pick<Question, 'from' | 'to'> & {readonly traffic: Traffic}

export interface Explained {
  readonly presentation: Presentation<object>
  readonly verdict: TotalVerdict | undefined
  readonly warnings: readonly Warning[]
}

/** @throws CalicoError `invalid` where the two ends have no address family in common */
export const explain = (question: Question): Explained => (question.traffic === undefined ? explainFlows(question) : explainTraffic(question, question.traffic))

const presentationOf = (lines: readonly string[], document: OwnContent<'PolicyExplanation'>): Presentation<object> => ({
  rows: [document],
  columns: [{header: 'Explanation', value: () => lines}],
  name: () => document.verdict ?? '',
  document: () => ownDocument('PolicyExplanation', document),
  text: () => lines,
  sentences: true,
})

function explainTraffic({world, from, to, family: wanted}: Question, traffic: Traffic): Explained {
  const {family, pairs, verdict} = judgePairs(world, from, to, traffic, wanted)
  const warnings = distinct(pairs.flatMap(({judgement}) => judgement.warnings))
  const asked = {
    from: from.json,
    to: to.json,
    proto: protocolName(traffic.protocol),
    ...(traffic.dport === undefined ? {} : {dport: traffic.dport}),
    ...(traffic.sport === undefined ? {} : {sport: traffic.sport}),
    ...(traffic.icmpType === undefined ? {} : {icmpType: traffic.icmpType}),
    ...(traffic.icmpCode === undefined ? {} : {icmpCode: traffic.icmpCode}),
    ...(family === 6 ? {ipVersion: 6 as const} : {}),
  }
  const [first] = pairs
  const flowsOf = (pair: JudgedPair) => {
    const {verdict: own, reason, egress, ingress, forward} = pair.judgement
    return {verdict: own, ...(reason === undefined ? {} : {reason}), egress, ingress, forward}
  }
  const headline = `${verdict}: ${trafficText(traffic)} from ${from.label} to ${to.label}`
  if (first === undefined) {
    const reason = 'there is no pair of different endpoints'
    return {verdict, warnings, presentation: presentationOf([headline, `Because ${reason}.`], {...asked, verdict, reason, egress: null, ingress: null, forward: [], warnings})}
  }
  const single = pairs.length === 1 || verdict !== 'mixed'
  const reasons = [...new Set(pairs.flatMap(({judgement}) => judgement.reason ?? []))]
  const list = pairs.map((pair) => ({from: pair.from.json, to: pair.to.json, fromEndpoints: pair.from.endpoints, toEndpoints: pair.to.endpoints, ...flowsOf(pair)}))
  const document = {
    ...asked,
    ...(single ? flowsOf(first) : {verdict, egress: null, ingress: null, forward: []}),
    ...(from.single && to.single ? {} : {pairs: list}),
    warnings,
  }
  const groupLines = from.single && to.single ? [] : pairs.map((pair) => `  ${pair.judgement.verdict}: ${pair.from.label} to ${pair.to.label}`)
  const details = single ? detailLines(first, {from, to, traffic}, family) : reasons.map((reason) => `Because ${reason}.`)
  return {verdict, warnings, presentation: presentationOf([headline, ...(verdict === 'mixed' || pairs.length > 1 ? groupLines : []), ...details], document)}
}

const distinct = (warnings: readonly Warning[]): Warning[] => [...new Map(warnings.map((warning) => [warning.message, warning])).values()]

/** What decided about PAIR, what would have to differ, and the rules that were asked. */
function detailLines(pair: JudgedPair, asked: Asked, family: Family): string[] {
  const {traffic} = asked
  const {verdict, reason, egress, ingress, forward, open} = pair.judgement
  const lines = verdict === 'unknown' ? [`Because ${reason ?? 'it cannot be determined'}.`] : []
  lines.push(sideLine('Sender  ', egress, open.includes('egress')), sideLine('Receiver', ingress, open.includes('ingress')))
  for (const step of forward) lines.push(`On ${step.host}: host endpoint ${step.hostEndpoint}: ${decisionText(step)}`)
  const deciding = [egress, ingress, ...forward].filter((side) => side !== null && (verdict !== 'deny' || side.verdict === 'deny')) as SideVerdict[]
  append(lines, new Set(deciding.flatMap((side) => commandLines(side, pair, asked))))
  if (verdict !== 'unknown') append(lines, otherwiseLines(pair, traffic, family, deciding))
  const considered = [...(egress?.considered ?? []), ...(ingress?.considered ?? [])]
  if (considered.length > 0) lines.push('Rules in order:')
  for (const {matched, action, ...by} of considered) lines.push(`  ${by.direction === 'egress' ? 'sender' : 'receiver'}: ${ruleLabel({...by, action})}: ${action.toLowerCase()}: ${matched ? 'matches' : 'does not match'}`)
  return lines
}

const decisionText = (side: SideVerdict): string => {
  const passed = (side.passed ?? []).map((by) => ruleLabel(by))
  const logged = (side.logged ?? []).map((by) => ruleLabel(by))
  return `${side.verdict} by ${byText(side.by)}${passed.length > 0 ? `, passed to the next tier by ${passed.join(', ')}` : ''}${logged.length > 0 ? `, logged by ${logged.join(', ')}` : ''}`
}

const sideLine = (title: string, side: SideVerdict | null, isOpen: boolean): string => `${title}: ${isOpen ? 'cannot be determined' : side === null ? 'no policy applies' : `${side.hostEndpoint === undefined ? '' : `host endpoint ${side.hostEndpoint}: `}${decisionText(side)}`}`

/** What decides, for people. */
export function byText(by: By): string {
  switch (by.kind) {
    case 'NoMatch':
      return 'default: no rule of its profiles matches'
    case 'Tier':
      return `the end of tier ${by.name ?? ''}, in which no rule matches`
    case 'Failsafe':
      return 'a failsafe port of the host'
    case 'EndpointToHost':
      return `defaultEndpointToHostAction ${by.action}, which applies to traffic from an endpoint to its own host`
    case 'Encapsulation':
      return 'Felix: an endpoint may not send encapsulated packets'
    case 'Conntrack':
      return 'connection tracking: this ICMP type does not start a flow'
    case 'ICMPv6Router':
      return 'Felix: the host always accepts router and neighbour messages'
    default:
      return by.missing ? `profile ${by.name ?? ''}, which does not exist` : ruleLabel(by)
  }
}

/** What shows or changes what decided. */
function commandLines({by, hostEndpoint}: SideVerdict, pair: JudgedPair, asked: Asked): string[] {
  const {direction, name = '', index = 0} = by
  const side = direction === 'ingress' ? 'inbound' : 'outbound'
  switch (by.kind) {
    case 'Profile':
      if (by.missing) return [`Create it: calicoctl profile add ${name}`]
      if (name === 'projectcalico-default-allow') return []
      return [`Show it: calicoctl profile ${name} rule show`, `Remove it: calicoctl profile ${name} rule remove ${side} --at ${index + 1}`]
    case 'GlobalNetworkPolicy':
      return [`Show it: calicoctl get globalnetworkpolicy ${name} -o yaml`]
    case 'NetworkPolicy':
      return [`Show it: calicoctl get networkpolicy ${name} -n ${by.namespace ?? ''} -o yaml`]
    case 'Tier':
      return [`Show it: calicoctl get tier ${name} -o yaml`]
    case 'NoMatch':
      return [allowCommand(pair, asked, side, hostEndpoint)]
    case 'Failsafe':
    case 'EndpointToHost':
      return ['Show it: calicoctl get felixconfiguration -o yaml']
    default:
      return []
  }
}

/** The command that opens what no rule lets through, to those who were asked about and no others, as far as a rule can name them. */
function allowCommand({sender, receiver}: JudgedPair, {traffic, from, to}: Asked, side: 'inbound' | 'outbound', hostEndpoint: string | undefined): string {
  const [own, other, asked] = side === 'inbound' ? [receiver, sender, from] : [sender, receiver, to]
  const profile = own.type === 'workload' ? own.workload.profiles.at(-1) : undefined
  if (profile === undefined || hostEndpoint !== undefined) return hostEndpoint === undefined ? 'Add a profile: calicoctl endpoint ENDPOINT profile append PROFILE' : `Show it: calicoctl get hostendpoint ${hostEndpoint} -o yaml`
  const {protocol, dport, icmpType, icmpCode} = traffic
  const name = protocolName(protocol)
  const ofIcmp = (value: number | undefined): value is number => value !== undefined && value <= MOST_ICMP
  const ports = dport === undefined || dport === 0 ? {} : {ports: [dport]} // no rule can name port 0
  const whom = sideOf(other, asked)
  const rule: WordRule = {
    action: 'allow',
    protocol: /^\d+$/.test(name) ? protocol : (name as RuleProtocol),
    ...(ofIcmp(icmpType) ? {icmp: {type: icmpType, ...(ofIcmp(icmpCode) ? {code: icmpCode} : {})}} : {}),
    from: side === 'inbound' ? whom : {},
    to: side === 'inbound' ? ports : {...ports, ...whom},
  }
  return `Allow it: calicoctl profile ${profile} rule add ${side} ${ruleText(toV3(rule))}`
}

/** The largest ICMP type and code that rules can name. */
const MOST_ICMP = 254

/** PARTY, which is ASKED for, in a rule: by a tag that it has, else by its address; of a group without a tag, all. */
function sideOf({address, ...party}: Party, {single, json}: Selection): RuleSide {
  const {tag: given} = json as {readonly tag?: string}
  if ('any' in json) return {}
  const tag = given ?? (party.type === 'workload' ? party.workload.profiles.find((name) => party.workload.labels.map.has(name)) : undefined)
  if (tag !== undefined && tagProblem(tag) === undefined) return {tag}
  return single ? {cidr: formatCidr(hostCidr(address))} : {}
}

/** What would have to differ for the other verdict. */
function otherwiseLines(pair: JudgedPair, traffic: Traffic, family: Family, deciding: readonly SideVerdict[]): string[] {
  const {verdict} = pair.judgement
  return deciding.flatMap((side) => {
    const {by} = side
    if (by.index !== undefined && by.name !== 'projectcalico-default-allow') {
      const without = withoutRule(pair, traffic, family, by)
      const next = without.by === undefined ? '' : ` by ${byText(without.by)}`
      return [without.verdict === verdict ? `Without ${ruleLabel(by)} it would still be ${verdict}${next}.` : `Without ${ruleLabel(by)} it would be ${without.verdict}${next}.`]
    }
    if (verdict !== 'deny') return []
    return nearMisses(pair, traffic, family, side)
  })
}

/** Rules of SIDE that would allow the flow if one thing were different. */
function nearMisses(pair: JudgedPair, traffic: Traffic, family: Family, {by}: SideVerdict): string[] {
  const {route} = pair.judgement
  const point = by.direction === 'ingress' ? route.ingress : route.egress
  if (point === undefined) return []
  // What stands behind a tier that ends in a deny, or behind a profile that is missing, is not asked.
  const tiers = by.kind === 'Tier' ? point.tiers.slice(0, 1 + point.tiers.findIndex(({tier}) => tier.name === by.name)) : point.tiers
  const profiles = by.kind === 'Tier' ? [] : by.missing ? point.profiles.slice(0, point.profiles.findIndex(({missing}) => missing)) : point.profiles
  const rules: Rule[] = [...tiers.flatMap(({policies}) => policies), ...profiles].flatMap(({[by.direction]: list}) => [...list])
  const near = rules.filter(({action}) => action === 'Allow').map((rule) => ({rule, reasons: whyNot(rule, {family, ...traffic}, point.source, point.destination)}))
  return near
    .filter(({reasons}) => reasons?.length === 1)
    .slice(0, 5)
    .map(({rule, reasons: [reason = ''] = []}) => `${ruleLabel(rule.by)} would allow it if ${reason}.`)
}

function explainFlows({world, from, to, family}: Question): Explained {
  const {pairs, same} = flowsOfPairs(world, from, to, family)
  const asked = {from: from.json, to: to.json, ...(family === 6 ? {ipVersion: 6 as const} : {})}
  const [first] = pairs
  const warnings = distinct(pairs.flatMap((pair) => pair.warnings))
  const flowsOf = ({doubt, texts}: PairFlows) => (doubt === undefined ? {flows: texts} : {verdict: 'unknown' as const, reason: doubt, flows: null})
  const total = same ? (first ? flowsOf(first) : {flows: []}) : {verdict: 'mixed' as const, flows: null}
  const list = pairs.map((pair) => ({from: pair.from.json, to: pair.to.json, fromEndpoints: pair.from.endpoints, toEndpoints: pair.to.endpoints, ...flowsOf(pair), by: pair.passing.by}))
  const document = {...asked, ...total, ...(from.single && to.single ? {by: first?.passing.by ?? []} : {pairs: list}), warnings}
  const text = ({doubt, texts}: PairFlows): string => (doubt === undefined ? texts.join(' ') || 'nothing' : `unknown: ${doubt}`)
  const lines =
    same && first
      ? [`Allowed from ${from.label} to ${to.label}: ${text(first)}`, ...first.passing.by.map((by) => `  by ${byText(by)}`)]
      : pairs.map((pair) => `Allowed from ${pair.from.label} to ${pair.to.label}: ${text(pair)}`)
  return {verdict: undefined, warnings, presentation: presentationOf(lines, document)}
}

