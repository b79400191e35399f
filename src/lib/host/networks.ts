/** The networks that this host's interfaces are in, those of container engines included, without Calico's own interfaces. */
import {type Cidr, networkOf, overlaps} from '../net/index.js'
import {hostAddresses} from './addresses.js'
import {addressesOf, type HostInterface} from './candidates.js'

export interface HostNetwork {
  readonly interfaceName: string
  readonly network: Cidr
}

/** Interfaces that have their addresses from pools. */
const OF_POOLS = /^(?:cali|tunl0$|vxlan\.calico$|vxlan-v6\.calico$|wireguard\.cali$|wg-v6\.cali$)/

/** The networks of INTERFACES; link-local and loopback ones, which no pool can have, are left out. Pure. */
export function networksOf(interfaces: readonly HostInterface[]): HostNetwork[] {
  return ([4, 6] as const).flatMap((family) =>
    addressesOf(interfaces, family)
      .filter(({interfaceName, scope}) => scope === 'global' && !OF_POOLS.test(interfaceName))
      .map(({interfaceName, address, prefix}) => ({interfaceName, network: networkOf({...address, prefix})})),
  )
}

/** The networks of this host's interfaces; none where they cannot be asked for, since nothing depends on them but a warning. Never throws. */
export async function hostNetworks(): Promise<HostNetwork[]> {
  try {
    return networksOf(await hostAddresses<HostInterface>())
  } catch {
    return []
  }
}

/** Which of POOLS share addresses with which of NETWORKS. Pure. */
export const hostOverlaps = (pools: readonly Cidr[], networks: readonly HostNetwork[]): (HostNetwork & {readonly pool: Cidr})[] =>
  pools.flatMap((pool) => networks.filter(({network}) => overlaps(pool, network)).map((each) => ({...each, pool})))
