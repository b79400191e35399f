import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CLUSTER_KEY} from '../../../src/lib/client/cluster.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {kindPrefix, resourceKey} from '../../../src/lib/model/keys.js'
import {applyWanted} from '../../../src/lib/resource-files/apply.js'
import {loadObjects} from '../../../src/lib/resource-files/load.js'
import {applyPlan, makePlan, type Plan, planText, readPlan} from '../../../src/lib/resource-files/plan.js'
import {inSet, leftOver} from '../../../src/lib/resource-files/sets.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {onBothStores} from '../../support/stores.js'

const HEAD = 'apiVersion: projectcalico.org/v3\n'
const profile = (name: string, action = 'Allow'): string => `${HEAD}kind: Profile\nmetadata: {name: ${name}}\nspec: {ingress: [{action: ${action}}]}\n`
const TIER = `${HEAD}kind: Tier\nmetadata: {name: sec}\nspec: {order: 5}\n`
const POLICY = `${HEAD}kind: GlobalNetworkPolicy\nmetadata: {name: sec.p}\nspec: {tier: sec, selector: all()}\n`
const POOL = `${HEAD}kind: IPPool\nmetadata: {name: p}\nspec: {cidr: 10.0.0.0/16}\n`
const PROFILES = kindPrefix('Profile')
const OPTIONS = {verb: 'apply', skipExists: false, atomic: true, progress: () => undefined} as const

const objectsIn = async (...documents: string[]) =>
  (await loadObjects({paths: ['-'], stdin: () => Promise.resolve(Buffer.from(documents.join('---\n'))), recursive: false, skipEmpty: true, namespace: undefined, judge: true, nearest: () => undefined})).objects
const sessionOn = (store: Datastore, dryRun = false): Session => newSession(store, {dryRun, warn: () => undefined})
const apply = async (store: Datastore, ...documents: string[]): Promise<unknown> => applyWanted(sessionOn(store), {objects: await objectsIn(...documents), deletions: []}, OPTIONS)
async function plan(store: Datastore, documents: readonly string[], {set, prune = false}: {set?: string; prune?: boolean} = {}): Promise<Plan> {
  const objects = await objectsIn(...documents)
  const session = sessionOn(store, true)
  return (await makePlan(session, {objects: inSet(objects, set), deletions: set !== undefined && prune ? await leftOver(session, set, objects) : []}, OPTIONS)).plan
}
/** As a file has it. */
const saved = (made: Plan): Plan => readPlan(planText(made), 'c.plan')
const applied = async (store: Datastore, made: Plan): Promise<string[]> => (await applyPlan(sessionOn(store), saved(made), 'c.plan')).map(({kind, name, action}) => `${kind}/${name} ${action}`)
async function everything(store: Datastore): Promise<Record<string, string>> {
  const all: Record<string, string> = {}
  for await (const {entries} of store.list('/')) for (const {key, value} of entries) all[key] = value
  return all
}

