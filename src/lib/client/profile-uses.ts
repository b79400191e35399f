/** Which endpoints name which profiles (decisions.md 5). */
import {displayWorkload, shortId} from '../model/display-name.js'
import type {HostEndpoint, WorkloadEndpoint} from '../model/types.js'
import {listResources} from './resources.js'
import type {Session} from './session.js'

/** An endpoint that names a profile, as v0.20 identified endpoints; a host endpoint has no orchestrator and no workload. */
export interface ProfileUse {
  readonly host: string
  readonly orchestrator: string | undefined
  readonly workload: string | undefined
  readonly endpoint: string
  /** For messages. */
  readonly label: string
}

/**
 * The uses of every profile, or ONLY of the one with this stored name, by the profile's stored name. Endpoints that cannot be read are told
 * and passed over.
 */
export async function listUses(session: Session, only?: string): Promise<Map<string, ProfileUse[]>> {
  const uses = new Map<string, ProfileUse[]>()
  const note = (profiles: readonly string[] | undefined, use: ProfileUse): void => {
    for (const profile of new Set(profiles)) {
      if (only !== undefined && profile !== only) continue
      const others = uses.get(profile)
      if (others) others.push(use)
      else uses.set(profile, [use])
    }
  }
  for await (const {resource} of listResources<WorkloadEndpoint>(session, 'WorkloadEndpoint')) note(resource.spec.profiles, workloadUse(resource))
  for await (const {resource} of listResources<HostEndpoint>(session, 'HostEndpoint')) note(resource.spec.profiles, hostUse(resource))
  return uses
}

function workloadUse({metadata, spec: {node = '', orchestrator = '', workload = '', endpoint = ''}}: WorkloadEndpoint): ProfileUse {
  const shown = displayWorkload(metadata, workload).name
  return {host: node, orchestrator, workload: shown, endpoint, label: `endpoint ${shortId(endpoint)} of ${orchestrator} workload ${shortId(shown)} on ${node}`}
}

const hostUse = ({metadata: {name}, spec: {node = ''}}: HostEndpoint): ProfileUse => ({
  host: node,
  orchestrator: undefined,
  workload: undefined,
  endpoint: name,
  label: `host endpoint ${name} on ${node}`,
})
