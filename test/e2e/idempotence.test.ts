/** One rule: what is so already is no failure, if the line says that it may be (calicoctl help exit-codes). The built command on a real etcd. */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession} from '../../src/lib/client/session.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import type {Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {createObject} from '../support/ipam.js'
import {calicoctl} from '../support/warm.js'

let etcd: TestEtcd
beforeAll(async () => {
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())

const run = (line: string, stdin?: string): Promise<Result> =>
  calicoctl(line.split(' '), {env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), CALICO_NODENAME: 'host-1'}, ...(stdin === undefined ? {} : {stdin})})
const revision = async (): Promise<number> => (JSON.parse(await etcd.ctl('get', 'nothing', '-w', 'json')) as {header: {revision: number}}).header.revision

/** LINES, which must be done. */
async function given(...lines: string[]): Promise<void> {
  const {code, stderr} = await run('batch', lines.join('\n'))
  if (code !== 0) throw new Error(stderr)
}

/** `LINE: exit code` of each of LINES, run one after another in one process. */
async function codes(lines: readonly string[]): Promise<string[]> {
  const {stdout} = await run('batch --keep-going -o json', lines.join('\n'))
  return (JSON.parse(stdout) as {lines: {argv: string[]; exitCode: number}[]}).lines.map(({argv, exitCode}) => `${argv.join(' ')}: ${exitCode}`)
}

/** What each of LINES, which must be done, prints on stdout and stderr. */
async function codesAndOutput(lines: readonly string[]): Promise<string[]> {
  const {stdout} = await run('batch -o json', lines.join('\n'))
  return (JSON.parse(stdout) as {lines: {stdout: string; stderr: string}[]}).lines.map((line) => line.stdout + line.stderr)
}

beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/')
  await given('pool add 10.1.0.0/16', 'pool add 10.2.0.0/16', 'profile add web', 'ipam assign 10.1.0.1 --handle vm')
  const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true})
  const spec = {node: 'host-1', orchestrator: 'docker', workload: 'web', endpoint: 'e1', interfaceName: 'calie1', ipNetworks: ['10.1.0.9/32'], profiles: ['web']}
  await createObject(newSession(store, {warn: () => undefined}), 'WorkloadEndpoint', 'host--1-docker-web-e1', spec, {namespace: 'default'})
  store.close()
})

/** Removals of what is not there, and their exit codes without the option. */
const REMOVALS: readonly (readonly [string, number])[] = [
  ['pool remove 10.9.0.0/16', 4],
  ['pool remove 10.9.0.0/16 --drain', 4],
  ['profile remove nosuch', 0],
  ['profile web tag remove nosuch', 4],
  ['profile nosuch tag remove web', 4],
  ['profile web rule remove inbound deny', 4],
  ['bgp peer remove 192.0.2.1', 4],
  ['node bgp peer remove 192.0.2.1', 4],
  ['endpoint remove 10.1.0.7', 4],
  ['endpoint 10.1.0.9 profile remove nosuch', 4],
  ['ipam release 10.1.0.200', 0],
  ['ipam release --handle nosuch', 0],
  ['node remove --hostname host-9 --yes', 4],
  ['delete profile nosuch', 4],
  ['label profile web nosuch --remove', 4],
]

