/** The Docker driver as a process on a host for tests, and what stands between it and the Engine to see and disturb their calls. */
import {type ChildProcess, execFile, execFileSync} from 'node:child_process'
import {copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync} from 'node:fs'
import {createServer, request, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import {tmpdir} from 'node:os'
import {basename, dirname, join} from 'node:path'
import {CALICOCTL, checkBuild} from './cli.js'
import {ETCD, type TestHost} from './stand-in/host.js'
import {until} from './until.js'

/** What the host is called where the driver runs. */
export const NODE = 'rack1-host1'

const START_LIMIT_MS = 20_000
const APPLETS = ['sh', 'sleep', 'ip', 'ping', 'cat', 'ls', 'true', 'nslookup']

/** Imports a small image called `busybox` into the Engine of HOST. */
export function importBusybox(host: TestHost): void {
  const root = mkdtempSync(join(tmpdir(), 'calicoctl-busybox-'))
  try {
    mkdirSync(join(root, 'tree/bin'), {recursive: true})
    copyFileSync(execFileSync('sh', ['-c', 'command -v busybox'], {encoding: 'utf8'}).trim(), join(root, 'tree/bin/busybox'))
    for (const applet of APPLETS) symlinkSync('busybox', join(root, 'tree/bin', applet))
    execFileSync('tar', ['-C', join(root, 'tree'), '-cf', join(root, 'image.tar'), '.'])
    host.docker('import', join(root, 'image.tar'), 'busybox')
  } finally {
    rmSync(root, {recursive: true, force: true})
  }
}

export interface DockerResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `docker ARGS` against the Engine of HOST to its end. It does not block this process, which may be in the midst of the Engine's calls. */
export function runDocker(host: TestHost, args: readonly string[], {timeoutMs = 60_000}: {timeoutMs?: number} = {}): Promise<DockerResult> {
  return new Promise((resolve, reject) => {
    execFile('docker', args, {env: {PATH: process.env.PATH, HOME: host.folder, DOCKER_HOST: `unix://${host.socket}`}, maxBuffer: 1 << 24, timeout: timeoutMs, killSignal: 'SIGKILL'}, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(new Error(`docker ${args.join(' ')}: ${error.message}\n${stdout}\n${stderr}`, {cause: error}))
      else resolve({code: error ? Number(error.code) : 0, stdout: stdout.trim(), stderr: stderr.trim()})
    })
  })
}

export interface TestDriver {
  /** Of the driver itself. */
  readonly socket: string
  readonly process: ChildProcess
  /** What it has written so far. */
  log(): string
  /** Resolves once its log, from what it has written by now on, has TEXT. */
  logs(text: string | RegExp): Promise<void>
  /** Ends it and gives its exit code; null after SIGKILL. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface DriverOptions {
  readonly socket: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Starts `calicoctl libnetwork serve` on HOST and waits until it serves. @throws Error with its log if it ends before */
export async function startDriver(host: TestHost, {socket, args = [], env = {}}: DriverOptions): Promise<TestDriver> {
  checkBuild()
  const child = host.spawn([process.execPath, CALICOCTL, 'libnetwork', 'serve', '--socket', socket, ...args], {DOCKER_HOST: `unix://${host.socket}`, ETCD_ENDPOINTS: ETCD, HOSTNAME: NODE, ...env})
  let text = ''
  const readers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      text += data.toString()
      for (const reader of readers) reader()
    })
  }
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const logs = (wanted: string | RegExp, from = text.length): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        readers.delete(look)
        clearTimeout(timer)
        if (error) reject(error)
        else resolve()
      }
      const look = (): void => {
        const part = text.slice(from)
        if (typeof wanted === 'string' ? part.includes(wanted) : wanted.test(part)) end()
      }
      const timer = setTimeout(() => end(new Error(`the driver did not write ${String(wanted)}:\n${text}`)), START_LIMIT_MS)
      readers.add(look)
      void gone.then(() => end(new Error(`the driver has ended:\n${text}`)))
      look()
    })
  await logs('Serving Docker on', 0)
  return {
    socket,
    process: child,
    log: () => text,
    logs,
    stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return gone
    },
  }
}

/** A call of the Engine's. */
export interface Call {
  /** `NetworkDriver.Join` */
  readonly name: string
  /** Undefined where the Engine sends none. */
  readonly body: unknown
  /** Undefined if the driver did not answer. */
  status?: number
  reply?: unknown
}

/** When a call is disturbed: before the driver gets it, or when the driver has answered and the Engine does not know yet. */
export type Moment = 'before' | 'after'

export interface Recorder {
  /** All calls so far, in the order of their arrival. */
  readonly calls: Call[]
  /** Gives the calls since the last time. */
  take(): Call[]
  /** Is awaited at both moments of each call. What it throws cuts the connection: the Engine then calls again. */
  disturb: ((call: Call, moment: Moment) => void | Promise<void>) | undefined
  stop(): Promise<void>
}

