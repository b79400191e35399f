/** Which host endpoint governs an interface of a node (policy-evaluation §8.1). */
import {type Address, equalAddresses, formatAddress} from '../net/index.js'
import type {HostEndpoint, NodeInfo, World} from './world.js'

/** An interface of a node, as far as the store says. */
export interface Interface {
  /** Undefined: the store does not say. */
  readonly name: string | undefined
  readonly addresses: readonly Address[]
}

const WILDCARD = '*'

export const isWildcard = ({interfaceName}: HostEndpoint): boolean => interfaceName === WILDCARD

const isNamed = ({interfaceName}: HostEndpoint): boolean => interfaceName !== '' && interfaceName !== WILDCARD

const has = (addresses: readonly Address[], address: Address): boolean => addresses.some((other) => equalAddresses(other, address))

const ofNode = (world: World, node: string): readonly HostEndpoint[] => world.hostEndpoints.filter((endpoint) => endpoint.node === node)

/** The host endpoint of NODE for an interface: the first by name that fits it, by name or by address alike, else the first for all interfaces. */
export function hostEndpointOf(world: World, node: string, through: Interface): HostEndpoint | undefined {
  return governing(ofNode(world, node), through)
}

function governing(own: readonly HostEndpoint[], {name, addresses}: Interface): HostEndpoint | undefined {
  const fits = (endpoint: HostEndpoint): boolean => (endpoint.interfaceName === '' ? endpoint.addresses.some((address) => has(addresses, address)) : endpoint.interfaceName === name)
  return own.find(fits) ?? own.find(isWildcard)
}

/** The interface of NODE that carries ADDRESS; where the store leaves several open, one of them. Undefined ADDRESS: the one by which it talks to others. */
export function interfaceOf(world: World, node: string, address: Address | undefined): Interface {
  return interfacesOf(world, node, address)[0] ?? {name: undefined, addresses: []}
}

/**
 * The interfaces of NODE that may carry ADDRESS: one where the Node or the expectedIPs of a host endpoint say so, or where its host endpoints are for one
 * interface and nothing says that the address is on another one.
 */
function interfacesOf(world: World, node: string, address: Address | undefined): Interface[] {
  const info = world.nodes.get(node)
  const {interfaces = []} = info ?? {}
  const listed = address && interfaces.find(({addresses}) => has(addresses, address))
  if (listed) return [listed]
  const [only] = interfaces
  if (only && interfaces.length === 1 && address === undefined) return [only]
  const own = ofNode(world, node)
  const addresses = together(info, own, address)
  const others = (among: readonly HostEndpoint[]): Interface[] => [...new Set(among.filter(isNamed).map(({interfaceName}) => interfaceName))].map((name) => ({name, addresses}))
  const claimed = others(own.filter((endpoint) => address !== undefined && has(endpoint.addresses, address)))
  if (claimed.length > 0) return claimed
  const named = others(own)
  const isExpected = own.some((endpoint) => endpoint.interfaceName === '' && address !== undefined && has(endpoint.addresses, address))
  if (named.length === 1 && !isExpected && own.filter(isNamed).every((endpoint) => mayHave(info, endpoint, address))) return named
  // One without interfaceName may be for the interface, whatever other addresses that has.
  const byAddress = own.filter((endpoint) => endpoint.interfaceName === '' && !endpoint.addresses.some((other) => has(addresses, other)))
  return [...named, {name: undefined, addresses}, ...byAddress.map((endpoint) => ({name: undefined, addresses: [...addresses, ...endpoint.addresses]}))]
}

/** The addresses that are taken to be on one interface with ADDRESS: of a node's own addresses all. */
function together(info: NodeInfo | undefined, own: readonly HostEndpoint[], address: Address | undefined): readonly Address[] {
  const main = Object.values(info?.addresses ?? {})
  if (address === undefined || has(main, address)) return main
  return [address, ...own.filter((endpoint) => has(endpoint.addresses, address)).flatMap((endpoint) => endpoint.addresses)]
}

/** Whether ADDRESS is the node's own, and nothing says that it is on another interface than that of ENDPOINT: its expectedIPs, if it has any, are the node's own too, and none is of the family of ADDRESS. */
function mayHave(info: NodeInfo | undefined, {addresses}: HostEndpoint, address: Address | undefined): boolean {
  const main = Object.values(info?.addresses ?? {})
  if (address !== undefined && !has(main, address)) return false
  if (addresses.length === 0) return true
  return addresses.some((other) => has(main, other)) && !addresses.some(({family}) => family === address?.family)
}

/** The host endpoints that may govern the interface of NODE with ADDRESS, as far as the store says; undefined among them: none. */
function candidates(world: World, node: string, address: Address | undefined): (HostEndpoint | undefined)[] {
  const own = ofNode(world, node)
  return [...new Set(interfacesOf(world, node, address).map((one) => governing(own, one)))]
}

/** Why it cannot be determined which host endpoint governs the interface of NODE with ADDRESS. */
export function hostEndpointDoubt(world: World, node: string, address: Address | undefined): string | undefined {
  const own = ofNode(world, node)
  if (own.length === 0) return undefined
  const found = candidates(world, node, address)
  if (found.length > 1) {
    const what = address === undefined ? 'this traffic uses' : `has the address ${formatAddress(address)}`
    return `the datastore does not show which interface of node ${node} ${what}, and its interfaces have different host endpoints (${namesOf(found)})`
  }
  if (address !== undefined && found.some((endpoint) => endpoint && has(endpoint.addresses, address))) return undefined
  const listed = new Set((world.nodes.get(node)?.interfaces ?? []).map((one) => governing(own, one)))
  return listed.size > 1 ? `node ${node} has several interfaces with different host endpoints, and the datastore does not show which one this traffic uses` : undefined
}

/** Which host endpoint governs the interface of NODE with ADDRESS, as a text: its name, nothing, or `?` where that cannot be determined. */
export const governorOf = (world: World, node: string, address: Address): string => (hostEndpointDoubt(world, node, address) === undefined ? (hostEndpointOf(world, node, interfaceOf(world, node, address))?.name ?? '') : '?')

const STAGES = ['forward', 'preDNAT', 'doNotTrack'] as const

/** Why it cannot be determined what host endpoints of NODE decide about traffic that passes through it to or from other machines; undefined if all that it may meet have the same policies of it. */
export function uplinkDoubt(world: World, node: string, address: Address | undefined): string | undefined {
  const own = ofNode(world, node)
  if (own.length === 0) return undefined
  const found = candidates(world, node, address)
  if (found.length < 2) return undefined
  const policies = (endpoint: HostEndpoint | undefined): string =>
    JSON.stringify(STAGES.flatMap((stage) => (['ingress', 'egress'] as const).map((direction) => (endpoint ? world.applying(endpoint, direction, stage) : []).flatMap((tier) => tier.policies.map(({kind, name}) => [kind, name])))))
  return new Set(found.map(policies)).size > 1 ? `the datastore does not show which interface of node ${node} this traffic uses, and its interfaces have different host endpoints with policies of forwarded traffic (${namesOf(found)})` : undefined
}

const namesOf = (endpoints: readonly (HostEndpoint | undefined)[]): string => endpoints.map((endpoint) => endpoint?.name ?? 'none').join(', ')
