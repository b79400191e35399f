/** How the status of a calico-node is shown: v0.20's lines and tables first, which scripts split, then what it did not know (cli-v0.20 §4.2). */
import type {BgpPeer} from '../bird/peers.js'
import {type DriverStatus, driverProblems} from '../calico-node/libnetwork-service/state.js'
import type {OwnContent} from '../documents/own.js'
import type {Family} from '../net/index.js'
import type {BirdStatus} from '../node-status/bird.js'
import {type ContainerStatus, mayUseBird, type Readiness} from '../node-status/container.js'
import type {EndpointName, EndpointStates} from '../node-status/endpoints.js'
import {peerName} from '../node-status/problems.js'
import type {DatastoreStatus, NodeStatus, NotRunning} from '../node-status/status.js'
import {asText} from './nodes.js'
import {type Column, type Grid, ownDocument, type Presentation} from '../cli/output/presentation.js'

/** What v0.20 printed, and a system test of its looks for. */
export const NOT_RUNNING = 'calico-node container not running'

const FAMILIES = [4, 6] as const
const PEER_COLUMNS: readonly Column<BgpPeer>[] = [
  {header: 'Peer address', value: peerName},
  {header: 'Peer type', value: ({type}) => type, rank: 1},
  {header: 'State', value: ({state}) => state},
  {header: 'Since', value: ({since}) => since, rank: 2},
  {header: 'Info', value: ({info}) => info},
  {header: 'Remark', value: ({remark}) => remark, wide: true},
]

const peersIn = (status: BirdStatus | undefined): readonly BgpPeer[] => (status?.state === 'answers' ? status.peers : [])

/** A row of `-o plain` and `-o name`: a BGP session, or what a line of the status tells. */
type StatusRow = BgpPeer | LabelledRow

/** A line of the status: what it is about, and what it says. */
interface LabelledRow {
  readonly label: string
  readonly text: string
}

const labelOf = (row: StatusRow): string => ('label' in row ? row.label : peerName(row))

/** The columns of the sessions; other rows have their label in the first one and what it says in the second one. */
const ROW_COLUMNS: readonly Column<StatusRow>[] = PEER_COLUMNS.map(({value, ...column}, index) => ({
  header: column.header,
  value: (row) => ('label' in row ? ([row.label, row.text][index] ?? '') : value(row)),
}))

/** STATUS as of NOW. */
export function presentStatus(status: NodeStatus, now: Date): Presentation<StatusRow> {
  return {
    rows: [...labelledRows(status, now), ...FAMILIES.flatMap((family) => peersIn(status.bird[family]))],
    columns: ROW_COLUMNS,
    name: labelOf,
    document: () => ownDocument('NodeStatus', statusDocument(status)),
    former: true,
    wideText: true,
    text: async (_, grid) => {
      const old = await v020Lines(status, grid)
      return [...old, ...(old.at(-1) === '' ? [] : ['']), ...ourLines(status, now)]
    },
    blankAfter: true,
  }
}

async function v020Lines({container, datastore, bird}: NodeStatus, grid: Grid): Promise<string[]> {
  const lines = container ? [`calico-node container is running. Status: ${container.details.status}`, `Running felix version ${container.version ?? 'unknown'}`, ''] : ['No Docker Engine is installed on this host.', '']
  const families = await Promise.all(FAMILIES.map((family) => familyLines(family, {container, datastore, status: bird[family]}, grid)))
  return [...lines, ...families.flat()]
}

async function familyLines(family: Family, {container, datastore, status}: {container: ContainerStatus | undefined; datastore: DatastoreStatus; status: BirdStatus | undefined}, grid: Grid): Promise<string[]> {
  const heading = `IPv${family} BGP status`
  const address = datastore.state === 'answers' ? datastore.address[family] : 'unknown'
  if (address === undefined) return [heading, `No IPv${family} address configured.`, '']
  const line = `IP: ${address}    AS Number: ${datastore.state === 'answers' ? asText(datastore.as) : 'unknown'}`
  return [heading, line, ...(mayUseBird(container) ? await birdLines(status, grid) : ['BIRD is off on this node.', ''])]
}

