/** What this process has changed so far, for the truth at its end where its output is lost (a full disk). */
import type {WriteLog} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {fileReason} from '../files/read.js'

const made: string[] = []
const logs: Pick<WriteLog, 'done'>[] = []

/** Notes a change outside the datastore, in words: `the container calico-node`. */
export function noteMade(what: string): void {
  made.push(what)
}

/** How many changes outside the datastore were noted. */
export const madeCount = (): number => made.length

/** LOG has the changes of the datastore. */
export function watchWrites(log: Pick<WriteLog, 'done'>): void {
  logs.push(log)
}

/** stdout or stderr could not be written: by itself it is `failed`; {@link withTruth} tells what was done before. */
export class OutputError extends CalicoError {
  constructor(failure: unknown) {
    super('failed', `The output cannot be written: ${fileReason(failure)}`, {cause: failure})
  }

  /** `unknown` (exit code 9) where something was changed: the script that gets no output must not take it for undone. */
  withTruth(): CalicoError {
    const all = [...logs.flatMap(({done}) => done), ...made]
    if (all.length === 0) return this
    return new CalicoError('unknown', `${this.message}. These changes were made: ${all.join(', ')}`, {hint: 'They were not rolled back.', cause: this.cause})
  }
}
