import {Args, Command} from '@oclif/core'
import {showHelp} from '../lib/cli/help.js'

export default class HelpCommand extends Command {
  static override summary = 'Show help for a command, or for the exit codes.'
  static override examples = ['<%= config.bin %> help profile rule add', '<%= config.bin %> help exit-codes']
  static override strict = false
  static override args = {command: Args.string({ignoreStdin: true, description: 'The words of a command or topic, or exit-codes.'})}

  async run(): Promise<void> {
    await showHelp(this.argv, this.config)
  }
}
