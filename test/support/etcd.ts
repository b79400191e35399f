import {execFile, spawn, type ChildProcess} from 'node:child_process'
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {gateway} from './etcd-gateway.js'
import {etcdBinary} from './etcd-versions.js'
import {freePorts} from './ports.js'
import {startProxy} from './proxy.js'
import type {TestCertificates} from './tls.js'

const START_LIMIT_MS = 20_000
/** The header by which a member says to another one who it is (etcd's rafthttp). */
const SENDER = 'X-Server-From: '
/** A free port can be taken by somebody else before etcd has it. */
const START_TRIES = 5

export interface EtcdOptions {
  /** Members of the cluster; the default is 1. */
  readonly members?: number
  /** Serve TLS; with `clientAuth`, only to clients with a certificate of the CA. */
  readonly tls?: TestCertificates & {readonly clientAuth?: boolean}
  /** A proxy before each member's address for the other members, so that `cutPeers` can part them. */
  readonly peerProxies?: boolean
  /** Further arguments for every member: `['--quota-backend-bytes=200000']`. */
  readonly args?: readonly string[]
}

export interface EtcdMember {
  readonly name: string
  readonly endpoint: string
  /** SIGKILL; the data stay. */
  kill(): Promise<void>
  /** Starts it again after kill, on the same ports with the same data. */
  start(): Promise<void>
  /** SIGSTOP: the kernel still accepts connections, nobody answers. */
  freeze(): void
  /** SIGCONT. */
  thaw(): void
}

/** A real etcd that this test started: one process or a cluster, in a directory of its own. */
export interface TestEtcd {
  readonly endpoints: readonly string[]
  readonly members: readonly EtcdMember[]
  /** Runs etcdctl (API v3) against the cluster and gives its stdout. */
  ctl(...args: string[]): Promise<string>
  /** The member that leads now. */
  leader(): Promise<EtcdMember>
  /** With `peerProxies`: on connections that FROM makes to TO nothing passes any more. What raft sends goes on connections of either of the two. */
  cutPeers(from: EtcdMember, to: EtcdMember): void
  /** All members reach each other again. */
  mendPeers(): void
  /** Stops the processes and removes their data. */
  stop(): Promise<void>
}

/** Starts an etcd on ports that the kernel gives and waits until it serves requests. */
export async function startEtcd(options: EtcdOptions = {}): Promise<TestEtcd> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryStart(options)
    } catch (error) {
      if (tries === START_TRIES || !String(error).includes('address already in use')) throw error
    }
  }
}

async function tryStart({members: count = 1, tls, peerProxies = false, args = []}: EtcdOptions): Promise<TestEtcd> {
  const directory = await mkdtemp(join(tmpdir(), 'calicoctl-etcd-'))
  const ports = await freePorts(count * 2)
  const scheme = tls ? 'https' : 'http'
  const plans = Array.from({length: count}, (_, i) => ({
    name: `m${i}`,
    endpoint: `${scheme}://127.0.0.1:${ports[2 * i] ?? 0}`,
    peer: `http://127.0.0.1:${ports[2 * i + 1] ?? 0}`,
  }))
  const proxies = peerProxies ? await Promise.all(plans.map(({peer}) => startProxy(peer))) : []
  const advertised = plans.map(({peer}, i) => proxies[i]?.endpoint ?? peer)
  const cluster = plans.map(({name}, i) => `${name}=${advertised[i] ?? ''}`).join(',')
  const members = plans.map(({name, endpoint, peer}, i) =>
    createMember(name, endpoint, [
      ...['--name', name, '--data-dir', join(directory, name), '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', advertised[i] ?? peer, '--initial-cluster', cluster],
      ...['--heartbeat-interval', '50', '--election-timeout', '500'],
      ...(tls ? ['--cert-file', tls.server.cert, '--key-file', tls.server.key] : []),
      ...(tls?.clientAuth ? ['--client-cert-auth', '--trusted-ca-file', tls.ca] : []),
      ...args,
    ]),
  )
  const endpoints = plans.map(({endpoint}) => endpoint)
  const gateways = tls ? [] : endpoints.map((endpoint) => gateway(endpoint))
  const ctl = async (...words: string[]): Promise<string> =>
    (await gateways[0]?.ctl(words)) ?? run(etcdBinary('etcdctl'), ['--endpoints', endpoints.join(','), ...(tls ? ['--cacert', tls.ca, '--cert', tls.client.cert, '--key', tls.client.key] : []), ...words])
  /** Whether all members serve linearizable reads. */
  const healthy = tls ? () => ctl('endpoint', 'health').then(() => true, () => false) : async () => (await Promise.all(gateways.map((each) => each.ctl(['get', 'health'])))).every((answer) => answer !== undefined)
  async function stop(): Promise<void> {
    for (const each of gateways) each.close()
    await Promise.all(members.map((member) => member.kill()))
    await Promise.all(proxies.map((proxy) => proxy.stop()))
    await rm(directory, {recursive: true, force: true})
  }
  let ids: ReadonlyMap<string, string> | undefined
  try {
    await Promise.all(members.map((member) => member.start()))
    await ready(healthy, members)
    if (peerProxies) ids = await memberIds(ctl)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    endpoints,
    members,
    ctl,
    stop,
    leader: () => findLeader(ctl, members),
    cutPeers(from, to) {
      const [id, proxy] = [ids?.get(from.name), proxies[members.findIndex(({name}) => name === to.name)]]
      if (id === undefined || proxy === undefined) throw new Error('this cluster was started without peerProxies')
      proxy.cut(`${SENDER}${id}\r\n`)
    },
    mendPeers() {
      for (const proxy of proxies) proxy.mend()
    },
  }
}

