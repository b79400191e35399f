/** MAC addresses of the two ends of a veth pair (decisions.md 26). */
import {newUuid} from '../client/identity.js'

/** The host end's, the same for all: containers have it as their neighbour, so a host end that is made anew needs no new neighbour entries. */
export const HOST_MAC = 'ee:ee:ee:ee:ee:ee'

/** A random, locally administered unicast address. Its 40 bits are the first of a UUID, all of which are random. */
export function randomMac(): string {
  return `02${newUuid().replaceAll('-', '').slice(0, 10).replaceAll(/../g, ':$&')}`
}
