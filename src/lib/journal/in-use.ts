/** What undo must not delete: profiles that endpoints name, pools whose addresses are in use. */
import {findHolders, holderLines} from '../client/addresses-in-use.js'
import type {Session} from '../client/session.js'
import {listResources} from '../client/resources.js'
import type {Compare, Revision} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {blocksPrefixWithin} from '../ipam/block-keys.js'
import {kindPrefix, parseKey} from '../model/keys.js'
import type {HostEndpoint, WorkloadEndpoint} from '../model/types.js'
import {type Cidr, networkOf, parseCidr} from '../net/index.js'
import {labelOf, objectOf} from './objects.js'
import type {KeyChange} from './read.js'

/** Objects that an error names. */
const NAMED = 10

/**
 * Refuses to delete what CHANGES, each of which is about to be taken back, have created and others use now.
 * @returns the conditions under which that stays so, seen at REVISION
 * @throws CalicoError `refused`
 */
export async function refuseInUse(session: Session, changes: readonly KeyChange[], revision: Revision): Promise<Compare[]> {
  const created = changes.filter(({before}) => before === undefined)
  return [...(await refuseNamedProfiles(session, changes, created, revision)), ...(await refuseAssignedPools(session, created, revision))]
}

async function refuseNamedProfiles(session: Session, changes: readonly KeyChange[], created: readonly KeyChange[], revision: Revision): Promise<Compare[]> {
  const profiles = new Map(created.flatMap((change) => {
    const parsed = parseKey(change.key)
    return parsed?.type === 'resource' && parsed.kind === 'Profile' ? [[parsed.name, change]] : []
  }))
  if (profiles.size === 0) return []
  // An endpoint of the same change is taken back with it.
  const own = new Set(changes.map(({key}) => key))
  const uses: string[] = []
  for (const kind of ['WorkloadEndpoint', 'HostEndpoint'] as const) {
    for await (const {kv, resource} of listResources<WorkloadEndpoint | HostEndpoint>(session, kind)) {
      if (own.has(kv.key)) continue
      for (const name of new Set(resource.spec.profiles)) {
        const profile = profiles.get(name)
        if (profile) uses.push(`${labelOf(profile)} is used by ${kind === 'HostEndpoint' ? 'host endpoint' : 'endpoint'} ${objectOf(kv.key, kv.value)?.name ?? kv.key}`)
      }
    }
  }
  refuse(uses)
  return (['WorkloadEndpoint', 'HostEndpoint'] as const).map((kind) => ({prefix: kindPrefix(kind), unchangedSince: revision}))
}

async function refuseAssignedPools(session: Session, created: readonly KeyChange[], revision: Revision): Promise<Compare[]> {
  const networks = created.flatMap((change) => {
    const object = objectOf(change.key, change.after)
    const cidr = object?.kind === 'IPPool' ? parseCidr(object.name) : undefined
    return cidr ? [networkOf(cidr)] : []
  })
  if (networks.length === 0) return []
  const holders = await findHolders(session, networks)
  if (holders.count > 0) refuse(await holderLines(session, holders), `Addresses of pools that the change created are in use (${holders.count})`)
  return networks.map((network: Cidr) => ({prefix: blocksPrefixWithin(network), unchangedSince: revision}))
}

function refuse(uses: readonly string[], what = 'Objects that the change created are in use'): void {
  if (uses.length === 0) return
  const more = uses.length - NAMED
  throw new CalicoError('refused', `${what}; nothing was changed`, {
    details: [...uses.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])],
    hint: 'Remove the objects that use it first, or delete it with its own command.',
  })
}
