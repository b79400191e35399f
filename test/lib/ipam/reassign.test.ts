/** An address that moves from one owner to another: as if it had been released and assigned again, except that nobody can come in between. */
import {beforeEach, describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {isError} from '../../../src/lib/errors.js'
import {assignOrdinal} from '../../../src/lib/ipam/assign.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {type Attribute, type Block, handleOf, hostAffinity, newBlock, nextVersion} from '../../../src/lib/ipam/block.js'
import {addressesByHandle} from '../../../src/lib/ipam/by-handle.js'
import {POOLS_PREFIX} from '../../../src/lib/ipam/lists.js'
import {lookUpAddress} from '../../../src/lib/ipam/lookup.js'
import {submit} from '../../../src/lib/ipam/queue.js'
import {reassign, takeAddress, type Taking} from '../../../src/lib/ipam/reassign.js'
import {release} from '../../../src/lib/ipam/release.js'
import {releaseAddresses} from '../../../src/lib/ipam/release-addresses.js'
import {HANDLES_PREFIX, IPAM_CONFIG_KEY} from '../../../src/lib/model/keys.js'
import {type Address, formatAddress, parseAddress, parseCidr} from '../../../src/lib/net/index.js'
import {allAssigned, blocksOf, createObject, unsound} from '../../support/ipam.js'
import {onBothStores} from '../../support/stores.js'

const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('there is none')
  return value
}
const address = (text: string): Address => must(parseAddress(text))

describe('a block', () => {
  const assignee = fc.record({handle: fc.constantFrom('h1', 'h2', 'h3'), attributes: fc.constantFrom({node: 'a'}, {node: 'b', type: 'x'})})
  const empty = newBlock(must(parseCidr('10.1.0.0/29')), hostAffinity('a'), {claimTime: '2026-11-21T14:00:00Z', sequenceNumber: 1_782_326_400_123_456_789n})
  const assigned = (all: readonly {ordinal: number; to: {handle: string; attributes: Record<string, string>}}[]): Block =>
    all.reduce((block, {ordinal, to}) => {
      const next = assignOrdinal(block, ordinal, to)
      return next ? nextVersion(next) : block
    }, empty)

  test('is what a release and an assignment, each stored, leave', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ordinal: fc.nat(7), to: assignee}), {minLength: 1, maxLength: 10}), fc.nat(9), assignee, (all, which, to) => {
        const block = assigned(all)
        const {ordinal} = must(all[which % all.length])
        const stored = nextVersion(release(block, [{ordinal}]).block)
        const expected = nextVersion(must(assignOrdinal(stored, ordinal, to)))
        expect(reassign(block, ordinal, to)).toEqual(expected)
      }),
    )
  })

  test('in words: the attribute is the new owner\'s, the numbers are two higher, the free addresses keep their order', () => {
    const before = assigned([{ordinal: 3, to: {handle: 'h1', attributes: {node: 'a'}}}, {ordinal: 5, to: {handle: 'h2', attributes: {node: 'a'}}}])
    const after = reassign(before, 3, {handle: 'h3', attributes: {node: 'a'}})
    expect(after.attributes).toEqual([{handle_id: 'h2', secondary: {node: 'a'}}, {handle_id: 'h3', secondary: {node: 'a'}}])
    expect(after.allocations).toEqual([null, null, null, 1, null, 0, null, null])
    expect(after.unallocated).toEqual(before.unallocated)
    expect(after.sequenceNumber).toBe(must(before.sequenceNumber) + 2n)
    expect(after.sequenceNumberForAllocation).toEqual({3: must(before.sequenceNumber) + 1n, 5: before.sequenceNumberForAllocation?.['5']})
  })
})

