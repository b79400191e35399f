import {unframed} from './framing.js'
import type {Fields} from './hpack.js'
import {msUntil, type Session} from './session.js'
import {CallError, DEADLINE_EXCEEDED, failureOf} from './status.js'

/**
 * One unary call: one framed message there, one back, and the status behind it. Done when the stream is over.
 * @param deadline milliseconds since 1970; then the stream is reset, and the SESSION not used again: whoever has fallen silent may be gone
 * @returns the message of the answer
 * @throws CallError
 */
export async function unaryCall(session: Session, headers: Fields, message: Buffer, deadline: number): Promise<Buffer> {
  const parts = await new Promise<readonly Buffer[]>((resolve, reject) => {
    const cancel = session.begin(headers, message, (end, received) => {
      clearTimeout(timer)
      const failure = failureOf(end)
      if (failure) reject(failure)
      else resolve(received)
    })
    const timer = setTimeout(() => {
      reject(new CallError(DEADLINE_EXCEEDED, 'Deadline exceeded'))
      session.retire()
      cancel()
    }, msUntil(deadline))
  })
  return unframed(parts)
}
