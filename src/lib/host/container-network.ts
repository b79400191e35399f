/**
 * A container's network: a veth pair whose host end is Felix's to police and route, and in the container addresses, and default routes
 * towards the host (cli-v0.20 §4.12.1 step 6). One of a family that the endpoint has no address of replaces none, as v0.20's did: the container's own
 * would lead nowhere then. Every step may be repeated.
 */
import {CalicoError} from '../errors.js'
import {type Address, ADDRESS_BITS, type Family, formatAddress} from '../net/index.js'
import {CommandError} from './command.js'
import {arePair, createVeth, deleteVeth, findInterface, hasHostInterface, type Interface, nameTakenOnHost, otherEnd, type VethEnd} from './interfaces.js'
import {addressTexts} from './candidates.js'
import {BatchError, ip, ipBatch, ipJson, runIn} from './ip.js'
import {gatewayLinkLocal, hostLinkLocal, linkLocal, trustLinkLocal} from './link-local.js'
import type {NetworkNamespace} from './network-namespace.js'

/** Exists nowhere: the host answers for it by proxy ARP, which Felix switches on. */
const GATEWAY = '169.254.1.1'
const HIGHEST_METRIC = 0xffff_ffff

/** What is to be there. */
export interface ContainerNetwork {
  readonly namespace: NetworkNamespace
  readonly host: VethEnd
  readonly container: VethEnd
  readonly addresses: readonly Address[]
  readonly mtu: number | undefined
}

/** Called when a step begins, by name; for progress and measurements. Some begin together. */
export type OnStep = (step: string) => void

/** Rolls back what a step did. */
type Undo = () => Promise<unknown>

/**
 * Makes the interfaces, addresses and routes. If a step fails, what the ones before it did is undone in reverse. Each program that is started takes as
 * long as its work, and more on a busy host: a container without default routes of its own and without IPv6 takes two.
 * @throws CalicoError `conflict` if an interface name is taken; `failed` with the kernel's words for all else. An error of undoing is in its details.
 */
export async function connectContainer(network: ContainerNetwork, onStep: OnStep = () => undefined): Promise<void> {
  const undo: Undo[] = []
  try {
    onStep('interfaces')
    await makeInterfaces(network, undo)
    for (const step of ['interfaces up', 'addresses', 'routes']) onStep(step)
    await configure(network, onStep, undo)
    if (hasFamily(network, 6)) await routeIpv6(network.namespace, network.host.name, network.container.name)
    else await addRouteIpv6(network.namespace, network.host.name, network.container.name)
  } catch (error) {
    throw await undone(error, undo)
  }
}

const hasFamily = ({addresses}: Pick<ContainerNetwork, 'addresses'>, family: Family): boolean => addresses.some((address) => address.family === family)

/** The pair, its host end up and ready for the other one to come up. */
async function makeInterfaces(network: ContainerNetwork, undo: Undo[]): Promise<void> {
  const {namespace, host, container, mtu} = network
  const earlier = await findEarlier(network)
  if (!earlier) {
    await createVeth(host, container, namespace, mtu)
    undo.push(() => deleteVeth(host.name))
  }
  trustLinkLocal(host.name)
  if (earlier && !isUp(earlier)) await ip(undefined, ['link', 'set', 'dev', host.name, 'up'])
}

/** What is done within the namespace, IPv4's default route last. */
async function configure(network: ContainerNetwork, onStep: OnStep, undo: Undo[]): Promise<void> {
  const {namespace, container, addresses} = network
  const {name} = container
  const commands = [['link', 'set', 'dev', name, 'up'], ...addresses.map((address) => addressCommand(name, address))]
  if (hasFamily(network, 6)) await enableIpv6(namespace, name)
  if (hasFamily(network, 4)) await batchAndRouteIpv4(namespace, name, commands, onStep, undo)
  else {
    const hasOwn = (await ipJson<Route>(namespace, ['-4', 'route', 'show', 'default'])).length > 0
    await ipBatch(namespace, hasOwn ? commands : [...commands, ['route', 'replace', GATEWAY, 'dev', name], defaultRoute('add', name)])
  }
}

/** Runs COMMANDS, and adds the default route of IPv4: the kernel adds it only where there is none of metric 0, which is the usual case. */
async function batchAndRouteIpv4(namespace: NetworkNamespace, name: string, before: readonly string[][], onStep: OnStep, undo: Undo[]): Promise<void> {
  const commands = [...before, ['route', 'replace', GATEWAY, 'dev', name]]
  try {
    await ipBatch(namespace, [...commands, defaultRoute('add', name)])
  } catch (error) {
    if (!(error instanceof BatchError) || error.done !== commands.length) throw error
    onStep('default routes')
    await raiseDefaultRoutes(namespace, undo)
    await ip(namespace, defaultRoute('replace', name))
  }
}

