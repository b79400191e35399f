/** MAC addresses of the two ends of a veth pair (decisions.md 26). */

/** The host end's, the same for all: containers have it as their neighbour, so a host end that is made anew needs no new neighbour entries. */
export const HOST_MAC = 'ee:ee:ee:ee:ee:ee'

/** A random, locally administered unicast address. */
export function randomMac(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(5))
  return ['02', ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))].join(':')
}
