/** IP pools as v0.20 knew them: by their CIDR, whatever their name (decisions.md 19). */
import type {KeyValue} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {blocksPrefixWithin} from '../ipam/block-keys.js'
import {NETWORK_ANNOTATION} from '../ipam/driver-handles.js'
import {dockerName} from '../model/display-name.js'
import {kindPrefix, parseKey} from '../model/keys.js'
import {poolName} from '../model/names.js'
import {API_VERSION} from '../model/resource.js'
import type {IPPool} from '../model/types.js'
import {type Address, type Cidr, coverRange, equalNetworks, type Family, formatAddress, formatCidr, networkOf, overlaps, parseCidr} from '../net/index.js'
import {commit, type Decision, type Seen} from './commit.js'
import {freeName} from './identity.js'
import {listResources, prepareChange, type ResourceChange, type Stored, tryParse} from './resources.js'
import type {Session} from './session.js'

/** The prefix length of a new pool's blocks, and so of the smallest pool. */
const BLOCK_SIZES = {4: 26, 6: 122} as const

/** Pools that one line may add: all of them go into one transaction. */
const MAX_POOLS = 100

/** What `pool add` says about each of its pools; what it does not say is switched off. */
export interface PoolOptions {
  readonly ipip: boolean
  readonly natOutgoing: boolean
}

/** A stored pool and the network that it is for. */
export interface Pool {
  readonly stored: Stored<IPPool>
  /** Undefined if what is stored is none. */
  readonly cidr: Cidr | undefined
}

const poolOf = (stored: Stored<IPPool>): Pool => {
  const cidr = parseCidr(stored.resource.spec.cidr)
  return {stored, cidr: cidr && networkOf(cidr)}
}

/** The CIDR that users call the pool by. */
export const poolLabel = ({stored, cidr}: Pool): string => (cidr ? formatCidr(cidr) : stored.resource.spec.cidr)

/** The family of a pool; what cannot be read is taken for what its text looks like. */
export const poolFamily = ({stored, cidr}: Pool): Family => cidr?.family ?? (stored.resource.spec.cidr.includes(':') ? 6 : 4)