const defaultRoute = (verb: 'add' | 'replace', name: string): string[] => ['route', verb, 'default', 'via', GATEWAY, 'dev', name]

/**
 * The default route of FAMILY over interface NAME, whose other end HOST is, for the first address of that family. If it fails, what it did is undone.
 * @throws CalicoError as {@link connectContainer}
 */
export async function routeFamily(namespace: NetworkNamespace, host: string, name: string, family: Family): Promise<void> {
  if (family === 6) return routeIpv6(namespace, host, name)
  const undo: Undo[] = []
  try {
    await batchAndRouteIpv4(namespace, name, [], () => undefined, undo)
  } catch (error) {
    throw await undone(error, undo)
  }
}

async function undone(error: unknown, undo: Undo[]): Promise<unknown> {
  const problems: string[] = []
  for (const each of undo.reverse()) {
    try {
      await each()
    } catch (problem) {
      problems.push(problem instanceof Error ? problem.message : String(problem))
    }
  }
  if (problems.length === 0) return error
  const {message, details, hint} = error instanceof CalicoError ? error : {message: String(error), details: [], hint: undefined}
  return new CalicoError('unknown', message, {details: [...details, 'Rolling back the earlier steps failed too:', ...problems], cause: error, ...(hint === undefined ? {} : {hint})})
}

/** The host end of the very pair, if an earlier attempt made it. @throws CalicoError `conflict` if the names are those of something else */
async function findEarlier({namespace, host, container}: ContainerNetwork): Promise<Interface | undefined> {
  const outer = hasHostInterface(host.name) ? await findInterface(undefined, host.name) : undefined
  if (outer === undefined) return undefined
  const inner = await findInterface(namespace, container.name)
  if (inner && arePair(outer, inner) && inner.address === container.mac) return outer
  throw await nameTakenOnHost(host.name)
}

/** A default route as `ip -j route` describes it. */
export interface Route {
  readonly metric?: number
  readonly gateway?: string
  readonly dev?: string
  readonly scope?: string
  readonly prefsrc?: string
  readonly flags?: readonly string[]
}

/** A default route that gets another metric. */
export interface Move {
  readonly route: Route
  readonly from: number
  readonly to: number
}

/**
 * What makes way for a default route of metric 0: if ROUTES have one, the metric of each rises by one, the highest first. One whose new metric
 * would be taken or too high stays as it is, and then so do those that end there.
 */
export function raisedRoutes(routes: readonly Route[]): Move[] {
  const others = routes.filter(({gateway}) => gateway !== GATEWAY).map((route) => ({route, from: route.metric ?? 0}))
  const taken = new Set(others.map(({from}) => from))
  if (!taken.has(0)) return []
  return others
    .sort((a, b) => b.from - a.from)
    .flatMap(({route, from}) => {
      const to = from + 1
      if (to > HIGHEST_METRIC || taken.has(to)) return []
      taken.delete(from)
      taken.add(to)
      return [{route, from, to}]
    })
}

async function raiseDefaultRoutes(namespace: NetworkNamespace, undo: Undo[]): Promise<void> {
  for (const {route, from, to} of raisedRoutes(await ipJson<Route>(namespace, ['-4', 'route', 'show', 'default']))) {
    await moveRoute(namespace, route, from, to)
    undo.push(() => moveRoute(namespace, route, to, from))
  }
}

async function moveRoute(namespace: NetworkNamespace, route: Route, from: number, to: number): Promise<void> {
  const words = routeWords(route)
  await ipBatch(namespace, [
    ['route', 'replace', ...words, 'metric', String(to)],
    ['route', 'del', ...words, 'metric', String(from)],
  ])
}

function routeWords({gateway, dev, scope, prefsrc, flags = []}: Route): string[] {
  return [
    'default',
    ...(gateway === undefined ? [] : ['via', gateway]),
    ...(dev === undefined ? [] : ['dev', dev]),
    ...(scope === undefined ? [] : ['scope', scope]),
    ...(prefsrc === undefined ? [] : ['src', prefsrc]),
    ...(flags.includes('onlink') ? ['onlink'] : []),
  ]
}

