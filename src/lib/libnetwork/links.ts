/**
 * The veth pair of a Docker endpoint (mesos-docker §3.5, Join). The driver makes both ends on the host; Docker moves the inner one into the container,
 * where it gets its name, addresses and routes, and takes it out again at the end.
 */
import {CalicoError, isError} from '../errors.js'
import {createVethOnHost, deleteVeth, findInterface, hostInterfaceName, type Interface, otherEnd} from '../host/interfaces.js'
import {ip} from '../host/ip.js'
import {gatewayLinkLocal, trustLinkLocal} from '../host/link-local.js'
import {workloadMtu} from '../host/mtu.js'
import {namespacesOfProcesses} from '../host/network-namespace.js'

export interface LinkRequest {
  /** 64 hex digits. */
  readonly endpointId: string
  /** The container end's. */
  readonly mac: string
  /** Undefined: what this host's calico/node says, else the kernel's. */
  readonly mtu: number | undefined
  /** Whether the container needs the host end's link-local address as its gateway. */
  readonly ipv6: boolean
}

export interface Link {
  /** What the end is called that Docker moves into the container. */
  readonly srcName: string
  /** The host end's; undefined without IPv6. */
  readonly linkLocal: string | undefined
}

/** The inner end until it is in a container. */
const innerName = (endpointId: string): string => hostInterfaceName(endpointId).replace(/^cali/, 'tmp')

/**
 * Makes the pair of an endpoint, its host end up. One from an earlier call of the same endpoint is used if it is right, and else made anew.
 * @throws CalicoError `conflict` if a container has the inner end, or a name belongs to something else; `failed` with the kernel's words. Nothing is
 * left of a pair that was made then.
 */
export async function makeLink({endpointId, mac, mtu = workloadMtu(), ipv6}: LinkRequest): Promise<Link> {
  const outer = hostInterfaceName(endpointId)
  const inner = innerName(endpointId)
  if (!(await isThere(outer, inner, {mac, mtu}))) {
    try {
      await createVethOnHost(outer, {name: inner, mac}, mtu)
    } catch (error) {
      // The same call, a moment earlier.
      if (!isError(error, 'conflict') || !(await isThere(outer, inner, {mac, mtu}))) throw error
    }
  }
  try {
    if (ipv6) trustLinkLocal(outer)
    await ip(undefined, ['link', 'set', 'dev', outer, 'up'])
    if (!ipv6) return {srcName: inner, linkLocal: undefined}
    await ip(undefined, ['link', 'set', 'dev', inner, 'up'])
    return {srcName: inner, linkLocal: await gatewayLinkLocal(outer)}
  } catch (error) {
    await deleteVeth(outer)
    throw error
  }
}

/** Whether an earlier call made this very pair. One that is not as wanted is deleted. @throws CalicoError `conflict`, see makeLink */
async function isThere(outerName: string, inner: string, {mac, mtu}: Pick<LinkRequest, 'mac' | 'mtu'>): Promise<boolean> {
  const outer = await findInterface(undefined, outerName)
  if (!outer) return false
  const end = await innerOnHost(outer, inner)
  if (!end) throw new CalicoError('conflict', `The interface ${outerName} exists, and its other end is in a container`, {hint: `To see it: ip -d link show ${outerName}`})
  if (end.address === mac.toLowerCase() && (mtu === undefined || (end.mtu === mtu && outer.mtu === mtu))) return true
  await deleteVeth(outerName)
  return false
}

/** The other end of OUTER, if it is on the host and called INNER. */
const innerOnHost = async (outer: Interface, inner: string): Promise<Interface | undefined> => (outer.link === inner ? findInterface(undefined, inner) : undefined)

/**
 * Where the pair of an endpoint is: nowhere; unused, that is with both ends on the host or the inner one in a namespace without processes, which Docker
 * leaves behind when it is killed; or in use by a container.
 */
export async function linkState(endpointId: string): Promise<'absent' | 'unused' | 'in-use'> {
  const outer = await findInterface(undefined, hostInterfaceName(endpointId))
  if (!outer) return 'absent'
  if (await innerOnHost(outer, innerName(endpointId))) return 'unused'
  for (const namespace of namespacesOfProcesses()) if (await otherEnd(outer, namespace)) return 'in-use'
  return 'unused'
}

/**
 * Deletes the pair of an endpoint, wherever its inner end is; false if there is none.
 * @throws CalicoError `refused` if what has its name is no veth
 */
export const removeLink = (endpointId: string): Promise<boolean> => deleteVeth(hostInterfaceName(endpointId))
