/** The keys of the store: which path an object has, and what a path is of (datamodel-v3 §0.1, §0.2, §1.13–1.16). */
import {type Cidr, type Family, formatCidr, networkOf, parseCidr} from '../net/index.js'
import {isKindName, KINDS} from './kinds.js'
import {KIND_NAMES, type KindName} from './resource.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const IPAM = '/calico/ipam/v2/'

/** Where all v3 resources lie. */
export const RESOURCES_PREFIX = RESOURCES
/** Where all of IPAM lies. */
export const IPAM_PREFIX = IPAM
export const IPAM_CONFIG_KEY = `${IPAM}config`
export const BLOCKS_PREFIX = `${IPAM}assignment/`
export const HANDLES_PREFIX = `${IPAM}handle/`

interface Place {
  readonly plural: string
  readonly namespaced: boolean
}

/** The kinds that Calico v3.32 keeps in etcd besides ours. */
const OTHER_KINDS = {
  BlockAffinity: {plural: 'blockaffinities', namespaced: false},
  IPAMConfig: {plural: 'ipamconfigs', namespaced: false},
  LiveMigration: {plural: 'livemigrations', namespaced: true},
} as const satisfies Record<string, Place>

/** A kind that may lie in a store, whether or not this product knows more of it than its place. */
export type StoredKind = KindName | keyof typeof OTHER_KINDS

/** What a block's affinity belongs to: a node, or something that is none (`load-balancer`). */
export type AffinityType = 'host' | 'virtual'

/** What a key is of. CIDRs are in canonical form, `192.168.10.0/26`. */
export type ParsedKey =
  | {readonly type: 'resource'; readonly kind: StoredKind; readonly name: string; readonly namespace?: string}
  | {readonly type: 'block'; readonly cidr: string}
  | {readonly type: 'affinity'; readonly affinityType: AffinityType; readonly host: string; readonly cidr: string}
  | {readonly type: 'handle'; readonly id: string}

/**
 * The key of a resource. Names go into it as they are: validate them before.
 * @throws TypeError if an object of a namespaced kind comes without its namespace
 */
export function resourceKey(kind: StoredKind, name: string, namespace?: string): string {
  if (isNamespaced(kind) && namespace === undefined) throw new TypeError(`a ${kind} needs a namespace`)
  return `${kindPrefix(kind, namespace)}${name}`
}

/** How the keys of all resources of a kind begin; of one namespace, if it is given and the kind has them. */
export function kindPrefix(kind: StoredKind, namespace?: string): string {
  const prefix = `${RESOURCES}${placeOf(kind).plural}/`
  return isNamespaced(kind) && namespace !== undefined ? `${prefix}${namespace}/` : prefix
}

/** Whether objects of this kind lie in namespaces. */
export function isNamespaced(kind: StoredKind): boolean {
  return placeOf(kind).namespaced
}

export function blockKey(cidr: Cidr): string {
  return `${blocksPrefix(cidr.family)}${cidrSegment(cidr)}`
}

/** How the keys of all blocks of one family begin; BLOCKS_PREFIX for both. */
export function blocksPrefix(family: Family): string {
  return `${BLOCKS_PREFIX}ipv${family}/block/`
}

/** The key of the affinity of a block to HOST, which is a node's name or, for `virtual`, what Calico calls the owner. */
export function affinityKey(host: string, cidr: Cidr, type: AffinityType = 'host'): string {
  return `${affinitiesPrefix(host, cidr.family, type)}${cidrSegment(cidr)}`
}

/** How the keys of all affinities of HOST begin, of one family or both. */
export function affinitiesPrefix(host: string, family?: Family, type: AffinityType = 'host'): string {
  const prefix = `${IPAM}${type}/${host}/`
  return family === undefined ? prefix : `${prefix}ipv${family}/block/`
}

/** The key of a handle. @throws RangeError for the empty id, which is not "no handle" (datamodel-v3 §1.16) */
export function handleKey(id: string): string {
  if (id === '') throw new RangeError('a handle needs an id')
  return `${HANDLES_PREFIX}${id}`
}

/** What the key PATH is of, undefined if Calico would not take it for any of these either. The IPAM configuration is only itself (IPAM_CONFIG_KEY). */
export function parseKey(path: string): ParsedKey | undefined {
  if (path.startsWith(RESOURCES)) return parseResourceKey(path.slice(RESOURCES.length).split('/'))
  if (path.startsWith(IPAM)) return parseIpamKey(path.slice(IPAM.length).split('/'))
  return undefined
}

function parseResourceKey([plural = '', ...rest]: readonly string[]): ParsedKey | undefined {
  const kind = kindOfPlural(plural)
  if (kind === undefined || rest.some((segment) => segment === '')) return undefined
  if (isNamespaced(kind)) {
    const [namespace, name] = rest
    return rest.length === 2 && namespace !== undefined && name !== undefined ? {type: 'resource', kind, name, namespace} : undefined
  }
  const [name] = rest
  return rest.length === 1 && name !== undefined ? {type: 'resource', kind, name} : undefined
}

function parseIpamKey(segments: readonly string[]): ParsedKey | undefined {
  const [first, second = '', third = '', fourth = '', fifth = ''] = segments
  switch (first) {
    case 'handle':
      return segments.length === 2 && second !== '' ? {type: 'handle', id: second} : undefined
    case 'assignment': {
      const cidr = third === 'block' && segments.length === 4 ? parseCidrSegment(second, fourth) : undefined
      return cidr === undefined ? undefined : {type: 'block', cidr}
    }
    case 'host':
    case 'virtual': {
      const cidr = fourth === 'block' && segments.length === 5 && second !== '' ? parseCidrSegment(third, fifth) : undefined
      return cidr === undefined ? undefined : {type: 'affinity', affinityType: first, host: second, cidr}
    }
    default:
      return undefined
  }
}

function placeOf(kind: StoredKind): Place {
  return isKindName(kind) ? KINDS[kind] : OTHER_KINDS[kind]
}

function kindOfPlural(plural: string): StoredKind | undefined {
  kindsByPlural ??= new Map([...KIND_NAMES, ...(Object.keys(OTHER_KINDS) as (keyof typeof OTHER_KINDS)[])].map((kind) => [placeOf(kind).plural, kind]))
  return kindsByPlural.get(plural)
}

let kindsByPlural: ReadonlyMap<string, StoredKind> | undefined

function cidrSegment(cidr: Cidr): string {
  return formatCidr(networkOf(cidr)).replace('/', '-')
}

function parseCidrSegment(family: string, segment: string): string | undefined {
  const cidr = parseCidr(segment.replace('-', '/'))
  return cidr && family === `ipv${cidr.family}` ? formatCidr(networkOf(cidr)) : undefined
}
