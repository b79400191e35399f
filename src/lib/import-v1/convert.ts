/** A store of v0.20 as the objects that our commands would have written for the same lines. Pure but for uids and times. */
import {formatAddress} from '../net/index.js'
import {convertFelix, convertGlobalBgp, convertHostBgp, convertHostFelix} from './configuration.js'
import {convertNetworks} from './docker-networks.js'
import {convertEndpoints} from './endpoints.js'
import {type Item, lose, type Lost, newGathered, pass, type Unneeded} from './gather.js'
import {convertIpam, readBlocks} from './ipam.js'
import {convertNodes, hostNames, TUNNEL_PARAMETER} from './nodes.js'
import {OLD_ROOT, type OldStore, sourceOf} from './old-store.js'
import {convertPools} from './pools.js'
import {convertProfiles} from './profiles.js'

export interface Converted {
  readonly items: readonly Item[]
  /** What cannot come over, by key. */
  readonly lost: readonly Lost[]
  /** What needs no object. */
  readonly unneeded: readonly Unneeded[]
}

/** Keys that have no counterpart, by their beginnings, and why. */
const WITHOUT_COUNTERPART: readonly (readonly [RegExp, string])[] = [
  [/^\/calico\/v1\/policy\/(tier|policy)\//, 'v0.20 had no command for policies in tiers; create a GlobalNetworkPolicy instead (calicoctl apply)'],
  [/^\/calico\/v1\/host\/[^/]+\/endpoint\//, 'v0.20 had no command for host endpoints; create a HostEndpoint instead (calicoctl apply)'],
  [/^\/calico\/bgp\/v1\/.*custom_filters/, 'BIRD filters have no equivalent; see the kind BGPFilter'],
]

/** STORE converted. NOW: milliseconds since 1970, of the blocks. */
export function convertStore(store: OldStore, now: number): Converted {
  const gathered = newGathered(sourceOf(store))
  const {source} = gathered
  for (const key of source.rest()) {
    const why = WITHOUT_COUNTERPART.find(([pattern]) => pattern.test(key))?.[1]
    if (why === undefined) continue
    source.take(key)
    lose(gathered, key, why)
  }
  const ipam = readBlocks(gathered)
  const hosts = hostNames(gathered, ipam.blocks.flatMap(({host}) => host ?? []))
  convertProfiles(gathered)
  const pools = convertPools(gathered, convertNetworks(gathered))
  convertGlobalBgp(gathered)
  convertFelix(gathered)
  const tunnels = convertNodes(gathered, hosts, new Set(ipam.blocks.flatMap(({host}) => host ?? [])))
  for (const [host, node] of hosts) {
    convertHostBgp(gathered, host, node)
    convertHostFelix(gathered, host, node, [TUNNEL_PARAMETER])
  }
  const holders = convertEndpoints(gathered, hosts, (address) => ipam.byAddress.get(formatAddress(address))?.handle)
  convertIpam(gathered, ipam, {hosts, holders, tunnels, pools}, now)
  for (const key of source.rest()) {
    source.take(key)
    // What Felix says of itself: it says so anew.
    if (/\/(status|last_reported_status)$/.test(key) || key.startsWith(`${OLD_ROOT}/felix/`)) pass(gathered, key, 'it is a status report, which Felix writes again')
    else lose(gathered, key, 'v0.20 did not write this key, and it has no equivalent')
  }
  return {items: [...gathered.items.values()], lost: gathered.lost, unneeded: gathered.unneeded}
}
