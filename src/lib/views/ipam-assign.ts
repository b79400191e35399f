/** What `ipam assign` takes and prints. */
import type {HandAssignment} from '../ipam/by-hand.js'
import {type Address, type Cidr, type Family, formatAddress} from '../net/index.js'
import {readAddress, readCidr} from '../cli/arguments.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'

/** Which addresses are wanted. */
export type Wanted = {readonly type: 'address'; readonly address: Address} | {readonly type: 'family'; readonly family: Family} | {readonly type: 'pool'; readonly pool: Cidr}

/** @throws CalicoError `invalid` */
export function readWanted(text: string): Wanted {
  if (text === 'ipv4' || text === 'ipv6') return {type: 'family', family: text === 'ipv4' ? 4 : 6}
  const otherwise = 'is neither an IP address nor a CIDR, nor ipv4 or ipv6'
  return text.includes('/') ? {type: 'pool', pool: readCidr(text, otherwise)} : {type: 'address', address: readAddress(text, otherwise)}
}

export function presentAssigned({addresses, handle, node, requested}: HandAssignment): Presentation<Address> {
  return {
    rows: addresses,
    columns: [
      {header: 'IP', value: formatAddress},
      {header: 'Handle', value: () => handle},
      {header: 'Node', value: () => node},
    ],
    name: formatAddress,
    document: () => ownDocument('AddressAssignment', {node, handle, requested, addresses: addresses.map(formatAddress)}),
    text: (all) => all.map(formatAddress),
  }
}
