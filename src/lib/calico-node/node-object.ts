/** The Node of this host in the datastore: its addresses and AS number; no two nodes with one address (datamodel-v3 §1.2, calico-node.md §4). */
import {commit} from '../client/commit.js'
import {prepareChange, read, type ResourceChange, type Stored, tryParse} from '../client/resources.js'
import type {KeyValue} from '../datastore/datastore.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {kindPrefix, resourceKey} from '../model/keys.js'
import {API_VERSION} from '../model/resource.js'
import type {Node} from '../model/types.js'
import {type Address, equalAddresses, formatAddress, parseCidrOrAddress} from '../net/index.js'

export interface NodeAddress {
  readonly address: Address
  readonly prefix: number
}

/** What the Node is to say. Undefined = it says nothing of it: what was stored is removed. */
export interface WantedNode {
  readonly name: string
  readonly ipv4: NodeAddress | undefined
  readonly ipv6: NodeAddress | undefined
  readonly asNumber: number | undefined
  /** Without BGP the stored addresses stay. */
  readonly networking: boolean
  /** Whether an address is one of this host's: the name of a node with another one may be another host's. */
  readonly isLocal: (address: Address) => boolean
  /** It is known that the name is this host's, or that it is to be. */
  readonly ownName: boolean
}

const textOf = ({address, prefix}: NodeAddress): string => `${formatAddress(address)}/${prefix}`

/** The address that TEXT, a Node's ipv4Address or ipv6Address, says. */
function storedAddress(text: string | undefined): Address | undefined {
  const cidr = text === undefined ? undefined : parseCidrOrAddress(text)
  return cidr && {family: cidr.family, value: cidr.value}
}

/** NODE as WANTED says it; all else that it says is kept. */
export function withWanted(node: Node | undefined, {name, ipv4, ipv6, asNumber, networking}: WantedNode): Node {
  const before: Node = node ?? {kind: 'Node', apiVersion: API_VERSION, metadata: {name}, spec: {}}
  const {bgp = {}, ...spec} = before.spec
  const {ipv4Address, ipv6Address, asNumber: _, ...others} = bgp
  const v4 = ipv4 ? textOf(ipv4) : networking ? undefined : ipv4Address
  const v6 = ipv6 ? textOf(ipv6) : networking ? undefined : ipv6Address
  const next = {
    ...others,
    ...(asNumber === undefined ? {} : {asNumber}),
    ...(v4 === undefined ? {} : {ipv4Address: v4}),
    ...(v6 === undefined ? {} : {ipv6Address: v6}),
  }
  return {...before, spec: Object.keys(next).length === 0 ? spec : {...spec, bgp: next}}
}

/**
 * Writes the Node, unless another node has one of its addresses; both decided together, so that of two hosts that start at once with one address one is refused.
 * @throws CalicoError `conflict` if another node has the address, or the name seems to be another host's
 */
export async function writeNode(session: Session, wanted: WantedNode): Promise<ResourceChange<Node>> {
  const prefix = kindPrefix('Node')
  const {outcome} = await commit(session, [{list: prefix}], ({revision, results: [entries = []]}) => {
    const own = ownNode(session, entries, wanted)
    const {change, write} = prepareChange<Node>({kind: 'Node', name: wanted.name}, own, withWanted(own?.resource, wanted))
    return {writes: write ? [write] : [], guards: write ? [{prefix, unchangedSince: revision}] : [], what: `the change of node/${wanted.name}`, outcome: change}
  })
  return outcome
}

const FIELDS = [['ipv4Address', 'IPv4 address'], ['ipv6Address', 'IPv6 address'], ['asNumber', 'AS number']] as const

/**
 * What of the node's addresses and AS number an update changes, old → new: what a line does not name is removed, as v0.20 did, but not in silence. Undefined if
 * none of them changes.
 */
export function nodeChangeText({before, after, action}: ResourceChange<Node>): string | undefined {
  if (action !== 'updated') return undefined
  const changes = FIELDS.flatMap(([field, what]) => {
    const [old, now] = [before?.spec.bgp?.[field], after?.spec.bgp?.[field]].map((value) => (value === undefined ? 'none' : String(value)))
    return old === now ? [] : [`${what}: ${old} → ${now}`]
  })
  return changes.length === 0 ? undefined : changes.join(', ')
}

/** Refuses what {@link writeNode} would refuse, and writes nothing. */
export async function checkNode(session: Session, wanted: WantedNode): Promise<void> {
  const {results} = await read(session, [{list: kindPrefix('Node')}])
  ownNode(session, results[0] ?? [], wanted)
}

/** The stored Node of WANTED among ENTRIES, all nodes' keys. @throws CalicoError if WANTED cannot be had */
function ownNode(session: Session, entries: readonly KeyValue[], wanted: WantedNode): Stored<Node> | undefined {
  const nodes = entries.flatMap((kv) => tryParse<Node>(session, 'Node', kv) ?? [])
  const key = resourceKey('Node', wanted.name)
  const own = nodes.find(({kv}) => kv.key === key)
  if (!own && entries.some((kv) => kv.key === key)) {
    throw new CalicoError('invalid', `The stored value of node ${wanted.name} cannot be read; it was not changed`, {hint: 'Delete it with etcdctl, then run the command again.'})
  }
  refuseTaken(nodes.filter((each) => each !== own), wanted)
  if (own) refuseForeignName(own, wanted)
  return own
}

function refuseTaken(others: readonly Stored<Node>[], {ipv4, ipv6}: WantedNode): void {
  const taken = others.flatMap(({resource: {metadata, spec}}) =>
    [ipv4, ipv6].flatMap((each) => {
      const held = [spec.bgp?.ipv4Address, spec.bgp?.ipv6Address].flatMap((text) => storedAddress(text) ?? [])
      return each && held.some((address) => equalAddresses(address, each.address)) ? [{address: formatAddress(each.address), node: metadata.name}] : []
    }),
  )
  const [first] = taken
  if (!first) return
  throw new CalicoError('conflict', `The address ${first.address} belongs to node ${first.node} already; nothing was changed`, {
    details: taken.slice(1).map(({address, node}) => `${address} belongs to node ${node}`),
    hint: `Give this node another address with --ip. If ${first.node} has been decommissioned: calicoctl node remove --hostname=${first.node}`,
  })
}

function refuseForeignName({resource}: Stored<Node>, {name, ipv4, ownName, isLocal}: WantedNode): void {
  const stored = storedAddress(resource.spec.bgp?.ipv4Address)
  if (ownName || !stored || !ipv4 || equalAddresses(stored, ipv4.address) || isLocal(stored)) return
  throw new CalicoError('conflict', `The name ${name} belongs to a node with the address ${formatAddress(stored)}, which this host does not have; nothing was changed`, {
    hint: 'Give this node another name (NODENAME). If it is the same host with a new address, add --replace.',
  })
}

/** The address that is stored for node NAME. */
export async function addressOfNode(session: Session, name: string): Promise<Address | undefined> {
  const {kv} = await session.store.get(resourceKey('Node', name))
  return kv && storedAddress(tryParse<Node>(session, 'Node', kv)?.resource.spec.bgp?.ipv4Address)
}
