/** endpoint commands by the built command, on a real etcd: what they print, their exit codes, and what is stored. */
import {readdirSync, readFileSync} from 'node:fs'
import {networkInterfaces} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {convertName} from '../../src/lib/model/names.js'
import {workloadEndpointName} from '../../src/lib/model/workload-endpoint-name.js'
import {CALICOCTL, type Result} from '../support/cli.js'
import {suite} from '../support/docker.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {calicoctl} from '../support/warm.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const ENDPOINTS = `${RESOURCES}workloadendpoints/`
const CLUSTER = `${RESOURCES}clusterinformations/default`
const ID = {web: 'c0ffee'.repeat(10).padEnd(64, '0'), db: 'beef'.repeat(16)}

let etcd: TestEtcd
let cluster: string
beforeAll(async () => {
  etcd = await startEtcd()
  await given('profile add web')
  cluster = (await etcd.ctl('get', CLUSTER, '--print-value-only')).trimEnd()
})
afterAll(() => etcd.stop())
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/')
  await etcd.ctl('put', CLUSTER, cluster)
  await given('profile add web', 'profile add client', 'profile add Prof_1')
})

const run = (line: string): Promise<Result> => calicoctl(line.split(' '), {env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), HOSTNAME: 'host-1'}})
async function given(...lines: string[]): Promise<void> {
  for (const line of lines) {
    const {code, stderr} = await run(line)
    if (code !== 0) throw new Error(`${line}: ${stderr}`)
  }
}

interface Ids {
  node?: string
  orchestrator?: string
  workload: string
  endpoint: string
}
interface Given extends Ids {
  namespace?: string
  spec?: Record<string, unknown>
  annotations?: Record<string, string>
}

/** Stores an endpoint as Calico would; its key. */
async function put({namespace = 'default', spec, annotations, ...ids}: Given): Promise<string> {
  const {node = 'host-1', orchestrator = 'docker', workload, endpoint} = ids
  const name = workloadEndpointName({node, orchestrator, workload, endpoint})
  const key = `${ENDPOINTS}${namespace}/${name}`
  const object = {
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: {name, namespace, uid: `uid-${endpoint}`, creationTimestamp: '2026-11-21T10:00:00Z', labels: {'projectcalico.org/namespace': namespace, 'projectcalico.org/orchestrator': orchestrator}, ...(annotations ? {annotations} : {})},
    spec: {orchestrator, workload, node, endpoint, ipNetworks: ['192.168.0.1/32'], interfaceName: `cali${endpoint}`.slice(0, 15), mac: '02:00:00:00:00:01', ...spec},
  }
  await etcd.ctl('put', key, JSON.stringify(object))
  return key
}
const stored = async (key: string): Promise<{spec: Record<string, unknown>; metadata: Record<string, unknown>}> =>
  JSON.parse(await etcd.ctl('get', key, '--print-value-only')) as {spec: Record<string, unknown>; metadata: Record<string, unknown>}
const profilesOf = async (key: string): Promise<unknown> => (await stored(key)).spec.profiles
const rows = (table: string): string[][] => table.split('\n').filter((line) => line.startsWith('|')).slice(1).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))

