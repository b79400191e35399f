/**
 * Command lines run in the test's own process, on a store that it has opened: the grammar, the command's class and what it prints are those of the program,
 * without a process of 100 ms for each line. Tests of signals, settings and start-up need a process: see cli.ts.
 */
import {readdirSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {type Command, Config} from '@oclif/core'
import {formatUsageError, readLine} from '../../src/lib/cli/grammar/read-line.js'
import type {CommandTable} from '../../src/lib/cli/grammar/line.js'
import {type Invocation, invoked} from '../../src/lib/cli/invocation.js'
import {ending} from '../../src/lib/cli/report.js'
import {newSession} from '../../src/lib/client/session.js'
import {createBudget} from '../../src/lib/datastore/budget.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'

const COMMANDS = resolve(import.meta.dirname, '../../src/commands')

type Runnable = Omit<Command.Class, 'prototype'> & (new (argv: string[], config: Config) => {_run(): Promise<unknown>})

/** What oclif needs of its configuration where a command does not ask for help. */
const CONFIG = Object.assign(new Config({root: COMMANDS}), {bin: 'calicoctl', name: 'calicoctl', pjson: {name: 'calicoctl', version: '0', oclif: {}}, plugins: new Map(), runHook: () => Promise.resolve({successes: [], failures: []})})

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What runs command lines; made by {@link loadCommands}. */
export type RunOn = (store: Datastore, words: readonly string[], options?: {readonly stdin?: string; readonly cwd?: string; readonly width?: number}) => Promise<Outcome>

/** Loads the commands whose ids begin with one of IDS. */
export async function loadCommands(...ids: readonly string[]): Promise<RunOn> {
  const files = readdirSync(COMMANDS, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'))
  const classes: Record<string, Runnable> = {}
  for (const file of files) {
    const id = file.slice(0, -'.ts'.length).replaceAll('/', ':')
    if (!ids.some((begin) => id === begin || id.startsWith(`${begin}:`))) continue
    classes[id] = ((await import(join(COMMANDS, file))) as {default: Runnable}).default
  }
  const table = Object.fromEntries(Object.entries(classes).map(([id, {flags, baseFlags, args, strict}]) => [id, {id, flags: {...baseFlags, ...flags}, args, strict}])) as unknown as CommandTable
  return async (store, words, {stdin = '', cwd, width} = {}) => {
    const out = {stdout: '', stderr: ''}
    const meaning = readLine(words, table)
    if (meaning.type === 'usage') return {code: 1, stdout: '', stderr: formatUsageError(meaning)}
    if (meaning.type !== 'command') throw new Error(`${words.join(' ')} is ${meaning.type}`)
    const command = classes[meaning.id]
    if (command === undefined) throw new Error(`${meaning.id} is not loaded`)
    let code = 0
    const say = (text: string): void => void (out.stderr += text)
    const invocation: Invocation = {
      width,
      stdout(text, done) {
        out.stdout += text
        done()
      },
      stderr: say,
      exitCode: (given) => void (code = given),
      line: {
        settings: {} as never,
        budget: createBudget({perRequest: true}),
        session: (options) => Promise.resolve(newSession(store, {...options, announce: (message) => say(`Warning: ${message}\n`)})),
        dryRun: false,
        quiet: false,
        refused: [],
        stdin: () => Promise.resolve(stdin),
        read: () => undefined,
        act: () => undefined,
      },
    }
    const before = process.cwd()
    try {
      if (cwd !== undefined) process.chdir(cwd)
      await invoked(invocation, () => new command([...meaning.argv], CONFIG)._run())
    } catch (error) {
      const end = ending(error)
      say(end.text)
      code = end.code
    } finally {
      process.chdir(before)
    }
    return {code, ...out}
  }
}
