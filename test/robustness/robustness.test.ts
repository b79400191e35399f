import {describe, expect, test} from '@jest/globals'
import {createBudget} from '../../src/lib/datastore/budget.js'
import type {Datastore} from '../../src/lib/datastore/datastore.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {CalicoError, isError} from '../../src/lib/errors.js'
import {type EtcdMember, startEtcd} from '../support/etcd.js'
import {type Report, runCluster} from './cluster-run.js'
import {findViolation, type Operation} from './linearizable.js'
import {register, type RegisterInput, type RegisterOutput, tags, type TagsInput, type TagsOutput} from './models.js'
import {FAULTS, persistently} from './nemesis.js'

/** Of this run; `npm run robustness -- --minutes M --seed S` sets them. */
const {ROBUSTNESS_SECONDS = '60', ROBUSTNESS_SEED = String(Date.now() % 1_000_000)} = process.env
const HOUR = 3_600_000

type Told<In, Out> = readonly [client: string, called: number, returned: number, input: In, output: Out | undefined]
const history = <In, Out>(...operations: readonly Told<In, Out>[]): Operation<In, Out>[] => operations.map(([client, called, returned, input, output]) => ({client, called, returned, input, output}))

const put = (value: string): RegisterInput => ({type: 'put', value})
const READ: RegisterInput = {type: 'read'}
const found = (value: string | null): RegisterOutput => ({found: value})
const swap = (from: string | undefined, to: string): RegisterInput => ({type: 'swap', from, to})

describe('the checker', () => {
  const good: Readonly<Record<string, Operation<RegisterInput, RegisterOutput>[]>> = {
    'one after another': history(['a', 0, 1, put('x'), 'written'], ['b', 2, 3, READ, found('x')], ['a', 4, 5, {type: 'delete'}, 'written'], ['b', 6, 7, READ, found(null)]),
    'a read that overlaps a write sees it, the next one too': history(['a', 0, 10, put('x'), 'written'], ['b', 1, 2, READ, found('x')], ['b', 3, 4, READ, found('x')]),
    'a read that overlaps a write does not see it yet': history(['a', 0, 10, put('x'), 'written'], ['b', 1, 2, READ, found(null)], ['b', 11, 12, READ, found('x')]),
    'a write of unknown outcome is seen late': history(['a', 0, 1, put('x'), undefined], ['b', 2, 3, READ, found(null)], ['b', 100, 101, READ, found('x')]),
    'a write of unknown outcome is never seen': history(['a', 0, 1, put('x'), undefined], ['b', 2, 3, READ, found(null)]),
    'of two swaps one is made': history(['a', 0, 5, swap(undefined, 'x'), {swapped: true}], ['b', 0, 5, swap(undefined, 'y'), found('x')]),
  }
  test.each(Object.entries(good))('takes: %s', (_, told) => expect(findViolation(register, told)).toBeUndefined())

  const bad: Readonly<Record<string, Operation<RegisterInput, RegisterOutput>[]>> = {
    'a read of what nobody wrote (a write that was told to have failed)': history(['b', 2, 3, READ, found('x')]),
    'an old value after a new one was read': history(['a', 0, 10, put('x'), 'written'], ['b', 1, 2, READ, found('x')], ['c', 3, 4, READ, found(null)]),
    'a write that is lost': history(['a', 0, 1, put('x'), 'written'], ['b', 2, 3, READ, found(null)]),
    'two swaps of the same value': history(['a', 0, 5, swap(undefined, 'x'), {swapped: true}], ['b', 0, 5, swap(undefined, 'y'), {swapped: true}]),
    'a write of unknown outcome that is done twice': history(['a', 0, 1, put('x'), undefined], ['b', 2, 3, READ, found('x')], ['b', 4, 5, put('y'), 'written'], ['b', 6, 7, READ, found('x')]),
    'a swap that says that it found what was not there': history(['a', 0, 1, put('x'), 'written'], ['b', 2, 3, swap('z', 'y'), found('w')]),
  }
  test.each(Object.entries(bad))('refuses: %s', (_, told) => expect(findViolation(register, told)).toBeDefined())

  test('of tags: a lost update, and one that was told to have failed', () => {
    const add = (tag: string): TagsInput => ({type: 'add', tag})
    const told = history<TagsInput, TagsOutput>(['a', 0, 5, add('x'), 'done'], ['b', 1, 6, add('y'), 'done'])
    expect(findViolation(tags, [...told, ...history<TagsInput, TagsOutput>(['c', 7, 8, {type: 'read'}, ['y', 'x']])])).toBeUndefined()
    expect(findViolation(tags, [...told, ...history<TagsInput, TagsOutput>(['c', 7, 8, {type: 'read'}, ['y']])])).toBeDefined()
    expect(findViolation(tags, [...told, ...history<TagsInput, TagsOutput>(['c', 7, 8, {type: 'read'}, ['x', 'y', 'z']])])).toBeDefined()
  })

  test('a long history of many clients takes no time', () => {
    let value: string | null = null
    const told = Array.from({length: 3_000}, (_, i): Operation<RegisterInput, RegisterOutput> => {
      const client = `c${i % 5}`
      if (i % 7 === 0) return {client, called: i, returned: Infinity, input: swap('never', `u${i}`), output: undefined}
      if (i % 3 === 0) return {client, called: i, returned: i + 0.5, input: READ, output: found(value)}
      value = `v${i}`
      return {client, called: i, returned: i + 0.5, input: put(value), output: 'written'}
    })
    expect(findViolation(register, told)).toBeUndefined()
  })
})