describe('endpoint show', () => {
  beforeEach(async () => {
    await put({workload: ID.web, endpoint: 'e1', spec: {profiles: ['web', convertName('Prof_1')], ipNetworks: ['192.168.0.1/32', 'fd80::1/128']}})
    await put({workload: ID.db, endpoint: 'e2', spec: {ipNetworks: ['192.168.0.2/32'], mac: undefined}})
    await put({workload: ID.db, endpoint: 'e3', spec: {ipNetworks: undefined}})
    await put({node: 'host-2', orchestrator: 'namespace', workload: convertName('-proc-7-ns-net'), endpoint: 'e4', annotations: {'calicoctl/workload': '-proc-7-ns-net'}})
  })

  test('counts, as v0.20 drew them', async () => {
    expect(await run('endpoint show')).toEqual({
      code: 0,
      signal: null,
      stderr: '',
      stdout: [
        '+----------+-----------------+---------------------+---------------------+',
        '| Hostname | Orchestrator ID | Number of Workloads | Number of Endpoints |',
        '+----------+-----------------+---------------------+---------------------+',
        '|  host-1  |      docker     |          2          |          3          |',
        '|  host-2  |    namespace    |          1          |          1          |',
        '+----------+-----------------+---------------------+---------------------+',
        '',
        '',
      ].join('\n'),
    })
  })
  test('one by one, by the names that users know', async () => {
    const {stdout} = await run('endpoint show --detailed')
    expect(rows(stdout)).toEqual([
      ['host-1', 'docker', ID.db, 'e2', '192.168.0.2/32', 'None', '', 'active'],
      ['host-1', 'docker', ID.db, 'e3', '', '02:00:00:00:00:01', '', 'active'],
      ['host-1', 'docker', ID.web, 'e1', '192.168.0.1/32', '02:00:00:00:00:01', 'web,Prof_1', 'active'],
      ['', '', '', '', 'fd80::1/128', '', '', ''],
      ['host-2', 'namespace', '-proc-7-ns-net', 'e4', '192.168.0.1/32', '02:00:00:00:00:01', '', 'active'],
    ])
  })
  test.each([
    ['--host=host-1', ['e2', 'e3', 'e1']],
    ['--host HOST-2', ['e4']],
    ['--orchestrator=namespace', ['e4']],
    [`--workload=${ID.web}`, ['e1']],
    ['--workload=-proc-7-ns-net', ['e4']],
    ['--endpoint=e3', ['e3']],
    ['--host=host-1 --endpoint=e4', []],
    ['--endpoint=e', []],
  ])('%s', async (filter, expected) => {
    expect((await run(`endpoint show ${filter} -o name`)).stdout.split('\n').filter((line) => line !== '').sort()).toEqual([...expected].sort())
    expect(rows((await run(`endpoint show --detailed ${filter}`)).stdout).filter(([host]) => host !== '')).toHaveLength(expected.length)
  })
  test('no match is an empty table', async () => {
    const {code, stdout} = await run('endpoint show --detailed --host=host-2 --orchestrator=mesos')
    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n')).toHaveLength(4)
  })
  test.each(['endpoint show', 'endpoint show --detailed', 'endpoint show -o json', 'endpoint e1 profile show', 'endpoint remove e1'])('%s --host of a node of which the store has nothing: 4, with the nearest name', async (line) => {
    expect(await run(`${line} --host=hots-2`)).toEqual({code: 4, signal: null, stdout: '', stderr: expect.stringMatching(/Node hots-2 does not exist[^]*Did you mean host-2/) as unknown})
  })
  test('as Calico\'s objects', async () => {
    const list = JSON.parse((await run('endpoint show -o json')).stdout) as {kind: string; items: {kind: string; metadata: {resourceVersion: string}}[]}
    expect(list).toMatchObject({kind: 'WorkloadEndpointList', apiVersion: 'projectcalico.org/v3'})
    expect(list.items).toHaveLength(4)
    for (const item of list.items) expect(item).toMatchObject({kind: 'WorkloadEndpoint', metadata: {resourceVersion: expect.stringMatching(/^\d+$/) as unknown}})
  })
  test('those of other namespaces are endpoints too, and what cannot be read is told and passed over', async () => {
    await put({namespace: 'libnetwork', orchestrator: 'libnetwork', workload: 'libnetwork', endpoint: 'e5'})
    await etcd.ctl('put', `${ENDPOINTS}default/host--1-docker-x-e6`, '{"spec": 7')
    const {code, stdout, stderr} = await run('endpoint show -o name')
    expect(code).toBe(0)
    expect(stdout.split('\n')).toContain('e5')
    expect(stderr).toContain('default/host--1-docker-x-e6 cannot be read')
  })
  test('an annotation cannot make one workload look like another, nor a name steer the terminal', async () => {
    await put({workload: 'x', endpoint: 'e7', annotations: {'calicoctl/workload': ID.web, 'calicoctl/container': '\u001b[2Jweb'}})
    const {stdout, stderr} = await run('endpoint show --endpoint=e7 -o wide')
    expect(rows(stdout)[0]?.[2]).toBe('x')
    expect(stderr).toContain('which does not match its stored name; the stored name is shown')
    // Docker can call no container so.
    expect(rows(stdout)[0]?.[8]).toBe('<none>')
    expect(stdout + stderr).not.toContain('\u001b')
  })
})

