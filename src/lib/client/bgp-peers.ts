/**
 * BGP peers as v0.20 knew them: an address and an AS number, of all nodes or of one. A stored peer is found by its address and scope, whatever
 * its name (decisions.md 18); peers on a port or with selectors are no one's to change here, only to show.
 */
import {CalicoError} from '../errors.js'
import {kindPrefix} from '../model/keys.js'
import {bgpPeerName} from '../model/names.js'
import {API_VERSION} from '../model/resource.js'
import type {BGPPeer} from '../model/types.js'
import {type Address, compareAddresses, equalAddresses, type Family, formatAddress, parseAddress} from '../net/index.js'
import {commit, type Seen} from './commit.js'
import {listResources, prepareChange, type ResourceChange, type Stored, tryParse} from './resources.js'
import type {Session} from './session.js'

/** Whose peers: those of all nodes, or of the node with this stored name. */
export type PeerScope = {readonly type: 'global'} | {readonly type: 'node'; readonly node: string}

/** A stored peer, as far as it can be determined in v0.20's terms. */
export interface Peer {
  readonly stored: Stored<BGPPeer>
  /** The peer's address; undefined for one that is chosen by a selector. */
  readonly address: Address | undefined
  /** One that v0.20 could have written: found, replaced and removed by its address. */
  readonly plain: boolean
}

/** The peers of SCOPE, by address in numeric order; those without an address come last. Every node's peers include none of the global ones. */
export async function listPeers(session: Session, scope: PeerScope): Promise<Peer[]> {
  const peers: Peer[] = []
  for await (const stored of listResources<BGPPeer>(session, 'BGPPeer')) if (inScope(stored.resource, scope)) peers.push(peerOf(stored))
  return peers.sort(comparePeers)
}

/** What an addition did. */
export interface PeerAddition {
  readonly changes: readonly ResourceChange<BGPPeer>[]
  /** The name of a global peer of the same address: Calico skips the node's peer then. */
  readonly hiddenBy: string | undefined
}

/** Makes AS_NUMBER the one of the peer ADDRESS in SCOPE, which is created if it is not there. What else a stored peer says is kept. */
export async function addPeer(session: Session, scope: PeerScope, address: Address, asNumber: number): Promise<PeerAddition> {
  let hiddenBy: string | undefined
  const changes = await editPeers(session, `the change of BGP peer ${formatAddress(address)}`, ({peers, names}) => {
    hiddenBy = scope.type === 'node' ? peersAt(peers, {type: 'global'}, address).map(storedName)[0] : undefined
    const found = peersAt(peers, scope, address)
    if (found.length > 0) return found.map((before) => ({before, after: withAsNumber(before.resource, asNumber)}))
    const name = freeName(names, bgpPeerName(address, scope.type === 'node' ? scope.node : undefined))
    return [{before: undefined, after: newPeer(name, scope, address, asNumber)}]
  })
  return {changes, hiddenBy}
}

/** Deletes the peer ADDRESS of SCOPE. @throws CalicoError `not-found` with the text MISSING */
export function removePeer(session: Session, scope: PeerScope, address: Address, missing: string): Promise<readonly ResourceChange<BGPPeer>[]> {
  return editPeers(session, `the removal of BGP peer ${formatAddress(address)}`, ({peers}) => {
    const found = peersAt(peers, scope, address)
    if (found.length === 0) throw new CalicoError('not-found', missing, whereItIs(peers, address, scope))
    return found.map((before) => ({before, after: undefined}))
  })
}

/** All peers of the store at one revision, and the stored names that are taken, also by values that cannot be read. */
interface AllPeers {
  readonly peers: readonly Stored<BGPPeer>[]
  readonly names: ReadonlySet<string>
}

type PeerEdit = {readonly before: Stored<BGPPeer>; readonly after: BGPPeer | undefined} | {readonly before: undefined; readonly after: BGPPeer}

/** Edits peers that only a look at all of them can find, in one transaction that holds if no peer was added or changed meanwhile. */
async function editPeers(session: Session, what: string, decide: (all: AllPeers) => readonly PeerEdit[]): Promise<readonly ResourceChange<BGPPeer>[]> {
  const prefix = kindPrefix('BGPPeer')
  const {outcome} = await commit(session, [{list: prefix}], (seen) => {
    const prepared = decide(parseAll(session, seen)).map(({before, after}) =>
      prepareChange<BGPPeer>({kind: 'BGPPeer', name: before ? storedName(before) : after.metadata.name}, before, after),
    )
    return {
      writes: prepared.flatMap(({write}) => (write ? [write] : [])),
      guards: [{prefix, unchangedSince: seen.revision}],
      what,
      outcome: prepared.map(({change}) => change),
    }
  })
  return outcome
}