/** Violations that a store which ADAPTER breaks on purpose makes with a single etcd behind a proxy that loses answers. */
const brokenBy = async (adapter: (store: Datastore) => Datastore): Promise<readonly string[]> =>
  (await runCluster({seed: 1, milliseconds: 6_000, members: 1, faults: ['lost answers', 'reset'], clients: {programs: 6, processes: 0}, adapter})).violations

describe('an adapter that is broken on purpose', () => {
  test('it drops the conditions', async () => {
    expect((await brokenBy((store) => ({...store, transact: ({if: _, ...rest}) => store.transact(rest)}))).length).toBeGreaterThan(0)
  })

  test('it says of a write whose answer was lost that it was not made', async () => {
    const adapter = (store: Datastore): Datastore => ({
      ...store,
      transact: async (transaction) => {
        try {
          return await store.transact(transaction)
        } catch (error) {
          throw isError(error, 'unknown') ? new CalicoError('unreachable', 'etcd does not answer') : error
        }
      },
    })
    expect((await brokenBy(adapter)).length).toBeGreaterThan(0)
  })

  test('it remembers what it has read', async () => {
    const adapter = (store: Datastore): Datastore => {
      const known = new Map<string, ReturnType<Datastore['get']>>()
      return {
        ...store,
        get: (key, options) => {
          const answer = known.get(key) ?? store.get(key, options)
          known.set(key, answer)
          return answer
        },
      }
    }
    expect((await brokenBy(adapter)).length).toBeGreaterThan(0)
  })
})

test('members apart: the others go on without the one that led, which executes nothing; later it has what they have', async () => {
  const etcd = await startEtcd({members: 3, peerProxies: true})
  const stores: Datastore[] = []
  const storeOf = async (members: readonly EtcdMember[]): Promise<Datastore> => {
    const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: members.map(({endpoint}) => endpoint), origin: 'the test'}}}, createBudget({budgetMs: 2_000, perRequest: true}))
    stores.push(store)
    return store
  }
  const put = (store: Datastore, key: string): Promise<unknown> => store.transact({then: [{put: key, value: 'v'}]})
  try {
    const alone = await etcd.leader()
    const others = etcd.members.filter((member) => member !== alone)
    const [theirs, its] = [await storeOf(others), await storeOf([alone])]
    for (const other of others) {
      etcd.cutPeers(alone, other)
      etcd.cutPeers(other, alone)
    }
    await expect(put(its, '/alone')).rejects.toBeInstanceOf(CalicoError)
    await persistently(() => put(theirs, '/others'))
    await expect(its.get('/others')).rejects.toBeInstanceOf(CalicoError)
    etcd.mendPeers()
    expect(await persistently(() => its.get('/others'))).toMatchObject({kv: {value: 'v'}})
  } finally {
    for (const store of stores) store.close()
    await etcd.stop()
  }
})

test(
  `three members under fire for ${ROBUSTNESS_SECONDS} s, seed ${ROBUSTNESS_SEED}`,
  async () => {
    const report: Report = await runCluster({seed: Number(ROBUSTNESS_SEED), milliseconds: Number(ROBUSTNESS_SECONDS) * 1_000, faults: FAULTS, clients: {programs: 4, processes: 2}})
    process.stderr.write(`robustness, seed ${ROBUSTNESS_SEED}: ${JSON.stringify(report)}\n`)
    expect(report.violations).toEqual([])
    expect(report.operations.known).toBeGreaterThan(10)
  },
  24 * HOUR,
)
