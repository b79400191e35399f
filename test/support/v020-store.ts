/** Stores as v0.20 wrote them (cli-v0.20 §2), for each command of its grammar, and the dumps that etcd's v2 API gives of them. */

export type OldKeys = Readonly<Record<string, string>>

const V1 = '/calico/v1'
const BGP = '/calico/bgp/v1'
const IPAM = '/calico/ipam/v2'

export const WORKLOAD = '8f3b1f3f0a7e4b1f9c6d5e4a3b2c1d0e8f3b1f3f0a7e4b1f9c6d5e4a3b2c1d0e'
export const ENDPOINT_ID = '2f8c0a7e5a6d11e6b1d40242ac110002'

const rules = (profile: string, inbound: readonly object[], outbound: readonly object[] = [{action: 'allow'}]): string =>
  JSON.stringify({id: profile, inbound_rules: inbound, outbound_rules: outbound})

/** A profile as `profile add` makes it, with other tags and rules where they are given. */
export const oldProfile = (name: string, tags: readonly string[] = [name], inbound: readonly object[] = [{action: 'allow', src_tag: name}], outbound: readonly object[] = [{action: 'allow'}]): OldKeys => ({
  [`${V1}/policy/profile/${name}/tags`]: JSON.stringify(tags),
  [`${V1}/policy/profile/${name}/labels`]: '{}',
  [`${V1}/policy/profile/${name}/rules`]: rules(name, inbound, outbound),
})

const pool = (cidr: string, more: object = {}): OldKeys => ({[`${V1}/ipam/v${cidr.includes(':') ? 6 : 4}/pool/${cidr.replace('/', '-')}`]: JSON.stringify({cidr, ...more})})

/** A block; ASSIGNED: attribute indexes by ordinal. */
export function oldBlock(cidr: string, host: string | undefined, assigned: Readonly<Record<number, number>>, attributes: readonly object[] = [{handle_id: null, secondary: {}}], freedLast: readonly number[] = []): OldKeys {
  const version = cidr.includes(':') ? 6 : 4
  const free = Array.from({length: 64}, (_, at) => at).filter((at) => assigned[at] === undefined && !freedLast.includes(at))
  const used = Object.keys(assigned).length > 0
  return {
    [`${IPAM}/assignment/ipv${version}/block/${cidr.replace('/', '-')}`]: JSON.stringify({
      cidr,
      affinity: host === undefined ? '' : `host:${host}`,
      strict_affinity: false,
      allocations: Array.from({length: 64}, (_, at) => assigned[at] ?? null),
      unallocated: [...free, ...freedLast],
      attributes: used ? attributes : [],
    }),
    ...(host === undefined ? {} : {[`${IPAM}/host/${host}/ipv${version}/block/${cidr.replace('/', '-')}`]: ''}),
  }
}

/** An endpoint as `container add` stores it. */
export const oldEndpoint = (host: string, {orchestrator = 'docker', workload = WORKLOAD, id = ENDPOINT_ID, nets = ['192.168.10.1/32'], nets6 = [] as readonly string[], profiles = [] as readonly string[], more = {}} = {}): OldKeys => ({
  [`${V1}/host/${host}/workload/${orchestrator}/${workload}/endpoint/${id}`]: JSON.stringify({
    state: 'active',
    name: `cali${id.slice(0, 11)}`,
    mac: 'aa:bb:cc:dd:ee:01',
    profile_ids: profiles,
    labels: {},
    ipv4_nets: nets,
    ipv6_nets: nets6,
    ...more,
  }),
})

/** What the start of a node writes. */
export const oldNode = (host: string, ip: string, {ip6 = '', as = undefined as string | undefined, tunnel = undefined as string | undefined} = {}): OldKeys => ({
  [`${V1}/Ready`]: 'true',
  [`${V1}/config/InterfacePrefix`]: 'cali',
  [`${V1}/config/LogSeverityFile`]: 'none',
  [`${V1}/config/LogSeverityScreen`]: 'info',
  [`${V1}/config/LogFilePath`]: 'none',
  [`${V1}/config/IpInIpEnabled`]: 'false',
  [`${V1}/config/ReportingIntervalSecs`]: '0',
  [`${BGP}/global/as_num`]: '64511',
  [`${BGP}/global/node_mesh`]: '{"enabled": true}',
  [`${V1}/host/${host}/bird_ip`]: ip,
  [`${V1}/host/${host}/config/DefaultEndpointToHostAction`]: 'RETURN',
  [`${V1}/host/${host}/config/marker`]: 'created',
  [`${BGP}/host/${host}/ip_addr_v4`]: ip,
  [`${BGP}/host/${host}/ip_addr_v6`]: ip6,
  ...(as === undefined ? {} : {[`${BGP}/host/${host}/as_num`]: as}),
  ...(tunnel === undefined ? {} : {[`${V1}/host/${host}/config/IpInIpTunnelAddr`]: tunnel}),
})

