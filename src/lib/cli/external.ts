/** Programs of others as commands: `calicoctl-NAME` in PATH is `calicoctl NAME`, unless that is a command of ours. */
import {spawn} from 'node:child_process'
import {accessSync, constants, statSync} from 'node:fs'
import {constants as system} from 'node:os'
import {CalicoError} from '../errors.js'

/** The first executable file calicoctl-NAME in the absolute folders of PATH. */
export function findExternal(name: string, {PATH = ''}: Readonly<Record<string, string | undefined>>): string | undefined {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) return undefined
  return PATH.split(':').filter((folder) => folder.startsWith('/')).map((folder) => `${folder}/calicoctl-${name}`).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs PATH with ARGS and the streams of this process, passing signals on.
 * @returns its exit code, as a shell has it where a signal ended it
 * @throws CalicoError `failed` if it cannot be started
 */
export function runExternal(path: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {stdio: 'inherit'})
    // Ctrl-C on a terminal reaches the child by itself.
    const pass = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    for (const signal of PASSED_ON) process.on(signal, pass)
    child.once('error', (error) => reject(new CalicoError('failed', `${path} cannot be started: ${error.message}`, {cause: error})))
    child.once('close', (code, signal) => {
      for (const each of PASSED_ON) process.off(each, pass)
      resolve(code ?? 128 + (signal === null ? 0 : system.signals[signal]))
    })
  })
}
