/** What `batch` does with the lines that it has read. */
import {initialisationIn, type KeyEdit, netEdits, type ObjectChange, objectChange} from '../../batch/changes.js'
import type {BatchLine, LineProblem} from '../../batch/lines.js'
import {newSession, type Session} from '../../client/session.js'
import {EXIT_CODES} from '../../errors.js'
import type {EntryLine} from '../../journal/entry.js'
import {EditCommand} from '../edit-command.js'
import {watchWrites} from '../made.js'
import {watchSignals} from '../signals.js'
import {resourceKey} from '../../model/keys.js'
import {convertName} from '../../model/names.js'
import {escapeText} from '../../printable.js'
import {batchResult, type LineResult, prefixed, Progress, type RunOptions, runInOrder} from './batch-run.js'
import {lineBudget, type RenewableBudget} from './budget.js'
import {checkLine, type ReadyLine, readWords, type Surroundings} from './line-run.js'
import {readBatchFile} from './source.js'

const DEFAULT_TIMEOUT_MS = 10_000

/** What the line of `batch` itself says. */
interface BatchFlags {
  readonly file: string
  readonly atomic: boolean
  readonly keepGoing: boolean
  readonly json: boolean
}

type Around = Surroundings & {readonly budget: RenewableBudget}

/** A line that is wrong, and what is to be printed about it. */
interface WrongLine {
  readonly line: number
  readonly words: readonly string[]
  readonly text: string
}

export abstract class BatchCommand extends EditCommand {
  /** The text of FILE, undefined or `-` being stdin, and what it is called in messages. */
  protected async source(file: string | undefined): Promise<{file: string; text: string}> {
    if (file !== undefined && file !== '-') return {file: escapeText(file), text: readBatchFile(file)}
    this.fromStdin = true
    return {file: 'stdin', text: await this.stdinText('command lines')}
  }

  private fromStdin = false

  /** How a dry run shows CHANGE. */
  protected abstract difference(change: ObjectChange): Promise<string>

  /** Checks all LINES, then runs them. */
  protected async runBatch({lines, problems}: {lines: readonly BatchLine[]; problems: readonly LineProblem[]}, flags: BatchFlags): Promise<void> {
    const around = await this.surroundings(flags)
    const {ready, wrong} = await this.check(lines, problems, around)
    if (wrong.length > 0) return this.refuse(ready, wrong, flags)
    if (ready.length === 0) this.note('The batch has no lines; nothing was done.')
    const progress = new Progress(ready, flags.file)
    const session = newSession(await this.openStore(around.settings, around.budget), {
      dryRun: this.dryRun,
      init: this.sessionOptions().init,
      expectCluster: around.settings.expectCluster?.value,
      ...this.recording(() => (around.staged ? writing(ready, progress) : [])),
      warn: (message) => this.note(`Warning: ${message}`),
      announce: (message) => void process.stderr.write(`Warning: ${escapeText(message)}\n`),
    })
    around.settings.warnings.forEach(session.warn)
    await this.reportOverdue()
    try {
      if (around.staged) await this.runStaged(ready, session, around, flags, progress)
      else await this.runEach(ready, session, around, flags, progress)
      await this.reportFlows({session})
    } finally {
      session.store.close()
    }
    if (progress.exitCode === 0) return
    process.stderr.write(`${flags.file}: ${escapeText(progress.summary(flags))}${this.dryRun ? ' Nothing was written: this was a dry run.' : ''}\n`)
    this.exitWith(progress.exitCode)
  }

  /** Each of LINES is done by itself. */
  private async runEach(lines: readonly ReadyLine[], session: Session, around: Around, flags: BatchFlags, progress: Progress): Promise<void> {
    const writes = currentWrites(progress)
    const documentText = flags.json ? await loadDocumentText() : undefined
    watchSignals({writes}, () => progress.progressText(), (code) => {
      progress.interrupt(code)
      return documentText?.(batchResult(progress, undefined, {})) ?? ''
    })
    watchWrites(writes)
    await runInOrder(lines, session.store, around, {...flags, ...session, recording: (line) => this.recording(() => [line]), print: flags.json ? undefined : printing(flags.file)}, progress)
    if (progress.results.some(({written}) => written.size > 0)) this.noteChanged()
    if (flags.json) await this.printDocument(progress, undefined, session)
  }

