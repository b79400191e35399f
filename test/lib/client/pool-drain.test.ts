/** `pool remove --drain` on both stores: every step waits for what the store or the drain itself reports. */
import {describe, expect, test} from '@jest/globals'
import {drainPools} from '../../../src/lib/client/pool-drain.js'
import {addPools, setPools} from '../../../src/lib/client/pools.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {truth} from '../../../src/lib/cli/signals.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {assignFree} from '../../../src/lib/ipam/assign.js'
import {type Block, encodeBlock, hostAffinity, newBlock} from '../../../src/lib/ipam/block.js'
import {blockKey, resourceKey} from '../../../src/lib/model/keys.js'
import {type Cidr, parseCidr} from '../../../src/lib/net/index.js'
import {faultyStore} from '../../support/faulty-store.js'
import {onBothStores} from '../../support/stores.js'

const POOL = resourceKey('IPPool', '10-1-0-0-16')
const LONG = 20_000

function cidr(text: string): Cidr {
  const parsed = parseCidr(text)
  if (!parsed) throw new Error(text)
  return parsed
}

const fresh = (text: string): Block => newBlock(cidr(text), hostAffinity('host-1'), {claimTime: '2026-06-24T18:40:00Z', sequenceNumber: 7n})
const used = (text: string, number = 1): Block => assignFree(fresh(text), number, {handle: 'h1', attributes: {node: 'host-1'}}).block
const put = (block: Block) => ({put: blockKey(cidr(block.cidr)), value: encodeBlock(block)})

async function withPools(store: Datastore, ...blocks: readonly Block[]): Promise<Session> {
  const session = newSession(store, {warn: () => undefined})
  await addPools(session, ['10.1.0.0/16', 'fd00:1::/64', '10.2.0.0/16'].map(cidr), {natOutgoing: true})
  for (const block of blocks) await store.transact({then: [put(block)]})
  session.writes.done.length = 0
  return session
}

interface Draining {
  readonly result: Promise<{changes: unknown[]} | CalicoError>
  /** The next number of holders that is told, with the lines. */
  told(): Promise<readonly [number, readonly string[]]>
}

