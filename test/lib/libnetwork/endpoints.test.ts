/** Docker's endpoints: what is stored of them, together with their profile, Node and addresses. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {addProfile, getProfile, removeProfile} from '../../../src/lib/client/profiles.js'
import {changeResource} from '../../../src/lib/client/resources.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {OutcomeUnknownError} from '../../../src/lib/datastore/errors.js'
import {assignAddress} from '../../../src/lib/ipam/assign-address.js'
import {checkIpam} from '../../../src/lib/ipam/check.js'
import {lookUpAddress} from '../../../src/lib/ipam/lookup.js'
import {releaseAddresses} from '../../../src/lib/ipam/release-addresses.js'
import {releaseAddress, requestAddress} from '../../../src/lib/libnetwork/addresses.js'
import {createEndpoint, deleteEndpoint, describeEndpoint, ensureProfile, findEndpoint, listEndpointsOf, type NewEndpoint, removeStaleEndpoint} from '../../../src/lib/libnetwork/endpoints.js'
import {releaseOrphan} from '../../../src/lib/libnetwork/orphans.js'
import type {WorkloadEndpoint} from '../../../src/lib/model/types.js'
import {type Address, formatAddress, parseAddress} from '../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {allAssigned, createObject, unsound} from '../../support/ipam.js'
import {onBothStores} from '../../support/stores.js'

const ID = 'a1'.repeat(32)
const OTHER = 'c3'.repeat(32)
const NETWORK = 'b2'.repeat(32)
const PREFIX = '/calico/resources/v3/projectcalico.org/'
const KEY = `${PREFIX}workloadendpoints/default/a-libnetwork-libnetwork-${ID}`

const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('there is none')
  return value
}
const address = (text: string): Address => must(parseAddress(text))
const request = (addresses: readonly string[], more: Partial<NewEndpoint> = {}): NewEndpoint => ({
  node: 'a',
  endpointId: ID,
  networkId: NETWORK,
  profile: 'databases',
  addresses: addresses.map(address),
  fromCalico: true,
  mac: 'EE:EE:EE:EE:EE:EE',
  ...more,
})
const quiet = (store: Datastore): Session => newSession(store, {warn: () => undefined})
const ask = async (session: Session, given = '', poolId = 'CalicoPoolIPv4', node = 'a'): Promise<string> =>
  (await requestAddress(session, node, {poolId, address: given, options: null})).Address.replace(/\/.*/, '')

