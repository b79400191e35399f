import {CalicoError} from '../errors.js'
import {LARGEST_SETTING} from '../files/read.js'

/** All of stdin as text. @throws CalicoError `invalid` if it is no UTF-8 (a replaced character could change what is meant), or more than a file may have */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    size += (chunk as Buffer).length
    if (size > LARGEST_SETTING) throw new CalicoError('invalid', `stdin has more than ${LARGEST_SETTING} bytes`)
    chunks.push(chunk as Buffer)
  }
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(Buffer.concat(chunks))
  } catch (error) {
    throw new CalicoError('invalid', 'stdin is not UTF-8 text', {cause: error})
  }
}
