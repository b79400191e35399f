/** A session that looks at the endpoints more than once knows what others have changed in between, and reads no more than it needs. */
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {ListOptions, Page} from '../../../src/lib/datastore/datastore.js'
import {CompactedError} from '../../../src/lib/datastore/errors.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {heldAddresses, heldError, refuseHeld} from '../../../src/lib/ipam/held.js'
import {releaseAddresses} from '../../../src/lib/ipam/release-addresses.js'
import {type Address, formatAddress, parseAddress} from '../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {createObject} from '../../support/ipam.js'

const ENDPOINTS = '/calico/resources/v3/projectcalico.org/workloadendpoints/'
const keyOf = (name: string): string => `${ENDPOINTS}libnetwork/a-docker-${name}-e${name}`

const addresses = (...texts: readonly string[]): Address[] => texts.flatMap((text) => parseAddress(text) ?? [])

let store: FaultyStore
/** What the session's store was asked for: the keys of single objects, and lists. */
let asked: string[]
/** Called behind each page of a list of the session. */
let behindPage: () => Promise<void>
let session: Session
let other: Session
beforeEach(async () => {
  store = await faultyStore()
  asked = []
  behindPage = () => Promise.resolve()
  const heard = {
    ...store,
    transact(transaction: Parameters<FaultyStore['transact']>[0]) {
      asked.push(...transaction.then.flatMap((operation) => ('get' in operation ? operation.get : [])))
      return store.transact(transaction)
    },
    async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<Page> {
      asked.push(`${options.keysOnly ? 'the keys' : 'the values'} under ${prefix}`)
      for await (const page of store.list(prefix, {...options, pageSize: 1})) {
        yield page
        await behindPage()
      }
    },
  }
  session = newSession(heard, {warn: () => undefined})
  other = newSession(store, {warn: () => undefined})
  await createObject(other, 'Node', 'a', {})
})
afterEach(() => store.close())

/** Another client stores the endpoint NAME with NETWORKS, whether or not it is there. */
async function put(name: string, ...networks: string[]): Promise<void> {
  await store.transact({then: [{delete: keyOf(name)}]})
  await createObject(other, 'WorkloadEndpoint', `a-docker-${name}-e${name}`, {node: 'a', orchestrator: 'docker', workload: name, endpoint: `e${name}`, interfaceName: `cali${name}`, ipNetworks: networks}, {namespace: 'libnetwork'})
}

/** Which of two addresses the session finds held, each as often as it is. */
const held = async (): Promise<string[]> => (await heldAddresses(session, addresses('10.1.0.1', '10.1.0.2'))).map(formatAddress).sort()

/** The same, and what the session reads for that after all that is new has been seen: whether there is more, and endpoints. */
async function look(): Promise<{held: string[]; read: string[]}> {
  await held()
  asked = []
  return {held: await held(), read: asked.filter((key) => key !== ENDPOINTS).sort()}
}

test('an address stays held as long as one of its endpoints has it; the others are not read any more', async () => {
  await put('one', '10.1.0.1/32')
  await put('two', '10.1.0.1/32')
  await put('three', '10.1.0.1/32', '10.1.0.9/32', '10.1.0.2/32')
  expect(await look()).toEqual({held: ['10.1.0.1', '10.1.0.1', '10.1.0.1', '10.1.0.2'], read: ['one', 'three', 'two'].map(keyOf)})
  await put('one', '10.1.0.9/32')
  expect(await look()).toEqual({held: ['10.1.0.1', '10.1.0.1', '10.1.0.2'], read: ['three', 'two'].map(keyOf)})
  await put('three', '10.1.0.2/32')
  expect(await look()).toEqual({held: ['10.1.0.1', '10.1.0.2'], read: ['three', 'two'].map(keyOf)})
  await put('two', '10.1.0.9/32')
  expect(await look()).toEqual({held: ['10.1.0.2'], read: ['three'].map(keyOf)})
})

test('one address alone is looked for among the others of its endpoints; what is held is refused, with who has it', async () => {
  await put('one', '10.1.0.9/32', '10.1.0.1/32')
  const [wanted, free] = [addresses('10.1.0.1'), addresses('10.1.0.2')]
  expect((await heldAddresses(session, wanted)).map(formatAddress)).toEqual(['10.1.0.1'])
  await expect(refuseHeld(session, wanted)).rejects.toMatchObject({kind: 'refused', message: '10.1.0.1 was not released: endpoint eone of docker workload one on a uses it', details: []})
  expect(await heldAddresses(session, free)).toEqual([])
  await refuseHeld(session, free)
  await put('two', '10.1.0.1/32')
  const lines = ['one', 'two'].map((name) => `10.1.0.1: endpoint e${name} of docker workload ${name} on a`)
  await expect(refuseHeld(session, wanted)).rejects.toMatchObject({message: '10.1.0.1 was not released: 2 endpoints use it', details: lines})
  await expect(refuseHeld(session, [...wanted, ...addresses('10.1.0.9')])).rejects.toMatchObject({message: '2 of the addresses are used by endpoints; nothing was released', details: ['10.1.0.9: endpoint eone of docker workload one on a', ...lines]})
})

