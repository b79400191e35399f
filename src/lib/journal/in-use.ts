/** What undo must not do, since no command does it: delete what others use, refer to what is gone, put a pool over another one. */
import {append} from '../append.js'
import {findHolders, holderLines} from '../client/addresses-in-use.js'
import {BUILT_IN_TIERS} from '../client/cluster.js'
import {BLOCK_SIZES} from '../client/pools.js'
import {BUILT_IN} from '../client/profiles.js'
import {listResources, objectLabel, parseStored} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {Compare, Revision} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {blocksPrefixWithin} from '../ipam/block-keys.js'
import {accept} from '../model/accept.js'
import {affinitiesPrefix, kindPrefix, parseKey, resourceKey} from '../model/keys.js'
import {isKindName} from '../model/kinds.js'
import type {KindName, Resource} from '../model/resource.js'
import type {IPPool} from '../model/types.js'
import {type Cidr, containsCidr, equalNetworks, formatCidr, networkOf, parseCidr} from '../net/index.js'
import {labelOf, objectOf} from './objects.js'
import type {KeyChange} from './read.js'

/** Objects that an error names. */
const NAMED = 10

/** How objects of one kind are used by others: the commands that delete them, and those that make others use them, look at the same. */
interface References {
  readonly to: KindName
  readonly by: readonly KindName[]
  /** The names of what RESOURCE, of a kind of `by`, uses. */
  readonly named: (resource: Resource) => readonly string[]
  /** Names that need no object. */
  readonly builtIn: readonly string[]
  /** Whether the commands refuse to name an object that does not exist. */
  readonly mustExist: boolean
}

const POLICIES: readonly KindName[] = ['GlobalNetworkPolicy', 'NetworkPolicy', 'StagedGlobalNetworkPolicy', 'StagedNetworkPolicy']

const tierIn = ({tier}: {readonly tier?: string}): string => (tier === undefined || tier === '' ? 'default' : tier)

const REFERENCES: readonly References[] = [
  {to: 'Profile', by: ['WorkloadEndpoint', 'HostEndpoint'], named: ({spec}) => (spec as {profiles?: readonly string[]}).profiles ?? [], builtIn: [BUILT_IN], mustExist: true},
  {to: 'Tier', by: POLICIES, named: ({spec}) => [tierIn(spec)], builtIn: BUILT_IN_TIERS.map(({name}) => name), mustExist: true},
  {to: 'BGPFilter', by: ['BGPPeer'], named: ({spec}) => (spec as {filters?: readonly string[]}).filters ?? [], builtIn: [], mustExist: true},
  {to: 'Node', by: ['WorkloadEndpoint'], named: ({spec}) => [(spec as {node?: string}).node ?? ''], builtIn: [], mustExist: false},
]

/**
 * Refuses to revert CHANGES where no command would make the same change: what they have created and others use now; what would refer to a profile, a tier or a
 * filter that is gone; pools over others that were made meanwhile.
 * @returns the conditions under which that stays so, seen at REVISION
 * @throws CalicoError `refused`
 */
export async function refuseInUse(session: Session, changes: readonly KeyChange[], revision: Revision): Promise<Compare[]> {
  const created = changes.filter(({before}) => before === undefined)
  const guards: Compare[] = []
  for (const references of REFERENCES) append(guards, await refuseUsed(session, references, changes, created, revision))
  append(guards, await refuseNodesWithBlocks(session, created, revision))
  append(guards, await refuseDangling(session, changes))
  append(guards, await refuseAssignedPools(session, changes, created, revision))
  append(guards, await refuseOverlap(session, changes, revision))
  return distinct(guards)
}

const distinct = (guards: readonly Compare[]): Compare[] => [...new Map(guards.map((guard) => ['key' in guard ? guard.key : `${guard.prefix}*`, guard])).values()]

