import {Args, Flags} from '@oclif/core'
import {ShowCommand} from '../lib/cli/show-command.js'
import {confirmChange} from '../lib/journal/confirm/settle.js'
import {listWaiting} from '../lib/journal/confirm/waiting.js'
import {presentWaiting} from '../lib/views/confirm.js'
import {journal} from '../lib/views/history.js'

export default class Confirm extends ShowCommand {
  static override summary = 'Keep a change that was made with --confirm-within.'
  static override description =
    'A change made with --confirm-within is taken back by itself when its time is over, unless this command comes before. Without ID it is the change that waits. ' +
    'The change is one of this user on this host; no datastore is needed.'
  static override examples = ['<%= config.bin %> confirm', '<%= config.bin %> confirm --list']
  static readonly exitCodes = {
    1: 'Several changes wait: an ID is needed.',
    4: 'Nothing waits, or not the change of that ID.',
    5: 'The change was taken back already.',
  }
  static override args = {id: Args.string({ignoreStdin: true, description: 'The ID of a change, as --list and history show it.'})}
  static override flags = {list: Flags.boolean({description: 'Show the changes that wait, and confirm none.'})}

  async run(): Promise<void> {
    const {args, flags} = await this.read(Confirm, ({args: {id}, flags: {list}}) => {
      if (list && id !== undefined) this.problem('give either --list or an ID')
    })
    if (flags.list) {
      await this.present(presentWaiting(listWaiting(process.env).map(({waiting}) => waiting), Date.now()))
      return
    }
    const {id, words} = await confirmChange(args.id, journal, process.env)
    this.note(`Confirmed: ${id} (${words.join(' ')}) is not taken back.`)
  }
}
