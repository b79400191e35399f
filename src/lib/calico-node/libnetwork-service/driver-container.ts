/** The driver as a container: made anew only where something of its plan has changed (mesos-docker §3.9). */
import type {Lifecycle} from '../../docker/lifecycle.js'
import type {ContainerPlan} from '../container.js'
import {comparePlanned, containerSpec} from '../same-container.js'

export interface Replacement {
  readonly id: string
  /** The id of the container that was there before and is gone. */
  readonly removed: string | undefined
  /** What was not as planned. */
  readonly differences: readonly string[]
  /** It was made or started; else it ran already. */
  readonly started: boolean
}

/** Makes PLAN's container the one of its name, and run. @throws CalicoError as those of Lifecycle do */
export async function runDriverContainer(engine: Lifecycle, plan: ContainerPlan): Promise<Replacement> {
  const {found, keep, differences} = await comparePlanned(plan)
  if (found && differences.length === 0) {
    if (!keep) await engine.start(found.id)
    return {id: found.id, removed: undefined, differences, started: !keep}
  }
  if (found) await engine.remove(found.id)
  const id = await engine.create(containerSpec(plan))
  try {
    await engine.start(id)
  } catch (error) {
    await engine.remove(id).catch(() => undefined)
    throw error
  }
  return {id, removed: found?.id, differences, started: true}
}