  /** LINES are done on a stage, and what they made of the store is written in one transaction or, in a dry run, shown. */
  private async runStaged(lines: readonly ReadyLine[], session: Session, around: Around, flags: BatchFlags, progress: Progress): Promise<void> {
    const {together} = await import('../../client/together.js')
    watchSignals(session)
    watchWrites(session.writes)
    const what = `the batch ${flags.file}`
    const options = {...flags, ...session, recording: undefined, print: undefined}
    let changes: readonly KeyEdit[] = []
    try {
      const made = await together(session, what, async (_, store) => {
        progress.reset()
        await store.prefetch(likelyKeys(lines))
        await runInOrder(lines, store, around, options, progress)
        around.budget.renew()
        if (flags.atomic && progress.exitCode !== 0) throw new LineFailed(what)
      })
      changes = made.changes.map(({key, before, after}) => ({key, before: before?.value, after}))
      if (changes.length > 0) this.noteChanged()
      if (flags.atomic && this.dryRun) this.warnOfSize(changes.length)
    } catch (error) {
      progress.takeBack()
      if (!(error instanceof LineFailed)) {
        if (flags.json) await this.printDocument(progress)
        throw error
      }
    }
    progress.running = undefined
    if (flags.json) return this.printDocument(progress, this.dryRun ? netEdits(changes) : undefined, session)
    for (const result of progress.results) await this.printKept(result, flags.file)
    if (this.dryRun) await this.showDifference(netEdits(changes))
  }

  /** Prints what RESULT has kept; of a dry run only what is for people. */
  private async printKept(result: LineResult, file: string): Promise<void> {
    const print = printing(file)
    for (const piece of result.printed) {
      if (piece.stream === 'stderr') {
        await this.flush()
        print(result, piece, () => undefined)
      } else if (!this.dryRun) await this.dataText(piece.text)
    }
  }

  private async showDifference(edits: readonly KeyEdit[]): Promise<void> {
    const initialisation = initialisationIn(edits)
    if (initialisation.size > 0) this.note('The datastore would be initialised for Calico.')
    for (const edit of edits) if (!initialisation.has(edit.key)) await this.dataText(await this.difference(objectChange(edit)))
    if (edits.length === 0) this.note('Nothing would be changed.')
  }

  private warnOfSize(keys: number): void {
    if (keys > ETCD_KEYS) this.note(`Warning: ${keys} keys would be written in one transaction; etcd allows ${ETCD_KEYS}, unless --max-txn-ops is set higher.`)
  }

  private async surroundings({atomic}: BatchFlags): Promise<Around> {
    const {quiet = false, debug = false, timeout = DEFAULT_TIMEOUT_MS} = this.globals
    return {
      config: this.config,
      settings: await this.settings(),
      budget: lineBudget(timeout),
      staged: atomic ? 'atomic' : this.dryRun ? 'dry-run' : undefined,
      quiet,
      debug,
      // Node makes a stream of stdin when it is first asked for it, which takes a while.
      whyNoStdin: () => (this.fromStdin ? 'This line reads stdin, which already contains the lines of this batch: give the lines as a FILE' : process.stdin.isTTY ? 'This line reads stdin, which is a terminal' : undefined),
      stdin: once(async () => {
        const {LARGEST_INPUT, readStdin} = await import('../stdin.js')
        return readStdin(LARGEST_INPUT)
      }),
    }
  }

  /** Reads and checks all lines: grammar first, then what their commands say of options and values. */
  private async check(lines: readonly BatchLine[], problems: readonly LineProblem[], around: Around): Promise<{ready: ReadyLine[]; wrong: WrongLine[]}> {
    const wrong: WrongLine[] = problems.map(({line, problem}) => ({line, words: [], text: `Error: ${escapeText(problem)}.\n`}))
    const ready: ReadyLine[] = []
    for (const {line, words} of lines) {
      const meant = readWords(line, words, around)
      if ('problem' in meant) {
        wrong.push({line, words, text: `Error: ${meant.problem}${meant.problem.endsWith('.') ? '' : '.'}\n`})
        continue
      }
      const found = await checkLine(meant, around)
      if (found !== undefined) wrong.push({line, words, text: found.text})
      else if (ready.length < MOST_READINGS) ready.push(meant)
      else ready.push({...meant, reading: {}})
    }
    return {ready, wrong: wrong.sort((a, b) => a.line - b.line)}
  }

