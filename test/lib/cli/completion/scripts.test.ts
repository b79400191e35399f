/** The scripts in real shells: what the program prints is offered as it is, and nothing that comes from the store or the line is executed. */
import {execFileSync, spawnSync} from 'node:child_process'
import {chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {completionScript, SHELLS, type Shell} from '../../../../src/lib/cli/completion/scripts.js'

let folder: string

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'calicoctl-completion-'))))
afterEach(() => rmSync(folder, {recursive: true, force: true}))

const isInstalled = (shell: Shell): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0

/** What each shell does to complete LINE, with the cursor at its end: one candidate a line. */
const ASK: Record<Shell, (line: string) => string> = {
  bash: (line) => `
    source ${folder}/script
    COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
    COMP_LINE=$(cat ${folder}/line; echo .)
    COMP_LINE=\${COMP_LINE%.}
    COMP_POINT=${line.length}
    _calicoctl
    (( \${#COMPREPLY[@]} )) && printf '%s\\n' "\${COMPREPLY[@]}"
    true`,
  zsh: (line) => `
    compdef() { }
    compadd() { [[ $1 == -- ]] && shift; print -rl -- "$@" }
    source ${folder}/script
    words=(\${(z)"$(<${folder}/line)"}) CURRENT=0
    [[ ${line.endsWith(' ') ? 1 : 0} == 1 ]] && words+=('')
    CURRENT=\${#words}
    _calicoctl || true`,
  fish: () => `
    source ${folder}/script
    complete -C (string collect -N < ${folder}/line)`,
}

/** Completes LINE in SHELL with a program that answers ANSWER; what is offered, and the words the program was called with. */
function completeIn(shell: Shell, line: string, answer: readonly string[]): {offered: string[]; called: string[]} {
  writeFileSync(join(folder, 'script'), completionScript(shell))
  writeFileSync(join(folder, 'line'), line)
  writeFileSync(join(folder, 'answer'), answer.map((word) => `${word}\n`).join(''))
  writeFileSync(join(folder, 'calicoctl'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/called\ncat ${folder}/answer\n`)
  chmodSync(join(folder, 'calicoctl'), 0o755)
  const flags = {bash: ['--norc'], zsh: ['-f'], fish: ['--no-config']}[shell]
  const output = execFileSync(shell, [...flags, '-c', ASK[shell](line)], {
    cwd: folder,
    env: {PATH: `${folder}:${process.env.PATH ?? ''}`, HOME: folder, TERM: 'dumb'},
    encoding: 'utf8',
  })
  return {
    offered: output.split('\n').filter((word) => word !== ''),
    called: readFileSync(join(folder, 'called'), 'utf8').split('\n').slice(0, -1),
  }
}

for (const shell of SHELLS) {
  const installed = isInstalled(shell)
  if (!installed && (process.env.CI === 'true' || shell === 'bash')) throw new Error(`${shell} is not installed: its completion cannot be tested`)
  if (!installed) console.warn(`${shell} is not installed: its completion is not tested`)
  const describeHere = installed ? describe : describe.skip

  describeHere(shell, () => {
    test('asks with the word at the cursor first, then those before it', () => {
      expect(completeIn(shell, 'calicoctl profile web rule a', ['add'])).toEqual({offered: ['add'], called: ['__complete', '--', 'a', 'profile', 'web', 'rule']})
    })

    test('after a blank the word at the cursor is empty', () => {
      expect(completeIn(shell, 'calicoctl profile ', ['add', 'web.2'])).toEqual({offered: ['add', 'web.2'], called: ['__complete', '--', '', 'profile']})
    })

    test('the first word', () => {
      expect(completeIn(shell, 'calicoctl ', ['profile'])).toEqual({offered: ['profile'], called: ['__complete', '--', '']})
    })

    test('options are passed on and offered as words', () => {
      const {offered, called} = completeIn(shell, 'calicoctl pool show --ip', ['--ipv4', '--ipv6'])
      expect(called).toEqual(['__complete', '--', '--ip', 'pool', 'show'])
      expect(offered).toEqual(['--ipv4', '--ipv6'])
    })

    test('no answer, no offer', () => expect(completeIn(shell, 'calicoctl bogus ', []).offered).toEqual([]))

    test('an answer is never executed or expanded', () => {
      const hostile = ['$(touch pwned)', '`touch pwned`', '${x:=$(touch pwned)}', ';touch pwned', '*', '~', '$HOME', '-x', '$((a[$(touch pwned)]))', '!!']
      const {offered} = completeIn(shell, 'calicoctl profile ', hostile)
      expect(existsSync(join(folder, 'pwned'))).toBe(false)
      // fish itself keeps to what matches the token; the others offer what they are told
      if (shell !== 'fish') expect(offered).toEqual(hostile)
    })

    test('the line that is being typed is never executed', () => {
      completeIn(shell, 'calicoctl profile $(touch pwned) `touch pwned` ', ['add'])
      expect(existsSync(join(folder, 'pwned'))).toBe(false)
    })
  })
}

describe('bash', () => {
  test('replaces only what follows the last : or =, where bash breaks words', () => {
    expect(completeIn('bash', 'calicoctl pool remove fd00:', ['fd00::/64', 'fd00:1::/64']).offered).toEqual([':/64', '1::/64'])
    expect(completeIn('bash', 'calicoctl endpoint show --host=h', ['--host=h1', '--host=h2']).offered).toEqual(['h1', 'h2'])
  })
})
