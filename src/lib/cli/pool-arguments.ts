/** The arguments and options of the pool commands, with v0.20's checks (cli-v0.20 §1.10, §4.6). */
import {Args, Flags} from '@oclif/core'
import {type PoolOptions, problemsOfLine} from '../client/pools.js'
import {CalicoError} from '../errors.js'
import {type Address, type Cidr, parseLenientAddress, parseLenientCidr} from '../net/index.js'
import {checked} from './base-command.js'

function readCidr(text: string): Cidr {
  const cidr = parseLenientCidr(text)
  if (cidr === undefined) throw new CalicoError('invalid', `'${text}' is not a valid CIDR.`)
  return cidr
}

function readAddress(text: string): Address {
  const address = parseLenientAddress(text)
  if (address === undefined) throw new CalicoError('invalid', `'${text}' is not a valid IP address.`)
  return address
}

export const cidrsArgument = () =>
  Args.custom<Cidr>({parse: checked(readCidr)})({required: true, multiple: true, ignoreStdin: true, description: 'The pools: CIDRs such as 192.168.0.0/16. Host bits are ignored.'})

export const rangeArgument = (which: 'first' | 'last') =>
  Args.custom<Address>({parse: checked(readAddress)})({required: true, ignoreStdin: true, description: `The ${which} address of the range.`})

/** What a new pool, or one that is added again, is to be like. */
export const poolFlags = {
  ipip: Flags.boolean({description: 'Encapsulate traffic between the hosts of the pool in IP-in-IP.'}),
  'nat-outgoing': Flags.boolean({description: 'Masquerade traffic from the pool to addresses outside all pools.'}),
}

export const chosenOptions = (flags: {readonly ipip: boolean; readonly 'nat-outgoing': boolean}): PoolOptions => ({ipip: flags.ipip, natOutgoing: flags['nat-outgoing']})

/** Whether VALUE, an argument, was read; a wrong one is still its text while a line is checked. */
export const wasRead = (value: unknown): boolean => typeof value === 'object'

/** The further problems of a line that adds CIDRS, of which some may not have been read. */
export function problemsOfCidrs(cidrs: readonly Cidr[], options: PoolOptions): string[] {
  const readable = cidrs.filter(wasRead)
  return problemsOfLine(readable, options, {othersFound: readable.length < cidrs.length})
}
