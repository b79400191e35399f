import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {removePools} from '../../../src/lib/client/pool-removal.js'
import {addPools} from '../../../src/lib/client/pools.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Transaction} from '../../../src/lib/datastore/datastore.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {assignFree} from '../../../src/lib/ipam/assign.js'
import {assignedAddresses, autoAssign} from '../../../src/lib/ipam/auto-assign.js'
import {assignedIn, type Block, encodeBlock, hostAffinity, newBlock, parseBlock} from '../../../src/lib/ipam/block.js'
import {parseJson} from '../../../src/lib/json/json.js'
import {affinityKey, blockKey, BLOCKS_PREFIX, IPAM_PREFIX, resourceKey} from '../../../src/lib/model/keys.js'
import {type Cidr, parseCidr} from '../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const CONFIRMED = '{"state":"confirmed","deleted":false}'
const POOL = resourceKey('IPPool', '10-1-0-0-16')

let store: FaultyStore
let session: Session
let warnings: string[]

beforeEach(async () => {
  store = await faultyStore()
  warnings = []
  session = newSession(store, {warn: (message) => warnings.push(message)})
  await addPools(session, ['10.1.0.0/16', '10.2.0.0/16'].map(cidr), {ipip: false, natOutgoing: true})
  warnings.length = 0
  store.writes.length = 0
  session.writes.done.length = 0
})
afterEach(() => store.close())

function cidr(text: string): Cidr {
  const parsed = parseCidr(text)
  if (!parsed) throw new Error(text)
  return parsed
}

const remove = (texts: string, {force = false} = {}) => removePools(session, texts.split(' ').map(cidr), {force})

const fresh = (text: string): Block => newBlock(cidr(text), hostAffinity('host-1'), {claimTime: '2026-06-24T18:40:00Z', sequenceNumber: 1782326400123456789n})
const used = (text: string, handle = 'h1'): Block => assignFree(fresh(text), 1, {handle, attributes: {node: 'host-1'}}).block
const claimed = (block: Block): Transaction => ({then: [{put: blockKey(cidr(block.cidr)), value: encodeBlock(block)}, {put: affinityKey('host-1', cidr(block.cidr)), value: CONFIRMED}]})

/** Stores BLOCK and its affinity as libcalico-go would, past our conditions. */
async function claim(block: Block): Promise<void> {
  await store.transact(claimed(block))
  store.writes.length = 0
}

/** Lets SOMEBODY_ELSE act before the write that PICK chooses, once. */
function before(pick: (transaction: Transaction) => boolean, somebodyElse: Transaction): void {
  store.onWrite = async (send, transaction) => {
    if (!pick(transaction)) return send(transaction)
    store.onWrite = (again, next) => again(next)
    await send(somebodyElse)
    return send(transaction)
  }
}
const deletes = (key: string) => ({then}: Transaction) => then.some((operation) => 'delete' in operation && operation.delete === key)

const value = async (key: string): Promise<unknown> => {
  const {kv} = await store.get(key)
  return kv && parseJson(kv.value)
}
async function ipamKeys(): Promise<string[]> {
  const keys: string[] = []
  for await (const {entries} of store.list(IPAM_PREFIX, {keysOnly: true})) keys.push(...entries.map(({key}) => key))
  return keys
}

async function failure(promise: Promise<unknown>): Promise<CalicoError> {
  const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason)
  if (error instanceof CalicoError) return error
  throw new Error(`no CalicoError but ${String(error)}`)
}

