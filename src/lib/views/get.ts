/** `get`: what a kind's word means, and how objects of every kind are shown. */
import {type KindCount} from '../client/inventory.js'
import {getIpamObject, IPAM_KINDS, type IpamKind, type IpamObject, listIpamObjects} from '../client/ipam-objects.js'
import {getResource, listResources, objectLabel, seeThose, type Stored} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {displayName} from '../model/display-name.js'
import {findKind, type KindInfo, KINDS} from '../model/kinds.js'
import {convertName, isResourceName} from '../model/names.js'
import type {KindName, Resource} from '../model/resource.js'
import type {IPPool, TierSpec} from '../model/types.js'
import {DEFAULT_TIER_ORDER} from '../model/validation/tier.js'
import {equalNetworks, parseCidr} from '../net/index.js'
import type {Selector} from '../model/selector/index.js'
import type {Revision} from '../datastore/datastore.js'
import {checkPast, exported, orderedBy, selected, sorted} from './get-selection.js'
import {IPAM_COLUMNS, resourceColumns} from './kind-columns.js'
import {ownDocument, type Presentation, resourceList} from '../cli/output/presentation.js'
import {shownResource} from '../cli/output/shown.js'
import {nodesHint} from './known-node.js'
import {nearest} from '../cli/suggest.js'

/** What `get WORD` is about. */
export type GetTarget = {readonly type: 'resource'; readonly info: KindInfo} | {readonly type: 'ipam'; readonly kind: IpamKind} | {readonly type: 'kinds'}

/** The target that WORD means: a kind in any of its spellings, one of IPAM's, or `kinds`. @throws CalicoError `invalid` with what there is */
export function findTarget(word: string): GetTarget {
  const wanted = word.toLowerCase()
  if (wanted === 'kinds') return {type: 'kinds'}
  // IPAM's own words first: ipamconfiguration means the settings that are in force, not the resource that nothing reads (more-kinds §7).
  const kind = IPAM_NAMES.find((name) => name === wanted || IPAM_KINDS[name].aliases.includes(wanted))
  if (kind) return {type: 'ipam', kind}
  const info = findKind(wanted)
  if (info) return {type: 'resource', info}
  const suggestion = nearest(wanted, [...Object.values(KINDS).flatMap(spellings), ...IPAM_NAMES.flatMap((name) => [name, ...IPAM_KINDS[name].aliases]), 'kinds'])
  throw new CalicoError('invalid', `'${word}' is not a kind that calicoctl reads.${suggestion === undefined ? '' : ` Did you mean ${suggestion}?`}`, {
    hint: `Kinds: ${[...Object.values(KINDS).map(({kind}) => kind.toLowerCase()), ...IPAM_NAMES].join(', ')}; and kinds, which lists the kinds in the datastore.`,
  })
}

const IPAM_NAMES = ['block', 'affinity', 'handle', 'ipamconfig'] as const satisfies readonly IpamKind[]

const spellings = ({kind, plural, aliases}: KindInfo): readonly string[] => [kind.toLowerCase(), plural, ...aliases]

/** Which objects are asked for. NAMESPACE undefined = of all namespaces. */
export interface Wanted {
  /** In the order to be shown; none = all. */
  readonly names: readonly string[]
  readonly namespace: string | undefined
  /** Only those whose labels it matches. */
  readonly selector?: Selector | undefined
  /** The path of the field that they are sorted by. */
  readonly sortBy?: readonly string[] | undefined
  /** As they were at this revision. */
  readonly at?: Revision | undefined
  /** Whether documents leave out what belongs to this store and not to the object. */
  readonly export?: boolean
}

/** What was found, and, of several names, the error for those that were not: to be thrown once the others are shown. */
/** By what the objects of a kind are listed, unless another order is asked for; by their names where nothing is said here. */
const USUAL_ORDER: Readonly<Partial<Record<KindName, (resource: Resource) => unknown>>> = {Tier: ({spec}) => (spec as Partial<TierSpec>).order ?? DEFAULT_TIER_ORDER}

export interface FoundResources extends Presentation<Stored> {
  readonly missing?: CalicoError
}

/** The objects of the kind INFO that are WANTED, to be shown. @throws CalicoError `not-found` if there is none of those that are named */
export async function presentResources(session: Session, info: KindInfo, wanted: Wanted): Promise<FoundResources> {
  const {names, namespace, selector, sortBy, at} = wanted
  const {kind, listKind, namespaced} = info
  const common = {
    columns: resourceColumns(kind, {namespace: namespaced && namespace === undefined}),
    name: ({resource: {metadata}}: Stored) => displayName(metadata).name,
  }
  const shown = (stored: Stored): Resource => (wanted.export ? exported(shownResource(stored)) : shownResource(stored))
  if (at !== undefined) await checkPast(session, at)
  if (names.length > 0) {
    const found: Stored[] = []
    const missing: string[] = []
    for (const name of names) {
      const stored = await getResource(session, {kind, name: await findName(session, info, name, at), ...(namespaced ? {namespace: namespace ?? 'default'} : {})}, at)
      if (stored === undefined) {
        missing.push(name)
        continue
      }
      reportSuspiciousName(session, stored)
      found.push(stored)
    }
    const error = await missingError(session, info, missing, {namespace, at})
    if (error && found.length === 0) throw error
    const rows = sortBy ? sorted(session, inOrder(found), sortBy) : found
    const document = (all: readonly Stored[]): unknown => (names.length === 1 ? all.map(shown)[0] : all.map(shown))
    return {...common, rows, document, ...(error ? {missing: error} : {})}
  }
  let revision: bigint | undefined
  const under = namespaced && namespace !== undefined ? `${namespace}/` : ''
  const listed = listResources(session, kind, {under, revision: at, at: (read) => (revision = read)})
  const matching = withWarnings(session, selector ? selected(listed, selector) : listed)
  const order = USUAL_ORDER[kind]
  const usual = order ? orderedBy(matching, order) : matching
  const rows = sortBy ? sorted(session, matching, sortBy) : usual
  return {...common, rows, growing: {list: 'items', itemOf: shown}, document: (all) => resourceList(listKind, all.map(shown), wanted.export ? undefined : revision)}
}

