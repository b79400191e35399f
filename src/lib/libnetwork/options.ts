/**
 * What `docker network create` says of a network of ours (mesos-docker §3.5): `--opt NAME=VALUE`, `--ipv6`, `--internal`. Each is honoured or refused by
 * its name, none is ignored.
 */
import {shownJson} from '../json/index.js'
import {isObject} from '../json/is-object.js'
import {tagProblem} from '../model/names.js'

export interface NetworkOptions {
  /** `--opt profile=NAME`, as the user calls it; undefined: the profile is called as the network is. */
  readonly profile: string | undefined
  /** `--opt nat-outgoing=true|false`; undefined: not said. */
  readonly natOutgoing: boolean | undefined
  /** `--opt ipip=true|false`; undefined: not said. */
  readonly ipip: boolean | undefined
  /** `--opt labels=true`: labels of containers become labels of their endpoints. */
  readonly labels: boolean
  /** `--ipv6`. */
  readonly ipv6: boolean
  /** `--opt com.docker.network.driver.mtu=N`; undefined: what this host's calico/node says. */
  readonly mtu: number | undefined
}

/** In CreateNetwork's `Options`; what `--opt` says is a map of its own. */
export const GENERIC = 'com.docker.network.generic'
export const ENABLE_IPV6 = 'com.docker.network.enable_ipv6'
const ENABLE_IPV4 = 'com.docker.network.enable_ipv4'
const INTERNAL = 'com.docker.network.internal'
const MTU = 'com.docker.network.driver.mtu'

const SMALLEST_MTU = {4: 68, 6: 1280} as const
const LARGEST_MTU = 65_535

/** What OPTIONS, a CreateNetwork request's, say, and what is wrong with them: whole sentences, all of them. What is wrong counts as not said. */
export function readNetworkOptions(options: Readonly<Record<string, unknown>> | null): {options: NetworkOptions; problems: readonly string[]} {
  const {[GENERIC]: generic, [ENABLE_IPV6]: ipv6, [ENABLE_IPV4]: ipv4, ...others} = options ?? {}
  const problems: string[] = []
  const generics = new Map(Object.entries(isObject(generic) ? generic : {}))
  const take = <T>(name: string, read: (text: string) => T | undefined, expected: (text: string) => string): T | undefined => {
    const given = generics.get(name)
    generics.delete(name)
    if (given === undefined) return undefined
    const text = typeof given === 'string' ? given : shownJson(given)
    const value = read(text)
    if (value === undefined) problems.push(`--opt ${name}=${text}: ${expected(text)}.`)
    return value
  }
  const takeSwitch = (name: string): boolean | undefined => take(name, readSwitch, () => 'only true and false are allowed')

  const read: NetworkOptions = {
    profile: take('profile', (text) => (profileProblem(text) === undefined ? text : undefined), (text) => profileProblem(text) ?? ''),
    natOutgoing: takeSwitch('nat-outgoing'),
    ipip: takeSwitch('ipip'),
    labels: takeSwitch('labels') ?? false,
    ipv6: ipv6 === true,
    mtu: take(MTU, (text) => readMtu(text, ipv6 === true), () => `only numbers from ${smallestMtu(ipv6 === true)} to ${LARGEST_MTU} are allowed`),
  }
  const unknown = [...generics.keys(), ...Object.keys(others).filter((name) => isSet(others[name])).map(flagOf)].sort()
  if (unknown.length > 0) problems.unshift(`Calico driver does not support the ${unknown.length === 1 ? 'flag' : 'flags'} ${unknown.join(', ')}.`)
  if (ipv4 === false) problems.push('--ipv4=false: a network without IPv4 is not supported.')
  return {options: read, problems}
}

const DOCKERS_OWN = 'com.docker.network.'
const PORTS = 'com.docker.network.portmap'
const INTERFACE_NAME = 'com.docker.network.endpoint.ifname'

/**
 * What OPTIONS, a CreateEndpoint request's, ask for and do not get: sentences for the log, since a reply
 * has no place for them. The container can do without.
 */
export function ignoredOptions(options: Readonly<Record<string, unknown>> | null, {fromCalico}: {fromCalico: boolean}): string[] {
  const given = options ?? {}
  const ports = given[PORTS]
  const unknown = Object.keys(given).filter((name) => isSet(given[name]) && (name === INTERFACE_NAME || !name.startsWith(DOCKERS_OWN))).sort()
  return [
    ...(fromCalico && Array.isArray(ports) && ports.length > 0 ? ['Docker publishes no ports (-p) of containers in Calico networks; they are reached at their own addresses.'] : []),
    ...(unknown.length > 0 ? [`Calico driver does not support the endpoint's ${unknown.length === 1 ? 'option' : 'options'} ${unknown.join(', ')}.`] : []),
  ]
}

const readSwitch = (text: string): boolean | undefined => (text === 'true' ? true : text === 'false' ? false : undefined)

/** As `profile add` checks the name of a new one. Calico's own profile may be a network's. */
function profileProblem(name: string): string | undefined {
  const problem = tagProblem(name)
  return problem === undefined ? undefined : `this is not a valid profile name: the name is also the tag of its endpoints, and ${problem}`
}

const smallestMtu = (ipv6: boolean): number => SMALLEST_MTU[ipv6 ? 6 : 4]

function readMtu(text: string, ipv6: boolean): number | undefined {
  const mtu = /^[0-9]{1,5}$/.test(text) ? Number(text) : NaN
  return mtu >= smallestMtu(ipv6) && mtu <= LARGEST_MTU ? mtu : undefined
}

/** Docker also sends what the user did not ask for: it is false or empty then. */
const isSet = (value: unknown): boolean => !(value === undefined || value === null || value === false || value === '' || (isObject(value) && Object.keys(value).length === 0))

/** How the user said it. */
const flagOf = (name: string): string => (name === INTERNAL ? '--internal' : name)
