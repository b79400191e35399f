import {Flags} from '@oclif/core'
import {filesFlag} from '../lib/views/resource-files/options.js'
import {ApplyFilesCommand} from '../lib/views/resource-files/apply-command.js'
import {setFlags, writeFlags} from '../lib/views/resource-files/write-command.js'

export default class Apply extends ApplyFilesCommand {
  static override summary = 'Make objects what files say.'
  static override description = [
    'Creates what does not exist and makes the spec, labels and annotations of what does those of the file; annotations of calicoctl\'s own stay. What does not differ is not written. Every object is checked before anything is written, and all are written in one transaction where they fit. Where a file has a resourceVersion, the datastore must still be at it (5).',
    'With --set, the objects become members of a set; with --prune, what the set has beyond the files is deleted. With --plan, exactly the change is made that a plan has saved.',
  ].join('\n\n')
  static override examples = ['<%= config.bin %> apply -f profiles.yaml', '<%= config.bin %> apply -R -f cluster/ --dry-run', '<%= config.bin %> apply -R -f cluster/ --set cluster --prune --yes', '<%= config.bin %> plan -f profiles.yaml --out change.plan && <%= config.bin %> apply --plan change.plan']
  static readonly exitCodes = {
    1: 'A file has a problem; a plan cannot be read, or was changed since it was made. Nothing was changed.',
    5: 'Somebody has changed an object since the resourceVersion in the file, or since the plan was made. Nothing was changed.',
    6: 'The datastore does not answer, or the plan was made for another cluster.',
    8: 'What --prune would delete is in use, or nobody agreed to delete it; with --atomic or --plan: it does not fit into one transaction. Nothing was changed.',
  }
  static override flags = {
    ...writeFlags,
    filename: filesFlag(false),
    plan: Flags.string({description: 'Make the change of this plan, which `plan` has saved, or none; - for stdin.', helpValue: 'FILE'}),
    ...setFlags,
    yes: Flags.boolean({description: 'Do not ask before --prune deletes.'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(Apply, (line) => {
      this.checkApply(line.flags)
    })
    if (flags.plan === undefined) await this.write('apply', flags)
    else await this.applyPlan(flags.plan, flags.output)
  }
}
