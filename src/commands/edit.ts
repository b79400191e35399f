import {Args} from '@oclif/core'
import {findKind} from '../lib/model/kinds.js'
import {EditObjectCommand} from '../lib/views/resource-files/edit-command.js'
import {namespaceFlag} from '../lib/views/resource-files/options.js'

export default class Edit extends EditObjectCommand {
  static override summary = 'Edit an object in a text editor.'
  static override description = [
    'Opens the object as YAML in the editor that $VISUAL names, else $EDITOR, else vi. What was saved is checked and written when the editor ends, if nobody has changed the object since it was shown (5). If something is wrong, the editor opens again with the problems as comment lines.',
    'What was typed is never lost: where it cannot be written, the file is kept, and its path is printed. If nothing was changed, nothing is written.',
  ].join('\n\n')
  static override examples = ['<%= config.bin %> edit profile web', 'EDITOR="code --wait" <%= config.bin %> edit ippool default-pool']
  static readonly exitCodes = {1: 'The editor failed, or what is wrong with the object was not corrected.', 4: 'The object does not exist.', 5: 'Somebody has changed the object since it was shown; nothing was written.', 8: 'The object is protected.'}
  static override args = {
    kind: Args.string({ignoreStdin: true, required: true, description: 'A kind, in singular or plural.'}),
    name: Args.string({ignoreStdin: true, required: true, description: 'The name of the object.'}),
  }
  static override flags = {namespace: namespaceFlag}

  async run(): Promise<void> {
    const {args, flags} = await this.read(Edit, (line) => {
      const info = findKind(line.args.kind)
      if (info === undefined) this.problem(`'${line.args.kind}' is not a kind that calicoctl reads`)
      else if (!info.namespaced && line.flags.namespace !== undefined) this.problem(`-n does not fit: a ${info.kind} lies in no namespace`)
      if (!/^[a-z0-9.-]+$/.test(line.args.name)) this.problem('a name must be lower-case letters, digits, "-" and "."')
    })
    const info = findKind(args.kind)
    if (info === undefined) throw new TypeError('the line was checked')
    await this.edit({kind: info.kind, name: args.name, ...(info.namespaced ? {namespace: flags.namespace ?? 'default'} : {})})
  }
}
