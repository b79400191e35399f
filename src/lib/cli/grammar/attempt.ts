/** A line tried against v0.20's usages of its command word. */
import {judgeRuleWords} from '../../rules/grammar.js'
import {match, type Given, type Match, type RuleJudge} from './match.js'
import {parsePattern, type Pattern} from './pattern.js'
import type {SplitLine} from './split.js'
import {usagesOf} from './v020.js'

/** One usage of the command word, and how far it went along with the line. */
export interface Attempt {
  readonly id: string
  readonly usage: string
  readonly pattern: Pattern
  readonly match: Match
}

/** The words and options of a line. */
export type Words = Pick<SplitLine, 'words' | 'options'>

/** Matches the words and v0.20's options of LINE against every usage of its first word; none if v0.20 did not have that command. */
export function attemptAll(line: Words): Attempt[] {
  const given = givenBy(line)
  return Object.entries(usagesOf(line.words[0] ?? '') ?? {}).map(([id, usage]) => attempt(id, usage, given))
}

/** The usage that LINE fits; as in docopt the first if there are several. Looks only at usages whose keywords the line has. */
export function fittingAttempt(line: Words): Attempt | undefined {
  const given = givenBy(line)
  for (const [id, usage] of Object.entries(usagesOf(line.words[0] ?? '') ?? {})) {
    if (!id.split(':').every((word) => line.words.includes(word))) continue
    const tried = attempt(id, usage, given)
    if (tried.match.fits) return tried
  }
  return undefined
}

function givenBy({words, options}: Words): Given {
  return {words, options: new Map(options.filter((option) => !option.kind.ours).map(({kind, value}) => [kind.name, value]))}
}

function attempt(id: string, usage: string, given: Given): Attempt {
  const pattern = patternOf(usage)
  return {id, usage, pattern, match: match(pattern, given, judgeMatchWords)}
}

/** The judge of rules wants the action too, which our usages have as a word of their own. */
const judgeMatchWords: RuleJudge = (words) => {
  const verdict = judgeRuleWords(['allow', ...words])
  return verdict.ok ? verdict : {...verdict, at: Math.max(0, verdict.at - 1)}
}

/** How many keywords the attempt found: `profile add` is rather about `add` than about a profile of that name. */
export const keywordCount = ({match: {trace}}: Attempt): number => trace.taken.filter((taken) => !taken.value).length

/** How well an attempt went: its words, then its keywords. */
const rank = (attempt: Attempt): number => (attempt.match.wordsFit ? 1_000_000 : attempt.match.trace.furthest * 100) + keywordCount(attempt)

/** Those of ATTEMPTS that went furthest. */
export function nearestAttempts(attempts: readonly Attempt[]): Attempt[] {
  const best = Math.max(...attempts.map(rank))
  return attempts.filter((attempt) => rank(attempt) === best)
}

/** The words of the attempt's id that the line has: `profile rule` for `profile web rule`. */
export function recognised(attempt: Attempt): string[] {
  return attempt.id.split(':').slice(0, keywordCount(attempt))
}

const patterns = new Map<string, Pattern>()

/** The parsed USAGE; parsed once, since a batch reads thousands of lines. */
function patternOf(usage: string): Pattern {
  let pattern = patterns.get(usage)
  if (pattern === undefined) patterns.set(usage, (pattern = parsePattern(usage)))
  return pattern
}

const knownOptions = new Map<string, ReadonlyMap<string, boolean>>()

/** v0.20's options of a command word: name → takes a value. Read from the text of its usages, which need not be parsed for it. */
export function v020Options(word: string): ReadonlyMap<string, boolean> {
  let options = knownOptions.get(word)
  if (options === undefined) {
    const found = Object.values(usagesOf(word) ?? {}).flatMap((usage) => [...usage.matchAll(/--([a-z0-9-]+)(=?)/g)])
    options = new Map(found.map(([, name = '', equals]) => [name, equals === '=']))
    knownOptions.set(word, options)
  }
  return options
}
