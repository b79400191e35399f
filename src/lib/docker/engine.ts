/** The Docker Engine: what it knows of containers. The only importer of dockerode. */
import type Dockerode from 'dockerode'
import {CalicoError} from '../errors.js'
import {presentable} from '../settings/endpoints.js'
import {containerOf, listedContainersOf} from './answers.js'

/** A container as the Engine describes it, as far as its network goes. */
export interface Container {
  /** 64 hex digits. */
  readonly id: string
  /** Without the slash that the Engine puts before it. */
  readonly name: string
  readonly running: boolean
  /** Of its first process, in the Engine's own pid namespace; 0 if it does not run. */
  readonly pid: number
  /** Changes whenever it is started anew. */
  readonly startedAt: string
  /** `none`, `bridge`, `host`, the name of a network, `container:` and an id, … */
  readonly networkMode: string
  /** The networks that it is connected to. The id of its endpoint is '' as long as it does not run. */
  readonly networks: readonly ContainerNetwork[]
}

/** A container in a Docker network. */
export interface ContainerNetwork {
  readonly name: string
  /** 64 hex digits. */
  readonly id: string
  readonly endpointId: string
}

/** A Docker Engine. All methods throw CalicoError `failed` if it does not answer within the time limit or says that something is wrong. */
export interface Engine {
  /** Where it is, for messages. */
  readonly address: string
  /** Whether its processes are this host's. */
  readonly local: boolean
  /** The container that NAME means: its name, its id, or at least 4 characters with which an id begins. @throws CalicoError `not-found` */
  inspect(name: string): Promise<Container>
  /** All containers by id: whether each runs. */
  list(): Promise<Map<string, {readonly running: boolean}>>
}

const DEFAULT_SOCKET = 'unix:///var/run/docker.sock'
/** Of each question. What was written to the datastore before must still be rolled back within the datastore's own time, 10 s by default. */
const TIME_LIMIT_MS = 4_000
const SHARE_OF_BUDGET = TIME_LIMIT_MS / 10_000

/** How many milliseconds an Engine may take for one answer where the command was given TIMEOUTMS in all (--timeout): a slow Engine needs more than the default. */
export const engineTimeLimitMs = (timeoutMs = 0): number => Math.max(TIME_LIMIT_MS, timeoutMs * SHARE_OF_BUDGET)

export interface EngineOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly timeLimitMs?: number
  /** Receives which container was meant, where it was named by the beginning of its id. */
  readonly note?: (text: string) => void
}

/**
 * The Engine that DOCKER_HOST names, else the one of this host. Nothing is sent before the first question; the Engine is spoken to in the newest
 * version of its API that it has itself.
 */
export function dockerEngine({env = process.env, timeLimitMs = TIME_LIMIT_MS, note = () => undefined}: EngineOptions = {}): Engine {
  const address = engineAddress(env)
  const ask = <T>(question: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>): Promise<T> => askEngine(address, timeLimitMs, question)
  return {
    address,
    local: address.startsWith('unix://'),
    async inspect(name) {
      if (!isContainerName(name)) throw notFound(name)
      try {
        const found = containerOf(await ask((docker, abortSignal) => docker.getContainer(name.replace(/^\//, '')).inspect({abortSignal}))) ?? strange(address)
        if (!isMeant(found, name)) throw tooShort(name, found)
        const abbreviation = abbreviationText(found, name)
        if (abbreviation !== undefined) note(abbreviation)
        return found
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) throw notFound(name, error)
        throw error
      }
    },
    async list() {
      const all = await ask((docker, abortSignal) => docker.listContainers({all: true, abortSignal}))
      return new Map((listedContainersOf(all) ?? strange(address)).map(({id, state}) => [id, {running: state === 'running'}]))
    },
  }
}

/** The Engine that ENV means, as it may be shown: a password in DOCKER_HOST, which only dockerode needs, is left out. */
export function engineAddress({DOCKER_HOST: host}: NonNullable<EngineOptions['env']> = process.env): string {
  if (host === undefined || host === '') return DEFAULT_SOCKET
  return host.startsWith('unix://') ? host : presentable(host)
}

/** Asks the Engine at ADDRESS; an answer takes at most TIMELIMITMS. @throws CalicoError, see Engine; EngineError if it refuses */
export async function askEngine<T>(address: string, timeLimitMs: number, question: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController()
  const docker = await connect(address)
  let timer: NodeJS.Timeout | undefined
  // dockerode never ends when the connection does in the middle of an answer.
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new CalicoError('failed', `The Docker Engine at ${address} did not answer within ${timeLimitMs / 1000} s`, {hint: 'To check it: docker info'}))
      abort.abort()
    }, timeLimitMs)
  })
  try {
    return await Promise.race([question(docker, abort.signal), timeUp])
  } catch (error) {
    throw error instanceof CalicoError ? error : failure(error, address)
  } finally {
    clearTimeout(timer)
  }
}

