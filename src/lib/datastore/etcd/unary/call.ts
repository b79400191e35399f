import type {OutgoingHttpHeaders} from 'node:http2'
import {unframed} from './framing.js'
import {msUntil, type Session} from './session.js'
import {CallError, CANCEL, DEADLINE_EXCEEDED, failureOf, type Fields} from './status.js'

/** HTTP/2's flag of a frame that is the last of its stream. */
const END_STREAM = 1

/**
 * One unary call: one framed message there, one back, and the status behind it. Done when the status and all of the message have come; without a status when the
 * stream is over.
 * @param deadline milliseconds since 1970; then the stream is reset, and the SESSION not used again: whoever has fallen silent may be gone
 * @returns the message of the answer
 * @throws CallError
 */
export async function unaryCall(session: Session, headers: OutgoingHttpHeaders, message: Buffer, deadline: number): Promise<Buffer> {
  const parts = await new Promise<readonly Buffer[]>((resolve, reject) => {
    const stream = session.begin(headers, () => finish())
    const received: Buffer[] = []
    let httpStatus: number | undefined
    let trailers: Fields | undefined
    let isOver = false

    const finish = (): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      const failure = failureOf({httpStatus, trailers, resetCode: stream.rstCode, passedOver: session.passedOver(stream), reason: session.reason()})
      // Where the server has ended the call before it has read all of the message.
      if (!stream.writableFinished && !stream.closed) stream.close(CANCEL)
      if (failure) reject(failure)
      else resolve(received)
    }
    const timer = setTimeout(() => {
      isOver = true
      reject(new CallError(DEADLINE_EXCEEDED, 'Deadline exceeded'))
      session.retire()
      stream.close(CANCEL)
    }, msUntil(deadline))

    stream.on('response', (fields, flags) => {
      httpStatus = fields[':status']
      if (flags & END_STREAM) trailers = fields
    })
    stream.on('trailers', (fields: Fields) => void (trailers = fields))
    stream.on('data', (part: Buffer) => received.push(part))
    stream.on('end', () => trailers && finish())
    // What went wrong is told by the stream's end.
    stream.on('error', () => undefined)
    // One turn later: what ended the connection is heard of after that.
    stream.on('close', () => setImmediate(finish))
    stream.end(message)
  })
  return unframed(parts)
}
