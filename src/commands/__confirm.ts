import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../lib/cli/base-command.js'
import {CalicoError} from '../lib/errors.js'
import {HANDED_ON} from '../lib/journal/confirm/arm.js'
import {rolledBack} from '../lib/journal/confirm/settle.js'
import {foundText, runTimer, takeBack, type Undoing} from '../lib/journal/confirm/timer.js'
import {readWaiting, type Waiting} from '../lib/journal/confirm/waiting.js'
import type {Entry} from '../lib/journal/read.js'
import {type Found, lookAt, onlyParts, undo} from '../lib/journal/undo.js'
import {journal} from '../lib/views/history.js'

/**
 * The process that --confirm-within starts: it waits for the change of FILE and rolls it back. With --now ID it rolls that one back at once, one time; with --look it prints how the
 * change stands.
 */
export default class ConfirmTimer extends BaseCommand {
  static override hidden = true
  static override args = {file: Args.string({required: true, ignoreStdin: true})}
  static override flags = {now: Flags.string(), look: Flags.boolean()}
  protected override readonly looksForOverdue = false
  private undoes = ''

  async run(): Promise<void> {
    const {args, flags} = await this.read(ConfirmTimer)
    const undoing: Undoing = {look: (waiting) => this.look(waiting), undo: (waiting) => this.undo(waiting)}
    if (flags.look) {
      const waiting = readWaiting(args.file)
      if (waiting) await this.dataText(`${foundText(await undoing.look(waiting))}\n`)
    } else if (flags.now !== undefined) await takeBack(args.file, flags.now, undoing, (waiting, late) => rolledBack(args.file, waiting, late))
    else await runTimer(args.file)
  }

  private async look(waiting: Waiting): Promise<Found> {
    this.takeSettings(waiting)
    return lookAt(await this.session(), this.change(waiting), waiting.late)
  }

  /** What the journal has of WAITING. @throws CalicoError `failed` if it has nothing */
  private change({id}: Waiting): Entry {
    const entry = journal().find((each) => each.id === id)
    if (!entry) throw new CalicoError('failed', 'The journal has nothing of it: the command was killed before it changed anything, or the journal was removed')
    return entry
  }

  private async undo(waiting: Waiting): Promise<void> {
    const entry = this.change(waiting)
    this.undoes = entry.id
    const {rest} = await undo(await this.session(), onlyParts(entry, waiting.late))
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
