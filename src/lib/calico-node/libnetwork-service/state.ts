/** Whether the driver is on this host, as what, and whether it answers. */
import {type ContainerDetails, containerDetails} from '../../docker/details.js'
import {isError} from '../../errors.js'
import {DRIVER_NAME, DRIVER_SOCKET} from './plan.js'
import {askDriver, type SocketAnswer} from './socket.js'
import {isUnitInstalled, isUp, type UnitState, unitState} from './systemd.js'

/** Both where someone has put both there. */
export interface DriverForms {
  readonly unit: UnitState | undefined
  readonly container: ContainerDetails | undefined
}

/** What of the driver is on this host; without ENGINE, no container. @throws CalicoError if the Engine does not answer */
export async function driverForms({engine = true}: {engine?: boolean} = {}): Promise<DriverForms> {
  const [unit, container] = await Promise.all([isUnitInstalled() ? unitOrUnknown() : undefined, engine ? containerDetails(DRIVER_NAME) : undefined])
  return {unit, container}
}

/** The unit's file is there: without systemd, which runs it, it does nothing. */
async function unitOrUnknown(): Promise<UnitState> {
  try {
    return await unitState()
  } catch (error) {
    if (!isError(error)) throw error
    return {active: 'unknown', sub: error.message, enabled: false, outdated: false, since: undefined, restarts: 0}
  }
}

export const isContainerUp = ({state}: ContainerDetails): boolean => state === 'running' || state === 'restarting' || state === 'paused'

export interface DriverStatus {
  /** How it is installed; with both forms, the one that runs. */
  readonly form: 'unit' | 'container' | 'none'
  readonly running: boolean
  /** systemd's or the Engine's word for what it does; '' where it is not installed. */
  readonly state: string
  /** ISO 8601; undefined if it does not run. */
  readonly since: string | undefined
  readonly restarts: number
  readonly socket: SocketAnswer
}

/** Everything about the driver of this host, which is asked too. @throws CalicoError if the Engine does not answer */
export async function driverStatus(options: {engine?: boolean} = {}): Promise<DriverStatus> {
  const [forms, socket] = await Promise.all([driverForms(options), askDriver(DRIVER_SOCKET)])
  return describeDriver(forms, socket)
}

/** FORMS and what the SOCKET said, in one. Pure. */
export function describeDriver({unit, container}: DriverForms, socket: SocketAnswer): DriverStatus {
  const unitRuns = unit !== undefined && isUp(unit)
  if (unit && (unitRuns || !container || !isContainerUp(container))) {
    return {form: 'unit', running: unitRuns, state: `${unit.active} (${unit.sub})`, since: unit.since?.toISOString(), restarts: unit.restarts, socket}
  }
  if (!container) return {form: 'none', running: false, state: '', since: undefined, restarts: 0, socket}
  const running = container.state === 'running'
  return {form: 'container', running: isContainerUp(container), state: container.state, since: running ? container.startedAt : undefined, restarts: container.restarts, socket}
}

/** What is wrong with the driver, sentences. One that is not installed is not missed. Pure. */
export function driverProblems({form, running, state, socket}: DriverStatus): string[] {
  if (form === 'none') return []
  const what = form === 'unit' ? 'The unit calico-libnetwork' : 'The container calico-libnetwork'
  if (!running) return [`${what}, the driver for Docker networks, does not run: it is ${state}.`]
  return socket.state === 'silent' ? [`${what}, the driver for Docker networks, does not answer: ${socket.why}.`] : []
}
