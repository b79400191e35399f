/** Taking endpoints and addresses back, together in one guarded transaction: there is never an endpoint whose address is free for others. */
import {append} from '../append.js'
import {type Endpoint, endpointAddresses, networkAddress} from '../client/endpoints.js'
import {keyOf, type Place, prepareChange, type ResourceChange} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError, isError} from '../errors.js'
import {addressesIn} from '../ipam/by-handle.js'
import type {Draft} from '../ipam/draft.js'
import {type Held, type Look, lookEverywhere} from '../ipam/held.js'
import {POOLS_PREFIX} from '../ipam/lists.js'
import {releaseOn} from '../ipam/release-addresses.js'
import {submit} from '../ipam/queue.js'
import {handleKey} from '../model/keys.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {type Address, equalAddresses, formatAddress} from '../net/index.js'
import {resourceCodec} from './resource-codec.js'

export interface Removal {
  /** The endpoints that were removed; those that were gone already are not here. */
  readonly changes: readonly ResourceChange<WorkloadEndpoint>[]
  readonly released: readonly Address[]
  /** Addresses of the endpoints that are assigned to another client by now: they were left alone. */
  readonly foreign: readonly Address[]
  /** Addresses that other stored endpoints have: they stay assigned. */
  readonly held: readonly Held[]
}

/** An endpoint to remove, if it is still the very object that has this uid. */
export interface Removable {
  readonly place: Place
  readonly id: string
  readonly uid: string | undefined
}

export const removableOf = ({place, id, stored}: Endpoint): Removable => ({place, id, uid: stored.resource.metadata.uid})

/**
 * Removes ENDPOINTS and releases their addresses, and all other addresses of HANDLE. One that is not the object any more that was seen (it was
 * removed and made anew) stays. An address that another endpoint has stays assigned; LOOK finds those, among all endpoints unless it is given.
 */
export function removeEndpoints(session: Session, endpoints: readonly Removable[], {handle, what, look = lookEverywhere}: {handle: string | undefined; what: string; look?: Look}): Promise<Removal> {
  return submit<Removal>(session, {
    what,
    reads: () => [{list: POOLS_PREFIX}, ...endpoints.map(({place}) => ({get: keyOf(place)})), ...(handle === undefined ? [] : [{get: handleKey(handle)}])],
    async plan(draft) {
      const changes: ResourceChange<WorkloadEndpoint>[] = []
      const addresses: Address[] = []
      const others: Address[] = []
      for (const endpoint of endpoints) {
        const {before, other} = await take(draft, endpoint)
        if (other) append(others, endpointAddresses(other))
        if (!before) continue
        append(addresses, endpointAddresses(before))
        changes.push({kind: 'WorkloadEndpoint', name: before.metadata.name, action: 'deleted', before, after: undefined})
      }
      if (handle !== undefined) append(addresses, await addressesIn(draft, handle))
      const free = addresses.filter((address, i) => !others.some((other) => equalAddresses(other, address)) && addresses.findIndex((other) => equalAddresses(other, address)) === i)
      return {outcome: {changes, ...(await releaseAll(draft, free, handle, look))}}
    },
  })
}

/** Deletes ENDPOINT from DRAFT and tells what it was; if it is not the same object any more, tells the one that is there, which stays. */
async function take(draft: Draft, {place, uid}: Removable): Promise<{before?: WorkloadEndpoint; other?: WorkloadEndpoint}> {
  const codec = resourceCodec<WorkloadEndpoint>(draft.session, 'WorkloadEndpoint')
  const key = keyOf(place)
  const now = await draft.get(codec, key)
  if (!now || now.metadata.uid !== uid) {
    draft.restOn(key)
    return now ? {other: now} : {}
  }
  draft.set(codec, key, undefined)
  return {before: now}
}

/** Releases those of ADDRESSES that have HANDLE, or, from before handles were given, none. */
async function releaseAll(draft: Draft, addresses: readonly Address[], handle: string | undefined, look: Look): Promise<Pick<Removal, 'released' | 'foreign' | 'held'>> {
  const released: Address[] = []
  const foreign: Address[] = []
  const held: Held[] = []
  for (const address of addresses) {
    const outcome = await releaseOne(draft, address, handle === undefined ? [''] : [handle, ''], look)
    if (outcome === 'released') released.push(address)
    else if (outcome === 'foreign') foreign.push(address)
    else if (outcome !== 'free') held.push(outcome)
  }
  return {released, foreign, held}
}

async function releaseOne(draft: Draft, address: Address, handles: readonly string[], look: Look): Promise<'released' | 'free' | 'foreign' | Held> {
  for (const handle of handles) {
    const undo = draft.mark()
    try {
      const {released, held} = await releaseOn(draft, [{address, handle}], look)
      return held[0] ?? (released.length > 0 ? 'released' : 'free')
    } catch (error) {
      if (!isError(error, 'conflict')) throw error
      undo()
    }
  }
  return 'foreign'
}

/** ENDPOINT without ADDRESS, which is released if it has HANDLE or none. */
export function removeAddressOf(session: Session, endpoint: Endpoint, address: Address, handle: string): Promise<Removal> {
  const codec = resourceCodec<WorkloadEndpoint>(session, 'WorkloadEndpoint')
  const key = keyOf(endpoint.place)
  return submit<Removal>(session, {
    what: `the removal of ${formatAddress(address)} from endpoint ${endpoint.id}`,
    reads: () => [{list: POOLS_PREFIX}, {get: key}, {get: handleKey(handle)}],
    async plan(draft) {
      const before = await draft.get(codec, key)
      if (!before) throw new CalicoError('conflict', `Endpoint ${endpoint.id} was removed meanwhile`)
      const {change} = prepareChange<WorkloadEndpoint>(endpoint.place, {...endpoint.stored, resource: before}, withoutAddress(before, address))
      if (change.action === 'updated') draft.set(codec, key, change.after)
      return {outcome: {changes: [{...change, name: endpoint.id}], ...(await releaseAll(draft, [address], handle, lookEverywhere))}}
    },
  })
}

/** ENDPOINT without ADDRESS; the same object if it does not have it. */
function withoutAddress(endpoint: WorkloadEndpoint, address: Address): WorkloadEndpoint {
  const {ipNetworks = [], ...spec} = endpoint.spec
  const left = ipNetworks.filter((text) => !isAddress(text, address))
  return left.length === ipNetworks.length ? endpoint : {...endpoint, spec: left.length === 0 ? spec : {...spec, ipNetworks: left}}
}

const isAddress = (text: string, address: Address): boolean => {
  const own = networkAddress(text)
  return own !== undefined && equalAddresses(own, address)
}
