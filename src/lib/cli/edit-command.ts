import {Flags} from '@oclif/core'
import type {ResourceChange} from '../client/resources.js'
import {objectLabel} from '../client/resources.js'
import {isError} from '../errors.js'
import {BaseCommand} from './base-command.js'

/** A command that changes something: --dry-run, --init, and what it says about each change. */
export abstract class EditCommand extends BaseCommand {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    'dry-run': Flags.boolean({description: 'Check everything and print what would change; write nothing.'}),
    init: Flags.boolean({description: 'Initialise the datastore although it holds keys that are not Calico\'s.'}),
  }

  protected get dryRun(): boolean {
    return this.flag('dry-run') || this.invocation.line?.dryRun === true
  }

  protected override sessionOptions(): {dryRun: boolean; init: boolean} {
    return {dryRun: this.flag('dry-run'), init: this.flag('init')}
  }

  private flag(name: 'dry-run' | 'init'): boolean {
    return (this.globals as Partial<Record<string, unknown>>)[name] === true
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
      const question = [error.message, ...error.details.map((line) => `  ${line}`), `Do it all the same (${error.override})?`]
      if (!(await this.confirm(question))) throw error
      return insist()
    }
  }

  /**
   * Tells what became of CHANGES: in a dry run the differences on stdout, else DONE, v0.20's line, on stdout, and what changed on stderr.
   * DETAIL says more about a change, e.g. `inbound rule 3 added`.
   */
  protected async tell(
    changes: readonly ResourceChange[],
    {done, detail}: {done?: string | readonly string[] | undefined; detail?: string | ((change: ResourceChange) => string | undefined) | undefined} = {},
  ): Promise<void> {
    if (this.dryRun) {
      const {diffText} = await import('./output/diff.js')
      for (const change of changes) if (change.action !== 'unchanged') await this.dataText(await diffText(change))
    } else if (done !== undefined) this.data(done)
    for (const change of changes) this.note(changeText(change, {dryRun: this.dryRun, detail: typeof detail === 'function' ? detail(change) : detail}))
  }

  /** Says what became of CHANGES on stderr alone, a line each. */
  protected tellNotes(changes: readonly ResourceChange[]): void {
    for (const change of changes) this.note(changeText(change, {dryRun: this.dryRun, detail: undefined}))
  }
}

function changeText({kind, name, action}: ResourceChange, {dryRun, detail}: {dryRun: boolean; detail: string | undefined}): string {
  const label = objectLabel(kind, name)
  if (action === 'unchanged') return `${label} unchanged`
  return `${label} ${dryRun ? 'would be ' : ''}${action}${detail === undefined ? '' : ` (${detail})`}`
}
