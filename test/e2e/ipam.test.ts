/** The `ipam` commands as processes, on a real etcd: what they print, how they end, what they cost, and what many of them do at once. */
import {afterAll, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../src/lib/client/session.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {assignedAddresses, autoAssign} from '../../src/lib/ipam/auto-assign.js'
import {formatAddress} from '../../src/lib/net/index.js'
import {type Options, type Result, startCalicoctl} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {allAssigned, blocksOf, createObject, unsound} from '../support/ipam.js'
import {calicoctl} from '../support/warm.js'

let etcd: TestEtcd
let store: Datastore
let session: Session

beforeAll(async () => {
  etcd = await startEtcd()
  store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true})
})
afterAll(async () => {
  store.close()
  await etcd.stop()
})
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/calico/')
  session = newSession(store, {warn: () => undefined})
})

const options = (node = 'host-1'): Options => ({env: {ETCD_ENDPOINTS: etcd.endpoints.join(','), CALICO_NODENAME: node}, timeoutMs: 60_000})
const run = (line: string, node?: string): Promise<Result> => calicoctl(line.split(' '), options(node))
const pool = (cidr: string, spec: object = {}): Promise<void> => createObject(session, 'IPPool', 'pool', {cidr, ...spec})
const node = (name: string): Promise<void> => createObject(session, 'Node', name, {})

describe('release of an address that an endpoint has', () => {
  beforeEach(async () => {
    await pool('192.168.0.0/16')
    await run('ipam assign 192.168.0.1 --handle vm')
    await run('ipam assign 192.168.0.2 --handle vm')
    await createObject(session, 'WorkloadEndpoint', 'host--1-docker-web-e1', {node: 'host-1', orchestrator: 'docker', workload: 'web', endpoint: 'e1', interfaceName: 'calie1', ipNetworks: ['192.168.0.1/32']}, {namespace: 'default'})
  })
  const LINES = ['192.168.0.1', '192.168.0.1 --handle vm', '--handle vm', '192.168.0.2 --also 192.168.0.1', '--range 192.168.0.0 192.168.0.9']

  test.each(LINES)('ipam release %s: 8, and nothing is released', async (words) => {
    for (const line of [`ipam release ${words}`, `ipam release ${words} --dry-run`]) {
      expect(await run(line)).toMatchObject({code: 8, stdout: '', stderr: expect.stringMatching(/^Error: 192\.168\.0\.1 was not released: endpoint e1 of docker workload web on host-1 uses it[^]*--force/) as unknown})
    }
    expect((await allAssigned(store)).sort()).toEqual(['192.168.0.1', '192.168.0.2'])
  })
  test.each(LINES)('ipam release %s --force: released, and the endpoint is named', async (words) => {
    expect(await run(`ipam release ${words} --force`)).toMatchObject({code: 0, stderr: expect.stringContaining('Warning: endpoint e1 of docker workload web on host-1 still has 192.168.0.1') as unknown})
    expect(await allAssigned(store)).not.toContain('192.168.0.1')
  })
})

describe('v0.20\'s words and exit codes', () => {
  test('info and release', async () => {
    await pool('192.168.0.0/16')
    expect(await run('ipam info 192.168.0.1')).toMatchObject({code: 0, stdout: 'IP 192.168.0.1 is not currently assigned\n', stderr: ''})
    await autoAssign(session, {ipv4: 1, node: 'host-1', createNode: true})
    const [bare = ''] = await allAssigned(store)
    expect(await run(`ipam info ${bare}`)).toMatchObject({code: 0, stdout: `No attributes defined for ${bare}\n`})
    expect(await run(`ipam release ${bare}`)).toMatchObject({code: 0, stdout: 'Address successfully released\n'})
    expect(await run(`ipam release ${bare}`)).toMatchObject({code: 0, stdout: 'Failed to release address\n', stderr: `${bare} was already free\n`})
    for (const wrong of ['192.168.0.0/24', 'bogus']) {
      for (const command of ['info', 'release']) expect(await run(`ipam ${command} ${wrong}`)).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('is not an IP address') as unknown})
    }
  })
})

