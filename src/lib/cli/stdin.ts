import {CalicoError} from '../errors.js'
import {LARGEST_SETTING} from '../files/read.js'
import {sizeText} from '../files/size.js'

/** What a file of objects may have, which a line of a batch may read from stdin. */
export const LARGEST_INPUT = 32 * 1024 * 1024

/** All of stdin as text, at most LARGEST bytes. @throws CalicoError `invalid` if it is not UTF-8 (a replaced character could change what is meant), or larger */
export async function readStdin(largest = LARGEST_SETTING): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    size += (chunk as Buffer).length
    if (size > largest) throw new CalicoError('invalid', `stdin has more than ${sizeText(largest)}`)
    chunks.push(chunk as Buffer)
  }
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(Buffer.concat(chunks))
  } catch (error) {
    throw new CalicoError('invalid', 'stdin is not UTF-8 text', {cause: error})
  }
}
