/** `datastore save|restore|lock|unlock|status` by the built command, on both stores: exit codes, what is stored, and what is true after faults. */
import {spawnSync} from 'node:child_process'
import {createHash, randomBytes} from 'node:crypto'
import {closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gunzipSync, gzipSync} from 'node:zlib'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, type Options, type Result, startCalicoctl} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {type Proxy, startProxy} from '../support/proxy.js'
import {smallDisk} from '../support/small-disk.js'
import {calicoctl} from '../support/warm.js'

const CLUSTER = '/calico/resources/v3/projectcalico.org/clusterinformations/default'

let folder: string
let etcd: TestEtcd
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-datastore-'))
  etcd = await startEtcd()
})
afterAll(async () => {
  rmSync(folder, {recursive: true})
  await etcd.stop()
})

/** A backup of ENTRIES in the form of our files. */
function backup(entries: readonly (readonly [string, string])[], {format = 1, tail = ''}: {format?: number; tail?: string} = {}): Buffer {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
  const lines = [JSON.stringify({apiVersion: 'calicoctl/v1', kind: 'DatastoreBackup', format, clusterGUID: 'a'.repeat(32), revision: '7', savedAt: '2026-11-28T00:00:00.000Z'}), ...sorted.map((entry) => JSON.stringify(entry))]
  const text = lines.map((line) => `${line}\n`).join('')
  return gzipSync(`${text}${JSON.stringify({keys: entries.length, sha256: createHash('sha256').update(text).digest('hex')})}\n${tail}`)
}
const INFORMATION = JSON.stringify({kind: 'ClusterInformation', apiVersion: 'projectcalico.org/v3', metadata: {name: 'default'}, spec: {clusterGUID: 'a'.repeat(32), datastoreReady: true}})

