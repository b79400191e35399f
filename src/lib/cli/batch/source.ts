/** The text of a batch. */
import {CalicoError} from '../../errors.js'
import {fileReason, readRegularFile} from '../../files/read.js'

/** The text of the file at PATH. @throws CalicoError `failed` if it cannot be read, `invalid` if it is not UTF-8 text */
export function readBatchFile(path: string): string {
  let bytes: Buffer
  try {
    bytes = readRegularFile(path).bytes
  } catch (error) {
    throw new CalicoError('failed', `${path} cannot be read: ${fileReason(error)}`, {cause: error})
  }
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes)
  } catch (error) {
    throw new CalicoError('invalid', `${path} is not UTF-8 text`, {cause: error})
  }
}
