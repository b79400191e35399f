import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../lib/cli/base-command.js'
import {HANDED_ON} from '../lib/journal/confirm/arm.js'
import {end} from '../lib/journal/confirm/settle.js'
import {runTimer, takeBack} from '../lib/journal/confirm/timer.js'
import type {Waiting} from '../lib/journal/confirm/waiting.js'
import {undo} from '../lib/journal/undo.js'
import {journal} from '../lib/views/history.js'

/** The process that --confirm-within starts: it waits for the change of FILE and takes it back. With --now it does that at once, one time. */
export default class ConfirmTimer extends BaseCommand {
  static override hidden = true
  static override args = {file: Args.string({required: true, ignoreStdin: true})}
  static override flags = {now: Flags.boolean()}
  protected override readonly looksForOverdue = false
  private undoes = ''

  async run(): Promise<void> {
    const {args, flags} = await this.read(ConfirmTimer)
    if (!flags.now) return runTimer(args.file)
    await takeBack(args.file, (waiting) => this.undo(waiting), (waiting) => end(args.file, waiting, 'undone'))
  }

  private async undo(waiting: Waiting): Promise<void> {
    this.takeSettings(waiting)
    const entry = journal().find(({id}) => id === waiting.id)
    // The command was killed before it wrote anything.
    if (!entry) return
    this.undoes = entry.id
    const {rest} = await undo(await this.session(), entry)
    this.note([`The change ${entry.id} was not confirmed and is rolled back.`, ...rest])
  }

  /** The settings are those of the command that made the change. */
  private takeSettings({options, folder, env}: Waiting): void {
    for (const name of Object.keys(process.env)) if (HANDED_ON.test(name)) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, env)
    this.globals = {...options, quiet: this.globals.quiet ?? false}
    try {
      process.chdir(folder)
    } catch {
      // Only relative paths need it.
    }
  }

  protected override recordedAs(): {id: string; words: readonly string[]} {
    return {id: 'undo', words: ['undo', this.undoes]}
  }
}
