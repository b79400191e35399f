/**
 * A command line → what it means: v0.20's grammar first (`v020.ts`), then the commands that are ours alone, judged by what oclif knows of them.
 * A line that v0.20 refuses stays refused unless it has a word or an option that v0.20 did not have (decisions.md 1).
 */
import {fittingAttempt, v020Options} from './attempt.js'
import {commandLine, optionProblems} from './command-line.js'
import {formerCommand} from './former-commands.js'
import {deepestHelp, HELP_PAGES} from './help-words.js'
import type {CommandTable, Line} from './line.js'
import {readOwn} from './own.js'
import {explain, helpProblem, missingCommand, quoted, unknownCommand, unreadable} from './problem.js'
import {splitLine} from './split.js'
import {usagesOf} from './v020.js'

export {formatUsageError} from './format.js'

/** The hidden command that shell completion asks; its words are data, whatever they look like. */
export const COMPLETE = '__complete'

/** Reads ARGV, the words after the program's name, with what is known of our commands. Never throws. */
export function readLine(argv: readonly string[], commands: CommandTable): Line {
  if (argv.length === 0) return {type: 'help', words: []}
  if (argv[0] === COMPLETE) return {type: 'command', id: COMPLETE, argv: argv.slice(1)}

  const line = splitLine(argv, commands, v020Options)
  if ('problem' in line) return readOwn(argv, commands) ?? unreadable(line, commands)
  const [word, ...rest] = line.words
  if (word === 'help') return helpProblem(rest, commands) ?? helpOn(rest, commands)
  if (line.wantsHelp) return helpOn(line.words, commands)
  if (word === undefined) {
    return line.wantsVersion && line.unknown.length === 0 ? commandLine('version', [], line.options, commands) : missingCommand(line)
  }
  const fitting = optionProblems(line, v020Options(word)).length === 0 ? fittingAttempt(line) : undefined
  if (fitting === undefined) {
    const read = readOwn(argv, commands) ?? (usagesOf(word) === undefined ? unknownCommand(line.words, commands, line) : explain(line, commands))
    if (read.type !== 'usage') return read
    const former = formerCommand(line.words)
    return former === undefined ? read : {...read, suggestion: quoted(former)}
  }
  const values = fitting.match.taken.filter((taken) => taken.value).map((taken) => taken.word)
  return commandLine(fitting.id, values, line.options, commands)
}

function helpOn(words: readonly string[], commands: CommandTable): Line {
  if (words[0] !== undefined && HELP_PAGES.includes(words[0])) return {type: 'help', words: [words[0]]}
  const help = deepestHelp(words, commands)
  return words.length > 0 && help.length === 0 ? unknownCommand(words, commands) : {type: 'help', words: help}
}
