import {setTimeout as sleep} from 'node:timers/promises'
import {CalicoError} from '../../errors.js'
import type {EtcdSettings} from '../../settings/types.js'
import type {Budget} from '../budget.js'
import {OutcomeUnknownError} from '../errors.js'
import type {CallOptions, Client, ClientEndpoint, OpenClient} from './client.js'
import {diagnose, isLasting, type Diagnosis} from './diagnose.js'
import {explainBadCredentials, explainClusters, explainDiagnosis, explainFailure, explainReplaced, explainTogether} from './explain.js'
import {classify, type Failure} from './failure.js'

/**
 * Requests to one of several endpoints, with deadlines, rotation and retries of our own. etcd3's are switched off: its default
 * retry sends a write again whose answer was lost, and without a deadline it waits for ever on a silent server.
 * How a request goes to one endpoint is a client's matter (client.ts).
 */
export interface Connection {
  /** Runs CALL until it succeeds on some endpoint, fails for good, or the budget ends. SUBJECT names it in messages: `reading KEY`. */
  readonly read: <T extends Answer>(subject: string, call: Call<T>, own?: Budget) => Promise<T>
  /** As read, but CALL is sent again only if it certainly was not executed. @throws OutcomeUnknownError */
  readonly write: <T extends Answer>(subject: string, call: Call<T>) => Promise<T>
  /** Opens a long-lived stream on an endpoint that answers and has a leader. Finding one takes at most OWN. */
  readonly stream: <T>(subject: string, open: (client: Client) => Promise<T>, own: Budget) => Promise<T>
  /** The error for what a stream threw later. */
  readonly explain: (subject: string, error: unknown) => CalicoError
  /** How often the cluster has been replaced by another: only of a long-lived connection. */
  readonly generation: () => number
  readonly close: () => void
}

export type Call<T> = (client: Client, options: CallOptions) => Promise<T>

/** The ways to an endpoint (client.ts). */
export type Way = 'http2' | 'etcd3'

/** What every answer of etcd begins with. */
interface Answer {
  readonly header: {readonly cluster_id: string}
}

export interface ConnectionOptions {
  /**
   * A server's: where every endpoint has come to belong to another cluster (etcd was set up anew, or restored from a backup), the request that
   * finds it fails, and later ones go to the new cluster. Otherwise all answers come from one cluster (decisions.md 39).
   */
  readonly longLived?: boolean
  /** Called once, if no endpoint has answered {@link SLOW_MS} after the first request; WHERE is the one that is being asked, and who named it. */
  readonly onSlow?: ((where: string) => void) | undefined
  /** The default is `etcd3` for servers, else `http2`. Watches are always etcd3's. */
  readonly way?: Way
}

interface Endpoint extends ClientEndpoint {
  client: Promise<Client> | undefined
  /** Whether it answered the last request sent to it, as a member of the cluster that all answers come from. */
  proven: boolean
  withoutLogin: boolean
  deadline: number
}

const WAYS: Readonly<Record<Way, () => Promise<OpenClient>>> = {
  http2: async () => (await import('./unary/client.js')).openUnary,
  etcd3: async () => (await import('./etcd3-client.js')).openEtcd3,
}

/** First time limit of a read where another endpoint can take over; doubled in every round. */
const LIMIT_PROVEN_MS = 3_000
const LIMIT_UNPROVEN_MS = 1_500
const SHORTEST_ATTEMPT_MS = 250
/** After this time without an answer a user wants to know what the command waits for. */
const SLOW_MS = 1_000
/** The share of the remaining budget that a write may take, so that a lost answer can still be settled by reading. */
const WRITE_SHARE = 0.6
/** A login's token can grow old between two requests, hardly ever twice. */
const MAX_LOGINS = 3

