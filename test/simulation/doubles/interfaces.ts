/** src/lib/host/interfaces.ts on the simulated hosts. */
import {CalicoError} from '../../../src/lib/errors.js'
import type {Interface, VethEnd} from '../../../src/lib/host/interfaces.js'
import type {NetworkNamespace} from '../../../src/lib/host/network-namespace.js'
import {host, type Pair, takesTime} from './host.js'

export const hostInterfaceName = (endpointId: string): string => `cali${endpointId.slice(0, 11)}`

export const hasHostInterface = (name: string): boolean => host.pairs.has(name)

const FLAGS = ['UP']
const linkinfo = {info_kind: 'veth'}

const outerOf = ({name, inner, mtu, namespace, index}: Pair): Interface => ({ifname: name, mtu, flags: FLAGS, ifindex: index, linkinfo, ...(namespace === undefined ? {link: inner} : {link_index: index + 1})})
const innerOf = ({name, inner, mac, mtu, namespace, index}: Pair): Interface => ({ifname: inner, address: mac, mtu, flags: FLAGS, ifindex: index + 1, linkinfo, ...(namespace === undefined ? {link: name} : {link_index: index})})

export async function findInterface(where: NetworkNamespace | undefined, name: string): Promise<Interface | undefined> {
  await takesTime()
  const outer = where === undefined ? host.pairs.get(name) : undefined
  if (outer) return outerOf(outer)
  const pair = [...host.pairs.values()].find(({inner, namespace}) => inner === name && namespace === where?.identity)
  return pair && innerOf(pair)
}

export async function otherEnd({ifname}: Interface, {identity}: NetworkNamespace): Promise<Interface | undefined> {
  await takesTime()
  const pair = host.pairs.get(ifname)
  return pair?.namespace === identity ? innerOf(pair) : undefined
}

export async function calicoInterfacesOf({identity}: NetworkNamespace): Promise<string[]> {
  await takesTime()
  return [...host.pairs.values()].filter(({namespace}) => namespace === identity).map(({name}) => name)
}

let index = 1

export async function createVethOnHost(name: string, inner: VethEnd, mtu = 1_500, namespace?: string): Promise<void> {
  await takesTime()
  if (host.pairs.has(name)) throw new CalicoError('conflict', `The interface name is already used on this host: ${name}`)
  index += 2
  host.pairs.set(name, {name, inner: inner.name, mac: inner.mac.toLowerCase(), mtu, namespace, index})
}

export async function deleteVeth(name: string): Promise<boolean> {
  await takesTime()
  return host.pairs.delete(name)
}
