/**
 * The help pages: the program, a topic, a command, and the table of exit codes. 80 columns wide wherever they are rendered, since the build
 * renders them ahead of time.
 */
import {CommandHelp, Help, type Command, type Config, type Interfaces} from '@oclif/core'
import {EXIT_CODES, type ErrorKind} from '../errors.js'
import {wrapUsage} from './grammar/format.js'
import {commandWords, idsUnder, usageText} from './grammar/own-usage.js'
import {usageOfId, V020} from './grammar/v020.js'
import {currentInvocation} from './invocation.js'

const WIDTH = 80

/** What each exit code says (design.md §5). */
export const EXIT_TEXTS: Readonly<Record<0 | (typeof EXIT_CODES)[ErrorKind], string>> = {
  0: 'Success, also if nothing had to be changed.',
  1: 'Invalid command line or value, or another failure.',
  2: 'This command must be run as root.',
  3: 'Nothing was changed. Only with --error-unchanged.',
  4: 'A named object was not found.',
  5: 'Conflict: another client keeps modifying it, or it exists with other settings.',
  6: 'The datastore cannot be reached, is not a Calico datastore, or not the expected one.',
  7: 'Refused by the datastore: TLS, user or permission.',
  8: 'Refused for safety: in use, locked or exhausted. The message names the option that overrides this, if there is one.',
  9: 'The outcome is unknown, or only some of the changes were made. The message names them.',
  10: 'A check or status command ran and found problems.',
  130: 'Interrupted. The message says whether anything was written.',
  143: 'Terminated. The message says whether anything was written.',
}

/** The one rule of what a repeated command does. */
const IDEMPOTENCE =
  'A command succeeds if nothing has to be changed, and prints "unchanged" or v0.20\'s own message for it. As in v0.20, some commands fail with exit code 4 if the object to remove does not exist, or with 5 if the object to add exists. ' +
  'With --if-exists, which every command that removes something accepts, and --may-exist, which every command that adds something accepts, they succeed too. ' +
  'With --error-unchanged, a command fails with exit code 3 if it changed nothing.'

/** What the first words of commands are about. */
export const TOPICS: Readonly<Record<string, string>> = {
  bgp: 'Cluster-wide BGP: peers, the node-to-node mesh and the default AS number.',
  config: 'Log levels of Felix and BGP, and the settings of calicoctl itself.',
  container: 'Connect containers to Calico: addresses and profiles.',
  datastore: 'The datastore: back up, restore, lock and show its state.',
  endpoint: 'Endpoints and their profiles.',
  ipam: 'IP addresses: show, assign, release and check them.',
  libnetwork: 'The network and IPAM driver for Docker.',
  mesos: 'Mesos agents: configure and check the net-modules plugin, and clean up after it.',
  node: 'The calico-node container of this host, the nodes and their BGP peers.',
  policy: 'Explain and test which traffic is allowed, and why.',
  pool: 'Address pools.',
  profile: 'Profiles: the tags and rules of endpoints.',
}

export const MATCH_HELP = `(tcp | udp) [from [PORTS] [WHO]] [to [PORTS] [WHO]]
(icmp | icmpv6) [type <N> [code <N>]] [from [WHO]] [to [WHO]]
protocol <NAME|NUMBER> [from [PORTS] [WHO]] [to [PORTS] [WHO]]
[from [WHO]] [to [WHO]]

PORTS: ports <PORT>[:<PORT>][,...]
WHO: [tag <TAG>] [cidr <CIDR>] [selector <SELECTOR>]
Each part of WHO, PORTS and "protocol" may follow again after "not".
The order is fixed.`

/**
 * A command as its cache holds it, with static properties that a command may have. `exitCodes`: its own meaning of some codes; null = it never ends
 * with this one, although others with its options do. `places`: its arguments as the usage calls them, where oclif has one for all of them.
 */
type Described = Pick<Command.Cached, 'flags' | 'args'> & {readonly exitCodes?: Readonly<Record<string, string | null>>; readonly places?: Readonly<Record<string, string>>}

