/** Arguments of the `ipam` commands, with the checks of their values. */
import {Args, Flags} from '@oclif/core'
import {CalicoError} from '../errors.js'
import {type Address, formatAddress} from '../net/index.js'
import {readAddress, wasRead} from '../cli/arguments.js'
import {checked} from '../cli/base-command.js'

export const readIp = (text: string): Address => readAddress(text, 'is not an IP address')

const address = Args.custom<Address>({parse: checked(readIp), ignoreStdin: true})

export const addressArgument = () => address({required: true, description: 'The address.'})
export const optionalAddressArgument = (description: string) => address({description})

export const addressFlag = (description: string) => Flags.custom<Address>({parse: checked(readIp)})({description, helpValue: 'IP'})

/** Addresses that one range may have. */
const LARGEST_RANGE = 65_536n

interface ReleaseLine {
  readonly args: {readonly ip?: Address | undefined; readonly end?: Address | undefined}
  readonly flags: {readonly handle?: string | undefined; readonly also?: readonly Address[] | undefined; readonly range: boolean}
}

/** What is wrong with a line of `ipam release`, beyond its single values. */
export function releaseProblems({ip, end: last}: ReleaseLine['args'], {handle, also = [], range}: ReleaseLine['flags']): string[] {
  if (range) {
    return [
      ...(handle === undefined ? [] : ['--range and --handle cannot be combined.']),
      ...(also.length === 0 ? [] : ['--range and --also cannot be combined.']),
      ...(ip === undefined || last === undefined ? ['--range requires two addresses, IP and END.'] : wasRead(ip) && wasRead(last) ? releaseRangeProblems(ip, last) : []),
    ]
  }
  if (last !== undefined) return ['Two addresses require --range. To release several addresses, give the others with --also.']
  if (ip !== undefined || (handle !== undefined && also.length === 0)) return []
  return [also.length === 0 ? 'Give an address, or a handle with --handle.' : '--also requires a first address, given without it.']
}

function releaseRangeProblems(first: Address, last: Address): string[] {
  if (first.family !== last.family) return [`${formatAddress(first)} and ${formatAddress(last)} have different IP versions.`]
  const size = last.value - first.value + 1n
  if (size <= 0n) return [`${formatAddress(first)} is greater than ${formatAddress(last)}: give the smaller one first.`]
  return size > LARGEST_RANGE ? [`The range has ${size} addresses; the maximum is ${LARGEST_RANGE}.`] : []
}

/** The id becomes a part of a key, and other programs read it there. */
function readHandle(text: string): string {
  if (text === '' || text.length > 253 || /[/\s\p{C}]/u.test(text)) {
    throw new CalicoError('invalid', `'${text}' is not a valid handle: up to 253 characters, without '/' and white space.`)
  }
  return text
}

export const handleFlag = (description: string) => Flags.custom({parse: checked(readHandle)})({description, helpValue: 'HANDLE'})

/** More than any cluster has addresses. */
const LARGEST_NUMBER = 999_999_999

const readNumber = (name: string, least: number) => (text: string): number => {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (!(number >= least)) throw new CalicoError('invalid', `--${name}: '${text}' is not a number from ${least} to ${LARGEST_NUMBER}.`)
  return number
}

export const numberFlag = (name: string, least: number, description: string) => Flags.custom<number>({parse: checked(readNumber(name, least))})({description, helpValue: 'NUMBER'})
