/**
 * Addresses that the Docker driver assigned and no endpoint has: Docker or the driver was killed between two calls. Which of them are old enough
 * to be released is the reconciler's to say.
 */
import {append} from '../append.js'
import {keyOf} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {listPages} from '../client/snapshot.js'
import type {KeyValue} from '../datastore/datastore.js'
import {isError} from '../errors.js'
import {assignedIn, type Block, handleOf, parseBlock} from '../ipam/block.js'
import {blocksOf} from '../ipam/by-handle.js'
import {BLOCK, HANDLE} from '../ipam/codecs.js'
import type {Draft} from '../ipam/draft.js'
import {DRIVER_HANDLES, driverHandleOf, parseDriverHandle, requestedAt} from '../ipam/driver-handles.js'
import {parseHandle} from '../ipam/handle.js'
import {lookedAlready} from '../ipam/held.js'
import {POOLS_PREFIX} from '../ipam/lists.js'
import {submit} from '../ipam/queue.js'
import {releaseOn} from '../ipam/release-addresses.js'
import {blockKey, handleKey, HANDLES_PREFIX} from '../model/keys.js'
import type {WorkloadEndpoint} from '../model/types.js'
import type {Address} from '../net/index.js'
import {endpointCodec, endpointPlace, hasAddress, listEndpointsOf} from './endpoints.js'

export interface Orphan {
  readonly handle: string
  readonly addresses: readonly Address[]
  /** When Docker asked for it; undefined for what an endpoint had, of which it is not known when that went. */
  readonly since: Date | undefined
}

/** By node, the handles of endpoints of other nodes, which they are for ever: there are as many as there are containers in the cluster. */
const foreign = new WeakMap<Session, Map<string, ReadonlySet<string>>>()

/** Keys of one read. */
const KEYS_PER_READ = 100

/** The addresses without endpoint that the driver of NODE assigned, by handle. */
export async function findOrphans(session: Session, node: string): Promise<Orphan[]> {
  // Handles first: an endpoint that is made meanwhile comes with its handle.
  const handles = await handlesFor(session, node)
  const endpoints = await endpointsById(session, node)
  const foreignTo = foreign.get(session) ?? new Map<string, ReadonlySet<string>>()
  foreign.set(session, foreignTo)
  const known = foreignTo.get(node) ?? new Set()
  const candidates = handles.filter((handle) => !known.has(handle))
  const blocks = await blocksOfHandles(session, candidates)
  const {orphans, others} = sortOut(new Set(candidates), blocks, node, endpoints)
  foreignTo.set(node, new Set([...handles.filter((handle) => known.has(handle)), ...others]))
  return orphans
}

/** The driver's handles, those of pending addresses of other nodes left out. */
async function handlesFor(session: Session, node: string): Promise<string[]> {
  const handles: string[] = []
  for await (const {entries} of listPages(session, HANDLES_PREFIX + DRIVER_HANDLES, {keysOnly: true})) {
    for (const {key} of entries) {
      const handle = key.slice(HANDLES_PREFIX.length)
      const parsed = parseDriverHandle(handle)
      if (parsed?.type === 'endpoint' || parsed?.node === node) handles.push(handle)
    }
  }
  return handles
}

/** The endpoints of NODE by Docker's id. */
async function endpointsById(session: Session, node: string): Promise<Map<string, WorkloadEndpoint>> {
  const endpoints = new Map<string, WorkloadEndpoint>()
  for await (const {id, stored} of listEndpointsOf(session, node)) endpoints.set(id, stored.resource)
  return endpoints
}

/** The blocks that HANDLES name. What cannot be read is reported and skipped. */
async function blocksOfHandles(session: Session, handles: readonly string[]): Promise<Block[]> {
  const stored = await readAll(session, handles.map(handleKey))
  const keys = stored.flatMap((kv) => tryRead(session, () => blocksOf(parseHandle(kv)))?.map((cidr) => blockKey(cidr)) ?? [])
  return (await readAll(session, [...new Set(keys)])).flatMap((kv) => tryRead(session, () => parseBlock(kv)) ?? [])
}

async function readAll(session: Session, keys: readonly string[]): Promise<KeyValue[]> {
  const found: KeyValue[] = []
  for (let start = 0; start < keys.length; start += KEYS_PER_READ) {
    const {results} = await session.store.transact({then: keys.slice(start, start + KEYS_PER_READ).map((get) => ({get}))})
    append(found, results.flat())
  }
  return found
}

function tryRead<T>(session: Session, parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (!isError(error, 'invalid')) throw error
    session.warn(`${error.message}. It was not changed.`)
    return undefined
  }
}

/** Which of HANDLES are orphans of NODE, and which are other nodes', by what BLOCKS say. */
function sortOut(handles: ReadonlySet<string>, blocks: readonly Block[], node: string, endpoints: ReadonlyMap<string, WorkloadEndpoint>): {orphans: Orphan[]; others: string[]} {
  const orphans = new Map<string, {handle: string; addresses: Address[]; since: Date | undefined}>()
  const own = new Set<string>()
  const all = new Set<string>()
  for (const block of blocks) {
    for (const {address, attribute} of assignedIn(block)) {
      const handle = handleOf(attribute)
      if (handle === undefined || !handles.has(handle)) continue
      all.add(handle)
      const owner = driverHandleOf(attribute, node)
      if (!owner) continue
      own.add(handle)
      if (owner.type === 'endpoint' && hasAddress(endpoints.get(owner.endpointId), address)) continue
      const orphan = orphans.get(handle)
      if (orphan) orphan.addresses.push(address)
      else orphans.set(handle, {handle, addresses: [address], since: requestedAt(attribute)})
    }
  }
  return {orphans: [...handles].flatMap((handle) => orphans.get(handle) ?? []), others: [...all].filter((handle) => !own.has(handle))}
}

/**
 * Gives back the addresses of HANDLE, if the driver of NODE assigned them and, at that moment, there is no endpoint that has them.
 * @returns those that were released
 */
export function releaseOrphan(session: Session, node: string, handle: string): Promise<readonly Address[]> {
  const parsed = parseDriverHandle(handle)
  const endpoint = parsed?.type === 'endpoint' ? keyOf(endpointPlace(node, parsed.endpointId)) : undefined
  return submit<readonly Address[]>(session, {
    what: `the release of the addresses of ${handle}`,
    reads: () => [{list: POOLS_PREFIX}, {get: handleKey(handle)}, ...(endpoint === undefined ? [] : [{get: endpoint}])],
    async plan(draft) {
      const stored = endpoint === undefined ? undefined : await draft.get(endpointCodec(session), endpoint)
      if (endpoint !== undefined) draft.restOn(endpoint)
      const addresses = (await driverAddresses(draft, node, handle)).filter((address) => !hasAddress(stored, address))
      return {outcome: (await releaseOn(draft, addresses.map((address) => ({address, handle})), lookedAlready)).released}
    },
  })
}

/** The addresses of HANDLE that the driver of NODE assigned, as they are now. */
async function driverAddresses(draft: Draft, node: string, handle: string): Promise<Address[]> {
  const stored = await draft.get(HANDLE, handleKey(handle))
  const keys = stored ? blocksOf(stored).map((cidr) => blockKey(cidr)) : []
  await draft.load(keys)
  await draft.verify(keys)
  const blocks = await Promise.all(keys.map((key) => draft.get(BLOCK, key)))
  return blocks.flatMap((block) => (block ? [...assignedIn(block)].filter(({attribute}) => handleOf(attribute) === handle && driverHandleOf(attribute, node)).map(({address}) => address) : []))
}
