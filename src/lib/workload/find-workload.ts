/** Which workload `<CONTAINER>` means (cli-v0.20 §4.12), and entering it. */
import {lstatSync, readFileSync} from 'node:fs'
import {type Endpoint, endpointsUnder, endpointOf} from '../client/endpoints.js'
import {read, tryParse} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {Container, Engine} from '../docker/engine.js'
import {CalicoError, isError} from '../errors.js'
import {type NetworkNamespace, openNamespaceAt, openNamespaceOfProcess} from '../host/network-namespace.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {workloadEndpointNamePrefix} from '../model/workload-endpoint-name.js'
import {containerWorkload, namespaceWorkload, type Workload} from './workload.js'

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

/**
 * As {@link findWorkload}, for a workload that may be gone: an id or path that the datastore knows will do, whole or (at least 12 digits of an id)
 * as far as it is one only.
 */
export async function findPastWorkload(session: Session, engine: Engine, node: string, word: string): Promise<Workload> {
  if (word.startsWith('/') && (isThere(word) || word.includes('/', 1))) return namespaceWorkload(node, word)
  if (/^[0-9a-f]{64}$/.test(word)) return containerWorkload(node, word, {id: word})
  try {
    return (await findWorkload(engine, node, word)).workload
  } catch (error) {
    if (!isError(error, 'not-found', 'failed')) throw error
    const ids = /^[0-9a-f]{12,63}$/.test(word) ? await knownIds(session, node, word) : []
    const [id, ...more] = ids
    if (id === undefined) throw error
    if (more.length > 0) throw new CalicoError('conflict', `More than one container begins with ${word}; nothing was done`, {details: ids})
    return containerWorkload(node, word, {id})
  }
}

/** The ids of containers with an endpoint on NODE that begin with PREFIX. */
async function knownIds(session: Session, node: string, prefix: string): Promise<string[]> {
  const {results} = await read(session, [endpointsUnder(workloadEndpointNamePrefix({node, orchestrator: 'docker'}))])
  const endpoints: Endpoint[] = results.flat().flatMap((kv) => {
    const stored = tryParse<WorkloadEndpoint>(session, 'WorkloadEndpoint', kv)
    return stored ? [endpointOf(session, stored)] : []
  })
  return [...new Set(endpoints.filter(({host, orchestrator, workload}) => host === node && orchestrator === 'docker' && workload.startsWith(prefix)).map(({workload}) => workload))]
}

/** A workload whose network can be worked on. */
export interface Entered {
  readonly workload: Workload
  readonly namespace: NetworkNamespace
  /** @throws CalicoError `failed` if the container has stopped or been restarted since it was entered */
  readonly confirm: () => Promise<void>
}

/**
 * Opens the network namespace of FOUND: that of the very process that the Engine told of (decisions.md 27).
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
    throw new CalicoError('failed', `${workload.typed} was ${now.running ? 'restarted' : 'stopped'} while it was being worked on`, {hint: 'Run the command again when it is running.'})
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
  if (container.networkMode === 'host') throw new CalicoError('invalid', `${typed} has the network of the host (--net=host): it cannot get an endpoint of its own`)
}

async function inspectAgain(engine: Engine, {id}: Container, {typed}: Workload): Promise<Container> {
  try {
    return await engine.inspect(id)
  } catch (error) {
    throw isError(error, 'not-found') ? new CalicoError('failed', `${typed} was removed while it was being worked on`, {cause: error}) : error
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
  throw new CalicoError('failed', `The container's process ${pid}, of which the Docker Engine at ${address} tells, is not this host's`, {
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
