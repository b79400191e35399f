/**
 * Docker's networks of this driver: made, removed, and known again when a container joins (mesos-docker §3.5). What Docker sent at the creation is
 * remembered in a file, so that a container that starts while Docker itself does needs no answer of Docker's (decisions.md 29).
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {Session} from '../client/session.js'
import type {DockerNetwork, DockerNetworks} from '../docker/networks.js'
import {CalicoError} from '../errors.js'
import {type Cidr, networkOf, parseCidr} from '../net/index.js'
import {addDockerPools, removeDockerPools} from './docker-pools.js'
import {ensureProfile} from './endpoints.js'
import type {Log} from './log.js'
import {NETWORKS_FOLDER, type RememberedNetwork, networkFiles} from './network-files.js'
import {ENABLE_IPV6, GENERIC, type NetworkOptions, readNetworkOptions} from './options.js'
import {refuseUnmetOptions} from './pool-options.js'
import type {CreateNetworkRequest} from './protocol.js'

/** A network as far as its endpoints need it. */
export interface Network {
  readonly id: string
  /** Undefined as long as Docker has not reported it; the profile is known nevertheless then. */
  readonly name: string | undefined
  /** As users call it. */
  readonly profile: string
  /** Its addresses are of Calico's pools, not of Docker's own IPAM. */
  readonly fromCalico: boolean
  readonly ipv6: boolean
  /** Labels of its containers become labels of their endpoints. */
  readonly labels: boolean
  /** Of its interfaces; undefined: this host's usual one. */
  readonly mtu: number | undefined
}

export interface Networks {
  /**
   * Docker creates a network. All that is wrong with the request is reported before anything is done; if something fails, nothing is left. A repeated call
   * finds its work done.
   * @throws CalicoError `invalid`, `refused` for what cannot be honoured; what addDockerPools() and ensureProfile() throw
   */
  create(request: CreateNetworkRequest): Promise<void>
  /** Docker removes the network ID, or its creation failed. What is gone already does not matter. */
  remove(id: string): Promise<void>
  /**
   * The network ID.
   * @throws CalicoError `not-found` if Docker does not know it; `failed` if its name, or all of it, has to be asked for and Docker does not answer
   */
  find(id: string): Promise<Network>
  /** The ids of those that are remembered. */
  remembered(): string[]
}

export interface NetworksOptions {
  /** Of the files. */
  readonly folder?: string
  readonly docker: Pick<DockerNetworks, 'inspect' | 'address'>
  readonly session: Session
  readonly log: Log
  /** When, after its creation was answered, a network's name is asked for: before, Docker does not show the network. Milliseconds. */
  readonly namePauses?: readonly number[]
}

const NAME_PAUSES_MS = [100, 400, 1_500, 5_000, 20_000] as const

/** What stands where there is no gateway, and so marks Calico's IPAM (mesos-docker §3.4). */
const MARKERS: Readonly<Record<string, string>> = {'0.0.0.0/0': '0.0.0.0', '::/0': '::'}

