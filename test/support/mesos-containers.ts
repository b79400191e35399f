/** Containers of a Mesos agent, as the plugin makes them: tasks in network namespaces of this machine. */
import {execFileSync} from 'node:child_process'
import {randomUUID} from 'node:crypto'
import {afterEach, beforeEach, expect} from '@jest/globals'
import {hostInterfaceName} from '../../src/lib/host/interfaces.js'
import {endpointId} from '../../src/lib/model/hash.js'
import {convertName} from '../../src/lib/model/names.js'
import {evaluate, parseSelector} from '../../src/lib/model/selector/index.js'
import type {EntityRule, Profile} from '../../src/lib/model/types.js'
import {contains, parseAddress, parseCidr} from '../../src/lib/net/index.js'
import {allAssigned} from './ipam.js'
import {HOSTNAME, type MesosPlugin, NODE} from './mesos-plugin.js'
import {hostInterfaces, startNamespace, type TestNamespace} from './namespaces.js'
import {type Label, type NetModules, netModules, type PluginResult} from './net-modules.js'
import {until} from './until.js'

export interface Task {
  readonly id: string
  readonly space: TestNamespace
  readonly addresses: readonly string[]
  readonly uid: string
}

export interface MesosContainers {
  /** Of each test; one with other options may take its place. */
  agent: NetModules
  /** A namespace that ends with the test. */
  readonly namespace: () => Promise<TestNamespace>
  /** A task as Mesos starts one. */
  readonly launch: (groups: readonly string[], ipAddresses?: readonly {readonly ipAddress?: string}[], labels?: readonly Label[]) => Promise<Task>
  readonly isolation: (id: string, pid: number, addresses: readonly string[], args?: object) => Promise<PluginResult>
  /** Says that the container ID was isolated by the test itself: its interface is waited for at the end. */
  readonly isolated: (id: string) => void
  /** What the container and the host have is what the endpoint says. */
  readonly expectWired: (task: Pick<Task, 'id' | 'space' | 'addresses'>) => Promise<void>
  /** Who reaches whom, by their profiles: a row for each that is reached, an `x` for each of TASKS that may. */
  readonly matrix: (tasks: readonly Task[]) => Promise<string[]>
  /** Interfaces of containers of this suite: others make some, too. */
  readonly calicoInterfaces: () => string[]
}

/** For each test an agent and a pool. */
export function mesosContainers(on: MesosPlugin): MesosContainers {
  const {options, pool, call, endpointOf, profiles} = on
  const ids = new Set<string>()
  let namespaces: TestNamespace[]

  const calicoInterfaces = (): string[] => {
    const own = new Set([...ids].map((id) => hostInterfaceName(endpointId(NODE, 'mesos', convertName(id)))))
    return hostInterfaces().filter((name) => own.has(name))
  }

  beforeEach(async () => {
    namespaces = []
    containers.agent = netModules(HOSTNAME, options())
    await pool()
  })
  afterEach(async () => {
    await Promise.all(namespaces.map((each) => each.stop()))
    await until('the interfaces of the containers are gone', () => calicoInterfaces().length === 0)
  })

  async function namespace(): Promise<TestNamespace> {
    const made = await startNamespace()
    namespaces.push(made)
    return made
  }

  /** Whether the profiles of TO let FROM in: what Felix makes of them. */
  async function reaches(from: Task, to: Task): Promise<boolean> {
    const stored = await profiles()
    const of = async ({id}: Task): Promise<Profile[]> => ((await endpointOf(id)).spec.profiles ?? []).flatMap((name) => stored.get(name) ?? [])
    const labels = Object.assign({}, ...(await of(from)).map(({spec}) => spec.labelsToApply)) as Record<string, string>
    const [address] = from.addresses.map((text) => parseAddress(text))
    const matches = ({selector, nets}: EntityRule = {}): boolean =>
      (selector === undefined || evaluate(parseSelector(selector), labels)) && (nets === undefined || nets.some((net) => address !== undefined && contains(parseCidr(net) as never, address)))
    return (await of(to)).some(({spec}) => (spec.ingress ?? []).some(({action, source}) => action === 'Allow' && matches(source)))
  }

  const containers: MesosContainers = {
    agent: netModules(HOSTNAME, {}),
    namespace,
    async launch(groups, ipAddresses = [{}], labels = []) {
      const id = randomUUID()
      const {addresses, uid} = await containers.agent.prepare(id, {ipAddresses, groups, labels})
      const space = await namespace()
      ids.add(id)
      await containers.agent.isolate(id, space.pid)
      return {id, space, addresses, uid}
    },
    isolation(id, pid, addresses, args = {}) {
      ids.add(id)
      return call('isolate', {container_id: id, hostname: HOSTNAME, pid, ipv4_addrs: addresses, ...args})
    },
    isolated: (id) => void ids.add(id),
    async expectWired({id, space, addresses}) {
      const {metadata, spec} = await endpointOf(id)
      expect(spec).toMatchObject({orchestrator: 'mesos', node: NODE, ipNetworks: addresses.map((each) => (each.includes(':') ? `${each}/128` : `${each}/32`))})
      const [eth0] = JSON.parse(space.run('ip', '-j', '-d', 'address', 'show', 'dev', 'eth0')) as [{address: string; flags: string[]; link_index: number; addr_info: {local: string; prefixlen: number; scope: string}[]}]
      expect(eth0.address).toBe(spec.mac)
      expect(eth0.flags).toContain('UP')
      const own = eth0.addr_info.filter(({scope}) => scope === 'global').map(({local, prefixlen}) => `${local}/${prefixlen}`)
      expect(own.sort()).toEqual([...(spec.ipNetworks ?? [])].sort())
      const routes = JSON.parse(space.run('ip', '-j', '-4', 'route')) as {dst: string; gateway?: string; dev: string; scope?: string}[]
      expect(routes).toEqual([expect.objectContaining({dst: 'default', gateway: '169.254.1.1', dev: 'eth0'}), expect.objectContaining({dst: '169.254.1.1', dev: 'eth0', scope: 'link'})])
      const [host] = JSON.parse(execFileSync('ip', ['-j', '-d', 'link', 'show', 'dev', spec.interfaceName ?? ''], {encoding: 'utf8'})) as [{ifindex: number; flags: string[]; address: string}]
      expect(spec.interfaceName).toBe(`cali${(spec.endpoint ?? '').slice(0, 11)}`)
      expect([host.ifindex, host.flags.includes('UP'), host.address]).toEqual([eth0.link_index, true, 'ee:ee:ee:ee:ee:ee'])
      expect(metadata.annotations).toHaveProperty('calicoctl/ipam-handle')
      for (const address of addresses) expect(await allAssigned(on.store)).toContain(address)
    },
    async matrix(tasks) {
      const rows: string[] = []
      for (const to of tasks) {
        let row = ''
        for (const from of tasks) row += from === to ? '-' : (await reaches(from, to)) ? 'x' : '.'
        rows.push(row)
      }
      return rows
    },
    calicoInterfaces,
  }
  return containers
}
