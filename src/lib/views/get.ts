/** `get`: what a kind's word means, and how objects of every kind are shown. */
import {type KindCount} from '../client/inventory.js'
import {getIpamObject, IPAM_KINDS, type IpamKind, type IpamObject, listIpamObjects} from '../client/ipam-objects.js'
import {getResource, listResources, objectLabel, type Stored} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {displayName} from '../model/display-name.js'
import {findKind, type KindInfo, KINDS} from '../model/kinds.js'
import {convertName, isResourceName} from '../model/names.js'
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
    hint: `Kinds: ${[...Object.values(KINDS).map(({kind}) => kind.toLowerCase()), ...IPAM_NAMES].join(', ')}; and kinds, which lists those in the store.`,
  })
}

const IPAM_NAMES = ['block', 'affinity', 'handle', 'ipamconfig'] as const satisfies readonly IpamKind[]

const spellings = ({kind, plural, aliases}: KindInfo): readonly string[] => [kind.toLowerCase(), plural, ...aliases]

/** Which objects are asked for. NAMESPACE undefined = of all namespaces. */
export interface Wanted {
  readonly name: string | undefined
  readonly namespace: string | undefined
}

/** The objects of the kind INFO that are WANTED, to be shown. @throws CalicoError `not-found` for a name that there is not */
export async function presentResources(session: Session, info: KindInfo, {name, namespace}: Wanted): Promise<Presentation<Stored>> {
  const {kind, listKind, namespaced} = info
  const common = {
    columns: resourceColumns(kind, {namespace: namespaced && namespace === undefined}),
    name: ({resource: {metadata}}: Stored) => displayName(metadata).name,
  }
  if (name !== undefined) {
    const stored = await getResource(session, {kind, name: storedName(info, name), ...(namespaced ? {namespace: namespace ?? 'default'} : {})})
    if (stored === undefined) throw new CalicoError('not-found', `There is no ${objectLabel(kind, name)}${namespaced ? ` in namespace ${namespace ?? 'default'}` : ''}.`, kind === 'Node' ? {hint: await nodesHint(session, name)} : {})
    tellSuspiciousName(session, stored)
    return {...common, rows: [stored], document: () => shownResource(stored)}
  }
  let revision: bigint | undefined
  const under = namespaced && namespace !== undefined ? `${namespace}/` : ''
  const rows = withWarnings(session, listResources(session, kind, {under, at: (read) => (revision = read)}))
  return {...common, rows, document: (all) => resourceList(listKind, all.map(shownResource), revision)}
}

/** The name that the object users call TYPED is stored under. */
function storedName({kind}: KindInfo, typed: string): string {
  if (kind === 'Node') return typed.toLowerCase()
  return isResourceName(typed) ? typed : convertName(typed)
}

async function* withWarnings(session: Session, objects: AsyncIterable<Stored>): AsyncGenerator<Stored> {
  for await (const stored of objects) {
    tellSuspiciousName(session, stored)
    yield stored
  }
}

/** Anybody may write annotations: one that claims a name which cannot be the object's is told, not shown as its name (decisions.md 13). */
function tellSuspiciousName(session: Session, {kv, resource}: Stored): void {
  const {suspicious} = displayName(resource.metadata)
  if (suspicious !== undefined) session.warn(`The annotation calicoctl/name of ${kv.key} is '${suspicious}', which cannot be its name; it is shown under its stored name.`)
}

/** The objects of IPAM of KIND, or the one called NAME, to be shown. @throws CalicoError `not-found` */
export async function presentIpamObjects(session: Session, kind: IpamKind, name: string | undefined): Promise<Presentation<IpamObject>> {
  const {kind: documentKind} = IPAM_KINDS[kind]
  const common = {columns: IPAM_COLUMNS[kind], name: (object: IpamObject) => object.name}
  if (name === undefined) {
    return {...common, rows: listIpamObjects(session, kind), document: (all) => ownDocument(`${documentKind}List`, {items: all.map((object) => ipamDocument(documentKind, object))})}
  }
  const object = await getIpamObject(session, kind, name)
  if (object === undefined) throw new CalicoError('not-found', `There is no ${kind}/${name}.`)
  return {...common, rows: [object], document: () => ipamDocument(documentKind, object)}
}

const ipamDocument = (kind: string, {kv, name, value}: IpamObject): unknown =>
  ownDocument(kind, {metadata: {name, resourceVersion: kv.modRevision.toString()}, value})

/** COUNTS to be shown, with `unsupported` beside the kinds that are not ours to read. */
export function presentKinds(counts: readonly KindCount[]): Presentation<KindCount> {
  return {
    rows: counts,
    columns: [
      {header: 'KIND', value: ({plural, kind}) => kind ?? plural},
      {header: 'PLURAL', value: ({plural}) => plural, wide: true},
      {header: 'COUNT', value: ({count}) => String(count)},
      {header: 'SUPPORT', value: ({kind}) => (kind === undefined ? 'unsupported' : '')},
    ],
    name: ({plural}) => plural,
    document: (all) => ownDocument('KindCountList', {items: all.map(({plural, kind, count}) => ({plural, ...(kind === undefined ? {} : {kind}), count, supported: kind !== undefined}))}),
  }
}
