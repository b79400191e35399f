/** Taking a change back where others rest on what it made. */
import {afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CLUSTER_KEY, LockedError} from '../../../src/lib/client/cluster.js'
import {newSession} from '../../../src/lib/client/session.js'
import {CompactedError, TooLargeError} from '../../../src/lib/datastore/errors.js'
import {CalicoError} from '../../../src/lib/errors.js'
import type {Entry, KeyChange, Part} from '../../../src/lib/journal/read.js'
import {lateParts, lookAt, onlyParts, portionsOf, standOf, undo} from '../../../src/lib/journal/undo.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {loadCommands, type RunOn} from '../../support/in-process.js'

let run: RunOn
let store: FaultyStore
beforeAll(async () => {
  run = await loadCommands('apply', 'profile:tag', 'delete', 'ipam:assign', 'ipam:release', 'ipam:split', 'pool:add', 'pool:move', 'pool:remove', 'profile:add', 'profile:remove')
})
beforeEach(async () => {
  store = await faultyStore()
})
afterEach(() => store.close())

async function all(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for await (const {entries} of store.list('/calico/')) for (const {key, value} of entries) found.set(key, value)
  return found
}
async function ok(line: string, stdin = ''): Promise<void> {
  expect(await run(store, line.split(' '), {stdin})).toMatchObject({code: 0, stderr: expect.not.stringContaining('Error') as unknown})
}
/** What LINES change, each with its standard input, as one entry of the journal. */
async function entryOf(...lines: readonly Line[]): Promise<Entry> {
  const before = await all()
  for (const line of lines) await (typeof line === 'string' ? ok(line) : ok(...line))
  const after = await all()
  const keys = [...new Set([...before.keys(), ...after.keys()])]
  const changes = keys.map((key): KeyChange => ({key, before: before.get(key), after: after.get(key)})).filter((change) => change.before !== change.after)
  const {spec} = JSON.parse(after.get(CLUSTER_KEY) ?? '{}') as {spec: {clusterGUID: string}}
  return {id: 'abc', time: '', user: '', sudoUser: undefined, host: '', command: 'apply', words: ['apply', '-f', '-'], parts: [{of: [], unknown: false, cluster: spec.clusterGUID, revision: '1', changes}], exitCode: 0, confirmation: undefined}
}
type Line = string | readonly [string, string]
const pools = async (): Promise<readonly string[]> => [...(await all()).keys()].filter((key) => key.includes('/ippools/')).map((key) => key.split('/').at(-1) ?? '')
const session = () => newSession(store, {warn: () => undefined})

test('the split of a pool whose addresses are in use is taken back: the pool of before holds them again', async () => {
  await ok('pool add 10.9.0.0/24')
  await ok('ipam assign 10.9.0.5')
  const entry = await entryOf('ipam split 4 --cidr 10.9.0.0/24')
  expect(await pools()).toHaveLength(4)
  await undo(session(), entry)
  expect(await pools()).toEqual(['10-9-0-0-24'])
})
test('a pool that nothing of before stands in for is kept while its addresses are in use', async () => {
  await ok('pool add 10.9.0.0/24')
  const entry = await entryOf('pool move 10.9.0.0/24 10.10.0.0/24')
  await ok('ipam assign 10.10.0.5')
  await expect(undo(session(), entry)).rejects.toMatchObject({kind: 'refused', details: [expect.stringContaining('10.10.0.5')]})
  await ok('ipam release 10.10.0.5')
  await undo(session(), entry)
  expect(await pools()).toEqual(['10-9-0-0-24'])
})

