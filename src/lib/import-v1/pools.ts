/** Pools (cli-v0.20 §2.3): what `pool add` writes for the same options. */
import {newPool} from '../client/pools.js'
import {freeName} from '../client/identity.js'
import {poolName} from '../model/names.js'
import type {IPPool} from '../model/types.js'
import {type Cidr, formatCidr, networkOf, overlaps, parseCidr, poolNetworkProblem} from '../net/index.js'
import {NETWORK_ANNOTATION} from '../ipam/driver-handles.js'
import {addResource, type Gathered, lose, loseUnknown, takeObject} from './gather.js'
import {OLD_ROOT} from './old-store.js'

const FIELDS = ['cidr', 'ipip', 'masquerade', 'disabled', 'ipam']

/**
 * Converts the pools.
 * @param owners the Docker networks, by their subnets: a pool of a network for which Docker assigns the addresses says so, as our driver's does
 * @returns the networks of those pools that came over of which Calico assigns addresses
 */
export function convertPools(gathered: Gathered, owners: ReadonlyMap<string, string>): Cidr[] {
  const networks: Cidr[] = []
  const assigned: Cidr[] = []
  const names = new Set<string>()
  for (const version of ['v4', 'v6']) {
    const folder = `${OLD_ROOT}/v1/ipam/${version}/pool`
    for (const segment of gathered.source.names(folder)) {
      const key = `${folder}/${segment}`
      const pool = takeObject(gathered, key)
      const cidr = pool && networkFor(gathered, key, pool)
      if (!pool || !cidr) continue
      const other = networks.find((each) => overlaps(each, cidr))
      if (other) {
        lose(gathered, key, `it overlaps the pool ${formatCidr(other)}`)
        continue
      }
      const name = freeName(names, poolName(cidr))
      // v0.20's Docker driver made `ipam: false` of the subnets of which Docker assigns the addresses (decisions.md 30).
      const owner = pool.ipam === false ? owners.get(formatCidr(cidr)) : undefined
      const plain = newPool(name, cidr, {ipip: Boolean(pool.ipip), natOutgoing: pool.masquerade === true, disabled: pool.disabled === true || pool.ipam === false})
      const wanted = owner === undefined ? plain : {...plain, metadata: {...plain.metadata, annotations: {[NETWORK_ANNOTATION]: owner}}}
      if (!addResource<IPPool>(gathered, {kind: 'IPPool', name}, wanted, [key], {name: formatCidr(cidr)})) continue
      names.add(name)
      networks.push(cidr)
      if (pool.ipam !== false) assigned.push(cidr)
      loseUnknown(gathered, key, pool, FIELDS)
    }
  }
  return assigned
}

function networkFor(gathered: Gathered, key: string, {cidr, ipip, masquerade, disabled, ipam}: Readonly<Record<string, unknown>>): Cidr | undefined {
  const parsed = typeof cidr === 'string' ? parseCidr(cidr) : undefined
  const network = parsed && networkOf(parsed)
  const problem = network === undefined ? 'its "cidr" is missing or is not a network' : poolNetworkProblem(network)
  const flags = [['ipip', ipip === undefined || typeof ipip === 'string'], ...Object.entries({masquerade, disabled, ipam}).map(([name, value]) => [name, value === undefined || typeof value === 'boolean'])] as const
  const wrong = flags.filter(([, isGood]) => !isGood).map(([name]) => `"${String(name)}" has a value that v0.20 did not write`)
  if (problem === undefined && wrong.length === 0) return network
  lose(gathered, key, [problem, ...wrong].filter((text) => text !== undefined).join('; '))
  return undefined
}
