/** An etcd that becomes full in the middle of a change: what is true is said, with the way out, and that way leads out. */
import {createHash} from 'node:crypto'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {afterAll, beforeAll, beforeEach, expect, test} from '@jest/globals'
import type {Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {calicoctl} from '../support/warm.js'

const OUT = 'etcdctl alarm disarm'
const CLUSTER = '/calico/resources/v3/projectcalico.org/clusterinformations/default'

let etcd: TestEtcd
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-full-'))
  // Each write goes to the file at once, since the quota is compared with the size of the file.
  etcd = await startEtcd({args: ['--quota-backend-bytes', '3000000', '--backend-batch-limit', '1']})
})
afterAll(async () => {
  rmSync(folder, {recursive: true})
  await etcd.stop()
})
const run = (...args: string[]): Promise<Result> => calicoctl(args, {env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), XDG_STATE_HOME: folder}, cwd: folder, timeoutMs: 60_000})

/** What the hint says, after everything was deleted. */
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/')
  const {revision} = JSON.parse((await run('datastore', 'status', '-o', 'json')).stdout) as {revision: string}
  await etcd.ctl('compact', revision, '--physical')
  await etcd.ctl('defrag')
  await etcd.ctl('alarm', 'disarm')
  expect(await run('profile', 'add', 'first')).toMatchObject({code: 0})
})

const profile = (name: string): object => ({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name, annotations: {big: 'x'.repeat(20_000)}}, spec: {}})
const stored = async (): Promise<number> => (await etcd.ctl('get', '--prefix', '/calico/resources/v3/projectcalico.org/profiles/', '--keys-only')).split('\n').filter((line) => line !== '').length

test('a batch: its lines before stay; datastore status shows sizes and the alarm', async () => {
  expect((await run('datastore', 'status')).stdout).toMatch(/\| size +\| \d\.\d\d MB \(\d\.\d\d MB in use\) +\|/)
  expect((await run('datastore', 'status')).stdout).not.toContain('alarms')
  for (let file = 0; file < 10; file++) writeFileSync(join(folder, `${file}.json`), Array.from({length: 30}, (_, at) => JSON.stringify(profile(`p${file}-${at}`))).join('\n---\n'))
  writeFileSync(join(folder, 'lines'), Array.from({length: 10}, (_, file) => `apply -f ${file}.json\n`).join(''))
  const {code, stderr} = await run('batch', 'lines')
  const done = Number(/lines: (\d+) lines? (?:was|were) done/.exec(stderr)?.[1])
  expect({code, done: done > 0 && done < 10}).toEqual({code: 1, done: true})
  expect(stderr).toContain('NOSPACE')
  expect(stderr).toContain(OUT)
  expect(await stored()).toBe(1 + 30 * done)

  expect(await run('batch', 'lines', '--atomic')).toMatchObject({code: expect.any(Number) as unknown, stdout: ''})
  expect(await stored()).toBe(1 + 30 * done)
  const status = await run('datastore', 'status')
  expect(status).toMatchObject({code: 0, stderr: expect.stringContaining(OUT) as unknown})
  expect(status.stdout).toMatch(/\| alarms +\| NOSPACE +\|/)
  expect(JSON.parse((await run('datastore', 'status', '-o', 'json')).stdout)).toMatchObject({database: {bytes: expect.any(Number) as unknown, bytesInUse: expect.any(Number) as unknown, alarms: ['NOSPACE']}})
  expect(await run('profile', 'show')).toMatchObject({code: 0})
})

test('an apply in several transactions: 9, how many were written, and the way out', async () => {
  writeFileSync(join(folder, 'all.json'), Array.from({length: 250}, (_, at) => JSON.stringify(profile(`p${at}`))).join('\n---\n'))
  const {code, stderr} = await run('apply', '-f', 'all.json')
  expect({code, stderr}).toEqual({code: 9, stderr: expect.stringMatching(/of 250 objects were written, but the others were not: .*NOSPACE/) as unknown})
  expect(stderr).toContain(OUT)
  expect(await stored()).toBe(1 + Number(/(\d+) of 250/.exec(stderr)?.[1]))
})

test('a restore: 9, it stays locked, how to go on, and the way out', async () => {
  const information = JSON.stringify({kind: 'ClusterInformation', apiVersion: 'projectcalico.org/v3', metadata: {name: 'default'}, spec: {clusterGUID: 'a'.repeat(32), datastoreReady: true}})
  const entries = [[CLUSTER, information], ...Array.from({length: 300}, (_, at) => [`/calico/resources/v3/projectcalico.org/profiles/p${String(at).padStart(3, '0')}`, JSON.stringify(profile(`p${at}`))])]
  const text = [{apiVersion: 'calicoctl/v1', kind: 'DatastoreBackup', format: 1, clusterGUID: 'a'.repeat(32), revision: '7', savedAt: '2026-11-28T00:00:00.000Z'}, ...entries].map((line) => `${JSON.stringify(line)}\n`).join('')
  writeFileSync(join(folder, 'b.gz'), gzipSync(`${text}${JSON.stringify({keys: entries.length, sha256: createHash('sha256').update(text).digest('hex')})}\n`))
  const {code, stderr} = await run('datastore', 'restore', 'b.gz', '--replace')
  expect(code).toBe(9)
  expect(stderr).toContain('NOSPACE')
  expect(stderr).toContain(OUT)
  expect(stderr).toContain('run the command again with the same file')
  expect((await run('datastore', 'status')).stdout).toMatch(/\| state +\| locked \(an unfinished restore\) +\|/)
})
