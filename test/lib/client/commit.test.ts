import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CLUSTER_KEY} from '../../../src/lib/client/cluster.js'
import {commit, type Decision} from '../../../src/lib/client/commit.js'
import {newSession, type Outcome, type Session} from '../../../src/lib/client/session.js'
import {CompactedError, FullError, OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const KEY = '/calico/resources/v3/projectcalico.org/profiles/web'

let store: FaultyStore
let session: Session
let warnings: string[]

beforeEach(async () => {
  store = await faultyStore()
  warnings = []
  session = newSession(store, {warn: (message) => warnings.push(message)})
})
afterEach(() => store.close())

/** Appends TEXT to the value of KEY: an edit whose every application shows. */
const append = (text: string, on: Session = session, check: () => void = () => undefined) =>
  commit(on, [{get: KEY}], ({results}): Decision<string> => {
    check()
    const kv = results[0]?.[0]
    const value = (kv?.value ?? '') + text
    return {writes: [{key: KEY, read: kv, value}], what: `the change of ${KEY}`, outcome: value}
  })

const remove = () =>
  commit(session, [{get: KEY}], ({results}): Decision<undefined> => {
    const kv = results[0]?.[0]
    return {writes: kv ? [{key: KEY, read: kv, value: undefined}] : [], what: 'the removal', outcome: undefined}
  })

const stored = async (key = KEY): Promise<string | undefined> => (await store.get(key)).kv?.value

const lost = (): OutcomeUnknownError => new OutcomeUnknownError('no answer')

async function failure(promise: Promise<unknown>): Promise<CalicoError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof CalicoError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('commit', () => {
  test('the first write initialises an empty store in the same transaction, and says so', async () => {
    const {wrote} = await append('a')
    expect(wrote).toBe(true)
    expect(store.writes).toHaveLength(1)
    const information = JSON.parse((await stored(CLUSTER_KEY)) ?? '') as {spec: {clusterGUID: string; datastoreReady: boolean}}
    expect(information.spec.clusterGUID).toMatch(/^[0-9a-f]{32}$/)
    expect(information.spec.datastoreReady).toBe(true)
    for (const tier of ['default', 'kube-admin', 'kube-baseline']) expect(await stored(`/calico/resources/v3/projectcalico.org/tiers/${tier}`)).toContain('"order"')
    expect(warnings).toEqual([expect.stringContaining('Initialising')])
  })

  test('nothing to write: no transaction', async () => {
    const result = await commit(session, [{get: KEY}], () => ({writes: [], what: '', outcome: 1}))
    expect(result).toMatchObject({outcome: 1, wrote: false})
    expect(store.writes).toHaveLength(0)
  })

  test('a dry run decides and writes nothing', async () => {
    const result = await append('a', newSession(store, {dryRun: true, warn: () => undefined}))
    expect(result).toMatchObject({outcome: 'a', wrote: false})
    expect(store.writes).toHaveLength(0)
  })

  test('a lost race: decided again on what is there now', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      store.onWrite = (sendAgain, again) => sendAgain(again)
      await append('x', newSession(store, {warn: () => undefined}))
      return send(transaction)
    }
    const {outcome} = await append('b')
    expect(outcome).toBe('axb')
    expect(await stored()).toBe('axb')
  })

  test('always another who is faster: conflict after 100 tries, nothing written', async () => {
    await append('a')
    store.onWrite = (send, transaction) => send({...transaction, if: [{key: 'never', version: 1n}]})
    const error = await failure(append('b'))
    expect(error.kind).toBe('conflict')
    expect(store.writes.length).toBe(101)
    expect(await stored()).toBe('a')
  })

  test('a lost answer to a write that was executed: done, and never sent again', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      await send(transaction)
      throw lost()
    }
    const {outcome, wrote} = await append('b')
    expect({outcome, wrote}).toEqual({outcome: 'ab', wrote: true})
    expect(await stored()).toBe('ab')
    expect(store.writes).toHaveLength(2)
  })

  test('a lost answer to a write that others have overwritten since: still known as done', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      store.onWrite = (sendAgain, again) => sendAgain(again)
      await send(transaction)
      await append('x', newSession(store, {warn: () => undefined}))
      throw lost()
    }
    await append('b')
    expect(await stored()).toBe('abx')
  })

  test('a lost write that was never executed: decided again, one effect', async () => {
    await append('a')
    store.onWrite = () => {
      store.onWrite = (sendAgain, again) => sendAgain(again)
      throw lost()
    }
    await append('b')
    expect(await stored()).toBe('ab')
  })

  test('a lost write that lands while it is decided again, so that there is nothing to do: done, and what it gave', async () => {
    await append('a')
    let late = (): Promise<unknown> => Promise.resolve()
    store.onWrite = (send, transaction) => {
      late = () => send(transaction)
      return Promise.reject(lost())
    }
    let tries = 0
    const done = await commit(session, [{get: KEY}], async ({results}): Promise<Decision<string>> => {
      if (++tries > 1) {
        await late()
        return {writes: [], what: 'nothing', outcome: 'it was there already'}
      }
      return {writes: [{key: KEY, read: results[0]?.[0], value: 'ab'}], what: 'the change', outcome: 'made'}
    })
    expect(done).toMatchObject({outcome: 'made', wrote: true})
    expect([await stored(), tries, store.writes.length]).toEqual(['ab', 2, 2])
  })

  describe('what is remembered', () => {
    const remember = () => store.transact({then: [{get: CLUSTER_KEY}, {get: KEY}]})
    type Told = (value: string | undefined) => Decision<string> | Promise<Decision<string>>
    /** The values that were decided on, and what came of it. */
    async function decided(told: Told, on: Session = session) {
      await append('a')
      const remembered = await remember()
      await append('b')
      store.writes.length = 0
      const seen: (string | undefined)[] = []
      const decide = ({results}: {readonly results: readonly (readonly {readonly value: string}[])[]}) => {
        const value = results[0]?.[0]?.value
        seen.push(value)
        return told(value)
      }
      const result = await commit(on, [{get: KEY}], decide, {remembered}).catch((error: unknown) => error)
      return {seen, result}
    }
    const nothing: Decision<string> = {writes: [], what: 'nothing', outcome: 'nothing'}

    test('is not what something is refused by: it is looked at anew', async () => {
      const {seen, result} = await decided((value) => {
        if (value === 'a') throw new CalicoError('refused', 'not with a')
        return nothing
      })
      expect([seen, result]).toEqual([['a', 'ab'], expect.objectContaining({outcome: 'nothing', wrote: false})])
    })
    test('nor what there is nothing to do by', async () => {
      const {seen} = await decided(() => nothing)
      expect(seen).toEqual(['a', 'ab'])
    })
    test('nor what a dry run is made by', async () => {
      const {seen} = await decided(() => nothing, newSession(store, {dryRun: true, warn: () => undefined}))
      expect(seen).toEqual(['ab'])
    })
    test('an error that is no refusal is one', async () => {
      const {seen, result} = await decided(() => {
        throw new TypeError('broken')
      })
      expect([seen, result]).toEqual([['a'], expect.any(TypeError)])
    })
    test('is what is written by, where it still holds: without reading', async () => {
      await append('a')
      const remembered = await remember()
      const {wrote} = await commit(session, [{get: KEY}], ({results}) => ({writes: [{key: KEY, read: results[0]?.[0], value: 'b'}], what: 'the change', outcome: undefined}), {remembered})
      expect([wrote, await stored(), store.writes.length]).toEqual([true, 'b', 2])
    })
  })

  test('a lost write that lands late, after it was decided again: one effect', async () => {
    await append('a')
    store.onWrite = (send, first) => {
      store.onWrite = async (sendAgain, again) => {
        await send(first)
        return sendAgain(again)
      }
      throw lost()
    }
    await append('b')
    expect(await stored()).toBe('ab')
  })

  describe('a lost write that may still arrive, and another end of the change', () => {
    /** The answer to the next write is lost, and the write not executed; then THEN is done. @returns sends the lost one */
    function loseOne(then: () => void | Promise<void>): () => Promise<unknown> {
      let late = (): Promise<unknown> => Promise.reject(new Error('nothing was lost'))
      store.onWrite = async (send, transaction) => {
        store.onWrite = (sendAgain, again) => sendAgain(again)
        late = () => send(transaction)
        await then()
        throw lost()
      }
      return () => late()
    }
    const away = (): void => {
      store.onWrite = () => Promise.reject(new CalicoError('unreachable', 'no answer'))
    }

    test('the store is away then: not "nothing was changed", but unknown', async () => {
      await append('a')
      const arrive = loseOne(away)
      const error = await failure(append('b'))
      expect(error).toMatchObject({kind: 'unknown', exitCode: 9})
      await arrive()
      expect(await stored()).toBe('ab')
    })

    test('a refusal then, of which the lost write knows nothing: unknown', async () => {
      await append('a')
      let isRefused = false
      const arrive = loseOne(() => void (isRefused = true))
      const error = await failure(append('b', session, () => {
        if (isRefused) throw new CalicoError('refused', 'no more')
      }))
      expect(error).toMatchObject({kind: 'unknown', details: ['no answer', 'Another attempt failed: no more']})
      await arrive()
      expect(await stored()).toBe('ab')
    })

    test('what it compares has changed, so that it never will: the refusal itself', async () => {
      await append('a')
      let isRefused = false
      const arrive = loseOne(async () => {
        await append('x', newSession(store, {warn: () => undefined}))
        isRefused = true
      })
      const error = await failure(append('b', session, () => {
        if (isRefused) throw new CalicoError('refused', 'no more')
      }))
      expect(error.kind).toBe('refused')
      await arrive()
      expect(await stored()).toBe('ax')
    })
  })

  test('a lost delete: gone is done', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      await send(transaction)
      throw lost()
    }
    expect((await remove()).wrote).toBe(true)
    expect(await stored()).toBeUndefined()
  })

  test('a lost answer that cannot be settled: unknown, exit 9, and it says why', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      await send(transaction)
      throw lost()
    }
    store.onHistory = () => Promise.reject(new CompactedError(undefined))
    const error = await failure(append('b'))
    expect(error.exitCode).toBe(9)
    expect(error.message).toContain('compacted')
    expect(store.writes).toHaveLength(2)
  })

  describe('a full store, which may have executed what it refuses', () => {
    const full = (): FullError => new FullError('etcd is full', {hint: 'Free space.'})
    const refuses = (executes: boolean): void => {
      store.onWrite = async (send, transaction) => {
        if (executes) await send(transaction)
        throw full()
      }
    }
    test('it has: done once, with a warning', async () => {
      await append('a')
      refuses(true)
      expect(await append('b')).toMatchObject({outcome: 'ab', wrote: true})
      expect([await stored(), store.writes.length, warnings.at(-1)]).toEqual(['ab', 2, `etcd is full, but the change of ${KEY} was made. Free space.`])
      expect(session.writes.done).toHaveLength(2)
    })
    test('it has not: its refusal, without another try', async () => {
      await append('a')
      refuses(false)
      expect(await failure(append('b'))).toMatchObject({kind: 'failed', message: 'etcd is full', hint: 'Free space.'})
      expect([await stored(), store.writes.length]).toEqual(['a', 2])
    })
    test('that cannot be found out: unknown, and the journal has it so', async () => {
      const told: Outcome[] = []
      session = newSession(store, {warn: () => undefined, record: () => Promise.resolve((outcome) => Promise.resolve(void told.push(outcome)))})
      await append('a')
      refuses(true)
      store.onHistory = () => Promise.reject(new CalicoError('unreachable', 'away'))
      expect(await failure(append('b'))).toMatchObject({exitCode: 9, message: `A full datastore may have executed a write that it refused, and the datastore no longer answers: the change of ${KEY} may or may not have been made`, details: ['etcd is full']})
      expect(told).toEqual([expect.any(BigInt), 'unknown'])
    })
    test('a write before it whose answer was lost may still come', async () => {
      await append('a')
      store.onWrite = () => {
        refuses(false)
        return Promise.reject(lost())
      }
      const error = await failure(append('b'))
      expect(error).toMatchObject({exitCode: 9, details: ['no answer', 'Another attempt failed: etcd is full']})
    })
  })

  test('what is under way and what is done can be told to an interrupted user', async () => {
    store.onWrite = (send, transaction) => {
      expect(session.writes.open?.what).toBe(`the change of ${KEY}`)
      return send(transaction)
    }
    await append('a')
    expect(session.writes).toMatchObject({open: undefined, done: [`the change of ${KEY}`]})
  })
})

