/** Starting, stopping and removing the driver as a service of this host (cli-v0.20 §4.3.1, §4.3.2; mesos-docker §3.9). */
import {append} from '../../append.js'
import {engineAddress} from '../../docker/engine.js'
import type {Lifecycle} from '../../docker/lifecycle.js'
import {engineVersions, isApiAtLeast, LEAST_API_LIBNETWORK} from '../../docker/version.js'
import {CalicoError, isError} from '../../errors.js'
import type {ContainerPlan, Variable} from '../container.js'
import {runDriverContainer} from './driver-container.js'
import {listed, removedLines} from '../same-container.js'
import {DRIVER_NAME, DRIVER_SOCKET, DRIVER_UNIT} from './plan.js'
import {waitForDriver} from './socket.js'
import {type DriverStatus, driverForms, isContainerUp} from './state.js'
import {installUnit, isUp, ownUnitFiles, removeUnit, stopUnit, unitLog, unitState} from './systemd.js'
import {DRIVER_ENVIRONMENT_FILE, driverEnvironmentFile, type DriverProgram, DRIVER_UNIT_FILE, driverUnit} from './unit.js'

/** How the driver is to run. */
export type DriverPlan =
  | {readonly form: 'unit'; readonly program: DriverProgram; readonly variables: readonly Variable[]}
  | {readonly form: 'container'; readonly container: ContainerPlan}

const ANSWER_LIMIT_MS = 10_000
const LINES_SHOWN = 20

/** @throws CalicoError `failed` if the Engine's API has no networks of plugins (v0.20's words) */
export async function requireNetworkPlugins(): Promise<void> {
  const {version, api} = await engineVersions()
  if (isApiAtLeast(api, LEAST_API_LIBNETWORK)) return
  throw new CalicoError('failed', 'Docker Version does not support Libnetwork.', {details: [`Docker ${version} at ${engineAddress()} has API ${api}; ${LEAST_API_LIBNETWORK} is needed.`], hint: 'Install a newer Docker Engine.'})
}

/** Refuses to put the service beside a driver that another process runs. @throws CalicoError `refused` */
export function refuseOthersDriver({running, socket}: DriverStatus): void {
  if (running || socket.state !== 'answers') return
  throw new CalicoError('refused', `A driver other than the unit or the container ${DRIVER_NAME} is listening on ${DRIVER_SOCKET}; nothing was changed`, {
    hint: 'Stop it first (it may be calicoctl libnetwork serve in a shell), or start the node without --libnetwork.',
  })
}

/** What a start of the driver did. */
export interface Started {
  /** The container's id, or the unit's name. */
  readonly id: string
  /** For people, a line each. */
  readonly notes: readonly string[]
}

/**
 * Makes PLAN's driver the only one of this host, and waits until it answers. One that is as planned goes on as it is.
 * @throws CalicoError `failed` if it does not stay up: it is stopped then; `unknown` if it does not answer in time: it goes on then
 */
export async function startDriver(engine: Lifecycle | undefined, plan: DriverPlan): Promise<Started> {
  return plan.form === 'unit' ? startUnit(engine, plan) : startContainer(engine, plan)
}

async function startUnit(engine: Lifecycle | undefined, {program, variables}: Extract<DriverPlan, {form: 'unit'}>): Promise<Started> {
  const notes: string[] = []
  const old = await engine?.state(DRIVER_NAME)
  if (old) {
    await engine?.remove(old.id)
    notes.push(`The container ${DRIVER_NAME} was removed: the driver now runs under systemd.`)
  }
  const ended = async (): Promise<string | undefined> => {
    const state = await unitState()
    return isUp(state) && state.restarts === 0 ? undefined : `the unit is ${state.active} (${state.sub})${state.restarts > 0 ? `, started again ${state.restarts} times` : ''}`
  }
  let installation: Awaited<ReturnType<typeof installUnit>>
  try {
    installation = await installUnit({unit: driverUnit(program), environment: driverEnvironmentFile(variables, {secrets: true})})
  } catch (error) {
    if (!isError(error)) throw error
    throw await unitFailure([error.message, ...error.details].join('; '))
  }
  append(notes, installation.written.map((path) => `${path} was written.`))
  append(notes, listed('Changed variables:', installation.differences))
  notes.push(installation.started ? `${DRIVER_UNIT} was started.` : `${DRIVER_UNIT} is already running and was not changed.`)
  const answer = await waitForDriver(DRIVER_SOCKET, ANSWER_LIMIT_MS, installation.started ? ended : () => Promise.resolve(undefined))
  if (answer.state === 'answers') return {id: DRIVER_UNIT, notes}
  const why = await ended()
  throw why === undefined ? late(answer.why, await unitLog(LINES_SHOWN), `journalctl -u ${DRIVER_NAME}`) : await unitFailure(why)
}

