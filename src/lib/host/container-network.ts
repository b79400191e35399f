/**
 * A container's network: a veth pair whose host end is Felix's to police and route, and in the container addresses, and default routes
 * towards the host (cli-v0.20 §4.12.1 step 6). Every step may be repeated.
 */
import {CalicoError} from '../errors.js'
import {type Address, ADDRESS_BITS, formatAddress} from '../net/index.js'
import {arePair, createVeth, deleteVeth, findInterface, type Interface, nameTakenOnHost, otherEnd, type VethEnd} from './interfaces.js'
import {ip, ipJson, runIn} from './ip.js'
import {gatewayLinkLocal, linkLocal, trustLinkLocal} from './link-local.js'
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

/** Told when a step begins, by name; for progress and measurements. */
export type OnStep = (step: string) => void

/**
 * Makes the interfaces, addresses and routes. If a step fails, what the ones before it did is undone in reverse.
 * @throws CalicoError `conflict` if an interface name is taken; `failed` with the kernel's words for all else. An error of undoing is in its details.
 */
export async function connectContainer(network: ContainerNetwork, onStep: OnStep = () => undefined): Promise<void> {
  const {namespace, host, container, addresses} = network
  const undo: (() => Promise<unknown>)[] = []
  const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    onStep(name)
    await work()
  }
  try {
    await step('interfaces', async () => {
      if (await isThere(network)) return
      await createVeth(host, container, namespace, network.mtu)
      undo.push(() => deleteVeth(host.name))
    })
    await step('default routes', () => raiseDefaultRoutes(namespace, undo))
    await step('interfaces up', async () => {
      if (addresses.some(({family}) => family === 6)) await enableIpv6(namespace, container.name)
      await ip(namespace, ['link', 'set', 'dev', container.name, 'up'])
      trustLinkLocal(host.name)
      await ip(undefined, ['link', 'set', 'dev', host.name, 'up'])
    })
    await step('addresses', async () => {
      for (const address of addresses) await addAddress(namespace, container.name, address)
    })
    await step('routes', async () => {
      await ip(namespace, ['-4', 'route', 'replace', GATEWAY, 'dev', container.name])
      await ip(namespace, ['-4', 'route', 'replace', 'default', 'via', GATEWAY, 'dev', container.name])
      await routeIpv6(namespace, host.name, container.name, {needed: addresses.some(({family}) => family === 6)})
    })
  } catch (error) {
    throw await undone(error, undo)
  }
}

async function undone(error: unknown, undo: (() => Promise<unknown>)[]): Promise<unknown> {
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
  return new CalicoError('unknown', message, {details: [...details, 'Undoing the steps before it failed too:', ...problems], cause: error, ...(hint === undefined ? {} : {hint})})
}

/** Whether an earlier attempt made this very pair. @throws CalicoError `conflict` if the names are those of something else */
async function isThere({namespace, host, container}: ContainerNetwork): Promise<boolean> {
  const outer = await findInterface(undefined, host.name)
  if (outer === undefined) return false
  const inner = await findInterface(namespace, container.name)
  if (inner && arePair(outer, inner) && inner.address === container.mac) return true
  throw nameTakenOnHost(host.name)
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
 * What makes room for a default route of metric 0: if ROUTES have one, the metric of each rises by one, the highest first. One whose new metric
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

async function raiseDefaultRoutes(namespace: NetworkNamespace, undo: (() => Promise<unknown>)[]): Promise<void> {
  for (const {route, from, to} of raisedRoutes(await ipJson<Route>(namespace, ['-4', 'route', 'show', 'default']))) {
    await moveRoute(namespace, route, from, to)
    undo.push(() => moveRoute(namespace, route, to, from))
  }
}

async function moveRoute(namespace: NetworkNamespace, route: Route, from: number, to: number): Promise<void> {
  const words = routeWords(route)
  await ip(namespace, ['-4', 'route', 'replace', ...words, 'metric', String(to)])
  await ip(namespace, ['-4', 'route', 'del', ...words, 'metric', String(from)])
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
    await runIn(namespace, 'sh', ['-c', 'for file; do [ "$(cat "$file")" = 0 ] || echo 0 > "$file" || exit 1; done', 'sh', ...files])
  } catch (error) {
    throw new CalicoError('failed', 'IPv6 cannot be switched on in the container: does this host have it?', {cause: error, details: error instanceof CalicoError ? error.details : []})
  }
}

const prefixed = (address: Address): string => `${formatAddress(address)}/${ADDRESS_BITS[address.family]}`

/** Adds ADDRESS to interface NAME in NAMESPACE; it may be there. IPv6 addresses are used at once: nobody else can have them on this link. */
export async function addAddress(namespace: NetworkNamespace, name: string, address: Address): Promise<void> {
  const {family} = address
  if (family === 6) await enableIpv6(namespace, name)
  await ip(namespace, [`-${family}`, 'address', 'replace', prefixed(address), 'dev', name, ...(family === 6 ? ['nodad'] : [])])
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
 * Whether the endpoint whose host interface is called HOST is connected to NAMESPACE: `complete` with interfaces, ADDRESSES and default route;
 * `half` if something of it is missing, as after a crash; `absent` without interfaces.
 */
export async function connectionState(namespace: NetworkNamespace, host: string, addresses: readonly Address[]): Promise<'complete' | 'half' | 'absent'> {
  const outer = await findInterface(undefined, host)
  if (!outer) return 'absent'
  const inner = await otherEnd(outer, namespace)
  if (!inner || !isUp(inner) || !isUp(outer)) return 'half'
  for (const address of addresses) if (!(await hasAddress(namespace, inner.ifname, address))) return 'half'
  const routes = await ipJson<Route>(namespace, ['-4', 'route', 'show', 'default'])
  return routes.some(({gateway, dev}) => gateway === GATEWAY && dev === inner.ifname) ? 'complete' : 'half'
}

const isUp = ({flags}: Interface): boolean => flags.includes('UP')

/** Whether interface NAME in NAMESPACE has ADDRESS. */
export async function hasAddress(namespace: NetworkNamespace, name: string, address: Address): Promise<boolean> {
  const [found] = await ipJson<{addr_info?: readonly {local: string}[]}>(namespace, [`-${address.family}`, 'address', 'show', 'dev', name])
  return found?.addr_info?.some(({local}) => local === formatAddress(address)) === true
}

/** The default route of IPv6, towards the link-local address of the host end, where both ends have IPv6. */
export async function routeIpv6(namespace: NetworkNamespace, host: string, name: string, {needed}: {needed: boolean}): Promise<void> {
  if (!needed && (await linkLocal(namespace, name)) === undefined) return
  const gateway = needed ? await gatewayLinkLocal(host) : await linkLocal(undefined, host)
  if (gateway !== undefined) await ip(namespace, ['-6', 'route', 'replace', 'default', 'via', gateway, 'dev', name])
}
