import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {addProfile, editProfile, listProfiles, removeProfile} from '../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {addRule, newProfile, rulesOf} from '../../../src/lib/rules/edit.js'
import {toV3} from '../../../src/lib/rules/v3.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const ENDPOINT = JSON.stringify({
  kind: 'WorkloadEndpoint',
  apiVersion: 'projectcalico.org/v3',
  metadata: {name: 'h1-docker-a-eth0', namespace: 'default'},
  spec: {orchestrator: 'docker', workload: 'a', node: 'h1', endpoint: 'eth0', profiles: ['web']},
})

let store: FaultyStore
let session: Session

beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
  await addProfile(session, 'web')
})
afterEach(() => store.close())

/** Puts KEY right before the next write reaches the store: somebody else was faster. */
const putBeforeWrite = (key: string, value: string): void => {
  store.onWrite = async (send, transaction) => {
    store.onWrite = (again, next) => again(next)
    await send({then: [{put: RESOURCES + key, value}]})
    return send(transaction)
  }
}

describe('a profile that is missing when it is edited', () => {
  const edit = (name: string, on: Session = session) => {
    const told: string[] = []
    const ifMissing = {
      make: (missing: string) => Promise.resolve(missing === 'net' ? newProfile(missing) : undefined),
      made: (made: string) => void told.push(made),
    }
    return editProfile(on, name, addRule('inbound', toV3({action: 'allow', from: {}, to: {}})), {ifMissing}).then(({change}) => ({action: change.action, told}))
  }

  test('is made where that is possible, and only that is told', async () => {
    expect(await edit('net', newSession(store, {dryRun: true, warn: () => undefined}))).toEqual({action: 'created', told: ['net']})
    expect(await edit('net')).toEqual({action: 'created', told: ['net']})
    expect(await edit('net')).toMatchObject({told: []})
    expect(await edit('web')).toEqual({action: 'updated', told: []})
    expect((await listProfiles(session)).map(({name}) => name)).toEqual(['net', 'web'])
  })
  test('is not found otherwise', async () => {
    await expect(edit('other')).rejects.toMatchObject({kind: 'not-found'})
  })
})

describe('removing a profile', () => {
  test('is refused if an endpoint begins to use it after the check', async () => {
    putBeforeWrite('workloadendpoints/default/h1-docker-a-eth0', ENDPOINT)
    await expect(removeProfile(session, 'web', {check: true})).rejects.toMatchObject({kind: 'refused', details: ['endpoint eth0 of docker workload a on h1']})
    expect(await listProfiles(session)).toHaveLength(1)
  })

  test('without the check does not look at endpoints', async () => {
    putBeforeWrite('workloadendpoints/default/h1-docker-a-eth0', ENDPOINT)
    await expect(removeProfile(session, 'web', {check: false})).resolves.toMatchObject({action: 'deleted'})
  })

  test('names ten endpoints and counts the others', async () => {
    for (let i = 10; i < 23; i++) {
      const value = ENDPOINT.replaceAll('"a"', `"a${i}"`)
      await store.transact({then: [{put: `${RESOURCES}workloadendpoints/default/h1-docker-a${i}-eth0`, value}]})
    }
    await expect(removeProfile(session, 'web', {check: true})).rejects.toMatchObject({
      details: [...Array.from({length: 10}, (_, i) => `endpoint eth0 of docker workload a${i + 10} on h1`), 'and 3 more'],
    })
  })
})

test('an edit is applied anew to what somebody else wrote, and tells what the last application did', async () => {
  const [web] = await listProfiles(session)
  const others = addRule('inbound', toV3({action: 'deny', from: {}, to: {}}))(web?.stored.resource ?? raise('no profile')).profile
  putBeforeWrite('profiles/web', JSON.stringify(others))
  const {result} = await editProfile(session, 'web', addRule('inbound', toV3({action: 'deny', protocol: 'tcp', from: {}, to: {}})))
  expect(result.at).toBe(3)
  const [after] = await listProfiles(session)
  expect(after && rulesOf(after.stored.resource).inbound.map(({action, protocol}) => [action, protocol])).toEqual([['Allow', undefined], ['Deny', undefined], ['Deny', 'TCP']])
})

function raise(message: string): never {
  throw new Error(message)
}
