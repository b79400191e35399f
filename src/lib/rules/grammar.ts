/**
 * The grammar of a rule's words (cli-v0.20 §4.4.5), strict and ordered as in v0.20: a word that opens a part is taken as such
 * at its place only, and the word after it is its value whatever it says (`from tag to` names the tag `to`).
 *
 *     RULE  := (allow|deny) [PROTO] [not protocol P] [from SIDE] [to SIDE]
 *     PROTO := tcp | udp | (icmp|icmpv6) [type N [code N]] | protocol P
 *     SIDE  := [ports L] [tag T] [cidr C] [selector S] [not ports L] [not tag T] [not cidr C] [not selector S]
 *
 * `protocol`, `not` and `selector` are ours (decisions.md 1): without one of them a line means what it meant in v0.20, or is refused.
 * `ports` stands only after `tcp`, `udp` or `protocol P`; `not tag` and `not selector` cannot be combined. Values are not judged here.
 */

/** The parts of one side that take a value, by the words that open them, in the order in which they may stand. */
const SIDE_PARTS = ['ports', 'tag', 'cidr', 'selector', 'not ports', 'not tag', 'not cidr', 'not selector'] as const
type SidePart = (typeof SIDE_PARTS)[number]
export type SideWords = Partial<Record<SidePart, string>>

/** A rule's words sorted into their places, values as typed. */
export interface RuleParts {
  readonly action: 'allow' | 'deny'
  /** A protocol that is a word of its own. */
  readonly word?: ProtocolWord
  /** The value of `protocol`. */
  readonly protocol?: string
  /** The value of `not protocol`. */
  readonly notProtocol?: string
  readonly type?: string
  readonly code?: string
  readonly from: SideWords
  readonly to: SideWords
}

/** A line that is no rule: what is wrong, and the index of the word at which it shows (the number of words if it ends too early). */
export interface GrammarProblem {
  readonly ok: false
  readonly problem: string
  readonly at: number
}

const PROTOCOL_WORDS = ['tcp', 'udp', 'icmp', 'icmpv6'] as const
type ProtocolWord = (typeof PROTOCOL_WORDS)[number]
const OPENING = new Set<string>(['from', 'to', 'type', 'code', 'protocol', 'not', 'ports', 'tag', 'cidr', 'selector', ...PROTOCOL_WORDS])

/** Words of other tools, and slips, for those that open a part of a side. */
const MEANT: Readonly<Record<string, SidePart>> = {
  port: 'ports', dport: 'ports', sport: 'ports', tags: 'tag', profile: 'tag', group: 'tag', cidrs: 'cidr', net: 'cidr', network: 'cidr', ip: 'cidr', subnet: 'cidr', selectors: 'selector',
}

class Misplaced extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message)
  }
}

/** WORDS, those after `inbound` or `outbound`, sorted into their places. */
export function splitRuleWords(words: readonly string[]): {readonly ok: true; readonly parts: RuleParts} | GrammarProblem {
  try {
    return {ok: true, parts: split(words)}
  } catch (error) {
    if (error instanceof Misplaced) return {ok: false, problem: error.message, at: error.at}
    throw error
  }
}

/** Whether WORDS, those after `inbound` or `outbound`, are a rule by their grammar alone. */
export function judgeRuleWords(words: readonly string[]): {readonly ok: true} | GrammarProblem {
  const result = splitRuleWords(words)
  return result.ok ? {ok: true} : result
}

