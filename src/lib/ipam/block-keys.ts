/** Which keys the blocks within a network have. */
import {blocksPrefix} from '../model/keys.js'
import {type Cidr, firstAddress, formatAddress, ipv6Groups} from '../net/index.js'

/**
 * A prefix that the keys of all blocks within NETWORK share: as narrow as the text of addresses allows, so that a condition on it is not
 * disturbed by what happens in other pools. Keys with it may still lie outside NETWORK.
 */
export function blocksPrefixWithin(network: Cidr): string {
  const first = firstAddress(network)
  const whole = network.family === 4 ? formatAddress(first).split('.').slice(0, Math.min(network.prefix >> 3, 3)) : leadingGroups(first.value, Math.min(network.prefix >> 4, 7))
  const separator = network.family === 4 ? '.' : ':'
  return blocksPrefix(network.family) + whole.map((part) => `${part}${separator}`).join('')
}

/** The first COUNT groups, but none from a zero on: how zeros are written depends on what follows them. */
function leadingGroups(value: bigint, count: number): string[] {
  const groups = ipv6Groups(value).slice(0, count)
  const zero = groups.indexOf(0)
  return groups.slice(0, zero === -1 ? count : zero).map((group) => group.toString(16))
}