const object = (kind: string, name: string, spec: object): string => JSON.stringify({apiVersion: 'projectcalico.org/v3', kind, metadata: {name, ...(kind === 'NetworkPolicy' ? {namespace: 'n'} : {})}, spec})
const apply = (...args: Parameters<typeof object>): Line => ['apply -f -', object(...args)]
const remove = (...args: Parameters<typeof object>): Line => ['delete -f -', object(...args)]
const TIER = ['Tier', 'net', {order: 5}] as const
const FILTER = ['BGPFilter', 'no', {importV4: [{action: 'Reject'}]}] as const
const NODE = ['Node', 'h1', {bgp: {ipv4Address: '192.0.2.1/24'}}] as const
const ENDPOINT = ['HostEndpoint', 'h1-eth0', {node: 'h1', interfaceName: 'eth0', profiles: ['web']}] as const
const WORKLOAD = ['WorkloadEndpoint', 'h1-docker-w-eth0', {node: 'h1', orchestrator: 'docker', workload: 'w', endpoint: 'eth0', interfaceName: 'cali1', mac: '02:00:00:00:00:01', profiles: ['web'], ipNetworks: ['10.9.0.5/32']}] as const
const peer = (filters: readonly string[]): Line => apply('BGPPeer', 'p', {peerIP: '192.0.2.7', asNumber: 64512, filters})
const moved = (tier: string): Line => apply('GlobalNetworkPolicy', 'allow', {tier, selector: 'all()', types: ['Ingress']})
const policy = (kind: string, tier?: string): Line => apply(kind, `${tier ?? 'default'}.allow`, {...(tier === undefined ? {} : {tier}), selector: 'all()', types: ['Ingress'], ingress: [{action: 'Allow'}]})

