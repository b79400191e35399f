/**
 * Lock files. One names its holder's process by three numbers: pid, start time, pid namespace. It is stale when that process is gone, which only a
 * process of the same pid namespace can tell: to all others it is never stale (decisions.md 16). A stale one is removed by whoever holds a second
 * lock that is named after it, so that two who find it stale cannot remove each other's fresh one.
 *
 * The folder must be one in which only its owner may write: what is there is believed.
 */
import {closeSync, constants, linkSync, openSync, readlinkSync, unlinkSync, writeSync} from 'node:fs'
import {CalicoError} from '../errors.js'
import {randomName} from './random-name.js'
import {fileReason, readTextFile} from './read.js'

const SHORTEST_WAIT_MS = 2
const LONGEST_WAIT_MS = 20

/** Three numbers of up to 20 digits. */
const LARGEST = 100
const CONTENT = /^([1-9][0-9]{0,19}) ([0-9]{1,20}) ([0-9]{1,20})\n?$/

/** The process that holds a lock. */
export interface Holder {
  /** In its own pid namespace. */
  readonly pid: number
  /** Of another pid namespace: whether it lives cannot be seen from here. */
  readonly elsewhere: boolean
}

/** A process of this host, for as long as the host runs. */
export interface Identity {
  readonly pid: string
  /** In clock ticks since boot. */
  readonly started: string
  /** The number of the pid namespace. */
  readonly namespace: string
}

const text = ({pid, started, namespace}: Identity): string => `${pid} ${started} ${namespace}`

export interface LockOptions {
  /** Whether to go on waiting. */
  readonly patient: () => boolean
  /** What to throw when it does not. */
  readonly late: (holder: Holder | undefined) => CalicoError
  /** Makes the folder of the lock, where whoever had the lock before may have removed it. Without it, that is an error. */
  readonly makeFolder?: () => void
}

/**
 * Runs WORK while holding the lock file at PATH.
 * @throws what LATE gives; CalicoError `failed` if what is at PATH is no lock, or none can be made
 */
export async function withLockFile<T>(path: string, {patient, late, makeFolder}: LockOptions, work: () => Promise<T>): Promise<T> {
  const own = ownIdentity()
  while (!take(path, own, makeFolder)) {
    if (!patient()) throw late(holderOf(path, own))
    await new Promise((resolve) => setTimeout(resolve, SHORTEST_WAIT_MS + Math.random() * (LONGEST_WAIT_MS - SHORTEST_WAIT_MS)))
  }
  try {
    return await work()
  } finally {
    remove(path)
  }
}

/** One try to take the lock. A stale one is cleared away, for the next try. */
function take(path: string, own: Identity, makeFolder?: () => void): boolean {
  const holder = readLock(path)
  if (holder === undefined) return create(path, own, makeFolder)
  if (isGone(holder, own)) removeStale(path, holder, own)
  return false
}

/**
 * Removes the lock of HOLDER, who is gone. Only the holder of the second lock may do that, so between its look and its removal
 * no one else can have replaced the file. If that one died in turn, its lock is removed in the same way.
 */
function removeStale(path: string, holder: Identity, own: Identity): void {
  const right = `${path}.${text(holder).replaceAll(' ', '-')}`
  if (!take(right, own)) return
  try {
    const now = readLock(path)
    if (now && text(now) === text(holder)) remove(path)
  } finally {
    remove(right)
  }
}

/** Creates the file with its content in one step; false if it exists, or its folder had to be made. @throws CalicoError `failed` */
function create(path: string, own: Identity, makeFolder: (() => void) | undefined): boolean {
  const draft = `${path}.${randomName()}.new`
  try {
    writeDraft(draft, text(own))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !makeFolder) throw new CalicoError('failed', `The lock ${path} cannot be created: ${fileReason(error)}`, {cause: error})
    makeFolder()
    return false
  }
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new CalicoError('failed', `The lock ${path} cannot be created: ${fileReason(error)}`, {cause: error})
  } finally {
    remove(draft)
  }
}

/** What could not be written whole is removed again. */
function writeDraft(draft: string, content: string): void {
  const descriptor = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    if (writeSync(descriptor, content) !== content.length) throw Object.assign(new Error('no space left on the device'), {code: 'ENOSPC'})
  } catch (error) {
    remove(draft)
    throw error
  } finally {
    closeSync(descriptor)
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Who holds the lock at PATH; undefined if no one does. @throws CalicoError `failed` if it is no lock */
function readLock(path: string): Identity | undefined {
  let content: string
  try {
    content = readTextFile(path, {largest: LARGEST, noLinks: true})
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw noLock(path, fileReason(error), error)
  }
  const [, pid, started, namespace] = CONTENT.exec(content) ?? []
  if (pid === undefined || started === undefined || namespace === undefined) throw noLock(path, 'it does not contain the three numbers of a process')
  return {pid, started, namespace}
}

const noLock = (path: string, why: string, cause?: unknown): CalicoError =>
  new CalicoError('failed', `${path} is not a lock of calicoctl: ${why}`, {hint: `If no calicoctl is running, remove it: rm ${path}`, cause})

function holderOf(path: string, own: Identity): Holder | undefined {
  const holder = readLock(path)
  return holder && {pid: Number(holder.pid), elsewhere: holder.namespace !== own.namespace}
}

/** Whether PROCESS, which need not hold a lock, is known to have ended. */
export const hasEnded = (process: Identity): boolean => isGone(process, ownIdentity())

/** Whether PROCESS is of another pid namespace: whether it lives cannot be seen from here. */
export const isElsewhere = ({namespace}: Identity): boolean => namespace !== ownIdentity().namespace

/** Whether HOLDER is known to have ended. */
function isGone(holder: Identity, own: Identity): boolean {
  if (holder.namespace !== own.namespace || !seesOwnProcesses()) return false
  return startTime(holder.pid) !== holder.started
}

/** Whether /proc numbers processes as our pid namespace does. It may be that of another one, in which every pid means another process. */
const seesOwnProcesses = (): boolean => linkOf('/proc/self') === String(process.pid)

/** This process. */
export function ownIdentity(): Identity {
  return {
    pid: String(process.pid),
    started: startTime('self') ?? '0',
    namespace: /\[([0-9]+)\]/.exec(linkOf('/proc/self/ns/pid'))?.[1] ?? '0',
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** When a process was started, in clock ticks since boot (field 22 of /proc/PID/stat); undefined if there is no such process. */
function startTime(pid: string): string | undefined {
  try {
    const stat = readTextFile(`/proc/${pid}/stat`)
    // Field 2 is the program's name in parentheses and may contain blanks and parentheses itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
