/**
 * One host where `container add` and `container remove` run, sometimes twice at once, sometimes killed in the middle, and containers are deleted behind
 * their backs; beside them `endpoint gc --apply` and `ipam check --repair`.
 */
import {endpointAddresses} from '../../../src/lib/client/endpoints.js'
import {addPools} from '../../../src/lib/client/pools.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {entriesUnder, type State} from '../../../src/lib/datastore/embedded/state.js'
import type {Container as Inspected, Engine} from '../../../src/lib/docker/engine.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {runCheck} from '../../../src/lib/ipam/run-check.js'
import {kindPrefix} from '../../../src/lib/model/keys.js'
import type {WorkloadEndpoint} from '../../../src/lib/model/types.js'
import {formatAddress, parseAddress} from '../../../src/lib/net/index.js'
import {addContainer, type Added} from '../../../src/lib/workload/add.js'
import {removeContainer, type Removed} from '../../../src/lib/workload/remove.js'
import {collect, findStale} from '../../../src/lib/workload/stale.js'
import type {Wanted} from '../../../src/lib/workload/wanted-address.js'
import {createObject} from '../../support/ipam.js'
import {type Host, newHost, processes} from '../doubles/host.js'
import {lookAtLocks} from '../doubles/lock.js'
import {newRandom} from '../random.js'
import type {Actor, Command, World} from '../simulation.js'
import {ownersIn, unsoundIn} from './ipam-state.js'
import {cidrOf, read} from './stored.js'

const NODE = 'n1'
const POOL = '10.0.0.0/28'
const ENDPOINTS = kindPrefix('WorkloadEndpoint')

function idOf(name: string): string {
  const digits = newRandom(name)
  return Array.from({length: 64}, () => digits.below(16).toString(16)).join('')
}

const handleOf = (id: string): string => `docker.${id}`

