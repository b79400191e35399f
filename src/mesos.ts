/** The Mesos plugin: a request in, an answer out. Called by bin/mesos-plugin.js through the bundle. */
import {nodeNameInputs, resolveNodeName} from './lib/client/node-name.js'
import {newSession, type Session} from './lib/client/session.js'
import {createBudget} from './lib/datastore/budget.js'
import {openDatastore} from './lib/datastore/open.js'
import {CalicoError} from './lib/errors.js'
import {requireNetworkAdministrator} from './lib/host/privileges.js'
import {allocate, release, releaseUid, reserve, takeBack} from './lib/mesos/plugin/addresses.js'
import {cleanup} from './lib/mesos/plugin/cleanup.js'
import {containerOf} from './lib/mesos/plugin/container.js'
import {faultText, reason} from './lib/mesos/plugin/fault.js'
import {isolate, type OffTheClock} from './lib/mesos/plugin/isolate.js'
import {type Log, openLog} from './lib/mesos/plugin/log.js'
import {readRequest, type Request} from './lib/mesos/plugin/request.js'
import {logFileOf, type PluginSettings, readPluginSettings} from './lib/mesos/plugin/settings.js'
import {formatAddress} from './lib/net/index.js'
import {settingsInputs} from './lib/settings/inputs.js'
import {resolveSettings} from './lib/settings/settings.js'
import type {Settings} from './lib/settings/types.js'

/** The document for stdout. */
export type Reply = {readonly error: string} | {readonly error: null; readonly ipv4?: readonly string[]; readonly ipv6?: readonly string[]}

export interface Answer {
  readonly reply: Reply
  /** For a reply that no one took: reverts what only the reply tells of. */
  readonly undelivered: () => Promise<void>
}

/** How long etcd may take for a call, as for a command (decisions.md 15). The agent waits for it, and does nothing else meanwhile. */
const BUDGET_MS = 10_000

/** What a call has to do with. */
interface Call {
  readonly session: Session
  /** The same store, to which nothing is written. */
  readonly dry: Session
  /** Does work on this host, whose time is not etcd's. */
  readonly offTheClock: OffTheClock
  readonly node: string
  readonly options: PluginSettings
  readonly log: Log
}

interface Outcome {
  readonly reply?: {readonly ipv4: readonly string[]; readonly ipv6: readonly string[]}
  readonly undelivered?: () => Promise<void>
}

/** Answers TEXT, all of stdin. VERSION is this program's. Never throws. */
export async function answer(text: string, version: string): Promise<Answer> {
  const log = openLog(logFileOf(process.env))
  let settings: Settings | undefined
  try {
    const found = await trySettings()
    if ('settings' in found) ({settings} = found)
    log(`calico_mesos ${version}, datastore ${datastoreText(settings)}`)
    log(`request ${text}`)
    const request = readRequest(text)
    if ('error' in found) throw found.error
    const {reply = {}, undelivered = nothing} = await perform(await openCall(found.settings, log), request)
    return logged(log, {reply: {error: null, ...reply}, undelivered})
  } catch (error) {
    if (error instanceof CalicoError) log(`${error.kind}: ${reason(error)}`)
    else log(`fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return logged(log, {reply: {error: faultText(error, settings)}, undelivered: nothing})
  }
}

const nothing = (): Promise<void> => Promise.resolve()

function logged(log: Log, answered: Answer): Answer {
  log(`answer ${JSON.stringify(answered.reply)}`)
  return answered
}

/** A request is judged before the settings are, which are not its sender's. */
async function trySettings(): Promise<{settings: Settings} | {error: unknown}> {
  try {
    return {settings: await resolveSettings(settingsInputs({}))}
  } catch (error) {
    return {error}
  }
}

function datastoreText(settings: Settings | undefined): string {
  if (!settings) return 'unknown: its settings are wrong'
  const {datastore} = settings
  const where = datastore.type === 'etcd' ? datastore.endpoints : datastore.path
  return `${datastore.type} ${String(where.value)} (from ${where.origin})`
}

async function openCall(settings: Settings, log: Log): Promise<Call> {
  const options = readPluginSettings(process.env)
  const {name: node, warning} = resolveNodeName(nodeNameInputs(), {fileFirst: true})
  const said = new Set<string>()
  const warn = (text: string): void => {
    if (!said.has(text)) log(`warning: ${text}`)
    said.add(text)
  }
  for (const text of [...settings.warnings, ...(warning === undefined ? [] : [warning])]) warn(text)
  const budget = createBudget({budgetMs: BUDGET_MS})
  const store = await openDatastore(settings, budget)
  const common = {expectCluster: settings.expectCluster?.value, warn}
  return {session: newSession(store, common), dry: newSession(store, {...common, dryRun: true}), offTheClock: (work) => budget.exclude(work), node, options, log}
}

/** Does what REQUEST asks for. @throws CalicoError */
async function perform({session, dry, offTheClock, node, options, log}: Call, request: Request): Promise<Outcome> {
  switch (request.command) {
    case 'allocate': {
      const {fixed, chosen} = await allocate(session, node, request, log)
      const texts = (family: 4 | 6): string[] => [...chosen, ...fixed].filter((address) => address.family === family).map(formatAddress)
      return {reply: {ipv4: texts(4), ipv6: texts(6)}, undelivered: () => takeBack(session, request.uid, [...chosen, ...fixed])}
    }
    case 'reserve':
      await reserve(session, node, request)
      return {undelivered: () => takeBack(session, request.uid, request.addresses)}
    case 'release':
      if ('uid' in request.of) await releaseUid(session, node, request.of.uid, log)
      else await release(session, node, request.of.addresses, log)
      return {}
    case 'isolate': {
      requireNetworkAdministrator('calico_mesos')
      const {containerId, hostname, pid, addresses, netgroups} = request
      const container = containerOf(node, containerId)
      await isolate({session, dry, offTheClock, log}, {container, hostname, pid, addresses, netgroups, prefix: options.netgroupPrefix})
      return {}
    }
    case 'cleanup':
      await cleanup(session, containerOf(node, request.containerId), {idempotent: options.idempotentCleanup}, log)
      return {}
  }
}
