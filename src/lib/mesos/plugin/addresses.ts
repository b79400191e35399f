/** `allocate`, `reserve` and `release`: addresses before a container has its endpoint, and after (mesos-docker §1.4, §1.5). */
import {endpointAddresses} from '../../client/endpoints.js'
import type {Session} from '../../client/session.js'
import {CalicoError, isError} from '../../errors.js'
import {addressesByHandle} from '../../ipam/by-handle.js'
import {assignOn} from '../../ipam/assign-address.js'
import {type AssignRequest, type Assignment, autoAssignOn, autoAssignReads} from '../../ipam/auto-assign.js'
import {HANDLE} from '../../ipam/codecs.js'
import type {Draft} from '../../ipam/draft.js'
import {lookedAlready} from '../../ipam/held.js'
import {POOLS_PREFIX} from '../../ipam/lists.js'
import {lookUpAddress} from '../../ipam/lookup.js'
import {requireNode} from '../../ipam/node.js'
import {type Step, StepError, submit} from '../../ipam/queue.js'
import {type AddressRelease, releaseAddresses, releaseOn} from '../../ipam/release-addresses.js'
import {handleKey, IPAM_CONFIG_KEY, resourceKey} from '../../model/keys.js'
import {type Address, equalAddresses, formatAddress} from '../../net/index.js'
import {ADDRESS_TYPE, endpointsOfNode, handleOfEndpoint} from './container.js'
import type {Log} from './log.js'

/** Attributes of an address that is assigned now. The time tells an assignment whose container is just starting from one that was forgotten. */
export const attributesOf = (node: string): Record<string, string> => ({node, type: ADDRESS_TYPE, requestedAt: new Date().toISOString()})

export interface Wanted {
  readonly uid: string
  /** These, */
  readonly fixed: readonly Address[]
  /** and so many besides. */
  readonly ipv4: number
  readonly ipv6: number
}

/** Those that were asked for by name, and those that IPAM chose. */
export interface Allocated {
  readonly fixed: readonly Address[]
  readonly chosen: readonly Address[]
}

/**
 * Assigns what WANTED says, all in one transaction. IPAM may give fewer addresses of a family than asked for, but not none.
 * @throws CalicoError; nothing stays assigned then. `conflict`: an address is in use; `refused`: a family has none; `invalid`: outside the pools
 */
export async function allocate(session: Session, node: string, wanted: Wanted, log: Log): Promise<Allocated> {
  const {uid, fixed, ipv4, ipv6} = wanted
  const attributes = attributesOf(node)
  const request: AssignRequest = {node, handle: uid, attributes, ipv4, ipv6, createNode: true}
  try {
    const assignment = await submit<Assignment>(session, {
      what: `the assignment of addresses to ${uid}`,
      reads: (memory) => (ipv4 + ipv6 === 0 ? fixedReads(node, uid) : autoAssignReads(request, memory)),
      async plan(draft, previous) {
        if (!previous) await assignFixed(draft, {node, uid, attributes, addresses: fixed})
        return refuseNothing(await autoAssignOn(draft, request, previous), wanted)
      },
    })
    for (const {family, requested, addresses, reasons} of assignment.families) {
      if (addresses.length < requested) log(`only ${addresses.length} of ${requested} IPv${family} addresses: ${reasons.join('; ')}`)
    }
    if (assignment.createdNode) log(`created node ${node}`)
    return {fixed, chosen: assignment.families.flatMap(({addresses}) => addresses)}
  } catch (error) {
    if (error instanceof StepError) await takeBack(session, uid, [...fixed, ...(error.outcome as Assignment).families.flatMap(({addresses}) => addresses)])
    throw error
  }
}

/** STEP, unless it is the last and a family that was asked for has nothing: net-modules could only forget what the other one has. */
function refuseNothing(step: Step<Assignment>, {ipv4, ipv6}: Wanted): Step<Assignment> {
  if (step.more) return step
  const {families, error} = step.outcome
  for (const [family, requested] of [[4, ipv4], [6, ipv6]] as const) {
    const given = families.find((each) => each.family === family)
    if (requested === 0 || (given && given.addresses.length > 0)) continue
    throw error ?? new CalicoError('refused', `There is no IPv${family} address for the task: ${given?.reasons.join('; ') ?? 'no pool has a free address'}`)
  }
  return step
}

/** Releases ADDRESSES, which UID has. */
export async function takeBack(session: Session, uid: string, addresses: readonly Address[]): Promise<void> {
  await releaseAddresses(session, addresses.map((address) => ({address, handle: uid})))
}

/** Assigns ADDRESSES, all or none. @throws CalicoError as allocate */
export async function reserve(session: Session, node: string, {uid, addresses}: {readonly uid: string; readonly addresses: readonly Address[]}): Promise<void> {
  const attributes = attributesOf(node)
  await submit<null>(session, {
    what: `the assignment of addresses to ${uid}`,
    reads: () => fixedReads(node, uid),
    async plan(draft) {
      await assignFixed(draft, {node, uid, attributes, addresses})
      return {outcome: null}
    },
  })
}

