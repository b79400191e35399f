/** What a converted object is to the datastore that it goes into: new, there already, or there and different. Pure. */
import {isDeepStrictEqual} from 'node:util'
import {peerOf} from '../client/bgp-peers.js'
import {poolLabel, poolOf} from '../client/pools.js'
import {parseStored, type Stored} from '../client/resources.js'
import type {KeyValue} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {parseAffinity} from '../ipam/affinity.js'
import {assignedIn, type Block, parseBlock} from '../ipam/block.js'
import {type IpamConfig, parseConfig} from '../ipam/config.js'
import {type Handle, parseHandle} from '../ipam/handle.js'
import type {Resource} from '../model/resource.js'
import type {BGPPeer, IPPool} from '../model/types.js'
import {equalAddresses, formatCidr, overlaps, parseAddress, parseCidr} from '../net/index.js'
import type {Item} from './gather.js'

/** What the datastore has besides the key of an item itself. */
export interface Around {
  readonly pools: readonly KeyValue[]
  readonly peers: readonly KeyValue[]
}

export type Judgement = 'created' | 'unchanged' | {readonly differs: string}

/** ITEM, for whose key the datastore has STORED. */
export function judge(item: Item, stored: KeyValue | undefined, around: Around): Judgement {
  try {
    if (item.kind === 'IPPool') return judgePool(item, stored, around)
    if (item.kind === 'BGPPeer') return judgePeer(item, stored, around)
    if (!stored) return 'created'
    return differenceOf(item, stored)
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return {differs: 'the stored value cannot be read'}
  }
}

function differenceOf(item: Item, stored: KeyValue): Judgement {
  const {kind, object} = item
  switch (kind) {
    case 'Block':
      return compared('its addresses or its node', blockFacts(object as Block), blockFacts(parseBlock(stored)))
    case 'BlockAffinity':
      return compared('its state', 'confirmed', parseAffinity(stored).state)
    case 'Handle':
      return compared('its addresses', (object as Handle).block, parseHandle(stored).block)
    case 'IPAMConfig':
      return compared('its settings', configFacts(object as IpamConfig), configFacts(parseConfig(stored)))
    default:
      return compareResources(object as Resource, parseStored(kind, stored).resource)
  }
}

const compared = (what: string, ours: unknown, theirs: unknown): Judgement => (isDeepStrictEqual(ours, theirs) ? 'unchanged' : {differs: `${what} differ`})

const configFacts = ({strict_affinity: strict = false, auto_allocate_blocks: allocate = false, maxBlocksPerHost: most = 0}: IpamConfig): unknown => ({strict, allocate, most})

/** What BLOCK says, but for the time and the numbers of its changes. */
const blockFacts = (block: Block): unknown => ({
  affinity: block.affinity,
  unallocated: block.unallocated ?? [],
  assigned: [...assignedIn(block)].map(({ordinal, attribute}) => ({ordinal, handle: attribute.handle_id, secondary: {...attribute.secondary}})),
})

function compareResources(ours: Resource, theirs: Resource): Judgement {
  const fields = Object.keys(factsOf(ours)) as (keyof ReturnType<typeof factsOf>)[]
  const [one, other] = [factsOf(ours), factsOf(theirs)]
  const different = fields.filter((field) => !isDeepStrictEqual(one[field], other[field]))
  return different.length === 0 ? 'unchanged' : {differs: `its ${different.join(' and ')} ${different.length === 1 && different[0] === 'spec' ? 'differs' : 'differ'}`}
}

const factsOf = ({metadata: {labels = {}, annotations = {}}, spec}: Resource) => ({labels: {...labels}, annotations: {...annotations}, spec: {...(spec)}})

function readable<R extends Resource>(kind: 'IPPool' | 'BGPPeer', entries: readonly KeyValue[]): Stored<R>[] {
  return entries.flatMap((kv) => {
    try {
      return [parseStored<R>(kind, kv)]
    } catch (error) {
      if (error instanceof CalicoError) return []
      throw error
    }
  })
}

/** A pool is the same by its CIDR, whatever its name (decisions.md 19). */
function judgePool(item: Item, stored: KeyValue | undefined, {pools}: Around): Judgement {
  const ours = item.object as IPPool
  const network = parseCidr(ours.spec.cidr)
  const others = readable<IPPool>('IPPool', pools).map(poolOf)
  const same = others.find(({cidr}) => cidr && network && formatCidr(cidr) === formatCidr(network))
  if (same) return compareResources(ours, same.stored.resource)
  const overlapping = others.find(({cidr}) => cidr && network && overlaps(cidr, network))
  if (overlapping) return {differs: `it overlaps the pool ${poolLabel(overlapping)}`}
  return stored ? {differs: 'another pool has the same name'} : 'created'
}

/** A peer is the same by its address and scope, whatever its name (decisions.md 18). */
function judgePeer(item: Item, stored: KeyValue | undefined, {peers}: Around): Judgement {
  const ours = item.object as BGPPeer
  const address = parseAddress(ours.spec.peerIP ?? '')
  const same = readable<BGPPeer>('BGPPeer', peers)
    .map(peerOf)
    .find((peer) => peer.plain && peer.address && address && equalAddresses(peer.address, address) && (peer.stored.resource.spec.node ?? '') === (ours.spec.node ?? ''))
  if (same) return compareResources(ours, same.stored.resource)
  return stored ? {differs: 'another peer has the same name'} : 'created'
}