/** Switches IPv6 on for interface NAME, and for the loopback, over which a container reaches its own addresses. Docker switches it off where a network has none. */
async function enableIpv6(namespace: NetworkNamespace, name: string): Promise<void> {
  const files = ['lo', name].map((each) => `/proc/sys/net/ipv6/conf/${each}/disable_ipv6`)
  try {
    await runIn(namespace, 'sh', ['-c', 'for file; do read -r value < "$file" && [ "$value" = 0 ] || echo 0 > "$file" || exit 1; done', 'sh', ...files])
  } catch (error) {
    throw new CalicoError('failed', 'IPv6 cannot be enabled in the container. Check that this host supports IPv6.', {cause: error, details: error instanceof CalicoError ? error.details : []})
  }
}

const addressCommand = (name: string, address: Address): string[] => ['address', 'replace', prefixed(address), 'dev', name, ...(address.family === 6 ? ['nodad'] : [])]

const prefixed = (address: Address): string => `${formatAddress(address)}/${ADDRESS_BITS[address.family]}`

/** Adds ADDRESS to interface NAME in NAMESPACE; it may be there. IPv6 addresses are used at once: no one else can have them on this link. */
export async function addAddress(namespace: NetworkNamespace, name: string, address: Address): Promise<void> {
  if (address.family === 6) await enableIpv6(namespace, name)
  await ip(namespace, addressCommand(name, address))
}

/** Takes ADDRESS off interface NAME in NAMESPACE; it may be gone, and so may the interface. */
export async function removeAddress(namespace: NetworkNamespace, name: string, address: Address): Promise<void> {
  try {
    await ip(namespace, [`-${address.family}`, 'address', 'del', prefixed(address), 'dev', name])
  } catch (error) {
    if ((await findInterface(namespace, name)) && (await hasAddress(namespace, name, address))) throw error
  }
}

/**
 * Whether the endpoint whose host interface is called HOST is connected to NAMESPACE: `complete` with interfaces, ADDRESSES and their default routes;
 * `half` if something of it is missing, as after a crash; `absent` without interfaces.
 */
export async function connectionState(namespace: NetworkNamespace, host: string, addresses: readonly Address[]): Promise<'complete' | 'half' | 'absent'> {
  const outer = await findInterface(undefined, host)
  if (!outer) return 'absent'
  const inner = await otherEnd(outer, namespace)
  if (!inner || !isUp(inner) || !isUp(outer)) return 'half'
  for (const address of addresses) if (!(await hasAddress(namespace, inner.ifname, address))) return 'half'
  for (const family of [4, 6] as const) if (hasFamily({addresses}, family) && !(await isRouted(namespace, inner.ifname, family))) return 'half'
  return 'complete'
}

/** Whether FAMILY's default route over interface NAME is there; that of IPv6 is known by the interface alone. */
async function isRouted(namespace: NetworkNamespace, name: string, family: Family): Promise<boolean> {
  const routes = await ipJson<Route>(namespace, [`-${family}`, 'route', 'show', 'default'])
  return routes.some(({gateway, dev}) => (family === 6 || gateway === GATEWAY) && dev === name)
}

const isUp = ({flags}: Interface): boolean => flags?.includes('UP') === true

/** Whether interface NAME in NAMESPACE has ADDRESS. */
export async function hasAddress(namespace: NetworkNamespace, name: string, address: Address): Promise<boolean> {
  return addressTexts(await ipJson(namespace, [`-${address.family}`, 'address', 'show', 'dev', name])).includes(formatAddress(address))
}

/** The default route of IPv6, towards the link-local address of the host end. */
async function routeIpv6(namespace: NetworkNamespace, host: string, name: string): Promise<void> {
  await ip(namespace, ['-6', 'route', 'replace', 'default', 'via', await gatewayLinkLocal(host), 'dev', name])
}

/** The same, where the namespace has none and both ends have IPv6. */
async function addRouteIpv6(namespace: NetworkNamespace, host: string, name: string): Promise<void> {
  const gateway = hostLinkLocal(host)
  if (gateway === undefined) return
  try {
    await ip(namespace, ['-6', 'route', 'add', 'default', 'via', gateway, 'dev', name])
  } catch (error) {
    if (!(error instanceof CommandError) || !(error.failure.stderr.includes('File exists') || (await hasNoIpv6(namespace, name, error)))) throw error
  }
}

/** Whether ERROR, the kernel's of a route over interface NAME, comes from its having no IPv6. */
const hasNoIpv6 = async (namespace: NetworkNamespace, name: string, {failure}: CommandError): Promise<boolean> =>
  failure.stderr.includes('IPv6 is disabled') || (await linkLocal(namespace, name)) === undefined
