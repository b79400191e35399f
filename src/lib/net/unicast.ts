/** Which addresses no host can have as its own (RFC 1122 §3.2.1.3, RFC 4291 §2.4 and §2.5). */
import type {Address} from './address.js'
import {type Cidr, contains, firstAddress, lastAddress, parseCidr, sizeOf} from './cidr.js'

/** Networks whose addresses are no host's, the smaller before the larger, and what they are. */
const SPECIAL = [
  ['0.0.0.0/32', 'the unspecified address'],
  ['0.0.0.0/8', "an address of 0.0.0.0/8, which means 'this network'"],
  ['127.0.0.0/8', 'a loopback address'],
  ['169.254.0.0/16', 'a link-local address'],
  ['224.0.0.0/4', 'a multicast address'],
  ['255.255.255.255/32', 'the broadcast address'],
  ['240.0.0.0/4', 'a reserved address (240.0.0.0/4)'],
  ['::/128', 'the unspecified address'],
  ['::1/128', 'a loopback address'],
  ['::/96', 'a reserved address (::/96)'],
  ['fe80::/10', 'a link-local address'],
  ['ff00::/8', 'a multicast address'],
] as const

/** What ADDRESS is, where it cannot be a host's address that others reach, e.g. `a multicast address`; undefined where it can. */
export function notUnicast(address: Address): string | undefined {
  return SPECIAL.find(([text]) => {
    const network = parseCidr(text)
    return network !== undefined && contains(network, address)
  })?.[1]
}

/**
 * What ADDRESS is in NETWORK (host bits do not matter), where it is not a host's: the network's own address, or its broadcast address; undefined for all
 * others, and in networks of one or two addresses, all of which are hosts' (RFC 3021, RFC 6164). In IPv6 there is no broadcast address.
 */
export function notHostIn(network: Cidr, address: Address): string | undefined {
  if (network.prefix === 0 || sizeOf(network) <= 2n || !contains(network, address)) return undefined
  if (address.value === firstAddress(network).value) return 'the address of the network itself'
  return address.family === 4 && address.value === lastAddress(network).value ? 'the broadcast address of the network' : undefined
}
