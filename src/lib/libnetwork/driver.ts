/** What each call of Docker's means: the table of methods, made of what addresses, endpoints, networks and links do. */
import type {z} from 'zod'
import {CalicoError} from '../errors.js'
import {formatCidr, hostCidr, parseAddress, parseCidrOrAddress, type Address} from '../net/index.js'
import type {Log} from './log.js'
import {ignoredOptions} from './options.js'
import {newRepeatCheck} from './pool-repeats.js'
import {
  CONNECTED, CONTAINER_MAC, createEndpoint, createNetwork, GATEWAY, GLOBAL_ADDRESS_SPACE, INTERFACE_PREFIX, joinEndpoint, LOCAL_ADDRESS_SPACE, nothing, ofEndpoint, ofNetwork,
  readRequest, releaseAddress, releasePool, requestAddress, requestPool,
  type CreateEndpointReply, type CreateEndpointRequest, type CreateNetworkRequest, type EndpointRequest, type JoinReply, type JoinRequest, type Scope,
} from './protocol.js'

/** One request, read and understood. */
export interface Job {
  /** Requests with the same key are done one after another, in the order in which they came. */
  readonly key?: string
  /** What it is about, for the log: `endpoint 0d69a0124353`. */
  readonly subject?: string
  /** It asks neither the datastore nor the Engine, and may take its time when those are away. */
  readonly onHost?: boolean
  /** Does it; gives the reply. @throws CalicoError */
  run(): Promise<object>
  /** Reverts what run did, because its reply came too late for Docker. */
  undo?(): Promise<unknown>
}

/** Reads the body of a request. @throws BadRequest */
export type Method = (body: unknown) => Job

export type Driver = Readonly<Record<string, Method>>

/** A network as far as its endpoints need it. */
export interface NetworkFacts {
  readonly id: string
  /** As users call it: the network's name, or what `--opt profile` says. */
  readonly profile: string
  /** Its addresses come from Calico's IPAM. */
  readonly fromCalico: boolean
  /** Labels of its containers become labels of their endpoints. */
  readonly labels: boolean
  /** Of its interfaces, where the user said. */
  readonly mtu?: number | undefined
}

/** What is known of a stored endpoint when its container joins. */
export interface EndpointFacts {
  readonly mac: string
  readonly addresses: readonly Address[]
}

/** What the calls rest on: each bound to its datastore, node, host and Engine. All throw CalicoError. */
export interface Parts {
  requestPool(request: {pool: string; subPool: string; options: Record<string, string> | null; v6: boolean}): Promise<object>
  requestAddress(request: {poolId: string; address: string; options: Record<string, string> | null}): Promise<{Address: string; Data: object}>
  releaseAddress(request: {poolId: string; address: string}): Promise<'released' | 'free' | 'foreign' | 'in-use'>
  createEndpoint(endpoint: {
    endpointId: string
    networkId: string
    profile: string
    addresses: readonly Address[]
    fromCalico: boolean
    mac: string
  }): Promise<{created: boolean; createdProfile: boolean; createdNode: boolean}>
  findEndpoint(endpointId: string): Promise<EndpointFacts | undefined>
  /** False: there was none. */
  deleteEndpoint(endpointId: string): Promise<boolean>
  /** The endpoint with its addresses. */
  removeEndpoint(endpointId: string): Promise<unknown>
  /** Not created: it was known already. */
  createNetwork(request: CreateNetworkRequest): Promise<{created: boolean}>
  removeNetwork(networkId: string): Promise<void>
  findNetwork(networkId: string): Promise<NetworkFacts>
  /**
   * Refuses an endpoint whose container has another one that its routes would be in the way of: the Engine would say so in the words of the kernel.
   * SANDBOX: the path of its namespace, if it runs.
   * @throws CalicoError `conflict` naming that one
   */
  refuseConnected(endpoint: {endpointId: string; sandbox: string}): Promise<void>
  makeLink(link: {endpointId: string; mac: string; ipv6: boolean; mtu?: number | undefined}): Promise<{srcName: string; linkLocal: string | undefined}>
  removeLink(endpointId: string): Promise<boolean>
  /** Begins to copy what the Engine says of the endpoint's container, once it can be seen; does not wait for it. */
  describeLater(endpoint: {endpointId: string; networkId: string; labels: boolean}): void
}

export interface DriverOptions {
  readonly scope: Scope
  readonly log: Log
  /** What the interface is called in a container, with a number behind it. */
  readonly interfacePrefix?: string | undefined
}