async function connect(address: string): Promise<Dockerode> {
  const {default: Docker} = await import('dockerode')
  if (address.startsWith('ssh:')) throw new CalicoError('invalid', `DOCKER_HOST: the Docker Engine cannot be reached over SSH (${address})`, {hint: 'Run the command on that host.'})
  // Without this, dockerode would prefer a socket in the home directory, which the docker command does not.
  if (address.startsWith('unix://')) return new Docker({socketPath: address.slice('unix://'.length)})
  return new Docker() // reads DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH
}

/** @throws CalicoError `failed`: what answers at ADDRESS is something else */
export function strange(address: string): never {
  throw new CalicoError('failed', `The server at ${address} is not a Docker Engine`, {hint: 'Check DOCKER_HOST.'})
}

/** What a container can be called; the rest must not become part of a request's path. */
const isContainerName = (name: string): boolean => name.length <= 255 && /^\/?[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)

/** How much of an id is enough. The Engine takes a single character, and so finds a container by what is a slip of the finger. */
const LEAST_OF_AN_ID = 4

const isMeant = ({id, name}: Container, word: string): boolean => word.replace(/^\//, '') === name || (word.length >= LEAST_OF_AN_ID && id.startsWith(word))

const tooShort = (word: string, {id, name}: Container): CalicoError =>
  new CalicoError('not-found', `Container ${word} was not found.`, {
    details: [`No container is named ${word}. An id, such as that of ${name} (${id.slice(0, SHORT_ID)}), is recognised by its first ${LEAST_OF_AN_ID} characters or more.`],
    hint: 'To see the containers: docker ps -a',
  })

const SHORT_ID = 12

/** What to say back where WORD was only the beginning of a container's id; undefined where it was its name or the whole id. */
const abbreviationText = ({id, name}: Container, word: string): string | undefined =>
  word.replace(/^\//, '') === name || word === id ? undefined : `${word} is the container ${name} (${id.slice(0, SHORT_ID)})`

const notFound = (name: string, cause?: unknown): CalicoError =>
  new CalicoError('not-found', `Container ${name} was not found.`, {
    hint: /^-|\//.test(name) ? 'The path of a network namespace is /proc/PID/ns/net of a process that runs, or one of: ls /var/run/netns' : 'To see the containers: docker ps -a',
    cause,
  })

/** The Engine answered that something is wrong. */
export class EngineError extends CalicoError {
  constructor(
    readonly status: number,
    message: string,
    cause: unknown,
  ) {
    super('failed', message, {cause})
  }
}

/** What dockerode throws: an answer with its status, or what became of the connection. */
interface Thrown {
  readonly statusCode?: number
  readonly json?: {readonly message?: string} | Buffer | null
  readonly code?: string
  readonly message?: string
}

function failure(error: unknown, address: string): CalicoError {
  const {statusCode, json, code, message = String(error)} = error as Thrown
  if (statusCode !== undefined) {
    const said = (Buffer.isBuffer(json) ? json.toString() : json?.message) ?? message
    return new EngineError(statusCode, `The Docker Engine refused: ${said.trim().replaceAll(/\s*\n\s*/g, ' ')}`, error)
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CalicoError('failed', `Permission denied for the Docker Engine at ${address}`, {hint: 'Run the command as root, or as a member of the group docker.', cause: error})
  }
  return new CalicoError('failed', `Cannot connect to the Docker Engine at ${address}: is the docker daemon running?`, {
    details: [message],
    hint: 'Start it, or give another one with DOCKER_HOST.',
    cause: error,
  })
}