describe('release of several', () => {
  test('--also: what was assigned is printed, what was free is told', async () => {
    await pool('192.168.0.0/16')
    for (const address of ['192.168.0.7', '192.168.0.9', '192.168.7.1']) await run(`ipam assign ${address} --handle vm`)
    expect(await run('ipam release 192.168.7.1 --also 192.168.0.7 --also=192.168.0.8 --dry-run')).toMatchObject({code: 0, stdout: '192.168.7.1\n192.168.0.7\n', stderr: '2 addresses would be released\n192.168.0.8 is free\n'})
    expect(await run('ipam release 192.168.7.1 --also 192.168.0.7 --also=192.168.0.8')).toMatchObject({code: 0, stdout: '192.168.7.1\n192.168.0.7\n', stderr: '2 addresses released\n192.168.0.8 was already free\n'})
    expect(await allAssigned(store)).toEqual(['192.168.0.9'])
    expect(await unsound(store)).toEqual([])
  })

  test('--range: exactly what is assigned of it, whatever the size of the blocks and the number of handles', async () => {
    await pool('10.1.0.0/20', {blockSize: 20})
    const addresses = assignedAddresses(await autoAssign(session, {ipv4: 200, node: 'host-1', createNode: true})).map(formatAddress)
    await Promise.all(Array.from({length: 150}, (_, i) => autoAssign(session, {ipv4: 1, node: 'host-1', handle: `vm-${i}`, createNode: true})))
    const before = await allAssigned(store)
    const inRange = before.filter((text) => text !== '10.1.0.0' && text !== '10.1.0.1')
    expect(addresses).toContain('10.1.0.1')
    const {code, stdout, stderr} = await run('ipam release --range 10.1.0.2 10.1.15.255')
    expect({code, stderr}).toEqual({code: 0, stderr: `${inRange.length} addresses released\n`})
    expect(stdout.trim().split('\n')).toHaveLength(inRange.length)
    expect(await allAssigned(store)).toEqual(['10.1.0.0', '10.1.0.1'])
    expect(await unsound(store)).toEqual([])
    expect(await run('ipam release --range 10.1.0.2 10.1.0.5')).toMatchObject({code: 0, stdout: '', stderr: '0 addresses released\n'})
    expect(await run('ipam release --range 10.1.0.1 10.1.0.1')).toMatchObject({code: 0, stdout: '10.1.0.1\n', stderr: '1 address released\n'})
  })

  test('--range over blocks of the usual size, one of them another node\'s', async () => {
    await pool('192.168.0.0/24')
    for (const [address, host] of [['192.168.0.63', 'host-1'], ['192.168.0.64', 'host-2'], ['192.168.0.127', 'host-2'], ['192.168.0.129', 'host-1']] as const) await run(`ipam assign ${address}`, host)
    expect(await run('ipam release --range 192.168.0.63 192.168.0.128')).toMatchObject({code: 0, stdout: '192.168.0.63\n192.168.0.64\n192.168.0.127\n', stderr: '3 addresses released\n'})
    expect(await allAssigned(store)).toEqual(['192.168.0.129'])
  })

  test.each([
    ['ipam release --range 10.0.0.0 10.1.0.0', /65537 addresses; the maximum is 65536/],
    ['ipam release --range 10.0.0.9 10.0.0.8', /is greater than/],
    ['ipam release --range 10.0.0.9 fd00::1', /different IP versions/],
    ['ipam release --range 10.0.0.9', /two addresses, IP and END/],
    ['ipam release --range 10.0.0.1 10.0.0.2 --also 10.0.0.3', /cannot be combined/],
    ['ipam release --range 10.0.0.1 10.0.0.2 --handle h', /cannot be combined/],
    ['ipam release 10.0.0.1 10.0.0.2 --handle h', /require --range/],
    ['ipam release 10.0.0.1 10.0.0.2', /^Usage:/],
    ['ipam release --also 10.0.0.2', /^Usage:/],
    ['ipam release 1.2.3', /read it as 1\.2\.0\.3/],
    ['ipam info 1.2.3', /^Error: '1\.2\.3' is not written in full: v0\.20 read it as 1\.2\.0\.3; if you mean that, write 1\.2\.0\.3\.\n$/],
    ['ipam show --ip=10', /read it as 0\.0\.0\.10/],
    ['ipam assign 10/8', /read it as 10\.0\.0\.0\/8/],
    ['ipam assign 0x0a000001', /read it as 10\.0\.0\.1/],
  ])('%s is refused', async (line, message) => {
    const {code, stdout, stderr} = await run(line)
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toMatch(message)
  })
})