async function birdLines(status: BirdStatus | undefined, grid: Grid): Promise<string[]> {
  switch (status?.state) {
    case undefined:
      return []
    case 'unreachable':
      return ['Couldn\'t connect to bird.']
    case 'not-understood':
      return [...status.raw.split('\n'), '']
    case 'answers':
      return [...(await grid(PEER_COLUMNS, status.peers)), '']
  }
}

/** Lines without `|`, so that scripts which look for rows see none of them. */
const ourLines = (status: NodeStatus, now: Date): string[] => labelledRows(status, now).map(({label, text}) => `${`${label}:`.padEnd(11)} ${text}`)

/** What v0.20 did not show. */
function labelledRows({node, container, processes, datastore, bird, endpoints, libnetwork, problems}: NodeStatus, now: Date): LabelledRow[] {
  const versions = FAMILIES.flatMap((family) => {
    const status = bird[family]
    return status?.state === 'answers' && status.version !== undefined ? [status.version] : []
  })
  const rows: (readonly [string, string])[] = [
    ['Node', node],
    ...(container ? containerRows(container, versions, now) : ([['Felix', processes.join(', ') || 'does not run'], ['BIRD', versions[0] ?? 'unknown']] as const)),
    ['Datastore', datastoreText(datastore)],
    ['Endpoints', endpointsText(endpoints)],
    ['Libnetwork', driverText(libnetwork, now)],
    ...FAMILIES.flatMap((family) => remarks(family, bird[family])).map((text) => ['Remark', text] as const),
    ...problems.map((text) => ['Problem', text] as const),
  ]
  return rows.map(([label, text]) => ({label, text}))
}

function containerRows({details, felix, bird}: ContainerStatus, birdVersions: readonly string[], now: Date): (readonly [string, string])[] {
  return [
    ['Container', `${details.state}, ${details.restarts} ${details.restarts === 1 ? 'restart' : 'restarts'}, ${details.state === 'running' ? `up ${elapsed(details.startedAt, now)}` : `started ${details.startedAt}`}`],
    ['Image', details.image],
    ['Felix', readinessText(felix)],
    ['BIRD', [readinessText(bird), ...birdVersions.slice(0, 1)].join(', ')],
  ]
}

const readinessText = ({state, why}: Readiness): string =>
  ({ready: 'ready', 'not-ready': `not ready (${why})`, unknown: `readiness unknown (${why})`, unused: `off (${why})`})[state]

function datastoreText(datastore: DatastoreStatus): string {
  if (datastore.state === 'away') return `error connecting to etcd: ${datastore.message}`
  const {clusterGUID, datastoreReady} = datastore.cluster
  return [datastoreReady === false ? 'locked' : 'reachable', ...(clusterGUID === undefined ? [] : [`cluster ${clusterGUID}`])].join(', ')
}

/** The driver for Docker networks. */
function driverText({form, state, since, restarts, socket}: DriverStatus, now: Date): string {
  const answer = {answers: 'answers', silent: 'does not answer', unknown: 'only root can query it'}[socket.state]
  if (form === 'none') return socket.state === 'answers' ? 'not installed, but another driver answers' : 'not installed'
  return [`${form} ${state}`, ...(restarts > 0 ? [`${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`] : []), ...(since === undefined ? [] : [`up ${elapsed(since, now)}`]), answer].join(', ')
}

function endpointsText({reported, up, down, left}: EndpointStates): string {
  if (!reported) return 'unknown: Felix does not write the status of endpoints on this host'
  const parts = [`${up} up`, down === undefined ? 'down unknown' : `${down.length} down`, ...(left.length === 0 ? [] : [`${left.length} no longer in the datastore`])]
  return parts.join(', ')
}