describe('the journal is told', () => {
  /** Each transaction before it is sent, and what became of it. */
  let told: {before: string | undefined; after: string | undefined; cluster: string | undefined; sent: number; outcomes: Outcome[]}[]
  const outcomes = (): Outcome[][] => told.map((each) => each.outcomes)
  beforeEach(() => {
    told = []
    session = newSession(store, {
      warn: () => undefined,
      record: ({writes, cluster}) => {
        const of: Outcome[] = []
        told.push(...writes.filter(({key}) => key === KEY).map(({read, value}) => ({before: read?.value, after: value, cluster, sent: store.writes.length, outcomes: of})))
        return Promise.resolve((outcome) => Promise.resolve(void of.push(outcome)))
      },
    })
  })

  test('what is written before it is sent, with what stands there and the cluster, which the first write makes; and at which revision that was done', async () => {
    const first = await append('a')
    const second = await append('b')
    const cluster = told[0]?.cluster
    expect(cluster).toMatch(/^[0-9a-f]{32}$/)
    expect(told).toEqual([
      {before: undefined, after: 'a', cluster, sent: 0, outcomes: [first.revision]},
      {before: 'a', after: 'ab', cluster, sent: 1, outcomes: [second.revision]},
    ])
  })

  test('nothing of a dry run; of a write that was refused, that it was not made', async () => {
    await append('a', {...session, dryRun: true})
    expect(told).toEqual([])
    store.onWrite = () => Promise.reject(new CalicoError('unreachable', 'away'))
    await failure(append('a'))
    expect(outcomes()).toEqual([['not made']])
  })

  test('a race that was lost, and the one that was won', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, sent) => again(sent)
      await store.transact({then: [{put: KEY, value: 'x'}]})
      return send(transaction)
    }
    const {revision} = await append('b')
    expect(told.slice(1).map(({after}) => after)).toEqual(['ab', 'xb'])
    expect(outcomes().slice(1)).toEqual([['not made'], [revision]])
  })

  test('a write whose answer was lost, when it is settled: once', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      await send(transaction)
      throw lost()
    }
    const {revision} = await append('b')
    expect(told.slice(1)).toMatchObject([{before: 'a', after: 'ab', outcomes: [revision]}])
  })

  test('a write that never arrived, and the next one, after which it cannot be made', async () => {
    await append('a')
    store.onWrite = () => {
      store.onWrite = (again, sent) => again(sent)
      return Promise.reject(lost())
    }
    const {revision} = await append('b')
    expect(outcomes().slice(1)).toEqual([['not made'], [revision]])
  })

  test('a write whose outcome stays unknown, as such', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      await send(transaction)
      throw lost()
    }
    store.onHistory = () => Promise.reject(new CompactedError(undefined))
    await failure(append('b'))
    expect(told.slice(1)).toMatchObject([{before: 'a', after: 'ab', outcomes: ['unknown']}])
  })

  test('what it throws ends the change, and nothing is sent', async () => {
    await append('a')
    session = newSession(store, {warn: () => undefined, record: () => Promise.reject(new CalicoError('refused', 'no journal'))})
    expect(await failure(append('b'))).toMatchObject({kind: 'refused', message: 'no journal'})
    expect(await stored()).toBe('a')
  })
})

