import {Args} from '@oclif/core'
import {EditCommand} from '../lib/cli/edit-command.js'
import {CalicoError, isError} from '../lib/errors.js'
import {isWaitedFor, refuseRunning, settleBegun, settleUndone} from '../lib/journal/confirm/settle.js'
import {ChangedSinceError, chooseEntry, lateParts, lookAt, nameOf, planUndo, undo} from '../lib/journal/undo.js'
import {journal, undoDiff, undoneText, withDifference} from '../lib/views/history.js'

export default class Undo extends EditCommand {
  static override summary = 'Revert a change.'
  static override description =
    'Restores all objects of the change to their previous values, unless one of them was modified since: in one transaction, or in several if more than about a hundred ' +
    'objects changed. Without ID, reverts the last change that calicoctl history shows. An undo is itself a change, so a second undo restores the first change. IPAM addresses and changes of a host ' +
    'are not reverted; the message names the commands for that.'
  static override examples = ['<%= config.bin %> undo', '<%= config.bin %> undo --dry-run']
  static readonly exitCodes = {
    4: 'There is nothing to undo (all objects have their previous values), no change with that ID, or the change was not made.',
    5: 'An object was modified since, and the difference is printed; or the change has --confirm-within, and its command is still running.',
    6: 'The change was made in another cluster.',
    8: 'The change affected only addresses or the host, or the undo would do what no command does: delete what is in use, refer to what is gone.',
    9: 'The stored objects were reverted; addresses or the host were not. Or, with several transactions, only some of the objects were reverted; the same command reverts the rest.',
  }
  static override args = {id: Args.string({ignoreStdin: true, description: 'The ID of the change, as printed by history.'})}
  protected override readonly looksForOverdue = false

  async run(): Promise<void> {
    const {args} = await this.read(Undo)
    const entry = chooseEntry(journal((line) => this.note(line)), args.id)
    planUndo(entry) // refuses what cannot be reverted, without a datastore
    if (!this.dryRun) refuseRunning(entry.id, process.env)
    const late = !this.dryRun && isWaitedFor(entry.id, process.env) ? await lateParts(await this.session(), entry) : []
    let plan
    try {
      plan = await undo(await this.session(), entry, (text) => this.note(text))
    } catch (error) {
      const isChanged = error instanceof ChangedSinceError
      if (!isChanged && !isError(error, 'not-found')) throw error
      const rolledBack = this.dryRun ? undefined : await settleBegun(entry.id, async () => lookAt(await this.session(), entry), process.env)
      throw rolledBack ?? (isChanged ? await withDifference(error) : error)
    }
    if (!this.dryRun) await settleUndone(entry.id, late, process.env)
    if (this.dryRun) await this.dataText(await undoDiff(plan))
    if (plan.changes.length > 0) this.noteChanged()
    this.note(plan.changes.map((change) => undoneText(change, this.dryRun)))
    if (plan.initialised) this.note('The datastore stays initialised.')
    if (plan.rest.length === 0) return
    if (this.dryRun) {
      this.note(plan.rest)
      return
    }
    await this.reportFlows()
    throw new CalicoError('unknown', `Only a part of ${nameOf(plan.entry)} was reverted: the stored objects`, {details: plan.rest})
  }
}
