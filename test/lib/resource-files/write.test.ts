/** More objects than fit into one transaction, and what may happen between two. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CLUSTER_KEY} from '../../../src/lib/client/cluster.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {keyOf} from '../../../src/lib/client/resources.js'
import {OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {kindPrefix} from '../../../src/lib/model/keys.js'
import {applyWanted} from '../../../src/lib/resource-files/apply.js'
import {loadObjects} from '../../../src/lib/resource-files/load.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const MANY = 250
const OPTIONS = {verb: 'apply', skipExists: false, atomic: false, progress: () => undefined} as const
const TEXT = Array.from({length: MANY}, (_, at) => `apiVersion: projectcalico.org/v3\nkind: Profile\nmetadata: {name: p${String(at).padStart(3, '0')}}\n`).join('---\n')

let store: FaultyStore
let session: Session
beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
})
afterEach(() => store.close())

async function apply(with_: Session = session, atomic = false): Promise<string[]> {
  const {objects} = await loadObjects({paths: ['-'], stdin: () => Promise.resolve(Buffer.from(TEXT)), recursive: false, skipEmpty: false, namespace: undefined, judge: true, nearest: () => undefined})
  return (await applyWanted(with_, {objects, deletions: []}, {...OPTIONS, atomic})).map(({action}) => action)
}
async function stored(): Promise<number> {
  let count = 0
  for await (const {entries} of store.list(kindPrefix('Profile'), {keysOnly: true})) count += entries.length
  return count
}
const count = (actions: readonly string[], action: string): number => actions.filter((each) => each === action).length

/** Has the second transaction that writes answered by ANSWER. */
function atSecond(answer: FaultyStore['onWrite']): void {
  const usual = store.onWrite
  let number = 0
  store.onWrite = (send, transaction) => (++number === 2 ? answer(send, transaction) : usual(send, transaction))
}
const failure = async (): Promise<CalicoError> => {
  const error: unknown = await apply().catch((thrown: unknown) => thrown)
  if (!(error instanceof CalicoError)) throw new Error('it did not fail', {cause: error})
  return error
}

