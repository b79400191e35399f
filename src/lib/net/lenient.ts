/** The wider spellings of addresses and CIDRs that v0.20's commands take (cli-v0.20 §1.10): those of Python's netaddr. */
import ipaddr from 'ipaddr.js'
import {type Address, ADDRESS_BITS, parseAddress} from './address.js'
import {type Cidr, parseCidr} from './cidr.js'

const MAX_TEXT_LENGTH = 100

/**
 * Like parseAddress, and in addition the forms of inet_aton for IPv4: fewer than four parts (`1.2.3` = 1.2.0.3, `10` = 0.0.0.10),
 * hexadecimal and, with a leading 0, octal parts. Spaces around it do not matter.
 */
export function parseLenientAddress(text: string): Address | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  const trimmed = text.trim()
  return parseAddress(trimmed) ?? (trimmed.includes(':') ? undefined : parseInetAton(trimmed))
}

/**
 * Like parseCidr, and in addition: a bare address (its /32 or /128), abbreviated IPv4 filled up with zeros on the right (`10.1` = 10.1.0.0/32),
 * and a netmask or hostmask in place of the prefix length. Octets are decimal: `010` is 10. Host bits are kept.
 */
export function parseLenientCidr(text: string): Cidr | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  const [before = '', after, ...more] = text.split('/').map((part) => part.trim())
  if (more.length > 0) return undefined
  const address = before.includes(':') ? before : filledUp(before)
  if (address === undefined) return undefined
  const prefix = after === undefined ? String(ADDRESS_BITS[address.includes(':') ? 6 : 4]) : /^\+?\d+$/.test(after) ? after.replace('+', '') : maskLength(address, after)
  return prefix === undefined ? undefined : parseCidr(`${address}/${prefix}`)
}

/** One to four decimal octets, leading zeros allowed, as four octets without. */
function filledUp(text: string): string | undefined {
  const octets = text.split('.')
  if (octets.length > 4 || !octets.every((octet) => /^\d+$/.test(octet))) return undefined
  return [0, 1, 2, 3].map((i) => Number(octets[i] ?? 0)).join('.')
}

/** The prefix length that MASK means for ADDRESS: ones then zeros (netmask), or zeros then ones (hostmask). */
function maskLength(address: string, mask: string): number | undefined {
  const parsed = parseAddress(mask)
  if (!parsed || address.includes(':') !== mask.includes(':') || (parsed.family === 4) === mask.includes(':')) return undefined
  const bits = ADDRESS_BITS[parsed.family]
  const all = (1n << BigInt(bits)) - 1n
  // The inverse of a netmask, and a hostmask as it is, are one less than a power of two; 0.0.0.0 and :: are netmasks.
  const host = isOnesOnly(all ^ parsed.value) ? all ^ parsed.value : parsed.value
  return isOnesOnly(host) ? bits - host.toString(2).replace('0', '').length : undefined
}

/** Whether VALUE in binary is ones only, or 0. */
function isOnesOnly(value: bigint): boolean {
  return (value & (value + 1n)) === 0n
}

/** The IPv4 address that inet_aton reads in TEXT. */
function parseInetAton(text: string): Address | undefined {
  try {
    return {family: 4, value: BigInt(`0x${Buffer.from(ipaddr.IPv4.parse(text).octets).toString('hex')}`)}
  } catch {
    return undefined
  }
}
