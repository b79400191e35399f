/** Which help page a line asks for. */
import {attemptAll, nearestAttempts, recognised} from './attempt.js'
import type {CommandTable} from './line.js'
import {usageOfId, V020} from './v020.js'

/** Pages of help that are no command. */
export const HELP_PAGES: readonly string[] = ['exit-codes']

/** The words of the deepest command or topic that WORDS name, in v0.20's order (`profile web rule add`) or in that of ids (`profile rule add`). */
export function deepestHelp(words: readonly string[], commands: CommandTable): string[] {
  const byId = longestId(words, commands)
  const [nearest] = nearestAttempts(attemptAll({words, options: []}))
  const byUsage = nearest === undefined ? [] : recognised(nearest)
  return byId.length > byUsage.length ? byId : byUsage
}

/** The first of WORDS that are an id or the beginning of one. */
function longestId(words: readonly string[], commands: CommandTable): string[] {
  const known = (prefix: string): boolean =>
    Object.hasOwn(commands, prefix) ||
    usageOfId(prefix) !== undefined ||
    Object.keys(commands).some((id) => id.startsWith(`${prefix}:`)) ||
    Object.keys(V020[prefix.split(':', 1)[0] ?? ''] ?? {}).some((id) => id.startsWith(`${prefix}:`))
  let length = 0
  while (length < words.length && !words[length]?.includes(':') && known(words.slice(0, length + 1).join(':'))) length++
  return words.slice(0, length)
}
