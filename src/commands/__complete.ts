import {BaseCommand} from '../lib/cli/base-command.js'
import {candidates} from '../lib/cli/completion/candidates.js'
import {liveNames} from '../lib/cli/completion/live-names.js'
import {splitLine} from '../lib/cli/grammar/split.js'

/** How long the datastore may take before a key press is answered without it. */
const LIMIT_MS = 300

/** What the completion scripts ask: `-- CURRENT WORDS…`, one candidate a line. Its words are the user's, so that oclif parses none of them. */
export default class Complete extends BaseCommand {
  static override hidden = true
  static override strict = false

  async run(): Promise<void> {
    const [, current = '', ...words] = this.argv
    this.useStoreOf(words)
    const commands = Object.fromEntries(this.config.commands.map((command) => [command.id, command]))
    for (const candidate of await candidates(words, current, commands, liveNames(() => this.session(), LIMIT_MS))) this.data(candidate)
  }

  /** Looks into the store that the line itself names. */
  private useStoreOf(words: readonly string[]): void {
    const line = splitLine(words, {store: {flags: {datastore: {type: 'option'}, config: {type: 'option'}}, args: {}}}, () => new Map())
    const value = (name: string): string | undefined => ('options' in line ? line.options.find((option) => option.kind.name === name)?.value : undefined)
    this.globals = {datastore: value('datastore'), config: value('config'), timeout: LIMIT_MS, quiet: true}
  }
}