onBothStores((stores) => {
  let store: Datastore
  let session: Session

  beforeEach(async () => {
    store = await stores.empty()
    session = another()
    await createObject(session, 'IPPool', 'pool', {cidr: '10.1.0.0/24', blockSize: 29})
  })
  const another = (): Session => newSession(store, {warn: () => undefined})

  const take = (text: string, handle: string, mayMove: Taking['mayMove'] = () => true, on = session): Promise<string> =>
    submit(on, {
      what: 'the move',
      reads: () => [{list: POOLS_PREFIX}, {get: IPAM_CONFIG_KEY}],
      plan: async (draft) => ({outcome: await takeAddress(draft, {address: address(text), node: 'a', owner: {handle, attributes: {node: 'a'}}, mayMove})}),
    })
  const assign = (text: string, handle: string, on = session): Promise<unknown> => assignAddress(on, {address: address(text), node: 'a', handle, attributes: {node: 'a'}})
  const owner = async (text: string): Promise<string | undefined> => (await lookUpAddress(another(), address(text))).assignment?.handle
  const handles = async (): Promise<string[]> => {
    const {results} = await store.transact({then: [{list: HANDLES_PREFIX}]})
    return must(results[0]).map(({key, value}) => `${key.slice(HANDLES_PREFIX.length)} ${value}`)
  }

  test('block and handles are as after a release and an assignment', async () => {
    const setUp = async (): Promise<void> => {
      await assign('10.1.0.1', 'one')
      await assign('10.1.0.2', 'one')
      await assign('10.1.0.3', 'other')
    }
    /** With numbers counted from the first. */
    const state = async (): Promise<unknown> => {
      const [block] = await blocksOf(store)
      const {sequenceNumber = 0n, sequenceNumberForAllocation, affinity_claim_time: _, ...rest} = must(block)
      return {rest, ordinals: Object.entries(sequenceNumberForAllocation ?? {}).map(([ordinal, number]) => [ordinal, sequenceNumber - number]), handles: await handles()}
    }
    await setUp()
    expect(await take('10.1.0.1', 'two')).toBe('moved')
    const moved = await state()
    expect(await unsound(store)).toEqual([])
    store = await stores.empty()
    session = another()
    await createObject(session, 'IPPool', 'pool', {cidr: '10.1.0.0/24', blockSize: 29})
    await setUp()
    await releaseAddresses(session, [{address: address('10.1.0.1')}])
    await assign('10.1.0.1', 'two')
    expect(moved).toEqual(await state())
  })

  test('the last address of a handle takes the handle with it', async () => {
    await assign('10.1.0.1', 'one')
    await take('10.1.0.1', 'two')
    expect(await handles()).toEqual(['two {"block":{"10.1.0.0/29":1},"deleted":false}'])
    expect((await addressesByHandle(session, 'two')).map(formatAddress)).toEqual(['10.1.0.1'])
  })

  test('who means the earlier assignment cannot release it', async () => {
    await assign('10.1.0.1', 'one')
    const {assignment} = await lookUpAddress(session, address('10.1.0.1'))
    await take('10.1.0.1', 'two')
    await take('10.1.0.1', 'one')
    const late = {address: address('10.1.0.1'), handle: 'one', sequenceNumber: must(assignment).sequenceNumber}
    await expect(releaseAddresses(session, [late])).rejects.toMatchObject({kind: 'conflict'})
    expect(await owner('10.1.0.1')).toBe('one')
  })

  test('free: assigned; its owner\'s: held, and nothing is written; somebody else\'s: refused, and nothing is written', async () => {
    expect(await take('10.1.0.1', 'two', () => false)).toBe('assigned')
    const {revision} = await store.get('/x')
    expect(await take('10.1.0.1', 'two', () => false)).toBe('held')
    await expect(take('10.1.0.1', 'three', () => false)).rejects.toMatchObject({kind: 'conflict', message: '10.1.0.1 is already assigned, with the handle two'})
    await expect(take('10.9.0.1', 'three')).rejects.toMatchObject({kind: 'invalid'})
    expect((await store.get('/x')).revision).toBe(revision)
  })

  test('one of a pool that has been removed since is moved too', async () => {
    await assign('10.1.0.1', 'one')
    await store.transact({then: [{delete: `${POOLS_PREFIX}pool`}]})
    expect(await take('10.1.0.1', 'two')).toBe('moved')
    expect(await unsound(store)).toEqual([])
  })

  describe('what this process remembers is not trusted', () => {
    test('of an address that another process assigned, moved or released', async () => {
      const other = another()
      await assign('10.1.0.7', 'remembered')
      await assign('10.1.0.1', 'one', other)
      expect(await take('10.1.0.1', 'two', ({handle_id: handle}: Attribute) => handle === 'one')).toBe('moved')
      await take('10.1.0.1', 'three', () => true, other)
      await expect(take('10.1.0.1', 'two', () => false)).rejects.toMatchObject({kind: 'conflict'})
      await releaseAddresses(other, [{address: address('10.1.0.1')}])
      expect(await take('10.1.0.1', 'two', () => false)).toBe('assigned')
      await releaseAddresses(other, [{address: address('10.1.0.1')}])
      expect(await take('10.1.0.1', 'two', () => false)).toBe('assigned')
      expect(await unsound(store)).toEqual([])
    })
  })

  test('of many who want it, one gets it', async () => {
    await assign('10.1.0.1', 'pending')
    const sessions = [session, another(), another()]
    const results = await Promise.allSettled(
      Array.from({length: 12}, (_, i) => take('10.1.0.1', `h${i}`, (attribute) => handleOf(attribute) === 'pending', sessions[i % 3])),
    )
    const winners = results.flatMap((result, i) => (result.status === 'fulfilled' ? [`h${i}`] : []))
    expect(winners).toEqual([await owner('10.1.0.1')])
    expect(results.every((result) => result.status === 'fulfilled' || isError(result.reason, 'conflict'))).toBe(true)
    expect(await allAssigned(store)).toEqual(['10.1.0.1'])
    expect(await unsound(store)).toEqual([])
  })
})
