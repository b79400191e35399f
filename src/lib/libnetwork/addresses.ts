/**
 * The IPAM calls of Docker (mesos-docker §3.4). Docker does not say what an address is for, so it is assigned with a pending handle until its endpoint
 * is made (endpoints.ts); what stays pending is released (orphans.ts).
 */
import {networkOfPool, parsePools, poolLabel, poolsFor} from '../client/pools.js'
import {keyOf, read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError, isError} from '../errors.js'
import {type Assignment, type AssignRequest, autoAssignOn, autoAssignReads} from '../ipam/auto-assign.js'
import type {Attribute} from '../ipam/block.js'
import type {Draft} from '../ipam/draft.js'
import {driverHandleOf, newPendingHandle, pendingAttributes} from '../ipam/driver-handles.js'
import {lookedAlready} from '../ipam/held.js'
import {POOLS_PREFIX, readPools} from '../ipam/lists.js'
import {type AddressRecord, lookUpAddress} from '../ipam/lookup.js'
import {requireNode} from '../ipam/node.js'
import {submit} from '../ipam/queue.js'
import {takeAddress} from '../ipam/reassign.js'
import {releaseOn} from '../ipam/release-addresses.js'
import {handleKey, IPAM_CONFIG_KEY, resourceKey} from '../model/keys.js'
import {type Address, type Cidr, equalNetworks, type Family, formatAddress, formatCidr, hostCidr, networkOf, parseAddress, parseCidr} from '../net/index.js'
import {addressProblem, assignmentProblem, invalidSubnet, noneAvailable, noSuchPool, poolGone, unusablePool} from './address-errors.js'
import {endpointCodec, endpointPlace, hasAddress} from './endpoints.js'

/** What Docker says to options and gateways. */
const GATEWAY = 'com.docker.network.gateway'

/** By family: the pool id that stands for all pools, and the pool and gateway that stand for none. By this gateway the network driver knows Calico's IPAM. */
const FIXED = {
  4: {id: 'CalicoPoolIPv4', pool: '0.0.0.0/0'},
  6: {id: 'CalicoPoolIPv6', pool: '::/0'},
} as const

type Options = Readonly<Record<string, string>> | null

export interface PoolRequest {
  /** `--subnet`; '' = none was given. */
  readonly pool: string
  /** `--ip-range` */
  readonly subPool: string
  /** `--ipam-opt` */
  readonly options: Options
  readonly v6: boolean
}

export interface PoolReply {
  readonly PoolID: string
  readonly Pool: string
  readonly Data: Record<string, string>
}

/**
 * What Docker is to use as pool of a network: all pools, or the one whose CIDR was asked for. Nothing is written, and without a CIDR nothing read.
 * @throws CalicoError `refused` for what Calico's IPAM cannot do, and for a disabled pool; `invalid` for what is no CIDR; `not-found` for one that is no pool
 */
export async function requestPool(session: Session, {pool, subPool, options, v6}: PoolRequest): Promise<PoolReply> {
  if (subPool !== '') {
    throw new CalicoError('refused', "Calico IPAM does not support sub pool configuration on 'docker create network'. Calico IP Pools should be configured first and IP assignment is from those pre-configured pools.", {
      hint: `Omit --ip-range, or add it as a separate pool: calicoctl pool add ${subPool}`,
    })
  }
  const names = Object.keys(options ?? {})
  if (names.length > 0) throw new CalicoError('refused', 'Arbitrary options are not supported', {details: [`Calico's IPAM has no options; these were given: ${names.sort().join(', ')} (--ipam-opt).`]})
  const family = v6 ? 6 : 4
  const fixed = FIXED[family]
  const Data = {[GATEWAY]: fixed.pool}
  if (pool === '') return {PoolID: fixed.id, Pool: fixed.pool, Data}
  const subnet = parseCidr(pool.trim())
  if (subnet?.family !== family) throw invalidSubnet(pool, family)
  const label = await usablePool(session, networkOf(subnet))
  return {PoolID: label, Pool: label, Data}
}

