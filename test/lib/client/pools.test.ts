import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {addPools, changedOptions, coverProblems, listPools, type PoolOptions, poolLabel, problemsOfLine, rangeProblem, setPools, unnamed} from '../../../src/lib/client/pools.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {type Address, type Cidr, parseAddress, parseCidr} from '../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const POOLS = '/calico/resources/v3/projectcalico.org/ippools/'
const CLUSTER = '/calico/resources/v3/projectcalico.org/clusterinformations/default'
const PLAIN: PoolOptions = {}

let store: FaultyStore
let session: Session
let warnings: string[]

beforeEach(async () => {
  store = await faultyStore()
  warnings = []
  session = newSession(store, {warn: (message) => warnings.push(message)})
  await store.transact({then: [{put: CLUSTER, value: '{"kind":"ClusterInformation","apiVersion":"projectcalico.org/v3","metadata":{"name":"default"},"spec":{"datastoreReady":true}}'}]})
  store.writes.length = 0
})
afterEach(() => store.close())

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text)
  if (!parsed) throw new Error(text)
  return parsed
}
const address = (text: string): Address => {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(text)
  return parsed
}

const add = (texts: string, options: Partial<PoolOptions> = {}) => addPools(session, texts.split(' ').map(cidr), {...PLAIN, ...options})
const actions = async (texts: string, options: Partial<PoolOptions> = {}): Promise<string[]> => (await add(texts, options)).map(({name, action}) => `${name} ${action}`)

async function failure(promise: Promise<unknown>): Promise<CalicoError> {
  const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason)
  if (error instanceof CalicoError) return error
  throw new Error(`no CalicoError but ${String(error)}`)
}

interface StoredPool {
  readonly metadata: {readonly uid?: string; readonly annotations?: object}
  readonly spec: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}
async function stored(): Promise<Record<string, StoredPool>> {
  const found: Record<string, StoredPool> = {}
  for await (const {entries} of store.list(POOLS)) for (const {key, value} of entries) found[key.slice(POOLS.length)] = JSON.parse(value) as StoredPool
  return found
}
const specs = async (): Promise<Record<string, unknown>> => Object.fromEntries(Object.entries(await stored()).map(([name, {spec}]) => [name, spec]))

