/** Addresses for what no endpoint stands for: virtual machines, scripts (`ipam assign`). */
import type {Session} from '../client/session.js'
import {newUuid} from '../client/identity.js'
import {CalicoError, isError} from '../errors.js'
import {type Address, type Cidr, contains, equalAddresses, type Family} from '../net/index.js'
import {assignAddress} from './assign-address.js'
import {addressesByHandle} from './by-handle.js'
import {assignedAddresses, type Assignment, autoAssign} from './auto-assign.js'

/** The attribute `type` of such addresses: `ipam check` must not take them for leaked. */
export const BY_HAND = 'manual'

export type HandRequest = ({readonly type: 'address'; readonly address: Address} | {readonly type: 'family'; readonly family: Family} | {readonly type: 'pool'; readonly pool: Cidr}) & {
  readonly node: string
  /** The node is this host: its Node may be created (decisions.md 24). */
  readonly ownNode: boolean
  /** The default is a new one (decisions.md 25). */
  readonly handle: string | undefined
  readonly count: number
  /** 0 = no opinion. */
  readonly maxBlocks: number
  /** What the handle has of what is asked for counts: only what is missing is assigned, or nothing. */
  readonly mayExist?: boolean
}

export interface HandAssignment {
  readonly addresses: readonly Address[]
  readonly requested: number
  readonly handle: string
  readonly node: string
  readonly createdNode: boolean
  /** Nothing was assigned: the handle has all of them. */
  readonly unchanged: boolean
  /** Why there are fewer than requested: `refused` if there are none, `unknown` (only partly done) if there are some. */
  readonly failure: CalicoError | undefined
}

/** Assigns what REQUEST says. @throws as autoAssign and assignAddress, only if nothing was assigned */
export async function assignByHand(session: Session, request: HandRequest): Promise<HandAssignment> {
  if (request.mayExist !== true || request.handle === undefined) return assignNew(session, request)
  const {count, handle, node} = request
  const all = await addressesOf(session, handle)
  const held = all.filter((address) => isWanted(request, address)).slice(0, count)
  if (held.length === count) return {addresses: held, requested: count, handle, node, createdNode: false, unchanged: true, failure: undefined}
  const added = await assignNew(session, {...request, count: count - held.length}, perHandle(request, all))
  const addresses = [...held, ...added.addresses]
  return {...added, addresses, requested: count, failure: added.failure && held.length > 0 ? partly(addresses.length, count, added.failure.details) : added.failure}
}

/** How many addresses the handle may have, so that the same line that runs at the same moment does not double them; undefined where that cannot be determined. */
function perHandle({type, count}: HandRequest, held: readonly Address[]): number | undefined {
  if (type === 'address') return Number.MAX_SAFE_INTEGER
  return held.length === 0 ? count : undefined
}

function isWanted(request: HandRequest, address: Address): boolean {
  if (request.type === 'address') return equalAddresses(request.address, address)
  return request.type === 'family' ? request.family === address.family : contains(request.pool, address)
}

async function addressesOf(session: Session, handle: string): Promise<readonly Address[]> {
  try {
    return await addressesByHandle(session, handle)
  } catch (error) {
    if (isError(error, 'not-found')) return []
    throw error
  }
}

async function assignNew(session: Session, request: HandRequest, maxPerHandle?: number): Promise<HandAssignment> {
  const {node, count, maxBlocks, ownNode: createNode} = request
  const handle = request.handle ?? `calicoctl.${newUuid()}`
  const common = {node, handle, attributes: {node, type: BY_HAND}, createNode, ...(maxPerHandle !== undefined && {maxPerHandle})}
  if (request.type === 'address') {
    const {createdNode} = await assignAddress(session, {...common, address: request.address})
    return {addresses: [request.address], requested: 1, handle, node, createdNode, unchanged: false, failure: undefined}
  }
  const family = request.type === 'pool' ? request.pool.family : request.family
  const version = family === 4 ? 'ipv4' : 'ipv6'
  const assignment = await autoAssign(session, {...common, [version]: count, maxBlocks, ...(request.type === 'pool' ? {pools: {[version]: [request.pool]}} : {})})
  const addresses = assignedAddresses(assignment)
  return {addresses, requested: count, handle, node, createdNode: assignment.createdNode, unchanged: addresses.length === 0, failure: failureOf(assignment, addresses.length, count)}
}

/** The error of a command that got fewer addresses than it wanted. */
function failureOf({families, error}: Assignment, got: number, count: number): CalicoError | undefined {
  if (got >= count) return undefined
  const reasons = families.flatMap(({reasons: all}) => all)
  const hint = error?.hint ?? 'To see how many addresses are in use: calicoctl ipam show. To add a pool: calicoctl pool add CIDR'
  if (got === 0) return error ?? new CalicoError('refused', `${count === 1 ? 'No address was' : 'No addresses were'} assigned: ${reasons.join('; ') || 'no address is free'}`, {hint})
  return partly(got, count, error && reasons.length === 0 ? [error.message] : reasons, hint)
}

/** Not a refusal: something was done, and the script must know what. */
const partly = (got: number, count: number, details: readonly string[], hint?: string): CalicoError =>
  new CalicoError('unknown', `Only ${got} of ${count} addresses were assigned`, {details, ...(hint === undefined ? {} : {hint})})
