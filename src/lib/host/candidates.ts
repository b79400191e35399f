/** The addresses of this host, and which interfaces are not its own but those of containers. Pure. */
import {type Address, type Family, parseAddress} from '../net/index.js'

/** An interface as `ip -j address` describes it. */
export interface HostInterface {
  readonly ifname: string
  readonly flags?: readonly string[]
  readonly addr_info?: readonly {readonly family?: string; readonly local?: string; readonly prefixlen?: number; readonly scope?: string; readonly tentative?: boolean; readonly temporary?: boolean}[]
}

/** An address of this host and its interface. */
export interface HostAddress {
  readonly interfaceName: string
  readonly address: Address
  readonly prefix: number
}

export interface FoundAddress extends HostAddress {
  readonly scope: string
  readonly temporary: boolean
  readonly up: boolean
}

/** Interfaces that calico/node skips: those of container engines and of Calico itself. */
const OTHERS = /^(?:docker|cbr|dummy|podman|virbr|lxcbr|veth|lo|br-|cali|tunl|flannel|kube-ipvs|cni|vxlan\.calico|vxlan-v6\.calico|wireguard\.cali|wg-v6\.cali|nodelocaldns)/

/** Whether the interface NAME is a container engine's or Calico's own. */
export const isForContainers = (name: string): boolean => OTHERS.test(name)

/** Of those, interfaces that may well have an address of the host's own: a loopback address, a bridge of the administrator's. Docker names its bridges by 12 hex digits. */
const MAYBE_OWN = /^(?:lo|dummy|br-(?![0-9a-f]{12}$))/

/** Whether the interface NAME is surely a container engine's or Calico's own: an address that was named by hand is not the host's there. */
export const isOnlyForContainers = (name: string): boolean => OTHERS.test(name) && !MAYBE_OWN.test(name)

/** All addresses of FAMILY, in the order of `ip`. */
export function addressesOf(interfaces: readonly HostInterface[], family: Family): FoundAddress[] {
  return interfaces.flatMap(({ifname, flags, addr_info: infos = []}) =>
    infos.flatMap(({local = '', prefixlen = 0, scope = 'global', temporary = false}) => {
      const address = parseAddress(local)
      return address?.family === family ? [{interfaceName: ifname, address, prefix: prefixlen, scope, temporary, up: flags?.includes('UP') ?? true}] : []
    }),
  )
}

/** The addresses of INTERFACES as `ip` writes them. */
export const addressTexts = (interfaces: readonly Pick<HostInterface, 'addr_info'>[]): string[] => interfaces.flatMap(({addr_info: infos = []}) => infos.flatMap(({local}) => local ?? []))

/** Why ADDRESS cannot be the host's whatever it is wanted for; undefined if it can. */
export function unusable({address, scope, up, interfaceName}: FoundAddress): string | undefined {
  if (isLoopback(address) || scope === 'host') return 'loopback'
  if (scope === 'link') return 'link-local'
  return up ? undefined : `${interfaceName} is down`
}

const isLoopback = ({family, value}: Address): boolean => (family === 4 ? value >> 24n === 127n : value === 1n)

/** The first address of FAMILY that the host itself is reached by, as far as that can be seen. */
export const firstUsable = (interfaces: readonly HostInterface[], family: Family): Address | undefined =>
  addressesOf(interfaces, family).find((found) => unusable(found) === undefined && !isForContainers(found.interfaceName) && !found.temporary)?.address