const fixedReads = (node: string, uid: string) => [{get: IPAM_CONFIG_KEY}, {get: resourceKey('Node', node)}, {list: POOLS_PREFIX}, {get: handleKey(uid)}]

/** What one address may add to a transaction: its block, the block's affinity, and conditions. */
const KEYS_PER_ADDRESS = 4

/** Assigns ADDRESSES on DRAFT, all or none. @throws CalicoError `conflict` if one is in use; `invalid` if it is in no enabled pool */
export async function assignFixed(draft: Draft, {node, uid, attributes, addresses}: {node: string; uid: string; attributes: Record<string, string>; addresses: readonly Address[]}): Promise<void> {
  await requireNode(draft, node, {create: true})
  for (const address of addresses) {
    if (!draft.hasRoom(KEYS_PER_ADDRESS)) throw new CalicoError('refused', 'Too many addresses of different blocks were requested at once')
    try {
      await assignOn(draft, {address, node, handle: uid, attributes})
    } catch (error) {
      throw isError(error, 'conflict') ? new CalicoError('conflict', `IP '${formatAddress(address)}' already in use.`, {cause: error}) : error
    }
  }
}

/** How often a release looks again where an assignment has changed under it. */
const MAX_LOOKS = 5
/** Addresses of one transaction: each may have a block and a handle of its own. */
const TOGETHER = 16

/**
 * Releases those of ADDRESSES that the plugin has assigned on NODE. Free ones are skipped, others' are left alone and reported. One that the
 * endpoint of its container still has stays assigned until `cleanup`, which net-modules sends next: between the two it must not be given to another task.
 */
export async function release(session: Session, node: string, addresses: readonly Address[], log: Log): Promise<void> {
  for (let start = 0; start < addresses.length; start += TOGETHER) await releaseTogether(session, node, addresses.slice(start, start + TOGETHER), log)
}

async function releaseTogether(session: Session, node: string, addresses: readonly Address[], log: Log): Promise<void> {
  for (let looks = 1; ; looks++) {
    try {
      await releaseOwn(session, node, await ownAssignments(session, node, addresses, log), log)
      return
    } catch (error) {
      if (looks === MAX_LOOKS || !isError(error, 'conflict')) throw error
    }
  }
}

/** As {@link release}, for all addresses of UID; there may be none. */
export async function releaseUid(session: Session, node: string, uid: string, log: Log): Promise<void> {
  try {
    await release(session, node, await addressesByHandle(session, uid), log)
  } catch (error) {
    if (!isError(error, 'not-found')) throw error
    log(`no addresses are assigned to ${uid}`)
  }
}

interface OwnAssignment extends AddressRelease {
  readonly handle: string
}

async function ownAssignments(session: Session, node: string, addresses: readonly Address[], log: Log): Promise<OwnAssignment[]> {
  const records = await Promise.all(addresses.map((address) => lookUpAddress(session, address)))
  return records.flatMap(({address, assignment}) => {
    if (!assignment) return []
    const {handle, attributes, sequenceNumber} = assignment
    if (handle !== undefined && attributes.type === ADDRESS_TYPE && attributes.node === node) return [{address, handle, sequenceNumber}]
    log(`${formatAddress(address)} is not changed: it is assigned to ${handle ?? 'a user without a handle'}, not by this plugin on ${node}`)
    return []
  })
}

async function releaseOwn(session: Session, node: string, own: readonly OwnAssignment[], log: Log): Promise<void> {
  if (own.length === 0) return
  const handles = [...new Set(own.map(({handle}) => handleKey(handle)))]
  let kept: readonly Address[] = []
  await submit<null>(session, {
    what: `the release of ${own.map(({address}) => formatAddress(address)).join(', ')}`,
    reads: () => [{list: POOLS_PREFIX}, ...handles.map((get) => ({get}))],
    async plan(draft) {
      // Handles first: an isolate that is stored after this look has written its handle again, so that this transaction fails and looks anew.
      for (const key of handles) await draft.get(HANDLE, key)
      const endpoints = (await endpointsOfNode(session, node)).map(({stored}) => stored.resource)
      const isKept = ({address, handle}: OwnAssignment): boolean =>
        endpoints.some((endpoint) => handleOfEndpoint(endpoint) === handle && endpointAddresses(endpoint).some((other) => equalAddresses(other, address)))
      kept = own.filter(isKept).map(({address}) => address)
      await releaseOn(draft, own.filter((each) => !isKept(each)), lookedAlready)
      return {outcome: null}
    },
  })
  if (kept.length > 0) log(`${kept.map(formatAddress).join(', ')}: released with the container's endpoint, by cleanup`)
}
