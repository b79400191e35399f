/**
 * Whether blocks, handles, affinities, endpoints and nodes agree (operator-demand §1 row 2). One look at one revision, page by page: what is kept
 * in memory is a line for each address that someone has, and for each handle.
 */
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {listPages} from '../client/snapshot.js'
import type {KeyValue, Revision} from '../datastore/datastore.js'
import {isError} from '../errors.js'
import {affinityKey, BLOCKS_PREFIX, HANDLES_PREFIX, IPAM_PREFIX, kindPrefix, parseKey} from '../model/keys.js'
import type {NodeSpec, WorkloadEndpointSpec} from '../model/types.js'
import {type Cidr, compareCidrs, containsCidr, formatAddress, parseCidr, parseCidrOrAddress} from '../net/index.js'
import {parseAffinity} from './affinity.js'
import {type Attribute, assignedIn, type Block, handleOf, isEmpty, isReserved, ownerOf, parseBlock, saysMore, sequenceNumberAt} from './block.js'
import {BY_HAND} from './by-hand.js'
import {driverHandleOf, isYoung, NETWORK_ANNOTATION} from './driver-handles.js'
import type {Finding, FindingClass, Holder, Repair} from './findings.js'
import {type Handle, parseHandle} from './handle.js'
import {addressText} from './held.js'
import {expectedUnallocated} from './repair.js'

export interface Look {
  readonly findings: readonly Finding[]
  readonly revision: Revision
  readonly counts: {readonly addresses: number; readonly blocks: number; readonly handles: number; readonly affinities: number; readonly endpoints: number}
}

/** What a look gathers. */
interface Gathered {
  readonly session: Session
  readonly revision: Revision
  readonly findings: Finding[]
  /** Who has an address, by its text. */
  readonly holders: Map<string, string>
  /** The texts of endpoints that cannot be read: what they name may be theirs. */
  readonly unreadable: string[]
  /** Held addresses that are assigned. */
  readonly assigned: Set<string>
  /** Addresses by handle and block, of the blocks. */
  readonly counts: Map<string, number>
  /** By CIDR: the `affinity` of the block, and its revision. */
  readonly blocks: Map<string, {readonly cidr: Cidr; readonly affinity: string | null; readonly modRevision: Revision}>
  addresses: number
}

/** Looks once. HOLDERS besides endpoints and nodes also have their addresses. */
export async function checkIpam(session: Session, {holders = []}: {holders?: readonly Holder[]} = {}): Promise<Look> {
  const {results, revision} = await read(session, [{list: kindPrefix('IPPool')}])
  const gathered: Gathered = {session, revision, findings: [], holders: new Map(), unreadable: [], assigned: new Set(), counts: new Map(), blocks: new Map(), addresses: 0}
  const pools = (results[0] ?? []).flatMap((kv) => cidrOfPool(kv) ?? [])
  const endpoints = await readEndpoints(gathered)
  await readNodes(gathered)
  for (const {address, description} of holders) gathered.holders.set(formatAddress(address), description)
  await readBlocks(gathered)
  const handles = await readHandles(gathered)
  const affinities = await readAffinities(gathered)
  findUnassigned(gathered, pools)
  findNested(gathered)
  const {findings, addresses, blocks} = gathered
  return {findings, revision, counts: {addresses, blocks: blocks.size, handles, affinities, endpoints}}
}

function add({findings}: Gathered, kind: FindingClass, subject: string, message: string, identity: string | Revision, repair?: Repair, passing = false): void {
  findings.push({class: kind, subject, message, identity: String(identity), repair, ...(passing ? {passing} : {})})
}

/** The pages of entries under PREFIX at the look's revision. The next one is on its way while one is looked through. */
async function* pages({session, revision}: Gathered, prefix: string): AsyncGenerator<readonly KeyValue[]> {
  const source = listPages(session, prefix, {revision})
  let next = source.next()
  for (;;) {
    const page = await next
    if (page.done) return
    next = source.next()
    next.catch(() => undefined) // reported when its turn comes
    yield page.value.entries
  }
}

/** The `spec` of the resource in KV; undefined, and a finding, where it cannot be read. */
function specOf(gathered: Gathered, kv: KeyValue): object | undefined {
  const value = jsonOf(kv)
  const spec = typeof value === 'object' && value !== null ? (value as {spec?: unknown}).spec : undefined
  if (typeof spec === 'object' && spec !== null) return spec
  if (spec !== undefined || value === undefined) add(gathered, 'unreadable', kv.key, 'its value cannot be read', kv.modRevision)
  return undefined
}

/**
 * What KV's value says; undefined if that is no JSON. Without the care for 64-bit numbers and duplicate keys, which takes most of the time of a
 * check: nothing of it is written, and what is examined has no such numbers.
 */