function remarks(family: Family, status: BirdStatus | undefined): string[] {
  if (status?.state !== 'answers') return []
  return [
    ...(status.recovering ? [`IPv${family}: BIRD is recovering from a restart and does not change the kernel's routes until its peers have answered.`] : []),
    ...status.peers.filter(({remark}) => remark !== '').map((peer) => `${peerName(peer)}: ${peer.remark}`),
  ]
}

/** The time from START, an ISO time, to NOW: `3d4h`, `2h5m`, `5m12s`, `8s`. */
export function elapsed(start: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(start)) / 1000))
  if (Number.isNaN(seconds)) return 'for an unknown time'
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  if (days > 0) return `${days}d${hours}h`
  if (hours > 0) return `${hours}h${minutes}m`
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`
}

function statusDocument({node, container, datastore, bird, endpoints, libnetwork, problems}: NodeStatus): OwnContent<'NodeStatus'> {
  return {
    node,
    container: container ? containerDocument(container) : null,
    ...(container ? {readiness: {felix: container.felix, bird: container.bird}} : {}),
    versions: {felix: container?.version ?? null, bird: FAMILIES.map((family) => versionOf(bird[family])).find((text) => text !== null) ?? null},
    datastore: datastore.state === 'away' ? datastore : {state: datastore.state, nodeExists: datastore.exists, ...datastore.cluster},
    bgp: {ipv4: bgpDocument(4, datastore, bird[4]), ipv6: bgpDocument(6, datastore, bird[6])},
    endpoints: {reported: endpoints.reported, up: endpoints.up, down: names(endpoints.down), left: names(endpoints.left)},
    libnetwork: driverDocument(libnetwork),
    problems,
  }
}

const containerDocument = ({details: {id, state, status, restarts, startedAt, image}}: ContainerStatus): OwnContent<'NodeStatus'>['container'] => ({id, state, status, restarts, startedAt, image})

const driverDocument = ({form, running, state, since, restarts, socket}: DriverStatus): OwnContent<'NodeStatus'>['libnetwork'] => ({form, running, state, since: since ?? null, restarts, socket})

const names = (endpoints: readonly EndpointName[] | undefined): readonly EndpointName[] | null => endpoints ?? null
const versionOf = (status: BirdStatus | undefined): string | null => (status?.state === 'answers' ? (status.version ?? null) : null)

function bgpDocument(family: Family, datastore: DatastoreStatus, status: BirdStatus | undefined): NonNullable<OwnContent<'NodeStatus'>['bgp']>['ipv4'] {
  const configured = datastore.state === 'answers' ? {address: datastore.address[family] ?? null, asNumber: datastore.as.asNumber, asInherited: datastore.as.inherited} : {}
  if (status?.state !== 'answers') return {...configured, bird: status?.state ?? 'not-asked', ...(status ? {message: status.message} : {}), peers: []}
  const peers = status.peers.map(({address, port, type, state, since, bgpState, lastError, health, remark}) => ({address, ...(port === undefined ? {} : {port}), type, state, since, bgpState, lastError, health, remark}))
  return {...configured, bird: status.recovering ? 'recovering' : 'answers', peers}
}

/** The document of a host without a running calico-node. */
export const notRunningDocument = (node: string, {ended, libnetwork}: NotRunning): unknown =>
  ownDocument('NodeStatus', {node, container: ended ? {state: ended.state, status: ended.status, exitCode: ended.exitCode, finishedAt: ended.finishedAt, image: ended.image} : null, libnetwork: driverDocument(libnetwork), problems: [endText(ended), ...driverProblems(libnetwork)]})

/** What became of the container, a sentence. */
export function endText(ended: NotRunning['ended']): string {
  if (!ended) return 'The container calico-node does not exist.'
  return ended.state === 'created' ? 'The container calico-node was never started.' : `The container calico-node ended at ${ended.finishedAt} with exit code ${ended.exitCode}.`
}
