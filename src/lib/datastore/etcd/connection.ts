import {setTimeout as sleep} from 'node:timers/promises'
import {noop} from 'cockatiel'
import {Etcd3, type IOptions} from 'etcd3'
import {CalicoError} from '../../errors.js'
import type {EtcdSettings} from '../../settings/types.js'
import type {Budget} from '../budget.js'
import {OutcomeUnknownError} from '../errors.js'
import {diagnose} from './diagnose.js'
import {explainBadCredentials, explainDiagnosis, explainFailure, explainTogether} from './explain.js'
import {classify, type Failure} from './failure.js'

/**
 * Requests to one of several endpoints, with deadlines, rotation and retries of our own. etcd3's are switched off: its default
 * retry sends a write again whose answer was lost, and without a deadline it waits for ever on a silent server.
 */
export interface Connection {
  /** Runs CALL until it succeeds on some endpoint, fails for good, or the budget ends. SUBJECT names it in messages: `reading KEY`. */
  readonly read: <T>(subject: string, call: Call<T>, own?: Budget) => Promise<T>
  /** As read, but CALL is sent again only if it certainly was not executed. @throws OutcomeUnknownError */
  readonly write: <T>(subject: string, call: Call<T>) => Promise<T>
  /** Opens a long-lived stream on an endpoint that answers and has a leader. Finding one takes at most OWN. */
  readonly stream: <T>(subject: string, open: Call<T>, own: Budget) => Promise<T>
  /** The error for what a stream threw later. */
  readonly explain: (subject: string, error: unknown) => CalicoError
  readonly close: () => void
}

export type CallOptions = NonNullable<Parameters<Etcd3['kv']['range']>[1]>
export type Call<T> = (client: Etcd3, options: CallOptions) => Promise<T>

interface Endpoint {
  readonly url: string
  client: Etcd3 | undefined
  /** Whether it answered the last request sent to it. */
  proven: boolean
  /** It has told us that authentication is off: do not log in. */
  withoutLogin: boolean
}

/** First time limit of a read where another endpoint can take over; doubled in every round. */
const LIMIT_PROVEN_MS = 3_000
const LIMIT_UNPROVEN_MS = 1_500
const SHORTEST_ATTEMPT_MS = 250
/** The share of the remaining budget that a write may take, so that a lost answer can still be settled by reading. */
const WRITE_SHARE = 0.6
/** A login's token can grow old between two requests, hardly ever twice. */
const MAX_LOGINS = 3

const GRPC_OPTIONS: NonNullable<IOptions['grpcOptions']> = {
  'grpc.max_receive_message_length': -1,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A dead peer of a watch is noticed after 7 + 3 seconds; etcd allows a ping every 5.
  'grpc.keepalive_time_ms': 7_000,
  'grpc.keepalive_timeout_ms': 3_000,
}

/** Asks etcd to refuse at once, before it does anything, where the member knows no leader (its `hasleader` metadata). */
const requireLeader: NonNullable<CallOptions['interceptors']>[number] = (options, next) => {
  const call = next(options)
  const start = call.start.bind(call)
  call.start = (metadata, listener) => {
    metadata.set('hasleader', 'true')
    start(metadata, listener)
  }
  return call as unknown as ReturnType<typeof requireLeader>
}

