/** Addresses for what no endpoint stands for: virtual machines, scripts (`ipam assign`). */
import type {Session} from '../client/session.js'
import {newUuid} from '../client/identity.js'
import {CalicoError} from '../errors.js'
import type {Address, Cidr, Family} from '../net/index.js'
import {assignAddress} from './assign-address.js'
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
}

export interface HandAssignment {
  readonly addresses: readonly Address[]
  readonly requested: number
  readonly handle: string
  readonly node: string
  readonly createdNode: boolean
  /** Why there are fewer than requested: `refused` if there are none, `unknown` (only partly done) if there are some. */
  readonly failure: CalicoError | undefined
}

/** Assigns what REQUEST says. @throws as autoAssign and assignAddress, only if nothing was assigned */
export async function assignByHand(session: Session, request: HandRequest): Promise<HandAssignment> {
  const {node, count, maxBlocks, ownNode: createNode} = request
  const handle = request.handle ?? `calicoctl.${newUuid()}`
  const common = {node, handle, attributes: {node, type: BY_HAND}, createNode}
  if (request.type === 'address') {
    const {createdNode} = await assignAddress(session, {...common, address: request.address})
    return {addresses: [request.address], requested: 1, handle, node, createdNode, failure: undefined}
  }
  const family = request.type === 'pool' ? request.pool.family : request.family
  const version = family === 4 ? 'ipv4' : 'ipv6'
  const assignment = await autoAssign(session, {...common, [version]: count, maxBlocks, ...(request.type === 'pool' ? {pools: {[version]: [request.pool]}} : {})})
  const addresses = assignedAddresses(assignment)
  return {addresses, requested: count, handle, node, createdNode: assignment.createdNode, failure: failureOf(assignment, addresses.length, count)}
}

/** The error of a command that got fewer addresses than it wanted. */
function failureOf({families, error}: Assignment, got: number, count: number): CalicoError | undefined {
  if (got >= count) return undefined
  const reasons = families.flatMap(({reasons: all}) => all)
  const hint = error?.hint
  const more = {details: reasons, ...(hint === undefined ? {} : {hint})}
  if (got === 0) return error ?? new CalicoError('refused', count === 1 ? 'There is no free address' : 'There are no free addresses', more)
  // Not a refusal: something was done, and the script must know what.
  return new CalicoError('unknown', `Only ${got} of ${count} addresses were assigned`, error && reasons.length === 0 ? {...more, details: [error.message]} : more)
}