/** How the enabled pool for exactly SUBNET is called. */
async function usablePool(session: Session, subnet: Cidr): Promise<string> {
  const {results} = await read(session, [{list: POOLS_PREFIX}])
  const pools = parsePools(session, results[0] ?? []).filter(({cidr}) => cidr?.family === subnet.family)
  const usable = pools.filter(({stored}) => !stored.resource.spec.disabled)
  const [found] = poolsFor(usable, subnet)
  if (found) return poolLabel(found)
  const labels = usable.map(poolLabel)
  const [unusable] = poolsFor(pools, subnet)
  throw unusable ? unusablePool(subnet, labels, networkOfPool(unusable)) : noSuchPool(subnet, labels)
}

export interface AddressRequest {
  readonly poolId: string
  /** `--ip`; '' = any. */
  readonly address: string
  readonly options: Options
}

export interface AddressReply {
  /** With its prefix length: /32 or /128. */
  readonly Address: string
  readonly Data: Record<string, never>
}

/**
 * An address for a container of NODE, assigned with a pending handle.
 * @throws CalicoError `refused` if none is free, the network's pool is disabled, or a gateway is asked for; `not-found` if the pool was deleted;
 *   `conflict` if the address that is asked for is someone's; `invalid` if it is in no enabled pool; see also commit()
 */
export async function requestAddress(session: Session, node: string, {poolId, address, options}: AddressRequest): Promise<AddressReply> {
  if (options?.RequestAddressType === GATEWAY) {
    throw new CalicoError('refused', 'Calico IPAM does not support specifying a gateway.', {hint: 'Omit --gateway: containers send all traffic through their host.'})
  }
  const wanted = address === '' ? undefined : parsedAddress(address)
  const given = wanted ? await takeGiven(session, node, wanted) : await takeAny(session, node, poolId)
  if (given.createdNode) session.warn(`The Node ${node} did not exist; it was created.`)
  return {Address: formatCidr(hostCidr(given.address)), Data: {}}
}

function parsedAddress(text: string): Address {
  const address = parseAddress(text)
  if (!address) throw new CalicoError('invalid', `${JSON.stringify(text)} is not an IP address`)
  return address
}

interface Given {
  readonly address: Address
  readonly createdNode: boolean
}

/** Any address of the pools that POOL_ID stands for. */
async function takeAny(session: Session, node: string, poolId: string): Promise<Given> {
  const {family, pool} = poolOfId(poolId)
  const version = family === 4 ? 'ipv4' : 'ipv6'
  const handle = newPendingHandle(node)
  const request: AssignRequest = {node, handle, attributes: pendingAttributes(node), createNode: true, [version]: 1, ...(pool ? {pools: {[version]: [pool]}} : {})}
  const {error, families, createdNode} = await submit<Assignment>(session, {
    what: `the assignment of an address to ${handle}`,
    reads: (memory) => autoAssignReads(request, memory),
    async plan(draft, previous) {
      if (pool) await requirePool(draft, pool)
      try {
        return await autoAssignOn(draft, request, previous)
      } catch (problem) {
        throw assignmentProblem(problem)
      }
    },
  })
  const [address] = families.flatMap(({addresses}) => addresses)
  if (address) return {address, createdNode}
  throw noneAvailable(error ? [error.message] : families.flatMap(({reasons}) => reasons))
}

/** @throws CalicoError if there is no enabled pool for exactly CIDR */
async function requirePool(draft: Draft, cidr: Cidr): Promise<void> {
  const pools = (await readPools(draft)).filter((pool) => equalNetworks(pool.cidr, cidr))
  if (!pools.some(({enabled}) => enabled)) throw poolGone(cidr, {disabled: pools.length > 0})
}

function poolOfId(poolId: string): {family: Family; pool?: Cidr} {
  for (const family of [4, 6] as const) if (poolId === FIXED[family].id) return {family}
  const pool = parseCidr(poolId)
  if (!pool) throw new CalicoError('invalid', `${JSON.stringify(poolId)} is not a pool id from Calico's IPAM`)
  return {family: pool.family, pool: networkOf(pool)}
}

