/** A refused line as stderr has it. */
import {escapeText} from '../../printable.js'
import {presentable} from '../../settings/endpoints.js'
import type {UsageLine} from './line.js'

const PROGRAM = 'calicoctl'
const WIDTH = 80

/** LINE as text that begins with `Usage:`: the nearest usages, what is wrong, what was probably meant, and where to read more. Ends with a newline. */
export function formatUsageError({usage, commands = [], problem, suggestion, help}: UsageLine): string {
  return [
    'Usage:',
    ...usage.map(wrapUsage),
    '',
    ...(commands.length === 0 ? [] : ['Commands:', ...commandLines(commands), '']),
    `Error: ${escapeText(withoutPasswords(sentence(problem)))}.`,
    ...(suggestion === undefined ? [] : [`Did you mean: ${suggestion.startsWith('--') ? '' : `${PROGRAM} `}${escapeText(withoutPasswords(suggestion))}`]),
    `Try: ${[PROGRAM, ...help, '--help'].join(' ')}`,
    '',
  ].join('\n')
}

/** COMMANDS as a list, what each does beside it, in further lines where it does not fit. */
function commandLines(commands: NonNullable<UsageLine['commands']>): string[] {
  const width = Math.max(...commands.map(([words]) => words.length)) + 4
  const lines = new RegExp(`.{1,${WIDTH - width}}(?:\\s|$)`, 'g')
  return commands.flatMap(([words, summary]) => (summary.match(lines) ?? ['']).map((line, at) => `${(at === 0 ? `  ${words}` : '').padEnd(width)}${line}`.trimEnd()))
}

/** PROBLEM as the beginning of a sentence, unless it begins with a word of the command line. */
const sentence = (problem: string): string => problem.replace(/^(?:a|expected|the|there|unexpected|unknown)(?= )/, (word) => word.charAt(0).toUpperCase() + word.slice(1))

/** An option that there is not, whose value has become a word. */
const SECRET_OPTION = /unknown option -+\S*(?:passw|pwd|secret|token)/i

/** TEXT, which repeats words of the line, without user information in URLs, nor what may be a password: stderr is kept in logs. */
const withoutPasswords = (text: string): string =>
  (SECRET_OPTION.test(text) ? text.replace(/'[^']*'/g, '\'…\'') : text)
    .replace(/(--datastore[= ]'?)([^\s']+)/g, (_, option: string, value: string) => option + presentable(value))
    .split("'")
    .map(withoutUser)
    .join("'")

/** WORD, in which a URL may begin, without its user information: that may have any character, so all goes up to the last @. Takes time in proportion to the word. */
function withoutUser(word: string): string {
  const from = word.indexOf('://')
  const rest = word.slice(from + 3)
  const end = Math.max(rest.lastIndexOf('@'), rest.lastIndexOf('%40'))
  return from < 0 || end < 0 ? word : `${word.slice(0, from)}://…@${rest.slice(end).replace(/^(?:@|%40)/, '')}`
}

/** USAGE with the program's name before it, indented, broken between its words at the width of a terminal. */
export function wrapUsage(usage: string): string {
  const lines: string[] = []
  let last = `  ${PROGRAM}`
  for (const part of usage.match(/\[[^[\]]*(?:\[[^[\]]*\])*[^[\]]*\](?:\.\.\.)?|\([^()]*(?:\([^()]*\)[^()]*)*\)|\S+/g) ?? []) {
    if (last.length + 1 + part.length <= WIDTH) last += ` ${part}`
    else {
      lines.push(last)
      last = `      ${part}`
    }
  }
  return [...lines, last].join('\n')
}
