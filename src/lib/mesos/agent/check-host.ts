/** What is wrong on the host beside the agent: Mesos-DNS, left-overs of Docker's cluster store, names, the datastore's nodes and pools. Pure. */
import {tryParseJson} from '../../json/index.js'
import {parseAddress} from '../../net/index.js'
import {readVariables} from './environment-file.js'
import type {HostFiles} from './files.js'
import {type Finding, finding, unreadable} from './findings.js'
import {NETINFO, readSources} from './mesos-dns.js'
import {type AgentSetup, placeOf} from './setup.js'
import {MESOS_DNS_FILES} from './styles.js'

/** Every configuration of Mesos-DNS that is there must ask netinfo first. */
export function checkMesosDns(files: HostFiles): Finding[] {
  return MESOS_DNS_FILES.flatMap((path): Finding[] => {
    const file = files.read(path)
    if (file.state !== 'file') return []
    const read = readSources(file.text)
    if ('problem' in read) return [unreadable(path, read.problem)]
    const {sources} = read
    if (sources === undefined) return []
    const [netinfo, host] = [sources.indexOf(NETINFO), sources.indexOf('host')]
    if (netinfo < 0) return [finding('mesos-dns', path, `IPSources is ${JSON.stringify(sources)}, without ${NETINFO}`)]
    return host >= 0 && host < netinfo ? [finding('mesos-dns', path, `IPSources is ${JSON.stringify(sources)}: host comes before ${NETINFO}`)] : []
  })
}

const DAEMON_FILE = '/etc/docker/daemon.json'
const DAEMON_DEFAULTS = ['/etc/default/docker', '/etc/sysconfig/docker']
const DROP_INS = ['/etc/systemd/system/docker.service.d', '/usr/lib/systemd/system/docker.service.d', '/lib/systemd/system/docker.service.d']
const OPTION = '--cluster-store'

/** The guides' cluster store of Docker, which the engines of today do not know. */
export function checkClusterStore(files: HostFiles): Finding[] {
  const daemon = files.read(DAEMON_FILE)
  const parsed = daemon.state === 'file' ? tryParseJson(daemon.text) : undefined
  const keys = parsed && !parsed.error && typeof parsed.value === 'object' && parsed.value !== null ? Object.keys(parsed.value) : []
  const set = keys.filter((key) => key.startsWith('cluster-'))
  const uncommented = (path: string): string => {
    const file = files.read(path)
    return file.state === 'file' ? file.text.split('\n').filter((line) => !/^\s*[#;]/.test(line)).join('\n') : ''
  }
  const seen = new Set<string>()
  const dropIns = DROP_INS.flatMap((folder) => files.list(folder).filter((name) => name.endsWith('.conf')).map((name) => `${folder}/${name}`)).filter((path) => {
    // /lib is often a link to /usr/lib.
    const {target} = files.kind(path)
    return seen.has(target) ? false : seen.add(target)
  })
  return [
    ...(set.length > 0 ? [finding('cluster-store', DAEMON_FILE, `The file sets ${set.join(', ')}`)] : []),
    ...DAEMON_DEFAULTS.filter((path) => [...readVariables(uncommented(path)).values()].some(({raw}) => raw.includes(OPTION))).map((path) => finding('cluster-store', path, `The file sets ${OPTION}`)),
    ...dropIns.filter((path) => uncommented(path).includes(OPTION)).map((path) => finding('cluster-store', path, `The unit starts Docker with ${OPTION}`)),
  ]
}

/** A node of the datastore, as far as names and addresses go. */
export interface KnownNode {
  readonly name: string
  /** Without prefix length. */
  readonly addresses: readonly string[]
}

export interface StoreFacts {
  readonly nodes: readonly KnownNode[]
  /** There is a pool of IPv4 that is not disabled. */
  readonly hasPool: boolean
  /** Endpoints of this node whose container is gone. */
  readonly stale: number
}

export interface HostNames {
  /** The node's name. */
  readonly node: string
  /** The addresses of this host; undefined if they are not known, as those of an image are. */
  readonly addresses: readonly string[] | undefined
}

/** What the agent is called, compared with the node. */
export function checkHostName(setup: AgentSetup, {node}: HostNames): Finding[] {
  const place = placeOf(setup.flag('hostname'))
  if (place?.value === undefined || place.value.toLowerCase() === node) return []
  const what = parseAddress(place.value) ? `The agent's name is ${place.value}, an address, and the node's name is ${node}` : `The agent's name is ${place.value}, and the node's name is ${node}`
  return [finding('host-name', place.path, what)]
}

export function checkStore({nodes, hasPool, stale}: StoreFacts, {node, addresses}: HostNames): Finding[] {
  const own = nodes.find(({name}) => name === node)
  const shared = nodes.filter((other) => other !== own && other.addresses.some((address) => own?.addresses.includes(address)))
  const foreign = own !== undefined && own.addresses.length > 0 && addresses !== undefined && !own.addresses.some((address) => addresses.includes(address))
  const taken = addresses === undefined ? [] : nodes.filter((other) => other.name !== node && !shared.includes(other) && other.addresses.some((address) => addresses.includes(address)))
  return [
    ...(own === undefined ? [finding('node-missing', '', `There is no node ${node} in the datastore`)] : []),
    ...[...shared, ...taken].map((other) => finding('node-address-taken', '', `The node ${other.name} has an address of this host: ${other.addresses.join(', ')}`)),
    ...(foreign ? [finding('node-name-taken', '', `The node ${node} has the address ${own.addresses.join(', ')}, which this host does not have`)] : []),
    ...(hasPool ? [] : [finding('no-pool', '', 'There is no usable IPv4 pool')]),
    ...(stale > 0 ? [finding('stale-endpoints', '', stale === 1 ? 'The container of 1 endpoint of this host no longer exists' : `The containers of ${stale} endpoints of this host no longer exist`)] : []),
  ]
}
