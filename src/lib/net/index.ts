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
export {parseLenientAddress, parseLenientCidr} from './lenient.js'
export {coverRange} from './range.js'
export {notHostIn, notUnicast} from './unicast.js'