describe('a pool without addresses in use', () => {
  test('is disabled, its blocks are given back, and it is deleted', async () => {
    await claim(fresh('10.1.0.0/26'))
    await claim(fresh('10.2.0.0/26'))
    expect(await remove('10.1.0.5/16')).toMatchObject({changes: [{name: '10.1.0.0/16', action: 'deleted'}], disowned: []})
    expect(await value(POOL)).toBeUndefined()
    expect(await ipamKeys()).toEqual(['/calico/ipam/v2/assignment/ipv4/block/10.2.0.0-26', '/calico/ipam/v2/host/host-1/ipv4/block/10.2.0.0-26'])
    expect(session.writes).toMatchObject({done: ['the disabling of 10.1.0.0/16', 'the release of a block within 10.1.0.0/16', 'the deletion of 10.1.0.0/16'], remaining: undefined})
  })

  test('goes with the others of its line: disabled together, deleted together', async () => {
    await remove('10.1.0.0/16 10.2.0.0/16 10.1.0.0/16')
    expect(store.writes.map(({then}) => then.length)).toEqual([2, 2])
  })

  test('with a block that only Windows uses', async () => {
    await claim(used('10.1.0.0/26', 'windows-reserved-ipam-handle'))
    await remove('10.1.0.0/16')
    expect(await ipamKeys()).toEqual([])
  })

  test('in a dry run stays', async () => {
    const dry = newSession(store, {dryRun: true, warn: () => undefined})
    expect(await removePools(dry, [cidr('10.1.0.0/16')], {force: false})).toMatchObject({changes: [{action: 'deleted'}]})
    expect(store.writes).toEqual([])
  })

  test('with a defect that Calico would refuse goes too', async () => {
    const {kv} = await store.get(POOL)
    await store.transact({then: [{put: POOL, value: (kv?.value ?? '').replace('"blockSize":26', '"blockSize":99,"fromTomorrow":1')}]})
    await remove('10.1.0.0/16')
    expect(await value(POOL)).toBeUndefined()
  })

  test('that is stored twice goes twice', async () => {
    await store.transact({then: [{put: resourceKey('IPPool', 'again'), value: '{"kind":"IPPool","metadata":{"name":"again"},"spec":{"cidr":"10.1.0.0/16"}}'}]})
    expect((await remove('10.1.0.0/16')).changes).toHaveLength(2)
    expect(await value(resourceKey('IPPool', 'again'))).toBeUndefined()
  })
})

test('all CIDRs are looked up before a pool is touched', async () => {
  const error = await failure(remove('10.1.0.0/16 10.3.0.0/16 10.4.0.0/16'))
  expect(error).toMatchObject({kind: 'not-found', exitCode: 4, message: '10.3.0.0/16 is not a configured pool.', details: ['10.4.0.0/16 is not a configured pool.']})
  expect(store.writes).toEqual([])
})

test('a network inside a pool is not that pool', async () => {
  expect((await failure(remove('10.1.0.0/24'))).message).toBe('10.1.0.0/24 is not a configured pool.')
})

describe('a pool with addresses in use', () => {
  test('stays, and the holders are named', async () => {
    await claim(used('10.1.0.0/26'))
    await claim(assignFree(used('10.1.0.64/26'), 1, {}).block)
    await store.transact({then: [{put: resourceKey('WorkloadEndpoint', 'host--1-docker-c1-eth0', 'default'), value: JSON.stringify({
      kind: 'WorkloadEndpoint',
      metadata: {name: 'host--1-docker-c1-eth0', namespace: 'default'},
      spec: {node: 'host-1', orchestrator: 'docker', workload: 'c1', endpoint: 'eth0', ipNetworks: ['10.1.0.64/32']},
    })}]})
    store.writes.length = 0
    const error = await failure(remove('10.1.0.0/16'))
    expect(error).toMatchObject({kind: 'refused', exitCode: 8, message: 'Addresses of 10.1.0.0/16 are in use (3); nothing was changed'})
    expect(error.details).toEqual(['10.1.0.0: handle h1, node host-1', '10.1.0.64: docker workload c1 on host-1 (handle h1, node host-1)', '10.1.0.65: no handle and no node recorded'])
    expect(error.hint).toMatch(/--force/)
    expect(store.writes).toEqual([])
  })

  test('holders beyond twenty are counted by node, with examples', async () => {
    await claim(assignFree(fresh('10.1.0.0/26'), 30, {handle: 'many'}).block)
    const {details} = await failure(remove('10.1.0.0/16'))
    expect(details).toEqual(['no node recorded: 30 addresses', 'For example:', ...[0, 1, 2, 3, 4].map((i) => `10.1.0.${i}: handle many`), 'and 25 more'])
  })

  test('and so does one with a block that cannot be read', async () => {
    await store.transact({then: [{put: blockKey(cidr('10.1.0.0/26')), value: 'x'}]})
    expect((await failure(remove('10.1.0.0/16'))).details).toEqual(['the value of /calico/ipam/v2/assignment/ipv4/block/10.1.0.0-26 cannot be read'])
    expect(warnings).toEqual([])
    await remove('10.1.0.0/16', {force: true})
    expect(await ipamKeys()).toEqual([blockKey(cidr('10.1.0.0/26'))])
    expect(warnings).toEqual(['The stored value of /calico/ipam/v2/assignment/ipv4/block/10.1.0.0-26 cannot be read. It was not changed.'])
  })

  test('goes by force; the addresses stay assigned, in a block that is nobody\'s', async () => {
    await claim(used('10.1.0.0/26'))
    await claim(fresh('10.1.0.64/26'))
    expect((await remove('10.1.0.0/16', {force: true})).disowned).toEqual(['10.1.0.0/26'])
    expect(await value(POOL)).toBeUndefined()
    expect(await ipamKeys()).toEqual([blockKey(cidr('10.1.0.0/26'))])
    expect(await value(blockKey(cidr('10.1.0.0/26')))).toMatchObject({affinity: null, attributes: [{handle_id: 'h1', secondary: {node: 'host-1'}}]})
  })
})

