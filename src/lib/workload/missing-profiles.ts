/** Profiles that the plugins make for their endpoints: written once and whole, never overwritten (mesos-docker §1.6, §3.5). */
import {keyOf, type Place, prepareChange} from '../client/resources.js'
import {CalicoError} from '../errors.js'
import type {Draft} from '../ipam/draft.js'
import {displayName} from '../model/display-name.js'
import type {Profile} from '../model/types.js'
import {resourceCodec} from './resource-codec.js'

/**
 * Adds to DRAFT those of PROFILES that are not stored. The ones that are stay as they are, and the draft rests on them: none is removed while an
 * endpoint that names it is written.
 * @returns what users call those that are added
 * @throws CalicoError `conflict` if under the stored name of one, a profile of another name is stored, or one that cannot be read
 */
export async function addMissingProfiles(draft: Draft, profiles: readonly Profile[]): Promise<string[]> {
  const codec = resourceCodec<Profile>(draft.session, 'Profile')
  const keys = profiles.map((profile) => keyOf(placeOf(profile)))
  await draft.load(keys)
  await draft.verify(keys)
  const added: string[] = []
  for (const profile of profiles) {
    const place = placeOf(profile)
    const key = keyOf(place)
    const stored = await draft.get(codec, key)
    if (stored === undefined) {
      draft.set(codec, key, prepareChange(place, undefined, profile).change.after)
      added.push(displayName(profile.metadata).name)
      continue
    }
    draft.restOn(key)
    refuseOther(profile, stored)
  }
  return added
}

const placeOf = ({metadata}: Profile): Place => ({kind: 'Profile', name: metadata.name})

function refuseOther({metadata}: Profile, stored: Profile | null): void {
  const {name} = displayName(metadata)
  if (stored === null) throw new CalicoError('conflict', `Profile ${name} cannot be used: its stored value cannot be read`)
  const shown = displayName(stored.metadata).name
  if (shown === name || shown === metadata.name) return
  throw new CalicoError('conflict', `Profile ${name} cannot be created: its stored name is already used by the profile ${shown}`, {hint: 'Choose another name.'})
}
