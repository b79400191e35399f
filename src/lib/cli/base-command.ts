import {existsSync} from 'node:fs'
import {Command, Flags, type Interfaces} from '@oclif/core'
import {newSession, type Recorder, type Session, type SessionOptions, type Written} from '../client/session.js'
import {createBudget, type Budget} from '../datastore/budget.js'
import type {Datastore} from '../datastore/datastore.js'
import {openDatastore} from '../datastore/open.js'
import {CalicoError} from '../errors.js'
import {resolveSettings} from '../settings/settings.js'
import {waitingFolder} from '../settings/state-folder.js'
import {settingsInputs} from '../settings/inputs.js'
import type {Settings} from '../settings/types.js'
import {hasColours, painted, paintHeads, type Stream} from './colour.js'
import {readDuration} from './duration.js'
import type {EntryLine, JournalEntry} from '../journal/entry.js'
import type {FlowLine, FlowsReport} from './flows.js'
import {OutputError, watchWrites} from './made.js'
import {escapeText} from '../printable.js'
import type {OutputFormat, Presentation} from './output/presentation.js'
import {currentInvocation} from './invocation.js'
import {watchSignals} from './signals.js'
import {Out} from './out.js'

/** How long the datastore has to say why there is no answer, after the time of --timeout. */
const REASON_MS = 400

/** The budget for the datastore when no --timeout is given (decisions.md 15). */
const DEFAULT_TIMEOUT_MS = 10_000

/** Flags or arguments by name, as oclif's types have them. */
type Values = Record<string, unknown>

/** oclif gives the parsers of flags a copy of the command's own properties, so that `problem` is one of those. */
const collectsProblems = (context: unknown): context is Pick<BaseCommand, 'problem'> =>
  typeof (context as {problem?: unknown} | undefined)?.problem === 'function'

/**
 * A parser for an argument or flag from READ, a pure function that throws CalicoError for a wrong value. The problem is kept, so that all
 * problems of a line are reported together.
 */
export function checked<T>(read: (text: string) => T): (text: string, context: unknown) => Promise<T> {
  return (text, context) => {
    try {
      return Promise.resolve(read(text))
    } catch (error) {
      if (!(error instanceof CalicoError) || !collectsProblems(context)) throw error
      context.problem(error.message, error.hint)
      return Promise.resolve(text as T) // never used: read() throws once parsing is over
    }
  }
}

/** LINES ended, and with a line feed nowhere else: names and messages from elsewhere must not look like lines of ours. */
const linesText = (lines: string | readonly string[]): string => (typeof lines === 'string' ? [lines] : lines).map((line) => `${escapeText(line)}\n`).join('')

/** As ERROR, which came when a part of the output was written already. */
function incomplete({kind, message, details, hint, cause}: CalicoError): CalicoError {
  return new CalicoError(kind, message, {details: [...details, 'The output is incomplete.'], ...(hint !== undefined && {hint}), cause})
}

/** Of commands that change what decides about flows. */
export const flowsFlag = {flows: Flags.boolean({description: 'Print which groups of endpoints gain or lose which flows because of the change.'})}