interface ManagedMember extends EtcdMember {
  /** What the process wrote to stderr and that it ended, if it did. */
  failure(): string | undefined
}

function createMember(name: string, endpoint: string, args: readonly string[]): ManagedMember {
  let child: ChildProcess | undefined
  let output = ''
  return {
    name,
    endpoint,
    start() {
      output = ''
      child = spawn(etcdBinary('etcd'), args, {stdio: ['ignore', 'ignore', 'pipe'], env: {PATH: process.env.PATH, ETCD_UNSUPPORTED_ARCH: process.arch}})
      child.stderr?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)))
      child.on('error', (error) => (output += error.message))
      return Promise.resolve()
    },
    async kill() {
      const running = child
      child = undefined
      if (running?.exitCode !== null || running.signalCode !== null || running.pid === undefined) return
      const ended = new Promise((resolve) => running.once('exit', resolve))
      running.kill('SIGKILL')
      await ended
    },
    freeze() {
      child?.kill('SIGSTOP')
      // It goes on until the kernel has stopped its last thread.
      while (child?.pid !== undefined && !isStopped(child.pid));
    },
    thaw: () => void child?.kill('SIGCONT'),
    failure: () => (child?.exitCode === null && child.pid !== undefined ? undefined : `etcd ${name} ended: ${output}`),
  }
}

/** Waits until all members are HEALTHY; fails as soon as one of the processes has ended. */
async function ready(healthy: () => Promise<boolean>, members: readonly ManagedMember[]): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS
  for (;;) {
    const answer = await healthy()
    // It may be somebody else who answers, on a port that was free when ours was given it.
    const failure = members.map((member) => member.failure()).find((text) => text !== undefined)
    if (failure !== undefined) throw new Error(failure)
    if (answer) return
    if (Date.now() > deadline) throw new Error('etcd does not get healthy')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** The members' ids by their names, in the digits of etcd's headers. */
async function memberIds(ctl: TestEtcd['ctl']): Promise<Map<string, string>> {
  const lines = (await ctl('member', 'list')).trim().split('\n')
  return new Map(lines.map((line) => line.split(', ')).map(([id = '', , name = '']) => [name, id]))
}

async function findLeader(ctl: TestEtcd['ctl'], members: readonly EtcdMember[]): Promise<EtcdMember> {
  const statuses = JSON.parse(await ctl('endpoint', 'status', '-w', 'json')) as {
    Endpoint: string
    Status: {header: {member_id: number}; leader: number}
  }[]
  const leading = statuses.find(({Status}) => Status.leader !== 0 && Status.leader === Status.header.member_id)
  const leader = members.find(({endpoint}) => endpoint === leading?.Endpoint)
  if (!leader) throw new Error('the cluster has no leader')
  return leader
}

async function run(file: string, args: readonly string[]): Promise<string> {
  const {stdout} = await promisify(execFile)(file, args, {env: {PATH: process.env.PATH, ETCDCTL_API: '3'}})
  return stdout
}

/** Whether all threads of the process PID are stopped, or it has ended. */
function isStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => /\) [TXZ] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')))
  } catch {
    // A thread has ended meanwhile, or all have.
    return !existsSync(`/proc/${pid}`)
  }
}
