/** The nodes of the cluster and what each says of BGP, as v0.20 listed them (cli-v0.20 §4.3.4). */
import {isError} from '../errors.js'
import {kindPrefix} from '../model/keys.js'
import type {BGPPeer, Node} from '../model/types.js'
import {compareAddresses, type Family, formatAddress, parseCidrOrAddress} from '../net/index.js'
import {compareUtf8} from '../utf8-order.js'
import {BGP_DEFAULTS, readGlobalBgp} from './bgp-configuration.js'
import {peerFamily, peerOf, type Peer} from './bgp-peers.js'
import {listResources, type Stored} from './resources.js'
import type {Session} from './session.js'

/** The AS number of a node. */
export interface NodeAs {
  readonly asNumber: number
  /** The node has none of its own: it is the one of all such nodes. */
  readonly inherited: boolean
}

/** A node, or a name that BGP peers call a node. */
export interface ListedNode extends NodeAs {
  readonly name: string
  /** Undefined where there are peers for a node that does not exist. */
  readonly stored: Stored<Node> | undefined
  /** Without prefix length; undefined if it has none, or what is stored is no address. */
  readonly ipv4: string | undefined
  readonly ipv6: string | undefined
  /** The peers of this node alone, by address; those chosen by a selector last. */
  readonly peers: readonly Peer[]
}

/** The address of NODE in FAMILY without its prefix length. */
export function nodeAddress(node: Node | undefined, family: Family): string | undefined {
  const text = family === 4 ? node?.spec.bgp?.ipv4Address : node?.spec.bgp?.ipv6Address
  const cidr = text === undefined ? undefined : parseCidrOrAddress(text)
  return cidr?.family === family ? formatAddress(cidr) : undefined
}

/** The AS number in force for NODE where the cluster's default is STORED. */
export function nodeAs(node: Node | undefined, stored: number | undefined): NodeAs {
  const own = node?.spec.bgp?.asNumber
  return {asNumber: own ?? stored ?? BGP_DEFAULTS.asNumber, inherited: own === undefined}
}

/** The AS number that is stored for nodes without one of their own; undefined, and a warning, where the configuration cannot be read. */
export async function readDefaultAs(session: Session): Promise<number | undefined> {
  return (await unlessUnreadable(session, () => readGlobalBgp(session)))?.asNumber
}

/** What READ gives; undefined, and a warning, where the object is there and no Calico component could read it. */
export async function unlessUnreadable<T>(session: Session, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!isError(error, 'invalid')) throw error
    session.warn(`${error.message}: ${error.details.join('; ')}. It is ignored.`)
    return undefined
  }
}

/** All nodes and all names that peers call a node, in byte order of their names. */
export async function listNodes(session: Session): Promise<ListedNode[]> {
  const [asNumber, peers, nodes] = await Promise.all([readDefaultAs(session), peersByNode(session), nodesByName(session)])
  const names = [...new Set([...nodes.keys(), ...peers.keys()])].sort(compareUtf8)
  return names.map((name) => {
    const stored = nodes.get(name)
    const node = stored?.resource
    return {name, stored, ...nodeAs(node, asNumber), ipv4: nodeAddress(node, 4), ipv6: nodeAddress(node, 6), peers: (peers.get(name) ?? []).sort(comparePeers)}
  })
}

async function nodesByName(session: Session): Promise<Map<string, Stored<Node>>> {
  const nodes = new Map<string, Stored<Node>>()
  // By the key: that is the name which Calico uses, whatever the object says.
  for await (const stored of listResources<Node>(session, 'Node')) nodes.set(stored.kv.key.slice(kindPrefix('Node').length), stored)
  return nodes
}

async function peersByNode(session: Session): Promise<Map<string, Peer[]>> {
  const byNode = new Map<string, Peer[]>()
  for await (const stored of listResources<BGPPeer>(session, 'BGPPeer')) {
    const {node} = stored.resource.spec
    if (node) byNode.set(node, [...(byNode.get(node) ?? []), peerOf(stored)])
  }
  return byNode
}

function comparePeers(a: Peer, b: Peer): number {
  if (a.address && b.address) return compareAddresses(a.address, b.address) || compareUtf8(a.stored.kv.key, b.stored.kv.key)
  return Number(a.address === undefined) - Number(b.address === undefined) || compareUtf8(a.stored.kv.key, b.stored.kv.key)
}

/** The peers of NODE in FAMILY; those that a selector chooses have none. */
export const peersOf = ({peers}: ListedNode, family: Family): Peer[] => peers.filter((peer) => peerFamily(peer) === family)
