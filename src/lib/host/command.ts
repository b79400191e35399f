/** Running a program of this host: time-boxed, without a shell, with an environment of its own. The only importer of execa. */
import {CalicoError} from '../errors.js'

/** Longer than any single step takes: `ip` answers within milliseconds. v0.20 gave each command as much. */
const TIME_LIMIT_MS = 5_000

/** How a program ended that did not end well. */
interface CommandFailure {
  readonly exitCode: number | undefined
  readonly stderr: string
  /** One sentence, without the program's own words. */
  readonly reason: string
}

interface CommandOptions {
  /** An open file of ours that the program gets as its descriptor 3. */
  readonly descriptor?: number
  /** What it reads from stdin; nothing if undefined. */
  readonly input?: string
  readonly timeoutMs?: number
}

/** The program ran and failed, or took too long. */
export class CommandError extends CalicoError {
  constructor(
    readonly line: string,
    readonly failure: CommandFailure,
  ) {
    super('failed', `'${line}' failed: ${failure.reason}`, {details: failure.stderr === '' ? [] : failure.stderr.split('\n')})
  }
}

/**
 * Runs FILE with ARGS to its end; what it wrote to stdout.
 * @throws CalicoError `failed` if there is no such program; CommandError if it fails, or is not done in time (it is killed then)
 */
export async function runCommand(file: string, args: readonly string[], {descriptor, input, timeoutMs = TIME_LIMIT_MS}: CommandOptions = {}): Promise<string> {
  const {execa} = await import('execa')
  const result = await execa(file, args, {
    reject: false,
    // execa takes any open descriptor; its types know those of the standard streams.
    ...(input === undefined ? {} : {input}),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', (descriptor as 0 | undefined) ?? 'ignore'],
    // Ours may be gone.
    cwd: '/',
    extendEnv: false,
    env: {PATH: process.env.PATH ?? DEFAULT_PATH, LC_ALL: 'C'},
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    stripFinalNewline: true,
  })
  const {stdout, stderr, exitCode, failed, timedOut, signal} = result
  if (!failed) return text(stdout)
  if ((result.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') throw missing(file)
  const reason = timedOut ? `it was not done within ${timeoutMs / 1000} s` : signal ? `it was ended by ${signal}` : exitCode === undefined ? (result.shortMessage ?? 'it could not be started') : `exit code ${exitCode}`
  throw new CommandError([file, ...args].join(' '), {exitCode, stderr: text(stderr), reason})
}

/** A stream of RESULT: without encoding options execa gives nothing but text. */
const text = (output: unknown): string => (typeof output === 'string' ? output : '')

const DEFAULT_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

const PACKAGES: Readonly<Record<string, string>> = {ip: 'iproute2', nsenter: 'util-linux'}

function missing(file: string): CalicoError {
  const name = PACKAGES[file]
  return new CalicoError('failed', `The program '${file}' is not on this host`, name === undefined ? {} : {hint: `It comes with the package ${name}: apt-get install ${name}, or yum install ${name}`})
}
