/** The profiles of an endpoint, in the order in which policy is evaluated (cli-v0.20 §4.5.3). */
import type {KeyValue} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {resourceKey} from '../model/keys.js'
import {convertName} from '../model/names.js'
import type {Profile, WorkloadEndpoint} from '../model/types.js'
import {editEndpoint, type Endpoint} from './endpoints.js'
import {BUILT_IN, profileName, SEE_PROFILES} from './profiles.js'
import {listResources, type ResourceChange} from './resources.js'
import type {Session} from './session.js'

/** What to do with the profiles that are named. */
export type ProfileAction = 'append' | 'remove' | 'set'

export interface ProfilesEdited {
  readonly change: ResourceChange<WorkloadEndpoint>
  /** Those of the named profiles that were appended or removed, as they were named. */
  readonly done: readonly string[]
  /** Those that were there, or not there, already. */
  readonly already: readonly string[]
}

/** What is wrong with NAMES as a list of profiles, before anything is looked up; one sentence each. */
export function profileListProblems(action: ProfileAction, names: readonly string[]): string[] {
  if (names.length === 0) return action === 'set' ? [] : [`No profile specified. Give the names of the profiles to ${action}.`]
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map((name) => `Profile with name ${name} was specified more than once.`)
}

/**
 * Appends NAMES to the profiles of ENDPOINT, removes them from it, or makes them its profiles. What is so already is left as it is.
 * @param options.ifExists skips profiles that do not exist
 * @throws CalicoError `not-found` for a profile that does not exist (to remove one that the endpoint has, it need not)
 */
export async function editEndpointProfiles(session: Session, endpoint: Endpoint, action: ProfileAction, names: readonly string[], {ifExists = false}: {ifExists?: boolean} = {}): Promise<ProfilesEdited> {
  const typed = new Map(names.map((name) => [convertName(name), name]))
  const wanted = [...typed.keys()]
  const typedOf = (stored: readonly string[]): string[] => stored.map((name) => typed.get(name) ?? name)
  // By what it was decided on: where an answer was lost, the last decision need not be the one that was written.
  const outcomes = new Map<WorkloadEndpoint | undefined, {done: readonly string[]; already: readonly string[]}>()
  const change = await editEndpoint(
    session,
    endpoint,
    (stored, profiles) => {
      const before = stored.spec.profiles ?? []
      if (!ifExists) requireProfiles(action, wanted, profiles, before, typed)
      const {after, done} = edited(before, action, wanted)
      outcomes.set(stored, {done: typedOf(done), already: typedOf(wanted.filter((name) => !done.includes(name)))})
      return sameList(before, after) ? stored : withProfiles(stored, after)
    },
    {reads: wanted.map((name) => resourceKey('Profile', name))},
  )
  return {change, ...(outcomes.get(change.before) ?? {done: typedOf(wanted), already: []})}
}

function edited(before: readonly string[], action: ProfileAction, wanted: readonly string[]): {after: readonly string[]; done: readonly string[]} {
  switch (action) {
    case 'append': {
      const done = wanted.filter((name) => !before.includes(name))
      return {after: [...before, ...done], done}
    }
    case 'remove':
      return {after: before.filter((name) => !wanted.includes(name)), done: wanted.filter((name) => before.includes(name))}
    case 'set':
      return {after: wanted, done: wanted}
  }
}

/** BEFORE: what the endpoint has, which may be taken from it although nothing else is left of the profile. */
function requireProfiles(action: ProfileAction, wanted: readonly string[], stored: readonly (KeyValue | undefined)[], before: readonly string[], typed: ReadonlyMap<string, string>): void {
  const known = action === 'remove' ? before : []
  const missing = wanted.filter((name, i) => stored[i] === undefined && name !== BUILT_IN && !known.includes(name))
  const [first, ...more] = missing.map((name) => typed.get(name) ?? name)
  if (first === undefined) return
  throw new CalicoError('not-found', `Profile with name ${first} was not found.`, {
    details: more.map((name) => `Profile with name ${name} was not found.`),
    hint: action === 'remove' ? SEE_PROFILES : `To create it: calicoctl profile add ${first}`,
  })
}

const sameList = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((name, i) => name === b[i])

function withProfiles(endpoint: WorkloadEndpoint, profiles: readonly string[]): WorkloadEndpoint {
  const {profiles: _, ...spec} = endpoint.spec
  return {...endpoint, spec: profiles.length === 0 ? spec : {...spec, profiles}}
}

/** Names that convertName has changed end in its hash. */
const mayBeConverted = (name: string): boolean => /(^|-)[0-9a-f]{8}$/.test(name)

/** What users call PROFILES, by stored name; asks the store only where a stored name may not be what was typed. */
export async function profileNames(session: Session, profiles: Iterable<string>): Promise<(stored: string) => string> {
  const converted = new Set([...profiles].filter(mayBeConverted))
  const names = new Map<string, string>()
  if (converted.size > 0) {
    for await (const {resource} of listResources<Profile>(session, 'Profile')) {
      if (converted.has(resource.metadata.name)) names.set(resource.metadata.name, profileName(session, resource.metadata))
    }
  }
  return (stored) => names.get(stored) ?? stored
}
