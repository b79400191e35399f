/** The usages of commands as text, and what is known of those that v0.20 did not have. */
import type {CommandTable} from './line.js'
import {usageOfId} from './v020.js'

/** The usage of command ID: v0.20's, or made from the arguments that oclif knows. Options of ours are not listed in either. */
export function usageText(id: string, commands: CommandTable): string {
  const shape = Object.hasOwn(commands, id) ? commands[id] : undefined
  const args = Object.entries(shape?.args ?? {}).map(([name, {required, multiple, options}]) => {
    const word = options === undefined ? `<${name.toUpperCase()}>` : `(${options.join(' | ')})`
    const words = multiple || shape?.strict === false ? `${word}...` : word
    return required ? words : `[${words}]`
  })
  return usageOfId(id) ?? [id.replaceAll(':', ' '), ...args, '[options]'].join(' ')
}

/** Commands of v0.20 that may leave out its words, or have others, where one of these options of ours says what is meant. */
const OTHERWISE_SAID: Readonly<Record<string, readonly string[]>> = {'ipam:release': ['handle', 'range']}

/** The longest id that the first of WORDS spell, if it is one of ours alone, or one of v0.20's that OPTIONS, by name, make ours. */
export function ownId(words: readonly string[], commands: CommandTable, options: readonly string[] = []): string | undefined {
  for (let length = idLength(words); length > 0; length--) {
    const id = words.slice(0, length).join(':')
    if (!Object.hasOwn(commands, id)) continue
    const isOurs = usageOfId(id) === undefined || (Object.hasOwn(OTHERWISE_SAID, id) && (OTHERWISE_SAID[id] ?? []).some((option) => options.includes(option)))
    return isOurs ? id : undefined
  }
  return undefined
}

/** How many of WORDS may belong to an id: a word with a colon never does. */
const idLength = (words: readonly string[]): number => {
  const colon = words.findIndex((word) => word.includes(':'))
  return colon < 0 ? words.length : colon
}

/** The ids of the commands below the topic WORDS. */
export function idsUnder(words: readonly string[], commands: CommandTable): string[] {
  const prefix = words.map((word) => `${word}:`).join('')
  return Object.keys(commands).filter((id) => id.startsWith(prefix) && commands[id]?.hidden !== true && !id.startsWith('__'))
}

/** The words of command ID as its usage begins, with its arguments in their places: `profile <PROFILE> rule add`. */
export function commandWords(id: string, commands: CommandTable): string {
  const usage = usageText(id, commands).split(' ')
  return usage.slice(0, usage.lastIndexOf(id.split(':').at(-1) ?? '') + 1).join(' ')
}

/** The words that may follow the topic WORDS in commands of ours alone. */
export function ownNextWords(words: readonly string[], commands: CommandTable): string[] {
  if (words.some((word) => word.includes(':'))) return []
  const next = idsUnder(words, commands).filter((id) => usageOfId(id) === undefined).map((id) => id.split(':')[words.length] ?? '')
  return [...new Set(next)]
}
