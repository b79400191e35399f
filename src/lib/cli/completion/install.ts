/** Where a shell looks for a user's completions. */
import {homedir} from 'node:os'
import {dirname} from 'node:path'
import {makeFolder} from '../../files/folder.js'
import {replaceFile} from '../../files/replace.js'
import {escapeText} from '../../printable.js'
import {completionScript, type Shell} from './scripts.js'

type Environment = Readonly<Record<string, string | undefined>>

const folder = (value: string | undefined, otherwise: string): string => (value?.startsWith('/') ? value : `${homedir()}/${otherwise}`)

const PATHS: Readonly<Record<Shell, (env: Environment) => string>> = {
  bash: ({XDG_DATA_HOME}) => `${folder(XDG_DATA_HOME, '.local/share')}/bash-completion/completions/calicoctl`,
  zsh: ({XDG_DATA_HOME}) => `${folder(XDG_DATA_HOME, '.local/share')}/zsh/site-functions/_calicoctl`,
  fish: ({XDG_CONFIG_HOME}) => `${folder(XDG_CONFIG_HOME, '.config')}/fish/completions/calicoctl.fish`,
}

/** Writes the script of SHELL for this user. @returns the path, and what is still to be done. @throws CalicoError as makeFolder and replaceFile */
export async function installCompletion(shell: Shell, env: Environment): Promise<string[]> {
  const path = PATHS[shell](env)
  makeFolder(dirname(path))
  await replaceFile(path, completionScript(shell), {mode: 0o644})
  const next = shell === 'zsh' ? [`Add this to ~/.zshrc before compinit: fpath=(${escapeText(dirname(path))} $fpath)`] : []
  return [escapeText(path), ...next]
}