/** What undo would leave, and no command would: the entry that is taken back, what is done BEFORE and AFTER it, and what is told. */
const REFUSED: readonly {readonly name: string; readonly before?: readonly Line[]; readonly entry: readonly Line[]; readonly after: readonly Line[]; readonly told: string; readonly mend?: readonly Line[]}[] = [
  {name: 'a profile that a host endpoint uses', entry: ['profile add web'], after: [apply(...ENDPOINT)], told: 'profile/web is used by host endpoint h1-eth0', mend: [remove(...ENDPOINT)]},
  {name: 'a profile that an endpoint uses', entry: ['profile add web'], after: [apply(...WORKLOAD)], told: 'profile/web is used by endpoint h1-docker-w-eth0', mend: [remove(...WORKLOAD)]},
  ...['GlobalNetworkPolicy', 'NetworkPolicy', 'StagedGlobalNetworkPolicy', 'StagedNetworkPolicy'].map((kind) => ({
    name: `a tier that a ${kind} is in`, entry: [apply(...TIER)], after: [policy(kind, 'net')], told: `tier/net is used by ${kind.toLowerCase()} net.allow`,
    mend: [remove(kind, 'net.allow', {tier: 'net', selector: 'all()'})],
  })),
  {name: 'a filter that a peer names', entry: [apply(...FILTER)], after: [peer(['no'])], told: 'bgpfilter/no is used by bgppeer p', mend: [peer([])]},
  {name: 'a node that has an endpoint', entry: [apply(...NODE)], after: [apply(...WORKLOAD)], told: 'node/h1 is used by endpoint h1-docker-w-eth0', mend: [remove(...WORKLOAD)]},
  {name: 'a pool whose addresses are in use', entry: ['pool add 10.9.0.0/24'], after: ['ipam assign 10.9.0.5'], told: '10.9.0.5: ', mend: ['ipam release 10.9.0.5']},
  {name: 'a policy goes back to a tier that is gone', before: [apply(...TIER), policy('GlobalNetworkPolicy', 'net')], entry: [remove('GlobalNetworkPolicy', 'net.allow', {tier: 'net', selector: 'all()'})], after: [remove(...TIER)], told: 'refers to tier/net', mend: [apply(...TIER)]},
  {name: 'a policy is moved back to a tier that is gone', before: [apply(...TIER), moved('net')], entry: [moved('default')], after: [remove(...TIER)], told: 'globalnetworkpolicy/allow refers to tier/net', mend: [apply(...TIER)]},
  {name: 'a peer gets back a filter that is gone', before: [apply(...FILTER), peer(['no'])], entry: [peer([])], after: [remove(...FILTER)], told: 'bgppeer/p refers to bgpfilter/no', mend: [apply(...FILTER)]},
  {name: 'an endpoint gets back a profile that is gone', before: ['profile add web', apply(...ENDPOINT)], entry: [apply(ENDPOINT[0], ENDPOINT[1], {...ENDPOINT[2], profiles: []})], after: ['profile remove web'], told: 'hostendpoint/h1-eth0 refers to profile/web', mend: ['profile add web']},
  {name: 'a pool comes back over another one', before: ['pool add 10.9.0.0/24'], entry: ['pool remove 10.9.0.0/24'], after: ['pool add 10.9.0.0/16'], told: 'ippool/10.9.0.0/24 overlaps the pool 10-9-0-0-16 (10.9.0.0/16)', mend: ['pool remove 10.9.0.0/16']},
  {name: 'a pool comes back over blocks of another size', before: ['pool add 10.9.0.0/24'], entry: ['pool remove 10.9.0.0/24', 'pool add 10.9.0.0/24 --block-size 28'], after: ['ipam assign 10.9.0.5', 'ipam release 10.9.0.5'], told: 'ippool/10.9.0.0/24 differs from the size of the existing block 10.9.0.0/28'},
  {name: 'addresses were assigned in blocks of another size', before: ['pool add 10.9.0.0/24'], entry: ['pool remove 10.9.0.0/24', 'pool add 10.9.0.0/24 --block-size 28'], after: ['ipam assign 10.9.0.5'], told: '10.9.0.5: '},
]
describe('what no command would do is refused, and done as soon as nothing is in its way', () => {
  test.each(REFUSED)('$name', async ({before = [], entry: lines, after, told, mend}) => {
    await ok('profile add other')
    for (const line of before) await entryOf(line)
    const start = await all()
    const entry = await entryOf(...lines)
    for (const line of after) await entryOf(line)
    const now = await all()
    await expect(undo(session(), entry)).rejects.toMatchObject({kind: 'refused', details: [expect.stringContaining(told)]})
    expect(await all()).toEqual(now)
    if (mend === undefined) return
    for (const line of mend) await entryOf(line)
    await undo(session(), entry)
    const kept = await all()
    for (const {key} of entry.parts[0]?.changes ?? []) expect([key, kept.get(key)]).toEqual([key, start.get(key)])
  })
})
test('a node with a block of addresses is kept: undo does not give addresses back', async () => {
  await ok('pool add 10.9.0.0/24')
  const entry = await entryOf(apply(...NODE))
  const key = '/calico/ipam/v2/host/h1/ipv4/block/10.9.0.0-26'
  await store.transact({then: [{put: key, value: '{"state":"confirmed"}'}]})
  await expect(undo(session(), entry)).rejects.toMatchObject({kind: 'refused', details: ['node/h1 has a block of addresses'], hint: 'Remove it with its addresses: calicoctl node remove --hostname=h1'})
  await store.transact({then: [{delete: key}]})
  await undo(session(), entry)
  expect([...(await all()).keys()].some((each) => each.endsWith('/nodes/h1'))).toBe(false)
})
test('what refers to each other comes back and goes together, and to built-in tiers and profiles anything may refer', async () => {
  await ok('profile add other')
  const before = await all()
  const made = await entryOf('profile add web', apply(...ENDPOINT), apply(...TIER), policy('GlobalNetworkPolicy', 'net'), apply(...FILTER), peer(['no']), apply(...NODE), apply(...WORKLOAD))
  const there = await all()
  await undo(session(), made)
  expect(await all()).toEqual(before)
  const [part] = made.parts
  await undo(session(), {...made, parts: [{...part, changes: part?.changes.map(({key, before: old, after}) => ({key, before: after, after: old}))} as Entry['parts'][number]]})
  expect(await all()).toEqual(there)
  const gone = await entryOf(remove(...WORKLOAD), apply(ENDPOINT[0], ENDPOINT[1], {...ENDPOINT[2], profiles: ['projectcalico-default-allow']}))
  const plain = await entryOf(policy('GlobalNetworkPolicy'))
  await undo(session(), plain)
  await undo(session(), gone)
})
test('what is made use of between the look and the write is seen', async () => {
  const entry = await entryOf(apply(...TIER))
  let tries = 0
  store.onWrite = async (send, transaction) => {
    if (tries++ === 0) {
      store.onWrite = (again, sent) => again(sent)
      await entryOf(policy('GlobalNetworkPolicy', 'net'))
    }
    return send(transaction)
  }
  await expect(undo(session(), entry)).rejects.toMatchObject({kind: 'refused', details: ['tier/net is used by globalnetworkpolicy net.allow']})
})

test('a locked datastore refuses it, and says whether the change stands', async () => {
  const entry = await entryOf('profile add web')
  const information = (await all()).get(CLUSTER_KEY) ?? ''
  await store.transact({then: [{put: CLUSTER_KEY, value: information.replace('"datastoreReady":true', '"datastoreReady":false')}]})
  await expect(undo(session(), entry)).rejects.toBeInstanceOf(LockedError)
  expect(await standOf(session(), entry)).toBe('made')
})

