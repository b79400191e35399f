/** Running the container: the old one away, a new one made, started and waited for; nothing half-made is left (cli-v0.20 §4.3.1). */
import {CalicoError} from '../errors.js'
import type {Lifecycle} from '../docker/lifecycle.js'
import type {Session} from '../client/session.js'
import {CONTAINER_NAME, type ContainerPlan, RESTART_POLICY} from './container.js'
import {type Outcome, waitUntilReady, type WaitOptions} from './readiness.js'

export interface RunOptions extends WaitOptions {
  /** False: go on until the container ends. */
  readonly detach: boolean
  /** The container runs. */
  readonly onStarted: (id: string) => void
  /** The container is ready; only with detach false something follows. */
  readonly onReady: () => void
  readonly note: (text: string) => void
}

/**
 * Makes PLAN's container the only one of its name and runs it.
 * @throws CalicoError `failed` if it does not stay up: it is stopped then; `unknown` if it is not ready in time: it goes on then
 */
export async function runNode(session: Session, engine: Lifecycle, plan: ContainerPlan, options: RunOptions): Promise<void> {
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
    await removeOld(engine, options.note)
    if (isInterrupted()) await forEver()
    creation = engine.create({
      name: CONTAINER_NAME,
      image: plan.image,
      environment: plan.environment.map(({name, value}) => `${name}=${value}`),
      binds: plan.mounts.map(({source, target, readOnly}) => `${source}:${target}${readOnly ? ':ro' : ''}`),
      restartPolicy: RESTART_POLICY,
    })
    const id = await creation
    if (isInterrupted()) await forEver()
    await startOrRemove(engine, id)
    options.onStarted(id)
    const outcome = await waitUntilReady(engine, id, options)
    if (outcome.type !== 'ready') throw await failureOf(engine, id, outcome, options)
    options.onReady()
    if (!options.detach) await attach(engine, id, options)
  } catch (error) {
    if (isInterrupted()) await forEver()
    throw error
  } finally {
    writes.undo = undefined
  }
}

/** The end of the process comes from the signal's handler. */
const forEver = (): Promise<never> => new Promise(() => undefined)

async function removeOld(engine: Lifecycle, note: (text: string) => void): Promise<void> {
  const old = await engine.state(CONTAINER_NAME)
  if (!old) return
  await engine.remove(old.id)
  note(`The container ${CONTAINER_NAME} that was there before was removed (${old.id.slice(0, 12)}).`)
}

async function startOrRemove(engine: Lifecycle, id: string): Promise<void> {
  try {
    await engine.start(id)
  } catch (error) {
    await engine.remove(id).catch(() => undefined)
    throw error
  }
}

async function failureOf(engine: Lifecycle, id: string, outcome: Exclude<Outcome, {type: 'ready'}>, {timeoutMs, want}: RunOptions): Promise<CalicoError> {
  const {type, why, lines} = outcome
  const log = lines.length === 0 ? [] : ['Its last lines:', ...lines.map((line) => `  ${line}`)]
  if (type === 'late') {
    const silent = lines.length === 0 ? ['It has written nothing: a calico-node that cannot reach its datastore waits in silence.'] : []
    return new CalicoError('unknown', `calico-node runs, but was not ${want} within ${timeoutMs / 1000} s: ${why}`, {
      details: [...log, ...silent],
      hint: `The container goes on; look again with: calicoctl status. Its log: docker logs ${CONTAINER_NAME}`,
    })
  }
  // Left alone, the Engine would start it again for ever.
  await engine.stop(id)
  return new CalicoError('failed', `calico-node does not stay up: ${why}`, {details: log, hint: `The container was stopped and kept; all of its log: docker logs ${CONTAINER_NAME}`})
}

/** Goes on giving the log until the container ends, which is never a success (cli-v0.20 §4.3.1). */
async function attach(engine: Lifecycle, id: string, {onLine}: RunOptions): Promise<void> {
  const since = new Date().toISOString()
  await engine.follow(id, {since, onLine, stop: new AbortController().signal})
  const state = await engine.state(id)
  await engine.stop(id)
  throw new CalicoError('failed', state ? `calico-node ended with exit code ${state.exitCode}` : 'calico-node was removed by somebody else', {hint: `The container ${CONTAINER_NAME} was stopped.`})
}
