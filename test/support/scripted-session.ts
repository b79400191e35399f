/** A connection of the unary calls to a server that is nothing but a list of bytes. */
import type {Socket} from 'node:net'
import {Duplex} from 'node:stream'
import {openSession, type Session} from '../../src/lib/datastore/etcd/unary/session.js'

export interface Scripted {
  readonly session: Session
  /** The server sends PARTS. */
  readonly comes: (...parts: readonly Buffer[]) => void
  /** What was sent to it. */
  readonly sent: () => Buffer
}

/** @param reads whether the server takes what it is sent */
export function scripted({reads = true} = {}): Scripted {
  const parts: Buffer[] = []
  const socket = new Duplex({
    read: () => undefined,
    write(part: Buffer, _, done) {
      parts.push(part)
      if (reads) done()
    },
  })
  const session = openSession('http://127.0.0.1:1', () => Object.assign(socket, {setNoDelay: () => undefined, ref: () => undefined, unref: () => undefined}) as unknown as Socket)
  return {session, comes: (...came) => void socket.emit('data', Buffer.concat(came)), sent: () => Buffer.concat(parts)}
}
