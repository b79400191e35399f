/** IP, CIDR and range arithmetic. Pure. */

export {
  type Address,
  ADDRESS_BITS,
  canonicalAddress,
  compareAddresses,
  equalAddresses,
  type Family,
  formatAddress,
  ipv6Groups,
  parseAddress,
} from './address.js'
export {isAsNumber, parseAsNumber, parseLenientAsNumber} from './as-number.js'
export {
  addressAt,
  blockOf,
  canonicalNetwork,
  type Cidr,
  compareCidrs,
  contains,
  containsCidr,
  equalNetworks,
  firstAddress,
  formatCidr,
  hostCidr,
  indexIn,
  isNetwork,
  lastAddress,
  networkOf,
  overlaps,
  parseCidr,
  parseCidrOrAddress,
  sizeOf,
  subnetAt,
  subnetCount,
  subnetsOf,
} from './cidr.js'
export {coverRange} from './range.js'
export {parseTypedAddress, parseTypedCidr, shortFormProblem} from './typed.js'
export {notHostIn, notUnicast, peerAddressProblem, poolNetworkProblem} from './unicast.js'
