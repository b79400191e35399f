import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {type EndpointFilter, findEndpoint, listEndpoints} from '../../../src/lib/client/endpoints.js'
import {WORKLOAD_ANNOTATION} from '../../../src/lib/model/display-name.js'
import {convertName} from '../../../src/lib/model/names.js'
import {firstUses} from '../../../src/lib/client/profile-uses.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore, Page} from '../../../src/lib/datastore/datastore.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const CONTAINER = 'abcdef0123456789'.repeat(4)
const COUNT = 300
/** The name of a workload as users know it. */
const TYPED = 'My_Workload'

let store: FaultyStore
let values = 0
let session: Session

/** STORE, whose values that are read are counted. */
const counted = (from: Datastore): Datastore =>
  Object.create(from, {
    list: {
      async *value(...args: Parameters<Datastore['list']>): AsyncGenerator<Page> {
        for await (const page of from.list(...args)) {
          values += page.entries.filter(({value}) => value !== '').length
          yield page
        }
      },
    },
    transact: {
      async value(transaction: Parameters<Datastore['transact']>[0]) {
        const answer = await from.transact(transaction)
        values += answer.results.flat().filter(({key, value}) => key.includes('/workloadendpoints/') && value !== '').length
        return answer
      },
    },
  }) as Datastore

beforeAll(async () => {
  store = await faultyStore()
  const put = (namespace: string, name: string, spec: object, annotations = {}): {put: string; value: string} => ({put: `${RESOURCES}workloadendpoints/${namespace}/${name}`, value: JSON.stringify({metadata: {name, namespace, annotations}, spec})})
  await store.transact({then: [{put: `${RESOURCES}clusterinformations/default`, value: '{"metadata":{"name":"default"},"spec":{"clusterGUID":"g","datastoreReady":true}}'}]})
  for (let at = 0; at < COUNT; at += 100) {
    await store.transact({then: Array.from({length: 100}, (_, i) => put(i % 2 === 0 ? 'default' : 'prod', `n${at + i}-docker-w${at + i}-e${at + i}`, {node: `n${at + i}`, profiles: ['web'], ipNetworks: [`10.0.${Math.floor((at + i) / 100)}.${i}/32`], interfaceName: `cali${at + i}`}))})
  }
  await store.transact({
    then: [
      put('default', `n1-docker-${CONTAINER}-0123abcd${'0'.repeat(24)}`, {node: 'n1'}),
      put('default', 'n1-docker-two-same', {node: 'n1'}),
      put('prod', 'n2-docker-two-same', {node: 'n2'}),
      put('default', `n5-docker-${convertName(TYPED).replaceAll('-', '--')}-eaudible`, {node: 'n5'}, {[WORKLOAD_ANNOTATION]: TYPED}),
      put('default', 'odd', {node: 'n3', orchestrator: 'docker', workload: 'odd', endpoint: 'eodd'}),
    ],
  })
  session = newSession(counted(store), {warn: (message) => expect(message).toBe('')})
})
afterAll(() => store.close())

/** The one value that says whose it is instead of its key is read each time. */
test.each([
  ['its id', 'e7', 'e7', 2],
  ['its id, in another namespace', 'e8', 'e8', 2],
  ['how the id of its container begins', CONTAINER.slice(0, 12), `0123abcd${'0'.repeat(24)}`, 2],
  ['how its id begins', '0123a', `0123abcd${'0'.repeat(24)}`, 2],
  ['its id, which is in its value alone', 'eodd', 'eodd', 2],
  ['its interface', 'cali9', 'e9', COUNT + 6],
  ['its address', '10.0.2.9', 'e209', COUNT + 6],
])('an endpoint by %s: so many values are read', async (_, word, id, read) => {
  values = 0
  expect((await findEndpoint(session, word, {})).id).toBe(id)
  expect(values).toBe(read)
})

test('by a name that two have: both are named, and no more values are read than theirs', async () => {
  values = 0
  await expect(findEndpoint(session, 'same', {})).rejects.toMatchObject({kind: 'conflict', details: ['endpoint same of docker workload two on n1', 'endpoint same of docker workload two on n2']})
  expect(values).toBe(3)
  expect((await findEndpoint(session, 'same', {host: 'n2'})).host).toBe('n2')
})

const labels = async (filter: EndpointFilter): Promise<string[]> => {
  const found: string[] = []
  for await (const {place, id} of listEndpoints(session, filter)) found.push(`${place.namespace ?? ''}/${id}`)
  return found
}

/** Again, the value that says whose it is instead of its key is read, too. */
test.each<[EndpointFilter, string[], number]>([
  [{host: 'n1'}, [`default/0123abcd${'0'.repeat(24)}`, 'default/same', 'prod/e1'], 4],
  [{host: 'N2'}, ['default/e2', 'prod/same'], 3],
  [{host: 'n3'}, ['default/eodd', 'prod/e3'], 2],
  [{host: 'n'}, [], 1],
  [{host: 'n1', endpoint: 'same'}, ['default/same'], 2],
  [{workload: 'w7'}, ['prod/e7'], 2],
  [{workload: TYPED}, ['default/eaudible'], 2],
  [{workload: TYPED, host: 'n4'}, [], 1],
  [{endpoint: 'same', orchestrator: 'docker'}, ['default/same', 'prod/same'], 3],
])('the endpoints of %j, in key order, in all namespaces: so many values are read', async (filter, expected, read) => {
  values = 0
  expect(await labels(filter)).toEqual(expected)
  expect(values).toBe(read)
})

test('a value that cannot be read is told and passed over where it may be one of those that are asked for', async () => {
  const other = await faultyStore()
  const puts = [['clusterinformations/default', '{"metadata":{"name":"default"},"spec":{"clusterGUID":"g","datastoreReady":true}}'], ['workloadendpoints/default/n1-docker-w1-e1', '{'], ['workloadendpoints/default/odd', '{']] as const
  await other.transact({then: puts.map(([key, value]) => ({put: RESOURCES + key, value}))})
  const told = async (host: string): Promise<string[]> => {
    const warnings: string[] = []
    for await (const endpoint of listEndpoints(newSession(other, {warn: (message) => warnings.push(message)}), {host})) throw new Error(endpoint.id)
    return warnings.map((warning) => /stored value of \S*\/(\S+) cannot be read/.exec(warning)?.[1] ?? warning)
  }
  expect(await told('n1')).toEqual(['n1-docker-w1-e1', 'odd'])
  expect(await told('n2')).toEqual(['odd'])
  other.close()
})

test('of a datastore that is not Calico’s, nothing is listed, whoever is asked for', async () => {
  const empty = await faultyStore()
  await empty.transact({then: [{put: `${RESOURCES}clusterinformations/default`, value: '{'}]})
  const listed = listEndpoints(newSession(empty, {warn: (message) => expect(message).toBe('')}), {host: 'n1'})
  await expect(listed.next()).rejects.toMatchObject({kind: 'wrong-datastore'})
  empty.close()
})

test('none', async () => {
  await expect(findEndpoint(session, 'nowhere', {})).rejects.toMatchObject({kind: 'not-found'})
})

test('the uses of a profile: the first are kept, all are counted', async () => {
  const {uses, count} = await firstUses(session, 'web', 10)
  expect([uses.length, count]).toEqual([10, COUNT])
  expect((await firstUses(session, 'nobody', 10)).count).toBe(0)
})
