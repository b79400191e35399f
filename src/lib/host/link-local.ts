/** The link-local IPv6 address of an interface on the host, which is the gateway of the container behind it. */
import {readFileSync, writeFileSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import {CalicoError} from '../errors.js'
import {formatAddress} from '../net/index.js'
import {addressTexts} from './candidates.js'
import {ipJson} from './ip.js'
import type {NetworkNamespace} from './network-namespace.js'

const TRIES = 200
const PAUSE_MS = 5

/** The scope `link` as /proc/net/if_inet6 has it. */
const LINK_SCOPE = '20'

/** The host end NAME, whose other end is still down, will answer for its link-local address at once: without this, the kernel first asks for a second whether the container has it too. */
export function trustLinkLocal(name: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/accept_dad`, '0')
  } catch {
    // The host has no IPv6, or its settings are not ours to change: then it takes that second.
  }
}

/** The link-local IPv6 address of NAME in NAMESPACE. */
export async function linkLocal(namespace: NetworkNamespace, name: string): Promise<string | undefined> {
  return addressTexts(await ipJson(namespace, ['-6', 'address', 'show', 'dev', name, 'scope', 'link']))[0]
}

/** That of the host end NAME; asks no program. */
export function hostLinkLocal(name: string): string | undefined {
  let text: string
  try {
    text = readFileSync('/proc/self/net/if_inet6', 'latin1')
  } catch {
    // The host has no IPv6.
    return undefined
  }
  return linkLocalIn(text, name)
}

/** The link-local IPv6 address of interface NAME in TEXT, which is that of /proc/net/if_inet6. */
export function linkLocalIn(text: string, name: string): string | undefined {
  for (const line of text.split('\n')) {
    const [digits = '', , , scope, , interfaceName] = line.trim().split(/ +/)
    if (interfaceName === name && scope === LINK_SCOPE) return formatAddress({family: 6, value: BigInt(`0x${digits}`)})
  }
  return undefined
}

/** That of the host end NAME, which the kernel gives when it has seen that both ends are up: waited for up to 1 s. @throws CalicoError `failed` if it does not */
export async function gatewayLinkLocal(name: string): Promise<string> {
  for (let tries = 0; tries <= TRIES; tries++) {
    if (tries > 0) await sleep(PAUSE_MS)
    const found = hostLinkLocal(name)
    if (found !== undefined) return found
  }
  throw new CalicoError('failed', `The host's interface ${name} has no IPv6 link-local address, which would be the container's gateway`, {
    hint: 'IPv6 may be disabled on this host. Check: sysctl net.ipv6.conf.all.disable_ipv6',
  })
}
