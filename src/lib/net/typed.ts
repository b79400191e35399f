/**
 * Addresses and CIDRs as users type them: in full (decisions.md 40). v0.20 took the short forms of Python's netaddr too (cli-v0.20 §1.10), and made
 * of them what hardly anybody means who types them: `10.1` was 10.1.0.0/32 in one place and 10.0.0.1 in another. They are known here in order to say so.
 */
import ipaddr from 'ipaddr.js'
import {type Address, ADDRESS_BITS, formatAddress, parseAddress} from './address.js'
import {type Cidr, formatCidr, parseCidr} from './cidr.js'

const MAX_TEXT_LENGTH = 100

/** Like parseAddress; spaces around it do not matter. */
export function parseTypedAddress(text: string): Address | undefined {
  return text.length > MAX_TEXT_LENGTH ? undefined : parseAddress(text.trim())
}

/**
 * Like parseCidr, and in addition: a bare address (its /32 or /128), and a netmask or hostmask in place of the prefix length. Spaces around the
 * parts do not matter. Host bits are kept.
 */
export function parseTypedCidr(text: string): Cidr | undefined {
  const {address, length} = partsOf(text) ?? {}
  return address === undefined || !parseAddress(address) ? undefined : cidrOf(address, length)
}

/**
 * What is wrong with TEXT if it is a short form of an address or a CIDR, as WHAT it was typed for: the end of a sentence that names the full form.
 * Undefined for everything else, a full form included.
 */
export function shortFormProblem(text: string, what: 'address' | 'cidr'): string | undefined {
  if (text.length > MAX_TEXT_LENGTH || text.includes(':') || (what === 'address' ? parseTypedAddress(text) : parseTypedCidr(text))) return undefined
  const full = what === 'address' ? fullAddress(text) : fullCidr(text)
  return full === undefined ? undefined : `is not written in full: v0.20 read it as ${full}; if you mean that, write ${full}`
}

/** The address that v0.20 read in TEXT, by inet_aton: `1.2.3` = 1.2.0.3, `10` = 0.0.0.10; hexadecimal and, with a leading 0, octal parts. */
function fullAddress(text: string): string | undefined {
  const address = parseInetAton(text.trim())
  return address && formatAddress(address)
}

/** The CIDR that v0.20 read in TEXT: filled up with zeros on the right, `10.1` = 10.1.0.0/32; `010` is 10. */
function fullCidr(text: string): string | undefined {
  const {address, length} = partsOf(text) ?? {}
  const filled = address === undefined ? undefined : filledUp(address)
  const cidr = filled === undefined ? undefined : cidrOf(filled, length)
  return cidr && formatCidr(cidr)
}

/** TEXT before and behind its slash; undefined if it has more than one. */
function partsOf(text: string): {readonly address: string; readonly length: string | undefined} | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  const [address = '', length, ...more] = text.split('/').map((part) => part.trim())
  return more.length > 0 ? undefined : {address, length}
}

/** The CIDR of ADDRESS, in full, and LENGTH, a prefix length, a mask or nothing. */
function cidrOf(address: string, length: string | undefined): Cidr | undefined {
  const prefix = length === undefined ? String(ADDRESS_BITS[address.includes(':') ? 6 : 4]) : /^\+?\d+$/.test(length) ? length.replace('+', '') : maskLength(address, length)
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
