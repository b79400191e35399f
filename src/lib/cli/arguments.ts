/** Arguments that several commands take, with the checks of their values. */
import {Args} from '@oclif/core'
import {CalicoError} from '../errors.js'
import {type Address, type Cidr, parseTypedAddress, parseTypedCidr, shortFormProblem} from '../net/index.js'
import {checked} from './base-command.js'

/** v0.20's rule for the names of profiles and tags (cli-v0.20 §1.10), with v3's limit of length. */
export function readProfileName(text: string): string {
  if (text.length > 253 || !/^[A-Za-z0-9_.-]+$/.test(text)) {
    throw new CalicoError('invalid', `'${text}' is not a valid profile name: use up to 253 of the letters A-Z and a-z, digits, '_', '.' and '-'.`)
  }
  return text
}

/** The address that TEXT spells in full (decisions.md 40). @throws CalicoError `invalid`; OTHERWISE says why where TEXT is no short form either */
export function readAddress(text: string, otherwise = 'is not a valid IP address'): Address {
  return parseTypedAddress(text) ?? refuse(text, shortFormProblem(text, 'address') ?? otherwise)
}

/** The CIDR that TEXT spells in full; a bare address is its /32 or /128. @throws CalicoError, see readAddress */
export function readCidr(text: string, otherwise = 'is not a valid CIDR: give an address and a prefix length, such as 192.168.0.0/16'): Cidr {
  return parseTypedCidr(text) ?? refuse(text, shortFormProblem(text, 'cidr') ?? otherwise)
}

/** Whether VALUE, an argument, was read; a wrong one is still its text while a line is checked. */
export const wasRead = (value: unknown): boolean => typeof value === 'object'

function refuse(text: string, why: string): never {
  throw new CalicoError('invalid', `'${text}' ${why}.`)
}

export const profileArgument = () =>
  Args.custom({parse: checked(readProfileName)})({required: true, ignoreStdin: true, description: 'The profile\'s name.'})
