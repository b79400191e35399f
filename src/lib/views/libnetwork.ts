/** `libnetwork serve`: what the service is given, and how it ends. */
import {writeSync} from 'node:fs'
import {nodeNameInputs, resolveNodeName, type NodeName} from '../client/node-name.js'
import {newSession} from '../client/session.js'
import {openDatastore} from '../datastore/open.js'
import {CalicoError, EXIT_CODES} from '../errors.js'
import {createLog, goesToJournal, type Log} from '../libnetwork/log.js'
import {driverParts} from '../libnetwork/parts.js'
import type {Scope} from '../libnetwork/protocol.js'
import {startService, type Service} from '../libnetwork/service.js'
import {newStoreState, observed, stateBudget} from '../libnetwork/store-state.js'
import type {Settings} from '../settings/types.js'
import {readDuration} from '../cli/duration.js'
import {escapeText} from '../printable.js'

/** For a request of Docker's, unless --timeout says otherwise. */
const REQUEST_LIMIT_MS = 5_000
const LABEL_LIMIT_MS = 5_000
const SMALLEST_MTU = 68
const VARIABLES = 'CALICO_LIBNETWORK_'

export interface ServeOptions {
  readonly settings: Settings
  readonly socket: string
  readonly scope: Scope
  readonly metricsFile: string | undefined
  /** Labels of containers become labels of endpoints in every network. */
  readonly labelEndpoints: boolean
  readonly node: string | undefined
  /** For a request of Docker's, milliseconds. */
  readonly limitMs: number | undefined
  readonly level: 'warn' | 'info' | 'debug'
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Serves until SIGTERM or SIGINT. Gives the exit code: 0 after SIGTERM, which is how services are stopped. @throws CalicoError if it cannot begin */
export async function serve({settings, env, limitMs = REQUEST_LIMIT_MS, ...options}: ServeOptions): Promise<number> {
  const log = createLog({write: writeLine, level: options.level, journal: goesToJournal(env), escape: escapeText})
  process.on('unhandledRejection', (error) => log.error(`A bug in calicoctl; it continues: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`))
  const {name: node, warning} = nodeNow(options.node)
  if (warning !== undefined) log.warn(warning)
  const labelEndpoints = options.labelEndpoints || env.CALICO_LIBNETWORK_LABEL_ENDPOINTS === 'true'
  const labelLimitMs = readLimit(env.CALICO_LIBNETWORK_LABEL_POLL_TIMEOUT)
  const mtu = readMtu(env.CALICO_LIBNETWORK_VETH_MTU)
  const interfacePrefix = readPrefix(env.CALICO_LIBNETWORK_IFPREFIX)
  const ignored = unknownVariables(env)
  if (ignored.length > 0) log.warn(`Unknown settings, ignored by this driver: ${ignored.join(', ')}`)
  const state = newStoreState()
  const store = observed(await openDatastore(settings, stateBudget(state, limitMs), {longLived: true}), state)
  const session = newSession(store, {expectCluster: settings.expectCluster?.value, longLived: true, warn: (text) => log.warn(text)})
  settings.warnings.forEach(session.warn)
  if (settings.datastore.type === 'embedded') log.warn('calico-node cannot read an embedded datastore: objects created here have no effect on traffic. Use it only to try the driver.')
  const {parts, reconciler} = driverParts({session, node, log, mtu, labelEndpoints, labelLimitMs})
  try {
    const service = await startService({...options, interfacePrefix, session, state, parts, round: watchingName(() => reconciler.round(), {node, look: () => nodeNow(options.node), log}), log, limitMs})
    log.info(`Node ${node}; ${store.description}`)
    return await untilStopped(service, log)
  } finally {
    store.close()
  }
}

const nodeNow = (option: string | undefined) => resolveNodeName(nodeNameInputs(option), {fileFirst: true})

/** ROUND, with a look at the node's name: calico-node may start after the driver, and call itself otherwise. */
export function watchingName<T>(round: () => Promise<T>, {node, look, log}: {node: string; look: () => Pick<NodeName, 'name' | 'origin'>; log: Pick<Log, 'error'>}): () => Promise<T> {
  let reported = node
  return () => {
    const {name, origin} = look()
    if (name !== reported && name !== node) log.error(`This host's node is now ${name} (${origin}), but this service still creates endpoints for ${node}, which calico-node does not program: restart this service`)
    reported = name
    return round()
  }
}

/** A log that cannot be written (a full disk) does not end the service. */
function writeLine(line: string): void {
  try {
    writeSync(2, line)
  } catch {
    // There is nowhere to say so.
  }
}

/** Go's durations are spelt like ours. */
function readLimit(text: string | undefined): number {
  if (text === undefined || text === '') return LABEL_LIMIT_MS
  return readDuration('CALICO_LIBNETWORK_LABEL_POLL_TIMEOUT')(text)
}

function readMtu(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (!(mtu >= SMALLEST_MTU && mtu <= 65_535)) throw new CalicoError('invalid', `CALICO_LIBNETWORK_VETH_MTU: '${text}' is not an MTU: ${SMALLEST_MTU} to 65535.`)
  return mtu
}

/** Linux takes 15 characters for an interface's name; Docker adds a number. */
export function readPrefix(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,11}$/.test(text)) throw new CalicoError('invalid', `CALICO_LIBNETWORK_IFPREFIX: '${text}' is not a valid prefix of interface names: use a letter, then at most 11 letters, digits, '_', '.' and '-'.`)
  return text
}

const KNOWN_VARIABLES = ['LABEL_ENDPOINTS', 'LABEL_POLL_TIMEOUT', 'VETH_MTU', 'IFPREFIX', 'ENABLED']

/** The variables of ENV that are for Calico's drivers and mean nothing to this one. */
export const unknownVariables = (env: ServeOptions['env']): string[] =>
  Object.keys(env).filter((name) => name.startsWith(VARIABLES) && env[name] !== '' && !KNOWN_VARIABLES.includes(name.slice(VARIABLES.length))).sort()

/** Resolves with the exit code when a signal has ended SERVICE. A second one ends it at once. */
async function untilStopped(service: Service, log: Log): Promise<number> {
  const first = await new Promise<NodeJS.Signals>((resolve) => {
    let count = 0
    const stop = (signal: NodeJS.Signals): void => {
      count++
      if (count > 1) {
        service.abandon()
        process.exit(EXIT_CODES[signal === 'SIGINT' ? 'interrupted' : 'terminated'])
      }
      resolve(signal)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
  log.info(`${first}: finishing open requests (press again to exit immediately)`)
  await service.stop()
  log.info('Stopped')
  return first === 'SIGINT' ? EXIT_CODES.interrupted : 0
}
