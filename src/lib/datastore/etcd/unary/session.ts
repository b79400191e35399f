import {connect as connectHttp2, type ClientHttp2Stream, type OutgoingHttpHeaders} from 'node:http2'
import {connect as connectTcp} from 'node:net'
import {connect as connectTls, createSecureContext, type SecureContext} from 'node:tls'
import type {EtcdSettings} from '../../../settings/types.js'
import {DEADLINE_EXCEEDED, UNAVAILABLE, unsent, type CallError} from './status.js'

/**
 * One HTTP/2 connection (RFC 9113) to one endpoint: how it comes about, when it may be used, how it ends.
 *
 * - No call is sent before the server's first SETTINGS have come. What fails until then certainly was not executed.
 * - GOAWAY ends it for new calls; those that the server says it has not looked at certainly were not executed.
 * - While a call is open, a silent server is asked for a sign of life, and given up if it gives none.
 * - A connection on which a call has run out of time is not used again, nor one that did not come about within the time of a call that needed it.
 * - It does not keep the process alive while no call is open.
 */
export interface Session {
  /** Resolves once the connection can be used. @throws CallError, unsent, if it fails or is not there at DEADLINE, milliseconds since 1970 */
  readonly opened: (deadline: number) => Promise<void>
  /** Whether a new call may use it, or wait for it. */
  readonly usable: () => boolean
  /** Begins a call; LOST is told, once, if the connection is lost before its stream is closed. @throws CallError, unsent */
  readonly begin: (headers: OutgoingHttpHeaders, lost: () => void) => ClientHttp2Stream
  /** Whether the server said that it has not looked at STREAM, or nothing of it was sent. */
  readonly passedOver: (stream: ClientHttp2Stream) => boolean
  /** Why the connection was lost; undefined as long as that is not known. */
  readonly reason: () => string | undefined
  /** No new calls; those under way come to their ends. */
  readonly retire: () => void
}

/** etcd allows a ping every 5 seconds. */
const PING_AFTER_MS = 7_000
const PING_LIMIT_MS = 3_000
/** Bytes that the server may send before we have taken notice of them: HTTP/2's own 64 KB would wait for an acknowledgement once in every round trip. */
const WINDOW = 1024 * 1024
/** setTimeout knows no longer time. */
const LONGEST_MS = 2 ** 31 - 1

/** What is checked of the server, and shown to it. Without a CA, those that Node knows count. @throws Error for files that cannot be used */
export const secureContextOf = ({ca, cert, key}: EtcdSettings): SecureContext =>
  createSecureContext({...(ca && {ca: ca.value.pem}), ...(cert && key && {cert: cert.value.pem, key: key.value.pem})})

/** Milliseconds from now until DEADLINE, as setTimeout takes them. */
export const msUntil = (deadline: number): number => Math.min(LONGEST_MS, Math.max(0, deadline - Date.now()))

/** Connects to URL: by TLS with a SECURECONTEXT, else without. */
export function openSession(url: string, secureContext: SecureContext | undefined): Session {
  let isOpen = false
  let retired = false
  /** What is told of the loss of the connection, one for each open call. */
  const calls = new Set<() => void>()
  /** The last stream that the server has looked at, where it has said so. */
  let lastSeen = Infinity
  let reason: string | undefined
  let lifeSign: NodeJS.Timeout | undefined
  /** Tells those who wait for the connection that it will not come about. */
  let giveUp: (error: CallError) => void = () => undefined

  const http2 = connectHttp2(url, {
    createConnection() {
      const socket = connectTo(url, secureContext)
      socket.on('error', ended)
      socket.once('close', () => ended())
      return socket
    },
    settings: {enablePush: false, initialWindowSize: WINDOW},
    maxSessionMemory: Number.MAX_SAFE_INTEGER, // answers may be large
  })
  http2.unref()
  http2.on('error', ended)
  http2.once('close', () => ended())
  http2.on('goaway', (_code: number, last: number) => void (lastSeen = Math.min(lastSeen, last)))
  const ready = new Promise<void>((resolve, reject) => {
    giveUp = reject
    http2.once('remoteSettings', () => {
      isOpen = true
      http2.setLocalWindowSize(WINDOW)
      resolve()
    })
  })
  ready.catch(() => undefined)

  /**
   * The connection is over. Its socket is listened to as well: of what a server says by TLS against the client's certificate, Node's session tells nobody. One
   * turn later, so that the streams, and GOAWAY, are heard first.
   */
  function ended(error?: Error): void {
    if (error) reason ??= messageOf(error)
    clearTimeout(lifeSign)
    setImmediate(() => lose('the connection was closed'))
  }

  function lose(why: string): void {
    reason ??= why
    http2.destroy()
    giveUp(unsent(UNAVAILABLE, `No connection established: ${reason}`))
    for (const lost of calls) lost()
    calls.clear()
  }

  const usable = (): boolean => !retired && !http2.closed && !http2.destroyed && lastSeen === Infinity

  async function opened(deadline: number): Promise<void> {
    if (isOpen) return
    const timer = setTimeout(() => {
      // For all who wait: whoever has more time tries again.
      giveUp(unsent(DEADLINE_EXCEEDED, 'Deadline exceeded before the connection was established'))
      lose('the connection did not come about in time')
    }, msUntil(deadline))
    try {
      await ready
    } finally {
      clearTimeout(timer)
    }
  }

  function begin(headers: OutgoingHttpHeaders, lost: () => void): ClientHttp2Stream {
    if (!usable()) throw unsent(UNAVAILABLE, 'Channel closed before call started')
    const stream = request(headers)
    calls.add(lost)
    if (calls.size === 1) {
      http2.ref()
      askForLife()
    }
    stream.once('close', () => {
      calls.delete(lost)
      if (calls.size > 0) return
      http2.unref()
      clearTimeout(lifeSign)
      if (retired) http2.destroy()
    })
    return stream
  }

  function request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    try {
      return http2.request(headers)
    } catch (error) {
      retire()
      throw unsent(UNAVAILABLE, `Channel closed before call started: ${messageOf(error)}`)
    }
  }

  /** Asks for a sign of life after a while, and again while calls are open. */
  function askForLife(): void {
    lifeSign = setTimeout(() => {
      if (http2.destroyed) return
      lifeSign = setTimeout(() => lose('the server does not answer a ping'), PING_LIMIT_MS).unref()
      http2.ping((error) => {
        clearTimeout(lifeSign)
        if (!error && calls.size > 0) askForLife()
      })
    }, PING_AFTER_MS).unref()
  }

  function retire(): void {
    retired = true
    if (calls.size === 0) lose('the client was closed')
  }

  return {opened, usable, begin, passedOver: ({id}) => id === undefined || id > lastSeen, reason: () => reason, retire}
}

function connectTo(url: string, secureContext: SecureContext | undefined): ReturnType<typeof connectTcp> {
  const {hostname, port} = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (!secureContext) return connectTcp({host, port: Number(port || 80)})
  return connectTls({
    host,
    port: Number(port || 443),
    secureContext,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: true,
    // An address is no name of a server (RFC 6066); the certificate is held to the host all the same.
    ...(!/^[\d.]+$|:/.test(host) && {servername: host}),
  })
}

/** Of several addresses that were tried, the first one's reason. */
function messageOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
