/** From a line that was understood to the line that oclif gets. */
import {refused} from './refused.js'
import type {CommandTable, Line} from './line.js'
import type {GivenOption, SplitLine} from './split.js'
import {usageText} from './own-usage.js'

/** The line of command ID with positionals VALUES and OPTIONS; refused if it has an option of ours that the command does not know. */
export function commandLine(id: string, values: readonly string[], options: readonly GivenOption[], commands: CommandTable): Line {
  if (!Object.hasOwn(commands, id)) return {type: 'unavailable', words: id.replaceAll(':', ' ')}
  const problems = strangers(id, options, commands)
  if (problems.length > 0) return refused({problems, usage: [usageText(id, commands)], help: id.split(':')})
  // oclif would take a value that begins with - for an option.
  const dashed = values.some((value) => value.startsWith('-') && value !== '-')
  return {type: 'command', id, argv: dashed ? [...spelt(options), '--', ...values] : [...values, ...spelt(options)]}
}

/** What is wrong with those of our OPTIONS that the command ID does not have. */
export function strangers(id: string, options: readonly GivenOption[], commands: CommandTable): string[] {
  const flags = commands[id]?.flags ?? {}
  return options
    .filter(({kind}) => kind.ours && !Object.hasOwn(flags, kind.name) && !(kind.name.startsWith('no-') && flags[kind.name.slice(3)]?.allowNo === true))
    .map(({kind}) => `--${kind.name} is not an option of ${id.replaceAll(':', ' ')}`)
}

/** OPTIONS in full, sorted, so that lines that mean the same read the same. */
export function spelt(options: readonly GivenOption[]): string[] {
  return [...options]
    .sort((a, b) => (a.kind.name < b.kind.name ? -1 : a.kind.name > b.kind.name ? 1 : 0))
    .map(({kind, value}) => (kind.takesValue ? `--${kind.name}=${value ?? ''}` : `--${kind.name}`))
}

/**
 * What is wrong with the options of LINE whatever its command is: unknown ones, those given more often than they may be, and those of V020,
 * v0.20's options of its first word, that stand before that word.
 */
export function optionProblems(line: SplitLine, v020?: ReadonlyMap<string, boolean>): string[] {
  const once = line.options.filter((option) => !option.kind.multiple).map((option) => option.kind.name)
  const repeated = new Set(once.filter((name, index) => once.indexOf(name) !== index))
  return [
    ...line.unknown.map((option) => `unknown option ${option}`),
    ...line.options.filter(({kind}) => kind.ours && v020?.has(kind.name)).map(({kind}) => `--${kind.name} must come after '${line.words[0] ?? ''}'`),
    ...(line.wantsVersion ? ['--version cannot be combined with other arguments'] : []),
    ...[...repeated].map((name) => `--${name} is given more than once`),
  ]
}
