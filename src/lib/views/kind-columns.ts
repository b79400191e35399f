/** The columns of `get` for every kind, like those of Go's calicoctl; data only. */
import type {IpamKind, IpamObject} from '../client/ipam-objects.js'
import type {Stored} from '../client/resources.js'
import {stringifyJson} from '../json/index.js'
import {displayName, displayWorkload, shortId} from '../model/display-name.js'
import type {KindName, Resource} from '../model/resource.js'
import type {BGPFilterSpec, KubernetesSelector, ResourceOf, WorkloadEndpoint} from '../model/types.js'
import {compareUtf8} from '../utf8-order.js'
import {type Column, shortIds, shortNetworks} from '../cli/output/presentation.js'

/** A cell's text from what a field holds: lists and label maps (these by their keys) with commas, nothing for what is absent. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map(cell).join(',')
  if (typeof value === 'object') return Object.entries(value).sort(([a], [b]) => compareUtf8(a, b)).map(([key, of]) => `${key}=${cell(of)}`).join(',')
  return typeof value === 'string' ? value : stringifyJson(value)
}

type KindColumn<K extends KindName> = Column<Stored<ResourceOf[K]>>

const name = <R extends Resource>(header = 'NAME'): Column<Stored<R>> => ({header, value: ({resource}) => displayName(resource.metadata).name})

/** A column of a field of the spec: absent values are shown as ABSENT. */
const spec = <K extends KindName>(header: string, field: keyof ResourceOf[K]['spec'] & string, {wide = false, absent = ''} = {}): KindColumn<K> => ({
  header,
  value: ({resource}) => cell((resource.spec as Readonly<Record<string, unknown>>)[field] ?? absent),
  wide,
})

const WIDE = {wide: true}

/** A column with the number of rules in a list of a filter. */
const rules = (header: string, field: keyof BGPFilterSpec): KindColumn<'BGPFilter'> => ({header, value: ({resource}) => String(resource.spec[field]?.length ?? 0)})

/** A selector of Kubernetes in a cell: its labels, then `key Operator (values)`. */
const podSelector = ({matchLabels, matchExpressions = []}: KubernetesSelector): string =>
  [cell(matchLabels), ...matchExpressions.map(({key, operator, values}) => `${key} ${operator}${values ? ` (${values.join(',')})` : ''}`)].filter((text) => text !== '').join(',')

/** What the endpoint belongs to, by the name that users know. */
const workloadText = ({resource: {metadata, spec: {workload, pod}}}: Stored<WorkloadEndpoint>): string => (workload ? displayWorkload(metadata, workload).name : cell(pod))

/** The columns of each kind; a namespaced kind's NAMESPACE is added where several namespaces are shown. */
const COLUMNS: {readonly [K in KindName]: readonly KindColumn<K>[]} = {
  BGPConfiguration: [
    name(),
    spec('LOGSEVERITY', 'logSeverityScreen'),
    spec('MESHENABLED', 'nodeToNodeMeshEnabled', {absent: '-'}),
    spec('ASNUMBER', 'asNumber', {absent: '-'}),
  ],
  BGPFilter: [name(), rules('NUMEXPORTV4', 'exportV4'), rules('NUMIMPORTV4', 'importV4'), rules('NUMEXPORTV6', 'exportV6'), rules('NUMIMPORTV6', 'importV6')],
  BGPPeer: [
    name(),
    spec('PEERIP', 'peerIP'),
    {header: 'NODE', value: ({resource: {spec: {node, nodeSelector}}}) => node ?? nodeSelector ?? '(global)'},
    spec('ASN', 'asNumber'),
    spec('PEERSELECTOR', 'peerSelector', WIDE),
  ],
  CalicoNodeStatus: [name(), spec('NODE', 'node'), spec('CLASSES', 'classes', WIDE)],
  ClusterInformation: [
    name(),
    spec('CLUSTERGUID', 'clusterGUID'),
    spec('CLUSTERTYPE', 'clusterType'),
    spec('CALICOVERSION', 'calicoVersion'),
    spec('DATASTOREREADY', 'datastoreReady'),
  ],
  FelixConfiguration: [name(), spec('LOGSEVERITY', 'logSeverityScreen', WIDE), spec('SELECTOR', 'nodeSelector', WIDE)],
  GlobalNetworkPolicy: [name(), spec('TIER', 'tier'), spec('ORDER', 'order', WIDE), spec('SELECTOR', 'selector', WIDE)],
  GlobalNetworkSet: [name(), spec('NETS', 'nets', WIDE)],
  HostEndpoint: [
    name(),
    spec('NODE', 'node'),
    spec('INTERFACE', 'interfaceName', WIDE),
    spec('IPS', 'expectedIPs', WIDE),
    spec('PROFILES', 'profiles', WIDE),
  ],
  IPAMConfiguration: [
    name(),
    spec('STRICTAFFINITY', 'strictAffinity'),
    spec('AUTOALLOCATEBLOCKS', 'autoAllocateBlocks'),
    spec('MAXBLOCKSPERHOST', 'maxBlocksPerHost', WIDE),
  ],
  IPPool: [
    name(),
    spec('CIDR', 'cidr'),
    spec('NAT', 'natOutgoing', {wide: true, absent: 'false'}),
    spec('IPIPMODE', 'ipipMode', {wide: true, absent: 'Never'}),
    spec('VXLANMODE', 'vxlanMode', {wide: true, absent: 'Never'}),
    spec('DISABLED', 'disabled', {wide: true, absent: 'false'}),
    spec('DISABLEBGPEXPORT', 'disableBGPExport', {wide: true, absent: 'false'}),
    spec('SELECTOR', 'nodeSelector', {absent: 'all()'}),
    spec('BLOCKSIZE', 'blockSize', WIDE),
    spec('ASSIGNMENTMODE', 'assignmentMode', {wide: true, absent: 'Automatic'}),
  ],
  IPReservation: [name(), spec('CIDRS', 'reservedCIDRs', WIDE)],
  KubeControllersConfiguration: [name()],
  NetworkPolicy: [name(), spec('TIER', 'tier'), spec('ORDER', 'order', WIDE), spec('SELECTOR', 'selector', WIDE)],
  NetworkSet: [name(), spec('NETS', 'nets', WIDE)],
  Node: [
    name(),
    {header: 'ASN', value: ({resource: {spec: {bgp}}}) => cell(bgp && (bgp.asNumber ?? '(default)')), wide: true},
    {header: 'IPV4', value: ({resource}) => cell(resource.spec.bgp?.ipv4Address), wide: true},
    {header: 'IPV6', value: ({resource}) => cell(resource.spec.bgp?.ipv6Address), wide: true},
  ],
  Profile: [name(), spec('LABELS', 'labelsToApply', WIDE), {header: 'STOREDNAME', value: ({resource}) => resource.metadata.name, wide: true}],
  StagedGlobalNetworkPolicy: [name(), spec('TIER', 'tier'), spec('ORDER', 'order', WIDE), spec('SELECTOR', 'selector', WIDE)],
  StagedKubernetesNetworkPolicy: [name(), {header: 'PODSELECTOR', value: ({resource}) => podSelector(resource.spec.podSelector), wide: true}],
  StagedNetworkPolicy: [name(), spec('TIER', 'tier'), spec('ORDER', 'order', WIDE), spec('SELECTOR', 'selector', WIDE)],
  Tier: [name(), spec('ORDER', 'order')],
  WorkloadEndpoint: [
    {header: 'NAME', value: ({resource}) => resource.metadata.name, wide: true},
    {header: 'WORKLOAD', value: workloadText, short: (stored) => shortId(workloadText(stored))},
    spec('NODE', 'node'),
    {...spec<'WorkloadEndpoint'>('NETWORKS', 'ipNetworks'), short: ({resource}) => shortNetworks(resource.spec.ipNetworks ?? [])},
    spec('INTERFACE', 'interfaceName'),
    spec('PROFILES', 'profiles', WIDE),
    {header: 'NATS', value: ({resource}) => cell(resource.spec.ipNATs?.map(({internalIP, externalIP}) => `${externalIP}->${internalIP}`)), wide: true},
  ],
}

