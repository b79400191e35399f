/** What `mesos check` finds out beside the set-up's files, and how findings are shown. */
import {existsSync} from 'node:fs'
import {connect} from 'node:net'
import {CONTAINER_NAME} from '../calico-node/container.js'
import {listNodes} from '../client/node-list.js'
import {listPools} from '../client/pools.js'
import type {Session} from '../client/session.js'
import {containerLifecycle} from '../docker/lifecycle.js'
import {isError} from '../errors.js'
import {hostAddresses} from '../host/addresses.js'
import {addressTexts} from '../host/candidates.js'
import {askPlugin} from '../mesos/agent/ask-plugin.js'
import type {DockerFacts, Surroundings} from '../mesos/agent/check.js'
import {zookeeperHosts} from '../mesos/agent/check-flags.js'
import type {StoreFacts} from '../mesos/agent/check-host.js'
import type {Finding} from '../mesos/agent/findings.js'
import {findGone} from '../mesos/agent/gone.js'
import {type AgentSetup, valueOf} from '../mesos/agent/setup.js'
import type {Settings} from '../settings/types.js'
import {listeners} from '../system-check/processes.js'
import {filesBelow} from '../system-check/files.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'

export interface SurroundingsOptions {
  readonly session: () => Promise<Session>
  /** Undefined: they are wrong, which has been reported. */
  readonly settings: Settings | undefined
  readonly node: string
  /** The plugin may be run. */
  readonly ask: boolean
}

/** What there is to know of this host and the datastore. Of a host's image, its own facts are not known. */
export async function gatherSurroundings(setup: AgentSetup, {session, settings, node, ask}: SurroundingsOptions): Promise<Surroundings> {
  const live = setup.files.root === ''
  const environment = Object.fromEntries([...setup.environment].map(([name, {value}]) => [name, value]))
  const [store, docker, addresses] = await Promise.all([
    settings ? storeFacts(session, node, live) : {away: 'calicoctl\'s own settings are invalid'},
    live ? dockerFacts() : undefined,
    live ? localAddresses() : undefined,
  ])
  return {
    settings,
    names: {node, addresses},
    store,
    docker,
    agentPort: live ? agentPort(setup) : undefined,
    zookeeper: live ? await unreachableZookeepers(setup) : undefined,
    askPlugin: ask ? (command) => askPlugin(command, environment) : undefined,
  }
}

async function storeFacts(open: () => Promise<Session>, node: string, live: boolean): Promise<StoreFacts | {away: string}> {
  try {
    const session = await open()
    const [nodes, pools, gone] = await Promise.all([listNodes(session), listPools(session, [4]), live ? findGone(session, node) : []])
    return {
      nodes: nodes.flatMap(({name, stored, ipv4, ipv6}) => (stored ? [{name, addresses: [ipv4, ipv6].flatMap((address) => address ?? [])}] : [])),
      hasPool: pools.some(({stored}) => stored.resource.spec.disabled !== true),
      stale: gone.length,
    }
  } catch (error) {
    if (!isError(error)) throw error
    return {away: error.message}
  }
}

const DRIVER_SOCKETS = ['/run/docker/plugins/calico.sock', '/var/run/docker/plugins/calico.sock']

async function dockerFacts(): Promise<DockerFacts | {away: string}> {
  try {
    const engine = containerLifecycle()
    if (!engine.address.startsWith('unix://')) return {away: `DOCKER_HOST refers to the Docker Engine of another host (${engine.address})`}
    const state = await engine.state(CONTAINER_NAME)
    return {calicoNode: state && (state.running && !state.restarting ? 'running' : 'stopped'), driver: DRIVER_SOCKETS.some((path) => existsSync(path))}
  } catch (error) {
    if (!isError(error)) throw error
    return {away: error.message}
  }
}

async function localAddresses(): Promise<readonly string[] | undefined> {
  try {
    return addressTexts(await hostAddresses())
  } catch (error) {
    if (!isError(error)) throw error
    return undefined
  }
}

const CONNECT_LIMIT_MS = 2_000

/** The hosts of ZooKeeper on which nothing listens, or that do not answer. */
async function unreachableZookeepers(setup: AgentSetup): Promise<readonly string[]> {
  const hosts = zookeeperHosts(setup)
  const reached = await Promise.all(hosts.map(({host, port}) => canConnect(host, port)))
  return hosts.flatMap(({host, port}, at) => (reached[at] ? [] : [`${host}:${port}`]))
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({host, port})
    const end = (reached: boolean): void => {
      socket.destroy()
      settle(reached)
    }
    socket.setTimeout(CONNECT_LIMIT_MS, () => end(false)).once('connect', () => end(true)).once('error', () => end(false))
  })
}

const STANDARD_PORT = 5051

function agentPort(setup: AgentSetup): Surroundings['agentPort'] {
  const port = Number(valueOf(setup.flag('port')) ?? STANDARD_PORT)
  return {port, listeners: listeners(filesBelow(''), [port]).get(port) ?? []}
}

/** Those that count: notes do not. */
export const problemsAmong = (findings: readonly Finding[]): Finding[] => findings.filter(({severity}) => severity !== 'note')

export const presentFindings = (findings: readonly Finding[], style: string): Presentation<Finding> => ({
  rows: findings,
  columns: [
    {header: 'Severity', value: ({severity}) => severity},
    {header: 'Finding', value: ({id}) => id},
    {header: 'File', value: ({file}) => file},
    {header: 'What', value: ({what}) => what, prose: true},
    {header: 'Why it matters', value: ({why}) => why, wide: true},
    {header: 'What to do', value: ({remedy}) => remedy, prose: true},
    {header: 'Guides', value: ({guides}) => guides.join(', '), wide: true},
  ],
  name: ({id}) => id,
  alignment: 'left',
  sentences: true,
  text: (rows) => rows.flatMap((row, index) => [...(index === 0 ? [] : ['']), ...lines(row)]),
  document: (rows) => ownDocument('MesosAgentCheck', {style, findings: rows.map(({id, severity, file, what, why, remedy, guides}) => ({id, severity, file: file === '' ? null : file, what, why, remedy, guides: [...guides]}))}),
})

/** A finding in words: sentences are too long for a grid. */
const lines = ({severity, id, file, what, why, remedy}: Finding): string[] => [`${severity} ${id}${file === '' ? '' : `, ${file}`}`, `  ${/[.?!]$/.test(what) ? what : `${what}.`}`, `  ${why}`, `  ${remedy}`]
