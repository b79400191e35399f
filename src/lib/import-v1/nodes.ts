/** Hosts: which of them come over under which name, and their Node objects, as `node` writes them (cli-v0.20 §5.2, datamodel-v3 §3.5). */
import {withWanted} from '../calico-node/node-object.js'
import {nodeName} from '../model/names.js'
import type {Node} from '../model/types.js'
import {type Address, ADDRESS_BITS, type Family, formatAddress, notUnicast, parseAddress, parseLenientAsNumber} from '../net/index.js'
import {addResource, attempt, type Gathered, lose} from './gather.js'
import {OLD_ROOT} from './old-store.js'

const HOSTS = `${OLD_ROOT}/v1/host`
const BGP_HOSTS = `${OLD_ROOT}/bgp/v1/host`
const IPAM_HOSTS = `${OLD_ROOT}/ipam/v2/host`

/** The keys of a host's settings of Felix that its Node takes. */
export const TUNNEL_PARAMETER = 'IpInIpTunnelAddr'

/** The stored names of the hosts that come over, by their own. OWNERS: those that blocks are kept for. */
export function hostNames(gathered: Gathered, owners: readonly string[]): ReadonlyMap<string, string> {
  const places = [HOSTS, BGP_HOSTS, IPAM_HOSTS]
  const hosts = [...new Set([...places.flatMap((folder) => gathered.source.names(folder)), ...owners])]
  const found = hosts.flatMap((host) => {
    const key = places.map((folder) => `${folder}/${host}`).find((folder) => gathered.source.names(folder).length > 0) ?? `${HOSTS}/${host}`
    const name = attempt(gathered, key, () => nodeName(host))
    return name === undefined ? [] : [{host, key, name}]
  })
  const good = found.filter(({host, key, name}) => {
    const other = found.find((each) => each.name === name && each.host !== host)
    if (other) lose(gathered, key, `the hosts ${JSON.stringify(host)} and ${JSON.stringify(other.host)} would both become the node ${name}, because node names are lower-case`)
    return !other
  })
  for (const host of hosts) if (!good.some((each) => each.host === host)) dropHost(gathered, host)
  return new Map(good.map(({host, name}) => [host, name]))
}

/** Takes all that HOST has: that the host does not come over is reported already. Its endpoints are reported one by one. */
function dropHost({source, ...gathered}: Gathered, host: string): void {
  for (const folder of [`${HOSTS}/${host}/config`, `${HOSTS}/${host}/bird_ip`, `${BGP_HOSTS}/${host}`, `${IPAM_HOSTS}/${host}`]) {
    for (const key of [folder, ...source.rest(`${folder}/`)]) source.take(key)
  }
  for (const key of source.rest(`${HOSTS}/${host}/`)) {
    source.take(key)
    lose({source, ...gathered}, key, `its host ${JSON.stringify(host)} is not imported`)
  }
}

/** What of the nodes matters to their addresses: the tunnel addresses, and whose they are. */
export type TunnelAddresses = ReadonlyMap<string, {readonly node: string; readonly address: Address}>

/** Makes the Node of each of HOSTS; gives their tunnel addresses, by text. OWNERS: those that blocks are kept for. */
export function convertNodes(gathered: Gathered, hosts: ReadonlyMap<string, string>, owners: ReadonlySet<string>): TunnelAddresses {
  const tunnels = new Map<string, {node: string; address: Address}>()
  const taken = new Map<string, string>()
  for (const [host, node] of hosts) {
    // A line like `node bgp peer add` makes no node.
    const isNode = owners.has(host) || gathered.source.names(`${HOSTS}/${host}`).length > 0 || ['ip_addr_v4', 'ip_addr_v6', 'as_num'].some((key) => gathered.source.has(`${BGP_HOSTS}/${host}/${key}`))
    if (!isNode) continue
    const from = [`${BGP_HOSTS}/${host}/ip_addr_v4`, `${BGP_HOSTS}/${host}/ip_addr_v6`, `${BGP_HOSTS}/${host}/as_num`, `${HOSTS}/${host}/bird_ip`]
    const own = (key: string | undefined, family: Family): Address | undefined => {
      const address = key === undefined ? undefined : readAddress(gathered, key, family)
      if (!address || key === undefined) return undefined
      const other = taken.get(formatAddress(address))
      if (other !== undefined) {
        lose(gathered, key, `the address ${formatAddress(address)} is also the address of node ${other}`)
        return undefined
      }
      taken.set(formatAddress(address), node)
      return address
    }
    const [v4Key = '', v6Key = '', asKey = '', birdKey = ''] = from
    // Felix's key of the same address: BIRD's is the one that v0.20 compared.
    const ipv4 = own(gathered.source.has(v4Key) ? v4Key : birdKey, 4)
    gathered.source.take(birdKey)
    const ipv6 = own(v6Key, 6)
    const as = gathered.source.take(asKey)
    const asNumber = as === undefined ? undefined : parseLenientAsNumber(as)
    if (as !== undefined && asNumber === undefined) lose(gathered, asKey, `${JSON.stringify(as)} is not an AS number`)
    const tunnelKey = `${HOSTS}/${host}/config/${TUNNEL_PARAMETER}`
    const tunnel = readAddress(gathered, tunnelKey, 4)
    const plain = withWanted(undefined, {
      name: node,
      ipv4: ipv4 && {address: ipv4, prefix: ADDRESS_BITS[4]},
      ipv6: ipv6 && {address: ipv6, prefix: ADDRESS_BITS[6]},
      asNumber,
      networking: true,
      isLocal: () => false,
      ownName: false,
    })
    const wanted: Node = tunnel ? {...plain, spec: {...plain.spec, bgp: {...plain.spec.bgp, ipv4IPIPTunnelAddr: formatAddress(tunnel)}}} : plain
    const used = [...from, tunnelKey].filter((key) => gathered.source.has(key))
    const added = addResource<Node>(gathered, {kind: 'Node', name: node}, wanted, used.length > 0 ? used : [`${HOSTS}/${host}`])
    if (added && tunnel) tunnels.set(formatAddress(tunnel), {node, address: tunnel})
  }
  return tunnels
}

/** The address at KEY; undefined where there is none (an empty value says so), or, and lost, where it is none of FAMILY. */
function readAddress(gathered: Gathered, key: string, family: Family): Address | undefined {
  const text = gathered.source.take(key)
  if (text === undefined || text === '') return undefined
  const address = parseAddress(text)
  const problem = address?.family === family ? notUnicast(address) : `is not an IPv${family} address`
  if (address && problem === undefined) return address
  lose(gathered, key, problem?.startsWith('is ') ? `${JSON.stringify(text)} ${problem}` : `${text} is ${problem ?? ''}`)
  return undefined
}
