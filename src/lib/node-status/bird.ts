/** What the two BIRDs of this host say of their BGP sessions. */
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {askBird, BirdUnreachableError} from '../bird/client.js'
import {bgpPeers, type BgpPeer} from '../bird/peers.js'
import {readProtocols, type Protocol} from '../bird/protocols.js'
import type {Reply} from '../bird/reply.js'
import {CalicoError} from '../errors.js'
import type {Family} from '../net/index.js'

export type BirdStatus =
  | {readonly state: 'answers'; readonly version: string | undefined; readonly peers: readonly BgpPeer[]; readonly recovering: boolean}
  /** It answered something else than a table of protocols: shown as it came. */
  | {readonly state: 'not-understood'; readonly message: string; readonly raw: string}
  | {readonly state: 'unreachable'; readonly message: string}

const SOCKETS: Readonly<Record<Family, string>> = {4: 'bird.ctl', 6: 'bird6.ctl'}
/** Where BIRD itself puts its sockets: older images of calico/node left them there. */
const BIRD_FOLDER = '/var/run/bird'

/** Asks the BIRD for FAMILY whose socket is in FOLDER of this host. */
export async function birdStatus(folder: string, family: Family): Promise<BirdStatus> {
  const [own, other] = [join(folder, SOCKETS[family]), join(BIRD_FOLDER, SOCKETS[family])]
  let reply: Reply
  try {
    reply = await askBird(!existsSync(own) && existsSync(other) ? other : own, 'show protocols')
  } catch (error) {
    if (!(error instanceof BirdUnreachableError)) return notUnderstood(error)
    return {state: 'unreachable', message: error.message}
  }
  try {
    const protocols = readProtocols(reply)
    return {state: 'answers', version: reply.version, peers: bgpPeers(protocols, family), recovering: isRecovering(protocols)}
  } catch (error) {
    return notUnderstood(error, reply.lines.map(({text}) => text).join('\n'))
  }
}

function notUnderstood(error: unknown, raw = ''): BirdStatus {
  if (!(error instanceof CalicoError)) throw error
  return {state: 'not-understood', message: [error.message, ...error.details].join(': '), raw}
}

/** After a restart the kernel's routes stay as they are until the peers have reported theirs. */
const isRecovering = (protocols: readonly Protocol[]): boolean => protocols.some(({type, state}) => type === 'Kernel' && state === 'wait')
