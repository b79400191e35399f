/** What the Engine tells of one container to those who watch over it. */
import type Dockerode from 'dockerode'
import {containerDetailsOf, listedContainersOf} from './answers.js'
import {askEngine, engineAddress, EngineError, type EngineOptions, strange} from './engine.js'

export interface ContainerDetails {
  /** 64 hex digits. */
  readonly id: string
  /** `running`, `restarting`, `paused`, `exited`, `created`, `dead`. */
  readonly state: string
  /** The Engine's own words: `Up 3 minutes`. */
  readonly status: string
  /** How often the Engine started it again after it had ended. */
  readonly restarts: number
  /** Of its last end. */
  readonly exitCode: number
  /** ISO 8601. */
  readonly startedAt: string
  readonly finishedAt: string
  readonly image: string
  /** Of the image that it was made of, whatever has that name by now. */
  readonly imageId: string
  readonly labels: Readonly<Record<string, string>>
  readonly environment: ReadonlyMap<string, string>
  /** Folders of this host by where the container has them. */
  readonly mounts: ReadonlyMap<string, string>
  /** What was bound: `source:target[:ro]`. */
  readonly binds: readonly string[]
  /** The program that it runs, with its arguments. */
  readonly command: readonly string[]
  readonly privileged: boolean
  /** `host`, `bridge`, … */
  readonly networkMode: string
  /** `host`, or '' for a container with processes of its own. */
  readonly pidMode: string
  /** `no`, `always`, `unless-stopped`, … */
  readonly restartPolicy: string
}

const TIME_LIMIT_MS = 4_000

/**
 * The container NAME, running or not; undefined if there is none.
 * @throws CalicoError as the methods of Engine do
 */
export async function containerDetails(name: string, {env = process.env, timeLimitMs = TIME_LIMIT_MS}: EngineOptions = {}): Promise<ContainerDetails | undefined> {
  const address = engineAddress(env)
  const ask = <T>(question: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>): Promise<T> => askEngine(address, timeLimitMs, question)
  // The Engine's filter finds every name that contains this one.
  const found = await ask((docker, abortSignal) => docker.listContainers({all: true, filters: {name: [name]}, abortSignal}))
  const listed = (listedContainersOf(found) ?? strange(address)).find(({names}) => names.includes(`/${name}`))
  if (!listed) return undefined
  try {
    return containerDetailsOf(await ask((docker, abortSignal) => docker.getContainer(listed.id).inspect({abortSignal})), listed.status) ?? strange(address)
  } catch (error) {
    // Removed between the two questions.
    if (error instanceof EngineError && error.status === 404) return undefined
    throw error
  }
}