describe('which stores may be written', () => {
  const put = (key: string, value: string) => store.transact({then: [{put: key, value}]})
  const clusterInformation = (spec: object) => put(CLUSTER_KEY, JSON.stringify({kind: 'ClusterInformation', apiVersion: 'projectcalico.org/v3', metadata: {name: 'default'}, spec}))

  test('a locked store: refused, nothing written', async () => {
    await clusterInformation({clusterGUID: 'g', datastoreReady: false})
    expect((await failure(append('a'))).exitCode).toBe(8)
    expect(await stored()).toBeUndefined()
  })

  test('a store that is locked between reading and writing is not written', async () => {
    await append('a')
    store.onWrite = async (send, transaction) => {
      store.onWrite = (sendAgain, again) => sendAgain(again)
      await clusterInformation({clusterGUID: 'g', datastoreReady: false})
      return send(transaction)
    }
    expect((await failure(append('b'))).exitCode).toBe(8)
    expect(await stored()).toBe('a')
  })

  test('keys under /calico/ without ClusterInformation: not a Calico datastore, unless --init', async () => {
    await put('/calico/ipam/v2/config', '{}')
    expect((await failure(append('a'))).exitCode).toBe(6)
    await append('a', newSession(store, {init: true, warn: () => undefined}))
    expect(await stored(CLUSTER_KEY)).toContain('clusterGUID')
  })

  test('another cluster than the expected one', async () => {
    await clusterInformation({clusterGUID: 'other', datastoreReady: true})
    const error = await failure(append('a', newSession(store, {expectCluster: 'mine', warn: () => undefined})))
    expect(error.exitCode).toBe(6)
    expect(error.message).toContain('other')
  })

  test('two clusters behind one address, alike in all revisions: what was read from one is not written to the other', async () => {
    await append('a')
    const other = await faultyStore()
    try {
      await append('b', newSession(other, {warn: () => undefined}))
      const [here, there] = [await store.get(KEY), await other.get(KEY)]
      expect(here.kv?.modRevision).toBe(there.kv?.modRevision)
      store.onWrite = (_, transaction) => other.transact(transaction)
      expect(await failure(append('c'))).toMatchObject({exitCode: 6, message: expect.stringContaining('was replaced during this change')})
      expect((await other.get(KEY)).kv?.value).toBe('b')
      expect(await stored()).toBe('a')
    } finally {
      other.close()
    }
  })

  test('two first writes at once initialise the store once', async () => {
    store.onWrite = async (send, transaction) => {
      store.onWrite = (sendAgain, again) => sendAgain(again)
      await append('x', newSession(store, {warn: () => undefined}))
      return send(transaction)
    }
    await append('a')
    expect(await stored()).toBe('xa')
    expect((await store.get(CLUSTER_KEY)).kv?.version).toBe(1n)
  })
})
