/** The BGP sessions among BIRD's protocols: calico-node names each after its peer (datamodel-v3 §5.6, calico-node.md §5). */
import {canonicalAddress, type Family} from '../net/index.js'
import type {Protocol} from './protocols.js'

export type PeerType = 'node-to-node mesh' | 'node specific' | 'global' | 'local workload'

/** A BGP session of this node. */
export interface BgpPeer {
  readonly address: string
  /** Undefined for the standard one. */
  readonly port: number | undefined
  readonly type: PeerType
  /** The protocol's: `up`, `start`, `down`. */
  readonly state: string
  /** A time of day, or a date when it is old. */
  readonly since: string
  /** BGP's own state (`Established`, `Active`, `Passive`, …); empty if the session is disabled. */
  readonly bgpState: string
  /** The last error, kept by BIRD while another state is current; empty if there was none. */
  readonly lastError: string
  /** Both, as BIRD wrote them. */
  readonly info: string
  /** `established`; `waiting` where nothing is wrong on this side (the passive one of a pair); else `down`. */
  readonly health: 'established' | 'waiting' | 'down'
  /** What an operator should know about the state; empty if nothing. */
  readonly remark: string
}

/** What the names of calico-node's BGP protocols begin with. */
const TYPES: readonly (readonly [prefix: string, type: PeerType])[] = [
  ['Mesh_', 'node-to-node mesh'],
  ['Global_', 'global'],
  ['Local_Workload_', 'local workload'],
  ['Node_', 'node specific'],
]

/** The sessions among PROTOCOLS of the BIRD that speaks FAMILY, in BIRD's order. Protocols that calico-node did not name are skipped. */
export function bgpPeers(protocols: readonly Protocol[], family: Family): BgpPeer[] {
  return protocols.flatMap((protocol) => {
    const [prefix, type] = TYPES.find(([start]) => protocol.name.startsWith(start)) ?? []
    if (protocol.type !== 'BGP' || prefix === undefined || type === undefined || protocol.name === prefix) return []
    const {address, port} = decodePeer(protocol.name.slice(prefix.length), family)
    const {state, since, info} = protocol
    const [bgpState = '', ...error] = info.trim().split(/\s+/)
    const health = bgpState === 'Established' ? 'established' : bgpState === 'Passive' && state === 'start' ? 'waiting' : 'down'
    return [{address, port, type, state, since, bgpState, lastError: error.join(' '), info, health, remark: remark(state, bgpState)}]
  })
}

/** The address and port in NAME: `10_201_0_9_port_1790`, `fd01_201__9`. A port is taken off first: its blanks are the same `_`. */
export function decodePeer(name: string, family: Family): {address: string; port: number | undefined} {
  const [, rest = name, port] = /^(.+)_port_(\d{1,5})$/.exec(name) ?? []
  const text = rest.replaceAll('_', family === 4 ? '.' : ':')
  return {address: canonicalAddress(text) ?? text, port: port === undefined ? undefined : Number(port)}
}

/** What STATE and BGP_STATE mean where that is not plain from their words. */
function remark(state: string, bgpState: string): string {
  if (state === 'down') return 'disabled in BIRD'
  if (bgpState === 'Passive') return 'normal on this side: it waits for the peer to connect'
  if (bgpState === 'Established' || bgpState === '') return ''
  return REMARKS[bgpState] ?? ''
}

const REMARKS: Readonly<Record<string, string>> = {
  Idle: 'waits before the next attempt',
  Connect: 'connecting; no answer from the peer yet',
  Active: 'failed to connect; retries, and accepts connections from the peer',
  OpenSent: 'connected; waits for the peer\'s OPEN',
  OpenConfirm: 'connected; waits for the peer\'s confirmation',
  Close: 'the session is being closed',
}
