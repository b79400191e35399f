/** What is noted of a container when Docker shows it. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {EndpointContainer} from '../../../src/lib/docker/networks.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {requestAddress} from '../../../src/lib/libnetwork/addresses.js'
import {createEndpoint, findEndpoint} from '../../../src/lib/libnetwork/endpoints.js'
import {copyContainerFacts, endpointLabels} from '../../../src/lib/libnetwork/labels.js'
import {parseAddress} from '../../../src/lib/net/index.js'
import {listedLog} from '../../support/driver-parts.js'
import {type FaultyStore, faultyStore} from '../../support/faulty-store.js'
import {createObject} from '../../support/ipam.js'

const ENDPOINT = 'a1'.repeat(32)
const NETWORK = 'b2'.repeat(32)
const CONTAINER: EndpointContainer = {id: 'c3'.repeat(32), name: 'db', labels: {'org.projectcalico.label.role': 'database', other: 'x'}}

let store: FaultyStore
let session: Session
let warnings: string[]
let log: ReturnType<typeof listedLog>
let asked: [string, string][]
let answer: () => Promise<EndpointContainer | undefined>

const copy = (more: {labels?: boolean; limitMs?: number} = {}) =>
  copyContainerFacts({
    session,
    node: 'a',
    docker: {
      containerOf(...ids) {
        asked.push(ids)
        return answer()
      },
    },
    endpointId: ENDPOINT,
    networkId: NETWORK,
    labels: true,
    log,
    ...more,
  })
const metadata = async () => (await findEndpoint(session, 'a', ENDPOINT))?.resource.metadata

beforeEach(async () => {
  store = await faultyStore()
  warnings = []
  session = newSession(store, {warn: (text) => warnings.push(text)})
  log = listedLog()
  asked = []
  answer = () => Promise.resolve(CONTAINER)
  await createObject(session, 'IPPool', 'four', {cidr: '10.1.0.0/24'})
  const {Address} = await requestAddress(session, 'a', {poolId: 'CalicoPoolIPv4', address: '', options: null})
  const address = parseAddress(Address.replace('/32', ''))
  await createEndpoint(session, {node: 'a', endpointId: ENDPOINT, networkId: NETWORK, profile: 'web', addresses: address ? [address] : [], fromCalico: true, mac: 'ee:ee:ee:ee:ee:ee'})
})
afterEach(() => store.close())

describe('a container', () => {
  test('its name and those of its labels that are for its endpoint', async () => {
    await copy()
    expect(await metadata()).toMatchObject({annotations: {'calicoctl/container': 'db', 'calicoctl/network': NETWORK}, labels: {role: 'database', 'projectcalico.org/orchestrator': 'libnetwork'}})
    expect(await metadata()).not.toHaveProperty('labels.other')
    expect(asked).toEqual([[ENDPOINT, NETWORK]])
    expect(log.lines).toEqual([])
  })
  test('its name only, where labels are not asked for', async () => {
    await copy({labels: false})
    expect(await metadata()).toMatchObject({annotations: {'calicoctl/container': 'db'}})
    expect(await metadata()).not.toHaveProperty('labels.role')
  })
  test('that Docker shows only after a while, and after it did not answer', async () => {
    const answers = [undefined, new CalicoError('failed', 'busy'), undefined, CONTAINER]
    answer = () => {
      const next = answers.shift()
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next)
    }
    const started = Date.now()
    await copy()
    expect(Date.now() - started).toBeGreaterThanOrEqual(290)
    expect(asked).toHaveLength(4)
    expect(await metadata()).toMatchObject({labels: {role: 'database'}})
  })
  test('a label that Calico does not accept is reported and ignored, the others are not', async () => {
    answer = () => Promise.resolve({...CONTAINER, labels: {'org.projectcalico.label.role': 'database', 'org.projectcalico.label.-x': 'y', 'org.projectcalico.label.z': 'a b', 'org.projectcalico.label.': 'y'}})
    await copy()
    expect(await metadata()).toMatchObject({labels: {role: 'database'}})
    expect(Object.keys((await metadata())?.labels ?? {})).not.toEqual(expect.arrayContaining(['-x']))
    expect(warnings.filter((text) => text.includes('is ignored: it '))).toHaveLength(3)
  })
})

describe('without success', () => {
  test('a container that is never shown is given up', async () => {
    answer = () => Promise.resolve(undefined)
    await copy({limitMs: 250})
    expect(asked.length).toBeGreaterThanOrEqual(2)
    expect(log.lines).toEqual(['warn The container of endpoint a1a1a1a1a1a1 was not found in Docker within 0.25 s; the labels of the container were not copied to it'])
  })
  test('a datastore that is away is told, and nothing is thrown', async () => {
    store.transact = () => Promise.reject(new CalicoError('unreachable', 'etcd does not answer'))
    await copy()
    expect(log.lines).toEqual(['warn The container of endpoint a1a1a1a1a1a1 could not be recorded: etcd does not answer; the labels of the container were not copied to it'])
  })
  test('an endpoint that has gone meanwhile does not come back', async () => {
    const before = await findEndpoint(session, 'a', ENDPOINT)
    await store.transact({then: [{delete: before?.kv.key ?? ''}]})
    await copy()
    expect(await metadata()).toBeUndefined()
    expect(log.lines).toEqual([])
  })
})

test('labels without the prefix, or with something before it, are not for endpoints', () => {
  expect(endpointLabels({'org.projectcalico.label.a': '1', 'org.projectcalico.labels.b': '2', 'x.org.projectcalico.label.c': '3', d: '4'})).toEqual({a: '1'})
})
