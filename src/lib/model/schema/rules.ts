/** Rules for single values that several kinds share, named after what they allow (datamodel-v3 §2). Each completes the sentence `<field> must …`. */
import {parseAddress} from '../../net/address.js'
import {isNetwork, parseCidr, parseCidrOrAddress} from '../../net/cidr.js'
import {parseSelector} from '../selector/index.js'
import {listed, oneOf, type Rule} from './codec.js'
import {portRange} from './values.js'

const not = (expected: string, value: string): string => `must be ${expected}, not ${JSON.stringify(value)}`

const holds =
  (test: (value: string) => boolean, expected: string): Rule<string> =>
  (value) => (test(value) ? undefined : not(expected, value))

const INTERFACE = /^[a-zA-Z0-9_.-]{1,15}$/
const INTERFACE_FILTER = /^[a-zA-Z0-9:._+-]{1,15}$/
const IGNORED_INTERFACE = /^[a-zA-Z0-9_.*-]{1,15}$/
const NAME_CHARACTERS = /^[-a-z0-9.]+$/
const CONTAINER_ID = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/

/** Lower-case DNS labels joined by dots (§2.1), of any length: fields that hold a name have no limit, resources themselves do (names.ts). */
export function hasNameSyntax(value: string): boolean {
  return NAME_CHARACTERS.test(value) && value.split('.').every(isNameLabel)
}

/** One label of a name: lower-case letters, digits and inner dashes. */
export function isNameLabel(value: string): boolean {
  return /^[-a-z0-9]+$/.test(value) && !value.startsWith('-') && !value.endsWith('-')
}

export const resourceName = holds(hasNameSyntax, 'lower-case letters, digits, "-" and ".", each part beginning and ending with a letter or digit')
export const containerId = holds((value) => CONTAINER_ID.test(value), 'letters, digits and inner "-"')
export const interfaceName = holds(
  (value) => value === '*' || INTERFACE.test(value),
  'an interface name of at most 15 characters out of letters, digits, "_", "." and "-", or *',
)
export const interfaceFilter = holds((value) => INTERFACE_FILTER.test(value), 'an interface name or prefix with "+" of at most 15 characters')
export const ignoredInterface = holds(
  (value) => value !== '*' && IGNORED_INTERFACE.test(value),
  'an interface name of at most 15 characters, "*" standing for any, but not * alone',
)

/** A port's name as IANA's service names: 1–15 lower-case letters, digits and single inner dashes, at least one letter. */
export const portName = holds(
  (value) => value.length <= 15 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value) && /[a-z]/.test(value),
  'a port name of at most 15 lower-case letters, digits and single inner "-", with at least one letter',
)

/** A port that traffic can have: not 0, and if named, with a proper name. */
export const usablePort: Rule<number | string> = (value) => {
  const range = portRange(value)
  if (range === undefined) return portName(String(value))
  return range[0] >= 1 && range[1] >= 1 ? undefined : 'must be 1 to 65535, not 0'
}

export const ipv4 = holds((value) => parseAddress(value)?.family === 4, 'an IPv4 address')
export const ipv6 = holds((value) => parseAddress(value)?.family === 6, 'an IPv6 address')
export const ipAddress = holds((value) => parseAddress(value) !== undefined, 'an IP address')

/** A CIDR or an address; Calico's parser takes an empty text for an address too. */
export const cidrOrAddress = holds((value) => value === '' || parseCidrOrAddress(value) !== undefined, 'an IP address or CIDR')
export const ipv4CidrOrAddress = holds((value) => parseCidrOrAddress(value)?.family === 4, 'an IPv4 address or CIDR')
export const ipv6CidrOrAddress = holds((value) => parseCidrOrAddress(value)?.family === 6, 'an IPv6 address or CIDR')

/** A network without host bits, or an address; empty passes (see cidrOrAddress). */
export const network: Rule<string> = (value) => {
  if (value === '') return undefined
  const cidr = parseCidrOrAddress(value)
  if (!cidr) return not('a CIDR', value)
  return isNetwork(cidr) ? undefined : `${not('a network', value)}: the bits after the prefix must be 0`
}

/** A CIDR with its prefix length: what CRD schemas call the format `cidr`. Empty passes. */
export const cidrWithPrefix = holds((value) => value === '' || parseCidr(value) !== undefined, 'a CIDR with its prefix length')

const MAC = /^(?:[0-9a-f]{2}(?:(?::[0-9a-f]{2})+|(?:-[0-9a-f]{2})+)|[0-9a-f]{4}(?:\.[0-9a-f]{4})+)$/i
const MAC_BYTES = [6, 8, 20]

/** A hardware address as Go reads it: 6, 8 or 20 bytes with colons, dashes or dots. */
export const macAddress = holds(
  (value) => value.length < 64 && MAC.test(value) && MAC_BYTES.includes(value.replace(/[^0-9a-f]/gi, '').length / 2),
  'a MAC address such as ee:ee:ee:ee:ee:ee',
)

/** A selector that parses (§2.6). */
export const selector: Rule<string> = (value) => {
  try {
    parseSelector(value)
    return undefined
  } catch (error) {
    return `must be a selector: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Felix's and confd's log levels. */
export const logLevel = oneOf(['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'])

/** One of WORDS in any case. */
export const anyCase = (words: readonly string[]): Rule<string> => {
  const lower = words.map((word) => word.toLowerCase())
  return (value) => (lower.includes(value.toLowerCase()) ? undefined : not(listed(words), value))
}

/** At most LENGTH characters. */
export const atMost =
  (length: number): Rule<string> =>
  (value) => (Array.from(value).length <= length ? undefined : `must have at most ${length} characters, not ${Array.from(value).length}`)

/** All of RULES; the first that is broken speaks. */
export const every =
  <T>(...rules: readonly Rule<T>[]): Rule<T> =>
  (value) => {
    for (const rule of rules) {
      const message = rule(value)
      if (message !== undefined) return message
    }
    return undefined
  }
