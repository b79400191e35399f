/**
 * The handles of the addresses that the Docker driver assigns. Docker asks for an address before it tells what for: until then the address has a
 * pending handle, which names the node, afterwards that of its endpoint. So each of them can be accounted for.
 */
import {newUuid} from '../client/identity.js'
import {type Attribute, handleOf} from './block.js'

/** The attribute `type` of such addresses. */
const DRIVER_TYPE = 'libnetwork'

/** The attribute with the time of the request, of pending ones. */
const REQUESTED_AT = 'requestedAt'

/** An address without endpoint is released when it is this old: Docker tells within moments what an address is for. */
export const ORPHAN_AGE_MS = 60_000

/** How all handles of the driver begin; not every handle that begins so is one. */
export const DRIVER_HANDLES = 'libnetwork.'

/** How the pending handles of NODE begin; not every handle that begins so is one of this node. */
const pendingPrefix = (node: string): string => `${DRIVER_HANDLES}pending.${node}.`

/** A new handle for an address whose endpoint is not known yet. */
export const newPendingHandle = (node: string): string => pendingPrefix(node) + newUuid()

/** The handle of the addresses of a Docker endpoint. */
export const endpointHandle = (endpointId: string): string => DRIVER_HANDLES + endpointId

/** The attributes of an address that NODE's driver is asked for at NOW. */
export const pendingAttributes = (node: string, now = new Date()): Record<string, string> => ({node, type: DRIVER_TYPE, [REQUESTED_AT]: now.toISOString()})

/** The attributes of an address of an endpoint on NODE. */
export const endpointAttributes = (node: string): Record<string, string> => ({node, type: DRIVER_TYPE})

/** What a handle of the driver is for. */
export type DriverHandle = {readonly type: 'pending'; readonly node: string} | {readonly type: 'endpoint'; readonly endpointId: string}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** What HANDLE is for; undefined if it is none of the driver's. */
export function parseDriverHandle(handle: string): DriverHandle | undefined {
  if (!handle.startsWith(DRIVER_HANDLES)) return undefined
  const rest = handle.slice(DRIVER_HANDLES.length)
  if (/^[0-9a-f]{64}$/.test(rest)) return {type: 'endpoint', endpointId: rest}
  const dot = rest.lastIndexOf('.')
  const prefix = 'pending.'
  return rest.startsWith(prefix) && dot > prefix.length && UUID.test(rest.slice(dot + 1)) ? {type: 'pending', node: rest.slice(prefix.length, dot)} : undefined
}

/** What an assigned address is for, if the driver of NODE (undefined = of any node) assigned it. */
export function driverHandleOf(attribute: Attribute, node?: string): DriverHandle | undefined {
  const {secondary} = attribute
  if (secondary?.type !== DRIVER_TYPE || (node !== undefined && secondary.node !== node)) return undefined
  const found = parseDriverHandle(handleOf(attribute) ?? '')
  return found?.type === 'pending' && found.node !== secondary.node ? undefined : found
}

/** When the address was asked for; undefined if it does not say so. */
export function requestedAt({secondary}: Attribute): Date | undefined {
  const time = Date.parse(secondary?.[REQUESTED_AT] ?? '')
  return Number.isNaN(time) ? undefined : new Date(time)
}

/** Whether it may still be about to be informed what the address is for. Addresses of the Mesos plugin say when they were asked for as well. */
export function isYoung(attribute: Attribute, now = Date.now()): boolean {
  const since = requestedAt(attribute)
  return since !== undefined && now - since.getTime() < ORPHAN_AGE_MS
}

/** The annotation with the Docker network's id: of its endpoints, and of the pools that only tell Felix of a network of Docker's own IPAM. */
export const NETWORK_ANNOTATION = 'calicoctl/network'
