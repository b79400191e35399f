import {connect as connectTcp, type Socket} from 'node:net'
import * as h2 from './frames.js'
import {createFieldReader, encodeFields, type Fields} from './hpack.js'
import {CANCEL, DEADLINE_EXCEEDED, UNAVAILABLE, unsent, type CallError, type Ended} from './status.js'

/**
 * One HTTP/2 connection (RFC 9113) to one endpoint, by the parts of HTTP/2 that a unary call needs: how it comes about, when it may be used, how it ends. In place
 * of node:http2, which takes 10 ms more of every command: it loads node:http, node:tls and node:assert.
 *
 * - No call is sent before the server's first SETTINGS have come. What fails until then certainly was not executed.
 * - GOAWAY ends it for new calls; those that the server says it has not processed certainly were not executed.
 * - While a call is open, a silent server is asked for a sign of life, and given up if it gives none.
 * - A connection on which a call has run out of time is not used again, nor one that did not come about within the time of a call that needed it.
 * - It does not keep the process alive while no call is open.
 * - What is not HTTP/2 ends it.
 */
export interface Session {
  /** Resolves once the connection can be used. @throws CallError, unsent, if it fails or is not there at DEADLINE, milliseconds since 1970 */
  readonly opened: (deadline: number) => Promise<void>
  /** Whether a new call may use it, or wait for it. */
  readonly usable: () => boolean
  /**
   * Sends a request of HEADERS and BODY. ENDED is called once, unless the call is cancelled before: with what came, when its stream is over, or the connection lost.
   * @returns cancels the call
   * @throws CallError, unsent
   */
  readonly begin: (headers: Fields, body: Buffer, ended: (end: Ended, received: readonly Buffer[]) => void) => () => void
  /** Why the connection was lost; undefined as long as that is not known. */
  readonly reason: () => string | undefined
  /** No new calls; those under way come to their ends. */
  readonly retire: () => void
}

/** Makes the socket to an address, which need not be connected yet. */
export type OpenSocket = (address: {readonly host: string; readonly port: number}) => Socket

/** etcd allows a ping every 5 seconds. */
const PING_AFTER_MS = 7_000
const PING_LIMIT_MS = 3_000
/** Bytes that the server may send before we have taken notice of them: HTTP/2's own 64 KB would wait for an acknowledgement once in every round trip. */
const WINDOW = 1024 * 1024
/** The windows of a connection and of its streams as long as no one changes them. */
const FIRST_WINDOW = 65_535
/** Names, values and messages in headers or trailers: more is no answer of etcd's. */
const LARGEST_BLOCK = 256 * 1024
/** Acknowledgements that the server has not taken. */
const MOST_REPLIES = 1_000
/** setTimeout knows no longer time. */
const LONGEST_MS = 2 ** 31 - 1

/** Settings (RFC 9113 §6.5.2). */
const ENABLE_PUSH = 2
const MAX_CONCURRENT_STREAMS = 3
const INITIAL_WINDOW_SIZE = 4

/** Codes of errors (§7). */
const NO_ERROR = 0
const PROTOCOL_ERROR = 1

/** A request, and what has come of its answer. */
interface Stream {
  /** 0 until it is begun: the server may allow fewer at a time. */
  id: number
  readonly headers: Fields
  readonly body: Buffer
  /** Bytes of the body that were sent, and that the server still accepts. */
  sent: number
  window: number
  httpStatus: number | undefined
  trailers: Fields | undefined
  readonly received: Buffer[]
  /** Bytes that came since the last window update to the server. */
  taken: number
  readonly ended: (end: Ended, received: readonly Buffer[]) => void
}

/** Milliseconds from now until DEADLINE, as setTimeout takes them. */
export const msUntil = (deadline: number): number => Math.min(LONGEST_MS, Math.max(0, deadline - Date.now()))

