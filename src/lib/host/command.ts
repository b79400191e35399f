/** Running a program of this host: time-boxed, without a shell, with an environment of its own. */
import type {ChildProcess, SpawnOptions} from 'node:child_process'
import {CalicoError} from '../errors.js'
import {sizeText} from '../files/size.js'

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

/** Bytes of stdout, or of stderr, that a program may write. */
const LARGEST_OUTPUT = 100 * 1024 * 1024

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
  const {error, exitCode, signal, stdout, stderr, timedOut, tooLong} = await run(file, args, input, timeoutMs, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', descriptor ?? 'ignore'],
    cwd: '/', // ours may be gone
    env: {PATH: searchPath(process.env), LC_ALL: 'C'},
    detached: true, // a group of its own
  })
  if (error?.code === 'ENOENT') throw missing(file)
  // Its output may have been held open longer than it ran.
  if (exitCode === 0 && !timedOut && !tooLong) return stdout
  const reason = timedOut
    ? `it did not finish within ${timeoutMs / 1000} s`
    : tooLong
      ? `it wrote more than ${sizeText(LARGEST_OUTPUT)}`
      : signal
        ? `it was terminated by ${signal}`
        : exitCode === undefined
          ? (error?.message ?? 'it could not be started')
          : `exit code ${exitCode}`
  throw new CommandError([file, ...args].join(' '), {exitCode, stderr, reason})
}

/** How a program has ended. */
interface Ended {
  /** It could not be started. */
  readonly error?: NodeJS.ErrnoException
  readonly exitCode: number | undefined
  readonly signal: NodeJS.Signals | undefined
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
  readonly tooLong: boolean
}

/** Starts a program, gives it INPUT and waits for its end. Never rejects. */
async function run(file: string, args: readonly string[], input: string | undefined, timeoutMs: number, options: SpawnOptions): Promise<Ended> {
  const {spawn} = await import('node:child_process')
  let running: ChildProcess
  try {
    running = spawn(file, args, options)
  } catch (error) {
    return {error: error as NodeJS.ErrnoException, exitCode: undefined, signal: undefined, stdout: '', stderr: '', timedOut: false, tooLong: false}
  }
  const limits = limitTime(running, timeoutMs)
  const outputs = [running.stdout, running.stderr].map((stream) => {
    const output = {parts: [] as Buffer[], size: 0}
    stream?.on('data', (part: Buffer) => {
      output.parts.push(part)
      output.size += part.length
      if (output.size > LARGEST_OUTPUT) limits.end()
    })
    stream?.on('error', () => undefined)
    return output
  })
  running.stdin?.on('error', () => undefined) // it need not read all of it
  running.stdin?.end(input)
  const ended = await new Promise<Pick<Ended, 'error' | 'exitCode' | 'signal'>>((resolve) => {
    running.once('error', (error) => resolve({error, exitCode: undefined, signal: undefined}))
    running.once('close', (exitCode, signal) => resolve({exitCode: exitCode ?? undefined, signal: signal ?? undefined}))
  })
  limits.stop()
  const [stdout = '', stderr = ''] = outputs.map(({parts}) => Buffer.concat(parts).toString().replace(/\r?\n$/, ''))
  return {...ended, stdout, stderr, timedOut: limits.timedOut(), tooLong: outputs.some(({size}) => size > LARGEST_OUTPUT)}
}

/** The part of a running program that its time limit is about. */
type Running = Pick<ChildProcess, 'pid' | 'once' | 'stdin' | 'stdout' | 'stderr'>

/** Ends RUNNING, with its group, after LIMITMS; and its output OUTPUT_LIMIT_MS after its own end. */
function limitTime(running: Running, limitMs: number): {timedOut: () => boolean; end: () => void; stop: () => void} {
  const {pid} = running
  if (pid === undefined) return {timedOut: () => false, end: () => undefined, stop: () => undefined}
  if (groups.size === 0) process.on('exit', endGroups)
  groups.add(pid)
  let ended = false
  let timedOut = false
  const closeOutput = (): void => [running.stdin, running.stdout, running.stderr].forEach((stream) => stream?.destroy())
  const end = (): void => {
    killGroup(pid, 'SIGKILL')
    closeOutput()
  }
  const limit = setTimeout(() => {
    timedOut = !ended
    end()
  }, limitMs)
  let output: NodeJS.Timeout | undefined
  running.once('exit', () => {
    ended = true
    output = setTimeout(closeOutput, OUTPUT_LIMIT_MS)
  })
  return {
    timedOut: () => timedOut,
    end,
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

/** Sends SIGNAL to the process group that PID leads; one of which no one is left is no fault. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // No one of it is left.
  }
}

/** Where programs are looked for. An empty PATH would be the current folder. */
const searchPath = ({PATH: path}: Readonly<Record<string, string | undefined>>): string => (path === undefined || path === '' ? DEFAULT_PATH : path)

const DEFAULT_PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

const PACKAGES: Readonly<Record<string, string>> = {ip: 'iproute2', nsenter: 'util-linux'}

function missing(file: string): CalicoError {
  const name = PACKAGES[file]
  return new CalicoError('failed', `The program '${file}' is not on this host`, name === undefined ? {} : {hint: `It comes with the package ${name}: apt-get install ${name}, or yum install ${name}`})
}
