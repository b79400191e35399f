/**
 * Which addresses stored endpoints have: nothing releases an address under an endpoint that stays. The endpoints are listed once for a session; later
 * only those are read that have changed. A transaction that releases something holds only if no endpoint was made or changed since that look.
 */
import {disconnectText} from '../client/endpoint-workload.js'
import {endpointAddresses, endpointLabel, endpointOf} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import {listPages} from '../client/snapshot.js'
import type {KeyValue, Revision} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {kindPrefix} from '../model/keys.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {type Address, formatAddress, parseCidrOrAddress} from '../net/index.js'
import {endpointCodec} from './codecs.js'
import {type Draft, newDraft} from './draft.js'
import {emptyMemory} from './memory.js'

/** An address that a stored endpoint has. */
export interface Held {
  readonly address: Address
  /** The endpoint, for messages. */
  readonly by: string
  /** How it is removed on its host, if that is known. */
  readonly disconnect?: string | undefined
}

/** Finds those of ADDRESSES that endpoints have which DRAFT neither removes nor takes the address from. */
export type Look = (draft: Draft, addresses: readonly Address[]) => Promise<readonly Held[]>

/** For callers that have examined the endpoints in question themselves, and say so in the conditions of their transaction. */
export const lookedAlready: Look = () => Promise.resolve([])

/** Looks at the endpoints KEYS only. */
export const lookAmong = (keys: readonly string[]): Look => (draft, addresses) => confirm(draft, addresses, keys)

const PREFIX = kindPrefix('WorkloadEndpoint')

/** Looks at every stored endpoint. */
export const lookEverywhere: Look = async (draft, addresses) => {
  if (addresses.length === 0) return []
  const index = await indexFor(draft)
  draft.restOnPrefix(PREFIX, index.revision)
  const keys = new Set<string>()
  for (const address of addresses) for (const key of index.byAddress.get(formatAddress(address)) ?? []) keys.add(key)
  const unreadable = [...index.unreadable].flatMap(([key, text]) => addresses.filter((address) => text.includes(formatAddress(address))).map((address) => ({address, by: `the endpoint with the key ${key}, which cannot be read,`})))
  return [...(await confirm(draft, addresses, [...keys])), ...unreadable]
}

/** Those of ADDRESSES that the endpoints KEYS have as they are now, with the changes of DRAFT. */
async function confirm(draft: Draft, addresses: readonly Address[], keys: readonly string[]): Promise<Held[]> {
  await draft.load(keys)
  await draft.verify(keys)
  const codec = endpointCodec(draft.session)
  const held: Held[] = []
  const wanted = new Map(keys.length === 0 ? [] : addresses.map((address) => [formatAddress(address), address]))
  for (const key of keys) {
    const resource = await draft.get(codec, key)
    for (const own of resource ? endpointAddresses(resource) : []) {
      const address = wanted.get(formatAddress(own))
      if (resource && address) held.push({address, ...ownerOf(draft.session, key, resource)})
    }
  }
  return held
}

function ownerOf(session: Session, key: string, resource: WorkloadEndpoint): Pick<Held, 'by' | 'disconnect'> {
  const endpoint = endpointOf(session, {kv: {key, value: '', modRevision: 0n, createRevision: 0n, version: 0n}, resource})
  const command = disconnectText(endpoint)
  return {by: endpointLabel(endpoint), ...(command === undefined ? {} : {disconnect: `on ${endpoint.host}: ${command}`})}
}

/** Those of ADDRESSES that stored endpoints have now, for a decision that is not itself a release. */
export async function heldAddresses(session: Session, addresses: readonly Address[]): Promise<readonly Address[]> {
  return addresses.length === 0 ? [] : (await lookEverywhere(newDraft(session, emptyMemory(), []), addresses)).map(({address}) => address)
}

/** @throws CalicoError `refused` if stored endpoints have some of ADDRESSES */
export async function refuseHeld(session: Session, addresses: readonly Address[]): Promise<void> {
  const held = await lookEverywhere(newDraft(session, emptyMemory(), []), addresses)
  if (held.length > 0) throw heldError(held)
}

/** How many addresses an error names. */
const MAX_NAMED = 20

/** The refusal to release HELD. */
export function heldError(held: readonly Held[]): CalicoError {
  const [first, ...more] = held
  if (first === undefined) throw new TypeError('nothing is held')
  const lines = held.slice(0, MAX_NAMED).map(({address, by}) => `${formatAddress(address)}: ${by}`)
  const count = new Set(held.map(({address}) => formatAddress(address))).size
  const users = more.length === 0 ? `${first.by} uses it` : `${held.length} endpoints use it`
  return new CalicoError('refused', count === 1 ? `${formatAddress(first.address)} was not released: ${users}` : `${count} of the addresses are used by endpoints; nothing was released`, {
    details: more.length === 0 ? [] : [...lines, ...(held.length > lines.length ? [`and ${held.length - lines.length} more`] : [])],
    hint: `${removalHint(held)} With --force they are released anyway; the endpoint keeps using them, although they can be assigned to others.`,
    override: '--force',
  })
}

