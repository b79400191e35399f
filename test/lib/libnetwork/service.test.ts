/** The whole service, with everything but Docker real: sockets, datastore, interfaces. */
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {openDatastore} from '../../../src/lib/datastore/open.js'
import {hostInterfaceName} from '../../../src/lib/host/interfaces.js'
import {driverParts} from '../../../src/lib/libnetwork/parts.js'
import {startService, type Service, type ServiceOptions} from '../../../src/lib/libnetwork/service.js'
import {newStoreState, observed, stateBudget} from '../../../src/lib/libnetwork/store-state.js'
import {suite} from '../../support/docker.js'
import {fakeParts, listedLog} from '../../support/driver-parts.js'
import {startEtcd, type TestEtcd} from '../../support/etcd.js'
import {allAssigned, createObject, unsound} from '../../support/ipam.js'
import {hostInterfaces, whyNoNamespaces} from '../../support/namespaces.js'
import {callPlugin, type PluginReply} from '../../support/plugin-client.js'
import {startSilentServer} from '../../support/silent-server.js'

const NETWORK = 'a4d2'.repeat(16)
const ASK = {PoolID: 'CalicoPoolIPv4', Address: '', Options: null}

let folder: string
let socket: string
const ends: (() => Promise<unknown>)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-service-'))
  socket = join(folder, 'plugins/calico.sock')
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  rmSync(folder, {recursive: true, force: true})
})

interface Running {
  readonly service: Service
  readonly session: Session
  readonly lines: readonly string[]
  readonly call: (name: string, body?: unknown) => Promise<PluginReply>
}

/** Far above what a request takes on a busy machine. */
const AMPLE_MS = 60_000

/** The service on the etcd at ENDPOINTS. */
async function start(endpoints: readonly string[], options: Partial<ServiceOptions> = {}): Promise<Running> {
  const log = listedLog()
  const state = newStoreState()
  const limitMs = options.limitMs ?? AMPLE_MS
  const datastore = {type: 'etcd' as const, endpoints: {value: endpoints, origin: 'the test'}}
  const session = newSession(observed(await openDatastore({datastore}, stateBudget(state, limitMs)), state), {warn: (text) => log.warn(text), longLived: true})
  const {parts, reconciler} = driverParts({session, node: 'host1', log, mtu: undefined, labelEndpoints: false, labelLimitMs: 100, networksFolder: join(folder, 'networks')})
  const service = await startService({
    socket, scope: 'local', metricsFile: undefined, session, state, parts, round: () => reconciler.round(), log, limitMs, owner: process.getuid?.() ?? 0, ...options,
  })
  ends.push(async () => {
    await service.stop()
    session.store.close()
  })
  return {service, session, lines: log.lines, call: (name, body) => callPlugin(socket, name, body)}
}

/** An etcd with a pool. */
async function withPool(): Promise<TestEtcd> {
  const etcd = await startEtcd()
  ends.push(() => etcd.stop())
  const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: etcd.endpoints, origin: 'the test'}}})
  await createObject(newSession(store, {warn: () => undefined}), 'IPPool', 'pool', {cidr: '192.168.0.0/16'})
  store.close()
  return etcd
}

const newId = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')

/** Docker's calls for a network whose profile is named, so that Docker need not be asked for its name. */
const CREATE_NETWORK = {
  NetworkID: NETWORK,
  Options: {'com.docker.network.enable_ipv6': false, 'com.docker.network.generic': {profile: 'databases'}},
  IPv4Data: [{AddressSpace: 'CalicoLocalAddressSpace', Gateway: '0.0.0.0/0', Pool: '0.0.0.0/0'}],
  IPv6Data: [],
}
const endpointOf = (EndpointID: string, Address: string) => ({NetworkID: NETWORK, EndpointID, Interface: {Address, AddressIPv6: '', MacAddress: ''}, Options: {}})
const addressIn = ({body}: PluginReply): string => (body as {Address: string}).Address

