/** Asks the plugin something that it must refuse, as net-modules would ask it (mesos-docker §2.3): whether it answers at all. */
import {spawn} from 'node:child_process'
import {killGroup} from '../../host/command.js'

/** net-modules reads no more of an answer. */
const MOST_BYTES = 40_960
/** What every plugin says to a request without a command (mesos-docker §1.1). */
const REFUSAL = 'Missing command'
const TIME_LIMIT_MS = 10_000

/** Runs COMMAND, a program and its arguments, with the agent's ENVIRONMENT, and gives it an empty request. A problem is the end of a sentence. */
export async function askPlugin(command: string, environment: Readonly<Record<string, string>>, limitMs = TIME_LIMIT_MS): Promise<{readonly problem?: string}> {
  const answer = await run(command.trim().split(/\s+/), environment, limitMs)
  if ('problem' in answer) return answer
  if (answer.text === '') return {problem: 'it printed no answer'}
  try {
    const reply: unknown = JSON.parse(answer.text)
    const {error} = typeof reply === 'object' && reply !== null ? (reply as {error?: unknown}) : {}
    if (error === REFUSAL) return {}
    return {problem: typeof error === 'string' ? `its answer is: ${error.slice(0, 200)}` : `it did not refuse an empty request, but answered ${answer.text.slice(0, 200)}`}
  } catch {
    return {problem: `its answer is not JSON: ${answer.text.slice(0, 200)}`}
  }
}

function run([program = '', ...args]: readonly string[], environment: Readonly<Record<string, string>>, limitMs: number): Promise<{readonly text: string} | {readonly problem: string}> {
  return new Promise((settle) => {
    const child = spawn(program, args, {env: {PATH: process.env.PATH, ...environment}, stdio: ['pipe', 'pipe', 'ignore'], detached: true})
    let text = ''
    let ended = false
    const timer = setTimeout(() => {
      // Others may have its output: there is no end of that to wait for.
      settle({problem: ended ? `it did not close its output within ${limitMs / 1000} s` : `it did not end within ${limitMs / 1000} s`})
      if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL') // what it started too
      child.stdout.destroy()
    }, limitMs)
    child.stdout.setEncoding('utf8').on('data', (data: string) => {
      if (text.length < MOST_BYTES) text += data
    })
    child.on('error', (error) => {
      clearTimeout(timer)
      settle({problem: `it cannot be started: ${error.message}`})
    })
    child.on('exit', () => {
      ended = true
    })
    child.on('close', (_code, signal) => {
      clearTimeout(timer)
      settle(signal === null ? {text: text.trim()} : {problem: `it was terminated by ${signal}`})
    })
    child.stdin.on('error', () => undefined) // it may end without reading
    child.stdin.end('{}')
  })
}