describe('profiles of an endpoint', () => {
  let key: string
  beforeEach(async () => {
    key = await put({workload: ID.web, endpoint: 'e1', spec: {profiles: ['web'], newField: {kept: true}}})
  })

  test('append, remove and set, in v0.20\'s words', async () => {
    expect(await run('endpoint e1 profile append client Prof_1')).toMatchObject({code: 0, stdout: 'Profile(s) client, Prof_1 appended.\n\n'})
    expect(await profilesOf(key)).toEqual(['web', 'client', convertName('Prof_1')])
    expect(rows((await run('endpoint e1 profile show')).stdout)).toEqual([['Prof_1'], ['client'], ['web']])
    expect(await run('endpoint e1 profile remove web Prof_1')).toMatchObject({code: 0, stdout: 'Profile(s) web,Prof_1 removed.\n\n'})
    expect(await profilesOf(key)).toEqual(['client'])
    expect(await run('endpoint e1 profile set web client')).toMatchObject({code: 0, stdout: 'Profile(s) set to web, client.\n\n'})
    expect(await profilesOf(key)).toEqual(['web', 'client'])
    expect(await run('endpoint e1 profile set')).toMatchObject({code: 0, stdout: 'Removed all profiles from endpoint.\n\n'})
    expect(await profilesOf(key)).toBeUndefined()
    expect(await run('endpoint e1 profile show')).toMatchObject({code: 0, stdout: 'Endpoint has no profiles associated with it.\n'})
    expect(await stored(key)).toMatchObject({spec: {newField: {kept: true}}, metadata: {uid: 'uid-e1'}})
  })
  test('what is so already is left, the rest is done', async () => {
    expect(await run('endpoint e1 profile append web')).toMatchObject({code: 0, stdout: 'Profile web is already in endpoint profile list\n\n', stderr: ''})
    expect(await run('endpoint e1 profile append web client')).toMatchObject({code: 0, stdout: 'Profile(s) client appended.\n\n', stderr: expect.stringContaining('web is already') as unknown})
    expect(await run('endpoint e1 profile remove Prof_1')).toMatchObject({code: 0, stdout: 'Profile Prof_1 is not in endpoint profile list.\n\n'})
    expect(await run('endpoint e1 profile remove Prof_1 web')).toMatchObject({code: 0, stdout: 'Profile(s) web removed.\n\n'})
    expect(await profilesOf(key)).toEqual(['client'])
  })
  test.each([
    ['endpoint e1 profile append', 1, 'No profile specified.'],
    ['endpoint e1 profile remove', 1, 'No profile specified.'],
    ['endpoint e1 profile append client client', 1, 'Profile with name client was specified more than once.'],
    ['endpoint e1 profile append b@d w@rse', 1, "'w@rse' is not a valid profile name"],
    ['endpoint e1 profile append nosuch', 4, 'Profile with name nosuch was not found.'],
    ['endpoint e1 profile set web nosuch', 4, 'Profile with name nosuch was not found.'],
    ['endpoint e1 profile remove nosuch', 4, 'Profile with name nosuch was not found.'],
    ['endpoint e9 profile append client', 4, 'Endpoint e9 is unknown to Calico.'],
    ['endpoint e1 profile show --host=other', 4, 'Endpoint e1 is unknown to Calico.'],
  ])('%s', async (line, code, message) => {
    const before = await etcd.ctl('get', key)
    expect(await run(line)).toMatchObject({code, stdout: '', stderr: expect.stringContaining(message) as unknown})
    expect(await etcd.ctl('get', key)).toBe(before)
  })
  test('several endpoints of one id must be told apart', async () => {
    const other = await put({node: 'host-2', workload: ID.db, endpoint: 'e1'})
    for (const line of ['append client', 'remove web', 'set client', 'show']) {
      expect(await run(`endpoint e1 profile ${line}`)).toMatchObject({code: 5, stdout: '', stderr: expect.stringContaining('More than one endpoint matches e1') as unknown})
    }
    await given('endpoint e1 profile set client --host=HOST-2')
    expect([await profilesOf(key), await profilesOf(other)]).toEqual([['web'], ['client']])
  })
  test('the beginning of an id is enough where it is that of one endpoint', async () => {
    const [first, second] = [`4a5b6c${'0'.repeat(26)}`, `4a5b6d${'0'.repeat(26)}`]
    const keys = [await put({workload: ID.db, endpoint: first}), await put({workload: ID.db, endpoint: second})]
    await given('endpoint 4a5b6c profile append client', 'endpoint 4a5b6d profile append Prof_1')
    expect(await Promise.all(keys.map(profilesOf))).toEqual([['client'], [convertName('Prof_1')]])
    expect(await run('endpoint 4a5b profile append web')).toMatchObject({code: 5, stderr: expect.stringMatching(/More than one endpoint matches 4a5b[^]*endpoint 4a5b6c000000 of docker workload/) as unknown})
    expect((await run('endpoint show --endpoint=4a5b6d -o name')).stdout).toBe(`${second}\n`)
    expect(await run('endpoint remove 4a5b6c')).toMatchObject({code: 0})
    expect((await run('endpoint show -o name')).stdout.split('\n').sort()).toEqual(['', second, 'e1'])
    // Three digits are too few.
    expect(await run('endpoint 4a5 profile show')).toMatchObject({code: 4})
  })
  test.each(['192.168.0.1', 'calie1', ID.web.slice(0, 12), ID.web])('the endpoint is also found as %s', async (word) => {
    await put({node: 'host-2', workload: ID.db, endpoint: 'e2', spec: {ipNetworks: ['192.168.0.2/32']}})
    await given(`endpoint ${word} profile append client`)
    expect(await profilesOf(key)).toEqual(['web', 'client'])
  })
  test('a profile that does not exist any more can be removed', async () => {
    await given('endpoint e1 profile append client', 'profile remove client --no-check')
    expect(await run('endpoint e1 profile remove client')).toMatchObject({code: 0, stdout: 'Profile(s) client removed.\n\n'})
  })
  test('Calico\'s own profile is there without being stored', async () => {
    await given('endpoint e1 profile set projectcalico-default-allow')
    expect(await profilesOf(key)).toEqual(['projectcalico-default-allow'])
  })
  test('of many at once, none is lost', async () => {
    const names = Array.from({length: 6}, (_, i) => `p${i}`)
    for (const name of names) await given(`profile add ${name}`)
    const results = await Promise.all(names.map((name) => run(`endpoint e1 profile append ${name}`)))
    expect(results.map(({code}) => code)).toEqual(names.map(() => 0))
    expect(new Set((await profilesOf(key)) as string[])).toEqual(new Set(['web', ...names]))
  })
  test('a dry run shows the difference and writes nothing', async () => {
    expect(await run('endpoint e1 profile append client --dry-run')).toMatchObject({code: 0, stdout: expect.stringMatching(/\+ .*client/) as unknown})
    expect(await profilesOf(key)).toEqual(['web'])
  })
})

