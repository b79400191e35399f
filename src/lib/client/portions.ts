/** What does not fit into one transaction, in several: how much each takes, and which kinds come first. */

/** Objects of one transaction: with the conditions and the keys of a new store, etcd's 128 operations and 128 compares hold them. */
export const MOST_OBJECTS = 100

/** Bytes of one transaction; etcd takes 1.5 MiB. */
export const MOST_BYTES = 1024 * 1024

/** The order in which kinds need each other; what is not named comes between policies and endpoints. */
const ORDER: readonly string[] = ['Tier', 'BGPFilter', 'BGPConfiguration', 'FelixConfiguration', 'KubeControllersConfiguration', 'IPReservation', 'IPPool', 'Node', 'BGPPeer', 'Profile', 'GlobalNetworkSet', 'NetworkSet']
const LAST: readonly string[] = ['HostEndpoint', 'WorkloadEndpoint']

/** Where objects of KIND come among others when not all fit into one transaction. */
export function rank(kind: string): number {
  if (LAST.includes(kind)) return ORDER.length + 1
  const at = ORDER.indexOf(kind)
  return at < 0 ? ORDER.length : at
}

/** ITEMS in parts that fit into a transaction of any datastore each; SIZE is the bytes of one. */
export function portions<T>(items: readonly T[], size: (item: T) => number): T[][] {
  const parts: T[][] = []
  let bytes = 0
  for (const item of items) {
    const last = parts.at(-1)
    const more = size(item)
    if (last && last.length < MOST_OBJECTS && bytes + more <= MOST_BYTES) {
      last.push(item)
      bytes += more
    } else {
      parts.push([item])
      bytes = more
    }
  }
  return parts
}
