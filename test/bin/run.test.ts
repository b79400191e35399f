/** The launcher: what it answers by itself, and how it leaves. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {spawnSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {openEmbedded} from '../../src/lib/datastore/embedded/embedded-datastore.js'
import {createBudget} from '../../src/lib/datastore/budget.js'
import {calicoctl, CALICOCTL, checkBuild, startCalicoctl} from '../support/cli.js'
import {startSilentServer, type SilentServer} from '../support/silent-server.js'

const ROOT = resolve(import.meta.dirname, '../..')
const {version} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {version: string}
/** Profiles in the store of these tests: enough that their list does not fit into a pipe (64 KiB). */
const PROFILES = 2500

let folder: string
let env: Record<string, string>

beforeAll(async () => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-run-'))
  env = {CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`}
  expect(await calicoctl(['profile', 'add', 'first'], {env})).toMatchObject({code: 0})
  const origin = {value: join(folder, 'store.json'), origin: 'the test'}
  const store = openEmbedded({type: 'embedded', path: origin}, createBudget({}))
  for (let i = 0; i < PROFILES; i += 125) {
    await store.transact({
      then: Array.from({length: 125}, (_, j) => {
        const name = `some-profile-with-a-long-name-${i + j}`
        return {
          put: `/calico/resources/v3/projectcalico.org/profiles/${name}`,
          value: JSON.stringify({kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {name}, spec: {}}),
        }
      }),
    })
  }
  store.close()
})

afterAll(() => rmSync(folder, {recursive: true, force: true}))

describe('the version', () => {
  test.each([[['version']], [['--version']], [['-V']]])('%j is exactly the version, without a datastore', async (args) => {
    expect(await calicoctl(args, {env: {ETCD_ENDPOINTS: 'http://127.0.0.1:1'}})).toEqual({code: 0, signal: null, stdout: `${version}\n`, stderr: ''})
  })

  test('a version with more words is judged by the grammar', async () => {
    const {code, stdout, stderr} = await calicoctl(['version', 'now'])
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toContain('Usage:')
  })
})

describe('pages of help that the build has rendered', () => {
  const pages = (): string[][] =>
    readdirSync(join(ROOT, 'dist/help')).map((file) => file.replace(/^calicoctl\.?|\.?txt$/g, '').split('.').filter((word) => word !== ''))

  test('there is one for every command and topic', () => {
    expect(pages()).toEqual(expect.arrayContaining([[], ['profile'], ['profile', 'rule', 'add'], ['exit-codes']]))
  })

  test('each is what the program itself says', async () => {
    const wrong: string[] = []
    for (const words of pages()) {
      if (words[0] === 'exit-codes') continue // not a command: only `help` knows it
      const [prepared, computed] = await Promise.all([calicoctl([...words, '--help']), calicoctl(['help', ...words])])
      if (prepared.code !== 0 || computed.code !== 0 || prepared.stdout === '' || prepared.stdout !== computed.stdout || prepared.stderr !== '') wrong.push(words.join(' '))
    }
    expect(wrong).toEqual([])
  }, 300_000)

  test.each([[['-h', 'profile', 'add']], [['profile', '-h', 'add']], [['profile', 'add', '-h']]])('the flag may stand anywhere: %j', async (args) => {
    expect(await calicoctl(args)).toEqual(await calicoctl(['profile', 'add', '--help']))
  })

  test('help with arguments between the words goes through the grammar', async () => {
    const {stdout} = await calicoctl(['profile', 'rule', 'add', '--help'])
    expect(await calicoctl(['profile', 'web', 'rule', 'add', '--help'])).toEqual({code: 0, signal: null, stdout, stderr: ''})
  })

  test('a path out of the folder is not a page', async () => {
    expect(await calicoctl(['../version', '--help'])).toMatchObject({code: 1})
  })
})

describe('leaving', () => {
  const names = Array.from({length: PROFILES}, (_, i) => `some-profile-with-a-long-name-${i}`)

  test('a slow reader gets everything', async () => {
    const running = startCalicoctl(['profile', 'show', '-o', 'name'], {env})
    running.process.stdout?.pause()
    await new Promise((settle) => setTimeout(settle, 700))
    running.process.stdout?.resume()
    const {code, stdout} = await running.result
    expect(code).toBe(0)
    const shown = new Set(stdout.split('\n').filter((line) => line !== ''))
    expect(shown.size).toBe(PROFILES + 1)
    expect(names.filter((name) => !shown.has(name))).toEqual([])
  })

  /** SCRIPT in bash, where $C is the command. */
  const shell = (script: string) =>
    spawnSync('bash', ['-o', 'pipefail', '-c', script], {encoding: 'utf8', env: {PATH: process.env.PATH, HOME: folder, C: `${process.execPath} ${CALICOCTL}`, ...env}})

  test.each(['profile show -o name', 'profile show', 'get profiles -o json', '--help'])('a reader that has seen enough is not a fault: %s | head -1', (line) => {
    const {stdout, stderr, status} = shell(`$C ${line} | head -1`)
    expect({lines: stdout.split('\n').length, stderr, status}).toEqual({lines: 2, stderr: '', status: 0})
  })

  test.each(['version', '--help', 'profile show'])('a full disk is one: %s', (line) => {
    const {stderr, status} = shell(`$C ${line} > /dev/full`)
    expect(status).toBe(1)
    expect(stderr).toMatch(/^Error: The output cannot be written: /)
  })

  test('an error\'s exit code reaches a pipe\'s end', () => {
    expect(shell('$C profile add 2>&1 | cat').status).toBe(1)
  })
})

describe('signals before anything has been done', () => {
  let silent: SilentServer
  beforeAll(async () => {
    silent = await startSilentServer()
  })
  afterAll(() => silent.stop())

  test.each([5, 25, 45, 65, 90, 120])('SIGINT after %d ms', async (delay) => {
    const {process: child, result} = startCalicoctl(['profile', 'show'], {env: {ETCD_ENDPOINTS: silent.endpoint}})
    setTimeout(() => child.kill('SIGINT'), delay)
    const {code, signal, stdout} = await result
    // Until Node has read our first line, the signal itself ends it: a shell says 130 to both.
    expect(signal === 'SIGINT' ? 130 : code).toBe(130)
    expect(stdout).toBe('')
  })
})
