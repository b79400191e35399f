/**
 * Where one command line in this process gets its session from and puts what it prints: the process itself, or, for a line of a batch, the batch.
 * Lines of a batch run one after another, so that one of these is the current one at any time.
 */
import type {Session, SessionOptions} from '../client/session.js'
import type {Budget} from '../datastore/budget.js'
import type {Settings} from '../settings/types.js'

export interface Invocation {
  /** Writes TEXT to stdout; DONE hears whether it could be written. */
  stdout(text: string, done: (error?: NodeJS.ErrnoException | null) => void): void
  /** Writes TEXT, whole lines, to stderr. */
  stderr(text: string): void
  /** CODE is the exit code of the command, if it does not fail. */
  exitCode(code: number): void
  /** How many columns the terminal has that stdout is, 0 if that is unknown; undefined = stdout is no terminal. */
  readonly width?: number | undefined
  /** Undefined: the command is what this process runs. */
  readonly line?: BatchLine | undefined
}

/** What oclif has made of the words of a line. */
export interface Reading {
  result?: unknown
}

/** What a batch gives each of its lines. */
export interface BatchLine {
  readonly settings: Settings
  readonly budget: Budget
  /** A session on the connection that all lines share; no one but the batch closes its store, and it listens for signals. */
  session(options: Pick<SessionOptions, 'dryRun' | 'init' | 'warn' | 'announce'>): Promise<Session>
  /** The batch only rehearses its lines: they say what would be done. Whether their session writes is the batch's affair: it may be on a stage. */
  readonly dryRun: boolean
  /** As --quiet on the line. */
  readonly quiet: boolean
  /** Keeps the line as the command has read it when it was checked, so that it need not read it again to run. */
  readonly reading?: Reading | undefined
  /** The global options that stand on the batch, and are refused on the line. */
  readonly refused: readonly string[]
  /** All of stdin as text. @throws CalicoError `invalid` where the line cannot have it */
  stdin(): Promise<string>
  /** The line's options and values have been read and are right; may throw to end it there. */
  read(): void
  /** The line is about to use its session or to print; may throw to end it there. */
  act(): void
}

const PROCESS: Invocation = {
  stdout: (text, done) => void process.stdout.write(text, done),
  stderr: (text) => void process.stderr.write(text),
  exitCode(code) {
    process.exitCode = code
  },
  get width() {
    return process.stdout.isTTY ? process.stdout.columns : undefined
  },
}

let current = PROCESS

/** The invocation of the command that runs now. A command keeps the one that it was made in. */
export const currentInvocation = (): Invocation => current

/** Does WORK, which is one command line, as INVOCATION. */
export async function invoked<T>(invocation: Invocation, work: () => Promise<T>): Promise<T> {
  const before = current
  current = invocation
  try {
    return await work()
  } finally {
    current = before
  }
}
