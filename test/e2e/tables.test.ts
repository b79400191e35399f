/**
 * Tables on terminals of 80 and of 200 columns, and in pipes. `script` (util-linux) is the terminal. Most lines run in this process, which is told how wide its
 * terminal is; some as processes.
 */
import {spawn} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {createBudget} from '../../src/lib/datastore/budget.js'
import {openEmbedded} from '../../src/lib/datastore/embedded/embedded-datastore.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {stringifyJson} from '../../src/lib/json/json.js'
import {calicoctl, CALICOCTL, checkBuild} from '../support/cli.js'
import {loadCommands, type Outcome, type RunOn} from '../support/in-process.js'

const HOST = 'rack1-host1.dc1.example.com'
const WORKLOAD = 'c0ffee'.repeat(11).slice(0, 64)
const ID = 'beef'.repeat(8)
const ENDPOINT = {
  kind: 'WorkloadEndpoint',
  apiVersion: 'projectcalico.org/v3',
  metadata: {name: 'x', namespace: 'default', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', annotations: {'calicoctl/container': 'shop-frontend-1'}},
  spec: {orchestrator: 'docker', workload: WORKLOAD, node: HOST, endpoint: ID, ipNetworks: ['192.168.100.101/32', 'fd80:24e2:f998:72d6::1/128'], mac: 'ee:ee:ee:ee:ee:ee', profiles: ['web', 'frontend'], interfaceName: 'cali0123456789a'},
}

let folder: string
let path: string
let store: Datastore
let run: RunOn
beforeAll(async () => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'tables-'))
  path = join(folder, 'store.json')
  store = openEmbedded({type: 'embedded', path: {value: path, origin: 'test'}}, createBudget({perRequest: true}))
  run = await loadCommands('profile', 'pool', 'endpoint', 'node:show', 'node:bgp', 'bgp', 'ipam', 'get', 'lint', 'schema', 'status', 'datastore:status', 'policy:matrix')
  for (const line of ['profile add web', 'profile add frontend', 'profile add bare', 'pool add 192.168.0.0/16 --nat-outgoing', 'pool add fd80:24e2:f998:72d6::/64', 'pool add 172.16.0.0/16', 'bgp peer add 10.0.0.1 as 65000']) {
    expect(await run(store, line.split(' '))).toMatchObject({code: 0, stderr: expect.not.stringContaining('Error') as unknown})
  }
  const resource = (kind: string, name: string): string => `/calico/resources/v3/projectcalico.org/${kind}/${name}`
  await store.transact({then: [
    {put: resource('workloadendpoints', `default/${HOST.replaceAll('-', '--')}-docker-${WORKLOAD}-${ID}`), value: stringifyJson({...ENDPOINT, metadata: {...ENDPOINT.metadata, name: `${HOST.replaceAll('-', '--')}-docker-${WORKLOAD}-${ID}`}})},
    {put: resource('nodes', HOST), value: stringifyJson({kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: {name: HOST, uid: 'n', creationTimestamp: '2026-01-01T00:00:00Z'}, spec: {bgp: {ipv4Address: '172.17.42.1/16'}}})},
  ]})
  expect(await run(store, ['node', 'bgp', 'peer', 'add', '10.0.0.2', 'as', '65001', '--node', HOST])).toMatchObject({code: 0})
})
afterAll(() => {
  store.close()
  rmSync(folder, {recursive: true, force: true})
})

const at = (width: number | undefined, line: string): Promise<Outcome> => run(store, line.split(' '), width === undefined ? {} : {width})
const lines = (text: string): string[] => text.split('\n').slice(0, -1)
const cells = (text: string): string[][] => lines(text).filter((line) => line.startsWith('|')).map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim()))

const TABLES = [
  'endpoint show', 'endpoint show --detailed', `endpoint ${ID} profile show`, 'profile show', 'profile show --detailed', 'pool show', 'bgp peer show', `node bgp peer show --node ${HOST}`, 'node show', 'ipam show',
  'ipam show --show-blocks', 'get kinds', 'get workloadendpoint', 'get ippool', 'get profile', 'get node', 'get bgppeer', 'get clusterinformation', 'get block', 'get handle', 'get affinity', 'lint codes', 'schema', 'ipam check', 'status --all', 'datastore status', 'policy matrix',
]

