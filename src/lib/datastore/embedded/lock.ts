import {linkSync, readFileSync, rmSync, unlinkSync, writeFileSync} from 'node:fs'
import {CalicoError} from '../../errors.js'
import type {Budget} from '../budget.js'

/**
 * A lock file: it names its holder's process by pid and start time, and is stale when that process is gone. A stale one is removed
 * by whoever holds a second lock that is named after it, so that two who find it stale cannot remove each other's fresh one.
 */

const SHORTEST_WAIT_MS = 2
const LONGEST_WAIT_MS = 20

/** Distinguishes the locks that one process takes one after another. */
let taken = 0

/** Runs WORK while holding the lock file at PATH. @throws CalicoError `unreachable` if it is not free within the budget. */
export async function withLock<T>(path: string, budget: Budget, work: () => Promise<T>): Promise<T> {
  const identity = `${process.pid} ${startTime(process.pid) ?? '0'} ${taken++}`
  while (!take(path, identity)) {
    if (budget.remaining() <= 0) {
      throw new CalicoError('unreachable', `The embedded store is locked by process ${pidOf(readLock(path))} (${path})`, {
        hint: 'Wait for that process, or end it.',
      })
    }
    await new Promise((resolve) => setTimeout(resolve, SHORTEST_WAIT_MS + Math.random() * (LONGEST_WAIT_MS - SHORTEST_WAIT_MS)))
  }
  try {
    return await work()
  } finally {
    rmSync(path, {force: true})
  }
}

/** One try to take the lock. A stale one is cleared away, for the next try. */
function take(path: string, identity: string): boolean {
  const holder = readLock(path)
  if (holder === undefined) return create(path, identity)
  if (isGone(holder)) removeStale(path, holder, identity)
  return false
}

/**
 * Removes the lock of HOLDER, who is gone. Only the holder of the second lock may do that, so between its look and its removal
 * nobody else can have replaced the file. If that one died in turn, its lock is removed in the same way.
 */
function removeStale(path: string, holder: string, identity: string): void {
  const right = `${path}.${holder.replaceAll(' ', '-')}`
  if (!take(right, identity)) return
  try {
    if (readLock(path) === holder) unlinkSync(path)
  } finally {
    unlinkSync(right)
  }
}

/** Creates the file with its content in one step; false if it exists. */
function create(path: string, identity: string): boolean {
  const draft = `${path}.${identity.replaceAll(' ', '-')}.new`
  writeFileSync(draft, identity, {mode: 0o600})
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(draft)
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const pidOf = (identity = ''): string => identity.split(' ')[0] ?? ''

function isGone(identity: string): boolean {
  const [pid, started] = identity.split(' ')
  return !/^[1-9][0-9]*$/.test(pid ?? '') || startTime(Number(pid)) !== started
}

/** When a process was started, in clock ticks since boot (field 22 of /proc/PID/stat); undefined if there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 2 is the program's name in parentheses and may contain blanks and parentheses itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
