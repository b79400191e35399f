/** The profiles of a Mesos container: its agent's, `public`, and one for each net-group (mesos-docker §1.6). */
import {BUILT_IN} from '../../client/profiles.js'
import {CalicoError} from '../../errors.js'
import {hostAddresses} from '../../host/addresses.js'
import {firstUsable, type HostInterface} from '../../host/candidates.js'
import {convertName, pluginTag} from '../../model/names.js'
import type {Node, Profile} from '../../model/types.js'
import {type Address, ADDRESS_BITS, formatAddress, parseCidrOrAddress} from '../../net/index.js'
import {newProfile} from '../../rules/edit.js'
import {toV3} from '../../rules/v3.js'

/** The net-group whose members anybody may reach. */
const PUBLIC = 'public'

export interface ContainerProfiles {
  /** Stored names, in the order in which Felix asks them. */
  readonly names: readonly string[]
  /** As they are to be where they are missing. */
  readonly profiles: readonly Profile[]
}

/**
 * The profiles of a container in NETGROUPS: the agent's first, then `public`, then the others in their order, each once.
 * @param hostname the agent's, as Mesos calls it
 * @param prefix before the names of the net-groups' profiles
 * @param agent the agent's addresses
 */
export function containerProfiles(hostname: string, netgroups: readonly string[], prefix: string, agent: readonly Address[]): ContainerProfiles {
  const groups = netgroups.filter((group) => group !== PUBLIC).map((group) => prefix + group)
  const host = hostProfile(`default_${hostname}`, agent)
  const all = [host, ...(netgroups.includes(PUBLIC) ? [publicProfile()] : []), ...groups.map((name) => newProfile(name, pluginTag(name)))]
  const profiles = all.filter(({metadata}, i) => all.findIndex((other) => other.metadata.name === metadata.name) === i)
  // Calico has that one itself: it is not stored.
  return {names: profiles.map(({metadata}) => metadata.name), profiles: profiles.filter(({metadata}) => metadata.name !== BUILT_IN)}
}

/** The name under which the profile of the agent HOSTNAME is stored. */
export const hostProfileName = (hostname: string): string => convertName(`default_${hostname}`)

/** Nothing but the agent: the executor, which runs in the container, and the agent must reach each other. */
function hostProfile(name: string, agent: readonly Address[]): Profile {
  const cidrs = agent.map((address) => `${formatAddress(address)}/${ADDRESS_BITS[address.family]}`)
  const profile = newProfile(name, pluginTag(name))
  return {
    ...profile,
    spec: {
      ...profile.spec,
      ingress: cidrs.map((cidr) => toV3({action: 'allow', from: {cidr}, to: {}})),
      egress: cidrs.map((cidr) => toV3({action: 'allow', from: {}, to: {cidr}})),
    },
  }
}

function publicProfile(): Profile {
  const profile = newProfile(PUBLIC)
  return {...profile, spec: {...profile.spec, ingress: [toV3({action: 'allow', from: {}, to: {}})]}}
}

/**
 * The agent's addresses: those that calico/node has registered, else this host's first one of IPv4.
 * @throws CalicoError `failed` with the recorded texts
 */
export async function agentAddresses(node: Node | undefined): Promise<Address[]> {
  const {ipv4Address, ipv6Address} = node?.spec.bgp ?? {}
  const registered = [ipv4Address, ipv6Address].flatMap((text) => (text === undefined ? [] : (parseCidrOrAddress(text) ?? [])))
  if (registered.length > 0) return registered.map(({family, value}) => ({family, value}))
  let interfaces: HostInterface[]
  try {
    interfaces = await hostAddresses<HostInterface>()
  } catch (error) {
    throw new CalicoError('failed', 'Could not read host IP', {cause: error})
  }
  const found = firstUsable(interfaces, 4)
  if (!found) throw new CalicoError('failed', "Couldn't determine host's IP Address.")
  return [found]
}
