/** Network interfaces: what there is, and veth pairs. */
import {readFileSync} from 'node:fs'
import {CalicoError} from '../errors.js'
import {CommandError} from './command.js'
import {ip, ipJson, NAMESPACE_FILE, type Where} from './ip.js'
import type {NetworkNamespace} from './network-namespace.js'

/** The kernel's IFNAMSIZ without its final zero byte. */
const LONGEST_NAME = 15

/** Calico's default interfacePrefix: Felix looks after interfaces of these names only (datamodel-v3 §5.9). */
const PREFIX = 'cali'

/** The host end of an endpoint's pair. */
export const hostInterfaceName = (endpointId: string): string => PREFIX + endpointId.slice(0, LONGEST_NAME - PREFIX.length)

/** Why NAME cannot be an interface's name, as the end of a sentence; undefined if it can. */
export function interfaceNameProblem(name: string): string | undefined {
  if (name.length > LONGEST_NAME) return `it is longer than ${LONGEST_NAME} characters`
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) return "only letters, digits, '_', '.' and '-' are allowed"
  if (name === '.' || name === '..' || name.startsWith('-')) return 'the kernel or `ip` gives it another meaning'
  if (name === 'lo' || name === 'all' || name === 'default') return 'the kernel uses that name'
  return undefined
}

/** An interface as `ip -j -d link` describes it. */
export interface Interface {
  readonly ifname: string
  readonly address?: string
  readonly mtu: number
  readonly flags?: readonly string[]
  /** The other end of a veth, if it is in the same namespace. */
  readonly link?: string
  /** The index of the other end of a veth, in its namespace, if that is another one. */
  readonly link_index?: number
  readonly ifindex: number
  readonly linkinfo?: {readonly info_kind?: string}
}

/** The other end of the host interface OUTER, if it is in NAMESPACE. */
export async function otherEnd(outer: Interface, namespace: NetworkNamespace): Promise<Interface | undefined> {
  const inside = await ipJson<Interface>(namespace, ['-d', 'link', 'show'])
  return inside.find((inner) => arePair(outer, inner))
}

/** Whether the two, of different namespaces, are the ends of one pair. */
export const arePair = (outer: Interface, inner: Interface): boolean => outer.link_index === inner.ifindex && inner.link_index === outer.ifindex

/**
 * The names of the host's interfaces, called as Calico's are, whose other ends are in NAMESPACE: it has Calico, whoever gave it that. Asks for the
 * host's interfaces only if there is something in NAMESPACE that may be such an end.
 */
export async function calicoInterfacesOf(namespace: NetworkNamespace): Promise<string[]> {
  const inside = (await ipJson<Interface>(namespace, ['link', 'show'])).filter(({link_index: other}) => other !== undefined)
  if (inside.length === 0) return []
  const outside = await ipJson<Interface>(undefined, ['link', 'show'])
  return outside.filter((outer) => outer.ifname.startsWith(PREFIX) && inside.some((inner) => arePair(outer, inner))).map(({ifname}) => ifname)
}

/** The interface NAME in WHERE; undefined if there is none. */
export async function findInterface(where: Where, name: string): Promise<Interface | undefined> {
  try {
    const [found] = await ipJson<Interface>(where, ['-d', 'link', 'show', 'dev', name])
    return found
  } catch (error) {
    if (error instanceof CommandError && error.failure.stderr.includes('does not exist')) return undefined
    throw error
  }
}

/**
 * Whether the host has an interface NAME; asks no program and needs no rights. /sys/class/net would show the namespace in which /sys was mounted,
 * which need not be this process's.
 */
export const hasHostInterface = (name: string): boolean =>
  interfaceNameProblem(name) === undefined && readFileSync('/proc/self/net/dev', 'utf8').split('\n').some((line) => line.trimStart().startsWith(`${name}:`))

/** One end of a pair. */
export interface VethEnd {
  readonly name: string
  readonly mac: string
}

/**
 * Makes a pair with both ends on the host: one called HOST, whose MAC address is the kernel's, and INNER, which will move into a container; both are down.
 * @throws CalicoError `conflict` if one of the names is taken; nothing is left then
 */
export async function createVethOnHost(host: string, inner: VethEnd, mtu?: number): Promise<void> {
  const size = mtu === undefined ? [] : ['mtu', String(mtu)]
  try {
    await ip(undefined, ['link', 'add', 'name', host, ...size, 'type', 'veth', 'peer', 'name', inner.name, 'address', inner.mac, ...size])
  } catch (error) {
    for (const name of [host, inner.name]) if (await findInterface(undefined, name)) throw await nameTakenOnHost(name, error)
    throw error
  }
}

/**
 * Makes a pair of interfaces at once, both ends named, with their MAC addresses and MTU (the kernel's if undefined) and where they belong: the host end is up, and gets
 * its carrier when the other one, which is down, comes up.
 * @throws CalicoError `conflict` if one of the names is taken; nothing is left then
 */
export async function createVeth(host: VethEnd, container: VethEnd, namespace: NetworkNamespace, mtu?: number): Promise<void> {
  const size = mtu === undefined ? [] : ['mtu', String(mtu)]
  const end = ({name, mac}: VethEnd): string[] => ['name', name, 'address', mac, ...size]
  try {
    await ip(undefined, ['link', 'add', ...end(host), 'up', 'type', 'veth', 'peer', ...end(container), 'netns', NAMESPACE_FILE], {namespace})
  } catch (error) {
    if (await findInterface(undefined, host.name)) throw await nameTakenOnHost(host.name, error)
    if (!(await findInterface(namespace, container.name))) throw error
    throw new CalicoError('conflict', `The interface name is already used in the container: ${container.name}`, {hint: 'Choose another one with --interface.', cause: error})
  }
}

/**
 * The name of an endpoint's own interface is taken on this host. What is called as Calico's are and is a veth is left of an earlier one of that
 * endpoint, whose name it is alone: then the hint says how it is removed.
 */
export async function nameTakenOnHost(name: string, cause?: unknown): Promise<CalicoError> {
  const found = await findInterface(undefined, name)
  const isLeft = name.startsWith(PREFIX) && found?.linkinfo?.info_kind === 'veth'
  const hint = isLeft ? `It is left over from an earlier endpoint. If nothing uses it (ip -d link show ${name}), remove it: ip link del ${name}` : `To see it: ip -d link show ${name}`
  return new CalicoError('conflict', `The interface name is already used on this host: ${name}`, {hint, cause})
}

/**
 * Deletes the host interface NAME, and with it the other end of its pair; false if there is none.
 * @throws CalicoError `refused` if it is not called as Calico's are or is no veth: whatever an endpoint in the datastore says, eth0 is not deleted
 */
export async function deleteVeth(name: string): Promise<boolean> {
  if (interfaceNameProblem(name) !== undefined) return false
  const found = await findInterface(undefined, name)
  if (!found) return false
  if (!name.startsWith(PREFIX) || found.linkinfo?.info_kind !== 'veth') throw new CalicoError('refused', `The interface ${name} is not deleted: it is not one that Calico makes for containers`)
  try {
    await ip(undefined, ['link', 'delete', 'dev', name])
  } catch (error) {
    if (await findInterface(undefined, name)) throw error
  }
  return true
}
