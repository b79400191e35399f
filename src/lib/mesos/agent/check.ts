/** All that `mesos check` judges of files and of facts that others have gathered. */
import type {Settings} from '../../settings/types.js'
import {checkEtcd} from './check-etcd.js'
import {checkFlags, containerizers, isUnified} from './check-flags.js'
import {checkClusterStore, checkHostName, checkMesosDns, checkStore, type HostNames, type StoreFacts} from './check-host.js'
import {checkModules, programOf} from './check-modules.js'
import {type Finding, finding, type Severity, unreadable} from './findings.js'
import type {AgentSetup} from './setup.js'

/** What is not in the files of the set-up. Undefined: not known, or not examined. */
export interface Surroundings {
  /** calicoctl's own settings. */
  readonly settings?: Settings | undefined
  readonly names?: HostNames | undefined
  readonly store?: StoreFacts | {readonly away: string} | undefined
  readonly docker?: DockerFacts | {readonly away: string} | undefined
  /** Who listens on the agent's port: names of processes. */
  readonly agentPort?: {readonly port: number; readonly listeners: readonly string[]} | undefined
  /** The hosts of ZooKeeper that cannot be reached. */
  readonly zookeeper?: readonly string[] | undefined
  /** What the plugin answers to an empty request; asked only if the user wants it. */
  readonly askPlugin?: ((command: string) => Promise<{readonly problem?: string}>) | undefined
}

export interface DockerFacts {
  /** The container calico-node: undefined if there is none. */
  readonly calicoNode: 'running' | 'stopped' | undefined
  /** The sockets of Docker's plugins that are there. */
  readonly driver: boolean
}

/** What is wrong with SETUP, the gravest first. */
export async function checkAgent(setup: AgentSetup, around: Surroundings = {}): Promise<Finding[]> {
  const unread = setup.unreadable.map(({path, why}) => unreadable(path, why))
  const lineEnds = setup.carriageReturns.map((path) => finding('line-ends', path, 'Lines of the file end with a carriage return', {remedy: `Remove them: sed -i 's/\\r$//' ${path}`}))
  if (setup.empty) return sorted([finding('no-setup', '', `There are no files of a Mesos agent of style ${setup.style}${setup.files.root === '' ? '' : ` below ${setup.files.root}`}`), ...checkClusterStore(setup.files), ...checkMesosDns(setup.files)])
  const unified = isUnified(setup) ? await checkUnified(setup, around) : []
  return sorted([
    ...unread,
    ...lineEnds,
    ...unified,
    ...checkMesosDns(setup.files),
    ...checkClusterStore(setup.files),
    ...(around.names ? checkHostName(setup, around.names) : []),
    ...storeFindings(around),
    ...dockerFindings(setup, around),
    ...portFindings(around),
    ...(around.zookeeper ?? []).map((host) => finding('zookeeper-away', '', `ZooKeeper cannot be reached at ${host}`)),
  ])
}

async function checkUnified(setup: AgentSetup, {settings, askPlugin}: Surroundings): Promise<Finding[]> {
  const modules = checkModules(setup)
  const known = modules.plugin !== undefined && !modules.findings.some(({id}) => id.startsWith('plugin-'))
  const answer = known && askPlugin ? await askPlugin(modules.plugin) : undefined
  const silent = answer?.problem === undefined ? [] : [finding('plugin-silent', '', `${programOf(modules.plugin ?? '')} does not work as a plugin: ${answer.problem}`)]
  return [...modules.findings, ...silent, ...checkFlags(setup, modules.names), ...(await checkEtcd(setup, settings))]
}

function storeFindings({store, names}: Surroundings): Finding[] {
  if (store === undefined || names === undefined) return []
  if ('away' in store) return [finding('not-compared', '', `Not compared with the datastore: ${store.away}`)]
  return checkStore(store, names)
}

function dockerFindings(setup: AgentSetup, {docker}: Surroundings): Finding[] {
  if (docker === undefined) return []
  if ('away' in docker) return [finding('not-asked', '', `calico-node was not checked: ${docker.away}`)]
  const wantsDriver = containerizers(setup)?.includes('docker') === true
  const what = docker.calicoNode === undefined ? 'The container calico-node does not exist on this host' : 'The container calico-node is not running'
  return [
    ...(docker.calicoNode === 'running' ? [] : [finding('calico-node-down', '', what)]),
    ...(wantsDriver && !docker.driver ? [finding('docker-driver', '', 'The Docker Engine has no driver calico', isUnified(setup) ? {severity: 'note'} : {})] : []),
  ]
}

const AGENT_PROGRAMS = ['mesos-slave', 'mesos-agent', 'lt-mesos-slave', 'lt-mesos-agent']

function portFindings({agentPort}: Surroundings): Finding[] {
  const others = agentPort?.listeners.filter((name) => name !== '' && !AGENT_PROGRAMS.includes(name)) ?? []
  return others.length === 0 ? [] : [finding('agent-port', '', `Port ${agentPort?.port ?? ''} of the agent is used by ${others.join(', ')}`)]
}

const RANK: Readonly<Record<Severity, number>> = {error: 0, warning: 1, note: 2}

const sorted = (findings: readonly Finding[]): Finding[] => [...findings].sort((a, b) => RANK[a.severity] - RANK[b.severity])
