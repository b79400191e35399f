/**
 * The requests that the Docker Engine sends to network and IPAM plugins, and the replies (spec mesos-docker §3.3–3.5, recorded in its
 * appendix A). Members that Docker adds in a later version are ignored.
 */
import {z} from 'zod'

/** Of every reply, also of errors. */
export const CONTENT_TYPE = 'application/vnd.docker.plugins.v1.1+json'

export const LOCAL_ADDRESS_SPACE = 'CalicoLocalAddressSpace'
export const GLOBAL_ADDRESS_SPACE = 'CalicoGlobalAddressSpace'

/** The container end of a Docker endpoint, unless the user chose one (decisions.md 26). Docker's spelling; stored in lower case. */
export const CONTAINER_MAC = 'EE:EE:EE:EE:EE:EE'

/** What the interface is called in a container, with a number behind it, unless a setting says otherwise. */
export const INTERFACE_PREFIX = 'cali'

/** The next hop of every container: Felix answers for it on each host end. */
export const GATEWAY = '169.254.1.1'

/** `RouteType` of a route without next hop. */
export const CONNECTED = 1

/** Where an engine may use a network: on its own host, or on all hosts of its cluster store or swarm. */
export type Scope = 'local' | 'global'

/** Swarm's ids have 25 characters, others 64 hex digits. It becomes part of file names and keys. */
const networkId = z.string().regex(/^[0-9a-z]{25,64}$/, 'is not the id of a network')
/** Interfaces are named after it. */
const endpointId = z.string().regex(/^[0-9a-f]{64}$/, 'is not the id of an endpoint (64 hex digits)')
/** Go sends null for an empty map or list. */
const orNull = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? null)
const anyOptions = orNull(z.record(z.string(), z.unknown()))
const textOptions = orNull(z.record(z.string(), z.string()))
const orEmpty = z.string().nullish().transform((value) => value ?? '')

export const nothing = z.unknown()

export const requestPool = z.object({Pool: z.string(), SubPool: orEmpty, Options: textOptions, V6: z.boolean()})
export const releasePool = z.object({PoolID: z.string()})
export const requestAddress = z.object({PoolID: z.string(), Address: orEmpty, Options: textOptions})
export const releaseAddress = z.object({PoolID: z.string(), Address: z.string()})

/** What one family's IPAM driver gave for a network. The gateway `0.0.0.0/0` or `::/0` is Calico's own. */
const ipamData = orNull(z.array(z.object({AddressSpace: orEmpty, Gateway: orEmpty, Pool: orEmpty, AuxAddresses: z.record(z.string(), z.string()).nullish()})))

export const createNetwork = z.object({NetworkID: networkId, Options: anyOptions, IPv4Data: ipamData, IPv6Data: ipamData})
export const ofNetwork = z.object({NetworkID: networkId})

export const createEndpoint = z.object({
  NetworkID: networkId,
  EndpointID: endpointId,
  Interface: z.object({Address: orEmpty, AddressIPv6: orEmpty, MacAddress: orEmpty}).nullable().transform((given) => given ?? {Address: '', AddressIPv6: '', MacAddress: ''}),
  Options: anyOptions,
})
export const ofEndpoint = z.object({NetworkID: networkId, EndpointID: endpointId})
/** The path of the container's network namespace; before the container has been started there is nothing at it. */
export const joinEndpoint = ofEndpoint.extend({SandboxKey: orEmpty})

export type CreateNetworkRequest = z.infer<typeof createNetwork>
export type CreateEndpointRequest = z.infer<typeof createEndpoint>
export type JoinRequest = z.infer<typeof joinEndpoint>
export type EndpointRequest = z.infer<typeof ofEndpoint>

export interface Manifest {
  readonly Implements: readonly ('NetworkDriver' | 'IpamDriver')[]
}

export interface CreateEndpointReply {
  /** A member stands here only if Docker left it empty: otherwise it takes the endpoint back ("driver modified interface MAC address"). */
  readonly Interface: {readonly MacAddress?: string}
}

export interface StaticRoute {
  readonly Destination: string
  readonly RouteType: typeof CONNECTED
  readonly NextHop: ''
}

export interface JoinReply {
  readonly InterfaceName: {readonly SrcName: string; readonly DstPrefix: string}
  readonly Gateway: string
  readonly GatewayIPv6?: string
  readonly StaticRoutes?: readonly StaticRoute[]
}

/** A request that does not fit its schema: answered with 400. */
export class BadRequest extends Error {}

/** BODY as SCHEMA has it. @throws BadRequest naming each member that is missing or wrong */
export function readRequest<T>(schema: z.ZodType<T>, body: unknown): T {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  throw new BadRequest(read.error.issues.map((issue) => problem(issue, body)).join('; '))
}

function problem({path, message}: z.core.$ZodIssue, body: unknown): string {
  if (path.length === 0) return 'the request is not a JSON object'
  const value = path.reduce<unknown>((object, key) => (object as Record<PropertyKey, unknown> | null | undefined)?.[key], body)
  const name = path.map(String).join('.')
  return value === undefined ? `${name} is missing` : message.startsWith('is ') ? `${name} ${message}` : `${name}: ${message}`
}
