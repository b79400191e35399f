/** `get` as a script meets it, on a store that another program filled. */
import {createInterface} from 'node:readline'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {parse} from 'yaml'
import {type Result, startCalicoctl} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {calicoctl} from '../support/warm.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org'

let etcd: TestEtcd
beforeAll(async () => {
  etcd = await startEtcd()
  expect((await run('profile add Web_1')).code).toBe(0)
  expect((await run('profile add db')).code).toBe(0)
  await etcd.ctl('put', `${RESOURCES}/ippools/pool1`, '{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"pool1"},"spec":{"cidr":"10.0.0.0/16","nodeSelector":"all()"}}')
  await etcd.ctl('put', `${RESOURCES}/livemigrations/default/np`, '{"spec":{}}')
  await etcd.ctl('put', `${RESOURCES}/hostendpoints/broken`, '{"spec"')
  await etcd.ctl('put', '/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26', '{"cidr":"10.0.0.0/26","affinity":"host:h","allocations":[null],"unallocated":[0],"sequenceNumber":1782326400123456791}')
})
afterAll(() => etcd.stop())

const run = (line: string): Promise<Result> => calicoctl(line.split(' '), {env: {ETCD_ENDPOINTS: etcd.endpoints.join(',')}})

async function out(line: string): Promise<string> {
  const {code, stdout, stderr} = await run(line)
  expect({line, code, stderr}).toEqual({line, code: 0, stderr: ''})
  return stdout
}

test('a table', async () => {
  expect(await out('get pools')).toBe(
    ['+-------+-------------+----------+', '|  NAME |     CIDR    | SELECTOR |', '+-------+-------------+----------+', '| pool1 | 10.0.0.0/16 |  all()   |', '+-------+-------------+----------+', ''].join('\n'),
  )
})

test('one object by the name that the user gave it, in JSON and YAML alike', async () => {
  const json = JSON.parse(await out('get profile Web_1 -o json')) as {metadata: {name: string; resourceVersion: string}}
  expect(json).toMatchObject({kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {annotations: {'calicoctl/name': 'Web_1'}, resourceVersion: expect.stringMatching(/^\d+$/)}})
  expect(parse(await out('get profile Web_1 -o yaml'))).toEqual(json)
  expect(JSON.parse(await out(`get profile ${json.metadata.name} --json`))).toEqual(json)
})

test('a list, and its names', async () => {
  expect(JSON.parse(await out('get profiles -o json'))).toMatchObject({kind: 'ProfileList', apiVersion: 'projectcalico.org/v3', metadata: {resourceVersion: expect.stringMatching(/^\d+$/)}})
  expect((await out('get profile -o name')).split('\n').sort()).toEqual(['', 'Web_1', 'db'])
})

test('980 levels: JSON shows them, YAML is an error that says so', async () => {
  const deep = `${'{"a":'.repeat(980)}1${'}'.repeat(980)}`
  await etcd.ctl('put', `${RESOURCES}/globalnetworksets/deep`, `{"kind":"GlobalNetworkSet","apiVersion":"projectcalico.org/v3","metadata":{"name":"deep"},"spec":{"nets":[],"unknown":${deep}}}`)
  expect((await run('get globalnetworkset deep -o json')).code).toBe(0)
  const {code, stdout, stderr} = await run('get globalnetworkset deep -o yaml')
  await etcd.ctl('del', `${RESOURCES}/globalnetworksets/deep`)
  expect({code, stdout, stderr}).toEqual({code: 1, stdout: '', stderr: 'Error: It is nested more than 200 levels deep, which cannot be printed as YAML.\nUse JSON: -o json\n'})
})

test('64-bit numbers of IPAM are exact', async () => {
  expect(await out('get block 10.0.0.0/26 -o yaml')).toContain('sequenceNumber: 1782326400123456791')
})

test('kinds: those of a newer Calico too', async () => {
  const stdout = await out('get kinds -o plain')
  expect(stdout).toContain('livemigrations\tlivemigrations\t1\tunsupported\n')
  expect(stdout).toContain('Profile\tprofiles\t2\t\n')
})

test('what cannot be read is told and passed over', async () => {
  const {code, stdout, stderr} = await run('get hostendpoint -o name')
  expect({code, stdout}).toEqual({code: 0, stdout: ''})
  expect(stderr).toContain(`${RESOURCES}/hostendpoints/broken`)
})

