import {CalicoError} from '../../errors.js'
import {type Holder, withLockFile} from '../../files/lock-file.js'
import type {Budget} from '../budget.js'

/**
 * Runs WORK while holding the store's lock file at PATH.
 * @throws CalicoError, if it is not free within the budget: `unreachable`, or `refused` where its holder is of another pid namespace and no one here
 * can tell whether it lives; `failed` if what is at PATH is no lock
 */
export function withLock<T>(path: string, budget: Budget, work: () => Promise<T>): Promise<T> {
  return withLockFile(path, {patient: () => budget.remaining() > 0, late: (holder) => locked(path, holder)}, work)
}

function locked(path: string, holder: Holder | undefined): CalicoError {
  if (holder?.elsewhere) {
    return new CalicoError('refused', `The embedded store is locked by process ${holder.pid} of another pid namespace (${path}); nothing was changed`, {
      hint: `It is not possible to check from here whether that process is still running. Wait for it; if it has ended, remove its lock: rm ${path}`,
    })
  }
  return new CalicoError('unreachable', `The embedded store is locked by process ${holder?.pid ?? ''} (${path})`, {hint: 'Wait for that process, or end it.'})
}
