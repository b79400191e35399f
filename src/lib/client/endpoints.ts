/** Workload endpoints by what v0.20 found them with: host, orchestrator, workload and endpoint id (cli-v0.20 §4.5). */
import type {KeyValue, Operation} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {displayWorkload, shortId} from '../model/display-name.js'
import {kindPrefix, parseKey} from '../model/keys.js'
import {convertName, nodeName} from '../model/names.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {parseWorkloadEndpointName} from '../model/workload-endpoint-name.js'
import {type Address, equalAddresses, parseAddress, parseCidrOrAddress} from '../net/index.js'
import {compareUtf8} from '../utf8-order.js'
import {changeResource, listResources, parseStored, type Place, read, type ResourceChange, type Stored, tryParse} from './resources.js'
import {newKept} from './kept.js'
import type {Session} from './session.js'
import {listPages} from './snapshot.js'

/** The namespace of all endpoints but those of Kubernetes and the old Docker driver (datamodel-v3 §1.6). */
export const ENDPOINT_NAMESPACE = 'default'

/** What the container was called when it got its endpoint. */
export const CONTAINER_ANNOTATION = 'calicoctl/container'

/** The handle of an endpoint's addresses, where it is not made of the endpoint's names: for Mesos, the `uid` of the requests before. */
export const HANDLE_ANNOTATION = 'calicoctl/ipam-handle'

/** The path of an endpoint's network namespace. */
export const NAMESPACE_ANNOTATION = 'calicoctl/namespace'

/** Names as users type them. Absent = any. */
export interface EndpointFilter {
  readonly host?: string | undefined
  readonly orchestrator?: string | undefined
  readonly workload?: string | undefined
  /** The endpoint's id, and only that. */
  readonly endpoint?: string | undefined
}

/** An endpoint and what Felix takes it for: its identity is in its name and not in its spec. */
export interface Endpoint {
  readonly stored: Stored<WorkloadEndpoint>
  readonly place: Place
  readonly host: string
  readonly orchestrator: string
  /** As users know it. */
  readonly workload: string
  readonly id: string
}

/** STORED with its identity. A workload's annotation that claims another name is reported and skipped (decisions.md 13). */
export function endpointOf(session: Session, stored: Stored<WorkloadEndpoint>): Endpoint {
  const {endpoint, suspicious} = identified(stored)
  if (suspicious !== undefined) session.warn(`The endpoint ${endpoint.place.name} has the annotation calicoctl/workload ${JSON.stringify(suspicious)}, which does not match its stored name; the stored name is shown.`)
  return endpoint
}

/** STORED with its identity, what its name says its workload is, and what an annotation claims instead without being right. */
function identified(stored: Stored<WorkloadEndpoint>): {endpoint: Endpoint; storedWorkload: string; suspicious: string | undefined} {
  const {metadata, spec} = stored.resource
  const place = placeOf(stored)
  const named = parseWorkloadEndpointName(place.name)
  const {node, orchestrator, workload, endpoint} = named ?? {node: spec.node ?? '', orchestrator: spec.orchestrator ?? '', workload: spec.workload ?? '', endpoint: spec.endpoint ?? ''}
  const shown = displayWorkload(metadata, workload)
  return {endpoint: {stored, place, host: node, orchestrator, workload: shown.name, id: endpoint}, storedWorkload: named?.workload ?? '', suspicious: shown.suspicious}
}

function placeOf({kv, resource}: Stored<WorkloadEndpoint>): Place {
  const key = parseKey(kv.key)
  const {name, namespace = ENDPOINT_NAMESPACE} = key?.type === 'resource' ? key : resource.metadata
  return {kind: 'WorkloadEndpoint', name, namespace}
}

/** How messages call ENDPOINT: with short ids, by which findEndpoint finds it. */
export const endpointLabel = ({id, orchestrator, workload, host}: Endpoint): string => `endpoint ${shortId(id)} of ${orchestrator} workload ${shortId(workload)} on ${host}`

