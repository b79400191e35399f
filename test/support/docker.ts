/** A real Docker Engine for tests, and proxies before one that do what engines do when they are ill. */
import {execFile, execFileSync, spawn, type ChildProcess} from 'node:child_process'
import {chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync} from 'node:fs'
import {request} from 'node:http'
import {connect, createServer, type Server, type Socket} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {describe, test} from '@jest/globals'

/** Tests that need what WHY_NOT says is missing: they say so, and fail where everything has to be there (CI=true). */
export function suite(name: string, whyNot: string | undefined, define: () => void): void {
  if (whyNot === undefined) describe(name, define)
  else if (process.env.CI === 'true') test(name, () => Promise.reject(new Error(`cannot run here: ${whyNot}`)))
  else test.skip(`${name}: cannot run here: ${whyNot}`, () => undefined)
}

const SYSTEM_SOCKET = '/var/run/docker.sock'
const START_LIMIT_MS = 60_000
const LOCK = '\0calicoctl-test-engine'

/** An Engine that is not ours is used only where the machine is there for tests (decisions.md 32). */
const mayUseRunning = (): boolean => process.env.CI === 'true' || process.env.CALICOCTL_TEST_ENGINE === '1'

const found = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], {stdio: 'ignore'})
    return true
  } catch {
    return false
  }
}

/** Why there can be no Engine for tests here; undefined if there can. */
export function whyNoEngine(): string | undefined {
  if (process.geteuid?.() !== 0) return 'only root may start a Docker Engine'
  const missing = ['dockerd', 'docker', 'busybox', 'iptables', 'nsenter'].filter((program) => !found(program))
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (apt-get install docker.io busybox-static iptables util-linux)`
  if (existsSync(SYSTEM_SOCKET) && !mayUseRunning()) return `a Docker Engine runs here (${SYSTEM_SOCKET}) that is not ours; CALICOCTL_TEST_ENGINE=1 allows its use`
  return undefined
}

export interface TestEngine {
  readonly socket: string
  /** For DOCKER_HOST. */
  readonly address: string
  /** Runs `docker ARGS` on it and gives its stdout, trimmed. */
  docker(...args: string[]): Promise<string>
  /** The id of the container NAME, and the process that is its first; 0 where it does not run. */
  inspect(name: string): Promise<{readonly id: string; readonly pid: number}>
  /** Runs a program in the namespaces of the container NAME, as root, and gives its stdout, trimmed: `docker exec`, without the Engine's work. */
  inside(name: string, ...command: string[]): Promise<string>
  stop(): Promise<void>
}

/**
 * Starts an Engine in a folder of its own, with the image `busybox`; only one at a time on this machine, since all would share its bridge. A running one
 * is used instead where that is allowed.
 */
export async function startEngine(): Promise<TestEngine> {
  const lock = await holdLock()
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-docker-'))
  let daemon: ChildProcess | undefined
  try {
    const running = existsSync(SYSTEM_SOCKET) && mayUseRunning()
    const socket = running ? SYSTEM_SOCKET : join(folder, 'docker.sock')
    if (!running) daemon = startDaemon(folder, socket)
    const address = `unix://${socket}`
    const docker = async (...args: string[]): Promise<string> => (await promisify(execFile)('docker', ['-H', address, ...args], {maxBuffer: 1 << 24})).stdout.trim()
    const inspect: TestEngine['inspect'] = async (name) => {
      const {Id: id, State: {Pid: pid}} = JSON.parse(await asked(socket, `/containers/${name}/json`)) as {Id: string; State: {Pid: number}}
      return {id, pid}
    }
    await ready(docker, daemon)
    await importBusybox(docker, folder)
    return {
      socket,
      address,
      docker,
      inspect,
      inside: async (name, ...command) => (await promisify(execFile)('nsenter', ['-t', String((await inspect(name)).pid), '--mount', '--net', '--', ...command], {env: {PATH: `${process.env.PATH ?? ''}:/bin`}})).stdout.trim(),
      async stop() {
        await end(daemon)
        lock.close()
        removeFolder(folder)
      },
    }
  } catch (error) {
    await end(daemon)
    lock.close()
    throw error
  }
}

/** The answer of the Engine at SOCKET to a GET. @throws Error unless it is 200 */
function asked(socket: string, path: string): Promise<string> {
  return new Promise((settle, fail) => {
    const sent = request({socketPath: socket, path, agent: false}, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part)).on('error', fail)
      answer.on('end', () => (answer.statusCode === 200 ? settle(text) : fail(new Error(`the Engine answers ${answer.statusCode ?? 0} to ${path}: ${text}`))))
    })
    sent.on('error', fail).end()
  })
}

