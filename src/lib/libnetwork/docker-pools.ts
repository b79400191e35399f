/**
 * Pools for Docker networks whose addresses come from Docker's own IPAM (decisions.md 30). Felix must know these networks, for NAT and routes; but
 * no one may assign addresses of them: they are disabled. An annotation tells which network a pool stands for, and that it goes with it.
 */
import {isBlockWithin} from '../client/affinities.js'
import {commit, type Decision, type Seen} from '../client/commit.js'
import {freeName} from '../client/identity.js'
import {distinctNetworks, NETWORK_NAME_ANNOTATION, networkOfPool, parsePools, type Pool, poolAnnotation, poolLabel} from '../client/pools.js'
import {prepareChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {blocksPrefixWithin} from '../ipam/block-keys.js'
import {NETWORK_ANNOTATION} from '../ipam/driver-handles.js'
import {kindPrefix, parseKey} from '../model/keys.js'
import {poolName} from '../model/names.js'
import {API_VERSION} from '../model/resource.js'
import type {IPPool} from '../model/types.js'
import {type Cidr, equalNetworks, formatCidr, overlaps, poolNetworkProblem} from '../net/index.js'

const POOLS = kindPrefix('IPPool')

export interface DockerPools {
  readonly networkId: string
  readonly networkName?: string
  readonly cidrs: readonly Cidr[]
  readonly ipip: boolean
  readonly natOutgoing: boolean
}

/**
 * Makes a disabled pool of each of the network's CIDRS, all in one transaction. One that the network has already stays as it is.
 * @throws CalicoError `invalid`, and nothing is written, if one of them overlaps another pool or cannot be one
 */
export async function addDockerPools(session: Session, request: DockerPools): Promise<void> {
  const networks = distinctNetworks(request.cidrs)
  if (networks.length === 0) return
  const reads = [{list: POOLS}, ...networks.map((cidr) => ({list: blocksPrefixWithin(cidr), keysOnly: true}))]
  await commit(session, reads, (seen) => decideAddition(session, seen, networks, request))
}

function decideAddition(session: Session, {revision, results: [entries = [], ...blockLists]}: Seen, networks: readonly Cidr[], request: DockerPools): Decision<undefined> {
  const pools = parsePools(session, entries)
  const isOwn = (pool: Pool, cidr: Cidr): boolean => poolAnnotation(pool, NETWORK_ANNOTATION) === request.networkId && pool.cidr !== undefined && equalNetworks(pool.cidr, cidr)
  const missing = networks.flatMap((cidr, i) => (pools.some((pool) => isOwn(pool, cidr)) ? [] : [{cidr, blocks: blockLists[i] ?? []}]))
  refuse(missing.map(({cidr}) => cidr), pools, networks, request)
  const names = new Set(entries.map(({key}) => key.slice(POOLS.length)))
  const others = pools.map(({stored}) => stored.resource)
  const writes = missing.flatMap(({cidr, blocks}) => {
    const name = freeName(names, poolName(cidr))
    names.add(name)
    const within = blocks.flatMap(({key}) => {
      const parsed = parseKey(key)
      return parsed?.type === 'block' ? [parsed.cidr] : []
    })
    return prepareChange<IPPool>({kind: 'IPPool', name}, undefined, newPool(name, cidr, request), {others, blocks: within}).write ?? []
  })
  return {
    writes,
    // A pool that someone adds at the same moment may overlap ours.
    guards: [{prefix: POOLS, unchangedSince: revision}],
    what: `the pools of the Docker network ${request.networkName ?? request.networkId.slice(0, 12)}`,
    outcome: undefined,
  }
}

const newPool = (name: string, cidr: Cidr, {networkId, networkName, ipip, natOutgoing}: DockerPools): IPPool => ({
  kind: 'IPPool',
  apiVersion: API_VERSION,
  metadata: {name, annotations: {[NETWORK_ANNOTATION]: networkId, ...(networkName === undefined ? {} : {[NETWORK_NAME_ANNOTATION]: networkName})}},
  spec: {cidr: formatCidr(cidr), ipipMode: ipip ? 'Always' : 'Never', ...(natOutgoing ? {natOutgoing} : {}), disabled: true},
})

/** Refuses what of ADDED cannot be a pool beside POOLS and each other. */
function refuse(added: readonly Cidr[], pools: readonly Pool[], networks: readonly Cidr[], {ipip}: DockerPools): void {
  const problems = added.flatMap((cidr) => {
    const text = formatCidr(cidr)
    const special = poolNetworkProblem(cidr)
    return [
      ...(special === undefined ? [] : [`${special}.`]),
      ...(ipip && cidr.family === 6 ? [`${text}: IPIP is not possible with IPv6.`] : []),
      ...networks.slice(networks.indexOf(cidr) + 1).flatMap((other) => (overlaps(cidr, other) ? [`${text} overlaps ${formatCidr(other)}, a subnet of the same network.`] : [])),
      ...pools.flatMap((pool) => (pool.cidr && overlaps(cidr, pool.cidr) ? [`${text} overlaps ${poolText(pool)}.`] : [])),
    ]
  })
  const [first, ...more] = problems
  if (first === undefined) return
  throw new CalicoError('invalid', more.length === 0 ? `The subnet ${first}` : 'The subnets of the network cannot be used', {
    details: more.length === 0 ? [] : problems,
    hint: "Choose another --subnet. For a network with addresses of a Calico pool, use Calico's IPAM driver (--ipam-driver).",
  })
}

function poolText(pool: Pool): string {
  const network = networkOfPool(pool)
  return `the Calico pool ${poolLabel(pool)} (${pool.stored.resource.metadata.name}${network === undefined ? '' : `, of the Docker network ${network}`})`
}

/** Deletes the pools that stand for the network. One that has been put to use since stays, and is reported. */
export async function removeDockerPools(session: Session, networkId: string): Promise<void> {
  await commit(session, [{list: POOLS}], async ({results: [entries = []]}) => {
    const own = parsePools(session, entries).filter((pool) => poolAnnotation(pool, NETWORK_ANNOTATION) === networkId)
    const unused: Pool[] = []
    for (const pool of own) if (await isUnused(session, pool)) unused.push(pool)
    return {
      writes: unused.map(({stored: {kv}}) => ({key: kv.key, read: kv, value: undefined})),
      what: `the deletion of the pools of the Docker network ${networkId.slice(0, 12)}`,
      outcome: undefined,
    }
  })
}

async function isUnused(session: Session, pool: Pool): Promise<boolean> {
  const keep = (why: string): boolean => {
    session.warn(`The pool ${poolLabel(pool)} was created for a Docker network that no longer exists, but ${why}, so it is kept. To remove it: calicoctl pool remove ${poolLabel(pool)}`)
    return false
  }
  if (!pool.stored.resource.spec.disabled) return keep('it has been enabled since')
  const {cidr} = pool
  if (!cidr) return true
  const {results} = await session.store.transact({then: [{list: blocksPrefixWithin(cidr), keysOnly: true}]})
  return results.flat().some(({key}) => isBlockWithin(cidr, key)) ? keep('its addresses are assigned') : true
}
