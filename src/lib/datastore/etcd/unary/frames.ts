/** The frames of HTTP/2 (RFC 9113 §4, §6). */

export const DATA = 0
export const HEADERS = 1
export const RST_STREAM = 3
export const SETTINGS = 4
export const PUSH_PROMISE = 5
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

/** Flags; ACK is that of SETTINGS and PING. */
export const ACK = 1
export const END_STREAM = 1
export const END_HEADERS = 4
const PADDED = 8
const PRIORITY = 0x20

/** What a client begins with (§3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
/** The longest payload of a frame, unless someone allows more (§4.2): we do not, nor do we send more. */
export const LONGEST_PAYLOAD = 16_384
const HEAD = 9
/** Of four bytes with a stream's number, or a window's: the highest bit means nothing. */
export const LOW_BITS = 0x7fff_ffff

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** The server's bytes are not HTTP/2: nothing that comes after them has a meaning. */
export class ProtocolError extends Error {}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes[3] = type
  bytes[4] = flags
  bytes.writeUInt32BE(stream, 5)
  bytes.set(payload, HEAD)
  return bytes
}

/** A payload of numbers of four bytes. */
export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length)
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i))
  return bytes
}

/** SETTINGS with VALUES, each after its number (§6.5.1). */
export function settings(values: readonly (readonly [id: number, value: number])[]): Buffer {
  const bytes = Buffer.allocUnsafe(6 * values.length)
  values.forEach(([id, value], i) => {
    bytes.writeUInt16BE(id, 6 * i)
    bytes.writeUInt32BE(value, 6 * i + 2)
  })
  return frame(SETTINGS, 0, 0, bytes)
}

/** The settings in PAYLOAD. @throws ProtocolError */
export function settingsIn(payload: Buffer): readonly (readonly [id: number, value: number])[] {
  if (payload.length % 6 !== 0) throw new ProtocolError('SETTINGS are cut off')
  return Array.from({length: payload.length / 6}, (_, i) => [payload.readUInt16BE(6 * i), payload.readUInt32BE(6 * i + 2)])
}

/** The number of four bytes at OFFSET of a frame's payload. @throws ProtocolError */
export function numberIn({type, payload}: Frame, offset = 0): number {
  if (payload.length < offset + 4) throw new ProtocolError(`a frame of type ${type} is cut off`)
  return payload.readUInt32BE(offset)
}

/** The payload of DATA or HEADERS without padding and priority. @throws ProtocolError */
export function contentOf({type, flags, payload}: Frame): Buffer {
  const padding = flags & PADDED ? (payload[0] ?? 0) : 0
  const begin = (flags & PADDED ? 1 : 0) + (type === HEADERS && flags & PRIORITY ? 5 : 0)
  if (begin + padding > payload.length) throw new ProtocolError('the padding of a frame is longer than the frame')
  return payload.subarray(begin, payload.length - padding)
}

/** Cuts bytes as they come into frames; GIVE is called with each. @returns what takes the bytes; it throws ProtocolError, and whatever GIVE throws */
export function frameReader(give: (frame: Frame) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    let at = 0
    while (all.length - at >= HEAD) {
      const length = all.readUIntBE(at, 3)
      if (length > LONGEST_PAYLOAD) throw new ProtocolError(`a frame of ${length} bytes`)
      const end = at + HEAD + length
      if (end > all.length) break
      give({type: all.readUInt8(at + 3), flags: all.readUInt8(at + 4), stream: all.readUInt32BE(at + 5) & LOW_BITS, payload: all.subarray(at + HEAD, end)})
      at = end
    }
    rest = all.subarray(at)
  }
}
