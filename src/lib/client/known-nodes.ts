/** Of which nodes the store has anything: a Node, settings, BGP peers, host endpoints, endpoints, blocks. */
import {affinitiesPrefix, BLOCKS_PREFIX, IPAM_PREFIX, kindPrefix, parseKey, resourceKey} from '../model/keys.js'
import type {BGPPeer, HostEndpoint} from '../model/types.js'
import {parseWorkloadEndpointName} from '../model/workload-endpoint-name.js'
import {listResources, read} from './resources.js'
import type {Session} from './session.js'
import {listPages} from './snapshot.js'

/** Kinds whose object of a node is called `node.NAME`. */
const SETTINGS = ['FelixConfiguration', 'BGPConfiguration'] as const

/** Before the node's name in the names of its settings. */
const OF_NODE = 'node.'

/**
 * The names of the nodes of which the store has anything, as stored; one look at most at each of its objects.
 * @param enough ends the search once it is true of a name
 */
export async function knownNodes(session: Session, enough: (name: string) => boolean = () => false): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const source of SOURCES) {
    for await (const name of source(session)) {
      if (name === undefined || name === '') continue
      names.add(name)
      if (enough(name)) return names
    }
  }
  return names
}

/** Whether the store has anything of node NAME. */
export async function isKnownNode(session: Session, name: string): Promise<boolean> {
  // What most nodes have costs one look.
  const {results} = await read(session, [
    {get: resourceKey('Node', name)},
    ...SETTINGS.map((kind) => ({get: resourceKey(kind, OF_NODE + name)})),
    {list: affinitiesPrefix(name), keysOnly: true},
  ])
  if (results.some((found) => found.length > 0)) return true
  return (await knownNodes(session, (each) => each === name)).has(name)
}

type Source = (session: Session) => AsyncGenerator<string | undefined>

async function* keysUnder(session: Session, prefix: string): AsyncGenerator<string> {
  for await (const {entries} of listPages(session, prefix, {keysOnly: true})) for (const {key} of entries) yield key
}

/** Where names of nodes are found, the cheap ones first. */
const SOURCES: readonly Source[] = [
  async function* nodes(session) {
    for await (const key of keysUnder(session, kindPrefix('Node'))) yield nameIn(key)
  },
  async function* settings(session) {
    for (const kind of SETTINGS) for await (const key of keysUnder(session, kindPrefix(kind) + OF_NODE)) yield nameIn(key)?.slice(OF_NODE.length)
  },
  async function* affinities(session) {
    for await (const key of keysUnder(session, `${IPAM_PREFIX}host/`)) {
      const parsed = parseKey(key)
      if (parsed?.type === 'affinity') yield parsed.host
    }
  },
  async function* peers(session) {
    for await (const {resource} of listResources<BGPPeer>(session, 'BGPPeer')) yield resource.spec.node
  },
  async function* hostEndpoints(session) {
    for await (const {resource} of listResources<HostEndpoint>(session, 'HostEndpoint')) yield resource.spec.node
  },
  async function* endpoints(session) {
    for await (const key of keysUnder(session, kindPrefix('WorkloadEndpoint'))) yield parseWorkloadEndpointName(nameIn(key) ?? '')?.node
  },
  // Blocks whose affinity is missing.
  async function* blocks(session) {
    for await (const {entries} of listPages(session, BLOCKS_PREFIX)) {
      for (const {value} of entries) yield /"affinity":\s*"host:([^"\\]+)"/.exec(value)?.[1]
    }
  },
]

function nameIn(key: string): string | undefined {
  const parsed = parseKey(key)
  return parsed?.type === 'resource' ? parsed.name : undefined
}