onBothStores((stores) => {
  let store: Datastore
  beforeEach(async () => {
    store = await stores.empty()
  })

  test('a plan writes nothing; applied, it makes what it has, byte for byte, and once', async () => {
    await apply(store, profile('web'))
    const before = await everything(store)
    const made = await plan(store, [profile('web', 'Deny'), profile('db'), TIER, POLICY])
    expect(await everything(store)).toEqual(before)
    expect(await applied(store, made)).toEqual(['GlobalNetworkPolicy/sec.p created', 'Profile/db created', 'Profile/web updated', 'Tier/sec created'])
    const after = await everything(store)
    for (const {key, after: value} of made.writes) expect(after[key]).toBe(value)
    const {kv} = await store.get(`${PROFILES}web`)
    expect(await applied(store, made)).toEqual(['GlobalNetworkPolicy/sec.p unchanged', 'Profile/db unchanged', 'Profile/web unchanged', 'Tier/sec unchanged'])
    expect((await store.get(`${PROFILES}web`)).kv).toEqual(kv)
  })
  test('an empty datastore is initialised with the GUID that the plan names, and only if it is still empty', async () => {
    const [first, second] = [await plan(store, [profile('web')]), await plan(store, [profile('web')])]
    // What makes the store Calico's is not among what is reported.
    expect(await applied(store, first)).toEqual(['Profile/web created'])
    expect(JSON.parse((await everything(store))[CLUSTER_KEY] ?? '')).toMatchObject({spec: {clusterGUID: first.clusterGUID}})
    expect(await applied(store, first)).toEqual(['Profile/web unchanged'])
    await expect(applyPlan(sessionOn(store), saved(second), 'c.plan')).rejects.toMatchObject({kind: 'wrong-datastore'})
  })
  test.each([
    ['an object that it changes was changed', async () => store.transact({then: [{put: `${PROFILES}web`, value: '{}'}]}), /^profile\/web: changed since$/],
    ['an object that it changes was deleted', async () => store.transact({then: [{delete: `${PROFILES}web`}]}), /^profile\/web: deleted since$/],
    ['an object that it creates is there', async () => apply(store, profile('new', 'Log')), /^profile\/new: created since$/],
    ['an object that it takes for right was changed', async () => apply(store, profile('same', 'Log')), /^profile\/same: changed since$/],
    ['what an object needs is gone', async () => store.transact({then: [{delete: resourceKey('Tier', 'base')}]}), /^tier\/base: deleted since$/],
    ['a pool was added beside the pool that it adds', async () => apply(store, POOL.replace('name: p', 'name: q').replace('10.0', '10.1')), /^ippool\/q: created or changed since$/],
  ])('%s: 5, naming it, and nothing is written', async (_, change, named) => {
    const base = TIER.replace('sec', 'base')
    await apply(store, profile('web'), profile('same'), base)
    const made = await plan(store, [profile('web', 'Deny'), profile('new'), profile('same'), POLICY.replaceAll('sec', 'base'), POOL])
    await change()
    const before = await everything(store)
    await expect(applyPlan(sessionOn(store), saved(made), 'c.plan')).rejects.toMatchObject({kind: 'conflict', details: [expect.stringMatching(named)] as unknown})
    expect(await everything(store)).toEqual(before)
  })
  test('a key that must not be there is named as created when it is there', async () => {
    await apply(store, profile('first'))
    const made: Plan = {...(await plan(store, [profile('web')])), guards: [{key: `${PROFILES}other`, version: 0n}]}
    await store.transact({then: [{put: `${PROFILES}other`, value: '{}'}]})
    const before = await everything(store)
    await expect(applyPlan(sessionOn(store), saved(made), 'c.plan')).rejects.toMatchObject({kind: 'conflict', details: ['profile/other: created since']})
    expect(await everything(store)).toEqual(before)
    await store.transact({then: [{delete: `${PROFILES}other`}]})
    expect(await applied(store, made)).toEqual(['Profile/web created'])
  })
  test('the information about the cluster changes, and its GUID does not: the plan is applied', async () => {
    await apply(store, profile('first'))
    const made = await plan(store, [profile('web')])
    const information = (await store.get(CLUSTER_KEY)).kv?.value ?? ''
    // As `datastore lock` and `unlock` do, or a calico/node of another version.
    await store.transact({then: [{put: CLUSTER_KEY, value: information.replace('"spec":{', '"spec":{"calicoVersion":"v3.33.0",')}]})
    expect(await applied(store, made)).toEqual(['Profile/web created'])
    expect((await store.get(CLUSTER_KEY)).kv?.value).toContain('v3.33.0')
  })
  test('applied again after an object that it leaves as it is was deleted: 5, and nothing is reported as unchanged', async () => {
    await apply(store, profile('web'), profile('db'))
    const made = await plan(store, [profile('web'), profile('db', 'Deny')])
    await applied(store, made)
    expect(await applied(store, made)).toEqual(['Profile/db unchanged', 'Profile/web unchanged'])
    await store.transact({then: [{delete: `${PROFILES}web`}]})
    await expect(applyPlan(sessionOn(store), saved(made), 'c.plan')).rejects.toMatchObject({kind: 'conflict', details: ['profile/web: deleted since']})
  })
  test('a plan without changes: nothing to do, until something moves', async () => {
    await apply(store, profile('web'))
    const made = await plan(store, [profile('web')])
    expect(made.writes).toEqual([])
    expect(await applied(store, made)).toEqual(['Profile/web unchanged'])
    await apply(store, profile('web', 'Deny'))
    await expect(applyPlan(sessionOn(store), saved(made), 'c.plan')).rejects.toMatchObject({kind: 'conflict'})
  })
  test('with a set and --prune: what the set had beyond the files goes, nothing else', async () => {
    await applyWanted(sessionOn(store), {objects: inSet(await objectsIn(profile('a'), profile('b'), TIER, POOL), 's'), deletions: []}, OPTIONS)
    await apply(store, profile('none'))
    await applyWanted(sessionOn(store), {objects: inSet(await objectsIn(profile('other')), 's2'), deletions: []}, OPTIONS)
    const made = await plan(store, [profile('a')], {set: 's', prune: true})
    expect(await applied(store, made)).toEqual(['IPPool/p deleted', 'Profile/b deleted', 'Tier/sec deleted', 'Profile/a unchanged'])
    expect(Object.keys(await everything(store)).filter((key) => key.startsWith(PROFILES))).toEqual(['a', 'none', 'other'].map((name) => PROFILES + name))
  })
  test('a plan that does not fit into one transaction: refused with the numbers, nothing written', async () => {
    await apply(store, profile('web'))
    const made = await plan(store, Array.from({length: 200}, (_, at) => profile(`p${at}`)))
    const before = await everything(store)
    await expect(applyPlan(sessionOn(store), saved(made), 'c.plan')).rejects.toMatchObject({kind: 'refused', details: [expect.stringContaining('200 keys'), expect.anything()] as unknown})
    expect(await everything(store)).toEqual(before)
  })
  test('an object that has left the set by the time of its deletion is spared', async () => {
    await applyWanted(sessionOn(store), {objects: inSet(await objectsIn(profile('a'), profile('b')), 's'), deletions: []}, OPTIONS)
    const deletions = await leftOver(sessionOn(store), 's', await objectsIn(profile('a')))
    expect(deletions.map(({label}) => label)).toEqual(['profile/b'])
    await applyWanted(sessionOn(store), {objects: inSet(await objectsIn(profile('b')), 's2'), deletions: []}, OPTIONS)
    expect((await applyWanted(sessionOn(store), {objects: await objectsIn(profile('a')), deletions}, OPTIONS)).map(({name, action}) => `${name} ${action}`)).toEqual(['a unchanged'])
  })
})

