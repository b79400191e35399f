/** The allocator on a real store: what holds whatever is called, by one caller or by many. */
import {afterEach, beforeEach, describe, expect, jest, test} from '@jest/globals'
import fc from 'fast-check'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {assignedAddresses, autoAssign} from '../../../src/lib/ipam/auto-assign.js'
import {addressesByHandle} from '../../../src/lib/ipam/by-handle.js'
import {setIpamConfig} from '../../../src/lib/ipam/configure.js'
import {releaseHostAffinities} from '../../../src/lib/client/affinities.js'
import {claimAffinity} from '../../../src/lib/ipam/claims.js'
import {releaseAddresses, releaseByHandle} from '../../../src/lib/ipam/release-addresses.js'
import {type Address, addressAt, type Cidr, formatAddress, parseAddress, parseCidr} from '../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {allAssigned, blocksOf, createObject, unsound} from '../../support/ipam.js'

let store: FaultyStore
let session: Session
const another = (): Session => newSession(store, {warn: () => undefined})

beforeEach(async () => {
  store = await faultyStore()
  session = another()
})
afterEach(() => store.close())

const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('there is none')
  return value
}
const cidr = (text: string): Cidr => must(parseCidr(text))
const address = (text: string): Address => must(parseAddress(text))

async function setUp(pool = '10.1.0.0/27', spec: object = {blockSize: 29}): Promise<void> {
  await createObject(session, 'IPPool', 'pool', {cidr: pool, ...spec})
  for (const node of ['a', 'b', 'c']) await createObject(session, 'Node', node, {})
  store.writes.length = 0
}

const assign = (on: Session, node: string, handle: string, count = 1): Promise<string[]> =>
  autoAssign(on, {ipv4: count, node, handle, attributes: {node}}).then((outcome) => assignedAddresses(outcome).map(formatAddress))

