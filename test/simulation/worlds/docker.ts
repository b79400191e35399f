/**
 * Two hosts whose Docker Engines call the driver, unchanged from its HTTP server down, with its rounds of reconciliation beside the calls: calls are
 * repeated, reordered and cut, the driver is killed and started again, containers vanish. Beside them `ipam check --repair`, and assignments for others.
 */
import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import {Readable} from 'node:stream'
import {CLUSTER_KEY} from '../../../src/lib/client/cluster.js'
import {endpointAddresses} from '../../../src/lib/client/endpoints.js'
import {addPools} from '../../../src/lib/client/pools.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {entriesUnder, type State} from '../../../src/lib/datastore/embedded/state.js'
import type {DockerNetwork, DockerNetworks} from '../../../src/lib/docker/networks.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {assignedAddresses, autoAssign} from '../../../src/lib/ipam/auto-assign.js'
import {endpointHandle} from '../../../src/lib/ipam/driver-handles.js'
import {releaseByHandle} from '../../../src/lib/ipam/release-addresses.js'
import {runCheck} from '../../../src/lib/ipam/run-check.js'
import {newDriver} from '../../../src/lib/libnetwork/driver.js'
import type {Log} from '../../../src/lib/libnetwork/log.js'
import {newMetrics} from '../../../src/lib/libnetwork/metrics.js'
import {driverParts} from '../../../src/lib/libnetwork/parts.js'
import {newReconciler} from '../../../src/lib/libnetwork/reconcile.js'
import {keepRounds} from '../../../src/lib/libnetwork/rounds.js'
import {newPluginServer} from '../../../src/lib/libnetwork/server.js'
import {newStoreState, observed, patience} from '../../../src/lib/libnetwork/store-state.js'
import {kindPrefix} from '../../../src/lib/model/keys.js'
import type {WorkloadEndpoint} from '../../../src/lib/model/types.js'
import {formatAddress} from '../../../src/lib/net/index.js'
import {createObject} from '../../support/ipam.js'
import {useDocker} from '../doubles/docker-networks.js'
import {type Host, newHost} from '../doubles/host.js'
import {hostInterfaceName} from '../doubles/interfaces.js'
import {newRandom} from '../random.js'
import type {Actor, Process, World} from '../simulation.js'
import {ownersIn, unsoundIn} from './ipam-state.js'
import {cidrOf, read} from './stored.js'

const NODES = ['n1', 'n2']
const POOL = '10.0.0.0/28'
const ENDPOINTS = kindPrefix('WorkloadEndpoint')
/** Of a request, as Docker's patience is. */
const LIMIT_MS = 8_000
/** Longer than anything takes to be certain: an address without endpoint a minute, an endpoint that Docker does not know 15 s. */
const END_ROUNDS = {count: 12, pauseMs: 16_000}

/** An id as Docker's are, of what is called NAME. */
function hex(name: string): string {
  const digits = newRandom(name)
  return Array.from({length: 64}, () => digits.below(16).toString(16)).join('')
}

/** A host's Engine as the driver knows it. */
interface Engine {
  readonly node: string
  readonly network: string
  /** Endpoints that it knows. */
  readonly known: Set<string>
  readonly docker: DockerNetworks
  driver: Driver | undefined
  /** Whether it does not answer, this time. */
  isSilent: () => boolean
}

interface Driver {
  readonly process: Process
  readonly server: Server
  /** Ends requests that are waited for. */
  readonly broken: Set<() => void>
  stop(): void
}

interface Container {
  readonly id: string
  /** Asked for; '' = any. */
  readonly wanted: string
  address: string
}

/** The store's part of {@link World.make}'s state. */
interface Live {
  /** What Docker was told to be done, and has not begun to take away: endpoint → its address. */
  readonly containers: Map<string, string>
  /** Handles of others, with their addresses. */
  readonly others: Map<string, readonly string[]>
}

