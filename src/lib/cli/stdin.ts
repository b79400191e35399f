import {CalicoError} from '../errors.js'

/** All of stdin as text. @throws CalicoError `invalid` if it is no UTF-8: a replaced character could change what is meant. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(Buffer.concat(chunks))
  } catch (error) {
    throw new CalicoError('invalid', 'stdin is not UTF-8 text', {cause: error})
  }
}
