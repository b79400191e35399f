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
import {type Address, type Cidr, coverRange, equalNetworks, type Family, formatAddress, formatCidr, networkOf, overlaps, parseCidr, poolNetworkProblem} from '../net/index.js'
import {commit, type Decision, type Seen} from './commit.js'
import {freeName} from './identity.js'
import {listResources, prepareChange, type ResourceChange, type Stored, tryParse} from './resources.js'
import type {Session} from './session.js'

/** The prefix length of a pool's blocks, and so of the smallest pool, where nothing is said of it. */
export const BLOCK_SIZES = {4: 26, 6: 122} as const

/** The prefix lengths that Calico takes for blocks (datamodel-v3 §1.5). */
const BLOCK_SIZE_LIMITS = {4: {least: 20, most: 32}, 6: {least: 116, most: 128}} as const

/** Pools that one line may add: all of them go into one transaction. */
const MAX_POOLS = 100

/** What a line says about each of its pools. What it does not name (undefined) is kept, and is Calico's default for a new pool (decisions.md 19). */
export interface PoolOptions {
  readonly ipip?: boolean | undefined
  readonly natOutgoing?: boolean | undefined
  readonly disabled?: boolean | undefined
  /** The prefix length of its blocks; that of an existing pool cannot be changed. */
  readonly blockSize?: number | undefined
}

/** A stored pool and the network that it is for. */
export interface Pool {
  readonly stored: Stored<IPPool>
  /** Undefined if what is stored is none. */
  readonly cidr: Cidr | undefined
}

