/** The address for a workload: the one that is asked for, or any of a family or pool (cli-v0.20 §4.12, `<IP>`). */
import type {Session} from '../client/session.js'
import {CalicoError, isError} from '../errors.js'
import {addressesByHandle} from '../ipam/by-handle.js'
import {assignAddress} from '../ipam/assign-address.js'
import {assignedAddresses, autoAssign} from '../ipam/auto-assign.js'
import {heldAddresses} from '../ipam/held.js'
import {releaseAddresses} from '../ipam/release-addresses.js'
import {type Address, type Cidr, contains, equalAddresses, type Family} from '../net/index.js'
import {handleOf, type Workload} from './workload.js'

export type Wanted = {readonly type: 'address'; readonly address: Address} | {readonly type: 'family'; readonly family: Family} | {readonly type: 'pool'; readonly pool: Cidr}

/** Whether ADDRESS is what WANTED asks for. */
export function satisfies(wanted: Wanted, address: Address): boolean {
  switch (wanted.type) {
    case 'address':
      return equalAddresses(wanted.address, address)
    case 'family':
      return wanted.family === address.family
    case 'pool':
      return contains(wanted.pool, address)
  }
}

export interface Obtained {
  readonly address: Address
  readonly createdNode: boolean
}

/**
 * An address for WORKLOAD, assigned with its handle. What the handle has beyond USED, the addresses of its endpoint, is left over from a command
 * that was killed: it is taken if it is what is wanted, else released.
 * @throws CalicoError `invalid` for an address or CIDR that no enabled pool has; `conflict` if the address is taken; `refused` if none is free
 */
export async function obtainAddress(session: Session, workload: Workload, wanted: Wanted, used: readonly Address[]): Promise<Obtained> {
  const handle = handleOf(workload)
  const unused = (await addressesOfHandle(session, handle)).filter((address) => !used.some((each) => equalAddresses(each, address)))
  // An endpoint under another name of this host may have one: that is not left over.
  const held = await heldAddresses(session, unused)
  const left = unused.filter((address) => !held.includes(address))
  const usable = left.find((address) => satisfies(wanted, address))
  const others = left.filter((address) => address !== usable)
  if (others.length > 0) await releaseAddresses(session, others.map((address) => ({address, handle})))
  if (usable) return {address: usable, createdNode: false}
  const {node} = workload
  const request = {node, handle, attributes: {node}, createNode: true}
  if (wanted.type === 'address') {
    const {createdNode} = await assignAddress(session, {...request, address: wanted.address})
    return {address: wanted.address, createdNode}
  }
  const family = wanted.type === 'pool' ? wanted.pool.family : wanted.family
  const version = family === 4 ? 'ipv4' : 'ipv6'
  const assignment = await withPoolErrors(autoAssign(session, {...request, [version]: 1, ...(wanted.type === 'pool' ? {pools: {[version]: [wanted.pool]}} : {})}))
  const [address] = assignedAddresses(assignment)
  if (address) return {address, createdNode: assignment.createdNode}
  throw (
    assignment.error ??
    new CalicoError('refused', `There is no free IPv${family} address: the pools are exhausted`, {
      details: assignment.families.flatMap(({reasons}) => reasons),
      hint: 'To see how many addresses are in use: calicoctl ipam show',
    })
  )
}

/** A CIDR that is no pool is a wrong value here, as it was in v0.20, and not a missing object. */
async function withPoolErrors<T>(assignment: Promise<T>): Promise<T> {
  try {
    return await assignment
  } catch (error) {
    if (!isError(error, 'not-found')) throw error
    throw new CalicoError('invalid', error.message, {details: error.details, cause: error, ...(error.hint === undefined ? {} : {hint: error.hint})})
  }
}

async function addressesOfHandle(session: Session, handle: string): Promise<Address[]> {
  try {
    return await addressesByHandle(session, handle)
  } catch (error) {
    if (isError(error, 'not-found')) return []
    throw error
  }
}