export function connect(settings: EtcdSettings, budget: Budget): Connection {
  // gRPC passes an IP address as TLS server name, which Node ignores with a warning (DEP0123) on the user's stderr.
  if (settings.endpoints.value.some((url) => /^https:\/\/[[0-9]/.test(url))) process.noDeprecation = true
  const endpoints: Endpoint[] = settings.endpoints.value.map((url) => ({url, client: undefined, proven: false, withoutLogin: false}))
  /** Index of the endpoint that answered last. */
  let current = 0
  let closed = false

  function clientOf(endpoint: Endpoint): Etcd3 {
    if (closed) throw new CalicoError('failed', 'the datastore is closed')
    try {
      endpoint.client ??= new Etcd3(clientOptions(endpoint, settings))
    } catch (error) {
      throw explainBadCredentials(settings, error)
    }
    return endpoint.client
  }

  function forget(endpoint: Endpoint): void {
    endpoint.client?.close()
    endpoint.client = undefined
  }

  /** One request to one endpoint. Logging in again does not count as another attempt. */
  async function attempt<T>(endpoint: Endpoint, limitMs: number, call: Call<T>): Promise<{value: T} | {failure: Failure}> {
    const deadline = Date.now() + limitMs
    for (let logins = 0; ; logins++) {
      try {
        const value = await call(clientOf(endpoint), {deadline, interceptors: [requireLeader]})
        endpoint.proven = true
        current = endpoints.indexOf(endpoint)
        return {value}
      } catch (error) {
        if (closed || error instanceof CalicoError) throw error
        const failure = classify(error)
        const login = failure.remedy === 'new-token' || failure.remedy === 'no-login'
        if (login && logins < MAX_LOGINS) {
          endpoint.withoutLogin ||= failure.remedy === 'no-login'
          forget(endpoint)
          continue
        }
        endpoint.proven = false
        return {failure: login ? {...failure, remedy: 'none'} : failure}
      }
    }
  }

  const readLimit = (endpoint: Endpoint, round: number, remaining: number): number => {
    const limit = endpoints.length === 1 ? Infinity : (endpoint.proven ? LIMIT_PROVEN_MS : LIMIT_UNPROVEN_MS) * 2 ** round
    return Math.min(remaining, Math.max(SHORTEST_ATTEMPT_MS, Math.min(remaining / 2, limit)))
  }

  /** Endpoints in the order in which to try them now: the one that answered last, then the others. */
  const inTurn = (): Endpoint[] => [...endpoints.slice(current), ...endpoints.slice(0, current)]

  async function read<T>(subject: string, call: Call<T>, own = budget.forRequest()): Promise<T> {
    return rotate(subject, own, (endpoint, round, remaining) => attempt(endpoint, readLimit(endpoint, round, remaining), call))
  }

  async function write<T>(subject: string, call: Call<T>): Promise<T> {
    const own = budget.forRequest()
    return rotate(subject, own, async (endpoint, round, remaining) => {
      // A write gets no second chance on another endpoint once it is sent: first see that somebody is there.
      if (!endpoint.proven) {
        const probe = await attempt(endpoint, readLimit(endpoint, round, remaining), (client, options) => client.maintenance.status(options))
        if ('failure' in probe) return {failure: {...probe.failure, fate: 'never-sent'}}
      }
      const result = await attempt(endpoint, Math.max(SHORTEST_ATTEMPT_MS, own.remaining() * WRITE_SHARE), call)
      if ('failure' in result && result.failure.fate === 'unknown') {
        const {message} = explainFailure({endpoint: endpoint.url, settings, subject}, result.failure)
        throw new OutcomeUnknownError(`${message}. It is not known whether ${subject} was executed`, result.failure.cause)
      }
      return result
    })
  }

  async function stream<T>(subject: string, open: Call<T>, own: Budget): Promise<T> {
    await read(subject, (client, options) => client.maintenance.status(options), own)
    const endpoint = currentEndpoint()
    return open(clientOf(endpoint), {interceptors: [requireLeader]})
  }

  function currentEndpoint(): Endpoint {
    const endpoint = endpoints[current]
    if (endpoint === undefined) throw new RangeError('a datastore without endpoints')
    return endpoint
  }

  const explain = (subject: string, error: unknown): CalicoError =>
    explainFailure({endpoint: currentEndpoint().url, settings, subject}, classify(error))

  /** Goes round the endpoints until one succeeds. */
  async function rotate<T>(
    subject: string,
    own: Budget,
    tryOn: (endpoint: Endpoint, round: number, remaining: number) => Promise<{value: T} | {failure: Failure}>,
  ): Promise<T> {
    /** The last failure of each endpoint that says more than "no answer". */
    const telling = new Map<string, Failure>()
    const explainAll = (): CalicoError =>
      explainTogether([...telling].map(([endpoint, failure]) => explainFailure({endpoint, settings, subject}, failure)))
    for (let round = 0; ; round++) {
      const failures: {endpoint: string; failure: Failure}[] = []
      for (const endpoint of inTurn()) {
        const remaining = own.remaining()
        if (remaining <= 0 && telling.size > 0) throw explainAll()
        const result = await tryOn(endpoint, round, Math.max(1, remaining))
        if ('value' in result) return result.value
        failures.push({endpoint: endpoint.url, failure: result.failure})
        if (result.failure.problem !== 'timeout' || !telling.has(endpoint.url)) telling.set(endpoint.url, result.failure)
        if (result.failure.remedy === 'none') throw explainFailure({endpoint: endpoint.url, settings, subject}, result.failure)
      }
      if (own.remaining() <= 0) throw explainAll()
      if (failures.every(({failure}) => failure.problem === 'no-connection' || failure.problem === 'not-etcd')) {
        const diagnoses = await Promise.all(failures.map(({endpoint}) => diagnose(endpoint, settings)))
        if (diagnoses.every(({problem}) => problem !== 'none' && problem !== 'silent')) {
          throw explainTogether(
            failures.flatMap(({endpoint, failure}, i) => {
              const diagnosis = diagnoses[i]
              return diagnosis ? [explainDiagnosis({endpoint, settings, subject}, diagnosis, failure)] : []
            }),
          )
        }
      }
      await sleep(Math.min(backOffMs(round), own.remaining()))
    }
  }

  return {
    read,
    write,
    stream,
    explain,
    close() {
      closed = true
      for (const endpoint of endpoints) forget(endpoint)
    },
  }
}

/** How long to wait before the next round: 50 ms, doubled every time up to a second, give or take half. */
export const backOffMs = (round: number): number => Math.min(1_000, 50 * 2 ** Math.min(round, 10)) * (0.5 + Math.random())

function clientOptions({url, withoutLogin}: Endpoint, settings: EtcdSettings): IOptions {
  const {username, password} = settings
  return {
    hosts: url,
    grpcOptions: GRPC_OPTIONS,
    faultHandling: {host: () => noop, global: noop},
    ...(url.startsWith('https:') && {credentials: tlsCredentials(settings)}),
    ...(username &&
      password &&
      !withoutLogin && {
        auth: {username: username.value, password: password.value, callOptions: () => ({deadline: Date.now() + LIMIT_PROVEN_MS})},
      }),
  }
}

function tlsCredentials({ca, cert, key}: EtcdSettings): NonNullable<IOptions['credentials']> {
  const bytes = (pem: string): Buffer => Buffer.from(pem)
  return {
    ...(ca && {rootCertificate: bytes(ca.value.pem)}),
    ...(cert && key && {certChain: bytes(cert.value.pem), privateKey: bytes(key.value.pem)}),
    // Without a CA of its own, gRPC takes those that Node knows; etcd3's type does not say so.
  } as NonNullable<IOptions['credentials']>
}
