/** A rule's words, as typed after `inbound` or `outbound`, → the rule (cli-v0.20 §4.4.5). */
import {append} from '../append.js'
import type {Rule} from '../model/types.js'
import {crossProblems} from './cross-check.js'
import {type GrammarProblem, type RuleParts, type SideWords, splitRuleWords} from './grammar.js'
import type {RuleSide, WordRule} from './rule.js'
import {toV3} from './v3.js'
import {type Bad, readIcmpNumber, readNetwork, readPorts, readProtocol, readSelector, readTag} from './values.js'

/** Words that fit the grammar, with values that are wrong: all of them. */
export interface ValueProblems {
  readonly ok: false
  readonly problems: readonly string[]
}

/** Reads WORDS: the rule in words and as Calico stores it, or why it is none. A grammar problem is a usage error, value problems are not. */
export function readRuleWords(words: readonly string[]): {readonly ok: true; readonly words: WordRule; readonly rule: Rule} | GrammarProblem | ValueProblems {
  const split = splitRuleWords(words)
  if (!split.ok) return split
  const problems: string[] = []
  const read = readParts(split.parts, (problem) => problems.push(problem))
  const rule = toV3(read)
  append(problems, crossProblems(rule))
  return problems.length > 0 ? {ok: false, problems: [...new Set(problems)]} : {ok: true, words: read, rule}
}

/** The rule of PARTS without the values that are wrong. */
function readParts({action, word, protocol, notProtocol, type, code, from, to}: RuleParts, bad: Bad): WordRule {
  const named = word ?? (protocol === undefined ? undefined : readProtocol(protocol, bad))
  const excluded = notProtocol === undefined ? undefined : readProtocol(notProtocol, bad)
  const icmpType = type === undefined ? undefined : readIcmpNumber('type', type, bad)
  const icmpCode = code === undefined ? undefined : readIcmpNumber('code', code, bad)
  return {
    action,
    ...(named === undefined ? {} : {protocol: named}),
    ...(excluded === undefined ? {} : {notProtocol: excluded}),
    ...(icmpType === undefined ? {} : {icmp: {type: icmpType, ...(icmpCode === undefined ? {} : {code: icmpCode})}}),
    from: readSide(from, bad),
    to: readSide(to, bad),
  }
}

/** The words that open a part of a side, where its value belongs, and how it is read. */
const READERS = {
  ports: ['ports', readPorts],
  tag: ['tag', readTag],
  cidr: ['cidr', readNetwork],
  selector: ['selector', readSelector],
  'not ports': ['notPorts', readPorts],
  'not tag': ['notTag', readTag],
  'not cidr': ['notCidr', readNetwork],
  'not selector': ['notSelector', readSelector],
} as const

function readSide(words: SideWords, bad: Bad): RuleSide {
  const side: Record<string, unknown> = {}
  for (const [part, text] of Object.entries(words) as [keyof typeof READERS, string][]) {
    const [field, read] = READERS[part]
    const value = read(text, bad)
    if (value !== undefined) side[field] = value
  }
  return side
}