/** What STORED is for. */
export const poolOf = (stored: Stored<IPPool>): Pool => {
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

/** The pools in ENTRIES, a list of all pools' keys, in the order of their names. Values that cannot be read are reported and skipped. */
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

/** The pools for exactly CIDR: none or one, or more where someone stored several; Calico honours the first then. */
export const poolsFor = (pools: readonly Pool[], cidr: Cidr): Pool[] => pools.filter((pool) => pool.cidr !== undefined && equalNetworks(pool.cidr, cidr))

/** CIDRS as networks, each once. */
export function distinctNetworks(cidrs: readonly Cidr[]): Cidr[] {
  const byText = new Map(cidrs.map((cidr) => [formatCidr(networkOf(cidr)), networkOf(cidr)]))
  return [...byText.values()]
}

/** What is wrong with OPTIONS for pools of CIDRS; one sentence each. */
export function optionProblems(cidrs: readonly Cidr[], {ipip, blockSize}: PoolOptions): string[] {
  const families = new Set(cidrs.map(({family}) => family))
  return [
    ...(ipip ? distinctNetworks(cidrs).filter(({family}) => family === 6).map((cidr) => `${formatCidr(cidr)}: IPIP is not possible with IPv6.`) : []),
    ...[...families].flatMap((family) => {
      const {least, most} = BLOCK_SIZE_LIMITS[family]
      return blockSize === undefined || (blockSize >= least && blockSize <= most) ? [] : [`--block-size ${blockSize}: blocks of IPv${family} are /${least} to /${most}.`]
    }),
  ]
}

/**
 * What is wrong with adding CIDRS, as far as the line itself shows it; one sentence each. A network that is too small for a new pool is only
 * reported with other problems (of its own, or OTHERS_FOUND), because it may be that of an existing pool with smaller blocks.
 */
export function problemsOfLine(cidrs: readonly Cidr[], options: PoolOptions, {othersFound = false}: {othersFound?: boolean} = {}): string[] {
  const networks = distinctNetworks(cidrs)
  const problems = [...networks.flatMap((cidr) => sentence(poolNetworkProblem(cidr))), ...optionProblems(networks, options)]
  for (const [index, cidr] of networks.entries()) {
    for (const other of networks.slice(0, index)) if (overlaps(cidr, other)) problems.push(`${formatCidr(cidr)} overlaps ${formatCidr(other)} in the same command.`)
  }
  if (networks.length > MAX_POOLS) problems.push(`${networks.length} pools were given; one command can add at most ${MAX_POOLS}.`)
  return othersFound || problems.length > 0 ? [...problems, ...networks.flatMap((cidr) => sizeProblem(cidr, options) ?? [])] : []
}

const sentence = (text: string | undefined): string[] => (text === undefined ? [] : [`${text}.`])

/** What is wrong with the range FIRST to LAST itself; undefined if it is one. */
export function rangeProblem(first: Address, last: Address): string | undefined {
  if (first.family !== last.family) return `${formatAddress(first)} and ${formatAddress(last)} have different IP versions.`
  return first.value < last.value ? undefined : `${formatAddress(first)} is not less than ${formatAddress(last)}.`
}

/** What is wrong with adding the networks that make up the range FIRST to LAST. */
export function coverProblems(first: Address, last: Address, options: PoolOptions): string[] {
  const networks = coverRange(first, last)
  const {family} = first
  const smallest = options.blockSize ?? BLOCK_SIZES[family]
  if (networks.every(({prefix}) => prefix <= smallest)) return problemsOfLine(networks, options)
  const which = options.blockSize === undefined ? `the smallest IPv${family} pool` : 'a block of them'
  return [
    `The range would become these pools, some of which are smaller than a /${smallest}, ${which}: ${networks.map(formatCidr).join(', ')}. --block-size ${Math.max(...networks.map(({prefix}) => prefix))} makes blocks that are small enough.`,
    ...optionProblems(networks.slice(0, 1), {blockSize: options.blockSize}),
    ...(options.ipip && family === 6 ? ['IPIP is not possible with IPv6.'] : []),
  ]
}

/** INHERITS: the size of its blocks is that of another pool. */
const sizeProblem = (cidr: Cidr, {blockSize}: PoolOptions, {inherits = false} = {}): string | undefined => {
  const {least, most} = BLOCK_SIZE_LIMITS[cidr.family]
  const isPossible = blockSize === undefined || (blockSize >= least && blockSize <= most)
  if (!isPossible || cidr.prefix <= (blockSize ?? BLOCK_SIZES[cidr.family])) return undefined
  const smallest = blockSize === undefined ? `the smallest IPv${cidr.family} pool is a /${BLOCK_SIZES[cidr.family]}` : `a block of it would be a /${blockSize}`
  const full = cidr.family === 4 ? 32 : 128
  const remedy = cidr.prefix === full ? 'Give a network with its prefix length, such as ' + (cidr.family === 4 ? '192.168.0.0/16' : 'fd80:24e2:f998:72d6::/64') : inherits ? 'Give a larger network: the new pool has blocks of the same size as the old one' : `Give a larger network, or smaller blocks with --block-size ${cidr.prefix}`
  return `${formatCidr(cidr)} ${cidr.prefix === full ? 'is a single address, which is too small for a pool' : 'is too small'}: ${smallest}. ${remedy}.`
}

/**
 * Makes each of CIDRS a pool with OPTIONS, all in one transaction. One that is a pool already gets what OPTIONS name; all else that it says stays.
 * @throws CalicoError `invalid` for one that is too small or overlaps another pool; `refused` where a pool's VXLAN would become IPIP, its blocks
 *   would change their size, or it is a Docker network's of Docker's own IPAM
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
  refuse(plans.flatMap(({cidr, existing}) => (existing ? [...dockerProblems(existing), ...changeProblems(existing, options)] : newPoolProblems(cidr, pools, options))), 'added')
  const prepared = plans.map(({cidr, existing, blocks}) => {
    if (existing) return prepare(cidr, nameInKey(existing), existing.stored, withOptions(existing.stored.resource, options))
    const name = freeName(names, poolName(cidr))
    names.add(name)
    const situation = {others: pools.map(({stored}) => stored.resource), blocks: blockCidrs(blocks)}
    return prepare(cidr, name, undefined, newPool(name, cidr, options), situation)
  })
  return {
    writes: prepared.flatMap(({write}) => write ?? []),
    // A pool that someone adds at the same moment may overlap ours.
    guards: [{prefix: kindPrefix('IPPool'), unchangedSince: revision}],
    what: `the change of ${networks.length === 1 ? `ippool/${networks.map(formatCidr).join()}` : `${networks.length} IP pools`}`,
    outcome: prepared.map(({change}) => change),
  }
}

/**
 * Makes the pools of CIDRS what OPTIONS name, all in one transaction; all else that they say stays.
 * @throws CalicoError `not-found` if one of them is no pool; `refused` as addPools
 */
export async function setPools(session: Session, cidrs: readonly Cidr[], options: PoolOptions): Promise<ResourceChange<IPPool>[]> {
  const networks = distinctNetworks(cidrs)
  const {outcome} = await commit(session, [{list: kindPrefix('IPPool')}], ({results: [entries = []]}) => {
    const found = poolsOf(parsePools(session, entries), networks)
    refuse(found.flatMap(({pool}) => [...(options.disabled === false ? dockerProblems(pool) : []), ...changeProblems(pool, options)]), 'changed')
    const prepared = found.map(({cidr, pool}) => prepare(cidr, nameInKey(pool), pool.stored, withOptions(pool.stored.resource, options)))
    return {
      writes: prepared.flatMap(({write}) => write ?? []),
      what: `the change of ${networks.length === 1 ? `ippool/${networks.map(formatCidr).join()}` : `${networks.length} IP pools`}`,
      outcome: prepared.map(({change}) => change),
    }
  })
  return outcome
}

/** The pool of each of NETWORKS. @throws CalicoError `not-found` naming those that have none */
function poolsOf(pools: readonly Pool[], networks: readonly Cidr[]): {readonly cidr: Cidr; readonly pool: Pool}[] {
  requireAll(pools, networks)
  return networks.flatMap((cidr) => poolsFor(pools, cidr).slice(0, 1).map((pool) => ({cidr, pool})))
}

/** @throws CalicoError `not-found` naming those of NETWORKS that no pool in POOLS is for */
export function requireAll(pools: readonly Pool[], networks: readonly Cidr[]): void {
  const missing = networks.filter((cidr) => poolsFor(pools, cidr).length === 0).map((cidr) => `${formatCidr(cidr)} is not a configured pool.`)
  const [first, ...more] = missing
  if (first === undefined) return
  throw new CalicoError('not-found', first, {details: more, hint: `${networks.length === 1 ? '' : 'No pool was changed. '}To see the pools: calicoctl pool show`})
}

/** What POOL has that a line with OPTIONS does not name, in words, and the options of `pool set` that would change it. */
export function unnamed({spec}: IPPool, {ipip, natOutgoing, disabled, blockSize}: PoolOptions): {readonly words: readonly string[]; readonly set: readonly string[]} {
  const found: {word: string; set?: string}[] = []
  const mode = spec.ipipMode ?? 'Never'
  if (mode !== 'Never' && ipip === undefined) found.push({word: mode === 'Always' ? 'ipip' : `ipip (${mode})`, set: '--no-ipip'})
  if (mode === 'CrossSubnet' && ipip) found.push({word: 'ipip between subnets only (CrossSubnet)'})
  if (hasVxlan(spec)) found.push({word: `vxlan (${spec.vxlanMode ?? ''})`})
  if (spec.natOutgoing && natOutgoing === undefined) found.push({word: 'nat-outgoing', set: '--no-nat-outgoing'})
  if (spec.disabled && disabled === undefined) found.push({word: 'disabled', set: '--enabled'})
  const usual = BLOCK_SIZES[parseCidr(spec.cidr)?.family ?? 4]
  if (blockSize === undefined && spec.blockSize !== undefined && spec.blockSize !== usual) found.push({word: `blocks of /${spec.blockSize}`})
  return {words: found.map(({word}) => word), set: found.flatMap(({set}) => set ?? [])}
}

const onOff = (mode: string): string => (mode === 'Never' ? 'off' : 'on')

/** What differs between BEFORE and AFTER of what `pool set` changes, in its words: `nat-outgoing off → on, enabled`. */
export function changedOptions(before: IPPool | undefined, after: IPPool | undefined): string | undefined {
  if (!before || !after) return undefined
  const modes = [before, after].map(({spec}) => spec.ipipMode ?? 'Never')
  const nat = [before, after].map(({spec}) => spec.natOutgoing ?? false)
  const off = [before, after].map(({spec}) => spec.disabled ?? false)
  const words = [
    ...(modes[0] === modes[1] ? [] : [`ipip ${modes.map(onOff).join(' → ')}`]),
    ...(nat[0] === nat[1] ? [] : [`nat-outgoing ${nat[0] ? 'on' : 'off'} → ${nat[1] ? 'on' : 'off'}`]),
    ...(off[0] === off[1] ? [] : [off[1] ? 'disabled' : 'enabled']),
  ]
  return words.length === 0 ? undefined : words.join(', ')
}

/** The stored name of POOL. */
const nameInKey = ({stored}: Pool): string => stored.kv.key.slice(kindPrefix('IPPool').length)

type Prepared = ReturnType<typeof prepareChange<IPPool>>

/** prepareChange, reported by the pool's CIDR. */
function prepare(cidr: Cidr, name: string, before: Stored<IPPool> | undefined, after: IPPool, situation: Parameters<typeof prepareChange>[3] = {}): Prepared {
  const {change, ...rest} = prepareChange<IPPool>({kind: 'IPPool', name}, before, after, situation)
  return {...rest, change: {...change, name: formatCidr(cidr)}}
}

/** The networks of the blocks whose keys ENTRIES are. */
export const blockCidrs = (entries: readonly KeyValue[]): string[] =>
  entries.flatMap(({key}) => {
    const parsed = parseKey(key)
    return parsed?.type === 'block' ? [parsed.cidr] : []
  })

interface PoolProblem {
  readonly kind: 'invalid' | 'refused'
  readonly message: string
}

/** Why CIDR cannot be a new pool with OPTIONS beside POOLS. INHERITS: it gets the block size of another pool. */
export function newPoolProblems(cidr: Cidr, pools: readonly Pool[], options: PoolOptions, {inherits = false} = {}): PoolProblem[] {
  const size = sizeProblem(cidr, options, {inherits})
  const others = pools.filter((other) => other.cidr !== undefined && overlaps(cidr, other.cidr))
  return [
    ...(size === undefined ? [] : [size]),
    ...others.map((other) => `${formatCidr(cidr)} overlaps the pool ${poolLabel(other)} (${nameInKey(other)}).`),
  ].map((message) => ({kind: 'invalid', message}))
}

const hasVxlan = (spec: IPPool['spec']): boolean => spec.vxlanMode !== undefined && spec.vxlanMode !== 'Never'

/** Why POOL cannot be put to use: it stands for a network of Docker's own IPAM. */
function dockerProblems(pool: Pool): PoolProblem[] {
  const network = networkOfPool(pool)
  if (network === undefined || !pool.stored.resource.spec.disabled) return []
  return [{kind: 'refused', message: `${poolLabel(pool)} is the subnet of the Docker network ${network}, whose addresses Docker assigns itself: Calico would assign them a second time.`}]
}

function changeProblems(pool: Pool, {ipip, blockSize}: PoolOptions): PoolProblem[] {
  const {spec} = pool.stored.resource
  const label = poolLabel(pool)
  const size = spec.blockSize ?? BLOCK_SIZES[poolFamily(pool)]
  const messages = [
    ...(ipip && hasVxlan(spec) ? [`${label} uses VXLAN (${spec.vxlanMode ?? ''}): changing its encapsulation to IPIP would cut off running workloads. Change it with the Go calicoctl.`] : []),
    ...(blockSize !== undefined && blockSize !== size ? [`${label} has blocks of /${size}, which cannot be changed to /${blockSize}: remove the pool and add it again.`] : []),
  ]
  return messages.map((message) => ({kind: 'refused', message}))
}

function refuse(problems: readonly PoolProblem[], what: 'added' | 'changed'): void {
  const [first, ...more] = problems
  if (first === undefined) return
  const kind = problems.some((problem) => problem.kind === 'invalid') ? 'invalid' : 'refused'
  if (more.length === 0) throw new CalicoError(kind, `${first.message} Nothing was changed.`, {hint: SEE_POOLS})
  throw new CalicoError(kind, `There are ${problems.length} problems, and nothing was ${what}:`, {details: problems.map(({message}) => message), hint: SEE_POOLS})
}

const SEE_POOLS = 'To see the pools: calicoctl pool show'

/** A new pool under the stored name NAME. */
export const newPool = (name: string, cidr: Cidr, {ipip, natOutgoing, disabled, blockSize}: PoolOptions): IPPool => ({
  kind: 'IPPool',
  apiVersion: API_VERSION,
  metadata: {name},
  spec: {cidr: formatCidr(cidr), ipipMode: ipip ? 'Always' : 'Never', ...(blockSize === undefined ? {} : {blockSize}), ...(natOutgoing ? {natOutgoing} : {}), ...(disabled ? {disabled} : {})},
})

/** POOL with what OPTIONS name; the same object if it is so. IPIP across subnets only is IPIP too. */
function withOptions(pool: IPPool, {ipip, natOutgoing, disabled}: PoolOptions): IPPool {
  const {natOutgoing: hadNat = false, disabled: wasDisabled = false, ...spec} = pool.spec
  const mode = spec.ipipMode ?? 'Never'
  const ipipMode = ipip === undefined ? mode : ipip ? (mode === 'Never' ? 'Always' : mode) : 'Never'
  const [nat, off] = [natOutgoing ?? hadNat, disabled ?? wasDisabled]
  if (ipipMode === mode && nat === hadNat && off === wasDisabled) return pool
  return {...pool, spec: {...spec, ...(ipipMode === mode ? {} : {ipipMode}), ...(nat ? {natOutgoing: nat} : {}), ...(off ? {disabled: off} : {})}}
}
