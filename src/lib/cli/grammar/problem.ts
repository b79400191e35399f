/** Why a line was refused, in words, with the usages that come nearest and what was probably meant. */
import {nearest} from '../suggest.js'
import {attemptAll, fittingAttempt, nearestAttempts, v020Options, type Attempt} from './attempt.js'
import {optionProblems, spelt} from './command-line.js'
import {deepestHelp, HELP_PAGES} from './help-words.js'
import type {CommandTable, UsageLine} from './line.js'
import {commandWords, idsUnder, ownNextWords} from './own-usage.js'
import {optionsOf} from './pattern.js'
import {refused} from './refused.js'
import {listed, type SplitLine, type Unreadable} from './split.js'
import {usagesOf, V020} from './v020.js'

const PROGRAM_USAGE = '<command> [<args>...]'

/** Words of other tools for v0.20's. */
const SYNONYMS: Readonly<Record<string, string>> = {
  accept: 'allow', permit: 'allow', drop: 'deny', reject: 'deny', block: 'deny',
  ingress: 'inbound', egress: 'outbound', in: 'inbound', out: 'outbound',
  delete: 'remove', del: 'remove', rm: 'remove', create: 'add', new: 'add',
  list: 'show', ls: 'show', get: 'show', release: 'remove', start: 'node',
}

