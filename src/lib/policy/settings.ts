/** Felix's settings as far as they decide about flows: what the store says, over Felix's own defaults (policy-evaluation §8.2, §8.3). */
import {letsBorrow} from '../model/felix-endpoints.js'
import {evaluate, tryParseSelector} from '../model/selector/index.js'
import {type Address, type Cidr, type Family, networkOf, parseAddress, parseCidrOrAddress} from '../net/index.js'
import {protocolNumber} from './packets.js'

export interface Failsafe {
  readonly protocol: number
  readonly port: number
  /** Only from (to) this network. */
  readonly net?: Cidr
}

export interface Settings {
  readonly interfacePrefixes: readonly string[]
  readonly endpointToHost: 'Drop' | 'Accept' | 'Return'
  readonly failsafeInbound: readonly Failsafe[]
  readonly failsafeOutbound: readonly Failsafe[]
  readonly vxlanPort: number
  readonly allowVxlan: boolean
  readonly allowIpip: boolean
  /** Endpoints may send from addresses of others. */
  readonly borrowing: boolean
  /** Connection tracking drops what opens no flow. */
  readonly dropInvalid: boolean
  /** Source NAT of pools spares the addresses of other nodes, too. */
  readonly natExcludesHosts: boolean
  /** What source NAT of pools puts in, if not the node's address. */
  readonly natAddress?: Address
  readonly wireguard: Readonly<Record<Family, boolean>>
  /** OpenStack: what workloads need of their host is let through. */
  readonly openstack: boolean
  /** Why nothing can be determined of this node. */
  readonly unknown?: string
}

/** A FelixConfiguration: its name, and the parameters that it sets, by their names in lower case. */
export interface Configuration {
  readonly name: string
  readonly nodeSelector?: string
  readonly parameters: ReadonlyMap<string, unknown>
  /** Why Felix cannot read it. */
  readonly problem?: string
}

const ports = (protocol: number, ...numbers: readonly number[]): Failsafe[] => numbers.map((port) => ({protocol, port}))

const CONTROL = [179, 2379, 2380, 5473, 6443, 6666, 6667]
const defaultInbound = (): Failsafe[] => [...ports(6, 22, ...CONTROL), ...ports(17, 68)]
const defaultOutbound = (): Failsafe[] => [...ports(17, 53, 67), ...ports(6, ...CONTROL)]

/** The settings of NODE, whose Node object has LABELS. */
export function settingsOf(configurations: readonly Configuration[], node: string, labels: ReadonlyMap<string, string>): Settings {
  const matching = [
    ...configurations.filter(({name}) => name === 'default'),
    ...configurations.filter(({name, nodeSelector}) => name !== 'default' && !name.startsWith('node.') && nodeSelector !== undefined && selects(nodeSelector, labels)),
    ...configurations.filter(({name}) => name === `node.${node}`),
  ]
  const parameters = new Map(matching.flatMap((configuration) => [...configuration.parameters]))
  const value = (name: string): unknown => parameters.get(name.toLowerCase())
  const on = (name: string): boolean => value(name) === true || String(value(name)).toLowerCase() === 'true'
  const broken = matching.find(({problem}) => problem !== undefined)
  const unknown = broken ? `Felix cannot read felixconfiguration/${broken.name}: ${broken.problem ?? ''}` : otherDataplane(value, on)
  const prefixes = value('interfacePrefix')
  const interfacePrefixes = (typeof prefixes === 'string' && prefixes !== '' ? prefixes : 'cali').split(',')
  const natAddress = parseAddress(text(value('natOutgoingAddress')))
  const vxlanPort = Number(value('vxlanPort') ?? 4789)
  return {
    interfacePrefixes,
    endpointToHost: endpointAction(value('defaultEndpointToHostAction')),
    failsafeInbound: failsafes(value('failsafeInboundHostPorts'), defaultInbound),
    failsafeOutbound: failsafes(value('failsafeOutboundHostPorts'), defaultOutbound),
    vxlanPort: Number.isInteger(vxlanPort) ? vxlanPort : 4789,
    allowVxlan: on('allowVXLANPacketsFromWorkloads'),
    allowIpip: on('allowIPIPPacketsFromWorkloads'),
    borrowing: letsBorrow(value('workloadSourceSpoofing')),
    dropInvalid: !on('disableConntrackInvalidCheck'),
    natExcludesHosts: text(value('natOutgoingExclusions')).toLowerCase() === 'ippoolsandhostips',
    ...(natAddress ? {natAddress} : {}),
    wireguard: {4: on('wireguardEnabled'), 6: on('wireguardEnabledV6')},
    openstack: interfacePrefixes.includes('tap'),
    ...(unknown === undefined ? {} : {unknown}),
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

function selects(selector: string, labels: ReadonlyMap<string, string>): boolean {
  const parsed = tryParseSelector(selector)
  return parsed.selector !== undefined && evaluate(parsed.selector, labels)
}

function otherDataplane(value: (name: string) => unknown, on: (name: string) => boolean): string | undefined {
  if (on('bpfEnabled')) return 'bpfEnabled: this node uses the eBPF dataplane'
  if (String(value('nftablesMode')).toLowerCase() === 'enabled') return 'nftablesMode is Enabled: this node uses nftables rules'
  if (String(value('iptablesFilterDenyAction')).toLowerCase() === 'reject') return 'iptablesFilterDenyAction is Reject: Felix stops'
  const prefix = value('interfacePrefix')
  if (typeof prefix === 'string' && prefix !== '' && !/^[a-zA-Z0-9_-]{1,15}(,[a-zA-Z0-9_-]{1,15})*$/.test(prefix)) return `interfacePrefix is ${JSON.stringify(prefix)}: Felix stops`
  return undefined
}

function endpointAction(value: unknown): Settings['endpointToHost'] {
  const word = String(value).toLowerCase()
  return word === 'accept' ? 'Accept' : word === 'return' ? 'Return' : 'Drop'
}

function failsafes(value: unknown, byDefault: () => Failsafe[]): Failsafe[] {
  if (Array.isArray(value)) return (value as unknown[]).flatMap(failsafe)
  if (typeof value !== 'string') return byDefault()
  if (value === '' || value.toLowerCase() === 'none') return []
  return value.split(',').flatMap(rawFailsafe)
}

function failsafe(item: unknown): Failsafe[] {
  const {protocol, port, net} = (item ?? {}) as {protocol?: unknown; port?: unknown; net?: unknown}
  const number = typeof protocol === 'number' ? protocol : protocolNumber(typeof protocol === 'string' ? protocol : 'tcp')
  if (number === undefined || typeof port !== 'number') return []
  const cidr = typeof net === 'string' && net !== '' ? parseCidrOrAddress(net) : undefined
  return [{protocol: number, port, ...(cidr ? {net: networkOf(cidr)} : {})}]
}

/** A failsafe port as Felix's own parameter writes it: `tcp:10.0.0.0/8:22`, `udp:53` or `22`. */
function rawFailsafe(text: string): Failsafe[] {
  const [, protocol = 'tcp', net, port = ''] = /^\s*(?:(\w+):)?(?:\[?([0-9a-fA-F.:]+\/\d+)\]?:)?(\d+)\s*$/.exec(text) ?? []
  const number = protocolNumber(protocol)
  if (number === undefined || port === '') return []
  const cidr = net === undefined ? undefined : parseCidrOrAddress(net)
  return [{protocol: number, port: Number(port), ...(cidr ? {net: networkOf(cidr)} : {})}]
}
