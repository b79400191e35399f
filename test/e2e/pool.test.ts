/** The pool commands by the built command, on a real etcd: what they print, their exit codes, and what is stored. */
import type {ChildProcess} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {networkInterfaces} from 'node:os'
import {resolve} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {type Result, startCalicoctl} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {type Proxy, startProxy} from '../support/proxy.js'
import {calicoctl} from '../support/warm.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const POOLS = `${RESOURCES}ippools/`
const CLUSTER = `${RESOURCES}clusterinformations/default`
const IPAM = '/calico/ipam/v2/'

/** libcalico-go's own record of a pool's removal: two assignments from 10.1.0.0/24, then the pool is deleted. */
const [assigned, assignedAgain, poolDeleted] = goldenSteps('54-pool-delete')

function goldenSteps(id: string): Readonly<Record<string, string | null>>[] {
  const lines = readFileSync(resolve(import.meta.dirname, '../fixtures/golden/ipam-traces.jsonl'), 'utf8').trim().split('\n')
  const traces = lines.map((line) => JSON.parse(line) as {id: string; steps: {changed: Record<string, string | null>}[]})
  return traces.find((trace) => trace.id === id)?.steps.map(({changed}) => changed) ?? []
}

let etcd: TestEtcd
let cluster: string
beforeAll(async () => {
  etcd = await startEtcd()
  await run('pool add 10.0.0.0/24')
  cluster = (await etcd.ctl('get', CLUSTER, '--print-value-only')).trimEnd()
})
afterAll(() => etcd.stop())
/** Every test has a Calico datastore without pools. */
beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/')
  await etcd.ctl('put', CLUSTER, cluster)
})

const env = (): Record<string, string> => ({ETCD_ENDPOINTS: etcd.endpoints.join(',')})
const run = (line: string): Promise<Result> => calicoctl(line.split(' '), {env: env()})

async function given(...lines: string[]): Promise<void> {
  for (const line of lines) {
    const {code, stderr} = await run(line)
    if (code !== 0) throw new Error(`${line}: ${stderr}`)
  }
}

/** The keys under PREFIX with their values. */
async function stored(prefix: string): Promise<Map<string, string>> {
  const lines = (await etcd.ctl('get', '--prefix', prefix)).trimEnd().split('\n')
  return new Map(Array.from({length: Math.floor(lines.length / 2)}, (_, index) => [lines[2 * index] ?? '', lines[2 * index + 1] ?? '']))
}
const poolNames = async (): Promise<string[]> => [...(await stored(POOLS)).keys()].map((key) => key.slice(POOLS.length))
const spec = async (name: string): Promise<Record<string, unknown>> =>
  (JSON.parse((await stored(POOLS + name)).get(POOLS + name) ?? '{}') as {spec: Record<string, unknown>}).spec

async function put(entries: Readonly<Record<string, string | null>> = {}): Promise<void> {
  for (const [key, value] of Object.entries(entries)) if (value !== null) await etcd.ctl('put', key, value)
}
async function revision(): Promise<number> {
  return (JSON.parse(await etcd.ctl('get', 'nothing', '-w', 'json')) as {header: {revision: number}}).header.revision
}

const DONE = 'Disabling IP Pool\nRemoving IPAM configuration for pool\nDeleted IP Pool\n'

