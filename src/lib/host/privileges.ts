/** What this process may do on this host. */
import {readFileSync} from 'node:fs'
import {CalicoError} from '../errors.js'

/** Bits of the capability masks in /proc/self/status. */
const CAPABILITIES = {CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21} as const

/**
 * Refuses to go on without the rights that a change of interfaces and entering another network namespace take.
 * @throws CalicoError `not-root`, naming what is missing
 */
export function requireNetworkAdministrator(what: string, {userId = process.geteuid?.(), status = readStatus()}: {userId?: number | undefined; status?: string} = {}): void {
  if (userId !== 0) throw new CalicoError('not-root', `${what} must be run as root`, {hint: 'Run it with sudo; keep its settings with: sudo -E'})
  const missing = missingCapabilities(status)
  if (missing.length > 0) {
    throw new CalicoError('not-root', `${what} needs ${missing.join(' and ')}, which this process does not have although it runs as root`, {
      hint: `In a container, start the container with ${missing.map((name) => `--cap-add ${name.slice('CAP_'.length)}`).join(' ')}, --network host and --pid host.`,
    })
  }
}

/** Those of the needed capabilities that are not in the effective set of STATUS, the text of /proc/self/status. */
function missingCapabilities(status: string): string[] {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  if (mask === undefined) return []
  const effective = BigInt(`0x${mask}`)
  return Object.entries(CAPABILITIES).flatMap(([name, bit]) => ((effective >> BigInt(bit)) & 1n ? [] : [name]))
}

const readStatus = (): string => readFileSync('/proc/self/status', 'utf8')