function parseAll(session: Session, {results: [found = []]}: Seen): AllPeers {
  return {
    peers: found.flatMap((kv) => tryParse<BGPPeer>(session, 'BGPPeer', kv) ?? []),
    names: new Set(found.map(({key}) => nameInKey(key))),
  }
}

/** The name that the object is stored under, whatever its metadata say. */
const storedName = ({kv}: Stored): string => nameInKey(kv.key)

const nameInKey = (key: string): string => key.slice(kindPrefix('BGPPeer').length)

const withAsNumber = (peer: BGPPeer, asNumber: number): BGPPeer =>
  peer.spec.asNumber === asNumber ? peer : {...peer, spec: {...peer.spec, asNumber}}

/** The plain peers of SCOPE with ADDRESS: usually none or one. */
const peersAt = (all: readonly Stored<BGPPeer>[], scope: PeerScope, address: Address): Stored<BGPPeer>[] =>
  all.filter((stored) => {
    if (!inScope(stored.resource, scope)) return false
    const peer = peerOf(stored)
    return peer.plain && peer.address !== undefined && equalAddresses(peer.address, address)
  })

/** Whether PEER belongs to SCOPE. Peers of the nodes that a selector chooses are shown with the global ones, for they belong to no single node. */
function inScope({spec}: BGPPeer, scope: PeerScope): boolean {
  return scope.type === 'node' ? spec.node === scope.node : !spec.node
}

/** What STORED is in v0.20's terms. */
export function peerOf(stored: Stored<BGPPeer>): Peer {
  const {peerIP = '', nodeSelector, peerSelector, localWorkloadSelector} = stored.resource.spec
  const exact = parseAddress(peerIP)
  return {
    stored,
    address: exact ?? parseAddress(withoutPort(peerIP)),
    plain: exact !== undefined && !nodeSelector && !peerSelector && !localWorkloadSelector,
  }
}

/** The address in `10.0.0.1:179` and `[fd00::1]:179`. */
function withoutPort(peerIP: string): string {
  const end = peerIP.lastIndexOf(':')
  const host = peerIP.slice(0, Math.max(end, 0))
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}

/** The family of PEER's sessions, undefined where a selector decides. */
export const peerFamily = ({address}: Peer): Family | undefined => address?.family

function comparePeers(a: Peer, b: Peer): number {
  if (a.address && b.address) return compareAddresses(a.address, b.address) || compareText(storedName(a.stored), storedName(b.stored))
  return Number(a.address === undefined) - Number(b.address === undefined) || compareText(storedName(a.stored), storedName(b.stored))
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** A new peer under the stored name NAME. */
export const newPeer = (name: string, scope: PeerScope, address: Address, asNumber: number): BGPPeer => ({
  kind: 'BGPPeer',
  apiVersion: API_VERSION,
  metadata: {name},
  spec: {...(scope.type === 'node' ? {node: scope.node} : {}), peerIP: formatAddress(address), asNumber},
})

/** WANTED, or with a number behind it where a peer of another address or scope has that name. */
function freeName(taken: ReadonlySet<string>, wanted: string): string {
  let name = wanted
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`
  return name
}

/** Where else a peer of ADDRESS is, for one that looked in the wrong SCOPE; or how to see those that there are. */
function whereItIs(all: readonly Stored<BGPPeer>[], address: Address, scope: PeerScope): {hint: string} {
  const other = all.map(peerOf).find((peer) => peer.address !== undefined && equalAddresses(peer.address, address))
  if (other === undefined) return {hint: `To see the peers: calicoctl ${scope.type === 'node' ? `node bgp peer show --node ${scope.node}` : 'bgp peer show'}`}
  const ip = formatAddress(address)
  const {node} = other.stored.resource.spec
  if (!other.plain) return {hint: `bgppeer/${storedName(other.stored)} has that address with a port or selectors; the Go calicoctl can change it.`}
  return {hint: node ? `The peer belongs to node ${node}: calicoctl node bgp peer remove ${ip} --node ${node}` : `It is a global peer: calicoctl bgp peer remove ${ip}`}
}