/** A line of v0.20, or a few, in our words where they have got a new option, and all that v0.20 stored for them. */
export interface OldCase {
  readonly lines: readonly string[]
  readonly keys: OldKeys
}

/** Each command of v0.20's grammar that leaves something in the datastore and needs no host. */
export const CASES: readonly OldCase[] = [
  {lines: ['profile add web'], keys: oldProfile('web')},
  {lines: ['profile add Prof_1'], keys: oldProfile('Prof_1')},
  {lines: ['profile add tagged', 'profile tagged tag add Front.End_1', 'profile tagged tag remove tagged'], keys: oldProfile('tagged', ['Front.End_1'], [{action: 'allow', src_tag: 'tagged'}])},
  {
    lines: [
      'profile add rules',
      'profile rules rule remove inbound --at=1',
      'profile rules rule add inbound allow tcp from ports 1024:65535 tag web cidr 10.0.0.0/8 to ports 80,443 tag db cidr 10.1.2.3',
      'profile rules rule add inbound deny udp to ports 53',
      'profile rules rule add inbound allow icmp type 8 code 0 from tag web',
      'profile rules rule add inbound deny icmpv6 type 128 from cidr fd00::/8',
      'profile rules rule add --at=1 inbound deny from cidr 1.2.3.4/8',
      'profile rules rule add outbound deny to tag web',
    ],
    keys: oldProfile(
      'rules',
      ['rules'],
      [
        {action: 'deny', src_net: '1.2.3.4/8'},
        {action: 'allow', protocol: 'tcp', src_ports: ['1024:65535'], src_tag: 'web', src_net: '10.0.0.0/8', dst_ports: [80, 443], dst_tag: 'db', dst_net: '10.1.2.3/32'},
        {action: 'deny', protocol: 'udp', dst_ports: [53]},
        {action: 'allow', protocol: 'icmp', icmp_type: 8, icmp_code: 0, src_tag: 'web'},
        {action: 'deny', protocol: 'icmpv6', icmp_type: 128, src_net: 'fd00::/8'},
      ],
      [{action: 'allow'}, {action: 'deny', dst_tag: 'web'}],
    ),
  },
  {lines: ['pool add 192.168.0.0/16'], keys: pool('192.168.0.0/16')},
  {lines: ['pool add 10.1.0.0/16 --ipip --nat-outgoing'], keys: {...pool('10.1.0.0/16', {ipip: 'tunl0', masquerade: true}), [`${V1}/config/IpInIpEnabled`]: 'true'}},
  {lines: ['pool add fd80:24e2:f998:72d6::/64 --nat-outgoing'], keys: pool('fd80:24e2:f998:72d6::/64', {masquerade: true})},
  {lines: ['pool range add 172.24.0.0 172.24.25.255'], keys: {...pool('172.24.0.0/20'), ...pool('172.24.16.0/21'), ...pool('172.24.24.0/23')}},
  {lines: ['pool add 10.9.0.0/24', 'pool set 10.9.0.0/24 --disabled'], keys: pool('10.9.0.0/24', {disabled: true})},
  {lines: ['bgp peer add 192.0.2.1 as 64513'], keys: {[`${BGP}/global/peer_v4/192.0.2.1`]: '{"ip": "192.0.2.1", "as_num": "64513"}'}},
  {lines: ['bgp peer add 2001:db8::1 as 1.10'], keys: {[`${BGP}/global/peer_v6/2001:db8::1`]: '{"ip": "2001:db8::1", "as_num": "65546"}'}},
  {lines: ['node bgp peer add 192.0.2.2 as 64514 --node rack1-host1'], keys: {[`${BGP}/host/Rack1-Host1/peer_v4/192.0.2.2`]: '{"ip": "192.0.2.2", "as_num": "64514"}'}},
  {lines: ['bgp node-mesh off', 'bgp default-node-as 64600', 'config bgp loglevel debug'], keys: {[`${BGP}/global/node_mesh`]: '{"enabled": false}', [`${BGP}/global/as_num`]: '64600', [`${BGP}/global/loglevel`]: 'debug'}},
  {lines: ['config node bgp loglevel none --node rack1-host1'], keys: {[`${BGP}/host/Rack1-Host1/loglevel`]: 'none'}},
  {lines: ['config felix loglevel warning', 'config felix IpInIpMtu 1400 --force'], keys: {[`${V1}/config/LogSeverityScreen`]: 'warning', [`${V1}/config/IpInIpMtu`]: '1400'}},
]