export const containers: World = {
  name: 'containers',
  actors: 4,
  commands: 4,
  share: 0.5,
  span: 8_000,
  // What is killed here is a command, not all that its actor does.
  spared: ['death'],
  make(all) {
    const {store, time, random} = all
    const tell = (who: string, text: string): void => all.tell(who, text)
    const chance = random.fork('host')
    const host = newHost(() => chance.next() * 8)
    /** What the Engine knows, by id. */
    const there = new Map<string, Inspected>()
    /** Containers that were told to be connected, with their addresses, until somebody begins to take that away. */
    const live = new Map<string, string>()
    let pids = 1
    let isOver = false

    function engineOf(isSilent: () => boolean): Engine {
      const answer = async <T>(value: () => T): Promise<T> => {
        await new Promise<void>((resolve) => void time.in(isOver ? 1 : chance.next() * 30, resolve))
        if (isSilent()) throw new CalicoError('failed', 'The Engine does not answer')
        return value()
      }
      return {
        address: 'unix:///simulated',
        local: true,
        inspect: (name) =>
          answer(() => {
            const found = [...there.values()].find((each) => each.name === name || each.id === name)
            if (!found) throw new CalicoError('not-found', `Container ${name} was not found.`)
            return found
          }),
        list: () => answer(() => new Map([...there.values()].map(({id, running}) => [id, {running}]))),
      }
    }

    function create(name: string): Inspected {
      const id = idOf(name)
      const pid = pids++
      const container = {id, name, running: true, pid, startedAt: new Date().toISOString(), networkMode: 'none', networks: []}
      there.set(id, container)
      host.namespaces.set(pid, id)
      return container
    }

    /** `docker rm --force`: nobody tells Calico. */
    function destroy({id, pid}: Inspected): void {
      live.delete(id)
      there.delete(id)
      host.namespaces.delete(pid)
      for (const [name, pair] of host.pairs) if (pair.namespace === id) host.pairs.delete(name)
    }

    /** Runs WORK in a process of its own, which may be killed: then nothing comes of it, and what it has locked is free. */
    async function inProcess<T>(actor: Actor, typed: string, work: (session: Session) => Promise<T>): Promise<T | undefined> {
      const process = actor.process()
      const session = newSession(process.store(), {warn: (text) => actor.tell(`warns: ${text}`)})
      const running = processes.run(process, () => work(session))
      if (!actor.fault('killed', 0.08)) return running
      const killed = actor.sleep(actor.random.next() * 400).then(() => {
        if (!process.alive) return
        tell(actor.name, `is killed while it works on ${typed}`)
        process.kill()
        lookAtLocks()
      })
      return Promise.race([running, killed.then(() => undefined)])
    }

    const has = (id: string): string[] => [...ownersIn(store.state)].filter(([, handle]) => handle === handleOf(id)).map(([address]) => address)
    const endpointOf = (id: string): WorkloadEndpoint | undefined => endpointsIn(store.state).find(({spec}) => spec.workload === id)

    function untrueOfAdd({said}: Command<Added>, id: string): string[] {
      if (said === undefined) return []
      if ('failed' in said) {
        if (said.failed.kind === 'unknown') return []
        const left = has(id)
        return [
          ...(left.length > 0 ? [`it failed with ${said.failed.kind}, "${said.failed.message}", and ${left.join()} is left assigned`] : []),
          ...(endpointOf(id) ? [`it failed with ${said.failed.kind}, "${said.failed.message}", and its endpoint is left`] : []),
        ]
      }
      return endpointOf(id) ? [] : ['it told that the container is connected, and there is no endpoint']
    }

    const untrueOfRemove = ({said}: Command<Removed>, id: string): string[] =>
      said === undefined || 'failed' in said ? [] : [...has(id).map((address) => `it told that the container was removed, and ${address} is assigned to it`), ...(endpointOf(id) ? ['it told that the container was removed, and its endpoint is there'] : [])]

    async function add(actor: Actor, engine: Engine, container: Inspected, wanted: Wanted, isAlone: boolean): Promise<void> {
      const {id, name} = container
      const words = `container add ${name} ${wanted.type === 'address' ? formatAddress(wanted.address) : 'ipv4'}`
      const added = await inProcess(actor, name, (session) =>
        actor.command<Added>(words, {untrue: (command) => (isAlone ? untrueOfAdd(command, id) : [])}, () => addContainer(session, engine, {node: NODE, container: name, wanted, interfaceName: 'eth1', mtu: undefined})),
      )
      if (added && there.has(id)) live.set(id, formatAddress(added.address))
    }

    async function run(actor: Actor, engine: Engine, name: string): Promise<void> {
      const {random: own} = actor
      const container = create(name)
      const wanted: Wanted = own.chance(0.3) ? {type: 'address', address: parseAddress(`10.0.0.${own.below(16)}`) ?? {family: 4, value: 0n}} : {type: 'family', family: 4}
      if (actor.fault('cut', 0.1)) time.in(own.next() * 300, () => destroy(container))
      if (actor.fault('repeated', 0.15)) await Promise.all([add(actor, engine, container, wanted, false), add(actor, engine, container, wanted, false)])
      else await add(actor, engine, container, wanted, there.has(container.id))
      await actor.sleep(own.next() * 2_000)
      if (own.chance(0.3)) destroy(container)
      if (own.chance(0.6)) {
        live.delete(container.id)
        await inProcess(actor, name, (session) => actor.command<Removed>(`container remove ${name}`, {untrue: (command) => untrueOfRemove(command, container.id)}, () => removeContainer(session, engine, {node: NODE, container: there.has(container.id) ? name : container.id})))
      }
    }

    async function gc(session: Session, engine: Engine): Promise<number> {
      let removed = 0
      for (const stale of await findStale(session, engine, NODE)) if (stale.removable) removed += (await collect(session, engine, stale))?.changes.length ?? 0
      return removed
    }

    async function look(actor: Actor, commands: number): Promise<void> {
      const engine = engineOf(() => actor.fault('silent', 0.05))
      for (let i = 0; i < commands; i++) {
        await actor.sleep(actor.random.next() * 2_000)
        await actor.command('endpoint gc --apply', {}, () => gc(actor.session(), engine))
      }
    }

    async function check(actor: Actor, commands: number): Promise<void> {
      for (let i = 0; i < commands; i++) {
        await actor.sleep(actor.random.next() * 1_000)
        await actor.command('ipam check --repair', {}, () => runCheck(actor.session(), {repair: true, graceMs: actor.random.next() * 1_000, holders: []}))
      }
    }

    return {
      async setUp(session) {
        for (const node of [NODE, 'n2']) await createObject(session, 'Node', node, {})
        await addPools(session, [cidrOf(POOL)], {blockSize: 30})
      },
      async act(actor, commands) {
        if (actor.number === 2) return look(actor, commands)
        if (actor.number === 3) return check(actor, commands)
        const engine = engineOf(() => actor.fault('silent', 0.03))
        for (let i = 0; i < commands; i++) await Promise.all([0, 1].slice(0, 1 + actor.random.below(2)).map((each) => run(actor, engine, `c${actor.number}-${i}-${each}`)))
      },
      needs: () => [],
      wrong: (state) => wrongIn(state, live, host),
      async end(session) {
        isOver = true
        const engine = engineOf(() => false)
        await gc(session, engine)
        await runCheck(session, {repair: true, graceMs: 1_000, holders: []})
        const {findings} = await runCheck(session, {repair: false, graceMs: 0, holders: []})
        return [
          ...findings.map(({class: kind, subject, message}) => `ipam check finds ${kind}: ${subject} ${message}`),
          ...endpointsIn(store.state).flatMap(({spec: {workload = ''}}) => (there.has(workload) ? [] : [`the endpoint of ${workload.slice(0, 12)} is still there, whose container is gone`])),
        ]
      },
    }
  },
}

const endpointsIn = (state: State): WorkloadEndpoint[] => entriesUnder(state, ENDPOINTS).map((kv) => read<WorkloadEndpoint>(kv))

/** An endpoint has its addresses; a container that is connected has its endpoint and its interfaces. */
function wrongIn(state: State, live: ReadonlyMap<string, string>, {pairs}: Host): string[] {
  const owners = ownersIn(state)
  const stored = endpointsIn(state)
  const problems = unsoundIn(state)
  for (const endpoint of stored) {
    const {workload = ''} = endpoint.spec
    for (const address of endpointAddresses(endpoint).map(formatAddress)) if (owners.get(address) !== handleOf(workload)) problems.push(`the endpoint of ${workload.slice(0, 12)} has ${address}, which is ${owners.get(address) ?? 'nobody'}'s`)
  }
  for (const [id, address] of live) {
    const endpoint = stored.find(({spec}) => spec.workload === id)
    if (!endpoint) problems.push(`the endpoint of the connected container ${id.slice(0, 12)} is gone`)
    if (owners.get(address) !== handleOf(id)) problems.push(`${address} of the connected container ${id.slice(0, 12)} is ${owners.get(address) ?? 'nobody'}'s`)
    if (endpoint && !pairs.has(endpoint.spec.interfaceName ?? '')) problems.push(`the interface of the connected container ${id.slice(0, 12)} is gone`)
  }
  return problems
}