export function connect(settings: EtcdSettings, budget: Budget, {longLived = false, onSlow, way = longLived ? 'etcd3' : 'http2'}: ConnectionOptions = {}): Connection {
  // It would let anybody pass for etcd, and is set for some other program.
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
  // gRPC passes an IP address as TLS server name, which Node ignores with a warning (DEP0123) on the user's stderr.
  if (settings.endpoints.value.some((url) => /^https:\/\/[[0-9]/.test(url))) process.noDeprecation = true
  const endpoints: Endpoint[] = settings.endpoints.value.map((url) => ({url, client: undefined, proven: false, withoutLogin: false, deadline: 0}))
  /** Index of the endpoint that answered last. */
  let current = 0
  let closed = false
  /** The cluster of the first answer, and the endpoint that gave it. */
  let cluster: {readonly id: string; readonly url: string} | undefined
  let generation = 0
  /** Runs from the first request to the first answer; undefined before. */
  let slow: NodeJS.Timeout | undefined
  /** The endpoint that was asked last. */
  let asked = ''

  function clientOf(endpoint: Endpoint): Promise<Client> {
    if (closed) throw new CalicoError('failed', 'the datastore is closed')
    return (endpoint.client ??= newClient(endpoint))
  }

  async function newClient(endpoint: Endpoint): Promise<Client> {
    const open = await WAYS[way]()
    try {
      return await open(endpoint, settings)
    } catch (error) {
      throw explainBadCredentials(settings, error)
    }
  }

  function forget(endpoint: Endpoint): void {
    void endpoint.client?.then(
      (client) => client.close(),
      () => undefined,
    )
    endpoint.client = undefined
  }

  /** One request to one endpoint. Logging in again does not count as another attempt. */
  async function attempt<T extends Answer>(endpoint: Endpoint, limitMs: number, call: Call<T>): Promise<{value: T} | {failure: Failure}> {
    const deadline = Date.now() + limitMs
    endpoint.deadline = deadline
    asked = endpoint.url
    if (onSlow) slow ??= setTimeout(() => onSlow(`${asked} (from ${settings.endpoints.origin})`), SLOW_MS).unref()
    for (let logins = 0; ; logins++) {
      try {
        const value = checked(await call(await clientOf(endpoint), {deadline}))
        clearTimeout(slow)
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

  /** As attempt, for a call whose answer tells the cluster. @throws CalicoError `wrong-datastore` if that is another than the first answer's */
  async function ask<T extends Answer>(endpoint: Endpoint, limitMs: number, call: Call<T>): Promise<{value: T} | {failure: Failure}> {
    const result = await attempt(endpoint, limitMs, call)
    if ('value' in result) await accept(endpoint, result.value)
    return result
  }

  /** Takes notice of an answer. @throws CalicoError, see ask() */
  async function accept(endpoint: Endpoint, answer: Answer): Promise<void> {
    await checkCluster(endpoint, answer)
    budget.answered = true
    endpoint.proven = true
    current = endpoints.indexOf(endpoint)
  }

  async function checkCluster(endpoint: Endpoint, {header}: Answer): Promise<void> {
    const id = header.cluster_id
    // A proxy of etcd's may leave it out.
    if (!id || id === '0') return
    cluster ??= {id, url: endpoint.url}
    if (cluster.id === id) return
    const first = cluster
    endpoint.proven = false
    const error = explainClusters(settings, first, {id, url: endpoint.url})
    if (!longLived || !(await allBelongTo(id))) throw error
    if (cluster === first) {
      cluster = {id, url: endpoint.url}
      generation++
    }
    throw explainReplaced(settings, first, cluster, error)
  }

  /** Whether every endpoint answers now and is of the cluster ID: the one before is certainly gone. */
  async function allBelongTo(id: string): Promise<boolean> {
    const limitMs = Math.max(SHORTEST_ATTEMPT_MS, Math.min(LIMIT_UNPROVEN_MS, budget.forRequest().remaining()))
    const answers = await Promise.all(endpoints.map((endpoint) => attempt(endpoint, limitMs, (client, options) => client.status(options))))
    return answers.every((answer) => 'value' in answer && answer.value.header.cluster_id === id)
  }

  const readLimit = (endpoint: Endpoint, round: number, remaining: number): number => {
    if (endpoints.length === 1) return remaining
    const limit = (endpoint.proven ? LIMIT_PROVEN_MS : LIMIT_UNPROVEN_MS) * 2 ** round
    return Math.min(remaining, Math.max(SHORTEST_ATTEMPT_MS, Math.min(remaining / 2, limit)))
  }

  /** Endpoints in the order in which to try them now: the one that answered last, then the others. */
  const inTurn = (): Endpoint[] => [...endpoints.slice(current), ...endpoints.slice(0, current)]

  async function read<T extends Answer>(subject: string, call: Call<T>, own = budget.forRequest()): Promise<T> {
    return rotate(subject, own, (endpoint, round, remaining) => ask(endpoint, readLimit(endpoint, round, remaining), call))
  }

  async function write<T extends Answer>(subject: string, call: Call<T>): Promise<T> {
    const own = budget.forRequest()
    return rotate(subject, own, async (endpoint, round, remaining) => {
      // A write gets no second chance on another endpoint once it is sent: first see that someone is there.
      if (!endpoint.proven) {
        const probe = await ask(endpoint, readLimit(endpoint, round, remaining), (client, options) => client.status(options))
        if ('failure' in probe) return {failure: {...probe.failure, fate: 'never-sent'}}
      }
      const result = await attempt(endpoint, Math.max(SHORTEST_ATTEMPT_MS, own.remaining() * WRITE_SHARE), call)
      if ('failure' in result && result.failure.fate === 'unknown') {
        const {message} = explainFailure({endpoint: endpoint.url, settings, subject}, result.failure)
        throw new OutcomeUnknownError(`${message}. It is not known whether ${subject} was executed`, result.failure.cause)
      }
      if ('value' in result) await checkWritten(subject, endpoint, result.value)
      return result
    })
  }

  /** Something before etcd (a load balancer) may have sent the write to another cluster than the requests before it. */
  async function checkWritten(subject: string, endpoint: Endpoint, answer: Answer & {readonly succeeded?: boolean}): Promise<void> {
    try {
      await accept(endpoint, answer)
    } catch (error) {
      if (!(error instanceof CalicoError) || answer.succeeded === false) throw error
      throw new CalicoError('unknown', `${error.message}. ${subject} was executed there`, {...(error.hint !== undefined && {hint: error.hint}), cause: error})
    }
  }

  async function stream<T>(subject: string, open: (client: Client) => Promise<T>, own: Budget): Promise<T> {
    await read(subject, (client, options) => client.status(options), own)
    const endpoint = currentEndpoint()
    endpoint.deadline = Date.now() + Math.max(SHORTEST_ATTEMPT_MS, own.remaining())
    try {
      return await open(await clientOf(endpoint))
    } catch (error) {
      throw closed || error instanceof CalicoError ? error : explain(subject, error)
    }
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
    /** What is known beyond that of endpoints without a connection. */
    const causes = new Map<string, Diagnosis>()
    const explain = (endpoint: string, failure: Failure): CalicoError => {
      const cause = failure.problem === 'no-connection' || failure.problem === 'not-etcd' ? causes.get(endpoint) : undefined
      const scene = {endpoint, settings, subject}
      return cause ? explainDiagnosis(scene, cause, failure) : explainFailure(scene, failure)
    }
    const explainAll = (): CalicoError => explainTogether([...telling].map(([endpoint, failure]) => explain(endpoint, failure)))
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
        const diagnoses = await Promise.all(failures.map(({endpoint}) => diagnose(endpoint, settings, own.remaining())))
        for (const [i, diagnosis] of diagnoses.entries()) {
          const endpoint = failures[i]?.endpoint ?? ''
          // At the end of the time there is too little of it to find more than silence.
          if (diagnosis.problem !== 'silent' || !causes.has(endpoint)) causes.set(endpoint, diagnosis)
        }
        if (diagnoses.every(isLasting)) throw explainTogether(failures.map(({endpoint, failure}) => explain(endpoint, failure)))
      }
      await sleep(Math.min(backOffMs(round), own.remaining()))
    }
  }

  return {
    read,
    write,
    stream,
    explain,
    generation: () => generation,
    close() {
      closed = true
      clearTimeout(slow)
      for (const endpoint of endpoints) forget(endpoint)
    },
  }
}

/** ANSWER, which whatever stands before etcd may have given. @throws Error for what no etcd says */
function checked<T extends {readonly header: Answer['header'] | null}>(answer: T): T {
  if (answer.header === null) throw new Error('the answer has no header')
  return answer
}

/** How long to wait before the next round: 50 ms, doubled every time up to a second, give or take half. */
export const backOffMs = (round: number): number => Math.min(1_000, 50 * 2 ** Math.min(round, 10)) * (0.5 + Math.random())