/** The addresses of ENDPOINT; what cannot be read is left out. */
export const endpointAddresses = ({spec}: WorkloadEndpoint): Address[] => (spec.ipNetworks ?? []).flatMap((text) => networkAddress(text) ?? [])

/** The address that TEXT, one of an endpoint's ipNetworks, stands for. */
export function networkAddress(text: string): Address | undefined {
  const cidr = parseCidrOrAddress(text)
  return cidr && {family: cidr.family, value: cidr.value}
}

/**
 * All endpoints that FILTER lets through, in key order. Where it is for those of a host, of a workload or with an id, no values are read but theirs.
 * @throws CalicoError `invalid` for a host that cannot be one
 */
export async function* listEndpoints(session: Session, filter: EndpointFilter): AsyncGenerator<Endpoint> {
  const matches = matcher(filter)
  const endpoints = (filter.host ?? filter.workload ?? filter.endpoint) === undefined ? allEndpoints(session) : endpointsWhose(session, matches)
  for await (const endpoint of endpoints) if (matches(endpoint, storedWorkload(endpoint))) yield endpoint
}

async function* allEndpoints(session: Session): AsyncGenerator<Endpoint> {
  for await (const stored of listResources<WorkloadEndpoint>(session, 'WorkloadEndpoint')) yield endpointOf(session, stored)
}

/** The endpoints that MATCHES lets through, and those of whom only the value tells. */
async function* endpointsWhose(session: Session, matches: Matcher): AsyncGenerator<Endpoint> {
  const readable = read(session, [])
  readable.catch(() => undefined)
  const keys: string[] = []
  for await (const {key, identity} of endpointKeys(session)) if (identity === undefined || matches(identity, identity.workload)) keys.push(key)
  await readable
  yield* endpointsAt(session, keys)
}

type Matcher = (endpoint: Identity, storedWorkload: string) => boolean

/** Filters are converted as the names in endpoints were (decisions.md 23); what was typed as it is stored is found too. */
function matcher({host, orchestrator, workload, endpoint}: EndpointFilter): Matcher {
  const node = host === undefined ? undefined : nodeName(host)
  const is = (wanted: string | undefined): ((actual: string) => boolean) => {
    if (wanted === undefined) return () => true
    const converted = convertName(wanted)
    return (actual) => actual === wanted || actual === converted
  }
  const [isOrchestrator, isWorkload, isEndpoint] = [is(orchestrator), is(workload), is(endpoint)]
  return (found, storedWorkload) =>
    (node === undefined || found.host === node) &&
    isOrchestrator(found.orchestrator) &&
    (isWorkload(found.workload) || isWorkload(storedWorkload)) &&
    (isEndpoint(found.id) || (endpoint !== undefined && beginsId(endpoint, found.id)))
}

/** The fewest digits by which the id of an endpoint is known. */
const LEAST_OF_AN_ID = 4

/** Whether WORD is the beginning of ID, an endpoint's: of ids of hex digits only, which no one chooses. */
const beginsId = (word: string, id: string): boolean =>
  word.length >= LEAST_OF_AN_ID && /^[0-9a-f]+$/.test(word) && /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/.test(id) && id.startsWith(word)

const storedWorkload = ({place}: Endpoint): string => parseWorkloadEndpointName(place.name)?.workload ?? ''

/** Whether WORD is how the id of a container begins whose endpoint this is. */
const beginsContainer = (word: string, workload: string): boolean => /^[0-9a-f]{12,64}$/.test(word) && /^[0-9a-f]{64}$/.test(workload) && workload.startsWith(word)

/** Whether WORD is the interface of an endpoint, or one of its addresses. */
function isCalled({stored}: Endpoint, word: string): boolean {
  if (stored.resource.spec.interfaceName === word) return true
  const address = parseAddress(word)
  return address !== undefined && endpointAddresses(stored.resource).some((each) => equalAddresses(each, address))
}

/**
 * The one endpoint that WORD means among those that FILTER lets through: by its id, else by its container, else by how its id begins, else by its interface or
 * an address. Keys tell all but the last two: values are read of the endpoints that are found, and of all only where the keys gave none.
 * @throws CalicoError `not-found`, `conflict` if there are several
 */