suite('on a real etcd', whyNoNamespaces(), () => {
  test('a container comes and goes; each call delivered twice does the same (R16)', async () => {
    const etcd = await withPool()
    const {call, session} = await start(etcd.endpoints)
    const twice = async (name: string, body: unknown): Promise<PluginReply> => {
      const [first, second] = [await call(name, body), await call(name, body)]
      expect({name, status: first.status, body: second.body}).toEqual({name, status: 200, body: first.body})
      return first
    }
    const id = newId()
    const ids = {NetworkID: NETWORK, EndpointID: id}
    await twice('NetworkDriver.CreateNetwork', CREATE_NETWORK)
    const address = addressIn(await call('IpamDriver.RequestAddress', ASK))
    expect(address).toMatch(/^192\.168\.\d+\.\d+\/32$/)
    expect((await twice('NetworkDriver.CreateEndpoint', endpointOf(id, address))).body).toEqual({Interface: {MacAddress: 'EE:EE:EE:EE:EE:EE'}})
    expect((await twice('NetworkDriver.Join', {...ids, SandboxKey: '/x', Options: {}})).body).toEqual({
      InterfaceName: {SrcName: `tmp${id.slice(0, 11)}`, DstPrefix: 'cali'},
      Gateway: '169.254.1.1',
      StaticRoutes: [{Destination: '169.254.1.1/32', RouteType: 1, NextHop: ''}],
    })
    expect(hostInterfaces()).toEqual(expect.arrayContaining([hostInterfaceName(id), `tmp${id.slice(0, 11)}`]))
    await twice('NetworkDriver.Leave', ids)
    expect(hostInterfaces()).not.toContain(hostInterfaceName(id))
    await twice('NetworkDriver.DeleteEndpoint', ids)
    expect(await allAssigned(session.store)).toEqual([address.replace('/32', '')])
    await twice('IpamDriver.ReleaseAddress', {PoolID: ASK.PoolID, Address: address.replace('/32', '')})
    await twice('IpamDriver.ReleaseAddress', {PoolID: ASK.PoolID, Address: '0.0.0.0'})
    await twice('NetworkDriver.DeleteNetwork', {NetworkID: NETWORK})
    expect(await allAssigned(session.store)).toEqual([])
    expect(await unsound(session.store)).toEqual([])
  })

  test('what was never heard of is left and deleted all the same', async () => {
    const etcd = await withPool()
    const {call} = await start(etcd.endpoints)
    const ids = {NetworkID: NETWORK, EndpointID: newId()}
    for (const [name, body] of [['NetworkDriver.Leave', ids], ['NetworkDriver.DeleteEndpoint', ids], ['NetworkDriver.DeleteNetwork', ids], ['IpamDriver.ReleaseAddress', {PoolID: 'x', Address: '10.9.9.9'}]] as const) {
      expect({name, reply: await call(name, body)}).toMatchObject({name, reply: {status: 200, body: {}}})
    }
    expect(await call('NetworkDriver.Join', ids)).toMatchObject({status: 500})
  })

  test('another process goes on where the first was killed', async () => {
    const etcd = await withPool()
    const first = await start(etcd.endpoints)
    const id = newId()
    const ids = {NetworkID: NETWORK, EndpointID: id}
    await first.call('NetworkDriver.CreateNetwork', CREATE_NETWORK)
    const address = addressIn(await first.call('IpamDriver.RequestAddress', ASK))
    await first.service.stop()
    const second = await start(etcd.endpoints)
    expect(await second.call('NetworkDriver.CreateEndpoint', endpointOf(id, address))).toMatchObject({status: 200})
    await second.service.stop()
    const third = await start(etcd.endpoints)
    expect(await third.call('NetworkDriver.Join', ids)).toMatchObject({status: 200})
    expect(await third.call('NetworkDriver.Leave', ids)).toMatchObject({status: 200})
    expect(await third.call('NetworkDriver.DeleteEndpoint', ids)).toMatchObject({status: 200})
    expect(await third.call('IpamDriver.ReleaseAddress', {PoolID: ASK.PoolID, Address: address.replace('/32', '')})).toMatchObject({status: 200})
    expect(await allAssigned(third.session.store)).toEqual([])
  })

  test('thirty containers at once', async () => {
    const etcd = await withPool()
    const {call, session} = await start(etcd.endpoints)
    await call('NetworkDriver.CreateNetwork', CREATE_NETWORK)
    const addresses = await Promise.all(Array.from({length: 30}, async () => {
      const id = newId()
      const address = addressIn(await call('IpamDriver.RequestAddress', ASK))
      const ids = {NetworkID: NETWORK, EndpointID: id}
      expect(await call('NetworkDriver.CreateEndpoint', endpointOf(id, address))).toMatchObject({status: 200})
      expect(await call('NetworkDriver.Join', ids)).toMatchObject({status: 200})
      expect(await call('NetworkDriver.Leave', ids)).toMatchObject({status: 200})
      expect(await call('NetworkDriver.DeleteEndpoint', ids)).toMatchObject({status: 200})
      expect(await call('IpamDriver.ReleaseAddress', {PoolID: ASK.PoolID, Address: address.replace('/32', '')})).toMatchObject({status: 200})
      return address
    }))
    expect(new Set(addresses).size).toBe(30)
    expect(await allAssigned(session.store)).toEqual([])
    expect(await unsound(session.store)).toEqual([])
  })

  test('etcd goes and comes back: clear errors meanwhile, then all as before, and a round at once', async () => {
    const etcd = await withPool()
    let rounds = 0
    const {call, lines} = await start(etcd.endpoints, {
      round: () => {
        rounds++
        return Promise.resolve({removedEndpoints: 0, releasedAddresses: 0})
      },
    })
    const address = addressIn(await call('IpamDriver.RequestAddress', ASK))
    await etcd.members[0]?.kill()
    const reply = await call('IpamDriver.RequestAddress', ASK)
    expect(reply).toMatchObject({status: 500, body: {Err: expect.stringContaining(etcd.endpoints[0] ?? '') as unknown}})
    expect(await call('Plugin.Activate')).toMatchObject({status: 200})
    expect(lines.some((line) => line.startsWith('warn The datastore does not answer'))).toBe(true)
    expect(rounds).toBe(1)
    await etcd.members[0]?.start()
    for (let i = 0; i < 600 && rounds < 2; i++) await sleep(100)
    expect(rounds).toBe(2)
    expect(await call('IpamDriver.ReleaseAddress', {PoolID: ASK.PoolID, Address: address.replace('/32', '')})).toMatchObject({status: 200})
    expect(lines.filter((line) => line.startsWith('info The datastore answers'))).toHaveLength(2)
  })

  test('an assignment whose answer is too late for Docker is given back', async () => {
    const etcd = await withPool()
    const {call, session, lines} = await start(etcd.endpoints, {limitMs: 600})
    expect(await call('IpamDriver.RequestAddress', ASK)).toMatchObject({status: 200})
    etcd.members[0]?.freeze()
    const replies = await Promise.all(Array.from({length: 5}, () => call('IpamDriver.RequestAddress', ASK)))
    expect(replies.map(({status}) => status)).toEqual([500, 500, 500, 500, 500])
    etcd.members[0]?.thaw()
    for (let i = 0; i < 600 && (await allAssigned(session.store).catch(() => [])).length !== 1; i++) await sleep(100)
    await sleep(1_000)
    const assigned = await allAssigned(session.store)
    // A write whose answer was lost altogether is found by reconciliation: its handle is pending.
    const released = lines.filter((line) => line.startsWith('warn Rolled back')).length
    expect(assigned.length).toBeLessThanOrEqual(6 - released)
    expect(await unsound(session.store)).toEqual([])
  })
})

