/** All checks of this host, in the order in which they are reported, and running them. */
import {isError} from '../errors.js'
import type {Check, CheckOptions, Sources, Verdict} from './check.js'
import {featureModules, kernel, modules} from './kernel.js'
import {capabilities, nodeAddress, nodeName, nodenameFile} from './names.js'
import {conntrack, firewall, forwarding, mtu, networkManager, rpFilter} from './network.js'
import {pluginFolder} from './plugins.js'
import {ports} from './ports.js'
import {clock, datastore, docker, etcd, etcdMembers} from './services.js'

/** What became of one check. */
export interface CheckResult {
  readonly name: string
  readonly required: boolean
  /** `failed`: it is required and wrong; `warning`: it is wrong. */
  readonly state: 'ok' | 'failed' | 'warning' | 'skipped'
  readonly found: string
  /** What to do, where there is something to do. */
  readonly remedy: string | undefined
}

type RunCheck = (sources: Sources, options: CheckOptions) => Promise<CheckResult>

/** CHECK as a function. A fact that cannot be gathered counts as wrong. */
export function runnable<Facts>({name, required, gather, judge, remedy}: Check<Facts>): RunCheck {
  const result = ({state, found}: Verdict, todo: string): CheckResult => {
    const known = state === 'wrong' ? (required ? 'failed' : 'warning') : state
    return {name, required, state: known, found, remedy: state === 'wrong' ? todo : undefined}
  }
  return async (sources, options) => {
    try {
      return result(judge(await gather(sources), options), remedy)
    } catch (error) {
      if (!isError(error)) throw error
      return result({state: 'wrong', found: error.message}, error.hint ?? remedy)
    }
  }
}

const CHECKS: readonly RunCheck[] = [
  runnable(capabilities),
  runnable(kernel),
  runnable(modules),
  runnable(featureModules),
  runnable(docker),
  runnable(etcd),
  runnable(etcdMembers),
  runnable(datastore),
  runnable(clock),
  runnable(nodeName),
  runnable(nodenameFile),
  runnable(nodeAddress),
  runnable(forwarding),
  runnable(rpFilter),
  runnable(conntrack),
  runnable(mtu),
  runnable(ports),
  runnable(firewall),
  runnable(networkManager),
]

/** What Docker networks need besides. */
const LIBNETWORK_CHECKS: readonly RunCheck[] = [runnable(pluginFolder)]

/** Runs all checks at once; their results in the order of the tables. */
export const checkSystem = (sources: Sources, options: CheckOptions): Promise<CheckResult[]> =>
  Promise.all([...CHECKS, ...(options.libnetwork ? LIBNETWORK_CHECKS : [])].map((check) => check(sources, options)))
