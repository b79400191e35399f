/** Files that only grow, by whole lines, written by several processes at once. */
import {closeSync, constants, fchmodSync, fdatasyncSync, fstatSync, openSync, readSync, renameSync, statSync, writeSync} from 'node:fs'
import {withLockFile} from './lock-file.js'
import {CalicoError} from '../errors.js'

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
const LINE_FEED = 10

/** How long a rotation waits for another process that rotates the same file. */
const PATIENCE_MS = 500

/**
 * Adds LINES, each of which ends with a line feed, to the regular file at PATH. They go there by one write(2) at the end, which the kernel lets no other
 * come between. Where someone has left half a line, because the disk was full or the process was killed, a new one is begun.
 * @param mode of the file; rights beyond it are taken away
 * @throws Error with a `code`, as node:fs; EISDIR, ENOTREGULAR for what is no regular file; ENOSPC if not all could be written
 */
export function appendLines(path: string, lines: Buffer, mode: number): void {
  closeSync(appended(path, lines, mode))
}

/** As {@link appendLines}, and what is in the file so far has reached the disk before it returns, where the file system can do that. */
export function appendFlushed(path: string, lines: Buffer, mode: number): void {
  flush(appended(path, lines, mode))
}

/**
 * As {@link appendFlushed}, which does not wait for the disk: what it gives does. It is this thread that waits, when all that is to be done now has been done:
 * starting libuv's threads costs a short command more than that.
 */
export function appendFlushing(path: string, lines: Buffer, mode: number): Promise<void> {
  const descriptor = appended(path, lines, mode)
  return new Promise((resolve) => {
    setImmediate(() => {
      flush(descriptor)
      resolve()
    })
  })
}

function flush(descriptor: number): void {
  try {
    fdatasyncSync(descriptor)
  } catch {
    // It is in the file all the same, unless the power fails.
  } finally {
    closeSync(descriptor)
  }
}

/** The descriptor of the file at PATH, which ends with LINES now. */
function appended(path: string, lines: Buffer, mode: number): number {
  const descriptor = openSync(path, APPEND, mode)
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw Object.assign(new Error('it is not a regular file'), {code: 'ENOTREGULAR'})
    // Someone may have made it with other rights; who is not its owner cannot change them.
    if ((stats.mode & 0o777 & ~mode) !== 0 && stats.uid === process.geteuid?.()) fchmodSync(descriptor, mode)
    const bytes = endsInside(descriptor, stats.size) ? Buffer.concat([Buffer.from('\n'), lines]) : lines
    if (writeSync(descriptor, bytes) !== bytes.length) throw Object.assign(new Error('no space left on the device'), {code: 'ENOSPC'})
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** Whether the SIZE bytes of a file end with half a line. */
function endsInside(descriptor: number, size: number): boolean {
  if (size === 0) return false
  const last = Buffer.alloc(1)
  return readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== LINE_FEED
}

/** The names of PATH and of what it was before its last KEEP rotations, the newest first. */
export const generations = (path: string, keep: number): readonly string[] => [path, ...Array.from({length: keep}, (_, i) => `${path}.${i + 1}`)]

/**
 * Gives the file at PATH the name PATH.1 if it would have more than LARGEST bytes with ADDED more, and so on; KEEP of the earlier ones are kept. An empty
 * file is never put aside, so what is larger than LARGEST stands alone. Who has the file open meanwhile goes on writing to it under its new name.
 * If another process is at it, nothing is done. A file of no more than ALONE bytes, those of who asks, is never put aside.
 * @returns whether it was put aside
 * @throws Error with a `code`, as node:fs; CalicoError `failed` if there can be no lock
 */
export async function rotateFile(path: string, {largest, added, keep, alone = 0}: {largest: number; added: number; keep: number; alone?: number}): Promise<boolean> {
  const full = (): boolean => {
    const size = statSync(path, {throwIfNoEntry: false})?.size ?? 0
    return size > alone && size + added > largest
  }
  if (!full()) return false
  let done = false
  const until = Date.now() + PATIENCE_MS
  const busy = new CalicoError('failed', `${path} is being rotated by another process`)
  try {
    await withLockFile(`${path}.lock`, {patient: () => Date.now() < until, late: () => busy}, () => {
      done = full()
      if (done) shift(generations(path, keep))
      return Promise.resolve()
    })
  } catch (error) {
    if (error !== busy) throw error
  }
  return done
}

function shift(names: readonly string[]): void {
  for (let at = names.length - 1; at > 0; at--) {
    const [from = '', to = ''] = names.slice(at - 1, at + 1)
    if (statSync(from, {throwIfNoEntry: false})) renameSync(from, to)
  }
}
