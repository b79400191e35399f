/**
 * Assigning addresses by number (libcalico-go's AutoAssign, datamodel-v3 §4.2). Affinities, blocks and handle of a step are written in one
 * transaction; a large request takes several.
 */
import type {Session} from '../client/session.js'
import type {Operation} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {affinitiesPrefix, handleKey, IPAM_CONFIG_KEY, resourceKey} from '../model/keys.js'
import type {Address, Cidr, Family} from '../net/index.js'
import {addressesIn} from './by-handle.js'
import {CONFIG} from './codecs.js'
import {DEFAULT_CONFIG} from './config.js'
import type {Draft} from './draft.js'
import {findAddresses, type Found, releaseUnselected, type Search} from './find-addresses.js'
import {POOLS_PREFIX, readAffinities, readPools, readReservations, RESERVATIONS_PREFIX} from './lists.js'
import type {Memory} from './memory.js'
import {requireNode} from './node.js'
import {choosePools, type Labels, type Use} from './pool.js'
import {type Step, StepError, submit} from './queue.js'

/** What is asked for. */
export interface AssignRequest {
  /** Addresses per family; absent = none. */
  readonly ipv4?: number
  readonly ipv6?: number
  /** The node to assign for: its stored name. */
  readonly node: string
  readonly handle?: string
  /** Attributes of the owner; `node` should be among them (datamodel-v3 §4.11). Absent, not {}, for none. */
  readonly attributes?: Readonly<Record<string, string>>
  /** Take addresses from these pools only, by the family of each. */
  readonly pools?: {readonly ipv4?: readonly Cidr[]; readonly ipv6?: readonly Cidr[]}
  /** Blocks that the host may own, per family, if that is stricter than the configuration; absent or 0 = no opinion. */
  readonly maxBlocks?: number
  /** The default is Workload. */
  readonly use?: Use
  /**
   * Addresses per family that the handle may have. If it has as many as are asked for, it gets those, which makes a repeated call harmless
   * (Calico's MaxAllocToHandlePerIPVersion).
   */
  readonly maxPerHandle?: number
  /** Create the Node if it does not exist: only for this host's own (decisions.md 24). */
  readonly createNode?: boolean
}

/** What was given of one family. */
export interface FamilyAssignment {
  readonly family: Family
  readonly requested: number
  readonly addresses: readonly Address[]
  /** Why there are fewer addresses than requested. */
  readonly reasons: readonly string[]
}

export interface Assignment {
  readonly families: readonly FamilyAssignment[]
  /** What ended the assignment early. The addresses above are assigned all the same (datamodel-v3 §4.2 step 4b). */
  readonly error: CalicoError | undefined
  readonly createdNode: boolean
}

/** The addresses of an assignment, IPv4 first. */
export const assignedAddresses = ({families}: Assignment): Address[] => families.flatMap(({addresses}) => addresses)

/**
 * Assigns addresses. Getting fewer than asked for is not thrown: `reasons` and `error` of the result say why, and what it lists is assigned.
 * @throws CalicoError, only if nothing was assigned: `invalid` for a request that makes no sense, `not-found` for a missing Node or pool, `refused`
 *   where no pool is for the node; see also commit()
 */
export async function autoAssign(session: Session, request: AssignRequest): Promise<Assignment> {
  checkRequest(request)
  const total = wishes(request).reduce((sum, {count}) => sum + count, 0)
  try {
    return await submit<Assignment>(session, {
      what: `the assignment of ${total === 1 ? 'an address' : `${total} addresses`} to ${request.handle ?? `node ${request.node}`}`,
      reads: (memory) => autoAssignReads(request, memory),
      plan: (draft, previous) => autoAssignOn(draft, request, previous),
    })
  } catch (error) {
    // What earlier transactions assigned is assigned, whatever happened then.
    if (error instanceof StepError) return {...(error.outcome as Assignment), error}
    throw error
  }
}

function checkRequest({ipv4 = 0, ipv6 = 0, handle, maxBlocks = 0, maxPerHandle = 0}: AssignRequest): void {
  if (handle === '') throw new CalicoError('invalid', 'A handle cannot be empty')
  for (const number of [ipv4, ipv6, maxBlocks, maxPerHandle]) {
    if (!Number.isSafeInteger(number) || number < 0) throw new CalicoError('invalid', `${number} is not a number of addresses or blocks`)
  }
}

interface Wish {
  readonly family: Family
  readonly count: number
  readonly pools: readonly Cidr[]
}