describe('while nothing answers', () => {
  test('200 calls at once end quickly, Docker is answered meanwhile, and those after do not wait as long (R17)', async () => {
    const silent = await startSilentServer()
    ends.push(() => silent.stop())
    const {call, lines} = await start([silent.endpoint], {limitMs: 5_000})
    expect(await call('Plugin.Activate')).toMatchObject({status: 200})
    const began = performance.now()
    const bodies = (i: number): readonly [string, unknown] => [
      ['IpamDriver.RequestAddress', ASK],
      ['NetworkDriver.CreateEndpoint', endpointOf(newId(), '192.168.0.1/32')],
      ['NetworkDriver.DeleteEndpoint', {NetworkID: NETWORK, EndpointID: newId()}],
      ['IpamDriver.ReleaseAddress', {PoolID: 'P', Address: `192.168.0.${i}`}],
    ][i % 4] as [string, unknown]
    const all = Promise.all(Array.from({length: 200}, (_, i) => call(...bodies(i))))
    await sleep(200)
    let areDone = false
    void all.then(() => (areDone = true))
    expect(await call('NetworkDriver.GetCapabilities')).toMatchObject({status: 200})
    expect(areDone).toBe(false)
    const replies = await all
    expect(performance.now() - began).toBeLessThan(60_000) // one after the other they would take minutes
    expect(new Set(replies.map(({status}) => status))).toEqual(new Set([500]))
    expect(replies.every(({body}) => typeof (body as {Err: unknown}).Err === 'string')).toBe(true)
    const later = performance.now()
    expect(await call('IpamDriver.RequestAddress', ASK)).toMatchObject({status: 500, body: {Err: expect.stringContaining(silent.endpoint) as unknown}})
    expect(performance.now() - later).toBeLessThan(1_500)
    expect(lines.filter((line) => line.includes('fault'))).toEqual([])
  })

  test('nobody at the port: told at once', async () => {
    const {call} = await start(['http://127.0.0.1:1'])
    const began = performance.now()
    expect(await call('IpamDriver.RequestAddress', ASK)).toMatchObject({status: 500, body: {Err: expect.stringContaining('127.0.0.1:1') as unknown}})
    expect(performance.now() - began).toBeLessThan(3_000)
  })
})