test('how it stands with a change: made, as long as one of its objects is as it left it; undone; changed since', async () => {
  await ok('profile add other')
  const entry = await entryOf('profile add a', 'profile add b')
  const stand = (): Promise<string> => standOf(session(), entry)
  expect(await stand()).toBe('made')
  await ok('profile a tag add t')
  expect(await stand()).toBe('made')
  await ok('profile b tag add t')
  expect(await stand()).toBe('changed')
  await ok('profile remove a')
  expect(await stand()).toBe('undone')
  const [part] = entry.parts
  const halves = part?.changes.map((change, at): Part => ({...part, unknown: at === 1, changes: [change]})) ?? []
  expect(await standOf(session(), {...entry, parts: halves})).toBe('undone')
  await expect(standOf(session(), {...entry, parts: halves.map((half) => ({...half, cluster: 'other'}))})).rejects.toMatchObject({kind: 'wrong-datastore'})
})
test('what was reverted already is skipped, and the remaining objects are reverted; at last there is nothing to undo', async () => {
  await ok('profile add other')
  const start = await all()
  const entry = await entryOf('profile add a', 'profile add b')
  await ok('profile remove a')
  const {changes} = await undo(session(), entry)
  expect(changes.map(({key}) => key.split('/').at(-1))).toEqual(['b'])
  expect(await all()).toEqual(start)
  await expect(undo(session(), entry)).rejects.toMatchObject({kind: 'not-found', message: expect.stringContaining('all objects have their previous values') as unknown})
})
test('what was reverted already does not matter to what was changed since: that is refused, and named alone', async () => {
  await ok('profile add other')
  const entry = await entryOf('profile add a', 'profile add b', 'profile add c')
  await ok('profile remove a')
  await ok('profile b tag add t')
  const now = await all()
  await expect(undo(session(), entry)).rejects.toMatchObject({kind: 'conflict', message: expect.stringMatching(/^profile\/b changed since /) as unknown})
  expect(await all()).toEqual(now)
})
describe('a part that was sent and not executed may be executed late', () => {
  /** A change of two parts: `a` was made; the other, which makes `b`, was sent at the present revision. */
  async function sent(): Promise<{entry: Entry; key: string; value: string}> {
    await ok('profile add other')
    const [made] = (await entryOf('profile add a')).parts
    const [{key, after: value = ''} = {key: ''}] = made?.changes ?? []
    const {revision} = await store.get(key)
    const entry = await entryOf()
    const other = {key: key.replace(/a$/, 'b'), before: undefined, after: value.replaceAll('"a"', '"b"')}
    return {entry: {...entry, parts: [made, {...made, unknown: true, revision: revision.toString(), changes: [other]}] as Part[]}, key: other.key, value: other.after}
  }
  const names = async (): Promise<string> => [...(await all()).keys()].flatMap((key) => (key.includes('/profiles/') ? key.split('/').at(-1) ?? '' : [])).join(' ')

  test('until it arrives, and not after its rollback; what others made again meanwhile is kept', async () => {
    const {entry, key, value} = await sent()
    expect(await lookAt(session(), entry)).toEqual({stand: 'made', late: [1]})
    await undo(session(), entry)
    expect(await lookAt(session(), entry, [1])).toEqual({stand: 'unmade', late: [1]})
    await store.transact({then: [{put: key, value}, {put: entry.parts[0]?.changes[0]?.key ?? '', value: entry.parts[0]?.changes[0]?.after ?? ''}]})
    expect(await names()).toContain('a b other')
    expect(await lookAt(session(), entry, [1])).toEqual({stand: 'made', late: []})
    await undo(session(), onlyParts(entry, [1]))
    expect(await names()).toContain('a other')
    expect(await lookAt(session(), entry, [1])).toEqual({stand: 'unmade', late: []})
    expect(await lateParts(session(), entry)).toEqual([])
  })
  test('arrived after the rest was reverted, it is undone with the same command', async () => {
    const {entry, key, value} = await sent()
    await undo(session(), entry)
    await store.transact({then: [{put: key, value}]})
    expect((await undo(session(), entry)).changes.map((change) => change.key)).toEqual([key])
    expect(await names()).not.toContain('b ')
  })
  test('a store that has forgotten what was executed: it may be; other errors are reported', async () => {
    const {entry} = await sent()
    store.history = () => Promise.reject(new CompactedError(9n))
    expect(await lateParts(session(), entry)).toEqual([1])
    store.history = () => Promise.reject(new CalicoError('unreachable', 'away'))
    await expect(lateParts(session(), entry)).rejects.toMatchObject({kind: 'unreachable'})
  })
})
test('a value that an earlier part of the change made stands for it, too: the last part need not have arrived', async () => {
  await ok('profile add other')
  const first = await entryOf('profile add a')
  const value = first.parts[0]?.changes[0]?.after
  const key = first.parts[0]?.changes[0]?.key ?? ''
  const second = {of: [], unknown: true, cluster: first.parts[0]?.cluster, revision: '1', changes: [{key, before: value, after: 'another'}]}
  expect(await standOf(session(), {...first, parts: [...first.parts, second]})).toBe('made')
})

