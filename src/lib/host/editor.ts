/** The user's text editor. */
import {constants} from 'node:os'
import {CalicoError} from '../errors.js'

/** The command line that $VISUAL names, else $EDITOR, else vi. */
export const editorFrom = ({VISUAL, EDITOR}: NodeJS.ProcessEnv): string => [VISUAL, EDITOR].find((value) => value !== undefined && value !== '') ?? 'vi'

/**
 * Opens the file at PATH in EDITOR, a command line for sh, on this terminal, and waits for its end. Ctrl-C is the editor's meanwhile.
 * @throws CalicoError `failed` if it cannot be started, or does not end well
 */
export async function openEditor(editor: string, path: string): Promise<void> {
  const {spawn} = await import('node:child_process')
  const listeners = process.listeners('SIGINT')
  const ignore = (): void => undefined
  process.removeAllListeners('SIGINT').on('SIGINT', ignore)
  const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, editor, path], {stdio: 'inherit'})
  // As if its terminal had gone: editors then keep what they have.
  const hangUp = (): void => void child.kill('SIGHUP')
  process.once('exit', hangUp)
  try {
    const {code, signal} = await new Promise<{code: number | null; signal: NodeJS.Signals | null}>((settle, fail) => {
      child.once('error', fail)
      child.once('close', (ended, by) => settle({code: ended, signal: by}))
    }).catch((error: unknown) => {
      throw new CalicoError('failed', `The editor '${editor}' cannot be started: ${error instanceof Error ? error.message : String(error)}`, {cause: error})
    })
    if (code === 0) return
    const why = code === 127 || code === 126 ? 'cannot be started' : `ended with ${signal === null ? `exit code ${code ?? 0}` : `the signal ${signal} (${constants.signals[signal]})`}`
    throw new CalicoError('failed', `The editor '${editor}' ${why}`, code === 127 || code === 126 ? {hint: 'Set another editor in the environment variable VISUAL or EDITOR.'} : {})
  } finally {
    process.removeListener('exit', hangUp)
    process.removeListener('SIGINT', ignore)
    for (const listener of listeners) process.on('SIGINT', listener)
  }
}