  /** Reports what is WRONG; nothing is done. */
  private async refuse(ready: readonly ReadyLine[], wrong: readonly WrongLine[], {file, json}: BatchFlags): Promise<void> {
    for (const {line, text} of wrong) process.stderr.write(prefixed(`${file}:${line}: `, text))
    const total = ready.length + wrong.length
    process.stderr.write(`Error: ${wrong.length} of ${total === 1 ? '1 line' : `${total} lines`} of ${file} ${wrong.length === 1 ? 'is' : 'are'} wrong; nothing was done.\n`)
    if (json) await this.printDocument(wrongLines(ready, wrong, file))
    this.exitWith(EXIT_CODES.usage)
  }

  private async printDocument(progress: Progress, dryRun?: readonly KeyEdit[], session?: Session): Promise<void> {
    const documentText = await loadDocumentText()
    await this.dataText(documentText(batchResult(progress, dryRun, session ? await this.flowsJson(session) : {})))
  }
}

/** What prints a document as JSON; it is loaded before a signal may ask for it. */
async function loadDocumentText(): Promise<(document: object) => string> {
  const {indentedJson} = await import('../output/render.js')
  const {escapeJson} = await import('../../printable.js')
  return (document) => `${escapeJson(indentedJson(document))}\n`
}

/** Those of LINES that have changed something so far. */
const writing = (lines: readonly ReadyLine[], {results}: Progress): EntryLine[] =>
  lines.flatMap(({line, words, meaning}, index) => (results[index]?.written.size === 0 || meaning.type !== 'command' ? [] : [{line, words, id: meaning.id}]))

/** Keys that LINES will ask for: those of the profiles that they name, which are read in few requests then instead of one for each. */
function likelyKeys(lines: readonly ReadyLine[]): string[] {
  const names = lines.flatMap(({meaning}) => (meaning.type === 'command' && meaning.id.startsWith('profile:') ? meaning.argv.slice(0, 1) : []))
  return [...new Set(names.filter((name) => !name.startsWith('-')).map((name) => resourceKey('Profile', convertName(name))))]
}

/** A line of a batch that is to be done as a whole has failed, and has reported so. */
class LineFailed extends Error {}

/** Lines that are kept as they were read; those behind them are read again when they run. */
const MOST_READINGS = 10_000

/** Keys that one transaction of etcd may write unless it is configured otherwise; one more is compared. */
const ETCD_KEYS = 127

/** Prints what a line prints as if it had run alone, but that what is for people names its place in FILE. */
const printing =
  (file: string): NonNullable<RunOptions['print']> =>
  ({line}, {stream, text}, done) => {
    if (stream === 'stdout') return void process.stdout.write(text, done)
    process.stderr.write(prefixed(`${file}:${line}: `, text))
    done()
  }

/** The lines of a batch that was refused, as if those that are WRONG had been run and failed. */
function wrongLines(ready: readonly ReadyLine[], wrong: readonly WrongLine[], file: string): Progress {
  const all = [...ready, ...wrong].sort((a, b) => a.line - b.line)
  const progress = new Progress(all, file)
  for (const result of progress.results) {
    const problem = wrong.find(({line}) => line === result.line)
    if (problem) Object.assign(result, {exitCode: EXIT_CODES.usage, printed: [{stream: 'stderr', text: problem.text}]})
  }
  return progress
}

/** The log of writes of the line that is being run, with what all lines have made. */
function currentWrites(progress: Progress) {
  const now = () => progress.running?.session?.writes
  return {
    get done() {
      return progress.logs.flatMap(({done}) => done)
    },
    get open() {
      return now()?.open
    },
    get remaining() {
      return now()?.remaining
    },
    get undo() {
      return now()?.undo
    },
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}
