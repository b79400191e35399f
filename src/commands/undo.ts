import {Args} from '@oclif/core'
import {EditCommand} from '../lib/cli/edit-command.js'
import {CalicoError} from '../lib/errors.js'
import {settleUndone} from '../lib/journal/confirm/settle.js'
import {ChangedSinceError, chooseEntry, nameOf, planUndo, undo} from '../lib/journal/undo.js'
import {journal, undoDiff, undoneText, withDifference} from '../lib/views/history.js'

export default class Undo extends EditCommand {
  static override summary = 'Take a change back.'
  static override description =
    'Makes all objects of the change what they were before it, in one transaction, or none if one of them was changed since. Without ID it is the last change that ' +
    'calicoctl history shows. Undoing is a change itself, so that undo once more brings the change back. Addresses of IPAM and what was changed on a host ' +
    'are not taken back; the message names the commands that do it.'
  static override examples = ['<%= config.bin %> undo', '<%= config.bin %> undo --dry-run']
  static readonly exitCodes = {
    4: 'There is nothing to undo, or no change of that ID.',
    5: 'Something was changed since; the difference is printed.',
    6: 'The change was made in another cluster.',
    8: 'Only addresses or the host were changed, or others use what the change created.',
    9: 'The stored objects are as before; addresses or the host are not.',
  }
  static override args = {id: Args.string({ignoreStdin: true, description: 'The ID of a change, as history shows it.'})}
  protected override readonly looksForOverdue = false

  async run(): Promise<void> {
    const {args} = await this.read(Undo)
    const entry = chooseEntry(journal(), args.id)
    planUndo(entry) // refuses what cannot be taken back, without a datastore
    let plan
    try {
      plan = await undo(await this.session(), entry)
    } catch (error) {
      throw error instanceof ChangedSinceError ? await withDifference(error) : error
    }
    if (!this.dryRun) await settleUndone(entry.id, process.env)
    if (this.dryRun) await this.dataText(await undoDiff(plan))
    this.note(plan.changes.map((change) => undoneText(change, this.dryRun)))
    if (plan.initialised) this.note('The datastore stays initialised.')
    if (plan.rest.length === 0) return
    if (this.dryRun) this.note(plan.rest)
    else throw new CalicoError('unknown', `Only a part of ${nameOf(plan.entry)} was taken back: the stored objects`, {details: plan.rest})
  }
}