/** The columns of KIND; NAMESPACE is added where asked for. */
export function resourceColumns(kind: KindName, {namespace = false} = {}): readonly Column<Stored>[] {
  const columns = COLUMNS[kind] as readonly Column<Stored>[]
  return ranked(namespace ? [{header: 'NAMESPACE', value: ({resource}) => resource.metadata.namespace ?? ''}, ...columns] : columns, ['NAMESPACE', ...(KEPT[kind] ?? [])])
}

/** What is shown beside the name also where there is no space for all: what someone looks for in a list of these. */
const KEPT: Readonly<Partial<Record<KindName, readonly string[]>>> = {BGPPeer: ['PEERIP', 'ASN'], IPPool: ['CIDR'], WorkloadEndpoint: ['NODE', 'NETWORKS']}

/** COLUMNS with their ranks, where there is no space for all: the last ones are left out first, the name and those with the headers KEPT never. */
function ranked<Row>(columns: readonly Column<Row>[], kept: readonly string[]): readonly Column<Row>[] {
  const shown = columns.filter(({wide, header}) => !wide && !kept.includes(header))
  return columns.map((column) => {
    const at = shown.indexOf(column)
    return at <= 0 ? column : {...column, rank: at}
  })
}

const ipam = (header: string, field: string, {wide = false, absent = ''} = {}): Column<IpamObject> => ({
  header,
  value: ({value}) => cell(value[field] ?? absent),
  wide,
})

const ipamName = (header: string): Column<IpamObject> => ({header, value: (object) => object.name})

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

export const IPAM_COLUMNS: Readonly<Record<IpamKind, readonly Column<IpamObject>[]>> = {
  block: [
    ipamName('CIDR'),
    ipam('AFFINITY', 'affinity'),
    {header: 'USED', value: ({value}) => cell(list(value.allocations).filter((index) => index !== null).length)},
    {header: 'FREE', value: ({value}) => cell(list(value.unallocated).length)},
    ipam('SEQUENCE', 'sequenceNumber', WIDE),
  ],
  affinity: [
    {header: 'NODE', value: (object) => object.name.slice(0, object.name.indexOf('/'))},
    {header: 'CIDR', value: (object) => object.name.slice(object.name.indexOf('/') + 1)},
    ipam('STATE', 'state', {absent: 'confirmed'}),
  ],
  handle: [
    {...ipamName('HANDLE'), short: (object) => shortIds(object.name)},
    {header: 'BLOCKS', value: ({value}) => Object.keys((value.block ?? {})).join(',')},
    {header: 'ADDRESSES', value: ({value}) => cell(Object.values((value.block ?? {})).reduce<number>((sum, count) => sum + Number(count), 0))},
  ],
  ipamconfig: [
    ipamName('NAME'),
    ipam('STRICTAFFINITY', 'strict_affinity', {absent: 'false'}),
    ipam('AUTOALLOCATE', 'auto_allocate_blocks', {absent: 'false'}),
    ipam('MAXBLOCKSPERHOST', 'maxBlocksPerHost', {absent: '-'}),
  ],
}
