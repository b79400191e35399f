/** What is brought in line with Docker, and what never is. Real interfaces; the last part on a real Engine. */
import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CONTAINER_ANNOTATION} from '../../../src/lib/client/endpoints.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {type DockerNetwork, dockerNetworks} from '../../../src/lib/docker/networks.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {hostInterfaceName} from '../../../src/lib/host/interfaces.js'
import {requestAddress} from '../../../src/lib/libnetwork/addresses.js'
import {createEndpoint, deleteEndpoint, describeEndpoint, findEndpoint} from '../../../src/lib/libnetwork/endpoints.js'
import {makeLink, removeLink} from '../../../src/lib/libnetwork/links.js'
import {driverParts} from '../../../src/lib/libnetwork/parts.js'
import {newReconciler, type Reconciler, type ReconcilerClock, type ReconcilerOptions} from '../../../src/lib/libnetwork/reconcile.js'
import {startService} from '../../../src/lib/libnetwork/service.js'
import {newStoreState} from '../../../src/lib/libnetwork/store-state.js'
import {parseAddress} from '../../../src/lib/net/index.js'
import {startEngine, suite, type TestEngine, whyNoEngine} from '../../support/docker.js'
import {listedLog} from '../../support/driver-parts.js'
import {type FaultyStore, faultyStore} from '../../support/faulty-store.js'
import {allAssigned, createObject, unsound} from '../../support/ipam.js'
import {hostInterfaces, startNamespace, type TestNamespace, whyNoNamespaces} from '../../support/namespaces.js'

const NETWORK = 'b2'.repeat(32)
const randomId = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')
const NOTHING = {removedEndpoints: 0, releasedAddresses: 0}
const network = (id: string, endpoints: readonly string[] = []): DockerNetwork =>
  ({id, name: 'databases', driver: 'calico', options: {}, ipamDriver: 'calico', ipamOptions: {}, subnets: [], ipv6: false, endpoints})

let store: FaultyStore
let session: Session
let log: ReturnType<typeof listedLog>
/** Milliseconds that the test lets pass. The elapsed time is only these; the time of day goes on, since the handles have it. */
let passed: number
const clock: ReconcilerClock = {elapsed: () => passed, now: () => Date.now() + passed}
const pass = (milliseconds: number): void => void (passed += milliseconds)

beforeEach(async () => {
  passed = 1_000
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
  log = listedLog()
  await createObject(session, 'IPPool', 'four', {cidr: '192.168.0.0/16'})
})
afterEach(() => store.close())

async function newAddress(): Promise<string> {
  return (await requestAddress(session, 'a', {poolId: 'CalicoPoolIPv4', address: '', options: null})).Address.replace('/32', '')
}

/** An endpoint with an address, as the driver makes it. */
async function newEndpoint(endpointId = randomId()): Promise<string> {
  const address = parseAddress(await newAddress())
  await createEndpoint(session, {node: 'a', endpointId, networkId: NETWORK, profile: 'web', addresses: address ? [address] : [], fromCalico: true, mac: 'ee:ee:ee:ee:ee:ee'})
  return endpointId
}
const exists = async (endpointId: string): Promise<boolean> => (await findEndpoint(session, 'a', endpointId)) !== undefined

