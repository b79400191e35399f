import {readFileSync} from 'node:fs'
import {resolve} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {type AffinityScope, releaseAffinities} from '../../../src/lib/client/affinities.js'
import {addPools} from '../../../src/lib/client/pools.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {assignFree} from '../../../src/lib/ipam/assign.js'
import {type Block, encodeBlock, hostAffinity, newBlock} from '../../../src/lib/ipam/block.js'
import {parseJson} from '../../../src/lib/json/json.js'
import {affinityKey, blockKey, IPAM_PREFIX} from '../../../src/lib/model/keys.js'
import {type Cidr, formatCidr, parseCidr, subnetAt} from '../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

let store: FaultyStore
let session: Session
let warnings: string[]

beforeEach(async () => {
  store = await faultyStore()
  warnings = []
  session = newSession(store, {warn: (message) => warnings.push(message)})
  await addPools(session, [cidr('192.0.2.0/24')], {ipip: false, natOutgoing: false})
  store.writes.length = 0
  warnings.length = 0
})
afterEach(() => store.close())

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text)
  if (!parsed) throw new Error(text)
  return parsed
}

async function put(entries: Readonly<Record<string, string>>): Promise<void> {
  const all = Object.entries(entries)
  for (let at = 0; at < all.length; at += 100) await store.transact({then: all.slice(at, at + 100).map(([key, value]) => ({put: key, value}))})
  store.writes.length = 0
}

/** Everything of IPAM's in the store. */
async function ipam(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const {entries} of store.list(IPAM_PREFIX)) for (const {key, value} of entries) found.set(key, value)
  return found
}

const values = (state: ReadonlyMap<string, string>): object => Object.fromEntries([...state].map(([key, value]) => [key, value === '' ? '' : parseJson(value)]))

interface Step {
  readonly op: string
  readonly args: {readonly Host?: string; readonly CIDR?: string; readonly Key?: string}
  readonly changed?: Readonly<Record<string, string | null>>
}
interface Trace {
  readonly id: string
  readonly setup: readonly {readonly kind: string; readonly metadata: {readonly name: string}; readonly spec: {readonly cidr?: string}}[]
  readonly steps: readonly Step[]
}

const ALL = ['0.0.0.0/0', '::/0'].map(cidr)

/** What the operation of a step releases; undefined for another operation. */
function scopes({setup}: Trace, {op, args}: Step): AffinityScope[] | undefined {
  const host = args.Host ?? ''
  switch (op) {
    case 'ReleaseHostAffinities':
    case 'RemoveIPAMHost':
      return ALL.map((within) => ({within, host}))
    case 'ReleaseAffinity':
      return [{within: cidr(args.CIDR ?? ''), host}]
    case 'ReleasePoolAffinities':
      return [{within: cidr(args.CIDR ?? '')}]
    case 'PoolDelete':
      return [{within: cidr(setup.find(({metadata}) => metadata.name === args.Key)?.spec.cidr ?? '')}]
    default:
      return undefined
  }
}

const cases = readFileSync(resolve(import.meta.dirname, '../../fixtures/golden/ipam-traces.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .flatMap((line) => {
    const trace = JSON.parse(line) as Trace
    let state: ReadonlyMap<string, string> = new Map()
    return trace.steps.flatMap((step, index) => {
      const before = state
      const after = new Map(state)
      for (const [key, value] of Object.entries(step.changed ?? {})) {
        if (!key.startsWith(IPAM_PREFIX)) continue
        if (value === null) after.delete(key)
        else after.set(key, value)
      }
      state = after
      const released = scopes(trace, step)
      return released ? [{name: `${trace.id} step ${index} ${step.op}`, before, after, released}] : []
    })
  })

describe('the state that libcalico-go reaches', () => {
  test('is recorded for these operations', () => expect(cases.length).toBeGreaterThanOrEqual(10))

  test.each(cases)('$name', async ({before, after, released}) => {
    await put(Object.fromEntries(before))
    for (const scope of released) await releaseAffinities(session, scope)
    expect(values(await ipam())).toEqual(values(after))
  })
})

const fresh = (text: string, host: string): Block => newBlock(cidr(text), hostAffinity(host), {claimTime: '2026-06-24T18:40:00Z', sequenceNumber: 1782326400123456789n})
const used = (text: string, host: string): Block => assignFree(fresh(text, host), 1, {handle: 'h1'}).block
const CONFIRMED = '{"state":"confirmed","deleted":false}'
const claimed = (block: Block, host: string): Record<string, string> => ({[blockKey(cidr(block.cidr))]: encodeBlock(block), [affinityKey(host, cidr(block.cidr))]: CONFIRMED})
const POOL = cidr('10.1.0.0/16')