/** Left alone, systemd would start it again for ever. */
async function unitFailure(why: string): Promise<CalicoError> {
  const log = await unitLog(LINES_SHOWN)
  await stopUnit().catch(() => undefined)
  return failure(why, log, `The unit was stopped and kept. For its log: journalctl -u ${DRIVER_NAME}`)
}

async function startContainer(engine: Lifecycle | undefined, {container}: Extract<DriverPlan, {form: 'container'}>): Promise<Started> {
  if (!engine) throw new CalicoError('invalid', 'Without a Docker Engine, the driver requires systemd')
  const notes: string[] = []
  const {unit} = await driverForms()
  if (unit) {
    await removeUnit()
    notes.push(`${DRIVER_UNIT} was stopped and removed: the driver now runs in a container.`)
  }
  const {id, removed, differences, started} = await runDriverContainer(engine, container)
  if (removed !== undefined) append(notes, removedLines(DRIVER_NAME, removed, differences))
  if (!started) notes.push(`The container ${DRIVER_NAME} is already running and was not changed.`)
  const before = (await engine.state(id))?.restartCount ?? 0
  const ended = async (): Promise<string | undefined> => {
    const state = await engine.state(id)
    if (!state) return 'its container was removed'
    if (state.running && !state.restarting && state.restartCount === before) return undefined
    return `its container ended with exit code ${state.exitCode}`
  }
  const answer = await waitForDriver(DRIVER_SOCKET, ANSWER_LIMIT_MS, ended)
  if (answer.state === 'answers') return {id, notes}
  const why = await ended()
  const log = await engine.tail(id, LINES_SHOWN).catch(() => [])
  if (why === undefined) throw late(answer.why, log, `docker logs ${DRIVER_NAME}`)
  await engine.stop(id)
  throw failure(why, log, `The container was stopped and kept. For its log: docker logs ${DRIVER_NAME}`)
}

const lastLines = (log: readonly string[]): string[] => (log.length === 0 ? [] : ['Its last lines:', ...log.map((line) => `  ${line}`)])

const failure = (why: string, log: readonly string[], hint: string): CalicoError =>
  new CalicoError('failed', `calico-node is running, but its driver for Docker networks stopped: ${why}`, {details: lastLines(log), hint})

const late = (why: string, log: readonly string[], where: string): CalicoError =>
  new CalicoError('unknown', `The driver for Docker networks was started, but did not answer within ${ANSWER_LIMIT_MS / 1000} s: ${why}`, {
    details: lastLines(log),
    hint: `It keeps running. To check again: calicoctl status. For its log: ${where}`,
  })

/** PLAN for people and for a dry run, without secrets. */
export function driverUnitText({program, variables}: Extract<DriverPlan, {form: 'unit'}>): string {
  return `# ${DRIVER_UNIT_FILE}\n${driverUnit(program)}\n# ${DRIVER_ENVIRONMENT_FILE}\n${driverEnvironmentFile(variables, {secrets: false})}`
}

/** Stops the driver; what ran and was stopped, or would be: `unit`, `container`. ENGINE is undefined on a host without one. */
export async function stopDriver(engine: Lifecycle | undefined, {dryRun}: {dryRun: boolean}): Promise<('unit' | 'container')[]> {
  const {unit, container} = await driverForms({engine: engine !== undefined})
  const stopped: ('unit' | 'container')[] = []
  if (unit && isUp(unit)) {
    if (!dryRun) await stopUnit()
    stopped.push('unit')
  }
  if (container && isContainerUp(container)) {
    if (!dryRun) await engine?.stop(container.id)
    stopped.push('container')
  }
  return stopped
}

/** Refuses to remove a driver that runs; without ENGINE, as a unit only. @throws CalicoError `refused` */
export async function refuseRunningDriver(options: {engine: boolean}): Promise<void> {
  const {unit, container} = await driverForms(options)
  if (!(unit && isUp(unit)) && !(container && isContainerUp(container))) return
  throw new CalicoError('refused', 'The driver for Docker networks is running on this host; nothing was removed', {hint: 'Stop it first: calicoctl node stop --force'})
}

/** Removes the driver, which does not run; what of it was there, or would be removed. ENGINE is undefined on a host without one. */
export async function removeDriver(engine: Lifecycle | undefined, {dryRun}: {dryRun: boolean}): Promise<string[]> {
  const {unit, container} = await driverForms({engine: engine !== undefined})
  const files = unit ? ownUnitFiles() : []
  if (unit && !dryRun) await removeUnit()
  if (container && !dryRun) await engine?.remove(container.id)
  return [...files, ...(container ? [`Container ${DRIVER_NAME}`] : [])]
}
