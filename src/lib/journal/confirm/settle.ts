/** How a change that waited has ended: confirmed, or taken back. */
import {unlinkSync} from 'node:fs'
import {CalicoError, isError} from '../../errors.js'
import {hasEnded, isElsewhere} from '../../files/lock-file.js'
import {noteConfirmation} from '../entry.js'
import type {Confirmation, Entry} from '../read.js'
import {isUndone, type Stand} from '../undo.js'
import {listWaiting, readWaiting, type Waiting, type WaitingFile, withWaitingLock} from './waiting.js'

const inHand = (id: string): CalicoError => new CalicoError('conflict', `The change ${id} is being rolled back now`, {hint: 'To see the result: calicoctl history'})

/**
 * The change of ID stays, or the only one that waits. ENTRIES is the journal, the newest first. LOOK says whether the change stands; it is asked only where a
 * rollback was begun, and died.
 * Another process may confirm it at the same time: then it is confirmed.
 * @throws CalicoError `not-found` if it does not wait, `conflict` if it was taken back, `invalid` if several wait and there is no ID; what LOOK throws
 */
export async function confirmChange(id: string | undefined, entries: () => readonly Entry[], look: (file: WaitingFile) => Promise<Stand>, env: NodeJS.ProcessEnv): Promise<Waiting> {
  const {path, waiting} = choose(id, listWaiting(env), entries)
  try {
    await withWaitingLock(path, () => inHand(waiting.id), async () => {
      const now = readWaiting(path)
      if (now?.id !== waiting.id) refuseEnded(waiting.id, entries())
      else await settle(path, now, look)
    })
  } catch (error) {
    // Who ended it has removed the folder of the lock, too.
    if (!isError(error, 'failed') || readWaiting(path)?.id === waiting.id) throw error
    refuseEnded(waiting.id, entries())
  }
  return waiting
}

/** Whoever holds the lock of PATH confirms WAITING. @throws CalicoError `conflict` if it was rolled back, or may have been; what LOOK throws */
async function settle(path: string, waiting: Waiting, look: (file: WaitingFile) => Promise<Stand>): Promise<void> {
  const stand = waiting.begun ? await look({path, waiting}) : 'made'
  end(path, waiting, ({made: 'confirmed', undone: 'undone', unmade: 'undone', changed: 'failed'} as const)[stand])
  if (stand !== 'made') throw isUndone(stand) ? takenBack(waiting.id) : new CalicoError('conflict', `It is not known whether the change ${waiting.id} was rolled back: its rollback was interrupted, and its objects were changed since`, {hint: 'To see what became of them: calicoctl history KIND NAME'})
}

function choose(id: string | undefined, all: readonly WaitingFile[], entries: () => readonly Entry[]): WaitingFile {
  const [first, ...more] = id === undefined ? all : all.filter(({waiting}) => waiting.id === id)
  if (first === undefined) throw notWaiting(id, entries())
  if (more.length > 0) throw new CalicoError('invalid', `${all.length} changes are pending: give the ID of one`, {details: all.map(({waiting}) => `calicoctl confirm ${waiting.id}    # ${waiting.words.join(' ')}`)})
  return first
}

function notWaiting(id: string | undefined, entries: readonly Entry[]): CalicoError {
  const [last] = entries
  // Without ID: the last one that was to be confirmed, if nothing has been changed since it was taken back.
  const meant = id !== undefined ? entries.find((entry) => entry.id === id) : last?.command === 'undo' ? entries.find(({confirmation}) => confirmation !== undefined) : undefined
  if (meant?.confirmation === 'undone') return takenBack(meant.id)
  if (id === undefined) return new CalicoError('not-found', 'No change is pending.')
  if (meant === undefined) return new CalicoError('not-found', `There is no change ${id} in the journal.`, {hint: 'To see the pending changes: calicoctl confirm --list'})
  return new CalicoError('not-found', `The change ${id} is not pending${meant.confirmation === 'confirmed' ? ': it is already confirmed' : ''}.`)
}

/** The change ID ended while its lock was waited for. @throws CalicoError unless another process confirmed it */
function refuseEnded(id: string, entries: readonly Entry[]): void {
  if (entries.find((entry) => entry.id === id)?.confirmation !== 'confirmed') throw notWaiting(id, entries)
}

const takenBack = (id: string): CalicoError => new CalicoError('conflict', `The change ${id} was already rolled back: it was not confirmed`, {hint: 'To make the change again, revert the rollback: calicoctl undo'})

/** If the rollback of the change ID was begun, died, and was made all the same, as LOOK says: it does not wait any more. @returns the error for who wants to take it back */
export async function settleBegun(id: string, look: () => Promise<Stand>, env: NodeJS.ProcessEnv): Promise<CalicoError | undefined> {
  if (!listWaiting(env).some(({waiting}) => waiting.id === id && waiting.begun) || !isUndone(await look())) return undefined
  await settleUndone(id, env)
  return takenBack(id)
}

/** @throws CalicoError `conflict` if the command that makes the change ID, which is to be confirmed, still runs: what it has yet to do would be neither undone nor waiting */
export function refuseRunning(id: string, env: NodeJS.ProcessEnv): void {
  const runs = ({deadline, command}: Waiting): boolean => deadline === null && !isElsewhere(command) && !hasEnded(command)
  if (listWaiting(env).some(({waiting}) => waiting.id === id && runs(waiting))) throw new CalicoError('conflict', `The command that makes the change ${id} is still running; nothing was changed`, {hint: 'Interrupt it, or wait until it has ended.'})
}

/** ID was taken back by a command: it does not wait any more. Never fails, since that is done: whoever has the lock finds out that it is. */
export async function settleUndone(id: string, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    const found = listWaiting(env).find(({waiting}) => waiting.id === id)
    if (!found) return
    await withWaitingLock(found.path, () => inHand(id), () => {
      if (readWaiting(found.path)?.id === id) end(found.path, found.waiting, 'undone')
      return Promise.resolve()
    })
  } catch {
    // Its timer looks whether the change stands before it does anything.
  }
}

/** Whoever holds the lock of PATH says how WAITING has ended. Its timer's process, if that is another one, has nothing to do any more. */
export function end(path: string, {id, timer}: Waiting, outcome: Confirmation): void {
  unlinkSync(path)
  noteConfirmation(id, outcome)
  if (timer === null || timer.pid === String(process.pid) || isElsewhere(timer) || hasEnded(timer)) return
  try {
    process.kill(Number(timer.pid), 'SIGTERM')
  } catch {
    // It ends by itself as soon as it looks.
  }
}
