/** Pools (cli-v0.20 §2.3): what `pool add` writes for the same options. */
import {newPool} from '../client/pools.js'
import {freeName} from '../client/identity.js'
import {poolName} from '../model/names.js'
import type {IPPool} from '../model/types.js'
import {type Cidr, formatCidr, networkOf, overlaps, parseCidr, poolNetworkProblem} from '../net/index.js'
import {addResource, type Gathered, lose, loseUnknown, takeObject} from './gather.js'
import {OLD_ROOT} from './old-store.js'

const FIELDS = ['cidr', 'ipip', 'masquerade', 'disabled', 'ipam']

/** The networks of the pools that came over. */
export function convertPools(gathered: Gathered): Cidr[] {
  const networks: Cidr[] = []
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
      if (pool.ipam === false) lose(gathered, key, 'it is a pool from which no addresses are assigned ("ipam": false), which v0.20 never made; it comes over as a disabled one')
      const name = freeName(names, poolName(cidr))
      const wanted = newPool(name, cidr, {ipip: Boolean(pool.ipip), natOutgoing: pool.masquerade === true, disabled: pool.disabled === true || pool.ipam === false})
      if (!addResource<IPPool>(gathered, {kind: 'IPPool', name}, wanted, [key], {name: formatCidr(cidr)})) continue
      names.add(name)
      networks.push(cidr)
      loseUnknown(gathered, key, pool, FIELDS)
    }
  }
  return networks
}

function networkFor(gathered: Gathered, key: string, {cidr, ipip, masquerade, disabled, ipam}: Readonly<Record<string, unknown>>): Cidr | undefined {
  const parsed = typeof cidr === 'string' ? parseCidr(cidr) : undefined
  const network = parsed && networkOf(parsed)
  const problem = network === undefined ? 'it has no "cidr" that is a network' : poolNetworkProblem(network)
  const flags = [['ipip', ipip === undefined || typeof ipip === 'string'], ...Object.entries({masquerade, disabled, ipam}).map(([name, value]) => [name, value === undefined || typeof value === 'boolean'])] as const
  const wrong = flags.filter(([, isGood]) => !isGood).map(([name]) => `"${String(name)}" has a value that v0.20 never wrote`)
  if (problem === undefined && wrong.length === 0) return network
  lose(gathered, key, [problem, ...wrong].filter((text) => text !== undefined).join('; '))
  return undefined
}
