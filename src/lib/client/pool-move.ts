/** Moving what a pool is for to another network: a new pool with the same options, and the old one out of use. */
import {isDeepStrictEqual} from 'node:util'
import {CalicoError} from '../errors.js'
import {blocksPrefixWithin} from '../ipam/block-keys.js'
import {NETWORK_ANNOTATION} from '../ipam/driver-handles.js'
import {dockerName, displayWorkload} from '../model/display-name.js'
import {kindPrefix} from '../model/keys.js'
import {poolName} from '../model/names.js'
import type {IPPool, WorkloadEndpoint} from '../model/types.js'
import {type Cidr, contains, equalNetworks, formatAddress, formatCidr, networkOf, overlaps, poolNetworkProblem} from '../net/index.js'
import {compareUtf8} from '../utf8-order.js'
import {findHolders, holderLines} from './addresses-in-use.js'
import {commit, type Decision, type Seen} from './commit.js'
import {CONTAINER_ANNOTATION, endpointAddresses} from './endpoints.js'
import {freeName} from './identity.js'
import {blockCidrs, networkOfPool, newPoolProblems, parsePools, type Pool, poolLabel, poolsFor, requireAll} from './pools.js'
import {disabling} from './pool-removal.js'
import {listResources, prepareChange, type ResourceChange} from './resources.js'
import type {Session} from './session.js'

/** The orchestrator of the Docker driver's endpoints. */
const DRIVER = 'libnetwork'

/** An endpoint with an address of the old pool. */
export interface Straggler {
  readonly node: string
  readonly orchestrator: string
  /** As users see it: a container's name or id. Undefined where no one has recorded it. */
  readonly workload: string | undefined
  readonly address: string
  /** By their stored names. */
  readonly profiles: readonly string[]
  /** The id of its Docker network. */
  readonly network: string | undefined
}

export interface PoolMove {
  readonly changes: readonly ResourceChange<IPPool>[]
  /** In the order of their nodes. */
  readonly left: readonly Straggler[]
  /** Further addresses in use, of no endpoint: who has the first of them, as lines. */
  readonly others: readonly string[]
}

/**
 * Makes TO a pool with the options of FROM's, and disables that one, in one transaction. What is so already stays: it can be run again.
 * @throws CalicoError `not-found` if FROM is no pool; `invalid` if TO overlaps another pool, or is of the other IP version; `conflict` if TO is a pool with
 *   other options; `refused` if FROM stands for a network whose addresses Docker gives itself
 */
export async function movePool(session: Session, from: Cidr, to: Cidr): Promise<PoolMove> {
  const [source, target] = [networkOf(from), networkOf(to)]
  const problem = poolNetworkProblem(target)
  if (problem !== undefined) throw new CalicoError('invalid', `${problem}. Nothing was changed.`)
  if (source.family !== target.family) throw new CalicoError('invalid', `${formatCidr(source)} and ${formatCidr(target)} have different IP versions. Nothing was changed.`)
  if (overlaps(source, target)) throw new CalicoError('invalid', `${formatCidr(target)} ${equalNetworks(source, target) ? 'is' : 'overlaps'} the pool to be moved. Nothing was changed.`)
  const {outcome: changes} = await commit(session, [{list: kindPrefix('IPPool')}, {list: blocksPrefixWithin(target), keysOnly: true}], (seen) => decide(session, seen, source, target))
  const left = await stragglers(session, source)
  const holders = await findHolders(session, [source], new Set(left.map(({address}) => address)))
  return {changes, left, others: holders.count === 0 ? [] : await holderLines(session, holders)}
}