describe('an assignment at the same time', () => {
  test('before the pool is disabled: it is refused, and enabled again', async () => {
    before(() => true, claimed(used('10.1.0.0/26')))
    const error = await failure(remove('10.1.0.0/16'))
    expect(error).toMatchObject({kind: 'refused', message: 'An address of 10.1.0.0/26 was assigned while the pool was being removed; 10.1.0.0/16 is enabled again'})
    expect(error.details).toEqual(['10.1.0.0: handle h1, node host-1'])
    expect(await value(POOL)).toMatchObject({spec: {cidr: '10.1.0.0/16', natOutgoing: true}})
    expect(await value(POOL)).not.toHaveProperty('spec.disabled')
    expect(await value(blockKey(cidr('10.1.0.0/26')))).toMatchObject({affinity: 'host:host-1'})
  })

  test('from a block that is being given back', async () => {
    await claim(fresh('10.1.0.0/26'))
    before(deletes(blockKey(cidr('10.1.0.0/26'))), claimed(used('10.1.0.0/26')))
    expect(await failure(remove('10.1.0.0/16'))).toMatchObject({kind: 'refused'})
    expect(await value(blockKey(cidr('10.1.0.0/26')))).toMatchObject({affinity: 'host:host-1', attributes: [{handle_id: 'h1', secondary: {node: 'host-1'}}]})
    expect(await value(POOL)).not.toHaveProperty('spec.disabled')
  })

  test('from a new block, at the moment of the deletion', async () => {
    before(deletes(POOL), claimed(used('10.1.200.0/26')))
    expect(await failure(remove('10.1.0.0/16'))).toMatchObject({kind: 'refused'})
    expect(await value(POOL)).not.toHaveProperty('spec.disabled')
  })

  test('a new block without addresses at that moment is given back as well', async () => {
    before(deletes(POOL), claimed(fresh('10.1.200.0/26')))
    expect((await remove('10.1.0.0/16')).changes).toHaveLength(1)
    expect(await ipamKeys()).toEqual([])
  })

  test('by force: the block is made nobody\'s, however late it comes', async () => {
    before(deletes(POOL), claimed(used('10.1.200.0/26')))
    expect((await remove('10.1.0.0/16', {force: true})).disowned).toEqual(['10.1.200.0/26'])
    expect(await ipamKeys()).toEqual([blockKey(cidr('10.1.200.0/26'))])
  })

  test('after the deletion: it is told', async () => {
    store.onWrite = async (send, transaction) => {
      const result = await send(transaction)
      if (deletes(POOL)(transaction)) await send(claimed(used('10.1.200.0/26')))
      return result
    }
    const error = await failure(remove('10.1.0.0/16'))
    expect(error).toMatchObject({kind: 'unknown', exitCode: 9, message: 'Deleted 10.1.0.0/16, but a node claimed 10.1.200.0/26 at the same time'})
    expect(await value(POOL)).toBeUndefined()
  })

  test('what happens in other pools does not disturb', async () => {
    before(deletes(POOL), claimed(used('10.2.0.0/26')))
    await remove('10.1.0.0/16')
    expect(store.writes.filter(deletes(POOL))).toHaveLength(1)
  })

  test('somebody who enables the pool again is not overruled', async () => {
    const {kv} = await store.get(POOL)
    before(deletes(POOL), {then: [{put: POOL, value: kv?.value ?? ''}]})
    const error = await failure(remove('10.1.0.0/16'))
    expect(error.details.join()).toMatch(/enabled the pool 10\.1\.0\.0\/16 again/)
    expect(await value(POOL)).not.toHaveProperty('spec.disabled')
  })
})