const output = new WeakMap<ChildProcess, string>()

function startDaemon(folder: string, socket: string): ChildProcess {
  const runtime = join(folder, 'runc-within-bounds')
  copyFileSync(join(import.meta.dirname, 'runc-within-bounds'), runtime)
  chmodSync(runtime, 0o755)
  const child = spawn(
    'dockerd',
    [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid'), '--host', `unix://${socket}`],
      ...['--add-runtime', `bounded=${runtime}`, '--default-runtime', 'bounded', '--log-level', 'warn'],
    ],
    {stdio: ['ignore', 'pipe', 'pipe'], env: {PATH: process.env.PATH, HOME: folder}},
  )
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => output.set(child, ((output.get(child) ?? '') + data.toString()).slice(-4_000)))
  return child
}

async function ready(docker: TestEngine['docker'], daemon: ChildProcess | undefined): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS
  for (;;) {
    if (daemon && (daemon.exitCode !== null || daemon.signalCode !== null)) throw new Error(`dockerd ended: ${output.get(daemon) ?? ''}`)
    try {
      await docker('version')
      return
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`dockerd does not answer: ${daemon ? (output.get(daemon) ?? '') : ''}`, {cause: error})
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function end(daemon: ChildProcess | undefined): Promise<void> {
  if (daemon?.exitCode !== null || daemon.signalCode !== null) return
  const ended = new Promise((resolve) => daemon.once('exit', resolve))
  daemon.kill('SIGTERM')
  const timer = setTimeout(() => daemon.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(timer)
}

/** dockerd leaves the namespaces of its networks mounted. */
function removeFolder(folder: string): void {
  const mounted = readFileSync('/proc/self/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${folder}/`))
  for (const path of mounted.reverse()) execFileSync('umount', ['--lazy', path])
  rmSync(folder, {recursive: true, force: true})
}

const APPLETS = ['sh', 'sleep', 'ip', 'ping', 'cat', 'ls', 'true']

async function importBusybox(docker: TestEngine['docker'], folder: string): Promise<void> {
  if ((await docker('images', '-q', 'busybox')) !== '') return
  const root = join(folder, 'image')
  mkdirSync(join(root, 'bin'), {recursive: true})
  copyFileSync(execFileSync('sh', ['-c', 'command -v busybox'], {encoding: 'utf8'}).trim(), join(root, 'bin/busybox'))
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet))
  execFileSync('tar', ['-C', root, '-cf', join(folder, 'image.tar'), '.'])
  await docker('import', join(folder, 'image.tar'), 'busybox')
}

/** Waits until no other test holds an Engine. */
async function holdLock(): Promise<Server> {
  for (;;) {
    const server = await new Promise<Server | undefined>((resolve) => {
      const candidate = createServer()
      candidate.once('error', () => resolve(undefined))
      candidate.listen(LOCK, () => resolve(candidate.unref()))
    })
    if (server) return server
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** What the proxy does with a request. */
export type Answer =
  | 'pass'
  /** Never answered. */
  | 'hang'
  /** The connection is cut, as by an Engine that goes away. */
  | 'cut'

export interface EngineProxy {
  readonly address: string
  /** Decides on each request, the first being 1, by its first line. */
  answer: (count: number, line: string) => Answer | Promise<Answer>
  stop(): Promise<void>
}

/** A proxy before the Engine at SOCKET. */
export async function startEngineProxy(socket: string): Promise<EngineProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-engine-proxy-'))
  const own = join(folder, 'docker.sock')
  const sockets = new Set<Socket>()
  let count = 0
  const proxy: EngineProxy = {
    address: `unix://${own}`,
    answer: () => 'pass',
    async stop() {
      for (const each of sockets) each.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, {recursive: true, force: true})
    },
  }
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => undefined)
    client.on('close', () => sockets.delete(client))
    const upstream = connect(socket)
    sockets.add(upstream)
    upstream.on('error', () => client.destroy())
    upstream.pipe(client)
    client.on('close', () => upstream.destroy())
    // Requests of the Engine's client are small: each comes in one piece, and the next one after its answer.
    client.on('data', (data) => {
      const line = data.toString('latin1').split('\r\n', 1)[0] ?? ''
      void Promise.resolve(proxy.answer(++count, line)).then((answer) => {
        if (answer === 'cut') client.destroy()
        if (answer === 'pass') upstream.write(data)
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(own, resolve))
  return proxy
}
