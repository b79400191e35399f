/**
 * A command line taken apart into words and options, as docopt 0.6.2 does (cli-v0.20 §1.3), with our options added (decisions.md 2), and `--`, which v0.20
 * refused: what follows it are words, whatever they look like.
 */
import {append} from '../../append.js'
import type {CommandTable} from './line.js'

/** An option by its name in full, without dashes. */
interface OptionKind {
  readonly name: string
  readonly takesValue: boolean
  /** Not one of v0.20's. */
  readonly ours: boolean
  /** May be given several times. */
  readonly multiple: boolean
}

/** An option as it stands on the line. `value` is undefined for a switch. */
export interface GivenOption {
  readonly kind: OptionKind
  readonly value: string | undefined
}

export interface SplitLine {
  readonly words: readonly string[]
  readonly options: readonly GivenOption[]
  /** Options that no one knows, as typed, without their value. */
  readonly unknown: readonly string[]
  /** The words, and in their places those of `unknown` with one dash, which may be meant as words. */
  readonly withUnknown: readonly string[]
  readonly wantsHelp: boolean
  readonly wantsVersion: boolean
}

/** What makes a line unreadable, so that even a question for help in it is not seen. */
export interface Unreadable {
  readonly problem: string
  /** The words up to there. */
  readonly words: readonly string[]
  /** The option that ends the line without its value. */
  readonly waiting?: string
}

/** What v0.20 knew about the options of a command word: name → whether it takes a value. */
export type V020Options = (commandWord: string) => ReadonlyMap<string, boolean>

const NONE: ReadonlyMap<string, boolean> = new Map()

/**
 * Takes ARGV apart. v0.20's options of the command word may be abbreviated after that word; those of COMMANDS are known by their full name
 * anywhere, so that each must take a value in every command or in none. A name in full is no abbreviation: `--node` is not
 * `--node-image`, unless its value can only be that of an image.
 */
export function splitLine(argv: readonly string[], commands: CommandTable, v020: V020Options): SplitLine | Unreadable {
  const words: string[] = []
  const withUnknown: string[] = []
  const options: GivenOption[] = []
  const unknown: string[] = []
  let wantsHelp = false
  let wantsVersion = false
  let at = 0

  /** The word after an option, which is its value whatever it looks like. */
  const value = (option: string, name: string): string | Unreadable => argv[at++] ?? {problem: `${option} needs a value`, words, waiting: name}
  const long = (token: string): Unreadable | undefined => {
    const equals = token.indexOf('=')
    const typed = equals < 0 ? token : token.slice(0, equals)
    const name = typed.slice(2)
    const attached = equals < 0 ? undefined : token.slice(equals + 1)
    const kind = kindOf(name, words[0], v020, commands, attached ?? argv[at])
    if (Array.isArray(kind)) return {problem: `${typed} is ambiguous: ${listed(kind.map((candidate) => `--${candidate}`))}`, words}
    if (kind === undefined) {
      if (name === 'help' || name === 'version') {
        if (attached === '') unknown.push(token)
        else if (name === 'help') wantsHelp = true
        else wantsVersion = true
      } else unknown.push(typed)
      return undefined
    }
    if (!kind.takesValue && attached !== undefined) return {problem: `--${kind.name} takes no value`, words}
    const given = kind.takesValue ? (attached ?? value(`--${kind.name}`, kind.name)) : undefined
    if (typeof given === 'object') return given
    options.push({kind, value: given})
    return undefined
  }
  const short = (token: string): Unreadable | undefined => {
    if (isNoLetters(token, commands, words[0])) {
      unknown.push(token)
      withUnknown.push(token)
      return undefined
    }
    for (let letter = 1; letter < token.length; letter++) {
      const char = token[letter] ?? ''
      const kind = ownByLetter(char, commands, words[0])
      if (kind === undefined) {
        if (char === 'h') wantsHelp = true
        else if (char === 'V') wantsVersion = true
        else unknown.push(`-${char}`)
        continue
      }
      if (!kind.takesValue) {
        options.push({kind, value: undefined})
        continue
      }
      const attached = token.slice(letter + 1).replace(/^=/, '')
      const given = attached.length > 0 ? attached : value(`-${char}`, kind.name)
      if (typeof given === 'object') return given
      options.push({kind, value: given})
      break
    }
    return undefined
  }

  while (at < argv.length) {
    const token = argv[at++] ?? ''
    if (token === '--') {
      append(words, argv.slice(at))
      append(withUnknown, argv.slice(at))
      break
    }
    if (token.startsWith('-') && token !== '-') {
      const unreadable = token.startsWith('--') ? long(token) : short(token)
      if (unreadable !== undefined) return unreadable
    } else {
      words.push(token)
      withUnknown.push(token)
    }
  }
  return {words, options, unknown, withUnknown, wantsHelp, wantsVersion}
}

