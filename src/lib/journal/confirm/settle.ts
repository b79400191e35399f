/** How a change that waited has ended: confirmed, or rolled back. */
import {unlinkSync} from 'node:fs'
import {CalicoError, isError} from '../../errors.js'
import {hasEnded, isElsewhere} from '../../files/lock-file.js'
import {noteConfirmation} from '../entry.js'
import type {Confirmation, Entry} from '../read.js'
import {type Found, isUndone} from '../undo.js'
import {isRolledBack, lateUntil, rollbackUntil, withEnd} from './late.js'
import {listWaiting, readWaiting, type Waiting, type WaitingFile, withWaitingLock, writeWaiting} from './waiting.js'

const inHand = (id: string): CalicoError => new CalicoError('conflict', `The change ${id} is being rolled back now`, {hint: 'To see the result: calicoctl history'})

/**
 * The change of ID stays, or the only one that waits. ENTRIES is the journal, the newest first. LOOK says how the change stands; it is asked only where a
 * rollback was begun, and died. What that one had sent may arrive for a while: until then the change cannot be confirmed.
 * Another process may confirm it at the same time: then it is confirmed.
 * @throws CalicoError `not-found` if it does not wait, `conflict` if it was rolled back, `invalid` if several wait and there is no ID; what LOOK throws
 */
