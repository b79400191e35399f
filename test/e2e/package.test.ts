/** The package as npm installs it: into an empty folder, without a network, and what its code caches may suffer. */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {execFileSync, spawnSync} from 'node:child_process'
import {chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {MAIN_JOB} from '../../scripts/main-job.mjs'
import {calicoctl, checkBuild, type Result} from '../support/cli.js'
import {unmarked} from '../support/pages.js'

const ROOT = resolve(import.meta.dirname, '../..')
const {version} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {version: string}
/** A user who owns nothing. */
const NOBODY = 65534
const AS_ROOT = process.geteuid?.() === 0

let folder: string
/** The installed package. */
let installed: string

beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-package-'))
  chmodSync(folder, 0o755)
  // README's lines, into a folder of the test's own, without a network and without another build.
  const [pack = '', install = ''] = unmarked('README.md').find((block) => block.startsWith('npm ci'))?.replace('npm ci && ', '').split('\n') ?? []
  const quietly = {PATH: process.env.PATH, HOME: folder, npm_config_loglevel: 'silent', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false', npm_config_cache: join(folder, 'npm')}
  const type = (line: string, cwd: string, env: Record<string, string>) => execFileSync('sh', ['-c', line], {cwd, stdio: ['ignore', 'ignore', 'inherit'], env: {...quietly, ...env}})
  type(pack, ROOT, {npm_config_ignore_scripts: 'true', npm_config_pack_destination: folder})
  type(install, folder, {npm_config_offline: 'true', npm_config_prefix: join(folder, 'app')})
  installed = join(folder, 'app/lib/node_modules/calicoctl')
})

afterAll(() => rmSync(folder, {recursive: true, force: true}))

