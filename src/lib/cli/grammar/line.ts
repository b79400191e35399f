/** What a command line turns out to be, and what is known of our commands when it is judged. Types only. */

/** What oclif knows of our commands: id → flags and arguments, as in `commands` of oclif.manifest.json. */
export type CommandTable = Readonly<Record<string, CommandShape>>

export interface CommandShape {
  readonly flags: Readonly<Record<string, FlagShape>>
  /** In the order of their positions. */
  readonly args: Readonly<Record<string, ArgumentShape>>
  /** false = takes any number of further words. */
  readonly strict?: boolean | undefined
  /** Not shown in help and completion. */
  readonly hidden?: boolean | undefined
  /** One line of what it does, beginning with a verb. */
  readonly summary?: string | undefined
}

interface ArgumentShape {
  readonly required?: boolean | undefined
  /** Takes all the words that remain. */
  readonly multiple?: boolean | undefined
  /** The only words it takes. */
  readonly options?: readonly string[] | undefined
}

export interface FlagShape {
  readonly type: 'boolean' | 'option'
  readonly char?: string | undefined
  /** `GLOBAL` for those that nearly every command takes. */
  readonly helpGroup?: string | undefined
  readonly multiple?: boolean | undefined
  readonly allowNo?: boolean | undefined
  readonly hidden?: boolean | undefined
  /** The only values it takes. */
  readonly options?: readonly string[] | undefined
}

/** A line that oclif can run as it is. */
interface CommandLine {
  readonly type: 'command'
  /** The command's id, e.g. `profile:rule:add`. */
  readonly id: string
  /**
   * The positional words in the command's own order, then the options as `--name` or `--name=value`, spelt in full; where a word begins with a dash, the
   * options, `--` and the words.
   */
  readonly argv: readonly string[]
}

/** A question for help: on the command or topic that WORDS name, none = the whole program. */
interface HelpLine {
  readonly type: 'help'
  readonly words: readonly string[]
}

/** A line that no grammar accepts. */
export interface UsageLine {
  readonly type: 'usage'
  /** What is wrong, as a sentence without its full stop. */
  readonly problem: string
  /** The usages that come nearest, without the program's name. */
  readonly usage: readonly string[]
  /** Of a topic alone: its commands, each with its words and one line of what it does. */
  readonly commands?: readonly (readonly [words: string, summary: string])[]
  /** What may have been meant, as words to type. */
  readonly suggestion?: string
  /** The words to ask help for, the deepest command or topic that was recognised. */
  readonly help: readonly string[]
}

/** A valid line of v0.20 whose command is not in the table. */
interface UnavailableLine {
  readonly type: 'unavailable'
  /** The command's words, e.g. `container add`. */
  readonly words: string
}

export type Line = CommandLine | HelpLine | UsageLine | UnavailableLine
