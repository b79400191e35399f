/**
 * Brings what is stored in line with what Docker knows, after calls that the driver missed: it was down, or the datastore, or Docker was killed
 * (operator-demand §1 rows 1 and 2). Nothing that Docker knows is removed, nor what a container has an interface of (as far
 * as its processes can be seen from here).
 */
import {CONTAINER_ANNOTATION, type Endpoint} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import type {DockerNetwork, DockerNetworks} from '../docker/networks.js'
import {isError} from '../errors.js'
import {NETWORK_ANNOTATION, ORPHAN_AGE_MS, parseDriverHandle} from '../ipam/driver-handles.js'
import {formatAddress} from '../net/index.js'
import {listEndpointsOf, removeStaleEndpoint} from './endpoints.js'
import {linkState, removeLink} from './links.js'
import type {Log} from './log.js'
import type {Networks} from './networks.js'
import {findOrphans, type Orphan, releaseOrphan} from './orphans.js'
import type {RoundResult} from './rounds.js'

/** Docker shows an endpoint a moment after its driver made it: what is missing must be so again this much later. */
const MISSING_MS = 15_000

export interface ReconcilerOptions {
  readonly session: Session
  readonly node: string
  readonly docker: Pick<DockerNetworks, 'list' | 'local' | 'address'>
  readonly log: Log
  /** Those that are remembered and that Docker does not know any more are removed. */
  readonly networks?: Pick<Networks, 'remembered' | 'remove'>
  /** Called for each endpoint that Docker knows and whose container is not noted: the driver was ended before it could. */
  readonly describe?: (endpoint: {endpointId: string; networkId: string}) => void
  readonly missingMs?: number
  readonly orphanMs?: number
  readonly clock?: ReconcilerClock
}

/** Both in milliseconds. */
export interface ReconcilerClock {
  /** Of a clock that no one sets. */
  readonly elapsed: () => number
  /** Since 1970: handles have the time when Docker asked for their address. */
  readonly now: () => number
}

const CLOCK: ReconcilerClock = {elapsed: () => performance.now(), now: () => Date.now()}

interface Reconciled {
  readonly removedEndpoints: number
  readonly releasedAddresses: number
}

export interface Reconciler {
  /**
   * Looks once, and does what is certain by now: what is found wrong for the first time is only noted.
   * @throws CalicoError if the datastore does not answer; what Docker does not answer is left alone
   */
  round(): Promise<RoundResult>
}

