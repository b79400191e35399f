/** How `status --all` shows the nodes of the cluster. */
import type {ClusterNode} from '../client/cluster-status.js'
import {asText} from './nodes.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'

export function presentClusterStatus(nodes: readonly ClusterNode[]): Presentation<ClusterNode> {
  return {
    rows: nodes,
    columns: [
      {header: 'Hostname', value: ({name}) => name},
      {header: 'IPv4', value: ({ipv4}) => ipv4 ?? ''},
      {header: 'IPv6', value: ({ipv6}) => ipv6 ?? '', rank: 2},
      {header: 'AS Num', value: asText, rank: 1},
      {header: 'Endpoints', value: ({endpoints}) => String(endpoints)},
      {header: 'Felix', value: felixText},
    ],
    name: ({name}) => name,
    document: (all) =>
      ownDocument('ClusterStatus', {
        nodes: all.map(({name, stored, ipv4, ipv6, asNumber, inherited, endpoints, felix}) => ({
          name, exists: stored !== undefined, ipv4: ipv4 ?? null, ipv6: ipv6 ?? null, asNumber, asInherited: inherited, endpoints, felix: felix ?? null,
        })),
        problems: clusterProblems(all),
      }),
    blankAfter: true,
  }
}

function felixText({felix}: ClusterNode): string {
  if (!felix) return 'does not report'
  return felix.alive ? `reports (${felix.time})` : `silent since ${felix.time}`
}

/** What the datastore alone shows to be wrong, a sentence each. */
export function clusterProblems(nodes: readonly ClusterNode[]): string[] {
  return nodes.flatMap(({name, stored, endpoints, peers, felix}) => [
    ...(stored || (endpoints === 0 && peers.length === 0) ? [] : [`The datastore has ${peers.length} BGP peers for the node ${name}, which does not exist.`]),
    ...(felix && !felix.alive ? [`Felix of ${name} has been silent since ${felix.time}.`] : []),
  ])
}
