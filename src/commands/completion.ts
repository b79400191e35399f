import {Args, Command} from '@oclif/core'
import {currentInvocation} from '../lib/cli/invocation.js'
import {completionScript, SHELLS, type Shell} from '../lib/cli/completion/scripts.js'

export default class Completion extends Command {
  static override summary = 'Print the script that completes command lines in a shell.'
  static override description = 'Completes commands, options and the names of stored profiles, pools, nodes, peers and endpoints.'
  static override examples = ['source <(<%= config.bin %> completion bash)', '<%= config.bin %> completion fish | source']
  static override args = {shell: Args.custom<Shell>({options: [...SHELLS], ignoreStdin: true, description: 'The shell.'})({required: true})}

  async run(): Promise<void> {
    const {args} = await this.parse(Completion)
    currentInvocation().stdout(completionScript(args.shell), () => undefined)
  }
}