describe('while a plan is applied', () => {
  let store: FaultyStore
  let made: Plan
  beforeEach(async () => {
    store = await faultyStore()
    await apply(store, profile('web'), TIER)
    made = await plan(store, [profile('web', 'Deny'), POLICY])
  })
  afterEach(() => store.close())

  test('what it rests on changes between its look and its write: seen, and nothing written', async () => {
    const other = sessionOn(store)
    const usual = store.onWrite
    store.onWrite = async (send, transaction) => {
      store.onWrite = usual
      await send({then: [{delete: resourceKey('Tier', 'sec')}]})
      return usual(send, transaction)
    }
    await expect(applyPlan(sessionOn(store), saved(made), 'c.plan')).rejects.toMatchObject({kind: 'conflict', details: ['tier/sec: deleted since']})
    expect((await other.store.get(`${PROFILES}web`)).kv?.value).toContain('Allow')
  })
  test('the answer is lost: what the store holds tells', async () => {
    const usual = store.onWrite
    store.onWrite = async (send, transaction) => {
      store.onWrite = usual
      await send(transaction)
      throw new OutcomeUnknownError('no answer')
    }
    expect(await applied(store, made)).toEqual(['GlobalNetworkPolicy/sec.p created', 'Profile/web updated'])
    expect(store.writes).toHaveLength(2)
  })
  test('the datastore is locked meanwhile: refused, nothing written', async () => {
    const usual = store.onWrite
    store.onWrite = async (send, transaction) => {
      store.onWrite = usual
      const information = (await store.get(CLUSTER_KEY)).kv?.value ?? ''
      await send({then: [{put: CLUSTER_KEY, value: information.replace('"datastoreReady":true', '"datastoreReady":false')}]})
      return usual(send, transaction)
    }
    await expect(applyPlan(sessionOn(store), saved(made), 'c.plan')).rejects.toMatchObject({kind: 'refused'})
    expect((await store.get(`${PROFILES}web`)).kv?.value).toContain('Allow')
  })
})

describe('the file of a plan', () => {
  const PLAN: Plan = {clusterGUID: 'g', guards: [{key: '/calico/a', modRevision: 9_223_372_036_854_775_807n}, {prefix: '/calico/b', unchangedSince: 3n}, {key: '/calico/c', version: 0n}, {key: '/calico/d', value: 'x'}], writes: [{key: '/calico/e', before: null, after: '{"a":12345678901234567890}'}], unchanged: [{key: '/calico/f', modRevision: 1n}]}
  test('is read as it was written', () => expect(saved(PLAN)).toEqual(PLAN))
  test('every change of a letter in it is found', () => {
    const text = planText(PLAN)
    for (let at = 0; at < text.length; at++) {
      if (/\s/.test(text[at] ?? '')) continue
      const edited = text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1)
      expect(() => readPlan(edited, 'c.plan')).toThrow(expect.objectContaining({kind: 'invalid'}))
    }
  })
  test.each([
    ['cut short', planText(PLAN).slice(0, -20)],
    ['of another version', planText(PLAN).replace('calicoctl/v1', 'calicoctl/v2')],
    ['a file of objects', '{"kind":"Profile"}'],
    ['without a checksum', '{"apiVersion":"calicoctl/v1","kind":"Plan","clusterGUID":null,"guards":[],"writes":[],"unchanged":[]}'],
    ['empty', ''],
    ['of keys that are not Calico\'s', planText({...PLAN, writes: [{key: '/other', before: null, after: 'x'}]})],
    ['of one key twice', planText({...PLAN, writes: [...PLAN.writes, ...PLAN.writes]})],
    ['of something else than values', planText({...PLAN, writes: [{key: '/calico/e', before: null, after: 1 as unknown as string}]})],
  ])('%s: refused', (_, text) => {
    expect(() => readPlan(text, 'c.plan')).toThrow(expect.objectContaining({kind: 'invalid', message: expect.stringContaining('c.plan cannot be applied as a plan') as unknown}))
  })
})
