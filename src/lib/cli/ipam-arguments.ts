/** Arguments of the `ipam` commands, with the checks of their values. */
import {Args, Flags} from '@oclif/core'
import {CalicoError} from '../errors.js'
import {type Address, parseLenientAddress} from '../net/index.js'
import {checked} from './base-command.js'

function readAddress(text: string): Address {
  const address = parseLenientAddress(text)
  if (!address) throw new CalicoError('invalid', `'${text}' is not an IP address.`)
  return address
}

const address = Args.custom<Address>({parse: checked(readAddress), ignoreStdin: true, description: 'The address.'})

export const addressArgument = () => address({required: true})
export const optionalAddressArgument = () => address()

export const addressFlag = (description: string) => Flags.custom<Address>({parse: checked(readAddress)})({description, helpValue: 'IP'})

/** The id becomes a part of a key, and other programs read it there. */
function readHandle(text: string): string {
  if (text === '' || text.length > 253 || /[/\s\p{C}]/u.test(text)) {
    throw new CalicoError('invalid', `'${text}' is not a valid handle: up to 253 characters, without '/' and white space.`)
  }
  return text
}

export const handleFlag = (description: string) => Flags.custom({parse: checked(readHandle)})({description, helpValue: 'HANDLE'})

const readNumber = (name: string, least: number) => (text: string): number => {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (!(number >= least)) throw new CalicoError('invalid', `--${name}: '${text}' is not a number from ${least} on.`)
  return number
}

export const numberFlag = (name: string, least: number, description: string) => Flags.custom<number>({parse: checked(readNumber(name, least))})({description, helpValue: 'NUMBER'})
