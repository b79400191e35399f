/** The node's addresses on this very host: given ones with the prefix of their interface, others found (calico-node.md §4, §7). */
import {CalicoError} from '../errors.js'
import {hostAddresses, sourceAddressFor} from '../host/addresses.js'
import {type Address, ADDRESS_BITS, type Family, formatAddress} from '../net/index.js'
import type {HostInterface} from '../host/candidates.js'
import {type Candidate, candidateLines, candidates, choose, isFoundAgain, type Method, methodText, prefixOf, unsuitable} from './autodetect.js'
import type {AddressVariables} from './container.js'
import type {NodeAddress} from './node-object.js'
import type {AddressWish, NodeOptions} from './options.js'

export interface ResolvedAddress {
  readonly address: NodeAddress
  readonly variables: AddressVariables
}

export interface ResolvedAddresses {
  readonly ip: ResolvedAddress | undefined
  readonly ip6: ResolvedAddress | undefined
  /** Whether an address is on one of this host's interfaces. */
  readonly isLocal: (address: Address) => boolean
}

export interface Asking {
  /** For people: the candidates, and what is unusual. */
  readonly note: (text: string) => void
  /** Lets the user choose; undefined where no one can be asked. */
  readonly ask?: ((question: string, candidates: readonly Candidate[]) => Promise<Candidate>) | undefined
}

/**
 * The addresses that OPTIONS wish for. STORED is the node's until now.
 * @throws CalicoError `invalid` if none is found, several are and nothing says which, or a given one cannot be the node's
 */
export async function resolveAddresses({ip, ip6}: NodeOptions, stored: Address | undefined, asking: Asking): Promise<ResolvedAddresses> {
  const interfaces = await hostAddresses<HostInterface>()
  return {
    ip: ip && (await resolve(interfaces, 4, ip, stored, asking)),
    ip6: ip6 && (await resolve(interfaces, 6, ip6, undefined, asking)),
    isLocal: (address) => prefixOf(interfaces, address) !== undefined,
  }
}

const OPTIONS = {4: '--ip', 6: '--ip6'} as const

async function resolve(interfaces: readonly HostInterface[], family: Family, wish: AddressWish, stored: Address | undefined, asking: Asking): Promise<ResolvedAddress> {
  if (wish.type === 'detect') return detect(interfaces, family, wish.method, stored, asking)
  const {address} = wish
  const reason = unsuitable(interfaces, address)
  if (reason !== undefined) {
    throw new CalicoError('invalid', `${OPTIONS[family]}: ${formatAddress(address)} cannot be the node's address: ${reason}`, {
      hint: `Give another address, or a detection method: ${OPTIONS[family]}=interface=REGEX uses an interface that is up.`,
    })
  }
  const own = prefixOf(interfaces, address)
  if (own === undefined) asking.note(`Warning: ${formatAddress(address)} is on none of this host's interfaces.`)
  const prefix = wish.prefix ?? own ?? ADDRESS_BITS[family]
  return {address: {address, prefix}, variables: {value: `${formatAddress(address)}/${prefix}`}}
}

async function detect(interfaces: readonly HostInterface[], family: Family, method: Method, stored: Address | undefined, asking: Asking): Promise<ResolvedAddress> {
  const option = OPTIONS[family]
  const reached = method.type === 'can-reach' ? await sourceAddressFor(method.target, family) : undefined
  const all = candidates(interfaces, family, method, reached)
  const choice = choose(all, method, stored)
  const lines = candidateLines(all, choice)
  if (choice.type === 'none') throw new CalicoError('invalid', `No IPv${family} address of this host can be used for the node`, {details: lines, hint: `Give one with ${option}.`})
  let chosen: Candidate
  if (choice.type === 'chosen') {
    chosen = choice.candidate
    for (const line of [`Addresses of this host (IPv${family}):`, ...lines.map((each) => `  ${each}`)]) asking.note(line)
  } else {
    if (!asking.ask) {
      throw new CalicoError('invalid', `Several addresses of this host could be used for the node`, {details: lines, hint: `Give the address with ${option}, or use the first one with ${option}=first-found.`})
    }
    chosen = await asking.ask(`Which address should the node use?`, choice.candidates)
  }
  const address = {address: chosen.address, prefix: chosen.prefix}
  if (!isFoundAgain(all, method, chosen)) return {address, variables: {value: `${formatAddress(chosen.address)}/${chosen.prefix}`}}
  // calico-node looks again at every start, as v0.20's did: on the same interface, if plain autodetection led there.
  const asked = method.type === 'autodetect' ? `interface=^${chosen.interfaceName.replaceAll(/[.+*?^$()[\]{}|\\]/g, '\\$&')}$` : methodText(method)
  return {address, variables: {value: 'autodetect', method: asked}}
}
