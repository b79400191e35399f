/** Running the container: the old one away, a new one made, started and waited for; nothing half-made is left (cli-v0.20 §4.3.1). */
import {CalicoError} from '../errors.js'
import type {ContainerDetails} from '../docker/details.js'
import {imageDetails} from '../docker/images.js'
import type {Lifecycle} from '../docker/lifecycle.js'
import type {Session} from '../client/session.js'
import {CONTAINER_NAME, type ContainerPlan, quoteForShell} from './container.js'
import {followLog, type NodeLog} from './node-log.js'
import {DEFAULT_IMAGE} from './options.js'
import {type Outcome, waitUntilReady} from './readiness.js'
import {type Comparison, containerSpec, removedLines} from './same-container.js'

export interface RunOptions {
  readonly want: 'ready' | 'started'
  readonly timeoutMs: number
  /** With BIRD. */
  readonly networking: boolean
  /** False: go on until the container ends. */
  readonly detach: boolean
  /** Given the lines of its log that are to be shown. */
  readonly onLine: (line: string) => void
  /** The container runs. */
  readonly onStarted: (id: string) => void
  /** The container is ready. In the foreground, what it does ends before the wait for the container's end begins. */
  readonly onReady: () => void | Promise<void>
  readonly note: (text: string) => void
}

/**
 * Makes PLAN's container the only one of its name and runs it; BEFORE is what was found of that name.
 * @throws CalicoError `failed` if it does not stay up: it is stopped then; `unknown` if it is not ready in time: it goes on then
 */
export async function runNode(session: Session, engine: Lifecycle, plan: ContainerPlan, {differences}: Pick<Comparison, 'differences'>, options: RunOptions): Promise<void> {
  const {writes} = session
  let interrupted = false
  const isInterrupted = (): boolean => interrupted
  let creation: Promise<string> | undefined
  writes.undo = async () => {
    interrupted = true
    const id = await creation?.catch(() => undefined)
    if (id === undefined) return 'No container was started.'
    if (options.detach) {
      await engine.remove(id)
      return `The container ${CONTAINER_NAME} was removed again.`
    }
    await engine.stop(id)
    return `The container ${CONTAINER_NAME} was stopped.`
  }
  try {
    await removeOld(engine, differences, options.note)
    if (isInterrupted()) await forEver()
    creation = engine.create(containerSpec(plan))
    const id = await creation
    if (isInterrupted()) await forEver()
    await startOrRemove(engine, id, plan)
    options.onStarted(id)
    await watch(engine, {id, image: plan.image, restartsBefore: 0, from: 'start'}, options)
  } catch (error) {
    if (isInterrupted()) await forEver()
    throw error
  } finally {
    writes.undo = undefined
  }
}

/**
 * Makes sure that FOUND, a container that runs and is as planned, is ready; it is neither replaced nor started anew.
 * @throws CalicoError as {@link runNode} does
 */
export async function keepNode(session: Session, engine: Lifecycle, found: ContainerDetails, options: RunOptions): Promise<void> {
  const {writes} = session
  let interrupted = false
  const isInterrupted = (): boolean => interrupted
  writes.undo = () => {
    interrupted = true
    return Promise.resolve(`The container ${CONTAINER_NAME}, which was running before, was not changed.`)
  }
  try {
    options.note(`The container ${CONTAINER_NAME} is already running and was not changed.`)
    options.onStarted(found.id)
    await watch(engine, {id: found.id, image: found.image, restartsBefore: found.restarts, from: 'now'}, options)
  } catch (error) {
    if (isInterrupted()) await forEver()
    throw error
  } finally {
    writes.undo = undefined
  }
}

interface Watched {
  readonly id: string
  readonly image: string
  readonly restartsBefore: number
  /** From where its log is read. */
  readonly from: 'start' | 'now'
}

/** Waits until the container is ready; in the foreground, until it ends. */
async function watch(engine: Lifecycle, {id, image, restartsBefore, from}: Watched, options: RunOptions): Promise<void> {
  const log = followLog(engine, id, {from, foreground: !options.detach, onLine: options.onLine})
  try {
    const outcome = await waitUntilReady(engine, id, {...options, log, restartsBefore})
    if (outcome.type !== 'ready') throw await failureOf(engine, id, image, outcome, options)
    await options.onReady()
    if (!options.detach) await attach(engine, id, log)
  } finally {
    await log.stop()
  }
}

/** The end of the process comes from the signal's handler. */
const forEver = (): Promise<never> => new Promise(() => undefined)

async function removeOld(engine: Lifecycle, differences: readonly string[], note: (text: string) => void): Promise<void> {
  const old = await engine.state(CONTAINER_NAME)
  if (!old) return
  await engine.remove(old.id)
  removedLines(CONTAINER_NAME, old.id, differences).forEach(note)
}

async function startOrRemove(engine: Lifecycle, id: string, {image}: ContainerPlan): Promise<void> {
  try {
    await engine.start(id)
  } catch (error) {
    await engine.remove(id).catch(() => undefined)
    if (!(error instanceof CalicoError)) throw error
    const {kind, message, details, hint} = error
    throw new CalicoError(kind, `The container ${CONTAINER_NAME} of the image ${image} could not be started: ${message}`, {details, ...(hint === undefined ? {} : {hint}), cause: error})
  }
}

async function failureOf(engine: Lifecycle, id: string, image: string, outcome: Exclude<Outcome, {type: 'ready'}>, {timeoutMs, want}: RunOptions): Promise<CalicoError> {
  if (outcome.type === 'stranger') {
    // Not stopped: whatever it is may ignore SIGTERM, and no one looks for its log here.
    await engine.remove(id)
    return strangerError(image)
  }
  const {type, why, lines} = outcome
  const log = lines.length === 0 ? [] : ['Its last lines:', ...lines.map((line) => `  ${line}`)]
  if (type === 'late') {
    const silent = lines.length === 0 ? ['It has written no log. A calico-node that cannot reach its datastore waits without a message.'] : []
    return new CalicoError('unknown', `calico-node is running, but was not ${want} within ${timeoutMs / 1000} s: ${why}`, {
      details: [...log, ...silent],
      hint: `The container keeps running. To check again: calicoctl status. For its log: docker logs ${CONTAINER_NAME}`,
    })
  }
  // Left alone, the Engine would start it again for ever.
  await engine.stop(id)
  return new CalicoError('failed', `calico-node stopped: ${why}`, {details: log, hint: `The container was stopped and kept. For its log: docker logs ${CONTAINER_NAME}`})
}

/** The image IMAGE runs, but is not calico/node: what it is instead. */
async function strangerError(image: string): Promise<CalicoError> {
  const details = await imageDetails(image).catch(() => undefined)
  const runs = details === undefined || details.command.length === 0 ? [] : [`Its command: ${details.command.map(quoteForShell).join(' ')}`]
  return new CalicoError('failed', `The image ${image} is not calico/node: it does not contain the program calico-node`, {
    details: runs,
    hint: `Give an image of calico/node with --node-image; the default is ${DEFAULT_IMAGE}. The container was removed again.`,
  })
}

/** Goes on giving the log until the container ends, which is never a success (cli-v0.20 §4.3.1). */
async function attach(engine: Lifecycle, id: string, log: NodeLog): Promise<never> {
  await log.ended
  const state = await engine.state(id)
  await engine.stop(id)
  throw new CalicoError('failed', state ? `calico-node ended with exit code ${state.exitCode}` : 'calico-node was removed by another process', {hint: `The container ${CONTAINER_NAME} was stopped.`})
}
