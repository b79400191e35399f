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

/** The uses of every profile, by the profile's stored name. Endpoints that cannot be read are reported and skipped. */
export async function listUses(session: Session): Promise<Map<string, ProfileUse[]>> {
  const uses = new Map<string, ProfileUse[]>()
  for await (const [profiles, use] of allUses(session)) {
    for (const profile of profiles) {
      const others = uses.get(profile)
      if (others) others.push(use())
      else uses.set(profile, [use()])
    }
  }
  return uses
}

/** The first uses of the profile with the stored name PROFILE, MOST at most, and how many there are. No others are kept. */
export async function firstUses(session: Session, profile: string, most: number): Promise<{uses: ProfileUse[]; count: number}> {
  const uses: ProfileUse[] = []
  let count = 0
  for await (const [profiles, use] of allUses(session)) if (profiles.has(profile) && ++count <= most) uses.push(use())
  return {uses, count}
}

/** The profiles that each endpoint names, and the use that this is. */
async function* allUses(session: Session): AsyncGenerator<readonly [profiles: ReadonlySet<string>, use: () => ProfileUse]> {
  for await (const {resource} of listResources<WorkloadEndpoint>(session, 'WorkloadEndpoint')) yield [new Set(resource.spec.profiles), () => workloadUse(resource)]
  for await (const {resource} of listResources<HostEndpoint>(session, 'HostEndpoint')) yield [new Set(resource.spec.profiles), () => hostUse(resource)]
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
