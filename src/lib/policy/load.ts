/**
 * Reads a store's key-value pairs, or decoded objects, as Felix does (policy-evaluation §2–§5): what it cannot read is absent and noted. What a question
 * does not touch is not read: profiles are compiled when they are first asked for.
 */
import {type Cidr, formatCidr} from '../net/index.js'
import {AddressBook} from './address-book.js'
import {Expressions} from './expression.js'
import {applying, inOrder} from './load/applying.js'
import {loadConfigurations, loadPools, whyHalted} from './load/cluster.js'
import {loadHostEndpoints, loadWorkloads} from './load/endpoints.js'
import {EffectiveLabels} from './load/labels.js'
import {loadNodes, nodeLabels} from './load/nodes.js'
import {loadPolicies, loadTiers} from './load/policies.js'
import {Profiles} from './load/profiles.js'
import {addSets} from './load/sets.js'
import {type Entry, StoredObjects} from './load/stored.js'
import {settingsOf} from './settings.js'
import type {Policy, Profile, World} from './world.js'

export {type Entry, POLICY_KINDS} from './load/stored.js'

/** The world that ENTRIES make; keys of other kinds are skipped. */
export function loadWorld(entries: Iterable<Entry>): World {
  const stored = new StoredObjects(entries)
  const configurations = loadConfigurations(stored)
  const settings = remembered((node) => settingsOf(configurations, node, nodeLabels(stored, node)))
  const expressions = new Expressions()
  const labels = new EffectiveLabels(stored)
  const workloads = loadWorkloads({stored, labels, settings})
  const hostEndpoints = loadHostEndpoints({stored, labels, settings})
  const nodes = loadNodes(stored, hostEndpoints)
  const book = new AddressBook()
  for (const endpoint of [...workloads.values(), ...hostEndpoints]) book.addEndpoint(endpoint)
  book.addNodes([...nodes.values()])
  addSets(stored, labels, book)
  const policies = loadPolicies(stored, expressions)
  const tier = loadTiers(stored)
  const ordered = inOrder(policies, tier)
  const profiles = new Profiles(stored, expressions)
  const halted = whyHalted(stored)
  let networks: readonly Cidr[] | undefined
  return {
    workloads,
    hostEndpoints,
    nodes,
    policies: ordered.flatMap(({policies: inTier}) => inTier),
    problems: stored.problems,
    profile: (name) => profiles.get(name),
    profileStops: (name) => profiles.stops(name),
    profileNames: stored.of('Profile').map(({name}) => name),
    tier,
    settings,
    claims: (address) => book.claims(address),
    workloadsAt: (address) => book.workloadsAt(address),
    nodeAt: (address) => book.nodeAt(address),
    applying: applying(ordered),
    networks: () => (networks ??= unique([...networksOfRules([...policies, ...profiles.withNetworks()]), ...book.setNetworks()])),
    pools: loadPools(stored),
    ...(halted === undefined ? {} : {halted}),
  }
}

/** The networks that the rules of POLICIES and profiles name. */
function networksOfRules(policies: readonly Pick<Policy | Profile, 'ingress' | 'egress'>[]): Cidr[] {
  const rules = policies.flatMap(({ingress, egress}) => [...ingress, ...egress])
  const lists = rules.flatMap(({source, destination}) => [source.nets, source.notNets, destination.nets, destination.notNets])
  return lists.flatMap((nets) => (nets ? [...nets[4], ...nets[6]] : []))
}

const unique = (networks: readonly Cidr[]): Cidr[] => [...new Map(networks.map((cidr) => [formatCidr(cidr), cidr])).values()]

function remembered<T>(compute: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>()
  return (name) => {
    let value = known.get(name)
    if (value === undefined) {
      value = compute(name)
      known.set(name, value)
    }
    return value
  }
}
