/**
 * What the Engine answers, as far as it is used here. It is another program, and DOCKER_HOST may be any server: what is no such answer is undefined. What is
 * empty the Engine, written in Go, may give as null.
 */
import {isObject} from '../json/is-object.js'
import type {ContainerDetails} from './details.js'
import type {Container} from './engine.js'
import type {ImageDetails} from './images.js'
import type {ContainerState} from './lifecycle.js'
import type {DockerNetwork, EndpointContainer} from './networks.js'

export type Fields = Readonly<Record<string, unknown>>

/** VALUE as an object; one without members if it is none. */
export const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
/** Those of the list VALUE that are texts. */
export const textsOf = (value: unknown): readonly string[] => listOf(value).filter((each) => typeof each === 'string')

/** Those of the members of VALUE that are texts. */
const labelsOf = (value: unknown): Record<string, string> => Object.fromEntries(Object.entries(fieldsOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))

/** NAME without the slash that the Engine puts before it. */
const withoutSlash = (name: string): string => name.replace(/^\//, '')

/** What every container has. */
interface Inspected {
  readonly id: string
  readonly name: string
  readonly running: boolean
  readonly state: Fields
  readonly answer: Fields
}

function inspected(value: unknown): Inspected | undefined {
  const answer = fieldsOf(value)
  const {Id: id, Name: name} = answer
  const state = fieldsOf(answer.State)
  return typeof id === 'string' && typeof name === 'string' && typeof state.Running === 'boolean' ? {id, name: withoutSlash(name), running: state.Running, state, answer} : undefined
}

/** The container of ANSWER to `/containers/NAME/json`. */
export function containerOf(answer: unknown): Container | undefined {
  const found = inspected(answer)
  if (!found) return undefined
  const {id, name, running, state, answer: {HostConfig, NetworkSettings}} = found
  return {
    id,
    name,
    running,
    pid: numberOf(state.Pid),
    startedAt: textOf(state.StartedAt),
    networkMode: textOf(fieldsOf(HostConfig).NetworkMode),
    networks: Object.entries(fieldsOf(fieldsOf(NetworkSettings).Networks)).flatMap(([network, value]) => {
      const {NetworkID, EndpointID} = fieldsOf(value)
      return typeof NetworkID === 'string' ? [{name: network, id: NetworkID, endpointId: textOf(EndpointID)}] : []
    }),
  }
}

/** How that container is. */
export function containerStateOf(answer: unknown): ContainerState | undefined {
  const found = inspected(answer)
  if (!found) return undefined
  const {id, running, state, answer: {RestartCount, HostConfig}} = found
  return {id, running, restarting: state.Restarting === true, restartCount: numberOf(RestartCount), exitCode: numberOf(state.ExitCode), restartPolicy: textOf(fieldsOf(fieldsOf(HostConfig).RestartPolicy).Name)}
}

/** Everything of that container; STATUS is the Engine's word for it in the list of all. */
export function containerDetailsOf(answer: unknown, status: string): ContainerDetails | undefined {
  const found = inspected(answer)
  if (!found) return undefined
  const {id, state, answer: {RestartCount, Config, Mounts, Image: imageId, HostConfig, Path, Args}} = found
  const {Env, Labels, Image} = fieldsOf(Config)
  const {Binds, Privileged, NetworkMode, PidMode, RestartPolicy} = fieldsOf(HostConfig)
  return {
    id,
    state: textOf(state.Status),
    status,
    restarts: numberOf(RestartCount),
    exitCode: numberOf(state.ExitCode),
    startedAt: textOf(state.StartedAt),
    finishedAt: textOf(state.FinishedAt),
    image: textOf(Image),
    imageId: textOf(imageId),
    labels: labelsOf(Labels),
    environment: new Map(textsOf(Env).map((line) => splitAt(line, line.indexOf('=')))),
    mounts: new Map(listOf(Mounts).map((mount) => [textOf(fieldsOf(mount).Destination), textOf(fieldsOf(mount).Source)])),
    binds: textsOf(Binds),
    command: [textOf(Path), ...textsOf(Args)],
    privileged: Privileged === true,
    networkMode: textOf(NetworkMode),
    pidMode: textOf(PidMode),
    restartPolicy: textOf(fieldsOf(RestartPolicy).Name),
  }
}

const splitAt = (line: string, at: number): [string, string] => (at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)])

