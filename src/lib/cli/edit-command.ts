import {Flags, type Interfaces} from '@oclif/core'
import type {ResourceChange} from '../client/resources.js'
import {objectLabel} from '../client/resources.js'
import {CalicoError, EXIT_CODES, isError} from '../errors.js'
import {BaseCommand, checked, flowsFlag} from './base-command.js'
import {readDuration} from './duration.js'
import {madeCount} from './made.js'
import type {SessionOptions} from '../client/session.js'
import type {Armed, ArmOptions} from '../journal/confirm/arm.js'
import type {EntryLine} from '../journal/entry.js'

/** Flags or arguments by name, as oclif's types have them. */
type Values = Record<string, unknown>

/** The option of a command that adds something: all of them take it, so that a script need not know which of them fail where it exists. */
export const mayExistFlag = {'may-exist': Flags.boolean({description: 'Succeed if it already exists as requested.'})}

/** The option of a command that removes something; what it means is in {@link HostEditCommand}. */
export const ifExistsFlag = {'if-exists': Flags.boolean({description: 'Succeed if it does not exist.'})}

/** A command that changes something: --dry-run, --init, and what it says about each change. Undo does not revert all that it changes. */
export abstract class HostEditCommand extends BaseCommand {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    'dry-run': Flags.boolean({description: 'Check everything and print what would change; write nothing.'}),
    init: Flags.boolean({description: 'Initialise the datastore for Calico even if other keys exist under /calico/.'}),
    'error-unchanged': Flags.boolean({description: 'Exit with code 3 if nothing was changed, or with --dry-run would be.'}),
  }

  protected get dryRun(): boolean {
    return this.flag('dry-run') || this.invocation.line?.dryRun === true
  }

  protected override sessionOptions(): {dryRun: boolean; init: boolean} {
    return {dryRun: this.flag('dry-run'), init: this.flag('init')}
  }

  private flag(name: string): boolean {
    return (this.globals as Partial<Record<string, unknown>>)[name] === true
  }

  private changed = false
  private wasMissing = false
  private readonly madeBefore = madeCount()

  /** Something was changed, or in a dry run would be, that {@link report} does not report: --error-unchanged does not apply then. */
  protected noteChanged(): void {
    this.changed = true
  }

  /** With --if-exists, what is missing is removed already, if nothing was done before that was found; so is what was to be removed from something that is missing. */
  protected override catch(error: Error): Promise<never> {
    if (!this.flag('if-exists') || !isError(error, 'not-found') || this.hasWritten) return super.catch(error)
    this.wasMissing = true
    this.note([/nothing was changed\.?$/i.test(error.message) ? error.message : `${error.message.replace(/\.$/, '')}; nothing was changed`, ...error.details.map((line) => `  ${line}`)])
    return Promise.resolve(undefined as never)
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    const failure = this.wasMissing ? undefined : error
    const changed = this.changed || this.hasWritten || madeCount() > this.madeBefore
    if (failure === undefined && !changed && this.flag('error-unchanged')) this.exitWith(EXIT_CODES.unchanged)
    await super.finally(failure)
  }

  /**
   * Does WORK; where it is refused to protect the user, and a flag would override that, asks on a terminal and does INSIST after a yes.
   * Without a terminal, the refusal stands: its message names the flag.
   */
  protected async orInsist<T>(work: () => Promise<T>, insist: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isError(error, 'refused') || error.override === undefined || this.dryRun) throw error
      const question = [error.message.replace(/[.;] [Nn]othing was [a-z]+(?:\.|(:))?$/, (_, colon: string | undefined) => colon ?? '.'), ...error.details.map((line) => `  ${line}`), `Continue anyway (${error.override})?`]
      if (!this.asks) throw error
      if (!(await this.confirm(question))) throw new CalicoError('refused', 'Not confirmed; nothing was changed') // the question has said the rest
      return insist()
    }
  }

  /**
   * Tells what became of CHANGES, once: in a dry run the differences on stdout, and what would change on stderr; else DONE, v0.20's line, on stdout,
   * or without it what changed on stderr. DETAIL says more about a change, e.g. `inbound rule 3 added`. With BOTH, DONE does not name what changed.
   */
  protected async report(
    changes: readonly ResourceChange[],
    {done, detail, both = false}: {done?: string | readonly string[] | undefined; detail?: string | ((change: ResourceChange) => string | undefined) | undefined; both?: boolean} = {},
  ): Promise<void> {
    if (this.dryRun) {
      const {diffText} = await import('./output/diff.js')
      for (const change of changes) if (change.action !== 'unchanged') await this.dataText(await diffText(change))
    } else if (done !== undefined) this.success(done)
    if (changes.some(({action}) => action !== 'unchanged')) this.noteChanged()
    if (done !== undefined && !both && !this.dryRun) return
    for (const change of changes) await this.reportChange(change, typeof detail === 'function' ? detail(change) : detail)
  }

  /** v0.20's LINES of success, on stdout: no data, and so muted by --quiet. */
  protected success(lines: string | readonly string[]): void {
    if (!this.isQuiet) this.doneText(lines, 'stdout')
  }

  private async reportChange(change: ResourceChange, given: string | undefined): Promise<void> {
    const {action, before, after} = change
    const detail = given ?? (action === 'updated' ? (await import('./output/what-changed.js')).whatChanged(before, after) : undefined)
    const text = changeText(change, {dryRun: this.dryRun, detail})
    if (change.action === 'unchanged' || this.dryRun) this.note(text)
    else this.doneText(text, 'stderr')
  }

  /** Says what became of CHANGES on stderr alone, a line each. */
  protected async reportNotes(changes: readonly ResourceChange[]): Promise<void> {
    if (changes.some(({action}) => action !== 'unchanged')) this.noteChanged()
    for (const change of changes) await this.reportChange(change, undefined)
  }
}