/** Whether TOKEN, which begins with one dash, is no row of letters of options: more than one of them, or the first, is none. What follows an option's letter may be its value. */
function isNoLetters(token: string, commands: CommandTable, word: string | undefined): boolean {
  let unknown = 0
  for (let at = 1; at < token.length; at++) {
    const char = token.charAt(at)
    const kind = ownByLetter(char, commands, word)
    if (kind?.takesValue) break
    if (kind !== undefined || char === 'h' || char === 'V') continue
    if (at === 1 || unknown > 0) return true
    unknown++
  }
  return false
}

/** In v0.20, `--node` was short for `--node-image` (decisions.md 2): the names of images often have one of these. */
const NO_NODE_NAME = /[/:]/

/**
 * The option that NAME, after the command word WORD, means: v0.20's by any unique prefix, ours in full; several names if the prefix is not unique. What is
 * an option of ours of a command of WORD is no prefix, unless VALUE is none of its values.
 */
function kindOf(name: string, word: string | undefined, v020: V020Options, commands: CommandTable, value: string | undefined): OptionKind | string[] | undefined {
  const known = word === undefined ? NONE : v020(word)
  const candidates = known.has(name) ? [name] : [...known.keys()].filter((other) => other.startsWith(name))
  const inFull = candidates.length === 0 || candidates[0] === name || (name === 'node' && value !== undefined && NO_NODE_NAME.test(value)) ? undefined : ownByName(name, commands, word)
  if (inFull !== undefined) return inFull
  if (candidates.length === 1 && candidates[0] !== undefined) {
    return {name: candidates[0], takesValue: known.get(candidates[0]) ?? false, ours: false, multiple: false}
  }
  return ownByName(name, commands) ?? (candidates.length > 1 ? candidates : undefined)
}

/** The first flag of any command, or of any of the word WORD, that is called NAME: a flag of one name is the same everywhere. */
function ownByName(name: string, commands: CommandTable, word?: string): OptionKind | undefined {
  for (const id in commands) {
    if (word !== undefined && !isUnder(id, word)) continue
    const flags = commands[id]?.flags ?? {}
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined
    if (flag !== undefined) return {name, takesValue: flag.type === 'option', ours: true, multiple: flag.multiple ?? false}
    const positive = name.startsWith('no-') ? name.slice(3) : ''
    if (positive !== '' && Object.hasOwn(flags, positive) && flags[positive]?.allowNo === true) return {name, takesValue: false, ours: true, multiple: false}
  }
  return undefined
}

/** The flag with the letter CHAR, of the commands of WORD; before it, and where it is no command's, of any. One letter is one option everywhere. */
function ownByLetter(char: string, commands: CommandTable, word: string | undefined): OptionKind | undefined {
  let isCommand = false
  let other: OptionKind | undefined
  for (const id in commands) {
    const within = word === undefined || isUnder(id, word)
    isCommand ||= within
    const flags = commands[id]?.flags ?? {}
    for (const name in flags) {
      const flag = flags[name]
      if (flag?.char !== char) continue
      const kind = {name, takesValue: flag.type === 'option', ours: true, multiple: flag.multiple ?? false}
      if (within) return kind
      other = kind
    }
  }
  return isCommand ? undefined : other
}

/** Whether ID is that of a command of WORD. */
const isUnder = (id: string, word: string): boolean => id === word || id.startsWith(`${word}:`)

/** `a`, `a or b`, `a, b or c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`
}
