/** The calico-node container of this host: whether it runs, and whether Felix and BIRD in it are ready (calico-node.md §1). */
import {CONTAINER_NAME} from '../calico-node/container.js'
import {type ContainerDetails, containerDetails} from '../docker/details.js'
import {containerLifecycle} from '../docker/lifecycle.js'
import {CalicoError} from '../errors.js'

/** `unknown`: it could not be asked. `unused`: off on this node. */
export interface Readiness {
  readonly state: 'ready' | 'not-ready' | 'unknown' | 'unused'
  /** Why, where it is not ready or unknown. */
  readonly why: string
}

export interface ContainerStatus {
  readonly details: ContainerDetails
  readonly felix: Readiness
  readonly bird: Readiness
  /** Of Felix, which is one program with calico/node; undefined if neither the program nor the image says. */
  readonly version: string | undefined
}

/** Backends of calico/node that run no BIRD. */
const WITHOUT_BIRD = ['none', 'vxlan']

const BACKEND = 'CALICO_NETWORKING_BACKEND'

/** Whether the container runs BIRD. */
const usesBird = ({environment}: ContainerDetails): boolean => !WITHOUT_BIRD.includes((environment.get(BACKEND) ?? '').toLowerCase())

/** Whether CONTAINER runs BIRD; where there is no Engine to tell its settings, it may. */
export const mayUseBird = (container: Pick<ContainerStatus, 'details'> | undefined): boolean => container === undefined || usesBird(container.details)

/** Where calico-node keeps its sockets and Felix its files, unless its container has another folder there. */
export const RUN_FOLDER = '/var/run/calico'

/** Whether there is something to ask: not between two starts. */
const runs = ({state}: ContainerDetails): boolean => state === 'running'

/** The folder of this host in which the container keeps its sockets and Felix its files. */
export function runFolder({mounts}: ContainerDetails): string {
  const [path, above] = [RUN_FOLDER, '/run/calico']
  const own = mounts.get(path) ?? mounts.get(above)
  if (own !== undefined) return own
  const parent = mounts.get('/run') ?? mounts.get('/var/run')
  return parent === undefined ? path : `${parent}/calico`
}

/** Undefined if there is no such container. @throws CalicoError if the Engine does not answer, or is another host's */
export async function containerStatus(): Promise<ContainerStatus | undefined> {
  const {address} = containerLifecycle()
  if (!address.startsWith('unix://')) throw new CalicoError('invalid', `DOCKER_HOST refers to the Docker Engine of another host (${address}), but status is for this host`, {hint: 'Run the command on that host.'})
  const details = await containerDetails(CONTAINER_NAME)
  if (!details) return undefined
  const [felix, bird, version] = await Promise.all([readiness(details, '-felix-ready'), usesBird(details) ? readiness(details, '-bird-ready') : unused(details), felixVersion(details)])
  return {details, felix, bird, version}
}

const unused = ({environment}: ContainerDetails): Readiness => ({state: 'unused', why: `${BACKEND}=${environment.get(BACKEND) ?? ''}`})

async function readiness(details: ContainerDetails, flag: string): Promise<Readiness> {
  if (!runs(details)) return {state: 'not-ready', why: `the container is ${details.state}`}
  try {
    const {exitCode, output, missing} = await containerLifecycle().exec(details.id, ['calico-node', flag])
    if (missing) return {state: 'not-ready', why: `the image ${details.image} is not calico/node: it does not contain the program calico-node`}
    if (exitCode === 0) return {state: 'ready', why: ''}
    if (exitCode === undefined) return {state: 'unknown', why: `calico-node ${flag} did not finish in time`}
    return {state: 'not-ready', why: reason(output) || `calico-node ${flag} ended with exit code ${exitCode}`}
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return {state: 'unknown', why: error.message}
  }
}

const REFUSAL = 'calico/node is not ready: '

/** The line of OUTPUT that says why; what the program logs besides is left out. */
function reason(output: string): string {
  const lines = output.split('\n').map((line) => line.trim()).filter((line) => line !== '')
  const refusal = lines.find((line) => line.includes(REFUSAL))
  return refusal === undefined ? (lines.at(-1) ?? '') : refusal.slice(refusal.indexOf(REFUSAL) + REFUSAL.length)
}

/** A version is not worth more of anybody's time. */
const VERSION_LIMIT_MS = 2_000

async function felixVersion(details: ContainerDetails): Promise<string | undefined> {
  const label = details.labels.version ?? details.labels['org.opencontainers.image.version']
  if (!runs(details)) return label
  try {
    const {exitCode, output} = await containerLifecycle({timeLimitMs: VERSION_LIMIT_MS}).exec(details.id, ['calico-node', '-v'])
    const version = exitCode === 0 ? /^v?\d\S*$/m.exec(output)?.[0] : undefined
    return version ?? label
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return label
  }
}