export function openNetworks({folder = NETWORKS_FOLDER, docker, session, log, namePauses = NAME_PAUSES_MS}: NetworksOptions): Networks {
  const files = networkFiles(folder, log)
  /** What is known without asking, by id. */
  const known = new Map<string, RememberedNetwork>()
  /** Questions to Docker that are under way, by id. */
  const asked = new Map<string, Promise<DockerNetwork | undefined>>()

  function inspect(id: string): Promise<DockerNetwork | undefined> {
    let question = asked.get(id)
    if (!question) {
      question = docker.inspect(id).finally(() => asked.delete(id))
      asked.set(id, question)
    }
    return question
  }

  function recall(id: string): RememberedNetwork | undefined {
    const network = known.get(id) ?? files.read(id)
    if (network) known.set(id, network)
    return network
  }

  async function remember(network: RememberedNetwork): Promise<void> {
    await files.write(network)
    known.set(network.request.NetworkID, network)
  }

  /** As remember(); what is not written now is asked for again after a restart. */
  async function tryToRemember(network: RememberedNetwork): Promise<void> {
    known.set(network.request.NetworkID, network)
    try {
      await files.write(network)
    } catch (error) {
      log.warn((error as Error).message)
    }
  }

  /** Asks for the name of a new network, and makes its profile as soon as that is known: rules are often written before there is a container. */
  async function askName(id: string): Promise<void> {
    for (const pause of namePauses) {
      await sleep(pause, undefined, {ref: false})
      const network = known.get(id)
      if (!network) return
      try {
        const name = network.name ?? (await inspect(id))?.name
        if (name === undefined || known.get(id) !== network) continue
        if (network.name === undefined) await tryToRemember({...network, name})
        // The one that `--opt profile` names has been made with the network.
        if (optionsOf(network).profile === undefined && (await ensureProfile(session, name))) log.info(`Created the profile ${name}`)
        return
      } catch (error) {
        log.debug(`The name of network ${short(id)} could not be determined, or its profile not created: ${(error as Error).message}`)
      }
    }
  }

  async function named(network: RememberedNetwork): Promise<RememberedNetwork> {
    const {NetworkID: id} = network.request
    const found = (await answered(inspect(id), id)) ?? unknown(id)
    const complete = {...network, name: found.name}
    await tryToRemember(complete)
    return complete
  }

  async function rebuilt(id: string): Promise<RememberedNetwork> {
    const found = (await answered(inspect(id), id)) ?? unknown(id)
    const network = {name: found.name, request: requestOf(found)}
    log.info(`Network ${found.name} (${short(id)}) was found again in Docker`)
    await tryToRemember(network)
    await tryToAddPools(network)
    return network
  }

  /** The pools of a network that Docker has and we had forgotten may be gone, too. */
  async function tryToAddPools(network: RememberedNetwork): Promise<void> {
    const {fromCalico, cidrs} = addressingOf(network.request)
    if (fromCalico) return
    try {
      await addDockerPools(session, poolsOf(network, cidrs, optionsOf(network)))
    } catch (error) {
      log.warn(`Felix may not know the subnets of network ${short(network.request.NetworkID)}: ${(error as Error).message}`)
    }
  }

  return {
    async create(request) {
      const {NetworkID: id} = request
      const {options, problems} = readNetworkOptions(request.Options)
      const {fromCalico, cidrs, problems: others} = addressingOf(request)
      refuse([...problems, ...others])
      if (fromCalico) await refuseUnmetOptions(session, cidrs, options)
      const before = recall(id)
      const network: RememberedNetwork = {name: before?.name, request}
      // First of all: what is left of a creation that is cut off is found by it.
      await remember(network)
      try {
        if (!fromCalico) await addDockerPools(session, poolsOf(network, cidrs, options))
        if (options.profile !== undefined && (await ensureProfile(session, options.profile))) log.info(`Created the profile ${options.profile}`)
      } catch (error) {
        // Of a repeated call the first one may have made a network that Docker has by now.
        if (!before) await takeBack(id, {fromCalico})
        throw error
      }
      void askName(id)
    },

    async remove(id) {
      const network = recall(id)
      // Of one that is not remembered it is not known.
      if (!network || !addressingOf(network.request).fromCalico) await removeDockerPools(session, id)
      known.delete(id)
      files.remove(id)
    },

    async find(id) {
      let network = recall(id) ?? (await rebuilt(id))
      const {profile} = optionsOf(network)
      if (network.name === undefined && profile === undefined) network = await named(network)
      return networkFrom(network)
    },

    remembered: () => files.ids(),
  }

  async function takeBack(id: string, {fromCalico}: {fromCalico: boolean}): Promise<void> {
    try {
      if (!fromCalico) await removeDockerPools(session, id)
      known.delete(id)
      files.remove(id)
    } catch (error) {
      log.warn(`The objects of network ${short(id)} could not be rolled back: ${(error as Error).message}`)
    }
  }

  /** Docker's answer about the network ID. */
  async function answered(question: Promise<DockerNetwork | undefined>, id: string): Promise<DockerNetwork | undefined> {
    try {
      return await question
    } catch (error) {
      const details = error instanceof CalicoError ? [error.message, ...error.details] : []
      throw new CalicoError('failed', `The name of the Docker network ${id} is not known, and Docker did not provide it`, {details, hint: 'Try again when the Docker Engine is available.', cause: error})
    }
  }
}