describe('what is released', () => {
  test('block and affinity go in one transaction, with what was read as its condition', async () => {
    await put({...claimed(fresh('10.1.0.0/26', 'host-1'), 'host-1'), ...claimed(used('10.1.0.64/26', 'host-2'), 'host-2')})
    const result = await releaseAffinities(session, {within: POOL})
    expect(result).toMatchObject({deleted: ['10.1.0.0/26'], disowned: ['10.1.0.64/26']})
    expect(store.writes).toHaveLength(1)
    expect(store.writes[0]?.if).toHaveLength(5) // two blocks, two affinities, the cluster
    expect([...(await ipam()).keys()]).toEqual(['/calico/ipam/v2/assignment/ipv4/block/10.1.0.64-26'])
    const {kv} = await store.get('/calico/ipam/v2/assignment/ipv4/block/10.1.0.64-26')
    expect(result.left).toEqual(new Map([[kv?.key, kv?.modRevision]]))
    expect(parseJson(kv?.value ?? '')).toMatchObject({affinity: null, sequenceNumber: 1782326400123456790n})
  })

  test('only within the network, and only of the host that is named', async () => {
    const blocks = ['10.1.0.0/26', '10.2.0.0/26', '10.10.0.0/26'].map((text) => claimed(fresh(text, 'host-1'), 'host-1'))
    await put(Object.assign({}, ...blocks, claimed(fresh('10.1.0.64/26', 'host-10'), 'host-10')) as Record<string, string>)
    expect((await releaseAffinities(session, {within: POOL, host: 'host-1'})).deleted).toEqual(['10.1.0.0/26'])
    expect((await ipam()).size).toBe(6)
    expect((await releaseAffinities(session, {within: POOL})).deleted).toEqual(['10.1.0.64/26'])
    expect((await ipam()).size).toBe(4)
  })

  test('affinities without a block, and those to the block of another host', async () => {
    const other = used('10.1.0.0/26', 'host-2')
    await put({...claimed(other, 'host-2'), [affinityKey('host-1', cidr('10.1.0.0/26'))]: '', [affinityKey('host-1', cidr('10.1.0.64/26'))]: '{"state":"pending","deleted":false}'})
    expect(await releaseAffinities(session, {within: POOL, host: 'host-1'})).toMatchObject({deleted: [], disowned: []})
    expect(values(await ipam())).toEqual(values(new Map(Object.entries(claimed(other, 'host-2')))))
  })

  test('blocks whose affinity key is lost, of a load balancer, and empty ones that nobody keeps', async () => {
    const balanced = {...fresh('10.1.0.64/26', ''), affinity: 'virtual:load-balancer'}
    await put({
      [blockKey(cidr('10.1.0.0/26'))]: encodeBlock(fresh('10.1.0.0/26', 'host-1')),
      [blockKey(cidr('10.1.0.64/26'))]: encodeBlock(balanced),
      [affinityKey('load-balancer', cidr('10.1.0.64/26'), 'virtual')]: CONFIRMED,
      [blockKey(cidr('10.1.0.128/26'))]: encodeBlock({...fresh('10.1.0.128/26', ''), affinity: ''}),
      [blockKey(cidr('10.1.0.192/26'))]: encodeBlock({...fresh('10.1.0.192/26', ''), affinity: null}),
    })
    expect([...(await releaseAffinities(session, {within: POOL})).deleted].sort()).toEqual(['10.1.0.0/26', '10.1.0.128/26', '10.1.0.192/26', '10.1.0.64/26'])
    expect((await ipam()).size).toBe(0)
  })

  test('an empty block of nobody goes with the affinity that a host still has to it; one with addresses stays, and only the affinity goes', async () => {
    await put({
      ...claimed({...fresh('10.1.0.0/26', ''), affinity: null}, 'host-1'),
      ...claimed({...used('10.1.0.64/26', ''), affinity: null}, 'host-1'),
      ...claimed(fresh('10.1.0.128/26', 'host-2'), 'host-1'),
    })
    expect(await releaseAffinities(session, {within: POOL, host: 'host-1'})).toMatchObject({deleted: ['10.1.0.0/26'], disowned: ['10.1.0.64/26']})
    expect([...(await ipam()).keys()].sort()).toEqual(['10.1.0.128/26', '10.1.0.64/26'].map((text) => blockKey(cidr(text))))
  })

  test('not: blocks with addresses that nobody keeps, v0.20\'s among them', async () => {
    await put({
      [blockKey(cidr('10.1.0.0/26'))]: encodeBlock({...used('10.1.0.0/26', ''), affinity: ''}),
      [blockKey(cidr('10.1.0.64/26'))]: encodeBlock({...used('10.1.0.64/26', ''), affinity: null}),
    })
    const {deleted, disowned, left} = await releaseAffinities(session, {within: POOL})
    expect([deleted, disowned, left.size]).toEqual([[], [], 2])
    expect(store.writes).toEqual([])
  })

  test('a value that cannot be read is told and left alone, its affinity too', async () => {
    await put({[blockKey(cidr('10.1.0.0/26'))]: '{"cidr":"10.1.0.0/26"', [affinityKey('host-1', cidr('10.1.0.0/26'))]: CONFIRMED})
    const {left} = await releaseAffinities(session, {within: POOL})
    expect((await ipam()).size).toBe(2)
    expect(left.size).toBe(1)
    expect(warnings.join()).toMatch(/block\/10\.1\.0\.0-26 cannot be read/)
  })

  test('many blocks, in transactions that etcd takes', async () => {
    const blocks = Array.from({length: 150}, (_, index) => claimed(fresh(formatCidr(subnetAt(POOL, 26, index)), 'host-1'), 'host-1'))
    await put(Object.assign({}, ...blocks) as Record<string, string>)
    expect((await releaseAffinities(session, {within: POOL})).deleted).toHaveLength(150)
    expect((await ipam()).size).toBe(0)
    expect(store.writes).toHaveLength(3)
    for (const {if: compares = [], then} of store.writes) expect(Math.max(compares.length, then.length)).toBeLessThanOrEqual(128)
  })

  test('more stale affinities to one block than a transaction takes', async () => {
    const stale = Array.from({length: 260}, (_, index) => [affinityKey(`host-${index}`, cidr('10.1.0.0/26')), CONFIRMED])
    await put({...(Object.fromEntries(stale) as Record<string, string>), ...claimed(fresh('10.1.0.0/26', 'host-7'), 'host-7')})
    expect((await releaseAffinities(session, {within: POOL})).deleted).toEqual(['10.1.0.0/26'])
    expect((await ipam()).size).toBe(0)
  })

  test('in a dry run: nothing, but it says what would be', async () => {
    await put(claimed(fresh('10.1.0.0/26', 'host-1'), 'host-1'))
    const dry = newSession(store, {dryRun: true, warn: () => undefined})
    expect((await releaseAffinities(dry, {within: POOL})).deleted).toEqual(['10.1.0.0/26'])
    expect(store.writes).toEqual([])
  })
})

