/**
 * The rules document of v0.20, which `rule json` prints and `rule update` takes (cli-v0.20 §4.4.6), with the keys that libcalico added later
 * (datamodel-v3 §3.3). A rule that these keys cannot say stands in it as `{"v3": {…}}` (decisions.md 6).
 */
import {append} from '../append.js'
import {shownJson} from '../json/index.js'
import {isObject} from '../json/is-object.js'
import type {EntityRule, IcmpMatch, Port, Rule} from '../model/types.js'
import {v3Problems} from './check-v3.js'
import {sameRule} from './compare.js'
import {crossProblems} from './cross-check.js'
import {ACTIONS, nameOf, PROTOCOLS} from './rule.js'
import {joinSelector, splitSelector} from './selector-forms.js'
import {splitNotSelector} from './v3.js'
import {type Bad, readIcmpNumber, readNetwork, readPort, readProtocol, readSelector, readTag} from './values.js'

/** A profile's rules by v0.20's directions. */
export interface RuleLists {
  readonly inbound: readonly Rule[]
  readonly outbound: readonly Rule[]
}

export interface RulesDocument {
  readonly id: string
  readonly inbound_rules: readonly object[]
  readonly outbound_rules: readonly object[]
}

/** The document of the profile that users call ID. */
export function rulesDocument(id: string, {inbound, outbound}: RuleLists): RulesDocument {
  return {id, inbound_rules: inbound.map(toV020), outbound_rules: outbound.map(toV020)}
}

/** RULE with v0.20's keys, or as `{v3: RULE}` where they would not give it back. */
export function toV020(rule: Rule): object {
  const {action, ipVersion, protocol, notProtocol, icmp, notICMP, source = {}, destination = {}} = rule
  const old = withoutUndefined({
    action: nameOf(ACTIONS, action),
    ip_version: ipVersion,
    protocol: protocolName(protocol),
    '!protocol': protocolName(notProtocol),
    icmp_type: icmp?.type,
    icmp_code: icmp?.code,
    '!icmp_type': notICMP?.type,
    '!icmp_code': notICMP?.code,
    ...sideToV020('src', source),
    ...sideToV020('dst', destination),
  })
  const back = readRule(old, () => undefined, () => undefined)
  return back && sameRule(back, rule) ? old : {v3: rule}
}

const withoutUndefined = (object: object): object => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))

const protocolName = (stored: string | number | undefined): string | number | undefined => nameOf(PROTOCOLS, stored) ?? stored

function sideToV020(end: End, {nets, notNets, ports, notPorts, selector, notSelector}: EntityRule): object {
  const select: ReturnType<typeof splitSelector> = selector === undefined ? {} : splitSelector(selector)
  const not = notSelector === undefined ? {} : splitNotSelector(notSelector)
  return {
    ...netsToV020(`${end}_net`, nets),
    ...netsToV020(`!${end}_net`, notNets),
    [`${end}_ports`]: ports,
    [`!${end}_ports`]: notPorts,
    [`${end}_tag`]: select?.tag,
    [`${end}_selector`]: select?.selector,
    [`!${end}_tag`]: not?.tag,
    [`!${end}_selector`]: not?.selector,
  }
}

const netsToV020 = (key: string, nets: readonly string[] | undefined): object => (nets?.length === 1 ? {[key]: nets[0]} : {[`${key}s`]: nets})

type End = 'src' | 'dst'
const ENDS: readonly End[] = ['src', 'dst']

const RULE_KEYS: readonly string[] = [
  ...['action', 'ip_version', 'protocol', '!protocol', 'icmp_type', 'icmp_code', '!icmp_type', '!icmp_code'],
  ...ENDS.flatMap((end) => ['net', 'nets', 'ports', 'tag', 'selector'].flatMap((key) => [`${end}_${key}`, `!${end}_${key}`])),
]
const DOCUMENT_KEYS = ['id', 'inbound_rules', 'outbound_rules'] as const

/** Finds the one of CANDIDATES that WORD was probably meant to be. */
export type Nearest = (word: string, candidates: Iterable<string>) => string | undefined

/**
 * Reads DOCUMENT, parsed JSON, as new rules for the profile that the user calls PROFILE. Strict: a key that is not known is refused, since
 * dropping it could open what it was to close. `id` may be missing.
 */
export function readRulesDocument(
  document: unknown,
  profile: string,
  nearest: Nearest,
): {readonly ok: true; readonly rules: RuleLists} | {readonly ok: false; readonly problems: readonly string[]} {
  const problems: string[] = []
  if (!isObject(document)) return {ok: false, problems: ['the rules must be a JSON object with "inbound_rules" and "outbound_rules"']}
  append(problems, unknownKeys(document, DOCUMENT_KEYS, nearest))
  if (document.id !== undefined && document.id !== profile) problems.push(`"id" is ${shown(document.id)}, but the profile is "${profile}"`)
  const list = (key: 'inbound_rules' | 'outbound_rules'): Rule[] => {
    const rules = document[key]
    if (!Array.isArray(rules)) {
      problems.push(rules === undefined ? `"${key}" is missing: give [] for none` : `"${key}" must be a list`)
      return []
    }
    return rules.flatMap((rule: unknown, index) => {
      const bad: Bad = (problem) => problems.push(`${key}[${index}]: ${problem}`)
      const read = isObject(rule) && 'v3' in rule ? readV3(rule, bad) : readRule(rule, bad, nearest)
      return read ? [read] : []
    })
  }
  const rules = {inbound: list('inbound_rules'), outbound: list('outbound_rules')}
  return problems.length > 0 ? {ok: false, problems} : {ok: true, rules}
}