suite('what Docker does not know', whyNoNamespaces(), () => {
  let listed: () => Promise<DockerNetwork[]>
  let local: boolean
  const reconciler = (more: Partial<ReconcilerOptions> = {}): Reconciler =>
    newReconciler({session, node: 'a', log, clock, missingMs: 40_000, orphanMs: 40_000, docker: {address: 'unix:///test.sock', get local() { return local }, list: () => listed()}, ...more})
  /** Two rounds as far apart as they must be. */
  const twice = async (subject: Reconciler) => {
    await subject.round()
    pass(60_000)
    return subject.round()
  }

  beforeEach(() => {
    listed = () => Promise.resolve([network(NETWORK)])
    local = true
  })

  describe('when to look again', () => {
    test('when the first of what seems wrong is certain; not for what is, or cannot be known', async () => {
      const endpoint = await newEndpoint()
      const subject = reconciler({missingMs: 200, orphanMs: 10_000})
      expect((await subject.round()).certainInMs).toBe(200)
      pass(120)
      expect((await subject.round()).certainInMs).toBe(80)
      await makeLink({endpointId: endpoint, mac: 'ee:ee:ee:ee:ee:ee', mtu: undefined, ipv6: false})
      const container = await startNamespace()
      try {
        execFileSync('ip', ['link', 'set', `tmp${endpoint.slice(0, 11)}`, 'netns', String(container.pid)])
        pass(120)
        expect(await subject.round()).toEqual({...NOTHING, certainInMs: undefined}) // a container has it
      } finally {
        await removeLink(endpoint)
        await container.stop()
      }
      listed = () => Promise.reject(new CalicoError('failed', 'no Docker'))
      expect(await reconciler({missingMs: 200}).round()).toEqual({...NOTHING, certainInMs: undefined})
    })

    test('when an address without endpoint is old enough, by when it was asked for', async () => {
      await newAddress()
      pass(100_000)
      const {certainInMs = 0} = await reconciler({orphanMs: 500_000}).round()
      expect(certainInMs).toBeGreaterThan(300_000)
      expect(certainInMs).toBeLessThanOrEqual(400_000)
    })

    test('or, where that is not known, by when it was first seen', async () => {
      await deleteEndpoint(session, 'a', await newEndpoint())
      const subject = reconciler({orphanMs: 500_000})
      expect((await subject.round()).certainInMs).toBe(500_000)
      pass(60_000)
      expect((await subject.round()).certainInMs).toBe(440_000)
    })
  })

  describe('endpoints', () => {
    test('one is removed with its addresses when it is missing for the second time', async () => {
      const [gone, alive] = [await newEndpoint(), await newEndpoint()]
      listed = () => Promise.resolve([network('0'.repeat(64)), network(NETWORK, [alive])])
      const subject = reconciler()
      expect(await subject.round()).toMatchObject(NOTHING)
      pass(39_999)
      expect(await subject.round()).toMatchObject(NOTHING) // too early
      expect(await exists(gone)).toBe(true)
      pass(1)
      expect(await subject.round()).toMatchObject({removedEndpoints: 1, releasedAddresses: 1})
      expect([await exists(gone), await exists(alive)]).toEqual([false, true])
      expect(await allAssigned(store)).toHaveLength(1)
      expect(await unsound(store)).toEqual([])
      expect(await subject.round()).toMatchObject(NOTHING)
    })
    test('one that is there again in between begins anew', async () => {
      const endpoint = await newEndpoint()
      const subject = reconciler()
      await subject.round()
      pass(60_000)
      listed = () => Promise.resolve([network(NETWORK, [endpoint])])
      await subject.round()
      listed = () => Promise.resolve([network(NETWORK)])
      expect(await subject.round()).toMatchObject(NOTHING)
      expect(await exists(endpoint)).toBe(true)
    })
    test('other nodes\' are not looked at', async () => {
      const endpoint = await newEndpoint()
      expect(await twice(reconciler({node: 'b'}))).toMatchObject(NOTHING)
      expect(await exists(endpoint)).toBe(true)
    })
    test('Docker is asked after the endpoints were read: one that is made meanwhile stays', async () => {
      const subject = reconciler()
      await newEndpoint()
      let late = ''
      listed = async () => {
        late ||= await newEndpoint()
        return [network(NETWORK)]
      }
      await subject.round()
      pass(60_000)
      await subject.round()
      expect(await exists(late)).toBe(true)
    })
    test.each<[string, () => Promise<DockerNetwork[]>, boolean]>([
      ['does not answer', () => Promise.reject(new CalicoError('failed', 'no answer')), true],
      ['has no networks at all, not even its own', () => Promise.resolve([]), true],
      ['is not of this host', () => Promise.resolve([network(NETWORK)]), false],
    ])('an Engine that %s is not a reason to remove anything', async (_, answer, isLocal) => {
      const endpoint = await newEndpoint()
      listed = answer
      local = isLocal
      const subject = reconciler()
      expect(await twice(subject)).toMatchObject(NOTHING)
      expect(await twice(subject)).toMatchObject(NOTHING)
      expect(await exists(endpoint)).toBe(true)
      expect(log.lines.filter((line) => line.includes('are not searched for'))).toHaveLength(1)
    })
    test('a datastore that does not answer is told', async () => {
      await newEndpoint()
      const subject = reconciler()
      await subject.round()
      pass(60_000)
      store.onWrite = () => Promise.reject(new CalicoError('unreachable', 'away'))
      await expect(subject.round()).rejects.toMatchObject({kind: 'unreachable'})
    })

    describe('with an interface', () => {
      let container: TestNamespace
      let endpoint: string
      beforeEach(async () => {
        container = await startNamespace()
        endpoint = await newEndpoint()
        await makeLink({endpointId: endpoint, mac: 'ee:ee:ee:ee:ee:ee', mtu: undefined, ipv6: false})
      })
      afterEach(async () => {
        await removeLink(endpoint)
        await container.stop()
      })
      test('both ends of which are on the host: removed, too', async () => {
        expect(await twice(reconciler())).toMatchObject({removedEndpoints: 1, releasedAddresses: 1})
        expect(hostInterfaces()).not.toContain(hostInterfaceName(endpoint))
      })
      test('that a container has: it stays, whatever Docker says, and that is told once', async () => {
        execFileSync('ip', ['link', 'set', 'dev', `tmp${endpoint.slice(0, 11)}`, 'netns', String(container.pid)])
        const subject = reconciler()
        expect(await twice(subject)).toMatchObject(NOTHING)
        expect(await twice(subject)).toMatchObject(NOTHING)
        expect(await exists(endpoint)).toBe(true)
        expect(log.lines).toEqual([`warn Docker does not know the endpoint ${endpoint.slice(0, 12)}, but its interface is in a container: it is kept`])
        await deleteEndpoint(session, 'a', endpoint)
        expect(await twice(subject)).toMatchObject(NOTHING) // nor is its address given to somebody else
        expect(await allAssigned(store)).toHaveLength(1)
      })
    })
  })

  describe('addresses without endpoint', () => {
    test('one that Docker asked for and did not use is released when it is old, whether Docker answers or not', async () => {
      listed = () => Promise.reject(new CalicoError('failed', 'no answer'))
      await newAddress()
      const subject = reconciler({orphanMs: 200_000})
      expect(await subject.round()).toMatchObject(NOTHING)
      pass(200_000)
      expect(await subject.round()).toMatchObject({removedEndpoints: 0, releasedAddresses: 1})
      expect(await allAssigned(store)).toEqual([])
    })
    test('one of an endpoint that was deleted is released when it has been so for long', async () => {
      const endpoint = await newEndpoint()
      await deleteEndpoint(session, 'a', endpoint)
      const subject = reconciler()
      expect(await subject.round()).toMatchObject(NOTHING)
      pass(60_000)
      expect(await subject.round()).toMatchObject({removedEndpoints: 0, releasedAddresses: 1})
      expect(await unsound(store)).toEqual([])
    })
    test('one of an endpoint that Docker still knows stays, and also as long as Docker does not answer', async () => {
      const endpoint = await newEndpoint()
      await deleteEndpoint(session, 'a', endpoint)
      listed = () => Promise.reject(new CalicoError('failed', 'no answer'))
      const subject = reconciler()
      expect(await twice(subject)).toMatchObject(NOTHING)
      expect(log.lines).toEqual(["info Endpoints unknown to Docker are not searched for: no answer"])
      listed = () => Promise.resolve([network(NETWORK, [endpoint])])
      expect(await twice(subject)).toMatchObject(NOTHING)
      expect(await allAssigned(store)).toHaveLength(1)
    })
  })

  test('networks: what is remembered of one that Docker does not know is removed, but not while an endpoint is of it', async () => {
    const [used, unused, known] = [NETWORK, 'c3'.repeat(32), 'd4'.repeat(32)]
    const endpoint = await newEndpoint()
    listed = () => Promise.resolve([network(known), network('e5'.repeat(32), [endpoint])])
    const removed: string[] = []
    const subject = reconciler({networks: {remembered: () => [used, unused, known], remove: (id) => Promise.resolve(void removed.push(id))}})
    await subject.round()
    expect(removed).toEqual([])
    pass(60_000)
    await subject.round()
    expect(removed).toEqual([unused])
  })

  test('a container that is not noted at its endpoint is asked for', async () => {
    const [noted, unnoted, gone] = [await newEndpoint(), await newEndpoint(), await newEndpoint()]
    await describeEndpoint(session, 'a', noted, {container: 'db'})
    listed = () => Promise.resolve([network(NETWORK, [noted, unnoted])])
    const told: object[] = []
    await reconciler({describe: (endpoint) => void told.push(endpoint)}).round()
    expect(told).toEqual([{endpointId: unnoted, networkId: NETWORK}])
    expect(await exists(gone)).toBe(true)
  })
})

