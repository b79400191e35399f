/** Which addresses of a network are assigned, and to whom. */
import {type Attribute, assignedIn, handleOf, isReserved} from '../ipam/block.js'
import {displayWorkload, shortId} from '../model/display-name.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {type Address, type Cidr, formatAddress, parseCidrOrAddress} from '../net/index.js'
import {blocksWithin} from './affinities.js'
import {listResources} from './resources.js'
import type {Session} from './session.js'

/** Holders that a message names; of the others it tells how many there are on each node. */
const MAX_NAMED = 20
/** As examples, where there are more than that. */
const EXAMPLES = 5

/** Something that stands in the way of giving up a network. */
interface Holder {
  /** An assigned address; undefined for a block that cannot be read, in which any might be. */
  readonly address: Address | undefined
  /** Who has it, as the record of the assignment says: a handle, a node, what it is for. */
  readonly owner: string
  readonly node: string
}

/** The holders of a network's addresses: the first of them, and how many there are. */
export interface Holders {
  readonly first: readonly Holder[]
  readonly count: number
  /** How many there are of each node. */
  readonly nodes: ReadonlyMap<string, number>
}

/** Who holds addresses within NETWORKS, other than those of EXCEPT. Addresses that Windows nodes set aside are no one's. */
export async function findHolders(session: Session, networks: readonly Cidr[], except: ReadonlySet<string> = new Set()): Promise<Holders> {
  const first: Holder[] = []
  const nodes = new Map<string, number>()
  let count = 0
  for (const network of networks) {
    for await (const holder of holdersWithin(session, network)) {
      if (except.size > 0 && holder.address && except.has(formatAddress(holder.address))) continue
      count++
      nodes.set(holder.node, (nodes.get(holder.node) ?? 0) + 1)
      if (count <= MAX_NAMED) first.push(holder)
    }
  }
  return {first, count, nodes}
}

async function* holdersWithin(session: Session, network: Cidr): AsyncGenerator<Holder> {
  for await (const {kv, block} of blocksWithin(session, network)) {
    if (!block) yield {address: undefined, owner: `the value of ${kv.key} cannot be read`, node: ''}
    else for (const {address, attribute} of assignedIn(block)) if (!isReserved(attribute)) yield {address, owner: ownerText(attribute), node: attribute.secondary?.node ?? ''}
  }
}

/** Who has an address, as its attribute says it. */
export function ownerText(attribute: Attribute): string {
  const {node, type} = attribute.secondary ?? {}
  const handle = handleOf(attribute)
  const parts = [...(type ? [type] : []), ...(handle ? [`handle ${handle}`] : []), ...(node ? [`node ${node}`] : [])]
  return parts.length === 0 ? 'no handle and no node recorded' : parts.join(', ')
}

/** HOLDERS as lines for a message, with the endpoints that have the addresses where there are any. */
export async function holderLines(session: Session, {first: some, count, nodes}: Holders): Promise<string[]> {
  const first = count > some.length ? some.slice(0, EXAMPLES) : some
  const endpoints = await endpointsOf(session, new Set(first.flatMap(({address}) => (address ? [formatAddress(address)] : []))))
  const lines = first.map(({address, owner}) => {
    if (!address) return owner
    const text = formatAddress(address)
    const endpoint = endpoints.get(text)
    return `${text}: ${endpoint === undefined ? owner : `${endpoint} (${owner})`}`
  })
  if (count === first.length) return lines
  const ofNodes = [...nodes].sort(([, a], [, b]) => b - a).map(([node, number]) => `${node === '' ? 'no node recorded' : `node ${node}`}: ${number} ${number === 1 ? 'address' : 'addresses'}`)
  const more = ofNodes.length - MAX_NAMED
  return [...ofNodes.slice(0, MAX_NAMED), ...(more > 0 ? [`and ${more} more nodes`] : []), 'For example:', ...lines, `and ${count - first.length} more`]
}

/** The workloads that have the ADDRESSES, by address. */
async function endpointsOf(session: Session, addresses: ReadonlySet<string>): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  if (addresses.size === 0) return found
  for await (const {resource} of listResources<WorkloadEndpoint>(session, 'WorkloadEndpoint')) {
    for (const network of resource.spec.ipNetworks ?? []) {
      const cidr = parseCidrOrAddress(network)
      const text = cidr && formatAddress(cidr)
      if (text !== undefined && addresses.has(text)) found.set(text, endpointText(resource))
    }
  }
  return found
}

function endpointText({metadata, spec: {orchestrator = '', workload = '', node = ''}}: WorkloadEndpoint): string {
  return `${orchestrator} workload ${shortId(displayWorkload(metadata, workload).name)} on ${node}`
}