test.each([
  ['2026-01-01T00:00:00.001Z', 60_000, 'a'],
  ['2026-01-01T00:00:00Z', 60_000, 'b'],
  ['no time', 0, 'b'],
])('an empty block of another host, claimed at %s, is taken once it is a minute old; before, an address of it is borrowed', async (claimed, age, owner) => {
  await setUp('10.1.0.0/29')
  await assign(session, 'a', 'h1')
  await releaseByHandle(session, 'h1')
  const key = '/calico/ipam/v2/assignment/ipv4/block/10.1.0.0-29'
  const {value} = must((await store.get(key)).kv)
  expect(value).toContain('"affinity_claim_time"')
  await store.transact({then: [{put: key, value: value.replace(/("affinity_claim_time":)"[^"]*"/, `$1"${claimed}"`)}]})
  const now = jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-01-01T00:00:00Z') + age)
  try {
    expect(await assign(another(), 'b', 'h2')).toHaveLength(1)
    expect(must((await store.get(key)).kv).value).toContain(`"affinity":"host:${owner}"`)
  } finally {
    now.mockRestore()
  }
})

test('whatever is assigned and released, every address is free once or assigned once, and handles count what the blocks have', async () => {
  const node = fc.constantFrom('a', 'b', 'c')
  const handle = fc.constantFrom('h1', 'h2', 'h3', 'h4')
  const ordinal = fc.nat(31)
  /** A call and its words, for the report of a failure. */
  interface Call {
    readonly text: string
    readonly make: (on: Session) => Promise<unknown>
  }
  const at = (index: number): Address => addressAt(cidr('10.1.0.0/27'), index)
  const called = (text: string, make: Call['make']): Call => ({text, make})
  const call: fc.Arbitrary<Call> = fc.oneof(
    fc.tuple(node, handle, fc.integer({min: 1, max: 12})).map(([n, h, count]) => called(`assign ${count} to ${h} on ${n}`, (on) => assign(on, n, h, count))),
    fc.tuple(node, handle, ordinal).map(([n, h, index]) => called(`assign .${index} to ${h} on ${n}`, (on) => assignAddress(on, {address: at(index), node: n, handle: h, attributes: {node: n}}))),
    fc.tuple(node, ordinal).map(([n, index]) => called(`assign .${index} on ${n}`, (on) => assignAddress(on, {address: at(index), node: n}))),
    fc.array(ordinal, {minLength: 1, maxLength: 10}).map((indexes) => called(`release ${indexes.join()}`, (on) => releaseAddresses(on, indexes.map((index) => ({address: at(index)}))))),
    handle.map((h) => called(`release ${h}`, (on) => releaseByHandle(on, h))),
    node.map((n) => called(`release affinities of ${n}`, (on) => releaseHostAffinities(on, n))),
    node.map((n) => called(`claim for ${n}`, (on) => claimAffinity(on, cidr('10.1.0.0/28'), n))),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({calls: fc.array(call, {minLength: 1, maxLength: 4}), second: fc.boolean()}), {maxLength: 12}), async (rounds) => {
      store.close()
      store = await faultyStore()
      session = another()
      await setUp()
      const sessions = [session, another()]
      for (const {calls, second} of rounds) {
        await Promise.all(
          calls.map((each, i) =>
            each.make(must(sessions[second ? i % 2 : 0])).catch((error: unknown) => {
              if (!(error instanceof CalicoError)) throw error
            }),
          ),
        )
        expect(await unsound(store)).toEqual([])
      }
      const addresses = await allAssigned(store)
      expect(new Set(addresses).size).toBe(addresses.length)
    }),
    {numRuns: Number(process.env.IPAM_RUNS ?? 60)},
  )
})

describe('many callers', () => {
  test('share transactions, and each gets its own addresses in its turn', async () => {
    await setUp('10.1.0.0/24', {})
    await assign(session, 'a', 'first')
    store.writes.length = 0
    const got = await Promise.all(Array.from({length: 16}, (_, i) => assign(session, 'a', `h${i}`)))
    expect(new Set(got.flat()).size).toBe(16)
    expect(got.map(([text = '']) => Number(text.split('.')[3]) % 64)).toEqual(Array.from({length: 16}, (_, i) => i + 1))
    expect(store.writes).toHaveLength(1)
    expect(await unsound(store)).toEqual([])
  })

  test('a large request does not keep a small one waiting until it is done', async () => {
    await setUp('10.0.0.0/16', {})
    const order: string[] = []
    const large = autoAssign(session, {ipv4: 10_000, node: 'a', handle: 'large', maxBlocks: 500}).then(() => order.push('large'))
    const small = assign(session, 'b', 'small').then(() => order.push('small'))
    await Promise.all([large, small])
    expect(order).toEqual(['small', 'large'])
    expect(await allAssigned(store)).toHaveLength(10_001)
  })

  test('a refusal concerns only the call that it is for', async () => {
    await setUp()
    const results = await Promise.allSettled([assign(session, 'a', 'h1'), assign(session, 'nobody', 'h2'), assign(session, 'b', 'h3'), releaseByHandle(session, 'nothing')])
    expect(results.map(({status}) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(await allAssigned(store)).toHaveLength(2)
  })

  test('of several processes exhaust a pool: every address once, then an empty list and the reason', async () => {
    await setUp()
    const sessions = Array.from({length: 8}, another)
    const outcomes = await Promise.all(sessions.flatMap((on, i) => Array.from({length: 5}, (_, j) => autoAssign(on, {ipv4: 1, node: must('abc'[i % 3]), handle: `h${i}.${j}`}))))
    const addresses = outcomes.flatMap(assignedAddresses).map(formatAddress)
    expect(addresses).toHaveLength(32)
    expect(new Set(addresses).size).toBe(32)
    const losers = outcomes.filter((outcome) => assignedAddresses(outcome).length === 0)
    expect(losers).toHaveLength(8)
    for (const {families} of losers) expect(families[0]?.reasons).toEqual(['no address is free in pool 10.1.0.0/27'])
    expect(await unsound(store)).toEqual([])
  })
})

describe('what this process remembers is never trusted', () => {
  test('a block that another process filled', async () => {
    await setUp('10.1.0.0/29', {blockSize: 29})
    const other = another()
    expect(await assign(session, 'a', 'h1')).toEqual(['10.1.0.0'])
    expect(await assign(other, 'a', 'h2', 7)).toHaveLength(7)
    expect(await assign(session, 'a', 'h3')).toEqual([])
    await releaseAddresses(other, [{address: address('10.1.0.5')}])
    expect(await assign(session, 'a', 'h3')).toEqual(['10.1.0.5'])
  })

  test('an address that another process released in an own block is used before a new block is claimed', async () => {
    await setUp()
    const [text = ''] = await assign(session, 'a', 'h1', 8)
    await releaseAddresses(another(), [{address: address(text)}])
    expect(await assign(session, 'a', 'h2')).toEqual([text])
    expect(await blocksOf(store)).toHaveLength(1)
  })

  test('a pool that another process disabled', async () => {
    await setUp()
    await assign(session, 'a', 'h1')
    const {changeResource} = await import('../../../src/lib/client/resources.js')
    await changeResource(another(), {kind: 'IPPool', name: 'pool'}, (pool) => ({...must(pool), spec: {cidr: '10.1.0.0/27', blockSize: 29, disabled: true}}))
    await expect(assign(session, 'a', 'h2')).rejects.toMatchObject({kind: 'refused'})
    await expect(assignAddress(session, {address: address('10.1.0.9'), node: 'a'})).rejects.toMatchObject({kind: 'invalid'})
  })

  test('a handle that another process made', async () => {
    await setUp()
    await assign(session, 'a', 'first')
    await assign(another(), 'b', 'shared')
    await assign(session, 'a', 'shared')
    expect(await unsound(store)).toEqual([])
    expect(await addressesByHandle(session, 'shared')).toHaveLength(2)
    await releaseByHandle(session, 'shared')
    expect(await allAssigned(store)).toHaveLength(1)
  })
})

test('a handle that is made and taken away again in one transaction must have been missing', async () => {
  await setUp()
  await assign(session, 'a', 'first')
  await assign(another(), 'a', 'shared')
  // This process knows nothing of the handle, and may take it for new in all three calls.
  const [, shared] = (await allAssigned(store)).map(address)
  await Promise.all([releaseAddresses(session, [{address: must(shared)}]), assign(session, 'a', 'shared'), releaseByHandle(session, 'shared')])
  expect(await unsound(store)).toEqual([])
  expect(await allAssigned(store)).toHaveLength(1)
})

test('a handle that has got another block since is not taken for the one that is remembered', async () => {
  await setUp()
  const other = another()
  await assign(other, 'a', 'shared')
  const [there = ''] = await assign(session, 'c', 'shared')
  await assignAddress(session, {address: address('10.1.0.31'), node: 'b', handle: 'shared'})
  await releaseAddresses(other, [{address: address('10.1.0.31')}, {address: address(there)}])
  expect(await unsound(store)).toEqual([])
})

describe('faults', () => {
  test('an answer that was lost does not lose or repeat an assignment', async () => {
    await setUp()
    store.onWrite = async (send, transaction) => {
      await send(transaction)
      store.onWrite = (again, next) => again(next)
      throw new OutcomeUnknownError('the answer was lost')
    }
    const [only] = await assign(session, 'a', 'h1')
    expect(await allAssigned(store)).toEqual([only])
    store.onWrite = () => {
      store.onWrite = (again, next) => again(next)
      throw new OutcomeUnknownError('the request was lost')
    }
    await assign(session, 'a', 'h2')
    expect(await allAssigned(store)).toHaveLength(2)
    expect(await unsound(store)).toEqual([])
  })

  test('addresses of earlier transactions are told when a later one fails', async () => {
    await setUp('10.0.0.0/16', {})
    let writes = 0
    store.onWrite = (send, transaction) => {
      if (++writes > 1) throw new CalicoError('unreachable', 'gone')
      return send(transaction)
    }
    const outcome = await autoAssign(session, {ipv4: 10_000, node: 'a', handle: 'large', maxBlocks: 500})
    expect(outcome.error?.kind).toBe('unreachable')
    expect(assignedAddresses(outcome).length).toBeGreaterThan(1_000)
    expect(await allAssigned(store)).toHaveLength(assignedAddresses(outcome).length)
  })
})

describe('rules', () => {
  test('refusals write nothing', async () => {
    await setUp()
    for (const call of [
      () => autoAssign(session, {ipv4: 1, node: 'nobody'}),
      () => autoAssign(session, {ipv6: 1, node: 'a'}),
      () => autoAssign(session, {ipv4: 1, node: 'a', handle: ''}),
      () => autoAssign(session, {ipv4: -1, node: 'a'}),
      () => autoAssign(session, {ipv4: 1, node: 'a', pools: {ipv4: [cidr('10.2.0.0/24')]}}),
      () => autoAssign(session, {ipv4: 1, node: 'a', use: 'LoadBalancer'}),
      () => assignAddress(session, {address: address('10.9.0.1'), node: 'a'}),
      () => releaseByHandle(session, 'nothing'),
    ]) {
      await expect(call()).rejects.toBeInstanceOf(CalicoError)
    }
    expect(store.writes).toEqual([])
  })

  test.each([20, 33, 40, -1])('a pool whose blocks would be /%s gives no addresses, others do, and what is assigned can be released', async (blockSize) => {
    await setUp('10.1.0.0/24', {blockSize: 28})
    const [text = ''] = await assign(session, 'a', 'h1')
    await createObject(session, 'IPPool', 'second', {cidr: '10.2.0.0/24', blockSize: 28})
    const key = '/calico/resources/v3/projectcalico.org/ippools/pool'
    const {value} = must((await store.get(key)).kv)
    await store.transact({then: [{put: key, value: value.replace('"blockSize":28', `"blockSize":${blockSize}`)}]})
    const warnings: string[] = []
    const on = newSession(store, {warn: (warning) => warnings.push(warning)})
    expect(await assign(on, 'a', 'h2', 20)).toEqual(Array.from({length: 20}, () => expect.stringMatching(/^10\.2\.0\./)))
    expect(warnings).toEqual([`Pool 10.1.0.0/24 cannot have blocks of /${blockSize}: no addresses are taken from it.`])
    await expect(assignAddress(on, {address: address('10.1.0.77'), node: 'a'})).rejects.toMatchObject({kind: 'invalid'})
    await expect(claimAffinity(on, cidr('10.1.0.0/24'), 'b')).rejects.toMatchObject({kind: 'invalid'})
    expect((await releaseAddresses(on, [{address: address(text)}])).released).toHaveLength(1)
    expect(await unsound(store)).toEqual([])
  })

  test('reserved addresses are given by name only; neither blocks of them alone are claimed, nor are they borrowed', async () => {
    await setUp('10.1.0.0/28', {blockSize: 30})
    await createObject(session, 'IPReservation', 'kept', {reservedCIDRs: ['10.1.0.0/29', '10.1.0.9', '10.1.0.12/31']})
    const free = ['10.1.0.8', '10.1.0.10', '10.1.0.11', '10.1.0.14', '10.1.0.15']
    expect((await assign(session, 'a', 'h1', 4)).every((text) => free.includes(text))).toBe(true)
    expect(await assign(session, 'b', 'h2', 4)).toHaveLength(1)
    expect((await allAssigned(store)).sort()).toEqual([...free].sort())
    expect((await blocksOf(store)).map((block) => block.cidr).sort()).toEqual(['10.1.0.12/30', '10.1.0.8/30'])
    expect((await assignAddress(session, {address: address('10.1.0.9'), node: 'a'})).assigned).toBe(true)
  })

  test.each([
    [0, undefined, 20, 'To allow more, use --max-blocks.'],
    [1, undefined, 1, 'To allow more, use --max-blocks.'],
    [1, 2, 1, 'To allow more, use --max-blocks.'],
    [2, 1, 1, 'The limit is maxBlocksPerHost of the IPAM configuration.'],
    [0, 1, 1, 'The limit is maxBlocksPerHost of the IPAM configuration.'],
    [2, 2, 2, 'The limit is maxBlocksPerHost of the IPAM configuration.'],
    [3, 2, 2, 'The limit is maxBlocksPerHost of the IPAM configuration.'],
  ])('a node with a limit of %s blocks by request, of %s by configuration, gets %s; the next step is named', async (maxBlocks, maxBlocksPerHost, limit, hint) => {
    await setUp('10.1.0.0/24', {blockSize: 30})
    if (maxBlocksPerHost !== undefined) await setIpamConfig(session, {strictAffinity: true, maxBlocksPerHost})
    const {families, error} = await autoAssign(session, {ipv4: 4 * limit + 1, node: 'a', maxBlocks})
    expect(families[0]?.addresses).toHaveLength(4 * limit)
    expect(families[0]?.reasons).toEqual([`node a has ${limit} IPv4 blocks, and ${limit} is its limit`])
    expect(error).toMatchObject({kind: 'refused', hint})
  })

  test('what is missing is said where something is, and nothing where all that was asked for was borrowed', async () => {
    await setUp('10.1.0.0/29', {blockSize: 29})
    await assign(session, 'a', 'h1', 3)
    const outcome = await autoAssign(session, {ipv4: 2, node: 'b'})
    expect([assignedAddresses(outcome).length, outcome.families[0]?.reasons]).toEqual([2, []])
    const rest = await autoAssign(session, {ipv4: 4, node: 'c'})
    expect([assignedAddresses(rest).length, rest.families[0]?.reasons]).toEqual([3, ['no address is free in pool 10.1.0.0/29']])
    await createObject(session, 'IPPool', 'second', {cidr: '10.2.0.0/30', blockSize: 30, nodeSelector: 'all()'})
    await assign(session, 'b', 'h2', 4)
    expect((await autoAssign(session, {ipv4: 1, node: 'c'})).families[0]?.reasons).toEqual(['no address is free in pools 10.1.0.0/29, 10.2.0.0/30'])
  })

  test.each([
    [1, 1, 0, 1],
    [2, 1, 1, 2],
    [2, 2, 1, 'conflict'],
    [3, 2, 1, 3],
  ])('a handle that may have %s addresses, and asks for %s when it has %s: %s', async (maxPerHandle, ipv4, before, expected) => {
    await setUp()
    if (before > 0) await assign(session, 'a', 'h1', before)
    const ask = () => autoAssign(session, {ipv4, node: 'a', handle: 'h1', maxPerHandle})
    if (expected === 'conflict') return expect(ask()).rejects.toMatchObject({kind: 'conflict', message: 'Handle h1 has 1 IPv4 addresses; 2 more would exceed the limit of 2'})
    expect(assignedAddresses(await ask())).toHaveLength(ipv4)
    expect(await allAssigned(store)).toHaveLength(Number(expected))
    // Asked again, it keeps those that it has.
    if (maxPerHandle === expected) expect(assignedAddresses(await ask())).toHaveLength(ipv4)
    expect(await allAssigned(store)).toHaveLength(Number(expected))
  })

  test('what an interruption or a lost answer is told with names what was under way', async () => {
    await setUp()
    const told: unknown[] = []
    store.onWrite = (send, transaction) => {
      told.push(session.writes.open?.what)
      return send(transaction)
    }
    await assign(session, 'a', 'h1')
    await autoAssign(session, {ipv4: 2, node: 'a'})
    await assignAddress(session, {address: address('10.1.0.31'), node: 'b', handle: 'h1'})
    await releaseAddresses(session, [{address: address('10.1.0.31')}])
    await releaseAddresses(session, (await allAssigned(store)).slice(1).map((text) => ({address: address(text)})))
    await releaseByHandle(session, 'h1')
    await Promise.all([assign(session, 'a', 'h1'), assign(session, 'b', 'h2')])
    expect(told).toEqual([
      'the assignment of an address to h1',
      'the assignment of 2 addresses to node a',
      'the assignment of 10.1.0.31',
      'the release of 10.1.0.31',
      'the release of 2 addresses',
      'the release of the addresses of h1',
      '2 changes of addresses',
    ])
  })

  test('a block that is made again never has a number of the one before: they are times, in nanoseconds, as Calico\'s', async () => {
    await setUp()
    const since = Date.now()
    await assign(session, 'a', 'h1')
    const [first] = await blocksOf(store)
    expect(must(first?.sequenceNumber) / 1_000_000n).toBeGreaterThanOrEqual(BigInt(since))
    expect(must(first?.sequenceNumber) / 1_000_000n).toBeLessThanOrEqual(BigInt(Date.now()))
  })

  test('a release that means an earlier assignment frees nothing', async () => {
    await setUp()
    await assign(session, 'a', 'h1')
    const [block] = await blocksOf(store)
    const first = must(block?.sequenceNumberForAllocation?.['0'])
    const [text = ''] = (await addressesByHandle(session, 'h1')).map(formatAddress)
    await releaseByHandle(session, 'h1')
    await assignAddress(session, {address: address(text), node: 'a', handle: 'h1'})
    await expect(releaseAddresses(session, [{address: address(text), handle: 'h1', sequenceNumber: first}])).rejects.toMatchObject({kind: 'conflict'})
    await expect(releaseAddresses(another(), [{address: address(text), handle: 'h2'}])).rejects.toMatchObject({kind: 'conflict'})
    expect(await allAssigned(store)).toEqual([text])
  })

  test('the Node is created only where that is asked for', async () => {
    await setUp()
    const outcome = await autoAssign(session, {ipv4: 1, node: 'new', createNode: true})
    expect(outcome.createdNode).toBe(true)
    expect((await store.get('/calico/resources/v3/projectcalico.org/nodes/new')).kv?.value).toContain('"spec":{}')
    expect((await autoAssign(session, {ipv4: 1, node: 'new', createNode: true})).createdNode).toBe(false)
  })

  test('a dry run tells what would be assigned', async () => {
    await setUp()
    const dry = newSession(store, {dryRun: true, warn: () => undefined})
    expect(await assign(dry, 'a', 'h1', 20)).toHaveLength(20)
    expect(await allAssigned(store)).toEqual([])
  })

  test('addresses that a newer Calico keeps back are not handed out, nor is the field lost', async () => {
    await setUp('10.1.0.0/29', {blockSize: 29})
    await assign(session, 'a', 'h1')
    const [kv] = (await store.transact({then: [{list: '/calico/ipam/v2/assignment/'}]})).results[0] ?? []
    // Neither assigned nor in the list of free ones: it cools down.
    const block = must(kv).value.replace('"unallocated":[1,', '"unallocated":[').replace('"deleted":false', '"releasedAt":{"1":"2026-11-21T11:00:00Z"},"deleted":false')
    await store.transact({then: [{put: must(kv).key, value: block}]})
    expect(await assign(session, 'a', 'h2', 8)).not.toContain('10.1.0.1')
    await releaseByHandle(session, 'h2')
    expect((await store.get(must(kv).key)).kv?.value).toContain('"releasedAt":{"1":"2026-11-21T11:00:00Z"}')
  })
})
