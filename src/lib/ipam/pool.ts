/** Pools as IPAM sees them: which can be used for what (datamodel-v3 §4.1). Pure. */
import {CalicoError} from '../errors.js'
import {evaluate, parseSelector} from '../model/selector/index.js'
import type {IPPool} from '../model/types.js'
import {type Address, type Cidr, contains, equalNetworks, type Family, formatCidr, networkOf, parseCidr} from '../net/index.js'
import {BLOCK_PREFIXES} from './block.js'

export type Use = 'Workload' | 'Tunnel' | 'LoadBalancer'

export interface Pool {
  readonly name: string
  readonly cidr: Cidr
  /** Prefix length of its blocks. */
  readonly blockSize: number
  /** It may give addresses at all. */
  readonly enabled: boolean
  readonly nodeSelector: string
  readonly namespaceSelector: string
  readonly allowedUses: readonly Use[]
  readonly automatic: boolean
}

const DEFAULT_BLOCK_SIZE = {4: 26, 6: 122} as const

/**
 * STORED in IPAM's terms, with Calico's defaults for what it leaves out; undefined if its CIDR is none. A pool that can have no block, because its blocks would be
 * larger than itself or no size of Calico's, gives no addresses: WARN reports it.
 */
export function poolOf({metadata, spec, status}: IPPool, warn: (problem: string) => void = () => undefined): Pool | undefined {
  const cidr = parseCidr(spec.cidr)
  if (!cidr) return undefined
  const isAllocatable = !status?.conditions?.some((condition) => condition.type === 'Allocatable' && condition.status === 'False')
  const isOn = !spec.disabled && !metadata.deletionTimestamp && isAllocatable
  const usual = DEFAULT_BLOCK_SIZE[cidr.family]
  const wanted = spec.blockSize === undefined || spec.blockSize === 0 ? usual : spec.blockSize
  const {min, max} = BLOCK_PREFIXES[cidr.family]
  const hasBlocks = wanted >= Math.max(min, cidr.prefix) && wanted <= max
  if (isOn && !hasBlocks) warn(`Pool ${formatCidr(networkOf(cidr))} cannot have blocks of /${wanted}: no addresses are taken from it.`)
  return {
    name: metadata.name,
    cidr: networkOf(cidr),
    blockSize: hasBlocks ? wanted : usual,
    enabled: isOn && hasBlocks,
    nodeSelector: spec.nodeSelector ?? '',
    namespaceSelector: spec.namespaceSelector ?? '',
    allowedUses: spec.allowedUses && spec.allowedUses.length > 0 ? spec.allowedUses : ['Workload', 'Tunnel'],
    automatic: (spec.assignmentMode ?? 'Automatic') === 'Automatic',
  }
}

export type Labels = Readonly<Record<string, string>>

/** Whether SELECTOR, which is empty or a selector of Calico's, matches LABELS. @throws CalicoError for one that cannot be read */
const selects = (selector: string, labels: Labels): boolean => selector === '' || selector === 'all()' || evaluate(parseSelector(selector), labels)

export const selectsNode = ({nodeSelector}: Pool, labels: Labels): boolean => selects(nodeSelector, labels)

export interface PoolWish {
  readonly family: Family
  readonly use: Use
  /** Only these, by CIDR (host bits do not matter); none = all that are for the node. */
  readonly requested: readonly Cidr[]
  /** For messages. */
  readonly node: string
  readonly nodeLabels: Labels
}

/**
 * The pools to take addresses from, in the order in which to try them: those requested, else all that are for the node, by name.
 * @param pools all, by name
 * @throws CalicoError `invalid` for requested pools of the other family; `not-found` for requested ones that are not there or disabled; `refused` if no pool is left
 */
export function choosePools(pools: readonly Pool[], {family, use, requested, node, nodeLabels}: PoolWish): Pool[] {
  const other = requested.find((cidr) => cidr.family !== family)
  if (other) throw new CalicoError('invalid', `${formatCidr(other)} is not an IPv${family} pool, but IPv${family} addresses were requested`)
  const enabled = pools.filter((pool) => pool.enabled && pool.cidr.family === family)
  const hint = {hint: 'To see the pools: calicoctl pool show'}
  if (enabled.length === 0) throw new CalicoError('refused', `There is no enabled IPv${family} pool`, {hint: 'To add one: calicoctl pool add CIDR'})
  const chosen = requested.map((cidr) => {
    const pool = enabled.find((each) => equalNetworks(each.cidr, cidr))
    if (!pool) throw new CalicoError('not-found', `The pool ${formatCidr(networkOf(cidr))} does not exist, or is disabled`, hint)
    return pool
  })
  const matching = chosen.length > 0 ? chosen : enabled.filter((pool) => pool.automatic && selectsNode(pool, nodeLabels) && selects(pool.namespaceSelector, {}))
  if (matching.length === 0) throw new CalicoError('refused', `No IPv${family} pool is for node ${node}`, {details: enabled.map(({cidr, nodeSelector}) => `${formatCidr(cidr)}: ${nodeSelector || 'manual'}`), ...hint})
  const usable = matching.filter(({allowedUses}) => allowedUses.includes(use))
  if (usable.length === 0) throw new CalicoError('refused', `No IPv${family} pool for node ${node} can be used for ${use === 'Workload' ? 'workloads' : use}`, hint)
  return usable
}

/** The pool of POOLS that ADDRESS lies in. */
export const poolOfAddress = (pools: readonly Pool[], address: Address): Pool | undefined => pools.find(({cidr}) => contains(cidr, address))
