/** A line tried against v0.20's usages of its command word. */
import {judgeRuleWords} from '../../rules/grammar.js'
import {match, type Given, type Match, type RuleJudge} from './match.js'
import {optionsOf, parsePattern, type Pattern} from './pattern.js'
import type {SplitLine} from './split.js'
import {usagesOf} from './v020.js'

/** One usage of the command word, and how far it went along with the line. */
export interface Attempt {
  readonly id: string
  readonly usage: string
  readonly pattern: Pattern
  readonly match: Match
}

/** Matches the words and v0.20's options of LINE against every usage of its first word; none if v0.20 did not have that command. */
export function attemptAll(line: Pick<SplitLine, 'words' | 'options'>): Attempt[] {
  const given: Given = {
    words: line.words,
    options: new Map(line.options.filter((option) => !option.kind.ours).map(({kind, value}) => [kind.name, value])),
  }
  return Object.entries(usagesOf(line.words[0] ?? '') ?? {}).map(([id, usage]) => {
    const pattern = patternOf(usage)
    return {id, usage, pattern, match: match(pattern, given, judgeMatchWords)}
  })
}

/** The judge of rules wants the action too, which our usages have as a word of their own. */
const judgeMatchWords: RuleJudge = (words) => {
  const verdict = judgeRuleWords(['allow', ...words])
  return verdict.ok ? verdict : {...verdict, at: Math.max(0, verdict.at - 1)}
}

/** How well an attempt went: its words, then its keywords (`profile add` is rather about `add` than about a profile of that name). */
const rank = ({match: {wordsFit, trace}}: Attempt): number =>
  (wordsFit ? 1_000_000 : trace.furthest * 100) + trace.taken.filter((taken) => !taken.value).length

/** Those of ATTEMPTS that went furthest. */
export function nearestAttempts(attempts: readonly Attempt[]): Attempt[] {
  const best = Math.max(...attempts.map(rank))
  return attempts.filter((attempt) => rank(attempt) === best)
}

/** The words of the attempt's id that the line has: `profile rule` for `profile web rule`. */
export function recognised({id, match: {trace}}: Attempt): string[] {
  return id.split(':').slice(0, trace.taken.filter((taken) => !taken.value).length)
}

const patterns = new Map<string, Pattern>()

/** The parsed USAGE; parsed once, since a batch reads thousands of lines. */
function patternOf(usage: string): Pattern {
  let pattern = patterns.get(usage)
  if (pattern === undefined) patterns.set(usage, (pattern = parsePattern(usage)))
  return pattern
}

const knownOptions = new Map<string, ReadonlyMap<string, boolean>>()

/** v0.20's options of a command word: name → takes a value. */
export function v020Options(word: string): ReadonlyMap<string, boolean> {
  let options = knownOptions.get(word)
  if (options === undefined) {
    const usages = Object.values(usagesOf(word) ?? {})
    options = new Map(usages.flatMap((usage) => [...optionsOf(patternOf(usage))].map(([name, value]) => [name, value !== undefined] as const)))
    knownOptions.set(word, options)
  }
  return options
}
