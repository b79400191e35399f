/** Profiles by the names that users type. What an edit of a profile means is in lib/rules; this is where it meets the store. */
import {CalicoError} from '../errors.js'
import {displayName} from '../model/display-name.js'
import {kindPrefix} from '../model/keys.js'
import {convertName} from '../model/names.js'
import type {Metadata} from '../model/resource.js'
import type {Profile} from '../model/types.js'
import {newProfile} from '../rules/edit.js'
import {compareUtf8} from '../utf8-order.js'
import {firstUses, type ProfileUse} from './profile-uses.js'
import {changeResource, getResource, listResources, type Place, type ResourceChange, type Stored} from './resources.js'
import type {Session} from './session.js'

/** Calico's own profile that allows everything. It is not stored; endpoints may name it (decisions.md 5). */
export const BUILT_IN = 'projectcalico-default-allow'

/** Where the profile that users call NAME is kept. */
const profilePlace = (name: string): Place => ({kind: 'Profile', name: convertName(name)})

/** What users call the profile with METADATA. An annotation that claims another name is reported and skipped (decisions.md 13). */
export function profileName(session: Session, metadata: Metadata): string {
  const {name, suspicious} = displayName(metadata)
  if (suspicious !== undefined) session.warn(`Profile ${name} has the annotation calicoctl/name ${JSON.stringify(suspicious)}, which does not match its stored name; the stored name is shown.`)
  return name
}

/**
 * Creates the profile NAME with v0.20's default policy: inbound from its own tag, outbound anywhere. An existing one is left as it is.
 * @throws CalicoError `conflict` if the profile stored under that name is called something else.
 */
export function addProfile(session: Session, name: string): Promise<ResourceChange<Profile>> {
  refuseBuiltIn(name)
  return changeResource<Profile>(session, profilePlace(name), (stored) => {
    if (stored === undefined) return newProfile(name)
    const shown = displayName(stored.metadata).name
    if (shown !== name && shown !== stored.metadata.name) {
      throw new CalicoError('conflict', `Profile ${name} cannot be added: its stored name is already used by the profile ${shown}.`, {hint: 'Choose another name.'})
    }
    return stored
  })
}

/**
 * Deletes the profile NAME; `before` is undefined in the result if there was none. With CHECK, not if an endpoint names it, which holds at the
 * moment of the deletion.
 * @throws CalicoError `refused` with the endpoints that name it.
 */
export function removeProfile(session: Session, name: string, {check}: {check: boolean}): Promise<ResourceChange<Profile>> {
  refuseBuiltIn(name)
  const place = profilePlace(name)
  return changeResource<Profile>(
    session,
    place,
    async (stored) => {
      // Read now, guarded from the revision of the profile on: an endpoint that came or changed meanwhile makes the decision be taken anew.
      if (check && stored !== undefined) refuseUsed(name, await firstUses(session, place.name, NAMED_USES))
      return undefined
    },
    {guards: ({revision}) => (check ? USERS.map((kind) => ({prefix: kindPrefix(kind), unchangedSince: revision})) : [])},
  )
}

const USERS = ['WorkloadEndpoint', 'HostEndpoint'] as const

/** Endpoints that an error names before it only counts the rest. */
const NAMED_USES = 10

function refuseUsed(name: string, {uses, count}: {readonly uses: readonly ProfileUse[]; readonly count: number}): void {
  if (count === 0) return
  const more = count - uses.length
  throw new CalicoError('refused', `Profile ${name} was not removed: profile in use by endpoint(s)`, {
    details: [...uses.map(({label}) => label), ...(more > 0 ? [`and ${more} more`] : [])],
    override: '--no-check',
    hint: `Remove it from these endpoints first (${removalCommands(name, uses)}), or use --no-check: the endpoints then drop traffic that their earlier profiles do not decide.`,
  })
}

/** The commands that remove the profile NAME from endpoints of the kinds that USES are of. */
function removalCommands(name: string, uses: readonly ProfileUse[]): string {
  const host = uses.find(({workload}) => workload === undefined)
  return [
    ...(uses.some(({workload}) => workload !== undefined) ? [`calicoctl endpoint ENDPOINT profile remove ${name}`] : []),
    ...(host === undefined ? [] : [`calicoctl edit hostendpoint ${host.endpoint}`]),
  ].join('; ')
}

/** The profile NAME. @throws CalicoError `not-found` */
export async function getProfile(session: Session, name: string): Promise<Stored<Profile>> {
  return (await getResource<Profile>(session, profilePlace(name))) ?? missing(name, true)
}

/** A stored profile and what users call it. */
export interface NamedProfile {
  readonly name: string
  readonly stored: Stored<Profile>
}

/** What users call the stored profiles, in byte order. Nothing else of them is kept, however many there are. */
export async function listProfileNames(session: Session): Promise<string[]> {
  const names: string[] = []
  for await (const {resource} of listResources<Profile>(session, 'Profile')) names.push(profileName(session, resource.metadata))
  return names.sort(compareUtf8)
}

/** All stored profiles, by name in byte order. */
export async function listProfiles(session: Session): Promise<NamedProfile[]> {
  const profiles: NamedProfile[] = []
  for await (const stored of listResources<Profile>(session, 'Profile')) {
    profiles.push({name: profileName(session, stored.resource.metadata), stored})
  }
  return profiles.sort((a, b) => compareUtf8(a.name, b.name))
}

/** What to do about a profile that is to be edited and is not stored. */
export interface IfMissing {
  /** The profile to begin with; undefined: there is none. */
  make(name: string): Promise<Profile | undefined>
  /** Called when it has been stored; in a dry run, when it would have been. */
  made(name: string): void
}

const NOTHING: IfMissing = {make: () => Promise.resolve(undefined), made: () => undefined}

/**
 * Makes the profile NAME what EDIT says, which is applied anew where another client was faster; its result is what the application said that was written. One that
 * is missing is made as IFMISSING says.
 * @throws CalicoError `not-found` for an unknown profile, and whatever EDIT and IFMISSING throw.
 */
export async function editProfile<T extends {readonly profile: Profile}>(
  session: Session,
  name: string,
  edit: (profile: Profile) => T,
  {ifMissing = NOTHING, removes = false}: {ifMissing?: IfMissing; removes?: boolean} = {},
): Promise<{readonly change: ResourceChange<Profile>; readonly result: T}> {
  refuseBuiltIn(name)
  // By what it was made of: where an answer was lost, the last application need not be the one that was written.
  const results = new Map<Profile | undefined, T>()
  const change = await changeResource<Profile>(session, profilePlace(name), async (stored) => {
    const edited = edit(stored ?? (await ifMissing.make(name)) ?? missing(name, removes))
    results.set(stored, edited)
    return edited.profile
  })
  if (change.action === 'created') ifMissing.made(name)
  return {change, result: results.get(change.before) ?? missing(name, removes)}
}

/** What to do where a profile is missing and nothing would be gained by making it: an empty one has nothing to show or to remove. */
export const SEE_PROFILES = 'To see the profiles: calicoctl profile show'

/** LOOKS: no one wants to add to it. */
function missing(name: string, looks: boolean): never {
  const hint = name === BUILT_IN ? 'Calico provides this profile itself: endpoints can use it, it allows all traffic, and it cannot be shown or edited.' : looks ? SEE_PROFILES : `To create it: calicoctl profile add ${name}`
  throw new CalicoError('not-found', `Profile ${name} not found.`, {hint})
}

function refuseBuiltIn(name: string): void {
  if (name === BUILT_IN) throw new CalicoError('refused', `Profile ${name} is provided by Calico itself and cannot be added, changed or removed.`)
}