onBothStores((stores) => {
  let store: Datastore
  let session: Session
  let warnings: string[]

  beforeEach(async () => {
    store = await stores.empty()
    warnings = []
    session = newSession(store, {warn: (text) => warnings.push(text)})
    await createObject(session, 'IPPool', 'four', {cidr: '10.1.0.0/24'})
    await createObject(session, 'IPPool', 'six', {cidr: 'fd00::/120', blockSize: 122})
  })

  const handle = async (text: string): Promise<string | undefined> => (await lookUpAddress(session, address(text))).assignment?.handle
  const keysUnder = async (prefix: string): Promise<string[]> => must((await store.transact({then: [{list: prefix}]})).results[0]).map(({key}) => key.slice(prefix.length))
  const stored = async (): Promise<WorkloadEndpoint> => JSON.parse(must((await store.get(KEY)).kv).value) as WorkloadEndpoint

  describe('CreateEndpoint', () => {
    test('stores the endpoint with both addresses, its profile and its Node', async () => {
      const [four, six] = [await ask(session), await ask(session, '', 'CalicoPoolIPv6')]
      expect(await createEndpoint(session, request([four, six]))).toMatchObject({created: true, createdProfile: true, createdNode: false})
      expect(await stored()).toEqual({
        kind: 'WorkloadEndpoint',
        apiVersion: 'projectcalico.org/v3',
        metadata: {
          name: `a-libnetwork-libnetwork-${ID}`,
          namespace: 'default',
          uid: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
          creationTimestamp: expect.any(String) as unknown,
          labels: {'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'libnetwork'},
          annotations: {'calicoctl/network': NETWORK},
        },
        spec: {
          orchestrator: 'libnetwork',
          workload: 'libnetwork',
          node: 'a',
          endpoint: ID,
          ipNetworks: [`${four}/32`, `${six}/128`],
          profiles: ['databases'],
          interfaceName: 'calia1a1a1a1a1a',
          mac: 'ee:ee:ee:ee:ee:ee',
        },
      })
      expect((await getProfile(session, 'databases')).resource.spec).toMatchObject({
        ingress: [{action: 'Allow', source: {selector: 'has(databases)'}}],
        egress: [{action: 'Allow'}],
        labelsToApply: {databases: ''},
      })
      for (const text of [four, six]) expect(await handle(text)).toBe(`libnetwork.${ID}`)
      expect((await lookUpAddress(session, address(four))).assignment?.attributes).toEqual({node: 'a', type: 'libnetwork'})
      expect(await unsound(store)).toEqual([])
      expect((await checkIpam(session)).findings).toEqual([])
    })

    test('again: the same, and nothing is written', async () => {
      const text = await ask(session)
      const first = await createEndpoint(session, request([text]))
      const {revision} = await store.get('/x')
      for (const on of [session, quiet(store)]) {
        expect(await createEndpoint(on, request([text], {mac: 'ee:ee:ee:ee:ee:ee'}))).toEqual({endpoint: first.endpoint, created: false, createdProfile: false, createdNode: false})
      }
      expect((await store.get('/x')).revision).toBe(revision)
    })

    test('again, after an operator has given it another profile and labels', async () => {
      const text = await ask(session)
      await createEndpoint(session, request([text]))
      await changeResource<WorkloadEndpoint>(session, {kind: 'WorkloadEndpoint', name: `a-libnetwork-libnetwork-${ID}`, namespace: 'default'}, (before) => before && {...before, spec: {...before.spec, profiles: ['databases', 'more']}})
      expect(await createEndpoint(session, request([text]))).toMatchObject({created: false, endpoint: {spec: {profiles: ['databases', 'more']}}})
    })

    test('again, but otherwise: a conflict, and nothing is written', async () => {
      const [text, more] = [await ask(session), await ask(session)]
      await createEndpoint(session, request([text]))
      const {revision} = await store.get('/x')
      for (const [changed, why] of [
        [request([more]), `its addresses are ${text}/32`],
        [request([text, more]), `its addresses are ${text}/32`],
        [request([text], {mac: '02:11:22:33:44:55'}), 'its MAC address is ee:ee:ee:ee:ee:ee'],
        [request([text], {profile: 'web'}), 'its profiles are databases'],
      ] as const) {
        await expect(createEndpoint(session, changed)).rejects.toMatchObject({kind: 'conflict', message: `Endpoint ${ID} already exists, but ${why}`})
      }
      expect((await store.get('/x')).revision).toBe(revision)
    })

    test('again, after its address was released by hand: the address is its own again', async () => {
      const text = await ask(session)
      await createEndpoint(session, request([text]))
      await releaseAddresses(quiet(store), [{address: address(text)}], {onHeld: 'release'})
      expect(await createEndpoint(session, request([text]))).toMatchObject({created: false})
      expect(await handle(text)).toBe(`libnetwork.${ID}`)
    })

    test('an address that has become free meanwhile is assigned anew', async () => {
      const text = await ask(session)
      await releaseAddress(quiet(store), 'a', {poolId: 'CalicoPoolIPv4', address: text})
      await createEndpoint(session, request([text]))
      expect(await handle(text)).toBe(`libnetwork.${ID}`)
      expect(await unsound(store)).toEqual([])
    })

    test('an address that another process of the driver was asked for, in a block that this one remembers', async () => {
      await ask(session)
      const text = await ask(quiet(store))
      await createEndpoint(session, request([text]))
      expect(await handle(text)).toBe(`libnetwork.${ID}`)
      expect(await unsound(store)).toEqual([])
    })

    test('an address that is somebody else\'s, or of no pool: nothing is written', async () => {
      const own = await ask(session)
      const sixth = await ask(session, '', 'CalicoPoolIPv6')
      await assignAddress(session, {address: address('10.1.0.50'), node: 'a', handle: 'vm', attributes: {node: 'a'}})
      await ask(session, '10.1.0.51', 'CalicoPoolIPv4', 'b')
      await createEndpoint(session, request([own]))
      const {revision} = await store.get('/x')
      for (const text of ['10.1.0.50', '10.1.0.51', own]) {
        await expect(createEndpoint(session, request([sixth, text], {endpointId: OTHER, profile: 'new', node: 'a'}))).rejects.toMatchObject({kind: 'conflict', message: `The address ${text} is already in use`})
      }
      await expect(createEndpoint(session, request(['10.9.0.1'], {endpointId: OTHER, profile: 'new'}))).rejects.toMatchObject({kind: 'invalid', message: 'The address 10.9.0.1 is not in one of the configured Calico IP pools'})
      expect(() => createEndpoint(session, request([], {endpointId: OTHER}))).toThrow('No address assigned for endpoint')
      expect((await store.get('/x')).revision).toBe(revision)
      expect(await keysUnder(`${PREFIX}profiles/`)).toEqual(['databases'])
    })

    test('of a network with Docker\'s own IPAM: no address is looked at, and the Node is made', async () => {
      const docker = request(['172.30.0.2'], {fromCalico: false})
      expect(await createEndpoint(session, docker)).toMatchObject({created: true, createdNode: true})
      expect((await stored()).spec.ipNetworks).toEqual(['172.30.0.2/32'])
      expect(await createEndpoint(session, docker)).toMatchObject({created: false})
      expect(await keysUnder('/calico/ipam/')).toEqual([])
      expect((await checkIpam(session)).findings).toEqual([])
    })

    test('its profile is never overwritten, and is stored under a name that Calico allows', async () => {
      await addProfile(session, 'databases')
      const before = await getProfile(session, 'databases')
      expect(await createEndpoint(session, request([await ask(session)]))).toMatchObject({createdProfile: false})
      expect((await getProfile(session, 'databases')).kv.modRevision).toBe(before.kv.modRevision)
      const {endpoint, createdProfile} = await createEndpoint(session, request([await ask(session)], {endpointId: OTHER, profile: '_My Net'}))
      expect(createdProfile).toBe(true)
      const [name = ''] = endpoint.spec.profiles ?? []
      expect(name).toMatch(/^my-net-[0-9a-f]{8}$/)
      const {resource} = await getProfile(session, '_My Net')
      expect(resource.metadata).toMatchObject({name, annotations: {'calicoctl/name': '_My Net'}})
      expect(resource.spec).toMatchObject({labelsToApply: {[name]: ''}, ingress: [{source: {selector: `has(${name})`}}]})
    })

    test('a profile whose stored name is another one\'s, or that cannot be read, is refused', async () => {
      await createEndpoint(session, request([await ask(session)], {profile: 'My_Net'}))
      const name = must(must((await stored()).spec.profiles)[0])
      const refused = (profile: string): Promise<unknown> => createEndpoint(session, request(['10.1.0.99'], {endpointId: OTHER, profile}))
      await expect(refused(name)).rejects.toMatchObject({kind: 'conflict', message: `Profile ${name} cannot be created: its stored name is already used by the profile My_Net`})
      await store.transact({then: [{put: `${PREFIX}profiles/${name}`, value: 'broken'}]})
      await expect(refused('My_Net')).rejects.toMatchObject({kind: 'conflict'})
      expect(await findEndpoint(session, 'a', OTHER)).toBeUndefined()
      expect(await handle('10.1.0.99')).toBeUndefined()
    })

    test('Calico\'s own profile is named and not made', async () => {
      expect(await createEndpoint(session, request([await ask(session)], {profile: 'projectcalico-default-allow'}))).toMatchObject({createdProfile: false})
      expect((await stored()).spec.profiles).toEqual(['projectcalico-default-allow'])
      expect(await keysUnder(`${PREFIX}profiles/`)).toEqual([])
    })

    test('one that cannot be read is not overwritten', async () => {
      await store.transact({then: [{put: KEY, value: '['}]})
      await expect(createEndpoint(session, request([await ask(session)]))).rejects.toMatchObject({kind: 'conflict'})
      expect((await store.get(KEY)).kv?.value).toBe('[')
    })

    test('many at once, by several processes: each gets its own address, and one address has one endpoint', async () => {
      const sessions = [session, quiet(store), quiet(await stores.another())]
      const on = (i: number): Session => must(sessions[i % sessions.length])
      const ids = Array.from({length: 30}, (_, i) => i.toString(16).padStart(2, '0').repeat(32))
      const given = await Promise.all(ids.map(async (endpointId, i) => (await createEndpoint(on(i), request([await ask(on(i))], {endpointId, profile: `net${i % 3}`}))).endpoint))
      expect(new Set(given.flatMap(({spec}) => spec.ipNetworks)).size).toBe(30)
      const wanted = await ask(session)
      const results = await Promise.allSettled(Array.from({length: 9}, (_, i) => createEndpoint(on(i), request([wanted], {endpointId: `f${i}`.repeat(32)}))))
      expect(results.filter(({status}) => status === 'fulfilled')).toHaveLength(1)
      expect(await unsound(store)).toEqual([])
      expect((await checkIpam(session)).findings).toEqual([])
    })
  })

  describe('afterwards', () => {
    test('DeleteEndpoint leaves the addresses its own, and may come again', async () => {
      const text = await ask(session)
      await createEndpoint(session, request([text]))
      expect(await deleteEndpoint(session, 'b', ID)).toBe(false)
      expect(await deleteEndpoint(session, 'a', ID)).toBe(true)
      expect(await deleteEndpoint(session, 'a', ID)).toBe(false)
      expect(await findEndpoint(session, 'a', ID)).toBeUndefined()
      expect(await handle(text)).toBe(`libnetwork.${ID}`)
    })

    test('a stale one goes with all addresses of its handle; one that is gone does no harm', async () => {
      const [text, left] = [await ask(session), '10.1.0.77']
      await createEndpoint(session, request([text]))
      await assignAddress(session, {address: address(left), node: 'a', handle: `libnetwork.${ID}`, attributes: {node: 'a', type: 'libnetwork'}})
      const {changes, released, foreign} = await removeStaleEndpoint(session, 'a', ID)
      expect([changes.length, released.map(formatAddress), foreign]).toEqual([1, [text, left], []])
      expect(await removeStaleEndpoint(session, 'a', ID)).toEqual({changes: [], released: [], foreign: [], held: []})
      expect(await allAssigned(store)).toEqual([])
      expect(await unsound(store)).toEqual([])
    })

    test('a stale one of a network with Docker\'s own IPAM', async () => {
      await createEndpoint(session, request(['172.30.0.2'], {fromCalico: false}))
      expect(await removeStaleEndpoint(session, 'a', ID)).toMatchObject({changes: [{action: 'deleted'}], released: [], foreign: []})
    })

    test('only the endpoints of this node and of Docker are listed', async () => {
      await createEndpoint(session, request([await ask(session)]))
      await createEndpoint(session, request(['172.30.0.2'], {fromCalico: false, endpointId: OTHER, node: 'a-libnetwork'}))
      await createObject(session, 'WorkloadEndpoint', 'a-docker-web-eth0', {node: 'a', orchestrator: 'docker', workload: 'web', endpoint: 'eth0', interfaceName: 'cali1'}, {namespace: 'default'})
      const listed: string[] = []
      for await (const {host, id, orchestrator} of listEndpointsOf(session, 'a')) listed.push(`${host} ${orchestrator} ${id}`)
      expect(listed).toEqual([`a libnetwork ${ID}`])
    })

    test('the container\'s name and labels are added when they are known; what cannot be a label is told', async () => {
      await createEndpoint(session, request([await ask(session)]))
      await describeEndpoint(session, 'a', ID, {container: 'db'})
      await describeEndpoint(session, 'a', ID, {container: 'db', labels: {role: 'database', tier: '', 'bad key': 'x', value: 'not this!', 'projectcalico.org/orchestrator': 'k8s'}})
      const {metadata} = await stored()
      expect(metadata.annotations).toEqual({'calicoctl/network': NETWORK, 'calicoctl/container': 'db'})
      expect(metadata.labels).toEqual({'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'libnetwork', role: 'database', tier: ''})
      expect(warnings.filter((text) => text.includes('is ignored: it'))).toHaveLength(3)
      await describeEndpoint(session, 'a', OTHER, {container: 'gone'})
      expect(await findEndpoint(session, 'a', OTHER)).toBeUndefined()
    })

    test('a profile is made once', async () => {
      expect(await ensureProfile(session, 'web')).toBe(true)
      expect(await ensureProfile(session, 'web')).toBe(false)
      expect(await ensureProfile(session, 'projectcalico-default-allow')).toBe(false)
      expect(await keysUnder(`${PREFIX}profiles/`)).toEqual(['web'])
    })
  })

  test('round trips in the steady state, as etcd counts them', async () => {
    const etcd = stores.etcd()
    if (!etcd) return // the embedded store has none
    const requests = async (): Promise<number> => {
      const text = await (await fetch(`${etcd.endpoints[0] ?? ''}/metrics`)).text()
      return [...text.matchAll(/^grpc_server_handled_total\{[^}]*grpc_method="(Range|Txn|Put|DeleteRange)"[^}]*\} (\d+)/gm)].reduce((sum, [, , number]) => sum + Number(number), 0)
    }
    const cost = async (work: () => Promise<unknown>): Promise<number> => {
      const before = await requests()
      await work()
      return (await requests()) - before
    }
    const life = async (id: string): Promise<number[]> => {
      let [four, six] = ['', '']
      return [
        await cost(async () => (four = await ask(session))),
        await cost(async () => (six = await ask(session, '', 'CalicoPoolIPv6'))),
        await cost(() => createEndpoint(session, request([four, six], {endpointId: id}))),
        await cost(() => deleteEndpoint(session, 'a', id)),
        await cost(() => releaseAddress(session, 'a', {poolId: 'CalicoPoolIPv4', address: four})),
      ]
    }
    await life('01'.repeat(32))
    await life('02'.repeat(32))
    const [four = 0, six = 0, create = 0, remove = 0, release = 0] = await life('03'.repeat(32))
    expect({four, six}).toEqual({four: 1, six: 1})
    expect(create).toBeGreaterThan(0)
    expect(create).toBeLessThanOrEqual(2)
    expect(remove).toBe(1)
    expect(release).toBeLessThanOrEqual(3)
  })
})

describe('one call between the decision and the write of another', () => {
  let store: FaultyStore
  let session: Session
  let text: string
  beforeEach(async () => {
    store = await faultyStore()
    session = quiet(store)
    await createObject(session, 'IPPool', 'four', {cidr: '10.1.0.0/24'})
    text = await ask(session)
    await createEndpoint(session, request([text]))
  })
  afterEach(async () => {
    expect(await unsound(store)).toEqual([])
    store.close()
  })

  /** Does ACTION, as another process, right before the next write. */
  const before = (action: (other: Session) => Promise<unknown>): void => {
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await action(quiet(store))
      return send(transaction)
    }
  }
  const handle = async (): Promise<string | undefined> => (await lookUpAddress(session, address(text))).assignment?.handle
  const createAgain = (on: Session): Promise<unknown> => createEndpoint(on, request([text]))
  const release = (on: Session): Promise<string> => releaseAddress(on, 'a', {poolId: 'CalicoPoolIPv4', address: text})

  test('ReleaseAddress, and the endpoint is made again', async () => {
    await deleteEndpoint(session, 'a', ID)
    before(createAgain)
    expect(await release(session)).toBe('in-use')
    expect(await handle()).toBe(`libnetwork.${ID}`)
  })

  test('the release of an orphan, and the endpoint is made again', async () => {
    await deleteEndpoint(session, 'a', ID)
    before(createAgain)
    expect(await releaseOrphan(session, 'a', `libnetwork.${ID}`)).toEqual([])
    expect(await handle()).toBe(`libnetwork.${ID}`)
  })

  test('RequestAddress of that address, and the endpoint is made again', async () => {
    await deleteEndpoint(session, 'a', ID)
    before(createAgain)
    await expect(ask(session, text)).rejects.toMatchObject({kind: 'conflict', message: `The address ${text} is already in use`})
    expect(await handle()).toBe(`libnetwork.${ID}`)
  })

  test('CreateEndpoint, and the address that it has already is released', async () => {
    await deleteEndpoint(session, 'a', ID)
    before(release)
    await createAgain(session)
    expect(await handle()).toBe(`libnetwork.${ID}`)
  })

  test('CreateEndpoint again, and the endpoint is deleted', async () => {
    await releaseAddresses(session, [{address: address(text)}], {onHeld: 'release'})
    before((other) => deleteEndpoint(other, 'a', ID))
    expect(await createAgain(session)).toMatchObject({created: true})
    expect(await findEndpoint(session, 'a', ID)).toBeDefined()
    expect(await handle()).toBe(`libnetwork.${ID}`)
  })

  test('CreateEndpoint, and somebody else takes the address', async () => {
    const more = await ask(session)
    before(async (other) => {
      await releaseAddress(other, 'a', {poolId: 'CalicoPoolIPv4', address: more})
      await assignAddress(other, {address: address(more), node: 'b', handle: 'vm'})
    })
    await expect(createEndpoint(session, request([more], {endpointId: OTHER, profile: 'new'}))).rejects.toMatchObject({kind: 'conflict'})
    expect(await findEndpoint(session, 'a', OTHER)).toBeUndefined()
  })

  test('CreateEndpoint, and its profile is removed: the endpoint comes with it all the same', async () => {
    const more = await ask(session)
    before((other) => removeProfile(other, 'databases', {check: false}))
    expect(await createEndpoint(session, request([more], {endpointId: OTHER}))).toMatchObject({createdProfile: true})
    await expect(getProfile(session, 'databases')).resolves.toBeDefined()
  })
})

describe('answers that are lost', () => {
  test.each(['the answer', 'the request'])('%s to CreateEndpoint: one endpoint, and its address is its own', async (lost) => {
    const store = await faultyStore()
    const session = quiet(store)
    await createObject(session, 'IPPool', 'four', {cidr: '10.1.0.0/24'})
    const text = await ask(session)
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      if (lost === 'the answer') await send(transaction)
      throw new OutcomeUnknownError('it was lost')
    }
    expect(await createEndpoint(session, request([text]))).toMatchObject({created: true})
    expect((await lookUpAddress(session, address(text))).assignment?.handle).toBe(`libnetwork.${ID}`)
    expect((await checkIpam(session)).findings).toEqual([])
    store.close()
  })
})