export async function confirmChange(id: string | undefined, entries: () => readonly Entry[], look: (file: WaitingFile) => Promise<Found>, env: NodeJS.ProcessEnv): Promise<Waiting> {
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

/** Whoever holds the lock of PATH confirms WAITING. @throws CalicoError `conflict` if it was rolled back, may have been, or may still be; what LOOK throws */
async function settle(path: string, waiting: Waiting, look: (file: WaitingFile) => Promise<Found>): Promise<void> {
  if (isRolledBack(waiting)) throw takenBack(waiting.id)
  const {stand, late}: Found = waiting.begun ? await look({path, waiting}) : {stand: 'made', late: []}
  if (isUndone(stand)) {
    await rolledBack(path, waiting, late)
    throw takenBack(waiting.id)
  }
  if (stand === 'made' && Date.now() < rollbackUntil(waiting)) throw mayBeUndone(waiting)
  end(path, waiting, stand === 'made' ? 'confirmed' : 'failed')
  if (stand === 'changed') throw new CalicoError('conflict', `It is not known whether the change ${waiting.id} was rolled back: its rollback was interrupted, and its objects were changed since`, {hint: 'To see what became of them: calicoctl history KIND NAME'})
}

function choose(id: string | undefined, all: readonly WaitingFile[], entries: () => readonly Entry[]): WaitingFile {
  const isOver = ({waiting}: WaitingFile): boolean => isRolledBack(waiting)
  const meant = all.filter((file) => (id === undefined ? !isOver(file) : file.waiting.id === id))
  const [first, ...more] = meant
  if (first === undefined) throw notWaiting(id ?? all.find(isOver)?.waiting.id, entries())
  if (more.length > 0) throw new CalicoError('invalid', `${meant.length} changes are pending: give the ID of one`, {details: meant.map(({waiting}) => `calicoctl confirm ${waiting.id}    # ${waiting.words.join(' ')}`)})
  return first
}

function notWaiting(id: string | undefined, entries: readonly Entry[]): CalicoError {
  const [last] = entries
  // Without ID: the last one that was to be confirmed, if nothing has been changed since it was rolled back.
  const meant = id !== undefined ? entries.find((entry) => entry.id === id) : last?.command === 'undo' ? entries.find(({confirmation}) => confirmation !== undefined) : undefined
  if (meant?.confirmation === 'undone') return takenBack(meant.id, entries.find(({command, words}) => command === 'undo' && words.includes(meant.id))?.id)
  if (id === undefined) return new CalicoError('not-found', 'No change is pending.')
  if (meant === undefined) return new CalicoError('not-found', `There is no change ${id} in the journal.`, {hint: 'To see the pending changes: calicoctl confirm --list'})
  return new CalicoError('not-found', `The change ${id} is not pending${meant.confirmation === 'confirmed' ? ': it is already confirmed' : ''}.`)
}

/** The change ID ended while its lock was waited for. @throws CalicoError unless another process confirmed it */
function refuseEnded(id: string, entries: readonly Entry[]): void {
  if (entries.find((entry) => entry.id === id)?.confirmation !== 'confirmed') throw notWaiting(id, entries)
}

/** ROLLBACK: the ID of what rolled it back, where that is known. */
const takenBack = (id: string, rollback?: string): CalicoError =>
  new CalicoError('conflict', `The change ${id} was already rolled back: it was not confirmed`, {hint: rollback === undefined ? 'To make the change again, undo its rollback, by the ID that calicoctl history prints for it.' : `To make the change again, undo its rollback: calicoctl undo ${rollback}`})

const mayBeUndone = (waiting: Waiting): CalicoError =>
  new CalicoError('conflict', `The rollback of the change ${waiting.id} was interrupted, and may still be executed until ${new Date(rollbackUntil(waiting)).toISOString().replace(/\.[0-9]+Z$/, 'Z')}`, {hint: `Confirm the change then, or revert it now: calicoctl undo ${waiting.id}`})

/**
 * If the change ID was rolled back, as LOOK says, by a rollback that died, or if only what arrives late of it is looked for: it does not wait any more.
 * @returns the error for who wants to roll it back
 */
export async function settleBegun(id: string, look: () => Promise<Found>, env: NodeJS.ProcessEnv): Promise<CalicoError | undefined> {
  if (!listWaiting(env).some(({waiting}) => waiting.id === id && (waiting.begun ?? isRolledBack(waiting)))) return undefined
  const {stand, late} = await look()
  if (!isUndone(stand)) return undefined
  await settleUndone(id, late, env)
  return takenBack(id)
}

/** @throws CalicoError `conflict` if the command that makes the change ID, which is to be confirmed, still runs: what it has yet to do would be neither undone nor waiting */
export function refuseRunning(id: string, env: NodeJS.ProcessEnv): void {
  const runs = ({deadline, command}: Waiting): boolean => deadline === null && !isElsewhere(command) && !hasEnded(command)
  if (listWaiting(env).some(({waiting}) => waiting.id === id && runs(waiting))) throw new CalicoError('conflict', `The command that makes the change ${id} is still running; nothing was changed`, {hint: 'Interrupt it, or wait until it has ended.'})
}

/** ID was rolled back by a command, except for its parts LATE if they are executed late. Never fails, since that is done: whoever has the lock finds out that it is. */
export async function settleUndone(id: string, late: readonly number[], env: NodeJS.ProcessEnv): Promise<void> {
  try {
    const found = listWaiting(env).find(({waiting}) => waiting.id === id)
    if (!found) return
    await withWaitingLock(found.path, () => inHand(id), async () => {
      const now = readWaiting(found.path)
      if (now?.id === id) await rolledBack(found.path, now, late)
    })
  } catch {
    // Its timer looks whether the change stands before it does anything.
  }
}

/** Whether the change ID has a file, so that settleUndone() must know what may come late. */
export const isWaitedFor = (id: string, env: NodeJS.ProcessEnv): boolean => listWaiting(env).some(({waiting}) => waiting.id === id)

/** Whoever holds the lock of PATH says that WAITING is rolled back. Its file stays as long as one of its parts LATE may still arrive. */
export async function rolledBack(path: string, waiting: Waiting, late: readonly number[]): Promise<void> {
  const now = Date.now()
  const ended = withEnd(waiting, now)
  if (late.length === 0 || now >= (lateUntil(ended) ?? 0)) {
    end(path, waiting, 'undone')
    return
  }
  await writeWaiting(path, {...ended, late})
  if (waiting.late === undefined) noteConfirmation(waiting.id, 'undone')
}

/** Whoever holds the lock of PATH says how WAITING has ended. Its timer's process, if that is another one, has nothing to do any more. */
function end(path: string, {id, timer}: Waiting, outcome: Confirmation): void {
  unlinkSync(path)
  noteConfirmation(id, outcome)
  if (timer === null || timer.pid === String(process.pid) || isElsewhere(timer) || hasEnded(timer)) return
  try {
    process.kill(Number(timer.pid), 'SIGTERM')
  } catch {
    // It ends by itself as soon as it looks.
  }
}