describe('pool add', () => {
  test('is silent on stdout, and tells on stderr what it did', async () => {
    expect(await run('pool add 10.0.0.77/24 fd80:24e2:f998:72d6::/64 --nat-outgoing')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'ippool/10.0.0.0/24 created\nippool/fd80:24e2:f998:72d6::/64 created\n',
    })
    expect(await poolNames()).toEqual(['10-0-0-0-24', 'fd80-24e2-f998-72d6---64'])
    expect(await spec('10-0-0-0-24')).toEqual({
      cidr: '10.0.0.0/24', vxlanMode: 'Never', ipipMode: 'Never', natOutgoing: true, blockSize: 26, nodeSelector: 'all()', allowedUses: ['Workload', 'Tunnel'], assignmentMode: 'Automatic',
    })
  })

  test('again changes nothing, or only the options', async () => {
    await given('pool add 10.0.0.0/24 --ipip')
    const before = await revision()
    expect(await run('pool add --ipip 10.0.0.9/24')).toMatchObject({code: 0, stdout: '', stderr: 'ippool/10.0.0.0/24 unchanged\n'})
    expect(await revision()).toBe(before)
    expect(await run('pool add 10.0.0.0/24 --nat-outgoing')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'ippool/10.0.0.0/24 updated (nat-outgoing off → on)\nippool/10.0.0.0/24 keeps the options that were not given: ipip. To change that: calicoctl pool set 10.0.0.0/24 --no-ipip\n',
    })
    expect(await spec('10-0-0-0-24')).toMatchObject({ipipMode: 'Always', natOutgoing: true})
  })

  test('of a pool, and of a range, that exist: what the line does not name is kept, and told', async () => {
    await given('pool add 10.0.0.0/24 --ipip --nat-outgoing', 'pool set 10.0.0.0/24 --disabled')
    const before = await revision()
    for (const line of ['pool add 10.0.0.0/24', 'pool range add 10.0.0.0 10.0.0.255']) {
      expect(await run(line)).toMatchObject({
        code: 0,
        stdout: '',
        stderr: 'ippool/10.0.0.0/24 unchanged\nippool/10.0.0.0/24 keeps the options that were not given: ipip, nat-outgoing, disabled. To change that: calicoctl pool set 10.0.0.0/24 --no-ipip --no-nat-outgoing --enabled\n',
      })
    }
    expect(await revision()).toBe(before)
  })

  test('with smaller blocks makes smaller pools; an existing pool keeps its block size', async () => {
    await given('pool add 10.0.0.0/28 --block-size 28', 'pool range add 10.1.0.0 10.1.0.2 --block-size=32')
    expect(await spec('10-0-0-0-28')).toMatchObject({cidr: '10.0.0.0/28', blockSize: 28})
    expect(await poolNames()).toEqual(['10-0-0-0-28', '10-1-0-0-31', '10-1-0-2-32'])
    expect(await run('pool add 10.0.0.0/28 --block-size 28')).toMatchObject({code: 0, stderr: 'ippool/10.0.0.0/28 unchanged\n'})
    expect(await run('pool add 10.0.0.0/28 --block-size 29')).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining('has blocks of /28') as unknown})
    expect(await run('ipam assign 10.1.0.2')).toMatchObject({code: 0, stdout: '10.1.0.2\n'})
  })

  test('over a network of this host warns, and adds it', async () => {
    const [own] = Object.entries(networkInterfaces()).flatMap(([name, all = []]) => all.flatMap(({cidr, internal, family}) => (cidr !== null && !internal && family === 'IPv4' ? [{name, cidr}] : [])))
    if (own === undefined) throw new Error('this test needs a host with an IPv4 address')
    const {code, stderr} = await run(`pool add ${own.cidr} --block-size 32`)
    expect(code).toBe(0)
    expect(stderr).toMatch(new RegExp(`^ippool/.* created\nWarning: the pool .* overlaps .*, the network of ${own.name} on this host: `))
    expect((await run(`pool add ${own.cidr}`)).stderr).not.toMatch(/Warning/)
  })

  test.each([
    ['pool add 10.0.0.0/24 300.0.0.0/24', /'300\.0\.0\.0\/24' is not a valid CIDR/],
    ['pool add 10.0.0.0/30', /10\.0\.0\.0\/30 is too small/],
    ['pool add 10.0.0.1', /10\.0\.0\.1\/32 is a single address.*with its prefix length/],
    ['pool add 10.0.0.0/16 10.0.1.0/24', /10\.0\.1\.0\/24 overlaps 10\.0\.0\.0\/16 in the same command/],
    ['pool add fd00::/64 --ipip', /IPIP is not possible with IPv6/],
    ['pool add x 10.0.0.0/30 fd00::/64 --ipip', /3 problems in the command line:\n {2}'x' is not[^]*IPIP[^]*too small/],
    ['pool range add 10.0.0.0 10.0.0.95', /10\.0\.0\.0\/26, 10\.0\.0\.64\/27/],
    ['pool add 10.1', /^Error: '10\.1' is not written in full: v0\.20 read it as 10\.1\.0\.0\/32; if you mean that, write 10\.1\.0\.0\/32\.\n$/],
    ['pool add 192.168/16', /write 192\.168\.0\.0\/16/],
    ['pool range add 10.1 10.0.2', /2 problems in the command line:\n[^]*write 10\.0\.0\.1\.\n[^]*write 10\.0\.0\.2\./],
    ['pool add 127.0.0.0/16', /127\.0\.0\.0\/16 cannot be a pool: it contains 127\.0\.0\.0, a loopback address/],
    ['pool add 0.0.0.0/0', /cannot be a pool/],
    ['pool add ::1 --block-size 128', /::1\/128 cannot be a pool/],
    ['pool add 169.254.0.0/24 224.0.0.0/24 fe80::/64 ff05::/64', /4 problems in the command line:/],
    ['pool range add 239.0.0.0 239.255.255.255', /multicast address/],
    ['pool add 10.0.0.0/24 --block-size 19', /blocks of IPv4 are \/20 to \/32/],
    ['pool add 10.0.0.0/24 --block-size x', /^Error: --block-size: 'x' is not a prefix length[^\n]*\n$/],
    ['pool range add 10.0.0.9 10.0.0.9', /is not less than/],
    ['pool range add 10.0.0.9 fd00::9', /have different IP versions/],
    ['pool range add nine ten', /2 problems in the command line:\n {2}'nine'[^]*'ten'/],
  ])('%s is refused, without usage, and adds nothing', async (line, message) => {
    const {code, stdout, stderr} = await run(line)
    expect({code, stdout}).toEqual({code: 1, stdout: ''})
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/Usage:/)
    expect(await poolNames()).toEqual([])
  })

  test('all or none: the other pool that is in the way is named', async () => {
    await given('pool add 10.5.6.0/24')
    const {code, stderr} = await run('pool add 10.1.0.0/16 10.5.0.0/16')
    expect({code, stderr}).toEqual({code: 1, stderr: 'Error: 10.5.0.0/16 overlaps the pool 10.5.6.0/24 (10-5-6-0-24). Nothing was changed.\nTo see the pools: calicoctl pool show\n'})
    expect(await poolNames()).toEqual(['10-5-6-0-24'])
  })

  test('of a range', async () => {
    await given('pool range add 172.24.0.0 172.24.25.255 --nat-outgoing')
    expect(await poolNames()).toEqual(['172-24-0-0-20', '172-24-16-0-21', '172-24-24-0-23'])
    expect(await run('pool range add 172.24.0.0 172.24.25.255 --nat-outgoing')).toMatchObject({code: 0, stderr: expect.stringContaining('ippool/172.24.0.0/20 unchanged') as unknown})
  })

  test('of a pool with VXLAN as IPIP is refused to protect it', async () => {
    await put({[`${POOLS}v`]: '{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"v","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"cidr":"10.0.0.0/24","vxlanMode":"Always"}}'})
    expect(await run('pool add 10.0.0.0/24 --ipip')).toMatchObject({code: 8})
    expect(await spec('v')).toEqual({cidr: '10.0.0.0/24', vxlanMode: 'Always'})
  })

  test('of the subnet of a Docker network, whose addresses Docker gives itself, is refused', async () => {
    await put({[`${POOLS}v`]: '{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"v","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z","annotations":{"calicoctl/network":"c0ffee","calicoctl/network-name":"dnet"}},"spec":{"cidr":"10.0.0.0/24","disabled":true}}'})
    expect(await run('pool add 10.0.0.0/24')).toMatchObject({code: 8, stderr: expect.stringContaining('Docker network dnet') as unknown})
    expect(await spec('v')).toEqual({cidr: '10.0.0.0/24', disabled: true})
  })

  test('in a dry run shows the difference and writes nothing', async () => {
    const before = await revision()
    const {code, stdout, stderr} = await run('pool add 10.0.0.0/24 --dry-run')
    expect({code, stderr}).toEqual({code: 0, stderr: 'ippool/10.0.0.0/24 would be created\n'})
    expect(stdout).toMatch(/^\+ {2}cidr: 10\.0\.0\.0\/24$/m)
    expect(await revision()).toBe(before)
  })

  test('on an empty store initialises it', async () => {
    await etcd.ctl('del', '--prefix', '/')
    expect((await run('pool add 10.0.0.0/24')).stderr).toMatch(/Initialising/)
    expect([...(await stored(CLUSTER)).keys()]).toEqual([CLUSTER])
  })

  test('of overlapping pools at the same time: exactly one is added', async () => {
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(['10.0.0.0/16', '10.0.0.0/17', '10.0.64.0/18', '10.0.0.0/8'].map((cidr) => run(`pool add 10.${100 + round}.0.0/16 ${cidr}`)))
      expect(results.filter(({code}) => code === 0)).toHaveLength(1)
      for (const {code, stderr} of results) if (code !== 0) expect(stderr).toMatch(/overlaps/)
      expect(await poolNames()).toHaveLength(2)
      await etcd.ctl('del', '--prefix', POOLS)
    }
  })
})