/** Connects to URL. */
export function openSession(url: string, openSocket: OpenSocket = connectTcp): Session {
  const {hostname, port, protocol, host: authority} = new URL(url)
  const secure = protocol === 'https:'
  const common: Fields = {':scheme': secure ? 'https' : 'http', ':authority': authority}
  let isOpen = false
  let retired = false
  let isLost = false
  let reason: string | undefined
  /** The last stream that the server has processed, where it has said so. */
  let lastSeen = Infinity
  /** All calls, and those of them that have begun. */
  const calls = new Set<Stream>()
  const streams = new Map<number, Stream>()
  let nextId = 1
  let mostStreams = Infinity
  /** Bytes that the server still accepts, of all streams and of one that begins. */
  let window = FIRST_WINDOW
  let firstWindow = FIRST_WINDOW
  /** Bytes that came since the last window update to the server. */
  let taken = 0
  /** Headers that go on in further frames. */
  let block: {readonly stream: number; readonly flags: number; readonly parts: Buffer[]; size: number} | undefined
  const fields = createFieldReader()
  let replies = 0
  let lifeSign: NodeJS.Timeout | undefined
  /** Rejects the promise of those who wait for the connection. */
  let giveUp: (error: CallError) => void = () => undefined
  let open: () => void = () => undefined
  const ready = new Promise<void>((resolve, reject) => {
    open = resolve
    giveUp = reject
  })
  ready.catch(() => undefined)

  const take = h2.frameReader(frameCame)
  const socket = openSocket({host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secure ? 443 : 80))})
  socket.setNoDelay(true)
  socket.unref()
  socket.on('connect', () => {
    if (calls.size === 0) socket.unref()
  })
  socket.on('data', (bytes: Buffer) => {
    try {
      if (!isLost) take(bytes)
    } catch (error) {
      if (!isLost) socket.write(h2.frame(h2.GOAWAY, 0, 0, h2.numbers(0, PROTOCOL_ERROR)))
      lose(`what the server sends is not HTTP/2: ${messageOf(error)}`)
    }
  })
  socket.on('error', (error) => void (reason ??= messageOf(error)))
  // One turn later, so that an error is heard first.
  for (const event of ['end', 'close']) socket.once(event, () => setImmediate(() => lose('the connection was closed')))
  socket.write(
    Buffer.concat([
      h2.PREFACE,
      h2.settings([
        [ENABLE_PUSH, 0],
        [INITIAL_WINDOW_SIZE, WINDOW],
      ]),
      h2.frame(h2.WINDOW_UPDATE, 0, 0, h2.numbers(WINDOW - FIRST_WINDOW)),
    ]),
  )

  /** What a frame means, by its type; others mean nothing to us (§5.5). */
  const MEANINGS: Readonly<Record<number, (frame: h2.Frame) => void>> = {
    [h2.DATA]: dataCame,
    [h2.HEADERS]: (frame) => blockCame({stream: frame.stream, flags: frame.flags, parts: [], size: 0}, frame.flags, h2.contentOf(frame)),
    [h2.CONTINUATION]({flags, payload}) {
      if (block) blockCame(block, flags, payload)
    },
    [h2.RST_STREAM]: (frame) => end(streamOf(frame), h2.numberIn(frame)),
    [h2.SETTINGS]: settingsCame,
    [h2.PUSH_PROMISE]() {
      throw new h2.ProtocolError('a push that nobody allowed')
    },
    [h2.PING]({flags, payload}) {
      if (payload.length !== 8) throw new h2.ProtocolError(`a ping of ${payload.length} bytes`)
      if (!(flags & h2.ACK)) reply(h2.frame(h2.PING, h2.ACK, 0, payload))
      else if (lifeSign && calls.size > 0) askForLife()
    },
    [h2.GOAWAY]: goawayCame,
    [h2.WINDOW_UPDATE]: windowCame,
  }

  function frameCame(frame: h2.Frame): void {
    if (isLost) return
    if (!isOpen && (frame.type !== h2.SETTINGS || frame.flags & h2.ACK)) throw new h2.ProtocolError(`it begins with a frame of type ${frame.type}`)
    if ((block !== undefined) !== (frame.type === h2.CONTINUATION) || (block && block.stream !== frame.stream)) throw new h2.ProtocolError('headers are interrupted')
    MEANINGS[frame.type]?.(frame)
  }

  /** The stream of FRAME; undefined if it is over. @throws ProtocolError if it never began */
  function streamOf({type, stream}: {readonly type: number; readonly stream: number}): Stream | undefined {
    if (stream % 2 === 0 || stream >= nextId) throw new h2.ProtocolError(`a frame of type ${type} for stream ${stream}`)
    return streams.get(stream)
  }

  function settingsCame({flags, payload}: h2.Frame): void {
    if (flags & h2.ACK) return
    for (const [id, value] of h2.settingsIn(payload)) {
      if (id === MAX_CONCURRENT_STREAMS) mostStreams = value
      if (id === INITIAL_WINDOW_SIZE) {
        for (const stream of streams.values()) stream.window += value - firstWindow
        firstWindow = value
      }
    }
    reply(h2.frame(h2.SETTINGS, h2.ACK, 0, Buffer.alloc(0)))
    if (!isOpen) {
      isOpen = true
      open()
    }
    beginWaiting()
    for (const stream of streams.values()) sendBody(stream)
  }

  function windowCame(frame: h2.Frame): void {
    const more = h2.numberIn(frame) & h2.LOW_BITS
    if (frame.stream === 0) {
      window += more
      for (const stream of streams.values()) sendBody(stream)
    } else {
      const stream = streamOf(frame)
      if (stream === undefined) return
      stream.window += more
      sendBody(stream)
    }
  }

  function goawayCame(frame: h2.Frame): void {
    lastSeen = Math.min(lastSeen, h2.numberIn(frame) & h2.LOW_BITS)
    const code = h2.numberIn(frame, 4)
    for (const stream of calls) if (isPassedOver(stream)) end(stream)
    if (code !== NO_ERROR) lose(`the server has ended the connection with code ${code}`)
    leaveIfDone()
  }

  function dataCame(frame: h2.Frame): void {
    const stream = streamOf(frame)
    taken = acknowledged(0, taken + frame.payload.length)
    if (stream === undefined) return
    stream.received.push(h2.contentOf(frame))
    if (frame.flags & h2.END_STREAM) answered(stream)
    else stream.taken = acknowledged(stream.id, stream.taken + frame.payload.length)
  }

  /** Sends a window update for a stream (0: for all together) once the server has sent half of what it may. @returns the bytes that none covers yet */
  function acknowledged(stream: number, bytes: number): number {
    if (bytes < WINDOW / 2) return bytes
    socket.write(h2.frame(h2.WINDOW_UPDATE, 0, stream, h2.numbers(bytes)))
    return 0
  }

  /** A part of a block of fields has come, the last one if FLAGS say so. */
  function blockCame(begun: NonNullable<typeof block>, flags: number, part: Buffer): void {
    begun.parts.push(part)
    begun.size += part.length
    if (begun.size > LARGEST_BLOCK) throw new h2.ProtocolError('headers without end')
    block = flags & h2.END_HEADERS ? undefined : begun
    if (!block) fieldsCame(streamOf({type: h2.HEADERS, stream: begun.stream}), fields.read(Buffer.concat(begun.parts)), (begun.flags & h2.END_STREAM) !== 0)
  }

  /** The headers of STREAM have come, or the trailers, or both in one. */
  function fieldsCame(stream: Stream | undefined, came: Fields, isEnd: boolean): void {
    if (stream === undefined) return
    if (isEnd) stream.trailers = came
    // What begins with 1 comes before the headers.
    if (stream.httpStatus === undefined && !(came[':status']?.startsWith('1') ?? false)) stream.httpStatus = Number(came[':status'])
    else if (!isEnd && stream.httpStatus !== undefined) throw new h2.ProtocolError('headers behind headers')
    if (isEnd) answered(stream)
  }

  /** The server has ended STREAM, perhaps before it has read all of the message. */
  function answered(stream: Stream): void {
    if (stream.sent < stream.body.length) reset(stream, CANCEL)
    end(stream)
  }

  const isPassedOver = ({id}: Stream): boolean => id === 0 || id > lastSeen

  /** STREAM is over, reset with RESETCODE unless the server has ended it. */
  function end(stream: Stream | undefined, resetCode = NO_ERROR): void {
    if (stream === undefined || !calls.has(stream)) return
    const {httpStatus, trailers, received, ended} = stream
    forget(stream)
    ended({httpStatus, trailers, resetCode, passedOver: isPassedOver(stream), reason}, received)
  }

  const reset = ({id}: Stream, code: number): void => void socket.write(h2.frame(h2.RST_STREAM, 0, id, h2.numbers(code)))

  function cancel(stream: Stream): void {
    if (!calls.has(stream)) return
    if (stream.id !== 0) reset(stream, CANCEL)
    forget(stream)
  }

  function forget(stream: Stream): void {
    calls.delete(stream)
    streams.delete(stream.id)
    if (isLost) return
    beginWaiting()
    leaveIfDone()
  }

  function leaveIfDone(): void {
    if (calls.size > 0) return
    clearTimeout(lifeSign)
    lifeSign = undefined
    if (retired || lastSeen !== Infinity) lose('the client was closed')
    else socket.unref()
  }

  /** The connection is over. */
  function lose(why: string): void {
    if (isLost) return
    isLost = true
    reason ??= why
    clearTimeout(lifeSign)
    socket.destroy()
    giveUp(unsent(UNAVAILABLE, `No connection established: ${reason}`))
    for (const stream of calls) end(stream)
  }

  const usable = (): boolean => !retired && !isLost && lastSeen === Infinity

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

  function begin(headers: Fields, body: Buffer, ended: Stream['ended']): () => void {
    if (!usable()) throw unsent(UNAVAILABLE, 'Channel closed before call started')
    const stream: Stream = {id: 0, headers, body, sent: 0, window: 0, httpStatus: undefined, trailers: undefined, received: [], taken: 0, ended}
    calls.add(stream)
    if (calls.size === 1) {
      socket.ref()
      askForLife()
    }
    beginWaiting()
    return () => cancel(stream)
  }

  /** Begins the streams of as many calls as the server allows. */
  function beginWaiting(): void {
    if (lastSeen !== Infinity || streams.size === calls.size) return
    for (const stream of calls) {
      if (stream.id !== 0) continue
      if (streams.size >= mostStreams) return
      stream.id = nextId
      nextId += 2
      stream.window = firstWindow
      streams.set(stream.id, stream)
      sendBody(stream, headersOf(stream))
    }
  }

  /** The frames of STREAM's headers. */
  function headersOf({id, headers}: Stream): Buffer[] {
    const bytes = encodeFields({...common, ...headers})
    const parts = cut(bytes, bytes.length)
    return parts.map((part, i) => h2.frame(i === 0 ? h2.HEADERS : h2.CONTINUATION, i === parts.length - 1 ? h2.END_HEADERS : 0, id, part))
  }

  /** Sends what the server still accepts of STREAM's body, after the frames BEFORE. */
  function sendBody(stream: Stream, before: readonly Buffer[] = []): void {
    const allowed = Math.min(window, stream.window, stream.body.length - stream.sent)
    const frames = [...before]
    if (allowed > 0) {
      for (const part of cut(stream.body.subarray(stream.sent), allowed)) {
        stream.sent += part.length
        frames.push(h2.frame(h2.DATA, stream.sent === stream.body.length ? h2.END_STREAM : 0, stream.id, part))
      }
      window -= allowed
      stream.window -= allowed
    }
    if (frames.length > 0) socket.write(Buffer.concat(frames))
  }

  /** Answers a frame of the server's; one that does not take the answers is given up. */
  function reply(answer: Buffer): void {
    if (++replies > MOST_REPLIES) throw new h2.ProtocolError('questions whose answers are not read')
    socket.write(answer, () => {
      replies--
    })
  }

  /** Asks for a sign of life after a while, and again while calls are open. */
  function askForLife(): void {
    clearTimeout(lifeSign)
    lifeSign = setTimeout(() => {
      lifeSign = setTimeout(() => lose('the server does not answer a ping'), PING_LIMIT_MS).unref()
      socket.write(h2.frame(h2.PING, 0, 0, Buffer.alloc(8)))
    }, PING_AFTER_MS).unref()
  }

  function retire(): void {
    retired = true
    leaveIfDone()
  }

  return {opened, usable, begin, reason: () => reason, retire}
}

/** The first LENGTH of BYTES in parts that fit into frames. */
function cut(bytes: Buffer, length: number): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < length; at += h2.LONGEST_PAYLOAD) parts.push(bytes.subarray(at, Math.min(length, at + h2.LONGEST_PAYLOAD)))
  return parts
}

/** Of several addresses that were tried, the first one's reason. */
function messageOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