describe.each(['embedded', 'etcd'] as const)('on %s', (kind) => {
  let number = 0
  let env: Record<string, string>
  beforeEach(async () => {
    number++
    if (kind === 'etcd') await etcd.ctl('del', '--prefix', '/')
    env = kind === 'etcd' ? {ETCD_ENDPOINTS: etcd.endpoints.join(',')} : {CALICO_DATASTORE: `embedded:${join(folder, `${number}.json`)}`}
  })
  const run = (line: string, options: Options = {}): Promise<Result> => calicoctl(line.split(' '), {env, ...options})
  const given = async (...lines: string[]): Promise<void> => {
    for (const line of lines) expect(await run(line)).toMatchObject({code: 0})
  }
  /** What LINE writes to stdout, as bytes. */
  const piped = async (line: string): Promise<Buffer> => {
    const fd = openSync(path('stdout'), 'w')
    expect(await run(line, {outputs: {stdout: fd}})).toMatchObject({code: 0})
    closeSync(fd)
    return readFileSync(path('stdout'))
  }
  const path = (name: string): string => join(folder, `${number}-${name}`)
  /** All that the store holds, by our own backup. */
  const contents = async (): Promise<string[]> => {
    expect(await run(`datastore save ${path('contents')}`)).toMatchObject({code: 0})
    return gunzipSync(readFileSync(path('contents'))).toString().split('\n').slice(1, -2)
  }

  test('a restore gives every byte back, deletes what the backup lacks, and checks the addresses', async () => {
    await given('pool add 10.0.0.0/16', 'profile add web', 'ipam assign 10.0.0.5')
    expect(await run(`datastore save ${path('b.gz')}`)).toMatchObject({code: 0, stdout: '', stderr: expect.stringMatching(/^Saved 1\d keys of the cluster [0-9a-f]{32} at revision \d+\n$/) as unknown})
    expect(statSync(path('b.gz')).mode & 0o777).toBe(0o600)
    const before = await contents()
    await given('profile remove web', 'profile add db', 'pool add 10.9.0.0/16', 'ipam assign 10.0.0.6')
    const changed = await contents()
    expect(await run(`datastore restore ${path('b.gz')}`)).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining('--replace') as unknown})
    expect(await run(`datastore restore ${path('b.gz')} --replace --dry-run`)).toMatchObject({code: 0, stdout: expect.stringMatching(/^ippools: 1 deleted\nprofiles: 1 created, 1 deleted\n/m) as unknown})
    expect(await contents()).toEqual(changed)
    expect(await run(`datastore restore ${path('b.gz')} --replace`)).toMatchObject({code: 0, stdout: '', stderr: expect.stringMatching(/Checked 1 assigned addresses in 1 blocks: no problems\n$/) as unknown})
    expect(await contents()).toEqual(before)
  })

  test('an empty store takes a backup of another cluster as it is; - is stdin and stdout', async () => {
    const entries = [[CLUSTER, INFORMATION], ['/calico/x/\u{10000}', 'ü\n"'], ['/calico/x/\ue000', '']] as const
    const lines = [entries[0], entries[2], entries[1]].map((entry) => JSON.stringify(entry)) // by their UTF-8
    writeFileSync(path('b.gz'), rebuilt(lines))
    expect(await run(`datastore restore ${path('b.gz')} --expect-cluster ${'b'.repeat(32)}`)).toMatchObject({code: 6})
    expect(await run(`datastore restore ${path('b.gz')} --expect-cluster ${'a'.repeat(32)}`)).toMatchObject({code: 0})
    expect(await contents()).toEqual(lines)
    const saved = gunzipSync(await piped('datastore save -'))
    expect(saved.toString().split('\n').slice(1, -2)).toEqual(lines)
    expect(await run('datastore restore - --replace', {stdin: 'no backup'})).toMatchObject({code: 1, stderr: expect.stringContaining('stdin is not a valid backup') as unknown})
  })

  test('what is not a valid backup is refused before anything is written', async () => {
    await given('profile add web')
    const before = await contents()
    for (const [what, bytes] of [
      ['cut short', () => backup([[CLUSTER, INFORMATION]]).subarray(0, -20)],
      ['without its end', () => gzipSync(`${gunzipSync(backup([[CLUSTER, INFORMATION]])).toString().split('\n').slice(0, 2).join('\n')}\n`)],
      ['changed', () => gzipSync(gunzipSync(backup([[CLUSTER, INFORMATION]])).toString().replace('default', 'defaulT'))],
      ['of another version', () => backup([[CLUSTER, INFORMATION]], {format: 2})],
      ['with something behind its end', () => backup([[CLUSTER, INFORMATION]], {tail: 'x\n'})],
      ['with keys elsewhere', () => backup([[CLUSTER, INFORMATION], ['/registry/x', '']])],
      ['without cluster information', () => backup([['/calico/x', '']])],
      ['not a gzip', () => Buffer.from('hello')],
      ['empty', () => Buffer.alloc(0)],
    ] as const) {
      writeFileSync(path('bad.gz'), bytes())
      expect({what, ...(await run(`datastore restore ${path('bad.gz')} --replace`))}).toMatchObject({what, code: 1, stderr: expect.stringContaining('Nothing was changed') as unknown})
    }
    expect(await contents()).toEqual(before)
  })

  test('a store that somebody else has locked is refused; lock and unlock say what they found', async () => {
    expect(await run('datastore unlock')).toMatchObject({code: 6})
    expect(await run('datastore lock')).toMatchObject({code: 0, stdout: 'Datastore locked.\n', stderr: expect.not.stringContaining('created') as unknown})
    expect(await run('datastore migrate lock')).toMatchObject({code: 0, stdout: 'Datastore locked.\n', stderr: ''})
    expect(await run('profile add web')).toMatchObject({code: 8, stderr: expect.stringContaining('calicoctl datastore unlock') as unknown})
    expect(JSON.parse((await run('datastore status -o json')).stdout)).toMatchObject({kind: 'DatastoreStatus', state: 'locked', counts: {tiers: 3}})
    writeFileSync(path('b.gz'), backup([[CLUSTER, INFORMATION]]))
    expect(await run(`datastore restore ${path('b.gz')} --replace`)).toMatchObject({code: 8, stderr: expect.stringContaining('locked by another client') as unknown})
    expect(await run('datastore migrate unlock')).toMatchObject({code: 0, stdout: 'Datastore unlocked.\n'})
    await given('profile add web')
    expect(JSON.parse((await run('datastore status -o json')).stdout)).toMatchObject({state: 'ready', counts: {profiles: 1}})
  })

  test('killed half-way, the store stays locked, and the same command completes it', async () => {
    const entries: [string, string][] = [[CLUSTER, INFORMATION]]
    const keys = kind === 'etcd' ? 20_000 : 3_000
    for (let at = 0; at < keys; at++) entries.push([`/calico/resources/v3/projectcalico.org/futures/${String(at).padStart(6, '0')}`, `{"value":${at}}`])
    writeFileSync(path('b.gz'), backup(entries))
    await given('profile add web')
    const {process: child, result} = startCalicoctl(['datastore', 'restore', path('b.gz'), '--replace'], {env, timeoutMs: 60_000})
    // Until it has written something, other than the lock: then it is killed.
    for (let begun = false; !begun && child.exitCode === null; ) {
      begun = kind === 'etcd' ? (await etcd.ctl('get', entries[1]?.[0] ?? '', '--keys-only')) !== '' : readFileSync(join(folder, `${number}.json`), 'utf8').includes('futures/000000')
    }
    child.kill('SIGKILL')
    expect(await result).toMatchObject({code: null, signal: 'SIGKILL'})
    expect(await run('profile add db')).toMatchObject({code: 8, stderr: expect.stringContaining('calicoctl datastore restore FILE') as unknown})
    expect(await run('datastore unlock')).toMatchObject({code: 8, stderr: expect.stringContaining('--force') as unknown})
    writeFileSync(path('other.gz'), backup([[CLUSTER, INFORMATION]]))
    expect(await run(`datastore restore ${path('other.gz')}`)).toMatchObject({code: 8, stderr: expect.stringContaining('another backup') as unknown})
    expect(await run(`datastore restore ${path('b.gz')}`, {timeoutMs: 60_000})).toMatchObject({code: 0, stderr: expect.stringContaining('it is completed now') as unknown})
    expect(await contents()).toEqual(gunzipSync(readFileSync(path('b.gz'))).toString().split('\n').slice(1, -2))
  })

  test('Ctrl-C in the middle of a restore: locked, and how to go on is said', async () => {
    const entries: [string, string][] = [[CLUSTER, INFORMATION]]
    const keys = kind === 'etcd' ? 20_000 : 3_000
    for (let at = 0; at < keys; at++) entries.push([`/calico/resources/v3/projectcalico.org/futures/${String(at).padStart(6, '0')}`, `{"value":${at}}`])
    writeFileSync(path('b.gz'), backup(entries))
    const {process: child, result} = startCalicoctl(['datastore', 'restore', path('b.gz')], {env, timeoutMs: 60_000})
    for (let begun = false; !begun && child.exitCode === null; ) {
      begun = kind === 'etcd' ? (await etcd.ctl('get', entries[1]?.[0] ?? '', '--keys-only')) !== '' : readdirSync(folder).includes(`${number}.json`) && readFileSync(join(folder, `${number}.json`), 'utf8').includes('futures/000000')
    }
    child.kill('SIGINT')
    expect(await result).toMatchObject({code: 130, stderr: expect.stringMatching(/Interrupted: .*the datastore stays locked.*run the command again with the same file/) as unknown})
    expect(JSON.parse((await run('datastore status -o json')).stdout)).toMatchObject({state: 'locked', unfinishedRestore: expect.any(String) as unknown})
  })

  test('Ctrl-C in the middle of a save: the backup that was there stays, and no part of a new one', async () => {
    const entries: [string, string][] = [[CLUSTER, INFORMATION]]
    const keys = kind === 'etcd' ? 20_000 : 5_000
    for (let at = 0; at < keys; at++) entries.push([`/calico/resources/v3/projectcalico.org/futures/${String(at).padStart(6, '0')}`, `{"value":"${randomBytes(64).toString('hex')}"}`])
    writeFileSync(path('all.gz'), backup(entries))
    expect(await run(`datastore restore ${path('all.gz')}`, {timeoutMs: 60_000})).toMatchObject({code: 0})
    const saves = mkdtempSync(join(folder, 'saves-'))
    writeFileSync(join(saves, 'b.gz'), 'old')
    const {process: child, result} = startCalicoctl(['datastore', 'save', join(saves, 'b.gz')], {env, timeoutMs: 60_000})
    while (child.exitCode === null && readdirSync(saves).length === 1) await new Promise((resume) => setImmediate(resume))
    child.kill('SIGINT')
    expect(await result).toMatchObject({code: 130, stdout: ''})
    expect([readdirSync(saves), readFileSync(join(saves, 'b.gz'), 'utf8')]).toEqual([['b.gz'], 'old'])
  })

  test('what is not a regular file is neither written nor read, and a full disk leaves the old backup', async () => {
    await given('profile add web')
    expect(await run('datastore save /dev/null')).toMatchObject({code: 1, stderr: expect.stringContaining('is not a regular file') as unknown})
    expect(await run(`datastore save ${folder}`)).toMatchObject({code: 1})
    expect(await run(`datastore save ${folder}/none/b.gz`)).toMatchObject({code: 1, stderr: expect.stringContaining('no backup was written') as unknown})
    expect(await run('datastore restore /dev/zero --replace')).toMatchObject({code: 1})
    const disk = smallDisk()
    if (!disk) return
    try {
      const old = join(disk.folder, 'b.gz')
      writeFileSync(old, 'old')
      disk.fill(0)
      expect(await run(`datastore save ${old}`)).toMatchObject({code: 1, stderr: expect.stringContaining('no space left') as unknown})
      expect(readFileSync(old, 'utf8')).toBe('old')
      expect(readdirSync(disk.folder).sort()).toEqual(['b.gz', 'filler'])
    } finally {
      disk.remove()
    }
  })

  test('an empty store has nothing to save', async () => {
    expect(await run(`datastore save ${path('b.gz')}`)).toMatchObject({code: 6})
    expect(readdirSync(folder)).not.toContain(`${number}-b.gz`)
    expect(JSON.parse((await run('datastore status -o json')).stdout)).toMatchObject({state: 'empty', keys: 0})
  })
})