function split(words: readonly string[]): RuleParts {
  let at = 0
  const next = (...expected: string[]): boolean => {
    if (expected.some((word, offset) => words[at + offset] !== word)) return false
    at += expected.length
    return true
  }
  const value = (part: string): string => {
    const word = words[at]
    if (word === undefined) throw new Misplaced(`"${part}" needs a value after it`, at)
    at++
    return word
  }
  const optional = (part: string): string | undefined => (next(...part.split(' ')) ? value(part) : undefined)
  const side = (): SideWords => {
    const found: SideWords = {}
    for (const part of SIDE_PARTS) {
      if (part === 'not selector' && found['not tag'] !== undefined) continue
      if (part.endsWith('ports') && !portsAllowed) continue
      const text = optional(part)
      if (text !== undefined) found[part] = text
    }
    return found
  }

  const action = words[0]
  if (action !== 'allow' && action !== 'deny') {
    throw new Misplaced(action === undefined ? 'the rule is missing: it begins with "allow" or "deny"' : `a rule begins with "allow" or "deny", not with "${action}"`, 0)
  }
  at = 1
  const word = PROTOCOL_WORDS.find((name) => next(name))
  const type = word === 'icmp' || word === 'icmpv6' ? optional('type') : undefined
  const code = type === undefined ? undefined : optional('code')
  const protocol = word === undefined ? optional('protocol') : undefined
  const notProtocol = optional('not protocol')
  const portsAllowed = word === 'tcp' || word === 'udp' || protocol !== undefined
  const from = next('from') ? side() : {}
  const to = next('to') ? side() : {}
  if (at < words.length) throw new Misplaced(misplaced(words, at), at)
  return {
    action,
    ...(word === undefined ? {} : {word}),
    ...(protocol === undefined ? {} : {protocol}),
    ...(notProtocol === undefined ? {} : {notProtocol}),
    ...(type === undefined ? {} : {type}),
    ...(code === undefined ? {} : {code}),
    from,
    to,
  }
}

/** Why the word at AT cannot stand there, with the nearest thing that could. */
function misplaced(words: readonly string[], at: number): string {
  const word = words[at] ?? ''
  const before = words[at - 1] ?? ''
  if (word === 'ports' || (word === 'not' && words[at + 1] === 'ports')) {
    return words.slice(1, at).some((other) => other === 'tcp' || other === 'udp' || other === 'protocol')
      ? '"ports" comes first after "from" or "to", before "tag", "cidr" and "selector"'
      : '"ports" needs a protocol: "tcp" or "udp" after the action'
  }
  if (word === 'type' || word === 'code') {
    return word === 'code' ? '"code" must follow "icmp type N"' : '"type" must follow "icmp" or "icmpv6"'
  }
  if (word === 'from') return words.indexOf('from') < at ? '"from" may be given only once' : '"from" must come before "to": from tag A to tag B'
  if (word === 'to') return '"to" may be given only once, at the end of the rule'
  if (word === 'not' && words[at + 1] === 'selector') return '"not tag" and "not selector" cannot be combined: put the tag into the selector, as has(TAG) || …'
  if (word === 'tag' || word === 'cidr' || word === 'selector') {
    return words.includes('from') || words.includes('to')
      ? `"${word}" is out of order: the order after "from" or "to" is "ports", "tag", "cidr", "selector", then "not …", each at most once`
      : `"${word}" needs "from" or "to" before it`
  }
  if (OPENING.has(word)) return `"${word}" is not valid at this position`
  if (at === 1 && /^(\d+|sctp|udplite)$/i.test(word)) return `"${word}" is not a keyword: write "protocol ${word}"`
  if (at === 1) return `"${word}" is not a protocol: expected "tcp", "udp", "icmp", "icmpv6" or "protocol NAME", or "from" or "to"`
  if (before === 'from' || before === 'to') {
    const [, name = '', value = ''] = /^(ports|tag|cidr|selector)=(.+)$/.exec(word) ?? []
    if (name !== '') return `"${word}" is not a match: write "${before} ${name} ${value}"`
    const keyword = MEANT[word]
    if (keyword !== undefined && words[at + 1] !== undefined) return `"${word}" is not a keyword: write "${before} ${keyword} ${words[at + 1] ?? ''}"`
  }
  if ((before === 'from' || before === 'to') && word !== '') {
    return `"${word}" needs a keyword before it: "${before} ${/^[0-9a-fA-F]*[.:]/.test(word) ? 'cidr' : 'tag'} ${word}"`
  }
  return `"${word}" is unexpected at the end of the rule`
}
