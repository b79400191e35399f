/** CIDRs: an address and a prefix length, and the arithmetic that pools and blocks need. */
import {type Address, ADDRESS_BITS, compareAddresses, type Family, formatAddress, parseAddress} from './address.js'

export interface Cidr {
  readonly family: Family
  /** The address as it was given: host bits are kept until `networkOf` clears them. */
  readonly value: bigint
  /** Length of the network part in bits: 0–32 or 0–128. */
  readonly prefix: number
}

/**
 * The CIDR that TEXT spells by the rules of Go's net.ParseCIDR: an address (see parseAddress) and a decimal prefix length, leading zeros
 * allowed. Host bits are kept. A bare address is none. An IPv4-mapped network is the IPv4 network.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  if (slash === -1) return undefined
  const address = parseAddress(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (!address || digits.length > 10 || !/^\d+$/.test(digits)) return undefined
  return withPrefix(address, Number(digits), text.includes(':') ? 6 : 4)
}

/** Like parseCidr, but a bare address is its /32 or /128, as Calico takes it wherever a field allows either. */
export function parseCidrOrAddress(text: string): Cidr | undefined {
  const address = parseAddress(text)
  return address ? hostCidr(address) : parseCidr(text)
}

/** CIDR as text, host bits included. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr)}/${cidr.prefix}`
}

/** TEXT as Calico writes the network in it: address canonical, host bits off. Undefined if it is neither a CIDR nor an address. */
export function canonicalNetwork(text: string): string | undefined {
  const cidr = parseCidrOrAddress(text)
  return cidr && formatCidr(networkOf(cidr))
}

/** The /32 or /128 of ADDRESS. */
export function hostCidr({family, value}: Address): Cidr {
  return {family, value, prefix: ADDRESS_BITS[family]}
}

/** CIDR with its host bits off. */
export function networkOf({family, value, prefix}: Cidr): Cidr {
  return {family, value: value & maskOf(family, prefix), prefix}
}

/** Whether CIDR has no host bits. */
export function isNetwork(cidr: Cidr): boolean {
  return networkOf(cidr).value === cidr.value
}

/** The network of PREFIX bits that ADDRESS lies in: its block, where PREFIX is the pool's block size. */
export function blockOf({family, value}: Address, prefix: number): Cidr {
  return networkOf({family, value, prefix})
}

export function firstAddress(cidr: Cidr): Address {
  return {family: cidr.family, value: networkOf(cidr).value}
}

export function lastAddress(cidr: Cidr): Address {
  return {family: cidr.family, value: networkOf(cidr).value + sizeOf(cidr) - 1n}
}

/** Number of addresses in CIDR. */
export function sizeOf({family, prefix}: Cidr): bigint {
  return 1n << BigInt(ADDRESS_BITS[family] - prefix)
}

export function contains(cidr: Cidr, address: Address): boolean {
  return cidr.family === address.family && (address.value & maskOf(cidr.family, cidr.prefix)) === networkOf(cidr).value
}

/** Whether every address of INNER is in OUTER. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix <= inner.prefix && contains(outer, inner)
}

/** Whether the two share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return containsCidr(a, b) || containsCidr(b, a)
}

/** Whether both are the same network, host bits aside. */
export function equalNetworks(a: Cidr, b: Cidr): boolean {
  return a.prefix === b.prefix && contains(a, b)
}

/** Numeric order of the addresses, the shorter prefix first; for `sort`. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  return compareAddresses(a, b) || a.prefix - b.prefix
}

/** The address at INDEX in CIDR, from 0. @throws RangeError outside it */
export function addressAt(cidr: Cidr, index: number | bigint): Address {
  const offset = BigInt(index)
  if (offset < 0n || offset >= sizeOf(cidr)) throw new RangeError(`no address ${offset} in ${formatCidr(cidr)}`)
  return {family: cidr.family, value: networkOf(cidr).value + offset}
}

/** The index of ADDRESS in CIDR, from 0; undefined outside it. */
export function indexIn(cidr: Cidr, address: Address): bigint | undefined {
  return contains(cidr, address) ? address.value - networkOf(cidr).value : undefined
}

/** Number of networks of PREFIX bits in CIDR; 0 if it is itself smaller. */
export function subnetCount(cidr: Cidr, prefix: number): bigint {
  return prefix < cidr.prefix ? 0n : 1n << BigInt(prefix - cidr.prefix)
}

/** The network of PREFIX bits at INDEX in CIDR, from 0. @throws RangeError outside it */
export function subnetAt(cidr: Cidr, prefix: number, index: number | bigint): Cidr {
  const position = BigInt(index)
  if (position < 0n || position >= subnetCount(cidr, prefix)) throw new RangeError(`no /${prefix} number ${position} in ${formatCidr(cidr)}`)
  const size = sizeOf({...cidr, prefix})
  return {family: cidr.family, value: networkOf(cidr).value + position * size, prefix}
}

/** Every network of PREFIX bits in CIDR, in numeric order; none if it is itself smaller. */
export function* subnetsOf(cidr: Cidr, prefix: number): Generator<Cidr> {
  const count = subnetCount(cidr, prefix)
  for (let i = 0n; i < count; i++) yield subnetAt(cidr, prefix, i)
}

/** ADDRESS with a prefix length that was written for an address of WRITTEN's family. */
function withPrefix({family, value}: Address, prefix: number, written: Family): Cidr | undefined {
  if (prefix > ADDRESS_BITS[written]) return undefined
  if (family === written) return {family, value, prefix}
  // IPv4-mapped: an IPv4 network if it lies within ::ffff:0:0/96, else the IPv6 network around it.
  return prefix >= 96 ? {family: 4, value, prefix: prefix - 96} : {family: 6, value: (0xffffn << 32n) | value, prefix}
}

function maskOf(family: Family, prefix: number): bigint {
  const bits = ADDRESS_BITS[family]
  return ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix)
}