/** A command that changes what undo can revert: with --confirm-within by itself. */
export abstract class EditCommand extends HostEditCommand {
  static override baseFlags = {
    ...HostEditCommand.baseFlags,
    ...flowsFlag,
    'confirm-within': Flags.custom<number>({parse: checked(readDuration('--confirm-within', {most: Infinity}))})({
      description: 'Roll the change back after this time (5m, 30s) unless it is confirmed with calicoctl confirm.',
      helpValue: 'TIME',
    }),
  }

  private armed: Promise<Armed> | undefined

  protected override read<F extends Values, B extends Values, A extends Values>(options: Interfaces.Input<F, B, A>, check?: (line: Interfaces.ParserOutput<F, B, A>) => void): Promise<Interfaces.ParserOutput<F, B, A>> {
    return super.read(options, (line) => {
      if (this.confirmWithin !== undefined && this.dryRun) this.problem('--confirm-within cannot be combined with --dry-run, which changes nothing')
      check?.(line)
    })
  }

  private get confirmWithin(): number | undefined {
    return (this.globals as {'confirm-within'?: number})['confirm-within']
  }

  protected override recording(lines: () => readonly EntryLine[] = () => []): Pick<SessionOptions, 'record' | 'prepare' | 'rehearse'> {
    const within = this.confirmWithin
    return {
      ...super.recording(lines),
      ...(within !== undefined && {
        prepare: async (cluster) => {
          for (const id of new Set([...lines().map((line) => line.id), ...(lines().length === 0 ? [this.id ?? ''] : [])])) await this.prepare(within, cluster ?? '', id)
        },
      }),
    }
  }

  private async prepare(within: number, cluster: string, id: string): Promise<void> {
    const {arm, refuseOnHost} = await import('../journal/confirm/arm.js')
    refuseOnHost(id)
    this.armed ??= this.arm(arm, within, cluster)
    await this.armed
  }

  private arm(arm: (options: ArmOptions) => Promise<Armed>, within: number, cluster: string): Promise<Armed> {
    const {datastore, config, 'expect-cluster': expect, timeout} = this.globals
    return this.offTheClock(async () => arm({entry: await this.journalEntry(), cluster, within, options: {datastore, config, 'expect-cluster': expect, timeout}}))
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    try {
      await super.finally(error)
    } finally {
      const armed = await this.armed?.catch(() => undefined) // it is the command's own failure
      if (armed) for (const line of await armed.end()) this.note(line)
    }
  }
}

function changeText({kind, name, action}: ResourceChange, {dryRun, detail}: {dryRun: boolean; detail: string | undefined}): string {
  const label = objectLabel(kind, name)
  if (action === 'unchanged') return `${label} unchanged`
  return `${label} ${dryRun ? 'would be ' : ''}${action}${detail === undefined ? '' : ` (${detail})`}`
}