describe('--if-exists', () => {
  test('each removal of what does not exist: its exit code, 0 with the option, 3 with --error-unchanged; nothing is written', async () => {
    const before = await revision()
    expect(await codes(REMOVALS.flatMap(([line]) => [line, `${line} --if-exists`, `${line} --if-exists --error-unchanged`]))).toEqual(
      REMOVALS.flatMap(([line, code]) => [`${line}: ${code}`, `${line} --if-exists: 0`, `${line} --if-exists --error-unchanged: 3`]))
    expect(await revision()).toBe(before)
    expect(await run('profile web tag remove nosuch --if-exists')).toEqual({code: 0, signal: null, stdout: '', stderr: 'Tag nosuch is not on profile web; nothing was changed\n'})
    // It is said once, whether the error says it itself or not; and no files are mentioned where there are none.
    expect(await run('label profile web nosuch --remove --if-exists')).toMatchObject({code: 0, stderr: 'The object has no label nosuch. Nothing was changed.\n'})
    expect(await run('delete profile nosuch --if-exists')).toMatchObject({code: 0, stderr: 'The object does not exist; nothing was changed\n'})
  })

  test('what exists of several is removed, and what does not is told', async () => {
    expect(await run('pool remove 10.2.0.0/16 10.9.0.0/16 --if-exists')).toMatchObject({code: 0, stderr: expect.stringMatching(/^ippool\/10\.2\.0\.0\/16 deleted$[^]*^10\.9\.0\.0\/16 is not a configured pool$/m) as unknown})
    expect((await run('pool show -o name')).stdout).not.toContain('10.2.0.0')
    expect(await run('endpoint 10.1.0.9 profile remove ghost web --if-exists')).toMatchObject({code: 0, stdout: 'Profile(s) web removed.\n\n'})
    await given('profile add one')
    expect(await run('delete profile nosuch one --if-exists')).toMatchObject({code: 0})
    expect((await run('profile show -o name')).stdout).not.toContain('one')
  })

  test('another failure stays one', async () => {
    expect(await run('pool remove 10.1.0.0/16 --if-exists')).toMatchObject({code: 8})
    expect(await run('profile web rule remove inbound --at=99 --if-exists')).toMatchObject({code: 1})
    expect(await run('profile remove web --if-exists')).toMatchObject({code: 8})
  })
})

/** Additions, each of which is done twice; and the exit code of the second time without the option. */
const ADDITIONS: readonly (readonly [string, number])[] = [
  ['pool add 10.3.0.0/16', 0],
  ['pool range add 10.4.0.0 10.4.1.255', 0],
  ['profile add new', 0],
  ['profile web tag add t1', 0],
  ['profile web rule add inbound allow tcp', 0],
  ['bgp peer add 192.0.2.1 as 64513', 0],
  ['node bgp peer add 192.0.2.1 as 64513', 0],
  ['endpoint 10.1.0.9 profile append web', 0],
  ['ipam assign 10.1.0.40 --handle h', 5],
]
const OBJECT = 'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata:\n  name: made\nspec: {}\n'

describe('--may-exist', () => {
  test('each addition again: its exit code, 0 with the option, 3 with --error-unchanged; nothing is written', async () => {
    const lines = ADDITIONS.map(([line]) => line)
    expect(await codes(lines)).toEqual(lines.map((line) => `${line}: 0`))
    const before = await revision()
    expect(await codes(lines.flatMap((line) => [line, `${line} --may-exist`, `${line} --may-exist --error-unchanged`]))).toEqual(
      ADDITIONS.flatMap(([line, code]) => [`${line}: ${code}`, `${line} --may-exist: 0`, `${line} --may-exist --error-unchanged: 3`]))
    expect(await revision()).toBe(before)
  })
  test('create', async () => {
    expect(await run('create -f -', OBJECT)).toMatchObject({code: 0})
    expect(await run('create -f -', OBJECT)).toMatchObject({code: 5})
    expect(await run('create -f - --may-exist', OBJECT)).toMatchObject({code: 0})
  })

  test('ipam assign: what the handle has counts, and only what is missing is assigned', async () => {
    const line = 'ipam assign ipv4 --handle h --may-exist'
    const first = await run(line)
    expect(await run(line)).toMatchObject({code: 0, stdout: first.stdout, stderr: 'Handle: h unchanged\n'})
    const three = (await run(`${line} --count 3`)).stdout.trim().split('\n')
    expect(three).toHaveLength(3)
    expect(three).toContain(first.stdout.trim())
    expect(await run('ipam assign 10.1.0.1 --handle h --may-exist')).toMatchObject({code: 5})
    expect(await run('ipam assign --may-exist')).toMatchObject({code: 1, stderr: expect.stringContaining('--may-exist needs --handle') as unknown})
  })
  test('ipam assign: the same line at the same time assigns once', async () => {
    const lines = await Promise.all(Array.from({length: 6}, () => run('ipam assign ipv4 --handle race --may-exist')))
    expect(lines.map(({code}) => code)).toEqual([0, 0, 0, 0, 0, 0])
    expect(new Set(lines.map(({stdout}) => stdout)).size).toBe(1)
  })
})

