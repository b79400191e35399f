/** The driver as a container: made anew only where something of its plan has changed (mesos-docker §3.9). */
import {type ContainerDetails, containerDetails} from '../../docker/details.js'
import {imageDetails} from '../../docker/images.js'
import type {ContainerSpec, Lifecycle} from '../../docker/lifecycle.js'
import {type ContainerPlan, RESTART_POLICY} from '../container.js'
import {DRIVER_NAME} from './plan.js'

/** The container of PLAN as the Engine takes it. */
export const containerSpec = ({image, environment, mounts, pidMode}: ContainerPlan): ContainerSpec => ({
  name: DRIVER_NAME,
  image,
  environment: environment.map(({name, value}) => `${name}=${value}`),
  binds: mounts.map(({source, target, readOnly}) => `${source}:${target}${readOnly ? ':ro' : ''}`),
  restartPolicy: RESTART_POLICY,
  ...(pidMode === undefined ? {} : {pidMode}),
})

/** Whether the container FOUND is the one that SPEC would make of IMAGE, which gives it variables of its own. Pure. */
export function isSameContainer(found: Pick<ContainerDetails, 'imageId' | 'environment' | 'binds'>, spec: ContainerSpec, image: {readonly id: string; readonly environment: readonly string[]}): boolean {
  const wanted = new Map<string, string>()
  for (const line of [...image.environment, ...spec.environment]) wanted.set(line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1))
  return (
    found.imageId === image.id &&
    found.environment.size === wanted.size &&
    [...wanted].every(([name, value]) => found.environment.get(name) === value) &&
    sorted(found.binds) === sorted(spec.binds)
  )
}

const sorted = (texts: readonly string[]): string => [...texts].sort().join('\n')

export interface Replacement {
  readonly id: string
  /** The id of the container that was there before and is gone. */
  readonly removed: string | undefined
  /** It was made or started; else it ran already. */
  readonly started: boolean
}

/** Makes PLAN's container the one of its name, and run. @throws CalicoError as those of Lifecycle do */
export async function runDriverContainer(engine: Lifecycle, plan: ContainerPlan): Promise<Replacement> {
  const spec = containerSpec(plan)
  const [found, image] = await Promise.all([containerDetails(DRIVER_NAME), imageDetails(plan.image)])
  const state = found && (await engine.state(found.id))
  if (found && image && state?.restartPolicy === RESTART_POLICY && isSameContainer(found, spec, image)) {
    if (state.running && !state.restarting) return {id: found.id, removed: undefined, started: false}
    await engine.start(found.id)
    return {id: found.id, removed: undefined, started: true}
  }
  if (found) await engine.remove(found.id)
  const id = await engine.create(spec)
  try {
    await engine.start(id)
  } catch (error) {
    await engine.remove(id).catch(() => undefined)
    throw error
  }
  return {id, removed: found?.id, started: true}
}
