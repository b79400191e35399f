/** What a command does only on a terminal: colours, stream by stream, and the line that says what a slow command waits for. And --debug. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {calicoctl} from '../support/cli.js'
import {startSilentServer} from '../support/silent-server.js'
import {onTerminal} from '../support/terminal.js'

let folder: string
const STORE = ['--datastore', 'embedded:store.json']
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-terminal-'))
  writeFileSync(join(folder, 'web.yaml'), 'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: web}\nspec: {}\n')
  expect((await calicoctl([...STORE, 'profile', 'add', 'web'], {cwd: folder})).code).toBe(0)
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const env = (more: Record<string, string> = {}): Record<string, string> => ({HOME: folder, CALICOCTL_JOURNAL: 'off', ...more})
const terminal = (line: string, more: Record<string, string> = {}, redirect = '') => onTerminal([...STORE, ...line.split(' ')], {cwd: folder, env: env(more), redirect})

const RED = '\u001b[31m'
const GREEN = '\u001b[32m'
const ANY = '\u001b['

describe('colours', () => {
  test('on a terminal: what was done is green, what failed red, a difference in its colours', async () => {
    expect((await terminal('profile add web2')).screen).toBe(`${GREEN}Created profile web2\u001b[0m\n`)
    expect((await terminal('profile web2 rule add inbound deny tcp')).screen).toContain(`${GREEN}profile/web2 updated`)
    expect((await terminal('pool remove 10.0.0.0/8')).screen).toContain(`${RED}Error:\u001b[0m 10.0.0.0/8 is not`)
    expect((await terminal('profile addd x')).screen).not.toContain(GREEN)
    expect((await terminal('diff -f web.yaml')).screen).toContain(`${RED}-`)
  })

  test.each<[string, Record<string, string>, string]>([
    ['NO_COLOR', {NO_COLOR: '1'}, ''],
    ['TERM=dumb', {TERM: 'dumb'}, ''],
    ['FORCE_COLOR=0', {FORCE_COLOR: '0'}, ''],
    ['--no-color, whatever the environment', {FORCE_COLOR: '1'}, ' --no-color'],
  ])('none: %s', async (_, more, option) => {
    for (const line of ['profile web tag add t', 'pool remove 10.0.0.0/8', 'diff -f web.yaml']) {
      const {screen} = await terminal(`${line}${option}`, more)
      expect(screen).toMatch(/Tag t added|unchanged|Error: 10|@@/)
      expect(screen).not.toContain(ANY)
    }
  })

  test('each stream by itself: the one that is a file gets none', async () => {
    const lines = 'pool remove 10.0.0.0/8'
    expect((await terminal(lines, {}, '2>errors; cat errors')).screen).not.toContain(ANY)
    expect((await terminal(lines, {}, '>data')).screen).toContain(RED)
    expect((await terminal('diff -f web.yaml', {}, '>data; cat data')).screen).not.toContain(ANY)
    expect((await terminal('diff -f web.yaml', {}, '2>errors')).screen).toContain(RED)
  })

  test('a pipe gets none, with FORCE_COLOR its colours, before NO_COLOR and TERM=dumb; nothing is warned of', async () => {
    const piped = (more: Record<string, string>) => calicoctl([...STORE, 'diff', '-f', 'web.yaml'], {cwd: folder, env: env(more)})
    const plain = await piped({})
    expect(plain.stdout).not.toContain(ANY)
    for (const more of [{FORCE_COLOR: '1'}, {FORCE_COLOR: '1', NO_COLOR: '1'}, {FORCE_COLOR: '1', TERM: 'dumb'}]) {
      const forced = await piped(more)
      expect(forced).toMatchObject({code: plain.code, stdout: expect.stringContaining(RED) as unknown, stderr: plain.stderr})
    }
    expect((await piped({FORCE_COLOR: ''})).stdout).toBe(plain.stdout)
  })
})

describe('an etcd that does not answer', () => {
  const slow = async (line: string) => {
    const server = await startSilentServer()
    try {
      return {...(await onTerminal(line.split(' '), {env: env({ETCD_ENDPOINTS: server.endpoint, NO_COLOR: '1'})})), endpoint: server.endpoint}
    } finally {
      await server.stop()
    }
  }

  test('on a terminal, after a second: what is waited for, once', async () => {
    const {screen, endpoint} = await slow('profile show --timeout 2500ms')
    expect(screen).toMatch(/^Connecting to etcd at .* …\nError: The etcd endpoint /m)
    expect(screen.split('Connecting to')).toHaveLength(2)
    expect(screen).toContain(`Connecting to etcd at ${endpoint} (from ETCD_ENDPOINTS) …\n`)
  })

  test('not in less than a second, not with -q, not where stderr is not a terminal', async () => {
    const server = await startSilentServer()
    const piped = calicoctl(['profile', 'show', '--timeout', '1500ms'], {env: env({ETCD_ENDPOINTS: server.endpoint})})
    const all = [(await slow('profile show --timeout 300ms')).screen, (await slow('profile show -q --timeout 1500ms')).screen, (await piped).stderr]
    await server.stop()
    for (const text of all) {
      expect(text).toContain('Error: ')
      expect(text).not.toContain('Connecting')
    }
  })
})

describe('--debug', () => {
  test('the stack trace leads to lines of the source, and the last line says where to report', async () => {
    const {stderr} = await calicoctl([...STORE, 'pool', 'remove', '10.0.0.0/8', '--debug'], {cwd: folder, env: env()})
    expect(stderr).toMatch(/\n {4}at .*\(src\/commands\/pool\/remove\.ts:\d+:\d+\)\n/)
    expect(stderr).not.toMatch(/-[0-9a-f]{12}\.js/)
    expect(stderr).toMatch(/\nTo report a bug, send this output to the publisher of this package\.\n$/)
  })

  test('the line of a batch too', async () => {
    const {stderr} = await calicoctl([...STORE, 'batch', '-', '--debug'], {cwd: folder, env: env(), stdin: 'pool remove 10.0.0.0/8\n'})
    expect(stderr).toContain('(src/commands/pool/remove.ts:')
  })
})