describe('pool set', () => {
  test('changes what is named and keeps the rest', async () => {
    await given('pool add 10.0.0.0/24 --ipip --nat-outgoing', 'pool add 10.1.0.0/24')
    expect(await run('pool set 10.0.0.0/24 --no-ipip --disabled')).toMatchObject({code: 0, stdout: '', stderr: 'ippool/10.0.0.0/24 updated (ipip on → off, disabled)\n'})
    expect(await spec('10-0-0-0-24')).toMatchObject({ipipMode: 'Never', natOutgoing: true, disabled: true})
    expect(await run('pool set 10.0.0.0/24 10.1.0.0/24 --enabled')).toMatchObject({code: 0, stderr: 'ippool/10.0.0.0/24 updated (enabled)\nippool/10.1.0.0/24 unchanged\n'})
    expect(await run('pool set 10.1.0.0/24 --nat-outgoing --dry-run')).toMatchObject({code: 0, stdout: expect.stringContaining('+  natOutgoing: true') as unknown, stderr: 'ippool/10.1.0.0/24 would be updated (nat-outgoing off → on)\n'})
    expect(await spec('10-1-0-0-24')).not.toHaveProperty('natOutgoing')
  })

  test('leaves CrossSubnet alone where IPIP is asked for', async () => {
    await put({[`${POOLS}v`]: '{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"v","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"cidr":"10.0.0.0/24","ipipMode":"CrossSubnet"}}'})
    for (const line of ['pool set 10.0.0.0/24 --ipip', 'pool add 10.0.0.0/24 --ipip']) expect(await run(line)).toMatchObject({code: 0, stderr: expect.stringMatching(/^ippool\/10\.0\.0\.0\/24 unchanged\n/) as unknown})
    expect(await spec('v')).toMatchObject({ipipMode: 'CrossSubnet'})
  })

  test.each([
    ['pool set 10.0.0.0/24 10.9.0.0/24 --disabled', 4, /10\.9\.0\.0\/24 is not a configured pool/],
    ['pool set 10.0.0.0/24', 1, /Nothing to change: give --nat-outgoing/],
    ['pool set 10.0.0.0/24 --ipip --no-ipip', 1, /--ipip and --no-ipip cannot be combined/],
    ['pool set fd00::/64 --ipip', 1, /IPIP is not possible with IPv6/],
    ['pool set 10.8.0.0/24 --ipip', 8, /uses VXLAN/],
    ['pool set 10.7.0.0/24 --enabled', 8, /Docker network dnet/],
    ['pool set 10.1 --disabled', 1, /not written in full/],
    ['pool set --disabled', 1, /^Usage:[^]*<CIDRS> is missing/],
    ['pool add 10.0.0.0/24 --no-ipip', 1, /^Usage:/],
  ])('%s is refused with %d and changes nothing', async (line, code, message) => {
    await given('pool add 10.0.0.0/24')
    const like = (name: string, more: string): Record<string, string> => ({[`${POOLS}${name}`]: `{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"${name}","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z"${more}}`})
    await put({...like('v', '},"spec":{"cidr":"10.8.0.0/24","vxlanMode":"Always"}'), ...like('d', ',"annotations":{"calicoctl/network":"c0ffee","calicoctl/network-name":"dnet"}},"spec":{"cidr":"10.7.0.0/24","disabled":true}')})
    const before = await revision()
    const result = await run(line)
    expect(result).toMatchObject({code, stdout: ''})
    expect(result.stderr).toMatch(message)
    expect(await revision()).toBe(before)
  })
})