/** How the endpoints that have HELD are removed. `endpoint remove` refuses one that is connected. */
function removalHint([first, ...more]: readonly Held[]): string {
  if (more.length > 0) return 'Remove the endpoints, with their addresses, on their hosts: calicoctl container remove CONTAINER. If a host no longer exists: calicoctl endpoint remove ADDRESS.'
  const leftOver = `calicoctl endpoint remove ${first === undefined ? 'ADDRESS' : formatAddress(first.address)}`
  return first?.disconnect === undefined ? `Remove the endpoint, with its addresses: ${leftOver}.` : `Remove the endpoint, with its addresses, ${first.disconnect}. If that host no longer exists: ${leftOver}.`
}

/** Every endpoint's addresses, as of a revision. Endpoints that were deleted since may still be here. */
interface Index {
  revision: Revision
  /** The keys of the endpoints that have an address, by its text. */
  readonly byAddress: Map<string, Set<string>>
  /** By key of the endpoint. */
  readonly known: Map<string, {readonly modRevision: Revision; readonly addresses: readonly string[]}>
  /** Values that are no endpoint's, by key. */
  readonly unreadable: Map<string, string>
}

const indexes = new WeakMap<Session, Promise<Index>>()
const ofDraft = new WeakMap<Draft, Promise<Index>>()

/** One look for all releases of a draft. */
function indexFor(draft: Draft): Promise<Index> {
  let index = ofDraft.get(draft)
  if (!index) ofDraft.set(draft, (index = refreshed(draft.session)))
  return index
}

/** The index of SESSION, with all that was made or changed until now. */
function refreshed(session: Session): Promise<Index> {
  const before = indexes.get(session)
  const index = before ? before.then((known) => refresh(session, known)) : readAll(session)
  indexes.set(session, index)
  index.catch(() => indexes.delete(session))
  return index
}

async function readAll(session: Session): Promise<Index> {
  const index: Index = {revision: 0n, byAddress: new Map(), known: new Map(), unreadable: new Map()}
  for await (const {revision, entries} of listPages(session, PREFIX)) {
    // Of the first page: should the list go on at a newer revision, what changed in between is seen by the condition.
    if (index.revision === 0n) index.revision = revision
    for (const kv of entries) put(index, kv)
  }
  return index
}

async function refresh(session: Session, index: Index): Promise<Index> {
  const {succeeded, revision} = await session.store.transact({if: [{prefix: PREFIX, unchangedSince: index.revision}], then: [{get: PREFIX}], else: [{get: PREFIX}]})
  if (succeeded) {
    index.revision = revision
    return index
  }
  const changed: string[] = []
  const there = new Set<string>()
  let at = 0n
  for await (const page of listPages(session, PREFIX, {keysOnly: true})) {
    if (at === 0n) at = page.revision
    for (const {key, modRevision} of page.entries) {
      there.add(key)
      if (index.known.get(key)?.modRevision !== modRevision) changed.push(key)
    }
  }
  for (const key of [...index.known.keys()]) if (!there.has(key)) drop(index, key)
  for (let start = 0; start < changed.length; start += KEYS_PER_READ) {
    const {results} = await session.store.transact({then: changed.slice(start, start + KEYS_PER_READ).map((get) => ({get}))})
    for (const kv of results.flat()) put(index, kv)
  }
  index.revision = at
  return index
}

const KEYS_PER_READ = 100

function put(index: Index, kv: KeyValue): void {
  drop(index, kv.key)
  const addresses = addressesIn(kv)
  if (addresses === undefined) index.unreadable.set(kv.key, kv.value)
  index.known.set(kv.key, {modRevision: kv.modRevision, addresses: addresses ?? []})
  for (const text of addresses ?? []) {
    const keys = index.byAddress.get(text)
    if (keys) keys.add(kv.key)
    else index.byAddress.set(text, new Set([kv.key]))
  }
}

function drop(index: Index, key: string): void {
  // A set that becomes empty stays: its address is used again.
  for (const text of index.known.get(key)?.addresses ?? []) index.byAddress.get(text)?.delete(key)
  index.known.delete(key)
  index.unreadable.delete(key)
}

/** The addresses of the endpoint in KV; undefined where its value cannot be read. Without all the checks of an object that is to be edited. */
function addressesIn({value}: KeyValue): string[] | undefined {
  try {
    const {spec} = JSON.parse(value) as {spec?: {ipNetworks?: unknown} | null}
    const networks = spec?.ipNetworks ?? []
    if (!Array.isArray(networks)) return undefined
    return networks.flatMap((network) => addressText(network) ?? [])
  } catch {
    return undefined
  }
}

/** The address of NETWORK, `a.b.c.d/32` or without a length, in its usual spelling; that is not taken apart. */
export function addressText(network: unknown): string | undefined {
  if (typeof network !== 'string') return undefined
  if (/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}\/32$/.test(network)) return network.slice(0, -3)
  const cidr = parseCidrOrAddress(network)
  return cidr && formatAddress(cidr)
}