export function newReconciler({session, node, docker, log, networks, describe, missingMs = MISSING_MS, orphanMs = ORPHAN_AGE_MS, clock = CLOCK}: ReconcilerOptions): Reconciler {
  const missingEndpoints = newSuspects(clock)
  const missingNetworks = newSuspects(clock)
  const orphaned = newSuspects(clock)
  const once = newNotices(log)

  return {
    async round() {
      const endpoints: Endpoint[] = []
      for await (const endpoint of listEndpointsOf(session, node)) endpoints.push(endpoint)
      const remembered = networks?.remembered() ?? []
      const orphans = await findOrphans(session, node)
      // Asked last: what comes into being meanwhile is not among what was read.
      const known = endpoints.length + remembered.length + orphans.length > 0 ? await askDocker() : undefined
      const removed = known ? await removeMissing(endpoints, known) : NOTHING
      const released = await releaseOrphans(orphans, known)
      if (known) {
        await removeNetworks(remembered, endpoints, known)
        if (describe) for (const endpoint of endpoints) describeUnnoted(endpoint, known, describe)
      }
      // What Docker was not asked about has not been examined.
      const waits = [...(known ? [missingEndpoints.remainingMs(missingMs), missingNetworks.remainingMs(missingMs)] : []), remainingMs(orphans)]
      return {
        removedEndpoints: removed.removedEndpoints,
        releasedAddresses: removed.releasedAddresses + released,
        certainInMs: least(waits),
      }
    },
  }

  async function askDocker(): Promise<Known | undefined> {
    if (!docker.local) {
      once.info('engine', `Endpoints unknown to Docker are not searched for: the Engine at ${docker.address} is not on a socket of this host`)
      return undefined
    }
    try {
      const all = await docker.list()
      // Every Engine has networks of its own, such as `host`.
      if (all.length === 0) throw new Error(`the Engine at ${docker.address} reports no networks`)
      once.forget('engine')
      return {networks: new Set(all.map(({id}) => id)), endpoints: new Set(all.flatMap((network: DockerNetwork) => network.endpoints))}
    } catch (error) {
      once.info('engine', `Endpoints unknown to Docker are not searched for: ${(error as Error).message}`)
      return undefined
    }
  }

  async function removeMissing(endpoints: readonly Endpoint[], known: Known): Promise<Reconciled> {
    const missing = endpoints.filter(({id}) => !known.endpoints.has(id))
    const certain = missingEndpoints.lasting(missing.map(({id}) => id), missingMs)
    let removedEndpoints = 0
    let releasedAddresses = 0
    for (const {id} of missing) {
      if (!certain.has(id)) continue
      await attempt(`The endpoint ${short(id)}, which Docker does not know, was not removed`, async () => {
        if (!(await removeUnusedLink(id))) return
        const {changes, released} = await removeStaleEndpoint(session, node, id)
        removedEndpoints += changes.length
        releasedAddresses += released.length
        log.info(`Removed endpoint ${short(id)}, which Docker no longer knows${released.length === 0 ? '' : `, and released ${released.map(formatAddress).join(', ')}`}`)
      })
    }
    return {removedEndpoints, releasedAddresses}
  }

  /** False: a container has it, whatever Docker says, which may be one of another Engine. */
  async function removeUnusedLink(endpointId: string): Promise<boolean> {
    const state = await linkState(endpointId)
    if (state === 'in-use') {
      once.warn(endpointId, `Docker does not know the endpoint ${short(endpointId)}, but its interface is in a container: it is kept`)
      return false
    }
    if (state === 'unused') await removeLink(endpointId)
    return true
  }

  async function releaseOrphans(orphans: readonly Orphan[], known: Known | undefined): Promise<number> {
    const certain = orphaned.lasting(orphans.map(({handle}) => handle), orphanMs)
    let count = 0
    for (const orphan of orphans) {
      const {handle} = orphan
      const age = ageOf(orphan, clock)
      const isOld = age === undefined ? certain.has(handle) : age >= orphanMs
      if (!isOld) continue
      await attempt(`The addresses of ${handle}, which no endpoint uses, were not released`, async () => {
        if (!(await isLetGo(handle, known))) return
        const released = await releaseOrphan(session, node, handle)
        count += released.length
        if (released.length > 0) log.info(`Released ${released.map(formatAddress).join(', ')}, which no endpoint uses (${handle})`)
      })
    }
    return count
  }

  /** In how many milliseconds the first of ORPHANS will be old enough, of those that are not. */
  function remainingMs(orphans: readonly Orphan[]): number | undefined {
    const ages = orphans.map((orphan) => ({handle: orphan.handle, age: ageOf(orphan, clock)}))
    const timeless = ages.flatMap(({handle, age}) => (age === undefined ? [handle] : []))
    return least([orphaned.remainingMs(orphanMs, timeless), ...ages.flatMap(({age}) => (age !== undefined && age < orphanMs ? [orphanMs - age] : []))])
  }

  /** Whether no container can have the addresses of HANDLE, although there is no endpoint: someone may have deleted that by hand. */
  async function isLetGo(handle: string, known: Known | undefined): Promise<boolean> {
    const parsed = parseDriverHandle(handle)
    if (parsed?.type !== 'endpoint') return true
    if (!known) return false
    if (!known.endpoints.has(parsed.endpointId) && (await linkState(parsed.endpointId)) !== 'in-use') return true
    once.warn(handle, `The endpoint ${short(parsed.endpointId)} is no longer stored, but a container uses it: its addresses stay assigned. Restart the container.`)
    return false
  }

  async function removeNetworks(remembered: readonly string[], endpoints: readonly Endpoint[], known: Known): Promise<void> {
    const used = new Set(endpoints.map(networkOf))
    const missing = remembered.filter((id) => !known.networks.has(id) && !used.has(id))
    for (const id of missingNetworks.lasting(missing, missingMs)) {
      await attempt(`The objects of network ${short(id)}, which Docker does not know, were not removed`, async () => {
        await networks?.remove(id)
        log.info(`Removed the objects of network ${short(id)}, which Docker no longer knows`)
      })
    }
  }

  /** Does WORK, whose failure says nothing about the next one's. @throws CalicoError `unreachable`: the next one would wait in vain, too */
  async function attempt(failed: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isError(error, 'unreachable')) throw error
      log.warn(`${failed}: ${(error as Error).message}`)
    }
  }
}