describe.each(TABLES)('%s', (line) => {
  test.each([80, 200, 0])('on a terminal of %i columns (0 = unknown, so 80) nothing wraps, and no cell is blank', async (width) => {
    const {code, stdout} = await at(width, line)
    expect([0, 10]).toContain(code)
    expect(stdout).not.toBe('')
    expect(Math.max(...lines(stdout).map(({length}) => length))).toBeLessThanOrEqual(width || 80)
    const first = lines(stdout).filter((text, index, all) => text.startsWith('|') && all[index - 1]?.startsWith('+'))
    expect(first.filter((text) => text.split('|').slice(1, -1).some((cell) => cell.trim() === ''))).toEqual([])
    const head = cells(stdout.split(/^\+.*\n/m)[1] ?? '')
    const headers = (head[0] ?? []).map((_, column) => head.map((row) => row[column]).join(' '))
    expect(new Set(headers).size).toBe(headers.length)
  })
})

test('80 columns: ids as Docker shows them, the name of the container first, and a last line that says what is left out', async () => {
  const {stdout, stderr} = await at(80, 'endpoint show --detailed')
  const [header, row] = cells(stdout)
  expect(header?.indexOf('Container')).toBeLessThan(header?.indexOf('Endpoint ID') ?? 0)
  expect(row).toEqual(expect.arrayContaining(['shop-frontend-1', ID.slice(0, 12)]))
  expect(stdout).not.toContain(WORKLOAD)
  expect(stderr.replaceAll('\n', ' ')).toMatch(/^Columns left out to fit the terminal: .*MAC.*State\. For all columns, use -o wide\. $/)
})

test('80 columns: what is looked for in a list stays, ids in longer names are shortened, an address is a line', async () => {
  const endpoints = await at(80, 'get workloadendpoint')
  expect(cells(endpoints.stdout)[0]).toEqual(['WORKLOAD', 'NODE', 'NETWORKS'])
  expect(endpoints.stdout).toMatch(/\| c0ffeec0ffee \|[^|]+\| +192\.168\.100\.101 +\|\n\|[^|]+\|[^|]+\| fd80:24e2:f998:72d6::1 +\|/)
  expect(endpoints.stderr).toBe('Columns left out to fit the terminal: INTERFACE. For all columns, use -o wide.\n')
  const peers = cells((await at(60, 'get bgppeer')).stdout)
  expect(peers[0]).toEqual(['NAME', 'PEERIP', 'ASN'])
  // The commands of findings are not cut by a column: they can be copied.
  const problems = (await at(80, 'ipam check')).stdout
  expect(problems.replaceAll(/\n {9}/g, '')).toMatch(new RegExp(`^Problem: workloadendpoint/default/.*docker-${WORKLOAD.slice(0, 12)}-`, 'm'))
  expect(problems.replaceAll(/ \\\n +/g, ' ')).toMatch(new RegExp(`^ {4}calicoctl ipam assign 192\\.168\\.100\\.101 --node ${HOST} --handle docker\\.${WORKLOAD}$`, 'm'))
})

test('200 columns: all columns, nothing is said', async () => {
  const {stdout, stderr} = await at(200, 'endpoint show --detailed')
  expect(cells(stdout)[0]).toEqual(['Hostname', 'Orchestrator ID', 'Container', 'Workload ID', 'Endpoint ID', 'Addresses', 'MAC', 'Profiles', 'State'])
  expect(stderr).toBe('')
})

