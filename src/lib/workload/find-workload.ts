/** Which workload `<CONTAINER>` means (cli-v0.20 §4.12), and entering it. */
import {lstatSync, readFileSync} from 'node:fs'
import {isContainer} from '../client/endpoint-workload.js'
import type {Endpoint} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import type {Container, Engine} from '../docker/engine.js'
import {CalicoError, isError} from '../errors.js'
import {type NetworkNamespace, openNamespaceAt, openNamespaceOfProcess} from '../host/network-namespace.js'
import {containerNameOf, containerWorkload, findEndpoints, namespaceWorkload, namespaceWorkloadOfId, type Workload} from './workload.js'

/** A workload that is there, as its runtime describes it. */
export type Found = {readonly workload: Workload; readonly container: Container} | {readonly workload: Workload; readonly path: string}

/** The workload that WORD means: the path of a namespace that exists, else a container. @throws CalicoError as Engine.inspect */
export async function findWorkload(engine: Engine, node: string, word: string): Promise<Found> {
  if (word.startsWith('/') && isThere(word)) return {workload: namespaceWorkload(node, word), path: word}
  const container = await engine.inspect(word)
  return {workload: containerWorkload(node, word, container), container}
}

/** Whether there is anything at PATH; what it leads to may be closed to us. */
const isThere = (path: string): boolean => lstatSync(path, {throwIfNoEntry: false}) !== undefined

/** A workload that may be gone. */
export interface Past {
  readonly workload: Workload
  /** What the Engine says of it, if it was asked and knows it. */
  readonly container?: Container
  /** The Engine does not know it any more. */
  readonly gone?: boolean
}

/**
 * As {@link findWorkload}, for a workload that may be gone: an id, path or name that the datastore knows will do, whole or (at least 12 digits of an
 * id) as far as it is one only.
 * @throws CalicoError as Engine.inspect; `conflict` if several of those that are gone may be meant, or the name is one that a container has lost
 */
export async function findPast(session: Session, engine: Engine, node: string, word: string): Promise<Past> {
  if (word.startsWith('/') && (isThere(word) || word.includes('/', 1))) return {workload: namespaceWorkload(node, word)}
  if (/^-./.test(word)) return {workload: namespaceWorkloadOfId(node, word)} // no container is called so
  if (/^[0-9a-f]{64}$/.test(word)) return {workload: containerWorkload(node, word, {id: word})}
  try {
    const container = await engine.inspect(word)
    return {workload: containerWorkload(node, word, container), container}
  } catch (error) {
    if (!isError(error, 'not-found', 'failed')) throw error
    const isBeginning = /^[0-9a-f]{12,63}$/.test(word)
    const stored = isBeginning || isError(error, 'not-found') ? await storedContainers(session, node) : []
    const begun = isBeginning ? stored.filter(({workload}) => workload.startsWith(word)) : []
    // Only where the Engine says that no one is called so now.
    const called = isError(error, 'not-found') ? stored.filter((endpoint) => containerNameOf(endpoint) === word) : []
    const id = oneOf(word, begun) ?? oneOf(word, called)
    if (id === undefined) throw error
    if (begun.length === 0) await refuseRenamed(engine, id, word)
    const name = called.length > 0 && begun.length === 0 ? word : undefined
    return {workload: containerWorkload(node, word, {id, ...(name === undefined ? {} : {name})}), gone: isError(error, 'not-found')}
  }
}

/** The one container that ENDPOINTS are of. @throws CalicoError `conflict` if there are several */
function oneOf(word: string, endpoints: readonly Endpoint[]): string | undefined {
  const [id, ...more] = new Set(endpoints.map(({workload}) => workload))
  if (id === undefined || more.length === 0) return id
  throw new CalicoError('conflict', `${word} is ambiguous: it matches several deleted containers; nothing was done`, {details: [id, ...more], hint: 'Give its id.'})
}