suite('on a real Engine', whyNoEngine(), () => {
  let engine: TestEngine
  let folder: string
  const driver = `calico-c${process.pid}`
  const before = process.env.DOCKER_HOST

  beforeAll(async () => {
    engine = await startEngine()
    folder = mkdtempSync(join(tmpdir(), 'calicoctl-reconcile-'))
    process.env.DOCKER_HOST = engine.address
  }, 300_000)
  afterAll(async () => {
    if (before === undefined) delete process.env.DOCKER_HOST
    else process.env.DOCKER_HOST = before
    await engine.stop()
    rmSync(folder, {recursive: true})
  })

  test('calls of Docker\'s in vain are made up for, and nothing else is done', async () => {
    mkdirSync('/run/docker/plugins', {recursive: true})
    const {parts} = driverParts({session, node: 'a', log, mtu: undefined, labelEndpoints: true, labelLimitMs: 5_000, networksFolder: folder})
    let isAway = false
    const unlessAway = <T>(work: () => Promise<T>): Promise<T> => (isAway ? Promise.reject(new CalicoError('unreachable', 'away')) : work())
    const service = await startService({
      socket: `/run/docker/plugins/${driver}.sock`,
      scope: 'local',
      metricsFile: undefined,
      session,
      state: newStoreState(),
      parts: {...parts, deleteEndpoint: (id) => unlessAway(() => parts.deleteEndpoint(id)), releaseAddress: (request) => unlessAway(() => parts.releaseAddress(request))},
      round: () => Promise.resolve(NOTHING),
      log,
      limitMs: 5_000,
    })
    const name = `databases-${process.pid}`
    const idOf = async (container: string) => engine.docker('inspect', '-f', `{{(index .NetworkSettings.Networks "${name}").EndpointID}}`, container)
    const docker = dockerNetworks({env: {DOCKER_HOST: engine.address}})
    try {
      await engine.docker('network', 'create', '--driver', driver, '--ipam-driver', driver, name)
      for (const container of ['gone', 'stays']) await engine.docker('run', '-d', '--net', name, '--label', `org.projectcalico.label.role=${container}`, '--name', `${container}-${process.pid}`, 'busybox', 'sleep', '1d')
      const [gone, stays] = [await idOf(`gone-${process.pid}`), await idOf(`stays-${process.pid}`)]
      const metadata = async () => (await findEndpoint(session, 'a', stays))?.resource.metadata
      for (let tries = 0; tries < 1_200 && (await metadata())?.annotations?.[CONTAINER_ANNOTATION] === undefined; tries++) await sleep(50)
      expect(await metadata()).toMatchObject({annotations: {[CONTAINER_ANNOTATION]: `stays-${process.pid}`}, labels: {role: 'stays'}})
      expect(new Set((await docker.inspect(name))?.endpoints)).toEqual(new Set([gone, stays]))

      // Docker goes on without the driver, and does not ask again.
      isAway = true
      await engine.docker('rm', '-f', `gone-${process.pid}`)
      isAway = false
      expect(await exists(gone)).toBe(true)
      const subject = newReconciler({session, node: 'a', docker, log, clock})
      await subject.round()
      pass(20_000)
      expect(await subject.round()).toMatchObject({removedEndpoints: 1, releasedAddresses: 1})
      expect([await exists(gone), await exists(stays)]).toEqual([false, true])
      expect(await allAssigned(store)).toHaveLength(1)

      await engine.docker('rm', '-f', `stays-${process.pid}`)
      await engine.docker('network', 'rm', name)
      expect(await exists(stays)).toBe(false)
      expect(await allAssigned(store)).toEqual([])
      expect(await unsound(store)).toEqual([])
    } finally {
      await service.stop()
    }
  }, 240_000)
})
