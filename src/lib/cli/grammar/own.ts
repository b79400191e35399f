/** Lines of commands that v0.20 did not have: judged by the arguments and flags that oclif knows of them. */
import {commandLine, optionProblems, strangers} from './command-line.js'
import type {CommandTable, Line} from './line.js'
import {ownId, usageText} from './own-usage.js'
import {refused} from './refused.js'
import {listed, splitLine} from './split.js'

/** ARGV as a line of one of our own commands; undefined if its words name none. */
export function readOwn(argv: readonly string[], commands: CommandTable): Line | undefined {
  const line = splitLine(argv, commands, () => new Map())
  const id = ownId(line.words, commands, 'problem' in line ? [] : line.options.map(({kind}) => kind.name))
  if (id === undefined) return undefined
  const help = id.split(':')
  const values = line.words.slice(help.length)
  const problems = 'problem' in line ? [line.problem] : [...optionProblems(line), ...strangers(id, line.options, commands), ...wordProblems(id, values, commands)]
  if ('problem' in line || problems.length > 0) return refused({problems, usage: [usageText(id, commands)], help})
  return commandLine(id, values, line.options, commands)
}

function wordProblems(id: string, values: readonly string[], commands: CommandTable): string[] {
  const args = Object.entries(commands[id]?.args ?? {})
  const missing = args.slice(values.length).filter(([, arg]) => arg.required)
  const open = commands[id]?.strict === false || args.some(([, arg]) => arg.multiple)
  const wrong = args.flatMap(([, {options}], index) => {
    const word = values[index]
    return word === undefined || options === undefined || options.includes(word) ? [] : [`expected ${listed(options)}, not '${word}'`]
  })
  return [
    ...missing.map(([name, {options}]) => `${options === undefined ? `<${name.toUpperCase()}>` : listed(options)} is missing`),
    ...wrong,
    ...(open ? [] : values.slice(args.length)).map((word) => `unexpected word '${word}'`),
  ]
}
