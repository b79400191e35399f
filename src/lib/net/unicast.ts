/** Which addresses no host can have as its own (RFC 1122 §3.2.1.3, RFC 4291 §2.4 and §2.5). */
import {type Address, formatAddress} from './address.js'
import {type Cidr, contains, firstAddress, formatCidr, lastAddress, overlaps, parseCidr, sizeOf} from './cidr.js'

const LINK_LOCAL = 'a link-local address'

/** Networks whose addresses are no host's, the smaller before the larger, and what they are. */
const SPECIAL = [
  ['0.0.0.0/32', 'the unspecified address'],
  ['0.0.0.0/8', "an address of 0.0.0.0/8, which means 'this network'"],
  ['127.0.0.0/8', 'a loopback address'],
  ['169.254.0.0/16', LINK_LOCAL],
  ['224.0.0.0/4', 'a multicast address'],
  ['255.255.255.255/32', 'the broadcast address'],
  ['240.0.0.0/4', 'a reserved address (240.0.0.0/4)'],
  ['::/128', 'the unspecified address'],
  ['::1/128', 'a loopback address'],
  ['::/96', 'a reserved address (::/96)'],
  ['fe80::/10', LINK_LOCAL],
  ['ff00::/8', 'a multicast address'],
] as const

/** What ADDRESS is, where it cannot be a host's address that others reach, e.g. `a multicast address`; undefined where it can. */
export function notUnicast(address: Address): string | undefined {
  return SPECIAL.find(([text]) => {
    const network = parseCidr(text)
    return network !== undefined && contains(network, address)
  })?.[1]
}

/** Why NETWORK cannot be a pool of addresses for workloads, a sentence without its full stop: it has an address that no host can have; undefined if it can. */
export function poolNetworkProblem(network: Cidr): string | undefined {
  for (const [text, what] of SPECIAL) {
    const special = parseCidr(text)
    if (!special || !overlaps(special, network)) continue
    const [one, other] = [firstAddress(special), firstAddress(network)]
    return `${formatCidr(network)} cannot be a pool: it contains ${formatAddress(one.value > other.value ? one : other)}, ${what}`
  }
  return undefined
}

/**
 * Why no BGP session is possible with ADDRESS, a sentence without its full stop; undefined if one is. Link-local addresses are unicast, and IPv4 peers use them; of IPv6, BIRD wants the
 * interface too, which calico-node does not configure, and takes nothing of such a configuration.
 */
export function peerAddressProblem(address: Address): string | undefined {
  const what = notUnicast(address)
  if (what === undefined || (what === LINK_LOCAL && address.family === 4)) return undefined
  return `${formatAddress(address)} cannot be a BGP peer: it is ${what}${what === LINK_LOCAL ? ', for which BIRD needs an interface that Calico does not configure' : ''}`
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