export const docker: World = {
  name: 'docker',
  actors: 4,
  commands: 2,
  share: 0.3,
  span: 30_000,
  // A host that dies takes its containers with it: what is killed here is the driver.
  spared: ['death'],
  make(all) {
    const {store, time, random} = all
    const tell = (who: string, text: string): void => all.tell(who, text)
    const chance = random.fork('hosts')
    const host = newHost(() => chance.next() * 8)
    const live: Live = {containers: new Map(), others: new Map()}
    const engines = new Map(NODES.map((node) => [node, newEngine(node)]))
    /** The Engines answer at once, at the end. */
    let isOver = false
    let pids = 1

    function newEngine(node: string): Engine {
      const known = new Set<string>()
      const network = hex(`network of ${node}`)
      const answer = async <T>(value: () => T): Promise<T> => {
        await new Promise<void>((resolve) => void time.in(isOver ? 1 : chance.next() * 30, resolve))
        if (!isOver && engine.isSilent()) throw new CalicoError('failed', `The Engine of ${node} does not answer`)
        return value()
      }
      const own = (): DockerNetwork => ({id: network, name: 'net', driver: 'calico', options: {}, ipamDriver: 'calico-ipam', ipamOptions: {}, subnets: [{subnet: '0.0.0.0/0', gateway: '0.0.0.0'}], ipv6: false, endpoints: [...known]})
      const engine: Engine = {
        node,
        network,
        known,
        driver: undefined,
        isSilent: () => false,
        docker: {
          address: 'unix:///simulated',
          local: true,
          inspect: (id) => answer(() => (id === network ? own() : undefined)),
          list: () => answer(() => [{...own(), id: hex('host'), name: 'host', driver: 'host', endpoints: []}, own()]),
          containerOf: (endpointId) => answer(() => (live.containers.has(endpointId) ? {id: endpointId, name: endpointId.slice(0, 8), labels: {}} : undefined)),
        },
      }
      return engine
    }

    function startDriver(engine: Engine, actor: Actor): Driver {
      const {node} = engine
      const process = actor.process()
      const state = newStoreState()
      const session = newSession(observed(process.store(), state), {longLived: true, warn: (text) => tell(node, `warns: ${text}`)})
      const log = logOf(node, tell)
      useDocker(engine.docker)
      const {parts, reconciler} = driverParts({session, node, log, mtu: undefined, labelEndpoints: false, labelLimitMs: 2_000, networksFolder: node})
      const metrics = newMetrics()
      const plugin = newPluginServer({driver: newDriver(parts, {scope: 'local', log}), log, metrics, limitMs: ({onHost}) => (onHost ? 10_000 : patience(state, LIMIT_MS)), whyLate: () => 'late'})
      const ending = new AbortController()
      void keepRounds({state, probe: () => session.store.get(CLUSTER_KEY), round: () => reconciler.round(), log, metrics}, ending.signal)
      const broken = new Set<() => void>()
      return {
        process,
        broken,
        server: plugin.serve({Implements: ['NetworkDriver', 'IpamDriver']}),
        stop() {
          ending.abort()
          process.kill()
          for (const each of broken) each()
        },
      }
    }

    /** What the driver answers; an error where it does not, or is killed meanwhile. */
    function ask({driver}: Engine, name: string, body: object): Promise<Record<string, unknown>> {
      return new Promise((resolve, reject) => {
        if (!driver) throw new TypeError('there is no driver')
        const fail = (text: string): void => reject(new CalicoError('failed', text))
        const breaks = (): void => fail('the connection broke off')
        driver.broken.add(breaks)
        let status = 0
        const response = {
          on: () => undefined,
          destroyed: false,
          writeHead: (code: number) => void (status = code),
          end(text: string) {
            driver.broken.delete(breaks)
            if (!driver.process.alive) return
            const reply = JSON.parse(text) as Record<string, unknown>
            if (status === 200) resolve(reply)
            else fail(String(reply.Err))
          },
        }
        const request = {
          url: `/${name}`,
          method: 'POST',
          complete: true,
          iterator: () => Readable.from([Buffer.from(JSON.stringify(body))]).iterator(),
        }
        driver.server.emit('request', request as unknown as IncomingMessage, response as unknown as ServerResponse)
      })
    }

    /** As ask(), told as a command; repeated now and then, while the first is being done or later. */
    async function call(actor: Actor, engine: Engine, name: string, body: object, what: string): Promise<Record<string, unknown> | undefined> {
      if (actor.fault('repeated', 0.08)) {
        const later = actor.random.next() * 3_000
        time.in(actor.random.chance(0.5) ? 1 : later, () => {
          if (!engine.driver?.process.alive) return
          tell(engine.node, `is asked again for ${name} ${what}`)
          ask(engine, name, body).catch(() => undefined)
        })
      }
      return actor.command(`${name} ${what}`, {}, () => ask(engine, name, body))
    }

    /** What Docker does to start a container, and to take back what was done when a step fails. */
    async function start(actor: Actor, engine: Engine, container: Container): Promise<boolean> {
      const {id, wanted} = container
      const ids = {NetworkID: engine.network, EndpointID: id}
      const what = id.slice(0, 12)
      const given = await call(actor, engine, 'IpamDriver.RequestAddress', {PoolID: 'CalicoPoolIPv4', Address: wanted, Options: {}}, `${wanted || 'any'} for ${what}`)
      if (given === undefined || actor.fault('cut', 0.04)) return false
      const cidr = String(given.Address)
      container.address = cidr.split('/', 1)[0] ?? ''
      const created = await call(actor, engine, 'NetworkDriver.CreateEndpoint', {...ids, Interface: {Address: cidr, AddressIPv6: '', MacAddress: ''}, Options: {}}, `${what} ${cidr}`)
      if (actor.fault('cut', 0.04)) return false
      if (created === undefined) {
        await release(actor, engine, container)
        return false
      }
      engine.known.add(id)
      const joined = await call(actor, engine, 'NetworkDriver.Join', {...ids, SandboxKey: ''}, what)
      if (joined === undefined || actor.fault('cut', 0.04)) {
        if (joined === undefined) {
          await call(actor, engine, 'NetworkDriver.DeleteEndpoint', ids, what)
          await release(actor, engine, container)
        }
        engine.known.delete(id)
        return false
      }
      moveIn(host, id, `container ${what}`)
      host.namespaces.set(pids++, `container ${what}`)
      live.containers.set(id, container.address)
      return true
    }

    const release = (actor: Actor, engine: Engine, {id, address}: Container): Promise<unknown> => call(actor, engine, 'IpamDriver.ReleaseAddress', {PoolID: 'CalicoPoolIPv4', Address: address}, `${address} of ${id.slice(0, 12)}`)

    async function stop(actor: Actor, engine: Engine, container: Container): Promise<void> {
      const {id} = container
      const ids = {NetworkID: engine.network, EndpointID: id}
      const what = id.slice(0, 12)
      live.containers.delete(id)
      for (const [pid, name] of host.namespaces) if (name === `container ${what}`) host.namespaces.delete(pid)
      if (actor.fault('cut', 0.1)) {
        // The container is gone with its namespace, and nobody tells the driver.
        host.pairs.delete(hostInterfaceName(id))
        engine.known.delete(id)
        return
      }
      moveIn(host, id, undefined)
      const steps = [
        () => call(actor, engine, 'NetworkDriver.Leave', ids, what),
        () => call(actor, engine, 'NetworkDriver.DeleteEndpoint', ids, what),
        () => release(actor, engine, container),
      ]
      if (actor.fault('reordered', 0.15)) await Promise.all(steps.toReversed().map((step) => step()))
      else {
        for (const step of steps) {
          if (actor.fault('cut', 0.04)) break
          await step()
        }
      }
      engine.known.delete(id)
    }

    async function run(actor: Actor, engine: Engine, name: string): Promise<void> {
      const {random: own} = actor
      await actor.sleep(own.next() * 4_000)
      const container: Container = {id: hex(name), wanted: own.chance(0.4) ? `10.0.0.${own.below(8)}` : '', address: ''}
      if (!(await start(actor, engine, container))) return
      await actor.sleep(own.chance(0.2) ? 40_000 : own.next() * 10_000)
      if (own.chance(0.85)) await stop(actor, engine, container)
    }

    async function runEngine(actor: Actor, engine: Engine, commands: number): Promise<void> {
      engine.isSilent = () => actor.fault('silent', 0.05)
      engine.driver = startDriver(engine, actor)
      const data = [{AddressSpace: '', Pool: '0.0.0.0/0', Gateway: '0.0.0.0/0'}]
      await call(actor, engine, 'NetworkDriver.CreateNetwork', {NetworkID: engine.network, Options: {}, IPv4Data: data, IPv6Data: []}, 'net')
      for (let i = 0; i < commands; i++) {
        const containers = [0, 1, 2].slice(0, 1 + actor.random.below(3)).map((each) => run(actor, engine, `${engine.node} ${i} ${each}`))
        if (actor.fault('killed', 0.3)) {
          await actor.sleep(actor.random.next() * 3_000)
          tell(engine.node, 'the driver is killed, and started again')
          engine.driver.stop()
          engine.driver = startDriver(engine, actor)
        }
        await Promise.all(containers)
      }
      engine.driver.stop()
    }

    /** Others, whose addresses are none of the driver's business. */
    async function assign(actor: Actor, commands: number): Promise<void> {
      const session = actor.session()
      for (let i = 0; i < commands * 2; i++) {
        await actor.sleep(actor.random.next() * 10_000)
        const handle = `other-${i}`
        const given = await actor.command(`assign for ${handle}`, {}, async () => assignedAddresses(await autoAssign(session, {node: 'n3', handle, attributes: {type: 'manual'}, ipv4: 1})))
        if (!given) continue
        live.others.set(handle, given.map(formatAddress))
        if (actor.random.chance(0.5)) continue
        live.others.delete(handle)
        await actor.command(`release all of ${handle}`, {}, () => releaseByHandle(session, handle))
      }
    }

    async function check(actor: Actor, commands: number): Promise<void> {
      for (let i = 0; i < commands * 2; i++) {
        await actor.sleep(actor.random.next() * 15_000)
        await actor.command('ipam check --repair', {}, () => runCheck(actor.session(), {repair: true, graceMs: 5_000 * actor.random.next(), holders: []}))
      }
    }

    return {
      async setUp(session) {
        for (const node of [...NODES, 'n3']) await createObject(session, 'Node', node, {})
        await addPools(session, [cidrOf(POOL)], {blockSize: 30})
      },
      async act(actor, commands) {
        const engine = engines.get(NODES[actor.number] ?? '')
        if (engine) await runEngine(actor, engine, commands)
        else await (actor.number === 2 ? assign(actor, commands) : check(actor, commands))
      },
      needs: () => [],
      wrong: (state) => wrongIn(state, live),
      async end(session) {
        isOver = true
        const reconcilers = [...engines.values()].map(({node, docker: engine}) => newReconciler({session, node, docker: engine, log: logOf(node, tell)}))
        for (let i = 0; i < END_ROUNDS.count; i++) {
          for (const reconciler of reconcilers) await reconciler.round()
          await new Promise<void>((resolve) => void time.in(END_ROUNDS.pauseMs, resolve))
        }
        return [...leftIn(store.state, live), ...(await found(session))]
      },
    }
  },
}