describe('pool show', () => {
  beforeEach(() => given('pool add 10.10.0.0/16 --ipip --nat-outgoing', 'pool add 10.2.0.0/16', 'pool add fd00::/64 --nat-outgoing'))

  test('prints v0.20\'s tables', async () => {
    const v4 = [
      '+--------------+-------------------+',
      '|  IPv4 CIDR   |      Options      |',
      '+--------------+-------------------+',
      '| 10.10.0.0/16 | ipip,nat-outgoing |',
      '| 10.2.0.0/16  |                   |',
      '+--------------+-------------------+',
    ]
    const v6 = ['+-----------+--------------+', '| IPv6 CIDR |   Options    |', '+-----------+--------------+', '| fd00::/64 | nat-outgoing |', '+-----------+--------------+']
    const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
    expect(await run('pool show')).toMatchObject({code: 0, stdout: text([...v4, ...v6]), stderr: ''})
    expect(await run('pool show --ipv4')).toMatchObject({code: 0, stdout: text(v4)})
    expect(await run('pool show --ipv6')).toMatchObject({code: 0, stdout: text(v6)})
  })

  test('in the other formats', async () => {
    expect((await run('pool show -o name')).stdout).toBe('10.10.0.0/16\n10.2.0.0/16\nfd00::/64\n')
    expect((await run('pool show --ipv6 -o plain')).stdout).toBe('fd00::/64\tnat-outgoing\tfd00---64\t\t122\tNever\tNever\tall()\n')
    expect((await run('pool show --ipv4 -o wide')).stdout).toMatch(/^\| 10\.10\.0\.0\/16 +\| +ipip,nat-outgoing +\| +10-10-0-0-16 +\| +<none> +\| +26 +\| +Always +\| +Never +\| +all\(\) +\|$/m)
    expect(JSON.parse((await run('pool show --ipv6 --json')).stdout)).toMatchObject({kind: 'IPPoolList', apiVersion: 'projectcalico.org/v3', items: [{kind: 'IPPool', metadata: {name: 'fd00---64'}, spec: {cidr: 'fd00::/64'}}]})
    expect((await run('pool show -o yaml')).stdout).toMatch(/^kind: IPPoolList\n/)
  })

  test('prints empty tables where there are none', async () => {
    await etcd.ctl('del', '--prefix', POOLS)
    expect((await run('pool show --ipv4')).stdout).toBe('+-----------+---------+\n| IPv4 CIDR | Options |\n+-----------+---------+\n+-----------+---------+\n')
  })
})

