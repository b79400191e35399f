/** The exit codes on a command's help page are complete: what its own source can end with stands there. */
import {readdirSync, readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {expect, test} from '@jest/globals'
import {codesOnPage} from '../support/help-pages.js'

const COMMANDS = resolve(import.meta.dirname, '../../src/commands')

/** What in the source of a command makes it end with a code. */
const SIGNS: readonly (readonly [code: number, sign: RegExp])[] = [
  [2, /requireNetworkAdministrator\(|'not-root'/],
  [4, /CalicoError\('not-found'/],
  [5, /CalicoError\('conflict'/],
  [8, /CalicoError\('refused'/],
  [9, /CalicoError\('unknown'/],
  [10, /CalicoError\('problems'|EXIT_CODES\.problems/],
  [130, /watch: Flags|watchRounds/],
]

/** Commands that are not hidden: those have no page. */
const files = readdirSync(COMMANDS, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts') && !/^__|^datastore\/migrate\//.test(file))

test.each(files)('%s', (file) => {
  const source = readFileSync(join(COMMANDS, file), 'utf8').replaceAll(/isError\([^)]*\)/g, '')
  const words = file.slice(0, -'.ts'.length).split('/')
  const missing = SIGNS.filter(([code, sign]) => sign.test(source) && !codesOnPage(words).includes(code)).map(([code]) => code)
  expect(missing).toEqual([])
})

test('commands that check something have 10, and only they', () => {
  const with10 = files.map((file) => file.slice(0, -'.ts'.length)).filter((id) => codesOnPage(id.split('/')).includes(10)).sort()
  expect(with10).toEqual(['batch', 'checksystem', 'endpoint/gc', 'ipam/check', 'lint', 'mesos/check', 'mesos/gc', 'policy/explain', 'policy/test', 'status'])
})