function decide(session: Session, {revision, results: [entries = [], blocks = []]}: Seen, source: Cidr, target: Cidr): Decision<ResourceChange<IPPool>[]> {
  const pools = parsePools(session, entries)
  requireAll(pools, [source])
  const same = poolsFor(pools, source)
  const [old] = same
  const [there] = poolsFor(pools, target)
  if (old === undefined) throw new TypeError('requireAll() has found it')
  const network = networkOfPool(old)
  if (network !== undefined) throw new CalicoError('refused', `${poolLabel(old)} is the subnet of the Docker network ${network}, whose addresses Docker assigns itself: create another Docker network instead. Nothing was changed.`)
  const {disabled: _, ...spec} = old.stored.resource.spec
  const wanted: IPPool['spec'] = {...spec, cidr: formatCidr(target)}
  const created = there ? checked(there, wanted) : create(old, wanted, target, pools, blockCidrs(blocks))
  const disabled = same.map((pool) => ({pool, write: disabling(pool.stored.kv, true)}))
  return {
    writes: [...created.writes, ...disabled.flatMap(({write}) => write ?? [])],
    guards: [{prefix: kindPrefix('IPPool'), unchangedSince: revision}],
    what: `the move of ippool/${poolLabel(old)} to ${formatCidr(target)}`,
    outcome: [created.change, ...disabled.map(({pool, write}) => disablement(pool, write !== undefined))],
  }
}

function disablement(pool: Pool, changes: boolean): ResourceChange<IPPool> {
  const before = pool.stored.resource
  return {kind: 'IPPool', name: poolLabel(pool), before, ...(changes ? {action: 'updated', after: {...before, spec: {...before.spec, disabled: true}}} : {action: 'unchanged', after: before})}
}

type Made = {readonly change: ResourceChange<IPPool>; readonly writes: Decision<unknown>['writes']}

/** The pool that is THERE already, if it is as WANTED. */
function checked(there: Pool, wanted: IPPool['spec']): Made {
  const {resource} = there.stored
  if (!isDeepStrictEqual({...resource.spec, cidr: wanted.cidr}, wanted)) {
    throw new CalicoError('conflict', `${poolLabel(there)} already is a pool, with other options than the pool to be moved. Nothing was changed.`, {hint: 'Compare them: calicoctl pool show -o yaml'})
  }
  return {change: {kind: 'IPPool', name: poolLabel(there), action: 'unchanged', before: resource, after: resource}, writes: []}
}

function create({stored}: Pool, spec: IPPool['spec'], target: Cidr, pools: readonly Pool[], blocks: readonly string[]): Made {
  const [problem] = newPoolProblems(target, pools, {blockSize: spec.blockSize}, {inherits: true})
  if (problem) throw new CalicoError(problem.kind, `${problem.message} Nothing was changed.`)
  const name = freeName(new Set(pools.map((pool) => pool.stored.resource.metadata.name)), poolName(target))
  const {kind, apiVersion, metadata: {labels}} = stored.resource
  const pool: IPPool = {kind, apiVersion, metadata: {name, ...(labels ? {labels} : {})}, spec}
  const {change, write} = prepareChange<IPPool>({kind: 'IPPool', name}, undefined, pool, {others: pools.map((other) => other.stored.resource), blocks})
  return {change: {...change, name: formatCidr(target)}, writes: write ? [write] : []}
}

/** The endpoints with addresses of SOURCE. */
async function stragglers(session: Session, source: Cidr): Promise<Straggler[]> {
  const found: Straggler[] = []
  for await (const {resource} of listResources<WorkloadEndpoint>(session, 'WorkloadEndpoint')) {
    for (const address of endpointAddresses(resource)) if (contains(source, address)) found.push(straggler(resource, formatAddress(address)))
  }
  return found.sort((a, b) => compareUtf8(a.node, b.node))
}

function straggler({metadata, spec: {node = '', orchestrator = '', workload = '', profiles = []}}: WorkloadEndpoint, address: string): Straggler {
  const {annotations = {}} = metadata
  const annotation = (name: string): string | undefined => (Object.hasOwn(annotations, name) ? annotations[name] : undefined)
  const ofDriver = orchestrator === DRIVER
  const container = dockerName(annotation(CONTAINER_ANNOTATION)) ?? (ofDriver ? undefined : displayWorkload(metadata, workload).name)
  return {node, orchestrator, workload: container, address, profiles, network: ofDriver ? annotation(NETWORK_ANNOTATION) : undefined}
}