/** The methods by the names that Docker calls them: `NetworkDriver.Join`. */
export function newDriver(parts: Parts, {scope, log, interfacePrefix = INTERFACE_PREFIX}: DriverOptions): Driver {
  const checkRepeat = newRepeatCheck()
  return {
    'NetworkDriver.GetCapabilities': always({Scope: scope}),
    'NetworkDriver.CreateNetwork': method(createNetwork, (request) => newNetwork(parts, request)),
    'NetworkDriver.DeleteNetwork': method(ofNetwork, (request) => ({...network(request), run: () => done(parts.removeNetwork(request.NetworkID))})),
    'NetworkDriver.CreateEndpoint': method(createEndpoint, (request) => newEndpoint(parts, request, log)),
    'NetworkDriver.Join': method(joinEndpoint, (request) => ({
      ...endpoint(request),
      run: () => join(parts, request, interfacePrefix),
      undo: () => parts.removeLink(request.EndpointID),
    })),
    'NetworkDriver.Leave': method(ofEndpoint, (request) => ({...endpoint(request), onHost: true, run: () => done(removeLink(parts, request, log))})),
    'NetworkDriver.DeleteEndpoint': method(ofEndpoint, (request) => ({
      ...endpoint(request),
      async run() {
        // Docker does not call Leave where Join has failed.
        await removeLink(parts, request, log)
        if (!(await parts.deleteEndpoint(request.EndpointID))) log.debug(`${endpoint(request).subject} did not exist when it was to be deleted`)
        return {}
      },
    })),
    'NetworkDriver.EndpointOperInfo': always({Value: {}}),
    'NetworkDriver.ProgramExternalConnectivity': always({}),
    'NetworkDriver.RevokeExternalConnectivity': always({}),
    'NetworkDriver.AllocateNetwork': always({}),
    'NetworkDriver.FreeNetwork': always({}),
    'NetworkDriver.DiscoverNew': always({}),
    'NetworkDriver.DiscoverDelete': always({}),
    'IpamDriver.GetCapabilities': always({RequiresMACAddress: false}),
    'IpamDriver.GetDefaultAddressSpaces': always({LocalDefaultAddressSpace: LOCAL_ADDRESS_SPACE, GlobalDefaultAddressSpace: GLOBAL_ADDRESS_SPACE}),
    'IpamDriver.RequestPool': method(requestPool, ({Pool: pool, SubPool: subPool, Options: options, V6: v6}) => ({
      subject: pool === '' ? 'any pool' : `pool ${pool}`,
      async run() {
        if (v6 && pool === '') checkRepeat()
        return parts.requestPool({pool, subPool, options, v6})
      },
    })),
    'IpamDriver.ReleasePool': method(releasePool, ({PoolID}) => ({subject: `pool ${PoolID}`, onHost: true, run: () => Promise.resolve({})})),
    'IpamDriver.RequestAddress': method(requestAddress, ({PoolID: poolId, Address: address, Options: options}) => requested(parts, {poolId, address, options})),
    'IpamDriver.ReleaseAddress': method(releaseAddress, ({PoolID: poolId, Address: address}) => ({
      key: `address ${address}`,
      subject: `address ${address}`,
      async run() {
        const outcome = await parts.releaseAddress({poolId, address})
        if (outcome === 'foreign') log.warn(`The address ${address} was not released: Calico did not assign it to Docker on this node`)
        else if (outcome === 'in-use') log.warn(`The address ${address} was not released: an endpoint uses it`)
        return {}
      },
    })),
  }
}

/** A method whose request is read by SCHEMA. */
const method = <T>(schema: z.ZodType<T>, job: (request: T) => Job): Method => (body) => job(readRequest(schema, body))

/** A method that answers REPLY whatever it is asked. */
const always = (reply: object): Method => method(nothing, () => ({onHost: true, run: () => Promise.resolve(reply)}))

async function done(work: Promise<unknown>): Promise<object> {
  await work
  return {}
}

const SHORT_ID = 12

const network = ({NetworkID}: {NetworkID: string}) => ({key: `network ${NetworkID}`, subject: `network ${NetworkID.slice(0, SHORT_ID)}`})

const endpoint = ({EndpointID}: EndpointRequest) => ({key: `endpoint ${EndpointID}`, subject: `endpoint ${EndpointID.slice(0, SHORT_ID)}`})

