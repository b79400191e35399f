/** BGP peers (datamodel-v3 §1.8, §2.5). */
import {type Address, parseAddress} from '../../net/address.js'
import type {BGPPeer, BGPPeerSpec} from '../types.js'
import type {KindRules, Report} from './kind.js'

const BRACKETED = /^\[([0-9a-fA-F:.]+)\]:(\d+)$/
const IPV4_WITH_PORT = /^([\d.]+):(\d+)$/

/** The address and port that a peerIP names: `ip`, `v4:port` or `[v6]:port`; undefined if it is none of them. */
export function parsePeerAddress(text: string): {address: Address; port?: number} | undefined {
  const match = BRACKETED.exec(text) ?? IPV4_WITH_PORT.exec(text)
  const address = parseAddress(match?.[1] ?? text)
  if (!address) return undefined
  if (!match) return {address}
  const port = Number(match[2])
  return port >= 1 && port <= 65535 ? {address, port} : undefined
}

/** Fields that cannot be combined. */
const EXCLUSIVE: readonly (readonly [keyof BGPPeerSpec, keyof BGPPeerSpec])[] = [
  ['node', 'nodeSelector'],
  ['peerIP', 'peerSelector'],
  ['peerSelector', 'asNumber'],
  ['localWorkloadSelector', 'peerIP'],
  ['localWorkloadSelector', 'peerSelector'],
  ['keepOriginalNextHop', 'nextHopMode'],
]

function check({spec}: BGPPeer, report: Report, {filters}: {filters?: readonly string[]}): void {
  for (const [one, other] of EXCLUSIVE) {
    if (spec[one] !== undefined && spec[other] !== undefined) report(`spec.${one}`, `cannot be combined with ${other}`)
  }
  const peer = spec.peerIP === undefined ? undefined : parsePeerAddress(spec.peerIP)
  if (spec.peerIP !== undefined && !peer) {
    report('spec.peerIP', `must be an address, IPv4:port or [IPv6]:port, not ${JSON.stringify(spec.peerIP)}`)
  }
  if (spec.localWorkloadSelector !== undefined && !spec.asNumber) report('spec.asNumber', 'must be set with localWorkloadSelector')
  if (spec.reachableBy !== undefined) {
    const via = parseAddress(spec.reachableBy)
    if (spec.peerIP === undefined) report('spec.reachableBy', 'needs a peerIP')
    else if (via && peer && via.family !== peer.address.family) report('spec.reachableBy', 'must be of the same IP version as peerIP')
  }
  spec.filters?.forEach((name, index) => {
    if (filters && !filters.includes(name)) report(`spec.filters[${index}]`, `names a BGPFilter that does not exist: ${name}`)
  })
}

export const bgpPeerRules: KindRules<BGPPeer> = {check}
