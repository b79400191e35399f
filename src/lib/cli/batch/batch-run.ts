/** A batch: its lines one after another, what each printed and did, and how it ended. */
import {addWritten, initialisationIn, type KeyEdit, netEdits, objectChange} from '../../batch/changes.js'
import {quoteWord} from '../../batch/lines.js'
import {seeing} from '../../client/last-seen.js'
import {newSession, type Session, type SessionOptions} from '../../client/session.js'
import type {Datastore} from '../../datastore/datastore.js'
import {CompactedError} from '../../datastore/errors.js'
import type {OwnContent} from '../../documents/own.js'
import type {EntryLine} from '../../journal/entry.js'
import {truth} from '../signals.js'
import type {RenewableBudget} from './budget.js'
import {currentInvocation} from '../invocation.js'
import {ownDocument} from '../output/presentation.js'
import {type ReadyLine, runLine, type Surroundings} from './line-run.js'

/** What a line printed at one time. */
export interface Piece {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** What became of a line. */
export interface LineResult {
  readonly line: number
  readonly words: readonly string[]
  /** Null: it was not run, or what it did was not written. */
  exitCode: number | null
  /** What it printed, as far as that was kept. */
  printed: Piece[]
  /** What it wrote, by key. */
  written: Map<string, KeyEdit>
}

export interface RunOptions {
  readonly keepGoing: boolean
  /** The lines are only rehearsed: STORE is a stage that no one commits. */
  readonly dryRun: boolean
  readonly init: boolean
  readonly expectCluster: string | undefined
  /** What the session of a line has of the journal. */
  readonly recording?: ((line: EntryLine) => Pick<SessionOptions, 'record' | 'prepare'>) | undefined
  /** Prints what a line prints; undefined: it is kept in its result. */
  readonly print: ((result: LineResult, piece: Piece, done: (error?: NodeJS.ErrnoException | null) => void) => void) | undefined
}

/** The lines so far, for who is interrupted. */
export class Progress {
  readonly results: readonly LineResult[]
  /** The line that is being run, and its session if it has one. */
  running: {readonly index: number; session: Session | undefined} | undefined

  /** The writes of all lines. */
  readonly logs: Pick<Session['writes'], 'done'>[] = []

  constructor(
    lines: readonly Pick<ReadyLine, 'line' | 'words'>[],
    private readonly file: string,
  ) {
    this.results = lines.map(({line, words}) => ({line, words, exitCode: null, printed: [], written: new Map()}))
  }

  /** Nothing of what the lines did was written: they count as not run, but for one that failed. */
  takeBack(): void {
    for (const result of this.results) {
      if (result.exitCode !== null && result.exitCode !== 0) continue
      Object.assign(result, {exitCode: null, printed: []})
    }
    for (const {written} of this.results) written.clear()
    this.running = undefined
  }

  /** As before the first line. */
  reset(): void {
    for (const result of this.results) result.exitCode = null
    this.takeBack()
  }

  count(which: 'done' | 'failed' | 'notRun'): number {
    return this.results.filter(({exitCode}) => (exitCode === null ? 'notRun' : exitCode === 0 ? 'done' : 'failed') === which).length
  }

  /** The exit code of the first line that failed; 0 if none did. */
  get exitCode(): number {
    return this.failed[0]?.exitCode ?? 0
  }

  private get failed(): readonly LineResult[] {
    return this.results.filter(({exitCode}) => exitCode !== null && exitCode !== 0)
  }

  /** What has become of the lines, when they are interrupted; without its full stop. */
  progressText(): string {
    const at = this.running === undefined ? undefined : this.results[this.running.index]
    const notRun = this.count('notRun') - (at?.exitCode !== null ? 0 : 1)
    return [
      `${doneText(this.results, this.file)}${this.failedText()}`,
      ...(at?.exitCode !== null ? [] : [`${this.file}:${at.line} (${lineText(at)}) was in progress: ${this.runningText()}`]),
      ...(notRun === 0 ? [] : [`${linesText(notRun)} not tried`]),
    ].join('. ')
  }

  /** The line that is being run ends with CODE, that of an interrupted command, which says what became of its write. */
  interrupt(code: number): void {
    const at = this.running && this.results[this.running.index]
    if (at?.exitCode !== null) return
    at.printed.push({stream: 'stderr', text: `Interrupted: ${this.runningText()}.\n`})
    at.exitCode = code
  }

  private runningText(): string {
    return this.running?.session ? truth(this.running.session.writes) : 'nothing was changed'
  }

  private failedText(): string {
    const {failed} = this
    return failed.length === 0 ? '' : `, ${countText(failed.length)} failed (${failed.slice(0, MOST_NAMED).map(({line}) => `${this.file}:${line}`).join(', ')}${failed.length > MOST_NAMED ? ', …' : ''})`
  }

