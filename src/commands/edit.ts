import {Args} from '@oclif/core'
import {findKind} from '../lib/model/kinds.js'
import {EditObjectCommand} from '../lib/views/resource-files/edit-command.js'
import {namespaceFlag} from '../lib/views/resource-files/options.js'

export default class Edit extends EditObjectCommand {
  static override summary = 'Edit an object in a text editor.'
  static override description = [
    'Opens the object as YAML in the editor given by $VISUAL or $EDITOR, or else in vi. When the editor exits, the saved text is validated and written, unless the object was modified meanwhile (exit code 5). If it is invalid, the editor opens again with the problems as comments.',
    'Your text is never lost: if it cannot be written to the datastore, the file is kept and its path is printed. If you change nothing, nothing is written.',
  ].join('\n\n')
  static override examples = ['<%= config.bin %> edit profile web', 'EDITOR="code --wait" <%= config.bin %> edit ippool default-pool']
  static readonly exitCodes = {1: 'The editor failed, or the object is still invalid.', 4: 'The object does not exist.', 5: 'The object was modified meanwhile; nothing was written.', 8: 'The object is protected.'}
  static override args = {
    kind: Args.string({ignoreStdin: true, required: true, description: 'The kind, in singular or plural.'}),
    name: Args.string({ignoreStdin: true, required: true, description: 'The name of the object.'}),
  }
  static override flags = {namespace: namespaceFlag}

  async run(): Promise<void> {
    const {args, flags} = await this.read(Edit, (line) => {
      const info = findKind(line.args.kind)
      if (info === undefined) this.problem(`'${line.args.kind}' is not a kind that calicoctl reads`)
      else if (!info.namespaced && line.flags.namespace !== undefined) this.problem(`-n cannot be used: the kind ${info.kind} has no namespaces`)
    })
    const info = findKind(args.kind)
    if (info === undefined) throw new TypeError('the line was checked')
    await this.edit({info, name: args.name, namespace: flags.namespace})
  }
}
