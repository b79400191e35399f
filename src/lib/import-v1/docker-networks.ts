/** The Docker networks of v0.20's driver, which kept each request that made one (mesos-docker §3.4). Docker itself has them today. */
import {formatCidr, networkOf, parseCidr} from '../net/index.js'
import {type Gathered, lose, pass, takeObject} from './gather.js'
import {OLD_ROOT} from './old-store.js'

const NETWORKS = `${OLD_ROOT}/libnetwork/v1`

/** Takes the networks; gives, by its text, whose network each subnet is. */
export function convertNetworks(gathered: Gathered): ReadonlyMap<string, string> {
  const owners = new Map<string, string>()
  for (const id of gathered.source.names(NETWORKS)) {
    const key = `${NETWORKS}/${id}`
    if (!gathered.source.has(key)) continue
    const request = takeObject(gathered, key)
    if (!request) continue
    for (const cidr of [request.IPv4Data, request.IPv6Data].flatMap(subnets)) owners.set(cidr, id)
    if (/^[0-9a-f]{64}$/.test(id)) pass(gathered, key, 'Docker stores its networks itself; create this network again with the current driver')
    else lose(gathered, key, 'its name is not a Docker network id')
  }
  return owners
}

/** The subnets that DATA, of one family, names. */
function subnets(data: unknown): string[] {
  if (!Array.isArray(data)) return []
  return data.flatMap((each: unknown) => {
    const pool = typeof each === 'object' && each !== null ? (each as {Pool?: unknown}).Pool : undefined
    const cidr = typeof pool === 'string' ? parseCidr(pool) : undefined
    return cidr ? [formatCidr(networkOf(cidr))] : []
  })
}
