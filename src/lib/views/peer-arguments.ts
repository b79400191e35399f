/** The arguments and options of the BGP commands, with v0.20's checks (cli-v0.20 §1.10). */
import {Args, Flags} from '@oclif/core'
import type {ResourceChange} from '../client/resources.js'
import {CalicoError} from '../errors.js'
import type {BGPPeer} from '../model/types.js'
import {type Address, type Family, parseLenientAsNumber, peerAddressProblem} from '../net/index.js'
import {readAddress} from '../cli/arguments.js'
import {checked} from '../cli/base-command.js'

/** The AS number that TEXT spells. @throws CalicoError `invalid`; 0 is none (decisions.md 21) */
export function readAsNumber(text: string): number {
  const asNumber = parseLenientAsNumber(text)
  if (asNumber === undefined) {
    throw new CalicoError('invalid', `'${text}' is not a valid AS number: use 1 to 4294967295, or two halves of 0 to 65535 with a dot (1.10).`)
  }
  return asNumber
}

export const peerAddressArgument = () =>
  Args.custom<Address>({parse: checked(readAddress)})({required: true, ignoreStdin: true, description: 'The peer\'s IP address.'})

function readNewPeerAddress(text: string): Address {
  const address = readAddress(text)
  const problem = peerAddressProblem(address)
  if (problem !== undefined) throw new CalicoError('invalid', `${problem}.`)
  return address
}

/** As {@link peerAddressArgument}, for a peer that is to be added. */
export const newPeerAddressArgument = () =>
  Args.custom<Address>({parse: checked(readNewPeerAddress)})({required: true, ignoreStdin: true, description: 'The peer\'s IP address.'})

/** What was changed of a peer: its AS number, and only that. */
export function peerDetail({action, before, after}: ResourceChange): string | undefined {
  const [was, is] = [before, after].map((peer) => (peer as BGPPeer | undefined)?.spec.asNumber)
  return action !== 'updated' || is === undefined ? undefined : `AS ${is}, was ${was ?? 'none'}`
}

export const asNumberArgument = () =>
  Args.custom<number>({parse: checked(readAsNumber)})({required: true, ignoreStdin: true, description: 'The AS number of the peer, as a number (64512) or in dotted form (1.10).'})

export const familyFlags = {
  ipv4: Flags.boolean({description: 'Only IPv4.'}),
  ipv6: Flags.boolean({description: 'Only IPv6.'}),
}

/** The families that --ipv4 and --ipv6 ask for, both without them; IPv4 first. */
export const chosenFamilies = ({ipv4, ipv6}: {ipv4: boolean; ipv6: boolean}): readonly Family[] => (ipv4 ? [4] : ipv6 ? [6] : [4, 6])
