/** Profiles by the names that users type. What an edit of a profile means is in lib/rules; this is where it meets the store. */
import {convertName} from '../model/names.js'
import type {Profile} from '../model/types.js'
import {newProfile} from '../rules/edit.js'
import {changeResource, type Place, type ResourceChange} from './resources.js'
import type {Session} from './session.js'

/** Where the profile that users call NAME is kept. */
export const profilePlace = (name: string): Place => ({kind: 'Profile', name: convertName(name)})

/** Creates the profile NAME with v0.20's default policy: inbound from its own tag, outbound anywhere. An existing one is left as it is. */
export function addProfile(session: Session, name: string): Promise<ResourceChange<Profile>> {
  return changeResource<Profile>(session, profilePlace(name), (stored) => stored ?? newProfile(name))
}