test('a pipe: the columns of v0.20, whole, and blank where they were', async () => {
  const endpoints = await at(undefined, 'endpoint show --detailed')
  expect(cells(endpoints.stdout).slice(0, 2)).toEqual([
    ['Hostname', 'Orchestrator ID', 'Workload ID', 'Endpoint ID', 'Addresses', 'MAC', 'Profiles', 'State'],
    [HOST, 'docker', WORKLOAD, ID, '192.168.100.101/32', 'ee:ee:ee:ee:ee:ee', 'web,frontend', 'active'],
  ])
  expect(endpoints.stderr).toBe('')
  expect(cells((await at(undefined, 'pool show --ipv4')).stdout)).toEqual([['IPv4 CIDR', 'Options'], ['172.16.0.0/16', ''], ['192.168.0.0/16', 'nat-outgoing']])
  expect(cells((await at(undefined, 'node show')).stdout)[1]?.[2]).toBe('')
})

test('-o wide: all columns, whole, and no cell is blank, on a terminal and in a pipe', async () => {
  for (const width of [80, undefined]) {
    const {stdout, stderr} = await at(width, 'pool show -o wide')
    expect(cells(stdout)[1]).toEqual(['172.16.0.0/16', '<none>', '172-16-0-0-16', '<none>', '26', 'Never', 'Never', 'all()'])
    expect(stderr).toBe('')
  }
})

test('-o plain: tabs and whole values on any terminal', async () => {
  const plain = await at(80, 'endpoint show -o plain')
  expect(plain).toEqual(await at(undefined, 'endpoint show -o plain'))
  expect(plain.stdout.split('\t').slice(0, 4)).toEqual([HOST, 'docker', WORKLOAD, ID])
})

test('totals of IPv6 are powers of two, but digits for awk', async () => {
  expect((await at(undefined, 'ipam show')).stdout).toMatch(/\| +2\^64 +\| +0 \(0%\) +\| +2\^64 \(100%\) +\|/)
  expect((await at(undefined, 'ipam show -o plain')).stdout).toContain('18446744073709551616\t0 (0%)')
})

/** What `calicoctl ARGS` shows on a terminal of WIDTH columns. */
function onTerminal(width: number, args: string): Promise<string[]> {
  const child = spawn('script', ['-qefc', `stty cols ${width} && ${process.execPath} ${CALICOCTL} ${args}`, '/dev/null'], {env: {PATH: process.env.PATH, HOME: folder, TERM: 'xterm'}})
  let screen = ''
  child.stdout.on('data', (data: Buffer) => (screen += data.toString()))
  return new Promise((settle) => child.on('close', () => settle(screen.split(/\r?\n/).slice(0, -1))))
}

describe('as a process', () => {
  const args = (): string => `endpoint show --detailed --datastore embedded:${path}`

  test.each([80, 200])('the terminal has %i columns', async (width) => {
    const screen = await onTerminal(width, args())
    expect(Math.max(...screen.map(({length}) => length))).toBeLessThanOrEqual(width)
    expect(screen.join('\n')).toContain('shop-frontend-1')
    expect(screen.at(-1)?.endsWith('For all columns, use -o wide.')).toBe(width === 80)
  })

  test('sentences go on in the next line of a terminal, and are whole in a pipe', async () => {
    // The library that is not there: its remedy has more than 80 columns.
    const root = join(folder, 'agent')
    for (const [file, text] of [['etc/mesos-slave/modules', 'file:///calico/modules.json'], ['calico/modules.json', '{"libraries": [{"file": "/opt/libmesos_network_isolator.so"}]}']] as const) {
      mkdirSync(join(root, dirname(file)), {recursive: true})
      writeFileSync(join(root, file), text)
    }
    const line = `mesos check --root ${root} --style rpm -q --datastore embedded:${path}`
    const screen = (await onTerminal(80, line)).filter((each) => !each.includes('Error:'))
    const {code, stdout} = await calicoctl(line.split(' '))
    expect(code).toBe(10)
    expect([Math.max(...screen.map(({length}) => length)) <= 80, lines(stdout).some(({length}) => length > 80)]).toEqual([true, true])
    expect(screen.join(' ').replaceAll(/\s+/g, ' ').trim()).toBe(stdout.replaceAll(/\s+/g, ' ').trim())
  })

  test('a pipe', async () => {
    const {stdout} = await calicoctl(args().split(' '))
    expect(stdout).toBe((await at(undefined, 'endpoint show --detailed')).stdout)
  })
})
