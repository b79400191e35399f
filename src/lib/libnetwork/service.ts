/** The driver as a service: its sockets, its work in the background, its metrics, from the start to the orderly end. */
import type {Server} from 'node:http'
import {CLUSTER_KEY} from '../client/cluster.js'
import type {Session} from '../client/session.js'
import {newDriver, type Parts} from './driver.js'
import type {Log} from './log.js'
import {newMetrics, writeMetrics} from './metrics.js'
import {listenOn, socketPaths, type Bound} from './plugin-socket.js'
import type {Scope} from './protocol.js'
import {keepRounds, type RoundResult} from './rounds.js'
import {newPluginServer} from './server.js'
import {patience, type StoreState} from './store-state.js'

/** For a request that asks neither datastore nor Engine: moving an interface on a machine that has much to do. */
const HOST_LIMIT_MS = 10_000
const METRICS_MS = 15_000
/** How long the end of the service waits for requests that are being done. */
const STOP_LIMIT_MS = 10_000

export interface ServiceOptions {
  /** Of the main socket; that of the IPAM twin stands beside it. */
  readonly socket: string
  readonly scope: Scope
  /** Of the interfaces in containers; undefined: the usual one. */
  readonly interfacePrefix?: string | undefined
  /** Of the metrics file; undefined: none is written. */
  readonly metricsFile: string | undefined
  readonly session: Session
  readonly state: StoreState
  readonly parts: Parts
  readonly round: () => Promise<RoundResult>
  readonly log: Log
  /** For a request that asks the datastore, milliseconds. */
  readonly limitMs: number
  /** Who must own the folder of the sockets; root. */
  readonly owner?: number
}

export interface Service {
  /** Ends it: requests that are being done are finished (at most 10 s), the sockets removed. */
  stop(): Promise<void>
  /** Removes the sockets at once. */
  abandon(): void
}

/**
 * Begins to serve. Neither datastore nor Engine need be there.
 * @throws CalicoError, see listenOn()
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const {session, state, log, scope, limitMs} = options
  const paths = socketPaths(options.socket)
  const metrics = newMetrics()
  state.onChange((answers) => {
    metrics.datastore(answers)
    if (answers) log.info(`The datastore answers: ${session.store.description}`)
    else log.warn(`The datastore does not answer: ${session.store.description}. Requests that need it are refused until it does.`)
  })
  const server = newPluginServer({
    driver: newDriver(options.parts, {scope, log, interfacePrefix: options.interfacePrefix}),
    log,
    metrics,
    limitMs: ({onHost}) => (onHost ? HOST_LIMIT_MS : patience(state, limitMs)),
    whyLate: () => (state.answers === false ? `The datastore does not answer: ${session.store.description}.` : 'The datastore, Docker or this host is slow. Try again.'),
  })
  const bound = await listenOnAll([
    {server: server.serve({Implements: ['NetworkDriver', 'IpamDriver']}), path: paths.main},
    {server: server.serve({Implements: ['IpamDriver']}), path: paths.ipam},
  ], options.owner)
  const ending = new AbortController()
  const rounds = keepRounds({state, probe: () => session.store.get(CLUSTER_KEY), round: options.round, log, metrics}, ending.signal)
  const writing = options.metricsFile === undefined ? undefined : keepMetrics(options.metricsFile, metrics.text, log)
  log.info(`Serving Docker on ${paths.main} and ${paths.ipam}, scope ${scope}`)

  const abandon = (): void => bound.forEach((socket) => socket.remove())
  return {
    abandon,
    async stop() {
      // Docker finds no socket rather than one that no one answers on.
      abandon()
      ending.abort()
      const isWhole = await server.stop(STOP_LIMIT_MS)
      if (!isWhole) log.warn(`Requests that were not finished within ${STOP_LIMIT_MS / 1000} s were cancelled`)
      await Promise.race([rounds, new Promise((resolve) => setTimeout(resolve, 2_000).unref())])
      await writing?.end()
    },
  }
}

/** All or none. */
async function listenOnAll(places: readonly {server: Server; path: string}[], owner: number | undefined): Promise<Bound[]> {
  const bound: Bound[] = []
  try {
    for (const {server, path} of places) bound.push(await listenOn(server, path, owner === undefined ? {} : {owner}))
    return bound
  } catch (error) {
    bound.forEach((socket) => socket.remove())
    for (const {server} of places) server.close()
    throw error
  }
}

/** Writes the metrics now, every 15 s and at the end. A failure is reported when it begins. */
function keepMetrics(path: string, text: () => string, log: Log): {end(): Promise<void>} {
  let hasFailed = false
  const write = async (): Promise<void> => {
    try {
      await writeMetrics(path, text())
      hasFailed = false
    } catch (error) {
      if (!hasFailed) log.warn(`The metrics cannot be written to ${path}: ${error instanceof Error ? error.message : String(error)}`)
      hasFailed = true
    }
  }
  let last = write()
  const timer = setInterval(() => {
    last = last.then(write)
  }, METRICS_MS)
  return {
    async end() {
      clearInterval(timer)
      await last
      await write()
    },
  }
}