/** What Docker knows. */
interface Known {
  readonly networks: ReadonlySet<string>
  readonly endpoints: ReadonlySet<string>
}

const NOTHING: Reconciled = {removedEndpoints: 0, releasedAddresses: 0}

const short = (id: string): string => id.slice(0, 12)

const annotation = ({stored}: Endpoint, name: string): string | undefined => {
  const {annotations} = stored.resource.metadata
  return annotations && Object.hasOwn(annotations, name) ? annotations[name] : undefined
}

const networkOf = (endpoint: Endpoint): string | undefined => annotation(endpoint, NETWORK_ANNOTATION)

function describeUnnoted(endpoint: Endpoint, known: Known, describe: NonNullable<ReconcilerOptions['describe']>): void {
  const networkId = networkOf(endpoint)
  if (networkId === undefined || !known.endpoints.has(endpoint.id) || annotation(endpoint, CONTAINER_ANNOTATION) !== undefined) return
  describe({endpointId: endpoint.id, networkId})
}

/** How long ago an orphan was asked for, milliseconds; undefined if that is not known: a clock that was set back makes an age that is none. */
function ageOf({since}: Orphan, {now}: ReconcilerClock): number | undefined {
  const age = since === undefined ? -1 : now() - since.getTime()
  return age < 0 ? undefined : age
}

/** The least of NUMBERS; undefined if there is none. */
const least = (numbers: readonly (number | undefined)[]): number | undefined =>
  numbers.reduce((lowest, each) => (each === undefined || (lowest !== undefined && lowest <= each) ? lowest : each), undefined)

/** What was found wrong, round after round. */
function newSuspects({elapsed}: ReconcilerClock) {
  const since = new Map<string, number>()
  return {
    /** Of KEYS, all that are wrong now, those that have been in every round for LIMIT_MS. By a clock that no one sets. */
    lasting(keys: readonly string[], limitMs: number): ReadonlySet<string> {
      const now = elapsed()
      const wrong = new Set(keys)
      for (const key of since.keys()) if (!wrong.has(key)) since.delete(key)
      for (const key of wrong) if (!since.has(key)) since.set(key, now)
      return new Set([...wrong].filter((key) => since.get(key) !== now && now - (since.get(key) ?? now) >= limitMs))
    },
    /** In how many milliseconds the first of KEYS, all that are wrong, will have been so for LIMIT_MS, of those that have not yet. */
    remainingMs(limitMs: number, keys: Iterable<string> = since.keys()): number | undefined {
      const now = elapsed()
      return least([...keys].map((key) => limitMs - (now - (since.get(key) ?? -Infinity))).filter((wait) => wait > 0))
    },
  }
}

/** Logs what lasts once, not in every round. */
function newNotices(log: Log) {
  const logged = new Map<string, string>()
  const notice = (level: 'info' | 'warn') => (about: string, text: string): void => {
    if (logged.get(about) === text) return
    logged.set(about, text)
    log[level](text)
  }
  return {info: notice('info'), warn: notice('warn'), forget: (about: string) => void logged.delete(about)}
}
