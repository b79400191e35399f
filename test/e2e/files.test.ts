/** The built command on disks that are full, with files that are none, and without a working directory. */
import {execFileSync, spawnSync} from 'node:child_process'
import {chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, type Result} from '../support/cli.js'
import {smallDisk, type SmallDisk} from '../support/small-disk.js'
import {calicoctl} from '../support/warm.js'

let folder: string
let store: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-files-'))
  store = `embedded:${join(folder, 'store.json')}`
})
afterEach(() => rmSync(folder, {recursive: true, force: true}))

const run = (line: string, options: Parameters<typeof calicoctl>[1] = {}): Promise<Result> => calicoctl(line.split(' '), {...options, env: {CALICO_DATASTORE: store, ...options.env}})
const profiles = async (): Promise<string[]> => (await run('-q profile show -o name')).stdout.split('\n').filter((line) => line !== '')

describe('output that cannot be written', () => {
  let full: number
  beforeEach(() => void (full = openSync('/dev/full', 'w')))
  afterEach(() => closeSync(full))

  test('stdout: 9, and what was made, where something was; the next one, which changes nothing, is an error', async () => {
    const {code, stderr} = await run('profile add web', {outputs: {stdout: full}})
    expect({code, stderr}).toEqual({code: 9, stderr: expect.stringContaining('Error: The output cannot be written: no space left on the device. These changes were made: ') as unknown})
    expect(stderr).toContain('profile/web')
    expect(await profiles()).toEqual(['web'])
    expect((await run('profile add web', {outputs: {stdout: full}})).code).toBe(1)
  })
  test('stderr: 9 where something was made, else not 0', async () => {
    expect((await run('profile add web', {outputs: {stderr: full}})).code).toBe(9)
    expect(await profiles()).toEqual(['web'])
    expect((await run('profile web tag add web', {outputs: {stderr: full}})).code).toBe(1)
  })
  test('both', async () => {
    expect((await run('profile add web', {outputs: {stdout: full, stderr: full}})).code).toBe(9)
  })
  test.each(['profile show', 'version', '--help', 'profile --help', 'completion bash', 'config view', 'profile add web --dry-run', 'help profile'])('%s: 1', async (line) => {
    const {code, stderr} = await run(line, {outputs: {stdout: full}})
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/(^|\n)Error: The output cannot be written: no space left on the device\.\n/) as unknown})
    expect((await run(line, {outputs: {stdout: full, stderr: full}})).code).toBe(1)
  })
  test('a check that finds problems keeps its code, and says that they could not be printed', async () => {
    await run('profile add web')
    await run('profile web rule add inbound allow tcp from tag nosuch')
    const {code, stderr} = await run('lint', {outputs: {stdout: full}})
    expect({code, stderr}).toEqual({code: 10, stderr: expect.stringMatching(/(^|\n)Warning: The output cannot be written: no space left on the device\.\n/) as unknown})
  })
  test('a command that fails keeps its code', async () => {
    expect((await run('profile nosuch rule show', {outputs: {stdout: full}})).code).toBe(4)
    expect((await run('profile nosuch rule show', {outputs: {stdout: full, stderr: full}})).code).toBe(4)
  })
  test('what is cut by a disk that becomes full is not a success', async () => {
    const disk = smallDisk()
    if (!disk) return
    try {
      for (const name of ['a', 'b', 'c']) await run(`profile add ${name}`)
      disk.fill(4096)
      const output = openSync(join(disk.folder, 'out'), 'w')
      writeFileSync(output, 'x'.repeat(4090))
      const {code, stderr} = await run('profile show', {outputs: {stdout: output}})
      closeSync(output)
      expect({code, stderr}).toEqual({code: 1, stderr: expect.stringContaining('no space left on the device') as unknown})
    } finally {
      disk.remove()
    }
  })
})

describe('a full disk', () => {
  let disk: SmallDisk | undefined
  beforeEach(() => void (disk = smallDisk()))
  afterEach(() => disk?.remove())

  test('the embedded store: 1, and it is what it was', async () => {
    if (!disk) return
    const file = join(disk.folder, 'store.json')
    const env = {CALICO_DATASTORE: `embedded:${file}`}
    expect((await run('profile add web', {env})).code).toBe(0)
    const before = readFileSync(file, 'utf8')
    disk.fill(4096) // for the lock
    const {code, stdout, stderr} = await run('profile add db', {env})
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toContain('no space left on the device')
    disk.fill(0)
    const nextToNothing = await run('profile add db', {env})
    expect({code: nextToNothing.code, stderr: nextToNothing.stderr}).toEqual({code: 1, stderr: expect.stringContaining('no space left on the device') as unknown})
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(readdirSync(disk.folder).sort()).toEqual(['filler', 'store.json'])
    rmSync(join(disk.folder, 'filler'))
    expect((await run('profile add db', {env})).code).toBe(0)
  })

  test('mesos config: 1, and the agent\'s file is what it was', async () => {
    if (!disk) return
    const root = disk.folder
    mkdirSync(join(root, 'etc/default'), {recursive: true})
    const file = join(root, 'etc/default/mesos-slave')
    const old = `${'# a line of somebody\n'.repeat(300)}MESOS_LAST=line\n`
    writeFileSync(file, old)
    disk.fill(4096)
    const env = {CALICO_DATASTORE: undefined, ETCD_ENDPOINTS: 'http://192.0.2.1:2379'}
    const {code, stderr} = await run(`mesos config --style rpm --root ${root} --yes`, {env: env})
    expect(stderr).toContain('no space left on the device')
    expect([1, 9]).toContain(code)
    expect(readFileSync(file, 'utf8')).toBe(old)
  })
})