describe('what there is not', () => {
  test.each([
    ['get profile nope', 4, 'profile/nope'],
    ['get block 10.9.0.0/26', 4, 'block/10.9.0.0/26'],
    ['get wep x -n other', 4, 'namespace other'],
    ['get profil', 1, 'Did you mean profile?'],
    ['get wep -n a -A', 1, '--namespace and --all-namespaces cannot be combined'],
    ['get profile db -l all()', 1, '--selector and names cannot be combined'],
    ['get profile -l role=', 1, 'not a selector'],
    ['get profile --at x', 1, 'not a revision'],
    ['get profile --at 99999999', 1, 'revision 99999999 does not exist yet'],
    ['get block --at 2', 1, 'can be used for resources only'],
    ['get kinds a b', 1, 'several names'],
  ])('%s: %i', async (line, code, message) => {
    const result = await run(line)
    expect({code: result.code, stdout: result.stdout}).toEqual({code, stdout: ''})
    expect(result.stderr).toContain(message)
    expect(result.stderr).not.toContain('Usage:')
  })
})

test('several names: those that exist are shown, and the exit code is 4', async () => {
  const {code, stdout, stderr} = await run('get profile Web_1 nope db -o name')
  expect({code, stdout}).toEqual({code: 4, stdout: 'Web_1\ndb\n'})
  expect(stderr).toContain('profile/nope')
})

test('a compacted revision says so', async () => {
  await etcd.ctl('put', `${RESOURCES}/tiers/late`, '{"metadata":{"name":"late"},"spec":{}}')
  const {metadata} = JSON.parse(await out('get tier late -o json')) as {metadata: {resourceVersion: string}}
  expect(await out(`get tier -o name --at ${Number(metadata.resourceVersion) - 1}`)).not.toContain('late')
  await etcd.ctl('compaction', metadata.resourceVersion)
  const {code, stdout, stderr} = await run(`get tier --at ${Number(metadata.resourceVersion) - 1}`)
  expect({code, stdout}).toEqual({code: 1, stdout: ''})
  expect(stderr).toContain('compacted')
})

test('--watch prints what there is and then each change, and ends with 130 at Ctrl-C', async () => {
  const {process: child, result} = startCalicoctl(['get', 'profile', '-w', '-o', 'json'], {env: {ETCD_ENDPOINTS: etcd.endpoints.join(',')}})
  if (!child.stdout) throw new Error('it has a pipe')
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const {event, object} = JSON.parse(((await lines.next()) as {value: string}).value) as {event: string; object: {metadata: {name: string}}}
    return `${event} ${object.metadata.name}`
  }
  const first = [await next(), await next()]
  expect(first).toContain('ADDED db')
  await etcd.ctl('put', `${RESOURCES}/profiles/watched`, '{"metadata":{"name":"watched"},"spec":{}}')
  expect(await next()).toBe('ADDED watched')
  await etcd.ctl('del', `${RESOURCES}/profiles/watched`)
  expect(await next()).toBe('DELETED watched')
  child.kill('SIGINT')
  expect(await result).toMatchObject({code: 130, stderr: expect.stringContaining('Interrupted') as unknown})
})

test('tables without borders, chosen columns, and the objects of a file', async () => {
  expect(await out('get pool -o ps')).toBe('NAME    CIDR          SELECTOR   \npool1   10.0.0.0/16   all()      \n')
  expect(await out('get pool -o custom-columns=CIDR,NAME')).toBe('CIDR          NAME    \n10.0.0.0/16   pool1   \n')
  const stdin = 'apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: db}\n---\napiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: pool1}\n---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: nope}\n'
  const {code, stdout, stderr} = await calicoctl(['get', '-f', '-', '-o', 'name'], {env: {ETCD_ENDPOINTS: etcd.endpoints.join(',')}, stdin})
  expect({code, stdout}).toEqual({code: 4, stdout: 'profile/db\nippool/pool1\n'})
  expect(stderr).toBe('Error: There is no tier/nope.\n')
})

test.each([
  ['get pool -o custom-columns=NAME,COLOUR', /no column 'COLOUR'[^]*Its columns: NAME, CIDR, NAT/],
  ['get pool -o custom-columns=', /needs the headings of columns/],
  ['get pool -o go-template={{.}}', /use -o json and jq/],
  ['get pool -o YAML', /'YAML' is not a format/],
  ['get', /Give a kind, or files with -f/],
  ['get pool -f x.yaml', /either a kind or files/],
  ['get -f x.yaml -A -w', /--all-namespaces and --watch cannot be given with -f/],
  ['get pool -n shop', /-n cannot be used: the kind IPPool has no namespaces/],
  ['get pool -w --at 3', /--watch cannot be combined with --at/],
  ['get block -w', /can be used for resources only/],
])('%s: refused', async (line, message) => expect(await run(line)).toMatchObject({code: 1, stdout: '', stderr: expect.stringMatching(message) as unknown}))