describe('our own allocator at the same time', () => {
  /** How many milliseconds the removal begins after the first assignment: some before, some after, some in its midst. */
  test.each([-6, -3, -2, -1, 0, 1, 3])('%i ms after: the pool goes without a block left, or stays enabled with every address assigned', async (lead) => {
    const nodes = ['host-1', 'host-2', 'host-3']
    await store.transact({then: nodes.map((name) => ({put: resourceKey('Node', name), value: JSON.stringify({kind: 'Node', metadata: {name}, spec: {}})}))})
    const assign = async (index: number): Promise<number> => {
      await sleep(Math.max(-lead, 0) + index / 2)
      const own = newSession(store, {warn: () => undefined})
      const given = await autoAssign(own, {ipv4: 1, node: nodes[index % 3] ?? '', handle: `h${index}`, pools: {ipv4: [cidr('10.1.0.0/16')]}}).catch(() => undefined)
      return given ? assignedAddresses(given).length : 0
    }
    const assignments = Array.from({length: 12}, (_, index) => assign(index))
    await sleep(Math.max(lead, 0))
    const removed = await remove('10.1.0.0/16').then(() => true, (error: unknown) => {
      expect(error).toMatchObject({kind: 'refused'})
      return false
    })
    const given = (await Promise.all(assignments)).reduce((sum, count) => sum + count, 0)
    const blocks = (await ipamKeys()).filter((key) => key.startsWith(BLOCKS_PREFIX))
    const stored = await Promise.all(blocks.map(async (key) => parseBlock({key, value: (await store.get(key)).kv?.value ?? ''})))
    expect(stored.flatMap((block) => [...assignedIn(block)])).toHaveLength(given)
    if (removed) expect([given, await value(POOL)]).toEqual([0, undefined])
    else expect(await value(POOL)).not.toHaveProperty('spec.disabled')
  })
})

describe('a removal that fails half-way', () => {
  const breakAt = (pick: (transaction: Transaction) => boolean): void => {
    store.onWrite = (send, transaction) => {
      if (pick(transaction)) throw new CalicoError('unreachable', 'etcd does not answer')
      return send(transaction)
    }
  }

  test('says what is done and what is not, and goes on when it is run again', async () => {
    await claim(fresh('10.1.0.0/26'))
    breakAt(deletes(POOL))
    const error = await failure(remove('10.1.0.0/16'))
    expect(error).toMatchObject({kind: 'unknown', exitCode: 9, message: '10.1.0.0/16: the removal is not finished; the pool is disabled but not deleted', details: ['etcd does not answer']})
    expect(await value(POOL)).toHaveProperty('spec.disabled', true)
    store.onWrite = (send, transaction) => send(transaction)
    expect((await remove('10.1.0.0/16')).changes).toHaveLength(1)
    expect(await value(POOL)).toBeUndefined()
  })

  test('before the first write it is the error itself', async () => {
    breakAt(() => true)
    expect(await failure(remove('10.1.0.0/16'))).toMatchObject({kind: 'unreachable'})
  })

  test('an interruption is told what remains', async () => {
    let remaining: string | undefined
    store.onWrite = (send, transaction) => {
      if (deletes(POOL)(transaction)) ({remaining} = session.writes)
      return send(transaction)
    }
    await remove('10.1.0.0/16')
    expect(remaining).toBe('The removal of 10.1.0.0/16 is not finished: the pool is disabled and must still be deleted. Run the command again')
  })

  test('a pool that was disabled before stays so when the removal is refused', async () => {
    const {kv} = await store.get(POOL)
    await store.transact({then: [{put: POOL, value: (kv?.value ?? '').replace('"natOutgoing":true', '"natOutgoing":true,"disabled":true')}]})
    await claim(fresh('10.1.0.0/26'))
    before(deletes(blockKey(cidr('10.1.0.0/26'))), claimed(used('10.1.0.0/26')))
    expect((await failure(remove('10.1.0.0/16'))).message).toBe('An address of 10.1.0.0/26 was assigned while the pool was being removed')
    expect(await value(POOL)).toHaveProperty('spec.disabled', true)
  })
})