describe('an apply in several transactions', () => {
  test('the answer to one is lost, and the store tells that it was executed: done', async () => {
    atSecond(async (send, transaction) => {
      await send(transaction)
      throw new OutcomeUnknownError('no answer')
    })
    expect(count(await apply(), 'created')).toBe(MANY)
    expect(store.writes).toHaveLength(3)
  })
  test('the answer to one is lost and nobody can tell: 9, how many were written for sure, and which may not have been', async () => {
    atSecond(async (send, transaction) => {
      await send(transaction)
      store.onHistory = () => Promise.reject(new CalicoError('unreachable', 'no answer'))
      throw new OutcomeUnknownError('no answer')
    })
    const error = await failure()
    expect(error).toMatchObject({kind: 'unknown', exitCode: 9, message: expect.stringMatching(/^100 of 250 objects were written; it is not known whether 100 more were: .*may or may not have been made$/) as unknown, details: ['no answer', 'Check the object before you run the command again.', expect.stringMatching(/^Written or not: profile\/p100, .* and 90 more$/) as unknown, 'Not tried: 50 objects']})
    expect(await stored()).toBe(200)
  })
  test('the store is locked between two: 9, what was written stays, the same again writes the rest after the lock', async () => {
    let information = ''
    atSecond(async (send, transaction) => {
      information = (await store.get(CLUSTER_KEY)).kv?.value ?? ''
      await send({then: [{put: CLUSTER_KEY, value: information.replace('"datastoreReady":true', '"datastoreReady":false')}]})
      return send(transaction)
    })
    const error = await failure()
    expect(error).toMatchObject({exitCode: 9, message: expect.stringMatching(/^100 of 250 objects were written, but the others were not: The datastore is locked/) as unknown, details: [expect.stringContaining('calicoctl datastore unlock'), expect.stringMatching(/^Not written: profile\/p100, .* and 140 more$/)] as unknown})
    expect(await stored()).toBe(100)
    await store.transact({then: [{put: CLUSTER_KEY, value: information}]})
    const again = await apply(newSession(store, {warn: () => undefined}))
    expect({created: count(again, 'created'), unchanged: count(again, 'unchanged')}).toEqual({created: 150, unchanged: 100})
  })
  test('somebody creates one of them otherwise between two: it becomes what the file says, as apply does', async () => {
    atSecond(async (send, transaction) => {
      await send({then: [{put: `${kindPrefix('Profile')}p150`, value: '{"kind":"Profile","apiVersion":"projectcalico.org/v3","metadata":{"name":"p150","uid":"u"},"spec":{"labelsToApply":{"a":"b"}}}'}]})
      return send(transaction)
    })
    const actions = await apply()
    expect({created: count(actions, 'created'), updated: count(actions, 'updated')}).toEqual({created: 249, updated: 1})
    expect((await store.get(`${kindPrefix('Profile')}p150`)).kv?.value).not.toContain('labelsToApply')
  })
  test('what others need is written first, whatever the order of the files; else in their order', async () => {
    const HEAD = 'apiVersion: projectcalico.org/v3\n'
    const policies = Array.from({length: 110}, (_, at) => `${HEAD}kind: GlobalNetworkPolicy\nmetadata: {name: sec.p${String(110 - at).padStart(3, '0')}}\nspec: {tier: sec, selector: all()}\n`)
    const text = [...policies, `${HEAD}kind: Profile\nmetadata: {name: web}\n`, `${HEAD}kind: Tier\nmetadata: {name: sec}\nspec: {order: 5}\n`].join('---\n')
    const {objects} = await loadObjects({paths: ['-'], stdin: () => Promise.resolve(Buffer.from(text)), recursive: false, skipEmpty: false, namespace: undefined, judge: true, nearest: () => undefined})
    await applyWanted(session, {objects, deletions: []}, OPTIONS)
    const written = store.writes.map(({then}) => then.flatMap((operation) => ('put' in operation ? (operation.put.split('/').at(-1) ?? []) : [])).filter((name) => /^(sec|web)/.test(name)))
    const names = policies.map((_, at) => `sec.p${String(110 - at).padStart(3, '0')}`)
    expect(written).toEqual([['sec', 'web', ...names.slice(0, 98)], names.slice(98)])
  })
  test('a pool that somebody makes meanwhile is nothing to who makes none', async () => {
    const {objects} = await loadObjects({paths: ['-'], stdin: () => Promise.resolve(Buffer.from('apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: sec}\nspec: {order: 5}\n---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: sec.p}\nspec: {tier: sec, selector: all()}\n')), recursive: false, skipEmpty: false, namespace: undefined, judge: true, nearest: () => undefined})
    await apply()
    store.writes.length = 0
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await send({then: [{put: `${kindPrefix('IPPool')}p`, value: '{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"p"},"spec":{"cidr":"10.0.0.0/16"}}'}]})
      return send(transaction)
    }
    expect((await applyWanted(session, {objects, deletions: []}, OPTIONS)).map(({action}) => action)).toEqual(['created', 'created'])
    expect(store.writes).toHaveLength(1)
  })
  test.each([
    ['BGPFilter', 'drop', '{"importV4": [{"action": "Reject"}]}', 'kind: BGPPeer\nmetadata: {name: p}\nspec: {peerIP: 192.0.2.7, asNumber: 64512, filters: [drop]}\n', 'spec.filters[0]'],
    ['Tier', 'sec', '{"order": 5}', 'kind: GlobalNetworkPolicy\nmetadata: {name: sec.p}\nspec: {tier: sec, selector: all()}\n', 'spec.tier'],
  ] as const)('a %s that is named and deleted meanwhile: nothing is written', async (kind, name, spec, text, field) => {
    await apply()
    const key = `${kindPrefix(kind)}${name}`
    await store.transact({then: [{put: key, value: `{"kind":"${kind}","apiVersion":"projectcalico.org/v3","metadata":{"name":"${name}"},"spec":${spec}}`}]})
    const {objects} = await loadObjects({paths: ['-'], stdin: () => Promise.resolve(Buffer.from(`apiVersion: projectcalico.org/v3\n${text}`)), recursive: false, skipEmpty: false, namespace: undefined, judge: true, nearest: () => undefined})
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await send({then: [{delete: key}]})
      return send(transaction)
    }
    const write = (): Promise<unknown> => applyWanted(session, {objects, deletions: []}, OPTIONS)
    await expect(write()).rejects.toMatchObject({details: [expect.stringContaining(field)] as unknown})
    expect(objects[0] && (await store.get(keyOf(objects[0].place))).kv).toBeUndefined()
    await store.transact({then: [{put: key, value: `{"kind":"${kind}","apiVersion":"projectcalico.org/v3","metadata":{"name":"${name}"},"spec":${spec}}`}]})
    await write()
  })
  test('a pool that cannot be read is in nobody\'s way', async () => {
    await apply()
    await store.transact({then: [{put: `${kindPrefix('IPPool')}torn`, value: '{'}]})
    const {objects} = await loadObjects({paths: ['-'], stdin: () => Promise.resolve(Buffer.from('apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: p}\nspec: {cidr: 10.0.0.0/16}\n')), recursive: false, skipEmpty: false, namespace: undefined, judge: true, nearest: () => undefined})
    expect((await applyWanted(session, {objects, deletions: []}, OPTIONS)).map(({action}) => action)).toEqual(['created'])
  })
  test('one that must be atomic is not begun', async () => {
    await expect(apply(session, true)).rejects.toMatchObject({kind: 'refused'})
    expect(await stored()).toBe(0)
  })
  test('interrupted, it says what was made and what remains', async () => {
    let told: string | undefined
    atSecond((send, transaction) => {
      told = session.writes.remaining
      return send(transaction)
    })
    await apply()
    expect(told).toBe('150 of 250 objects have not been written yet. To write them, run the same command again')
    expect(session.writes.remaining).toBeUndefined()
  })
})
