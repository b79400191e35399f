/**
 * The built command without a start of Node for each line: a process that has loaded the bundle runs the lines of a test file one after another, in a
 * seventh of the time. For tests of what a command prints, returns and stores; those of signals, start-up, streams and terminals need a process of their
 * own: cli.ts. Of lines that are run at the same time, all but one have one. Every command also runs as a process: examples.test.ts, batch-places.test.ts.
 */
import {fork, type ChildProcess} from 'node:child_process'
import {resolve} from 'node:path'
import {afterAll} from '@jest/globals'
import {checkBuild, home, calicoctl as inOwnProcess, type Options, type Result} from './cli.js'

const PROGRAM = resolve(import.meta.dirname, 'warm-process.mjs')
/** Answered by bin/run.js itself, from files that the build has made. */
const PREPARED = ['help', '--help', '-h', 'version', '--version', '-V']

let warm: ChildProcess | undefined
let busy = false

afterAll(async () => {
  const ended = warm
  warm = undefined
  if (ended?.exitCode === null && ended.signalCode === null) {
    const gone = new Promise((settle) => ended.once('exit', settle))
    ended.kill('SIGKILL')
    await gone
  }
})

/** Runs `calicoctl ARGS` to its end, as the function of this name in cli.ts. @throws Error if it takes longer than the time allowed, or ends the process that runs it */
export async function calicoctl(args: readonly string[], options: Options = {}): Promise<Result> {
  const forNode = Object.keys(options.env ?? {}).some((name) => name.startsWith('NODE_'))
  if (busy || forNode || options.outputs !== undefined || options.command !== undefined || args.some((word) => PREPARED.includes(word))) return inOwnProcess(args, options)
  checkBuild()
  busy = true
  try {
    const {env = {}, stdin = '', cwd, timeoutMs = 20_000} = options
    return await answerOf({args, env: {PATH: process.env.PATH, HOME: home(), ...env}, stdin, cwd: cwd ?? home()}, timeoutMs)
  } finally {
    busy = false
  }
}

let complaints = ''

function start(): ChildProcess {
  const child = fork(PROGRAM, {stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: {PATH: process.env.PATH}, execArgv: []})
  child.stderr?.on('data', (data: Buffer) => void (complaints = (complaints + data.toString()).slice(-4_000)))
  return child
}

function answerOf(line: {readonly args: readonly string[]; readonly env: Readonly<Record<string, string | undefined>>; readonly stdin: string; readonly cwd: string}, timeoutMs: number): Promise<Result> {
  const child = (warm ??= start())
  return new Promise((settle, fail) => {
    const said = `calicoctl ${line.args.join(' ')}`
    const end = (): void => {
      clearTimeout(timer)
      child.off('message', answered)
      child.off('exit', ended)
    }
    const answered = (answer: unknown): void => {
      end()
      settle({signal: null, ...(answer as Omit<Result, 'signal'>)})
    }
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      end()
      warm = undefined
      fail(new Error(`${said} ended the process that runs the lines of this file: ${code ?? signal ?? ''} ${complaints}`))
    }
    const timer = setTimeout(() => {
      end()
      warm = undefined
      child.kill('SIGKILL')
      fail(new Error(`${said} did not end within ${timeoutMs} ms`))
    }, timeoutMs)
    child.on('message', answered)
    child.on('exit', ended)
    child.send(line)
  })
}