/** A line that could not even be taken apart. */
export function unreadable({problem, words, waiting}: Unreadable, commands: CommandTable): UsageLine {
  const attempts = nearestAttempts(attemptAll({words, options: []}))
  const foreign = waiting !== undefined && attempts.length > 0 && attempts.every(({id, pattern}) => !optionsOf(pattern).has(waiting) && commands[id] !== undefined && !Object.hasOwn(commands[id].flags, waiting))
  return refused({
    problems: [foreign ? `--${waiting} is not an option of ${listed(attempts.map(({id}) => id.replaceAll(':', ' ')))}` : problem],
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
export function unknownCommand(words: readonly string[], commands: CommandTable, line?: SplitLine): UsageLine {
  const [stray] = line?.unknown ?? []
  // The first word may be the value of an option that does not exist: that is reported, and only that.
  if (stray !== undefined && line) return refused({problems: optionProblems(line), usage: [PROGRAM_USAGE], suggestion: optionLike(stray, Object.values(commands).flatMap(({flags = {}}) => Object.keys(flags))), help: []})
  const help = deepestHelp(words, commands)
  const next = help.length === 0 ? [...new Set([...Object.keys(V020), ...ownNextWords([], commands)])] : ownNextWords(help, commands)
  const word = words[help.length]
  const suggestion = word === undefined ? undefined : (help.length === 0 ? doing(word, commands) : undefined) ?? meant(word, next)
  return refused({
    problems: [help.length === 0 ? `unknown command '${word ?? ''}'` : expectation(next, word)],
    ...(help.length === 0 ? {usage: [PROGRAM_USAGE]} : topicUsage(help, commands)),
    suggestion: suggestion === undefined ? undefined : quoted([...help, ...suggestion.split(' '), ...words.slice(help.length + 1)]),
    help,
  })
}

/** The words of the one command that does what VERB says, by its summary: `connect` is `container add`. */
function doing(verb: string, commands: CommandTable): string | undefined {
  const found = Object.entries(commands).filter(([, {summary = '', hidden}]) => hidden !== true && summary.split(' ', 1)[0]?.toLowerCase() === verb)
  return found.length === 1 ? found[0]?.[0].replaceAll(':', ' ') : undefined
}

/** A line of a v0.20 command that none of its usages accepts. */
export function explain(line: SplitLine, commands: CommandTable): UsageLine {
  const reordered = inUsageOrder(line)
  const lacking = reordered === undefined ? missingOfTopic(line) : reordered.missing
  const attempts = nearestAttempts(attemptAll(line)).filter(({id}) => reordered === undefined || id === reordered.id)
  const topic = deepestHelp(line.words, commands)
  const bare = topic.length === line.words.length && !Object.hasOwn(commands, topic.join(':'))
  const behind = behindDashes(line)
  const usages = reordered === undefined ? attempts.map((attempt) => attempt.usage) : [reordered.usage]
  return refused({
    problems: [...optionProblems(line, v020Options(line.words[0] ?? '')), ...(line.unknown.length > 0 ? [] : lacking !== undefined ? [`${lacking} is missing`] : reordered === undefined ? wordProblems(attempts, line, commands) : ['the words are in the wrong order']), ...(behind === undefined ? [] : ['a name that begins with - is given after --'])],
    ...(bare ? topicUsage(topic, commands) : {usage: usages}),
    suggestion: (lacking === undefined ? betterOption(attempts, line, commands) : undefined) ?? behind ?? (lacking === undefined ? betterWords(reordered?.words ?? mended(line, commands), line) : undefined),
    help: topic,
  })
}

/** LINE with `--` before the container that an unknown option was meant as: the id of a namespace's workload begins with a dash, as `endpoint show` prints it. */
function behindDashes({words, withUnknown, options, unknown}: SplitLine): string | undefined {
  if (unknown.length === 0 || withUnknown.length !== words.length + unknown.length) return undefined
  const fitting = fittingAttempt({words: withUnknown, options})
  // It connects nothing but what is there, by its path or name.
  if (fitting === undefined || fitting.id === 'container:add') return undefined
  const dashed = fitting.match.taken.filter(({word}) => unknown.includes(word))
  if (!dashed.every(({name}) => name === '<CONTAINER>')) return undefined
  const at = withUnknown.findIndex((word) => unknown.includes(word))
  return quoted([...withUnknown.slice(0, at), ...spelt(options), '--', ...withUnknown.slice(at)])
}

/** What is shown for a TOPIC alone: its commands, each with one line of what it does. */
function topicUsage(topic: readonly string[], commands: CommandTable): Pick<UsageLine, 'usage' | 'commands'> {
  const below = idsUnder(topic, commands).sort().map((id): [string, string] => [commandWords(id, commands), commands[id]?.summary ?? ''])
  const words = below[0]?.[0].split(' ') ?? []
  return {usage: [`${words.slice(0, words.indexOf(topic.at(-1) ?? '') + 1).join(' ')} <command> [<args>...]`], commands: below}
}

/** Why there is no help for WORDS; undefined if they are pages, topics and commands, with values where a command takes some. */
export function helpProblem(words: readonly string[], commands: CommandTable): UsageLine | undefined {
  const help = deepestHelp(words, commands)
  const [page = ''] = words
  const next = HELP_PAGES.includes(page) ? [] : [...new Set([...idsUnder(help, commands).map((id) => id.split(':')[help.length] ?? ''), ...(help.length === 0 ? HELP_PAGES : [])])]
  const word = words[help.length]
  const better = word === undefined || next.includes(word) ? undefined : ((help.length === 0 ? doing(word, commands) : undefined) ?? meant(word, next))
  if (better !== undefined) return noHelp([...help, word ?? ''], help, [...help, ...better.split(' ')])
  if (HELP_PAGES.includes(page)) return words.length === 1 ? undefined : noHelp(words, [], [page])
  if (takesWords(words, help, commands)) return undefined
  const attempts = nearestAttempts(attemptAll({words, options: []}))
  const at = Math.max(help.length, attempts[0]?.match.trace.furthest ?? 0)
  const instead = at > help.length ? meant(words[at] ?? '', expectedBy(attempts, words, commands).filter((name) => /^\w/.test(name))) : undefined
  return noHelp(words.slice(0, at + 1), help, instead === undefined ? undefined : [...words.slice(0, at), instead])
}

const noHelp = (words: readonly string[], help: readonly string[], instead: readonly string[] | undefined): UsageLine =>
  refused({problems: [`there is no help for '${words.join(' ')}'`], usage: ['help [<COMMAND>...]'], suggestion: instead && quoted(['help', ...instead]), help})

/** Whether all of WORDS, of which HELP is the command or topic, are words of it or values that it takes. */
function takesWords(words: readonly string[], help: readonly string[], commands: CommandTable): boolean {
  if (words.every((word, index) => word === help[index])) return true
  if (nearestAttempts(attemptAll({words, options: []})).some(({match}) => match.trace.furthest >= words.length)) return true
  const id = help.join(':')
  const command = Object.hasOwn(commands, id) ? commands[id] : undefined
  return command !== undefined && (command.strict === false || Object.keys(command.args).length > 0)
}

/** What is wrong with the words of LINE, or with how its options fit them. */
function wordProblems(attempts: readonly Attempt[], {words, options}: SplitLine, commands: CommandTable): string[] {
  const [best] = attempts
  if (best === undefined || best.match.fits) return []
  const {leftOptions, wordsFit, trace} = best.match
  if (wordsFit) {
    const allowed = optionsOf(best.pattern)
    const command = best.id.replaceAll(':', ' ')
    return leftOptions.map((name) => (allowed.has(name) ? `--${name} cannot be combined with the other words` : `--${name} is not an option of ${command}`))
  }
  if (trace.problem !== undefined) return [trace.problem]
  if (words[trace.furthest] === undefined && trace.expected.every((name) => name === '<MATCH>') && options.length > 0) {
    return options.filter(({kind}) => !kind.ours).map(({kind}) => `--${kind.name} and the words of a rule cannot be combined: give one of them`)
  }
  return [expectation(expectedBy(attempts, words, commands), words[trace.furthest])]
}

/** What could stand where ATTEMPTS stopped, in v0.20's usages and in commands of ours. */
function expectedBy(attempts: readonly Attempt[], words: readonly string[], commands: CommandTable): string[] {
  const at = attempts[0]?.match.trace.furthest ?? 0
  return [...new Set([...attempts.flatMap((attempt) => attempt.match.trace.expected), ...ownNextWords(words.slice(0, at), commands)])]
}

function expectation(expected: readonly string[], word: string | undefined): string {
  if (word === undefined) return expected.length === 1 && /^\w/.test(expected[0] ?? '') ? `the word '${expected[0] ?? ''}' is missing` : `${listed(expected)} is missing`
  const words = expected.filter((name) => name !== '<MATCH>')
  return words.length === 0 ? `unexpected word '${word}'` : `expected ${listed(words)}, not '${word}'`
}

/** The option that the first unknown one of LINE was probably meant to be. */
function betterOption(attempts: readonly Attempt[], line: SplitLine, commands: CommandTable): string | undefined {
  const [unknown] = line.unknown
  if (unknown === undefined) return undefined
  const flags = attempts.flatMap((attempt) => Object.keys(commands[attempt.id]?.flags ?? {}))
  return optionLike(unknown, [...v020Options(line.words[0] ?? '').keys(), ...flags])
}

/** The one of NAMES that was probably meant by the option TYPED: a slip of the hand, or the name with a word before it (`--request-timeout`). */
function optionLike(typed: string, names: readonly string[]): string | undefined {
  const bare = typed.replace(/^-+/, '')
  const name = nearest(bare, names) ?? names.find((other) => bare.endsWith(`-${other}`))
  return name === undefined ? undefined : `--${name}`
}

/** The argument that a line lacks whose other words begin a usage: `endpoint profile` or `profile rule add inbound allow`, of `profile <PROFILE> rule add …`. */
function missingOfTopic({words}: SplitLine): string | undefined {
  if (words.length < 2) return undefined
  for (const [id, usage] of Object.entries(usagesOf(words[0] ?? '') ?? {})) {
    const idWords = id.split(':')
    const typed = words.slice(0, idWords.length)
    if (typed.some((word, index) => idWords[index] !== word)) continue
    const tokens = usage.split(' ')
    const missing = tokens.slice(0, tokens.lastIndexOf(typed.at(-1) ?? '') + 1).find((token) => token.startsWith('<'))
    if (missing !== undefined) return missing
  }
  return undefined
}

const betterWords = (words: readonly string[] | undefined, {options}: SplitLine): string | undefined =>
  words === undefined ? undefined : quoted([...words, ...spelt(options)])

/** The words of LINE with every keyword mended that is plainly a slip, undefined if none is. */
function mended(line: SplitLine, commands: CommandTable): string[] | undefined {
  const attempts = nearestAttempts(attemptAll(line))
  const [best] = attempts
  const at = best?.match.trace.furthest ?? 0
  const word = line.words[at]
  if (best?.match.wordsFit !== false) return undefined
  if (word === undefined) return mendedAtEnd(line, commands)
  const better = meant(word, expectedBy(attempts, line.words, commands).filter((name) => !name.startsWith('<') && !name.startsWith('-')))
  if (better === undefined || better === word) return undefined
  const words = line.words.with(at, better)
  return mended({...line, words}, commands) ?? words
}

/** The words of LINE with another last one, if it is complete then: `profile list` names a profile and lacks the rest. */
function mendedAtEnd(line: SplitLine, commands: CommandTable): string[] | undefined {
  const words = line.words.slice(0, -1)
  const expected = expectedBy(nearestAttempts(attemptAll({words, options: []})), words, commands)
  const better = meant(line.words.at(-1) ?? '', expected.filter((name) => !name.startsWith('<')))
  return better !== undefined && fittingAttempt({...line, words: [...words, better]}) ? [...words, better] : undefined
}

/** The one of KEYWORDS that someone means who types WORD. */
function meant(word: string, keywords: readonly string[]): string | undefined {
  const synonym = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word] : undefined
  return synonym !== undefined && keywords.includes(synonym) ? synonym : nearest(word, keywords)
}

/** The words of a line that has a command's words first (`profile rule add web …`), in the order of its usage, if it fits then. */
function inUsageOrder(line: SplitLine): {id: string; usage: string; words: string[]; missing: string | undefined} | undefined {
  for (const [id, usage] of Object.entries(usagesOf(line.words[0] ?? '') ?? {})) {
    const idWords = id.split(':')
    if (idWords.some((word, index) => line.words[index] !== word)) continue
    const rest = line.words.slice(idWords.length)
    const tokens = usage.split(' ')
    const head = tokens.slice(0, tokens.lastIndexOf(idWords.at(-1) ?? '') + 1)
    const missing = head.filter((token) => token.startsWith('<'))[rest.length]
    const words = [...head.map((token) => (token.startsWith('<') ? (rest.shift() ?? token) : token)), ...rest]
    if (words.join(' ') !== line.words.join(' ') && fittingAttempt({...line, words})?.id === id) return {id, usage, words, missing}
  }
  return undefined
}

/** WORDS as they can be typed in a shell. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w.:/@%+,=-]+$/.test(word) ? word : `'${word.replaceAll('\'', '\'\\\'\'')}'`)).join(' ')
}
