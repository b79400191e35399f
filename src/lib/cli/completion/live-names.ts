/** Names for completion: of stored objects, of changes in the journal, of this host's containers; quick or not at all. */
import {IPAM_KINDS, type IpamKind, listIpamObjects} from '../../client/ipam-objects.js'
import {nodeNameInputs, tryNodeName} from '../../client/node-name.js'
import {listResources} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {displayName} from '../../model/display-name.js'
import {findKind, KINDS} from '../../model/kinds.js'
import type {KindName, Resource} from '../../model/resource.js'
import type {BGPPeer, IPPool, Profile, WorkloadEndpoint} from '../../model/types.js'
import type {About, Names} from './candidates.js'
import type {NameKind} from './places.js'

type Found = readonly (string | undefined)[]

/** Names in the objects of KIND. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- callers name the type of the kind's objects
function inObjects<R extends Resource>(kind: KindName, names: (resource: R, about: About) => Found): Source {
  return async function* (session, about) {
    for await (const {resource} of listResources<R>(await session(), kind)) yield* names(resource, about)
  }
}

type Source = (session: () => Promise<Session>, about: About) => AsyncIterable<string | undefined>

const once = (names: () => Found | Promise<Found>): Source => async function* () {
  yield* await names()
}

/** The node whose peers are meant: the one of --node, or this host. */
const nodeOf = ({node}: About): string | undefined => (node ?? tryNodeName(nodeNameInputs()).found?.name)?.toLowerCase()

/** How the names of each kind are found. */
const SOURCES: Readonly<Record<Exclude<NameKind, `of:${string}`>, Source>> = {
  profile: inObjects('Profile', ({metadata}) => [displayName(metadata).name]),
  tag: inObjects<Profile>('Profile', ({spec}) => Object.keys(spec.labelsToApply ?? {})),
  pool: inObjects<IPPool>('IPPool', ({spec}) => [spec.cidr]),
  node: inObjects('Node', ({metadata}) => [metadata.name]),
  endpoint: inObjects<WorkloadEndpoint>('WorkloadEndpoint', ({spec}) => [spec.endpoint]),
  orchestrator: inObjects<WorkloadEndpoint>('WorkloadEndpoint', ({spec}) => [spec.orchestrator]),
  workload: inObjects<WorkloadEndpoint>('WorkloadEndpoint', ({spec}) => [spec.workload]),
  namespace: inObjects('WorkloadEndpoint', ({metadata}) => [metadata.namespace]),
  tier: inObjects('Tier', ({metadata}) => [metadata.name]),
  'global-peer': inObjects<BGPPeer>('BGPPeer', ({spec}) => (spec.node === undefined && spec.nodeSelector === undefined ? [spec.peerIP] : [])),
  'node-peer': inObjects<BGPPeer>('BGPPeer', ({spec}, about) => (spec.node !== undefined && spec.node === nodeOf(about) ? [spec.peerIP] : [])),
  handle: (session) => ipamNames(session, 'handle'),
  container: once(() => containers(false)),
  'any-container': once(() => containers(true)),
  change: once(async () => {
    const [{readJournal}, {journalPath}] = await Promise.all([import('../../journal/read.js'), import('../../journal/place.js')])
    const path = journalPath(process.env)
    return path === undefined ? [] : readJournal(path).map(({id}) => id)
  }),
  waiting: once(async () => {
    const [{listWaiting}, {isRolledBack}] = await Promise.all([import('../../journal/confirm/waiting.js'), import('../../journal/confirm/late.js')])
    return listWaiting(process.env).flatMap(({waiting}) => (isRolledBack(waiting) ? [] : waiting.id))
  }),
  kind: once(() => Object.keys(KINDS).map((kind) => kind.toLowerCase())),
  document: once(async () => (await import('../../documents/schemas.js')).DOCUMENT_KINDS.map(({kind}) => kind)),
  'lint-code': once(async () => (await import('../../lint/codes.js')).CODE_NAMES),
}

/** The Engine is given up then, so that it does not keep the process. */
const ENGINE_LIMIT_MS = 300

async function containers(all: boolean): Promise<readonly string[]> {
  const {containerNames} = await import('../../docker/container-names.js')
  return containerNames({all, limitMs: ENGINE_LIMIT_MS})
}

async function* ipamNames(session: () => Promise<Session>, kind: IpamKind): AsyncGenerator<string> {
  for await (const {name} of listIpamObjects(await session(), kind)) yield name
}

/** The objects of the kind that WORD means, as `get` finds them. */
function objectNames(word: string): Source {
  const ipam = (Object.keys(IPAM_KINDS) as IpamKind[]).find((kind) => kind === word.toLowerCase() || IPAM_KINDS[kind].aliases.includes(word.toLowerCase()))
  if (ipam) return (session) => ipamNames(session, ipam)
  const info = findKind(word)
  if (!info) return once(() => [])
  return async function* (session, {namespace = 'default'}) {
    for await (const {resource} of listResources(await session(), info.kind, info.namespaced ? {under: `${namespace}/`} : {})) yield displayName(resource.metadata).name
  }
}

/**
 * Looks names up for at most LIMIT_MS in all, stored ones in the datastore of SESSION (opened at the first question); after that, what has been found by
 * then. Errors count as nothing found.
 */
export function liveNames(session: () => Promise<Session>, limitMs: number): Names {
  const end = new Promise<void>((resolve) => setTimeout(resolve, limitMs).unref())
  return async (wanted, about = {}) => {
    const found = new Set<string>()
    const source = isOf(wanted) ? objectNames(wanted.slice('of:'.length)) : SOURCES[wanted]
    const look = async (): Promise<void> => {
      for await (const name of source(session, about)) if (name !== undefined) found.add(name)
    }
    await Promise.race([look().catch(() => undefined), end])
    return [...found].sort()
  }
}

const isOf = (kind: NameKind): kind is `of:${string}` => kind.startsWith('of:')
