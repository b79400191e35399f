/**
 * Blocks, affinities, handles and IPAM's configuration (cli-v0.20 §2.4, datamodel-v3 §1.13–1.16), in the state in which our commands leave them: every
 * assigned address says whose it is, every handle counts its addresses, every affinity is that of its block.
 */
import {CalicoError} from '../errors.js'
import {type Affinity, confirmedAffinity, encodeAffinity} from '../ipam/affinity.js'
import {assignOrdinal} from '../ipam/assign.js'
import {type Block, encodeBlock, hostAffinity, newBlock, nextVersion, ordinalOf, withoutAffinity} from '../ipam/block.js'
import {BY_HAND} from '../ipam/by-hand.js'
import {changedConfig, DEFAULT_CONFIG, encodeConfig, type IpamConfig} from '../ipam/config.js'
import {encodeHandle, type Handle, increment, newHandle} from '../ipam/handle.js'
import {isObject} from '../json/is-object.js'
import {shownJson, tryParseJson} from '../json/json.js'
import {affinityKey, blockKey, handleKey, IPAM_CONFIG_KEY} from '../model/keys.js'
import {addressName} from '../model/names.js'
import {type Address, addressAt, blockOf, type Cidr, contains, formatAddress, formatCidr, isNetwork, networkOf, parseCidr} from '../net/index.js'
import {type Holders, isHandle} from './endpoints.js'
import {add, type Gathered, lose, pass, takeObject} from './gather.js'
import type {TunnelAddresses} from './nodes.js'
import {OLD_ROOT} from './old-store.js'

const IPAM = `${OLD_ROOT}/ipam/v2`
/** v0.20's blocks have 64 addresses. */
const BLOCK_PREFIX = {4: 26, 6: 122} as const
const BLOCK_SIZE = 64

/** An assigned address of the old store. */
interface OldAssignment {
  readonly address: Address
  readonly ordinal: number
  readonly handle: string | undefined
  readonly secondary: Readonly<Record<string, string>>
}

interface OldBlock {
  readonly key: string
  readonly cidr: Cidr
  /** The host's own name; undefined = no one's. */
  readonly host: string | undefined
  readonly assigned: readonly OldAssignment[]
  /** The free ordinals, in order of preference. */
  readonly free: readonly number[]
}

export interface OldIpam {
  readonly blocks: readonly OldBlock[]
  readonly byAddress: ReadonlyMap<string, OldAssignment>
}

/** The blocks of the old store; those that cannot be read are lost. */
export function readBlocks(gathered: Gathered): OldIpam {
  const found = new Map<string, OldBlock>()
  for (const version of ['ipv4', 'ipv6']) {
    const folder = `${IPAM}/assignment/${version}/block`
    for (const name of gathered.source.names(folder)) {
      const key = `${folder}/${name}`
      const value = takeObject(gathered, key)
      if (!value) continue
      try {
        const block = readBlock(key, value)
        const text = formatCidr(block.cidr)
        const other = found.get(text)
        if (other) lose(gathered, key, `it is the block ${text}, which ${other.key} also is`)
        else found.set(text, block)
      } catch (error) {
        if (!(error instanceof CalicoError)) throw error
        lose(gathered, key, error)
      }
    }
  }
  const blocks = [...found.values()]
  return {blocks, byAddress: new Map(blocks.flatMap(({assigned}) => assigned.map((each) => [formatAddress(each.address), each] as const)))}
}

const invalid = (why: string): CalicoError => new CalicoError('invalid', why)

const isOrdinal = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < BLOCK_SIZE

