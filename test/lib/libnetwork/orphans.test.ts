/** Whatever is called in whatever order, and wherever it breaks off: no address is double, none is lost, and what is left over is found. */
import {beforeEach, describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {endpointAddresses} from '../../../src/lib/client/endpoints.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore, Transaction} from '../../../src/lib/datastore/datastore.js'
import {OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {checkIpam} from '../../../src/lib/ipam/check.js'
import {newPendingHandle, ORPHAN_AGE_MS, pendingAttributes} from '../../../src/lib/ipam/driver-handles.js'
import {lookUpAddress} from '../../../src/lib/ipam/lookup.js'
import {runCheck} from '../../../src/lib/ipam/run-check.js'
import {releaseAddress, requestAddress} from '../../../src/lib/libnetwork/addresses.js'
import {createEndpoint, deleteEndpoint, listEndpointsOf, removeStaleEndpoint} from '../../../src/lib/libnetwork/endpoints.js'
import {findOrphans, releaseOrphan} from '../../../src/lib/libnetwork/orphans.js'
import {HANDLES_PREFIX} from '../../../src/lib/model/keys.js'
import {type Address, formatAddress, parseAddress} from '../../../src/lib/net/index.js'
import {allAssigned, createObject, unsound} from '../../support/ipam.js'
import {onBothStores, type TestStores} from '../../support/stores.js'

const ID = 'a1'.repeat(32)
const NETWORK = 'b2'.repeat(32)

const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('there is none')
  return value
}
const address = (text: string): Address => must(parseAddress(text))
const quiet = (store: Datastore): Session => newSession(store, {warn: () => undefined})

const ask = async (on: Session, node: string, given = ''): Promise<string> =>
  (await requestAddress(on, node, {poolId: 'CalicoPoolIPv4', address: given, options: null})).Address.replace(/\/.*/, '')
const create = (on: Session, node: string, endpointId: string, text: string) =>
  createEndpoint(on, {node, endpointId, networkId: NETWORK, profile: 'net', addresses: [address(text)], fromCalico: true, mac: 'ee:ee:ee:ee:ee:ee'})
const giveBack = (on: Session, node: string, text: string) => releaseAddress(on, node, {poolId: 'CalicoPoolIPv4', address: text})

onBothStores((stores) => {
  let store: Datastore
  let session: Session

  beforeEach(async () => {
    store = await stores.empty()
    session = quiet(store)
    await createObject(session, 'IPPool', 'four', {cidr: '10.1.0.0/24', blockSize: 29})
  })

  const found = async (node = 'a', on = session): Promise<string[]> =>
    (await findOrphans(on, node)).map(({handle, addresses, since}) => `${handle.replace(/\.[0-9a-f]{8}-[0-9a-f-]{27}$/, '.UUID')} ${addresses.map(formatAddress).join()} ${since ? 'known' : 'unknown'}`).sort()
  const handle = async (text: string): Promise<string> => must((await lookUpAddress(session, address(text))).assignment?.handle)

  describe('what is found', () => {
    test('nothing where everything has its endpoint', async () => {
      await create(session, 'a', ID, await ask(session, 'a'))
      expect(await found()).toEqual([])
    })

    test('what was asked for and not used, with the time; what an endpoint had, without', async () => {
      const before = Date.now()
      const text = await ask(session, 'a', '10.1.0.1')
      await create(session, 'a', ID, await ask(session, 'a', '10.1.0.2'))
      await deleteEndpoint(session, 'a', ID)
      expect(await found()).toEqual([`libnetwork.${ID} 10.1.0.2 unknown`, `libnetwork.pending.a.UUID ${text} known`])
      const [pending] = (await findOrphans(session, 'a')).flatMap(({since}) => since ?? [])
      expect(pending?.getTime()).toBeGreaterThanOrEqual(before)
      expect(pending?.getTime()).toBeLessThanOrEqual(Date.now())
    })

    test('only this node\'s, of the driver only, also in another node\'s blocks', async () => {
      await ask(session, 'b', '10.1.0.1')
      await ask(session, 'a', '10.1.0.2') // in a block of b
      await ask(session, 'a.b', '10.1.0.3')
      await ask(session, 'a-libnetwork', '10.1.0.4')
      await create(session, 'b', ID, '10.1.0.1')
      await deleteEndpoint(session, 'b', ID)
      await assignAddress(session, {address: address('10.1.0.5'), node: 'a', handle: 'libnetwork.mine', attributes: {node: 'a'}})
      await assignAddress(session, {address: address('10.1.0.6'), node: 'a', handle: newPendingHandle('a'), attributes: {node: 'a'}})
      for (let round = 0; round < 2; round++) {
        expect(await found('a')).toEqual(['libnetwork.pending.a.UUID 10.1.0.2 known'])
        expect(await found('b')).toEqual([`libnetwork.${ID} 10.1.0.1 unknown`])
        expect(await found('a.b')).toEqual(['libnetwork.pending.a.b.UUID 10.1.0.3 known'])
      }
    })

    test('what was found to be another node\'s is not looked at again', async () => {
      for (let i = 0; i < 8; i++) await create(session, 'b', `f${i}`.repeat(32), await ask(session, 'b'))
      const reads: Transaction[] = []
      const counted = quiet({...store, transact: (transaction) => (reads.push(transaction), store.transact(transaction)), list: (prefix, options) => store.list(prefix, options)})
      await findOrphans(counted, 'a')
      const first = reads.splice(0).length
      await findOrphans(counted, 'a')
      expect(reads.length).toBeLessThan(first)
    })

    test('values that cannot be read are passed over', async () => {
      await ask(session, 'a', '10.1.0.1')
      await store.transact({then: [{put: `${HANDLES_PREFIX}libnetwork.${ID}`, value: '['}]})
      const warnings: string[] = []
      expect(await found('a', newSession(store, {warn: (text) => warnings.push(text)}))).toEqual(['libnetwork.pending.a.UUID 10.1.0.1 known'])
      expect(warnings).toEqual([expect.stringMatching(/^The stored value of \S+\/handle\/libnetwork\.a1\S+ cannot be read: .+ It was not changed\.$/)])
    })
  })

  describe('what is released', () => {
    test('the addresses of the handle, once', async () => {
      await ask(session, 'a', '10.1.0.1')
      const pending = await handle('10.1.0.1')
      expect((await releaseOrphan(session, 'a', pending)).map(formatAddress)).toEqual(['10.1.0.1'])
      expect(await releaseOrphan(session, 'a', pending)).toEqual([])
      expect(await unsound(store)).toEqual([])
    })

    test('nothing that has got an endpoint meanwhile, or is another node\'s or somebody else\'s', async () => {
      await ask(session, 'a', '10.1.0.1')
      const pending = await handle('10.1.0.1')
      await create(quiet(store), 'a', ID, '10.1.0.1')
      await ask(session, 'b', '10.1.0.2')
      await assignAddress(session, {address: address('10.1.0.3'), node: 'a', handle: 'libnetwork.vm', attributes: {node: 'a', type: 'libnetwork'}})
      for (const each of [pending, `libnetwork.${ID}`, await handle('10.1.0.2'), 'libnetwork.vm']) expect(await releaseOrphan(session, 'a', each)).toEqual([])
      await deleteEndpoint(quiet(store), 'a', ID)
      expect(await releaseOrphan(session, 'b', `libnetwork.${ID}`)).toEqual([])
      expect((await releaseOrphan(session, 'a', `libnetwork.${ID}`)).map(formatAddress)).toEqual(['10.1.0.1'])
      expect(await allAssigned(store)).toHaveLength(2)
    })
  })

  describe('`ipam check`', () => {
    const problems = async (): Promise<string[]> => (await runCheck(session, {repair: false, graceMs: 0, holders: [], settleMs: 0})).findings.map(({class: kind, subject, message}) => `${kind} ${subject}: ${message}`)
    const pendingSince = async (text: string, age: number): Promise<void> => {
      await assignAddress(session, {address: address(text), node: 'a', handle: newPendingHandle('a'), attributes: pendingAttributes('a', new Date(Date.now() - age))})
    }

    test('takes an address that was just asked for to be in use, an older one to be leaked', async () => {
      await pendingSince('10.1.0.1', ORPHAN_AGE_MS - 20_000)
      expect(await problems()).toEqual([])
      await pendingSince('10.1.0.2', ORPHAN_AGE_MS + 1_000)
      expect(await problems()).toEqual([expect.stringMatching(/^leaked-address 10\.1\.0\.2: Docker requested it and never used it \(handle libnetwork\.pending\.a\.[0-9a-f-]{36}, libnetwork, node a\)$/)])
      await runCheck(session, {repair: true, graceMs: 0, holders: []})
      expect(await allAssigned(store)).toEqual(['10.1.0.1'])
    })

    test('accounts for an endpoint\'s address, and for one whose endpoint is gone only if it stays so', async () => {
      const text = await ask(session, 'a')
      await create(session, 'a', ID, text)
      expect(await problems()).toEqual([])
      await deleteEndpoint(session, 'a', ID)
      expect((await checkIpam(session)).findings).toMatchObject([{class: 'leaked-address', subject: text, passing: true}])
      expect(await problems()).toEqual([`leaked-address ${text}: no endpoint uses it (handle libnetwork.${ID}, libnetwork, node a)`])
      // Between the looks that one is given back, and the next one is about to be.
      const next = 'c3'.repeat(32)
      await create(session, 'a', next, await ask(session, 'a'))
      let looks = 0
      const holders = async (): Promise<[]> => {
        if (looks++ === 1) await Promise.all([giveBack(session, 'a', text), deleteEndpoint(session, 'a', next)])
        return []
      }
      expect((await runCheck(session, {repair: false, graceMs: 0, holders, settleMs: 0})).findings).toEqual([])
      expect(looks).toBe(2)
    })

    test('a running container accounts for an address too', async () => {
      const text = await ask(session, 'a')
      await create(session, 'a', ID, text)
      await deleteEndpoint(session, 'a', ID)
      const holders = [{address: address(text), description: 'container db'}]
      expect((await runCheck(session, {repair: true, graceMs: 0, holders})).repaired).toEqual([])
      expect(await allAssigned(store)).toEqual([text])
    })
  })
})

/** What a driver does with Docker's calls, in whatever order they come. */
interface Call {
  readonly text: string
  readonly make: (on: Session, answered: string[]) => Promise<unknown>
}

const IDS = ['1', '2', '3', '4', '5'].map((digit) => digit.repeat(64))
const NODES = ['a', 'b'] as const
/** The pool is a /28: it is exhausted at times. */
const given = fc.nat(15).map((last) => `10.1.0.${last}`)
const node = fc.constantFrom(...NODES)
const id = fc.constantFrom(...IDS)
/** An endpoint lives on one node. */
const nodeOf = (endpointId: string): string => must(NODES[IDS.indexOf(endpointId) % 2])
/** One of the addresses that were answered, whoever has it now: calls come twice, late, and for what was given back long ago. */
const answer = (all: readonly string[], which: number): string => all[all.length - 1 - (which % Math.max(all.length, 1))] ?? '10.1.0.3'

const called = (text: string, make: Call['make']): Call => ({text, make})

const call: fc.Arbitrary<Call> = fc.oneof(
  {weight: 4, arbitrary: node.map((n) => called(`request on ${n}`, async (on, all) => all.push(await ask(on, n))))},
  {weight: 1, arbitrary: fc.tuple(node, given).map(([n, text]) => called(`request ${text} on ${n}`, async (on, all) => all.push(await ask(on, n, text))))},
  {weight: 5, arbitrary: fc.tuple(id, fc.nat(5)).map(([i, which]) => called(`create ${i.slice(0, 2)} with answer -${which}`, (on, all) => create(on, nodeOf(i), i, answer(all, which))))},
  {weight: 2, arbitrary: id.map((i) => called(`delete ${i.slice(0, 2)}`, (on) => deleteEndpoint(on, nodeOf(i), i)))},
  {weight: 3, arbitrary: fc.tuple(node, fc.nat(5)).map(([n, which]) => called(`release answer -${which} on ${n}`, (on, all) => giveBack(on, n, answer(all, which))))},
  {weight: 1, arbitrary: id.map((i) => called(`remove stale ${i.slice(0, 2)}`, (on) => removeStaleEndpoint(on, nodeOf(i), i)))},
  {weight: 1, arbitrary: node.map((n) => called(`reconcile ${n}`, (on) => reconcile(on, n)))},
)

/** Gives back what `findOrphans` finds, however young. */
async function reconcile(on: Session, name: string): Promise<void> {
  for (const {handle} of await findOrphans(on, name)) await releaseOrphan(on, name, handle)
}

type Fault = 'none' | 'lost answer' | 'lost request' | 'away'

/** STORE, of which each next write meets the next of FAULTS. */
function withFaults(store: Datastore, faults: Fault[]): Datastore {
  return {
    description: store.description,
    generation: store.generation,
    get: (key, options) => store.get(key, options),
    list: (prefix, options) => store.list(prefix, options),
    watch: (prefix, from, signal) => store.watch(prefix, from, signal),
    history: (key, from) => store.history(key, from),
    close: () => undefined,
    async transact(transaction) {
      if (!transaction.then.some((operation) => 'put' in operation || 'delete' in operation)) return store.transact(transaction)
      const fault = faults.shift() ?? 'none'
      if (fault === 'away') throw new CalicoError('unreachable', 'the datastore does not answer')
      if (fault === 'lost request') throw new OutcomeUnknownError('the request was lost')
      const result = await store.transact(transaction)
      if (fault === 'lost answer') throw new OutcomeUnknownError('the answer was lost')
      return result
    },
  }
}

/** What must be true at any moment, in words. */
async function wrongNow(store: Datastore): Promise<string[]> {
  const wrong = await unsound(store)
  const session = quiet(store)
  const holders = new Map<string, string>()
  for (const name of NODES) {
    for await (const {id: endpointId, stored} of listEndpointsOf(session, name)) {
      for (const each of endpointAddresses(stored.resource)) {
        const text = formatAddress(each)
        if (holders.has(text)) wrong.push(`${text} is of ${endpointId} and ${holders.get(text) ?? ''}`)
        holders.set(text, endpointId)
        const owner = (await lookUpAddress(session, each)).assignment?.handle ?? 'nobody'
        if (owner !== `libnetwork.${endpointId}`) wrong.push(`${text} of ${endpointId} is ${owner}'s`)
      }
    }
  }
  // All that may look wrong is an address that Docker has not given back yet.
  wrong.push(...(await checkIpam(session)).findings.filter(({passing}) => !passing).map(({class: kind, subject, message}) => `${kind} ${subject}: ${message}`))
  return wrong
}

async function holdsWhatever(stores: TestStores, numRuns: number): Promise<void> {
  const round = fc.record({
    calls: fc.array(fc.record({call, on: fc.nat(2)}), {minLength: 1, maxLength: 5}),
    faults: fc.array(fc.constantFrom<Fault>('none', 'none', 'none', 'lost answer', 'lost request', 'away'), {maxLength: 4}),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(round, {minLength: 1, maxLength: 10}), async (rounds) => {
      const store = await stores.empty()
      await createObject(quiet(store), 'IPPool', 'four', {cidr: '10.1.0.0/28', blockSize: 29})
      const faults: Fault[] = []
      const faulty = withFaults(store, faults)
      const sessions = [quiet(faulty), quiet(faulty), quiet(faulty)]
      const answered: string[] = []
      for (const {calls, faults: coming} of rounds) {
        faults.splice(0, faults.length, ...coming)
        await Promise.all(
          calls.map(({call: {make}, on}) =>
            make(must(sessions[on]), answered).catch((error: unknown) => {
              if (!(error instanceof CalicoError)) throw error
            }),
          ),
        )
        expect(await wrongNow(store)).toEqual([])
      }
      // Docker and the driver are gone; a new driver looks what there is.
      const fresh = quiet(store)
      for (const name of NODES) await reconcile(fresh, name)
      for (const name of NODES) expect(await findOrphans(fresh, name)).toEqual([])
      expect(await wrongNow(store)).toEqual([])
      const held: string[] = []
      for (const name of NODES) for await (const {stored} of listEndpointsOf(fresh, name)) held.push(...endpointAddresses(stored.resource).map(formatAddress))
      expect((await allAssigned(store)).sort()).toEqual(held.sort())
      expect((await runCheck(fresh, {repair: false, graceMs: 0, holders: [], settleMs: 0})).findings).toEqual([])
      // And all of it can be taken away.
      for (const endpointId of IDS) await removeStaleEndpoint(fresh, nodeOf(endpointId), endpointId)
      expect(await allAssigned(store)).toEqual([])
    }),
    {numRuns},
  )
}

onBothStores((stores) => {
  // Every etcd is like another: the more runs are on the store that is quick to empty.
  const runs = Number(process.env.LIBNETWORK_RUNS ?? (stores.kind === 'etcd' ? 10 : 30))
  test('calls in any order, repeated, dropped, at once, by several drivers, on a store that fails', () => holdsWhatever(stores, runs), 300_000)
})