export async function findEndpoint(session: Session, word: string, filter: EndpointFilter): Promise<Endpoint> {
  for (const keys of await keysOf(session, word, filter)) {
    const found: Endpoint[] = []
    for await (const endpoint of endpointsAt(session, keys.slice(0, MAX_NAMED))) found.push(endpoint)
    if (found.length > 0) return theOne(found, word, Math.max(found.length, keys.length > MAX_NAMED ? keys.length : 0))
  }
  const called: Endpoint[] = []
  for await (const endpoint of listEndpoints(session, filter)) if (isCalled(endpoint, word)) called.push(endpoint)
  return theOne(called, word)
}

/** The keys of the endpoints that WORD may mean by what their keys say, those that go before the others first; in each group in order. */
async function keysOf(session: Session, word: string, filter: EndpointFilter): Promise<readonly (readonly string[])[]> {
  const matches = matcher(filter)
  const id = convertName(word)
  const [byId, byContainer, byBeginning] = [[], [], []] as [string[], string[], string[]]
  const note = (key: string, identity: Identity, storedWorkload: string): void => {
    if (!matches(identity, storedWorkload)) return
    if (identity.id === word || identity.id === id) byId.push(key)
    else if (beginsContainer(word, identity.workload)) byContainer.push(key)
    else if (beginsId(word, identity.id)) byBeginning.push(key)
  }
  /** Names that are not four segments do not say whose they are. */
  const unclear: string[] = []
  for await (const {key, identity} of endpointKeys(session)) {
    if (identity) note(key, identity, identity.workload)
    else unclear.push(key)
  }
  for await (const endpoint of endpointsAt(session, unclear)) note(endpoint.stored.kv.key, endpoint, storedWorkload(endpoint))
  return [byId, byContainer, byBeginning].map((keys) => keys.sort(compareUtf8))
}

/** The keys of all endpoints, with whose they say that they are. */
async function* endpointKeys(session: Session): AsyncGenerator<{readonly key: string; readonly identity: Identity | undefined}> {
  for await (const page of listPages(session, kindPrefix('WorkloadEndpoint'), {keysOnly: true})) {
    for (const {key} of page.entries) {
      const place = parseKey(key)
      const segments = place?.type === 'resource' ? parseWorkloadEndpointName(place.name) : undefined
      yield {key, identity: segments && {host: segments.node, orchestrator: segments.orchestrator, workload: segments.workload, id: segments.endpoint}}
    }
  }
}

/** So many keys are read at once. */
const READ_AT_ONCE = 100

/** The endpoints at KEYS, in their order: those that are still there, and can be read. */
async function* endpointsAt(session: Session, keys: readonly string[]): AsyncGenerator<Endpoint> {
  for (let at = 0; at < keys.length; at += READ_AT_ONCE) {
    const {results} = await read(session, keys.slice(at, at + READ_AT_ONCE).map((get) => ({get})))
    for (const [kv] of results) {
      const stored = kv && tryParse<WorkloadEndpoint>(session, 'WorkloadEndpoint', kv)
      if (stored) yield endpointOf(session, stored)
    }
  }
}

/** How many endpoints an error names before it only counts the rest. */
const MAX_NAMED = 10

/** The one of ENDPOINTS, the first of COUNT. @throws CalicoError as findEndpoint; WORD is what the user called it */
function theOne(endpoints: readonly Endpoint[], word: string, count = endpoints.length): Endpoint {
  const [first, ...more] = endpoints
  if (first === undefined) return missing(word)
  if (more.length > 0 || count > 1) {
    const rest = count - MAX_NAMED
    throw new CalicoError('conflict', `More than one endpoint matches ${word}; nothing was done`, {
      details: [...endpoints.slice(0, MAX_NAMED).map(endpointLabel), ...(rest > 0 ? [`and ${rest} more`] : [])],
      hint: 'Use --host, --orchestrator or --workload to select one.',
    })
  }
  return first
}

function missing(word: string): never {
  throw new CalicoError('not-found', `Endpoint ${word} is unknown to Calico.`, {hint: 'To see all endpoints: calicoctl endpoint show --detailed -o wide'})
}