/** A backup with LINES as its entries. */
function rebuilt(lines: readonly string[]): Buffer {
  const head = gunzipSync(backup([])).toString().split('\n')[0] ?? ''
  const text = [head, ...lines].map((line) => `${line}\n`).join('')
  return gzipSync(`${text}${JSON.stringify({keys: lines.length, sha256: createHash('sha256').update(text).digest('hex')})}\n`)
}

describe('in the middle of a restore', () => {
  const KEYS = Array.from({length: 250}, (_, at) => `/calico/resources/v3/projectcalico.org/futures/${String(at).padStart(6, '0')}`)
  const entries = [[CLUSTER, INFORMATION], ...KEYS.map((key) => [key, '{"value":1}'] as const)] as const
  let proxy: Proxy
  const direct = () => ({ETCD_ENDPOINTS: etcd.endpoints.join(',')})
  const restore = (): Promise<Result> => calicoctl(['datastore', 'restore', join(folder, 'middle.gz')], {env: {ETCD_ENDPOINTS: proxy.endpoint}, timeoutMs: 60_000})
  const stored = async (): Promise<string[]> => (await etcd.ctl('get', '--prefix', '/calico/resources/v3/projectcalico.org/futures/', '--keys-only')).split('\n').filter((line) => line !== '')
  beforeEach(async () => {
    await etcd.ctl('del', '--prefix', '/')
    writeFileSync(join(folder, 'middle.gz'), backup(entries))
    proxy = await startProxy(etcd.endpoints[0] ?? '')
  })
  afterEach(() => proxy.stop())

  test('somebody else unlocks the store: 9, only a part is restored, and nothing more is written', async () => {
    proxy.before(KEYS[150] ?? '', () => {
      const {status} = spawnSync(process.execPath, [CALICOCTL, 'datastore', 'unlock', '--force'], {env: {PATH: process.env.PATH, HOME: folder, ...direct()}})
      expect(status).toBe(0)
    })
    expect(await restore()).toMatchObject({code: 9, stderr: expect.stringMatching(/another client has unlocked the datastore meanwhile.*Only a part of the backup is restored/) as unknown})
    expect(await stored()).toEqual(KEYS.slice(0, 100))
  })

  test('an answer is lost: the store tells, and all of it is restored, each key once', async () => {
    proxy.before(KEYS[150] ?? '', () => {
      proxy.set('swallow-replies')
      void proxy.answered().then(() => {
        proxy.set('pass')
        proxy.reset()
      })
    })
    expect(await restore()).toMatchObject({code: 0, stderr: expect.not.stringContaining('Error') as unknown})
    expect(await stored()).toEqual(KEYS)
    const {kvs} = JSON.parse(await etcd.ctl('get', '--prefix', '/calico/resources/v3/projectcalico.org/futures/', '-w', 'json')) as {kvs: {version: number}[]}
    expect(new Set(kvs.map(({version}) => version))).toEqual(new Set([1]))
    expect((await calicoctl(['profile', 'add', 'web'], {env: direct()})).code).toBe(0)
  })
})
