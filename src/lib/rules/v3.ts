/** Rules in words ⇄ Calico's v3 rules (datamodel-v3 §1.4, §3.3). */
import {type Cidr, formatCidr, isNetwork, parseCidr} from '../net/index.js'
import type {EntityRule, IcmpMatch, Port, Rule} from '../model/types.js'
import {crossProblems} from './cross-check.js'
import {ACTIONS, nameOf, type PortMatch, PROTOCOLS, type RuleProtocol, type RuleSide, type WordRule} from './rule.js'
import {joinSelector, splitSelector} from './selector-forms.js'
import {readIcmpNumber, readPort} from './values.js'

/** The v3 rule that RULE means. `source` and `destination` are always there, as Calico's own client writes them. */
export function toV3({action, protocol, notProtocol, icmp, from, to}: WordRule): Rule {
  return {
    action: ACTIONS[action],
    ...(protocol === undefined ? {} : {protocol: protocolToV3(protocol)}),
    ...(icmp === undefined ? {} : {icmp}),
    ...(notProtocol === undefined ? {} : {notProtocol: protocolToV3(notProtocol)}),
    source: sideToV3(from),
    destination: sideToV3(to),
  }
}

const protocolToV3 = (protocol: RuleProtocol): string | number => (typeof protocol === 'number' ? protocol : PROTOCOLS[protocol])

function sideToV3({ports, tag, cidr, selector, notPorts, notTag, notCidr, notSelector}: RuleSide): EntityRule {
  const select = joinSelector({tag, selector})
  const selectNot = joinSelector({tag: notTag, selector: notSelector})
  return {
    ...(cidr === undefined ? {} : {nets: [cidr]}),
    ...(select === undefined ? {} : {selector: select}),
    ...(ports === undefined ? {} : {ports}),
    ...(notCidr === undefined ? {} : {notNets: [notCidr]}),
    ...(selectNot === undefined ? {} : {notSelector: selectNot}),
    ...(notPorts === undefined ? {} : {notPorts}),
  }
}

/** RULE in words; undefined if words cannot say all of it, or if Calico would not accept it as it stands. */
export function fromV3(rule: Rule): WordRule | undefined {
  const {action: storedAction, protocol: storedProtocol, notProtocol: storedNot, icmp: storedIcmp, source, destination, ...more} = rule
  const action = nameOf(ACTIONS, storedAction)
  const protocol = protocolFromV3(storedProtocol)
  const notProtocol = protocolFromV3(storedNot)
  const icmp = storedIcmp && icmpFromV3(storedIcmp)
  const from = sideFromV3(source ?? {})
  const to = sideFromV3(destination ?? {})
  if (Object.keys(more).length > 0 || action === undefined || from === undefined || to === undefined) return undefined
  if (protocol === null || notProtocol === null || icmp === null || crossProblems(rule).length > 0) return undefined
  return {
    action,
    ...(protocol === undefined ? {} : {protocol}),
    ...(notProtocol === undefined ? {} : {notProtocol}),
    ...(icmp === undefined ? {} : {icmp}),
    from,
    to,
  }
}

/** null = words cannot say it. */
function protocolFromV3(stored: string | number | undefined): RuleProtocol | undefined | null {
  if (stored === undefined) return undefined
  const number = Number(stored)
  if (Number.isInteger(number)) return number >= 1 && number <= 255 ? number : null
  return nameOf(PROTOCOLS, stored) ?? null
}

function icmpFromV3({type, code, ...more}: IcmpMatch): WordRule['icmp'] | null {
  const good = (number: number | undefined): boolean => {
    let accepted = true
    if (number !== undefined) readIcmpNumber('type', String(number), () => (accepted = false))
    return accepted
  }
  if (type === undefined || !good(type) || !good(code) || Object.keys(more).length > 0) return null
  return code === undefined ? {type} : {type, code}
}

function sideFromV3(side: EntityRule): RuleSide | undefined {
  const {nets, selector, ports: storedPorts, notNets, notSelector, notPorts: storedNotPorts, ...more} = side
  const cidr = onlyNetwork(nets)
  const notCidr = onlyNetwork(notNets)
  const ports = portsFromV3(storedPorts)
  const notPorts = portsFromV3(storedNotPorts)
  const select = selector === undefined ? {} : splitSelector(selector)
  const not = notSelector === undefined ? {} : splitNotSelector(notSelector)
  if (Object.keys(more).length > 0 || cidr === null || notCidr === null || ports === null || notPorts === null) return undefined
  if (select === undefined || not === undefined) return undefined
  return {
    ...(ports === undefined ? {} : {ports}),
    ...(select.tag === undefined ? {} : {tag: select.tag}),
    ...(cidr === undefined ? {} : {cidr}),
    ...(select.selector === undefined ? {} : {selector: select.selector}),
    ...(notPorts === undefined ? {} : {notPorts}),
    ...(not.tag === undefined ? {} : {notTag: not.tag}),
    ...(notCidr === undefined ? {} : {notCidr}),
    ...(not.selector === undefined ? {} : {notSelector: not.selector}),
  }
}

/** As splitSelector, but a tag together with a selector stays one selector: `not tag` and `not selector` cannot be combined. */
export function splitNotSelector(text: string): ReturnType<typeof splitSelector> {
  const parts = splitSelector(text)
  return parts?.tag !== undefined && parts.selector !== undefined ? {selector: text} : parts
}

/** The one network in NETS; null for several, for none in a list that is there, and for what Calico would not accept. */
function onlyNetwork(nets: readonly string[] | undefined): string | undefined | null {
  if (nets === undefined) return undefined
  const [text, ...more] = nets
  const cidr: Cidr | undefined = text === undefined || more.length > 0 ? undefined : parseCidr(text)
  return cidr && isNetwork(cidr) ? formatCidr(cidr) : null
}

function portsFromV3(stored: readonly Port[] | undefined): PortMatch[] | undefined | null {
  if (stored === undefined) return undefined
  const ports = stored.map((port) => readPort(String(port), () => undefined))
  return ports.length > 0 && ports.every((port) => port !== undefined) ? ports : null
}
