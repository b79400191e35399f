/** A host for tests: its own network and mount namespaces, with an address, and a Docker Engine that touches nothing of this machine's. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process'
import {chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {CALICOCTL, checkBuild, type Options, type Result} from '../cli.js'
import {OWN_SETTINGS, whyNoNamespaces} from '../namespaces.js'
import {WARM_PROCESS, warmProcess} from '../warm.js'

/** Why such a host cannot be had here; undefined if it can. */
export function whyNoHost(): string | undefined {
  const why = whyNoNamespaces()
  if (why !== undefined) return why
  for (const program of ['dockerd', 'docker', 'etcd', 'runc']) {
    try {
      execFileSync('which', [program], {stdio: 'pipe', env: {PATH: searchPath()}})
    } catch {
      return `the program ${program} is not on this machine`
    }
  }
  return undefined
}

const searchPath = (): string => process.env.PATH ?? ''

/** The address of the host, which is also etcd's. */
const HOST_ADDRESS = '192.0.2.2'
export const ETCD = `http://${HOST_ADDRESS}:2379`

export interface TestHost {
  readonly folder: string
  readonly socket: string
  /** The process that holds the namespaces. */
  readonly pid: number
  /** Starts a program in the host's namespaces. */
  spawn(command: readonly string[], env?: Readonly<Record<string, string | undefined>>): ChildProcess
  /** Runs one to its end and gives its stdout. */
  run(...command: string[]): string
  readonly docker: (...args: string[]) => string
  etcdctl(...args: string[]): string
  /** The built command on this host, in a warm process (warm.ts); in one of its own where STARTED is to be given it. */
  calicoctl(args: readonly string[], options?: Options, started?: (child: ChildProcess) => void): Promise<Result>
  /** The same on a terminal of its own (`script`, util-linux): when the screen shows QUESTION, KEYS are typed. Stdout is the screen. */
  onTerminal(args: readonly string[], question: string, keys: string): Promise<Result>
  /** On the host's first address, or at ENDPOINT. */
  startEtcd(endpoint?: string): Promise<void>
  stopEtcd(): Promise<void>
  startEngine(): Promise<void>
  stopEngine(): Promise<void>
  stop(): Promise<void>
}

/** What makes the namespaces private: folders that calico-node uses are the host's own, and empty; /sys shows the host's interfaces. */
const SETUP = `
set -e
${OWN_SETTINGS}
for folder in /run /var/lib /var/log /etc/calico; do mkdir -p $folder; mount -t tmpfs tmpfs $folder; done
mkdir -p /run/lock /run/sys
mount -t sysfs sysfs /run/sys
mount --rbind /sys/fs/cgroup /run/sys/fs/cgroup
mount --move /run/sys /sys
ip link set lo up
ip link add eth0 type veth peer name uplink
ip addr add ${HOST_ADDRESS}/24 dev eth0
ip addr add fd00::2/64 dev eth0 nodad
ip link set eth0 up
ip link set uplink up
exec sleep 86400
`