/** What every command has: the global options, the datastore, and the two streams. */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    datastore: Flags.string({
      description: 'The datastore: etcd (endpoints from the environment or the configuration file), a list of etcd URLs, or embedded[:PATH], a file for trying the tool.',
      helpGroup: 'GLOBAL',
      helpValue: 'STORE',
    }),
    config: Flags.string({description: 'The configuration file. Default: ~/.config/calicoctl/calicoctl.cfg if it names a datastore, else /etc/calico/calicoctl.cfg.', helpGroup: 'GLOBAL', helpValue: 'PATH'}),
    'expect-cluster': Flags.string({description: 'Fail unless the datastore belongs to the cluster with this GUID.', helpGroup: 'GLOBAL', helpValue: 'GUID'}),
    timeout: Flags.custom<number>({parse: checked(readDuration('--timeout'))})({
      description: 'Total time to wait for the datastore (2s, 500ms, 1m). Default: 10s.',
      helpGroup: 'GLOBAL',
      helpValue: 'TIME',
    }),
    quiet: Flags.boolean({char: 'q', description: 'Print nothing on success; suppress notes and warnings.', helpGroup: 'GLOBAL'}),
    'no-color': Flags.boolean({description: 'No colours.', helpGroup: 'GLOBAL'}),
    'no-input': Flags.boolean({description: 'Never prompt; fail if input is required.', helpGroup: 'GLOBAL'}),
    debug: Flags.boolean({description: 'Print details of errors, with stack traces.', helpGroup: 'GLOBAL'}),
  }

  /** The global options, as soon as the line has been read. */
  protected globals: Partial<Interfaces.InferredFlags<typeof BaseCommand.baseFlags>> = {}
  private readonly problems: {text: string; hint: string | undefined}[] = []
  private opened: Session | undefined
  private budget: Budget | undefined
  protected readonly invocation = currentInvocation()
  private entry: JournalEntry | undefined
  private code = 0
  private readonly out = new Out()

  /** Notes a wrong value; {@link read} reports all of them together. HINT is printed where it is the only one. */
  readonly problem = (text: string, hint?: string): void => {
    this.problems.push({text, hint})
  }

  /**
   * Reads the command line. CHECK may note further problems with what was read.
   * @throws CalicoError `invalid` with every problem of the line.
   */
  protected async read<F extends Values, B extends Values, A extends Values>(
    options: Interfaces.Input<F, B, A>,
    check?: (line: Interfaces.ParserOutput<F, B, A>) => void,
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const {line: ofBatch} = this.invocation
    const line = (ofBatch?.reading?.result as Interfaces.ParserOutput<F, B, A> | undefined) ?? (await this.parse(options))
    if (ofBatch?.reading) ofBatch.reading.result = line
    this.parsed = true // oclif warns in development where no one has parsed
    this.globals = line.flags
    for (const name of ofBatch?.refused ?? []) {
      if ((line.flags as Values)[name] !== undefined) this.problem(`Give --${name} to batch itself, not to one of its lines`)
    }
    if (ofBatch && (line.flags as Values).watch === true) this.problem('--watch runs until it is stopped, and cannot be used in a batch')
    check?.(line)
    this.refuseProblems()
    ofBatch?.read()
    return line
  }

  private refuseProblems(): void {
    const [first, ...more] = this.problems
    if (first === undefined) return
    if (more.length === 0) throw new CalicoError('invalid', first.text, first.hint === undefined ? {} : {hint: first.hint})
    throw new CalicoError('invalid', `${this.problems.length} problems in the command line:`, {details: this.problems.map(({text}) => text)})
  }

  /** Whether the user's own configuration file counts. */
  protected readonly readsOwnConfig: boolean = true

  /** The effective settings, with the origin of each. */
  protected settings(): Promise<Settings> {
    if (this.invocation.line) return Promise.resolve(this.invocation.line.settings)
    return resolveSettings(settingsInputs({
      datastore: this.globals.datastore,
      config: this.globals.config,
      expectCluster: this.globals['expect-cluster'],
    }, {ownConfig: this.readsOwnConfig}))
  }

  /** The session with the datastore that the settings name; opened at the first call. */
  protected async session(): Promise<Session> {
    if (this.opened) return this.opened
    const {line} = this.invocation
    const says: Pick<Session, 'warn' | 'announce'> = {
      warn: (message) => this.note(`Warning: ${message}`),
      announce: (message) => {
        this.invocation.stderr(paintHeads(linesText(`Warning: ${message}`)))
      },
    }
    if (line) {
      line.act()
      this.budget = line.budget
      return (this.opened = await line.session({...this.sessionOptions(), ...says}))
    }
    const settings = await this.settings()
    this.budget = createBudget({budgetMs: this.globals.timeout ?? DEFAULT_TIMEOUT_MS, perRequest: this.sessionOptions().perRequest ?? false})
    const store = await this.openStore(settings, this.budget)
    this.opened = newSession(store, {
      ...this.sessionOptions(),
      expectCluster: settings.expectCluster?.value,
      ...this.recording(),
      ...says,
    })
    settings.warnings.forEach(this.opened.warn)
    watchSignals(this.opened)
    watchWrites(this.opened.writes)
    await this.reportOverdue()
    return this.opened
  }

  /** The datastore that SETTINGS name. On a terminal, the user is informed once what a slow command waits for. */
  protected openStore(settings: Settings, budget: Budget): Promise<Datastore> {
    return openDatastore(settings, budget, {
      onSlow: (where) => {
        if (process.stderr.isTTY) this.note(`Connecting to etcd at ${where} …`)
      },
    })
  }

  /** Whether the datastore was written, as far as is known. */
  protected get hasWritten(): boolean {
    return (this.opened?.writes.done.length ?? 0) > 0
  }

  /** What a session of this command, or of those lines of a batch that LINES gives when something is written, has of the journal. */
  protected recording(lines: () => readonly EntryLine[] = () => []): Pick<SessionOptions, 'record' | 'prepare' | 'rehearse'> {
    if (!this.wantsFlows) return {record: (written) => this.record(written, lines())}
    return {
      record: async (written) => {
        const settle = await this.record(written, lines())
        return async (outcome) => {
          if (outcome !== 'not made') this.made.push(written)
          await settle(outcome)
        }
      },
      rehearse: (written) => void this.rehearsed.push(written),
    }
  }

  /** With --flows: what was written, and what would have been. */
  private readonly made: Written[] = []
  private readonly rehearsed: Written[] = []
  private flows: Promise<FlowsReport> | undefined
  private flowsReported = false

  private get wantsFlows(): boolean {
    return (this.globals as {flows?: boolean}).flows === true
  }

  /** stdout is a document or a list of names. */
  private get hasFormat(): boolean {
    return !['table', undefined].includes((this.globals as {output?: string}).output)
  }

  private async flowsReport(session?: Session): Promise<FlowsReport> {
    const {reportFlows} = await import('./flows.js')
    const dry = this.made.length === 0
    return (this.flows ??= reportFlows(session ?? (await this.session()), dry ? this.rehearsed : this.made, dry))
  }

  /** For a JSON document: what the change has done to flows, where --flows asks for it; nothing more is reported then. */
  protected async flowsJson(session?: Session): Promise<{flows?: readonly FlowLine[]}> {
    if (!this.wantsFlows) return {}
    const {json, warnings} = await this.flowsReport(session)
    for (const warning of warnings) this.note(`Warning: ${warning}`)
    this.flowsReported = true
    return {flows: json}
  }

  /** Where --flows asks for it and it was not reported yet: what the change has done to flows, on stdout, or ASIDE on stderr. */
  protected async reportFlows({session, aside = false}: {session?: Session; aside?: boolean} = {}): Promise<void> {
    if (!this.wantsFlows || this.flowsReported) return
    this.flowsReported = true
    const {text, warnings} = await this.flowsReport(session)
    if (aside) this.note(text)
    else this.data(text)
    for (const warning of warnings) this.note(`Warning: ${warning}`)
  }

  /** Whether it tells of changes that were not confirmed in time. */
  protected readonly looksForOverdue: boolean = true

  /** Tells of changes that were not confirmed in time and not rolled back. The folder is there only while one waits. */
  protected async reportOverdue(): Promise<void> {
    if (!this.looksForOverdue || !existsSync(waitingFolder(process.env))) return
    const {reportOverdue} = await import('../journal/confirm/overdue.js')
    await reportOverdue(process.env, {note: (lines) => this.note(lines), ask: (question) => this.confirm(question)})
  }

  /** Writes WRITTEN, which is about to be sent, to the journal; LINES make it, if this command is a batch. */
  private async record(written: Written, lines: readonly EntryLine[]): ReturnType<Recorder> {
    return (await this.journalEntry()).add(written, lines)
  }

  /** This command's entry in the journal, which is loaded at the first change. */
  protected async journalEntry(): Promise<JournalEntry> {
    const {newEntry} = await import('../journal/entry.js')
    if (this.entry === undefined) {
      const entry = newEntry({...this.recordedAs(), warn: (message) => this.note(`Warning: ${message}`)})
      this.entry = entry
      // An interrupted command ends the process by itself.
      process.once('exit', (code) => entry.end(code))
    }
    return this.entry
  }

  /** The command as the journal has it. */
  protected recordedAs(): {id: string; words: readonly string[]} {
    return {id: this.id ?? '', words: process.argv.slice(2)}
  }

  /** What a changing command adds to its session; PERREQUEST, for --watch: the time for the datastore is each request's. */
  protected sessionOptions(): {dryRun?: boolean; init?: boolean; perRequest?: boolean} {
    return {}
  }

  /** Whether someone sits at a terminal; never for a line of a batch. */
  protected get onTerminal(): boolean {
    return this.invocation.line === undefined && process.stdin.isTTY && process.stderr.isTTY
  }

  /** Whether there is someone to ask: on a terminal, unless --no-input. */
  protected get asks(): boolean {
    return !this.globals['no-input'] && this.onTerminal
  }

  /** All of stdin as text, of LARGEST bytes at most; ABOUT says on a terminal what is read. @throws CalicoError `invalid` if it is not text, too long, or a terminal with --no-input */
  protected async stdinText(about: string, largest?: number): Promise<string> {
    const {line} = this.invocation
    if (line) return line.stdin()
    if (process.stdin.isTTY && this.globals['no-input']) throw new CalicoError('invalid', `stdin is a terminal: give the ${about} with "< FILE" or through a pipe`)
    if (process.stdin.isTTY) this.note(`Reading the ${about} from the terminal; end with Ctrl-D.`)
    const {readStdin} = await import('./stdin.js')
    return readStdin(largest)
  }

  /** The exit code of this command, if it does not fail, is CODE; the first one that is given. */
  protected exitWith(code: number): void {
    if (this.code !== 0) return
    this.code = code
    this.invocation.exitCode(code)
  }

  /** Asks the user QUESTION, to be answered with yes or no; false where no one can be asked. The time for it is not the datastore's. */
  protected async confirm(question: string | readonly string[]): Promise<boolean> {
    if (!this.asks) return false
    const {askYesNo} = await import('./ask.js')
    return this.offTheClock(() => askYesNo(question))
  }

  /** Does WORK, whose time is not the datastore's. */
  protected offTheClock<T>(work: () => Promise<T>): Promise<T> {
    return this.budget ? this.budget.exclude(work) : work()
  }

  /**
   * PIECES of output as they are made, until the time that the user has given the command with --timeout is up. (The default is only the datastore's.)
   * @throws CalicoError `unreachable` then
   */
  private async *withinTimeout(pieces: AsyncIterable<string>): AsyncGenerator<string> {
    const {budget} = this
    if (!budget || this.globals.timeout === undefined || this.sessionOptions().perRequest) {
      yield* pieces
      return
    }
    const iterator = pieces[Symbol.asyncIterator]()
    for (;;) {
      let timer: NodeJS.Timeout | undefined
      const next = iterator.next()
      const after = (time: number) => new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), time)))
      const within = (time: number) => Promise.race([next, after(time)]).finally(() => clearTimeout(timer))
      const step = await within(budget.remaining())
      // Where there was no answer at all, the first request ends now, too, and its error says more.
      const last = step ?? (budget.answered ? undefined : await within(REASON_MS))
      if (last?.done === true) return
      if (step === undefined) throw new CalicoError('unreachable', `The time given with --timeout (${budget.total / 1000} s) expired before everything was shown`, {hint: 'Use a larger --timeout, or request less.'})
      yield step.value
    }
  }

  /** Lines that say what was done, on STREAM: green where that shows colours. */
  protected doneText(lines: string | readonly string[], stream: Stream): void {
    const plain = linesText(lines)
    const text = hasColours(stream) ? plain.replaceAll(/^.+$/gm, (line) => painted(line, 'green')) : plain
    if (stream === 'stderr') {
      this.stderrText(text)
      return
    }
    this.invocation.line?.act()
    this.out.add(text)
  }

  /** A line of data, or several: stdout. */
  protected data(lines: string | readonly string[]): void {
    this.invocation.line?.act()
    this.out.add(linesText(lines))
  }

  /** Text that is complete and escaped already: stdout. */
  protected dataText(text: string): Promise<void> {
    this.invocation.line?.act()
    return this.out.write(text)
  }

  /** Writes PRESENTATION to stdout in FORMAT. */
  protected async presentAs<Row>(presentation: Presentation<Row>, format: OutputFormat): Promise<void> {
    const {render} = await import('./output/render.js')
    let after: readonly string[] = []
    const screen = {width: this.invocation.width, warn: (warning: string) => this.note(`Warning: ${warning}`), leftOut: (lines: readonly string[]) => void (after = lines)}
    let begun = false
    try {
      for await (const text of this.withinTimeout(render(presentation, format, screen))) {
        begun = true
        await this.dataText(text)
      }
    } catch (error) {
      throw begun && error instanceof CalicoError && !(error instanceof OutputError) ? incomplete(error) : error
    }
    if (after.length === 0) return
    await this.flush() // they are the last lines on the terminal
    this.note(after)
  }

  /** Writes what was kept back of stdout. */
  protected flush(): Promise<void> {
    return this.out.flush()
  }

  /** Whether --quiet stands on the line, or on the batch. */
  protected get isQuiet(): boolean {
    return this.globals.quiet === true || this.invocation.line?.quiet === true
  }

  /** A line for people, or several: stderr, unless --quiet. */
  protected note(lines: string | readonly string[]): void {
    this.stderrText(linesText(lines))
  }

  /** Text for people that is complete and escaped already: stderr, unless --quiet. */
  protected stderrText(text: string): void {
    if (!this.isQuiet) this.invocation.stderr(paintHeads(text))
  }

  /** oclif looks through all commands for that, each time; none of ours is deprecated in its sense, and no option. */
  protected override warnIfCommandDeprecated(): void {
    return
  }

  protected override warnIfFlagDeprecated(): void {
    return
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    try {
      if (error === undefined) await this.reportFlows({aside: this.hasFormat})
      await this.out.flush()
    } catch (failure) {
      if (error === undefined) throw failure
      // What went wrong before decides the exit code; the user must know that output is missing, too.
      if (failure instanceof OutputError && !(error instanceof OutputError)) this.note(`Warning: ${failure.message}.`)
    } finally {
      this.entry?.end(error === undefined ? this.code : error instanceof CalicoError ? error.exitCode : 1)
      if (!this.invocation.line) this.opened?.store.close()
      await super.finally(error)
    }
  }

  /** Errors go to main(), which prints them and knows the exit codes. */
  protected override catch(error: Error): Promise<never> {
    return Promise.reject(error)
  }
}