/** A command's page: usage, examples, then the rest. */
class CommandPage extends CommandHelp {
  protected override sections(): ReturnType<CommandHelp['sections']> {
    const order = ['EXAMPLES', 'USAGE', 'DESCRIPTION', 'ARGUMENTS', 'MATCH']
    const sections = [...super.sections(), {header: 'MATCH', generate: () => (usageOfId(this.command.id)?.includes('<MATCH>') ? MATCH_HELP : undefined)}]
    const place = (header: string): number => (order.includes(header) ? order.indexOf(header) : order.length)
    return [
      ...sections.sort((a, b) => place(a.header) - place(b.header)),
      {header: 'EXIT CODES', generate: () => this.exitCodes()},
    ]
  }

  protected override args(args: Command.Arg.Any[]): ReturnType<CommandHelp['args']> {
    return args.length === 0 ? undefined : argumentRows(this.command)
  }

  /** The usage as written, with arguments before sub-commands; oclif's own puts the command's id in front. */
  protected override usage(): string {
    const {id, usage} = this.command
    const lines = usage === undefined ? [usageText(id, {[id]: this.command})] : typeof usage === 'string' ? [usage] : usage
    return lines.map((line) => wrapUsage(this.withOptions(line.replace('<%= command.id %>', id.replaceAll(':', ' ')))).replace(/^ {2}/gm, '')).join('\n')
  }

  /** USAGE with the options of this command that it does not have: those that matter by name, the others as `[options]`. */
  private withOptions(usage: string): string {
    if (this.command.usage !== undefined) return usage
    const words = Object.entries(this.command.flags).flatMap(([name, flag]) => {
      if (flag.hidden === true || flag.helpGroup === 'GLOBAL' || COMMON.includes(name) || new RegExp(`--${name}(?![a-z-])`).test(usage)) return []
      const word = flag.type === 'option' ? `--${name}=<${flag.helpValue === undefined ? name.toUpperCase() : String(flag.helpValue)}>${flag.multiple === true ? '...' : ''}` : `--${name}`
      return [flag.required === true ? word : `[${word}]`]
    })
    return [usage.replace(/ \[options\]$/, ''), ...words, '[options]'].join(' ')
  }

  /** The description alone; the summary stands at the top of the page. */
  protected override description(): string | undefined {
    return this.command.description === undefined ? undefined : this.wrap(this.command.description)
  }

  private exitCodes(): string {
    return this.renderList(exitCodeRows(this.command), {indentation: 2, spacer: '\n'})
  }
}

/** The arguments of a command, each called as in its usage: one of a few words is those words. */
export function argumentRows({args, places}: Described): [name: string, text: string][] {
  if (places !== undefined) return Object.entries(places)
  return Object.values(args).filter(({hidden}) => hidden !== true).map(({name, options, required, multiple, description = ''}) => {
    const word = options === undefined ? `${name.toUpperCase()}${multiple === true ? '...' : ''}` : options.join(' | ')
    return [required === true ? word : `[${word}]`, description]
  })
}

/** The exit codes that a command may end with, and what each means for it. */
export function exitCodeRows({flags, exitCodes = {}}: Described): [code: string, text: string][] {
  const codes = [0, 1, ...('datastore' in flags ? [6, 7] : []), ...('dry-run' in flags ? [5, 8, 9, 130, 143] : []), ...('error-unchanged' in flags ? [3] : []), ...Object.keys(exitCodes).map(Number)] as const
  const used = [...new Set(codes)].filter((code) => exitCodes[String(code)] !== null).sort((a, b) => a - b)
  return used.map((code) => [String(code), exitCodes[String(code)] ?? exitText(code)])
}

/** Options that many commands have, which their usage does not name one by one. */
const COMMON = ['dry-run', 'init', 'confirm-within', 'error-unchanged', 'json', 'output']

const exitText = (code: number): string => EXIT_TEXTS[code as keyof typeof EXIT_TEXTS]

class HelpPages extends Help {
  protected override CommandHelpClass = CommandPage

  constructor(config: Interfaces.Config, options: Partial<Interfaces.HelpOptions> = {}) {
    super(config, {...options, maxWidth: WIDTH, stripAnsi: true})
  }

