/** Running a program of this host: time-boxed, without a shell, with an environment of its own. The only importer of execa. */
import type {ChildProcess} from 'node:child_process'
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

/** How long the output of a program that has ended may stay open: a process that it left behind may hold it for ever. */
const OUTPUT_LIMIT_MS = 1_000

/** Process groups that run now. */
const groups = new Set<number>()

/**
 * Runs FILE with ARGS to its end, as the leader of a process group of its own; what it wrote to stdout. The time limit ends all of the group, and the wait for
 * its output too, whoever holds that open. Processes that a program leaves behind when it ends in time live on.
 * @throws CalicoError `failed` if there is no such program; CommandError if it fails, or is not done in time (it is killed then)
 */
export async function runCommand(file: string, args: readonly string[], {descriptor, input, timeoutMs = TIME_LIMIT_MS}: CommandOptions = {}): Promise<string> {
  const {execa} = await import('execa')
  const running = execa(file, args, {
    reject: false,
    // execa takes any open descriptor; its types know those of the standard streams.
    ...(input === undefined ? {} : {input}),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', (descriptor as 0 | undefined) ?? 'ignore'],
    cwd: '/', // ours may be gone
    extendEnv: false,
    env: {PATH: searchPath(process.env), LC_ALL: 'C'},
    detached: true, // a group of its own
    stripFinalNewline: true,
  })
  const limits = limitTime(running, timeoutMs)
  const result = await running
  limits.stop()
  const {stdout, stderr, exitCode, failed, signal} = result
  if (!failed) return text(stdout)
  if ((result.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') throw missing(file)
  if (!limits.timedOut() && exitCode === 0) return text(stdout) // its output was held open
  const reason = limits.timedOut() ? `it did not finish within ${timeoutMs / 1000} s` : signal ? `it was terminated by ${signal}` : exitCode === undefined ? (result.shortMessage ?? 'it could not be started') : `exit code ${exitCode}`
  throw new CommandError([file, ...args].join(' '), {exitCode, stderr: text(stderr), reason})
}

/** The part of a running program that its time limit is about. */
type Running = Pick<ChildProcess, 'pid' | 'once' | 'stdin' | 'stdout' | 'stderr'>

/** Ends RUNNING, with its group, after LIMITMS; and its output OUTPUT_LIMIT_MS after its own end. */
function limitTime(running: Running, limitMs: number): {timedOut: () => boolean; stop: () => void} {
  const {pid} = running
  if (pid === undefined) return {timedOut: () => false, stop: () => undefined}
  if (groups.size === 0) process.on('exit', endGroups)
  groups.add(pid)
  let ended = false
  let timedOut = false
  const closeOutput = (): void => [running.stdin, running.stdout, running.stderr].forEach((stream) => stream?.destroy())
  const limit = setTimeout(() => {
    timedOut = !ended
    killGroup(pid, 'SIGKILL')
    closeOutput()
  }, limitMs)
  let output: NodeJS.Timeout | undefined
  running.once('exit', () => {
    ended = true
    output = setTimeout(closeOutput, OUTPUT_LIMIT_MS)
  })
  return {
    timedOut: () => timedOut,
    stop() {
      clearTimeout(limit)
      clearTimeout(output)
      groups.delete(pid)
      if (groups.size === 0) process.off('exit', endGroups)
    },
  }
}

/** What we started ends with us. */
const endGroups = (): void => groups.forEach((pid) => killGroup(pid, 'SIGTERM'))

/** Sends SIGNAL to the process group that PID leads; one of which nobody is left is no fault. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody of it is left.
  }
}

/** A stream of RESULT: without encoding options execa gives nothing but text. */
const text = (output: unknown): string => (typeof output === 'string' ? output : '')

/** Where programs are looked for. An empty PATH would be the current folder. */
const searchPath = ({PATH: path}: Readonly<Record<string, string | undefined>>): string => (path === undefined || path === '' ? DEFAULT_PATH : path)

const DEFAULT_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

const PACKAGES: Readonly<Record<string, string>> = {ip: 'iproute2', nsenter: 'util-linux'}

function missing(file: string): CalicoError {
  const name = PACKAGES[file]
  return new CalicoError('failed', `The program '${file}' is not on this host`, name === undefined ? {} : {hint: `It comes with the package ${name}: apt-get install ${name}, or yum install ${name}`})
}