function wishes({ipv4 = 0, ipv6 = 0, pools = {}}: AssignRequest): Wish[] {
  const all: Wish[] = [
    {family: 4, count: ipv4, pools: pools.ipv4 ?? []},
    {family: 6, count: ipv6, pools: pools.ipv6 ?? []},
  ]
  return all.filter(({count}) => count > 0)
}

/** What a step of assigning REQUEST surely has to read. */
export function autoAssignReads(request: AssignRequest, memory: Memory): Operation[] {
  const prefixes = wishes(request).map(({family}) => affinitiesPrefix(request.node, family))
  return [
    {get: IPAM_CONFIG_KEY},
    {get: resourceKey('Node', request.node)},
    {list: POOLS_PREFIX},
    {list: RESERVATIONS_PREFIX},
    ...prefixes.map((list) => ({list})),
    ...(request.handle === undefined ? [] : [{get: handleKey(request.handle)}]),
    ...prefixes.flatMap((prefix) => likelyBlock(memory, prefix)),
  ]
}

/** The own block that had free addresses when this process last saw it: whatever else was read, it will be needed. */
function likelyBlock(memory: Memory, affinities: string): Operation[] {
  const own = memory.lists.get(affinities)?.keys ?? new Set()
  const open = [...memory.openBlocks].filter((key) => own.has(affinities + key.slice(key.lastIndexOf('/') + 1)))
  return open.slice(0, 1).map((get) => ({get}))
}

/** One step of assigning REQUEST on DRAFT, together with what else is to change; PREVIOUS is what earlier steps came to. @throws as autoAssign */
export async function autoAssignOn(draft: Draft, request: AssignRequest, previous: Assignment | undefined): Promise<Step<Assignment>> {
  const {labels, created} = await requireNode(draft, request.node, {create: request.createNode === true})
  const families = [...(previous?.families ?? [])]
  const step = (error: CalicoError | undefined, more: boolean): Step<Assignment> => ({outcome: {families, error, createdNode: created || previous?.createdNode === true}, more})
  for (const wish of wishes(request)) {
    const at = families.findIndex(({family}) => family === wish.family)
    const before = families[at]?.addresses ?? []
    if (before.length >= wish.count) continue
    let found: Found
    try {
      found = await planFamily(draft, request, {...wish, count: wish.count - before.length}, labels)
    } catch (error) {
      // That there is nothing for the second family is no reason to take away what the first one got.
      if (families.length === 0 || !(error instanceof CalicoError)) throw error
      return step(error, false)
    }
    families.splice(at === -1 ? families.length : at, 1, {family: wish.family, requested: wish.count, addresses: [...before, ...found.addresses], reasons: found.reasons})
    if (found.error || found.more) return step(found.error, found.more && !found.error)
  }
  return step(undefined, false)
}

async function planFamily(draft: Draft, request: AssignRequest, {family, count, pools: requested}: Wish, labels: Labels): Promise<Found> {
  const all = await readPools(draft)
  const pools = choosePools(all, {family, use: request.use ?? 'Workload', requested, node: request.node, nodeLabels: labels})
  const held = await alreadyHeld(draft, request, family, count)
  if (held) return {addresses: held, reasons: [], more: false}
  const config = (await draft.get(CONFIG, IPAM_CONFIG_KEY)) ?? DEFAULT_CONFIG
  draft.restOn(IPAM_CONFIG_KEY)
  const {handle, attributes, node: host, maxBlocks = 0} = request
  const assignee = {...(handle === undefined ? {} : {handle}), ...(attributes === undefined ? {} : {attributes})}
  const search: Search = {draft, family, host, assignee, config, pools, reserved: await readReservations(draft), affinities: await readAffinities(draft, host, family), maxBlocks}
  await releaseUnselected(search, all, requested, labels)
  return findAddresses(search, count)
}

/** The addresses that the handle has, if it may not have COUNT more. @throws CalicoError `conflict` if they are fewer than asked for */
async function alreadyHeld(draft: Draft, {handle, maxPerHandle = 0}: AssignRequest, family: Family, count: number): Promise<readonly Address[] | undefined> {
  if (handle === undefined || maxPerHandle === 0) return undefined
  const held = (await addressesIn(draft, handle)).filter((address) => address.family === family)
  if (held.length + count <= maxPerHandle) return undefined
  if (held.length >= count) return held.slice(0, count)
  throw new CalicoError('conflict', `Handle ${handle} has ${held.length} IPv${family} addresses; ${count} more would exceed the limit of ${maxPerHandle}`)
}
