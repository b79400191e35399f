/** Why a line was refused, in words, with the usages that come nearest and what was probably meant. */
import {nearest} from '../suggest.js'
import {attemptAll, nearestAttempts, v020Options, type Attempt} from './attempt.js'
import {optionProblems, spelt} from './command-line.js'
import {deepestHelp} from './help-words.js'
import type {CommandTable, UsageLine} from './line.js'
import {idsUnder, ownNextWords, usageText} from './own-usage.js'
import {optionsOf} from './pattern.js'
import {refused} from './refused.js'
import {listed, type SplitLine, type Unreadable} from './split.js'
import {V020} from './v020.js'

const PROGRAM_USAGE = '<command> [<args>...]'

/** Words of other tools for v0.20's. */
const SYNONYMS: Readonly<Record<string, string>> = {
  accept: 'allow', permit: 'allow', drop: 'deny', reject: 'deny', block: 'deny',
  ingress: 'inbound', egress: 'outbound', in: 'inbound', out: 'outbound',
  delete: 'remove', del: 'remove', rm: 'remove', create: 'add', new: 'add',
  list: 'show', ls: 'show', get: 'show', release: 'remove', start: 'node',
}

/** A line that could not even be taken apart. */
export function unreadable({problem, words}: Unreadable, commands: CommandTable): UsageLine {
  const attempts = nearestAttempts(attemptAll({words, options: []}))
  return refused({
    problems: [problem],
    usage: attempts.length > 0 ? attempts.map((attempt) => attempt.usage) : [PROGRAM_USAGE],
    help: deepestHelp(words, commands),
  })
}

/** A line without a single word. */
export function missingCommand(line: SplitLine): UsageLine {
  const problems = optionProblems(line)
  return refused({problems: problems.length > 0 ? problems : ['a command is missing'], usage: [PROGRAM_USAGE], help: []})
}

/** A line whose words are no command of v0.20's, nor one of ours. */
export function unknownCommand(words: readonly string[], commands: CommandTable): UsageLine {
  const help = deepestHelp(words, commands)
  const next = help.length === 0 ? [...new Set([...Object.keys(V020), ...ownNextWords([], commands)])] : ownNextWords(help, commands)
  const word = words[help.length]
  const suggestion = word === undefined ? undefined : meant(word, next)
  return refused({
    problems: [help.length === 0 ? `unknown command '${word ?? ''}'` : expectation(next, word)],
    usage: help.length === 0 ? [PROGRAM_USAGE] : idsUnder(help, commands).map((id) => usageText(id, commands)),
    suggestion: suggestion === undefined ? undefined : quoted([...help, suggestion, ...words.slice(help.length + 1)]),
    help,
  })
}

/** A line of a v0.20 command that none of its usages accepts. */
export function explain(line: SplitLine, commands: CommandTable): UsageLine {
  const attempts = nearestAttempts(attemptAll(line))
  const own = ownNextWords(line.words.slice(0, attempts[0]?.match.trace.furthest), commands)
  return refused({
    problems: [...optionProblems(line), ...wordProblems(attempts, line, own)],
    usage: attempts.map((attempt) => attempt.usage),
    suggestion: suggestion(attempts, line, own, commands),
    help: deepestHelp(line.words, commands),
  })
}

/** What is wrong with the words of LINE, or with how its options fit them. */
function wordProblems(attempts: readonly Attempt[], {words}: SplitLine, own: readonly string[]): string[] {
  const [best] = attempts
  if (best === undefined || best.match.fits) return []
  const {leftOptions, wordsFit, trace} = best.match
  if (wordsFit) {
    const allowed = optionsOf(best.pattern)
    const command = best.id.replaceAll(':', ' ')
    return leftOptions.map((name) => (allowed.has(name) ? `--${name} does not go with the rest of the line` : `--${name} is no option of ${command}`))
  }
  if (trace.problem !== undefined) return [trace.problem]
  return [expectation([...expectedBy(attempts), ...own], words[trace.furthest])]
}

const expectedBy = (attempts: readonly Attempt[]): string[] => [...new Set(attempts.flatMap((attempt) => attempt.match.trace.expected))]

function expectation(expected: readonly string[], word: string | undefined): string {
  if (word === undefined) return `${listed(expected)} is missing`
  const words = expected.filter((name) => name !== '<MATCH>')
  return words.length === 0 ? `unexpected word '${word}'` : `expected ${listed(words)}, not '${word}'`
}

/** LINE with its first mistake mended, if it is plain what was meant. */
function suggestion(attempts: readonly Attempt[], line: SplitLine, own: readonly string[], commands: CommandTable): string | undefined {
  const [unknown] = line.unknown
  if (unknown !== undefined) {
    const flags = attempts.flatMap((attempt) => Object.keys(commands[attempt.id]?.flags ?? {}))
    const name = nearest(unknown.replace(/^-+/, ''), [...v020Options(line.words[0] ?? '').keys(), ...flags])
    return name === undefined ? undefined : `--${name}`
  }
  const reordered = inUsageOrder(line)
  if (reordered !== undefined) return quoted([...reordered, ...spelt(line.options)])
  const at = attempts[0]?.match.trace.furthest ?? 0
  const word = line.words[at]
  if (word === undefined || attempts[0]?.match.wordsFit) return undefined
  const better = meant(word, [...expectedBy(attempts), ...own].filter((name) => !name.startsWith('<') && !name.startsWith('-')))
  return better === undefined ? undefined : quoted([...line.words.slice(0, at), better, ...line.words.slice(at + 1), ...spelt(line.options)])
}

/** The one of KEYWORDS that somebody means who types WORD. */
function meant(word: string, keywords: readonly string[]): string | undefined {
  const synonym = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word] : undefined
  return synonym !== undefined && keywords.includes(synonym) ? synonym : nearest(word, keywords)
}

/** The words of a line that has a command's words first (`profile rule add web …`), in the order of its usage, if it fits then. */
function inUsageOrder(line: SplitLine): string[] | undefined {
  for (const [id, usage] of Object.entries(V020[line.words[0] ?? ''] ?? {})) {
    const idWords = id.split(':')
    if (idWords.some((word, index) => line.words[index] !== word)) continue
    const rest = line.words.slice(idWords.length)
    const head = usage.split(' ').slice(0, usage.split(' ').lastIndexOf(idWords.at(-1) ?? '') + 1)
    const words = [...head.map((token) => (token.startsWith('<') ? (rest.shift() ?? '') : token)), ...rest]
    if (attemptAll({...line, words}).some((attempt) => attempt.match.fits)) return words
  }
  return undefined
}

/** WORDS as they can be typed in a shell. */
function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w.:/@%+,=-]+$/.test(word) ? word : `'${word.replaceAll('\'', '\'\\\'\'')}'`)).join(' ')
}