describe('start and end', () => {
  const fake = async (options: Partial<ServiceOptions> = {}): Promise<Running> =>
    start(['http://127.0.0.1:1'], {parts: fakeParts(), round: () => Promise.resolve({removedEndpoints: 0, releasedAddresses: 0}), ...options})

  test('two sockets, gone at the end', async () => {
    const {call, service} = await fake()
    const ipam = join(folder, 'plugins/calico-ipam.sock')
    expect(await call('Plugin.Activate')).toMatchObject({body: {Implements: ['NetworkDriver', 'IpamDriver']}})
    expect(await callPlugin(ipam, 'Plugin.Activate')).toMatchObject({body: {Implements: ['IpamDriver']}})
    await service.stop()
    expect([existsSync(socket), existsSync(ipam)]).toEqual([false, false])
  })

  test('a second one is refused, and leaves nothing; the first goes on', async () => {
    const {call} = await fake()
    await expect(fake()).rejects.toMatchObject({kind: 'refused', exitCode: 8})
    expect(await call('Plugin.Activate')).toMatchObject({status: 200})
    rmSync(socket)
    await expect(fake()).rejects.toMatchObject({kind: 'refused'}) // the IPAM twin is still served
    expect(existsSync(socket)).toBe(false)
  })

  test('the metrics are there from the start, and complete at the end', async () => {
    const metricsFile = join(folder, 'calico.prom')
    const {call, service} = await fake({metricsFile})
    for (let i = 0; i < 6_000 && !existsSync(metricsFile); i++) await sleep(10)
    expect(readFileSync(metricsFile, 'utf8')).not.toContain('Leave')
    await call('NetworkDriver.Leave', {NetworkID: NETWORK, EndpointID: newId()})
    await service.stop()
    expect(readFileSync(metricsFile, 'utf8')).toContain('requests_total{method="NetworkDriver.Leave",outcome="ok"} 1\n')
  })

  test('a metrics file that cannot be written is told once', async () => {
    const {service, lines} = await fake({metricsFile: join(folder, 'none/calico.prom')})
    await service.stop()
    expect(lines.filter((line) => line.includes('metrics'))).toEqual([expect.stringMatching(/^warn The metrics cannot be written to .*ENOENT/)])
  })
})