const put = (name: string, spec: object, more: object = {}) =>
  store.transact({then: [{put: POOLS + name, value: JSON.stringify({kind: 'IPPool', apiVersion: 'projectcalico.org/v3', metadata: {name, uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z'}, spec, ...more})}]})

const DEFAULTS = {vxlanMode: 'Never', ipipMode: 'Never', blockSize: 26, nodeSelector: 'all()', allowedUses: ['Workload', 'Tunnel'], assignmentMode: 'Automatic'}

describe('new pools', () => {
  test('are stored as libcalico-go stores them, under the name that the upgrade tool gives', async () => {
    expect(await actions('192.168.0.0/16 fd80:24e2:f998:72d6::/64')).toEqual(['192.168.0.0/16 created', 'fd80:24e2:f998:72d6::/64 created'])
    expect(await specs()).toEqual({
      '192-168-0-0-16': {...DEFAULTS, cidr: '192.168.0.0/16'},
      'fd80-24e2-f998-72d6---64': {...DEFAULTS, cidr: 'fd80:24e2:f998:72d6::/64', blockSize: 122},
    })
  })

  test('with options', async () => {
    await add('192.168.0.0/16', {ipip: true, natOutgoing: true})
    expect(await specs()).toEqual({'192-168-0-0-16': {...DEFAULTS, cidr: '192.168.0.0/16', ipipMode: 'Always', natOutgoing: true}})
  })

  test('lose their host bits, and are made once however often they are named', async () => {
    expect(await actions('10.0.0.77/24 10.0.0.1/24')).toEqual(['10.0.0.0/24 created'])
    expect(await actions('::5/64')).toEqual(['::/64 created'])
    expect(Object.keys(await stored())).toEqual(['10-0-0-0-24', 'pool---64'])
  })

  test('get another name where one is taken', async () => {
    await put('10-0-0-0-24', {cidr: '10.9.0.0/24'})
    await add('10.0.0.0/24')
    expect(Object.keys(await stored())).toEqual(['10-0-0-0-24', '10-0-0-0-24-2'])
  })

  test('smaller than a /26, with smaller blocks', async () => {
    expect(await actions('10.0.0.0/28 10.0.0.16/30', {blockSize: 30})).toEqual(['10.0.0.0/28 created', '10.0.0.16/30 created'])
    expect(await specs()).toMatchObject({'10-0-0-0-28': {blockSize: 30}, '10-0-0-16-30': {blockSize: 30}})
  })

  test('of one line come all in one transaction', async () => {
    await add('10.0.0.0/24 10.1.0.0/24 fd00::/64')
    expect(store.writes).toHaveLength(1)
  })

  test.each([
    ['10.0.0.0/27', '10.0.0.0/27 is too small: the smallest IPv4 pool is a /26. Give a larger network, or smaller blocks with --block-size 27. Nothing was changed.'],
    ['fd00::/123', 'fd00::/123 is too small: the smallest IPv6 pool is a /122. Give a larger network, or smaller blocks with --block-size 123. Nothing was changed.'],
    ['10.5.0.0/16', '10.5.0.0/16 overlaps the pool 10.5.6.0/24 (taken). Nothing was changed.'],
    ['10.5.6.64/26', '10.5.6.64/26 overlaps the pool 10.5.6.0/24 (taken). Nothing was changed.'],
  ])('%s is refused', async (text, message) => {
    await put('taken', {cidr: '10.5.6.0/24', disabled: true})
    expect(await failure(add(text))).toMatchObject({kind: 'invalid', message})
    expect(Object.keys(await stored())).toEqual(['taken'])
  })

  test('all problems are told together, and then no pool is added', async () => {
    await put('taken', {cidr: '10.5.6.0/24'})
    const {details, message} = await failure(add('10.0.0.0/24 10.5.0.0/16 10.1.0.0/30 169.254.0.0/16'))
    expect(message).toMatch(/^There are 2 problems, and nothing was added:/)
    expect(details.join('\n')).toMatch(/10\.5\.0\.0\/16 overlaps[^]*10\.1\.0\.0\/30 is too small/)
    expect(Object.keys(await stored())).toEqual(['taken'])
    expect(await failure(add('10.0.0.0/24 169.254.0.0/16'))).toMatchObject({kind: 'invalid'})
    expect(Object.keys(await stored())).toEqual(['taken'])
  })

  test('are refused over blocks of another size', async () => {
    await store.transact({then: [{put: '/calico/ipam/v2/assignment/ipv4/block/10.1.0.16-28', value: '{}'}, {put: '/calico/ipam/v2/assignment/ipv4/block/10.2.0.64-26', value: '{}'}]})
    expect((await failure(add('10.1.0.0/24'))).details).toEqual(['spec.blockSize: differs from the size of the existing block 10.1.0.16/28'])
    expect(await actions('10.2.0.0/24')).toEqual(['10.2.0.0/24 created'])
  })
})

describe('pools that exist', () => {
  test('are left alone if nothing changes, whatever they leave to defaults', async () => {
    await put('mine', {cidr: '10.0.0.0/24'})
    store.writes.length = 0
    expect(await actions('10.0.0.0/24')).toEqual(['10.0.0.0/24 unchanged'])
    expect(store.writes).toEqual([])
  })

  const MINE = {cidr: '10.0.0.0/24', blockSize: 28, nodeSelector: 'rack == "1"', disabled: true, disableBGPExport: true, natOutgoing: true, fromTomorrow: {a: 1}}

  test('get the options that are named; all else stays, also what v0.20 switched off', async () => {
    await put('mine', MINE, {status: {conditions: []}})
    expect(await actions('10.0.0.0/24')).toEqual(['10.0.0.0/24 unchanged'])
    expect(await actions('10.0.0.0/24', {ipip: true})).toEqual(['10.0.0.0/24 updated'])
    const {mine} = await stored()
    expect(mine?.spec).toEqual({...DEFAULTS, ...MINE, ipipMode: 'Always'})
    expect(mine?.metadata.uid).toBe('u')
  })

  test('are changed by name, all of a line or none', async () => {
    await put('mine', MINE)
    await put('other', {cidr: '10.1.0.0/24'})
    const set = (texts: string, options: PoolOptions) => setPools(session, texts.split(' ').map(cidr), options)
    expect(await failure(set('10.0.0.0/24 10.9.0.0/24', {disabled: false}))).toMatchObject({kind: 'not-found', message: '10.9.0.0/24 is not a configured pool.'})
    expect((await stored()).mine?.spec.disabled).toBe(true)
    const changes = await set('10.0.0.0/24 10.1.0.0/24', {natOutgoing: false, disabled: false})
    expect(changes.map(({name, action, before, after}) => `${name} ${action}: ${changedOptions(before, after) ?? ''}`)).toEqual(['10.0.0.0/24 updated: nat-outgoing on → off, enabled', '10.1.0.0/24 unchanged: '])
    expect((await stored()).mine?.spec).toEqual({...DEFAULTS, cidr: '10.0.0.0/24', blockSize: 28, nodeSelector: 'rack == "1"', disableBGPExport: true, fromTomorrow: {a: 1}})
    expect((await set('10.0.0.0/24', {ipip: true, natOutgoing: true, disabled: true})).map(({before, after}) => changedOptions(before, after))).toEqual(['ipip off → on, nat-outgoing off → on, disabled'])
    expect((await stored()).mine?.spec).toMatchObject({ipipMode: 'Always', natOutgoing: true, disabled: true})
  })

  test('keep their block size: another one is refused', async () => {
    await put('mine', {cidr: '10.0.0.0/24'})
    expect(await failure(add('10.0.0.0/24', {blockSize: 28, natOutgoing: true}))).toMatchObject({kind: 'refused', exitCode: 8, message: expect.stringContaining('has blocks of /26') as unknown})
    expect((await specs()).mine).toEqual({cidr: '10.0.0.0/24'})
    expect(await actions('10.0.0.0/24', {blockSize: 26})).toEqual(['10.0.0.0/24 unchanged'])
  })

  test.each<[object, PoolOptions, string, string]>([
    [{}, {}, '', ''],
    [{natOutgoing: true, ipipMode: 'Always'}, {natOutgoing: true, ipip: true}, '', ''],
    [{natOutgoing: true, ipipMode: 'Always', disabled: true}, {}, 'ipip, nat-outgoing, disabled', '--no-ipip --no-nat-outgoing --enabled'],
    [{ipipMode: 'CrossSubnet'}, {ipip: true}, 'ipip between subnets only (CrossSubnet)', ''],
    [{ipipMode: 'CrossSubnet'}, {}, 'ipip (CrossSubnet)', '--no-ipip'],
    [{vxlanMode: 'Always', blockSize: 28}, {}, 'vxlan (Always), blocks of /28', ''],
    [{blockSize: 28}, {blockSize: 28}, '', ''],
  ])('%j has besides %j: %s', (spec, options, words, set) => {
    const found = unnamed({kind: 'IPPool', apiVersion: 'projectcalico.org/v3', metadata: {name: 'p'}, spec: {cidr: '10.0.0.0/24', ...spec}}, options)
    expect([found.words.join(', '), found.set.join(' ')]).toEqual([words, set])
  })

  test.each([
    ['CrossSubnet', {ipip: true}, 'unchanged', 'CrossSubnet'],
    ['CrossSubnet', {}, 'unchanged', 'CrossSubnet'],
    ['CrossSubnet', {ipip: false}, 'updated', 'Never'],
    ['Always', {}, 'unchanged', 'Always'],
    ['Always', {ipip: false}, 'updated', 'Never'],
    ['Never', {ipip: true}, 'updated', 'Always'],
  ])('IPIP %s with %p: %s, %s', async (before, options, action, after) => {
    await put('mine', {...DEFAULTS, cidr: '10.0.0.0/24', ipipMode: before})
    expect(await actions('10.0.0.0/24', options)).toEqual([`10.0.0.0/24 ${action}`])
    expect((await stored()).mine?.spec.ipipMode).toBe(after)
  })

  test('do not change from VXLAN to IPIP', async () => {
    await put('mine', {...DEFAULTS, cidr: '10.0.0.0/24', vxlanMode: 'CrossSubnet'})
    const error = await failure(add('10.0.0.0/24 10.1.0.0/24', {ipip: true}))
    expect(error).toMatchObject({kind: 'refused', exitCode: 8})
    expect(error.message).toMatch(/10\.0\.0\.0\/24 uses VXLAN/)
    expect(Object.keys(await stored())).toEqual(['mine'])
    expect(await actions('10.0.0.0/24', {natOutgoing: true})).toEqual(['10.0.0.0/24 updated'])
    expect((await stored()).mine?.spec).toMatchObject({vxlanMode: 'CrossSubnet', natOutgoing: true})
  })

  test('smaller than a block of 26 are found, too', async () => {
    await put('small', {...DEFAULTS, cidr: '10.0.0.0/28', blockSize: 28})
    expect(await actions('10.0.0.0/28', {natOutgoing: true})).toEqual(['10.0.0.0/28 updated'])
  })

  test('are found under another spelling of their CIDR', async () => {
    await put('mine', {...DEFAULTS, blockSize: 122, cidr: 'FD80:0:0::/64'})
    expect(await actions('fd80::/64', {natOutgoing: true})).toEqual(['fd80::/64 updated'])
  })

  test('that cannot be read are told and passed over', async () => {
    await add('10.0.0.0/24')
    await store.transact({then: [{put: `${POOLS}broken`, value: '{'}]})
    expect(await actions('10.0.0.0/24')).toEqual(['10.0.0.0/24 unchanged'])
    expect(warnings.join()).toMatch(/broken/)
  })
})

test('a pool that another adds at the same time is seen', async () => {
  store.onWrite = async (send, transaction) => {
    store.onWrite = (again, next) => again(next)
    await addPools(newSession(store, {warn: () => undefined}), [cidr('10.0.0.0/16')], PLAIN)
    return send(transaction)
  }
  expect(await failure(add('10.0.1.0/24'))).toMatchObject({kind: 'invalid', message: expect.stringContaining('10.0.1.0/24 overlaps the pool 10.0.0.0/16') as unknown})
  expect(Object.keys(await stored())).toEqual(['10-0-0-0-16'])
})

test('a dry run checks all and writes nothing', async () => {
  const dry = newSession(store, {dryRun: true, warn: () => undefined})
  expect(await addPools(dry, [cidr('10.0.0.0/24')], PLAIN)).toMatchObject([{action: 'created', name: '10.0.0.0/24', after: {spec: {blockSize: 26}}}])
  expect(store.writes).toEqual([])
})

describe('what a line itself shows', () => {
  const problems = (texts: string, options: Partial<PoolOptions> = {}) => problemsOfLine(texts.split(' ').map(cidr), {...PLAIN, ...options})

  test('IPv6 with IPIP, networks that overlap, and then also those that are too small', () => {
    expect(problems('10.0.0.0/16 10.0.1.0/24 10.9.0.0/30 fd00::/64', {ipip: true})).toEqual([
      'fd00::/64: IPIP is not possible with IPv6.',
      '10.0.1.0/24 overlaps 10.0.0.0/16 in the same command.',
      '10.9.0.0/30 is too small: the smallest IPv4 pool is a /26. Give a larger network, or smaller blocks with --block-size 30.',
    ])
    expect(problems('10.0.0.0/16 10.0.0.0/16 fd00::/64')).toEqual([])
    expect(problems('10.9.0.0/30')).toEqual([])
  })

  test('networks that no workload can be in, and block sizes that Calico does not take', () => {
    expect(problems('127.0.0.0/16 fe80::/64 10.0.0.0/16')).toEqual(['127.0.0.0/16 cannot be a pool: it contains 127.0.0.0, a loopback address.', 'fe80::/64 cannot be a pool: it contains fe80::, a link-local address.'])
    expect(problems('10.0.0.0/16 fd00::/64', {blockSize: 28})).toEqual(['--block-size 28: blocks of IPv6 are /116 to /128.'])
    expect(problems('10.0.0.0/16', {blockSize: 33})).toEqual(['--block-size 33: blocks of IPv4 are /20 to /32.'])
  })

  test('more pools than one transaction takes', () => {
    expect(problems(Array.from({length: 101}, (_, index) => `10.${index}.0.0/16`).join(' '))).toEqual(['101 pools were given; one command can add at most 100.'])
  })

  test('ranges', () => {
    expect(rangeProblem(address('10.0.0.0'), address('10.0.0.255'))).toBeUndefined()
    expect(rangeProblem(address('10.0.0.1'), address('10.0.0.1'))).toBe('10.0.0.1 is not less than 10.0.0.1.')
    expect(rangeProblem(address('10.0.0.1'), address('fd00::1'))).toMatch(/different IP versions/)
    expect(coverProblems(address('172.24.0.0'), address('172.24.25.255'), PLAIN)).toEqual([])
    expect(coverProblems(address('10.0.0.0'), address('10.0.0.95'), PLAIN)).toEqual([
      'The range would become these pools, some of which are smaller than a /26, the smallest IPv4 pool: 10.0.0.0/26, 10.0.0.64/27. --block-size 27 makes blocks that are small enough.',
    ])
    expect(coverProblems(address('10.0.0.0'), address('10.0.0.63'), PLAIN)).toEqual([])
    expect(coverProblems(address('10.0.0.0'), address('10.0.0.95'), {...PLAIN, blockSize: 27})).toEqual([])
    expect(coverProblems(address('10.0.0.0'), address('10.0.0.95'), {...PLAIN, blockSize: 25})).toEqual([
      'The range would become these pools, some of which are smaller than a /25, a block of them: 10.0.0.0/26, 10.0.0.64/27. --block-size 27 makes blocks that are small enough.',
    ])
    expect(coverProblems(address('10.0.0.0'), address('10.0.0.2'), {...PLAIN, blockSize: 32})).toEqual([])
    expect(coverProblems(address('fd00::'), address('fd00::ff'), {...PLAIN, ipip: true})).toEqual(['fd00::/120: IPIP is not possible with IPv6.'])
  })
})

test('pools are listed by family and by CIDR as text', async () => {
  await add('172.16.0.0/16 10.2.0.0/16 10.10.0.0/16 fd00::/64')
  expect((await listPools(session, [4, 6])).map(poolLabel)).toEqual(['10.10.0.0/16', '10.2.0.0/16', '172.16.0.0/16', 'fd00::/64'])
  expect((await listPools(session, [6])).map(poolLabel)).toEqual(['fd00::/64'])
})
