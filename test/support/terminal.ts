/** The built command on a terminal: `script` (util-linux) makes one. Nothing of this machine's settings is in its environment. */
import {spawn} from 'node:child_process'
import {CALICOCTL, checkBuild} from './cli.js'

export interface TerminalOptions {
  /** Added to PATH and TERM. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The terminal's size in columns; `script` itself gives it none. */
  readonly columns?: number
  /** Appended to the command in the shell that starts it, as `2>/dev/null`. */
  readonly redirect?: string
}

export interface Screen {
  readonly code: number | null
  /** Everything that the terminal was given, both streams; its line ends are \n. */
  readonly screen: string
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Runs `calicoctl ARGS` to its end on a terminal. */
export function onTerminal(args: readonly string[], {env = {}, cwd, columns, redirect = ''}: TerminalOptions = {}): Promise<Screen> {
  checkBuild()
  const size = columns === undefined ? '' : `stty cols ${columns}; `
  const command = [process.execPath, CALICOCTL, ...args].map(quoted).join(' ')
  const child = spawn('script', ['-qefc', `${size}exec ${command} ${redirect}`, '/dev/null'], {cwd, env: {PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh', ...env}})
  let screen = ''
  child.stdout.on('data', (data: Buffer) => void (screen += data.toString()))
  return new Promise((settle, fail) => {
    child.on('error', fail)
    child.on('close', (code) => settle({code, screen: screen.replaceAll('\r\n', '\n')}))
  })
}
