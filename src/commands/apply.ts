import {Flags} from '@oclif/core'
import {filesFlag} from '../lib/views/resource-files/options.js'
import {ApplyFilesCommand} from '../lib/views/resource-files/apply-command.js'
import {setFlags, writeFlags} from '../lib/views/resource-files/write-command.js'

export default class Apply extends ApplyFilesCommand {
  static override summary = 'Create or update objects from files.'
  static override description = [
    'Creates objects that do not exist, and sets the spec, labels and annotations of existing ones to those in the file; calicoctl\'s own annotations are kept. Unchanged objects are not written. All objects are validated before anything is written, and are written in one transaction if they fit. If a file has a resourceVersion that is not the current one, apply fails with exit code 5.',
    'With --set, the objects become members of a set; with --prune, members of the set that are not in the files are deleted. With --plan, apply makes exactly the change that a plan contains.',
  ].join('\n\n')
  static override examples = ['<%= config.bin %> apply -f profiles.yaml', '<%= config.bin %> apply -R -f cluster/ --dry-run', '<%= config.bin %> apply -R -f cluster/ --set cluster --prune --yes', '<%= config.bin %> plan -f profiles.yaml --out change.plan && <%= config.bin %> apply --plan change.plan']
  static readonly exitCodes = {
    1: 'A file is invalid, or a plan cannot be read or was modified after it was saved. Nothing was changed.',
    5: 'An object was modified after the resourceVersion in the file, or after the plan was saved. Nothing was changed.',
    6: 'The datastore does not answer, or the plan was made for another cluster.',
    8: 'An object that --prune would delete is in use, or the deletion was not confirmed; with --atomic or --plan: the change does not fit into one transaction. Nothing was changed.',
  }
  static override flags = {
    ...writeFlags,
    filename: filesFlag(false),
    plan: Flags.string({description: 'Make exactly the change in this file, which `plan` saved, or none. - is stdin.', helpValue: 'FILE'}),
    ...setFlags,
    yes: Flags.boolean({description: 'Do not prompt before --prune deletes objects.'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(Apply, (line) => {
      this.checkApply(line.flags)
    })
    if (flags.plan === undefined) await this.write('apply', flags)
    else await this.applyPlan(flags.plan, flags.output)
  }
}