/** @throws CalicoError `invalid` for what v0.20 could not have read either */
function readBlock(key: string, {cidr: text, affinity, hostAffinity: legacy, allocations, attributes, unallocated}: Readonly<Record<string, unknown>>): OldBlock {
  const parsed = typeof text === 'string' ? parseCidr(text) : undefined
  if (!parsed || !isNetwork(parsed)) throw invalid('"cidr" is not a network')
  if (parsed.prefix !== BLOCK_PREFIX[parsed.family]) throw invalid(`a block of v0.20 is a /${BLOCK_PREFIX[parsed.family]}, but this one is a /${parsed.prefix}`)
  if (!Array.isArray(allocations) || allocations.length !== BLOCK_SIZE) throw invalid(`"allocations" is not a list of ${BLOCK_SIZE}`)
  const known: unknown[] = Array.isArray(attributes) ? attributes : []
  const assigned = allocations.flatMap((index: unknown, ordinal): OldAssignment[] => {
    if (index === null) return []
    const attribute = typeof index === 'number' ? known[index] : undefined
    if (!isObject(attribute)) throw invalid(`"allocations" refers to the attributes ${shownJson(index)}, which do not exist`)
    const {handle_id: handle, secondary} = attribute
    const strings = isObject(secondary) ? Object.entries(secondary).filter((entry): entry is [string, string] => typeof entry[1] === 'string') : []
    return [{address: addressAt(parsed, ordinal), ordinal, handle: typeof handle === 'string' ? handle : undefined, secondary: Object.fromEntries(strings)}]
  })
  const taken = new Set(assigned.map(({ordinal}) => ordinal))
  const listed = new Set(Array.isArray(unallocated) ? unallocated.filter(isOrdinal) : [])
  // What the list lacks or has too much of, v0.20 would have stumbled over: each free address stands in it once.
  const free = [...listed, ...Array.from({length: BLOCK_SIZE}, (_, ordinal) => ordinal).filter((ordinal) => !listed.has(ordinal))].filter((ordinal) => !taken.has(ordinal))
  const owner = typeof affinity === 'string' && affinity !== '' ? affinity : typeof legacy === 'string' && legacy !== '' ? legacy : undefined
  return {key, cidr: parsed, host: owner?.replace(/^host:/, ''), assigned, free}
}

export interface IpamContext {
  readonly hosts: ReadonlyMap<string, string>
  readonly holders: Holders
  readonly tunnels: TunnelAddresses
  /** The networks of the pools of which Calico assigns addresses. */
  readonly pools: readonly Cidr[]
}

/** Blocks with their affinities and handles, and the configuration. NOW: milliseconds since 1970. */
export function convertIpam(gathered: Gathered, {blocks}: OldIpam, context: IpamContext, now: number): void {
  const handles = new Map<string, {handle: Handle; from: string}>()
  const count = (handle: string, cidr: string, from: string): void => {
    handles.set(handle, {from: handles.get(handle)?.from ?? from, handle: increment(handles.get(handle)?.handle ?? newHandle(), cidr, 1)})
  }
  const old = new Map(blocks.map((block) => [formatCidr(block.cidr), block]))
  const missing = unassigned(context, blocks)
  const byBlock = new Map<string, Missing[]>()
  for (const each of missing) {
    const text = formatCidr(each.cidr)
    const others = byBlock.get(text)
    if (others) others.push(each)
    else byBlock.set(text, [each])
  }
  const cidrs = [...new Map([...blocks.map(({cidr}) => cidr), ...missing.map(({cidr}) => cidr)].map((cidr) => [formatCidr(cidr), cidr])).values()]
  let stored = 0
  for (const cidr of cidrs) {
    const text = formatCidr(cidr)
    const before = old.get(text)
    const added = byBlock.get(text) ?? []
    const node = before ? nodeOf(gathered, before, context) : added[0]?.node
    let block = fresh(cidr, node, before?.free, now)
    const from = before?.key ?? added[0]?.from ?? ''
    for (const each of before?.assigned ?? []) {
      const {handle, attributes} = assigneeOf(gathered, each, node, context, from)
      block = assignOrdinal(block, each.ordinal, {handle, attributes}) ?? block
      count(handle, text, from)
    }
    for (const {address, handle, attributes} of added) {
      block = assignOrdinal(block, ordinalOf(block, address), {handle, attributes}) ?? block
      count(handle, text, from)
    }
    const isEmpty = block.allocations.every((index) => index === null)
    if (isEmpty && node === undefined) {
      pass(gathered, from, 'the block is empty and belongs to no node')
      continue
    }
    block = before ? {...block, unallocated: before.free.filter((ordinal) => block.allocations[ordinal] === null)} : block
    if (!isEmpty) block = nextVersion(block)
    stored++
    add(gathered, {kind: 'Block', name: text, key: blockKey(cidr), value: encodeBlock(block), object: block, from: [from]})
    if (node !== undefined) {
      const affinity: Affinity = confirmedAffinity()
      add(gathered, {kind: 'BlockAffinity', name: `${node} ${text}`, key: affinityKey(node, cidr), value: encodeAffinity(affinity), object: affinity, from: [from]})
    }
  }
  for (const [id, {handle, from}] of handles) add(gathered, {kind: 'Handle', name: id, key: handleKey(id), value: encodeHandle(handle), object: handle, from: [from]})
  convertConfig(gathered, stored > 0)
  takeIndex(gathered)
}

/** A block without assignments; FREE: v0.20's order of its free addresses. */
function fresh(cidr: Cidr, node: string | undefined, free: readonly number[] | undefined, now: number): Block {
  const block = newBlock(cidr, hostAffinity(node ?? ''), {claimTime: `${new Date(now).toISOString().slice(0, 19)}Z`, sequenceNumber: BigInt(now) * 1_000_000n})
  return node === undefined ? withoutAffinity(block) : block
}