describe('assign', () => {
  test('an address, by family, by pool; its handle is told and releases it', async () => {
    await pool('192.168.0.0/16')
    const first = await run('ipam assign')
    expect(first).toMatchObject({code: 0, stdout: expect.stringMatching(/^192\.168\.\d+\.\d+\n$/) as unknown, stderr: expect.stringMatching(/^node\/host-1 created\nHandle: calicoctl\.[0-9a-f-]{36}\n$/) as unknown})
    expect(await run('ipam assign 192.168.0.7 --handle vm-17')).toMatchObject({code: 0, stdout: '192.168.0.7\n', stderr: 'Handle: vm-17\n'})
    expect(await run('ipam info 192.168.0.7')).toMatchObject({code: 0, stdout: '{"node":"host-1","type":"manual"}\n'})
    expect((await run('ipam assign 192.168.0.0/16 --count 3 --handle vm-18 -o json')).stdout).toContain('"requested": 3')
    expect(await run('ipam check')).toMatchObject({code: 0, stdout: ''})
    expect((await run('ipam release --handle vm-18')).stdout.trim().split('\n')).toHaveLength(3)
    expect(await run('ipam release --handle vm-18')).toMatchObject({code: 0, stdout: ''})
    expect(await run('ipam release 192.168.0.7 --handle other')).toMatchObject({code: 5, stdout: ''})
    expect(await unsound(store)).toEqual([])
  })

  test('refusals', async () => {
    await pool('192.168.0.0/29', {blockSize: 29})
    await run('ipam assign 192.168.0.1')
    const cases: [string, number, string][] = [
      ['ipam assign 192.168.0.1', 5, 'already assigned'],
      ['ipam assign 10.0.0.1', 1, 'not in an enabled pool'],
      ['ipam assign ipv6', 8, 'no enabled IPv6 pool'],
      ['ipam assign --node other', 4, 'Node other does not exist'],
      ['ipam assign 10.0.0.0/24', 4, 'does not exist'],
      ['ipam assign --count 0', 1, '--count'],
      ['ipam assign --handle a/b', 1, 'not a valid handle'],
      ['ipam assign --count 20 --handle many', 9, 'Only 7 of 20'],
      ['ipam assign', 8, 'no address is free'],
    ]
    for (const [line, code, text] of cases) expect({line, ...(await run(line))}).toMatchObject({line, code, stderr: expect.stringContaining(text) as unknown})
    expect(await allAssigned(store)).toHaveLength(8)
  })

  test('strict affinity', async () => {
    await pool('192.168.0.0/28', {blockSize: 28})
    expect(await run('ipam configure --strict-affinity=true')).toMatchObject({code: 0, stdout: 'Successfully set StrictAffinity to: true\n'})
    expect(await run('ipam assign')).toMatchObject({code: 0})
    expect(await run('ipam assign', 'host-2')).toMatchObject({code: 8, stderr: expect.stringContaining('strict affinity') as unknown})
    expect(await run('ipam assign 192.168.0.9', 'host-2')).toMatchObject({code: 8})
    expect(await run('ipam configure --strict-affinity=false')).toMatchObject({code: 0})
    expect(await run('ipam assign', 'host-2')).toMatchObject({code: 0})
  })

  test('a dry run', async () => {
    await pool('192.168.0.0/28', {blockSize: 28})
    expect(await run('ipam assign --dry-run')).toMatchObject({code: 0, stdout: '192.168.0.0\n'})
    expect(await blocksOf(store)).toEqual([])
  })
})

test('show', async () => {
  await pool('10.1.0.0/28', {blockSize: 28})
  await run('ipam assign --count 3 --handle h1')
  expect((await run('ipam show')).stdout).toBe(
    [
      '+----------+-------------+--------+-----------+------------+----------+',
      '| Grouping |     CIDR    |  Node  | IPs total | IPs in use | IPs free |',
      '+----------+-------------+--------+-----------+------------+----------+',
      '| IP Pool  | 10.1.0.0/28 | <none> |     16    |  3 (19%)   | 13 (81%) |',
      '+----------+-------------+--------+-----------+------------+----------+',
      '',
    ].join('\n'),
  )
  expect((await run('ipam show --show-blocks -o plain')).stdout).toBe('IP Pool\t10.1.0.0/28\t\t16\t3 (19%)\t13 (81%)\nBlock\t10.1.0.0/28\thost-1\t16\t3 (19%)\t13 (81%)\n')
  expect((await run('ipam show --ip=10.1.0.0')).stdout).toBe('IP 10.1.0.0 is in use\nHandle ID: h1\nActive Owner Attributes:\n  node: host-1\n  type: manual\n')
  expect((await run('ipam show --ip=10.1.0.9')).stdout).toBe('10.1.0.9 is not assigned\n')
})

test('check and repair', async () => {
  await pool('10.1.0.0/28', {blockSize: 28})
  await node('host-1')
  await autoAssign(session, {ipv4: 2, node: 'host-1', handle: 'docker.gone', attributes: {node: 'host-1'}})
  const found = await run('ipam check')
  expect(found).toMatchObject({code: 10, stderr: expect.stringContaining('2 problems were found') as unknown})
  expect(found.stdout).toContain('leaked-address')
  expect(found.stdout).toContain('calicoctl ipam check --repair')
  expect(found.stderr).toContain('To repair: calicoctl ipam check --repair')
  expect(JSON.parse((await run('ipam check -o json')).stdout)).toMatchObject({kind: 'AddressCheck', problems: [{class: 'leaked-address', repairable: true}, {class: 'leaked-address'}]})
  expect(await run('ipam check --repair --grace 0.1 --dry-run')).toMatchObject({code: 10})
  expect(await run('ipam check --repair --grace 0.1')).toMatchObject({code: 0})
  expect(await allAssigned(store)).toEqual([])
  expect(await run('ipam check')).toMatchObject({code: 0, stdout: ''})
})

