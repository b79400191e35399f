/** Edits of an object that this process has just seen: one request each, and never a decision that rests on what is no longer so. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CLUSTER_KEY} from '../../../src/lib/client/cluster.js'
import {seeing} from '../../../src/lib/client/last-seen.js'
import {addProfile, editProfile, removeProfile} from '../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore, Transaction} from '../../../src/lib/datastore/datastore.js'
import {OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import type {Profile} from '../../../src/lib/model/types.js'
import {addRule, rulesOf} from '../../../src/lib/rules/edit.js'
import {toV3} from '../../../src/lib/rules/v3.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const KEY = '/calico/resources/v3/projectcalico.org/profiles/web'

let base: FaultyStore
let requests: Transaction[]
let session: Session
let other: Session
let clock: number

beforeEach(async () => {
  base = await faultyStore()
  requests = []
  clock = 0
  const counting = Object.create(base, {
    transact: {
      value: (transaction: Transaction) => {
        requests.push(transaction)
        return base.transact(transaction)
      },
    },
  }) as Datastore
  const {store, recall} = seeing(counting, () => clock)
  session = newSession(store, {recall, warn: () => undefined})
  other = newSession(base, {warn: () => undefined})
  await addProfile(session, 'web')
  requests = []
})
afterEach(() => base.close())

const add = (port: number, on: Session = session) => editProfile(on, 'web', addRule('inbound', toV3({action: 'allow', protocol: 'tcp', from: {}, to: {ports: [port]}})))

/** The ports of the rules that were added to the profile. */
async function ports(): Promise<unknown[]> {
  const {kv} = await base.get(KEY)
  return rulesOf(JSON.parse(kv?.value ?? '') as Profile).inbound.flatMap(({destination}) => destination?.ports ?? [])
}

async function lock(): Promise<void> {
  const {kv} = await base.get(CLUSTER_KEY)
  await base.transact({then: [{put: CLUSTER_KEY, value: (kv?.value ?? '').replace('"datastoreReady":true', '"datastoreReady":false')}]})
}

describe('edits one after another', () => {
  test('each is one guarded transaction but for the first, which reads', async () => {
    for (const port of [1, 2, 3]) await add(port)
    expect(requests.map(({if: compares = []}) => compares.length)).toEqual([0, 2, 2, 2])
    expect(await ports()).toEqual([1, 2, 3])
  })

  test('what others write between them is kept', async () => {
    await add(1)
    await add(2, other)
    await add(3)
    expect(await ports()).toEqual([1, 2, 3])
  })

  test('that nothing is to be done is decided on what is there now', async () => {
    await add(1)
    await editProfile(other, 'web', (profile) => ({profile: {...profile, spec: {...profile.spec, ingress: []}}}))
    const {change} = await add(1)
    expect(change.action).toBe('updated')
    expect(await ports()).toEqual([1])
  })

  test('a refusal, too', async () => {
    await addProfile(other, 'unused')
    await removeProfile(session, 'web', {check: false})
    await addProfile(other, 'web')
    await add(1)
    expect(await ports()).toEqual([1])
  })

  test('a datastore that was locked between them is not written', async () => {
    await add(1)
    await lock()
    await expect(add(2)).rejects.toMatchObject({kind: 'refused'})
    expect(await ports()).toEqual([1])
  })

  test('a lost answer is settled, and the next edit reads again', async () => {
    await add(1)
    base.onWrite = async (send, transaction) => {
      base.onWrite = (again, next) => again(next)
      await send(transaction)
      throw new OutcomeUnknownError('no answer')
    }
    await add(2)
    await add(3)
    expect(await ports()).toEqual([1, 2, 3])
  })

  test('what was seen long ago is read again', async () => {
    await add(1)
    clock += 60_000
    requests = []
    await add(2)
    expect(requests.map(({if: compares = []}) => compares.length)).toEqual([0, 2])
  })

  test('a dry run reads', async () => {
    await add(1)
    requests = []
    await add(2, {...session, dryRun: true})
    expect(requests.map(({then}) => then.every((operation) => 'get' in operation))).toEqual([true])
  })
})
