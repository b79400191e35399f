import {ifExistsFlag} from '../lib/cli/edit-command.js'
import {Args, Flags} from '@oclif/core'
import {type LabelChange, labelled, readLabel} from '../lib/resource-files/labels.js'
import {objectArguments, objectFlags, namedBy, OneObjectCommand} from '../lib/views/resource-files/one-object.js'

export default class Label extends OneObjectCommand {
  static override summary = 'Set or remove a label of an object.'
  static override description = 'The value of an existing label is changed only with --overwrite; otherwise the exit code is 5. Labels that Calico itself sets cannot be changed.'
  static override examples = ['<%= config.bin %> label profile web team=shop', '<%= config.bin %> label profile web team=store --overwrite', '<%= config.bin %> label profile web stage --remove']
  static readonly exitCodes = {4: 'There is no such object, or no such label to remove.', 5: 'The label has another value.', 8: 'The object is provided by Calico itself, or the datastore is locked.'}
  static override args = {...objectArguments, label: Args.string({required: true, ignoreStdin: true, description: 'KEY=VALUE, or with --remove the KEY.'})}
  static override flags = {
    ...ifExistsFlag,
    ...objectFlags,
    overwrite: Flags.boolean({description: 'Replace the value of an existing label.'}),
    remove: Flags.boolean({description: 'Remove the label.'}),
  }

  async run(): Promise<void> {
    const {args, flags} = await this.read(Label, (line) => {
      if (line.flags.overwrite && line.flags.remove) this.problem('--overwrite and --remove cannot be combined')
    })
    const named = namedBy(args.kind, args.name, flags.namespace)
    const wanted: LabelChange = readLabel(args.label, flags)
    const {after, action} = await this.change(named, (object) => labelled(object, wanted), flags.output)
    if (action === 'unchanged' && wanted.value !== undefined && after?.metadata.labels?.[wanted.key] !== wanted.value) {
      this.note(`Calico itself sets the label ${wanted.key} of this object to ${after?.metadata.labels?.[wanted.key] ?? 'nothing'}.`)
    }
  }
}