/**
 * Exactly ADDRESS. If the driver of this node has it already and no endpoint does, a request was repeated, or Docker or the driver was killed before
 * it gave the address back: it is this request's then. Were two containers to ask for one address at once, only one of them would get its endpoint.
 */
async function takeGiven(session: Session, node: string, address: Address): Promise<Given> {
  const handle = newPendingHandle(node)
  const owner = {handle, attributes: pendingAttributes(node)}
  const createdNode = await submit<boolean>(session, {
    what: `the assignment of ${formatAddress(address)}`,
    reads: () => [{get: IPAM_CONFIG_KEY}, {get: resourceKey('Node', node)}, {list: POOLS_PREFIX}, {get: handleKey(handle)}],
    async plan(draft) {
      const {created} = await requireNode(draft, node, {create: true})
      try {
        await takeAddress(draft, {address, node, owner, mayMove: (attribute) => isForNobody(draft, address, attribute, node)})
      } catch (error) {
        throw addressProblem(error, address)
      }
      return {outcome: created}
    },
  })
  return {address, createdNode}
}

/** Whether the driver of NODE assigned ADDRESS, by what ATTRIBUTE says, and no endpoint has it. That holds when the draft is written. */
async function isForNobody(draft: Draft, address: Address, attribute: Attribute, node: string): Promise<boolean> {
  const owner = driverHandleOf(attribute, node)
  if (owner?.type !== 'endpoint') return owner !== undefined
  const key = keyOf(endpointPlace(node, owner.endpointId))
  const codec = endpointCodec(draft.session)
  // That it has the address must be so now, that it has not when the draft is written.
  if (hasAddress(await draft.get(codec, key), address)) await draft.verify([key])
  draft.restOn(key)
  return !hasAddress(await draft.get(codec, key), address)
}

/** What came of a release: `foreign` = another client assigned it, or no one knows who; `in-use` = an endpoint has it. Nothing is released then. */
export type ReleaseOutcome = 'released' | 'free' | 'foreign' | 'in-use'

/** Attempts to release what is assigned anew all the time. */
const MAX_TRIES = 10

/**
 * Gives an address back that the driver of NODE assigned and no endpoint has. Docker also gives back what it never got (`0.0.0.0`, `::`): free.
 * @throws CalicoError see commit()
 */
export async function releaseAddress(session: Session, node: string, {address: text}: {readonly poolId: string; readonly address: string}): Promise<ReleaseOutcome> {
  const address = parseAddress(text)
  if (!address || address.value === 0n) return 'free'
  for (let tries = 1; ; tries++) {
    const {assignment} = await lookUpAddress(session, address)
    if (!assignment) return 'free'
    if (!driverHandleOf(assignment.attribute, node)) return 'foreign'
    try {
      return await releaseSeen(session, node, address, assignment)
    } catch (error) {
      // It has been moved or assigned anew since it was looked up.
      if (!isError(error, 'conflict') || tries === MAX_TRIES) throw error
    }
  }
}

/** Releases ADDRESS if it still has the ASSIGNMENT, which is this node's driver's. @throws CalicoError `conflict` if it has not */
function releaseSeen(session: Session, node: string, address: Address, {attribute, handle = '', sequenceNumber}: NonNullable<AddressRecord['assignment']>): Promise<ReleaseOutcome> {
  const owner = driverHandleOf(attribute, node)
  return submit<ReleaseOutcome>(session, {
    what: `the release of ${formatAddress(address)}`,
    reads: () => [{list: POOLS_PREFIX}, {get: handleKey(handle)}, ...(owner?.type === 'endpoint' ? [{get: keyOf(endpointPlace(node, owner.endpointId))}] : [])],
    async plan(draft) {
      if (!(await isForNobody(draft, address, attribute, node))) return {outcome: 'in-use'}
      const {released} = await releaseOn(draft, [{address, handle, sequenceNumber}], lookedAlready)
      return {outcome: released.length > 0 ? 'released' : 'free'}
    },
  })
}
