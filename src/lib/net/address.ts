/** IP addresses: text ⇄ number, in the spelling that Go's net.IP reads and prints, which is what Calico stores and compares. */
import ipaddr from 'ipaddr.js'

export type Family = 4 | 6

export interface Address {
  readonly family: Family
  /** The address as an unsigned number of 32 or 128 bits. */
  readonly value: bigint
}

/** Bits of an address of each family. */
export const ADDRESS_BITS = {4: 32, 6: 128} as const

const MAX_TEXT_LENGTH = 45
const MAPPED_PREFIX = 0xffffn

/**
 * The address that TEXT spells, by Go's rules: four decimal octets without leading zeros, or IPv6 in any RFC 4291 form but without a
 * zone. As in Go, an IPv4-mapped IPv6 address is that IPv4 address.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined
  if (text.includes(':')) return parseIPv6(text)
  const value = dottedQuad(text)
  return value === undefined ? undefined : {family: 4, value: BigInt(value)}
}

/** ADDRESS as Go prints it: IPv6 in lower case, the longest run of zero groups shortened (RFC 5952). */
export function formatAddress({family, value}: Address): string {
  if (family === 4) {
    const number = Number(value)
    return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`
  }
  return new ipaddr.IPv6(ipv6Groups(value)).toRFC5952String()
}

/** The eight 16-bit groups of an IPv6 address, highest first. */
export function ipv6Groups(value: bigint): number[] {
  return Array.from({length: 8}, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn))
}

/** Numeric order, IPv4 before IPv6; for `sort`. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family - b.family
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0
}

/** Whether both are the same address, however they were spelled. */
export function equalAddresses(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value
}

/** TEXT as Go would print it, undefined if it is no address. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text)
  return address && formatAddress(address)
}

/** The address with this value; IPv4 if it is an IPv4-mapped IPv6 one. */
export function ipv6Address(value: bigint): Address {
  return value >> 32n === MAPPED_PREFIX ? {family: 4, value: value & 0xffffffffn} : {family: 6, value}
}

function parseIPv6(text: string): Address | undefined {
  const hex = withoutDottedTail(text)
  if (hex === undefined || !/^[0-9a-f:]+$/i.test(hex) || /[0-9a-f]{5}/i.test(hex)) return undefined
  try {
    const {parts} = ipaddr.IPv6.parse(hex)
    return ipv6Address(parts.reduce((value, part) => (value << 16n) | BigInt(part), 0n))
  } catch {
    return undefined
  }
}

/** TEXT with an IPv4 address at its end (`::ffff:10.0.0.1`) written as two groups. */
function withoutDottedTail(text: string): string | undefined {
  if (!text.includes('.')) return text
  const start = text.lastIndexOf(':') + 1
  const tail = dottedQuad(text.slice(start))
  return tail === undefined ? undefined : `${text.slice(0, start)}${(tail >>> 16).toString(16)}:${(tail & 0xffff).toString(16)}`
}

/** The number that four decimal octets spell. */
function dottedQuad(text: string): number | undefined {
  if (!/^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text)) return undefined
  let value = 0
  for (const octet of text.split('.')) {
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith('0'))) return undefined
    value = value * 256 + Number(octet)
  }
  return value
}