/** Requests that etcd has answered, as it counts them itself. */
async function requests(): Promise<number> {
  const text = await (await fetch(`${etcd.endpoints[0] ?? ''}/metrics`)).text()
  const counts = [...text.matchAll(/^grpc_server_handled_total\{[^}]*grpc_method="(Range|Txn|Put|DeleteRange)"[^}]*\} (\d+)/gm)]
  return counts.reduce((sum, [, , number]) => sum + Number(number), 0)
}

describe('round trips, counted by etcd', () => {
  const cost = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await requests()
    await work()
    const spent = (await requests()) - before
    expect(spent).toBeGreaterThan(0)
    return spent
  }

  test('a lone assignment: at most three, whatever there is', async () => {
    await pool('10.0.0.0/16')
    await node('host-1')
    expect(await cost(() => run('ipam assign'))).toBeLessThanOrEqual(3) // claims a block
    expect(await cost(() => run('ipam assign'))).toBeLessThanOrEqual(3)
    await autoAssign(session, {ipv4: 62 + 5 * 64, node: 'host-1', handle: 'full'})
    expect((await blocksOf(store)).map(({unallocated}) => unallocated?.length)).toEqual(Array<number>(6).fill(0))
    expect(await cost(() => run('ipam assign'))).toBeLessThanOrEqual(3) // all of six own blocks are full
    expect(await cost(() => run('ipam assign 10.0.77.77'))).toBeLessThanOrEqual(3)
  })

  test('in the steady state of a process: at most two', async () => {
    await pool('10.0.0.0/16')
    await node('host-1')
    const assign = (i: number): Promise<unknown> => autoAssign(session, {ipv4: 1, node: 'host-1', handle: `h${i}`, attributes: {node: 'host-1'}})
    await assign(0)
    expect(await cost(() => assign(1))).toBeLessThanOrEqual(2)
    const many = await cost(async () => {
      for (let i = 2; i < 52; i++) await assign(i)
    })
    expect(many).toBeLessThanOrEqual(100)
  })
})

describe('many processes', () => {
  test('exhaust a small pool: every address once, the losers are refused, nothing is left over', async () => {
    await pool('10.1.0.0/29', {blockSize: 29})
    for (const name of ['host-1', 'host-2', 'host-3']) await node(name)
    const results = await Promise.all(Array.from({length: 12}, (_, i) => run(`ipam assign --handle p${i}`, `host-${(i % 3) + 1}`)))
    const winners = results.filter(({code}) => code === 0)
    expect(results.map(({code}) => code).sort()).toEqual([...Array<number>(8).fill(0), ...Array<number>(4).fill(8)])
    expect(new Set(winners.map(({stdout}) => stdout)).size).toBe(8)
    expect(await unsound(store)).toEqual([])
    for (let i = 0; i < 12; i++) expect(await run(`ipam release --handle p${i}`)).toMatchObject({code: 0})
    expect(await allAssigned(store)).toEqual([])
    expect(await unsound(store)).toEqual([])
  })

  test('200 assignments at once from 8 clients are 200 different addresses', async () => {
    await pool('10.0.0.0/16')
    const nodes = ['host-1', 'host-2', 'host-3', 'host-4']
    for (const name of nodes) await node(name)
    const stores = await Promise.all(Array.from({length: 8}, () => openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}}, {perRequest: true})))
    const given = await Promise.all(
      stores.flatMap((each, i) => {
        const client = newSession(each, {warn: () => undefined})
        return Array.from({length: 25}, (_, j) => autoAssign(client, {ipv4: 1, node: nodes[i % 4] ?? '', handle: `c${i}.${j}`}))
      }),
    )
    for (const each of stores) each.close()
    const addresses = given.flatMap(assignedAddresses).map(formatAddress)
    expect(new Set(addresses).size).toBe(200)
    expect((await allAssigned(store)).sort()).toEqual(addresses.sort())
    expect(await unsound(store)).toEqual([])
  })

  test('killed at any moment, they leave nothing that a check does not name and repair', async () => {
    await pool('10.1.0.0/27', {blockSize: 29})
    await node('host-1')
    for (let i = 0; i < 8; i++) {
      const {process: child, result} = startCalicoctl(['ipam', 'assign', '--count', '9', '--handle', `k${i}`], options())
      result.catch(() => undefined)
      setTimeout(() => child.kill('SIGKILL'), 40 + i * 20)
      await new Promise((resolve) => child.on('close', resolve))
      expect(await unsound(store)).toEqual([])
      await run(`ipam release --handle k${i}`)
    }
    expect(await allAssigned(store)).toEqual([])
    expect(await run('ipam check')).toMatchObject({code: 0})
  })
})