/** All pools of FAMILIES: IPv4 first, each family by CIDR as text. */
export async function listPools(session: Session, families: readonly Family[]): Promise<Pool[]> {
  const pools: Pool[] = []
  for await (const stored of listResources<IPPool>(session, 'IPPool')) pools.push(poolOf(stored))
  return pools.filter((pool) => families.includes(poolFamily(pool))).sort((a, b) => poolFamily(a) - poolFamily(b) || compareText(poolLabel(a), poolLabel(b)))
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The pools in ENTRIES, a list of all pools' keys, in the order of their names. Values that cannot be read are told and passed over. */
export const parsePools = (session: Session, entries: readonly KeyValue[]): Pool[] =>
  entries.flatMap((kv) => tryParse<IPPool>(session, 'IPPool', kv) ?? []).map(poolOf)

/** What users call the Docker network of a pool with NETWORK_ANNOTATION. */
export const NETWORK_NAME_ANNOTATION = 'calicoctl/network-name'

/** The annotation NAME of POOL. */
export function poolAnnotation({stored}: Pool, name: string): string | undefined {
  const {annotations} = stored.resource.metadata
  return annotations && Object.hasOwn(annotations, name) ? annotations[name] : undefined
}

/** The Docker network of Docker's own IPAM that POOL stands for (decisions.md 30), as users call it; undefined for other pools. */
export function networkOfPool(pool: Pool): string | undefined {
  const id = poolAnnotation(pool, NETWORK_ANNOTATION)
  return id === undefined ? undefined : (dockerName(poolAnnotation(pool, NETWORK_NAME_ANNOTATION)) ?? id.slice(0, 12))
}

/** The pools for exactly CIDR: none or one, or more where somebody stored several; Calico honours the first then. */
export const poolsFor = (pools: readonly Pool[], cidr: Cidr): Pool[] => pools.filter((pool) => pool.cidr !== undefined && equalNetworks(pool.cidr, cidr))

/** CIDRS as networks, each once. */
export function distinctNetworks(cidrs: readonly Cidr[]): Cidr[] {
  const byText = new Map(cidrs.map((cidr) => [formatCidr(networkOf(cidr)), networkOf(cidr)]))
  return [...byText.values()]
}

/**
 * What is wrong with adding CIDRS, as far as the line itself shows it; one sentence each. A network that is too small for a new pool is only
 * told with other problems (of its own, or OTHERS_FOUND), because it may be that of an existing pool with smaller blocks.
 */
export function problemsOfLine(cidrs: readonly Cidr[], {ipip}: PoolOptions, {othersFound = false}: {othersFound?: boolean} = {}): string[] {
  const networks = distinctNetworks(cidrs)
  const problems = ipip ? networks.filter(({family}) => family === 6).map((cidr) => `${formatCidr(cidr)}: IPIP is not possible with IPv6.`) : []
  for (const [index, cidr] of networks.entries()) {
    for (const other of networks.slice(0, index)) if (overlaps(cidr, other)) problems.push(`${formatCidr(cidr)} overlaps ${formatCidr(other)} on the same line.`)
  }
  if (networks.length > MAX_POOLS) problems.push(`These are ${networks.length} pools; one line may add at most ${MAX_POOLS}.`)
  return othersFound || problems.length > 0 ? [...problems, ...networks.flatMap((cidr) => sizeProblem(cidr) ?? [])] : []
}

/** What is wrong with the range FIRST to LAST itself; undefined if it is one. */
export function rangeProblem(first: Address, last: Address): string | undefined {
  if (first.family !== last.family) return `${formatAddress(first)} and ${formatAddress(last)} are not of the same IP version.`
  return first.value < last.value ? undefined : `${formatAddress(first)} is not below ${formatAddress(last)}.`
}

/** What is wrong with adding the networks that make up the range FIRST to LAST. */
export function coverProblems(first: Address, last: Address, options: PoolOptions): string[] {
  const networks = coverRange(first, last)
  const smallest = BLOCK_SIZES[first.family]
  if (networks.every(({prefix}) => prefix <= smallest)) return problemsOfLine(networks, options)
  return [
    `The range would be these pools, of which some are smaller than a /${smallest}, the smallest IPv${first.family} pool: ${networks.map(formatCidr).join(', ')}.`,
    ...(options.ipip && first.family === 6 ? ['IPIP is not possible with IPv6.'] : []),
  ]
}

const sizeProblem = (cidr: Cidr): string | undefined => {
  const smallest = BLOCK_SIZES[cidr.family]
  return cidr.prefix > smallest ? `${formatCidr(cidr)} is too small: the smallest IPv${cidr.family} pool is a /${smallest}.` : undefined
}

/**
 * Makes each of CIDRS a pool with OPTIONS, all in one transaction. One that is a pool already gets these options and is enabled; all else that
 * it says stays.
 * @throws CalicoError `invalid` for one that is too small or overlaps another pool; `refused` where a pool's VXLAN would become IPIP, or a pool is a
 *   Docker network's of Docker's own IPAM
 */
export async function addPools(session: Session, cidrs: readonly Cidr[], options: PoolOptions): Promise<ResourceChange<IPPool>[]> {
  const networks = distinctNetworks(cidrs)
  const reads = [{list: kindPrefix('IPPool')}, ...networks.map((cidr) => ({list: blocksPrefixWithin(cidr), keysOnly: true}))]
  const {outcome} = await commit(session, reads, (seen) => decideAddition(session, seen, networks, options))
  return outcome
}

function decideAddition(session: Session, {revision, results: [entries = [], ...blockLists]}: Seen, networks: readonly Cidr[], options: PoolOptions): Decision<ResourceChange<IPPool>[]> {
  const pools = parsePools(session, entries)
  const names = new Set(entries.map(({key}) => key.slice(kindPrefix('IPPool').length)))
  const plans = networks.map((cidr, index) => ({cidr, existing: poolsFor(pools, cidr)[0], blocks: blockLists[index] ?? []}))
  refuse(plans.flatMap(({cidr, existing}) => (existing ? changeProblems(existing, options) : newPoolProblems(cidr, pools))))
  const prepared = plans.map(({cidr, existing, blocks}) => {
    if (existing) return prepare(cidr, nameInKey(existing), existing.stored, withOptions(existing.stored.resource, options))
    const name = freeName(names, poolName(cidr))
    names.add(name)
    const situation = {others: pools.map(({stored}) => stored.resource), blocks: blockCidrs(blocks)}
    return prepare(cidr, name, undefined, newPool(name, cidr, options), situation)
  })
  return {
    writes: prepared.flatMap(({write}) => write ?? []),
    // A pool that somebody adds at the same moment may overlap ours.
    guards: [{prefix: kindPrefix('IPPool'), unchangedSince: revision}],
    what: `the change of ${networks.length === 1 ? `ippool/${networks.map(formatCidr).join()}` : `${networks.length} IP pools`}`,
    outcome: prepared.map(({change}) => change),
  }
}

/** The stored name of POOL. */
const nameInKey = ({stored}: Pool): string => stored.kv.key.slice(kindPrefix('IPPool').length)

type Prepared = ReturnType<typeof prepareChange<IPPool>>

/** prepareChange, told by the pool's CIDR. */
function prepare(cidr: Cidr, name: string, before: Stored<IPPool> | undefined, after: IPPool, situation: Parameters<typeof prepareChange>[3] = {}): Prepared {
  const {change, ...rest} = prepareChange<IPPool>({kind: 'IPPool', name}, before, after, situation)
  return {...rest, change: {...change, name: formatCidr(cidr)}}
}

const blockCidrs = (entries: readonly KeyValue[]): string[] =>
  entries.flatMap(({key}) => {
    const parsed = parseKey(key)
    return parsed?.type === 'block' ? [parsed.cidr] : []
  })

interface PoolProblem {
  readonly kind: 'invalid' | 'refused'
  readonly message: string
}

function newPoolProblems(cidr: Cidr, pools: readonly Pool[]): PoolProblem[] {
  const size = sizeProblem(cidr)
  const others = pools.filter((other) => other.cidr !== undefined && overlaps(cidr, other.cidr))
  return [
    ...(size === undefined ? [] : [size]),
    ...others.map((other) => `${formatCidr(cidr)} overlaps the pool ${poolLabel(other)} (${nameInKey(other)}).`),
  ].map((message) => ({kind: 'invalid', message}))
}

const hasVxlan = ({spec}: IPPool): boolean => spec.vxlanMode !== undefined && spec.vxlanMode !== 'Never'

function changeProblems(pool: Pool, {ipip}: PoolOptions): PoolProblem[] {
  const {resource} = pool.stored
  const network = networkOfPool(pool)
  if (network !== undefined && resource.spec.disabled) {
    return [{kind: 'refused', message: `${poolLabel(pool)} is the subnet of the Docker network ${network}, whose addresses Docker gives itself: Calico would give them to others as well.`}]
  }
  if (!ipip || !hasVxlan(resource)) return []
  return [{kind: 'refused', message: `${poolLabel(pool)} uses VXLAN (${resource.spec.vxlanMode ?? ''}): changing its encapsulation to IPIP would cut off running workloads. Change it with the Go calicoctl.`}]
}

function refuse(problems: readonly PoolProblem[]): void {
  const [first, ...more] = problems
  if (first === undefined) return
  const kind = problems.some((problem) => problem.kind === 'invalid') ? 'invalid' : 'refused'
  if (more.length === 0) throw new CalicoError(kind, `${first.message} Nothing was changed.`)
  throw new CalicoError(kind, `${problems.length} of the pools cannot be added; nothing was changed:`, {details: problems.map(({message}) => message)})
}

const newPool = (name: string, cidr: Cidr, {ipip, natOutgoing}: PoolOptions): IPPool => ({
  kind: 'IPPool',
  apiVersion: API_VERSION,
  metadata: {name},
  spec: {cidr: formatCidr(cidr), ipipMode: ipip ? 'Always' : 'Never', ...(natOutgoing ? {natOutgoing} : {})},
})

/** POOL, enabled, with OPTIONS; the same object if it has them. IPIP across subnets only is IPIP too. */
function withOptions(pool: IPPool, {ipip, natOutgoing}: PoolOptions): IPPool {
  const {natOutgoing: hadNat = false, disabled = false, ...spec} = pool.spec
  const mode = spec.ipipMode ?? 'Never'
  const ipipMode = ipip ? (mode === 'Never' ? 'Always' : mode) : 'Never'
  if (ipipMode === mode && hadNat === natOutgoing && !disabled) return pool
  return {...pool, spec: {...spec, ipipMode, ...(natOutgoing ? {natOutgoing} : {})}}
}
