/** How BGP peers are shown: v0.20's tables, one per family, and what else is stored in the other formats (cli-v0.20 §4.7, §4.3.5). */
import {peerFamily, type Peer, type PeerScope} from '../client/bgp-peers.js'
import {type Family, formatAddress} from '../net/index.js'
import type {Grid, OutputFormat, Presentation} from '../cli/output/presentation.js'
import {resourceList} from '../cli/output/presentation.js'
import {shownResource} from '../cli/output/shown.js'

/** v0.20's words for the peers of each scope. */
const WORDS = {
  global: {
    heading: (family: Family) => `Global IPv${family} BGP Peer`,
    none: (family: Family) => `No global IPv${family} BGP Peers defined.`,
  },
  node: {
    heading: (family: Family) => `Node specific IPv${family} BGP Peer`,
    none: (family: Family) => `No IPv${family} BGP Peers defined for this node.`,
  },
} as const

/**
 * PEERS, sorted, of FAMILIES. The tables and `name` have the peers that v0.20 could have written, by address; the other formats also those
 * on a port or with selectors, which no family of ours excludes where a selector chooses the peer.
 */
export function presentPeers(peers: readonly Peer[], scope: PeerScope['type'], families: readonly Family[], format: OutputFormat): Presentation<Peer> {
  const plainOnly = format === 'table' || format === 'name'
  const rows = peers.filter((peer) => (plainOnly ? peer.plain : true) && isOf(peer, families))
  return {
    rows,
    columns: [
      {header: 'BGP Peer', value: addressText},
      {header: 'AS Num', value: asText},
      {header: 'Scope', value: scopeText},
      {header: 'Peer selector', value: ({stored}) => stored.resource.spec.peerSelector ?? stored.resource.spec.localWorkloadSelector ?? ''},
      {header: 'Name', value: ({stored}) => stored.resource.metadata.name},
    ],
    name: addressText,
    document: (all) => resourceList('BGPPeerList', all.map(({stored}) => shownResource(stored))),
    former: true,
    text: (all, grid) => familyTables(all, {scope, families}, grid),
    alignment: 'left',
  }
}

/** What the table of PEERS leaves out, for people; undefined if it is all there. */
export function leftOutNote(peers: readonly Peer[], families: readonly Family[], format: OutputFormat): string | undefined {
  const count = format === 'table' ? peers.filter((peer) => !peer.plain && isOf(peer, families)).length : 0
  return count === 0 ? undefined : `${count} more ${count === 1 ? 'peer is' : 'peers are'} on a port or chosen by selectors; -o wide shows them.`
}

const isOf = (peer: Peer, families: readonly Family[]): boolean => {
  const family = peerFamily(peer)
  return family === undefined || families.includes(family)
}

/** A left-aligned table per family, or a line that says that there are none. */
async function familyTables(peers: readonly Peer[], {scope, families}: {scope: PeerScope['type']; families: readonly Family[]}, grid: Grid): Promise<string[]> {
  const parts: (readonly string[])[] = []
  for (const family of families) {
    const rows = peers.filter((peer) => peerFamily(peer) === family)
    parts.push(rows.length === 0 ? [WORDS[scope].none(family), ''] : await grid([{header: WORDS[scope].heading(family), value: addressText}, {header: 'AS Num', value: asText}], rows))
  }
  return parts.flat()
}

function addressText({plain, address, stored}: Peer): string {
  return plain && address ? formatAddress(address) : (stored.resource.spec.peerIP ?? '')
}

const asText = ({stored}: Peer): string => String(stored.resource.spec.asNumber ?? '')

function scopeText({stored}: Peer): string {
  const {node, nodeSelector} = stored.resource.spec
  return node ? `node ${node}` : nodeSelector ? `nodes ${nodeSelector}` : 'global'
}