/** Whose BLOCK is. */
function nodeOf(gathered: Gathered, {key, host}: OldBlock, {hosts}: IpamContext): string | undefined {
  if (host === undefined) return undefined
  const node = hosts.get(host)
  if (node === undefined) lose(gathered, key, `the block belongs to the host ${JSON.stringify(host)}, which is not imported; the block is imported without a node, with its addresses assigned`)
  return node
}

/** Whom an assigned address is assigned to in v3. */
function assigneeOf(gathered: Gathered, {address, handle: old, secondary}: OldAssignment, node: string | undefined, {holders, tunnels}: IpamContext, key: string): {handle: string; attributes: Record<string, string>} {
  const text = formatAddress(address)
  const usable = old !== undefined && isHandle(old) ? old : undefined
  if (old !== undefined && usable === undefined) lose(gathered, key, `the handle ${JSON.stringify(old)} of ${text} cannot be used by current Calico versions; it is replaced by another one`)
  const holder = holders.get(text)
  if (holder) {
    const handle = holder.keeps ? (usable ?? holder.handle) : holder.handle
    if (usable !== undefined && handle !== usable) pass(gathered, key, `the handle ${JSON.stringify(usable)} of ${text}: the commands that release the address use the handle ${handle}`)
    return {handle, attributes: {...secondary, ...holder.attributes}}
  }
  const tunnel = tunnels.get(text)
  if (tunnel) return {handle: `ipip-tunnel-addr-${tunnel.node}`, attributes: {...secondary, node: tunnel.node, type: 'ipipTunnelAddress'}}
  // Someone may use it: it stays assigned, and nothing takes it for leaked.
  return {handle: usable ?? `calicoctl.imported-${addressName(address)}`, attributes: {...secondary, ...(node === undefined ? {} : {node}), type: BY_HAND}}
}

interface Missing {
  readonly cidr: Cidr
  readonly node: string
  readonly address: Address
  readonly handle: string
  readonly attributes: Readonly<Record<string, string>>
  readonly from: string
}

/** The addresses of endpoints and tunnels in pools that the old store has not assigned, or whose blocks are not in the dump: no one else must get them. */
function unassigned({holders, tunnels, pools}: IpamContext, blocks: readonly OldBlock[]): Missing[] {
  const assigned = new Set(blocks.flatMap((block) => block.assigned.map(({address}) => formatAddress(address))))
  const all = [
    ...[...holders.values()].map(({node, address, handle, attributes, from}) => ({node, address, handle, attributes, from})),
    ...[...tunnels.values()].map(({node, address}) => ({node, address, handle: `ipip-tunnel-addr-${node}`, attributes: {node, type: 'ipipTunnelAddress'}, from: `${OLD_ROOT}/v1/host`})),
  ]
  return all
    .filter(({address}) => !assigned.has(formatAddress(address)) && pools.some((pool) => contains(pool, address)))
    .map((each) => ({...each, cidr: networkOf(blockOf(each.address, BLOCK_PREFIX[each.address.family]))}))
}

function convertConfig(gathered: Gathered, needed: boolean): void {
  const key = `${IPAM}/config`
  const config = takeObject(gathered, key)
  let wanted: IpamConfig = DEFAULT_CONFIG
  if (config) {
    const {strict_affinity: strict = false, auto_allocate_blocks: allocate = true} = config
    try {
      if (typeof strict !== 'boolean' || typeof allocate !== 'boolean') throw invalid('a flag is neither true nor false')
      wanted = changedConfig(DEFAULT_CONFIG, {strictAffinity: strict, autoAllocateBlocks: allocate})
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error
      lose(gathered, key, error)
    }
  }
  if (needed || config) add(gathered, {kind: 'IPAMConfig', name: 'default', key: IPAM_CONFIG_KEY, value: encodeConfig(wanted), object: wanted, from: [key]})
}

/** Takes what only repeats what the blocks say: affinities of hosts, and the counts of handles. */
function takeIndex(gathered: Gathered): void {
  for (const key of gathered.source.rest(`${IPAM}/host/`)) if (/\/ipv[46]\/block\/[^/]+$/.test(key)) gathered.source.take(key)
  for (const key of gathered.source.rest(`${IPAM}/handle/`)) {
    const text = gathered.source.take(key)
    if (text !== undefined && tryParseJson(text).error) lose(gathered, key, 'its value is not JSON; the handle is counted again')
  }
}
