/** The pools that a cluster without any gets, as v0.20's node gave it (cli-v0.20 §5.2): calico-node itself is instructed to make none. */
import {addPools, listPools, poolFamily} from '../client/pools.js'
import type {ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {IPPool} from '../model/types.js'
import {type Address, type Cidr, contains, type Family, parseCidr} from '../net/index.js'

/** v0.20's IPv4 pool first; then, if the hosts have addresses in it, those that calico/node tries. */
const IPV4 = ['192.168.0.0/16', ...Array.from({length: 16}, (_, i) => `172.${16 + i}.0.0/16`)]
const IPV6 = ['fd80:24e2:f998:72d6::/64']

/** The networks of the default pools for FAMILIES, none of which holds one of TAKEN. */
export function defaultNetworks(families: readonly Family[], taken: readonly Address[]): Cidr[] {
  return families.flatMap((family) => {
    const networks = (family === 4 ? IPV4 : IPV6).flatMap((text) => parseCidr(text) ?? [])
    return networks.find((network) => !taken.some((address) => address.family === family && contains(network, address))) ?? []
  })
}

/** Makes a pool of each of FAMILIES that has none. TAKEN are addresses of hosts. Without NAT and IPIP, as v0.20's. */
export async function addDefaultPools(session: Session, families: readonly Family[], taken: readonly Address[]): Promise<readonly ResourceChange<IPPool>[]> {
  const pools = await listPools(session, families)
  const missing = families.filter((family) => !pools.some((pool) => poolFamily(pool) === family))
  const networks = defaultNetworks(missing, taken)
  return networks.length === 0 ? [] : addPools(session, networks, {})
}
