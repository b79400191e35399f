/** Names of stored objects for completion: quick or not at all. */
import {listResources} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {displayName} from '../../model/display-name.js'
import type {KindName, Resource} from '../../model/resource.js'
import type {BGPPeer, IPPool, Profile, WorkloadEndpoint} from '../../model/types.js'
import type {NameKind, Names} from './candidates.js'

/** How each kind's names are read from the objects that have them. */
const SOURCES: Readonly<Record<NameKind, {readonly kind: KindName; readonly names: (resource: Resource) => readonly (string | undefined)[]}>> = {
  profile: {kind: 'Profile', names: ({metadata}) => [displayName(metadata).name]},
  tag: {kind: 'Profile', names: (profile) => Object.keys((profile as Profile).spec.labelsToApply ?? {})},
  pool: {kind: 'IPPool', names: (pool) => [(pool as IPPool).spec.cidr]},
  node: {kind: 'Node', names: ({metadata}) => [metadata.name]},
  peer: {kind: 'BGPPeer', names: (peer) => [(peer as BGPPeer).spec.peerIP]},
  endpoint: {kind: 'WorkloadEndpoint', names: (endpoint) => [(endpoint as WorkloadEndpoint).spec.endpoint]},
  tier: {kind: 'Tier', names: ({metadata}) => [metadata.name]},
}

/**
 * Looks names up in the datastore of SESSION (opened at the first question) for at most LIMIT_MS in all; after that, what has been found by
 * then. Errors count as nothing found.
 */
export function liveNames(session: () => Promise<Session>, limitMs: number): Names {
  const end = new Promise<void>((resolve) => setTimeout(resolve, limitMs).unref())
  return async (wanted) => {
    const found = new Set<string>()
    const {kind, names} = SOURCES[wanted]
    const look = async (): Promise<void> => {
      for await (const {resource} of listResources(await session(), kind)) for (const name of names(resource)) if (name !== undefined) found.add(name)
    }
    await Promise.race([look().catch(() => undefined), end])
    return [...found].sort()
  }
}