/** The container of ANSWER, as whoever has its endpoint asks for it. */
export function endpointContainerOf(answer: unknown): EndpointContainer | undefined {
  const {Id, Name, Config} = fieldsOf(answer)
  return typeof Id === 'string' && typeof Name === 'string' ? {id: Id, name: withoutSlash(Name), labels: labelsOf(fieldsOf(Config).Labels)} : undefined
}

/** A container in the list of all. */
export interface ListedContainer {
  readonly id: string
  readonly names: readonly string[]
  /** `running`, `exited`, … */
  readonly state: string
  /** The Engine's own words: `Up 3 minutes`. */
  readonly status: string
}

/** The containers of ANSWER to `/containers/json`. */
export const listedContainersOf = (answer: unknown): readonly ListedContainer[] | undefined =>
  allOf(answer, (value) => {
    const {Id, Names, State, Status} = fieldsOf(value)
    return typeof Id === 'string' ? {id: Id, names: textsOf(Names), state: textOf(State), status: textOf(Status)} : undefined
  })

/** Before the id of an endpoint that no container has (yet): the Engine made it for one that has not been started. */
const NOBODY = 'ep-'

/** A network with the containers in it: the ids of both, that of the container undefined for an endpoint that none has. */
export interface InspectedNetwork extends DockerNetwork {
  readonly containers: readonly {readonly endpoint: string; readonly container: string | undefined}[]
}

/** The network of ANSWER to `/networks/NAME`. */
export function networkOf(answer: unknown): InspectedNetwork | undefined {
  const {Id, Name, Driver, EnableIPv6, Options, IPAM, Containers} = fieldsOf(answer)
  if (typeof Id !== 'string' || typeof Name !== 'string' || typeof Driver !== 'string') return undefined
  const ipam = fieldsOf(IPAM)
  const containers = Object.entries(fieldsOf(Containers)).map(([key, value]) =>
    key.startsWith(NOBODY) ? {endpoint: key.slice(NOBODY.length), container: undefined} : {endpoint: textOf(fieldsOf(value).EndpointID), container: key},
  )
  return {
    id: Id,
    name: Name,
    driver: Driver,
    options: labelsOf(Options),
    ipamDriver: textOf(ipam.Driver),
    ipamOptions: labelsOf(ipam.Options),
    subnets: listOf(ipam.Config).map((config) => ({subnet: textOf(fieldsOf(config).Subnet), gateway: textOf(fieldsOf(config).Gateway)})),
    ipv6: EnableIPv6 === true,
    endpoints: containers.map(({endpoint}) => endpoint),
    containers,
  }
}

/** The networks of ANSWER to `/networks`, as far as it tells of them. */
export const listedNetworksOf = (answer: unknown): readonly {readonly id: string; readonly driver: string}[] | undefined =>
  allOf(answer, (value) => {
    const {Id, Driver} = fieldsOf(value)
    return typeof Id === 'string' && typeof Driver === 'string' ? {id: Id, driver: Driver} : undefined
  })

/** The image of ANSWER to `/images/NAME/json`. */
export function imageOf(answer: unknown): ImageDetails | undefined {
  const {Id, Config} = fieldsOf(answer)
  const {Env, Entrypoint, Cmd} = fieldsOf(Config)
  return typeof Id === 'string' ? {id: Id, environment: textsOf(Env), command: [...textsOf(Entrypoint), ...textsOf(Cmd)]} : undefined
}

/** Each of the list ANSWER as READ has it; undefined if it is no list, or one of it is not what READ takes. */
function allOf<T>(answer: unknown, read: (value: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(answer)) return undefined
  const items = answer.flatMap((value) => read(value) ?? [])
  return items.length === answer.length ? items : undefined
}
