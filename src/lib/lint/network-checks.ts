/** Nodes, pools, BGP and tiers: what refers to nothing, and what is there twice. Pure. */
import {evaluate, tryParseSelector} from '../model/selector/index.js'
import {type Cidr, compareCidrs, formatAddress, formatCidr, networkOf, overlaps, parseAddress, parseCidr, parseCidrOrAddress} from '../net/index.js'
import {type Finding, finding} from './finding.js'
import {deleteCommand, editCommand, shellWord} from './mend.js'
import {endpointCommand} from './object-checks.js'
import {policiesOf, specOf} from './rule-checks.js'
import type {Readable, World} from './world.js'

const BUILT_IN_TIERS = ['default', 'kube-admin', 'kube-baseline', 'adminnetworkpolicy', 'baselineadminnetworkpolicy']
const NEEDED_TIERS = ['default', 'kube-admin', 'kube-baseline']

interface NetworkOptions {
  /** Whether the store has been initialised, which makes the built-in tiers. */
  readonly initialised: boolean
  /** The names of all nodes and tiers that are stored, readable or not. */
  readonly nodeNames: ReadonlySet<string>
  readonly tierNames: ReadonlySet<string>
  readonly filterNames: ReadonlySet<string>
  readonly tierPrefix: string
}

export function networkFindings(world: World, options: NetworkOptions): Finding[] {
  return [...missingNodes(world, options.nodeNames), ...missingTiers(world, options), ...overlappingPools(world), ...nodeTwins(world), ...peers(world, options)]
}

/** Objects of nodes that are not there. A store without any Node is one in which no one keeps them. */
function missingNodes({endpoints, of}: World, nodes: ReadonlySet<string>): Finding[] {
  if (nodes.size === 0) return []
  const found: Finding[] = []
  for (const {object, node} of endpoints) {
    if (nodes.has(node) || /[A-Z]/.test(node)) continue
    if (object.kind === 'WorkloadEndpoint') found.push(finding('endpoint-node-missing', object, 'metadata.name', `begins with the node ${node}, which does not exist: no Felix programs the endpoint, so it has no connectivity`, endpointCommand(object)))
    else found.push(finding('node-missing', object, 'spec.node', `is ${node}, which does not exist: the host endpoint has no effect`, deleteCommand(object)))
  }
  for (const object of of('BGPPeer')) {
    const {node} = object.resource.spec
    if (node !== undefined && !nodes.has(node)) found.push(finding('node-missing', object, 'spec.node', `is ${node}, which does not exist: no session is established`, deleteCommand(object)))
  }
  return found
}

function missingTiers(world: World, {initialised, tierNames, tierPrefix}: NetworkOptions): Finding[] {
  const found: Finding[] = []
  for (const policy of policiesOf(world)) {
    const {tier = 'default'} = specOf(policy)
    if (tierNames.has(tier) || BUILT_IN_TIERS.includes(tier)) continue
    found.push(finding('tier-missing', policy, 'spec.tier', `is ${tier}, which does not exist: the policy is enforced after all other tiers, and traffic that it does not decide is dropped`, `calicoctl create -f a file with the tier ${tier}`))
  }
  if (initialised) {
    for (const tier of NEEDED_TIERS) {
      if (!tierNames.has(tier)) found.push(finding('built-in-tier-missing', {key: `${tierPrefix}${tier}`, kind: 'Tier', name: tier}, '', 'does not exist; Felix behaves as if it did', 'start calico/node, which creates it'))
    }
  }
  return found
}

function overlappingPools({of}: World): Finding[] {
  const pools = of('IPPool').flatMap((object) => {
    const cidr = parseCidr(object.resource.spec.cidr)
    return cidr ? [{object, cidr: networkOf(cidr)}] : []
  })
  pools.sort((a, b) => compareCidrs(a.cidr, b.cidr))
  const found: Finding[] = []
  let outer: (typeof pools)[number] | undefined
  for (const pool of pools) {
    if (outer && overlaps(outer.cidr, pool.cidr)) {
      found.push(finding('pools-overlap', pool.object, 'spec.cidr', `is ${formatCidr(pool.cidr)}, which overlaps the pool ${outer.object.name} (${formatCidr(outer.cidr)}): it is undefined which pool's settings apply`, `calicoctl pool remove ${formatCidr(pool.cidr)}`))
    } else outer = pool
  }
  return found
}

/** The address of NODE's BGP by which others know it. */
function addressesOf({resource}: Readable<'Node'>): {field: string; address: string; cidr: Cidr}[] {
  const {ipv4Address, ipv6Address} = resource.spec.bgp ?? {}
  return [['spec.bgp.ipv4Address', ipv4Address], ['spec.bgp.ipv6Address', ipv6Address]].flatMap(([field = '', text]) => {
    const cidr = text === undefined ? undefined : parseCidrOrAddress(text)
    return cidr ? [{field, address: formatAddress(cidr), cidr}] : []
  })
}

function nodeTwins({of}: World): Finding[] {
  const owners = new Map<string, string>()
  return of('Node').flatMap((object) =>
    addressesOf(object).flatMap(({field, address}) => {
      const other = owners.get(address)
      if (other === undefined) owners.set(address, object.name)
      return other === undefined || other === object.name ? [] : [finding('node-address-twice', object, field, `is ${address}, the same as the node ${other}: BGP and tunnels reach only one of them`, `on ${shellWord(object.name)}: calicoctl node --ip=ADDRESS`)]
    }),
  )
}

function peers({of}: World, {nodeNames, filterNames}: NetworkOptions): Finding[] {
  const nodes = of('Node')
  const addresses = new Map(nodes.map((node) => [node.name, addressesOf(node).map(({address}) => address)]))
  const selectsNone = (text: string | undefined): boolean => {
    const selector = text === undefined || text === '' ? undefined : tryParseSelector(text).selector
    return selector !== undefined && nodeNames.size > 0 && !nodes.some(({resource}) => evaluate(selector, resource.metadata.labels ?? {}))
  }
  return of('BGPPeer').flatMap((object) => {
    const {node, nodeSelector, peerSelector, peerIP, filters = []} = object.resource.spec
    const found: Finding[] = []
    const nobody = (field: string, message: string): number => found.push(finding('bgp-peer-nobody', object, field, message, deleteCommand(object)))
    if (selectsNone(nodeSelector)) nobody('spec.nodeSelector', `selects no node (${nodeSelector ?? ''}): no session is established`)
    if (selectsNone(peerSelector)) nobody('spec.peerSelector', `selects no node (${peerSelector ?? ''}): no session is established`)
    const address = peerAddress(peerIP)
    if (node !== undefined && address !== undefined && addresses.get(node)?.includes(address)) nobody('spec.peerIP', `is ${address}, the address of the node ${node} itself: no session is established`)
    filters.forEach((name, index) => {
      if (!filterNames.has(name)) found.push(finding('bgp-filter-missing', object, `spec.filters[${index}]`, `names the BGP filter ${name}, which does not exist: routes are not filtered`, editCommand(object)))
    })
    return found
  })
}

/** The address in a peerIP: `ip`, `v4:port` or `[v6]:port`. */
function peerAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const plain = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? (text.split(':').length === 2 ? text.split(':')[0] : text)
  const address = plain === undefined ? undefined : parseAddress(plain)
  return address && formatAddress(address)
}