function readV3({v3, ...more}: Record<string, unknown>, bad: Bad): Rule | undefined {
  if (Object.keys(more).length > 0) bad('"v3" must be the only key of its rule')
  if (!isObject(v3)) {
    bad('"v3" must be a Calico v3 rule')
    return undefined
  }
  for (const problem of v3Problems(v3)) bad(`v3: ${problem}`)
  return v3 as unknown as Rule
}

/** A rule with v0.20's keys as a v3 rule; undefined if BAD was called. */
function readRule(rule: unknown, bad: Bad, nearest: Nearest): Rule | undefined {
  if (!isObject(rule)) {
    bad('a rule must be a JSON object')
    return undefined
  }
  const problems: string[] = []
  const note: Bad = (problem) => problems.push(problem)
  unknownKeys(rule, RULE_KEYS, nearest).forEach(note)
  const value = <T>(key: string, read: (value: unknown, bad: Bad) => T | undefined): T | undefined =>
    rule[key] === undefined ? undefined : read(rule[key], (problem) => note(`"${key}": ${problem}`))
  if (rule.action === undefined) note('"action" is missing')
  const action = value('action', readAction) ?? 'Deny'
  const icmp = icmpMatch(value('icmp_type', icmpNumber('type')), value('icmp_code', icmpNumber('code')))
  const notICMP = icmpMatch(value('!icmp_type', icmpNumber('type')), value('!icmp_code', icmpNumber('code')))
  const [source, destination] = ENDS.map((end) => readSide(end, value, note))
  const v3 = withoutUndefined({
    action,
    ipVersion: value('ip_version', readIpVersion),
    protocol: value('protocol', readProtocolValue),
    icmp,
    notProtocol: value('!protocol', readProtocolValue),
    notICMP,
    source,
    destination,
  }) as unknown as Rule
  append(problems, crossProblems(v3))
  problems.forEach(bad)
  return problems.length === 0 ? v3 : undefined
}

type ReadValue = <T>(key: string, read: (value: unknown, bad: Bad) => T | undefined) => T | undefined

function readSide(end: End, value: ReadValue, bad: Bad): EntityRule {
  const nets = (not: string): string[] | undefined => {
    const one = value(`${not}${end}_net`, ofString(readNetwork))
    const list = [...(value(`${not}${end}_nets`, readNetworks) ?? []), ...(one === undefined ? [] : [one])]
    return list.length > 0 ? list : undefined
  }
  const notTag = value(`!${end}_tag`, ofString(readTag))
  const notSelector = value(`!${end}_selector`, ofString(readSelector))
  if (notTag !== undefined && notSelector !== undefined) {
    bad(`"!${end}_tag" and "!${end}_selector" cannot be combined: write "!${end}_selector": "has(${notTag}) || (…)"`)
  }
  return withoutUndefined({
    nets: nets(''),
    selector: joinSelector({tag: value(`${end}_tag`, ofString(readTag)), selector: value(`${end}_selector`, ofString(readSelector))}),
    ports: value(`${end}_ports`, readPortList),
    notNets: nets('!'),
    notSelector: joinSelector({tag: notTag, selector: notSelector}),
    notPorts: value(`!${end}_ports`, readPortList),
  })
}

const icmpMatch = (type: number | undefined, code: number | undefined): IcmpMatch | undefined =>
  type === undefined && code === undefined ? undefined : withoutUndefined({type, code})

const readAction = (value: unknown, bad: Bad): Rule['action'] | undefined => {
  if (typeof value === 'string' && Object.hasOwn(ACTIONS, value)) return ACTIONS[value as keyof typeof ACTIONS]
  bad(`${shown(value)} is not an action: give ${Object.keys(ACTIONS).join(', ')}`)
  return undefined
}

const readIpVersion = (value: unknown, bad: Bad): 4 | 6 | undefined => {
  if (value === 4 || value === 6) return value
  bad(`${shown(value)} is not an IP version: give 4 or 6`)
  return undefined
}

const icmpNumber =
  (which: 'type' | 'code') =>
  (value: unknown, bad: Bad): number | undefined =>
    readIcmpNumber(which, typeof value === 'number' ? String(value) : shown(value), bad)

const readProtocolValue = (value: unknown, bad: Bad): string | number | undefined => {
  const protocol = readProtocol(typeof value === 'string' || typeof value === 'number' ? String(value) : shown(value), bad)
  return typeof protocol === 'string' ? PROTOCOLS[protocol] : protocol
}

const ofString =
  (read: (text: string, bad: Bad) => string | undefined) =>
  (value: unknown, bad: Bad): string | undefined => {
    if (typeof value === 'string') return read(value, bad)
    bad(`${shown(value)} is not a string`)
    return undefined
  }

const readNetworks = (value: unknown, bad: Bad): string[] | undefined => {
  if (!Array.isArray(value) || value.length === 0) {
    bad('give a list of at least one CIDR; omit the key to match every address')
    return undefined
  }
  return value.flatMap((item: unknown) => ofString(readNetwork)(item, bad) ?? [])
}

const readPortList = (value: unknown, bad: Bad): Port[] | undefined => {
  if (!Array.isArray(value) || value.length === 0) {
    bad('give a list of at least one port; omit the key to match every port')
    return undefined
  }
  return value.flatMap((item: unknown) => readPort(typeof item === 'number' || typeof item === 'string' ? String(item) : shown(item), bad) ?? [])
}

/** A sentence for each key of OBJECT that is not in KNOWN. */
function unknownKeys(object: Record<string, unknown>, known: readonly string[], nearest: Nearest): string[] {
  return Object.keys(object)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = nearest(key, known)
      return `unknown key "${key}"${near === undefined ? '' : `; did you mean "${near}"?`}`
    })
}

/** VALUE as part of a message. */
const shown = (value: unknown): string => {
  const text = shownJson(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