function jsonOf({value: text}: KeyValue): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The network of a pool; undefined for one that cannot be read, or that only stands for a Docker network, whose addresses Docker assigns itself. */
function cidrOfPool(kv: KeyValue): Cidr | undefined {
  const {metadata, spec} = (jsonOf(kv) ?? {}) as {metadata?: {annotations?: Record<string, unknown>}; spec?: {cidr?: unknown; disabled?: unknown}}
  if (spec?.disabled === true && metadata?.annotations?.[NETWORK_ANNOTATION] !== undefined) return undefined
  return typeof spec?.cidr === 'string' ? parseCidr(spec.cidr) : undefined
}

async function readEndpoints(gathered: Gathered): Promise<number> {
  const prefix = kindPrefix('WorkloadEndpoint')
  let count = 0
  for await (const page of pages(gathered, prefix)) for (const kv of page) {
    count++
    const spec = specOf(gathered, kv) as WorkloadEndpointSpec | undefined
    if (spec === undefined) gathered.unreadable.push(kv.value)
    const {ipNetworks} = spec ?? {}
    const name = `workloadendpoint/${kv.key.slice(prefix.length)}`
    for (const network of Array.isArray(ipNetworks) ? ipNetworks : []) hold(gathered, network, name)
  }
  return count
}

function hold(gathered: Gathered, network: unknown, holder: string): void {
  const text = addressText(network)
  if (text === undefined) return
  const other = gathered.holders.get(text)
  if (other !== undefined) add(gathered, 'shared-address', text, `${other} and ${holder} use it`, holder)
  else gathered.holders.set(text, holder)
}

async function readNodes(gathered: Gathered): Promise<void> {
  const prefix = kindPrefix('Node')
  for await (const page of pages(gathered, prefix)) for (const kv of page) {
    const {bgp, ipv4VXLANTunnelAddr, ipv6VXLANTunnelAddr, wireguard} = (specOf(gathered, kv) ?? {}) as NodeSpec
    const tunnels = [bgp?.ipv4IPIPTunnelAddr, ipv4VXLANTunnelAddr, ipv6VXLANTunnelAddr, wireguard?.interfaceIPv4Address, wireguard?.interfaceIPv6Address]
    const addresses = new Set(tunnels.flatMap((text) => addressText(text) ?? []))
    for (const text of addresses) hold(gathered, text, `node/${kv.key.slice(prefix.length)}`)
  }
}

async function readBlocks(gathered: Gathered): Promise<void> {
  const seenUnheld = new Set<string>()
  for await (const page of pages(gathered, BLOCKS_PREFIX)) for (const kv of page) {
    const block = tryRead(gathered, kv, parseBlock)
    if (!block) continue
    const cidr = parseCidr(block.cidr)
    if (!cidr) continue
    gathered.blocks.set(block.cidr, {cidr, affinity: block.affinity, modRevision: kv.modRevision})
    for (const {ordinal, address, attribute} of assignedIn(block)) {
      if (isReserved(attribute)) continue
      gathered.addresses++
      const text = formatAddress(address)
      const handle = handleOf(attribute)
      if (handle) count(gathered, handle, block.cidr)
      const isHeld = gathered.holders.has(text)
      if (gathered.assigned.has(text) || seenUnheld.has(text)) add(gathered, 'twice-assigned-address', text, `one of the blocks is ${block.cidr}`, kv.modRevision)
      else if (isHeld) gathered.assigned.add(text)
      else if (mayLeak(attribute) && !gathered.unreadable.some((value) => value.includes(text))) {
        seenUnheld.add(text)
        const sequenceNumber = sequenceNumberAt(block, ordinal)
        // Docker gives an address back right after it has deleted the endpoint.
        const passing = driverHandleOf(attribute)?.type === 'endpoint'
        add(gathered, 'leaked-address', text, whoseText(attribute), `${handle ?? ''} ${sequenceNumber}`, {type: 'release', address, handle, sequenceNumber}, passing)
      }
    }
    checkBlock(gathered, kv, block)
  }
}

/** Whether an address that no one has should have someone: not one of `ipam assign`, and not one that Docker or Mesos has just asked for. */
const mayLeak = (attribute: Attribute): boolean => attribute.secondary?.type !== BY_HAND && !saysMore(attribute) && !isYoung(attribute)