function requested(parts: Parts, request: {poolId: string; address: string; options: Record<string, string> | null}): Job {
  let given: string | undefined
  return {
    subject: request.address === '' ? `an address of ${request.poolId}` : `address ${request.address}`,
    async run() {
      const reply = await parts.requestAddress(request)
      given = reply.Address
      return reply
    },
    undo: async () => given !== undefined && parts.releaseAddress({poolId: request.poolId, address: given.split('/', 1)[0] ?? ''}),
  }
}

function newNetwork(parts: Parts, request: CreateNetworkRequest): Job {
  let isNew = false
  return {
    ...network(request),
    async run() {
      isNew = (await parts.createNetwork(request)).created
      return {}
    },
    undo: async () => isNew && parts.removeNetwork(request.NetworkID),
  }
}

function newEndpoint(parts: Parts, request: CreateEndpointRequest, log: Log): Job {
  const {NetworkID: networkId, EndpointID: endpointId, Interface} = request
  let isNew = false
  return {
    ...endpoint(request),
    async run(): Promise<CreateEndpointReply> {
      const addresses = [Interface.Address, Interface.AddressIPv6].filter((text) => text !== '').map(addressOf)
      if (addresses.length === 0) throw new CalicoError('invalid', 'No address assigned for endpoint')
      const {profile, fromCalico} = await parts.findNetwork(networkId)
      const mac = (Interface.MacAddress === '' ? CONTAINER_MAC : Interface.MacAddress).toLowerCase()
      const {created, createdProfile, createdNode} = await parts.createEndpoint({endpointId, networkId, profile, addresses, fromCalico, mac})
      isNew = created
      if (createdNode) log.info('Created the Node of this host, because calico-node had not created it')
      if (createdProfile) log.info(`Created the profile ${profile}`)
      for (const text of ignoredOptions(request.Options, {fromCalico})) log.warn(`${endpoint(request).subject}: ${text}`)
      return {Interface: Interface.MacAddress === '' ? {MacAddress: CONTAINER_MAC} : {}}
    },
    undo: async () => isNew && parts.removeEndpoint(endpointId),
  }
}

/** The address in TEXT, with or without a prefix length: with Docker's own IPAM that is the network's. */
function addressOf(text: string): Address {
  const cidr = parseCidrOrAddress(text)
  if (cidr === undefined) throw new CalicoError('invalid', `Docker sent '${text}' as an address`)
  return {family: cidr.family, value: cidr.value}
}

async function join(parts: Parts, {NetworkID: networkId, EndpointID: endpointId, SandboxKey: sandbox}: JoinRequest, interfacePrefix: string): Promise<JoinReply> {
  const [facts, stored] = await Promise.all([parts.findNetwork(networkId), parts.findEndpoint(endpointId)])
  if (stored === undefined) throw new CalicoError('not-found', `The endpoint ${endpointId.slice(0, SHORT_ID)} does not exist or no longer exists`, {hint: 'Start the container again.'})
  if (facts.fromCalico) await parts.refuseConnected({endpointId, sandbox})
  const ipv6 = facts.fromCalico && stored.addresses.some(({family}) => family === 6)
  const {srcName, linkLocal} = await parts.makeLink({endpointId, mac: stored.mac, ipv6, mtu: facts.mtu})
  parts.describeLater({endpointId, networkId, labels: facts.labels})
  const InterfaceName = {SrcName: srcName, DstPrefix: interfacePrefix}
  // Without a gateway, Docker adds an interface on a bridge of its own with the default route.
  if (!facts.fromCalico) return {InterfaceName, Gateway: '', GatewayIPv6: ''}
  const gateways = [GATEWAY, ...(ipv6 && linkLocal !== undefined ? [linkLocal] : [])]
  return {
    InterfaceName,
    Gateway: GATEWAY,
    ...(gateways[1] === undefined ? {} : {GatewayIPv6: gateways[1]}),
    StaticRoutes: gateways.map((gateway) => ({Destination: routeTo(gateway), RouteType: CONNECTED, NextHop: ''})),
  }
}

function routeTo(gateway: string): string {
  const address = parseAddress(gateway)
  if (address === undefined) throw new TypeError(`${gateway} is not an address`)
  return formatCidr(hostCidr(address))
}

/** Docker goes on whatever is answered: what is left is removed with the endpoint, or by reconciliation. */
async function removeLink(parts: Parts, request: EndpointRequest, log: Log): Promise<void> {
  try {
    await parts.removeLink(request.EndpointID)
  } catch (error) {
    log.warn(`The interface of ${endpoint(request).subject} was not removed: ${error instanceof Error ? error.message : String(error)}`)
  }
}
