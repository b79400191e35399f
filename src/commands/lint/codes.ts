import {Args} from '@oclif/core'
import {checked} from '../../lib/cli/base-command.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {presentCodes, presentPage, readCode} from '../../lib/views/lint.js'

export default class LintCodes extends ShowCommand {
  static override summary = "List the codes of lint findings, or explain one, with an example and how to fix it."
  static readonly exitCodes = {6: null, 7: null}
  static override examples = ['<%= config.bin %> lint codes', '<%= config.bin %> lint codes rule-open']
  static override args = {
    code: Args.custom<ReturnType<typeof readCode>>({parse: checked(readCode)})({ignoreStdin: true, required: false, description: 'A code.'}),
  }

  async run(): Promise<void> {
    const {args} = await this.read(LintCodes)
    if (args.code === undefined) await this.present(presentCodes())
    else await this.present(presentPage(args.code))
  }
}
