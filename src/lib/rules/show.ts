/** Rules as `rule show` prints them (cli-v0.20 §4.4.7). What it prints in words can be typed back. */
import {stringifyJson} from '../json/json.js'
import {escapeJson} from '../printable.js'
import type {Rule} from '../model/types.js'
import type {RuleProtocol, RuleSide, WordRule} from './rule.js'
import {fromV3} from './v3.js'

/** RULE as the words that mean it. */
export function wordsOf({action, protocol, notProtocol, icmp, from, to}: WordRule): string[] {
  return [
    action,
    ...protocolWords(protocol),
    ...(icmp ? ['type', String(icmp.type), ...(icmp.code === undefined ? [] : ['code', String(icmp.code)])] : []),
    ...(notProtocol === undefined ? [] : ['not', 'protocol', String(notProtocol)]),
    ...sideWords('from', from),
    ...sideWords('to', to),
  ]
}

function protocolWords(protocol: RuleProtocol | undefined): string[] {
  if (protocol === undefined) return []
  const isWord = protocol === 'tcp' || protocol === 'udp' || protocol === 'icmp' || protocol === 'icmpv6'
  return isWord ? [protocol] : ['protocol', String(protocol)]
}

function sideWords(opening: 'from' | 'to', side: RuleSide): string[] {
  const words = [
    ...(side.ports ? ['ports', side.ports.join(',')] : []),
    ...(side.tag === undefined ? [] : ['tag', side.tag]),
    ...(side.cidr === undefined ? [] : ['cidr', side.cidr]),
    ...(side.selector === undefined ? [] : ['selector', side.selector]),
    ...(side.notPorts ? ['not', 'ports', side.notPorts.join(',')] : []),
    ...(side.notTag === undefined ? [] : ['not', 'tag', side.notTag]),
    ...(side.notCidr === undefined ? [] : ['not', 'cidr', side.notCidr]),
    ...(side.notSelector === undefined ? [] : ['not', 'selector', side.notSelector]),
  ]
  return words.length === 0 ? [] : [opening, ...words]
}

/** RULE on one line: words, quoted for a shell where they must be; `v3 {…}` where words cannot say it (decisions.md 6). */
export function ruleText(rule: Rule): string {
  const words = fromV3(rule)
  return words ? wordsOf(words).map(quoted).join(' ') : `v3 ${escapeJson(stringifyJson(rule))}`
}

/** TEXT as a shell reads it back: selectors, which always need quotes, in double ones unless something in them has a meaning there. */
function quoted(text: string): string {
  if (/^[\w.:/,-]+$/.test(text)) return text
  if (!/["$`\\!]/.test(text)) return `"${text}"`
  return text.includes("'") ? `"${text.replace(/["$`\\]/g, '\\$&')}"` : `'${text}'`
}

/** A rule's line in `rule show`: its number, counted from 1, right-aligned in three columns. */
const numberedRule = (rule: Rule, index: number): string => ` ${String(index + 1).padStart(3)} ${ruleText(rule)}`

/** Both lists of a profile, line by line as `rule show` prints them. A stored selector may hold any character, line feeds too. */
export function rulesLines({inbound, outbound}: {readonly inbound: readonly Rule[]; readonly outbound: readonly Rule[]}): string[] {
  return ['Inbound rules:', ...inbound.map(numberedRule), 'Outbound rules:', ...outbound.map(numberedRule)]
}