/** The inner end of the endpoint ID goes into a container, or back to the host. */
function moveIn({pairs}: Host, id: string, namespace: string | undefined): void {
  const pair = pairs.get(hostInterfaceName(id))
  if (pair) pair.namespace = namespace
}

function logOf(node: string, tell: (who: string, text: string) => void): Log {
  const at = (level: string) => (text: string): void => tell(node, `${level}: ${text}`)
  return {info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug')}
}

const endpointsIn = (state: State): WorkloadEndpoint[] => entriesUnder(state, ENDPOINTS).map((kv) => read<WorkloadEndpoint>(kv))

/** A container that runs has its endpoint and its address, whatever others do; so have those who were told an address. */
function wrongIn(state: State, {containers, others}: Live): string[] {
  const owners = ownersIn(state)
  const stored = new Map(endpointsIn(state).map((endpoint) => [endpoint.spec.endpoint ?? '', endpoint]))
  const problems = unsoundIn(state)
  for (const [id, address] of containers) {
    const endpoint = stored.get(id)
    if (!endpoint) problems.push(`the endpoint ${id.slice(0, 12)} of a container that runs is gone`)
    else if (!endpointAddresses(endpoint).map(formatAddress).includes(address)) problems.push(`the endpoint ${id.slice(0, 12)} does not have ${address}, which its container has`)
    if (owners.get(address) !== endpointHandle(id)) problems.push(`${address} of the running container ${id.slice(0, 12)} is ${owners.get(address) ?? 'nobody'}'s`)
  }
  for (const [handle, given] of others) for (const address of given) if (owners.get(address) !== handle) problems.push(`${address} is ${handle}'s, and ${owners.get(address) ?? 'nobody'} has it`)
  for (const endpoint of stored.values()) {
    const handle = endpointHandle(endpoint.spec.endpoint ?? '')
    for (const address of endpointAddresses(endpoint).map(formatAddress)) if (owners.get(address) !== handle) problems.push(`the endpoint ${endpoint.spec.endpoint?.slice(0, 12) ?? ''} has ${address}, which is ${owners.get(address) ?? 'nobody'}'s`)
  }
  return problems
}

/** What nobody has at the end. */
function leftIn(state: State, {containers, others}: Live): string[] {
  const owned = new Set([...[...containers.keys()].map(endpointHandle), ...others.keys()])
  return [
    ...[...ownersIn(state)].filter(([, handle]) => handle.startsWith('libnetwork.') && !owned.has(handle)).map(([address, handle]) => `${address} is still ${handle}'s, whom nobody knows`),
    ...endpointsIn(state).flatMap(({spec: {endpoint = ''}}) => (containers.has(endpoint) ? [] : [`the endpoint ${endpoint.slice(0, 12)} is still there, whose container is gone`])),
  ]
}

async function found(session: Session): Promise<string[]> {
  const {findings} = await runCheck(session, {repair: false, graceMs: 0, holders: []})
  return findings.filter(({class: kind}) => kind !== 'leaked-address').map(({class: kind, subject, message}) => `ipam check finds ${kind}: ${subject} ${message}`)
}
