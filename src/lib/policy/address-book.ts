/** Whose an address is: the endpoints and nodes that have it, and everything that selectors find it by (policy-evaluation §6.3). */
import {type Address, ADDRESS_BITS, type Cidr, type Family} from '../net/index.js'
import type {Claim, Endpoint, NodeInfo, Workload} from './world.js'

const addressKey = ({family, value}: Address): string => `${family} ${value}`

export class AddressBook {
  private readonly owners = new Map<string, Set<Claim>>()
  private readonly workloads = new Map<string, Workload[]>()
  private readonly nodes = new Map<string, NodeInfo>()
  /** Networks of sets: by family, by prefix length, by network. */
  private readonly nets = {4: new Map<number, Map<bigint, Set<Claim>>>(), 6: new Map<number, Map<bigint, Set<Claim>>>()}
  private readonly known = new Map<string, readonly Claim[]>()

  addEndpoint(endpoint: Endpoint): void {
    for (const address of endpoint.addresses) {
      const key = addressKey(address)
      entry(this.owners, key, () => new Set<Claim>()).add(endpoint.claim)
      if (endpoint.kind === 'WorkloadEndpoint') entry(this.workloads, key, () => []).push(endpoint)
    }
  }

  /** What host endpoints say of an address counts less than what any Node says of it. */
  addNodes(nodes: readonly NodeInfo[]): void {
    const add = (node: NodeInfo, addresses: readonly Address[]): void => {
      for (const address of addresses) if (!this.nodes.has(addressKey(address))) this.nodes.set(addressKey(address), node)
    }
    for (const node of nodes) add(node, [...Object.values(node.addresses), ...node.interfaces.flatMap(({addresses}) => addresses)])
    for (const node of nodes) add(node, node.more)
  }

  addSet(nets: readonly Cidr[], claim: Claim): void {
    for (const {family, prefix, value} of nets) {
      entry(entry(this.nets[family], prefix, () => new Map<bigint, Set<Claim>>()), value, () => new Set<Claim>()).add(claim)
    }
  }

  workloadsAt(address: Address): readonly Workload[] {
    return this.workloads.get(addressKey(address)) ?? []
  }

  nodeAt(address: Address): NodeInfo | undefined {
    return this.nodes.get(addressKey(address))
  }

  claims(address: Address): readonly Claim[] {
    const key = addressKey(address)
    let claims = this.known.get(key)
    if (claims === undefined) {
      const all = new Set(this.owners.get(key))
      for (const [prefix, nets] of this.nets[address.family]) {
        const shift = BigInt(ADDRESS_BITS[address.family] - prefix)
        for (const claim of nets.get((address.value >> shift) << shift) ?? []) all.add(claim)
      }
      claims = [...all]
      this.known.set(key, claims)
    }
    return claims
  }

  /** Every network of a set. */
  setNetworks(): Cidr[] {
    return ([4, 6] as const satisfies readonly Family[]).flatMap((family) =>
      [...this.nets[family]].flatMap(([prefix, nets]) => [...nets.keys()].map((value) => ({family, prefix, value}))),
    )
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