describe('a change that does not fit into one transaction', () => {
  const NAMES = Array.from({length: 130}, (_, at) => `p${at}`)
  const many = (label: string): Line => ['apply -f -', JSON.stringify(NAMES.map((name) => JSON.parse(object('Profile', name, {labelsToApply: {[label]: ''}})) as unknown))]
  /** As an etcd has it; the write number FAILS is refused with another error. */
  const limit = (fails?: number): void => {
    let writes = 0
    store.onWrite = (send, transaction) => {
      if (transaction.then.length > 128) throw new TooLargeError('too many operations')
      if (++writes === fails) throw new CalicoError('unreachable', 'the store is away')
      return send(transaction)
    }
  }
  const counted: string[] = []
  const progress = (text: string): void => void counted.push(text)
  beforeEach(() => void counted.splice(0))

  test('is reverted in several, and its undo again', async () => {
    await ok('profile add other')
    const start = await all()
    const made = await entryOf(many('a'))
    const there = await all()
    limit()
    expect((await undo(session(), made, progress)).changes).toHaveLength(130)
    expect(counted).toEqual(['130 objects are reverted in 2 transactions.'])
    expect(await all()).toEqual(start)
    const back: Entry = {...made, parts: made.parts.map((part) => ({...part, changes: part.changes.map(({key, before, after}) => ({key, before: after, after: before}))}))}
    await undo(session(), back)
    expect(await all()).toEqual(there)
    await expect(undo(session(), back)).rejects.toMatchObject({kind: 'not-found', message: expect.stringContaining('all objects have their previous values') as unknown})
  })
  test('and is interrupted: the change still stands, and the same undo reverts the rest', async () => {
    await ok('profile add other')
    const start = await all()
    const entry = await entryOf(many('a'))
    limit(2)
    await expect(undo(session(), entry)).rejects.toMatchObject({kind: 'unknown', message: expect.stringMatching(/^100 of 130 objects were reverted, but the others were not: /) as unknown, hint: 'To revert the rest: calicoctl undo abc'})
    expect((await all()).size).toBe(start.size + 30)
    expect(await standOf(session(), entry)).toBe('made')
    expect((await undo(session(), entry, progress)).changes).toHaveLength(30)
    expect(counted).toEqual([])
    expect(await all()).toEqual(start)
  })
  test('is kept as a whole if one object was changed since', async () => {
    await ok('profile add other')
    const entry = await entryOf(many('a'))
    await ok('profile p129 tag add t')
    const now = await all()
    limit()
    await expect(undo(session(), entry)).rejects.toMatchObject({kind: 'conflict', message: expect.stringMatching(/^profile\/p129 changed since /) as unknown})
    expect(await all()).toEqual(now)
  })
  test('what is needed comes back first, and goes last', () => {
    const change = (kind: string, before?: string, after?: string): KeyChange => ({key: `/calico/resources/v3/projectcalico.org/${kind}/x`, before, after})
    const ordered = portionsOf([change('tiers', undefined, 'a'), change('profiles', undefined, 'a'), change('workloadendpoints', undefined, 'a'), change('hostendpoints', 'b', 'a'), change('workloadendpoints', 'b'), change('profiles', 'b'), change('ippools', undefined, 'a'), change('tiers', 'b')])
    expect(ordered.flat().map(({key, before, after}) => `${key.split('/').at(-2) ?? ''}${before ?? ''}${after ?? ''}`)).toEqual(['ippoolsa', 'tiersb', 'profilesb', 'workloadendpointsb', 'hostendpointsba', 'workloadendpointsa', 'profilesa', 'tiersa'])
  })
})
