/** A batch: its lines one after another, what each printed and did, and how it ended. */
import type {ResourceChange} from '../../client/resources.js'
import {newSession, type Session, type Written} from '../../client/session.js'
import type {EntryLine} from '../../journal/entry.js'
import {quoteWord} from '../../batch/lines.js'
import {append} from '../../append.js'
import {truth} from '../signals.js'
import type {RenewableBudget} from './budget.js'
import {type ReadyLine, runLine, type Surroundings} from './line-run.js'

/** What became of a line. */
export interface LineResult {
  readonly line: number
  readonly words: readonly string[]
  /** Null: it was not run. */
  exitCode: number | null
  stdout: string
  stderr: string
  readonly changes: ResourceChange[]
}

export interface BatchOptions {
  /** How lines of the batch are called: FILE in `FILE:LINE`. */
  readonly file: string
  readonly keepGoing: boolean
  readonly dryRun: boolean
  readonly init: boolean
  /** Keeps what lines print for the document, instead of printing it. */
  readonly capture: boolean
  /** Writes to the journal what a line has written. */
  readonly record: (written: Written, line: EntryLine) => Promise<void>
}

/** The lines so far, for who is interrupted. */
export class Progress {
  readonly results: LineResult[]
  /** The line that is being run, and its session if it has one. */
  running: {readonly index: number; session: Session | undefined} | undefined

  /** The writes of all lines. */
  readonly logs: Pick<Session['writes'], 'done'>[] = []

  constructor(
    lines: readonly ReadyLine[],
    private readonly file: string,
  ) {
    this.results = lines.map(({line, words}) => ({line, words, exitCode: null, stdout: '', stderr: '', changes: []}))
  }

  count(which: 'done' | 'failed' | 'notRun'): number {
    return this.results.filter(({exitCode}) => (exitCode === null ? 'notRun' : exitCode === 0 ? 'done' : 'failed') === which).length
  }

  /** The exit code of the first line that failed; 0 if none did. */
  get exitCode(): number {
    return this.results.find(({exitCode}) => exitCode !== null && exitCode !== 0)?.exitCode ?? 0
  }

  /** What has become of the lines, when they are interrupted; without its full stop. */
  told(): string {
    const at = this.running === undefined ? undefined : this.results[this.running.index]
    const notRun = this.count('notRun') - (at?.exitCode !== null ? 0 : 1)
    return [
      `${doneText(this.results, this.file)}${this.failedText()}`,
      ...(at?.exitCode !== null ? [] : [`${this.file}:${at.line} (${lineText(at)}) was under way: ${this.running?.session ? truth(this.running.session.writes) : 'nothing was changed'}`]),
      ...(notRun === 0 ? [] : [`${linesText(notRun)} not tried`]),
    ].join('. ')
  }

  private failedText(): string {
    const failed = this.results.filter(({exitCode}) => exitCode !== null && exitCode !== 0)
    return failed.length === 0 ? '' : `, ${linesText(failed.length)} failed (${failed.slice(0, MOST_NAMED).map(({line}) => `${this.file}:${line}`).join(', ')}${failed.length > MOST_NAMED ? ', …' : ''})`
  }

  /** The last line of a batch in which something failed. */
  summary(): string {
    const notRun = this.count('notRun')
    const failed = this.results.filter(({exitCode}) => exitCode !== null && exitCode !== 0)
    const places = failed.slice(0, MOST_NAMED).map((result) => `${this.file}:${result.line} (${lineText(result)})`)
    const done = this.count('done')
    return `${linesText(done)} done; ${failed.length === 1 ? places.join('') : `${linesText(failed.length)} failed: ${places.join(', ')}${failed.length > MOST_NAMED ? ' …' : ''}`}${failed.length === 1 ? ' failed' : ''}; ${linesText(notRun)} not tried.`
  }
}

/** How many failed lines a message names. */
const MOST_NAMED = 10

const linesText = (count: number): string => (count === 1 ? '1 line was' : `${count} lines were`)

const lineText = ({words}: Pick<LineResult, 'words'>): string => words.map(quoteWord).join(' ')

function doneText(results: readonly LineResult[], file: string): string {
  const done = results.filter(({exitCode}) => exitCode === 0)
  const last = done.at(-1)
  return last === undefined ? 'No line was done' : `${linesText(done.length)} done, the last of them ${file}:${last.line}`
}

/** Puts PREFIX before each line of TEXT. */
export const prefixed = (prefix: string, text: string): string => text.replaceAll(/^(?!$)/gm, prefix)

/** Runs LINES in order on the store of SESSION, each with a transaction of its own. */
export async function runInOrder(lines: readonly ReadyLine[], session: Session, around: Surroundings & {budget: RenewableBudget}, options: BatchOptions, progress: Progress): Promise<void> {
  for (const [index, line] of lines.entries()) {
    const result = progress.results[index]
    if (result === undefined) return
    around.budget.renew()
    progress.running = {index, session: undefined}
    const {code} = await runLine(line, around, {
      dryRun: options.dryRun,
      stdout: (text, done) => {
        if (!options.capture) return void process.stdout.write(text, done)
        result.stdout += text
        done()
      },
      stderr: (text) => {
        if (options.capture) result.stderr += text
        else process.stderr.write(prefixed(`${options.file}:${line.line}: `, text))
      },
      session: ({dryRun = false, init = false, warn}) => {
        const record = (written: Written): Promise<void> => options.record(written, {line: line.line, id: line.meaning.type === 'command' ? line.meaning.id : '', words: line.words})
        const own = newSession(session.store, {dryRun, init: init || options.init, expectCluster: session.expectCluster, record, warn})
        if (progress.running) progress.running.session = own
        progress.logs.push(own.writes)
        return Promise.resolve(own)
      },
      changed: (changes) => {
        if (progress.running?.session?.dryRun !== true) append(result.changes, changes)
      },
    })
    result.exitCode = code
    if (code !== 0 && !options.keepGoing) return
  }
}

/** The document of a batch: `BatchResult`. */
export function batchResult(progress: Progress): object {
  return {
    apiVersion: 'calicoctl/v1',
    kind: 'BatchResult',
    lines: progress.results.map(({line, words, exitCode, stdout, stderr, changes}) => ({
      line,
      argv: words,
      exitCode,
      stdout,
      stderr,
      changes: changes.filter(({action}) => action !== 'unchanged').map(({kind, name, action, before, after}) => ({kind, name, change: action === 'updated' ? 'changed' : action, before: before ?? null, after: after ?? null})),
    })),
    done: progress.count('done'),
    failed: progress.count('failed'),
    notRun: progress.count('notRun'),
  }
}
