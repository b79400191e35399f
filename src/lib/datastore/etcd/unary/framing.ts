import {CallError, INTERNAL} from './status.js'

/** gRPC's frame around a message: a byte that says whether it is compressed, and its length in four (gRPC's "PROTOCOL-HTTP2", Length-Prefixed-Message). */

const PREFIX = 5

/** MESSAGE, not compressed. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX + message.length)
  bytes[0] = 0
  bytes.writeUInt32BE(message.length, 1)
  bytes.set(message, PREFIX)
  return bytes
}

/** The one message in PARTS, all that came. @throws CallError for none, several, a part of one, and a compressed one: no one has asked for that */
export function unframed(parts: readonly Buffer[]): Buffer {
  const [first] = parts
  const bytes = parts.length === 1 && first ? first : Buffer.concat(parts)
  if (bytes.length < PREFIX) throw new CallError(INTERNAL, bytes.length === 0 ? 'The answer has no message' : 'The answer ends within the head of its message')
  if (bytes[0] !== 0) throw new CallError(INTERNAL, 'The answer is compressed')
  const length = bytes.readUInt32BE(1)
  if (bytes.length < PREFIX + length) throw new CallError(INTERNAL, `The answer ends within its message of ${length} bytes`)
  if (bytes.length > PREFIX + length) throw new CallError(INTERNAL, 'The answer has more than one message')
  return bytes.subarray(PREFIX)
}
