import fc from 'fast-check'
import {type Address, ADDRESS_BITS, type Cidr} from '../../../src/lib/net/index.js'

const ipv4: fc.Arbitrary<Address> = fc.record({family: fc.constant(4 as const), value: fc.bigInt(0n, (1n << 32n) - 1n)})

const ipv6: fc.Arbitrary<Address> = fc
  .oneof(
    fc.bigInt(0n, (1n << 128n) - 1n),
    // Many zero groups, which is what the short spellings are about.
    fc.array(fc.constantFrom(0n, 0n, 1n, 0xffffn), {minLength: 8, maxLength: 8}).map((groups) => groups.reduce<bigint>((value, group) => (value << 16n) | group, 0n)),
  )
  .filter((value) => value >> 32n !== 0xffffn)
  .map((value) => ({family: 6 as const, value}))

/** Addresses of both families; no IPv4-mapped ones, which are IPv4 addresses. */
export const address: fc.Arbitrary<Address> = fc.oneof(ipv4, ipv6)

/** CIDRs with and without host bits. */
export const cidr: fc.Arbitrary<Cidr> = address.chain(({family, value}) => fc.integer({min: 0, max: ADDRESS_BITS[family]}).map((prefix) => ({family, value, prefix})))

/** Two addresses of one family, the smaller first. */
export const range: fc.Arbitrary<readonly [Address, Address]> = address.chain((a) =>
  fc.oneof(
    fc.bigInt(0n, 600n).map((more) => a.value + more),
    fc.bigInt(0n, (1n << BigInt(ADDRESS_BITS[a.family])) - 1n),
  ).map((value) => {
    const b = {family: a.family, value: value % (1n << BigInt(ADDRESS_BITS[a.family]))}
    return a.value <= b.value ? ([a, b] as const) : ([b, a] as const)
  }),
)
