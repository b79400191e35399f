/** The built command as a process: what a user's shell would start, with nothing of this machine's settings in its environment. */
import {spawn, type ChildProcess} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {whyBuild} from '../../scripts/build-state.mjs'

const ROOT = resolve(import.meta.dirname, '../..')

/** The command as `npm run build` leaves it. */
export const CALICOCTL = join(ROOT, 'bin/run.js')

export interface Options {
  /** Added to PATH and HOME, which is an empty folder of this test file. Nothing else is inherited. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Given to the command's stdin, which then ends. Without it, stdin is empty. */
  readonly stdin?: string
  readonly cwd?: string
  /** Open files in place of the pipes that are read for the result. */
  readonly outputs?: {readonly stdout?: number; readonly stderr?: number}
  /** After this time the command is killed, and the promise rejected. The default is 60 s. */
  readonly timeoutMs?: number
  /** The launcher to start, instead of this tree's. */
  readonly command?: string
}

export interface Result {
  /** The exit code; null if a signal ended the process. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly process: ChildProcess
  /** What came out of it, once it has ended. */
  readonly result: Promise<Result>
}

/** Runs `calicoctl ARGS` to its end. @throws Error if it takes longer than the time allowed, or if there is no current build. */
export function calicoctl(args: readonly string[], options: Options = {}): Promise<Result> {
  return startCalicoctl(args, options).result
}

/** Starts `calicoctl ARGS`, for tests that send signals or watch it work. */
export function startCalicoctl(args: readonly string[], {env = {}, stdin, cwd, outputs = {}, timeoutMs = 60_000, command = CALICOCTL}: Options = {}): Running {
  if (command === CALICOCTL) checkBuild()
  const child = spawn(process.execPath, [command, ...args], {
    cwd: cwd ?? home(),
    env: {PATH: process.env.PATH, HOME: home(), ...env},
    stdio: ['pipe', outputs.stdout ?? 'pipe', outputs.stderr ?? 'pipe'],
  })
  return {process: child, result: finished(child, args, stdin, timeoutMs)}
}

function finished(child: ChildProcess, args: readonly string[], stdin: string | undefined, timeoutMs: number): Promise<Result> {
  return new Promise((settle, fail) => {
    const out: Record<'stdout' | 'stderr', Buffer[]> = {stdout: [], stderr: []}
    for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (data: Buffer) => out[name].push(data))
    const text = (name: 'stdout' | 'stderr') => Buffer.concat(out[name]).toString()
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail(new Error(`calicoctl ${args.join(' ')} did not end within ${timeoutMs} ms\nstdout: ${text('stdout')}\nstderr: ${text('stderr')}`))
    }, timeoutMs)
    child.on('error', (error) => {
      clearTimeout(timer)
      fail(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      settle({code, signal, stdout: text('stdout'), stderr: text('stderr')})
    })
    child.stdin?.on('error', () => undefined) // a command that reads nothing may be gone before it is written
    child.stdin?.end(stdin)
  })
}

let emptyHome: string | undefined

/** The empty folder that is the HOME of the commands of this test file. */
export function home(): string {
  if (emptyHome === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'calicoctl-home-'))
    process.on('exit', () => rmSync(folder, {recursive: true, force: true}))
    emptyHome = folder
  }
  return emptyHome
}

let checked = false

/**
 * CALICOCTL_TEST_BUILD=any takes the build as it is: for work on the source while a test runs.
 * @throws Error if dist is missing or older than what it is made of: a test would judge yesterday's code.
 */
export function checkBuild(): void {
  if (checked || process.env.CALICOCTL_TEST_BUILD === 'any') return
  const why = whyBuild()
  if (why !== undefined) throw new Error(`${why}: run npm run build first`)
  checked = true
}
