/** Network namespaces of this machine for tests, each held by a sleeping process of the test's own. */
import {execFileSync, spawn} from 'node:child_process'
import {readFileSync} from 'node:fs'

/** Why tests that need namespaces cannot run here; undefined if they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.geteuid?.() !== 0) return 'only root may make network namespaces'
  try {
    execFileSync('unshare', ['--net', 'true'], {stdio: 'pipe'})
    execFileSync('ip', ['-V'], {stdio: 'pipe'})
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

export interface TestNamespace {
  readonly pid: number
  readonly path: string
  /** Runs a program in it and gives its stdout. */
  run(...command: string[]): string
  /** Ends its process. */
  stop(): Promise<void>
}

/**
 * Shell commands that give a new network namespace IPv4 settings of its own: it begins with those of this machine, where a Docker Engine may or may not
 * have allowed forwarding, and systemd may or may not have set the reverse path filter.
 */
export const OWN_SETTINGS = `
echo 1 > /proc/sys/net/ipv4/ip_forward
for each in all default; do echo 0 > /proc/sys/net/ipv4/conf/$each/rp_filter; done
`

/** A new network namespace with OWN_SETTINGS, its loopback up. */
export async function startNamespace(): Promise<TestNamespace> {
  const child = spawn('unshare', ['--net', 'sleep', '86400'], {stdio: 'ignore'})
  const {pid} = child
  if (pid === undefined) throw new Error('unshare did not start')
  const ended = new Promise((resolve) => child.once('exit', resolve))
  // unshare becomes sleep once it is in its own namespace.
  while (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'sleep') await new Promise((resolve) => setTimeout(resolve, 5))
  const run = (...command: string[]): string => execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, ...command], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']})
  run('sh', '-ec', `${OWN_SETTINGS}ip link set lo up`)
  return {
    pid,
    path: `/proc/${pid}/ns/net`,
    run,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The names of this machine's interfaces. */
export const hostInterfaces = (): string[] => (JSON.parse(execFileSync('ip', ['-j', 'link'], {encoding: 'utf8'})) as {ifname: string}[]).map(({ifname}) => ifname)
