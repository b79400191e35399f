import {Flags, type Interfaces} from '@oclif/core'
import type {ResourceChange} from '../client/resources.js'
import {objectLabel} from '../client/resources.js'
import {isError} from '../errors.js'
import {BaseCommand, checked, readDuration} from './base-command.js'
import type {SessionOptions} from '../client/session.js'
import type {Armed, ArmOptions} from '../journal/confirm/arm.js'
import type {EntryLine} from '../journal/entry.js'

/** Flags or arguments by name, as oclif's types have them. */
type Values = Record<string, unknown>

/** A command that changes something: --dry-run, --init, and what it says about each change. Undo does not take back all that it changes. */
export abstract class HostEditCommand extends BaseCommand {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    'dry-run': Flags.boolean({description: 'Check everything and print what would change; write nothing.'}),
    init: Flags.boolean({description: 'Initialise the datastore for Calico even if other keys exist under /calico/.'}),
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
      const question = [error.message, ...error.details.map((line) => `  ${line}`), `Continue anyway (${error.override})?`]
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

/** A command that changes what undo can take back: with --confirm-within by itself. */
export abstract class EditCommand extends HostEditCommand {
  static override baseFlags = {
    ...HostEditCommand.baseFlags,
    'confirm-within': Flags.custom<number>({parse: checked(readDuration('--confirm-within'))})({
      description: 'Roll the change back after this time (5m, 30s) unless it is confirmed with calicoctl confirm.',
      helpValue: 'TIME',
    }),
  }

  private armed: Promise<Armed> | undefined

  protected override read<F extends Values, B extends Values, A extends Values>(options: Interfaces.Input<F, B, A>, check?: (line: Interfaces.ParserOutput<F, B, A>) => void): Promise<Interfaces.ParserOutput<F, B, A>> {
    return super.read(options, (line) => {
      if (this.confirmWithin !== undefined && this.dryRun) this.problem('--confirm-within does not go with --dry-run, which changes nothing')
      check?.(line)
    })
  }

  private get confirmWithin(): number | undefined {
    return (this.globals as {'confirm-within'?: number})['confirm-within']
  }

  protected override recording(line?: EntryLine): Pick<SessionOptions, 'record' | 'prepare'> {
    const within = this.confirmWithin
    return {...super.recording(line), ...(within !== undefined && {prepare: async (cluster) => this.prepare(within, cluster ?? '', line?.id ?? this.id ?? '')})}
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
