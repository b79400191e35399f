/** `--opt nat-outgoing` and `--opt ipip` of a network whose addresses are of Calico's pools: properties of the pools, which serve other networks as well. */
import {listPools, type Pool, poolFamily, poolLabel, poolsFor} from '../client/pools.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {poolOf} from '../ipam/pool.js'
import type {Cidr, Family} from '../net/index.js'
import type {NetworkOptions} from './options.js'

/** Stands for the CIDR of a pool that is to be chosen. */
const NEW_POOL = 'CIDR'

type PoolWishes = Pick<NetworkOptions, 'ipip' | 'natOutgoing'>

/**
 * Makes sure that the pools from which a network's addresses come are what its options say. SUBNETS: those asked for, a /0 for any.
 * @throws CalicoError `refused`, with the line that changes each pool that is otherwise
 */
export async function refuseUnmetOptions(session: Session, subnets: readonly Cidr[], wishes: PoolWishes): Promise<void> {
  if (wishes.ipip === undefined && wishes.natOutgoing === undefined) return
  const words = [['ipip', wishes.ipip], ['nat-outgoing', wishes.natOutgoing]].flatMap(([name, value]) => (value === undefined ? [] : [`--opt ${String(name)}=${String(value)}`])).join(' ')
  const families = [...new Set(subnets.map(({family}) => family))]
  const pools = await listPools(session, families)
  const concerned = subnets.flatMap((subnet) => (subnet.prefix === 0 ? pools.filter((pool) => poolFamily(pool) === subnet.family && servesNetworks(pool)) : poolsFor(pools, subnet)))
  const unmet = concerned.filter((pool) => !isMet(pool, wishes))
  if (concerned.length > 0 && unmet.length === 0) return
  throw new CalicoError('refused', `${words} is a property of the Calico IP pools, which other networks also use: ${concerned.length === 0 ? 'there is no pool yet' : 'a pool of this network has another setting'}.`, {
    hint: `Run this first: ${[...new Set(unmet.length === 0 ? families.map((family) => poolLine(NEW_POOL, family, wishes)) : unmet.map((pool) => lineFor(pool, wishes)))].join('; ')}`,
  })
}

/** Whether POOL gives addresses to containers that ask for any. */
function servesNetworks({stored}: Pool): boolean {
  const pool = poolOf(stored.resource)
  return pool !== undefined && pool.enabled && pool.automatic && pool.allowedUses.includes('Workload')
}

const hasIpip = ({stored}: Pool): boolean => (stored.resource.spec.ipipMode ?? 'Never') !== 'Never'
const hasNat = ({stored}: Pool): boolean => stored.resource.spec.natOutgoing ?? false

/** IPIP is of IPv4 only. */
const isMet = (pool: Pool, {ipip, natOutgoing}: PoolWishes): boolean =>
  (ipip === undefined || poolFamily(pool) === 6 || hasIpip(pool) === ipip) && (natOutgoing === undefined || hasNat(pool) === natOutgoing)

/** What POOL has besides is kept: it need not be said. */
const lineFor = (pool: Pool, wishes: PoolWishes): string => poolLine(poolLabel(pool), poolFamily(pool), wishes)

/** The line that makes the pool CIDR so; one that is not there yet has nothing to be switched off. */
function poolLine(cidr: string, family: Family, {ipip, natOutgoing}: PoolWishes): string {
  const options = [...(ipip === undefined || family === 6 ? [] : [ipip ? '--ipip' : '--no-ipip']), ...(natOutgoing === undefined ? [] : [natOutgoing ? '--nat-outgoing' : '--no-nat-outgoing'])]
  if (options.some((option) => option.startsWith('--no-')) && cidr !== NEW_POOL) return ['calicoctl pool set', cidr, ...options].join(' ')
  return ['calicoctl pool add', cidr, ...options.filter((option) => !option.startsWith('--no-'))].join(' ')
}