/** Endpoints as `endpoint show` counts them. */
export interface EndpointCount {
  readonly host: string
  readonly orchestrator: string
  readonly workloads: number
  readonly endpoints: number
}

/** How many workloads and endpoints each orchestrator has on each host, sorted. Only the count is kept of what is listed. */
export async function countEndpoints(endpoints: AsyncIterable<Endpoint>): Promise<EndpointCount[]> {
  const groups = new Map<string, {host: string; orchestrator: string; workloads: Set<string>; endpoints: number}>()
  for await (const endpoint of endpoints) {
    const {host, orchestrator, place} = endpoint
    const key = `${host}\0${orchestrator}`
    let group = groups.get(key)
    if (!group) groups.set(key, (group = {host, orchestrator, workloads: new Set(), endpoints: 0}))
    group.workloads.add(`${place.namespace ?? ''}/${storedWorkload(endpoint)}`)
    group.endpoints++
  }
  return [...groups.values()]
    .map(({workloads, ...group}) => ({...group, workloads: workloads.size}))
    .sort((a, b) => compareUtf8(a.host, b.host) || compareUtf8(a.orchestrator, b.orchestrator))
}

/** Endpoints in the order of v0.20's tables, as often as they are asked for. */
export interface SortedEndpoints extends Iterable<Endpoint> {
  readonly count: number
  /** The stored names of the profiles that they have. */
  readonly profiles: ReadonlySet<string>
}

/** ENDPOINTS, sorted. No more is kept of each than its names and, outside of the heap, its stored value: the object is made again when its turn comes. */
export async function sortEndpoints(endpoints: AsyncIterable<Endpoint> | Iterable<Endpoint>): Promise<SortedEndpoints> {
  const kept = newKept()
  const names: string[] = []
  const profiles = new Set<string>()
  for await (const {stored, ...identity} of endpoints) {
    for (const profile of stored.resource.spec.profiles ?? []) profiles.add(profile)
    kept.add(stored.kv)
    names.push(sortingName(identity))
  }
  const sorted = names.map((name, number) => ({name, number})).sort((a, b) => compareUtf8(a.name, b.name))
  const numbers = sorted.map(({number}) => number)
  return {
    count: numbers.length,
    profiles,
    *[Symbol.iterator]() {
      for (const number of numbers) yield identified(parseStored<WorkloadEndpoint>('WorkloadEndpoint', kept.at(number))).endpoint
    },
  }
}

type Identity = Pick<Endpoint, 'host' | 'orchestrator' | 'workload' | 'id'>

/** What v0.20's tables are sorted by: host, orchestrator, workload, id. */
const sortingName = ({host, orchestrator, workload, id}: Identity): string => [host, orchestrator, workload, id].join('\0')

/** How the keys of the endpoints with NAME_PREFIX begin in the namespace of all that is not Kubernetes'. */
export const endpointsUnder = (namePrefix: string): Operation => ({list: `${kindPrefix('WorkloadEndpoint')}${ENDPOINT_NAMESPACE}/${namePrefix}`})

/**
 * Makes ENDPOINT what EDIT says, which is applied anew where another client was faster.
 * @throws CalicoError `not-found` if it has been removed meanwhile; whatever EDIT throws
 */
export function editEndpoint(
  session: Session,
  {place, id}: Endpoint,
  edit: (endpoint: WorkloadEndpoint, reads: readonly (KeyValue | undefined)[]) => WorkloadEndpoint,
  {reads = []}: {reads?: readonly string[]} = {},
): Promise<ResourceChange<WorkloadEndpoint>> {
  return changeResource<WorkloadEndpoint>(
    session,
    place,
    (stored, {results}) => edit(stored ?? missing(id), results.map(([kv]) => kv)),
    {
      reads: reads.map((get) => ({get})),
      // What was read is what the decision rests on.
      guards: ({results}) => reads.map((key, i) => ({key, modRevision: results[i]?.[0]?.modRevision ?? 0n})),
    },
  )
}
