/** Which host endpoint governs an interface of a node (policy-evaluation §8.1). */
import {type Address, equalAddresses} from '../net/index.js'
import type {HostEndpoint, NodeInfo, World} from './world.js'

/** An interface of a node, as far as the store says. */
export interface Interface {
  /** Undefined: the store does not say. */
  readonly name: string | undefined
  readonly addresses: readonly Address[]
}

const WILDCARD = '*'

export const isWildcard = ({interfaceName}: HostEndpoint): boolean => interfaceName === WILDCARD

/** The interface that carries ADDRESS, which is NODE's. */
export function interfaceOf(node: NodeInfo | undefined, address: Address | undefined): Interface {
  if (node === undefined) return {name: undefined, addresses: address ? [address] : []}
  const found = address && node.interfaces.find(({addresses}) => addresses.some((other) => equalAddresses(other, address)))
  if (found) return found
  const [only] = node.interfaces
  return only && node.interfaces.length === 1 && address === undefined ? only : {name: undefined, addresses: Object.values(node.addresses)}
}

/** The host endpoint of NODE for an interface: the first by name that fits it, by name or by address alike, else the first for all interfaces. */
export function hostEndpointOf(world: World, node: string, {name, addresses}: Interface): HostEndpoint | undefined {
  const own = world.hostEndpoints.filter((endpoint) => endpoint.node === node)
  const fits = (endpoint: HostEndpoint): boolean =>
    endpoint.interfaceName === '' ? endpoint.addresses.some((address) => addresses.some((other) => equalAddresses(address, other))) : endpoint.interfaceName === (name ?? assumed(own))
  return own.find(fits) ?? own.find(isWildcard)
}

/** The one name that the host endpoints of a node have, where the store does not say how its interface is called. */
function assumed(own: readonly HostEndpoint[]): string | undefined {
  const names = new Set(own.flatMap(({interfaceName}) => (interfaceName === '' || interfaceName === WILDCARD ? [] : [interfaceName])))
  return names.size === 1 ? [...names][0] : undefined
}

/** Why it cannot be determined which host endpoint governs the interface through which NODE talks to others. */
export function hostEndpointDoubt(world: World, node: string, address: Address | undefined): string | undefined {
  const own = world.hostEndpoints.filter((endpoint) => endpoint.node === node)
  if (own.length === 0) return undefined
  const info = world.nodes.get(node)
  const main = interfaceOf(info, address)
  if (main.name === undefined) {
    const names = new Set(own.flatMap(({interfaceName}) => (interfaceName === '' || interfaceName === WILDCARD ? [] : [interfaceName])))
    return names.size > 1 ? `the datastore does not show which interface of node ${node} this traffic uses, and its host endpoints are for several (${[...names].join(', ')})` : undefined
  }
  const endpoints = new Set((info?.interfaces ?? []).map((one) => hostEndpointOf(world, node, one)))
  return endpoints.size > 1 ? `node ${node} has several interfaces with different host endpoints, and the datastore does not show which one this traffic uses` : undefined
}
