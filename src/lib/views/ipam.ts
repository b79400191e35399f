/** How addresses and their use are shown. */
import type {Endpoint} from '../client/endpoints.js'
import {isContainer} from '../client/endpoint-workload.js'
import {containerNameOf} from '../workload/workload.js'
import type {AddressRecord} from '../ipam/lookup.js'
import type {Use} from '../ipam/utilization.js'
import {type Address, formatAddress} from '../net/index.js'
import {stringifyJson} from '../json/json.js'
import {escapeJson} from '../printable.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'

/** One address: in v0.20's words (`ipam info`), or as Go's calicoctl tells it (`ipam show --ip`). */
export function presentAddress(record: AddressRecord, style: 'v0.20' | 'go', endpoint?: Endpoint): Presentation<AddressRecord> {
  const text = formatAddress(record.address)
  const {assignment} = record
  return {
    rows: [record],
    columns: [
      {header: 'IP', value: () => text},
      {header: 'Handle', value: () => assignment?.handle ?? ''},
      {header: 'Attributes', value: () => (assignment ? attributeLines(assignment.attributes) : '')},
      {header: 'Block', value: () => record.block ?? ''},
      {header: 'Block owner', value: () => record.owner ?? ''},
    ],
    name: () => text,
    document: () =>
      ownDocument('Address', {
        address: text,
        assigned: assignment !== undefined,
        ...(assignment === undefined ? {} : {handle: assignment.handle, attributes: assignment.attributes, sequenceNumber: assignment.sequenceNumber}),
        block: record.block,
        blockOwner: record.owner,
        ...(endpoint ? {endpoint: {host: endpoint.host, orchestrator: endpoint.orchestrator, workload: endpoint.workload, endpoint: endpoint.id, container: containerNameOf(endpoint)}} : {}),
      }),
    text: () => (style === 'v0.20' ? v020Lines(record, text) : goLines(record, text)),
  }
}

/** By whom an address is in use; none for a free one. */
export function holderLines({address, assignment}: AddressRecord, endpoint: Endpoint | undefined): string[] {
  if (!assignment && !endpoint) return []
  const name = endpoint && containerNameOf(endpoint)
  const container = endpoint && isContainer(endpoint) ? endpoint.workload.slice(0, SHORT_ID) : undefined
  const shown = name === undefined ? container : container === undefined ? name : `${name} (${container})`
  return [
    endpoint ? `Endpoint: ${endpoint.id} of ${endpoint.orchestrator} workload ${endpoint.workload} on ${endpoint.host}` : 'Endpoint: none',
    ...(shown === undefined ? [] : [`Container: ${shown}`]),
    ...(assignment ? [`Handle: ${assignment.handle ?? 'none'}`] : [`Warning: the endpoint has ${formatAddress(address)}, which is not assigned to it. To check all addresses: calicoctl ipam check`]),
  ]
}

const SHORT_ID = 12

const attributeLines = (attributes: Readonly<Record<string, string>>): string[] => Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}: ${value}`)

function v020Lines({assignment}: AddressRecord, text: string): string[] {
  if (!assignment) return [`IP ${text} is not currently assigned`]
  return Object.keys(assignment.attributes).length === 0 ? [`No attributes defined for ${text}`] : [escapeJson(stringifyJson(assignment.attributes))]
}

function goLines({assignment}: AddressRecord, text: string): string[] {
  if (!assignment) return [`${text} is not assigned`]
  const attributes = attributeLines(assignment.attributes)
  return [
    `IP ${text} is in use`,
    `Handle ID: ${assignment.handle ?? '<none>'}`,
    ...(attributes.length === 0 ? ['No Active Owner attributes defined'] : ['Active Owner Attributes:', ...attributes.map((line) => `  ${line}`)]),
  ]
}

/** How much of pools, blocks and nodes' blocks is in use. */
export function presentUse(uses: readonly Use[]): Presentation<Use> {
  return {
    rows: uses,
    columns: [
      {header: 'Grouping', value: ({grouping}) => grouping},
      {header: 'CIDR', value: ({cidr}) => cidr},
      {header: 'Node', value: ({node}) => node ?? ''},
      {header: 'IPs total', value: ({total}) => amountText(total), plain: ({total}) => total.toString()},
      {header: 'IPs in use', value: ({used, total}) => share(used, total), plain: ({used, total}) => share(used, total, String)},
      {header: 'IPs free', value: ({used, total}) => share(total - used, total), plain: ({used, total}) => share(total - used, total, String)},
    ],
    name: ({cidr, node}) => cidr || (node ?? ''),
    document: (all) => ownDocument('AddressUseList', {items: all.map(({grouping, cidr, node, total, used}) => ({grouping, ...(cidr === '' ? {} : {cidr}), ...(node === undefined ? {} : {node}), total, inUse: used, free: total - used}))}),
  }
}

/** `3 (19%)`, rounded as Go's calicoctl does. */
function share(part: bigint, total: bigint, text: (amount: bigint) => string = amountText): string {
  const percent = total === 0n ? 0 : Math.round(Number((part * 10_000n) / total) / 100)
  return `${text(part)} (${percent}%)`
}

/** Numbers of this many binary digits are read as powers of two only: beyond all of IPv4. */
const LARGE = 33

/** AMOUNT for people: `2^64`, and `2^64 - 3` where so little is missing that it can be shown. */
function amountText(amount: bigint): string {
  const digits = amount.toString(2).length
  if (digits < LARGE) return amount.toString()
  for (const power of [digits - 1, digits]) {
    const missing = 2n ** BigInt(power) - amount
    if (missing === 0n) return `2^${power}`
    if (missing > 0n && missing < 2n ** 32n) return `2^${power} - ${missing}`
  }
  return amount.toString()
}

/** What the release of addresses came to, beside RELEASED themselves, which are printed; FREE were asked for but not assigned. */
export function releasedNotes(released: readonly Address[], free: readonly Address[], {dryRun}: {dryRun: boolean}): string[] {
  return [
    `${released.length} ${released.length === 1 ? 'address' : 'addresses'} ${dryRun ? 'would be ' : ''}released`,
    ...free.map((address) => `${formatAddress(address)} ${dryRun ? 'is' : 'was already'} free`),
  ]
}