describe('races', () => {
  test('an address assigned while the block was being deleted keeps its block', async () => {
    await put(claimed(fresh('10.1.0.0/26', 'host-1'), 'host-1'))
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await send({then: [{put: blockKey(cidr('10.1.0.0/26')), value: encodeBlock(used('10.1.0.0/26', 'host-1'))}]})
      return send(transaction)
    }
    expect(await releaseAffinities(session, {within: POOL})).toMatchObject({deleted: [], disowned: ['10.1.0.0/26']})
    expect(parseJson((await ipam()).get(blockKey(cidr('10.1.0.0/26'))) ?? '')).toMatchObject({affinity: null, attributes: [{handle_id: 'h1'}]})
  })

  test('a block that somebody else has disowned meanwhile is not written once more', async () => {
    await put(claimed(used('10.1.0.0/26', 'host-1'), 'host-1'))
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await releaseAffinities(newSession(store, {warn: () => undefined}), {within: POOL})
      return send(transaction)
    }
    expect(await releaseAffinities(session, {within: POOL})).toMatchObject({deleted: [], disowned: []})
    expect(parseJson((await ipam()).get(blockKey(cidr('10.1.0.0/26'))) ?? '')).toMatchObject({sequenceNumber: 1782326400123456790n})
  })

  test('a block that is claimed when only a stale affinity of it was to go keeps it', async () => {
    await put({[affinityKey('host-1', cidr('10.1.0.0/26'))]: CONFIRMED})
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await send({then: [{put: blockKey(cidr('10.1.0.0/26')), value: encodeBlock(used('10.1.0.0/26', 'host-1'))}]})
      return send(transaction)
    }
    // Decided anew, it is a block of the host with an address.
    expect(await releaseAffinities(session, {within: POOL, host: 'host-1'})).toMatchObject({disowned: ['10.1.0.0/26']})
    expect(parseJson((await ipam()).get(blockKey(cidr('10.1.0.0/26'))) ?? '')).toMatchObject({affinity: null})
  })

  test('an affinity whose block appears at the same time is kept with it', async () => {
    const key = affinityKey('host-1', cidr('10.1.0.0/26'))
    await put({[key]: '{"state":"pending","deleted":false}'})
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await send({then: [{put: blockKey(cidr('10.1.0.0/26')), value: encodeBlock(used('10.1.0.0/26', 'host-1'))}]})
      return send(transaction)
    }
    const seen: string[] = []
    const refused = releaseAffinities(session, {within: POOL, check: (block) => {
      seen.push(block.cidr)
      throw new Error('in use')
    }})
    await expect(refused).rejects.toThrow('in use')
    expect(seen).toEqual(['10.1.0.0/26'])
    expect([...(await ipam()).keys()]).toHaveLength(2)
  })
})