/** @throws CalicoError `conflict` if the container ID, whose endpoint says that it was called WORD, is still there: it is called otherwise now */
async function refuseRenamed(engine: Engine, id: string, word: string): Promise<void> {
  let name: string
  try {
    ;({name} = await engine.inspect(id))
  } catch (error) {
    if (isError(error, 'not-found')) return
    throw error
  }
  throw new CalicoError('conflict', `The container that was named ${word} is now named ${name}; nothing was done`, {hint: `If you mean this container, give its new name, or its id: ${id.slice(0, 12)}`})
}

/** The endpoints of containers on NODE that `container add` made. */
const storedContainers = async (session: Session, node: string): Promise<Endpoint[]> => (await findEndpoints(session, [{node, orchestrator: 'docker'}])).filter(isContainer)

/** A workload whose network can be worked on. */
export interface Entered {
  readonly workload: Workload
  readonly namespace: NetworkNamespace
  /** @throws CalicoError `failed` if the container has stopped or been restarted since it was entered */
  readonly confirm: () => Promise<void>
}

/**
 * Opens the network namespace of FOUND: that of the very process that the Engine named (decisions.md 27).
 * @throws CalicoError `failed` if it does not run; `invalid` if it has the host's network
 */
export async function enter(engine: Engine, found: Found): Promise<Entered> {
  requireRunning(found)
  const {workload} = found
  if ('path' in found) return {workload, namespace: openNamespaceAt(found.path), confirm: () => Promise.resolve()}
  const {container} = found
  requireOwnProcess(engine, container)
  const namespace = openNamespaceOfProcess(container.pid)
  const confirm = async (): Promise<void> => {
    const now = await inspectAgain(engine, container, workload)
    if (now.running && now.startedAt === container.startedAt && now.pid === container.pid) return
    throw new CalicoError('failed', `${workload.typed} was ${now.running ? 'restarted' : 'stopped'} during the command`, {hint: 'Run the command again when it is running.'})
  }
  try {
    await confirm()
  } catch (error) {
    namespace.close()
    throw error
  }
  return {workload, namespace, confirm}
}

/** @throws CalicoError as {@link enter}, as far as the Engine itself tells it */
export function requireRunning(found: Found): void {
  if ('path' in found) return
  const {workload: {typed}, container} = found
  if (!container.running) throw new CalicoError('failed', `${typed} is not currently running.`, {hint: `Start it with: docker start ${typed}`})
  if (container.networkMode === 'host') throw new CalicoError('invalid', `The container ${container.name} uses the network of the host (--net=host), so it cannot have its own endpoint`, {hint: 'Start it with another network, such as: docker run --net=none'})
}

async function inspectAgain(engine: Engine, {id}: Container, {typed}: Workload): Promise<Container> {
  try {
    return await engine.inspect(id)
  } catch (error) {
    throw isError(error, 'not-found') ? new CalicoError('failed', `${typed} was removed during the command`, {cause: error}) : error
  }
}

/** How far the start of a process may be from what the Engine noted: clocks are set now and then. */
const START_TOLERANCE_S = 10

/**
 * An Engine elsewhere, or in another pid namespace (its socket can be mounted into a container), speaks of processes that are not ours, whose numbers
 * mean others here. Ours is in the container's control group, or, where the Engine makes none, began when the container did.
 */
function requireOwnProcess({address, local}: Engine, {id, pid, startedAt}: Container): void {
  if (readProc(pid, 'cgroup').includes(id)) return
  const started = local ? startTime(pid) : undefined
  if (started !== undefined && Math.abs(started - Date.parse(startedAt) / 1000) < START_TOLERANCE_S) return
  throw new CalicoError('failed', `The container's process ${pid}, reported by the Docker Engine at ${address}, does not run on this host`, {
    hint: 'Run the command on the host of the container; in a container, with --pid host.',
  })
}

/** A file of process PID; empty if there is no such process here. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Clock ticks in a second, the same on every Linux that Node runs on. */
const TICKS = 100

/** When process PID began, in seconds since 1970. */
function startTime(pid: number): number | undefined {
  const stat = readProc(pid, 'stat')
  // Field 22; field 2, the name in parentheses, may contain anything.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]
  return ticks === undefined || boot === undefined ? undefined : Number(boot) + Number(ticks) / TICKS
}