  /** The last line of a batch in which something failed; ATOMIC: the whole was not done. */
  summary({atomic}: {atomic: boolean}): string {
    const {failed} = this
    const places = failed.slice(0, MOST_NAMED).map((result) => `${this.file}:${result.line} (${lineText(result)})`)
    if (atomic) return `${places.join(', ')} failed; nothing was changed by the ${countText(this.results.length)}.`
    return `${linesText(this.count('done'))} done; ${failed.length === 1 ? `${places.join('')} failed` : `${countText(failed.length)} failed: ${places.join(', ')}${failed.length > MOST_NAMED ? ', …' : ''}`}; ${linesText(this.count('notRun'))} not tried.`
  }
}

/** How many failed lines a message names. */
const MOST_NAMED = 10

const countText = (count: number): string => (count === 1 ? '1 line' : `${count} lines`)

const linesText = (count: number): string => `${countText(count)} ${count === 1 ? 'was' : 'were'}`

const lineText = ({words}: Pick<LineResult, 'words'>): string => words.map(quoteWord).join(' ')

function doneText(results: readonly LineResult[], file: string): string {
  const done = results.filter(({exitCode}) => exitCode === 0)
  const last = done.at(-1)
  return last === undefined ? 'No line was done' : `${linesText(done.length)} done, the last of them ${file}:${last.line}`
}

/** Puts PREFIX before each line of TEXT. */
export const prefixed = (prefix: string, text: string): string => text.replaceAll(/^(?!$)/gm, prefix)

/**
 * Runs LINES in order on STORE, each with transactions of its own, until one fails or, with KEEPGOING, to the end.
 * @throws CompactedError if STORE is a stage whose base has forgotten the revision that it reads
 */
export async function runInOrder(lines: readonly ReadyLine[], store: Datastore, around: Surroundings & {budget: RenewableBudget}, options: RunOptions, progress: Progress): Promise<void> {
  // A stage knows what it has read.
  const {store: shared, recall} = store.restOn ? {store: unclosed(store), recall: undefined} : seeing(unclosed(store))
  for (const [index, line] of lines.entries()) {
    const result = progress.results[index]
    if (result === undefined) return
    around.budget.renew()
    progress.running = {index, session: undefined}
    const print = (piece: Piece, done: (error?: NodeJS.ErrnoException | null) => void = () => undefined): void => {
      if (options.print) {
        options.print(result, piece, done)
        return
      }
      result.printed.push(piece)
      done()
    }
    const {code, error} = await runLine(line, around, {
      dryRun: options.dryRun,
      width: options.print && currentInvocation().width,
      stdout: (text, done) => {
        print({stream: 'stdout', text}, done)
      },
      stderr: (text) => {
        print({stream: 'stderr', text})
      },
      session: ({dryRun = false, init = false, warn, announce}) => {
        const recording = options.recording?.({line: line.line, id: line.meaning.type === 'command' ? line.meaning.id : '', words: line.words})
        const own = newSession(shared, {
          // On a stage it writes as ever; what acts on the host must not.
          dryRun: dryRun || (options.dryRun && line.place === 'host'),
          init: init || options.init,
          expectCluster: options.expectCluster,
          record: async (written) => {
            const settle = await recording?.record?.(written)
            return async (outcome) => {
              if (typeof outcome === 'bigint') addWritten(result.written, written)
              await settle?.(outcome)
            }
          },
          prepare: recording?.prepare,
          recall,
          warn,
          ...(announce && {announce}),
        })
        if (progress.running) progress.running.session = own
        progress.logs.push(own.writes)
        return Promise.resolve(own)
      },
    })
    if (error instanceof CompactedError && store.restOn) throw error
    result.exitCode = code
    if (code !== 0 && !options.keepGoing) return
  }
}

/** STORE, which a line cannot close: the next one needs it. */
const unclosed = (store: Datastore): Datastore => Object.create(store, {close: {value: () => undefined}}) as Datastore

/** The document of a batch: `BatchResult`. DRYRUN: the net effect of all lines, which were only rehearsed. */
export function batchResult(progress: Progress, dryRun: readonly KeyEdit[] | undefined, flows: Pick<OwnContent<'BatchResult'>, 'flows'>): object {
  return ownDocument('BatchResult', {
    ...(dryRun && {dryRun: true}),
    lines: progress.results.map(({line, words, exitCode, printed, written}) => ({
      line,
      argv: words,
      exitCode,
      stdout: textOf(printed, 'stdout'),
      stderr: textOf(printed, 'stderr'),
      changes: changesOf(written.values()),
    })),
    ...(dryRun && {changes: changesOf(dryRun)}),
    ...flows,
    done: progress.count('done'),
    failed: progress.count('failed'),
    notRun: progress.count('notRun'),
  })
}

/** EDITS with those that initialised the store last: no one has asked for them. */
function inOrder(edits: readonly KeyEdit[]): readonly KeyEdit[] {
  const initialisation = initialisationIn(edits)
  return initialisation.size === 0 ? edits : [...edits.filter(({key}) => !initialisation.has(key)), ...edits.filter(({key}) => initialisation.has(key))]
}

const textOf = (printed: readonly Piece[], stream: Piece['stream']): string => printed.filter((piece) => piece.stream === stream).map(({text}) => text).join('')

const changesOf = (edits: Iterable<KeyEdit>): OwnContent<'BatchResult'>['lines'][number]['changes'] =>
  inOrder(netEdits(edits)).map(objectChange).map(({kind, name, namespace, change, before, after}) => ({kind, ...(namespace !== undefined && {namespace}), name, change, before: before ?? null, after: after ?? null}))
