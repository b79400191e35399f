/** What is wrong with a calico-node, in sentences. Pure. */
import type {BgpPeer} from '../bird/peers.js'
import {driverProblems} from '../calico-node/libnetwork-service/state.js'
import type {Family} from '../net/index.js'
import type {ContainerStatus, Readiness} from './container.js'
import type {EndpointStates} from './endpoints.js'
import type {NodeStatus} from './status.js'

const FAMILIES = [4, 6] as const

/** The peer's address, with its port where it is not the standard one. */
export const peerName = ({address, port}: BgpPeer): string => (port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)

/** Every problem of STATUS. A passive session that waits is none, nor is what is off by design. */
export function problemsOf({node, container, processes, datastore, bird, endpoints, libnetwork}: Omit<NodeStatus, 'problems'>): string[] {
  return [
    ...(container ? containerProblems(container) : processes.length > 0 ? [] : ['calico-node does not run on this host: it has no Docker Engine, and no process of that name.']),
    ...(datastore.state === 'away' ? [`The datastore: ${datastore.message}.`] : []),
    ...(datastore.state === 'answers' && !datastore.exists ? [`The node ${node} does not exist in the datastore, or cannot be read.`] : []),
    ...(datastore.state === 'answers' && datastore.cluster.datastoreReady === false ? ['The datastore is locked.'] : []),
    ...FAMILIES.flatMap((family) => birdProblems(family, bird[family])),
    ...endpointProblems(endpoints),
    ...driverProblems(libnetwork),
  ]
}

const containerProblems = ({details, felix, bird}: ContainerStatus): string[] => [
  ...(details.state === 'running' ? [] : [`The container is ${details.state}; it was restarted ${details.restarts} times, its last exit code is ${details.exitCode}.`]),
  ...readinessProblem('Felix', felix),
  ...readinessProblem('BIRD', bird),
]

const readinessProblem = (name: string, {state, why}: Readiness): string[] =>
  state === 'not-ready' ? [`${name} is not ready: ${why}.`] : state === 'unknown' ? [`It is not known whether ${name} is ready: ${why}.`] : []

function birdProblems(family: Family, status: NodeStatus['bird'][Family]): string[] {
  if (!status) return []
  if (status.state !== 'answers') return [`IPv${family}: ${status.message}.`]
  return status.peers
    .filter(({health}) => health === 'down')
    .map((peer) => `No BGP session with ${peerName(peer)} (${peer.type}): ${[peer.bgpState || 'disabled', peer.lastError].filter((text) => text !== '').join(', ')}.`)
}

function endpointProblems({down = []}: EndpointStates): string[] {
  if (down.length === 0) return []
  const names = down.slice(0, 5).map(({workload, endpoint}) => `${workload} (${endpoint})`)
  return [`Felix has not programmed ${down.length} ${down.length === 1 ? 'endpoint' : 'endpoints'} of this host: ${names.join(', ')}${down.length > names.length ? ', …' : ''}.`]
}
