import {CalicoError} from '../errors.js'

/** What is wrong with a JSON text. */
export type JsonFault =
  /** It is not JSON. */
  | 'syntax'
  /** It is nested too deeply to be read safely. */
  | 'depth'
  /** An object has a key twice; readers differ in which one they take. */
  | 'duplicate-key'
  /** A number that no program could hold. */
  | 'number'

/** A text that is not read as JSON. `key` is set for the fault `duplicate-key`. */
export class JsonError extends CalicoError {
  constructor(
    readonly fault: JsonFault,
    message: string,
    readonly key?: string,
  ) {
    super('invalid', message)
  }
}
