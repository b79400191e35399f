/** What a node works with: the Docker Engine, etcd, and in it Calico's data (cli-v0.20 §4.9). */
import {type EngineVersions, isApiAtLeast, LEAST_API_LIBNETWORK} from '../docker/version.js'
import {type Check, type DatastoreFacts, ok, skipped, type Sources, verdict, wrong} from './check.js'
import type {EtcdMember} from './etcd-members.js'
import {compareVersions} from './kernel.js'

const LEAST_API = '1.16'

const parts = (version: string): number[] => version.split('.').map(Number)

export const docker: Check<EngineVersions | undefined> = {
  name: 'docker',
  required: true,
  gather: ({engine}) => engine(),
  judge(facts, {libnetwork}) {
    if (facts === undefined) return skipped('with --runtime=none, calico-node does not run in a Docker Engine')
    const {version, api} = facts
    const least = libnetwork ? LEAST_API_LIBNETWORK : LEAST_API
    if (!/^\d+(\.\d+)*$/.test(api)) return wrong(`the Docker Engine does not report the version of its API (${api === '' ? 'nothing' : api})`)
    if (isApiAtLeast(api, least)) return ok(`Docker ${version}, API ${api}`)
    return wrong(`Docker ${version} has API ${api}; ${libnetwork ? 'with --libnetwork ' : ''}${least} is needed`)
  },
  remedy: 'Install a newer Docker Engine and start it; for an Engine elsewhere, set DOCKER_HOST.',
}

/** The oldest etcd that today's calico/node and this program are tested with. */
const LEAST_ETCD = '3.4.0'

export interface EtcdFacts {
  /** Undefined with the embedded store. */
  readonly members: readonly EtcdMember[] | undefined
  /** It answers as a datastore, whatever it says over HTTP. */
  readonly answers: boolean
}

async function gatherEtcd({endpoints, members, datastore}: Sources): Promise<EtcdFacts> {
  const [asked, {state}] = await Promise.all([members(), datastore()])
  return {members: endpoints && asked, answers: state === 'answers'}
}

/** What is wrong with MEMBER; undefined = nothing. */
function memberProblem({url, problem, version = '', healthy}: EtcdMember): string | undefined {
  if (problem !== undefined) return `${url}: ${problem}`
  if (isOld(version)) return `${url}: etcd ${version} is older than ${LEAST_ETCD}`
  return healthy ? undefined : `${url}: etcd ${version} is not healthy`
}

const isOld = (version: string): boolean => compareVersions(parts(version), parts(LEAST_ETCD)) < 0
const memberProblems = (members: readonly EtcdMember[]): string[] => members.flatMap((member) => memberProblem(member) ?? [])

/** One good member is enough; one that is too old is not. */
export const etcd: Check<EtcdFacts> = {
  name: 'etcd',
  required: true,
  gather: gatherEtcd,
  judge({members, answers}) {
    if (members === undefined) return wrong('the datastore is the embedded one, which calico-node cannot read')
    const problems = memberProblems(members)
    if (answers && members.every(({problem}) => problem !== undefined)) return skipped(`it answers, but not over HTTP (${problems.join('; ')})`)
    const old = members.some(({version}) => version !== undefined && isOld(version))
    if (old || problems.length === members.length) return wrong(problems.join('; '))
    const good = members.filter((member) => memberProblem(member) === undefined)
    return ok(`etcd ${[...new Set(good.map(({version}) => version))].join(', ')} is healthy (${good.map(({url}) => url).join(', ')})`)
  },
  remedy: 'Start etcd 3.4 or newer, or correct the endpoints. To see where they come from: calicoctl config view',
}

/** Each of several members. */
export const etcdMembers: Check<EtcdFacts> = {
  name: 'etcd-members',
  required: false,
  gather: gatherEtcd,
  judge({members = []}) {
    const problems = memberProblems(members)
    if (problems.length === members.length) return skipped('no member of etcd is healthy')
    return verdict(problems, members.length === 1 ? 'the only endpoint is healthy' : `all ${members.length} endpoints are healthy`)
  },
  remedy: 'Start the missing members: without a majority of its members, a cluster does not work.',
}

export const datastore: Check<DatastoreFacts> = {
  name: 'datastore',
  required: true,
  gather: (sources) => sources.datastore(),
  judge(facts) {
    if (facts.state === 'fails') return wrong([facts.error.message, ...facts.error.details].join('; '))
    return ok(facts.cluster === 'empty' ? 'contains no Calico data yet; the first command that writes initialises it' : 'contains Calico data and can be written')
  },
  remedy: 'To see which datastore is configured, and where: calicoctl config view',
}

/** Above this, times in logs and states cannot be compared, and certificates and tokens may be refused. */
const MOST_SKEW_MS = 5_000

export const clock: Check<readonly EtcdMember[]> = {
  name: 'clock',
  required: false,
  gather: ({members}) => members(),
  judge(members) {
    const clocks = members.flatMap(({url, clock: read}) => (read ? [{url, ...read}] : []))
    if (clocks.length === 0) return skipped('etcd did not report its time')
    const problems = clocks
      .filter(({aheadMs, uncertainMs}) => Math.abs(aheadMs) - uncertainMs > MOST_SKEW_MS)
      .map(({url, aheadMs}) => `the clock of ${url} is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this host's`)
    return verdict(problems, `within ${MOST_SKEW_MS / 1000} s of etcd's`)
  },
  remedy: 'Run a time service (chrony, systemd-timesyncd) on this host and on those of etcd.',
}