  /** The page of WORDS (a command, a topic, none for the program, `exit-codes`), with a newline at its end. */
  page(words: readonly string[]): string {
    if (words[0] === 'exit-codes') return this.exitCodesPage()
    const id = words.join(':')
    const command = words.length === 0 ? undefined : this.config.findCommand(id)
    const below = this.idsBelow(words)
    const parts = [
      words.length === 0 ? this.programText() : undefined,
      command === undefined ? this.topicText(words, below) : this.commandText(command),
      words.length > 0 && below.length > 0 ? this.section('COMMANDS', this.commandList(below)) : undefined,
    ]
    return `${parts.filter((part) => part !== undefined && part !== '').join('\n\n')}\n`
  }

  private programText(): string {
    const firstWords = [...new Set(this.idsBelow([]).map((id) => id.split(':', 1)[0] ?? ''))].sort()
    const rows = firstWords.map((word): [string, string | undefined] => [word, TOPICS[word] ?? this.config.findCommand(word)?.summary])
    return [
      this.wrap((this.config.pjson as {description?: string}).description ?? ''),
      this.section('USAGE', 'calicoctl <command> [<args>...]'),
      this.section('COMMANDS', this.renderList(rows, {indentation: 2, spacer: '\n'})),
      this.section('MORE', [
        'calicoctl help <command>     one command, with examples',
        'calicoctl help exit-codes    what the exit codes mean',
        'calicoctl completion bash    completion for the shell, also zsh and fish',
        'calicoctl <name>             runs calicoctl-<name> if PATH has it',
      ].join('\n')),
    ].join('\n\n')
  }

  private commandText(command: Command.Loadable): string {
    const page = new CommandPage({...command, strict: true}, this.config, this.opts) // oclif would put dots behind every argument of a command that takes more words
    return [command.summary === undefined ? undefined : this.wrap(command.summary), page.generate()].filter((part) => part !== undefined).join('\n\n')
  }

  private topicText(words: readonly string[], below: readonly string[]): string | undefined {
    if (words.length === 0) return undefined
    const own = usageOfId(words.join(':'))
    const usages = [...(own === undefined ? [] : [own]), ...(below.length > 0 ? below : this.hiddenBelow(words)).map((id) => usageText(id, this.table()))]
    return [
      ...(words.length === 1 ? [TOPICS[words[0] ?? '']] : []),
      this.section('USAGE', usages.map((usage) => wrapUsage(usage).replace(/^ {2}/gm, '')).join('\n')),
      ...(own === undefined ? [] : ['Not available in this version.']),
    ].filter((part) => part !== undefined).join('\n\n')
  }

  private commandList(ids: readonly string[]): string {
    const rows = ids.map((id): [string, string | undefined] => [commandWords(id, this.table()), this.config.findCommand(id)?.summary])
    return this.renderList(rows, {indentation: 2, spacer: '\n'})
  }

  /** The commands below the topic WORDS: those there are, and those of v0.20 that are still missing are left out. */
  private idsBelow(words: readonly string[]): string[] {
    const below = idsUnder(words, this.table())
    return below.length > 0 || words.length === 0 ? below.sort() : v020IdsUnder(words)
  }

  /** The hidden commands below the topic WORDS, for who asks for the topic by name. */
  private hiddenBelow(words: readonly string[]): string[] {
    return Object.keys(this.table()).filter((id) => id.startsWith(words.map((word) => `${word}:`).join('')))
  }

  private table(): Record<string, Command.Loadable> {
    return Object.fromEntries(this.config.commands.map((command) => [command.id, command]))
  }

  private exitCodesPage(): string {
    const rows = Object.entries(EXIT_TEXTS).map(([code, text]): [string, string] => [code, text])
    return `${[
      'The exit codes of calicoctl. 0 means success; any other code is a failure.',
      this.section('EXIT CODES', this.renderList(rows, {indentation: 2, spacer: '\n'})),
      this.section('RUNNING A COMMAND AGAIN', this.wrap(IDEMPOTENCE)),
    ].join('\n\n')}\n`
  }
}

const v020IdsUnder = (words: readonly string[]): string[] =>
  Object.keys(V020[words[0] ?? ''] ?? {}).filter((id) => id.startsWith(words.map((word) => `${word}:`).join('')))

/** The help page of WORDS as text. */
export function helpPage(words: readonly string[], config: Config): string {
  return new HelpPages(config).page(words)
}

/** Writes the help page of WORDS to stdout. */
export function showHelp(words: readonly string[], config: Config): Promise<void> {
  return new Promise((resolve) => currentInvocation().stdout(helpPage(words, config), () => resolve()))
}