describe('--error-unchanged', () => {
  test('a change ends in 0, also in a dry run; the second time in 3', async () => {
    expect(await run('profile web tag add t1 --error-unchanged --dry-run')).toMatchObject({code: 0})
    expect(await run('profile web tag add t1 --error-unchanged')).toMatchObject({code: 0})
    expect(await run('profile web tag add t1 --error-unchanged --dry-run')).toMatchObject({code: 3})
    expect(await run('profile web tag add t1 --error-unchanged')).toMatchObject({code: 3})
    expect(await run('ipam release 10.1.0.1 --dry-run --error-unchanged')).toMatchObject({code: 0})
    expect(await run('ipam release 10.1.0.1 --error-unchanged')).toMatchObject({code: 0})
    expect(await run('ipam assign 10.1.0.1 --dry-run --error-unchanged')).toMatchObject({code: 0})
  })
  test('a failure keeps its code', async () => {
    expect(await run('profile nosuch tag add t1 --error-unchanged')).toMatchObject({code: 4})
  })
  test('of a batch: whether any line changed something; of a line: that line', async () => {
    const lines = 'profile add web\npool add 10.1.0.0/16\n'
    for (const how of ['', ' --atomic', ' --dry-run']) {
      expect(await run(`batch --error-unchanged${how}`, lines)).toMatchObject({code: 3})
      expect(await run(`batch --error-unchanged${how}`, `${lines}profile add made${how.length}\n`)).toMatchObject({code: 0})
    }
    const before = await revision()
    expect(await run('batch --atomic', 'profile add other\nprofile add web --error-unchanged\n')).toMatchObject({code: 3})
    expect(await revision()).toBe(before)
  })
})

describe('in a batch', () => {
  test.each(['', ' --atomic', ' --dry-run'])('batch%s goes on behind what is so already', async (how) => {
    const removals = REMOVALS.map(([line]) => line).filter((line) => !/^node remove|--drain/.test(line)).map((line) => `${line} --if-exists`)
    expect(await run(`batch${how}`, [...removals, 'profile add last'].join('\n'))).toMatchObject({code: 0, stdout: expect.stringContaining('last') as unknown})
  })
})

test('the rule is in the help', async () => {
  expect((await run('help exit-codes')).stdout).toMatch(/--if-exists[^]*--may-exist[^]*--error-unchanged/)
})

describe('one line on success', () => {
  test('v0.20\'s line or ours, and what changed; with -q nothing but data', async () => {
    expect(await run('profile web tag add t1')).toMatchObject({stdout: 'Tag t1 added to profile web\n', stderr: ''})
    expect(await run('profile web tag add t1')).toMatchObject({stdout: '', stderr: 'profile/web unchanged\n'})
    expect(await run('profile add web')).toMatchObject({stdout: 'Profile web already exists.\n', stderr: ''})
    expect(await run('pool set 10.1.0.0/16 --nat-outgoing')).toMatchObject({stdout: '', stderr: 'ippool/10.1.0.0/16 updated (nat-outgoing off → on)\n'})
    // A default that is written down changes nothing from one value to another.
    expect((await run('bgp node-mesh on')).stderr).toMatch(/ (?:created|updated) \(node mesh on\)\n$/)
    expect((await run('bgp default-node-as 64512')).stderr).toBe('bgpconfiguration/default updated (AS number 64512)\n')
    expect((await run('config felix loglevel debug')).stderr).toMatch(/\(loglevel not set → debug\)\n$/)
    expect(await codesAndOutput(['profile add quiet', 'profile web tag add t2', 'pool remove 10.2.0.0/16', 'endpoint remove 10.1.0.9', 'ipam release 10.1.0.1', 'bgp peer add 192.0.2.1 as 64513', 'bgp peer remove 192.0.2.1', 'profile remove quiet', 'ipam assign 10.1.0.77', 'profile show -o name'].map((line) => `${line} -q`)))
      .toEqual(['', '', '', '', '', '', '', '', '10.1.0.77\n', 'web\n'])
  })
})