test('a refusal names twenty, and how many there are more', () => {
  const held = (count: number) => addresses(...Array.from({length: count}, (_, at) => `10.1.0.${at}`)).map((address) => ({address, by: 'endpoint'}))
  expect(heldError(held(20)).details.slice(19)).toEqual(['10.1.0.19: endpoint'])
  expect(heldError(held(22)).details.slice(19)).toEqual(['10.1.0.19: endpoint', 'and 2 more'])
  expect(heldError(held(22)).message).toBe('22 of the addresses are used by endpoints; nothing was released')
})

test('an endpoint that is deleted, is made again or cannot be read', async () => {
  await put('one', '10.1.0.1/32')
  await put('two', '10.1.0.2/32')
  expect(await held()).toEqual(['10.1.0.1', '10.1.0.2'])
  await store.transact({then: [{delete: keyOf('one')}]})
  expect(await held()).toEqual(['10.1.0.2'])
  // Something is stored: only now the session sees that the other one is gone.
  await put('two', '10.1.0.2/32')
  expect(await look()).toEqual({held: ['10.1.0.2'], read: [keyOf('two')]})
  await put('one', '10.1.0.1/32')
  expect(await held()).toEqual(['10.1.0.1', '10.1.0.2'])
  await store.transact({then: [{put: keyOf('one'), value: 'nothing but 10.1.0.2'}]})
  expect(await look()).toEqual({held: ['10.1.0.2', '10.1.0.2'], read: [keyOf('two')]})
  await put('one', '10.1.0.1/32')
  expect(await held()).toEqual(['10.1.0.1', '10.1.0.2'])
})

test('values are read once, later only those that are new', async () => {
  await put('one', '10.1.0.9/32')
  await put('two', '10.1.0.9/32')
  await held()
  expect(asked).toEqual([`the values under ${ENDPOINTS}`])
  await put('one', '10.1.0.8/32')
  asked = []
  await held()
  expect(asked).toEqual([ENDPOINTS, `the keys under ${ENDPOINTS}`, keyOf('one')])
})

test('a look that fails is forgotten', async () => {
  await put('one', '10.1.0.1/32')
  behindPage = () => Promise.reject(new Error('lost'))
  await expect(held()).rejects.toThrow('lost')
  behindPage = () => Promise.resolve()
  expect(await held()).toEqual(['10.1.0.1'])
})

test.each(['the first', 'a later'])('what is stored behind a list that is compacted is seen next time: %s list', async (which) => {
  await put('b', '10.1.0.9/32')
  await put('c', '10.1.0.9/32')
  if (which === 'a later') {
    await held()
    await put('c', '10.1.0.9/32')
  }
  behindPage = async () => {
    behindPage = () => Promise.resolve()
    await put('a', '10.1.0.1/32')
    throw new CompactedError(undefined)
  }
  await held()
  expect(await held()).toEqual(['10.1.0.1'])
})

test('a release in the same session holds on what it saw last, and on nothing older or newer', async () => {
  await createObject(other, 'IPPool', 'pool', {cidr: '10.1.0.0/24', blockSize: 29})
  for (const [address] of ['10.1.0.1', '10.1.0.2', '10.1.0.3'].map((text) => addresses(text))) if (address) await assignAddress(other, {address, node: 'a', handle: 'h', attributes: {node: 'a'}})
  const release = async (text: string): Promise<string[]> => (await releaseAddresses(session, addresses(text).map((address) => ({address})))).released.map(formatAddress)
  store.writes.length = 0
  expect([await release('10.1.0.1'), store.writes.length]).toEqual([['10.1.0.1'], 1])
  await put('one', '10.1.0.9/32')
  store.writes.length = 0
  expect([await release('10.1.0.2'), store.writes.length]).toEqual([['10.1.0.2'], 1])
  store.onWrite = async (send, transaction) => {
    store.onWrite = (again, next) => again(next)
    await put('late', '10.1.0.3/32')
    return send(transaction)
  }
  expect(await release('10.1.0.3')).toEqual([])
})
