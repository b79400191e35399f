import {type Address, type Cidr, parseAddress, parseCidr} from '../../../src/lib/net/index.js'

/** The address that TEXT spells, for tests in which it surely does. */
export function ip(text: string): Address {
  return parseAddress(text) ?? raise(text)
}

/** The CIDR that TEXT spells. */
export function network(text: string): Cidr {
  return parseCidr(text) ?? raise(text)
}

function raise(text: string): never {
  throw new Error(`${text} is neither an address nor a CIDR`)
}
