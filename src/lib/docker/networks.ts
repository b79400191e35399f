/** Docker's networks: what the Engine knows of them, of their endpoints, and of the containers that have these (mesos-docker §3.5 to §3.7). */
import type Dockerode from 'dockerode'
import {CalicoError} from '../errors.js'
import {endpointContainerOf, type InspectedNetwork, listedNetworksOf, networkOf} from './answers.js'
import {askEngine, engineAddress, EngineError, type EngineOptions, strange} from './engine.js'

/** A network as the Engine describes it. */
export interface DockerNetwork {
  /** 64 hex digits. */
  readonly id: string
  /** The Engine takes any text. Several networks may have the same. */
  readonly name: string
  readonly driver: string
  /** What `--opt` said. */
  readonly options: Readonly<Record<string, string>>
  /** `default` is Docker's own. */
  readonly ipamDriver: string
  readonly ipamOptions: Readonly<Record<string, string>>
  /** GATEWAY is '' where the Engine was given none. With Calico's IPAM and without `--subnet`: `0.0.0.0/0` and `0.0.0.0`. */
  readonly subnets: readonly {readonly subnet: string; readonly gateway: string}[]
  readonly ipv6: boolean
  /** The ids of the endpoints in it. A container that does not run has none. */
  readonly endpoints: readonly string[]
}

/** The container that has an endpoint. */
export interface EndpointContainer {
  /** 64 hex digits. */
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** All methods throw CalicoError `failed` if the Engine does not answer within the time limit (of each question) or says that something is wrong. */
export interface DockerNetworks {
  /** Where the Engine is, for messages. */
  readonly address: string
  /** Whether it is reached by a socket of this host: another one's networks say nothing about the endpoints here. */
  readonly local: boolean
  /**
   * The network with this id (64 hex digits, or its first 12 or more) or name; undefined if there is none. The Engine would also take the first digits
   * of an id, however few: `db` is then any network whose id begins so.
   * @throws CalicoError `conflict` if several have that name
   */
  inspect(idOrName: string): Promise<DockerNetwork | undefined>
  /** All networks, or those of one driver, each with its endpoints. */
  list(driver?: string): Promise<DockerNetwork[]>
  /** The container that has this endpoint; undefined before the Engine shows it (it does once the container runs), and if there is none. */
  containerOf(endpointId: string, networkId: string): Promise<EndpointContainer | undefined>
}

/** A driver asks while the Engine waits for it. */
const TIME_LIMIT_MS = 2_000

/** The networks of the Engine that DOCKER_HOST names, else of this host's. Nothing is sent before the first question. */
export function dockerNetworks({env = process.env, timeLimitMs = TIME_LIMIT_MS}: EngineOptions = {}): DockerNetworks {
  const address = engineAddress(env)
  const ask = <T>(question: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>): Promise<T> => askEngine(address, timeLimitMs, question)

  const read = (path: string): Promise<InspectedNetwork | undefined> =>
    unlessMissing(async () => networkOf(await ask((docker, abortSignal) => inspectNetwork(docker, path, abortSignal))) ?? strange(address))

  // Many containers that start at once wait to be seen in one network.
  const shared = new Map<string, Promise<InspectedNetwork | undefined>>()
  const readShared = (id: string): Promise<InspectedNetwork | undefined> => {
    const question = shared.get(id) ?? read(id).finally(() => shared.delete(id))
    shared.set(id, question)
    return question
  }

  return {
    address,
    local: address.startsWith('unix://'),
    async inspect(idOrName) {
      if (!canBeAskedFor(idOrName)) return undefined
      try {
        const found = await read(idOrName)
        return found && isMeant(found, idOrName) ? withoutContainers(found) : undefined
      } catch (error) {
        if (error instanceof EngineError && error.message.includes('ambiguous')) throw ambiguous(idOrName, error)
        throw error
      }
    },
    async list(driver) {
      const filters = driver === undefined ? {} : {filters: {driver: [driver]}}
      const listed = await ask((docker, abortSignal) => docker.listNetworks({...filters, abortSignal}))
      const networks: DockerNetwork[] = []
      for (const {id, driver: own} of listedNetworksOf(listed) ?? strange(address)) {
        // The Engine's filter finds every driver whose name contains this one's.
        if (driver !== undefined && own !== driver) continue
        // The list tells nothing of endpoints. Undefined: removed between the two questions.
        const found = await read(id)
        if (found) networks.push(withoutContainers(found))
      }
      return networks
    },
    async containerOf(endpointId, networkId) {
      const id = (await readShared(networkId))?.containers.find(({endpoint, container}) => endpoint === endpointId && container !== undefined)?.container
      if (id === undefined) return undefined
      return unlessMissing(async () => endpointContainerOf(await ask((docker, abortSignal) => docker.getContainer(id).inspect({abortSignal}))) ?? strange(address))
    },
  }
}

/** What dockerode's own inspection of a network does, which cannot be given up: a command would wait for its Engine beyond the time limit. */
function inspectNetwork(docker: Dockerode, idOrName: string, abortSignal: AbortSignal): Promise<unknown> {
  const {modem} = docker as {modem: Modem}
  return new Promise((resolve, reject) => {
    modem.dial({path: `/networks/${encodeURIComponent(idOrName)}`, method: 'GET', abortSignal, statusCodes: {200: true}}, (error, found) => {
      if (error) reject(error)
      else resolve(found)
    })
  })
}

/** The part of dockerode that sends requests; its types leave it open. */
interface Modem {
  dial(request: {path: string; method: string; abortSignal: AbortSignal; statusCodes: Readonly<Record<number, true>>}, answer: (error: Error | null, body: unknown) => void): void
}

/** What would become another path is no network that can be asked for. */
const canBeAskedFor = (word: string): boolean => word !== '' && word !== '.' && word !== '..' && !/[\ud800-\udfff]/u.test(word)

const isMeant = ({id, name}: DockerNetwork, word: string): boolean => id === word || name === word || (/^[0-9a-f]{12,}$/.test(word) && id.startsWith(word))

const withoutContainers = ({containers: _, ...network}: InspectedNetwork): DockerNetwork => network

async function unlessMissing<T>(question: () => Promise<T>): Promise<T | undefined> {
  try {
    return await question()
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined
    throw error
  }
}

const ambiguous = (name: string, cause: unknown): CalicoError =>
  new CalicoError('conflict', `More than one Docker network is named ${name}`, {hint: 'Use its id: docker network ls --no-trunc', cause})
