/** What `batch` does with the lines that it has read. */
import type {BatchLine, LineProblem} from '../../batch/lines.js'
import {newSession} from '../../client/session.js'
import {openDatastore} from '../../datastore/open.js'
import {EXIT_CODES} from '../../errors.js'
import {EditCommand} from '../edit-command.js'
import {watchWrites} from '../made.js'
import {watchSignals} from '../signals.js'
import {escapeText} from '../../printable.js'
import {batchResult, prefixed, Progress, runInOrder} from './batch-run.js'
import {lineBudget, type RenewableBudget} from './budget.js'
import {checkLine, type ReadyLine, readWords, type Surroundings} from './line-run.js'
import {readBatchFile} from './source.js'

const DEFAULT_TIMEOUT_MS = 10_000

/** What the line of `batch` itself says. */
interface BatchFlags {
  readonly file: string
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

  /** Checks all LINES, then runs them. */
  protected async runBatch({lines, problems}: {lines: readonly BatchLine[]; problems: readonly LineProblem[]}, flags: BatchFlags): Promise<void> {
    const around = await this.surroundings()
    const {ready, wrong} = await this.check(lines, problems, around)
    if (wrong.length > 0) return this.refuse(ready, wrong, flags)
    if (ready.length === 0) this.note('There are no lines; nothing was done.')
    const progress = new Progress(ready, flags.file)
    const session = newSession(await openDatastore(around.settings, around.budget), {
      init: this.sessionOptions().init,
      expectCluster: around.settings.expectCluster?.value,
      record: (written) => this.record(written),
      warn: (message) => this.note(`Warning: ${message}`),
    })
    around.settings.warnings.forEach(session.warn)
    try {
      const writes = currentWrites(progress)
      watchSignals({writes}, () => progress.told())
      watchWrites(writes)
      await runInOrder(ready, session, around, {...flags, dryRun: this.dryRun, init: session.init, capture: flags.json, record: (written, line) => this.record(written, line)}, progress)
    } finally {
      session.store.close()
    }
    if (flags.json) await this.printDocument(progress)
    if (progress.exitCode === 0) return
    process.stderr.write(`${flags.file}: ${escapeText(progress.summary())}\n`)
    this.exitWith(progress.exitCode)
  }

  private async surroundings(): Promise<Around> {
    const {quiet = false, debug = false, timeout = DEFAULT_TIMEOUT_MS} = this.globals
    return {
      config: this.config,
      settings: await this.settings(),
      budget: lineBudget(timeout),
      quiet,
      debug,
      noStdin: this.fromStdin ? 'it reads stdin, from which the lines of this batch come; give batch a FILE' : process.stdin.isTTY ? 'it reads stdin, which is a terminal' : undefined,
      stdin: once(async () => {
        const {readStdin} = await import('../stdin.js')
        return readStdin()
      }),
    }
  }

  /** Reads and checks all lines: grammar first, then what their commands say of options and values. */
  private async check(lines: readonly BatchLine[], problems: readonly LineProblem[], around: Around): Promise<{ready: ReadyLine[]; wrong: WrongLine[]}> {
    const wrong: WrongLine[] = problems.map(({line, problem}) => ({line, words: [], text: `Error: ${escapeText(problem)}.\n`}))
    const ready: ReadyLine[] = []
    for (const {line, words} of lines) {
      const meant = readWords(line, words, around.config)
      if ('problem' in meant) {
        wrong.push({line, words, text: `Error: ${meant.problem}${meant.problem.endsWith('.') ? '' : '.'}\n`})
        continue
      }
      const found = await checkLine(meant, around)
      if (found === undefined) ready.push(meant)
      else wrong.push({line, words, text: found.text})
    }
    return {ready, wrong: wrong.sort((a, b) => a.line - b.line)}
  }

  /** Tells what is WRONG; nothing is done. */
  private async refuse(ready: readonly ReadyLine[], wrong: readonly WrongLine[], {file, json}: BatchFlags): Promise<void> {
    for (const {line, text} of wrong) process.stderr.write(prefixed(`${file}:${line}: `, text))
    const total = ready.length + wrong.length
    process.stderr.write(`Error: ${wrong.length} of ${total === 1 ? '1 line' : `${total} lines`} of ${file} ${wrong.length === 1 ? 'is' : 'are'} wrong; nothing was done.\n`)
    if (json) await this.printDocument(wrongLines(ready, wrong, file))
    this.exitWith(EXIT_CODES.usage)
  }

  private async printDocument(progress: Progress): Promise<void> {
    const {indentedJson} = await import('../output/render.js')
    const {escapeJson} = await import('../../printable.js')
    await this.dataText(`${escapeJson(indentedJson(batchResult(progress)))}\n`)
  }
}

/** The lines of a batch that was refused, as if those that are WRONG had been run and failed. */
function wrongLines(ready: readonly ReadyLine[], wrong: readonly WrongLine[], file: string): Progress {
  const all = [...ready, ...wrong].sort((a, b) => a.line - b.line)
  const progress = new Progress(all as readonly ReadyLine[], file)
  for (const result of progress.results) {
    const problem = wrong.find(({line}) => line === result.line)
    if (problem) Object.assign(result, {exitCode: EXIT_CODES.usage, stderr: problem.text})
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
