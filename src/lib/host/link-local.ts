/** The link-local IPv6 address of an interface on the host, which is the gateway of the container behind it. */
import {writeFileSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import {CalicoError} from '../errors.js'
import {ipJson, type Where} from './ip.js'

const TRIES = 40
const PAUSE_MS = 25

/** The host end NAME answers for its link-local address at once: without this, the kernel first asks for a second whether the container has it too. */
export function trustLinkLocal(name: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/accept_dad`, '0')
  } catch {
    // The host has no IPv6, or its settings are not ours to change: then it takes that second.
  }
}

/** The link-local IPv6 address of NAME in WHERE. */
export async function linkLocal(where: Where, name: string): Promise<string | undefined> {
  const [found] = await ipJson<{addr_info?: readonly {local: string}[]}>(where, ['-6', 'address', 'show', 'dev', name, 'scope', 'link'])
  return found?.addr_info?.[0]?.local
}

/** That of the host end NAME, which the kernel gives when it has seen that both ends are up: waited for up to 1 s. @throws CalicoError `failed` if it does not */
export async function gatewayLinkLocal(name: string): Promise<string> {
  for (let tries = 0; tries <= TRIES; tries++) {
    if (tries > 0) await sleep(PAUSE_MS)
    const found = await linkLocal(undefined, name)
    if (found !== undefined) return found
  }
  throw new CalicoError('failed', `The host's interface ${name} has no IPv6 link-local address, which would be the container's gateway`, {
    hint: 'Is IPv6 switched off on this host? See: sysctl net.ipv6.conf.all.disable_ipv6',
  })
}
