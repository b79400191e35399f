import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {changeResource, type Place} from '../../../src/lib/client/resources.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {CalicoError} from '../../../src/lib/errors.js'
import type {Profile, Rule} from '../../../src/lib/model/types.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const WEB: Place = {kind: 'Profile', name: 'web'}
const KEY = '/calico/resources/v3/projectcalico.org/profiles/web'

let store: FaultyStore
let session: Session
beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
})
afterEach(() => store.close())

const stored = async (): Promise<Profile> => JSON.parse((await store.get(KEY)).kv?.value ?? 'null') as Profile
const put = (spec: object, rest: object = {metadata: {name: 'web', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z'}}) =>
  store.transact({then: [{put: KEY, value: JSON.stringify({kind: 'Profile', apiVersion: 'projectcalico.org/v3', ...rest, spec})}]})
const create = () => changeResource<Profile>(session, WEB, (before) => before ?? {kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {name: 'web'}, spec: {}})
const prepend = (rule: Rule) => changeResource<Profile>(session, WEB, (before) => before && {...before, spec: {...before.spec, ingress: [rule, ...(before.spec.ingress ?? [])]}})

async function failure(promise: Promise<unknown>): Promise<CalicoError> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason)
  if (!(error instanceof CalicoError)) throw new Error('it did not fail')
  return error
}

describe('changeResource', () => {
  test('a new object gets uid and creationTimestamp, and no resourceVersion', async () => {
    expect(await create()).toMatchObject({action: 'created', name: 'web'})
    const {metadata} = await stored()
    expect(metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(metadata).not.toHaveProperty('resourceVersion')
  })

  test('an edit keeps uid and time; missing ones are added', async () => {
    await create()
    const {metadata} = await stored()
    await prepend({action: 'Allow'})
    expect((await stored()).metadata).toEqual(metadata)
    await put({}, {metadata: {name: 'web'}})
    await prepend({action: 'Allow'})
    expect((await stored()).metadata.uid).toMatch(/-/)
  })

  test('the same object: unchanged, no write', async () => {
    await create()
    store.writes.length = 0
    expect(await create()).toMatchObject({action: 'unchanged'})
    expect(store.writes).toHaveLength(0)
  })

  test('undefined deletes', async () => {
    await create()
    expect(await changeResource<Profile>(session, WEB, () => undefined)).toMatchObject({action: 'deleted'})
    expect((await store.get(KEY)).kv).toBeUndefined()
  })

  test('what Calico would refuse is refused, with every problem, and nothing is written', async () => {
    await create()
    store.writes.length = 0
    const error = await failure(prepend({action: 'allow' as Rule['action'], protocol: 'tcp', source: {nets: ['10.0.0.1/8']}}))
    expect(error.kind).toBe('invalid')
    expect(error.details.length).toBeGreaterThanOrEqual(3)
    expect(store.writes).toHaveLength(0)
  })

  test('a stored hazard does not block an edit that leaves it alone, wherever it moves', async () => {
    await create()
    await put({ingress: [{action: 'Allow', source: {tag: 'x'}, destination: {}}]}) // opens everything: Felix ignores the unknown field
    expect(await prepend({action: 'Deny', source: {nets: ['10.0.0.0/8']}})).toMatchObject({action: 'updated'})
    expect((await stored()).spec.ingress).toHaveLength(2)
  })

  test('an edit that adds a hazard is refused', async () => {
    await create()
    const error = await failure(prepend({action: 'Allow', source: {tag: 'x'}} as Rule))
    expect(error.exitCode).toBe(1)
    expect((await stored()).spec.ingress).toBeUndefined()
  })

  test('an untouched defect from before refuses the edit by name; an edit that removes it passes', async () => {
    await create()
    await put({ingress: [{action: 'allow', source: {}, destination: {}}]})
    expect((await failure(prepend({action: 'Deny'}))).details.join()).toContain('spec.ingress[1].action')
    expect(await changeResource<Profile>(session, WEB, (before) => before && {...before, spec: {...before.spec, ingress: [{action: 'Allow'}]}})).toMatchObject({action: 'updated'})
  })
})