function drain(session: Session, texts: string, waitMs = LONG): Draining {
  const said: (readonly [number, readonly string[]])[] = []
  let wake = (): void => undefined
  const result = drainPools(session, texts.split(' ').map(cidr), {
    waitMs,
    onHolders(count, lines) {
      said.push([count, lines])
      wake()
    },
    offTheClock: (work) => work(),
  }).then(({changes}) => ({changes: [...changes]}), (error: unknown) => {
    if (error instanceof CalicoError) return error
    throw error
  })
  return {
    result,
    async told() {
      while (said.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return said.shift() ?? [NaN, []]
    },
  }
}

const disabled = async (store: Datastore): Promise<unknown> => {
  const {kv} = await store.get(POOL)
  return kv && ((JSON.parse(kv.value) as {spec: {disabled?: boolean}}).spec.disabled ?? false)
}

onBothStores((stores) => {
  test('a pool goes when its last address is given back', async () => {
    const store = await stores.empty()
    const session = await withPools(store, used('10.1.0.0/26', 2))
    const draining = drain(session, '10.1.0.0/16')
    expect(await draining.told()).toEqual([2, [expect.stringMatching(/^10\.1\.0\.0: .*host-1/), expect.stringMatching(/^10\.1\.0\.1: /)]])
    expect(await disabled(store)).toBe(true)
    await store.transact({then: [put(used('10.1.0.0/26'))]})
    expect(await draining.told()).toEqual([1, []])
    expect(truth(session.writes)).toMatch(/^the disabling of 10\.1\.0\.0\/16 was made\. 10\.1\.0\.0\/16 stays disabled and is not deleted\. Addresses still in use \(1\): 10\.1\.0\.0: .*host-1.*\. To continue: calicoctl pool remove 10\.1\.0\.0\/16 --drain$/)
    await store.transact({then: [put(fresh('10.1.0.0/26'))]})
    expect(await draining.result).toMatchObject({changes: [{name: '10.1.0.0/16', action: 'deleted'}]})
    expect(await disabled(store)).toBeUndefined()
    expect(session.writes.remaining).toBeUndefined()
  })

  test('where many addresses are in use, an interruption prints their number only', async () => {
    const store = await stores.empty()
    const session = await withPools(store, used('10.1.0.0/26', 21))
    const draining = drain(session, '10.1.0.0/16')
    expect((await draining.told())[1]).toEqual(expect.arrayContaining(['For example:', 'node host-1: 21 addresses']))
    expect(truth(session.writes)).toMatch(/Addresses still in use \(21\)\. To continue: calicoctl pool remove 10\.1\.0\.0\/16 --drain$/)
    await store.transact({then: [put(fresh('10.1.0.0/26'))]})
    await draining.result
  })

  test('several pools, of both families, wait for the last of them', async () => {
    const store = await stores.empty()
    const session = await withPools(store, used('fd00:1::/122'))
    const draining = drain(session, '10.1.0.0/16 fd00:1::/64')
    expect((await draining.told())[0]).toBe(1)
    await store.transact({then: [put(fresh('fd00:1::/122'))]})
    expect(await draining.result).toMatchObject({changes: [{action: 'deleted'}, {action: 'deleted'}]})
  })

  test('when the time is up it stays disabled, and the holders are named', async () => {
    const store = await stores.empty()
    const error = await drain(await withPools(store, used('10.1.0.0/26')), '10.1.0.0/16', 0).result
    expect(error).toMatchObject({kind: 'refused', message: expect.stringMatching(/still in use \(1\)\. It stays disabled/) as unknown, details: [expect.stringMatching(/^10\.1\.0\.0: .*host-1/)], hint: expect.stringContaining('calicoctl pool set 10.1.0.0/16 --enabled') as unknown})
    expect(await disabled(store)).toBe(true)
  })

  test('somebody enables it again: nothing is deleted', async () => {
    const store = await stores.empty()
    const session = await withPools(store, used('10.1.0.0/26'))
    const draining = drain(session, '10.1.0.0/16')
    await draining.told()
    await setPools(newSession(store, {warn: () => undefined}), [cidr('10.1.0.0/16')], {disabled: false})
    await store.transact({then: [put(fresh('10.1.0.0/26'))]})
    expect(await draining.result).toMatchObject({kind: 'conflict', message: expect.stringContaining('Another client has enabled 10.1.0.0/16 again') as unknown})
    expect(await disabled(store)).toBe(false)
  })

  test('a dry run tells who would be waited for, and writes nothing', async () => {
    const store = await stores.empty()
    await withPools(store, used('10.1.0.0/26'))
    const {revision} = await store.get(POOL)
    const draining = drain(newSession(store, {dryRun: true, warn: () => undefined}), '10.1.0.0/16')
    expect((await draining.told())[0]).toBe(1)
    expect(await draining.result).toMatchObject({changes: [{action: 'deleted'}]})
    expect((await store.get(POOL)).revision).toBe(revision)
  })

  test('what is not a pool is told before anything is disabled', async () => {
    const store = await stores.empty()
    expect(await drain(await withPools(store), '10.1.0.0/16 10.9.0.0/16').result).toMatchObject({kind: 'not-found'})
    expect(await disabled(store)).toBe(false)
  })
})

describe('races', () => {
  test('an address that a slow allocator takes at the last moment is waited for', async () => {
    const store = await faultyStore()
    try {
      const session = await withPools(store, fresh('10.1.0.0/26'))
      let late = 0
      store.onWrite = async (send, transaction) => {
        if (late === 0 && transaction.then.some((operation) => 'delete' in operation)) {
          late++
          await send({then: [put(used('10.1.0.0/26'))]})
        }
        return send(transaction)
      }
      const draining = drain(session, '10.1.0.0/16')
      expect((await draining.told())[0]).toBe(1)
      expect(await disabled(store)).toBe(true)
      await store.transact({then: [put(fresh('10.1.0.0/26'))]})
      expect(await draining.result).toMatchObject({changes: [{action: 'deleted'}]})
      expect(late).toBe(1)
    } finally {
      store.close()
    }
  })

  test('on a stage nobody gives an address back: refused', async () => {
    const store = await faultyStore()
    try {
      const session = await withPools(store)
      expect(await drain({...session, store: {...store, restOn: () => undefined}}, '10.1.0.0/16').result).toMatchObject({kind: 'invalid', message: expect.stringContaining('cannot be part of one transaction') as unknown})
      expect(await disabled(store)).toBe(false)
    } finally {
      store.close()
    }
  })

  test('a datastore that fails meanwhile leaves it disabled: that is said', async () => {
    const store = await faultyStore()
    try {
      const session = await withPools(store, used('10.1.0.0/26'))
      store.watch = () => {
        throw new CalicoError('unreachable', 'gone')
      }
      expect(await drain(session, '10.1.0.0/16').result).toMatchObject({kind: 'unknown', message: expect.stringContaining('the pool is disabled but not deleted') as unknown, details: ['gone']})
      expect(session.writes.remaining).toBeUndefined()
    } finally {
      store.close()
    }
  })
})
