/** Splitting a pool into equal parts, as `ipam split` of the Go calicoctl, but in one transaction: it is split, or nothing has changed. */
import {CalicoError} from '../errors.js'
import {kindPrefix} from '../model/keys.js'
import type {IPPool} from '../model/types.js'
import {ADDRESS_BITS, type Cidr, equalNetworks, formatCidr, networkOf, subnetAt} from '../net/index.js'
import {checkReadable, checkWritable, type ClusterState, unfinishedRestore} from './cluster.js'
import {commit, type Write} from './commit.js'
import {networkOfPool, parsePools, type Pool} from './pools.js'
import {prepareChange, type ResourceChange} from './resources.js'
import type {Session} from './session.js'

/** Parts of one pool: all are created in one transaction. */
export const MAX_PARTS = 64

/** Characters of an object's name. */
const LONGEST_NAME = 253

/** Which pool: by its name, or by its CIDR as it is stored, without host bits. */
export type Which = {readonly name: string} | {readonly cidr: Cidr}

/** What is wrong with NUMBER, as a sentence; undefined if a pool can be split so. */
export const partsProblem = (number: number): string | undefined =>
  number >= 2 && number <= MAX_PARTS && Number.isInteger(Math.log2(number)) ? undefined : `A pool is split into 2, 4, 8, 16, 32 or ${MAX_PARTS} parts, not into ${number}.`

export interface Split {
  /** The name of the pool that was split. */
  readonly name: string
  /** Its parts, then itself. */
  readonly changes: readonly ResourceChange<IPPool>[]
  /** The pool was disabled, which its parts are not. */
  readonly wasDisabled: boolean
}

/**
 * Puts NUMBER pools, parts of it and like it, in the place of the pool. Addresses and blocks stay as they are. The pools created are enabled, as the Go
 * calicoctl's. A store that an operator has locked is no hindrance: the Go calicoctl insists on a lock for it, and this transaction does not need one.
 * @throws CalicoError `not-found`; `invalid` if a part would be smaller than a block; `conflict` if a name is taken; `refused` while a restore is unfinished,
 *   and for a pool that stands for a network whose addresses Docker gives itself: its parts must not be enabled
 */
export async function splitPool(session: Session, which: Which, number: number): Promise<Split> {
  const {outcome} = await commit(session, [{list: kindPrefix('IPPool')}], ({revision, cluster, results: [entries = []]}) => {
    checkCluster(session, cluster)
    const pools = parsePools(session, entries)
    const pool = find(pools, which)
    const name = pool.stored.kv.key.slice(kindPrefix('IPPool').length)
    const taken = new Set(entries.map(({key}) => key.slice(kindPrefix('IPPool').length)))
    const network = networkOfPool(pool)
    if (network !== undefined) throw new CalicoError('refused', `The pool ${name} is the subnet of the Docker network ${network}, whose addresses Docker assigns itself, and cannot be split. Nothing was changed.`)
    const made = partsOf(pool, name, number).map((part) => {
      if (taken.has(part.metadata.name)) throw new CalicoError('conflict', `A pool named ${part.metadata.name} already exists. Nothing was changed.`)
      return prepareChange<IPPool>({kind: 'IPPool', name: part.metadata.name}, undefined, part)
    })
    const deletion: Write = {key: pool.stored.kv.key, read: pool.stored.kv, value: undefined}
    return {
      writes: [...made.flatMap(({write}) => write ?? []), deletion],
      guards: [{prefix: kindPrefix('IPPool'), unchangedSince: revision}],
      what: `the splitting of ippool/${name}`,
      outcome: {name, wasDisabled: pool.stored.resource.spec.disabled === true, changes: [...made.map(({change}) => change), {kind: 'IPPool' as const, name, action: 'deleted' as const, before: pool.stored.resource, after: undefined}]},
    }
  }, {ownCluster: true})
  return outcome
}

function checkCluster(session: Session, cluster: ClusterState): void {
  if (cluster.state === 'present' && unfinishedRestore(cluster.information) !== undefined) checkWritable(session, cluster)
  checkReadable(session, cluster)
}

function find(pools: readonly Pool[], which: Which): Pool {
  const found = 'name' in which
    ? pools.find(({stored}) => stored.resource.metadata.name === which.name)
    : pools.find(({cidr}) => cidr !== undefined && equalNetworks(cidr, which.cidr) && networkOf(which.cidr).value === which.cidr.value)
  if (found?.cidr) return found
  throw new CalicoError('not-found', `There is no pool ${'name' in which ? `named ${which.name}` : `with the CIDR ${formatCidr(which.cidr)}`}. Nothing was changed.`, {hint: 'To see the pools: calicoctl pool show -o wide'})
}

function partsOf({stored: {resource}, cidr}: Pool, name: string, number: number): IPPool[] {
  if (cidr === undefined) return []
  const prefix = cidr.prefix + Math.log2(number)
  const {disabled: _, ...spec} = resource.spec
  const smallest = Math.min(spec.blockSize ?? ADDRESS_BITS[cidr.family], ADDRESS_BITS[cidr.family])
  if (prefix > smallest) throw new CalicoError('invalid', `${formatCidr(cidr)} cannot be split into ${number} pools: each would be a /${prefix}, smaller than one block of it (/${smallest}). Nothing was changed.`)
  const {labels, annotations} = resource.metadata
  return Array.from({length: number}, (_each, index) => {
    const suffix = `-${index}`
    return {...resource, metadata: {name: `split-${name}`.slice(0, LONGEST_NAME - suffix.length) + suffix, ...(labels ? {labels} : {}), ...(annotations ? {annotations} : {})}, spec: {...spec, cidr: formatCidr(subnetAt(cidr, prefix, index))}}
  })
}
