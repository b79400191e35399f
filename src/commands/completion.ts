import {Args, Command, Flags} from '@oclif/core'
import {currentInvocation} from '../lib/cli/invocation.js'
import {completionScript, SHELLS, type Shell} from '../lib/cli/completion/scripts.js'
import {CalicoError} from '../lib/errors.js'

export default class Completion extends Command {
  static override summary = 'Print the script that completes command lines in a shell.'
  static override description = 'Completes commands, options, and names: of stored objects of every kind, of changes in the journal, and of the containers of this host. With --install, the script is written where the shell finds it for this user.'
  static override examples = ['source <(<%= config.bin %> completion bash)', '<%= config.bin %> completion fish | source']
  static override args = {shell: Args.custom<Shell>({options: [...SHELLS], ignoreStdin: true, description: 'The shell. Default: the one of $SHELL.'})()}
  static override flags = {install: Flags.boolean({description: 'Write the script to the folder of this user for completions, and print its path.'})}

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Completion)
    const shell = args.shell ?? SHELLS.find((name) => process.env.SHELL?.endsWith(`/${name}`))
    if (shell === undefined) throw new CalicoError('invalid', `Name the shell: ${SHELLS.join(', ')}`)
    const invocation = currentInvocation()
    if (flags.install && invocation.line) throw new CalicoError('invalid', 'completion --install cannot be used in a batch')
    if (!flags.install) {
      invocation.stdout(completionScript(shell), () => undefined)
      return
    }
    const {installCompletion} = await import('../lib/cli/completion/install.js')
    for (const text of await installCompletion(shell, process.env)) invocation.stdout(`${text}\n`, () => undefined)
  }
}
