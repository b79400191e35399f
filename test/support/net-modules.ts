/**
 * Plays Mesos' net-modules with the real executable: its calls (mesos-docker §2.3: members in alphabetical order, empty lists omitted, 40,960 bytes of
 * the answer, the exit code not looked at) and its sequence (§2.4: reserve and allocate with one uid, isolate, release before cleanup).
 */
import {spawn, type ChildProcess} from 'node:child_process'
import {randomUUID} from 'node:crypto'
import {join, resolve} from 'node:path'
import {checkBuild} from './cli.js'

/** The executable as the package has it. */
export const CALICO_MESOS = join(resolve(import.meta.dirname, '../..'), 'bin/calico_mesos')

/** What net-modules reads of an answer. */
const MAX_ANSWER = 40_960

type Environment = Readonly<Record<string, string | undefined>>

export interface PluginOptions {
  /** Added to PATH. Nothing else is inherited. */
  readonly env?: Environment
  /** Instead of this tree's. */
  readonly command?: string
  readonly timeoutMs?: number
}

export interface PluginResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** All of it. */
  readonly stdout: string
  readonly stderr: string
}

/** Starts the plugin with INPUT on stdin; undefined leaves stdin open. */
export function startPlugin(input: string | Buffer | undefined, {env = {}, command = CALICO_MESOS, timeoutMs = 60_000}: PluginOptions = {}): {readonly process: ChildProcess; readonly result: Promise<PluginResult>} {
  if (command === CALICO_MESOS) checkBuild()
  // The executable by itself: its first line must find Node.
  const child = spawn(command, [], {env: {PATH: process.env.PATH, CALICO_MESOS_LOG_FILE: '/dev/null', ...env}, stdio: ['pipe', 'pipe', 'pipe']})
  const result = new Promise<PluginResult>((settle, fail) => {
    const output = {stdout: '', stderr: ''}
    for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (data: Buffer) => (output[name] += data.toString()))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail(new Error(`the plugin did not end within ${timeoutMs} ms: ${JSON.stringify(output)}`))
    }, timeoutMs)
    child.on('error', fail)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      settle({code, signal, ...output})
    })
    child.stdin.on('error', () => undefined)
    if (input !== undefined) child.stdin.end(input)
  })
  return {process: child, result}
}

/** Runs the plugin with INPUT, text, bytes or a document, on stdin. */
export const plugin = (input: string | object, options?: PluginOptions): Promise<PluginResult> =>
  startPlugin(typeof input === 'string' || input instanceof Buffer ? input : JSON.stringify(input), options).result

/** REQUEST as the protobuf library prints it. */
function protobufJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(protobufJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value as Record<string, unknown>)
    .filter(([, member]) => member !== undefined && !(Array.isArray(member) && member.length === 0))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${protobufJson(member)}`).join(',')}}`
}

export interface Label {
  readonly key: string
  readonly value?: string
}

/** The `NetworkInfo` of a task: an element without an address asks for an automatic one. */
export interface NetworkInfo {
  readonly ipAddresses: readonly {readonly ipAddress?: string}[]
  readonly groups?: readonly string[]
  readonly labels?: readonly Label[]
}

interface Info {
  readonly uid: string
  readonly addresses: readonly string[]
  readonly groups: readonly string[]
  readonly labels: readonly Label[]
}

export interface NetModules {
  /** Addresses of a new container. @throws Error as Mesos fails the task */
  prepare(containerId: string, info: NetworkInfo): Promise<{readonly addresses: readonly string[]; readonly uid: string}>
  isolate(containerId: string, pid: number): Promise<void>
  cleanup(containerId: string): Promise<void>
  /** An agent that is restarted knows nothing of its containers. */
  restart(): void
}

/** The agent HOSTNAME with its plugin. */
export function netModules(hostname: string, options: PluginOptions): NetModules {
  const infos = new Map<string, Info>()

  async function call(command: string, args: object): Promise<{ipv4: readonly string[]; ipv6: readonly string[]}> {
    const {stdout} = await plugin(protobufJson({args, command}), options)
    return readAnswer(stdout, options.command ?? CALICO_MESOS)
  }

  return {
    async prepare(containerId, {ipAddresses, groups = [], labels = []}) {
      if (ipAddresses.length === 0) throw new Error('Container requires at least one IP address.')
      const uid = randomUUID()
      const fixed = ipAddresses.flatMap(({ipAddress}) => ipAddress ?? [])
      const automatic = ipAddresses.length - fixed.length
      const common = {hostname, labels, netgroups: groups, uid}
      if (fixed.length > 0) await call('reserve', {...common, ipv4_addrs: fixed})
      const allocated = automatic > 0 ? (await call('allocate', {...common, num_ipv4: automatic, num_ipv6: 0})).ipv4 : []
      if (automatic > 0 && allocated.length === 0) throw new Error('No IPv4 addresses received from IPAM.')
      const addresses = [...fixed, ...allocated]
      infos.set(containerId, {uid, addresses, groups, labels})
      return {addresses, uid}
    },
    async isolate(containerId, pid) {
      const info = infos.get(containerId)
      if (!info) return
      const {addresses, groups, labels} = info
      await call('isolate', {container_id: containerId, hostname, ipv4_addrs: addresses, labels, netgroups: groups, pid})
    },
    async cleanup(containerId) {
      const info = infos.get(containerId)
      if (!info) return
      await call('release', {ips: info.addresses})
      await call('cleanup', {container_id: containerId, hostname})
      infos.delete(containerId)
    },
    restart: () => infos.clear(),
  }
}

/** What net-modules makes of STDOUT. @throws Error with its texts */
function readAnswer(stdout: string, path: string): {ipv4: readonly string[]; ipv6: readonly string[]} {
  const text = Buffer.from(stdout).subarray(0, MAX_ANSWER).toString()
  if (text === '') throw new Error('Got no response')
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Error(`Error parsing output '${text}' to JSON string`)
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw new Error(`Error parsing output '${text}' to JSON string`)
  const {error, ipv4 = [], ipv6 = []} = answer as {error?: unknown; ipv4?: string[]; ipv6?: string[]}
  if (error !== undefined && error !== null) throw new Error(`${path} returned error: ${JSON.stringify(error)}`)
  for (const list of [ipv4, ipv6]) {
    if (!Array.isArray(list) || !list.every((each) => typeof each === 'string')) throw new Error(`the answer '${text}' is none that net-modules can read`)
  }
  return {ipv4, ipv6}
}