describe('an installation', () => {
  test('has what it needs and nothing else', () => {
    expect(readdirSync(join(folder, 'app/lib/node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['calicoctl'])
    expect(readdirSync(installed).sort()).toEqual(['CHANGELOG.md', 'Dockerfile', 'LICENSE', 'README.md', 'bin', 'dist', 'docs', 'package.json'])
    expect(readFileSync(join(installed, 'dist/LICENSES.txt'), 'utf8')).toContain('etcd3 ')
  })

  test('answers through the link that npm makes', () => {
    const {stdout, status} = spawnSync(join(folder, 'app/bin/calicoctl'), ['version'], {encoding: 'utf8'})
    expect({stdout, status}).toEqual({stdout: `${version}\n`, status: 0})
  })

  test('has the Mesos plugin under its own name: through npm\'s link, and through the link that the guides make to that one', () => {
    const link = join(folder, 'app/bin/calico_mesos')
    const guides = join(folder, 'calico_mesos')
    symlinkSync(link, guides)
    const env = {PATH: process.env.PATH, CALICO_MESOS_LOG_FILE: '/dev/null', CALICO_NODENAME: 'agent1', CALICO_DATASTORE: `embedded:${join(folder, 'mesos.json')}`}
    const ask = (command: string, request: object) => {
      const {stdout, stderr, status} = spawnSync(command, {encoding: 'utf8', env, input: JSON.stringify(request)})
      return {stdout, stderr, status}
    }
    for (const command of [link, guides]) expect(ask(command, {})).toEqual({stdout: '{"error":"Missing command"}', stderr: '', status: 1})
    const args = {hostname: 'agent1', num_ipv4: 0, num_ipv6: 0, uid: 'u1', netgroups: ['my-group-1']}
    expect(ask(guides, {command: 'allocate', args})).toEqual({stdout: '{"error":null,"ipv4":[],"ipv6":[]}', stderr: '', status: 0})
  })

  test('does the main job', async () => {
    const env = {CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`}
    const outputs: Record<string, string> = {}
    for (const line of MAIN_JOB) {
      const {code, stdout, stderr} = await calicoctl(line.split(' '), {env, command: join(installed, 'bin/run.js')})
      expect({line, code, stderr: code === 0 ? '' : stderr}).toEqual({line, code: 0, stderr: ''})
      outputs[line] = stdout
    }
    expect(outputs['profile backend rule show']).toBe(
      'Inbound rules:\n   1 allow from tag backend\n   2 allow tcp from tag frontend to ports 9000\nOutbound rules:\n   1 allow\n',
    )
    expect(outputs['pool show']).toContain('| 192.168.0.0/16 | nat-outgoing |')
    expect(outputs['profile show --detailed']).toContain('management-ui')
  })
})

describe('code caches', () => {
  let copy: string
  beforeEach(() => {
    copy = mkdtempSync(join(folder, 'copy-'))
    chmodSync(copy, 0o755)
    cpSync(installed, copy, {recursive: true})
  })

  const caches = (): string[] => readdirSync(join(copy, 'dist')).filter((file) => file.endsWith('.cache')).map((file) => join(copy, 'dist', file))
  /** That of the build: a tree that was built before has an older core too. */
  const coreCache = (): string => {
    const {core} = JSON.parse(readFileSync(join(copy, 'dist/chunks.json'), 'utf8')) as {core: string}
    return caches().find((file) => file.includes(`/${core}.`)) ?? ''
  }

  /** A write on the embedded store, which loads the core, as the user UID. */
  function addProfile(uid?: number): Result {
    const home = mkdtempSync(join(folder, 'home-'))
    if (uid !== undefined) chownSync(home, uid, uid)
    const {status, signal, stdout, stderr} = spawnSync(process.execPath, [join(copy, 'bin/run.js'), 'profile', 'add', 'web'], {
      encoding: 'utf8',
      cwd: home,
      env: {PATH: process.env.PATH, HOME: home, CALICO_DATASTORE: `embedded:${join(home, 'store.json')}`},
      ...(uid === undefined ? {} : {uid, gid: uid}),
    })
    return {code: status, signal, stdout, stderr}
  }

  const works = expect.objectContaining({code: 0, stdout: 'Created profile web\n'})

  test('come with the package, for the Node that built it', () => {
    expect(caches().map((file) => file.replace(/^.*\/dist\/(\w+)-[0-9a-f]+\.js/, '$1')).sort()).toEqual(expect.arrayContaining([`core.${process.version}-${process.arch}.cache`, `store.${process.version}-${process.arch}.cache`]))
  })

  test.each([
    ['zeros in one page', (bytes: Buffer) => bytes.fill(0, 8192, 12288)],
    ['other bytes everywhere', (bytes: Buffer) => bytes.fill(0x5a)],
    ['its end missing', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['nothing in it', () => Buffer.alloc(0)],
    ['three bytes', () => Buffer.from('abc')],
  ])('a cache with %s is passed over and left alone', (_, damage) => {
    const bytes = readFileSync(coreCache())
    const damaged = Buffer.from(damage(Buffer.from(bytes)))
    expect(damaged.equals(bytes)).toBe(false)
    writeFileSync(coreCache(), damaged)
    expect(addProfile()).toEqual(works)
    expect(readFileSync(coreCache()).equals(damaged)).toBe(true)
  })

  test('a cache of other code is passed over and left alone', () => {
    const other = caches().find((file) => file.includes('/store-')) ?? ''
    copyFileSync(other, coreCache())
    expect(addProfile()).toEqual(works)
    expect(readFileSync(coreCache()).equals(readFileSync(other))).toBe(true)
  })

  test('missing ones, as for another Node, are made by the first run that could use them', () => {
    const core = coreCache()
    for (const file of caches()) rmSync(file)
    expect(addProfile()).toEqual(works)
    expect(caches()).toContain(core)
    const made = statSync(core)
    expect(made.mode & 0o777).toBe(0o644)
    expect(readdirSync(dirname(core)).filter((file) => file.endsWith('.tmp'))).toEqual([])
    expect(addProfile()).toEqual(works)
    expect(statSync(core).mtimeMs).toBe(made.mtimeMs)
  })

  test('an installation that cannot be written works without them', () => {
    for (const file of caches()) rmSync(file)
    chmodSync(join(copy, 'dist'), 0o555)
    expect(addProfile(AS_ROOT ? NOBODY : undefined)).toEqual(works)
    expect(caches()).toEqual([])
  })

  // only root can become another user
  ;(AS_ROOT ? test : test.skip)('nobody but the owner of the code adds one, whatever the folder allows', () => {
    for (const file of caches()) rmSync(file)
    chmodSync(join(copy, 'dist'), 0o777)
    expect(addProfile(NOBODY)).toEqual(works)
    expect(caches()).toEqual([])
  })

  test('a tree that has not been built says so', () => {
    rmSync(join(copy, 'dist'), {recursive: true})
    const {code, stdout, stderr} = addProfile()
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toContain('npm run build')
    expect(existsSync(join(copy, 'dist'))).toBe(false)
  })
})
