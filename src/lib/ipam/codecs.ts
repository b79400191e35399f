/** How the kinds of values that IPAM reads and writes are stored. */
import {tryParse} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {KeyValue} from '../datastore/datastore.js'
import {stringifyJson} from '../json/json.js'
import type {IPPool, IPReservation, Node, WorkloadEndpoint} from '../model/types.js'
import {parseCidrOrAddress, type Cidr} from '../net/index.js'
import {type Affinity, encodeAffinity, parseAffinity} from './affinity.js'
import {type Block, encodeBlock, parseBlock} from './block.js'
import {encodeConfig, type IpamConfig, parseConfig} from './config.js'
import type {Codec} from './draft.js'
import {encodeHandle, type Handle, parseHandle} from './handle.js'
import {type Pool, poolOf} from './pool.js'

export const BLOCK: Codec<Block> = {
  parse: parseBlock,
  encode: encodeBlock,
  bytes: ({allocations, attributes}) => allocations.length * 40 + (attributes?.length ?? 0) * 150,
}
export const HANDLE: Codec<Handle> = {parse: parseHandle, encode: encodeHandle, bytes: ({block}) => Object.keys(block).length * 50}
export const AFFINITY: Codec<Affinity> = {parse: parseAffinity, encode: encodeAffinity}
export const CONFIG: Codec<IpamConfig> = {parse: parseConfig, encode: encodeConfig}

/** Parsed objects, by what they were parsed from: values never change. */
const known = new WeakMap<KeyValue, {readonly value: unknown}>()

function once<T>(kv: KeyValue, parse: () => T): T {
  let found = known.get(kv)
  if (!found) known.set(kv, (found = {value: parse()}))
  return found.value as T
}

const neverWritten = (): string => {
  throw new TypeError('IPAM does not write such objects')
}

/** Pools; null for a value that cannot be read, which is reported. */
export const poolCodec = (session: Session): Codec<Pool | null> => ({
  parse: (kv) =>
    once(kv, () => {
      const resource = tryParse<IPPool>(session, 'IPPool', kv)?.resource
      return (resource && poolOf(resource, session.warn)) ?? null
    }),
  encode: neverWritten,
})

/** What a reservation sets aside. */
export const reservationCodec = (session: Session): Codec<readonly Cidr[]> => ({
  parse(kv) {
    const resource = once(kv, () => tryParse<IPReservation>(session, 'IPReservation', kv)?.resource)
    return (resource?.spec.reservedCIDRs ?? []).flatMap((text) => parseCidrOrAddress(text) ?? [])
  },
  encode: neverWritten,
})

/** A Node; null for a value that cannot be read, which is reported. */
export const nodeCodec = (session: Session): Codec<Node | null> => ({
  parse: (kv) => once(kv, () => tryParse<Node>(session, 'Node', kv)?.resource ?? null),
  encode: (node) => stringifyJson(node),
})

/** An endpoint; null for a value that cannot be read, which is reported. */
export const endpointCodec = (session: Session): Codec<WorkloadEndpoint | null> => ({
  parse: (kv) => once(kv, () => tryParse<WorkloadEndpoint>(session, 'WorkloadEndpoint', kv)?.resource ?? null),
  encode: (endpoint) => stringifyJson(endpoint),
})
