import {Args, Flags} from '@oclif/core'
import {ShowCommand} from '../lib/cli/show-command.js'
import {confirmChange} from '../lib/journal/confirm/settle.js'
import {lookOnce} from '../lib/journal/confirm/timer.js'
import {listWaiting} from '../lib/journal/confirm/waiting.js'
import {presentWaiting} from '../lib/views/confirm.js'
import {journal} from '../lib/views/history.js'

export default class Confirm extends ShowCommand {
  static override summary = 'Confirm a change that was made with --confirm-within.'
  static override description =
    'A change made with --confirm-within is rolled back automatically when its time is over, unless it is confirmed before. Without ID, confirms the pending change. ' +
    'Only changes made by this user on this host can be confirmed; the datastore is accessed only if a rollback was interrupted.'
  static override examples = ['<%= config.bin %> confirm', '<%= config.bin %> confirm --list']
  static readonly exitCodes = {
    1: 'Several changes are pending: an ID is required.',
    4: 'No change is pending, or there is no pending change with that ID.',
    5: 'The change was already rolled back, or a rollback was interrupted less than a minute ago and may still be executed.',
    6: 'A rollback was interrupted, and the datastore could not be asked whether it was made. The change is still pending.',
    7: null,
  }
  static override args = {id: Args.string({ignoreStdin: true, description: 'The ID of the change, as printed by --list and by history.'})}
  static override flags = {list: Flags.boolean({description: 'List the pending changes without confirming one.'})}

  async run(): Promise<void> {
    const {args, flags} = await this.read(Confirm, ({args: {id}, flags: {list}}) => {
      if (list && id !== undefined) this.problem('Give either --list or an ID')
    })
    if (flags.list) {
      await this.present(presentWaiting(listWaiting(process.env).map(({waiting}) => waiting), Date.now()))
      return
    }
    const {id, words} = await confirmChange(args.id, journal, ({path, waiting}) => lookOnce(path, waiting.id), process.env)
    this.note(`Confirmed: ${id} (${words.join(' ')}) will not be rolled back.`)
  }
}