describe('files that are none', () => {
  const pipe = (): string => {
    const path = join(folder, 'pipe')
    if (!existsSync(path)) execFileSync('mkfifo', [path])
    return path
  }
  const noStore = {CALICO_DATASTORE: undefined as never}
  test.each([
    ['PIPE', 'it is not a regular file'],
    ['FOLDER', 'it is a folder'],
    ['/dev/zero', 'it is not a regular file'],
    ['/dev/full', 'it is not a regular file'],
  ])('%s as configuration file, CA, certificate, key', async (what, why) => {
    const path = what.replace('PIPE', pipe()).replace('FOLDER', folder)
    const config = await run(`config view --config ${path}`, {env: noStore})
    expect(config).toMatchObject({code: 1, stderr: expect.stringContaining(`the configuration file ${path} cannot be read: ${why}`) as unknown})
    const pems = await run('profile show', {env: {...noStore, ETCD_ENDPOINTS: 'https://192.0.2.1:2379', ETCD_CA_CERT_FILE: path, ETCD_CERT_FILE: path, ETCD_KEY_FILE: path}})
    expect(pems.code).toBe(1)
    for (const name of ['CA certificate', 'client certificate', 'client key']) expect(pems.stderr).toContain(`the ${name} ${path} cannot be read: ${why}`)
  })

  const BOMB = ['a: &a [x,x,x,x,x,x,x,x,x]', ...Array.from({length: 8}, (_, i) => `${'bcdefghi'[i]}: &${'bcdefghi'[i]} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)].join('\n')
  test.each([
    ['an alias bomb', BOMB],
    ['deep brackets', '['.repeat(200_000)],
    ['deep brackets that are closed', `${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['deep braces', '{a: '.repeat(100_000)],
    ['deep lists', '- '.repeat(100_000)],
    ['deep keys', '? '.repeat(100_000)],
    ['deep maps', Array.from({length: 1100}, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('%s in a configuration file', async (_, text) => {
    const path = join(folder, 'calicoctl.cfg')
    writeFileSync(path, text)
    const {code, stderr} = await run(`config view --config ${path}`, {env: noStore})
    expect({code, stderr}).toEqual({code: 1, stderr: expect.stringContaining(`${path}: `) as unknown})
    expect(stderr).not.toMatch(/bug in calicoctl|Maximum call stack|RangeError/)
    expect(stderr.length).toBeLessThan(2000)
  })
})

test('a password in a configuration file that others can read: a warning', async () => {
  const path = join(folder, 'calicoctl.cfg')
  writeFileSync(path, 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdEndpoints: http://192.0.2.1:2379\n  etcdUsername: rw\n  etcdPassword: hush-hush\n', {mode: 0o644})
  const view = (): Promise<Result> => run(`config view --config ${path}`, {env: {CALICO_DATASTORE: undefined}})
  const {code, stderr} = await view()
  expect({code, stderr}).toEqual({code: 0, stderr: `Warning: every user of this host can read the password of etcd in ${path}; remove this permission: chmod o-r ${path}\n`})
  chmodSync(path, 0o640)
  expect((await view()).stderr).toBe('')
})

test('under umask 000 nothing is open to others', () => {
  const {status} = spawnSync('sh', ['-c', 'umask 000; exec "$@"', 'sh', process.execPath, CALICOCTL, 'profile', 'add', 'web'], {env: {PATH: process.env.PATH, HOME: folder, CALICO_DATASTORE: `embedded:${folder}/state/calicoctl/store.json`}})
  expect([status, ...['state', 'state/calicoctl', 'state/calicoctl/store.json'].map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8))]).toEqual([0, '700', '700', '600'])
})

describe('a working directory that is gone', () => {
  const inGone = (line: string, env: Record<string, string> = {CALICO_DATASTORE: store}) => {
    const gone = mkdtempSync(join(folder, 'gone-'))
    const {status, stdout, stderr} = spawnSync('sh', ['-c', 'rmdir "$PWD"; exec "$@"', 'sh', process.execPath, CALICOCTL, ...line.split(' ')], {cwd: gone, env: {PATH: process.env.PATH, HOME: folder, ...env}, encoding: 'utf8'})
    return {status, stdout, stderr}
  }
  test('is not a fault', () => {
    expect(inGone('profile add web')).toMatchObject({status: 0, stdout: 'Created profile web\n'})
    expect(inGone('profile show -o name')).toEqual({status: 0, stdout: 'web\n', stderr: ''})
    expect(inGone('--help')).toMatchObject({status: 0, stderr: ''})
    expect(inGone('nosuch').status).toBe(1)
    expect(inGone('checksystem').stderr).not.toContain('bug in calicoctl')
    expect(inGone(`mesos config --style rpm --dry-run --root ${folder}`, {ETCD_ENDPOINTS: 'http://192.0.2.1:2379'})).toMatchObject({status: 0})
  })
  test('is told where a relative path is asked for', () => {
    expect(inGone('profile show', {CALICO_DATASTORE: 'embedded:x/store.json'})).toMatchObject({status: 1, stderr: expect.stringContaining('the working directory does not exist any more') as unknown})
    expect(inGone('mesos check --root x', {ETCD_ENDPOINTS: 'http://192.0.2.1:2379'})).toMatchObject({status: 1, stderr: expect.not.stringContaining('bug in calicoctl') as unknown})
  })
})