/** What `profile selected rule update` reads: rules that only it could make. */
export const OTHER_RULES = JSON.stringify({
  id: 'selected',
  inbound_rules: [{action: 'next-tier', src_selector: "role == 'db'"}, {action: 'allow', protocol: 'tcp', dst_ports: ['80', '8000:8100']}],
  outbound_rules: [{action: 'deny', protocol: 'icmpv6', dst_selector: 'has(x)'}],
})

/** The same commands with the other of their values, which exclude those of CASES, and as neighbours of v0.20 wrote them. */
export const OTHER_CASES: readonly OldCase[] = [
  {lines: ['bgp node-mesh on', 'bgp default-node-as 1.10', 'config bgp loglevel info'], keys: {[`${BGP}/global/node_mesh`]: '{"enabled": true}', [`${BGP}/global/as_num`]: '65546', [`${BGP}/global/loglevel`]: 'info'}},
  {lines: ['config bgp Anything x --force', 'config node bgp Anything y --force --node rack1-host1'], keys: {[`${BGP}/global/Anything`]: 'x', [`${BGP}/host/Rack1-Host1/Anything`]: 'y'}},
  {lines: ['config node bgp loglevel debug --node rack1-host1'], keys: {[`${BGP}/host/Rack1-Host1/loglevel`]: 'debug'}},
  {lines: ['config felix loglevel none', 'config felix InterfacePrefix tap --force'], keys: {[`${V1}/config/LogSeverityScreen`]: 'none', [`${V1}/config/InterfacePrefix`]: 'tap'}},
  // `+5` was stored as it was typed.
  {lines: ['node bgp peer add fd00::9 as 64515 --node rack1-host1', 'bgp peer add 192.0.2.9 as 5'], keys: {[`${BGP}/host/Rack1-Host1/peer_v6/fd00::9`]: '{"ip": "fd00::9", "as_num": "64515"}', [`${BGP}/global/peer_v4/192.0.2.9`]: '{"ip": "192.0.2.9", "as_num": "+5"}'}},
  {lines: ['pool add 10.1.0.0/16 --ipip', 'pool add fd01::/122'], keys: {...pool('10.1.0.0/16', {ipip: 'tunl0'}), ...pool('fd01::/122')}},
  // v0.21 and later leave the id of the rules away; older ones have no labels.
  {lines: ['profile add selected', 'profile selected rule update'], keys: {...profileKeys('selected', ['selected'], OTHER_RULES.replace('"id":"selected",', '').replace('"80"', '80'))}},
  {lines: ['profile add bare', 'profile bare tag remove bare', 'profile bare rule remove inbound --at=1', 'profile bare rule remove outbound --at=1'], keys: profileKeys('bare', [], rules('bare', [], []))},
]

function profileKeys(name: string, tags: readonly string[], document: string): OldKeys {
  return {[`${V1}/policy/profile/${name}/tags`]: JSON.stringify(tags), [`${V1}/policy/profile/${name}/rules`]: document}
}

/** KEYS as the answer of etcd's v2 API to a recursive get of ROOT. FOLDERS: those that are there although they are empty. */
export function dumpOf(keys: OldKeys, root = '/calico', folders: readonly string[] = []): string {
  interface Node {
    key: string
    dir?: boolean
    value?: string
    nodes?: Node[]
    modifiedIndex: number
    createdIndex: number
  }
  const top: Node = {key: root, dir: true, nodes: [], modifiedIndex: 4, createdIndex: 4}
  const found = new Map<string, Node>([[root, top]])
  const folder = (key: string): Node => {
    const known = found.get(key)
    if (known) return known
    const node: Node = {key, dir: true, modifiedIndex: 5, createdIndex: 5}
    found.set(key, node)
    const parent = folder(key.slice(0, key.lastIndexOf('/')))
    parent.nodes = [...(parent.nodes ?? []), node]
    return node
  }
  for (const each of folders) folder(each)
  for (const [key, value] of Object.entries(keys)) {
    if (!key.startsWith(`${root}/`)) continue
    const parent = folder(key.slice(0, key.lastIndexOf('/')))
    parent.nodes = [...(parent.nodes ?? []), {key, value, modifiedIndex: 6, createdIndex: 6}]
  }
  return JSON.stringify({action: 'get', node: top})
}

/** Puts KEYS into the etcd at ENDPOINT by its v2 API. */
export async function fillV2(endpoint: string, keys: OldKeys, folders: readonly string[] = []): Promise<void> {
  const put = async (key: string, body: Record<string, string>): Promise<void> => {
    const answer = await fetch(`${endpoint}/v2/keys${encodeURI(key)}`, {method: 'PUT', body: new URLSearchParams(body)})
    if (!answer.ok) throw new Error(`PUT ${key}: ${answer.status} ${await answer.text()}`)
  }
  for (const folder of folders) await put(folder, {dir: 'true'})
  for (const [key, value] of Object.entries(keys)) await put(key, {value})
}