async function* inOrder(objects: readonly Stored[]): AsyncGenerator<Stored> {
  await Promise.resolve()
  yield* objects
}

/** The error for the objects called MISSING, undefined if there are none. */
async function missingError(session: Session, {kind, namespaced}: KindInfo, missing: readonly string[], {namespace, at}: Pick<Wanted, 'namespace' | 'at'>): Promise<CalicoError | undefined> {
  const [first, ...more] = missing
  if (first === undefined) return undefined
  const where = `${namespaced ? ` in namespace ${namespace ?? 'default'}` : ''}${at === undefined ? '' : ` at revision ${at}`}`
  if (more.length > 0) return new CalicoError('not-found', `${missing.length} objects do not exist${where}:`, {details: missing.map((name) => objectLabel(kind, name))})
  return new CalicoError('not-found', `There is no ${objectLabel(kind, first)}${where}.`, {hint: kind === 'Node' ? await nodesHint(session, first) : seeThose(kind)})
}

/** The name that the object users call TYPED is (AT a revision, was) stored under: as {@link storedName}, and a pool is called by its CIDR, too. */
export async function findName(session: Session, info: KindInfo, typed: string, at?: Revision): Promise<string> {
  const cidr = info.kind === 'IPPool' && typed.includes('/') ? parseCidr(typed) : undefined
  if (cidr !== undefined) {
    for await (const {resource} of listResources<IPPool>(session, 'IPPool', {revision: at})) {
      const own = parseCidr(resource.spec.cidr)
      if (own !== undefined && equalNetworks(own, cidr)) return resource.metadata.name
    }
  }
  return storedName(info, typed)
}

/** The name that the object users call TYPED is stored under, as far as the name alone tells. */
export function storedName({kind}: KindInfo, typed: string): string {
  if (kind === 'Node') return typed.toLowerCase()
  return isResourceName(typed) ? typed : convertName(typed)
}

async function* withWarnings(session: Session, objects: AsyncIterable<Stored>): AsyncGenerator<Stored> {
  for await (const stored of objects) {
    reportSuspiciousName(session, stored)
    yield stored
  }
}

/** Anybody may write annotations: one that claims a name which cannot be the object's is reported, not shown as its name (decisions.md 13). */
function reportSuspiciousName(session: Session, {kv, resource}: Stored): void {
  const {suspicious} = displayName(resource.metadata)
  if (suspicious !== undefined) session.warn(`The annotation calicoctl/name of ${kv.key} is '${suspicious}', which does not match its stored name; the stored name is shown.`)
}

/** The objects of IPAM of KIND, or the one called NAME, to be shown. @throws CalicoError `not-found` */
export async function presentIpamObjects(session: Session, kind: IpamKind, name: string | undefined): Promise<Presentation<IpamObject>> {
  const {kind: documentKind} = IPAM_KINDS[kind]
  const common = {columns: IPAM_COLUMNS[kind], name: (object: IpamObject) => object.name}
  if (name === undefined) {
    return {...common, rows: listIpamObjects(session, kind), growing: {list: 'items', itemOf: (object) => ipamDocument(documentKind, object)}, document: (all) => ownDocument(`${documentKind}List`, {items: all.map((object) => ipamDocument(documentKind, object))})}
  }
  const object = await getIpamObject(session, kind, name)
  if (object === undefined) throw new CalicoError('not-found', `There is no ${kind}/${name}.`)
  return {...common, rows: [object], document: () => ipamDocument(documentKind, object)}
}

const ipamDocument = (kind: (typeof IPAM_KINDS)[IpamKind]['kind'], {kv, name, value}: IpamObject) =>
  ownDocument(kind, {metadata: {name, resourceVersion: kv.modRevision.toString()}, value})

/** COUNTS to be shown, with `unsupported` beside the kinds that are not ours to read. */
export function presentKinds(counts: readonly KindCount[]): Presentation<KindCount> {
  return {
    rows: counts,
    columns: [
      {header: 'KIND', value: ({plural, kind}) => kind ?? plural},
      {header: 'PLURAL', value: ({plural}) => plural, wide: true},
      {header: 'COUNT', value: ({count}) => String(count)},
      {header: 'SUPPORT', value: ({kind}) => (kind === undefined ? 'unsupported' : 'supported'), plain: ({kind}) => (kind === undefined ? 'unsupported' : '')},
    ],
    name: ({plural}) => plural,
    document: (all) => ownDocument('KindCountList', {items: all.map(({plural, kind, count}) => ({plural, ...(kind === undefined ? {} : {kind}), count, supported: kind !== undefined}))}),
  }
}