/** The names of the objects of KIND that CHANGES are of. */
function namesOf(kind: KindName, changes: readonly KeyChange[]): Map<string, KeyChange> {
  return new Map(changes.flatMap((change) => {
    const parsed = parseKey(change.key)
    return parsed?.type === 'resource' && parsed.kind === kind ? [[parsed.name, change]] : []
  }))
}

async function refuseUsed(session: Session, {to, by, named}: References, changes: readonly KeyChange[], created: readonly KeyChange[], revision: Revision): Promise<Compare[]> {
  const made = namesOf(to, created)
  if (made.size === 0) return []
  // A user of the same change is reverted with it.
  const own = new Set(changes.map(({key}) => key))
  const uses: string[] = []
  for (const user of by) {
    for await (const {kv, resource} of listResources(session, user)) {
      if (own.has(kv.key)) continue
      for (const name of new Set(named(resource))) {
        const change = made.get(name)
        if (change) uses.push(`${labelOf(change)} is used by ${wordOf(user)} ${objectOf(kv.key, kv.value)?.name ?? kv.key}`)
      }
    }
  }
  refuse(uses)
  return by.map((user) => ({prefix: kindPrefix(user), unchangedSince: revision}))
}

/** A kind in a sentence. */
const wordOf = (kind: KindName): string => (kind === 'HostEndpoint' ? 'host endpoint' : kind === 'WorkloadEndpoint' ? 'endpoint' : kind.toLowerCase())

/** Nodes that have got blocks of addresses: `node remove` gives these back, undo does not. */
async function refuseNodesWithBlocks(session: Session, created: readonly KeyChange[], revision: Revision): Promise<Compare[]> {
  const prefixes: string[] = []
  for (const [name, change] of namesOf('Node', created)) {
    const prefix = affinitiesPrefix(name)
    const {results: [blocks = []]} = await session.store.transact({then: [{list: prefix, keysOnly: true}]})
    refuse(blocks.length === 0 ? [] : [`${labelOf(change)} has ${blocks.length === 1 ? 'a block' : `${blocks.length} blocks`} of addresses`], undefined, `Remove it with its addresses: calicoctl node remove --hostname=${name}`)
    prefixes.push(prefix)
  }
  return prefixes.map((prefix) => ({prefix, unchangedSince: revision}))
}

/** What would refer to an object that is not there, and does not refer to it now. */
async function refuseDangling(session: Session, changes: readonly KeyChange[]): Promise<Compare[]> {
  const again = new Map(changes.map(({key, before}) => [key, before]))
  const dangling: string[] = []
  const guards = new Map<string, Compare>()
  for (const {to, by, named, builtIn} of REFERENCES.filter(({mustExist}) => mustExist)) {
    for (const {key: user, before, after, ...change} of changes) {
      const resource = readable(by, user, before)
      if (resource === undefined) continue
      const now = readable(by, user, after)
      const spared = new Set([...builtIn, ...(now ? named(now) : [])])
      for (const name of new Set(named(resource))) {
        const key = resourceKey(to, name)
        if (spared.has(name) || guards.has(key) || again.get(key) !== undefined) continue
        const {kv} = await session.store.get(key)
        if (kv === undefined || again.has(key)) dangling.push(`${labelOf({key: user, before, after, ...change})} refers to ${objectLabel(to, name)}`)
        else guards.set(key, {key, modRevision: kv.modRevision})
      }
    }
  }
  refuse(dangling, 'Objects that the change replaced or deleted refer to objects that no longer exist', 'Create those objects first, or change the objects that refer to them with their own commands.')
  return [...guards.values()]
}

/** VALUE as the object of one of KINDS that KEY is of. */
function readable(kinds: readonly KindName[], key: string, value: string | undefined): Resource | undefined {
  const parsed = parseKey(key)
  if (value === undefined || parsed?.type !== 'resource' || !isKindName(parsed.kind) || !kinds.includes(parsed.kind)) return undefined
  try {
    return parseStored(parsed.kind, {key, value, modRevision: 0n, createRevision: 0n, version: 0n}).resource
  } catch (error) {
    if (error instanceof CalicoError) return undefined
    throw error
  }
}