describe('endpoint remove', () => {
  const handles = async (): Promise<string> => etcd.ctl('get', '--prefix', '--keys-only', '/calico/ipam/v2/handle/')
  beforeEach(() => given('pool add 192.168.0.0/16'))

  test('takes the endpoint, its addresses and what else its handle has', async () => {
    await given(`ipam assign 192.168.0.1 --handle docker.${ID.web}`, `ipam assign 192.168.0.3 --handle docker.${ID.web}`)
    const key = await put({workload: ID.web, endpoint: 'e1'})
    const before = await etcd.ctl('get', '--prefix', '/')
    expect(await run('endpoint remove 192.168.0.1 --dry-run')).toMatchObject({code: 0, stderr: expect.stringContaining('192.168.0.1 would be released') as unknown})
    expect(await etcd.ctl('get', '--prefix', '/')).toBe(before)
    expect(await run('endpoint remove 192.168.0.1')).toMatchObject({code: 0, stdout: 'Endpoint e1 removed\n'})
    expect(await etcd.ctl('get', key)).toBe('')
    expect(await handles()).toBe('')
    expect(await run('ipam check')).toMatchObject({code: 0})
    expect(await run('endpoint remove e1')).toMatchObject({code: 4})
  })
  test.each([
    {orchestrator: 'libnetwork', endpoint: 'ab'.repeat(32), handle: `libnetwork.${'ab'.repeat(32)}`, annotations: undefined},
    {orchestrator: 'mesos', endpoint: 'e1', handle: 'uid-of-the-task', annotations: {'calicoctl/ipam-handle': 'uid-of-the-task'}},
  ])('takes the addresses of the handle that the plugin of $orchestrator gave', async ({orchestrator, endpoint, handle, annotations}) => {
    await given(`ipam assign 192.168.0.1 --handle ${handle}`)
    await put({orchestrator, workload: orchestrator, endpoint, ...(annotations ? {annotations} : {})})
    expect(await run(`endpoint remove ${endpoint}`)).toMatchObject({code: 0, stderr: expect.stringContaining('192.168.0.1 released') as unknown})
    expect(await handles()).toBe('')
  })
  test('leaves alone an address that somebody else has by now', async () => {
    await given('ipam assign 192.168.0.1 --handle vm-1')
    await put({workload: ID.web, endpoint: 'e1'})
    expect(await run('endpoint remove e1')).toMatchObject({code: 0, stderr: expect.stringContaining('192.168.0.1 was not released') as unknown})
    expect(await handles()).toContain('/vm-1')
  })
  test('does not take away what Kubernetes looks after', async () => {
    const key = `${ENDPOINTS}default/host--1-k8s-pod--1-eth0`
    await etcd.ctl('put', key, JSON.stringify({kind: 'WorkloadEndpoint', apiVersion: 'projectcalico.org/v3', metadata: {name: 'host--1-k8s-pod--1-eth0', namespace: 'default', uid: 'u'}, spec: {orchestrator: 'k8s', pod: 'pod-1', node: 'host-1', endpoint: 'eth0', interfaceName: 'cali7', ipNetworks: ['192.168.0.1/32']}}))
    expect(await run('endpoint remove eth0')).toMatchObject({code: 8, stdout: ''})
    expect(await run('endpoint remove eth0 --force')).toMatchObject({code: 0})
  })
  const own = Object.keys(networkInterfaces()).find((name) => name !== 'lo')
  suite('one that is connected to this host', own === undefined ? 'this host has no interface' : undefined, () => test('is for container remove', async () => {
    await put({workload: ID.web, endpoint: 'e1', spec: {interfaceName: 'no-such'}})
    await put({workload: ID.web, endpoint: 'e2', spec: {interfaceName: own}})
    expect(await run('endpoint remove e2')).toMatchObject({code: 8, stderr: expect.stringContaining(`its interface ${own ?? ''} is on this host`) as unknown})
    expect(await run('endpoint remove e1')).toMatchObject({code: 0})
  }))
})

