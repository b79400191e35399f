/**
 * The built command without a start of Node for each line: a process that has loaded the bundle runs the lines of a test file one after another, in a
 * seventh of the time. For tests of what a command prints, returns and stores; those of signals, start-up, streams and terminals need a process of their
 * own: cli.ts. Of lines that are run at the same time, all but one have one. Every command also runs as a process: examples.test.ts, batch-places.test.ts.
 */
import {type ChildProcess, fork} from 'node:child_process'
import {resolve} from 'node:path'
import {afterAll} from '@jest/globals'
import {checkBuild, home, calicoctl as inOwnProcess, type Options, type Result} from './cli.js'

/** What runs the lines; its parent talks to it through `ipc`. */
export const WARM_PROCESS = resolve(import.meta.dirname, 'warm-process.mjs')
/** Answered by bin/run.js itself, from files that the build has made. */
const PREPARED = ['help', '--help', '-h', 'version', '--version', '-V']
const COMPLAINTS = 4_000

export interface Line {
  readonly args: readonly string[]
  /** All of its environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: string
  readonly cwd: string
}

export interface WarmProcess {
  /** Whether it may run ARGS now: not while it runs another line, nor what Node or bin/run.js itself has a part in. */
  suits(args: readonly string[], options: Options): boolean
  /** Runs LINE to its end. @throws Error if it takes longer than TIMEOUTMS, or ends the process */
  run(line: Line, timeoutMs: number): Promise<Result>
  /** Ends the process; the next line starts another one. */
  end(): Promise<void>
}

/** Lines are run by a process that START starts with the first of them: {@link WARM_PROCESS} with `ipc`, its stderr a pipe. */
export function warmProcess(start: () => ChildProcess): WarmProcess {
  let child: ChildProcess | undefined
  let busy = false
  let complaints = ''
  const begin = (): ChildProcess => {
    const started = start()
    started.stderr?.on('data', (data: Buffer) => void (complaints = (complaints + data.toString()).slice(-COMPLAINTS)))
    return started
  }
  return {
    suits: (args, {env = {}, outputs, command}) => !busy && outputs === undefined && command === undefined && !Object.keys(env).some((name) => name.startsWith('NODE_')) && !args.some((word) => PREPARED.includes(word)),
    run(line, timeoutMs) {
      const warm = (child ??= begin())
      busy = true
      return new Promise<Result>((settle, fail) => {
        const said = `calicoctl ${line.args.join(' ')}`
        const end = (): void => {
          clearTimeout(timer)
          warm.off('message', answered)
          warm.off('exit', ended)
          busy = false
        }
        const answered = (answer: unknown): void => {
          end()
          settle({signal: null, ...(answer as Omit<Result, 'signal'>)})
        }
        const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
          end()
          child = undefined
          fail(new Error(`${said} ended the process that runs the lines of this file: ${code ?? signal ?? ''} ${complaints}`))
        }
        const timer = setTimeout(() => {
          end()
          child = undefined
          warm.kill('SIGKILL')
          fail(new Error(`${said} did not end within ${timeoutMs} ms`))
        }, timeoutMs)
        warm.on('message', answered)
        warm.on('exit', ended)
        warm.send(line)
      })
    },
    async end() {
      const last = child
      child = undefined
      if (last?.exitCode !== null || last.signalCode !== null) return
      const gone = new Promise((settle) => last.once('exit', settle))
      last.kill('SIGKILL')
      await gone
    },
  }
}

const own = warmProcess(() => fork(WARM_PROCESS, {stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: {PATH: process.env.PATH}, execArgv: []}))
afterAll(() => own.end())

/** Runs `calicoctl ARGS` to its end, as the function of this name in cli.ts. @throws Error if it takes longer than the time allowed, or ends the process that runs it */
export function calicoctl(args: readonly string[], options: Options = {}): Promise<Result> {
  if (!own.suits(args, options)) return inOwnProcess(args, options)
  checkBuild()
  const {env = {}, stdin = '', cwd, timeoutMs = 60_000} = options
  return own.run({args, env: {PATH: process.env.PATH, HOME: home(), ...env}, stdin, cwd: cwd ?? home()}, timeoutMs)
}