const count = ({counts}: Gathered, handle: string, block: string): void => {
  const key = `${handle}\n${block}`
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function whoseText(attribute: Attribute): string {
  const {node, type} = attribute.secondary ?? {}
  const parts = [handleOf(attribute) ? `handle ${handleOf(attribute) ?? ''}` : 'no handle', ...(type ? [type] : []), ...(node ? [`node ${node}`] : [])]
  const isPending = driverHandleOf(attribute)?.type === 'pending'
  return `${isPending ? 'Docker requested it and never used it' : 'no endpoint uses it'} (${parts.join(', ')})`
}

function checkBlock(gathered: Gathered, {modRevision}: KeyValue, block: Block): void {
  if (isEmpty(block) && block.affinity === null) add(gathered, 'empty-block', block.cidr, 'it belongs to no node and is empty', modRevision, {type: 'delete-block', block: block.cidr})
  if (expectedUnallocated(block) !== block.unallocated) {
    add(gathered, 'free-list', block.cidr, 'its list of free addresses is not consistent', modRevision, {type: 'free-list', block: block.cidr})
  }
}

async function readHandles(gathered: Gathered): Promise<number> {
  let number = 0
  for await (const page of pages(gathered, HANDLES_PREFIX)) for (const kv of page) {
    number++
    const value = jsonOf(kv) as Partial<Handle> | null | undefined
    const handle = isPlain(value?.block) ? {block: value.block} : tryRead(gathered, kv, parseHandle)
    if (handle) checkHandle(gathered, kv, handle)
  }
  // What is left has no handle object, or one that does not name the block.
  const blocks = new Map<string, string[]>()
  for (const key of gathered.counts.keys()) {
    const at = key.lastIndexOf('\n')
    const id = key.slice(0, at)
    blocks.set(id, [...(blocks.get(id) ?? []), key.slice(at + 1)])
  }
  for (const [id, cidrs] of blocks) add(gathered, 'missing-handle', id, `it has addresses in ${cidrs.join(', ')} that the handle does not count`, cidrs.join(), {type: 'handle', id, blocks: cidrs})
  return number
}

const isPlain = (block: unknown): block is Handle['block'] =>
  typeof block === 'object' && block !== null && !Array.isArray(block) && Object.values(block).every((count) => Number.isSafeInteger(count))

function checkHandle(gathered: Gathered, {key, modRevision}: KeyValue, {block}: Handle): void {
  const id = key.slice(HANDLES_PREFIX.length)
  const wrong: string[] = []
  for (const [cidr, counted] of Object.entries(block)) {
    const place = `${id}\n${cidr}`
    const real = gathered.counts.get(place) ?? 0
    gathered.counts.delete(place)
    if (real !== counted) wrong.push(`${counted} instead of ${real} in ${cidr}`)
  }
  const cidrs = Object.keys(block)
  const message = cidrs.length === 0 ? 'it counts no addresses' : `it counts ${wrong.join(', ')}`
  if (wrong.length > 0 || cidrs.length === 0) add(gathered, 'wrong-handle', id, message, modRevision, {type: 'handle', id, blocks: cidrs})
}

async function readAffinities(gathered: Gathered): Promise<number> {
  const found = new Set<string>()
  for (const prefix of [`${IPAM_PREFIX}host/`, `${IPAM_PREFIX}virtual/`]) {
    for await (const page of pages(gathered, prefix)) for (const kv of page) {
      const parsed = parseKey(kv.key)
      if (parsed?.type !== 'affinity') continue
      found.add(kv.key)
      const affinity = tryRead(gathered, kv, parseAffinity)
      const block = gathered.blocks.get(parsed.cidr)
      const owner = `${parsed.affinityType}:${parsed.host}`
      const subject = `${parsed.host} ${parsed.cidr}`
      if (block?.affinity !== owner) {
        const why = block ? `the block is ${block.affinity === null ? 'of no node' : `of ${block.affinity}`}` : 'there is no such block'
        add(gathered, 'stale-affinity', subject, why, kv.modRevision, {type: 'delete-affinity', key: kv.key, block: parsed.cidr, owner})
      } else if (affinity && affinity.state !== 'confirmed') {
        add(gathered, 'unconfirmed-affinity', subject, `it is ${affinity.state}`, kv.modRevision, {type: 'confirm-affinity', key: kv.key, block: parsed.cidr, owner})
      }
    }
  }
  for (const [text, {cidr, affinity, modRevision}] of gathered.blocks) {
    const owner = ownerOf({affinity} as Block)
    const key = owner && affinityKey(owner.host, cidr, owner.type)
    if (key === undefined || affinity === null || found.has(key)) continue
    add(gathered, 'missing-affinity', `${owner?.host ?? ''} ${text}`, 'the block belongs to the node, but there is no affinity for it', modRevision, {type: 'confirm-affinity', key, block: text, owner: affinity})
  }
  return found.size
}

function findUnassigned(gathered: Gathered, pools: readonly Cidr[]): void {
  for (const [text, holder] of gathered.holders) {
    if (gathered.assigned.has(text)) continue
    const address = parseCidrOrAddress(text)
    if (address && pools.some((pool) => containsCidr(pool, address))) add(gathered, 'unassigned-address', text, `${holder} uses it, but it is not assigned`, holder)
  }
}

function findNested({blocks, findings}: Gathered): void {
  let outer: Cidr | undefined
  let name = ''
  for (const [text, {cidr, modRevision}] of [...blocks].sort(([, a], [, b]) => compareCidrs(a.cidr, b.cidr))) {
    if (outer && containsCidr(outer, cidr)) findings.push({class: 'nested-block', subject: text, message: `it is within ${name}`, identity: String(modRevision), repair: undefined})
    else [outer, name] = [cidr, text]
  }
}

function tryRead<T>(gathered: Gathered, kv: KeyValue, parse: (kv: KeyValue) => T): T | undefined {
  try {
    return parse(kv)
  } catch (error) {
    if (!isError(error, 'invalid')) throw error
    add(gathered, 'unreadable', kv.key, error.message, kv.modRevision)
    return undefined
  }
}