describe('every example of the help of `endpoint` works as it is written', () => {
  const help = join(CALICOCTL, '../../dist/help')
  const pages = readdirSync(help).filter((page) => page.split('.')[1] === 'endpoint')
  const examples = [...new Set(pages.flatMap((page) => [...readFileSync(join(help, page), 'utf8').matchAll(/^\s*\$ calicoctl (.*)$/gm)].map(([, line]) => line ?? '')))]
  test('there are some', () => expect(examples.length).toBeGreaterThan(8))
  test.each(examples)('%s', async (line) => {
    await put({node: 'rack1-host1', workload: ID.web, endpoint: 'e1', spec: {profiles: ['web', 'client']}})
    const {code, stderr} = await run(line)
    expect({code, stderr}).toEqual({code: 0, stderr: expect.not.stringMatching(/Error|Usage:/) as unknown})
  })
})

describe('endpoint gc without an Engine', () => {
  test('is not asked where no endpoint was given of a container', async () => {
    expect(await run('endpoint gc')).toMatchObject({code: 0})
    await put({node: 'host-2', workload: ID.web, endpoint: 'e1'})
    expect(await run('endpoint gc')).toMatchObject({code: 0})
  })
  test('an Engine of another host is not believed', async () => {
    await put({workload: ID.web, endpoint: 'e1'})
    const result = await calicoctl(['endpoint', 'gc', '--apply'], {env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), HOSTNAME: 'host-1', DOCKER_HOST: 'tcp://127.0.0.1:1'}})
    expect(result).toMatchObject({code: 1, stderr: expect.stringContaining("is not this host's") as unknown})
    expect(await etcd.ctl('get', '--prefix', ENDPOINTS)).not.toBe('')
  })
  test('a namespace that is gone needs none; one whose path is not known is left', async () => {
    await put({orchestrator: 'namespace', workload: convertName('-no-such-ns'), endpoint: 'e1', annotations: {'calicoctl/workload': '-no-such-ns', 'calicoctl/namespace': '/no/such/ns'}})
    await put({orchestrator: 'namespace', workload: convertName('-some-ns'), endpoint: 'e2', annotations: {'calicoctl/workload': '-some-ns'}})
    await put({orchestrator: 'namespace', workload: convertName('-some-other'), endpoint: 'e3', annotations: {'calicoctl/workload': '-some-other', 'calicoctl/namespace': '/no/such/ns'}})
    await put({orchestrator: 'namespace', workload: convertName('-proc-4194304-ns-net'), endpoint: 'e4', annotations: {'calicoctl/workload': '-proc-4194304-ns-net'}})
    const {code, stdout} = await run('endpoint gc -o json')
    expect(code).toBe(10)
    const {items} = JSON.parse(stdout) as {items: {endpoint: string; removable: boolean}[]}
    expect(items.map(({endpoint, removable}) => [endpoint, removable]).sort()).toEqual([['e1', true], ['e2', false], ['e3', false], ['e4', true]])
    expect(await run('endpoint gc --apply')).toMatchObject({code: 10})
    expect((await run('endpoint show -o name')).stdout.split('\n').sort()).toEqual(['', 'e2', 'e3'])
  })
})
