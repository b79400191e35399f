/** Ctrl-C while an archive comes about: nothing is left of it. */
import {EXIT_CODES} from '../errors.js'
import type {Workspace} from './workspace.js'

/** Makes SIGINT and SIGTERM delete WORKSPACE and end the process with their exit codes. */
export function discardWhenInterrupted(workspace: Workspace): void {
  for (const [signal, kind, word] of [['SIGINT', 'interrupted', 'Interrupted'], ['SIGTERM', 'terminated', 'Terminated']] as const) {
    process.once(signal, () => {
      workspace.discard()
      process.stderr.write(`${word}: no archive was written, and nothing was changed\n`)
      process.exit(EXIT_CODES[kind])
    })
  }
}