describe('pool remove', () => {
  test('prints v0.20\'s lines for each pool', async () => {
    await given('pool add 10.1.0.0/24 10.2.0.0/24 fd00::/64')
    expect(await run('pool remove 10.1.0.9/24')).toMatchObject({code: 0, stdout: DONE, stderr: 'ippool/10.1.0.0/24 deleted\n'})
    expect(await run('pool remove fd00::/64 10.2.0.0/24')).toMatchObject({code: 0, stdout: DONE + DONE})
    expect(await poolNames()).toEqual([])
  })

  test('of one that is none removes none of the line', async () => {
    await given('pool add 10.1.0.0/24')
    const {code, stdout, stderr} = await run('pool remove 10.1.0.0/24 10.2.0.0/24')
    expect({code, stdout}).toEqual({code: 4, stdout: ''})
    expect(stderr).toMatch(/^Error: 10\.2\.0\.0\/24 is not a configured pool\.\n/)
    expect(await poolNames()).toEqual(['10-1-0-0-24'])
  })

  test('of a range removes exactly the pools that adding it made, however many', async () => {
    await given('pool add 10.1.1.0/24', 'pool range add 172.24.0.1 172.24.255.254 --block-size 32')
    expect(await poolNames()).toHaveLength(31)
    expect(await run('pool remove --range 172.24.0.1 172.24.255.254 --dry-run')).toMatchObject({code: 0})
    const {code, stdout} = await run('pool remove --range 172.24.0.1 172.24.255.254')
    expect({code, stdout}).toEqual({code: 0, stdout: DONE.repeat(30)})
    expect(await poolNames()).toEqual(['10-1-1-0-24'])
  })

  test('of a range of IPv6, of more pools than etcd has conditions for in one transaction', async () => {
    await given('pool range add fd00::1 fd00::3:ffff:ffff:ffff --block-size 128')
    const names = await poolNames()
    expect(names.length).toBeGreaterThan(45)
    expect(await run('pool remove fd00::1 --range fd00::3:ffff:ffff:ffff')).toMatchObject({code: 0, stdout: DONE.repeat(names.length)})
    expect(await poolNames()).toEqual([])
  })

  test.each([
    ['pool remove --range 172.24.0.0 172.24.2.255', 4, /^Error: 172\.24\.2\.0\/24 is not a configured pool\./],
    ['pool remove --range 172.24.0.0', 1, /two addresses, START and END/],
    ['pool remove --range 172.24.0.0 172.24.1.0 172.24.2.0', 1, /two addresses, START and END/],
    ['pool remove --range 172.24.0.0/23 172.24.2.0', 1, /172\.24\.0\.0\/23 is not an address/],
    ['pool remove --range 172.24.2.0 172.24.0.0', 1, /is not less than/],
    ['pool remove --range 172.24 172.25', 1, /2 problems in the command line/],
  ])('%s ends with %d and removes nothing', async (line, code, message) => {
    await given('pool add 172.24.0.0/23')
    const result = await run(line)
    expect(result).toMatchObject({code, stdout: ''})
    expect(result.stderr).toMatch(message)
    expect(await poolNames()).toEqual(['172-24-0-0-23'])
  })

  test('refuses while addresses are in use, and names who has them', async () => {
    await given('pool add 10.1.0.0/24')
    await put({...assigned, ...assignedAgain})
    const before = await revision()
    const {code, stdout, stderr} = await run('pool remove 10.1.0.0/24')
    expect({code, stdout}).toEqual({code: 8, stdout: ''})
    expect(stderr).toMatch(/in use \(2\); nothing was changed\.\n {2}10\.1\.0\.128: handle h1, node host-1\n {2}10\.1\.0\.200: handle h2, node host-1\n.*--force/)
    expect(await revision()).toBe(before)
  })

  test('by force reaches the state that libcalico-go reaches', async () => {
    await given('pool add 10.1.0.0/24')
    await put({...assigned, ...assignedAgain})
    const {code, stdout, stderr} = await run('pool remove 10.1.0.0/24 --force')
    expect({code, stdout}).toEqual({code: 0, stdout: DONE})
    expect(stderr).toMatch(/belong to no pool now: 10\.1\.0\.128\/26, 10\.1\.0\.192\/26/)
    expect(await poolNames()).toEqual([])
    const expected = new Map(Object.entries({...assigned, ...assignedAgain, ...poolDeleted}).filter(([key, value]) => key.startsWith(IPAM) && value !== null))
    // Values as text after their order of keys: the numbers have 19 digits.
    const sorted = (text: string): string => [...text.matchAll(/"[^"]*":|[^,{}[\]"]+/g)].map(([part]) => part).sort().join('\n')
    const found = await stored(IPAM)
    expect([...found].map(([key, value]) => [key, sorted(value)])).toEqual([...expected].sort().map(([key, value]) => [key, sorted(value ?? '')]))
  })

  test('gives back what nobody uses, and another pool can be made there', async () => {
    await given('pool add 10.1.0.0/24')
    const free = (text: string) => text.replace(/"allocations":\[[^\]]*\]/, (list) => list.replace(/\b0\b/, 'null')).replace(/"attributes":\[.*?\}\}\]/, '"attributes":[]')
    await put(Object.fromEntries(Object.entries({...assigned, ...assignedAgain}).filter(([key]) => !key.includes('/handle/')).map(([key, value]) => [key, free(value ?? '')])))
    expect(await run('pool remove 10.1.0.0/24')).toMatchObject({code: 0, stdout: DONE})
    expect([...(await stored(IPAM)).keys()]).toEqual([`${IPAM}config`])
  })

  test('in a dry run shows what would go', async () => {
    await given('pool add 10.1.0.0/24')
    const before = await revision()
    const {code, stdout, stderr} = await run('pool remove 10.1.0.0/24 --dry-run')
    expect({code, stderr}).toEqual({code: 0, stderr: 'ippool/10.1.0.0/24 would be deleted\n'})
    expect(stdout).toMatch(/^\+\+\+ \/dev\/null$/m)
    expect(await revision()).toBe(before)
  })

  describe('with --drain', () => {
    beforeEach(async () => {
      await given('pool add 10.1.0.0/24')
      await put({...assigned, ...assignedAgain})
    })

    /** Starts it, and waits until it says that addresses are in use. */
    async function draining(...words: readonly string[]): Promise<{child: ChildProcess; result: Promise<Result>}> {
      const {process: child, result} = startCalicoctl(['pool', 'remove', '10.1.0.0/24', '--drain', ...words], {env: env()})
      await new Promise<void>((settle, fail) => {
        child.stderr?.on('data', (data: Buffer) => {
          if (data.includes('Addresses in use: 2')) settle()
        })
        result.then(() => fail(new Error('it ended')), fail)
      })
      return {child, result}
    }

    test('removes the pool once nobody has an address', async () => {
      const {result} = await draining('--wait', '1h')
      expect(await spec('10-1-0-0-24')).toMatchObject({disabled: true})
      await given('ipam release --range 10.1.0.0 10.1.0.255 --force')
      expect(await result).toMatchObject({code: 0, stdout: DONE, stderr: expect.stringMatching(/ippool\/10\.1\.0\.0\/24 deleted\n$/) as unknown})
      expect(await poolNames()).toEqual([])
    })

    test.each([['SIGINT', 130, 'Interrupted'], ['SIGTERM', 143, 'Terminated']] as const)('ends at %s with %d: the pool stays disabled, and the holders are named', async (signal, code, word) => {
      const {child, result} = await draining()
      child.kill(signal)
      const ended = await result
      expect(ended).toMatchObject({code, stdout: ''})
      expect(ended.stderr).toMatch(new RegExp(`${word}: the disabling of 10\\.1\\.0\\.0/24 was made\\. 10\\.1\\.0\\.0/24 stays disabled and is not deleted\\. Addresses still in use \\(2\\): 10\\.1\\.0\\.\\d+: .*To continue: calicoctl pool remove 10\\.1\\.0\\.0/24 --drain\\.?\\n$`))
      expect(await spec('10-1-0-0-24')).toMatchObject({disabled: true})
    })

    test('ends with 8 when the time is up', async () => {
      expect(await run('pool remove 10.1.0.0/24 --drain --wait 0')).toMatchObject({code: 8, stdout: '', stderr: expect.stringMatching(/Error: Addresses of 10\.1\.0\.0\/24 are still in use \(2\)\. It stays disabled[^]*To wait again: calicoctl pool remove/) as unknown})
    })

    test.each([
      ['--drain --force', /--drain and --force cannot be combined/],
      ['--wait 1m', /--wait requires --drain/],
      ['--drain --wait soon', /--wait: 'soon' is not a duration/],
    ])('%s: refused', async (words, message) => {
      expect(await run(`pool remove 10.1.0.0/24 ${words}`)).toMatchObject({code: 1, stderr: expect.stringMatching(message) as unknown})
      expect(await spec('10-1-0-0-24')).not.toHaveProperty('disabled')
    })
  })

  describe('that stops after the pool was disabled', () => {
    let proxy: Proxy
    beforeEach(async () => {
      proxy = await startProxy(etcd.endpoints[0] ?? '')
      await given('pool add 10.1.0.0/24')
      await put({...assigned, ...assignedAgain})
    })
    afterEach(() => proxy.stop())

    /** Starts the removal and calls STOP when it begins to give blocks back; from then on etcd does not answer. */
    function start(stop: (child: ChildProcess) => void): Promise<Result> {
      const {process: child, result} = startCalicoctl(['pool', 'remove', '10.1.0.0/24', '--force', '--timeout', '2s'], {env: {ETCD_ENDPOINTS: proxy.endpoint}})
      proxy.before('10.1.0.128-26', () => {
        proxy.set('black-hole')
        stop(child)
      })
      return result
    }

    async function finish(): Promise<void> {
      expect(await spec('10-1-0-0-24')).toMatchObject({disabled: true})
      expect(await run('pool remove 10.1.0.0/24 --force')).toMatchObject({code: 0, stdout: DONE})
      expect(await poolNames()).toEqual([])
      expect([...(await stored(`${IPAM}host/`)).keys()]).toEqual([])
    }

    test('by an interruption: says what is done and what is not; running it again finishes it', async () => {
      const {code, stdout, stderr} = await start((child) => child.kill('SIGINT'))
      expect({code, stdout}).toEqual({code: 130, stdout: ''})
      expect(stderr).toMatch(/Interrupted: the disabling of 10\.1\.0\.0\/24 was made\. The removal of 10\.1\.0\.0\/24 is not finished: the pool is disabled and must still be deleted\./)
      await finish()
    })

    test('by a datastore that goes away: the same, with exit code 9', async () => {
      const {code, stdout, stderr} = await start(() => undefined)
      expect({code, stdout}).toEqual({code: 9, stdout: ''})
      expect(stderr).toMatch(/^Error: 10\.1\.0\.0\/24: the removal is not finished; the pool is disabled but not deleted\.\n[^]*Run the command again/)
      await finish()
    })
  })
})