/** Pools that would be there again over others that have been made meanwhile, or over blocks of another size. */
async function refuseOverlap(session: Session, changes: readonly KeyChange[], revision: Revision): Promise<Compare[]> {
  const again = changes.flatMap(({before, after, key}) => (isSamePool(key, before, after) ? [] : poolIn(key, before)))
  if (again.length === 0) return []
  const own = new Set(changes.map(({key}) => key))
  const others: Resource[] = []
  for await (const {kv, resource} of listResources(session, 'IPPool')) if (!own.has(kv.key)) others.push(resource)
  const problems: string[] = []
  for (const {pool, network} of again) {
    const {results: [keys = []]} = await session.store.transact({then: [{list: blocksPrefixWithin(network), keysOnly: true}]})
    const blocks = keys.flatMap(({key}) => {
      const parsed = parseKey(key)
      return parsed?.type === 'block' ? [parsed.cidr] : []
    })
    // What is wrong with it by itself was wrong before.
    const alone = new Set(messagesOf(pool, {}))
    append(problems, messagesOf(pool, {others, blocks}).filter((message) => !alone.has(message)).map((message) => `${objectLabel('IPPool', formatCidr(network))} ${message}`))
  }
  refuse(problems, 'Pools that the change deleted cannot be created again', 'To see the pools: calicoctl pool show. To remove one: calicoctl pool remove CIDR')
  return [{prefix: kindPrefix('IPPool'), unchangedSince: revision}]
}

const messagesOf = (pool: IPPool, around: {others?: readonly Resource[]; blocks?: readonly string[]}): string[] => accept('IPPool', pool, {operation: 'create', ...around}).problems.map(({message}) => message)

/** Whether BEFORE and AFTER, values of KEY, are pools for the same blocks. */
function isSamePool(key: string, before: string | undefined, after: string | undefined): boolean {
  const [old] = poolIn(key, before)
  const [now] = poolIn(key, after)
  return old !== undefined && now !== undefined && equalNetworks(old.network, now.network) && old.blockSize === now.blockSize
}

async function refuseAssignedPools(session: Session, changes: readonly KeyChange[], created: readonly KeyChange[], revision: Revision): Promise<Compare[]> {
  const made = [...created, ...changes.filter(({key, before, after}) => before !== undefined && !isSamePool(key, before, after))].flatMap(({key, after}) => poolIn(key, after))
  // What a pool of before will hold again is no loss: a pool that was split is whole again.
  const restored = changes.flatMap(({key, before}) => poolIn(key, before))
  const networks = made.filter((pool) => !restored.some(({network, blockSize}) => blockSize === pool.blockSize && containsCidr(network, pool.network))).map(({network}) => network)
  if (networks.length === 0) return []
  const holders = await findHolders(session, networks)
  if (holders.count > 0) refuse(await holderLines(session, holders), `Addresses of pools that the change created are in use (${holders.count})`)
  return networks.map((network: Cidr) => ({prefix: blocksPrefixWithin(network), unchangedSince: revision}))
}

interface PoolOfChange {
  readonly pool: IPPool
  readonly network: Cidr
  readonly blockSize: number
}

/** The pool that VALUE is at KEY; none where it is no pool. */
function poolIn(key: string, value: string | undefined): PoolOfChange[] {
  const pool = readable(['IPPool'], key, value) as IPPool | undefined
  const cidr = pool === undefined ? undefined : parseCidr(pool.spec.cidr)
  return pool && cidr ? [{pool, network: networkOf(cidr), blockSize: pool.spec.blockSize ?? BLOCK_SIZES[cidr.family]}] : []
}

function refuse(uses: readonly string[], what = 'Objects that the change created are in use', hint = 'Remove the objects that use it first, or delete it with its own command.'): void {
  if (uses.length === 0) return
  const more = uses.length - NAMED
  throw new CalicoError('refused', `${what}; nothing was changed`, {
    details: [...uses.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])],
    hint,
  })
}
