/** Addresses that are never handed out unless asked for by name: IPReservations (datamodel-v3 §1.12). Pure. */
import {type Address, type Cidr, contains, containsCidr, overlaps} from '../net/index.js'

export interface Reservations {
  readonly has: (address: Address) => boolean
  /** Whether one of them covers all of NETWORK. */
  readonly cover: (network: Cidr) => boolean
  /** Those that matter to NETWORK. */
  readonly within: (network: Cidr) => Reservations
}

export function reservations(cidrs: readonly Cidr[]): Reservations {
  return {
    has: (address) => cidrs.some((cidr) => contains(cidr, address)),
    cover: (network) => cidrs.some((cidr) => containsCidr(cidr, network)),
    within: (network) => reservations(cidrs.filter((cidr) => overlaps(cidr, network))),
  }
}