const short = (id: string): string => id.slice(0, 12)

function unknown(id: string): never {
  throw new CalicoError('not-found', `Network ${id} does not exist`)
}

function refuse(problems: readonly string[]): void {
  const [first, ...more] = problems
  if (first !== undefined) throw new CalicoError('invalid', first, {details: more})
}

interface Addressing {
  readonly fromCalico: boolean
  /** Of Calico's IPAM: the pools that were asked for, with `0.0.0.0/0` or `::/0` for any. Of Docker's: the network's subnets. */
  readonly cidrs: readonly Cidr[]
  readonly problems: readonly string[]
}

/** What REQUEST says of addresses, by the first element of each family: there must not be more. */
function addressingOf({IPv4Data, IPv6Data}: Pick<CreateNetworkRequest, 'IPv4Data' | 'IPv6Data'>): Addressing {
  const families = [
    {name: 'IPv4', data: IPv4Data ?? []},
    {name: 'IPv6', data: IPv6Data ?? []},
  ]
  const problems = families.filter(({data}) => data.length > 1).map(({name}) => `Unsupported: multiple Gateways defined for ${name}`)
  const first = families.flatMap(({data}) => data.slice(0, 1)).filter(({Gateway, Pool}) => Gateway !== '' || Pool !== '')
  if (!first.some(({Pool}) => !Pool.includes(':'))) problems.push('The network has no IPv4 subnet: addresses are needed from Calico\'s IPAM (--ipam-driver) or Docker\'s own.')
  const fromCalico = first.some(({Gateway}) => Object.hasOwn(MARKERS, Gateway))
  const kept = first.flatMap(({AuxAddresses}) => Object.entries(AuxAddresses ?? {}))
  // Docker has asked for them as for a container's, which nothing tells from those that are left behind.
  if (fromCalico && kept.length > 0) {
    const addresses = kept.map(([name, text]) => ({name, address: text.split('/', 1)[0] ?? ''}))
    problems.push(`Calico IPAM does not support --aux-address (${addresses.map(({name, address}) => `${name}=${address}`).join(', ')}). To reserve an address: calicoctl ipam assign ${addresses[0]?.address ?? ''}`)
  }
  const cidrs = first.flatMap(({Pool}) => {
    const cidr = parseCidr(Pool)
    if (!cidr) problems.push(`Docker sent '${Pool}' as a subnet`)
    return cidr ? [networkOf(cidr)] : []
  })
  return {fromCalico, cidrs, problems}
}

const poolsOf = ({name, request}: RememberedNetwork, cidrs: readonly Cidr[], {ipip = false, natOutgoing = false}: NetworkOptions) => ({
  networkId: request.NetworkID,
  ...(name === undefined ? {} : {networkName: name}),
  cidrs: [...cidrs],
  ipip,
  natOutgoing,
})

/** Of a network that exists: what is wrong with its options was refused when it was made. */
const optionsOf = ({request}: RememberedNetwork): NetworkOptions => readNetworkOptions(request.Options).options

function networkFrom(remembered: RememberedNetwork): Network {
  const {name, request} = remembered
  const {profile, ipv6, labels, mtu} = optionsOf(remembered)
  return {id: request.NetworkID, name, profile: profile ?? name ?? '', fromCalico: addressingOf(request).fromCalico, ipv6, labels, mtu}
}

/** The request that Docker made NETWORK with, as far as it still tells. */
function requestOf({id, driver, options, ipamDriver, subnets, ipv6}: DockerNetwork): CreateNetworkRequest {
  const fromCalico = [driver, `${driver}-ipam`].includes(ipamDriver)
  const data = subnets.map(({subnet, gateway}) => {
    const marker = subnet.includes(':') ? '::/0' : '0.0.0.0/0'
    return {AddressSpace: '', Pool: subnet, Gateway: fromCalico || gateway === MARKERS[marker] ? marker : gateway}
  })
  return {
    NetworkID: id,
    Options: {[GENERIC]: options, [ENABLE_IPV6]: ipv6},
    IPv4Data: data.filter(({Pool}) => !Pool.includes(':')),
    IPv6Data: data.filter(({Pool}) => Pool.includes(':')),
  }
}