/**
 * Listens where the Engine looks for the plugin NAME and its IPAM twin, and passes every call on to the driver at UPSTREAM. If the driver does not
 * answer, the connection is cut, as by a driver that was killed.
 */
export async function startRecorder(host: TestHost, {name, upstream}: {name: string; upstream: string}): Promise<Recorder> {
  const folder = join(host.folder, `recorder-${name}`)
  mkdirSync(folder, {recursive: true})
  const servers: Server[] = []
  let taken = 0
  const recorder: Recorder = {
    calls: [],
    take: () => recorder.calls.slice(taken, (taken = recorder.calls.length)),
    disturb: undefined,
    async stop() {
      await Promise.all(servers.map((server) => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      }))
    },
  }
  async function pass(socketPath: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(incoming)
    const call: Call = {name: (incoming.url ?? '').replace(/^\//, ''), body: text === '' ? undefined : JSON.parse(text)}
    recorder.calls.push(call)
    await recorder.disturb?.(call, 'before')
    const {status, headers, body} = await forward(socketPath, incoming, text)
    call.status = status
    call.reply = JSON.parse(body)
    await recorder.disturb?.(call, 'after')
    response.writeHead(status, headers)
    response.end(body)
  }
  host.run('mkdir', '-p', '/run/docker/plugins')
  for (const suffix of ['', '-ipam']) {
    const own = join(folder, `${name}${suffix}.sock`)
    const driver = join(dirname(upstream), `${basename(upstream, '.sock')}${suffix}.sock`)
    const server = createServer((incoming, response) => void pass(driver, incoming, response).catch(() => response.destroy()))
    server.keepAliveTimeout = 0
    await new Promise<void>((resolve) => server.listen(own, resolve))
    servers.push(server)
    host.run('ln', '-sf', own, `/run/docker/plugins/${name}${suffix}.sock`)
  }
  return recorder
}

interface Forwarded {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

function forward(socketPath: string, {url, method}: IncomingMessage, text: string): Promise<Forwarded> {
  return new Promise((resolve, reject) => {
    const sent = request({socketPath, path: url, method, agent: false}, (answer) => {
      bodyOf(answer).then((body) => resolve({status: answer.statusCode ?? 0, headers: {'Content-Type': answer.headers['content-type'] ?? ''}, body}), reject)
    })
    sent.on('error', reject)
    sent.end(text)
  })
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of message) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

/** SIGKILL for the Engine of HOST, and for its containerd, which would end by itself and be taken for a running one; containers live on until the next Engine starts. */
export async function killEngine(host: TestHost): Promise<void> {
  const file = join(host.folder, 'engine/exec/containerd/containerd.pid')
  const pids = [join(host.folder, 'engine/pid'), file].map((path) => readFileSync(path, 'utf8').trim())
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
  await until('the Engine is gone', () => pids.every((pid) => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')))
  rmSync(file)
}

/** The names of the interfaces of HOST that are Calico's. */
export const calicoInterfaces = (host: TestHost): string[] =>
  (JSON.parse(host.run('ip', '-j', 'link')) as {ifname: string}[]).map(({ifname}) => ifname).filter((name) => /^(cali|tmp)/.test(name))

/** The values below /calico/PREFIX in the etcd of HOST, by key without that prefix. */
export function stored(host: TestHost, prefix: string): Record<string, unknown> {
  const lines = host.etcdctl('get', '--prefix', `/calico/${prefix}`).split('\n')
  return Object.fromEntries(Array.from({length: Math.floor(lines.length / 2)}, (_, i) => [(lines[2 * i] ?? '').slice(`/calico/${prefix}`.length), JSON.parse(lines[2 * i + 1] ?? '')]))
}

/** Below /calico/: where the resources are. */
export const V3 = 'resources/v3/projectcalico.org/'

interface StoredBlock {
  readonly cidr: string
  readonly allocations: readonly (number | null)[]
  readonly attributes: readonly {readonly handle_id?: string}[]
}

/** The assigned IPv4 addresses in the etcd of HOST, with their handles. */
export function assigned(host: TestHost): Record<string, string> {
  const blocks = Object.values(stored(host, 'ipam/v2/assignment/ipv4/')) as StoredBlock[]
  return Object.fromEntries(blocks.flatMap(({cidr, allocations, attributes}) => {
    const [base = ''] = cidr.split('/')
    const start = base.lastIndexOf('.') + 1
    return allocations.flatMap((index, ordinal) => (index === null ? [] : [[`${base.slice(0, start)}${Number(base.slice(start)) + ordinal}`, attributes[index]?.handle_id ?? '']]))
  }))
}