export async function startHost(): Promise<TestHost> {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-host-'))
  const holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', SETUP], {stdio: ['ignore', 'ignore', 'inherit'], env: {PATH: searchPath()}})
  const pid = holder.pid ?? 0
  await until('the namespaces are ready', () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sleep')
  const enter = ['-t', String(pid), '--net', '--mount']
  const socket = join(folder, 'docker.sock')
  const runtime = join(folder, 'runc-within-bounds')
  copyFileSync(resolve(import.meta.dirname, '../runc-within-bounds'), runtime)
  chmodSync(runtime, 0o755)
  const variables = {DOCKER_HOST: `unix://${socket}`, ETCD_ENDPOINTS: ETCD, HOSTNAME: 'rack1-host1'}
  let etcd: ChildProcess | undefined
  let engine: ChildProcess | undefined
  const spawnIn: TestHost['spawn'] = (command, env = {}) =>
    spawn('nsenter', [...enter, '--', ...command], {cwd: folder, env: {PATH: searchPath(), HOME: folder, ...env}, stdio: ['ignore', 'pipe', 'pipe']})
  const run = (...command: string[]): string =>
    execFileSync('nsenter', [...enter, '--', ...command], {cwd: folder, encoding: 'utf8', env: {PATH: searchPath(), HOME: folder, DOCKER_HOST: `unix://${socket}`, ETCDCTL_API: '3'}, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1e8})
  const docker = (...args: string[]): string => run('docker', ...args).trim()
  const etcdctl = (...args: string[]): string => run('etcdctl', `--endpoints=${ETCD}`, ...args)
  const warm = warmProcess(() => spawn('nsenter', [...enter, '--', process.execPath, WARM_PROCESS], {cwd: folder, env: {PATH: searchPath()}, stdio: ['ignore', 'ignore', 'pipe', 'ipc']}))
  const daemon = (name: string, command: readonly string[]): ChildProcess => {
    const child = spawnIn(command)
    const output = join(folder, `${name}.log`)
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => writeFileSync(output, data, {flag: 'a'}))
    return child
  }
  const host: TestHost = {
    folder,
    socket,
    pid,
    spawn: spawnIn,
    run,
    docker,
    etcdctl,
    calicoctl(args, options = {}, started) {
      checkBuild()
      const {env = {}, stdin = '', cwd = folder, timeoutMs = 60_000} = options
      if (!started && warm.suits(args, options)) return warm.run({args, env: {PATH: searchPath(), HOME: folder, ...variables, ...env}, stdin, cwd}, timeoutMs)
      const child = spawnIn([process.execPath, CALICOCTL, ...args], {...variables, ...env})
      started?.(child)
      return outcome(child, args, timeoutMs)
    },
    onTerminal(args, question, keys) {
      checkBuild()
      const child = spawn('nsenter', [...enter, '--', 'script', '-qefc', [process.execPath, CALICOCTL, ...args].join(' '), '/dev/null'], {cwd: folder, env: {PATH: searchPath(), HOME: folder, TERM: 'xterm', ...variables}})
      let screen = ''
      child.stdout.on('data', (data: Buffer) => {
        const asked = screen.includes(question)
        screen += data.toString()
        if (!asked && screen.includes(question)) child.stdin.write(keys)
      })
      return outcome(child, args, 60_000)
    },
    async startEtcd(endpoint = ETCD) {
      etcd = daemon('etcd', ['etcd', '--data-dir', join(folder, 'etcd'), '--listen-client-urls', endpoint, '--advertise-client-urls', endpoint, '--listen-peer-urls', 'http://127.0.0.1:2380'])
      await until('etcd answers', () => run('etcdctl', `--endpoints=${endpoint}`, 'endpoint', 'health').length >= 0)
    },
    async stopEtcd() {
      await ended(etcd, 'SIGKILL')
      etcd = undefined
    },
    async startEngine() {
      mkdirSync(join(folder, 'engine'), {recursive: true})
      engine = daemon('engine', [
        'dockerd', '--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', `--data-root=${folder}/engine/data`, `--exec-root=${folder}/engine/exec`,
        `--pidfile=${folder}/engine/pid`, '-H', `unix://${socket}`, '--add-runtime', `bounded=${runtime}`, '--default-runtime', 'bounded',
      ])
      await until('the Engine answers', () => existsSync(socket) && docker('version', '--format', '{{.Server.Version}}') !== '')
    },
    async stopEngine() {
      await ended(engine, 'SIGTERM')
      engine = undefined
    },
    async stop() {
      await warm.end()
      if (engine) {
        const ids = docker('ps', '-aq').split('\n').filter((id) => id !== '')
        if (ids.length > 0) docker('rm', '-f', ...ids)
      }
      await host.stopEngine()
      await host.stopEtcd()
      await ended(holder, 'SIGKILL')
      rmSync(folder, {recursive: true, force: true})
    },
  }
  return host
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolveEnd) => child.once('exit', resolveEnd))
  child.kill(signal)
  await gone
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      if (holds()) return
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`, {cause: error})
    }
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resume) => setTimeout(resume, 50))
  }
}

function outcome(child: ChildProcess, args: readonly string[], timeoutMs: number): Promise<Result> {
  return new Promise((settle, fail) => {
    const out = {stdout: '', stderr: ''}
    for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (data: Buffer) => (out[name] += data.toString()))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail(new Error(`calicoctl ${args.join(' ')} did not end within ${timeoutMs} ms\n${out.stdout}\n${out.stderr}`))
    }, timeoutMs)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      settle({code, signal, ...out})
    })
  })
}
