/** What `npm run verify` installs is all that the tests start: a machine with nothing but Node and Debian has no more. */
import {readdirSync, readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {expect, test} from '@jest/globals'
import {BASE_PROGRAMS, TEST_PROGRAMS} from '../../scripts/test-programs.mjs'

const ROOT = resolve(import.meta.dirname, '../..')

/** Asked where it is installed; what it judges is tested without it too. A whole systemd is not installed for it. */
const WHERE_THERE = ['systemd-analyze']

/** A program that node:child_process is told to start by name, and a `command -v NAME`. What a shell's text starts is not seen. */
const STARTED = /(?:\b(?:spawn|spawnSync|execFile|execFileSync)\)?\(\s*'|\bcommand -v )([a-z][a-z0-9_.-]*)(?![a-z0-9_./-])/g

function startedPrograms(): Map<string, string> {
  const files = ['test', 'bench', 'examples'].flatMap((folder) => readdirSync(join(ROOT, folder), {recursive: true, encoding: 'utf8'}).map((name) => join(folder, name)))
  const sources = files.filter((name) => /\.(ts|mjs|sh)$/.test(name))
  return new Map(sources.flatMap((name) => [...readFileSync(join(ROOT, name), 'utf8').matchAll(STARTED)].map(([, program = '']): [string, string] => [program, name])))
}

test('every program that a test starts is installed by verify, or is in Debian\'s essential packages', () => {
  const started = startedPrograms()
  expect(started.size).toBeGreaterThan(10)
  const declared = new Set<string>([...WHERE_THERE, ...BASE_PROGRAMS, ...TEST_PROGRAMS.map(([program]) => program)])
  expect([...started].filter(([program]) => !declared.has(program))).toEqual([])
})

test('the programs of the host that the command itself uses, and the shells that it completes for, are installed too', () => {
  const programs = TEST_PROGRAMS.map(([program]) => program)
  expect(programs).toEqual(expect.arrayContaining(['ip', 'iptables', 'nft', 'ipset', 'sysctl', 'zsh', 'fish', 'docker', 'etcd']))
})
